#!/usr/bin/env python3
"""`dplc audit` over a small log that an earlier build wrote: what it prints, and its exit codes."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

DPLC = str(Path(os.environ["DPL_BIN"]) / "dplc")
LOG = Path(__file__).resolve().parents[2] / "tests/golden/audit/log"
VERSION1, VERSION2 = LOG.parent / "version1", LOG.parent / "version2"
FIRST = "segment-0000000000000000.jsonl"


def audit(*arguments, stdin=None):
    return subprocess.run([DPLC, "audit", *map(str, arguments)], input=stdin, capture_output=True, timeout=60)


class Audit(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.log = self.folder / "log"
        shutil.copytree(LOG, self.log)

    def verify(self, *more):
        done = audit("verify", self.log, "--json", *more)
        return done.returncode, json.loads(done.stdout)

    def test_an_old_log_verifies(self):
        code, said = self.verify("--key", LOG / "log.pub", "--checkpoint", LOG / "checkpoint")
        self.assertEqual((code, said["ok"], said["size"], said["signed_size"]), (0, True, 22, 22))
        self.assertEqual(said["findings"], [])
        text = audit("verify", self.log)
        self.assertEqual(text.returncode, 0)
        self.assertTrue(text.stdout.endswith(b"nothing was changed\n"))

    def test_a_change_is_told_with_its_place(self):
        path = self.log / FIRST
        lines = path.read_bytes().splitlines(keepends=True)
        lines[4] = lines[4].replace(b"permit", b"denied", 1)
        path.write_bytes(b"".join(lines))
        code, said = self.verify()
        self.assertEqual((code, said["ok"]), (1, False))
        found = said["findings"][0]
        self.assertEqual((found["code"], found["file"], found["line"], found["seq"]), ("changed", FIRST, 5, 4))
        self.assertEqual(found["byte"], sum(map(len, lines[:4])))
        text = audit("verify", self.log).stdout.decode()
        self.assertIn(f"{FIRST}:5 (byte {found['byte']}): changed: ", text)

    def test_what_cannot_be_read_is_wrong_use(self):
        self.assertEqual(audit("verify", self.folder / "nothing").returncode, 2)
        self.assertEqual(audit("verify", self.log, "--key", "nonsense").returncode, 2)
        self.assertEqual(audit("verify", self.log, "--checkpoint", self.folder / "nothing").returncode, 2)
        self.assertEqual(audit("show", self.log, "--from", "yesterday").returncode, 2)
        self.assertEqual(audit("show", self.folder / "nothing").returncode, 2)
        # Without its key the log cannot be written, so nothing can be pruned.
        self.assertEqual(audit("prune", self.log, "--before", "2030-01-01T00:00Z", "--because", "x").returncode, 2)
        self.assertEqual(self.verify()[0], 0)
        self.assertEqual(audit("prune", self.folder, "--before", "2030-01-01T00:00Z", "--because", "x").returncode, 2)
        self.assertEqual(list(self.folder.iterdir()), [self.log])

    def test_a_proof_needs_no_log(self):
        proof = self.folder / "proof.json"
        self.assertEqual(audit("prove", self.log, 12, "-o", proof).returncode, 0)
        shutil.rmtree(self.log)
        good = audit("check-proof", proof, "--key", LOG / "log.pub", "--json")
        self.assertEqual(good.returncode, 0)
        said = json.loads(good.stdout)
        self.assertEqual((said["seq"], said["tree_size"], said["record"]["outcome"]), (12, 22, "permit"))
        proof.write_text(proof.read_text().replace("permitted", "denied"))
        bad = audit("check-proof", proof, "--key", LOG / "log.pub")
        self.assertEqual((bad.returncode, bad.stdout), (1, b""))

    def test_what_is_not_signed_or_not_there_is_not_proved(self):
        self.assertEqual(audit("prove", self.log, 22).returncode, 1)
        (self.log / "segment-0000000000000011.hashes").write_bytes(b"")
        self.assertEqual(audit("prove", self.log, 3).returncode, 1)

    def test_show_prints_one_line_a_record(self):
        lines = audit("show", self.log).stdout.decode().split("\n")
        self.assertEqual(len(lines), 23)
        for number, line in enumerate(lines[:-1]):
            self.assertTrue(line.startswith(f"{number}  2026-11-22T15:"), line)
            self.assertTrue(line.isprintable(), line)
        some = audit("show", self.log, "--from", "2026-11-22T15:40Z", "--to", "2026-11-22T15:42Z").stdout.decode()
        self.assertEqual([line.split()[0] for line in some.splitlines()], ["10", "11"])

    def test_export_gives_the_bytes_of_the_log(self):
        whole = b"".join(path.read_bytes() for path in sorted(LOG.glob("*.jsonl")))
        self.assertEqual(audit("export", self.log).stdout, whole)
        out = self.folder / "out.jsonl"
        self.assertEqual(audit("export", self.log, "--from", 20, "-o", out).returncode, 0)
        self.assertEqual(out.read_bytes(), b"".join(whole.splitlines(keepends=True)[20:]))

    def test_records_of_version_1_are_read_and_replayed(self):
        # Written by the last build before records referred to terms; answers may tell more by now, decisions must not differ.
        shutil.rmtree(self.log)
        shutil.copytree(VERSION1, self.log)
        said = audit("who", self.log, "--agent", "assistant").stdout.decode()
        self.assertIn('the agent acme.world.assistant "run-1", on behalf of person "b01", asked to read shop.Order "O1" at ', said)
        self.assertIn('because "A buyer may hand routine approvals to software"', said)
        replayed = json.loads(audit("replay", self.log, "--json").stdout)
        self.assertEqual((replayed["decisions"], replayed["damaged"], replayed["not_kept"]), (6, 0, 0), replayed)
        self.assertEqual([d for d in replayed["differing"] if d["from"] != d["to"]], [])
        # Its digest is still what the answer is held against.
        lines = (self.log / FIRST).read_bytes()
        self.assertEqual(lines.count(b'"answer_sha256":"'), 6)
        (self.log / FIRST).write_bytes(lines.replace(b'"answer_sha256":"', b'"answer_sha256":"0'))
        self.assertEqual(json.loads(audit("replay", self.log, "--json").stdout)["same"], 0)

    def test_records_of_version_2_are_read_and_replayed(self):
        # Written by the last build before records had shapes, each request under a seal of its own, which its answer opens.
        shutil.rmtree(self.log)
        shutil.copytree(VERSION2, self.log)
        said = audit("who", self.log, "--person", "clerk").stdout.decode()
        self.assertEqual(said.count('person "clerk" asked to read shop.Order "O1" at '), 3)
        whole = [json.loads(line)["record"] for line in audit("export", self.log).stdout.splitlines()]
        decisions = [record for record in whole if record["kind"] == "decision"]
        self.assertEqual((len(decisions), {d["v"] for d in decisions}), (21, {2}))
        self.assertEqual(decisions[0]["by"][0]["because"], "Buyers settle routine orders")
        replayed = json.loads(audit("replay", self.log, "--json").stdout)
        self.assertEqual((replayed["decisions"], replayed["damaged"], replayed["not_kept"]), (21, 0, 0), replayed)
        self.assertEqual([d for d in replayed["differing"] if d["from"] != d["to"]], [])
        lines = (self.log / FIRST).read_bytes()
        self.assertEqual(lines.count(b'"box":"'), 21)
        (self.log / FIRST).write_bytes(lines.replace(b'"box":"A', b'"box":"B'))
        self.assertEqual(json.loads(audit("replay", self.log, "--json").stdout)["same"], 0)


if __name__ == "__main__":
    unittest.main()
