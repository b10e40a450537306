#!/usr/bin/env python3
"""Kubernetes' authorization webhook: reviews as the API server sends them, against the policy and configuration of the page."""

import json
import re
import tempfile
import unittest
from pathlib import Path

from dpld import Dpld, build
from gateway import INTEGRATIONS, TOKEN, documented

PATH = "/integrations/kubernetes"
ADA, BEN = "ada@acme.example", "ben@acme.example"
REAPER = "system:serviceaccount:agents:reaper"
DEBUGGER = "spiffe://acme.example/agent/debugger"


def pods(verb="get", name="web-1", namespace="team-a", **more):
    return {"namespace": namespace, "verb": verb, "group": "", "version": "v1", "resource": "pods", "name": name, **more}


class Cluster(unittest.TestCase):
    KUBERNETES = {}
    CALLER = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dpl-cluster-")
        self.addCleanup(folder.cleanup)
        folder = Path(folder.name)
        [policy] = re.findall(r"^```dpl file=policy/cluster.dpl\n(.*?)^```$", (INTEGRATIONS / "kubernetes.md").read_text(), re.M | re.S)
        (folder / "cluster.dpl").write_text(policy)
        (folder / "facts.json").write_text(json.dumps(documented("kubernetes.md", "facts.json")))
        config = documented("kubernetes.md", "dpld.json")
        config["integrations"]["kubernetes"].update(self.KUBERNETES)
        config["callers"][0].update(self.CALLER)
        build(folder / "cluster.dpl", folder / "policy.dplb")
        (folder / "dpld.json").write_text(json.dumps(config))
        self.dpld = Dpld("--config", folder / "dpld.json")
        self.addCleanup(self.dpld.stop)

    def send(self, body, token=TOKEN):
        return self.dpld.post(PATH, body, {"Authorization": f"Bearer {token}"})

    def review(self, user=ADA, resource=None, url=None, **spec):
        """What the API server sends; returns `status`, which is all it reads."""
        spec = {"user": user, "groups": ["system:authenticated"], **spec}
        if resource is not None:
            spec["resourceAttributes"] = resource
        if url is not None:
            spec["nonResourceAttributes"] = url
        body = {"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {"creationTimestamp": None},
                "spec": spec, "status": {"allowed": False}}
        return self.status(self.send(body))

    def status(self, answer):
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json"))
        self.assertEqual((answer.json["apiVersion"], answer.json["kind"]), ("authorization.k8s.io/v1", "SubjectAccessReview"))
        status = answer.json["status"]
        self.assertFalse(status["allowed"] and status.get("denied"))
        return status

    def outcome(self, *arguments, **named):
        status = self.review(*arguments, **named)
        return "allowed" if status["allowed"] else "denied" if status.get("denied") else "no opinion"


class Reviews(Cluster):
    def test_resources(self):
        self.assertEqual(self.outcome(ADA, pods()), "allowed")
        self.assertEqual(self.outcome(ADA, pods("list", "")), "allowed")
        self.assertEqual(self.outcome(ADA, pods(subresource="log")), "allowed")
        self.assertEqual(self.outcome(ADA, pods(fieldSelector={"rawSelector": "x"}, labelSelector={"requirements": []})), "allowed")
        for resource in (pods("delete"), pods("delete", namespace="kube-system"), pods("patch"), pods(subresource="exec"), pods(group="apps"),
                         {**pods(), "resource": "secrets"}, pods("*"), {**pods(), "resource": "*"}, pods(group="*"), pods(subresource="*"),
                         {**pods(), "resource": "Pods"}, {**pods(), "resource": "pods/log"}, pods(verb=""), pods(name="*"), pods(name="a/b"),
                         pods(namespace="team-a/web-1", name=""), pods(namespace="*"), pods(name=".."), pods(name=7), pods(verb="GET")):
            with self.subTest(resource=resource):
                self.assertEqual(self.outcome(ADA, resource), "denied")
        self.assertIn("ev_", self.review(BEN, pods())["reason"])
        self.assertTrue(self.review(BEN, pods())["reason"].startswith("person.no_grant: "))

    def test_a_collection_is_more_than_its_members(self):
        self.review(ADA, pods("list", ""))
        [record] = self.dpld.audit(lambda r: r.get("caller") == "kube-apiserver")
        self.assertEqual((record["what"]["type"], record["what"]["id"]), ("cluster.Pod", "team-a/*"))

    def test_urls(self):
        self.assertEqual(self.outcome(ADA, url={"path": "/healthz", "verb": "get"}), "denied")
        for path in ("", "*", "/healthz/*", "/a/../b", "//a", "/a%2fb", "/a?b"):
            status = self.review(ADA, url={"path": path, "verb": "get"})
            self.assertTrue(status["denied"] and status["evaluationError"], path)

    def test_agents(self):
        extra = {"acme.example/agent": [DEBUGGER], "acme.example/agent-run": ["run-1"], "other": ["x", "y"]}
        self.assertEqual(self.outcome(ADA, pods(subresource="log"), extra=extra), "allowed")
        self.assertEqual(self.outcome(ADA, pods(subresource="log", namespace="team-b"), extra=extra), "denied")
        self.assertEqual(self.outcome(ADA, pods(), extra=extra), "denied", "more than the agent may")
        self.assertEqual(self.outcome(BEN, pods(subresource="log"), extra=extra), "denied", "more than the person may")
        for wrong in ({"acme.example/agent": []}, {"acme.example/agent": [DEBUGGER, DEBUGGER]}, {"acme.example/agent": [""]},
                      {"acme.example/agent": DEBUGGER}, {"acme.example/agent-run": ["run-1"]}, ["acme.example/agent"],
                      {"acme.example/agent": ["spiffe://acme.example/agent/other"]}, {**extra, "acme.example/task": ["none"]}):
            self.assertEqual(self.outcome(ADA, pods(subresource="log"), extra=wrong), "denied", wrong)
        self.assertEqual(self.outcome(REAPER, pods("delete")), "allowed")
        self.assertEqual(self.outcome(REAPER, pods("delete", namespace="team-b")), "denied")
        self.assertEqual(self.outcome("system:serviceaccount:agents:other", pods("delete")), "denied", "an agent that nobody declared")

    def test_who_is_not_known_is_left_to_others_and_nobody_else(self):
        for user in ("system:kube-scheduler", "system:serviceaccount:kube-system:x", "eve@acme.example"):
            self.assertEqual(self.outcome(user, pods()), "no opinion")
        self.assertEqual(self.outcome("eve@acme.example", pods(), extra={"acme.example/agent": [DEBUGGER]}), "denied")
        self.assertEqual(self.outcome("eve@acme.example", pods("*")), "denied")
        self.assertEqual(self.outcome(BEN, pods()), "denied")
        self.assertEqual(self.outcome(ADA, pods("delete", namespace="kube-system")), "denied")

    def test_what_is_not_understood_is_denied(self):
        spec = {"user": ADA, "resourceAttributes": pods()}
        good = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        self.assertTrue(self.status(self.send(good))["allowed"])
        url = {"path": "/healthz", "verb": "get"}
        for body in (b"", b"{", b"[]", b"null", {}, {**good, "apiVersion": "authorization.k8s.io/v1beta1"}, {**good, "apiVersion": "authorization.k8s.io/v2"},
                     {**good, "kind": "SelfSubjectAccessReview"}, {**good, "spec": None}, {**good, "spec": {"user": ADA}},
                     {**good, "spec": {**spec, "nonResourceAttributes": url}}, {**good, "spec": {"resourceAttributes": pods()}},
                     {**good, "spec": {**spec, "user": ""}}, {**good, "spec": {**spec, "user": 7}}, {**good, "spec": {**spec, "resourceAttributes": []}},
                     {**good, "spec": {**spec, "extra": "x"}}, json.dumps(good)[:-1] + ',"spec":{}}'):
            with self.subTest(body=body):
                status = self.status(self.send(body))
                self.assertEqual((status["allowed"], status["denied"]), (False, True))
                self.assertTrue(status["evaluationError"])
        self.assertTrue(self.status(self.dpld.request("GET", PATH, headers={"Authorization": f"Bearer {TOKEN}"}))["denied"])
        # What was refused is recorded, with why.
        self.dpld.audit(lambda r: "the review is no JSON" in r.get("why", ""), count=3)

    def test_the_api_server_is_a_caller_like_others(self):
        self.assertEqual(self.send({}, token="other").status, 401)
        self.assertEqual(self.dpld.post(PATH, {}).status, 401)


class Chained(Cluster):
    KUBERNETES = {"ungranted": "no_opinion", "unknown_subjects": "deny"}

    def test_silence_is_left_to_others_a_no_is_not(self):
        self.assertEqual(self.outcome(BEN, pods()), "no opinion")
        self.assertEqual(self.outcome(ADA, {**pods(), "resource": "secrets"}), "no opinion")
        self.assertEqual(self.outcome(ADA, pods("delete", namespace="kube-system")), "denied")
        self.assertEqual(self.outcome("eve@acme.example", pods()), "denied")
        self.assertEqual(self.outcome(REAPER, pods("delete", namespace="team-b")), "denied")
        self.assertEqual(self.outcome(ADA, pods(), extra={"acme.example/agent": [DEBUGGER]}), "denied")
        self.assertEqual(self.outcome(ADA, pods("*")), "denied")


class Plain(Cluster):
    KUBERNETES = {"ungranted": "no_opinion"}
    CALLER = {"details": False}

    def test_without_details_every_denial_is_final(self):
        for user in (BEN, "eve@acme.example", "system:kube-scheduler"):
            self.assertEqual(self.outcome(user, pods()), "denied")
        self.assertEqual(self.outcome(ADA, pods()), "allowed")


if __name__ == "__main__":
    unittest.main()
