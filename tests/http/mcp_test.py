#!/usr/bin/env python3
"""MCP calls put into AuthZEN as COAZ's default mapping says, against the policy of docs/integrations/mcp.md."""

import json
import re
import tempfile
import unittest
from pathlib import Path

from dpld import Dpld, build
from gateway import INTEGRATIONS, documented

DANA, EVE, AGENT, SERVER = "dana@acme.example", "eve@acme.example", "acme.desk.assistant", "https://mcp.acme.example"
# method -> (resource.type, where its id stands)
MAPPING = {**{method: ("mcp_server", None) for method in ("initialize", "tools/list", "resources/list", "prompts/list", "tasks/list", "logging/setLevel")},
           "tools/call": ("tool", "name"), "prompts/get": ("prompt", "name"),
           **{method: ("resource", "uri") for method in ("resources/read", "resources/subscribe", "resources/unsubscribe")},
           **{method: ("task", "taskId") for method in ("tasks/get", "tasks/result", "tasks/cancel")}}


def evaluation(call, token, lifted=None):
    """What a gateway asks about one JSON-RPC call; None: it is denied unasked."""
    if call["method"] not in MAPPING:
        return None
    kind, where = MAPPING[call["method"]]
    body = {"subject": {"type": "identity", "id": token["sub"]}, "action": {"name": call["method"]},
            "resource": {"type": kind, "id": token["aud"] if where is None else call["params"][where]}, "context": {"agent": token["client_id"]}}
    if lifted:
        body["action"]["properties"] = lifted
    return body


class Mcp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="dpl-mcp-")
        folder = Path(cls.folder.name)
        [policy] = re.findall(r"^```dpl file=policy/desk.dpl\n(.*?)^```$", (INTEGRATIONS / "mcp.md").read_text(), re.M | re.S)
        (folder / "desk.dpl").write_text(policy)
        (folder / "facts.json").write_text(json.dumps(documented("mcp.md", "facts.json")))
        cls.dpld = Dpld("--bundle", build(folder / "desk.dpl", folder / "policy.dplb"), "--facts", folder / "facts.json")

    @classmethod
    def tearDownClass(cls):
        cls.dpld.stop()
        cls.folder.cleanup()

    def ask(self, method, params=None, sub=DANA, client=AGENT, lifted=None):
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        body = evaluation(call, {"sub": sub, "client_id": client, "aud": SERVER}, lifted)
        if body is None:
            return "unasked"
        answer = self.dpld.ask(body)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["context"]["reason"]

    def test_the_default_mapping(self):
        for method, params in (("initialize", None), ("tools/list", None), ("tools/call", {"name": "search_tickets", "arguments": {"q": "x"}}),
                               ("resources/read", {"uri": "file:///srv/handbook/refunds.md"})):
            self.assertEqual(self.ask(method, params), "permit", method)
        for method, params, reason in (("tools/call", {"name": "drop_database"}, "person.no_grant"), ("tools/call", {"name": "Search_Tickets"}, "request.invalid"),
                                       ("resources/read", {"uri": "file:///srv/handbook/../../etc/passwd"}, "request.invalid"),
                                       ("resources/read", {"uri": "file:///srv/handbook2/x"}, "person.no_grant"),
                                       ("prompts/get", {"name": "x"}, "request.unknown_action"), ("resources/list", None, "request.unknown_action"),
                                       ("server/discover", None, "unasked")):
            self.assertEqual(self.ask(method, params), reason, (method, params))

    def test_both_the_person_and_the_client_must_be_allowed(self):
        call = {"name": "search_tickets"}
        self.assertEqual(self.ask("tools/call", call, sub=EVE), "person.no_grant")
        self.assertEqual(self.ask("tools/call", call, client="another-app"), "identity.unknown")
        self.assertEqual(self.ask("tools/call", call, client="spiffe://acme.example/agent/desk-assistant"), "permit")
        self.assertEqual(self.ask("tools/call", call, sub="nobody"), "identity.unknown")

    def test_an_amount_counts_only_where_it_is_told(self):
        refund = {"name": "refund", "arguments": {"amount": "120.00 USD"}}
        self.assertEqual(self.ask("tools/call", refund), "limit.unknown")
        self.assertEqual(self.ask("tools/call", refund, lifted={"amount": "120.00 USD"}), "permit")
        self.assertEqual(self.ask("tools/call", refund, lifted={"amount": "200.01 USD"}), "limit.exceeded")
        self.assertEqual(self.ask("tools/call", refund, lifted={"amount": 120}), "request.invalid")


if __name__ == "__main__":
    unittest.main()
