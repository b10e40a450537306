#!/usr/bin/env python3
"""The interoperability scenarios of the OpenID AuthZEN working group, every question of them, over HTTP: the todo application, single and
boxcarred with each semantic; the API gateway before it; searches, in pages of every size. What must come out is told here once more, in
Python, from the scenarios' rules."""

import itertools
import json
import tempfile
import unittest
from pathlib import Path

from dpld import EVALUATION, EVALUATIONS, ROOT, Dpld, build

PEOPLE = {  # key, address and roles
    "rick": ("CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "rick@the-citadel.com", {"admin", "evil_genius"}),
    "morty": ("CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "morty@the-citadel.com", {"editor"}),
    "summer": ("CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "summer@the-smiths.com", {"editor"}),
    "beth": ("CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "beth@the-smiths.com", {"viewer"}),
    "jerry": ("CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "jerry@the-smiths.com", {"viewer"}),
}
EDITS = {"admin", "evil_genius", "editor"}  # who has the role `editor`, directly or by another
SEMANTICS = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}


class Scenario(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="dpl-interop-")
        cls.facts = cls.facts_of(json.loads((ROOT / cls.STORY / "facts.json").read_text()))
        (Path(cls.folder.name) / "facts.json").write_text(json.dumps(cls.facts))
        cls.dpld = Dpld("--bundle", build(ROOT / cls.STORY, Path(cls.folder.name) / "policy.dplb"), "--facts", Path(cls.folder.name) / "facts.json")

    @classmethod
    def facts_of(cls, facts):
        return facts

    @classmethod
    def tearDownClass(cls):
        code = cls.dpld.stop()
        cls.folder.cleanup()
        assert code == 0, code

    def decide(self, body):
        answer = self.dpld.post(EVALUATION, body, {"X-Request-ID": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"})
        self.assertEqual((answer.status, answer.headers["x-request-id"]), (200, "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"), answer.body)
        return answer.json["decision"]


class Todo(Scenario):
    STORY = "policies/translated/interop-todo"

    @classmethod
    def facts_of(cls, facts):
        roles = sorted(set().union(*(roles for _, _, roles in PEOPLE.values())))
        return {"persons": [{"id": key, "attributes": {"email": address}} for key, address, _ in PEOPLE.values()] + [{"id": "rick"}],
                "roles": [{"role": role, "members": [key for key, _, held in PEOPLE.values() if role in held]} for role in roles]}

    @staticmethod
    def may(who, action, owner):
        _, address, roles = PEOPLE[who]
        own = address == owner and bool(roles & EDITS)
        return {"can_read_user": True, "can_read_todos": True, "can_create_todo": bool(roles & EDITS),
                "can_update_todo": own or "evil_genius" in roles, "can_delete_todo": own or "admin" in roles}[action]

    def body(self, who, action, owner=None):
        resource = {"type": "user", "id": "beth@the-smiths.com"} if action == "can_read_user" else {"type": "todo", "id": "7240d0db-8ff0-41ec-98b2-34a096273b9f"}
        if owner is not None:
            resource["properties"] = {"ownerID": owner}
        return {"subject": {"type": "user", "id": PEOPLE[who][0]}, "action": {"name": action}, "resource": resource, "context": {}}

    def test_every_question(self):
        asked = 0
        for who, action, owner in itertools.product(PEOPLE, ("can_read_user", "can_read_todos", "can_create_todo", "can_update_todo", "can_delete_todo"),
                                                    (None, *(address for _, address, _ in PEOPLE.values()))):
            self.assertIs(self.decide(self.body(who, action, owner)), self.may(who, action, owner), (who, action, owner))
            asked += 1
        self.assertEqual(asked, 150)

    def test_boxcarred(self):
        owners = [address for _, address, _ in PEOPLE.values()]
        for who, (semantic, last) in itertools.product(PEOPLE, SEMANTICS.items()):
            body = {"subject": {"type": "user", "id": PEOPLE[who][0]}, "action": {"name": "can_update_todo"}, "resource": {}, "context": {},
                    "options": {"evaluations_semantic": semantic},
                    "evaluations": [{"resource": {"type": "todo", "id": f"t{n}", "properties": {"ownerID": owner}}} for n, owner in enumerate(owners)]}
            want = [self.may(who, "can_update_todo", owner) for owner in owners]
            if last in want:
                want = want[:want.index(last) + 1]
            answer = self.dpld.post(EVALUATIONS, body)
            self.assertEqual([item["decision"] for item in answer.json["evaluations"]], want, (who, semantic))

    def test_the_gateway(self):
        def may(who, method, route):
            if method == "GET":
                return route in ("/users/{userId}", "/todos")
            return bool(PEOPLE[who][2] & EDITS) and route == ("/todos" if method == "POST" else "/todos/{todoId}") and method in ("POST", "PUT", "DELETE")
        for who, method, route in itertools.product(PEOPLE, ("GET", "POST", "PUT", "DELETE", "PATCH"),
                                                    ("/users/{userId}", "/todos", "/todos/{todoId}", "/admin")):
            body = {"subject": {"type": "identity", "id": PEOPLE[who][0]}, "action": {"name": method},
                    "resource": {"type": "route", "id": route, "properties": {"uri": "https://todo.example" + route, "ip": "10.0.0.1"}}, "context": {}}
            self.assertIs(self.decide(body), may(who, method, route), (who, method, route))


class Search(Scenario):
    STORY = "policies/translated/interop-search"
    ACTIONS = ("view", "edit", "delete")

    def setUp(self):
        self.people = {p["id"]: p["attributes"]["department"] for p in self.facts["persons"]}
        self.records = {r["id"]: (r["attributes"]["department"], r["attributes"]["owner"]) for r in self.facts["resources"]}
        self.managers = set(self.facts["roles"][0]["members"])
        self.assertEqual((len(self.people), len(self.records), self.managers), (6, 20, {"alice", "dan"}))

    def may(self, who, action, record):
        department, owner = self.records[record]
        same, manager = self.people[who] == department, who in self.managers
        return {"view": who == owner or same or manager, "edit": who == owner or (same and manager), "delete": who == owner}[action]

    def search(self, kind, limit=None, **parts):
        body, results, token = {name: part for name, part in parts.items() if part is not None}, [], None
        while True:
            if limit or token:
                body["page"] = {"token": token} if token else {"limit": limit}
            answer = self.dpld.post(f"/access/v1/search/{kind}", body)
            self.assertEqual(answer.status, 200, answer.body)
            page = answer.json["page"]
            self.assertLessEqual(len(answer.json["results"]), limit or 100)
            results += answer.json["results"]
            token = page["next_token"]
            if not token:
                return results

    def each_way(self, want, kind, **parts):
        for limit in (None, 1, 2, 7):
            self.assertEqual(self.search(kind, limit, **parts), want, (kind, limit, parts))

    def test_who_may_do_it(self):
        for record, action in itertools.product(self.records, self.ACTIONS):
            want = [{"type": "user", "id": who} for who in sorted(self.people) if self.may(who, action, record)]
            self.each_way(want, "subject", subject={"type": "user"}, action={"name": action}, resource={"type": "record", "id": record})

    def test_what_they_reach(self):
        for who, action in itertools.product(self.people, self.ACTIONS):
            want = [{"type": "record", "id": record} for record in sorted(self.records) if self.may(who, action, record)]
            self.each_way(want, "resource", subject={"type": "user", "id": who}, action={"name": action}, resource={"type": "record"})

    def test_what_they_may_do(self):
        for who, record in itertools.product(self.people, self.records):
            want = [{"name": action} for action in sorted(self.ACTIONS) if self.may(who, action, record)]
            self.each_way(want, "action", subject={"type": "user", "id": who}, resource={"type": "record", "id": record})

    def test_every_result_is_a_permit_and_nothing_else_is(self):
        for who, action, record in itertools.product(self.people, self.ACTIONS, self.records):
            self.assertIs(self.decide({"subject": {"type": "user", "id": who}, "action": {"name": action}, "resource": {"type": "record", "id": record}}),
                          self.may(who, action, record), (who, action, record))

    def test_what_nobody_knows_gives_no_results(self):
        someone, view, some = {"type": "user", "id": "alice"}, {"name": "view"}, {"type": "record", "id": "101"}
        for kind, parts in (("subject", (None, {"name": "fly"}, some)), ("subject", ({"type": "spaceship"}, view, some)),
                            ("subject", (None, view, {"type": "spaceship", "id": "1"})), ("resource", ({"type": "user", "id": "zoe"}, view, None)),
                            ("subject", (None, view, {"type": "record", "id": "999"})), ("action", (someone, None, {"type": "record", "id": "999"})),
                            ("resource", (someone, {"name": "fly"}, None)), ("resource", (someone, view, {"type": "spaceship"})),
                            ("action", ({"type": "user", "id": "zoe"}, None, some)), ("action", (someone, None, {"type": "spaceship", "id": "1"}))):
            subject, action, resource = parts
            self.each_way([], kind, subject=subject or {"type": "user"}, action=action, resource=resource or {"type": "record"})


if __name__ == "__main__":
    unittest.main()
