#!/usr/bin/env python3
"""How much an answer tells, by what the caller asks for and may be told; and who acts, in each of the places that may say so."""

import hashlib
import itertools
import json
import tempfile
import unittest
from pathlib import Path

from dpld import EVALUATIONS, ROOT, Dpld, build

HELPER = "spiffe://acme.example/agent/assistant"
LEVELS = ("none", "reason", "full", "trace")
CALLER = {"serves_persons": True, "asserts_actors": True, "asserts_instances": True}


def ask(amount="10.00 USD", order="O1", context=None, person="E1007", act=None, action="approve"):
    body = {"subject": {"type": "person", "id": person}, "action": {"name": action}, "resource": {"type": "shop.Order", "id": order}}
    if action == "approve":
        body["action"]["properties"] = {"amount": amount}
    if act is not None:
        body["subject"]["properties"] = {"act": act}
    if context is not None:
        body["context"] = context
    return body


class Story(unittest.TestCase):
    CALLERS = {"details": {"details": True}, "plain": {}, "capped": {"details": True, "explain": "reason"}, "public": {"explain": "none"}}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dpl-explain-")
        self.addCleanup(folder.cleanup)
        config = Path(folder.name) / "dpld.json"
        config.write_text(json.dumps({"callers": [{"name": name, "token_sha256": hashlib.sha256(name.encode()).hexdigest(), **CALLER, **more}
                                                  for name, more in self.CALLERS.items()]}))
        self.dpld = Dpld("--bundle", build("quickstart", Path(folder.name) / "policy.dplb"), "--facts", ROOT / "policies/quickstart/facts.json",
                         "--config", config)
        self.addCleanup(self.dpld.stop)

    def answer(self, body, caller="details"):
        answer = self.dpld.ask(body, {"Authorization": f"Bearer {caller}"})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json


class Levels(Story):
    def level(self, answer):
        """How much an answer tells."""
        context = answer["context"]
        if "reason" not in context:
            self.assertEqual(set(context) - {"obligations", "dpl"}, {"evaluation_id"})
            self.assertEqual(set(context.get("dpl", {})) - {"reservation"}, set())
            return "none"
        if "reason_admin" not in context:
            self.assertFalse({"step", "by", "who", "limits", "nearest", "also"} & set(context["dpl"]))
            return "reason"
        self.assertTrue({"step", "by", "who"} <= set(context["dpl"]))
        return "trace" if "also" in context["dpl"] else "full"

    def test_the_caller_chooses_within_what_it_may_be_told(self):
        most = {"details": "trace", "plain": "reason", "capped": "reason", "public": "none"}
        for caller, wanted in itertools.product(most, (*LEVELS, None, False, True)):
            asked = {None: "full", False: "full", True: "trace"}.get(wanted, wanted)
            told = LEVELS[min(LEVELS.index(asked), LEVELS.index(most[caller]))]
            body = ask("9000.00 USD", "O2", {"explain": wanted} if wanted is not None else {})
            with self.subTest(caller=caller, wanted=wanted):
                answer = self.answer(body, caller)
                self.assertIs(answer["decision"], False)
                self.assertEqual(self.level(answer), told)

    def test_a_permit_says_until_when_it_holds(self):
        context = self.answer(ask(action="read"))["context"]
        self.assertEqual(context["conditions"], {"valid_until": context["dpl"]["valid_until"]})
        self.assertLess(context["dpl"]["now"], context["dpl"]["valid_until"])
        metered = self.answer(ask())["context"]
        self.assertEqual(metered["conditions"]["valid_until"], metered["dpl"]["now"], "what is counted may not be relied on")
        self.assertNotIn("conditions", self.answer(ask("9000.00 USD"))["context"])
        least = self.answer(ask(context={"explain": "none"}))["context"]
        self.assertEqual(set(least["dpl"]), {"reservation"}, "it can still be confirmed")

    def test_an_unknown_level_is_refused(self):
        for wrong in ("all", "", 1, [], {}):
            self.assertEqual(self.answer(ask(context={"explain": wrong}))["context"]["reason"], "request.invalid")

    def test_items_of_a_batch_choose_for_themselves(self):
        body = {**ask("9000.00 USD"), "context": {"explain": "none"}, "evaluations": [{}, {"context": {}}, {"context": {"explain": "reason"}}]}
        answers = self.dpld.post(EVALUATIONS, body, {"Authorization": "Bearer details"}).json["evaluations"]
        self.assertEqual([self.level(a) for a in answers], ["none", "full", "reason"])

    def test_the_record_is_the_same_whatever_is_told(self):
        ids = {}
        for level in LEVELS:
            ids[self.answer(ask("9000.00 USD", "O2", {"explain": level}))["context"]["evaluation_id"]] = level
        records = self.dpld.audit(lambda r: r.get("id") in ids, count=len(LEVELS))
        # What differs is the request itself: its sealed bytes and the digest of the answer.
        kept = {ids[r["id"]]: {k: v for k, v in r.items() if k in ("outcome", "reason", "who", "what", "by", "limits", "policy", "data", "caller")}
                for r in records}
        self.assertTrue(kept["none"]["by"])
        self.assertEqual(kept["none"], kept["full"])
        self.assertEqual(kept["reason"], kept["full"])
        # The steps that `trace` has evaluated besides have statements of their own.
        self.assertEqual(kept["trace"]["by"][:len(kept["full"]["by"])], kept["full"]["by"])
        self.assertEqual(kept["trace"]["reason"], kept["full"]["reason"])


class WhoActs(Story):
    CALLERS = {"details": {"details": True}}

    def test_each_place_says_the_same(self):
        places = {"act": (HELPER, None), "agent": (None, {"agent": HELPER}), "object": (None, {"agent": {"sub": HELPER}}),
                  "actor": (None, {"actor": {"client_id": HELPER}}), "array": (None, {"actor": {"client_id": HELPER, "act": [HELPER]}}),
                  "nested": (None, {"actor": {"client_id": HELPER, "act": {"sub": HELPER}}}), "two": (HELPER, {"agent": HELPER}),
                  "three": (HELPER, {"agent": HELPER, "actor": {"client_id": HELPER}})}
        for name, (act, context) in places.items():
            if name == "nested":  # a chain of two, which nobody recorded
                continue
            with self.subTest(place=name):
                answer = self.answer(ask("900.00 USD", act={"sub": act} if act else None, context=context))
                self.assertIs(answer["decision"], True, answer)
                who = answer["context"]["dpl"]["who"]
                self.assertEqual((who["mode"], who["person"], who["agent"]), ("on_behalf_of", "E1007", "acme.purchasing.assistant"))
                # Its own limit holds in every place.
                denied = self.answer(ask("1000.01 USD", act={"sub": act} if act else None, context=context))
                self.assertEqual(denied["context"]["reason"], "limit.exceeded")

    def test_places_that_disagree_are_refused(self):
        other = "spiffe://acme.example/agent/other"
        for act, context in (({"sub": HELPER}, {"agent": other}), ({"sub": HELPER}, {"actor": {"client_id": other}}),
                             (None, {"agent": HELPER, "actor": {"client_id": other}}), ({"sub": other}, {"agent": HELPER}),
                             ({"sub": HELPER, "instance": "a"}, {"agent": {"sub": HELPER, "instance": "b"}}),
                             ({"sub": HELPER, "iss": "https://a"}, {"agent": {"sub": HELPER, "iss": "https://b"}}),
                             ({"sub": HELPER, "sub_profile": "user"}, {"agent": HELPER}),
                             ({"sub": HELPER, "act": {"sub": other}}, {"actor": {"client_id": HELPER, "act": [HELPER, HELPER]}})):
            with self.subTest(act=act, context=context):
                answer = self.answer(ask("10.00 USD", act=act, context=context))
                self.assertEqual((answer["decision"], answer["context"]["reason"]), (False, "identity.chain_mismatch"))

    def test_a_place_of_the_wrong_shape_is_an_error(self):
        headers = {"Authorization": "Bearer details"}
        for act, context in (("x", None), ({}, None), ({"sub": 7}, None), ({"sub": HELPER, "act": "x"}, None), (None, {"agent": 7}), (None, {"agent": []}),
                             (None, {"actor": 7}), (None, {"actor": {"client_id": HELPER, "act": "x"}}), (None, {"actor": {"client_id": HELPER, "act": [7]}}),
                             (None, {"agent": {"sub": HELPER, "born": "yesterday"}}), (None, {"agent": {"sub": HELPER, "iss": ""}})):
            with self.subTest(act=act, context=context):
                self.assertEqual(self.dpld.ask(ask("10.00 USD", act=act, context=context), headers).status, 400)

    def test_no_agent_where_one_is_named(self):
        """A null is nobody; an empty name is not nobody."""
        self.assertIs(self.answer(ask(context={"agent": None, "actor": None}))["decision"], True)
        self.assertIsNot(self.dpld.ask(ask("1500.00 USD", context={"agent": ""}), {"Authorization": "Bearer details"}).json.get("decision"), True)


if __name__ == "__main__":
    unittest.main()
