#!/usr/bin/env python3
"""Closing rule 31 over HTTP: a wall clock that steps, under a real dpld. clock_shim.c stands before the machine's clock."""

import os
import shlex
import signal
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from operate_world import POLICY, World, evaluation, token

HOUR = 3600 * 1_000_000
DAILY = """
limit daily { covers approve on shop.Order cap amount to 100 USD per day for each person because "Slowly" }
"""


class Jumping(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="dpl-clock-")
        cls.shim = Path(cls.shared.name) / "shim.so"
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC", "-O1", "-o", cls.shim,
                        Path(__file__).parent / "clock_shim.c", "-ldl"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        self.world = World(policy=POLICY + DAILY)
        self.addCleanup(self.world.cleanup)
        self.clock = self.world.folder / "clock"
        self.boot = self.world.folder / "boot"
        self.boot.write_text("one\n")
        self.set(0)
        self.serve()

    def serve(self):
        with mock.patch.dict(os.environ, LD_PRELOAD=str(self.shim), CLOCK_SHIM=str(self.clock), CLOCK_SHIM_BOOT=str(self.boot)):
            self.dpld = self.world.serve()
        self.addCleanup(self.dpld.stop)

    def set(self, us):
        """In place: the running server sees it at once."""
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("<q", us))

    def ask(self, action="approve", amount="60.00 USD"):
        given = {} if action == "read" else {"amount": amount, "note": "n"}
        answer = self.dpld.ask(evaluation("raj", action, **given), {"Authorization": f"Bearer {token('gateway')}"})
        return answer.json["context"]["reason"]

    def confirm(self, caller="operator", **body):
        return self.dpld.operate("POST", "/v1/clock/confirm", body, token(caller))

    def health(self):
        return self.dpld.get("/healthz").json

    def test_ahead_opens_no_window_until_it_is_confirmed(self):
        self.assertEqual([self.ask(), self.ask()], ["permit", "limit.exceeded"])
        self.set(25 * HOUR)
        self.assertEqual([self.ask(), self.ask(amount="1.00 USD"), self.ask("read")], ["error.clock", "error.clock", "permit"])
        self.assertEqual((self.health()["health"], self.health()["because"]), ("ERROR", ["clock_suspect"]))
        self.assertIn("\ndpl_clock_trusted 0", self.dpld.get("/metrics").body.decode())
        self.assertEqual(self.dpld.get("/readyz").status, 200)
        self.assertIs(self.dpld.operate("GET", "/v1/status", None, token("operator")).json["clock_trusted"], False)
        self.assertEqual(self.confirm("auditor", because="it is").status, 403)
        self.assertEqual(self.confirm().status, 400)
        self.assertEqual(self.ask(), "error.clock")
        self.assertEqual(self.confirm(because="it was a day behind").status, 200)
        self.assertEqual([self.ask(), self.ask()], ["permit", "limit.exceeded"])
        self.assertEqual(self.health()["health"], "LOADED")
        said = self.dpld.audit(lambda r: r.get("event") == "clock.confirm")[0]
        self.assertEqual((said["caller"], said["because"]), ("operator", "it was a day behind"))

    def test_set_right_again_nothing_was_gained(self):
        self.assertEqual(self.ask(), "permit")
        self.set(25 * HOUR)
        self.assertEqual(self.ask(), "error.clock")
        self.set(0)
        self.assertEqual(self.ask(amount="1.00 USD"), "error.clock", "somebody has to look")
        self.assertEqual(self.dpld.stop(), 0)
        self.serve()
        self.assertEqual([self.ask(), self.ask(amount="40.00 USD")], ["limit.exceeded", "permit"])

    def test_behind_opens_no_window_either_after_a_restart_neither(self):
        self.assertEqual(self.ask(), "permit")
        self.set(-25 * HOUR)
        self.assertEqual([self.ask(), self.ask("read")], ["limit.exceeded", "permit"])
        self.assertEqual(self.dpld.stop(), 0)
        self.serve()
        self.assertEqual([self.ask(), self.ask(amount="40.00 USD"), self.ask(amount="1.00 USD")], ["limit.exceeded", "permit", "limit.exceeded"])

    def test_what_is_remembered_meanwhile_moves_no_window(self):
        def post(path, by, body=None):
            return self.dpld.operate("POST", path, body, token(by))

        def high():
            return self.dpld.operate("GET", "/v1/status", None, token("operator")).json["state"]["high_time"]
        self.assertEqual(self.ask(), "permit")
        number = self.dpld.operate("GET", "/v1/reservations", None, token("operator")).json["items"][0]["id"]
        before = high()
        self.set(9000 * HOUR)
        seen = self.dpld.ask(evaluation("raj", agent="assistant", instance="run-1"), {"Authorization": f"Bearer {token('gateway')}"})
        self.assertEqual(seen.json["context"]["reason"], "permit", "a run that is seen for the first time is put on record")
        self.assertEqual(post(f"/v1/reservations/{number}/confirm", "gateway").status, 503)
        self.assertEqual(high(), before)
        self.set(0)
        self.assertEqual(post("/v1/clock/confirm", "operator", {"because": "set right"}).status, 200)
        self.assertEqual(self.ask(), "limit.exceeded", "a year ahead and back gained nothing")
        self.assertEqual(post(f"/v1/reservations/{number}/confirm", "gateway").status, 200)

    def restart(self, ahead, kill=False):
        """Down, and up again under a clock that was set meanwhile."""
        self.assertEqual(self.dpld.stop(signal.SIGKILL if kill else signal.SIGTERM), -signal.SIGKILL if kill else 0)
        self.set(ahead)
        self.serve()

    def test_a_jump_while_nobody_serves_is_seen_on_the_same_boot(self):
        for kill in (False, True):
            with self.subTest(kill=kill):
                self.ask()
                self.assertEqual(self.ask(), "limit.exceeded")
                self.restart(25 * HOUR, kill)
                self.assertEqual((self.health()["health"], self.health()["because"]), ("ERROR", ["clock_suspect"]), "before anything is asked")
                self.assertEqual([self.ask(), self.ask("read")], ["error.clock", "permit"])
                self.restart(25 * HOUR, kill)
                self.assertEqual(self.ask(), "error.clock", "another start makes it no better")
                self.restart(0, kill)
                self.assertEqual(self.ask(), "limit.exceeded", "it was set right, and nothing was gained")
        self.restart(25 * HOUR)
        self.assertEqual(self.confirm(because="it was a day behind").status, 200)
        self.assertEqual(self.ask(), "permit")
        self.restart(25 * HOUR, kill=True)
        self.assertEqual(self.ask(amount="40.00 USD"), "permit", "what was confirmed stays so")

    def test_while_nobody_serves_back_is_harmless_and_so_is_a_little(self):
        self.assertEqual(self.ask(), "permit")
        self.restart(-25 * HOUR)
        self.assertEqual([self.ask(), self.ask(amount="1.00 USD")], ["limit.exceeded", "permit"])
        self.restart(299 * 1_000_000 - 25 * HOUR)
        self.assertEqual(self.ask(amount="1.00 USD"), "permit")

    def test_after_another_boot_only_the_stored_time_is_known(self):
        self.assertEqual(self.ask(), "permit")
        self.assertEqual(self.dpld.stop(), 0)
        self.boot.write_text("two\n")
        self.set(25 * HOUR)
        self.serve()
        self.assertEqual(self.ask(), "permit", "the machine may have been off for a day")
        self.restart(50 * HOUR)
        self.assertEqual(self.ask(), "error.clock", "of the new boot it is known")

    def test_what_was_known_and_cannot_be_read_is_not_trusted(self):
        kept = self.world.folder / "state" / "clock"
        self.assertEqual(self.dpld.stop(), 0)
        kept.write_text(kept.read_text().replace("ahead_us 1", "ahead_us 2"))
        self.serve()
        self.assertEqual([self.ask(), self.ask("read")], ["error.clock", "permit"])
        self.restart(0)
        self.assertEqual(self.ask(), "error.clock")
        self.assertEqual(self.confirm(because="looked").status, 200)
        self.restart(0)
        self.assertEqual(self.ask(), "permit")

    def test_a_confirmation_that_cannot_be_kept_changes_nothing(self):
        self.set(25 * HOUR)
        self.assertEqual(self.ask(), "error.clock")
        (self.world.folder / "state" / "clock.tmp").mkdir()
        self.assertEqual(self.confirm(because="it was a day behind").status, 503)
        self.assertEqual(self.ask(), "error.clock")
        (self.world.folder / "state" / "clock.tmp").rmdir()
        self.assertEqual(self.confirm(because="it was a day behind").status, 200)
        self.assertEqual(self.ask(), "permit")

    def test_nothing_that_lasts_is_given_meanwhile_and_all_can_be_taken(self):
        def post(path, body, by="operator"):
            return self.dpld.operate("POST", path, body, token(by)).status
        closing = evaluation("raj", "close")
        asked = self.dpld.operate("POST", "/v1/access-requests", closing, token("gateway")).json["access_requests"][0]["id"]
        task = {"id": "t1", "shape": "settle", "person": "raj", "agent": "assistant",
                "args": {"orders": ["O1"], "budget": "10.00 USD", "urgent": False}}
        consent = {"delegation": "cover", "person": "raj", "because": "leave"}
        signature = {"person": "boss", "verdict": "approve", "meaning": "I agree to close"}
        gives = [("/v1/tasks", task, "operator"), ("/v1/consents", consent, "approver"),
                 (f"/v1/access-requests/{asked}/sign", signature, "approver")]
        self.assertEqual(post("/v1/consents", consent, "approver"), 201)
        self.set(2 * HOUR)
        self.assertEqual(self.ask(), "error.clock")
        self.assertEqual([post(path, body, by) for path, body, by in gives], [503] * 3)
        self.assertEqual(post("/v1/access-requests", evaluation("ana", "close"), "gateway"), 503)
        self.assertEqual(self.dpld.operate("GET", "/v1/tasks", None, token("operator")).json["items"], [])
        self.assertEqual(post("/v1/revocations", {"kind": "person", "name": "ana", "because": "left"}), 201)
        self.assertEqual(post("/v1/consents/withdraw", consent, "approver"), 200)
        self.set(0)
        self.assertEqual(self.confirm(because="set right").status, 200)
        self.assertEqual([post(path, body, by) for path, body, by in gives], [201, 201, 200])

    def test_a_little_is_no_jump(self):
        for seconds in (1, 60, 240, 299):
            self.set(seconds * 1_000_000)
            self.assertNotEqual(self.ask(amount="1.00 USD"), "error.clock", seconds)
        self.set(310 * 1_000_000)
        self.assertEqual(self.ask(amount="1.00 USD"), "error.clock")


if __name__ == "__main__":
    unittest.main()
