#!/usr/bin/env python3
"""docs/openapi.json is the API: held equal to the server's table of routes, and a client that knows nothing else drives a server with it.

DPL_API_STEPS (1200) and DPL_API_SEED (1) say how long and which; `./dev test --full` takes many more."""

import json
import os
import random
import re
import unittest
import urllib.parse
from pathlib import Path

from json_schema import Schemas
from operate_test import ROLE_OF, ROUTE, soon
from operate_world import CALLERS, EMERGENCY, FACTS, World, evaluation, token

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text())
STEPS = int(os.environ.get("DPL_API_STEPS", "1200"))
SEED = int(os.environ.get("DPL_API_SEED", "1"))
EPISODE = 60  # calls of one server: then so much is revoked that little is left to see
SCHEMAS = Schemas(DOCUMENT)
# What documents of facts hold is docs/facts.md's to say; these leave the world as it is.
FACTS_BODIES = {"ReplaceFacts": [FACTS, {**FACTS, "version": "world-2"}, {**FACTS, "persons": [{"id": 7}]}],
                "ChangeFacts": [{"upsert": {"persons": [{"id": "zoe"}]}}, {"surprise": 1}]}


class Operation:
    def __init__(self, method, path, entry):
        self.method, self.path, self.entry = method.upper(), path, entry
        self.tag = entry["tags"][0]
        self.name, self.roles = entry["operationId"], set(entry["x-roles"])
        self.parameters = entry.get("parameters", [])
        self.body = entry.get("requestBody")
        self.media, self.schema = None, None
        if self.body:
            ((self.media, content),) = self.body["content"].items()
            self.schema = content["schema"]

    def answer(self, status):
        """(media type, schema) of an answer with this status; None: the document has no such answer."""
        entry = self.entry["responses"].get(str(status))
        if entry is None:
            return None
        ((media, content),) = SCHEMAS.resolve(entry)["content"].items()
        return media, content["schema"]


def operations():
    return [Operation(method, path, entry) for path, methods in DOCUMENT["paths"].items() for method, entry in methods.items()]


class Document(unittest.TestCase):
    def test_it_has_the_servers_routes_and_no_others(self):
        rows = {}
        for method, path, roles, body, query, function in ROUTE.findall((ROOT / "server/operate/routes.def").read_text()):
            rows[function] = (method, path, {r.lower() for r in re.findall(r"Role::k(\w+)", roles)}, body != "kNone",
                              body != "kOptional", set(query.split()))
        told = {}
        for op in operations():
            told[op.name] = (op.method, op.path, op.roles, op.body is not None, not op.body or op.body["required"],
                             {p["name"] for p in op.parameters if p["in"] == "query"})
        self.assertEqual(told, rows)

    def test_the_problems_are_those_of_the_server(self):
        rows = re.findall(r'DPL_PROBLEM\(\w+, "([^"]+)", (\d+),\s*"([^"]+)"\)', (ROOT / "server/operate/problems.def").read_text())
        self.assertGreater(len(rows), 10)
        told = DOCUMENT["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
        self.assertEqual(told, ["about:blank"] + [f"urn:dpl:problem:{slug}" for slug, _, _ in rows])
        page = (ROOT / "docs/operate.md").read_text()
        self.assertEqual(re.findall(r"^\| `([\w-]+)` \| (\d+) \| (.+) \|$", page, re.M), rows)

    def test_paths_name_their_parameters_and_every_reference_is_there(self):
        for op in operations():
            self.assertEqual(re.findall(r"\{(\w+)\}", op.path), [p["name"] for p in op.parameters if p["in"] == "path"], op.path)
            for status in op.entry["responses"]:
                self.assertIsNotNone(op.answer(int(status)))
        used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
        self.assertEqual(used, set(DOCUMENT["components"]["schemas"]), "schemas used, and schemas there are")

    def test_the_checker_of_this_test_notices(self):
        task = {"id": "t", "shape": "s", "args": {}, "opened": "2026-01-01T00:00:00Z", "state": "open"}
        schema = {"$ref": "#/components/schemas/Task"}
        self.assertEqual(SCHEMAS.errors(schema, task), [])
        for change in ({"state": "shut"}, {"opened": "today"}, {"args": {"a": 1}}, {"surprise": 1}, {"id": None}):
            self.assertNotEqual(SCHEMAS.errors(schema, {**task, **change}), [], change)
        self.assertNotEqual(SCHEMAS.errors(schema, {k: v for k, v in task.items() if k != "id"}), [])
        with self.assertRaises(AssertionError):
            SCHEMAS.errors({"multipleOf": 2}, 4)


class Client:
    """Walks about the API by the document alone. What answers named before is what it asks for next."""

    def __init__(self, test, world, number):
        self.test, self.random = test, random.Random(f"{SEED}/{number}")
        self.dpld = world.serve(state=f"state-{number}")
        self.seen = {}  # name of a member -> values that answers had for it
        self.epoch = 0
        self.answered = {}  # operation -> statuses

    def prime(self):
        """So that there is something to see: a door opened, a request made, another one approved."""
        self.test.assertTrue(self.decide("ana", "purge", "O2", context=EMERGENCY)[0])
        for person in ("ana", "raj"):
            question = {"subject": {"type": "person", "id": person}, "action": {"name": "close"}, "resource": {"type": "shop.Order", "id": "O1"}}
            made = self.dpld.operate("POST", "/v1/access-requests", question, token("gateway"))
            self.test.assertEqual(made.status, 201, made.body)
            self.learn(made.json, "access requests")
        path = f"/v1/access-requests/{made.json['access_requests'][0]['id']}/sign"
        signed = self.dpld.operate("POST", path, {"verdict": "approve", "meaning": "I agree to close"}, token("boss"))
        self.test.assertEqual(signed.json["state"], "approved", signed.body)
        task = {"id": "primed", "shape": "settle", "agent": "assistant", "args": {"orders": ["O1"], "budget": "9.00 USD", "urgent": False}}
        opened = self.dpld.operate("POST", "/v1/tasks", {**task, "person": "raj"}, token("raj"))
        self.learn(opened.json, "tasks")
        self.dpld.operate("POST", "/v1/consents", {"delegation": "cover"}, token("raj"))
        self.decide("raj", agent="assistant", instance="r1")
        self.learn(self.get("/v1/instances"), "instances")
        self.learn(self.get("/v1/approvals"), "approvals")
        self.learn(self.get("/v1/openings"), "openings")

    def pool(self, name):
        return self.seen.get(name, [])

    def learn(self, value, tag, name=""):
        if isinstance(value, dict):
            for member, part in value.items():
                # An id in a path is that of a thing of this theme, not of something it mentions.
                self.learn(part, tag if member != "id" or "state" in value else "", member)
        elif isinstance(value, list):
            for part in value:
                self.learn(part, tag, name)
        elif name:
            for key in (name, f"{tag}/{name}"):
                if value not in self.seen.setdefault(key, []):
                    self.seen[key] = (self.seen[key] + [value])[-20:]

    def step(self, ops):
        # Changes more often than reads: there is less to see in one of them.
        op = self.random.choices(ops, [1 if op.method == "GET" else 3 for op in ops])[0]
        # Mostly somebody who may; now and then anybody, a stranger or nobody.
        able = [name for name, members in CALLERS.items() if op.roles & set(members["roles"])]
        caller = self.random.choice(able) if self.random.random() < 0.85 else self.random.choice(list(CALLERS) + ["stranger", None])
        path, query, valid = op.path, [], True
        for parameter in op.parameters:
            if parameter["in"] == "header" or (parameter["in"] == "query" and self.random.random() < 0.7):
                continue
            name = f"{op.tag}/{parameter['name']}" if parameter["in"] == "path" else parameter["name"]
            value = self.make(parameter["schema"], name)
            if self.random.random() < 0.08:
                value = self.random.choice(["", "\n", "-1", "x" * 600, "€" * 600, "€" * 500, "%", "é" * 9, "\u0085", "0"])
            bad = bool(SCHEMAS.errors(parameter["schema"], self.typed(parameter["schema"], value)))
            if parameter["in"] == "path":
                if value == "":
                    value = "\n"  # without it, it would be another path
                path = path.replace("{%s}" % parameter["name"], urllib.parse.quote(str(value), safe=""))
            else:
                query.append((parameter["name"], value))
            valid = valid and not bad
        if self.random.random() < 0.03:
            query.append(("surprise", "1"))
            valid = False
        body, headers = None, {}
        if op.schema is not None:
            value = self.random.choice(FACTS_BODIES[op.name]) if op.name in FACTS_BODIES else self.make(op.schema, "")
            if self.random.random() < 0.3:
                bad = SCHEMAS.spoil(op.schema, value, self.random)
                if bad is not None:
                    value, valid = bad, False
            body = json.dumps(value)
            headers["Content-Type"] = op.media
            chance = self.random.random()
            if chance < 0.03:
                broken = self.random.choice(["", "{", "null", body[:-1], body + "x", '{"a":1,"a":2}', "\ufeff" + body])
                valid = broken == "" and not op.body["required"]
                body = broken.encode()
            elif chance < 0.05:
                headers["Content-Type"], valid = "text/plain", False
        elif self.random.random() < 0.03 and op.method != "GET":
            body, valid = "{}", False
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        answer = self.dpld.operate(op.method, target, body, token(caller) if caller else None, headers)
        self.check(op, caller, valid, answer, f"{op.method} {target} {body} as {caller}: {answer.status} {answer.body[:600]}")

    def make(self, schema, name):
        return SCHEMAS.make(schema, self.random, self.pool, name)

    @staticmethod
    def typed(schema, value):
        if SCHEMAS.resolve(schema).get("type") == "integer":
            return int(value) if re.fullmatch(r"-?\d+", str(value)) else value
        return value

    def check(self, op, caller, valid, answer, told):
        test = self.test
        self.answered.setdefault(op.name, {}).setdefault(answer.status, 0)
        self.answered[op.name][answer.status] += 1
        test.assertLess(answer.status, 500, told)
        known = op.answer(answer.status)
        test.assertIsNotNone(known, f"no such status in the document: {told}")
        test.assertEqual(answer.headers["content-type"], known[0], told)
        value = answer.json
        test.assertEqual(SCHEMAS.errors(known[1], value), [], told)
        if answer.status >= 400:
            test.assertEqual(value["status"], answer.status, told)
        roles = set(CALLERS[caller]["roles"]) if caller in CALLERS else None
        if roles is None:
            return test.assertEqual(answer.status, 401, told)
        test.assertNotEqual(answer.status, 401, told)
        if not roles & op.roles:
            return test.assertEqual(answer.status, 403, told)
        if not valid:
            return test.assertGreaterEqual(answer.status, 400, f"taken although it does not fit: {told}")
        if answer.status < 300:
            if "epoch" in value:
                test.assertGreaterEqual(value["epoch"], self.epoch, told)
                self.epoch = value["epoch"]
            self.learn(value, op.tag)
            if op.method != "GET":
                self.follow(op, answer.status, value, told)

    def get(self, path):
        answer = self.dpld.operate("GET", path, None, token("auditor"))
        self.test.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def all(self, path):
        items, cursor = [], ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=1000{cursor}")
            items += page["items"]
            if "next" not in page:
                return items
            cursor = f"&cursor={page['next']}"

    def decide(self, *arguments, **how):
        answer = self.dpld.ask(evaluation(*arguments, **how), {"Authorization": f"Bearer {token('gateway')}"})
        self.test.assertEqual(answer.status, 200, answer.body)
        self.learn({"state": "open", "id": answer.json["context"]["dpl"].get("reservation", {}).get("id", 1)}, "reservations")
        return answer.json["decision"], answer.json["context"]["dpl"]["versions"]["epoch"]

    def follow(self, op, status, value, told):
        """What was changed is seen by the next read and the next decision."""
        test = self.test
        if "epoch" in value:
            test.assertGreaterEqual(self.get("/v1/epoch")["epoch"], value["epoch"], told)
            test.assertGreaterEqual(self.decide("ana")[1], value["epoch"], told)
        if op.name in ("OpenTask", "CloseTask"):
            task = value["task"]
            test.assertEqual(self.get("/v1/tasks/" + urllib.parse.quote(task["id"], safe=""))["task"], task, told)
            if task["state"] != "open" and task.get("agent") == "acme.shop.assistant":
                test.assertFalse(self.decide(task["person"], agent="assistant", instance="t-run", task=task["id"])[0], told)
        elif op.name == "RecordHandoff":
            test.assertIn(value["handoff"], self.all("/v1/handoffs"), told)
        elif op.name == "Revoke":
            revoked = value["revocation"]
            test.assertIn(revoked, self.all("/v1/revocations"), told)
            if "before" not in revoked:
                if revoked["kind"] == "person":
                    test.assertFalse(self.decide(revoked["name"])[0], told)
                if revoked["kind"] in ("agent", "delegation") and revoked["name"] in ("acme.shop.assistant", "acme.shop.assist"):
                    test.assertFalse(self.decide("ana", agent="assistant", instance="fresh")[0], told)
        elif op.name in ("ConfirmReservation", "CancelReservation"):
            reservation = value["reservation"]
            test.assertNotEqual(reservation["state"], "open", told)
            test.assertEqual(self.get(f"/v1/reservations/{reservation['id']}"), reservation, told)


class Driven(unittest.TestCase):
    def test_the_server_keeps_to_its_document(self):
        ops, answered, world = operations(), {}, World()
        self.addCleanup(world.cleanup)

        def walk(number, steps, choose):
            client = Client(self, world, number)
            try:
                client.prime()
                for step in range(steps):
                    if step % 6 == 0:  # more runs, reservations, counters
                        client.decide("raj", "approve", "O1", agent="assistant", instance=f"r{step % 4}", amount="10.00 USD", note="n")
                    if not choose(client):
                        break
                    client.step(choose(client))
            except AssertionError as failed:
                raise AssertionError(f"DPL_API_SEED={SEED}, episode {number}: {failed}") from failed
            finally:
                self.assertEqual(client.dpld.stop(), 0)
            for name, statuses in client.answered.items():
                for status, count in statuses.items():
                    answered.setdefault(name, {}).setdefault(status, 0)
                    answered[name][status] += count

        episodes = max(1, STEPS // EPISODE)
        for number in range(episodes):
            walk(number, EPISODE, lambda client: ops)
        # Whatever was only refused so far is tried until it is done once: the walk has been everywhere.
        def tame(client=None):
            told = client.answered if client else {}
            return [op for op in ops if not any(status < 300 for part in (answered, told) for status in part.get(op.name, {}))]
        walk(episodes, 3000, tame)
        if os.environ.get("DPL_API_REPORT"):
            for name, statuses in sorted(answered.items()):
                print(f"{name:24}", dict(sorted(statuses.items())))
        self.assertEqual([op.name for op in tame()], [], answered)


if __name__ == "__main__":
    unittest.main()
