#!/usr/bin/env python3
"""HTTP framing by RFC 9112 on a running dpld: every ambiguity of the corpus is refused with its status and ends the connection, its nearest
relative is taken, in one piece, byte by byte and in random pieces; and nothing behind a refusal is ever answered."""

import random
import re
import socket
import unittest
from pathlib import Path
import tempfile

import framing
from dpld import EVALUATION, PATIENCE, ROOT, Dpld, build

STORY = ROOT / "policies/quickstart"
BYTEWISE = 1500  # what is longer goes in random pieces


class Framing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="dpl-framing-")
        cls.dpld = Dpld("--bundle", build("quickstart", Path(cls.folder.name) / "p.dplb"), "--facts", STORY / "facts.json")
        cls.cases = list(framing.cases())
        cls.random = random.Random(9112)

    @classmethod
    def tearDownClass(cls):
        assert cls.dpld.stop() == 0
        cls.folder.cleanup()

    def send(self, data, pieces):
        """Sends the bytes in these pieces and ends; returns all that comes back."""
        with socket.create_connection(("127.0.0.1", self.dpld.port), timeout=PATIENCE) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                at = 0
                while at < len(data):
                    size = pieces()
                    plain.sendall(data[at:at + size])
                    at += size
                plain.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before the end
            received = b""
            try:
                while part := plain.recv(65536):
                    received += part
            except ConnectionResetError:
                pass
            return received

    def each_way(self, data):
        yield self.send(data, lambda: 1 << 20)
        yield self.send(data, (lambda: 1) if len(data) <= BYTEWISE else (lambda: self.random.randint(1, 4000)))
        yield self.send(data, lambda: self.random.randint(1, max(2, len(data) // 3)))

    def test_every_ambiguity_is_refused_and_its_nearest_relative_taken(self):
        self.assertGreater(len(self.cases), 150)
        for name, status, refused, control in self.cases:
            with self.subTest(case=name):
                for answer in self.each_way(refused):
                    self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), (name, answer[:200]))
                    self.assertIn(b"\r\nConnection: close\r\n", answer)
                    self.assertRegex(answer, rb'\r\n\r\n\{"error":"[^"]+"\}$')
                for answer in self.each_way(control):  # reaches the handler, which knows no such path
                    self.assertRegex(answer, rb"^HTTP/1.1 404 ", name)

    def test_nothing_behind_a_refusal_is_answered(self):
        smuggled = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
        control = self.send(smuggled + smuggled, lambda: 1 << 20)
        self.assertEqual(control.count(b"HTTP/1.1 200 "), 2)
        for name, status, refused, _ in self.cases:
            with self.subTest(case=name):
                answer = self.send(refused + smuggled, lambda: 1 << 20)
                self.assertEqual(re.findall(rb"HTTP/1.1 (\d+) ", answer), [b"%d" % status], name)

    def test_a_whole_request_before_a_refusal_is_answered(self):
        body = (STORY / "request.json").read_bytes()
        good = (b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "
                + str(len(body)).encode() + b"\r\n\r\n" + body)
        for name, status, refused, _ in self.cases:
            if refused.startswith(b"\r\n"):
                continue  # an empty line between two requests is taken, the second of two is not: told apart in request_line.txt
            with self.subTest(case=name):
                answer = self.send(good + refused, lambda: 1 << 20)
                self.assertEqual(re.findall(rb"HTTP/1.1 (\d+) ", answer), [b"200", b"%d" % status], name)


if __name__ == "__main__":
    unittest.main()
