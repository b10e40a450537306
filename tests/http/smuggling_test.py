#!/usr/bin/env python3
"""dpld behind a real nginx that keeps its connections to it: whatever is sent to nginx, no client ever gets the answer to another's
request. Attackers send the framing corpus and the known shapes of request smuggling, each with a whole request hidden in it; after each,
several clients ask for decisions of their own over the same few upstream connections, each told apart by its id and its answer."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import framing
from dpld import EVALUATION, PATIENCE, ROOT, Dpld, build
from gateway import free_port, wait_for_port

STORY = ROOT / "policies/quickstart"
ASKED = json.loads((STORY / "request.json").read_text())
PERMIT = json.dumps(ASKED | {"action": {"name": "read"}}).encode()
DENY = json.dumps(ASKED | {"action": {"name": "fly"}}).encode()
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
CONF = """daemon off; master_process off; pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  underscores_in_headers on; ignore_invalid_headers off; client_max_body_size 1m; large_client_header_buffers 4 64k;
  upstream dpld {{ server 127.0.0.1:{dpld}; keepalive 2; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://dpld; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering {buffering};
      proxy_ignore_client_abort on;
    }}
  }}
}}
"""


def post(body, name, framed=None, line=b"POST " + EVALUATION.encode() + b" HTTP/1.1"):
    framed = framed if framed is not None else b"Content-Length: %d\r\n" % len(body)
    return line + b"\r\nHost: h\r\nContent-Type: application/json\r\nX-Request-ID: " + name + b"\r\n" + framed + b"\r\n" + body


def shapes(hidden):
    """Known ways to have two readers disagree where a request ends, with `hidden` behind the place."""
    chunked, size = b"Transfer-Encoding: chunked\r\n", len(hidden)
    ended = b"0\r\n\r\n" + hidden
    for coding in (chunked, b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding:\x0bchunked\r\n", b"Transfer-Encoding: xchunked\r\n",
                   b"Transfer-Encoding:\r\n chunked\r\n", b"transfer_encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n",
                   b"Transfer-Encoding: identity, chunked\r\n", b"X: y\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\rX: y\r\n"):
        yield post(ended, b"outer", b"Content-Length: %d\r\n" % len(ended) + coding)  # CL.TE
        yield post(b"%x\r\n" % size + hidden + b"\r\n0\r\n\r\n", b"outer", b"Content-Length: 4\r\n" + coding)  # TE.CL
    for lengths in (b"Content-Length: 0\r\nContent-Length: %d\r\n", b"Content-Length: %d\r\nContent-Length: 0\r\n", b"Content-Length: 0, %d\r\n",
                    b"Content-Length: %d\r\nContent_Length: 0\r\n", b"Content-Length : 0\r\nX: %d\r\n", b"Content-Length: +%d\r\n",
                    b"Content-Length:\r\n %d\r\n", b"X: a\rContent-Length: %d\r\n", b"X: a\nContent-Length: %d\r\n", b"Content-Length: 0%d\r\n"):
        yield post(hidden, b"outer", lengths % size)
    for chunk in (b"0;\n\r\n\r\n", b"0;a=\"\r\n\r\n", b"0\n\r\n", b"00000000\r\n\r\n", b"5;a\rb\r\nhello\r\n0\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n",
                  b"100000000\r\n", b"0x0\r\n\r\n", b"-1\r\n", b"1\r\nab\r\n0\r\n\r\n"):
        yield post(chunk + hidden, b"outer", chunked)
    yield post(hidden, b"outer", b"Content-Length: %d\r\nExpect: 100-continue\r\n" % size)
    yield post(hidden, b"outer", b"Connection: Content-Length\r\nContent-Length: %d\r\n" % size)
    yield post(hidden, b"outer", b"Connection: X-Request-ID, Host, close\r\n")
    yield post(hidden, b"outer", b"Content-Length: %d\r\n" % size, b"GET /healthz HTTP/1.1")
    yield post(hidden, b"outer", b"Content-Length: %d\r\n" % size, b"HEAD /healthz HTTP/1.1")
    yield post(hidden, b"outer", b"Upgrade: h2c\r\nConnection: Upgrade\r\n", b"GET /healthz HTTP/1.1")
    yield post(hidden, b"outer", b"", b"GET http://g/healthz HTTP/1.1")
    yield post(hidden, b"outer", b"", b"GET /healthz HTTP/1.0")


class Smuggling(unittest.TestCase):
    def behind_nginx(self, buffering):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="dpl-smuggling-")))
        dpld = Dpld("--bundle", build("quickstart", folder / "p.dplb"), "--facts", STORY / "facts.json")
        self.addCleanup(dpld.stop)
        port = free_port()
        (folder / "nginx.conf").write_text(CONF.format(folder=folder, dpld=dpld.port, port=port, buffering=buffering))
        nginx = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
        self.addCleanup(lambda: (nginx.terminate(), nginx.wait(PATIENCE)))
        wait_for_port(port, nginx)
        return dpld, port

    def attack(self, port, data):
        """Everything that comes back for it and a request behind it; the connection is left when nothing has come for a moment."""
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
            received = b""
            try:
                plain.sendall(data)
                plain.shutdown(socket.SHUT_WR)
                while part := plain.recv(65536):
                    received += part
            except OSError:
                pass
        return received

    def check(self, buffering):
        dpld, port = self.behind_nginx(buffering)
        clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE) for _ in range(4)]
        before = self.metric(dpld, "dpl_http_connections_total")
        hidden = post(PERMIT, b"hidden")
        attacks = [data for _, _, refused, control in framing.cases() for data in (refused + hidden, control + hidden)]
        attacks += list(shapes(hidden)) + [data + hidden[:-7] for data in shapes(hidden)]
        self.assertGreater(len(attacks), 300)
        asked, wrong = 0, []
        for number, data in enumerate(attacks):
            answer = self.attack(port, data)
            others = set(re.findall(rb"(?im)^x-request-id: (.*?)\r", answer)) - {b"outer", b"hidden"}
            if others:
                wrong.append((data[:300], "the attacker got the answer to", others))
            for who, client in enumerate(clients):
                name, permit = f"client-{number}-{who}", (number + who) % 2 == 0
                client.request("POST", EVALUATION, PERMIT if permit else DENY, {"Content-Type": "application/json", "X-Request-ID": name})
                reply = client.getresponse()
                body = reply.read()
                asked += 1
                if reply.status != 200 or reply.getheader("X-Request-ID") != name or json.loads(body)["decision"] is not permit:
                    wrong.append((data[:300], name, reply.status, reply.getheader("X-Request-ID"), body[:200]))
        self.assertEqual(wrong, [])
        used = self.metric(dpld, "dpl_http_connections_total") - before
        self.assertLess(used, asked // 2, "connections to dpld are kept, or nothing was tried")
        reached = self.metric(dpld, "dpl_http_requests_refused_total")
        self.assertGreater(reached, 10, "what nginx lets through, dpld has to refuse")
        for client in clients:
            client.close()

    def metric(self, dpld, name):
        return sum(map(int, re.findall(rf"^{name}(?:{{.*}})? (\d+)", dpld.get("/metrics").body.decode(), re.M)))

    def test_bodies_streamed_through(self):
        self.check("off")

    def test_bodies_held_by_nginx(self):
        self.check("on")


if __name__ == "__main__":
    unittest.main()
