#!/usr/bin/env python3
"""The stories under policies/ cover the use cases U01 to U41, and policies/README.md says truly where each is told.

A use case is claimed by a test whose title names it, as in `test "… (U01, U14)"`: together its tests must expect a permit and
a refusal, and they must pass. What the compiler refuses stands in policies/refused/: each folder there is a policy set of its
own, and `//~ DPLnnnn` behind a line is the one finding it must get there. `/// U05: …` says which use case it shows."""

import json
import os
import re
import subprocess
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DPLC = str(Path(os.environ["DPL_BIN"]) / "dplc")
POLICIES = ROOT / "policies"
REFUSED = POLICIES / "refused"
USE_CASES = {f"U{n:02}" for n in range(1, 42)}
LATER = {"U37"}  # needs a semantic diff


def dplc(*args):
    return subprocess.run([DPLC, *args], cwd=ROOT, capture_output=True, text=True, timeout=60)


def stories():
    """The folders that are policy sets with tests of their own."""
    folders = {p.parent for p in POLICIES.glob("**/*.dpl") if REFUSED not in p.parents}
    return sorted(f for f in folders if not any(o in f.parents for o in folders))


def test_blocks(text):
    """Title and body of every `test` block, comments left out."""
    text = re.sub(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*', lambda m: m[1] or "", text)
    for match in re.finditer(r'^test "((?:[^"\\]|\\.)*)" \{\n(.*?)^\}', text, re.M | re.S):
        yield match[1].replace('\\"', '"'), match[2]


class Stories(unittest.TestCase):
    def test_every_use_case_is_told_and_its_tests_pass(self):
        permits, refusals = set(), set()
        for story in stories():
            result = dplc("test", "--format", "junit", str(story))
            self.assertEqual(result.returncode, 0, f"{story}: {result.stderr}")
            passed = {re.sub(r" \[row \d+\]$", "", c.get("name")) for c in ET.fromstring(result.stdout).iter("testcase") if c.find("failure") is None}
            for file in sorted(story.glob("**/*.dpl")):
                for title, body in test_blocks(file.read_text()):
                    self.assertIn(title, passed, file)
                    for claim in re.findall(r"\bU\d\d\b", title):
                        self.assertIn(claim, USE_CASES, title)
                        if re.search(r"\bpermit\b", body):
                            permits.add(claim)
                        if re.search(r"\b(deny|ask)\b", body):
                            refusals.add(claim)
        refused = {u for f in REFUSED.glob("*/*.dpl") for u in re.findall(r"^/// (U\d\d):", f.read_text(), re.M)}
        self.assertEqual(USE_CASES - LATER - refused - (permits & refusals), set())

    def test_the_table_leads_to_every_use_case(self):
        rows = dict(re.findall(r"^\| (U\d\d) \|[^|]*\|([^|]*)\|$", (POLICIES / "README.md").read_text(), re.M))
        self.assertEqual(set(rows), USE_CASES)
        for use_case, cell in rows.items():
            if use_case in LATER:
                self.assertIn("later", cell)
                continue
            files = re.findall(r"\]\(([^)]+)\)", cell)
            self.assertTrue(files, use_case)
            for name in files:
                file = POLICIES / name
                told = [t for t, _ in test_blocks(file.read_text())] + re.findall(r"^/// .*", file.read_text(), re.M)
                self.assertTrue(any(use_case in words for words in told), f"{use_case} is not told in {name}")

    def test_every_folder_has_its_page_and_stands_in_the_list(self):
        listed = (POLICIES / "README.md").read_text()
        for story in stories() + [REFUSED]:
            self.assertTrue((story / "README.md").exists(), story)
            self.assertIn(f"]({story.relative_to(POLICIES)}/)", listed)

    def test_facts_of_a_story_fit_its_policy(self):
        for facts in sorted(POLICIES.glob("**/facts.json")):
            if REFUSED in facts.parents:
                continue
            result = dplc("check", str(facts.parent), "--facts", str(facts))
            self.assertEqual(result.returncode, 0, f"{facts}: {result.stderr}")


class Refused(unittest.TestCase):
    def test_each_gets_its_one_finding_at_its_line(self):
        folders = sorted({p.parent for p in REFUSED.glob("*/*.dpl")})
        self.assertTrue(folders)
        for folder in folders:
            facts = folder / "facts.json"
            result = dplc("check", "--format", "json", str(folder), *(["--facts", str(facts)] if facts.exists() else []))
            found = {(Path(d["path"]).name, d["line"], d["code"]) for d in json.loads(result.stdout)["diagnostics"]}
            claimed = {(file.name, line, code) for file in folder.glob("*.dpl")
                       for line, text in enumerate(file.read_text().splitlines(), 1) for code in re.findall(r"//~ (DPL\d{4})", text)}
            self.assertEqual(found, claimed, folder)
            self.assertEqual(len(claimed), 1, folder)
            self.assertEqual(dplc("fmt", "--check", str(folder)).returncode, 0, folder)
            self.assertIn(f"[{folder.name}]({folder.name}/)", (REFUSED / "README.md").read_text())


if __name__ == "__main__":
    unittest.main()
