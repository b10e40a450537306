#!/usr/bin/env python3
"""What whoever runs dpld relies on: reload when files change, states of health, traces, notifications, the second signal."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dpld import BIN, EVALUATION, PATIENCE, ROOT, Dpld, build

STORY = ROOT / "policies/authzen-fixture"
FACTS = STORY / "facts.json"
GOOD = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}}
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="dpl-running-")
        cls.folder = Path(cls.temporary.name)
        cls.bundle = build("authzen-fixture", cls.folder / "policy.dplb")
        source = (STORY / "policy.dpl").read_text()
        reader = 'to      person "alice", person "bob"'
        (cls.folder / "other.dpl").write_text(source.split('test "rules 1 to 5')[0].replace(reader, 'to      person "bob"'))
        cls.yes = cls.bundle.read_bytes()
        cls.no = Path(build(cls.folder / "other.dpl", cls.folder / "other.dplb")).read_bytes()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def put(self, name, content):
        """Replaces a file as an operator should: a finished file renamed over it."""
        fresh = self.folder / f"{name}.fresh"
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
        fresh.rename(self.folder / name)
        return self.folder / name

    def serve(self, *arguments, **options):
        dpld = Dpld(*arguments, **options)
        self.addCleanup(dpld.stop)
        return dpld


class Watching(Running):
    def test_a_changed_bundle_is_taken_over_and_a_bad_one_is_not(self):
        live = self.put("live.dplb", self.yes)
        dpld = self.serve("--bundle", live, "--facts", FACTS, watch=1)
        self.assertIs(dpld.ask(GOOD).json["decision"], True)
        self.put("live.dplb", self.no)
        self.assertEqual(dpld.wait_for("reloaded")["cause"], "change")
        self.assertIs(dpld.ask(GOOD).json["decision"], False)
        self.put("live.dplb", b"garbage")
        self.assertEqual(dpld.wait_for("reload_failed")["kept"], dpld.wait_for("reloaded")["digest"])
        self.assertIs(dpld.ask(GOOD).json["decision"], False, "the last good one stays")
        health = dpld.get("/healthz").json
        self.assertEqual((health["health"], health["because"]), ("STALE", ["reload_failed"]))
        self.assertEqual(dpld.get("/readyz").status, 200)
        live.write_bytes(self.yes)  # in place
        dpld.wait_for("reloaded", 2)
        self.assertIs(dpld.ask(GOOD).json["decision"], True)
        self.assertEqual(dpld.get("/healthz").json["health"], "LOADED")
        self.assertEqual(len([e for e in dpld.events if e["event"] == "reload_failed"]), 1, "said once, not at every look")

    def test_facts_configuration_and_a_replaced_link(self):
        for name, bundle in (("one", self.yes), ("two", self.no)):
            (self.folder / name).mkdir()
            (self.folder / name / "p.dplb").write_bytes(bundle)
        current = self.folder / "current"
        current.symlink_to("one")
        facts = self.put("facts.json", FACTS.read_bytes())
        config = self.put("watched.json", json.dumps({"bundle": str(current / "p.dplb"), "facts": str(facts), "watch_seconds": 1}))
        dpld = self.serve("--config", config, watch=1)
        swap = self.folder / "current.fresh"
        swap.symlink_to("two")
        swap.rename(current)
        dpld.wait_for("reloaded")
        self.assertIs(dpld.ask(GOOD).json["decision"], False)
        self.put("facts.json", "{\n\"persons\": 7}")
        self.assertRegex(dpld.wait_for("reload_failed")["error"], r"facts\.json:2:\d+: ")
        self.put("facts.json", FACTS.read_bytes())
        dpld.wait_for("reloaded", 2)
        self.put("watched.json", json.dumps({"bundle": str(self.folder / "one/p.dplb"), "facts": str(facts), "log": "text",
                                             "limits": {"headers": 50}}))
        dpld.wait_for("reloaded", 3)
        self.assertEqual(dpld.wait_for("restart_needed")["members"], "limits,log,watch_seconds")
        self.assertIs(dpld.ask(GOOD).json["decision"], True)

    def test_not_when_it_is_off(self):
        live = self.put("off.dplb", self.yes)
        dpld = self.serve("--bundle", live, "--facts", FACTS)
        self.put("off.dplb", self.no)
        dpld.hang_up()
        self.assertEqual(dpld.wait_for("reloaded")["cause"], "signal")


class Memory(Running):
    def test_what_was_in_force_before_is_freed(self):
        """20 reloads of a policy with large facts leave the memory where it was after the first few."""
        persons = {"persons": [{"id": f"p{n}"} for n in range(20000)]}
        live = self.put("grow.dplb", self.yes)
        facts = self.put("grow.json", json.dumps(persons))
        dpld = self.serve("--bundle", live, "--facts", facts, "--state", "memory", "--audit", "none", "--threads", "2")

        def resident():
            deadline, least = time.monotonic() + PATIENCE, None
            while True:  # until what was replaced is let go: two looks alike
                now = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{dpld.process.pid}/status").read_text())[1])
                if least is not None and abs(now - least) < 64 or time.monotonic() > deadline:
                    return now
                least = now
                threading.Event().wait(0.3)

        def reload(count):
            persons["persons"][0]["id"] = f"q{count}"
            self.put("grow.json", json.dumps(persons))
            self.put("grow.dplb", self.no if count % 2 else self.yes)
            dpld.hang_up()
            dpld.wait_for("reloaded", count)
            dpld.ask(GOOD)

        for count in range(1, 6):
            reload(count)
        before = resident()
        for count in range(6, 26):
            reload(count)
        after = resident()
        # One of these snapshots takes several MiB: a single one that stays would show.
        self.assertLess(after - before, 4 * 1024, f"{before} KiB after 5 reloads, {after} after 25")


class Health(Running):
    def test_facts_too_old(self):
        source = (Path(__file__).parent / "world/policy.dpl").read_text()
        self.put("stale.dpl", source + 'person { key id: string source "hr" within 4h }\n')
        bundle = build(self.folder / "stale.dpl", self.folder / "stale.dplb")
        facts = json.loads((Path(__file__).parent / "world/facts.json").read_text())

        def facts_of(hours):
            facts["as_of"] = (datetime.now(timezone.utc) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
            return self.put("stale.json", json.dumps(facts))

        dpld = self.serve("--bundle", bundle, "--facts", facts_of(5))
        health = dpld.get("/healthz").json
        self.assertEqual((health["health"], health["because"], health["status"]), ("STALE", ["facts_stale"], "degraded"))
        self.assertEqual(health["facts"]["source"], {"name": "hr", "within_seconds": 14400, "stale": True})
        self.assertEqual(health["facts"]["feeds"], {"persons": True, "memberships": True, "accounts": False, "resources": True})
        self.assertGreater(health["facts"]["age_seconds"], 4 * 3600)
        ready = dpld.get("/readyz")
        self.assertEqual((ready.status, ready.json["health"], ready.json["policy"]), (200, "STALE", dpld.start["digest"]))
        metrics = dpld.get("/metrics").body.decode()
        self.assertIn('dpl_source_stale{source="hr"} 1\n', metrics)
        self.assertIn('dpl_health{state="STALE"} 1\n', metrics)
        self.assertIn('dpl_health{state="LOADED"} 0\n', metrics)
        facts_of(1)
        dpld.hang_up()
        dpld.wait_for("reloaded")
        self.assertEqual(dpld.get("/healthz").json["health"], "LOADED")
        self.assertIn('dpl_source_stale{source="hr"} 0\n', dpld.get("/metrics").body.decode())

    def test_not_ready_while_stopping(self):
        dpld = self.serve("--bundle", self.bundle, "--facts", FACTS)
        with socket.create_connection(("127.0.0.1", dpld.port), timeout=PATIENCE) as slow:
            slow.sendall(b"GET /readyz HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
            self.assertTrue(slow.recv(65536).startswith(b"HTTP/1.1 100 "))  # now inside a request
            dpld.process.send_signal(signal.SIGTERM)
            dpld.wait_for("stopping")
            slow.sendall(b"x")
            answer = b""
            while part := slow.recv(65536):
                answer += part
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"the server is stopping", answer)
        self.assertIn(dpld.start["digest"].encode(), answer)


class Traces(Running):
    GOOD_PARENT = f"00-{TRACE}-{SPAN}-01"
    BAD = ["", "00", f"00-{TRACE}-{SPAN}", f"00-{TRACE}-{SPAN}-01-x", f"00-{TRACE}-{SPAN}-0", f"00-{TRACE}-{SPAN}-011", f"ff-{TRACE}-{SPAN}-01",
           f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN.upper()}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
           f"00_{TRACE}_{SPAN}_01", f"0g-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-zz", f"00-{TRACE[:-1]}-{SPAN}-001", f"01-{TRACE}-{SPAN}-01x",
           f"{TRACE}", f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01"]
    LATER = [f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"]

    def test_ids_stand_in_records_and_nothing_comes_back(self):
        dpld = self.serve("--bundle", self.bundle, "--facts", FACTS)
        for parent in (self.GOOD_PARENT, *self.LATER):
            answer = dpld.ask(GOOD, {"traceparent": parent, "tracestate": "vendor=secret", "X-Request-ID": "r-" + parent[:2]})
            self.assertEqual(answer.status, 200)
            self.assertNotIn(TRACE, str(answer.headers) + answer.body.decode())
            self.assertNotIn("secret", str(answer.headers) + answer.body.decode())
        dpld.ask("{", {"traceparent": self.GOOD_PARENT})
        for bad in self.BAD:
            self.assertEqual(dpld.ask(GOOD, {"traceparent": bad}).status, 200, bad)
        dpld.ask(GOOD)
        decisions = dpld.audit(lambda r: r["kind"] == "decision", count=len(self.BAD) + 4)
        traced = [r for r in decisions if "trace_id" in r]
        self.assertEqual([(r["trace_id"], r["span_id"]) for r in traced], [(TRACE, SPAN)] * 3)
        refused = dpld.audit(lambda r: r["kind"] == "refused")
        self.assertEqual((refused[0]["trace_id"], refused[0]["span_id"]), (TRACE, SPAN))
        metrics = dpld.get("/metrics").body.decode()
        self.assertIn(f"dpl_traceparent_invalid_total {len(self.BAD)}\n", metrics)
        self.assertNotIn("secret", json.dumps(decisions))

    def test_twice_is_not_valid(self):
        dpld = self.serve("--bundle", self.bundle, "--facts", FACTS)
        body = json.dumps(GOOD).encode()
        line = f"traceparent: {self.GOOD_PARENT}\r\n".encode()
        dpld.raw(b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n" +
                 line * 2 + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
        self.assertNotIn("trace_id", dpld.audit(lambda r: r["kind"] == "decision")[0])

    def test_changes_carry_them_too(self):
        dpld = self.serve("--bundle", self.bundle, "--facts", FACTS, operate=(f"unix:{self.folder}/o.sock",))
        done = dpld.operate("POST", "/v1/revocations", {"kind": "person", "name": "alice", "because": "left"},
                            headers={"traceparent": self.GOOD_PARENT})
        self.assertEqual(done.status, 201 if done.status == 201 else 200, done.body)
        record = dpld.audit(lambda r: r["kind"] == "change" and r["event"].startswith("revo"))[0]
        self.assertEqual((record["trace_id"], record["span_id"]), (TRACE, SPAN))


class Stopping(Running):
    def under_way(self, dpld):
        """A connection in the middle of a request: the server cannot finish without it."""
        body = json.dumps(GOOD).encode()
        slow = socket.create_connection(("127.0.0.1", dpld.port), timeout=PATIENCE)
        slow.sendall(b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                     b"Expect: 100-continue\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n")
        self.assertTrue(slow.recv(65536).startswith(b"HTTP/1.1 100 "))
        return slow

    def test_a_second_signal_ends_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)):
            dpld = self.serve("--bundle", self.bundle, "--facts", FACTS)
            with self.under_way(dpld):
                dpld.process.send_signal(first)
                dpld.wait_for("stopping")
                dpld.process.send_signal(second)
                self.assertEqual(dpld.process.wait(PATIENCE), 3)
            self.assertEqual(dpld.wait_for("ended")["signal"], "TERM")

    def test_hanging_up_while_stopping_changes_nothing(self):
        dpld = self.serve("--bundle", self.bundle, "--facts", FACTS)
        with self.under_way(dpld) as slow:
            dpld.process.send_signal(signal.SIGTERM)
            dpld.wait_for("stopping")
            dpld.hang_up()
            slow.sendall(json.dumps(GOOD).encode())
            self.assertIn(b'"decision":true', slow.recv(65536))
        self.assertEqual(dpld.process.wait(PATIENCE), 0)

    def test_few_descriptors_are_said(self):
        process = subprocess.Popen([BIN / "dpld", "--log", "json", "--bundle", self.bundle, "--facts", FACTS, "--listen", "127.0.0.1:0",
                                    "--operate", "none", "--state", "memory"], stderr=subprocess.PIPE, text=True,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 500)))
        warning = json.loads(process.stderr.readline())
        self.assertEqual((warning["event"], warning["limit"]), ("descriptors_few", "500"))
        self.assertEqual(json.loads(process.stderr.readline())["event"], "start")
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max open files +500 +500")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)


class Notifying(Running):
    def test_the_service_manager_is_told(self):
        for name in (str(self.folder / "notify.sock"), f"\0dpl-notify-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.settimeout(PATIENCE)
                manager.bind(name)
                live = self.put("notify.dplb", self.yes)
                process = subprocess.Popen([BIN / "dpld", "--bundle", live, "--facts", FACTS, "--listen", "127.0.0.1:0", "--operate", "none",
                                            "--state", "memory", "--watch", "0"], stderr=subprocess.DEVNULL,
                                           env={**os.environ, "NOTIFY_SOCKET": name.replace("\0", "@")})
                said = [manager.recv(4096).decode()]
                self.assertRegex(said[0], r"^READY=1\nSTATUS=serving sha256:[0-9a-f]{64}$")
                process.send_signal(signal.SIGHUP)
                self.assertRegex(manager.recv(4096).decode(), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
                self.assertEqual(manager.recv(4096).decode(), said[0])
                self.put("notify.dplb", b"garbage")
                process.send_signal(signal.SIGHUP)
                manager.recv(4096)
                self.assertRegex(manager.recv(4096).decode(), r"^READY=1\nSTATUS=stale, the reload failed; serving sha256:")
                process.send_signal(signal.SIGTERM)
                self.assertEqual(manager.recv(4096).decode(), "STOPPING=1")
                self.assertEqual(process.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
