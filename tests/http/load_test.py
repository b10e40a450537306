#!/usr/bin/env python3
"""A running dpld under hostile load: descriptors run out and come back, clients are slow, silent, half-closed or gone, and everybody else
goes on being answered rightly. DPL_SLOW_CLIENTS: how many are held at once (600; `./dev test --full`: 10000)."""

import json
import os
import re
import resource
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from dpld import BIN, EVALUATION, PATIENCE, ROOT, Dpld, build

STORY = ROOT / "policies/quickstart"
ASKED = json.loads((STORY / "request.json").read_text()) | {"action": {"name": "read"}}
SLOW = int(os.environ.get("DPL_SLOW_CLIENTS", "600"))
HELD = (b"", b"POST", b"POST /access/v1/evaluation HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n{\"subject\":",
        b"POST /access/v1/evaluation HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"su",
        b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")


class Load(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="dpl-load-")))
        self.bundle = build("quickstart", self.folder / "p.dplb")
        self.held = []
        self.addCleanup(self.let_go)

    def let_go(self):
        while self.held:
            self.held.pop().close()

    def serve(self, limits=None, **popen):
        config = self.folder / "dpld.json"
        config.write_text(json.dumps({"bundle": str(self.bundle), "facts": str(STORY / "facts.json"), "threads": 2, "limits": limits or {}}))
        dpld = Dpld("--config", config, **popen)
        self.addCleanup(lambda: (self.let_go(), dpld.stop()))
        return dpld

    def good(self, dpld):
        connection = dpld.connect()
        self.addCleanup(connection.close)
        return connection

    def permit(self, dpld, connection=None):
        answer = dpld.post(EVALUATION, ASKED, connection=connection)
        self.assertEqual((answer.status, answer.json["decision"]), (200, True), answer.body)

    def connect(self, dpld, data=b"", host="127.0.0.1"):
        plain = socket.create_connection((host, dpld.port), timeout=PATIENCE)
        self.held.append(plain)
        if data:
            plain.sendall(data)
        return plain

    def metric(self, dpld, name, connection=None):
        body = dpld.request("GET", "/metrics", connection=connection).body.decode()
        return int(float(re.search(rf"^{name} (\S+)", body, re.M)[1]))

    def until(self, what):
        """Asks until it is so; each asking is a request of its own, so this does not spin."""
        for _ in range(100_000):
            if what():
                return
        self.fail("it never came to be so")

    def test_descriptors_run_out_and_come_back(self):
        dpld = self.serve()
        good = self.good(dpld)
        self.permit(dpld, good)
        opened = len(os.listdir(f"/proc/{dpld.process.pid}/fd"))
        resource.prlimit(dpld.process.pid, resource.RLIMIT_NOFILE, (opened + 8, 20_000 if os.geteuid() == 0 else opened + 8))
        told = 0
        for number in range(40):
            plain = self.connect(dpld, b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            try:
                answer = plain.recv(65536)
            except ConnectionResetError:  # it was told, but sent into a closed connection
                answer = b"HTTP/1.1 503 "
            if answer.startswith(b"HTTP/1.1 503 "):
                told += 1
            else:
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
            self.permit(dpld, good)  # whoever has a connection is served
        self.assertGreater(told, 20)
        self.let_go()
        def served():
            try:
                return dpld.get("/healthz").status == 200
            except OSError:
                return False
        self.until(served)
        for _ in range(20):
            self.permit(dpld)
        self.assertGreaterEqual(len(dpld.audit(lambda r: r["kind"] == "decision", 61)), 61)

    def test_connections_leave_descriptors_to_the_log(self):
        dpld = self.serve(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (150, 150)))
        self.assertEqual(dpld.wait_for("descriptors_few")["limit"], "150")
        good = self.good(dpld)
        self.permit(dpld, good)
        refused = 0
        for _ in range(200):
            refused += self.connect(dpld, HELD[4]).recv(65536).startswith(b"HTTP/1.1 503 ")
        self.assertGreater(refused, 50)
        for _ in range(5):
            self.permit(dpld, good)
            self.assertEqual(dpld.request("GET", "/healthz", connection=good).json["status"], "ok")
        dpld.hang_up()  # a reload needs descriptors, too
        dpld.wait_for("reloaded")
        self.permit(dpld, good)

    def test_one_client_cannot_take_all(self):
        dpld = self.serve({"connections_per_client": 20, "connections": 100})
        for _ in range(20):
            self.assertTrue(self.connect(dpld, HELD[4]).recv(65536).startswith(b"HTTP/1.1 200 "))
        answer = self.connect(dpld).recv(65536)
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"\r\nRetry-After: 1\r\n", answer)
        other = socket.create_connection(("127.0.0.1", dpld.port), timeout=PATIENCE, source_address=("127.0.0.9", 0))
        self.held.append(other)
        other.sendall(HELD[4])
        self.assertTrue(other.recv(65536).startswith(b"HTTP/1.1 200 "))

    def test_memory_for_pieces_is_bounded(self):
        dpld = self.serve({"buffered_bytes": 1 << 20})
        good = self.good(dpld)
        self.permit(dpld, good)
        big = b"POST /access/v1/evaluation HTTP/1.1\r\nHost: h\r\nContent-Length: 65000\r\n\r\n" + b" " * 50_000
        overloaded = 0
        for _ in range(60):
            self.connect(dpld, big)
        self.until(lambda: self.metric(dpld, "dpl_http_overloaded_total", good) > 20)
        self.assertLessEqual(self.metric(dpld, "dpl_http_buffered_bytes", good), 1 << 20)
        for plain in self.held:
            plain.setblocking(False)
            try:
                answer = plain.recv(65536)
            except (BlockingIOError, ConnectionResetError):
                continue
            self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
            self.assertIn(b"\r\nRetry-After: 1\r\n", answer)
            overloaded += 1
        self.assertGreater(overloaded, 10)
        self.permit(dpld, good)
        self.permit(dpld)
        self.let_go()
        self.until(lambda: self.metric(dpld, "dpl_http_buffered_bytes", good) == 0)

    def test_slow_silent_and_half_closed_clients_starve_nobody(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.assertGreater(hard, SLOW + 100, "this machine has not the descriptors for it")
        dpld = self.serve({"head_seconds": 3600, "body_seconds": 3600, "idle_seconds": 3600})
        good = self.good(dpld)
        for _ in range(100):
            self.permit(dpld, good)
        def resident():
            return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{dpld.process.pid}/status").read_text())[1])
        before = resident()
        for number in range(SLOW):
            plain = self.connect(dpld, HELD[number % len(HELD)])
            if number % 7 == 0:
                plain.shutdown(socket.SHUT_WR)
            if number % 50 == 0:
                self.permit(dpld, good)
                self.permit(dpld)
        for number, plain in enumerate(self.held):  # each says a little more
            if number % 5 == 2 and number % 7 != 0:
                plain.sendall(b" ")
        for _ in range(100):
            self.permit(dpld, good)
        self.assertGreater(self.metric(dpld, "dpl_http_connections_open", good), SLOW // 2)
        self.assertLess((resident() - before) / SLOW, 20, "kB for each of them")
        self.assertEqual(self.metric(dpld, "dpl_http_connections_shed_total", good), 0)
        self.let_go()
        self.until(lambda: self.metric(dpld, "dpl_http_connections_open", good) == 1)

    def test_costly_requests_cost_others_nothing(self):
        """Large, deep, wide and numerous things are refused without being worked through; the next client is served as ever."""
        dpld = self.serve()
        good = self.good(dpld)
        def head(length):
            return b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length
        deep, wide = b"[" * 1000 + b"]" * 1000, b"{" + b",".join(b'"m%d":0' % n for n in range(6000)) + b"}"
        numbers, digits = b"[" + b"1e400," * 9000 + b"1]", b'{"a":' + b"9" * 60_000 + b"}"
        for data, status in ((head(1 << 20) + b" " * (1 << 20), 413), (head(len(deep)) + deep, 400), (head(len(wide)) + wide, 400),
                             (head(len(numbers)) + numbers, 400), (head(len(digits)) + digits, 400),
                             (b"GET /healthz HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 10_000 + b"\r\n", 431)):
            plain = self.connect(dpld)
            try:
                plain.sendall(data)
            except OSError:
                pass
            self.assertTrue(plain.recv(65536).startswith(b"HTTP/1.1 %d " % status), (data[:60], status))
            self.permit(dpld, good)

    def test_a_stop_loses_no_request(self):
        """Clients that ask one thing after the other while the server is told to stop: each is answered to its last question, and told
        to go with that answer. One that dawdled longer than it has is not counted."""
        dpld = self.serve()
        body = json.dumps(ASKED).encode()
        question = b"POST %b HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (EVALUATION.encode(), len(body)) + body
        ends, begun = [], threading.Barrier(9)

        def client():
            plain = self.connect(dpld)
            answered, last = 0, time.monotonic()
            while True:
                dawdled = time.monotonic() - last > 0.25
                try:
                    plain.sendall(question)
                    head = received = b""
                    while len(received) < len(head) + self.length(head) or not head:
                        part = plain.recv(65536)
                        if not part:
                            raise ConnectionResetError
                        received += part
                        head = received[:received.find(b"\r\n\r\n") + 4] if b"\r\n\r\n" in received else b""
                except OSError:
                    return ends.append("dawdled" if dawdled else "lost")
                answered, last = answered + 1, time.monotonic()
                if b'"decision":true' not in received:
                    return ends.append("wrong")
                if b"\r\nConnection: close\r\n" in head:
                    return ends.append("told")
                if answered == 20:
                    begun.wait(PATIENCE)
        clients = [threading.Thread(target=client) for _ in range(8)]
        for thread in clients:
            thread.start()
        begun.wait(PATIENCE)
        self.assertEqual(dpld.stop(), 0)
        for thread in clients:
            thread.join(PATIENCE)
        self.assertEqual(len(ends), 8)
        self.assertLessEqual(set(ends), {"told", "dawdled"}, ends)

    @staticmethod
    def length(head):
        found = re.search(rb"(?i)\r\nContent-Length: (\d+)", head)
        return int(found[1]) if found else 0


if __name__ == "__main__":
    unittest.main()
