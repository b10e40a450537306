#!/usr/bin/env python3
"""The operating API on a durable store: who is let in for what, what each change does to the next decision, and what a restart keeps.

DPL_INSTANCES says how many runs of one agent are decided for (10,000)."""

import http.client
import json
import os
import re
import socket
import stat
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dpld import DROP, EVALUATION, EVALUATIONS, PATIENCE, Dpld, run
from operate_world import CALLERS, POLICY, World, evaluation, token

ROOT = Path(__file__).resolve().parents[2]
ROUTE = re.compile(r'DPL_ROUTE\("(\w+)", "([^"]+)", ([^,]+), (\w+), "([^"]*)", (\w+)\)')
INSTANCES = int(os.environ.get("DPL_INSTANCES", "10000"))
ROLE_OF = {"gateway": "decide", "operator": "operate", "approver": "approve", "auditor": "audit"}


def routes():
    """(method, path, roles, body, query) of every row of the table."""
    found = []
    for method, path, roles, body, query, _ in ROUTE.findall((ROOT / "server/operate/routes.def").read_text()):
        found.append((method, path, {r.lower() for r in re.findall(r"Role::k(\w+)", roles)}, body, query.split()))
    return found


def soon(**delta):
    return (datetime.now(timezone.utc) + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


SETTLE = {"id": "t1", "shape": "settle", "person": "raj", "agent": "assistant",
          "args": {"orders": ["O1"], "budget": "2000.00 USD", "urgent": False}}


class Operated(unittest.TestCase):
    """A server of its own for each test; `op` calls as the operator, `ask` as the gateway."""

    CALLERS = CALLERS

    def setUp(self):
        self.world = World(self.CALLERS)
        self.addCleanup(self.world.cleanup)
        self.dpld = None
        self.serve()

    def serve(self, *more, **how):
        if self.dpld is not None:
            self.dpld.stop()
        self.dpld = self.world.serve(*more, **how)
        self.addCleanup(self.dpld.stop)
        return self.dpld

    def op(self, method, path, body=None, by="operator", expect=None, **how):
        answer = self.dpld.operate(method, path, body, token(by) if by else None, **how)
        if answer.status >= 400:
            self.assertEqual(answer.headers["content-type"], "application/problem+json", answer.body)
            problem = answer.json
            self.assertEqual(problem["status"], answer.status)
            self.assertTrue(problem["title"] and problem["detail"] and problem["type"], problem)
        if expect is not None:
            self.assertEqual(answer.status, expect, answer.body)
        return answer

    def ask(self, *arguments, by="gateway", **how):
        answer = self.dpld.ask(evaluation(*arguments, **how), {"Authorization": f"Bearer {token(by)}"})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["context"]

    def reason(self, *arguments, **how):
        return self.ask(*arguments, **how)["reason"]

    def epoch(self):
        return self.op("GET", "/v1/epoch", expect=200).json["epoch"]


class Separation(Operated):
    def test_each_route_for_each_role(self):
        self.assertGreater(len(routes()), 15)
        for method, template, roles, body, _ in routes():
            path = re.sub(r"\{\w+\}", "x", template)
            sent = {} if body == "kRequired" else None
            self.assertEqual(self.op(method, path, sent, by=None).status, 401, path)
            self.assertEqual(self.op(method, path, sent, by="nobody").status, 401, path)
            for caller, role in ROLE_OF.items():
                answer = self.op(method, path, sent, by=caller)
                refused = answer.status == 403 and "needs the role" in answer.json["detail"]
                self.assertEqual(refused, role not in roles, f"{caller} {method} {template}: {answer.body}")
                self.assertNotIn(answer.status, (401, 404) if "{" not in template else (401,), f"{caller} {method} {template}")
                self.assertLess(answer.status, 500, f"{caller} {method} {template}: {answer.body}")
            wrong = self.op("DELETE", path)
            self.assertEqual(wrong.status, 405)
            self.assertIn(method, wrong.headers["allow"])

    def test_nothing_administrative_where_decisions_are_asked_for(self):
        for method, template, *_ in routes():
            path = re.sub(r"\{\w+\}", "x", template)
            for headers in ({}, {"Authorization": f"Bearer {token('operator')}"}, {"Authorization": f"Bearer {token('gateway')}"}):
                answer = self.dpld.request(method, path, "{}" if method == "POST" else None, {"Content-Type": "application/json", **headers})
                self.assertEqual(answer.status, 404, path)
        for path in (EVALUATION, EVALUATIONS, "/healthz", "/readyz", "/metrics", "/.well-known/authzen-configuration"):
            self.op("GET", path, expect=404)
            self.op("POST", path, {}, by="gateway", expect=404)

    def test_only_the_role_decide_decides(self):
        for caller, members in CALLERS.items():
            answer = self.dpld.ask(evaluation("raj"), {"Authorization": f"Bearer {token(caller)}"})
            self.assertEqual(answer.status, 200 if "decide" in members["roles"] else 403, caller)

    def test_bad_requests_are_told_apart(self):
        bearer = {"Authorization": f"Bearer {token('operator')}"}
        for expected, how in (
                (400, {"body": "{"}), (400, {"body": "[]"}), (400, {"body": ""}), (400, {"body": '{"a":1,"a":2}'}), (400, {"body": b'{"a":"\xff"}'}),
                (415, {"body": "{}", "headers": {"Content-Type": "text/plain"}}), (415, {"body": "{}", "headers": {"Content-Type": DROP}}),
                (415, {"body": "{}", "headers": {"Content-Encoding": "gzip"}}), (413, {"body": "x" * 70_000}),
                (400, {"body": "{}", "headers": {"X-Request-ID": "x" * 1100}})):
            answer = self.op("POST", "/v1/tasks", **how)
            self.assertEqual(answer.status, expected, answer.body)
        self.assertEqual(self.op("GET", "/v1/tasks?limit=0").status, 400)
        self.assertEqual(self.op("GET", "/v1/tasks?limit=1&limit=2").status, 400)
        self.assertEqual(self.op("GET", "/v1/tasks?colour=red").status, 400)
        self.assertEqual(self.op("GET", "/v1/tasks?cursor=zz").status, 400)
        self.assertEqual(self.op("GET", "/v1/tasks/%ff").status, 400)
        self.assertEqual(self.op("GET", "/v1/tasks", "{}").status, 400)
        self.assertEqual(self.op("GET", "/v2/tasks").status, 404)
        self.assertEqual(self.op("GET", "/v1/tasks/").status, 404)
        self.assertEqual(self.op("GET", "/v1/epoch", headers={"X-Request-ID": "r-1"}).headers["x-request-id"], "r-1")
        located = self.op("POST", "/v1/tasks", '{"shape": "settle",\n "agent": 7}').json
        self.assertEqual((located["pointer"], located["line"], located["column"]), ("/agent", 2, 11))
        # What never reaches the API is told in the same form.
        port = int(self.dpld.operate_addresses[0].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
            plain.sendall(b"GET /v1/epoch HTTP/1.1\r\nHost : x\r\n\r\n")
            answer = http.client.HTTPResponse(plain)
            answer.begin()
            self.assertEqual((answer.status, answer.getheader("Content-Type")), (400, "application/problem+json"))
            self.assertEqual(json.loads(answer.read())["type"], "about:blank")
        self.assertEqual(self.op("HEAD", "/v1/epoch", headers=bearer).status, 200)


class Development(Operated):
    CALLERS = None

    def test_only_our_own_user_over_a_unix_socket(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.world.socket).st_mode), 0o600)
        over = {"address": f"unix:{self.world.socket}"}
        self.assertEqual(self.op("GET", "/v1/status", by=None, expect=200, **over).json["mode"], "development")
        self.op("GET", "/v1/status", by=None, expect=401)
        self.op("GET", "/v1/status", by="operator", expect=401)
        self.op("GET", "/v1/status", by="operator", expect=401, **over)
        self.op("POST", "/v1/tasks", SETTLE, by=None, expect=201, **over)
        self.op("POST", "/v1/tasks/t1/close", {"because": "done"}, by=None, expect=200, **over)

    def test_the_default_addresses(self):
        self.serve(operate=("none",))
        self.assertEqual(self.dpld.operate_addresses, [])
        self.dpld.stop()
        base = ("--config", self.world.folder / "dpld.json", "--bundle", self.world.folder / "policy.dplb",
                "--facts", self.world.folder / "facts.json")
        self.dpld = Dpld(*base, "--state", self.world.folder / "state", operate=())
        self.addCleanup(self.dpld.stop)
        place = self.world.folder / "state" / "operate.sock"
        self.assertIn(f"unix:{place}", self.dpld.operate_addresses)
        self.assertEqual(stat.S_IMODE(os.stat(place).st_mode), 0o600)
        # 8182 may be somebody else's by now: the server starts all the same, and says so.
        second = Dpld(*base, "--state", self.world.folder / "other", operate=())
        self.addCleanup(second.stop)
        if "127.0.0.1:8182" not in second.operate_addresses:
            self.assertEqual(second.wait_for("operate_not_listening")["address"], "127.0.0.1:8182")
        # One that is asked for must be had.
        taken = self.dpld.addresses[0]
        refused = run("--log", "json", *base, "--state", self.world.folder / "third", "--listen", "127.0.0.1:0", "--operate", taken)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("listen.failed", refused.stderr)
        self.assertEqual(run("--log", "json", *base, "--state", "memory", "--listen", "127.0.0.1:0", "--operate", "0.0.0.0:0").returncode, 1)


class Tasks(Operated):
    def test_opened_decided_in_closed(self):
        inside = dict(agent="assistant", instance="r1", task="t1", amount="900.00 USD", note="n")
        self.assertEqual(self.reason("raj", "approve", "O1", **inside), "task.unknown")
        opened = self.op("POST", "/v1/tasks", SETTLE, expect=201).json
        self.assertEqual(opened["task"]["state"], "open")
        self.assertEqual(opened["task"]["shape"], "acme.shop.settle")
        self.assertEqual(self.reason("raj", "approve", "O1", **inside), "permit")
        self.assertEqual(self.reason("raj", "approve", "O2", **inside), "task.out_of_scope")
        self.assertEqual(self.op("POST", "/v1/tasks", SETTLE, expect=200).json["task"], opened["task"], "asked again")
        self.op("POST", "/v1/tasks", {**SETTLE, "args": {**SETTLE["args"], "budget": "9.00 USD"}}, expect=409)
        closed = self.op("POST", "/v1/tasks/t1/close", {"because": "done"}, expect=200).json
        self.assertEqual(closed["task"]["state"], "revoked")
        self.assertGreater(closed["epoch"], opened["epoch"])
        denied = self.ask("raj", "approve", "O1", **inside)
        self.assertEqual((denied["reason"], denied["dpl"]["versions"]["epoch"]), ("revoked.task", closed["epoch"]))
        self.assertEqual(self.op("POST", "/v1/tasks/t1/close", {"because": "again"}, expect=200).json["epoch"], closed["epoch"])
        self.op("POST", "/v1/tasks/t9/close", {"because": "x"}, expect=404)
        self.op("GET", "/v1/tasks/t9", expect=404)

    def test_its_end(self):
        task = self.op("POST", "/v1/tasks", {**SETTLE, "expires": soon(hours=48)}, expect=201).json["task"]
        self.assertLess(task["expires"], soon(hours=5), "never longer than the shape allows")
        self.op("POST", "/v1/tasks", {**SETTLE, "id": "t2", "expires": soon(hours=-1)}, expect=400)
        self.op("POST", "/v1/tasks", {**SETTLE, "id": "t3", "expires": soon(seconds=0.4)}, expect=201)
        inside = dict(agent="assistant", instance="r1", task="t3")
        deadline = time.monotonic() + PATIENCE
        while self.reason("raj", **inside) == "permit" and time.monotonic() < deadline:
            pass
        self.assertEqual(self.reason("raj", **inside), "task.expired")
        self.assertEqual(self.op("GET", "/v1/tasks/t3", expect=200).json["task"]["state"], "expired")
        self.assertEqual([t["id"] for t in self.op("GET", "/v1/tasks?state=expired").json["items"]], ["t3"])
        self.assertEqual([t["id"] for t in self.op("GET", "/v1/tasks?state=open").json["items"]], ["t1"])

    def test_what_is_refused(self):
        def refuse(status, pointer=None, near=None, by="operator", **changes):
            body = {k: v for k, v in {**SETTLE, **changes}.items() if v is not None}
            problem = self.op("POST", "/v1/tasks", body, by=by, expect=status).json
            if pointer:
                self.assertEqual(problem["pointer"], pointer, problem)
            if near:
                self.assertEqual(problem["suggestions"], [near])
        refuse(422, "/shape", "acme.shop.settle", shape="setle")
        refuse(422, "/person", "raj", person="rja")
        refuse(422, "/agent", "acme.shop.assistant", agent="asistant")
        refuse(400, "/args", args={"orders": ["O1"], "budget": "5", "urgent": False})
        refuse(400, "/args", args={"orders": ["O1"], "budget": "5.00 USD"})
        refuse(400, "/args", args={**SETTLE["args"], "extra": 1})
        refuse(400, "/surprise", surprise=1)
        refuse(400, "/shape", shape=None)
        refuse(400, "/agent", agent=None)
        refuse(400, "/person", person=None)
        refuse(422, "/agent", agent="helper")  # the shape is for another agent
        refuse(422, person="left")
        refuse(422, "/opened_by", opened_by="ana")
        # Closing rule 2: opening is an act of that person, directly.
        refuse(403, by="weak-operator")
        refuse(403, by="boss")
        self.op("POST", "/v1/tasks", SETTLE, by="raj", expect=201)
        self.op("POST", "/v1/tasks/t1/close", {"because": "not mine"}, by="boss", expect=403)
        self.op("POST", "/v1/tasks/t1/close", {"because": "mine"}, by="raj", expect=200)
        self.assertEqual(self.op("GET", "/v1/tasks").json["items"][0]["id"], "t1")
        # A standing agent acts for nobody: its accountable person opens.
        tidy = {"id": "n1", "shape": "tidy", "agent": "sweeper", "args": {"order": "O1"}}
        self.op("POST", "/v1/tasks", tidy, expect=400)
        self.op("POST", "/v1/tasks", {**tidy, "opened_by": "raj"}, expect=422)
        self.op("POST", "/v1/tasks", {**tidy, "person": "raj"}, expect=400)
        self.op("POST", "/v1/tasks", tidy, by="raj", expect=422)
        self.op("POST", "/v1/tasks", tidy, by="boss", expect=201)

    def test_a_person_who_is_revoked_opens_nothing(self):
        cut = soon(seconds=0)
        self.op("POST", "/v1/revocations", {"kind": "person", "name": "raj", "before": cut, "because": "laptop lost"}, expect=201)
        self.op("POST", "/v1/tasks", SETTLE, expect=422)
        self.op("POST", "/v1/tasks", {**SETTLE, "auth_time": cut}, expect=422)
        self.op("POST", "/v1/tasks", {**SETTLE, "auth_time": soon(seconds=0)}, expect=201)

    def test_pages(self):
        ids = {f"p{n:02}" for n in range(25)}
        for name in ids:
            self.op("POST", "/v1/tasks", {**SETTLE, "id": name}, expect=201)
        seen, cursor, pages = [], "", 0
        while True:
            page = self.op("GET", f"/v1/tasks?limit=10{cursor}", expect=200).json
            seen += [t["id"] for t in page["items"]]
            pages += 1
            if "next" not in page:
                break
            cursor = f"&cursor={page['next']}"
        self.assertEqual((sorted(seen), len(seen), pages), (sorted(ids), 25, 3))
        self.assertEqual(self.op("GET", "/v1/tasks?person=ana").json["items"], [])
        self.assertEqual(len(self.op("GET", "/v1/tasks?agent=assistant&shape=settle").json["items"]), 25)


class Handoffs(Operated):
    HANDOFF = {"from": {"agent": "assistant", "instance": "r1"}, "to": {"agent": "helper", "instance": "h1"}}

    def test_recorded_and_checked(self):
        chain = dict(chain=[("assistant", "r1"), ("helper", "h1")])
        self.assertEqual(self.reason("raj", **chain), "identity.chain_mismatch")
        made = self.op("POST", "/v1/handoffs", self.HANDOFF, expect=201).json["handoff"]
        self.assertEqual((made["from"]["agent"], made["to"]["instance"]), ("acme.shop.assistant", "h1"))
        self.assertEqual(self.reason("raj", **chain), "permit")
        self.assertEqual(self.reason("raj", agent="helper", instance="h1"), "identity.chain_mismatch", "a child cannot drop its parent")
        self.op("POST", "/v1/handoffs", self.HANDOFF, expect=200)
        self.op("POST", "/v1/handoffs", {**self.HANDOFF, "from": {"agent": "assistant", "instance": "r2"}}, expect=409)
        self.op("POST", "/v1/handoffs", {**self.HANDOFF, "task": "t1"}, expect=409)
        self.assertEqual(len(self.op("GET", "/v1/handoffs?instance=r1").json["items"]), 1)
        self.assertEqual(self.op("GET", "/v1/handoffs?instance=r9").json["items"], [])

    def test_what_is_refused(self):
        def refuse(status, start, end, task=None, by="operator"):
            body = {"from": start, "to": end, **({"task": task} if task else {})}
            return self.op("POST", "/v1/handoffs", body, by=by, expect=status).json["detail"]
        a, h = {"agent": "assistant", "instance": "r1"}, {"agent": "helper", "instance": "h1"}
        refuse(403, a, h, by="weak-operator")
        refuse(422, {"agent": "asistant", "instance": "r1"}, h)
        refuse(400, {"agent": "assistant"}, h)
        refuse(400, a, {"person": "raj"})
        self.assertIn("no delegation", refuse(422, h, {"agent": "assistant", "instance": "r2"}))
        self.assertIn("no delegation", refuse(422, a, {"agent": "assistant", "instance": "r2"}))
        self.assertIn("come from itself", refuse(422, a, a))
        self.assertIn("known", refuse(422, a, h, task="t9"))
        self.op("POST", "/v1/handoffs", {"from": a, "to": h}, expect=201)
        self.assertIn("deep", refuse(422, h, {"agent": "helper", "instance": "h2"}), "one hop onward, not two")
        self.reason("raj", agent="helper", instance="h7")  # denied, and so never seen
        self.reason("raj", agent="assistant", instance="r7")
        self.op("POST", "/v1/revocations", {"kind": "instance", "name": "assistant/r1", "because": "x"}, expect=201)
        self.assertIn("revoked", refuse(422, a, {"agent": "helper", "instance": "h3"}))

    def test_in_a_task(self):
        self.op("POST", "/v1/tasks", SETTLE, expect=201)
        self.op("POST", "/v1/handoffs", {**self.HANDOFF, "task": "t1"}, expect=201)
        self.op("POST", "/v1/tasks/t1/close", {"because": "x"}, expect=200)
        late = {"from": self.HANDOFF["from"], "to": {"agent": "helper", "instance": "h2"}, "task": "t1"}
        self.op("POST", "/v1/handoffs", late, expect=422)

    def test_a_person_starts_a_run(self):
        start = {"from": {"person": "boss"}, "to": {"agent": "helper", "instance": "h5"}}
        self.op("POST", "/v1/handoffs", start, by="weak-operator", expect=403)
        self.op("POST", "/v1/handoffs", start, by="raj", expect=403)
        self.op("POST", "/v1/handoffs", start, by="boss", expect=201)


class Revocations(Operated):
    def revoke(self, expect=201, **body):
        return self.op("POST", "/v1/revocations", {"because": "because", **body}, expect=expect).json

    def test_every_kind_is_seen_by_the_next_decision(self):
        self.op("POST", "/v1/tasks", SETTLE, expect=201)
        run = dict(agent="assistant", instance="r1")
        self.assertEqual(self.reason("raj", **run), "permit")
        for kind, name, question, reason in (
                ("instance", "assistant/r1", dict(run), "revoked.instance"),
                ("task", "t1", dict(agent="assistant", instance="r2", task="t1"), "revoked.task"),
                ("delegation", "assist", dict(agent="assistant", instance="r3"), "revoked.delegation"),
                ("agent", "assistant", dict(agent="assistant", instance="r4"), "revoked.agent"),
                ("person", "raj", {}, "revoked.person")):
            before = self.epoch()
            done = self.revoke(kind=kind, name=name)
            self.assertGreater(done["epoch"], before)
            answer = self.ask("raj", **question)
            self.assertEqual((answer["reason"], answer["dpl"]["versions"]["epoch"]), (reason, done["epoch"]), kind)
            self.assertEqual(self.revoke(expect=200, kind=kind, name=name)["epoch"], done["epoch"], "nothing new")
        self.assertEqual(self.reason("ana"), "permit")
        self.revoke(kind="grant", name="buyers")
        self.assertEqual(self.reason("ana"), "revoked.grant")
        self.revoke(kind="account", name="erp:boss1")
        ledger = {"subject": {"type": "person", "id": "boss"}, "action": {"name": "read"}, "resource": {"type": "erp.Ledger", "id": "L1"}}
        answer = self.dpld.ask(ledger, {"Authorization": f"Bearer {token('gateway')}"}).json
        self.assertEqual(answer["context"]["reason"], "revoked.account")
        partner = {"subject": {"type": "partner:globex", "id": "g1"}, "action": {"name": "read"}, "resource": {"type": "shop.Order", "id": "O1"}}
        gateway = {"Authorization": f"Bearer {token('gateway')}"}
        self.assertTrue(self.dpld.ask(partner, gateway).json["decision"])
        self.revoke(kind="partner", name="globex/g1")
        self.assertEqual(self.dpld.ask(partner, gateway).json["context"]["reason"], "revoked.partner")
        partner["subject"]["id"] = "g2"
        self.assertTrue(self.dpld.ask(partner, gateway).json["decision"])
        self.revoke(kind="partner", name="globex")
        self.assertEqual(self.dpld.ask(partner, gateway).json["context"]["reason"], "revoked.partner")
        self.revoke(kind="break_glass", name="urgent")
        self.revoke(kind="approval", name="chief_ok")
        listed = self.op("GET", "/v1/revocations").json["items"]
        self.assertEqual(len(listed), 11)
        self.assertTrue(all(r["because"] == "because" and r["by"] == "operator" and r["epoch"] > 1 for r in listed))
        self.assertEqual([r["name"] for r in self.op("GET", "/v1/revocations?kind=agent").json["items"]], ["acme.shop.assistant"])

    def test_names_that_nothing_answers_to(self):
        for kind, name, near in (("person", "rai", "raj"), ("agent", "asistant", "acme.shop.assistant"), ("grant", "buyer", "acme.shop.buyers"),
                                 ("delegation", "asist", "acme.shop.assist"), ("partner", "globx", "acme.shop.globex"),
                                 ("break_glass", "urgnt", "acme.shop.urgent"), ("approval", "chef_ok", "acme.shop.chief_ok"),
                                 ("task", "nope", None), ("account", "erp:nobody", None), ("account", "boss1", None), ("instance", "assistant/none", None),
                                 ("instance", "none", None)):
            before = self.epoch()
            problem = self.revoke(expect=422, kind=kind, name=name)
            self.assertEqual((problem["type"], problem["pointer"]), ("urn:dpl:problem:unknown-name", "/name"))
            if near:
                self.assertIn(near, problem["suggestions"], kind)
            self.assertEqual(self.epoch(), before)
        # A run that was not seen yet, or a person the directory does not know yet: on purpose.
        self.revoke(kind="instance", name="assistant/none", force=True)
        self.assertEqual(self.reason("raj", agent="assistant", instance="none"), "revoked.instance")

    def test_bodies_that_say_too_little_or_too_much(self):
        for body in ({"kind": "persons", "name": "raj"}, {"kind": "person"}, {"kind": "everything"}, {"kind": "everything", "name": "x"},
                     {"kind": "person", "name": "raj", "before": soon(hours=1)}, {"kind": "person", "name": "raj", "before": "yesterday"},
                     {"kind": "person", "name": ""}, {"kind": "person", "name": "raj", "force": "yes"}, {"name": "raj"},
                     {"kind": "person", "name": "raj\n"}, {"kind": "person", "name": "r" * 600}, {"kind": 7, "name": "raj"}):
            self.revoke(expect=400, **body)
        self.op("POST", "/v1/revocations", {"kind": "person", "name": "raj"}, expect=400)
        self.assertEqual(self.epoch(), 1)

    def test_everything_before(self):
        self.op("POST", "/v1/tasks", SETTLE, expect=201)
        self.assertEqual(self.reason("raj", agent="assistant", instance="r1"), "permit")
        cut = soon(seconds=0)
        done = self.revoke(kind="everything", before=cut)
        self.assertEqual(done["revocation"].get("name"), None)
        self.assertTrue(self.reason("raj", agent="assistant", instance="r1").startswith("revoked."))
        self.assertTrue(self.reason("raj", agent="assistant", instance="r2", task="t1").startswith("revoked."))
        self.revoke(expect=200, kind="everything", before=cut)


class Reservations(Operated):
    def spend(self, amount, by="gateway", **how):
        return self.ask("raj", "approve", "O1", amount=f"{amount}.00 USD", note="n", by=by, **how)["dpl"]["reservation"]["id"]

    def used(self):
        items = self.op("GET", "/v1/counters?person=raj").json["items"]
        self.assertEqual(len(items), 1)
        return items[0]

    def test_only_its_caller_ends_it_once(self):
        number = self.spend(1000)
        self.assertEqual(self.used()["used"], "1000.00 USD")
        self.assertEqual((self.used()["cap"], self.used()["left"]), ("20000.00 USD", "19000.00 USD"))
        path = f"/v1/reservations/{number}"
        self.assertEqual(self.op("GET", path, by="gateway", expect=200).json["charges"][0]["quantity"], "1000.00 USD")
        self.op("GET", path, by="auditor", expect=200)
        self.op("GET", path, by="other-gateway", expect=404)
        self.op("POST", f"{path}/confirm", by="other-gateway", expect=404)
        self.op("POST", f"{path}/cancel", by="other-gateway", expect=404)
        for actual in ("-1.00 USD", "100.00 EUR", 100, "much", {"minor": "x"}):
            self.op("POST", f"{path}/confirm", {"actual": actual}, by="gateway", expect=400)
        self.op("POST", f"{path}/confirm", {"actul": "1.00 USD"}, by="gateway", expect=400)
        done = self.op("POST", f"{path}/confirm", {"actual": "400.00 USD"}, by="gateway", expect=200).json
        self.assertEqual(done["reservation"]["state"], "confirmed")
        self.assertEqual(self.used()["used"], "400.00 USD")
        self.op("POST", f"{path}/confirm", {"actual": "400.00 USD"}, by="gateway", expect=409)
        self.op("POST", f"{path}/cancel", by="gateway", expect=409)
        self.assertEqual(self.used()["used"], "400.00 USD")

    def test_what_a_limit_counts_over_and_what_is_reserved(self):
        self.world.policy(POLICY.replace("20_000 USD in total for each person", "20_000 USD per day for each person"))
        self.serve()
        number = self.spend(100)
        limits = {line.get("window"): line for line in self.ask("raj", "approve", "O1", amount="50.00 USD", note="n")["dpl"]["limits"]}
        self.assertIn("resets", limits["per day in UTC"])
        self.assertIn(None, limits, "a limit for each request has no window")
        counter = self.op("GET", "/v1/counters?person=raj", by="auditor").json["items"][0]
        self.assertEqual(counter["window"]["text"], "per day in UTC")
        self.assertEqual([counter[of] for of in ("used", "reserved", "left")], ["150.00 USD", "150.00 USD", "19850.00 USD"])
        self.op("POST", f"/v1/reservations/{number}/confirm", {"actual": "40.00 USD"}, by="gateway", expect=200)
        self.assertEqual([self.used()[of] for of in ("used", "reserved", "left")], ["90.00 USD", "50.00 USD", "19910.00 USD"])

    def test_cancelled_confirmed_whole_and_overrun(self):
        one, two, three = self.spend(100), self.spend(200), self.spend(300)
        self.op("POST", f"/v1/reservations/{one}/cancel", by="gateway", expect=200)
        self.op("POST", f"/v1/reservations/{two}/confirm", by="gateway", expect=200)
        over = self.op("POST", f"/v1/reservations/{three}/confirm", {"actual": "301.00 USD"}, by="gateway", expect=409)
        self.assertIn("more was used", over.json["detail"])
        self.assertEqual(self.used()["used"], "501.00 USD", "the overrun is counted")
        states = {r["id"]: r["state"] for r in self.op("GET", "/v1/reservations", by="gateway").json["items"]}
        self.assertEqual(states, {one: "cancelled", two: "confirmed", three: "spent"})
        self.assertEqual(self.op("GET", "/v1/reservations", by="other-gateway").json["items"], [])
        self.assertEqual(len(self.op("GET", "/v1/reservations?state=spent&caller=gateway", by="auditor").json["items"]), 1)
        self.op("GET", "/v1/reservations/99", by="gateway", expect=404)
        self.op("GET", "/v1/reservations/x", by="gateway", expect=400)


class Units(Operated):
    """Two actions may have a parameter of the same name and of different types; a reservation may hold two measures."""

    def setUp(self):
        super().setUp()
        self.world.policy(POLICY + """
resource Shelf in shop {
  can stock { amount: int must be limited }
  can ship { parcels: int must be limited, weight: decimal must be limited }
}
grant stocking {
  to      role buyer
  may     stock on shop.Shelf
  limit   amount to 10 in total for each person
  may     ship on shop.Shelf
  limit   parcels to 10 in total
  limit   weight to 9.5 in total
  because "Shelves are filled and emptied by buyers"
}
""")
        self.serve()

    def reserve(self, action, **properties):
        body = evaluation("raj", action, "S1", **properties)
        body["resource"]["type"] = "shop.Shelf"
        answer = self.dpld.ask(body, {"Authorization": f"Bearer {token('gateway')}"}).json
        self.assertTrue(answer["decision"], answer)
        return answer["context"]["dpl"]["reservation"]["id"]

    def used(self):
        return sorted(c["used"] for c in self.op("GET", "/v1/counters?statement=stocking").json["items"])

    def test_what_was_used_is_read_in_the_unit_of_that_limit(self):
        held = self.reserve("stock", amount=7)
        self.assertEqual(self.used(), ["7"])
        self.op("POST", f"/v1/reservations/{held}/confirm", {"actual": "3.00 USD"}, by="gateway", expect=400)
        self.op("POST", f"/v1/reservations/{held}/confirm", {"actual": 3}, by="gateway", expect=200)
        self.assertEqual(self.used(), ["3"])

    def test_two_measures_are_confirmed_whole_or_cancelled(self):
        held = self.reserve("ship", parcels=4, weight=2.25)
        said = self.op("POST", f"/v1/reservations/{held}/confirm", {"actual": 1}, by="gateway", expect=409).json
        self.assertIn("several measures", said["detail"])
        self.assertEqual(self.used(), ["2.25", "4"])
        self.op("POST", f"/v1/reservations/{held}/confirm", {}, by="gateway", expect=200)
        self.assertEqual(self.used(), ["2.25", "4"])
        held = self.reserve("ship", parcels=4, weight=2.25)
        self.assertEqual(self.used(), ["4.5", "8"])
        self.op("POST", f"/v1/reservations/{held}/cancel", {"because": "no"}, by="gateway", expect=400)
        self.op("POST", f"/v1/reservations/{held}/cancel", {}, by="gateway", expect=200)
        self.assertEqual(self.used(), ["2.25", "4"])


class Durable(Operated):
    def test_all_is_still_there_after_a_restart(self):
        self.op("POST", "/v1/tasks", SETTLE, expect=201)
        self.op("POST", "/v1/tasks", {**SETTLE, "id": "t2"}, expect=201)
        self.op("POST", "/v1/handoffs", Handoffs.HANDOFF, expect=201)
        spent = self.ask("raj", "approve", "O1", agent="assistant", instance="r1", task="t1", amount="900.00 USD", note="n")
        number = spent["dpl"]["reservation"]["id"]
        closed = self.op("POST", "/v1/tasks/t2/close", {"because": "x"}, expect=200).json["epoch"]
        self.op("POST", "/v1/revocations", {"kind": "instance", "name": "assistant/r8", "because": "x", "force": True}, expect=201)
        paths = ["/v1/tasks", "/v1/handoffs", "/v1/instances", "/v1/revocations", "/v1/reservations", "/v1/counters",
                 f"/v1/reservations/{number}", "/v1/tasks/t1", "/v1/instances/acme.shop.assistant/r1", "/v1/epoch"]
        before = {path: self.op("GET", path, expect=200).json for path in paths}
        self.serve()
        for path in paths:
            self.assertEqual(self.op("GET", path, expect=200).json, before[path], path)
        self.assertGreater(self.epoch(), closed)
        self.assertEqual(self.reason("raj", agent="assistant", instance="r2", task="t2"), "revoked.task")
        self.op("POST", f"/v1/reservations/{number}/confirm", {"actual": "1.00 USD"}, by="gateway", expect=200)

    def test_every_change_is_on_record_with_who_and_why(self):
        headers = {"X-Request-ID": "req-7"}
        self.op("POST", "/v1/tasks", SETTLE, by="raj", expect=201, headers=headers)
        self.op("POST", "/v1/handoffs", Handoffs.HANDOFF, expect=201)
        spent = self.ask("raj", "approve", "O1", amount="9.00 USD", note="n")["dpl"]["reservation"]["id"]
        self.op("POST", f"/v1/reservations/{spent}/confirm", {"actual": "3.00 USD"}, by="gateway", expect=200)
        self.op("POST", "/v1/tasks/t1/close", {"because": "all done"}, expect=200)
        epoch = self.op("POST", "/v1/revocations", {"kind": "person", "name": "ana", "because": "left"}, expect=201).json["epoch"]
        self.op("POST", "/v1/revocations", {"kind": "person", "name": "nobody", "because": "x"}, expect=422)
        records = [r for r in self.dpld.audit(lambda r: r.get("event") in
                                              ("task.open", "handoff.record", "reservation.confirm", "task.close", "revoke"), 5)]
        self.assertEqual([r["event"] for r in records], ["task.open", "handoff.record", "reservation.confirm", "task.close", "revoke"])
        opened, _, confirmed, closed, revoked = records
        self.assertEqual((opened["caller"], opened["person"], opened["request_id"], opened["what"]["task"]), ("raj", "raj", "req-7", "t1"))
        self.assertEqual((confirmed["caller"], confirmed["what"]["reservation"]), ("gateway", str(spent)))
        self.assertEqual((closed["caller"], closed["because"]), ("operator", "all done"))
        self.assertEqual((revoked["what"]["name"], revoked["because"], revoked["epoch"]), ("ana", "left", epoch))
        self.assertNotIn(token("raj"), json.dumps(records))

    def test_an_answer_that_was_given_survives_a_kill(self):
        self.op("POST", "/v1/tasks", SETTLE, expect=201)
        done = self.op("POST", "/v1/revocations", {"kind": "person", "name": "ana", "because": "x"}, expect=201).json
        self.dpld.process.kill()
        self.dpld.process.wait(PATIENCE)
        self.serve()
        self.assertGreaterEqual(self.epoch(), done["epoch"])
        self.assertEqual(self.reason("ana"), "revoked.person")
        self.op("GET", "/v1/tasks/t1", expect=200)

    def test_status(self):
        status = self.op("GET", "/v1/status", by="auditor", expect=200).json
        self.assertEqual((status["state"]["kind"], status["facts"]["version"], status["callers"]), ("durable", "world-1", len(CALLERS)))
        self.assertEqual(status["operate"], self.dpld.operate_addresses)
        self.assertEqual((status["audit"]["kind"], status["audit"]["writable"]), ("log", True))


class Many(Operated):
    def memory(self):
        text = Path(f"/proc/{self.dpld.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024

    def test_thousands_of_runs_of_one_agent(self):
        self.op("POST", "/v1/tasks", SETTLE, expect=201)
        headers = {"Authorization": f"Bearer {token('gateway')}"}

        def decide(first, last):
            with_connection = self.dpld.connect()
            for start in range(first, last, 100):
                items = [evaluation("raj", agent="assistant", instance=f"run-{n:06}") for n in range(start, min(start + 100, last))]
                answer = self.dpld.post(EVALUATIONS, {"evaluations": items}, headers, with_connection)
                self.assertTrue(all(item["decision"] for item in answer.json["evaluations"]), answer.body[:500])
            with_connection.close()

        decide(0, 100)
        before = self.memory()
        threads = [threading.Thread(target=decide, args=(100 + k * (INSTANCES - 100) // 4, 100 + (k + 1) * (INSTANCES - 100) // 4)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen, cursor = set(), ""
        while True:
            page = self.op("GET", f"/v1/instances?agent=assistant&limit=1000{cursor}", expect=200).json
            seen |= {run["instance"] for run in page["items"]}
            if "next" not in page:
                break
            cursor = f"&cursor={page['next']}"
        self.assertEqual(len(seen), INSTANCES)
        # The log's buffers and the allocator's slack stand in this; bytes per run alone are measured by ./dev bench.
        self.assertLess((self.memory() - before) / INSTANCES, 4096)
        # All of them at once, in one step, and one by one they are gone.
        done = self.op("POST", "/v1/revocations", {"kind": "agent", "name": "assistant", "because": "drill"}, expect=201).json
        answer = self.ask("raj", agent="assistant", instance="run-000007")
        self.assertEqual((answer["reason"], answer["dpl"]["versions"]["epoch"]), ("revoked.agent", done["epoch"]))
        self.assertEqual(self.op("GET", "/v1/instances/assistant/run-000007", expect=200).json["state"], "revoked")


class PolicyChanges(Operated):
    def test_state_outlives_the_policy_that_named_it(self):
        self.op("POST", "/v1/tasks", SETTLE, expect=201)
        self.ask("raj", "approve", "O1", amount="10.00 USD", note="n", agent="assistant", instance="r1", task="t1")
        text = POLICY
        for name in ("settle", "tidy"):
            text = re.sub(rf"task {name}\(.*?\n}}\n", "", text, flags=re.S)
        self.world.policy(text.replace("in total for each person", "in any 24h for each person"))
        self.dpld.hang_up()
        self.dpld.wait_for("reloaded")
        self.assertEqual(self.op("GET", "/v1/tasks/t1", expect=200).json["task"]["shape"], "acme.shop.settle")
        self.op("POST", "/v1/tasks", {**SETTLE, "id": "t2"}, expect=422)
        counters = self.op("GET", "/v1/counters", expect=200).json["items"]
        self.assertTrue(counters and all(c["used"].endswith(" USD") for c in counters), counters)
        self.op("GET", "/v1/reservations", by="auditor", expect=200)
        self.op("POST", "/v1/tasks/t1/close", {"because": "x"}, expect=200)


if __name__ == "__main__":
    unittest.main()
