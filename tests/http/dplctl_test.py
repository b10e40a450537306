#!/usr/bin/env python3
"""dplctl against a real server: every call has a command, tables and JSON, exit codes, where the token may come from."""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path

from dpld import BIN, PATIENCE
from operate_test import routes
from operate_world import World, token

ROOT = Path(__file__).resolve().parents[2]


class Ctl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.dpld = cls.world.serve()

    @classmethod
    def tearDownClass(cls):
        cls.dpld.stop()
        cls.world.cleanup()

    def ctl(self, *words, by="operator", expect=0, to=None, **env):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DPL_") and k != "STATE_DIRECTORY"}
        if by:
            kept["DPL_TOKEN"] = token(by)
        kept["DPL_OPERATE"] = to or f"unix:{self.world.socket}"
        done = subprocess.run([BIN / "dplctl", *words], capture_output=True, text=True, timeout=PATIENCE, env={**kept, **env})
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        return done

    def json(self, *words, **how):
        return json.loads(self.ctl("--json", *words, **how).stdout)

    def test_every_call_has_its_command(self):
        text = (ROOT / "server/ctl/commands.cc").read_text()
        told = {(m, p) for m, p in re.findall(r'"(GET|POST|PUT|PATCH)",\s*"(/v1/[^"]*)"', text)}
        have = {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path, *_ in routes()}
        self.assertEqual(told, have)

    def test_tasks(self):
        opened = self.json("tasks", "open", "settle", "--id", "c1", "--person", "raj", "--agent", "assistant", "--arg", 'orders=["O1"]',
                           "--arg", "budget=20.00 USD", "--arg", "urgent=false")["task"]
        self.assertEqual((opened["args"]["orders"], opened["args"]["budget"]), ('["O1"]', "20.00 USD"))
        listed = self.ctl("tasks", "list", "--state", "open").stdout.splitlines()
        self.assertEqual(listed[0].split(), ["ID", "STATE", "SHAPE", "PERSON", "AGENT", "OPENED_BY", "EXPIRES"])
        self.assertIn("c1", [line.split()[0] for line in listed[1:]])
        self.assertIn("acme.shop.settle", self.ctl("tasks", "show", "c1").stdout)
        self.ctl("tasks", "close", "c1", expect=2)
        self.ctl("tasks", "close", "c1", "--because", "done")
        self.assertEqual(self.json("tasks", "show", "c1")["task"]["state"], "revoked")
        wrong = self.ctl("tasks", "open", "setle", "--person", "raj", "--agent", "assistant", expect=1)
        self.assertIn("did you mean `acme.shop.settle`", wrong.stderr)
        self.assertIn("at /shape", wrong.stderr)
        self.ctl("tasks", "open", "settle", "--arg", "x", expect=2)

    def test_pages_of_hand_offs(self):
        for n in range(5):
            self.ctl("handoffs", "record", "--parent", "assistant/p1", "--child", f"helper/c{n}")
        short = self.ctl("handoffs", "list", "--instance", "p1", "--limit", "2")
        self.assertEqual(len(short.stdout.splitlines()), 3)
        cursor = re.search(r"--cursor (\w+)", short.stderr)[1]
        self.assertEqual(len(self.ctl("handoffs", "list", "--instance", "p1", "--limit", "2", "--cursor", cursor).stdout.splitlines()), 3)
        whole = self.ctl("handoffs", "list", "--instance", "p1", "--limit", "2", "--all").stdout.splitlines()
        self.assertEqual(len([line for line in whole if "acme.shop.helper" in line]), 5)
        self.ctl("handoffs", "record", "--parent", "nobody", "--child", "helper/x", expect=2)

    def test_revocations(self):
        self.ctl("revoke", "instance", "assistant/gone/", "--because", "x", expect=1)
        self.ctl("revoke", "instance", "assistant/gone", "--because", "x", expect=1)
        done = self.json("revoke", "instance", "assistant/gone", "--because", "it ran amok", "--force")
        self.assertEqual(done["revocation"]["name"], "acme.shop.assistant/gone")
        self.assertIn("it ran amok", self.ctl("revocations", "--kind", "instance").stdout)
        self.assertEqual(self.json("epoch")["epoch"], done["epoch"])

    def test_exit_codes_and_tokens(self):
        self.assertIn("not registered", self.ctl("epoch", by=None, expect=1).stderr)
        self.assertIn("role `operate`", self.ctl("tasks", "list", by="gateway", expect=1).stderr)
        self.ctl(expect=2)
        self.ctl("tasks", expect=2)
        self.ctl("--help")
        self.ctl("tasks", "open", "--help")
        self.assertIn("dplctl", self.ctl("--version").stdout)
        self.assertIn("cannot reach", self.ctl("epoch", to=f"unix:{self.world.folder}/nothing.sock", expect=3).stderr)
        self.ctl("epoch", to="http://127.0.0.1:1", expect=3)
        self.ctl("epoch", to="http://example.com", expect=2)
        self.ctl("epoch", to="http://" + self.dpld.operate_addresses[0])
        self.ctl("--to", "http://" + self.dpld.operate_addresses[0] + "/", "epoch", to="unix:/nowhere")
        kept = self.world.folder / "token"
        kept.write_text(token("operator") + "\n")
        kept.chmod(0o600)
        self.ctl("--token-file", str(kept), "tasks", "list", by=None)
        kept.chmod(0o644)
        self.assertIn("everybody can read", self.ctl("--token-file", str(kept), "tasks", "list", by=None, expect=2).stderr)

    def test_no_text_forges_the_terminal(self):
        self.ctl("revoke", "person", "ghost", "--force", "--because", "\u202eright to left")
        shown = self.ctl("revocations", "--name", "ghost").stdout
        self.assertNotIn("\u202e", shown)
        self.assertIn("\\u{202e}", shown)

    def test_asking_people(self):
        question = self.world.folder / "question.json"
        question.write_text(json.dumps({"subject": {"type": "person", "id": "raj"}, "action": {"name": "close"},
                                        "resource": {"type": "shop.Order", "id": "O1"}, "because": "the vendor is gone"}))
        made = self.json("requests", "make", str(question), by="gateway")["access_requests"][0]["id"]
        self.assertIn(made, self.ctl("requests", "list", "--waits-for", "boss", by="boss").stdout)
        self.ctl("approve", made, by="raj", expect=1)
        self.ctl("approve", made, by="boss", expect=1)
        signed = self.json("approve", made, "--meaning", "I agree to close", by="boss")
        self.assertEqual(signed["state"], "approved")
        self.assertIn(signed["approval"]["id"], self.ctl("approvals", "list").stdout)
        self.ctl("approvals", "revoke", signed["approval"]["id"], "--because", "a mistake")
        self.ctl("consents", "give", "cover", by="raj")
        self.assertIn("live", self.ctl("consents", "list", "--person", "raj").stdout)
        self.ctl("consents", "withdraw", "cover", by="raj")
        self.ctl("openings", "list")
        self.assertEqual(self.json("facts", "version")["source"], "file")
        self.ctl("counters")
        self.ctl("status", by="auditor")


if __name__ == "__main__":
    unittest.main()
