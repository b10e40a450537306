#!/usr/bin/env python3
"""Closing rules 19 to 37 of docs/semantics.md over HTTP, on a durable store: between what a rule takes away and the question whether
it is gone, the server is stopped and started again.

Rule 30 (leases between servers) has nothing to show: there are none, one server owns each budget. Rule 31 (clocks) needs a clock that
can be set: clock_test.py shows it. Rules 33 and 35 are shown by ask_test.py as well."""

import re
import threading
import unittest

from dpld import EVALUATION, EVALUATIONS, build, run
from operate_world import CALLERS, FACTS, POLICY, World, evaluation, token

MORE = """
grant tight {
  to      role buyer
  may     settle on shop.Invoice
  limit   amount to 100 USD each
  because "Small invoices"
}
grant wide {
  to      role buyer
  may     settle on shop.Invoice
  limit   amount to 5_000 USD each
  because "All invoices"
}
grant chief {
  to         role chief
  may        settle on shop.Invoice
  supersedes grant tight
  supersedes grant wide
  limit      amount to 9_000 USD each
  because    "The chief settles more"
}
separate open_then_close {
  between read on shop.Invoice by resource.id and close on shop.Invoice by resource.id
  same person within 90d
  because "Two people per invoice"
}
grant handling { to role buyer may read, close on shop.Invoice because "Buyers handle invoices" }
"""
WORLD = POLICY.replace("partner globex {", "role chief { owner team finance }\nresource Invoice in shop {\n  key id: string\n  can read\n  can close\n"
                       "  can settle { amount: money must be limited }\n}\n" + MORE + "\npartner globex {", 1)
PEOPLE = {**FACTS, "persons": [*FACTS["persons"], {"id": "cleo"}],
          "roles": [{"role": "buyer", "members": ["raj", "ana", "left", "cleo"]}, {"role": "chief", "members": ["cleo"]}],
          "resources": [*FACTS["resources"], {"type": "shop.Invoice", "id": "I1"}, {"type": "shop.Invoice", "id": "I2"}]}


class Durable(unittest.TestCase):
    def setUp(self):
        self.world = World(CALLERS, WORLD, PEOPLE)
        self.addCleanup(self.world.cleanup)
        self.dpld = None
        self.restart()

    def restart(self, kill=False):
        if self.dpld is not None:
            if kill:
                self.dpld.process.kill()
            self.dpld.stop()
        self.dpld = self.world.serve()
        self.addCleanup(self.dpld.stop)

    def raw(self, body, by="gateway", path=EVALUATION, headers=None):
        return self.dpld.post(path, body, {"Authorization": f"Bearer {token(by)}", **(headers or {})})

    def ask(self, *arguments, by="gateway", headers=None, type=None, **how):
        body = evaluation(*arguments, **how)
        if type:
            body["resource"]["type"] = type
        answer = self.raw(body, by, headers=headers)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def reason(self, *arguments, **how):
        return self.ask(*arguments, **how)["context"]["reason"]

    def spend(self, amount, person="raj", **how):
        return self.reason(person, "approve", "O1", amount=amount, note="n", **how)

    def settle(self, amount, person="raj"):
        return self.reason(person, "settle", "I1", type="shop.Invoice", amount=amount)

    def used(self, person="raj"):
        items = self.op("GET", f"/v1/counters?person={person}").json["items"]
        return sum(int(float(c["used"].split()[0])) for c in items)

    def op(self, method, path, body=None, by="operator", expect=200):
        answer = self.dpld.operate(method, path, body, token(by))
        self.assertEqual(answer.status, expect, answer.body)
        return answer

    def revoke(self, kind, name, **more):
        return self.op("POST", "/v1/revocations", {"kind": kind, "name": name, "because": "b", **more}, expect=201).json

    def reloaded(self, policy=None):
        """Asks for a reload with this policy; the event that it ended in."""
        before = len([e for e in self.dpld.events if e["event"] in ("reloaded", "reload_failed")])
        if policy:
            self.world.policy(policy)
        self.dpld.hang_up()
        with self.dpld.arrived:
            self.assertTrue(self.dpld.arrived.wait_for(
                lambda: len([e for e in self.dpld.events if e["event"] in ("reloaded", "reload_failed")]) > before, 30))
            return [e for e in self.dpld.events if e["event"] in ("reloaded", "reload_failed")][-1]


class Limits(Durable):
    def test_r19_quantities_are_not_below_zero(self):
        self.assertEqual(self.spend("1000.00 USD"), "permit")
        for amount in ("-1.00 USD", "-0.01 USD", "-20000.00 USD"):
            self.assertNotEqual(self.spend(amount), "permit", amount)
        for amount in ("92233720368547758.07 USD", "92233720368547758.08 USD", "999999999999999999999999.00 USD"):
            self.assertNotEqual(self.spend(amount), "permit", amount)
        self.restart()
        self.assertEqual(self.used(), 1000)

    def test_r20_money_is_a_text_with_its_currency(self):
        for amount in (5000, 5000.0, "5000", "5000 EUR", {"minor": 5000}, None, True, "5,000.00 USD", "5000.001 USD"):
            body = evaluation("raj", "approve", "O1", note="n", amount=amount)
            answer = self.raw(body)
            permitted = answer.status == 200 and answer.json["decision"]
            self.assertFalse(permitted, amount)
        self.assertEqual(self.used(), 0)
        self.assertEqual(self.spend("50.00 USD"), "permit")
        self.assertEqual(self.spend({"minor": 5000, "currency": "USD"}), "permit")
        self.restart()
        self.assertEqual(self.used(), 100)

    def test_r21_each_permit_is_charged_key_or_no_key(self):
        self.assertEqual([self.spend("5000.00 USD") for _ in range(2)], ["permit"] * 2)
        self.restart(kill=True)
        self.assertEqual([self.spend("5000.00 USD") for _ in range(3)], ["permit"] * 2 + ["limit.exceeded"])

    def test_r22_a_revoked_grant_still_limits(self):
        self.assertEqual(self.settle("101.00 USD"), "limit.exceeded")
        self.revoke("grant", "acme.shop.tight")
        self.assertEqual(self.settle("101.00 USD"), "limit.exceeded")
        self.restart()
        self.assertEqual(self.settle("101.00 USD"), "limit.exceeded")
        self.assertEqual(self.settle("100.00 USD"), "permit", "the other grant goes on")

    def test_r23_only_what_adds_supersedes(self):
        self.assertEqual(self.settle("9000.00 USD", "cleo"), "permit")
        self.assertEqual(self.settle("9000.00 USD", "raj"), "limit.exceeded")
        self.revoke("grant", "acme.shop.chief")
        self.restart()
        self.assertEqual(self.settle("101.00 USD", "cleo"), "limit.exceeded", "revoked, it lifts nothing")
        self.assertEqual(self.settle("100.00 USD", "cleo"), "permit")

    def test_r24_runs_alone_are_no_bound(self):
        policy = WORLD.replace("cap        ", "").replace(
            "limit   amount to 20_000 USD in total for each person", "limit   amount to 20_000 USD in total for each instance")
        self.assertNotEqual(policy, WORLD)
        with self.assertRaises(Exception):
            self.world.policy(policy)
        # Under a bound for the person, a thousand runs spend no more than one.
        outcomes = [self.spend("1000.00 USD", agent="assistant", instance=f"run-{n}") for n in range(25)]
        self.assertEqual(outcomes.count("permit"), 20)

    def test_r25_a_renamed_limit_begins_anew_unless_it_was_the_old_one(self):
        self.assertEqual([self.spend("5000.00 USD") for _ in range(5)].count("permit"), 4)
        renamed = WORLD.replace("grant buyers {", "grant purchasers {")
        self.assertEqual(self.reloaded(renamed.replace("in total for each person\n", "in total for each person was buyers\n", 1))["event"],
                         "reloaded", self.dpld.events[-1])
        self.assertEqual(self.spend("1.00 USD"), "limit.exceeded")
        self.assertEqual(self.reloaded(renamed)["event"], "reloaded")
        self.assertEqual(self.spend("1.00 USD"), "permit", "another name, another count")
        self.assertEqual(self.reloaded(WORLD)["event"], "reloaded")
        self.assertEqual(self.spend("1.00 USD"), "limit.exceeded", "and back")

    def test_r26_only_its_caller_ends_a_reservation_once(self):
        number = self.ask("raj", "approve", "O1", amount="1000.00 USD", note="n")["context"]["dpl"]["reservation"]["id"]
        path = f"/v1/reservations/{number}"
        self.op("POST", f"{path}/cancel", by="other-gateway", expect=404)
        self.op("POST", f"{path}/cancel", by="operator", expect=403)
        self.restart()
        self.op("POST", f"{path}/cancel", by="other-gateway", expect=404)
        self.op("POST", f"{path}/cancel", by="gateway")
        self.op("POST", f"{path}/cancel", by="gateway", expect=409)
        self.restart(kill=True)
        self.op("POST", f"{path}/confirm", by="gateway", expect=409)
        self.assertEqual(self.used(), 0)

    def test_r27_keys_count_only_from_callers_registered_for_them(self):
        for _ in range(3):
            self.assertEqual(self.spend("100.00 USD", by="other-gateway", idempotency_key="k"), "permit")
        self.assertEqual(self.used(), 300)
        for _ in range(3):
            self.assertEqual(self.spend("100.00 USD", idempotency_key="k"), "permit")
        self.restart()
        self.assertEqual(self.spend("100.00 USD", idempotency_key="k"), "permit")
        self.assertEqual(self.used(), 400)
        self.assertEqual(self.spend("101.00 USD", idempotency_key="k"), "request.key_conflict")
        for _ in range(2):  # a request id is no key, unless the caller is registered for that too
            self.assertEqual(self.spend("100.00 USD", headers={"X-Request-ID": "r"}), "permit")
        self.assertEqual(self.used(), 600)

    def test_r28_an_item_sees_those_before_it(self):
        body = {**evaluation("raj", "approve", "O1", amount="5000.00 USD", note="n"), "evaluations": [{}] * 6}
        answer = self.raw(body, path=EVALUATIONS).json
        self.assertEqual([item["decision"] for item in answer["evaluations"]], [True] * 4 + [False] * 2)
        self.restart()
        self.assertEqual(self.spend("1.00 USD"), "limit.exceeded")

    def test_r29_a_dry_run_is_never_true_and_charges_nothing(self):
        world = World({"gateway": {**CALLERS["gateway"], "dry_run": True}, "operator": CALLERS["operator"]}, WORLD, PEOPLE)
        self.addCleanup(world.cleanup)
        self.world = world
        self.restart()
        for _ in range(5):
            answer = self.ask("raj", "approve", "O1", amount="5000.00 USD", note="n", context={"dry_run": True})
            self.assertFalse(answer["decision"])
            self.assertEqual(answer["context"]["dpl"]["would"], "permit")
        self.assertEqual(self.used(), 0)


class Reloads(Durable):
    """What a reload does to what is running (docs/state.md)."""

    TOTAL = "limit   amount to 20_000 USD in total for each person"

    def changed(self, line):
        self.assertEqual(self.reloaded(WORLD.replace(self.TOTAL, line))["event"], "reloaded", self.dpld.events[-1])

    def test_another_cap_finds_the_same_count(self):
        self.assertEqual([self.spend("5000.00 USD") for _ in range(3)], ["permit"] * 3)
        self.changed("limit   amount to 10_000 USD in total for each person")
        self.assertEqual(self.spend("1.00 USD"), "limit.exceeded", "below what is used already")
        self.changed("limit   amount to 16_000 USD in total for each person")
        self.assertEqual(self.spend("1000.00 USD"), "permit")
        self.assertEqual(self.spend("1.00 USD"), "limit.exceeded")

    def test_another_period_begins_anew_and_the_old_one_is_found_again(self):
        self.assertEqual([self.spend("5000.00 USD") for _ in range(5)].count("permit"), 4)
        self.changed("limit   amount to 20_000 USD in any 30d for each person")
        self.assertEqual([self.spend("5000.00 USD") for _ in range(5)].count("permit"), 4)
        self.restart()
        self.assertEqual(self.reloaded(WORLD)["event"], "reloaded")
        self.assertEqual(self.spend("1.00 USD"), "limit.exceeded")

    def test_a_grant_taken_out_and_put_back_goes_on(self):
        self.assertEqual([self.spend("5000.00 USD") for _ in range(5)].count("permit"), 4)
        number = self.ask("ana", "approve", "O1", amount="1000.00 USD", note="n")["context"]["dpl"]["reservation"]["id"]
        without = re.sub(r"/// Buyers settle routine orders.\ngrant buyers \{.*?\n\}\n", "", WORLD, flags=re.S)
        self.assertNotEqual(without, WORLD)
        self.assertEqual(self.reloaded(without)["event"], "reloaded", self.dpld.events[-1])
        self.assertEqual(self.spend("1.00 USD"), "person.no_grant")
        self.op("POST", f"/v1/reservations/{number}/cancel", by="gateway")
        self.assertEqual(self.reloaded(WORLD)["event"], "reloaded")
        self.assertEqual(self.spend("1.00 USD"), "limit.exceeded")
        self.assertEqual(self.used("ana"), 0)


class StateAndLife(Durable):
    def test_r32_the_two_sides_of_a_separation_at_once(self):
        outcomes = []

        def one(action):
            outcomes.append((action, self.reason("raj", action, "I1", type="shop.Invoice")))

        threads = [threading.Thread(target=one, args=(action,)) for action in ("read", "close") * 8]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        permitted = {action for action, reason in outcomes if reason == "permit"}
        self.assertEqual(len(permitted), 1, outcomes)
        self.restart(kill=True)
        other = ({"read", "close"} - permitted).pop()
        self.assertEqual(self.reason("raj", other, "I1", type="shop.Invoice"), "separation")
        self.assertEqual(self.reason("ana", other, "I1", type="shop.Invoice"), "permit")

    def test_r33_an_approval_is_for_one_request(self):
        self.assertEqual(self.reason("raj", "close", "O1"), "approval_required")
        self.assertEqual(self.reason("raj", "close", "O1", context={"approval": "no-such"}), "approval_required")

    def test_r34_a_run_seen_in_a_task_stays_in_it(self):
        self.op("POST", "/v1/tasks", {"id": "t1", "shape": "settle", "person": "raj", "agent": "assistant",
                                      "args": {"orders": ["O1"], "budget": "2000.00 USD", "urgent": False}}, expect=201)
        self.assertEqual(self.reason("raj", "read", "O1", agent="assistant", instance="r1", task="t1"), "permit")
        self.restart()
        self.assertEqual(self.reason("raj", "read", "O1", agent="assistant", instance="r1"), "task.required")
        self.assertEqual(self.reason("raj", "read", "O1", agent="assistant", instance="r2"), "permit")

    def test_r36_a_revocation_outlives_kills_and_reloads(self):
        self.assertEqual(self.reason("raj", "read"), "permit")
        self.revoke("person", "ana")
        self.revoke("grant", "acme.shop.wide")
        self.restart(kill=True)
        self.assertEqual(self.reason("ana", "read"), "revoked.person")
        self.assertEqual(self.reason("raj", "read"), "permit")
        # Under another name it would be free again.
        renamed = WORLD.replace("grant wide {", "grant wider {").replace("supersedes grant wide\n", "supersedes grant wider\n")
        failed = self.reloaded(renamed)
        self.assertEqual((failed["event"], failed["code"]), ("reload_failed", "state.revoked"))
        self.assertIn("grant acme.shop.wide", failed["error"])
        self.assertEqual(self.reason("raj", "read"), "permit", "the old policy stays in force")
        refused = run("--log", "json", "--config", self.world.folder / "dpld.json", "--bundle", self.world.folder / "policy.dplb", "--facts",
                      self.world.folder / "facts.json", "--state", self.world.folder / "other", "--check-config")
        self.assertEqual(refused.returncode, 0, "in a state without that revocation it is good")
        (self.world.folder / "dpld.json").write_text(
            (self.world.folder / "dpld.json").read_text().replace("{", '{"dropped_revocations": ["acme.shop.wide"], ', 1))
        self.assertEqual(self.reloaded(renamed)["event"], "reloaded")
        self.restart()
        self.assertEqual(self.reason("ana", "read"), "revoked.person")

    def test_r36_after_the_answer_nothing_permits(self):
        stop, late, told = threading.Event(), [], {}
        for run_number in range(4):
            self.assertEqual(self.reason("raj", "read", agent="assistant", instance=f"r{run_number}"), "permit")

        def client(number):
            while not stop.is_set():
                for run_number in range(4):
                    name = f"r{run_number}"
                    before = told.get(name, False)
                    answer = self.ask("raj", "approve", "O1", agent="assistant", instance=name, amount="0.01 USD", note="n")
                    if answer["decision"] and before:
                        late.append((number, name))

        clients = [threading.Thread(target=client, args=(n,)) for n in range(4)]
        for thread in clients:
            thread.start()
        for run_number in range(4):
            self.revoke("instance", f"assistant/r{run_number}")
            told[f"r{run_number}"] = True
        for run_number in range(4):
            self.assertEqual(self.reason("raj", agent="assistant", instance=f"r{run_number}"), "revoked.instance")
        stop.set()
        for thread in clients:
            thread.join()
        self.assertEqual(late, [])

    def test_r37_how_long_an_answer_may_be_relied_on(self):
        metered = self.ask("raj", "approve", "O1", amount="1.00 USD", note="n")["context"]["dpl"]
        self.assertEqual(metered["valid_until"], metered["now"])
        asked = self.ask("raj", "close", "O1")["context"]["dpl"]
        self.assertEqual(asked["valid_until"], asked["now"])
        plain = self.ask("raj", "read")["context"]["dpl"]
        self.assertGreater(plain["valid_until"], plain["now"])
        self.assertTrue(re.fullmatch(r"[-0-9T:.]+Z", plain["now"]))


if __name__ == "__main__":
    unittest.main()
