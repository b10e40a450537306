#!/usr/bin/env python3
"""The audit log of a running dpld: what is recorded, what is never in it, what waits for it, kills, full disks, replay."""

import hashlib
import http.client
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from dpld import BIN, EVALUATION, EVALUATIONS, PATIENCE, Dpld, audit_records, build  # noqa: E402

KILLS = int(os.environ.get("DPL_KILLS", "3"))
POLICY = """
package acme.docs owned by team staff
granted 2026-01-01
review every 3650d
person { key id: string  has region: string from request }
team staff { owner person "boss" }
role chief { owner team staff }
system docs { owner team staff }
resource Document in docs {
  key id: string
  has label: string from request
  can read { note: string = "" }
  can pay { amount: money must be limited, memo: string = "" }
  can sign { secret: string = "" }
}
context { has place: string }
grant working {
  to team staff  may read, pay, sign on docs.Document
  limit amount to 1_000 USD each, beyond that ask over up to 9_000 USD
  limit amount to 20_000 USD in total for each person
  because "Staff work on documents"
}
approval over { by 1 of role chief  within 4h  good for 1 request within 24h  signs "I approve"  because "Above the band a chief decides" }
forbid shut { covers read on docs.Document where resource.id == "shut"  because "It is shut" }
obligation signed { covers sign on docs.Document  must log  because "Signatures are kept" }
agent writer {
  purpose "Summaries"  accountable person "boss"
  runs as spiffe "spiffe://acme.example/writer"
  may read on docs.Document  lives at most 8h
}
delegation help { from team staff  to agent writer  consent by policy  because "Staff may have summaries written" }
"""
PEOPLE = [f"p{n}" for n in range(8)]
FACTS = {"version": "docs-1", "persons": [{"id": "boss"}, {"id": "lead"}, *({"id": p} for p in PEOPLE)],
         "teams": {"staff": ["boss", *PEOPLE]}, "roles": [{"role": "chief", "members": ["lead"]}],
         "resources": [{"type": "docs.Document", "id": "a1"}, {"type": "docs.Document", "id": "shut"}]}
TOKEN = "token-s3cret-token"


def ask(action="read", person="p0", document="a1", properties=None, **context):
    body = {"subject": {"type": "person", "id": person}, "resource": {"type": "docs.Document", "id": document},
            "action": {"name": action, **({"properties": properties} if properties else {})}}
    return {**body, "context": context} if context else body


def pay(person="p0", amount=250, key=None):
    return ask("pay", person, properties={"amount": f"{amount}.00 USD", **({"idempotency_key": key} if key else {})})


def dplc(*arguments, code=0):
    done = subprocess.run([BIN / "dplc", "audit", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode != code:
        raise AssertionError(f"exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class WithAudit(unittest.TestCase):
    CALLERS = None

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="dpld-audit-")
        cls.addClassCleanup(cls.shared.cleanup)
        cls.policy = Path(cls.shared.name) / "policy.dpl"
        cls.policy.write_text(POLICY)
        cls.bundle = build(cls.policy, Path(cls.shared.name) / "p.dplb")
        cls.facts = Path(cls.shared.name) / "facts.json"
        cls.facts.write_text(json.dumps(FACTS))

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dpld-audit-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.log = self.folder / "audit"

    def serve(self, *more, audit=None, state="state", **options):
        config = {"bundle": str(self.bundle), "facts": str(self.facts), "audit": {"folder": str(self.log), **(audit or {})}}
        if self.CALLERS:
            config["callers"] = self.CALLERS
        (self.folder / "dpld.json").write_text(json.dumps(config))
        dpld = Dpld("--config", self.folder / "dpld.json", "--state", state if state == "memory" else self.folder / state, *more, **options)
        self.addCleanup(dpld.stop)
        return dpld

    def decision(self, dpld, answer):
        """The record of an answer's decision, once it is on disk."""
        number = answer.json["context"]["evaluation_id"]
        return dpld.audit(lambda r: r.get("id") == number)[0]


class Records(WithAudit):
    def test_each_kind_of_decision_leaves_its_record(self):
        dpld = self.serve()
        agent = {"agent": {"sub": "spiffe://acme.example/writer", "instance": "run-1"}}
        permit = self.decision(dpld, dpld.ask(ask(**agent), {"X-Request-ID": "r-1"}))
        self.assertEqual((permit["outcome"], permit["reason"], permit["caller"]), ("permit", "permit", "development"))
        self.assertEqual((permit["who"]["person"], permit["who"]["agent"], permit["who"]["instance"], permit["who"]["accountable"]),
                         ("p0", "acme.docs.writer", "run-1", "boss"))
        self.assertEqual(permit["who"]["chain"], [{"agent": "acme.docs.writer", "instance": "run-1", "ok": True}])
        self.assertIn('the agent acme.docs.writer "run-1", on behalf of person "p0", asked to read docs.Document "a1" at ', permit["says"])
        grant = next(b for b in permit["by"] if b["as"] == "grant")
        self.assertEqual((grant["statement"], grant["because"], grant["owner"]),
                         ("acme.docs.working", "Staff work on documents", "team acme.docs.staff"))
        self.assertRegex(grant["span"], r"policy.dpl:\d+:\d+-\d+:\d+")
        for version in ("policy", "bundle", "facts", "callers"):
            self.assertRegex(permit[version], r"^sha256:[0-9a-f]{64}$")
        self.assertEqual(permit["data"], "docs-1")

        denied = self.decision(dpld, dpld.ask(ask(document="shut")))
        self.assertEqual((denied["outcome"], denied["reason"], denied["by"][0]["as"]), ("deny", "forbidden", "forbid"))
        asked = self.decision(dpld, dpld.ask(pay(amount=5000)))
        self.assertEqual((asked["outcome"], asked["approvals"]), ("ask", ["acme.docs.over"]))
        dry = self.decision(dpld, dpld.ask(ask(dry_run=True)))
        self.assertEqual((dry["dry_run"], dry["reason"]), (True, "would_permit"))
        metered = self.decision(dpld, dpld.ask(pay()))
        total = next(line for line in metered["limits"] if line["cap"] == "20000.00 USD")
        self.assertEqual((total["before"], total["requested"], total["after"]), ("0.00 USD", "250.00 USD", "250.00 USD"))
        self.assertGreater(metered["reservation"]["id"], 0)

        items = dpld.post(EVALUATIONS, {**ask(), "evaluations": [{}, {"action": {"name": "fly"}}, {"action": {}}]}).json["evaluations"]
        self.assertEqual(len(items), 3)
        records = dpld.audit(lambda r: "item" in r, 3)
        self.assertEqual([(r["kind"], r["item"]) for r in records], [("decision", 0), ("decision", 1), ("refused", 2)])
        self.assertEqual(records[1]["reason"], "request.unknown_action")

        self.assertEqual(dpld.ask('{"subject"').status, 400)
        [refused] = dpld.audit(lambda r: r["kind"] == "refused" and "item" not in r)
        self.assertEqual((refused["status"], refused["caller"]), (400, "development"))

        dpld.hang_up()
        dpld.wait_for("reloaded")
        events = [r["event"] for r in dpld.audit(lambda r: r["kind"] == "change", 2)]
        self.assertEqual(events, ["start", "reload"])
        dpld.stop()
        dplc("verify", self.log)

    def test_a_record_that_is_waited_for_is_on_disk_when_the_answer_is_here(self):
        key = self.folder / "elsewhere.key"
        dpld = self.serve(audit={"sync_ms": 60_000, "key": str(key)})
        self.assertTrue(key.exists())
        self.assertFalse((self.log / "log.key").exists())
        for body in (pay(), ask("sign", properties={"secret": "x"})):
            number = dpld.ask(body).json["context"]["evaluation_id"]
            self.assertEqual([r["outcome"] for r in audit_records(self.log) if r.get("id") == number], ["permit"])
        # Nobody waits for this one; the stop writes it.
        number = dpld.ask(ask()).json["context"]["evaluation_id"]
        self.assertEqual([r for r in audit_records(self.log) if r.get("id") == number], [])
        dpld.stop()
        self.assertEqual(len([r for r in audit_records(self.log) if r.get("id") == number]), 1)

    def test_health_and_metrics_name_the_log(self):
        dpld = self.serve()
        dpld.ask(pay())
        health = dpld.get("/healthz").json
        self.assertEqual((health["status"], health["audit"]["kind"], health["audit"]["mode"], health["audit"]["writable"]),
                         ("ok", "log", "required", True))
        self.assertEqual(health["audit"]["folder"], str(self.log))
        self.assertIn("dpl_audit_writable 1", dpld.get("/metrics").body.decode())
        dpld.stop()
        none = Dpld("--bundle", self.bundle, "--facts", self.facts, "--state", "memory")
        self.addCleanup(none.stop)
        self.assertEqual(none.get("/healthz").json["audit"]["kind"], "none")
        self.assertTrue(none.ask(ask()).json["decision"])

    def test_the_log_is_beside_the_state_unless_said_otherwise(self):
        dpld = Dpld("--bundle", self.bundle, "--facts", self.facts, "--state", self.folder / "s")
        self.addCleanup(dpld.stop)
        self.assertEqual(dpld.audit_folder(), self.folder / "s/audit")
        self.assertTrue(dpld.ask(pay()).json["decision"])
        dpld.process.kill()
        dpld.stop()
        again = Dpld("--bundle", self.bundle, "--facts", self.facts, "--state", self.folder / "s")
        self.addCleanup(again.stop)
        self.assertEqual([r["event"] for r in again.audit(lambda r: r["kind"] == "change", 2)], ["start", "start"])


class Operated(WithAudit):
    """Facts pushed and people revoked while it serves: each change recorded, each decision replayed on what was in force."""
    CALLERS = [{"name": "gate", "token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest(), "roles": ["decide", "operate"],
                "serves_persons": True, "asserts_actors": True, "details": True}]

    def call(self, dpld, method, path, body):
        answer = dpld.operate(method, path, body, token=TOKEN)
        self.assertLess(answer.status, 300, answer.body)
        return answer.json

    def test_changes_are_recorded_and_decisions_replayed_across_them(self):
        headers = {"Authorization": f"Bearer {TOKEN}"}

        def reasons(dpld, *people):
            return [dpld.ask(ask(person=p), headers).json["context"]["reason"] for p in people]
        dpld = self.serve(operate=("127.0.0.1:0",))
        self.assertEqual(reasons(dpld, "p0", "new"), ["permit", "identity.unknown"])
        self.call(dpld, "PATCH", "/v1/facts", {"upsert": {"persons": [{"id": "new"}], "memberships": [{"team": "staff", "member": "new"}]}})
        self.call(dpld, "PATCH", "/v1/facts", {"version": "docs-3", "remove": {"memberships": [{"team": "staff", "member": "p1"}]}})
        self.assertEqual(reasons(dpld, "p0", "new", "p1"), ["permit", "permit", "person.no_grant"])
        self.call(dpld, "POST", "/v1/revocations", {"kind": "person", "name": "p0", "because": "left the company"})
        self.assertEqual(reasons(dpld, "p0", "new"), ["revoked.person", "permit"])
        dpld.audit(lambda r: r["kind"] == "decision", 7)
        dpld.process.kill()
        dpld.stop()
        dpld = self.serve(operate=("127.0.0.1:0",))
        self.assertEqual(reasons(dpld, "p0", "new", "p1"), ["revoked.person", "permit", "person.no_grant"])
        self.call(dpld, "PUT", "/v1/facts", {**FACTS, "version": "docs-9"})
        self.assertEqual(reasons(dpld, "new", "p1"), ["identity.unknown", "permit"])
        dpld.audit(lambda r: r["kind"] == "decision", 12)
        dpld.stop()
        self.assertIn("12 decisions: 12 gave the same bytes, 0 did not", dplc("replay", self.log))
        changes = [r for r in audit_records(self.log) if r["kind"] == "change"]
        self.assertEqual(len(changes), 6, changes)
        [revoked] = [r for r in changes if "left the company" in json.dumps(r)]
        self.assertEqual((revoked["caller"], revoked["outcome"]), ("gate", "done"))
        self.assertIn("left the company", dplc("who", self.log, "--person", "p0"))
        dplc("verify", self.log)


class Secrets(WithAudit):
    CALLERS = [{"name": "gate", "token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest(), "serves_persons": True,
                "asserts_actors": True, "asserts_instances": True, "asserts_attributes": "*", "charge_keys": True,
                "request_id_keys": True, "details": True}]

    def test_nothing_secret_is_in_the_folder(self):
        dpld = self.serve()
        headers = {"Authorization": f"Bearer {TOKEN}", "Cookie": "session=s3cret-cookie", "X-Other": "s3cret-header",
                   "X-Request-ID": "s3cret-request-id"}
        body = ask("read", properties={"note": "s3cret-parameter", "x": "s3cret-undeclared"}, place="s3cret-context")
        body["subject"]["properties"] = {"region": "s3cret-attribute", "token": "s3cret-claim"}
        body["resource"]["properties"] = {"label": "s3cret-label"}
        self.assertTrue(dpld.ask(body, headers).json["decision"])
        self.assertTrue(dpld.ask(pay(key="s3cret-key"), headers).json["decision"])
        self.assertTrue(dpld.post(EVALUATIONS, {"evaluations": [body, body]}, headers).json["evaluations"][1]["decision"])
        self.assertEqual(dpld.ask('{"s3cret-broken": s3cret}', headers).status, 400)
        self.assertEqual(dpld.ask(body, {"Authorization": "Bearer s3cret-wrong"}).status, 401)
        self.assertEqual(dpld.ask(ask("sign", properties={"secret": "kept-value"}), headers).json["context"]["reason"], "permit")
        dpld.audit(lambda r: r["kind"] == "decision", 5)
        dpld.stop()
        files = [p for p in self.log.rglob("*") if p.is_file()]
        self.assertGreater(len(files), 4)
        whole = b"".join(p.read_bytes() for p in files)
        self.assertNotIn(b"s3cret", whole)
        self.assertNotIn(hashlib.sha256(TOKEN.encode()).hexdigest().encode(), whole)
        self.assertIn(b"kept-value", whole, "what the policy says to log is there")
        for key in self.log.glob("keys/*.key"):
            self.assertEqual(key.stat().st_mode & 0o777, 0o600, key)
        # And all of it can be run again, until its key is deleted.
        self.assertIn("5 decisions: 5 gave the same bytes, 0 did not", dplc("replay", self.log))
        for key in self.log.glob("keys/seal-*.key"):
            key.unlink()
        self.assertIn("5 were not kept", dplc("replay", self.log))
        dplc("verify", self.log)

    def test_no_text_forges_a_line(self):
        dpld = self.serve()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        for text in ('x"}\n{"v":1,"kind":"decision","id":"forged"}', "a\r\nb", "\u2028\u2029", "\x1b[31mred", "\x9b2J", "\u202eevil", "\x00",
                     "\\", '"', "\U000e0041", "\ufeff", "\u200b"):
            dpld.ask({"subject": {"type": "person", "id": text}, "action": {"name": text}, "resource": {"type": text, "id": text}}, headers)
        records = dpld.audit(lambda r: r["kind"] in ("decision", "refused"), 12)
        self.assertNotIn("forged", [r.get("id") for r in records])
        dpld.stop()
        written = dplc("export", self.log, "--format", "lines")
        self.assertEqual(written.encode(), b"".join(path.read_bytes() for path in sorted(self.log.glob("*.jsonl"))))
        whole = dplc("export", self.log)
        self.assertEqual([json.loads(line)["seq"] for line in whole.splitlines()],
                         [line["seq"] for line in map(json.loads, written.splitlines()) if line["record"]["kind"] not in ("terms", "sealed")])
        for text in (whole + written).split("\n"):
            line = text
            self.assertFalse([c for c in text if ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c in "\u2028\u2029\u202e\u200b\ufeff\U000e0041"], line)
        shown = dplc("who", self.log)
        self.assertFalse([c for c in shown.replace("\n", "") if ord(c) < 0x20 or c == "\u202e"])
        dplc("verify", self.log)


class FullDisk(WithAudit):
    """The log's segment cannot grow any further: what is not recorded is not permitted, unless availability comes first."""

    def fill(self, dpld):
        unlimited = resource.prlimit(dpld.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        return unlimited

    def until(self, dpld, wanted):
        for _ in range(100_000):
            if wanted(dpld.get("/healthz").json):
                return
        self.fail("it never came to that")

    def test_required_denies_everything_until_there_is_room(self):
        dpld = self.serve()
        self.assertTrue(dpld.ask(pay()).json["decision"])
        unlimited = self.fill(dpld)
        first = dpld.ask(ask("sign"))
        self.assertEqual(first.status, 503, "it was to be on disk before its answer")
        self.until(dpld, lambda health: not health["audit"]["writable"])
        for body in (pay(), ask(), ask("sign"), ask(dry_run=True)):
            answer = dpld.ask(body)
            self.assertEqual((answer.status, answer.json["decision"], answer.json["context"]["reason"]), (200, False, "error.audit"))
        items = dpld.post(EVALUATIONS, {"evaluations": [pay(), ask()]}).json["evaluations"]
        self.assertEqual({i["context"]["reason"] for i in items}, {"error.audit"})
        self.assertEqual(dpld.get("/healthz").json["status"], "degraded")
        self.assertIn("dpl_audit_writable 0", dpld.get("/metrics").body.decode())
        self.assertIn("dpl_audit_refused_total 6\n", dpld.get("/metrics").body.decode(), "what was denied is counted")
        dpld.hang_up()
        self.assertEqual(dpld.wait_for("reload_failed")["code"], "error.audit")
        resource.prlimit(dpld.process.pid, resource.RLIMIT_FSIZE, unlimited)
        self.until(dpld, lambda health: health["audit"]["writable"])
        self.assertEqual(dpld.wait_for("reloaded")["cause"], "retry", "nobody has to ask again")
        answer = dpld.ask(pay()).json
        self.assertTrue(answer["decision"], answer)
        total = next(line for line in answer["context"]["dpl"]["limits"] if line["cap"] == "20000.00 USD")
        self.assertEqual(total["used"], "250.00 USD", "what was denied charged nothing")
        [gap] = dpld.audit(lambda r: r.get("event") == "gap")
        self.assertGreaterEqual(gap["refused"], 6)
        self.assertLess(gap["since"], gap["until"])
        dpld.stop()
        dplc("verify", self.log)

    def test_available_goes_on(self):
        dpld = self.serve(state="memory", audit={"mode": "available"})
        self.assertTrue(dpld.ask(ask("sign")).json["decision"])
        unlimited = self.fill(dpld)
        for body in (ask(), pay(), ask("sign")):
            answer = dpld.ask(body)
            self.assertEqual((answer.status, answer.json["decision"]), (200, True))
        self.until(dpld, lambda health: not health["audit"]["writable"])
        self.assertEqual(dpld.get("/healthz").json["status"], "degraded")
        resource.prlimit(dpld.process.pid, resource.RLIMIT_FSIZE, unlimited)
        self.until(dpld, lambda health: health["audit"]["writable"])
        self.assertTrue(dpld.ask(ask("sign")).json["decision"])
        dpld.stop()
        dplc("verify", self.log)


class Killing(WithAudit):
    def client(self, dpld, seed, permitted, lock):
        generator = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", dpld.port, timeout=20)
        try:
            while True:
                body = pay(generator.choice(PEOPLE), 1) if generator.random() < 0.7 else ask("sign", generator.choice(PEOPLE))
                connection.request("POST", EVALUATION, json.dumps(body), {"content-type": "application/json"})
                answer = json.loads(connection.getresponse().read())
                if answer["decision"]:
                    with lock:
                        permitted.append((answer["context"]["evaluation_id"],
                                          answer["context"]["dpl"].get("reservation", {}).get("id")))
        except (OSError, http.client.HTTPException, ValueError):
            pass
        connection.close()

    def test_what_was_answered_is_in_the_log(self):
        for seed in range(KILLS):
            dpld = self.serve()
            permitted, lock = [], threading.Lock()
            clients = [threading.Thread(target=self.client, args=(dpld, f"{seed}.{n}", permitted, lock)) for n in range(6)]
            for client in clients:
                client.start()
            after = random.Random(seed).randrange(20, 400)
            while len(permitted) < after and any(client.is_alive() for client in clients):
                pass
            dpld.process.kill()
            for client in clients:
                client.join()
            dpld.stop()
            # The next start cuts what was half written, and the log is whole.
            dpld = self.serve()
            records = {r["id"]: r for r in dpld.audit() if r["kind"] == "decision"}
            for number, reservation in permitted:
                self.assertIn(number, records, f"after kill {seed}")
                self.assertEqual(records[number].get("reservation", {}).get("id"), reservation)
            # State and log tell the same of what was spent, but for the few that nobody was told of: one for each client and kill.
            recorded = {p: sum(float(r["limits"][0]["requested"].split()[0]) for r in records.values()
                               if r["outcome"] == "permit" and r["who"].get("person") == p and r.get("limits")) for p in PEOPLE}
            for person in PEOPLE:
                lines = dpld.ask({**pay(person, 1), "context": {"dry_run": True}}).json["context"]["dpl"]["limits"]
                used = float(next(line for line in lines if line["cap"] == "20000.00 USD")["used"].split()[0])
                self.assertLessEqual(abs(used - recorded[person]), 6 * (seed + 1))
            dpld.stop()
            dplc("verify", self.log)
            self.assertNotIn("did not, ", dplc("replay", self.log))


class Batches(WithAudit):
    def test_items_that_share_some_of_their_members_are_replayed_each_as_it_was(self):
        dpld, count = self.serve(), 0
        for k in range(20):
            items = []
            for i in range(12):
                own = ask("fly" if k % 2 else "read", f"p{(i + k) % 4}", ("a1", "shut")[i % 2])
                items.append({name: own[name] for j, name in enumerate(own) if (i * (j + 1) + k) % (3 + j) == 0})
            answer = dpld.post(EVALUATIONS, {**ask(person=f"p{k % 4}"), "evaluations": items})
            self.assertEqual(len(answer.json["evaluations"]), len(items))
            dpld.ask(ask(person="p1"))
            count += len(items) + 1
        dpld.stop()
        self.assertIn(f"{count} decisions: {count} gave the same bytes, 0 did not", dplc("replay", self.log))


class Reading(WithAudit):
    def filled(self):
        dpld = self.serve()
        agent = {"agent": {"sub": "spiffe://acme.example/writer", "instance": "run-1"}}
        for body in (ask(**agent), ask(document="shut"), pay(), pay("p1", 5000), ask("sign", "p2"), ask(person="nobody"),
                     pay("p1", 900, "k1"), pay("p1", 900, "k1")):
            dpld.ask(body, {"X-Request-ID": "r-1"})
        dpld.post(EVALUATIONS, {**ask(person="p3"), "evaluations": [{}, {"resource": {"type": "docs.Document", "id": "shut"}}]})
        dpld.hang_up()
        dpld.wait_for("reloaded")
        dpld.ask(ask(person="p4"))
        dpld.audit(lambda r: r["kind"] == "decision", 11)
        dpld.stop()

    def test_who_did_what_on_whose_authority(self):
        self.filled()
        said = dplc("who", self.log, "--resource", "a1", "--agent", "writer")
        self.assertIn('on behalf of person "p0", asked to read docs.Document "a1"', said)
        self.assertIn('by grant acme.docs.working', said)
        self.assertIn('because "Staff work on documents"', said)
        self.assertEqual(len([line for line in said.splitlines() if not line.startswith(" ")]), 1)

        def numbers(*arguments):
            return [json.loads(line)["record"]["who"].get("person") for line in dplc("who", self.log, "--json", *arguments).splitlines()]
        self.assertEqual(numbers("--person", "p1"), ["p1", "p1", "p1"])
        self.assertEqual(numbers("--person", "p1", "--outcome", "ask"), ["p1"])
        self.assertEqual(numbers("--resource", "docs.Document:shut"), ["p0", "p3"])
        self.assertEqual(numbers("--action", "sign"), ["p2"])
        self.assertEqual(numbers("--action", "sign", "--since", "2999-01-01"), [])
        self.assertEqual(numbers("--action", "sign", "--until", "2000-01-01T00:00Z"), [])
        table = dplc("who", self.log, "--table", "--person", "p1")
        self.assertRegex(table.splitlines()[0], r"^number +time +outcome +who +did +on the authority of$")
        self.assertEqual(len(table.splitlines()), 4)
        self.assertIn("reload", dplc("who", self.log))

    def test_replay_gives_the_same_bytes_and_says_what_another_policy_changes(self):
        self.filled()
        done = json.loads(dplc("replay", self.log, "--json"))
        self.assertEqual((done["decisions"], done["same"], done["changed"], done["damaged"]), (11, 11, 0, 0), done)
        other = self.folder / "other.dpl"
        other.write_text(POLICY.replace("limit amount to 1_000 USD each", "limit amount to 500 USD each"))
        said = dplc("replay", self.log, "--policy", other, code=1)
        self.assertIn("2 × permit permit -> ask approval_required: p1, pay docs.Document", said)
        done = json.loads(dplc("replay", self.log, "--policy", build(other, self.folder / "o.dplb"), "--json", code=1))
        self.assertEqual((done["changed"], done["same"]), (2, 9), done)
        self.assertEqual(done["changes"][0]["count"], 2)
        same = json.loads(dplc("replay", self.log, "--policy", self.policy, "--json"))
        self.assertEqual((same["changed"], same["other_grounds"], same["grounds"]), (0, 0, []))

    def test_replay_says_what_else_a_decision_would_rest_on(self):
        self.filled()
        other = self.folder / "other.dpl"
        other.write_text(POLICY.replace("limit amount to 1_000 USD each", "limit amount to 1_500 USD each"))
        done = json.loads(dplc("replay", self.log, "--policy", other, "--json", code=1))
        told = [row["what"] for row in done["grounds"]]
        self.assertEqual(done["other_grounds"], sum(row["count"] for row in done["grounds"]))
        self.assertTrue(any("- limit " in what and " each to 1000.00 USD" in what and " each to 1500.00 USD" in what for what in told), done)
        said = dplc("replay", self.log, "--policy", other, code=1)
        self.assertIn("as it was, on other grounds: - limit ", said)
        self.assertRegex(said, r"stay as they were, \d+ change, \d+ of the former on other grounds, ")

    def test_a_planted_change_is_found(self):
        self.filled()
        segment = max((p for p in self.log.iterdir() if p.is_file()), key=lambda p: p.stat().st_size)
        data = segment.read_bytes()
        at = data.index(b'"box":"') + 50
        segment.write_bytes(data[:at] + (b"0" if data[at:at + 1] != b"0" else b"1") + data[at + 1:])
        # What was sealed together is damaged together.
        done = json.loads(dplc("replay", self.log, "--json", code=1))
        self.assertEqual((done["decisions"], done["changed"], done["not_kept"]), (11, 0, 0), done)
        self.assertGreater(done["damaged"], 0)
        self.assertEqual(done["same"] + done["damaged"], 11)
        self.assertEqual(subprocess.run([BIN / "dplc", "audit", "verify", self.log], capture_output=True).returncode, 1)

    def test_ocsf_events_are_what_the_schema_asks_for(self):
        self.filled()
        events = [json.loads(line) for line in dplc("export", self.log, "--format", "ocsf").splitlines()]
        self.assertEqual(len(events), 11)
        # OCSF 1.6, API Activity: what base_event, application and api_activity require, and their enumerations.
        required = {"activity_id": int, "category_uid": int, "class_uid": int, "type_uid": int, "severity_id": int, "time": int,
                    "metadata": dict, "actor": dict, "api": dict, "src_endpoint": dict}
        for event in events:
            for name, kind in required.items():
                self.assertIsInstance(event[name], kind, name)
            self.assertIn(event["activity_id"], (0, 1, 2, 3, 4, 99))
            self.assertEqual((event["category_uid"], event["class_uid"]), (6, 6003))
            self.assertEqual(event["type_uid"], 6003 * 100 + event["activity_id"])
            self.assertIn(event["severity_id"], (0, 1, 2, 3, 4, 5, 6, 99))
            self.assertEqual(event["metadata"]["version"], "1.6.0")
            self.assertIn("vendor_name", event["metadata"]["product"])
            self.assertEqual(event["metadata"]["profiles"], ["security_control"])
            self.assertIn("operation", event["api"])
            self.assertTrue({"uid", "name"} & set(event["actor"]["user"]), "user: at least one of")
            self.assertTrue({"uid", "name"} & set(event["src_endpoint"]), "endpoint: at least one of")
            self.assertIn((event["action_id"], event["disposition_id"], event["status_id"]), ((1, 1, 1), (2, 2, 2)))
            self.assertGreater(event["time"], 1_700_000_000_000)
        first = events[0]
        self.assertEqual((first["actor"]["user"]["uid"], first["actor"]["app_name"], first["api"]["operation"], first["resources"][0]["uid"]),
                         ("p0", "acme.docs.writer", "read", "a1"))
        self.assertEqual(first["actor"]["authorizations"][0]["policy"]["name"], "acme.docs.working")
        self.assertEqual((first["activity_id"], events[2]["activity_id"], events[2]["activity_name"]), (2, 99, "pay"))

    def test_opa_events_have_the_shape_of_its_decision_log(self):
        self.filled()
        events = [json.loads(line) for line in dplc("export", self.log, "--format", "opa").splitlines()]
        self.assertEqual(len(events), 11)
        for event in events:
            self.assertLessEqual({"labels", "decision_id", "bundles", "path", "input", "result", "requested_by", "timestamp"}, set(event))
            self.assertRegex(event["bundles"]["dpl"]["revision"], "^sha256:")
            self.assertIsInstance(event["result"]["decision"], bool)
            self.assertRegex(event["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertEqual(events[0]["path"], "acme/docs/working")
        self.assertEqual(events[2]["erased"], ["/input/parameters"])

    def test_without_replay_nothing_is_sealed(self):
        dpld = self.serve(audit={"replay": False})
        record = self.decision(dpld, dpld.ask(ask()))
        self.assertNotIn("sealed", record)
        self.assertRegex(record["policy"], "^sha256:")
        dpld.stop()
        self.assertFalse(list(self.log.glob("inputs/*")))
        self.assertIn("1 were not kept", dplc("replay", self.log))


if __name__ == "__main__":
    unittest.main()
