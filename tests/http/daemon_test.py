#!/usr/bin/env python3
"""The life of dpld: refused starts, what it says about itself, callers, reload, drain, unix sockets."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from dpld import BIN, EVALUATION, EVALUATIONS, PATIENCE, ROOT, Dpld, build, run

STORY = ROOT / "policies/authzen-fixture"
FACTS = STORY / "facts.json"
GOOD = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
        "resource": {"type": "record", "id": "record-1"}}
ADMIN = {"subject": {"type": "user", "id": "alice", "properties": {"role": "admin"}}, "action": {"name": "write"},
         "resource": {"type": "record", "id": "record-2", "properties": {"status": "archived"}}}


class WithFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="dpl-daemon-")
        cls.folder = Path(cls.temporary.name)
        cls.bundle = build("authzen-fixture", cls.folder / "policy.dplb")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def config(self, **members):
        return self.file("dpld.json", json.dumps({"bundle": "policy.dplb", "facts": str(FACTS), **members}))

    def serve(self, *arguments, **options):
        dpld = Dpld(*arguments, **options)
        self.addCleanup(dpld.stop)
        return dpld

    def start(self, **options):
        return self.serve("--bundle", self.bundle, "--facts", FACTS, **options)


class Starting(WithFolder):
    def refused(self, *arguments, code=1):
        ended = run("--log", "json", *arguments)
        self.assertEqual(ended.returncode, code, ended.stderr)
        lines = ended.stderr.splitlines()
        self.assertEqual(len(lines), 1, ended.stderr)
        event = json.loads(lines[0])
        self.assertEqual(event["event"], "refused")
        return event["error"]

    def test_it_says_what_is_loaded_and_where_it_listens(self):
        start = self.start().start
        self.assertEqual(start["bundle"], str(self.bundle))
        self.assertRegex(start["digest"], r"^sha256:[0-9a-f]{64}$")
        self.assertEqual(start["facts"], str(FACTS))
        self.assertTrue(start["facts_version"])
        self.assertRegex(start["listen"], r"^127\.0\.0\.1:[1-9]\d*$")
        self.assertEqual(start["mode"], "development")
        self.assertIn("assert everything", start["callers"])

    def test_text_log(self):
        process = subprocess.Popen([BIN / "dpld", "--bundle", self.bundle, "--facts", FACTS, "--listen", "127.0.0.1:0", "--operate", "none", "--state", "memory"],
                                   stderr=subprocess.PIPE, text=True)
        line = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=PATIENCE)[1]
        self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\S+Z info  start .* mode=development .* listen=127\.0\.0\.1:\d+\n$")
        self.assertRegex(rest, r"^\S+ info  stopping signal=TERM\n\S+ info  stopped requests=0\n$")

    def test_no_policy(self):
        self.assertIn("no bundle", self.refused("--facts", FACTS))
        self.assertIn("no facts", self.refused("--bundle", self.bundle))
        self.assertIn("nowhere.dplb: No such file", self.refused("--bundle", "nowhere.dplb", "--facts", FACTS))
        self.assertIn("nowhere.json: No such file", self.refused("--bundle", self.bundle, "--facts", "nowhere.json"))
        self.assertIn("Is a directory", self.refused("--bundle", self.folder, "--facts", FACTS))

    def test_bad_bundles(self):
        good = self.bundle.read_bytes()
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 1
        for bad in (b"", b"x", b"{}", good[:-1], good[:100], good + b"\0", bytes(flipped), os.urandom(4096)):
            self.assertTrue(self.refused("--bundle", self.file("bad.dplb", bad), "--facts", FACTS).startswith(str(self.folder)))

    def test_bad_facts(self):
        for bad in ("", "{", "[]", '{"persons": 1}', '{"persons": [], "persons": []}', '{"nonsense": []}',
                    '{"persons": [{"id": 5}]}', '{"resources": [{"type": "fixture.Planet", "id": "x"}]}'):
            with self.subTest(bad=bad):
                error = self.refused("--bundle", self.bundle, "--facts", self.file("bad.json", bad))
                self.assertRegex(error, re.escape(str(self.folder / "bad.json")) + r":\d+:\d+: ")

    def test_bad_configuration(self):
        config = self.file("bad-config.json", '{\n  "bundel": "x"\n}')
        error = self.refused("--config", config)
        self.assertTrue(error.startswith(f"{config}:2:13: ") and "Known are" in error, error)

    def test_other_machines_need_callers(self):
        for address in ("0.0.0.0:0", "[::]:0"):
            self.assertIn("callers", self.refused("--bundle", self.bundle, "--facts", FACTS, "--listen", address))

    def test_a_taken_port(self):
        dpld = self.start()
        self.assertIn("in use", self.refused("--bundle", self.bundle, "--facts", FACTS, "--listen", dpld.addresses[0]))
        self.assertEqual(dpld.ask(GOOD).status, 200)

    def test_wrong_use(self):
        for arguments in (("--nonsense",), ("--log", "xml"), ("--threads", "0"), ("extra",)):
            self.assertEqual(run(*arguments).returncode, 2, arguments)
        for argument in ("--help", "--version"):
            ended = run(argument)
            self.assertEqual(ended.returncode, 0)
            self.assertIn("dpld", ended.stdout)

    def test_check_config(self):
        good = run("--check-config", "--bundle", self.bundle, "--facts", FACTS)
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("checked", good.stderr)
        bad = run("--check-config", "--bundle", self.bundle, "--facts", "nowhere.json")
        self.assertEqual((bad.returncode, bad.stderr), (1, "nowhere.json: No such file or directory\n"))

    def test_the_command_line_wins_over_the_file(self):
        dpld = self.serve("--config", self.config(listen=["127.0.0.1:1"], log="text", threads=1))
        self.assertEqual(dpld.ask(GOOD).json["decision"], True)


class Serving(WithFolder):
    def test_unix_socket_beside_tcp(self):
        path = self.folder / "dpld.sock"
        dpld = self.start(listen=["127.0.0.1:0", f"unix:{path}"])
        self.assertEqual(dpld.ask(GOOD).status, 200)
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(PATIENCE)
            plain.connect(str(path))
            plain.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertTrue(plain.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertEqual(dpld.stop(), 0)
        self.assertFalse(path.exists())

    def test_health_and_readiness(self):
        dpld = self.start()
        health = dpld.get("/healthz").json
        self.assertEqual(health["status"], "ok")
        self.assertEqual(health["mode"], "development")
        self.assertEqual(health["policy"]["digest"], dpld.start["digest"])
        self.assertEqual(health["facts"]["version"], dpld.start["facts_version"])
        self.assertEqual(health["last_reload"], {"ok": True})
        self.assertEqual(dpld.get("/readyz").status, 200)

    def test_metrics(self):
        dpld = self.start()
        for body in (GOOD, GOOD, {**GOOD, "action": {"name": "fly"}}):
            dpld.ask(body)
        dpld.ask("{")
        dpld.post(EVALUATIONS, {**GOOD, "evaluations": [{}, {"subject": 1}]})
        answer = dpld.get("/metrics")
        self.assertEqual(answer.headers["content-type"].split("; ")[:2], ["text/plain", "version=0.0.4"])
        text = answer.body.decode()
        self.assertTrue(text.endswith("\n"))
        samples, declared = {}, set()
        for line in text.splitlines():
            if line.startswith("#"):
                declared.add(line.split()[2])
                continue
            match = re.fullmatch(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)', line)
            self.assertTrue(match, line)
            name = re.sub(r"_(bucket|sum|count)$", "", match[1])
            self.assertTrue(match[1] in declared or name in declared, line)
            samples[match[1] + (match[2] or "")] = float(match[3])
        self.assertEqual(samples['dpl_decisions_total{decision="permit",reason="permit"}'], 3)
        self.assertEqual(samples['dpl_decisions_total{decision="deny",reason="request.unknown_action"}'], 1)
        self.assertEqual(samples["dpl_batch_item_errors_total"], 1)
        self.assertEqual(samples['dpl_http_responses_total{code="400"}'], 1)
        self.assertEqual(samples["dpl_http_handler_failures_total"], 0)
        self.assertEqual(samples["dpl_development_mode"], 1)
        buckets = [value for name, value in samples.items() if name.startswith("dpl_evaluation_duration_seconds_bucket")]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(buckets[-1], samples["dpl_evaluation_duration_seconds_count"])
        self.assertEqual(buckets[-1], 4)

    def test_evaluation_ids_differ(self):
        dpld = self.start()
        ids = {dpld.ask(GOOD).json["context"]["evaluation_id"] for _ in range(20)}
        self.assertEqual(len(ids), 20)

    def test_many_clients_at_once(self):
        dpld, wrong = self.start(), []

        def client(number):
            connection = dpld.connect()
            for i in range(100):
                what = "read" if (number + i) % 2 else "write"
                answer = dpld.post(EVALUATION, {**GOOD, "subject": {"type": "user", "id": "bob"}, "action": {"name": what}},
                                   connection=connection)
                if answer.status != 200 or answer.json["decision"] != (what == "read"):
                    wrong.append(answer.body)
            connection.close()

        clients = [threading.Thread(target=client, args=(n,)) for n in range(8)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertEqual(wrong, [])

    def test_drain(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            dpld = self.start()
            body = json.dumps(GOOD).encode()
            with socket.create_connection(("127.0.0.1", dpld.port), timeout=PATIENCE) as slow:
                slow.sendall(b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                             b"Expect: 100-continue\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n")
                self.assertTrue(slow.recv(65536).startswith(b"HTTP/1.1 100 "))  # now inside a request
                dpld.process.send_signal(number)
                dpld.wait_for("stopping")
                slow.sendall(body)
                answer = b""
                while part := slow.recv(65536):
                    answer += part
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
            self.assertIn(b'"decision":true', answer)
            self.assertEqual(dpld.stop(), 0)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", dpld.port), timeout=PATIENCE)


class Callers(WithFolder):
    TOKEN = "correct-horse-battery-staple"

    def start_with(self, **flags):
        caller = {"name": "gateway", "token_sha256": hashlib.sha256(self.TOKEN.encode()).hexdigest(), **flags}
        return self.serve("--config", self.config(callers=[caller]))

    def ask(self, dpld, body, token=TOKEN):
        return dpld.ask(body, {"Authorization": f"Bearer {token}"} if token else {})

    def test_only_registered_callers_are_answered(self):
        dpld = self.start_with(serves_persons=True)
        self.assertEqual(dpld.start["mode"], "registered")
        self.assertEqual(dpld.get("/healthz").json["mode"], "registered")
        self.assertIs(self.ask(dpld, GOOD).json["decision"], True)
        for token in (None, "wrong", self.TOKEN[:-1], self.TOKEN + "x", self.TOKEN.upper()):
            answer = self.ask(dpld, GOOD, token)
            self.assertEqual(answer.status, 401)
            self.assertIn("Bearer", answer.headers["www-authenticate"])
            self.assertEqual(list(answer.json), ["error"])
        self.assertEqual(dpld.get("/readyz").status, 200)
        dpld.stop()
        self.assertNotIn(self.TOKEN, json.dumps(dpld.events))

    def test_every_default_is_no(self):
        dpld = self.start_with()
        self.assertEqual(self.ask(dpld, GOOD).json["context"]["reason"], "agent.actor_missing")
        dpld.stop()
        dpld = self.start_with(serves_persons=True)
        self.assertIs(self.ask(dpld, GOOD).json["decision"], True)
        self.assertIs(self.ask(dpld, ADMIN).json["decision"], False, "the role is only the caller's word")
        dpld.stop()
        dpld = self.start_with(serves_persons=True, asserts_attributes=["person.role", "fixture.Record.status"])
        self.assertIs(self.ask(dpld, ADMIN).json["decision"], True)

    def test_an_attribute_that_no_policy_declares_is_said(self):
        dpld = self.start_with(asserts_attributes=["person.role", "person.rolle", "fixture.Record.status", "fixture.Record"])
        self.assertEqual(sorted(e["attribute"] for e in dpld.events if e["event"] == "unknown_attribute"),
                         ["fixture.Record", "person.rolle"])

    def test_naming_an_agent_needs_leave(self):
        body = {**GOOD, "context": {"agent": "nobody"}}
        self.assertIs(self.ask(self.start_with(serves_persons=True), body).json["decision"], False)

    def test_details_are_for_those_entitled(self):
        without = self.ask(self.start_with(serves_persons=True), GOOD).json["context"]
        self.assertNotIn("reason_admin", without)
        self.assertNotIn("fixture.readers", json.dumps(without))
        full = self.ask(self.start_with(serves_persons=True, details=True), GOOD).json["context"]
        self.assertIn("reason_admin", full)
        self.assertIn("authzen.fixture.readers", json.dumps(full))

    def test_dry_run_needs_leave_and_never_permits(self):
        dry = {**GOOD, "context": {"dry_run": True}}
        for dpld in (self.start_with(serves_persons=True), self.start_with(serves_persons=True, dry_run=True)):
            self.assertIs(self.ask(dpld, dry).json["decision"], False)

    def test_other_machines_may_be_served(self):
        caller = {"name": "gateway", "token_sha256": hashlib.sha256(self.TOKEN.encode()).hexdigest(), "serves_persons": True}
        dpld = self.serve("--config", self.config(callers=[caller]), listen=["127.0.0.1:0", "0.0.0.0:0"])
        self.assertIs(self.ask(dpld, GOOD).json["decision"], True)

    def test_unix_peers(self):
        path = self.folder / "peer.sock"
        body = json.dumps(GOOD).encode()
        request = (b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: l\r\nConnection: close\r\n"
                   b"Content-Type: application/json\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
        for uid, status in ((os.getuid(), b"200"), (os.getuid() + 1, b"401")):
            dpld = self.serve("--config", self.config(callers=[{"name": "l", "unix_uid": uid, "serves_persons": True}]),
                              listen=["127.0.0.1:0", f"unix:{path}"])
            with socket.socket(socket.AF_UNIX) as plain:
                plain.settimeout(PATIENCE)
                plain.connect(str(path))
                plain.sendall(request)
                self.assertTrue(plain.recv(65536).startswith(b"HTTP/1.1 " + status))
            self.assertEqual(dpld.ask(GOOD).status, 401, "TCP has no user id")
            dpld.stop()


class Reloading(WithFolder):
    def setUp(self):
        # Two policies that disagree on GOOD, swapped under the same name.
        source = (STORY / "policy.dpl").read_text()
        reader = 'to      person "alice", person "bob"'
        self.assertIn(reader, source)
        other = self.folder / "other.dpl"
        other.write_text(source.split("test \"rules 1 to 5")[0].replace(reader, 'to      person "bob"'))
        self.yes = self.bundle.read_bytes()
        self.no = Path(build(other, self.folder / "other.dplb")).read_bytes()
        self.live = self.folder / "live.dplb"
        self.swap(self.yes)

    def swap(self, content):
        fresh = self.folder / "fresh.dplb"
        fresh.write_bytes(content)
        fresh.rename(self.live)

    def test_a_good_bundle_takes_over_and_a_bad_one_does_not(self):
        dpld = self.serve("--bundle", self.live, "--facts", FACTS)
        self.assertIs(dpld.ask(GOOD).json["decision"], True)
        self.swap(self.no)
        dpld.hang_up()
        after = dpld.wait_for("reloaded")
        self.assertNotEqual(after["digest"], dpld.start["digest"])
        self.assertIs(dpld.ask(GOOD).json["decision"], False)
        self.assertEqual(dpld.get("/healthz").json["policy"]["digest"], after["digest"])
        for count, bad in enumerate((b"", self.yes[:-1], b"garbage"), 1):
            self.swap(bad)
            dpld.hang_up()
            failure = dpld.wait_for("reload_failed", count)
            self.assertEqual(failure["kept"], after["digest"])
            health = dpld.get("/healthz").json
            self.assertEqual(health["status"], "degraded")
            self.assertFalse(health["last_reload"]["ok"])
            self.assertIn("live.dplb", health["last_reload"]["error"])
            self.assertEqual(health["policy"]["digest"], after["digest"])
            self.assertEqual(dpld.get("/readyz").status, 200)
            self.assertIs(dpld.ask(GOOD).json["decision"], False, "the last good policy stays")
        self.swap(self.yes)
        dpld.hang_up()
        dpld.wait_for("reloaded", 2)
        self.assertIs(dpld.ask(GOOD).json["decision"], True)
        self.assertEqual(dpld.get("/healthz").json["status"], "ok")

    def test_bad_facts_keep_the_last_good(self):
        facts = self.file("live.json", FACTS.read_bytes())
        dpld = self.serve("--bundle", self.live, "--facts", facts)
        facts.write_text("{\n\"persons\": 7}")
        dpld.hang_up()
        self.assertRegex(dpld.wait_for("reload_failed")["error"], r"live\.json:2:\d+: ")
        self.assertIs(dpld.ask(GOOD).json["decision"], True)
        facts.write_bytes(FACTS.read_bytes())
        dpld.hang_up()
        dpld.wait_for("reloaded")

    def test_consents_follow_the_facts_file_and_never_widen_by_themselves(self):
        source = (Path(__file__).parent / "world/policy.dpl").read_text()
        strict = re.sub("consent +by policy", "consent every 3650d", source)
        wider = re.sub(r"(agent assistant .*?may +read)", r"\1, cancel", re.sub(r"(can +read)", r"\1, cancel", strict), flags=re.S)
        self.assertTrue(strict != source and wider.count("cancel") == 2)
        bundles = []
        for name, text in (("strict", strict), ("wider", wider)):
            self.file(f"{name}.dpl", text)
            bundles.append(Path(build(self.folder / f"{name}.dpl", self.folder / f"{name}.dplb")).read_bytes())
        facts = json.loads((Path(__file__).parent / "world/facts.json").read_text())
        live_facts = self.folder / "consents.json"

        def write(**consents):
            facts["consents"] = [{"delegation": "assist", "person": who, "at": at} for who, at in consents.items()]
            live_facts.write_text(json.dumps(facts))

        reloads = 0

        def reload(bundle=None, **consents):
            nonlocal reloads
            if bundle:
                self.swap(bundle)
            write(**consents)
            dpld.hang_up()
            reloads += 1
            dpld.wait_for("reloaded", reloads)

        def consented(who):
            answer = dpld.ask({"subject": {"type": "person", "id": who}, "action": {"name": "read"},
                               "resource": {"type": "shop.Order", "id": "O1"}, "context": {"agent": "assistant"}}).json
            self.assertEqual(answer["context"]["reason"], "permit" if answer["decision"] else "delegation.consent_missing")
            return answer["decision"]

        self.swap(bundles[0])
        write(b00="2026-01-01")
        dpld = self.serve("--bundle", self.live, "--facts", live_facts)
        self.assertEqual([consented("b00"), consented("b01")], [True, False])
        reload(b00="2026-01-01", b01="2026-01-01")
        self.assertEqual([consented("b00"), consented("b01")], [True, True])
        reload(b01="2026-01-01")
        self.assertEqual([consented("b00"), consented("b01")], [False, True], "what the file no longer holds counts no more")
        reload(b00="2026-01-01", b01="2026-01-01")
        self.assertEqual(consented("b00"), True, "written again, it counts again")
        reload(bundles[1], b01="2026-01-01")
        self.assertEqual(consented("b01"), False, "an old consent does not cover a wider delegation")
        reload(b01="2026-01-02")
        self.assertEqual(consented("b01"), True, "a new one does")

    def test_answers_under_swaps_come_wholly_from_one_policy(self):
        dpld = self.serve("--bundle", self.live, "--facts", FACTS)
        stop, wrong, answered = threading.Event(), [], []
        verdicts = {}

        def client():
            connection = dpld.connect()
            while not stop.is_set():
                answer = dpld.post(EVALUATIONS, {**GOOD, "evaluations": [{}] * 5}, connection=connection)
                items = [(item["decision"], item["context"]["dpl"]["versions"]["policy"]) for item in answer.json["evaluations"]]
                if answer.status != 200 or len(set(items)) != 1 or verdicts.setdefault(items[0][1], items[0][0]) != items[0][0]:
                    wrong.append(items)
                answered.append(items[0])
            connection.close()

        clients = [threading.Thread(target=client) for _ in range(4)]
        for thread in clients:
            thread.start()
        for count in range(1, 41):
            self.swap(self.no if count % 2 else self.yes)
            dpld.hang_up()
            dpld.wait_for("reloaded", count)
        stop.set()
        for thread in clients:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(sorted(verdicts.values()), [False, True])


if __name__ == "__main__":
    unittest.main()
