#!/usr/bin/env python3
"""The tables of docs/language/ list every clause of every declaration: the compiler is asked which there are."""

import os
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DPLC = str(Path(os.environ["DPL_BIN"]) / "dplc")
PAGES = [ROOT / "docs/language" / name for name in ("reference.md", "duties.md", "agents.md", "rules.md")]
SHARED = {"owner", "because", "ticket", "review", "expires", "no"}  # told once for all
HEADS = {
    "calendar": "calendar c", "person": "person", "team": "team t", "role": "role r", "system": "system s",
    "resource": "resource T in s", "activity": "activity a", "owner of": "owner of a.B", "grant": "grant g", "forbid": "forbid f",
    "limit": "limit l", "separate": "separate s", "agent": "agent a", "delegation": "delegation d", "task": "task t()",
    "approval": "approval a", "obligation": "obligation o", "break_glass": "break_glass b", 
}


def clauses(head):
    """The words with which a clause of this declaration may begin, as the compiler lists them."""
    text = f"package p owned by team t\n{head} {{ nonsense }}\n"
    done = subprocess.run([DPLC, "check", "-"], input=text, capture_output=True, text=True, timeout=60)
    listed = re.search(r"the clauses of .* begin with (.*)", done.stderr)
    return set(re.findall(r"`(\w+)`", listed[1])) if listed else set()


def table(kind):
    """The rows of the table whose head says `KIND …`, from whichever page has it."""
    for page in PAGES:
        if not page.exists():
            continue
        match = re.search(rf"^\|(?: clause of)? `{kind}\b[^\n]*\n\|[ -|]*\n((?:\|[^\n]*\n)+)", page.read_text(), re.M)
        if match:
            return match[0]
    return ""


class Reference(unittest.TestCase):
    def test_every_clause_is_in_its_table(self):
        missing = []
        for kind, head in HEADS.items():
            words = clauses(head)
            self.assertTrue(words, f"the compiler lists no clauses for {kind}")
            rows = table(kind)
            self.assertTrue(rows, f"no table for {kind}")
            missing += [f"{kind}: {word}" for word in sorted(words - SHARED) if not re.search(rf"`[^`|]*\b{word}\b", rows)]
        self.assertFalse(missing, "\n" + "\n".join(missing))


    def test_the_reserved_words_are_those_of_the_grammar(self):
        rule = re.search(r"^reserved\n(.*?)^  ;", (ROOT / "grammar/DplParser.g4").read_text(), re.M | re.S)[1]
        told = re.search(r"Elsewhere these are reserved: `([^`]*)`", PAGES[0].read_text(), re.S)[1]
        self.assertEqual(sorted(told.split()), sorted(word.lower() for word in re.findall(r"[A-Z_]+", rule)))


if __name__ == "__main__":
    unittest.main()
