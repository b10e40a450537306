#!/usr/bin/env python3
"""Envoy's `ext_authz` over HTTP, without Envoy: sends byte for byte what Envoy 1.40 sends with docs/integrations/envoy.yaml (taken down from
a real one; envoy_real.py runs that one in `./dev test --full`) and reads the answer as Envoy does."""

import json
import re
import socket
import unittest

from dpld import PATIENCE, Dpld
from gateway import AGENT, AMBIGUOUS, TOKEN, Gateway


class Envoy(Gateway):
    def check(self, method, target, subject="E1007", agent=None, token=TOKEN, more=()):
        """One check. Returns what Envoy makes of it: (status of the client's answer, headers, body), 200 for "pass it on"."""
        head = [f"{method} /integrations/envoy{target} HTTP/1.1", "host: shop.example:10000", "content-length: 0"]
        head += [f"x-dpl-agent: {agent}"] if agent else []
        head += [f"x-dpl-subject-id: {subject}"] if subject else []
        head += ["x-request-id: 76471f6b-4b76-4d50-b953-154f99526aca", f"authorization: Bearer {token}", *more, "x-envoy-internal: true",
                 "x-envoy-expected-rq-timeout-ms: 1000"]
        with socket.create_connection(("127.0.0.1", self.dpld.port), timeout=PATIENCE) as plain:
            plain.sendall("\r\n".join([*head, "", ""]).encode())
            received = b""
            while b"\r\n\r\n" not in received:
                received += plain.recv(65536)
            lines, _, body = received.partition(b"\r\n\r\n")
            first, *rest = lines.decode().split("\r\n")
            headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in rest)}
            while len(body) < int(headers.get("content-length", 0)) and method != "HEAD":
                body += plain.recv(65536)
        status = int(first.split()[1])
        return 403 if status >= 500 else status, headers, body  # an error is a denial: failure_mode_allow is false

    def test_permits(self):
        for method, target, agent in (("GET", "/orders/O1", None), ("GET", "/orders/O1?x=y", None), ("GET", "/orders/O1", AGENT),
                                      ("POST", "/orders/O1/approve?amount=900", AGENT), ("POST", "/orders/O1/approve?amount=5000", None)):
            status, headers, body = self.check(method, target, agent=agent)
            self.assertEqual((status, body, headers["x-dpl-reason"], headers["x-dpl-decision"]), (200, b"", "permit", "permit"), target)
            self.assertTrue(headers["x-dpl-evaluation-id"].startswith("ev_"))
            self.assertEqual(headers["x-request-id"], "76471f6b-4b76-4d50-b953-154f99526aca")
            self.assertNotIn("x-envoy-auth-headers-to-remove", headers)
        self.assertEqual(self.check("HEAD", "/orders/O1")[0], 200)

    def test_denials_say_why(self):
        for method, target, subject, agent, reason, statement in (
                ("GET", "/orders/O1", "E0500", None, "person.no_grant", None), ("GET", "/orders/O1", "E9", None, "identity.unknown", None),
                ("POST", "/orders/O2/approve?amount=10", "E1007", None, "forbidden", "acme.purchasing.blocked_vendor"),
                ("POST", "/orders/O1/approve?amount=5000.01", "E1007", None, "limit.exceeded", "acme.purchasing.buyers"),
                ("POST", "/orders/O1/approve?amount=4000", "E1007", AGENT, "limit.exceeded", "acme.purchasing.assistant"),
                ("GET", "/orders/O1", "E1007", "spiffe://acme.example/agent/other", "identity.unknown", None),
                ("PUT", "/orders/O1", "E1007", None, "request.invalid", None), ("GET", "/else", "E1007", None, "request.invalid", None),
                ("GET", "/orders/O1", None, None, "request.invalid", None)):
            with self.subTest(method=method, target=target, subject=subject):
                status, headers, body = self.check(method, target, subject, agent)
                said = json.loads(body)
                self.assertEqual((status, headers["content-type"], headers["x-dpl-reason"]), (403, "application/json", reason))
                self.assertEqual((said["error"], said["reason"]), ("access_denied", reason))
                self.assertTrue(said["message"])
                self.assertEqual(said.get("evaluation_id"), headers.get("x-dpl-evaluation-id"))
                if statement:
                    self.assertEqual(headers["x-dpl-statement"], statement)
                    self.assertTrue(re.fullmatch(r"\S+\.dpl:\d+:\d+-\d+:\d+", headers["x-dpl-policy"]), headers["x-dpl-policy"])

    def test_headers_of_ours_are_ours(self):
        for more in (["x-dpl-subject-id: E1007"], ["X-DPL-Subject-ID: E0500"], ["x-dpl-agnet: a"], ["x-dpl-subject-type: person", "x-dpl-subject-type: user"],
                     ["x-dpl-agent-instance: r1"], ["x-request-id: again"], ["x-dpl-subject-type: \xff"]):
            self.assertEqual(self.check("GET", "/orders/O1", more=more)[0], 403, more)
        self.assertEqual(self.check("GET", "/orders/O1", token="other")[0], 401)
        self.assertEqual(self.check("GET", "/orders/O1", more=["authorization: Bearer other"])[0], 401)

    def test_a_target_that_can_be_read_in_two_ways_is_denied(self):
        for target in AMBIGUOUS:
            with self.subTest(target=target[:80]):
                self.assertIn(self.check("GET", target)[0], (400, 403, 414))
        for path in ("/integrations/envoy", "/integrations/envoyx/orders/O1", "/integrations/../integrations/envoy/orders/O1"):
            answer = self.dpld.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}", "X-DPL-Subject-Id": "E1007"})
            self.assertEqual(answer.status, 404, path)

    def test_every_check_is_recorded_as_a_decision(self):
        _, headers, _ = self.check("POST", "/orders/O1/approve?amount=900", agent=AGENT)
        [record] = self.dpld.audit(lambda r: r.get("id") == headers["x-dpl-evaluation-id"])
        self.assertEqual((record["caller"], record["who"]["mode"], record["what"]["action"]), ("shop gateway", "on_behalf_of", "approve"))
        self.check("GET", "/orders//O1")
        self.dpld.audit(lambda r: "an empty segment" in r.get("why", ""))

    def test_routes_follow_a_reload(self):
        """Paths and routes are read again with the rest, checked first: with a mistake the last good ones go on."""
        path = self.folder / "dpld.json"
        config = json.loads(path.read_text())
        good = config["integrations"]["routes"][0]
        targets = ("/orders/O1", "/purchases/O1")

        def reload(routes, event, count, **integrations):
            config["integrations"] = {**config["integrations"], "routes": routes, **integrations}
            path.write_text(json.dumps(config))
            self.dpld.hang_up()
            return self.dpld.wait_for(event, count)

        self.assertEqual([self.check("GET", target)[0] for target in targets], [200, 403])
        reload([{**good, "path": "/purchases/{id}"}], "reloaded", 1)
        self.assertEqual([self.check("GET", target)[0] for target in targets], [403, 200])
        for wrong in ([], [{**good, "path": "/purchases/{number}"}], [{**good, "path": "orders"}]):
            reload(wrong, "reload_failed", 1)
            self.assertEqual([self.check("GET", target)[0] for target in targets], [403, 200])
        reload([good], "reloaded", 2)
        self.assertEqual([self.check("GET", target)[0] for target in targets], [200, 403])
        # A route of its own for HEAD counts before the one of the GET that it stands for.
        reload([{**good, "methods": ["HEAD"], "action": "approve"}, good], "reloaded", 3)
        self.assertEqual([self.check(method, "/orders/O1")[0] for method in ("GET", "HEAD")], [200, 403])
        reload([good], "reloaded", 4, envoy={"path": "/integrations/mesh"})
        self.assertEqual(self.dpld.request("GET", "/integrations/envoy/orders/O1").status, 404)
        self.assertFalse([e for e in self.dpld.events if e["event"] == "restart_needed"])


if __name__ == "__main__":
    unittest.main()
