#!/usr/bin/env python3
"""The role `person` of a personal token: what is one's own, and nothing else."""

import re
import unittest

from ask_test import FACTS, MEANING, POLICY, asks
from dpld import run
from operate_test import routes
from operate_world import CALLERS, World, token

PEOPLE = ("raj", "ana", "lea", "dora")
OWN = {**CALLERS, **{f"own-{who}": {"roles": ["person"], "person": who} for who in PEOPLE}}
TASK = """
task settle(order: shop.Order) {
  for agent assistant
  may approve on shop.Order where resource == order
  lasts at most 4h
  nothing else
}
"""


class Person(unittest.TestCase):
    def setUp(self):
        self.world = World(OWN, policy=POLICY + TASK, facts=FACTS)
        self.addCleanup(self.world.cleanup)
        self.dpld = self.world.serve()
        self.addCleanup(self.dpld.stop)

    def call(self, method, path, body=None, by="operator", expect=200):
        answer = self.dpld.operate(method, path, body, token(by))
        self.assertEqual(answer.status, expect, answer.body)
        return answer.json

    def ids(self, path, by):
        return {item["id"] for item in self.call("GET", path, by=by)["items"]}

    def asked(self, person, amount="9000.00 USD"):
        made = self.call("POST", "/v1/access-requests", asks(person, amount), "gateway", 201)
        return made["access_requests"][0]["id"]

    def test_nothing_else(self):
        let_in = set()
        for method, template, roles, body, _ in routes():
            path = re.sub(r"\{\w+\}", "x", template)
            answer = self.dpld.operate(method, path, {} if body == "kRequired" else None, token("own-ana"))
            refused = answer.status == 403 and "needs the role" in answer.json["detail"]
            self.assertEqual(refused, "person" not in roles, f"{method} {template}: {answer.body}")
            if not refused:
                let_in.add(f"{method} {template}")
        self.assertEqual(let_in, {
            "GET /v1/epoch", "GET /v1/tasks", "GET /v1/tasks/{id}", "GET /v1/access-requests", "GET /v1/access-requests/{id}",
            "POST /v1/access-requests/{id}/sign", "GET /v1/approvals", "GET /v1/approvals/{id}", "GET /v1/consents",
            "POST /v1/consents", "POST /v1/consents/withdraw"})
        decided = self.dpld.ask(asks(), {"Authorization": f"Bearer {token('own-ana')}"})
        self.assertEqual(decided.status, 403)

    def test_ones_own_consents(self):
        give = {"delegation": "assist", "person": "ana"}
        self.call("POST", "/v1/consents", give, "own-raj", 403)
        self.assertEqual(self.call("POST", "/v1/consents", {"delegation": "assist"}, "own-ana", 201)["person"], "ana")
        self.assertEqual([c["person"] for c in self.call("GET", "/v1/consents", by="own-ana")["items"]], ["ana"])
        self.assertEqual(self.call("GET", "/v1/consents", by="own-raj")["items"], [])
        self.call("GET", "/v1/consents?person=ana", by="own-raj", expect=403)
        self.call("POST", "/v1/consents/withdraw", give, "own-raj", 403)
        self.assertEqual(self.call("POST", "/v1/consents/withdraw", give, "own-ana")["state"], "withdrawn")

    def test_ones_own_tasks(self):
        for who in ("raj", "ana"):
            self.call("POST", "/v1/tasks", {"id": f"of-{who}", "shape": "settle", "person": who, "agent": "assistant",
                                            "args": {"order": "O1"}}, "operator", 201)
        self.assertEqual(self.ids("/v1/tasks", "operator"), {"of-raj", "of-ana"})
        self.assertEqual(self.ids("/v1/tasks", "own-ana"), {"of-ana"})
        self.assertEqual(self.ids("/v1/tasks?person=raj", "own-ana"), set())
        self.assertEqual(self.call("GET", "/v1/tasks/of-ana", by="own-ana")["task"]["opened_by"], "ana")
        self.call("GET", "/v1/tasks/of-raj", by="own-ana", expect=404)
        self.call("POST", "/v1/tasks/of-ana/close", {"because": "x"}, "own-ana", 403)

    def test_requests_and_signatures(self):
        mine, other = self.asked("raj"), self.asked("ana", "8000.00 USD")
        path = f"/v1/access-requests/{mine}"
        # Who asks sees it; who may sign sees it; nobody else does.
        self.assertEqual(self.ids("/v1/access-requests", "own-ana"), {other})
        self.call("GET", path, by="own-ana", expect=404)
        self.call("POST", f"{path}/sign", {"verdict": "approve", "meaning": MEANING}, "own-ana", 404)
        self.assertEqual(self.ids("/v1/access-requests", "own-lea"), {mine, other})
        self.assertEqual(self.ids("/v1/access-requests?waits_for=lea", "own-lea"), {mine, other})
        self.call("GET", "/v1/access-requests?waits_for=dora", by="own-lea", expect=403)
        refused = self.call("POST", f"{path}/sign", {"verdict": "approve", "meaning": MEANING}, "own-raj", 403)
        self.assertIn("approver.requester", refused["detail"])
        self.call("POST", f"{path}/sign", {"verdict": "approve", "person": "dora", "meaning": MEANING}, "own-lea", 403)
        signed = self.call("POST", f"{path}/sign", {"verdict": "approve", "meaning": MEANING}, "own-lea")
        self.assertEqual((signed["state"], signed["signatures"][0]["person"]), ("approved", "lea"))
        approval = signed["approval"]["id"]
        for who, sees in (("raj", True), ("lea", True), ("ana", False), ("dora", False)):
            self.assertEqual(self.ids("/v1/approvals", f"own-{who}"), {approval} if sees else set(), who)
            self.call("GET", f"/v1/approvals/{approval}", by=f"own-{who}", expect=200 if sees else 404)
        self.assertEqual(self.ids("/v1/access-requests", "own-lea"), {mine, other}, "what was signed stays in sight")
        self.assertNotIn(mine, self.ids("/v1/access-requests", "own-dora"))
        self.call("POST", f"/v1/approvals/{approval}/revoke", {"because": "x"}, "own-lea", 403)

    def test_a_service_has_no_such_role(self):
        for caller in ({"roles": ["person"]}, {"roles": ["operate", "person"]}, {"roles": ["decide", "person"], "person": "ana"}):
            world = World({"odd": caller}, policy=POLICY, facts=FACTS)
            self.addCleanup(world.cleanup)
            done = run("--config", world.folder / "dpld.json", "--bundle", world.folder / "policy.dplb", "--facts", world.folder / "facts.json",
                       "--listen", "127.0.0.1:0", "--operate", "none")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("callers[0].roles", done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
