#!/usr/bin/env python3
"""Every diagnostic of the catalogue is given by some case, explained by a page, and shown there; mends are applied."""

import json
import os
import re
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DPLC = str(Path(os.environ["DPL_BIN"]) / "dplc")
PAGES = ROOT / "docs/diagnostics"

# Codes whose part of the language is not carried out yet: refused with DPL0199 until it is. Must be empty in the end.
# Given only for sets too large for a case: shown by tests/unit/check/work_test.cc.
BY_WORK = {"DPL0904"}
NOT_YET: set[str] = set()


def dplc(*args, stdin=None, cwd=None):
    return subprocess.run([DPLC, *map(str, args)], input=stdin, cwd=cwd, capture_output=True, text=True, timeout=120)


def catalogue():
    text = (ROOT / "compiler/diag/catalogue.def").read_text()
    return [f"DPL{code}" for code in re.findall(r"^DPL_DIAG\((\d{4}),", text, re.M)]


def golden_cases():
    for folder in ("check", "syntax"):
        for path in sorted((ROOT / "tests/golden" / folder).iterdir()):
            if path.is_dir() or path.suffix == ".dpl":
                yield path


def codes_of_cases():
    found = {}
    for path in golden_cases():
        args = ["check", "--format", "json", path]
        if (path / "facts.json").exists():
            args += ["--facts", path / "facts.json"]
        if (path / "as_of").exists():
            args += ["--as-of", (path / "as_of").read_text().strip()]
        for diagnostic in json.loads(dplc(*args).stdout)["diagnostics"]:
            found.setdefault(diagnostic["code"], path.name)
    return found


def codes_of_commands():
    """What no policy of a page's size makes the compiler say, or what only another command says."""
    head = 'package p owned by team t\nteam t { owner person "E1" }\nsystem s\nresource R in s { can read }\n'
    rows = "to team t " * 65537
    many = head + f'grant g {{ {rows} may read on s.R because "So many rows" expires 2036-12-31 }}\n'
    failing = head + ('test "t" { at 2026-11-20T15:00Z when person "E1" does read on s.R "1" expect permit }\n')
    walks = head.replace("can read", "has a: set<string> has b: set<string> can read") + (
        "grant g { to team t may read on s.R where some x in resource.a satisfies (some y in resource.b satisfies (x == y)) "
        'because "Two sets, one in the other" expires 2036-12-31 }\n')
    bare = head + ('grant g { to team t may read on s.R because "The team reads" expires 2036-12-31 }\n'
                   'test "t" { at 2026-11-20T15:00Z when person "E1" does read on s.R "1" expect deny }\n')
    found = set()
    marked = "\ufeff" + head
    for command, text in (("check", walks), ("check", marked), ("check", many), ("test --format json", failing),
                          ("test --min 100", bare)):
        result = dplc(*command.split(), "-", stdin=text)
        found |= set(re.findall(r"(?:error|warning) (DPL\d{4}):|\"code\":\"(DPL\d{4})", result.stdout + result.stderr))
    return {one or other for one, other in found}


class Catalogue(unittest.TestCase):
    def test_something_gives_every_code(self):
        given = set(codes_of_cases()) | codes_of_commands()
        codes = set(catalogue())
        self.assertEqual(sorted(codes - given - NOT_YET - BY_WORK), [], "codes that no golden makes the compiler say")
        self.assertEqual(sorted(NOT_YET & given), [], "these are given now: strike them off NOT_YET")
        self.assertEqual(sorted(given - codes), [])

    def test_every_code_has_a_page_that_shows_it(self):
        for code in catalogue():
            if code in NOT_YET and not (PAGES / f"{code}.md").exists():
                continue
            with self.subTest(code):
                page = (PAGES / f"{code}.md").read_text()
                self.assertTrue(page.startswith(f"# {code}: "))
                shown = re.search(rf"^```dpl .*fails=[DPL0-9,]*{code}", page, re.M) or re.search(
                    rf"^[^`\n]*(?:error|warning) {code}|\"code\":\"{code}", page, re.M)
                self.assertTrue(shown or code in BY_WORK, "the page shows no case of it")

    def test_what_cases_cannot_show_is_counted_elsewhere(self):
        text = (ROOT / "tests/unit/check/work_test.cc").read_text()
        for code in BY_WORK:
            self.assertIn(code, text)

    def test_every_page_is_of_a_code(self):
        codes = set(catalogue())
        for page in PAGES.glob("DPL*.md"):
            self.assertIn(page.stem, codes)

    def test_explain_prints_the_page(self):
        for code in catalogue():
            result = dplc("explain", code)
            self.assertEqual(result.returncode, 0)
            page = PAGES / f"{code}.md"
            if page.exists():
                self.assertEqual(result.stdout, page.read_text())


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def write(self, name, text):
        (self.path / name).write_text(text)
        return self.path / name


HEAD = """package acme.x owned by team finance
granted 2026-10-01
review every 90d
team finance { owner person "E1" }
role buyer
system shop { owner team finance }
resource Order in shop { has status: string  can read, update }
"""


class Fix(Folder):
    def without_claims(self, name):
        lines = (ROOT / "tests/golden/check" / name).read_text().splitlines(keepends=True)
        return self.write(name, "".join(line for line in lines if not line.startswith("//~ ")))

    def test_mends_are_applied_and_said(self):
        path = self.write("p.dpl", HEAD + """import acme.y
grant g {
  for     role buyer
  can     raed on shop.Order where resource.status = 'open' && resource.status != "x";
  becuase "Buyers read orders";
}
""".replace("import acme.y\n", ""))
        result = dplc("check", "--fix", path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("fixed DPL0102: write `to`", result.stderr)
        self.assertIn("fixed DPL0209: write `read`", result.stderr)
        self.assertEqual(path.read_text(), HEAD + """grant g {
  to     role buyer
  may     read on shop.Order where resource.status == "open"  and  resource.status != "x"
  because "Buyers read orders"
}
""")
        # Nothing is left to do, and nothing is written then.
        before = path.stat().st_mtime_ns
        again = dplc("check", "--fix", path)
        self.assertNotIn("fixed", again.stderr)
        self.assertEqual(path.stat().st_mtime_ns, before)

    def test_no_file_is_left_worse(self):
        for name in ("fail_twenty.dpl", "fail_from_other_languages.dpl", "fail_amounts_and_times.dpl",
                     "fail_wrong_place.dpl", "fail_types.dpl", "fail_names.dpl"):
            with self.subTest(name):
                path = self.without_claims(name)
                before = json.loads(dplc("check", "--format", "json", path).stdout)
                after = json.loads(dplc("check", "--fix", "--format", "json", path).stdout)
                self.assertLess(after["errors"], before["errors"])
                syntax = [d for d in after["diagnostics"] if d["code"] < "DPL0102"]
                self.assertLessEqual(len(syntax), len([d for d in before["diagnostics"] if d["code"] < "DPL0102"]))
                # What is offered now was offered and refused, or cannot be mended by a machine.
                again = path.read_text()
                dplc("check", "--fix", path)
                self.assertEqual(path.read_text(), again)

    def test_files_that_were_not_named_stay(self):
        self.write("base.dpl", HEAD.replace("role buyer\n", "role buyer { owner team finanse }\n"))
        path = self.write("use.dpl", 'package acme.u owned by team finance\nimport acme.x\ngranted 2026-10-01\nreview every 90d\n'
                          'grant g { to role buyr may read on shop.Order because "Buyers read orders" }\n')
        base = (self.path / "base.dpl").read_text()
        dplc("check", "--fix", path)
        self.assertIn("role buyer may", path.read_text())
        self.assertEqual((self.path / "base.dpl").read_text(), base)

    def test_permissions_and_links_stay(self):
        path = self.write("p.dpl", HEAD + 'grant g { to rle buyer may read on shop.Order because "Buyers read" };\n')
        path.chmod(0o640)
        link = self.path / "link.dpl"
        link.symlink_to("p.dpl")
        dplc("check", "--fix", link)
        self.assertTrue(link.is_symlink())
        self.assertNotIn(";", path.read_text())
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        self.assertEqual([p.name for p in self.path.iterdir() if p.name.endswith(".part")], [])

    def test_standard_input_cannot_be_mended(self):
        result = dplc("check", "--fix", "-", stdin=HEAD)
        self.assertEqual(result.returncode, 2)
        self.assertIn("standard input", result.stderr)

    def test_mends_in_json_and_sarif(self):
        path = self.write("p.dpl", HEAD + 'grant g { to role buyr may read on shop.Order because "Buyers read" }\n')
        [found] = json.loads(dplc("check", "--format", "json", path).stdout)["diagnostics"]
        [fix] = found["fixes"]
        self.assertEqual(fix["description"], "write `buyer`")
        [edit] = fix["edits"]
        text = path.read_text()
        self.assertEqual(text[edit["offset"]:edit["offset"] + edit["length"]], "buyr")
        [result] = json.loads(dplc("check", "--format", "sarif", path).stdout)["runs"][0]["results"]
        [change] = result["fixes"][0]["artifactChanges"]
        self.assertEqual(change["replacements"][0]["insertedContent"]["text"], "buyer")


class Amount(Folder):
    def many(self):
        return HEAD + "".join(f'grant g{i} {{ to role buyr may read on shop.Order because "Buyers read {i}" }}\n'
                              for i in range(300))

    def test_output_is_bounded_and_counted(self):
        path = self.write("p.dpl", self.many())
        shown = dplc("check", path).stderr
        self.assertEqual(shown.count("error DPL0201"), 100)
        self.assertIn("and 200 more: `--max-errors 0` shows them all", shown)
        self.assertIn("300 errors", shown)
        self.assertEqual(dplc("check", "--max-errors", "7", path).stderr.count("error DPL0201"), 7)
        self.assertEqual(dplc("check", "--max-errors", "0", path).stderr.count("error DPL0201"), 300)

    def test_errors_are_shown_before_warnings(self):
        path = self.write("p.dpl", HEAD + "".join(
            f'grant w{i} {{ to everyone may read on shop.Order where resource.status == "{i}" or true because "Wide {i}" }}\n'
            for i in range(5)) + 'grant g { to role buyr may read on shop.Order because "Buyers read" }\n')
        shown = dplc("check", "--max-errors", "1", path).stderr
        self.assertIn("error DPL0201", shown)

    def test_costs(self):
        path = self.write("p.dpl", HEAD + 'grant g { to role buyer may read on shop.Order where resource.status like "a*" '
                          'because "Buyers read" }\ngrant h { to role buyer may update on shop.Order because "Buyers write" }\n')
        text = dplc("check", "--costs", path).stdout
        self.assertLess(text.index("read on shop.Order"), text.index("update on shop.Order"))
        self.assertLess(text.index("acme.x.g"), text.index("acme.x.h"))
        costs = json.loads(dplc("check", "--costs", "--format", "json", path).stdout)
        self.assertEqual(costs["budget"], 100000)
        steps = [e["steps"] for e in costs["entries"]]
        self.assertEqual(steps, sorted(steps, reverse=True))
        self.assertEqual({s["name"] for s in costs["statements"]}, {"acme.x.g", "acme.x.h"})

    def test_what_needs_data_is_named_as_not_checked(self):
        path = self.write("p.dpl", HEAD + 'grant g { to role buyer may read on shop.Order because "Buyers read" }\n')
        self.assertIn("not checked without --facts: DPL0410", dplc("check", path).stderr)
        facts = self.write("facts.json", '{"persons": [{"id": "E1"}]}')
        self.assertNotIn("not checked", dplc("check", path, "--facts", facts).stderr)


if __name__ == "__main__":
    unittest.main()
