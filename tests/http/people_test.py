#!/usr/bin/env python3
"""Partners and people who act for people, over HTTP: what the wire says of whom, and from whom it counts."""

import hashlib
import json
import tempfile
import unittest
from pathlib import Path

from dpld import Dpld, build

GLOBEX = "https://id.globex.example"
OURS = "https://id.acme.example"
HELPER = "spiffe://acme.example/agent/helper"

POLICY = """
package acme.office owned by team staff
granted 2026-01-01
review every 3650d
person { key id: string }
team staff { owner person "boss" }
team desk { owner person "boss" }
system app { owner team staff }
resource Doc in app { has shared: bool = false  can read, write }
partner globex {
  issuer  "https://id.globex.example"
  accepts agents
  may     read on app.Doc
  because "Joint research agreement"
  expires 2036-12-31
}
grant joint { to partner globex  may read on app.Doc where resource.shared  because "Joint papers" }
grant work { to team staff  may read, write on app.Doc  because "Staff do the work" }
agent helper {
  accountable person "boss"
  purpose "Reads for people"
  runs as spiffe "spiffe://acme.example/agent/helper"
  may     read on app.Doc
  lives   at most 8h
}
delegation leave {
  from    team staff
  to      team desk
  may     read on app.Doc
  onward  to agent helper, at most 1 hop
  consent by policy
  because "Cover during leave"
}
"""
FACTS = {
    "persons": [{"id": "boss"}, {"id": "mike"}, {"id": "sarah"}, {"id": "ana"}],
    "teams": {"staff": ["boss", "mike", "ana"], "desk": ["sarah"]},
    "resources": [{"type": "app.Doc", "id": "D1", "attributes": {"shared": True}}, {"type": "app.Doc", "id": "D2"}],
    "handoffs": [{"from": {"person": "sarah"}, "to": {"agent": "helper", "instance": "run-1"}}],
}


def body(subject, document="D1", action="read", **properties):
    kind, name = subject
    asked = {"type": kind, "id": name}
    if properties:
        asked["properties"] = properties
    return {"subject": asked, "action": {"name": action}, "resource": {"type": "app.Doc", "id": document}}


class Served(unittest.TestCase):
    CALLER = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="dpl-people-")
        folder = Path(cls.folder.name)
        (folder / "policy.dpl").write_text(POLICY)
        (folder / "facts.json").write_text(json.dumps(FACTS))
        arguments = ["--bundle", build(folder / "policy.dpl", folder / "policy.dplb"), "--facts", folder / "facts.json"]
        cls.headers = {}
        if cls.CALLER is not None:
            caller = {"name": "gateway", "token_sha256": hashlib.sha256(b"secret").hexdigest(), "details": True, **cls.CALLER}
            (folder / "dpld.json").write_text(json.dumps({"callers": [caller]}))
            arguments += ["--config", folder / "dpld.json"]
            cls.headers = {"Authorization": "Bearer secret"}
        cls.dpld = Dpld(*arguments)

    @classmethod
    def tearDownClass(cls):
        code = cls.dpld.stop()
        cls.folder.cleanup()
        assert code == 0, code

    def says(self, asked, reason):
        answer = self.dpld.ask(asked, self.headers)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json["context"]["reason"], reason, answer.json)
        self.assertIs(answer.json["decision"], reason == "permit")
        return answer.json["context"]["dpl"].get("who")


class Development(Served):
    def test_a_partner_by_type_or_by_issuer(self):
        for asked in (body(("partner:globex", "ana")), body(("partner:acme.office.globex", "ana"), iss=GLOBEX),
                      body(("user", "ana"), iss=GLOBEX), body(("person", "ana"), iss=GLOBEX)):
            with self.subTest(asked=asked):
                self.assertEqual(self.says(asked, "permit"),
                                 {"mode": "partner", "partner": "acme.office.globex", "subject": "ana"})

    def test_a_foreign_name_is_not_ours(self):
        # `ana` is one of our staff as well, who may read D2; Globex' ana may not.
        self.says(body(("person", "ana"), "D2"), "permit")
        self.says(body(("person", "ana"), "D2", iss=GLOBEX), "person.no_grant")
        self.says(body(("partner:globex", "ana"), iss=OURS), "identity.unknown")

    def test_a_partners_agents(self):
        who = self.says(body(("partner:globex", "ana"), act={"sub": "bot", "iss": GLOBEX}), "permit")
        self.assertEqual(who["partner_agent"], "bot")
        self.says(body(("partner:globex", "ana"), act={"sub": "bot", "act": {"sub": "planner"}}), "delegation.depth")
        self.says(body(("partner:globex", "ana"), act={"sub": HELPER, "iss": OURS}), "identity.chain_mismatch")
        self.says(body(("person", "mike"), act={"sub": HELPER, "iss": GLOBEX}), "identity.unknown")

    def test_people_for_people(self):
        for act in ({"sub": "sarah", "sub_profile": "user"}, {"sub": "sarah", "type": "person"}):
            who = self.says(body(("person", "mike"), act=act), "permit")
            self.assertEqual((who["mode"], who["person"], who["deputy"]), ("on_behalf_of", "mike", "sarah"))
        self.says(body(("person", "mike"), action="write", act={"sub": "sarah", "sub_profile": "user"}), "delegation.none")
        self.says(body(("person", "mike"), act={"sub": "ana", "sub_profile": "user"}), "delegation.none")
        # Not marked as a person, she is looked for among the agents.
        self.says(body(("person", "mike"), act={"sub": "sarah"}), "identity.unknown")

    def test_an_agent_after_a_person(self):
        act = {"sub": HELPER, "instance": "run-1", "act": {"sub": "sarah", "sub_profile": "user"}}
        who = self.says(body(("person", "mike"), act=act), "permit")
        self.assertEqual((who["deputy"], who["agent"]), ("sarah", "acme.office.helper"))
        self.assertEqual([sorted(link)[-1] for link in who["chain"]], ["person", "ok"])
        self.says(body(("person", "mike"), act={**act, "instance": "run-2"}), "identity.chain_mismatch")

    def test_an_issuer_that_cannot_be_read(self):
        for wrong in (7, "", ["x"]):
            answer = self.dpld.ask(body(("person", "mike"), iss=wrong), self.headers)
            self.assertEqual(answer.status, 400, answer.body)
        answer = self.dpld.ask(body(("person", "mike"), act={"sub": HELPER, "iss": 7}), self.headers)
        self.assertEqual(answer.status, 400, answer.body)


class Registered(Served):
    CALLER = {"serves_persons": True, "asserts_actors": True, "asserts_instances": True,
              "partners": ["acme.office.globex"], "issuers": [OURS]}

    def test_issuers_it_is_registered_for(self):
        self.says(body(("person", "mike"), "D2", iss=OURS), "permit")
        self.says(body(("person", "ana"), iss=GLOBEX), "permit")
        self.says(body(("person", "mike"), "D2", iss="https://elsewhere.example"), "identity.unknown")
        self.says(body(("person", "mike"), act={"sub": "sarah", "sub_profile": "user", "iss": OURS}), "permit")
        self.says(body(("person", "mike"), act={"sub": "sarah", "sub_profile": "user", "iss": "https://elsewhere.example"}),
                  "identity.unknown")


class Unregistered(Served):
    CALLER = {"asserts_actors": True, "asserts_instances": True}

    def test_nothing_is_assumed(self):
        self.says(body(("partner:globex", "ana")), "identity.unknown")
        self.says(body(("person", "mike"), iss=OURS), "identity.unknown")
        self.says(body(("person", "mike"), act={"sub": "sarah", "sub_profile": "user"}), "agent.actor_missing")


if __name__ == "__main__":
    unittest.main()
