#!/usr/bin/env python3
"""The AuthZEN conformance cases of tests/http/authzen/ against policies/authzen-fixture, over HTTP. One test per case.

Levels whose endpoints do not exist yet are listed in LATER with the reason; everything else must pass."""

import json
import tempfile
import unittest
from pathlib import Path

from dpld import ROOT, Dpld, build

CASES = json.loads((Path(__file__).parent / "authzen/cases.json").read_text())["cases"]
LATER = {"search-core", "search-properties"}  # the search endpoints are not part of this version


class AuthZen(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="dpl-authzen-")
        bundle = build("authzen-fixture", Path(cls.folder.name) / "policy.dplb")
        cls.dpld = Dpld("--bundle", bundle, "--facts", ROOT / "policies/authzen-fixture/facts.json")

    @classmethod
    def tearDownClass(cls):
        code = cls.dpld.stop()
        cls.folder.cleanup()
        assert code == 0, code

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
        self.assertEqual(found["capabilities"], ["urn:openid:authzen:capability:obligations"])

    def test_every_level_is_run_or_named(self):
        self.assertEqual({case["level"] for case in CASES} & LATER, LATER)
        self.assertGreaterEqual(sum(case["level"] not in LATER for case in CASES), 40)


def add(case):
    setattr(AuthZen, "test_" + case["id"].replace("-", "_"), lambda self: self.check(case))


for each in CASES:
    if each["level"] not in LATER:
        add(each)

if __name__ == "__main__":
    unittest.main()
