#!/usr/bin/env python3
"""docs/authzen.openapi.json is the decision API: held equal to the server's list of routes, and a client that knows nothing else drives a
server with it.

DPL_AUTHZEN_STEPS (600) and DPL_AUTHZEN_SEED (1) say how long and which; `./dev test --full` takes many more."""

import collections
import json
import os
import random
import re
import unittest

from dpld import ROOT, FixtureServed
from json_schema import Schemas

DOCUMENT = json.loads((ROOT / "docs/authzen.openapi.json").read_text())
SCHEMAS = Schemas(DOCUMENT)
STEPS = int(os.environ.get("DPL_AUTHZEN_STEPS", "600"))
SEED = int(os.environ.get("DPL_AUTHZEN_SEED", "1"))


def operations():
    return [(method.upper(), path, entry) for path, methods in DOCUMENT["paths"].items() for method, entry in methods.items()]


def answer_of(entry, status):
    """(media type, schema) of an answer with this status; None: the document has none."""
    told = entry["responses"].get(str(status))
    if told is None:
        return None
    ((media, content),) = SCHEMAS.resolve(told)["content"].items()
    return media, content["schema"]


def schema_of(entry):
    return entry["requestBody"]["content"]["application/json"]["schema"]


class Document(unittest.TestCase):
    def test_it_has_the_servers_routes_and_no_others(self):
        rows = re.findall(r'^DPL_DECISION_ROUTE\((\w+), "(\w+)", "([^"]+)", "([^"]*)"\)', (ROOT / "server/api/routes.def").read_text(), re.M)
        self.assertGreaterEqual(len(rows), 9)
        self.assertEqual([(entry["operationId"], method, path) for method, path, entry in operations()], [row[:3] for row in rows])
        told = set(DOCUMENT["components"]["schemas"]["Metadata"]["required"])
        self.assertEqual({row[3] for row in rows if row[3]} | {"policy_decision_point", "capabilities"}, told)
        page = (ROOT / "docs/api.md").read_text()
        for _, path, entry in operations():
            self.assertIn(path if entry["tags"] != ["searches"] else "/" + path.rsplit("/", 1)[1], page)

    def test_its_reasons_are_the_catalogue(self):
        codes = re.findall(r'^DPL_REASON\(\w+,\s*"([^"]+)"', (ROOT / "runtime/decide/reasons.def").read_text(), re.M)
        self.assertEqual(DOCUMENT["components"]["schemas"]["Reason"]["enum"], codes)

    def test_every_reference_is_there_and_every_schema_used(self):
        for _, _, entry in operations():
            for status in entry["responses"]:
                self.assertIsNotNone(answer_of(entry, int(status)))
        used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
        self.assertEqual(used, set(DOCUMENT["components"]["schemas"]))

    def test_the_checker_of_this_test_notices(self):
        found = {"results": [{"type": "user", "id": "a"}], "page": {"next_token": "", "count": 1},
                 "context": {"evaluation_id": "ev", "dpl": {"versions": {"policy": "sha256:" + "0" * 64, "epoch": 1}, "now": "2026-01-01T00:00:00Z"}}}
        schema = {"$ref": "#/components/schemas/Entities"}
        self.assertEqual(SCHEMAS.errors(schema, found), [])
        for change in ({"results": [{"name": "a"}]}, {"page": {"count": 1}}, {"context": {}}, {"surprise": 1}):
            self.assertNotEqual(SCHEMAS.errors(schema, {**found, **change}), [], change)


class Driven(FixtureServed, unittest.TestCase):
    def send(self, rng, method, path, entry):
        """One call by the document; what came back fits the document."""
        if method == "GET":
            answer, valid, body, told = self.dpld.get(path), True, None, f"GET {path}"
        else:
            body = SCHEMAS.make(schema_of(entry), rng, lambda name: [])
            valid = not SCHEMAS.errors(schema_of(entry), body)
            self.assertTrue(valid, body)
            if rng.random() < 0.35:
                bad = SCHEMAS.spoil(schema_of(entry), body, rng)
                if bad is not None:
                    body, valid = bad, False
            name = "".join(rng.choice("abc-_.~!#09 /:") for _ in range(rng.randint(1, 40))).strip() or "r"
            answer = self.dpld.post(path, body, {"X-Request-ID": name})
            told = f"{path} {json.dumps(body)[:2000]} -> {answer.status} {answer.body[:2000]}"
            self.assertEqual(answer.headers.get("x-request-id"), name, told)
        known = answer_of(entry, answer.status)
        self.assertIsNotNone(known, f"no such status in the document: {told}")
        self.assertEqual(answer.headers["content-type"].split(";")[0], known[0], told)
        value = answer.json if known[0] == "application/json" else answer.body.decode()
        self.assertEqual(SCHEMAS.errors(known[1], value), [], told)
        token = isinstance(body, dict) and isinstance(body.get("page"), dict) and body["page"].get("token")
        if not valid:
            self.assertEqual(answer.status, 400, f"taken although it does not fit: {told}")
        elif token:
            self.assertEqual(answer.status, 400, f"a token out of thin air: {told}")
        else:
            self.assertEqual(answer.status, 200, told)
        return answer.status, body, value, told

    def follow(self, rng, name, body, value, told):
        """What one endpoint says, the others say too."""
        ask = {part: body[part] for part in ("subject", "action", "resource", "context") if part in body}
        if name == "Evaluation":
            again = self.dpld.ask(ask).json
            self.assertIs(again["decision"], value["decision"], f"asked twice: {told}")
            batch = self.dpld.post("/access/v1/evaluations", {"evaluations": [ask]}).json["evaluations"]
            self.assertEqual([item["decision"] for item in batch], [value["decision"]], told)
        if name.startswith("Search"):
            kind = name.removeprefix("Search").lower()
            if (ask.get("context") or {}).get("dry_run"):
                ask["context"] = {k: v for k, v in ask["context"].items() if k != "dry_run"}  # a search is one by itself
            key = "name" if kind == "action" else "id"
            found = [result[key] for result in value["results"]]
            pool = {"subject": ["alice", "bob"], "resource": ["record-1", "record-2"], "action": ["read", "write", "delete"]}[kind]
            for one in pool:
                if kind == "subject" and body["subject"]["type"] not in ("user", "person"):
                    self.assertEqual(found, [], told)
                    continue
                part = {**({} if kind == "action" else ask[kind]), key: one}
                decision = self.dpld.ask({**ask, kind: part}).json["decision"]
                whole = value["page"]["next_token"] == ""
                if decision and whole:
                    self.assertIn(one, found, told)
                if not decision:
                    self.assertNotIn(one, found, told)

    def test_the_server_keeps_to_its_document(self):
        rng = random.Random(SEED)
        met = collections.Counter()
        for step in range(STEPS):
            method, path, entry = rng.choice(operations())
            try:
                status, body, value, told = self.send(rng, method, path, entry)
                met[entry["operationId"], status] += 1
                if method == "POST" and status == 200:
                    self.follow(rng, entry["operationId"], body, value, told)
            except AssertionError as failed:
                raise AssertionError(f"DPL_AUTHZEN_SEED={SEED}, step {step}: {failed}") from failed
        for method, _, entry in operations():
            self.assertGreater(met[entry["operationId"], 200], 0, met)
            if method == "POST":
                self.assertGreater(met[entry["operationId"], 400], 0, met)


if __name__ == "__main__":
    unittest.main()
