#!/usr/bin/env python3
"""Where two things meet that each have a test of their own: a reload and what is open, a revocation and what waits, a calendar and
the day that is 25 hours long, a state folder and whoever else is at it."""

import datetime
import os
import shlex
import signal
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from ask_test import FACTS as ASK_FACTS
from ask_test import POLICY as ASK_POLICY
from ask_test import WithAsk, asks, reason
from dpld import run
from operate_world import EMERGENCY, POLICY, World, evaluation, token
from rules_test import WORLD, Durable

UTC = datetime.timezone.utc
DAILY = 'limit daily { covers approve on shop.Order cap amount to 100 USD per day for each person because "Slowly" }\n'


class Reloads(Durable):
    TOTAL = "limit   amount to 20_000 USD in total for each person"

    def reload(self, policy):
        self.assertEqual(self.reloaded(policy)["event"], "reloaded", self.dpld.events[-1])

    def permit(self, amount, **how):
        answer = self.ask("raj", "approve", "O1", amount=amount, note="n", **how)
        self.assertTrue(answer["decision"], answer)
        return answer["context"]["dpl"]["reservation"]["id"]

    def end(self, number, how, expect=200, **body):
        return self.op("POST", f"/v1/reservations/{number}/{how}", body or None, "gateway", expect)

    def test_a_window_of_another_length_while_reservations_are_open(self):
        """Each is ended on the counter it was made on; what comes back is not given twice."""
        self.reload(WORLD.replace(self.TOTAL, "limit amount to 10_000 USD in any 24h for each person"))
        first = self.permit("5000.00 USD")
        second = self.permit("5000.00 USD")
        self.assertEqual(self.spend("1.00 USD"), "limit.exceeded")
        self.reload(WORLD.replace(self.TOTAL, "limit amount to 10_000 USD in any 48h for each person"))
        third = self.permit("5000.00 USD")
        self.end(first, "cancel")
        self.end(second, "confirm", actual="1000.00 USD")
        self.assertEqual(self.spend("5000.01 USD"), "limit.exceeded", "nothing came back to the longer window")
        self.assertEqual(self.end(third, "confirm", 409, actual="5000.01 USD").json["type"], "urn:dpl:problem:conflict")
        self.assertEqual(self.spend("5000.00 USD"), "limit.exceeded", "what went over counts")
        self.reload(WORLD.replace(self.TOTAL, "limit amount to 10_000 USD in any 24h for each person"))
        self.restart(kill=True)
        self.assertEqual([self.spend("4500.00 USD"), self.spend("4500.00 USD"), self.spend("0.01 USD")], ["permit", "permit", "limit.exceeded"])

    def test_a_key_that_comes_again_after_a_reload(self):
        key = {"idempotency_key": "k1"}
        first = self.permit("5000.00 USD", **key)
        self.reload(WORLD.replace("/// Buyers settle routine orders.", "/// Buyers settle orders."))
        self.assertEqual(self.permit("5000.00 USD", **key), first)
        self.reload(WORLD.replace("5_000 USD each", "4_000 USD each"))
        self.assertEqual(self.spend("5000.00 USD", **key), "limit.exceeded", "it is decided again")
        self.reload(WORLD)
        self.assertEqual(self.permit("5000.00 USD", **key), first)
        self.assertEqual(self.spend("4999.00 USD", **key), "request.key_conflict")
        self.end(first, "confirm")
        self.assertEqual(self.spend("5000.00 USD", **key), "request.already_used")
        self.restart(kill=True)
        self.assertEqual(self.spend("5000.00 USD", **key), "request.already_used")
        self.assertEqual(self.used(), 5000)

    def test_two_tasks_of_one_name(self):
        def open_it(expect, **other):
            return self.op("POST", "/v1/tasks", {"id": "t1", "shape": "settle", "person": "raj", "agent": "assistant",
                                                 "args": {"orders": ["O1"], "budget": "500.00 USD", "urgent": False}, **other}, "operator", expect)
        first = open_it(201).json
        self.assertEqual(open_it(200).json["task"]["opened"], first["task"]["opened"])
        open_it(409, person="ana")
        open_it(409, args={"orders": ["O1"], "budget": "900.00 USD", "urgent": False})
        self.op("POST", "/v1/tasks/t1/close", {"because": "done"})
        open_it(409, person="ana")
        self.restart(kill=True)
        self.assertEqual(open_it(409, person="ana").json["type"], "urn:dpl:problem:conflict")
        self.assertEqual(self.reason("raj", "approve", "O1", agent="assistant", instance="r1", task="t1", amount="1.00 USD", note="n"), "revoked.task")


class Revoked(Durable):
    def test_a_partner_while_an_emergency_door_is_open(self):
        purge = lambda: self.reason("raj", "purge", "O1", context=EMERGENCY)  # noqa: E731
        foreign = {"subject": {"type": "partner:globex", "id": "pat"}, "action": {"name": "read"}, "resource": {"type": "shop.Order", "id": "O1"}}
        partner = lambda: self.raw(foreign).json["context"]["reason"]  # noqa: E731
        before = partner()
        self.assertEqual(purge(), "permit")
        self.revoke("partner", "globex")
        self.assertEqual((before, partner()), ("permit", "revoked.partner"))
        self.assertEqual(purge(), "permit", "the door is nobody's but the person's who opened it")
        foreign["context"] = EMERGENCY
        self.assertEqual(partner(), "revoked.partner")
        self.revoke("person", "raj")
        self.assertEqual(purge(), "revoked.person")


class Waiting(WithAsk):
    def test_an_approver_who_is_revoked_while_another_signature_is_awaited(self):
        close = evaluation("ana", "close")
        waiting = self.request(close)[0]["id"]
        self.assertEqual(self.sign(waiting, "lea", meaning=None).json["state"], "pending")
        self.assertEqual(self.call("POST", "/v1/revocations", {"kind": "person", "name": "lea", "because": "left"}).status, 201)
        second = self.sign(waiting, "dora", meaning=None)
        self.assertEqual((second.status, second.json["state"]), (200, "pending"), "hers does not count any more")
        self.assertEqual(self.decide(close).json["context"]["reason"], "approval_required")
        third = self.sign(waiting, "omar", meaning=None).json
        self.assertEqual(third["state"], "approved")
        used = evaluation("ana", "close", context={"approval": {"id": third["approval"]["id"]}})
        self.restart(kill=True)
        self.assertEqual([reason(self.decide(used)), reason(self.decide(used))], ["permit", "approval_required"])

    def test_an_approval_whose_statement_is_gone(self):
        waiting = self.request(asks())[0]["id"]
        approval = self.sign(waiting).json["approval"]["id"]
        without = ASK_POLICY.replace(", beyond that ask lead_ok up to 50_000 USD", "").replace(
            'approval lead_ok { by 1 of role lead within 4h good for 1 request within 24h signs "I approve this order" because "A lead decides" }\n', "")
        self.assertNotIn("lead_ok", without)
        self.world.policy(without)
        self.reload()
        self.assertEqual(reason(self.decide(asks(approvals=[approval]))), "limit.exceeded", "an approval of nothing opens nothing")
        listed = self.call("GET", f"/v1/approvals/{approval}")
        self.assertEqual((listed.status, listed.json["state"]), (200, "good"))
        self.world.policy(ASK_POLICY)
        self.dpld.hang_up()
        self.restart()
        self.assertEqual(reason(self.decide(asks(approvals=[approval]))), "permit")
        self.assertEqual(reason(self.decide(asks(approvals=[approval]))), "approval_required")

    def test_a_request_whose_statement_is_gone(self):
        waiting = self.request(asks())[0]["id"]
        self.world.policy(ASK_POLICY.replace(", beyond that ask lead_ok up to 50_000 USD", "").replace(
            'approval lead_ok { by 1 of role lead within 4h good for 1 request within 24h signs "I approve this order" because "A lead decides" }\n', ""))
        self.reload()
        self.problem(self.sign(waiting), 409, "not-asked")


class Calendar(unittest.TestCase):
    """A day of the policy's zone has 23, 24 or 25 hours."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="dpl-calendar-")
        cls.shim = Path(cls.shared.name) / "shim.so"
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC", "-O1", "-o", cls.shim,
                        Path(__file__).parent / "clock_shim.c", "-ldl"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        policy = (POLICY + DAILY).replace("review every 3650d\n", 'review every 3650d\ntimezone "Europe/Zurich"\n', 1)
        self.world = World(policy=policy)
        self.addCleanup(self.world.cleanup)
        self.clock = self.world.folder / "clock"
        self.dpld = None

    def at(self, text):
        """The wall clock says so, and somebody has confirmed it."""
        ahead = datetime.datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime.datetime.now(UTC)
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("<q", int(ahead.total_seconds() * 1_000_000)))
        if self.dpld is None:
            with mock.patch.dict(os.environ, LD_PRELOAD=str(self.shim), CLOCK_SHIM=str(self.clock)):
                self.dpld = self.world.serve()
            self.addCleanup(self.dpld.stop)
        self.assertEqual(self.dpld.operate("POST", "/v1/clock/confirm", {"because": "a test"}, token("operator")).status, 200)

    def ask(self, amount="100.00 USD"):
        answer = self.dpld.ask(evaluation("raj", "approve", amount=amount, note="n"), {"Authorization": f"Bearer {token('gateway')}"}).json["context"]
        daily = [limit for limit in answer.get("dpl", {}).get("limits", []) if limit["name"].endswith("daily.amount")]
        return answer["reason"], daily[0]["resets"] if daily else None

    def test_the_night_in_which_an_hour_is_left_out(self):
        self.at("2027-03-27T22:59:30")
        self.assertEqual(self.ask(), ("permit", "2027-03-27T23:00:00Z"))
        self.at("2027-03-27T23:00:30")
        self.assertEqual(self.ask(), ("permit", "2027-03-28T22:00:00Z"), "a day of 23 hours")
        self.at("2027-03-28T21:58:00")
        self.assertEqual(self.ask("1.00 USD")[0], "limit.exceeded")
        self.at("2027-03-28T22:00:30")
        self.assertEqual(self.ask(), ("permit", "2027-03-29T22:00:00Z"))

    def test_the_night_in_which_an_hour_comes_twice(self):
        self.at("2027-10-30T22:00:30")
        self.assertEqual(self.ask(), ("permit", "2027-10-31T23:00:00Z"), "a day of 25 hours")
        for again in ("2027-10-31T00:30:00", "2027-10-31T01:30:00", "2027-10-31T22:00:30", "2027-10-31T22:58:00"):
            self.at(again)
            self.assertEqual(self.ask("1.00 USD")[0], "limit.exceeded", again)
        self.at("2027-10-31T23:00:30")
        self.assertEqual(self.ask(), ("permit", "2027-11-01T23:00:00Z"))


class Folders(unittest.TestCase):
    """What is at the place of the state folder."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.cleanup)

    def refused(self, place):
        ended = run("--config", self.world.folder / "dpld.json", "--bundle", self.world.folder / "policy.dplb", "--facts",
                    self.world.folder / "facts.json", "--state", place, "--listen", "127.0.0.1:0", "--operate", "none")
        self.assertEqual(ended.returncode, 1, ended)
        return ended.stderr

    def test_a_file_is_no_folder(self):
        place = self.world.folder / "a-file"
        place.write_text("mine")
        self.assertIn("state.file", self.refused(place))
        self.assertEqual(place.read_text(), "mine")

    def test_a_folder_that_takes_no_files(self):
        self.assertIn("state.file", self.refused("/proc/self/fdinfo"))

    def test_what_is_made_is_for_its_owner_alone(self):
        dpld = self.world.serve()
        dpld.stop()
        for path in (self.world.folder / "state").rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        self.assertEqual((self.world.folder / "state").stat().st_mode & 0o077, 0)


if __name__ == "__main__":
    unittest.main()
