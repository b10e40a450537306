#!/usr/bin/env python3
"""Duties and emergencies over HTTP: what a client must promise to get a permit, and what the permit then says."""

import hashlib
import json
import tempfile
import unittest
from pathlib import Path

from dpld import EVALUATIONS, Dpld, audit_records, build

POLICY = """
package acme.ward owned by team care
granted 2026-01-01
review every 3650d
team care { owner person "boss" }
role nurse { owner team care }
system ehr { owner team care }
resource Chart in ehr {
  has locked: bool = false  has ssn: string as "social_security_number"
  can read, sign, view
}
grant nursing { to role nurse  may read, sign, view on ehr.Chart  because "Nurses treat" }
forbid locked { covers read, sign, view on ehr.Chart where resource.locked  because "Locked charts stay shut" }
obligation hidden { covers read on ehr.Chart  must mask ssn  because "Numbers are not shown" }
obligation signed {
  covers sign on ehr.Chart  must step_up "urn:loa:3"  must sign meaning "approval"  must log
  because "A signature has a meaning"
}
break_glass emergency {
  who role nurse  may view on ehr.Chart  lifts forbid locked
  needs reason, ticket  lasts at most 1h  notify team care  review within 24h by team care
  because "Emergency treatment"
}
"""
FACTS = {"version": "ward-1", "persons": [{"id": "boss"}, {"id": "n1"}, {"id": "x1"}], "teams": {"care": ["boss"]},
         "roles": [{"role": "nurse", "members": ["n1"]}],
         "resources": [{"type": "ehr.Chart", "id": "c1"}, {"type": "ehr.Chart", "id": "shut", "attributes": {"locked": True}}]}
ALL = {"supported_mandatory_extensions": ["obligations"], "supported_obligations": ["step-up", "notification", "sign", "mask"]}


def ask(action, context=None, chart="c1", person="n1"):
    body = {"subject": {"type": "person", "id": person}, "action": {"name": action}, "resource": {"type": "ehr.Chart", "id": chart}}
    if context is not None:
        body["context"] = context
    return body


class Ward(unittest.TestCase):
    CONFIG = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="dpl-ward-")
        self.addCleanup(self.folder.cleanup)
        folder = Path(self.folder.name)
        (folder / "policy").mkdir()
        (folder / "policy/ward.dpl").write_text(POLICY)
        (folder / "facts.json").write_text(json.dumps(FACTS))
        arguments = ["--bundle", build(folder / "policy", folder / "policy.dplb"), "--facts", folder / "facts.json"]
        if self.CONFIG:
            (folder / "dpld.json").write_text(json.dumps(self.CONFIG))
            arguments += ["--config", folder / "dpld.json"]
        self.dpld = Dpld(*arguments)
        self.addCleanup(self.dpld.stop)

    def answer(self, body, headers=None):
        answer = self.dpld.ask(body, headers)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def permits(self, body, headers=None):
        answer = self.answer(body, headers)
        self.assertIs(answer["decision"], True, answer)
        return answer["context"]

    def denies(self, body, reason, headers=None):
        answer = self.answer(body, headers)
        self.assertIs(answer["decision"], False, answer)
        self.assertEqual(answer["context"]["reason"], reason, answer)
        return answer["context"]


class Duties(Ward):
    def test_a_permit_obliges_who_promised(self):
        context = self.permits(ask("sign", ALL))
        self.assertEqual(context["obligations"], [
            {"id": "acme.ward.signed#1", "type": "step-up", "properties": {"acr_value": "urn:loa:3"}},
            {"id": "acme.ward.signed#2", "type": "custom", "properties": {"duty": "sign", "meaning": "approval", "signer": "n1"}}])
        self.assertEqual([d["duty"] for d in context["dpl"]["duties"]], ["step_up", "sign", "log"])
        self.assertEqual(context["dpl"]["now"], context["dpl"]["valid_until"])
        masked = self.permits(ask("read", ALL))["obligations"]
        self.assertEqual(masked[0]["properties"], {"duty": "mask", "fields": ["social_security_number"]})
        self.assertNotIn("obligations", self.permits(ask("view")))
        # `must log` is the server's own: on disk before the answer leaves.
        [record] = [r for r in audit_records(self.dpld.audit_folder()) if r.get("id") == context["evaluation_id"]]
        self.assertEqual((record["duties"], record["who"]["mode"]), (["step_up", "sign", "log"], "direct"))
        self.assertIn("n1", record["says"])

    def test_who_promises_nothing_gets_no_permit(self):
        for context in (None, {}, {"supported_obligations": []}, {"supported_obligations": ["custom"]},
                        {"supported_obligations": ["step-up"]}, {"supported_obligations": ["mask"], "supported_mandatory_extensions": ["x"]},
                        {"supported_obligations": ["mask"]}, {"supported_obligations": ["mask"], "supported_mandatory_extensions": None},
                        {"supported_mandatory_extensions": ["obligations"]}):
            with self.subTest(context=context):
                denial = self.denies(ask("read", context), "obligation.unsupported")
                self.assertNotIn("obligations", denial)
                self.assertIn("mask", denial["dpl"]["detail"])
        self.permits(ask("read", {"supported_mandatory_extensions": ["obligations", "x"], "supported_obligations": ["mask"]}))
        self.denies(ask("read", {"supported_obligations": "mask"}), "request.invalid")

    def test_an_item_with_its_own_context_promises_again(self):
        item = {"action": {"name": "read"}}
        body = {**ask("read", ALL), "evaluations": [item, {**item, "context": {}}, {**item, "context": ALL}]}
        decisions = [e["decision"] for e in self.dpld.post(EVALUATIONS, body).json["evaluations"]]
        self.assertEqual(decisions, [True, False, True])


class Emergency(Ward):
    def test_the_door(self):
        said = {"name": "acme.ward.emergency", "reason": "cardiac arrest", "ticket": "INC-1"}
        self.denies(ask("view", ALL, "shut"), "forbidden")
        opened = self.permits(ask("view", {**ALL, "break_glass": said}, "shut"))
        door = opened["dpl"]["break_glass"]
        self.assertEqual((door["name"], door["reason"], door["ticket"], door["uses"]), ("acme.ward.emergency", "cardiac arrest", "INC-1", 1))
        self.assertEqual(door["review_by"], "team acme.ward.care")
        self.assertLess(door["opened"], door["until"])
        self.assertLess(door["until"], door["review_due"])
        self.assertEqual(opened["obligations"], [{"id": "acme.ward.emergency#1", "type": "notification",
                                                  "properties": {"to": "team acme.ward.care", "topic": "acme.ward.emergency"}}])
        self.assertEqual({b["as"] for b in opened["dpl"]["by"]}, {"lifted", "grant", "break_glass"})
        [record] = [r for r in audit_records(self.dpld.audit_folder()) if "break_glass" in r]
        glass = record["break_glass"]
        self.assertEqual((glass["statement"], glass["reason"], glass["ticket"]), ("acme.ward.emergency", "cardiac arrest", "INC-1"))
        again = self.permits(ask("view", {**ALL, "break_glass": said}, "shut"))["dpl"]["break_glass"]
        self.assertEqual((again["opened"], again["uses"]), (door["opened"], 2))
        for wrong in ({**said, "ticket": ""}, {"name": said["name"], "reason": "x"}, {**said, "name": "acme.ward.other"}):
            self.denies(ask("view", {**ALL, "break_glass": wrong}, "shut"), "break_glass.not_allowed")
        self.denies(ask("view", {**ALL, "break_glass": said}, "shut", "x1"), "break_glass.not_allowed")
        self.denies(ask("view", {**ALL, "break_glass": {**said, "reason": 7}}, "shut"), "request.invalid")
        self.denies(ask("view", {"break_glass": said}, "shut"), "obligation.unsupported")


class Registered(Ward):
    CONFIG = {"callers": [
        {"name": "masks", "token_sha256": hashlib.sha256(b"masks").hexdigest(), "serves_persons": True, "duties": ["mask"]},
        {"name": "plain", "token_sha256": hashlib.sha256(b"plain").hexdigest(), "serves_persons": True}]}

    def test_a_promise_counts_as_far_as_the_registration(self):
        masks, plain = {"Authorization": "Bearer masks"}, {"Authorization": "Bearer plain"}
        context = self.permits(ask("read", ALL), masks)
        self.assertEqual(context["obligations"][0]["properties"]["duty"], "mask")
        self.assertNotIn("duties", context["dpl"], "details are for who may see them")
        self.denies(ask("sign", ALL), "obligation.unsupported", masks)
        self.denies(ask("read"), "obligation.unsupported", masks)
        self.denies(ask("read", ALL), "obligation.unsupported", plain)


if __name__ == "__main__":
    unittest.main()
