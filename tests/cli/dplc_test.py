#!/usr/bin/env python3
"""dplc as its users meet it: exit codes, help, forms of output, standard input, folders, files that are written."""

import json
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DPLC = str(Path(os.environ["DPL_BIN"]) / "dplc")
GOOD = (ROOT / "policies/quickstart/policy.dpl").read_text()
CONFLICT = """
activity spend { owner team finance measure amount: money must be limited limits must agree }
resource Invoice in shop { can approve is spend can settle is spend }
grant small { to role buyer may approve on shop.Invoice limit amount to 5_000 USD each because "Band one" }
grant large { to role buyer may settle on shop.Invoice limit amount to 50_000 USD each because "Somebody asked" }
"""


def dplc(*args, stdin=None, cwd=None, env=None):
    return subprocess.run([DPLC, *args], input=stdin, cwd=cwd, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})})


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def write(self, name, text):
        (self.path / name).write_text(text)
        return name

    def run_in(self, *args, **more):
        return dplc(*args, cwd=self.path, **more)


class Usage(Folder):
    def test_help_of_every_command_teaches(self):
        top = dplc("--help")
        self.assertEqual(top.returncode, 0)
        for command in ("check", "build", "test", "facts", "fmt", "disasm", "explain", "init"):
            self.assertIn(command, top.stdout)
            page = dplc(command, "--help")
            self.assertEqual(page.returncode, 0, command)
            self.assertIn("Usage", page.stdout)

    def test_wrong_use_is_exit_2(self):
        for args in ([], ["frobnicate"], ["check"], ["check", "nowhere.dpl"], ["check", "--format", "yaml", "x.dpl"],
                     ["explain", "DPL9999"], ["check", "."]):
            result = self.run_in(*args)
            self.assertEqual(result.returncode, 2, (args, result.stderr))
            self.assertTrue(result.stderr.strip(), args)

    def test_version(self):
        self.assertRegex(dplc("--version").stdout, r"^dplc \d+\.\d+\.\d+")


class Check(Folder):
    def test_good_file(self):
        self.write("p.dpl", GOOD)
        result = self.run_in("check", "p.dpl")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("ok: 1 file", result.stderr)

    def test_standard_input(self):
        self.assertEqual(dplc("check", "-", stdin=GOOD).returncode, 0)
        self.assertEqual(dplc("check", "-", stdin=GOOD.replace("role buyer\n", "role buyr\n", 1)).returncode, 1)

    def test_conflict_quotes_both_lines_and_owners(self):
        self.write("p.dpl", GOOD + CONFLICT)
        result = self.run_in("check", "p.dpl")
        self.assertEqual(result.returncode, 1)
        self.assertIn("DPL0501", result.stderr)
        self.assertIn("5_000 USD", result.stderr)
        self.assertIn("50_000 USD", result.stderr)
        self.assertIn("finance", result.stderr)

    def test_all_errors_of_a_file_in_one_run_in_order(self):
        text = GOOD.replace("may     read, approve on shop.Order", "may     read, aprove on shop.Order", 1)
        text = text.replace('accountable person "E0500"', "", 1).replace("5_000 USD each", "5_000 UDS each", 1)
        self.write("p.dpl", text)
        result = self.run_in("check", "--format", "json", "p.dpl")
        self.assertEqual(result.returncode, 1)
        found = json.loads(result.stdout)["diagnostics"]
        lines = [d["line"] for d in found]
        self.assertEqual(lines, sorted(lines))
        self.assertGreaterEqual(len({d["code"] for d in found}), 3, found)
        for d in found:
            self.assertRegex(d["code"], r"^DPL\d{4}$")
            self.assertGreater(d["column"], 0)

    def test_sarif(self):
        self.write("p.dpl", GOOD + CONFLICT)
        result = self.run_in("check", "--format", "sarif", "p.dpl")
        log = json.loads(result.stdout)
        self.assertEqual(log["version"], "2.1.0")
        rules = [r["ruleId"] for r in log["runs"][0]["results"]]
        self.assertIn("DPL0501", rules)

    def test_colour_only_when_asked(self):
        self.write("p.dpl", GOOD + CONFLICT)
        self.assertNotIn("\033[", self.run_in("check", "p.dpl").stderr)
        self.assertIn("\033[", self.run_in("check", "--color", "always", "p.dpl").stderr)

    def test_strict_makes_warnings_findings(self):
        text = GOOD.replace("to      role buyer\n  may     read, approve", "to      everyone\n  may     read, approve", 1)
        self.write("p.dpl", text)
        self.assertEqual(self.run_in("check", "p.dpl").returncode, 0)
        self.assertEqual(self.run_in("check", "--strict", "p.dpl").returncode, 1)

    def test_import_brings_in_the_file_beside(self):
        story = ROOT / "policies/scattered-identity"
        self.assertEqual(dplc("check", str(story / "marketing.dpl")).returncode, 0)

    def test_facts_are_checked_against_the_schema(self):
        self.write("p.dpl", GOOD)
        good = (ROOT / "policies/quickstart/facts.json").read_text()
        self.write("facts.json", good)
        result = self.run_in("check", "p.dpl", "--facts", "facts.json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.write("facts.json", good.replace("buyer", "byer"))
        result = self.run_in("check", "p.dpl", "--facts", "facts.json")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"facts\.json:\d+:\d+: ")

    def test_hostile_files(self):
        bad = {
            "empty.dpl": b"",
            "zeros.dpl": b"\0" * 4096,
            "latin1.dpl": b"package a.b owned by team t\n// \xe9\n",
            "bidi.dpl": "package a.b owned by team t // \u202e\n".encode(),
            "deep.dpl": b"package a.b owned by team t const x = " + b"(" * 100_000 + b"1" + b")" * 100_000,
            "open.dpl": b'package a.b owned by team t grant g { because "',
            "bom.dpl": b"\xef\xbb\xbfpackage a.b owned by team t",
            "long.dpl": b"package a.b owned by team t const x = " + b"a" * 1_000_000,
        }
        for name, content in bad.items():
            (self.path / name).write_bytes(content)
            result = self.run_in("check", name)
            self.assertEqual(result.returncode, 1, (name, result.stderr[:300]))
            self.assertRegex(result.stderr, r"DPL\d{4}", name)


class Build(Folder):
    def test_same_sources_same_bytes_and_disasm(self):
        self.write("p.dpl", GOOD)
        for out in ("a.dplb", "b.dplb"):
            self.assertEqual(self.run_in("build", "p.dpl", "-o", out).returncode, 0)
        a, b = ((self.path / n).read_bytes() for n in ("a.dplb", "b.dplb"))
        self.assertEqual(a, b)
        listing = self.run_in("disasm", "a.dplb")
        self.assertEqual(listing.returncode, 0)
        self.assertEqual(listing.stdout, self.run_in("disasm", "p.dpl").stdout)
        self.assertIn("SubjRole", listing.stdout)

    def test_errors_write_nothing(self):
        self.write("p.dpl", GOOD + CONFLICT)
        self.assertEqual(self.run_in("build", "p.dpl", "-o", "a.dplb").returncode, 1)
        self.assertFalse((self.path / "a.dplb").exists())

    def test_damaged_bundle_is_refused(self):
        self.write("p.dpl", GOOD)
        self.assertEqual(self.run_in("build", "p.dpl", "-o", "a.dplb").returncode, 0)
        whole = (self.path / "a.dplb").read_bytes()
        for damaged in (whole[:-1], whole[: len(whole) // 2], b"", whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], b"x" * 500):
            (self.path / "bad.dplb").write_bytes(damaged)
            result = self.run_in("disasm", "bad.dplb")
            self.assertEqual(result.returncode, 1)
            self.assertTrue(result.stderr.strip())


class Test(Folder):
    def test_forms_and_filter(self):
        self.write("p.dpl", GOOD)
        self.assertRegex(self.run_in("test", "p.dpl").stdout, r"1 passed, 0 failed")
        report = json.loads(self.run_in("test", "--format", "json", "p.dpl").stdout)
        self.assertEqual((report["passed"], report["failed"]), (1, 0))
        suite = ET.fromstring(self.run_in("test", "--format", "junit", "p.dpl").stdout)
        self.assertEqual(suite.get("tests"), "1")
        self.assertEqual(self.run_in("test", "--filter", "her agent", "p.dpl").returncode, 0)

    def test_no_test_is_a_failure(self):
        self.write("p.dpl", GOOD)
        result = self.run_in("test", "--filter", "no such test", "p.dpl")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no test ran", result.stderr)
        self.write("q.dpl", GOOD[: GOOD.index('test "')])
        self.assertEqual(self.run_in("test", "q.dpl").returncode, 1)

    def test_failure_shows_expected_actual_and_rationale(self):
        self.write("p.dpl", GOOD.replace("expect permit by buyers\n", "expect deny forbidden\n", 1))
        result = self.run_in("test", "p.dpl")
        self.assertEqual(result.returncode, 1)
        self.assertIn("expected deny forbidden, got permit", result.stdout)
        self.assertIn("buyers", result.stdout)
        self.assertRegex(result.stdout, r"p\.dpl:\d+:\d+")
        suite = ET.fromstring(self.run_in("test", "--format", "junit", "p.dpl").stdout)
        self.assertEqual(suite.get("failures"), "1")

    def test_regressions(self):
        folder = ROOT / "tests/golden/regressions"
        self.assertTrue(list(folder.glob("*.dpl")))
        for policy in sorted(folder.glob("*.dpl")):
            result = dplc("test", str(policy))
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_samples_of_the_language(self):
        result = dplc("test", str(ROOT / "tests/golden/samples"))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class Fmt(Folder):
    def test_idempotent_and_check(self):
        ugly = GOOD.replace("\n", "  \n").replace("grant buyers {", "grant   buyers{")
        self.write("p.dpl", ugly)
        self.assertEqual(self.run_in("fmt", "--check", "p.dpl").returncode, 1)
        self.assertEqual((self.path / "p.dpl").read_text(), ugly)
        self.assertEqual(self.run_in("fmt", "p.dpl").returncode, 0)
        once = (self.path / "p.dpl").read_text()
        self.assertEqual(self.run_in("fmt", "--check", "p.dpl").returncode, 0)
        self.assertEqual(dplc("fmt", "-", stdin=once).stdout, once)
        self.assertEqual(dplc("fmt", "-", stdin=ugly).stdout, once)
        self.assertIn("/// Buyers settle", once)

    def test_a_file_with_errors_is_left_alone(self):
        self.write("p.dpl", "package a.b owned by team t\ngrant { } }")
        self.assertEqual(self.run_in("fmt", "p.dpl").returncode, 1)
        self.assertEqual((self.path / "p.dpl").read_text(), "package a.b owned by team t\ngrant { } }")


class Explain(Folder):
    def test_diagnostics_and_reasons(self):
        for code in ("DPL0501", "0501", "limit.exceeded", "forbidden"):
            result = dplc("explain", code)
            self.assertEqual(result.returncode, 0, code)
            self.assertTrue(result.stdout.strip())
        self.assertIn("did you mean", dplc("explain", "limit.exceded").stderr)
        self.assertEqual(json.loads(dplc("explain", "--format", "json", "limit.exceeded").stdout)["step"], 12)


class Init(Folder):
    def test_writes_a_policy_whose_test_passes(self):
        self.assertEqual(self.run_in("init", "demo").returncode, 0)
        self.assertEqual(self.run_in("test", "demo").returncode, 0)
        self.assertEqual(self.run_in("check", "--facts", "demo/facts.json", "demo").returncode, 0)
        again = self.run_in("init", "demo")
        self.assertEqual(again.returncode, 2)
        self.assertIn("exists already", again.stderr)
        self.assertEqual(self.run_in("init", "--force", "demo").returncode, 0)


class Work(Folder):
    def test_timings_name_the_phases_and_change_nothing_else(self):
        self.write("policy.dpl", GOOD)
        plain = self.run_in("check", "policy.dpl")
        timed = self.run_in("check", "policy.dpl", "--timings", "-j", "2")
        self.assertEqual(timed.returncode, 0, timed.stderr)
        self.assertTrue(timed.stderr.startswith(plain.stderr), timed.stderr)
        for phase in ("read", "parse", "  grammar", "statements", "lower", "verify", "all"):
            self.assertIn("\n" + phase, timed.stderr)

    def test_jobs_do_not_change_the_bundle(self):
        self.write("policy.dpl", GOOD)
        for jobs in ("1", "3"):
            self.assertEqual(self.run_in("build", "policy.dpl", "-j", jobs, "-o", jobs + ".dplb").returncode, 0)
        self.assertEqual((self.path / "1.dplb").read_bytes(), (self.path / "3.dplb").read_bytes())
        self.assertEqual(self.run_in("build", "policy.dpl", "-j", "0").returncode, 2)


class Watch(Folder):
    def start(self, *args):
        watch = subprocess.Popen([DPLC, "check", "--watch", *args], cwd=self.path, stderr=subprocess.PIPE, text=True)
        self.addCleanup(watch.stderr.close)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        return watch

    def round(self, watch):
        """What one round says, to its last line."""
        lines = []
        for line in watch.stderr:
            lines.append(line)
            if "; watching" in line:
                return "".join(lines)
        self.fail("the watch ended: " + "".join(lines))

    def test_only_the_changed_file_is_parsed_again_and_all_is_checked(self):
        head = "granted 2026-10-01\nreview every 90d\n"
        self.write("base.dpl", "package a.base owned by team t\n" + head + "team t { owner person \"E1\" }\n"
                   "role r\nsystem s { owner team t }\nresource Doc in s { can read }\n")
        user = ("package a.use owned by team t\n" + head + "import a.base\n"
                "grant g { to role r may read on s.Doc because \"Readers read\" }\n")
        self.write("use.dpl", user)
        watch = self.start(".")
        first = self.round(watch)
        self.assertIn("ok: 2 files, 1 statements", first)
        self.assertIn("parsed 2 of 2 files", first)
        # A change of what the other file builds on is seen there.
        self.write("base.dpl", (self.path / "base.dpl").read_text().replace("role r", "role readers"))
        second = self.round(watch)
        self.assertIn("use.dpl:5:19: error DPL0201", second)
        self.assertIn("parsed 1 of 2 files", second)
        # Twice over the same trees: the first mistake has left nothing behind.
        self.write("use.dpl", user.replace("role r ", "role readers "))
        third = self.round(watch)
        self.assertIn("ok: 2 files, 1 statements", third)
        self.assertIn("parsed 1 of 2 files", third)
        self.write("use.dpl", user.replace("may read on", "may read"))
        self.assertIn("error DPL0101", self.round(watch))
        # A mistake of grammar is told again, though its file was not parsed again.
        self.write("base.dpl", (self.path / "base.dpl").read_text() + "team u { owner team t }\n")
        fifth = self.round(watch)
        self.assertIn("error DPL0101", fifth)
        self.assertIn("parsed 1 of 2 files", fifth)
        watch.terminate()
        self.assertEqual(watch.wait(timeout=30), 1)

    def test_watch_and_fix_exclude_each_other(self):
        self.write("policy.dpl", GOOD)
        self.assertEqual(self.run_in("check", "policy.dpl", "--watch", "--fix").returncode, 2)


if __name__ == "__main__":
    unittest.main()
