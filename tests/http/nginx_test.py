#!/usr/bin/env python3
"""A real nginx with docs/integrations/nginx.conf in front of a service: dpld decides by `auth_request`."""

import base64
import http.client
import shutil
import socket
import subprocess
import unittest

from dpld import PATIENCE
from gateway import AMBIGUOUS, INTEGRATIONS, Gateway, free_port, wait_for_port

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


class Nginx(Gateway):
    """One nginx with the documented configuration."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        (self.folder / "shop.htpasswd").write_text("".join(f"{name}:{{PLAIN}}secret\n" for name in ("E1007", "E1007.assistant", "E0500", "E9999")))
        conf = (INTEGRATIONS / "nginx.conf").read_text()
        for documented, here in (("server 127.0.0.1:8181;", f"server 127.0.0.1:{self.dpld.port};"),
                                 ("server 127.0.0.1:9000;", f"server 127.0.0.1:{self.service.port};"),
                                 ("listen 127.0.0.1:8080;", f"listen 127.0.0.1:{self.port};"),
                                 ("auth_basic_user_file shop.htpasswd;", f"auth_basic_user_file {self.folder}/shop.htpasswd;")):
            self.assertEqual(conf.count(documented), 1, documented)
            conf = conf.replace(documented, here)
        # Where this process may write; nothing of what is documented changes.
        folders = "".join(f"    {name}_temp_path {self.folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = conf.replace("http {\n", f"http {{\n    access_log off;\n{folders}", 1)
        (self.folder / "nginx.conf").write_text(f"daemon off;\nmaster_process off;\npid {self.folder}/nginx.pid;\n{conf}")
        self.nginx = subprocess.Popen([NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"])
        self.addCleanup(self.stop_nginx)
        wait_for_port(self.port, self.nginx)

    def stop_nginx(self):
        self.nginx.terminate()
        self.nginx.wait(PATIENCE)

    def ask(self, method, path, user="E1007", headers=None, password="secret", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        given = dict(headers or {})
        if user:
            given["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        connection.request(method, path, body, given)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        self.last = {name.lower(): value for name, value in response.getheaders()}, body
        return response.status

    def raw(self, target, headers=""):
        """The status of a target sent exactly so."""
        login = base64.b64encode(b"E1007:secret").decode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as plain:
            plain.sendall(f"GET {target} HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic {login}\r\n{headers}Connection: close\r\n\r\n".encode())
            received = b""
            while part := plain.recv(65536):
                received += part
        return int(received.split()[1])


class Decided(Nginx):
    def test_a_permit_reaches_the_service_and_a_denial_does_not(self):
        self.assertEqual(self.ask("GET", "/orders/O1?page=2"), 200)
        self.assertEqual(self.last[0]["x-dpl-reason"], "permit")
        self.assertTrue(self.last[0]["x-dpl-evaluation-id"].startswith("ev_"))
        [(method, path, headers)] = self.service.seen
        self.assertEqual((method, path, headers["x-dpl-subject-id"]), ("GET", "/orders/O1?page=2", "E1007"))
        self.assertEqual(self.ask("HEAD", "/orders/O1"), 200)
        self.assertEqual(self.ask("POST", "/orders/O1/approve?amount=5000", body=b"{}"), 200)
        seen = len(self.service.seen)
        for method, path, user, reason in (
                ("GET", "/orders/O1", "E0500", "person.no_grant"), ("GET", "/orders/O1", "E9999", "identity.unknown"),
                ("POST", "/orders/O1/approve?amount=5000.01", "E1007", "limit.exceeded"),
                ("POST", "/orders/O2/approve?amount=10", "E1007", "forbidden"),
                ("POST", "/orders/O1/approve?amount=4000", "E1007.assistant", "limit.exceeded"),
                ("POST", "/orders/O1/approve", "E1007", "request.invalid"), ("DELETE", "/orders/O1", "E1007", "request.invalid"),
                ("POST", "/orders/O1/approve?amount=1&amount=2", "E1007", "request.invalid"),
                ("POST", "/orders/O1/approve?amount=1&_method=GET", "E1007", "request.invalid"),
                ("GET", "/invoices/1", "E1007", "request.invalid"), ("GET", "/", "E1007", "request.invalid")):
            with self.subTest(method=method, path=path, user=user):
                self.assertEqual(self.ask(method, path, user), 403)
                self.assertEqual(self.last[0]["x-dpl-reason"], reason)
        self.assertEqual(len(self.service.seen), seen)
        self.assertEqual(self.ask("POST", "/orders/O1/approve?amount=999", "E1007.assistant"), 200)

    def test_who_asks_is_what_nginx_verified(self):
        before = self.decisions()
        self.assertEqual(self.ask("GET", "/orders/O1", user=None), 401)
        self.assertEqual(self.ask("GET", "/orders/O1", password="wrong"), 401)
        self.assertEqual(self.decisions(), before, "nobody is asked about before the login is known")
        claims = {"X-DPL-Subject-Id": "E1007", "X-DPL-Subject-Type": "person", "X-DPL-Agent": "x", "X-DPL-Task": "t",
                  "X-Original-URI": "/orders/O1", "X-Original-Method": "GET", "X-Original-Host": "h", "X-Request-ID": "r" * 1100,
                  "X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/admin"}
        self.assertEqual(self.ask("GET", "/orders/O1", "E0500", claims), 403)
        self.assertEqual(self.ask("GET", "/admin", "E1007", claims), 403)
        self.assertEqual(self.ask("POST", "/orders/O1", "E1007", claims), 403)
        self.assertEqual(self.service.seen, [])
        self.assertEqual(self.ask("GET", "/orders/O1", "E1007", claims), 200)
        headers = self.service.seen[0][2]
        self.assertEqual(headers["x-dpl-subject-id"], "E1007")
        for cleared in ("x-dpl-agent", "x-http-method-override", "x-original-url"):
            self.assertNotIn(cleared, headers)
        self.assertEqual(self.ask("GET", "/_dpl"), 404, "the question itself cannot be asked from outside")

    def test_a_target_that_can_be_read_in_two_ways_is_never_served(self):
        for target in AMBIGUOUS:
            with self.subTest(target=target[:80]):
                self.assertIn(self.raw(target), (400, 403, 404, 414))
        self.assertEqual(self.service.seen, [])
        self.assertEqual(self.raw("/orders/O1"), 200)
        self.assertEqual(self.raw("http://shop.example/orders/O1"), 200)
        self.assertIn(self.raw("http://shop.example/orders/../orders/O1"), (400, 403))

    def test_without_a_decision_point_nothing_is_served(self):
        self.assertEqual(self.ask("GET", "/orders/O1"), 200)
        self.dpld.stop()
        self.assertEqual(self.ask("GET", "/orders/O1"), 403)
        self.assertEqual(self.last[1], b'{"error":"access_denied"}')
        self.assertEqual(len(self.service.seen), 1)


class Unregistered(Nginx):
    CONFIG = {"callers": [{"name": "another", "token_sha256": "0" * 64, "serves_persons": True}]}

    def test_an_unknown_gateway_gets_no_decision(self):
        self.assertEqual(self.ask("GET", "/orders/O1"), 401)
        self.assertEqual((self.decisions(), self.service.seen), (0, []))


if __name__ == "__main__":
    unittest.main()
