#!/usr/bin/env python3
"""Every relative link of every page leads to a file that exists, and every heading it names is there."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [p for top in (".", "docs", "policies", "grammar", "tests") for p in (ROOT / top).glob("*.md" if top == "." else "**/*.md")]


def prose(page):
    """The page without its fenced blocks and inline code."""
    text = re.sub(r"^\s*(```+|~~~+).*?^\s*\1\s*$", "", page.read_text(), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page):
    """The names GitHub gives to the headings of a page."""
    text = re.sub(r"^\s*(```+|~~~+).*?^\s*\1\s*$", "", page.read_text(), flags=re.M | re.S)
    headings = re.findall(r"^#+\s+(.*?)\s*#*$", text, re.M)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", h).lower() for h in headings)
    return {re.sub(r"[^\w\- ]", "", h).strip().replace(" ", "-") for h in plain}


class Links(unittest.TestCase):
    def test_lead_somewhere(self):
        wrong = []
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                file = (page.parent / path).resolve() if path else page
                if not file.exists():
                    wrong.append(f"{page.relative_to(ROOT)}: {target} does not exist")
                elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                    wrong.append(f"{page.relative_to(ROOT)}: {target} names no heading")
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_there_are_pages(self):
        self.assertGreater(len(PAGES), 10)


if __name__ == "__main__":
    unittest.main()
