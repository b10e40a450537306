#!/usr/bin/env python3
"""The AuthZEN conformance cases of tests/http/authzen/ against policies/authzen-fixture, over HTTP. One test per case."""

import json
import unittest
from pathlib import Path

from dpld import FixtureServed

CASES = json.loads((Path(__file__).parent / "authzen/cases.json").read_text())["cases"]


class AuthZen(FixtureServed, unittest.TestCase):
    def send(self, case):
        if case["method"] == "GET":
            return self.dpld.get(case["path"])
        body = case["raw_body"] if "raw_body" in case else case["body"]
        return self.dpld.post(case["path"], body, case.get("headers"))

    def check(self, case):
        expect = case["expect"]
        for _ in range(case.get("repeat", 1)):
            answer = self.send(case)
            self.assertEqual(answer.status, expect["status"], answer.body)
            for name, value in expect.get("headers", {}).items():
                self.assertEqual(answer.headers.get(name.lower()), value)
            self.assertEqual(answer.headers["content-type"].split(";")[0], expect.get("content_type", "application/json"))
            if expect["status"] != 200:
                self.assertIsInstance(answer.json["error"], str)
            if "decision" in expect:
                self.assertIs(answer.json["decision"], expect["decision"], answer.body)
            if "evaluations" in expect:
                got = [item["decision"] for item in answer.json["evaluations"]]
                self.assertEqual(len(got), len(expect["evaluations"]), answer.body)
                for have, want in zip(got, expect["evaluations"]):
                    self.assertIsInstance(have, bool)
                    if want is not None:
                        self.assertIs(have, want, answer.body)
            if expect["status"] == 200 and "/search/" in case["path"]:
                self.check_search(case, answer.json)
            for name in expect.get("json_required_strings", []):
                self.assertIsInstance(answer.json[name], str)
            for name in expect.get("https_urls", []):
                if name.rstrip("?") in answer.json or not name.endswith("?"):
                    self.assertTrue(answer.json[name.rstrip("?")].startswith("https://"), name)
            for name in expect.get("string_arrays", []):
                value = answer.json.get(name.rstrip("?"), [] if name.endswith("?") else None)
                self.assertTrue(isinstance(value, list) and all(isinstance(v, str) for v in value), name)

    def test_discovery_names_the_base_it_was_found_at(self):
        found = self.dpld.get("/.well-known/authzen-configuration").json
        base = f"https://127.0.0.1:{self.dpld.port}"
        self.assertEqual(found["policy_decision_point"], base)
        self.assertEqual(found["access_evaluation_endpoint"], base + "/access/v1/evaluation")
        self.assertEqual(found["access_evaluations_endpoint"], base + "/access/v1/evaluations")
        for what in ("subject", "resource", "action"):
            self.assertEqual(found[f"search_{what}_endpoint"], f"{base}/access/v1/search/{what}")
        self.assertEqual(found["capabilities"], ["urn:openid:authzen:capability:obligations"])
        self.assertEqual(found["supported_obligations"], ["step-up", "sign", "mask", "notification"])

    def check_search(self, case, body):
        expect, results = case["expect"], body["results"]
        self.assertIsInstance(results, list)
        kind = case["path"].rsplit("/", 1)[1]
        keys = {"name"} if kind == "action" else {"type", "id"}
        for result in results:
            self.assertEqual(set(result) - {"context"}, keys, body)
            if kind != "action":
                self.assertEqual(result["type"], case["body"][kind]["type"])
        for wanted in expect.get("results_include", []):
            self.assertIn(wanted, results)
        if "results_exact" in expect:
            self.assertEqual(results, expect["results_exact"])
        if "page" in body:
            self.assertIsInstance(body["page"]["next_token"], str)
        limit = case["body"].get("page", {}).get("limit")
        if limit is not None:
            self.assertLessEqual(len(results), limit)
            # On with the token alone, as the certification does, to the end.
            while body["page"]["next_token"]:
                answer = self.dpld.post(case["path"], {**case["body"], "page": {"token": body["page"]["next_token"]}})
                self.assertEqual(answer.status, 200, answer.body)
                body = answer.json
                for result in body["results"]:
                    self.assertNotIn(result, results)
                results = results + body["results"]
            whole = self.dpld.post(case["path"], {k: v for k, v in case["body"].items() if k != "page"}).json
            self.assertEqual(results, whole["results"])

    def test_every_case_is_run(self):
        self.assertGreaterEqual(len(CASES), 60)
        self.assertEqual(sum(case["level"].startswith("search") for case in CASES), 20)


def add(case):
    setattr(AuthZen, "test_" + case["id"].replace("-", "_"), lambda self: self.check(case))


for each in CASES:
    add(each)

if __name__ == "__main__":
    unittest.main()
