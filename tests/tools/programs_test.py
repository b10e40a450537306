#!/usr/bin/env python3
"""What must be true of the release programs as files: hardened, and the server free of the compiler."""

import os
import re
import subprocess
import unittest
from pathlib import Path

BIN = Path(os.environ.get("DPL_BIN", Path(__file__).resolve().parents[2] / "build/bin"))
PROGRAMS = ("dplc", "dpld")


def readelf(name, *arguments):
    return subprocess.run(["readelf", "-W", *arguments, str(BIN / name)], capture_output=True, text=True, check=True).stdout


class Hardening(unittest.TestCase):
    def test_position_independent(self):
        for name in PROGRAMS:
            self.assertTrue("DYN (Position-Independent" in readelf(name, "-h"), name)

    def test_relocations_are_read_only_and_bound_at_start(self):
        for name in PROGRAMS:
            self.assertTrue("GNU_RELRO" in readelf(name, "-l"), name)
            self.assertTrue(re.search(r"BIND_NOW|FLAGS_1.*NOW", readelf(name, "-d")), name)

    def test_stack_is_guarded_and_not_executable(self):
        for name in PROGRAMS:
            self.assertTrue("__stack_chk_fail" in readelf(name, "--dyn-syms"), name)
            stack = [line for line in readelf(name, "-l").splitlines() if "GNU_STACK" in line]
            self.assertTrue(len(stack) == 1 and "RWE" not in stack[0], name)

    def test_memory_functions_are_fortified(self):
        for name in PROGRAMS:
            self.assertTrue(re.search(r"__\w+_chk@", readelf(name, "--dyn-syms")), name)


class Direction(unittest.TestCase):
    def test_the_server_holds_no_parser(self):
        self.assertFalse(b"antlr4" in (BIN / "dpld").read_bytes())
        # The control: the compiler does hold it, so this is the right word to look for.
        self.assertTrue(b"antlr4" in (BIN / "dplc").read_bytes())


if __name__ == "__main__":
    unittest.main()
