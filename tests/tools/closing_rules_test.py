#!/usr/bin/env python3
"""Every closing rule of docs/semantics.md has a test of its name, and every test the page names is there.

A rule's tests are called `ClosingRule.R<nn>_…`. A rule without one stands in WITHOUT, with the reason, and the page says so too."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = range(1, 44)
WITHOUT = {
    30: "leases between servers come with the durable store",
}


def tests():
    """{rule: names} over all C++ tests."""
    out = {}
    for source in ROOT.glob("tests/**/*_test.cc"):
        for name, rule in re.findall(r"TEST(?:_P|_F)?\(ClosingRule, (R(\d\d)_\w+)\)", source.read_text()):
            out.setdefault(int(rule), set()).add(name)
    return out


class ClosingRules(unittest.TestCase):
    def test_every_rule_has_a_test(self):
        have = tests()
        for rule in RULES:
            with self.subTest(rule=rule):
                self.assertNotEqual(rule in have, rule in WITHOUT,
                                    f"rule {rule} has no test" if rule not in have else f"rule {rule} has a test by now")

    def test_there_are_no_other_rules(self):
        self.assertLessEqual(set(tests()), set(RULES))

    def test_the_page_and_the_tests_agree(self):
        page = (ROOT / "docs/semantics.md").read_text()
        rows = {int(n): set(re.findall(r"`(R\d\d_\w+)`", row)) for n, row in re.findall(r"^\| (\d+) (.*)$", page, re.M)}
        have = tests()
        for rule in RULES:
            with self.subTest(rule=rule):
                self.assertEqual(rows.get(rule, set()), have.get(rule, set()))


if __name__ == "__main__":
    unittest.main()
