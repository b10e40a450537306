#!/usr/bin/env python3
"""An `ask` from end to end: requested, signed by those who may, used once; told to wait, refused, withdrawn, timed out, raced and
killed in the middle. Consents and emergency openings besides. Always with the durable store."""

import concurrent.futures
import json
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from operate_world import World, evaluation, token  # noqa: E402

POLICY = """
package acme.shop owned by team finance
granted 2026-01-01
review every 3650d
person { key id: string }
team finance { owner person "boss" }
role buyer { owner team finance }
role lead { owner team finance }
system shop { owner team finance }
resource Order in shop {
  key id: string
  has vendor: string
  can read
  can approve { amount: money must be limited }
  can close
  can hold
}
grant buyers {
  to      role buyer
  may     read, approve on shop.Order
  limit   amount to 5_000 USD each, beyond that ask lead_ok up to 50_000 USD
  may     close on shop.Order, ask two_leads
  may     hold on shop.Order, ask quick_ok
  because "Buyers settle orders, larger ones with a lead"
}
obligation watched {
  covers approve on shop.Order where resource.vendor == "Watched"
  must ask owner_ok
  because "This vendor is watched"
}
approval lead_ok { by 1 of role lead within 4h good for 1 request within 24h signs "I approve this order" because "A lead decides" }
approval two_leads { by 2 of role lead because "Two leads decide" }
approval quick_ok { by 1 of role lead within 1s because "Now or never" }
approval owner_ok { by 1 of team finance because "Finance decides" }
forbid locked { covers hold on shop.Order where resource.vendor == "Locked" because "Locked orders stay" }
break_glass urgent {
  who role buyer
  may hold on shop.Order
  lifts forbid locked
  needs reason, ticket
  lasts at most 2h
  notify team finance
  review within 2d by team finance
  because "An outage does not wait"
}
agent assistant {
  purpose "Approve routine orders"
  accountable person "dora"
  runs as spiffe "spiffe://acme.example/agent/assistant"
  may approve, read on shop.Order
  limit amount to 40_000 USD each
  lives at most 8h
}
delegation assist {
  from role buyer
  to agent assistant
  consent every 30d
  because "A buyer may hand orders to software"
}
"""
WIDER = POLICY.replace("may approve, read on shop.Order\n  limit", "may approve, read, close on shop.Order\n  limit")
FACTS = {
    "version": "world-1",
    "persons": [{"id": who} for who in ("boss", "raj", "ana", "lea", "dora", "omar")],
    "teams": {"finance": ["boss"]},
    "roles": [{"role": "buyer", "members": ["raj", "ana"]}, {"role": "lead", "members": ["lea", "dora", "raj", "omar"]}],
    "resources": [{"type": "shop.Order", "id": "O1", "attributes": {"vendor": "Paper"}},
                  {"type": "shop.Order", "id": "O2", "attributes": {"vendor": "Watched"}},
                  {"type": "shop.Order", "id": "O3", "attributes": {"vendor": "Locked"}}],
}
MEANING = "I approve this order"


def asks(person="raj", amount="9000.00 USD", order="O1", approvals=None, **more):
    given = [{"id": one} for one in approvals or []]
    context = {"approval": given[0] if len(given) == 1 else given} if given else None
    return evaluation(person, "approve", order, amount=amount, context=context, **more)


def reason(answer):
    return answer.json["context"]["reason"]


class WithAsk(unittest.TestCase):
    def setUp(self):
        self.world = World(policy=POLICY, facts=FACTS)
        self.addCleanup(self.world.cleanup)
        self.serve()

    def serve(self):
        self.dpld = self.world.serve()
        self.addCleanup(self.dpld.stop)

    def restart(self, kill=False):
        self.dpld.stop(signal.SIGKILL) if kill else self.dpld.stop()
        self.serve()

    def reload(self):
        self.dpld.hang_up()
        self.dpld.wait_for("reloaded")

    def decide(self, body, by="gateway"):
        return self.dpld.ask(body, {"Authorization": f"Bearer {token(by)}"})

    def call(self, method, path, body=None, by="operator", headers=None):
        return self.dpld.operate(method, path, body, token=token(by), headers=headers)

    def request(self, body, by="gateway", **more):
        answer = self.call("POST", "/v1/access-requests", {**body, **more}, by)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json["access_requests"]

    def sign(self, request, person="lea", verdict="approve", by="approver", meaning=MEANING, **more):
        body = {"person": person, "verdict": verdict, **more}
        if meaning and verdict == "approve":
            body["meaning"] = meaning
        return self.call("POST", f"/v1/access-requests/{request}/sign", body, by)

    def problem(self, answer, status, slug):
        self.assertEqual((answer.status, answer.json.get("type")), (status, f"urn:dpl:problem:{slug}"), answer.body)
        return answer.json["detail"]


class Asking(WithAsk):
    def test_the_whole_story(self):
        answer = self.decide(asks())
        self.assertEqual(reason(answer), "approval_required")
        asked = answer.json["context"]["access_request"]
        self.assertEqual(asked["endpoint"], f"http://{self.dpld.operate_addresses[0]}/v1/access-requests")
        self.assertEqual(asked["template"], "acme.shop.lead_ok")
        self.assertEqual(asked["templates"], [{"template": "acme.shop.lead_ok", "approvers": ["1 of role lead"], "meaning": MEANING}])
        [made] = self.request(asks(), binding_token=asked["binding_token"], because="Toner is out")
        self.assertEqual((made["state"], made["person"], made["template"]), ("pending", "raj", "acme.shop.lead_ok"))
        self.assertEqual(made["asked"]["because"], "Toner is out")
        waiting = self.call("GET", "/v1/access-requests?waits_for=lea", by="approver").json["items"]
        self.assertEqual([one["id"] for one in waiting], [made["id"]])
        for nobody in ("raj", "ana", "boss"):
            self.assertEqual(self.call("GET", f"/v1/access-requests?waits_for={nobody}", by="approver").json["items"], [])
        self.assertEqual(reason(self.decide(asks(approvals=[made["id"]]))), "approval_required")
        signed = self.sign(made["id"], note="Checked the stock")
        self.assertEqual((signed.status, signed.json["state"]), (200, "approved"), signed.body)
        [signature] = signed.json["signatures"]
        self.assertEqual((signature["person"], signature["verdict"], signature["meaning"], signature["note"]),
                         ("lea", "approve", MEANING, "Checked the stock"))
        approval = signed.json["approval"]["id"]
        self.assertEqual(reason(self.decide(asks(approvals=[approval], amount="9000.01 USD"))), "approval_required")
        self.assertEqual(reason(self.decide(asks("ana", approvals=[approval]))), "approval_required")
        self.assertEqual(reason(self.decide(asks(approvals=[approval]))), "permit")
        self.assertEqual(reason(self.decide(asks(approvals=[approval]))), "approval_required")
        shown = self.call("GET", f"/v1/approvals/{approval}", by="auditor").json
        self.assertEqual((shown["state"], shown["approvers"], shown["access_request"]), ("used", ["lea"], made["id"]))
        self.assertEqual(self.call("GET", "/v1/access-requests?waits_for=lea", by="approver").json["items"], [])
        metadata = self.dpld.get("/.well-known/authzen-configuration").json
        self.assertEqual(metadata["access_request_endpoint"], asked["endpoint"])

    def test_who_may_not_sign(self):
        [made] = self.request(asks())
        for person, code in (("raj", "approver.requester"), ("ana", "approver.not_entitled"), ("boss", "approver.not_entitled")):
            self.assertIn(code, self.problem(self.sign(made["id"], person), 403, "not-approver"))
        self.problem(self.sign(made["id"], "nobody"), 422, "not-allowed")
        self.problem(self.sign(made["id"], by="gateway"), 403, "forbidden")  # it decides, it does not approve
        self.problem(self.sign(made["id"], by="raj"), 403, "forbidden")  # raj's token, and lea's name
        self.assertIn(MEANING, self.problem(self.sign(made["id"], meaning="ok"), 422, "not-allowed"))
        self.assertIn(MEANING, self.problem(self.sign(made["id"], meaning=None), 422, "not-allowed"))
        self.problem(self.sign(made["id"], agent="spiffe://acme.example/agent/assistant"), 400, "invalid-member")
        self.problem(self.sign("ar_unknown"), 404, "not-found")
        self.assertEqual(self.call("GET", f"/v1/access-requests/{made['id']}", by="gateway").json["signatures"], [])

    def test_whoever_answers_for_the_agent_does_not_sign(self):
        self.assertEqual(self.call("POST", "/v1/consents", {"delegation": "assist", "person": "ana"}, "approver").status, 201)
        body = asks("ana", agent="assistant", instance="i1")
        [made] = self.request(body)
        self.assertEqual(made["agent"], "acme.shop.assistant")
        self.assertIn("approver.accountable", self.problem(self.sign(made["id"], "dora"), 403, "not-approver"))
        approval = self.sign(made["id"], "lea").json["approval"]["id"]
        self.assertEqual(reason(self.decide(asks("ana", approvals=[approval]))), "approval_required")  # without the agent: another
        self.assertEqual(reason(self.decide(asks("ana", agent="assistant", instance="i1", approvals=[approval]))), "permit")

    def test_two_must_sign_and_one_no_is_a_no(self):
        body = evaluation("raj", "close")
        [made] = self.request(body)
        first = self.sign(made["id"], "lea", meaning=None)
        self.assertEqual((first.status, first.json["state"]), (200, "pending"))
        self.problem(self.sign(made["id"], "lea", meaning=None), 409, "conflict")
        self.assertEqual(self.call("GET", "/v1/access-requests?waits_for=lea", by="approver").json["items"], [])
        done = self.sign(made["id"], "dora", meaning=None)
        self.assertEqual(done.json["state"], "approved")
        approval = done.json["approval"]["id"]
        self.assertEqual(reason(self.decide({**body, "context": {"approval": {"id": approval}}})), "permit")
        [again] = self.request(body)
        self.assertNotEqual(again["id"], made["id"])
        self.assertEqual(self.sign(again["id"], "lea", meaning=None).json["state"], "pending")
        self.assertEqual(self.sign(again["id"], "omar", "deny", note="Not now").json["state"], "denied")
        self.problem(self.sign(again["id"], "dora", meaning=None), 409, "conflict")

    def test_several_approvals_are_all_named_requested_and_presented(self):
        answer = self.decide(asks(order="O2"))
        templates = [one["template"] for one in answer.json["context"]["access_request"]["templates"]]
        self.assertEqual(sorted(templates), ["acme.shop.lead_ok", "acme.shop.owner_ok"])
        made = {one["template"]: one["id"] for one in self.request(asks(order="O2"))}
        self.assertEqual(sorted(made), sorted(templates))
        self.problem(self.sign(made["acme.shop.owner_ok"], "lea", meaning=None), 403, "not-approver")
        lead = self.sign(made["acme.shop.lead_ok"], "lea").json["approval"]["id"]
        self.assertEqual(reason(self.decide(asks(order="O2", approvals=[lead]))), "approval_required")
        owner = self.sign(made["acme.shop.owner_ok"], "boss", meaning=None).json["approval"]["id"]
        self.assertEqual(reason(self.decide(asks(order="O2", approvals=[lead, owner]))), "permit")
        self.assertEqual(reason(self.decide(asks(order="O2", approvals=[lead, owner]))), "approval_required")

    def test_asking_again_is_the_same_request_and_what_is_not_asked_is_none(self):
        [one] = self.request(asks())
        [two] = self.request(asks())
        self.assertEqual(one["id"], two["id"])
        [other] = self.request(asks(amount="9500.00 USD"))
        self.assertNotEqual(one["id"], other["id"])
        self.problem(self.call("POST", "/v1/access-requests", asks(amount="5.00 USD"), "gateway"), 409, "not-asked")
        self.problem(self.call("POST", "/v1/access-requests", asks("lea"), "gateway"), 409, "not-asked")
        self.problem(self.call("POST", "/v1/access-requests", {**asks(), "binding_token": "0" * 64}, "gateway"), 409, "conflict")
        self.problem(self.call("POST", "/v1/access-requests", asks(), "approver"), 403, "forbidden")
        self.problem(self.call("POST", "/v1/access-requests", {**asks(), "agent": "x"}, "gateway"), 400, "invalid-member")
        self.problem(self.call("GET", f"/v1/access-requests/{one['id']}", by="other-gateway"), 404, "not-found")

    def test_time_is_a_no(self):
        body = evaluation("raj", "hold")
        [made] = self.request(body)
        self.assertEqual(made["state"], "pending")
        while self.call("GET", f"/v1/access-requests/{made['id']}", by="auditor").json["state"] == "pending":
            pass
        self.assertEqual(self.call("GET", f"/v1/access-requests/{made['id']}", by="auditor").json["state"], "expired")
        self.problem(self.sign(made["id"], "lea", meaning=None), 409, "conflict")
        self.assertEqual(reason(self.decide(body)), "approval_required")

    def test_withdrawn_and_revoked(self):
        [made] = self.request(asks())
        self.problem(self.call("POST", f"/v1/access-requests/{made['id']}/withdraw", None, "other-gateway"), 404, "not-found")
        gone = self.call("POST", f"/v1/access-requests/{made['id']}/withdraw", {"because": "Found some"}, "gateway")
        self.assertEqual((gone.status, gone.json["state"]), (200, "cancelled"))
        self.problem(self.sign(made["id"]), 409, "conflict")
        [made] = self.request(asks())
        approval = self.sign(made["id"]).json["approval"]["id"]
        self.problem(self.call("POST", f"/v1/approvals/{approval}/revoke", {}, "approver"), 400, "invalid-member")
        revoked = self.call("POST", f"/v1/approvals/{approval}/revoke", {"because": "Wrong vendor"}, "approver")
        self.assertEqual((revoked.status, revoked.json["state"]), (200, "revoked"))
        self.assertEqual(reason(self.decide(asks(approvals=[approval]))), "revoked.approval")
        listed = self.call("GET", "/v1/approvals?state=revoked&approver=lea").json["items"]
        self.assertEqual([one["id"] for one in listed], [approval])

    def test_what_changed_since_is_not_signed(self):
        [made] = self.request(asks())
        changed = self.call("PATCH", "/v1/facts", {"upsert": {"resources": [
            {"type": "shop.Order", "id": "O1", "attributes": {"vendor": "Ink"}}]}})
        self.assertEqual(changed.status, 200, changed.body)
        self.assertIn("changed", self.problem(self.sign(made["id"]), 409, "not-asked"))
        [made] = self.request(asks())
        self.call("PATCH", "/v1/facts", {"remove": {"memberships": [{"role": "buyer", "member": "raj"}]}})
        self.assertIn("person.no_grant", self.problem(self.sign(made["id"]), 409, "not-asked"))

    def test_who_lost_the_role_meanwhile_does_not_count(self):
        body = evaluation("raj", "close")
        [made] = self.request(body)
        self.sign(made["id"], "lea", meaning=None)
        self.call("PATCH", "/v1/facts", {"remove": {"memberships": [{"role": "lead", "member": "lea"}]}})
        self.assertEqual(self.sign(made["id"], "dora", meaning=None).json["state"], "pending")
        self.assertEqual(self.sign(made["id"], "omar", meaning=None).json["state"], "approved")

    def test_everybody_at_once_is_one_approval_and_one_permit(self):
        body = evaluation("raj", "close")
        [made] = self.request(body)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda who: self.sign(made["id"], who, meaning=None), ["lea", "dora", "omar"] * 4))
        approved = [a.json for a in answers if a.status == 200 and a.json["state"] == "approved"]
        self.assertEqual(len({one["approval"]["id"] for one in approved}), 1)
        approval = approved[0]["approval"]["id"]
        self.assertEqual(len(self.call("GET", "/v1/approvals", by="auditor").json["items"]), 1)
        use = {**body, "context": {"approval": {"id": approval}}}
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(lambda _: reason(self.decide(use)), range(200)))
        self.assertEqual(outcomes.count("permit"), 1)
        self.assertEqual(outcomes.count("approval_required"), 199)

    def test_restarts_and_kills_in_the_middle(self):
        body = evaluation("raj", "close")
        [made] = self.request(body)
        self.restart(kill=True)
        self.assertEqual(self.sign(made["id"], "lea", meaning=None).json["state"], "pending")
        self.restart(kill=True)
        done = self.sign(made["id"], "dora", meaning=None)
        self.assertEqual(done.json["state"], "approved", done.body)
        approval = done.json["approval"]["id"]
        self.restart(kill=True)
        use = {**body, "context": {"approval": {"id": approval}}}
        self.assertEqual(reason(self.decide(use)), "permit")
        self.restart(kill=True)
        self.assertEqual(reason(self.decide(use)), "approval_required")
        kept = self.call("GET", f"/v1/access-requests/{made['id']}", by="auditor").json
        self.assertEqual([s["person"] for s in kept["signatures"]], ["lea", "dora"])

    def test_a_kill_at_any_moment_never_gives_two_permits(self):
        """Whatever was answered is there afterwards; what was not may be, once."""
        for round_ in range(6):
            [made] = self.request(asks(amount=f"{6000 + round_}.00 USD"))
            approval = self.sign(made["id"]).json["approval"]["id"]
            use = asks(amount=f"{6000 + round_}.00 USD", approvals=[approval])
            permits = 0
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                def one(_):
                    try:
                        return reason(self.decide(use))
                    except OSError:
                        return "cut off"
                    except Exception as error:  # http.client: an answer that stops in the middle
                        return f"cut off: {error!r}"
                results = [pool.submit(one, i) for i in range(8)]
                results[round_].result()
                self.dpld.stop(signal.SIGKILL)
                permits += sum(r.result() == "permit" for r in results)
            self.serve()
            after = reason(self.decide(use))
            self.assertLessEqual(permits + (after == "permit"), 1)
            self.assertEqual(reason(self.decide(use)), "approval_required")


class Consenting(WithAsk):
    def as_agent(self):
        return reason(self.decide(evaluation("ana", "read", agent="assistant", instance="i1")))

    def consents(self):
        return [(c["person"], c["state"]) for c in self.call("GET", "/v1/consents?person=ana").json["items"]]

    def test_given_withdrawn_and_kept(self):
        self.assertEqual(self.as_agent(), "delegation.consent_missing")
        given = self.call("POST", "/v1/consents", {"delegation": "assist", "person": "ana"}, "approver")
        self.assertEqual((given.status, given.json["state"]), (201, "live"), given.body)
        self.assertEqual(self.as_agent(), "permit")
        self.restart(kill=True)
        self.assertEqual(self.as_agent(), "permit")
        self.assertEqual(self.consents(), [("ana", "live")])
        self.assertEqual(self.call("POST", "/v1/consents/withdraw", {"delegation": "assist", "person": "ana"}).status, 200)
        self.assertEqual(self.as_agent(), "delegation.consent_missing")
        self.restart(kill=True)
        self.assertEqual(self.as_agent(), "delegation.consent_missing")
        self.assertEqual(self.consents(), [("ana", "withdrawn")])

    def test_only_the_person(self):
        give = {"delegation": "assist", "person": "ana"}
        self.problem(self.call("POST", "/v1/consents", give, "raj"), 403, "forbidden")
        self.problem(self.call("POST", "/v1/consents", give, "weak-operator"), 403, "forbidden")
        self.problem(self.call("POST", "/v1/consents", give, "gateway"), 403, "forbidden")
        self.problem(self.call("POST", "/v1/consents", {"delegation": "assist"}, "approver"), 400, "invalid-member")
        self.problem(self.call("POST", "/v1/consents", {"delegation": "asist", "person": "ana"}, "approver"), 422, "unknown-name")
        self.assertEqual(self.call("POST", "/v1/consents", {"delegation": "assist"}, "raj").json["person"], "raj")

    def test_a_wider_delegation_needs_another_yes(self):
        self.call("POST", "/v1/consents", {"delegation": "assist", "person": "ana"}, "approver")
        self.world.policy(WIDER)
        self.reload()
        self.assertEqual(self.as_agent(), "delegation.consent_missing")
        self.assertEqual(self.consents(), [("ana", "outgrown")])
        self.call("POST", "/v1/consents", {"delegation": "assist", "person": "ana"}, "approver")
        self.assertEqual(self.as_agent(), "permit")


class Reviewing(WithAsk):
    def open(self, ticket="INC-1"):
        body = evaluation("raj", "hold", "O3", context={
            "break_glass": {"name": "urgent", "reason": "outage", "ticket": ticket},
            "supported_mandatory_extensions": ["obligations"], "supported_obligations": ["notification"]})
        return reason(self.decide(body))

    def test_an_opening_is_reviewed_by_whom_the_policy_names(self):
        with_duty = json.loads((self.world.folder / "dpld.json").read_text())
        with_duty["callers"][0]["duties"] = ["notify"]
        (self.world.folder / "dpld.json").write_text(json.dumps(with_duty))
        self.restart()
        self.assertEqual(self.open(), "approval_required")  # a door lifts forbids; what is asked is asked
        self.world.policy(POLICY.replace(", ask quick_ok", ""))
        self.reload()
        self.assertEqual(self.open(), "permit")
        [opening] = self.call("GET", "/v1/openings?state=due", by="auditor").json["items"]
        self.assertEqual((opening["person"], opening["reason"], opening["ticket"], opening["uses"]), ("raj", "outage", "INC-1", 1))
        self.restart(kill=True)
        path = f"/v1/openings/{opening['id']}/review"
        self.problem(self.call("POST", path, {"person": "raj", "note": "Fine"}), 403, "not-approver")
        self.problem(self.call("POST", path, {"person": "lea", "note": "Fine"}), 403, "not-approver")
        self.problem(self.call("POST", path, {"person": "boss"}), 400, "invalid-member")
        done = self.call("POST", path, {"person": "boss", "note": "Justified"})
        self.assertEqual((done.status, done.json["state"], done.json["review"]["person"]), (200, "reviewed", "boss"), done.body)
        self.restart(kill=True)
        self.assertEqual(self.call("GET", f"/v1/openings/{opening['id']}", by="auditor").json["state"], "reviewed")
        self.assertEqual(self.open(), "permit")  # used again: to be looked at again
        [again] = self.call("GET", "/v1/openings?state=due", by="auditor").json["items"]
        self.assertEqual(again["uses"], 2)


if __name__ == "__main__":
    unittest.main()
