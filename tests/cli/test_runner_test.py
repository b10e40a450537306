#!/usr/bin/env python3
"""dplc test beyond running tests: coverage, mutation, watching, replay, proposals, and the forms of output."""

import json
import os
import queue
import re
import signal
import subprocess
import tempfile
import threading
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DPLC = str(Path(os.environ["DPL_BIN"]) / "dplc")
QUICKSTART = ROOT / "policies/quickstart"
POLICY = """package acme.shop owned by team finance
granted 2026-10-01
review every 180d
enum Region { emea, amer }
person { key id: string  has region: Region }
team finance { owner person "E1" }
role buyer { owner team finance }
system shop { owner team finance }
resource Order in shop {
  has region: Region
  can read
  can approve { amount: money must be limited }
}
grant orders {
  to role buyer
  may read on shop.Order where resource.region == person.region
  may approve on shop.Order
  limit amount to 100 USD each
  because "Routine"
}
"""
WORLD = """  at 2026-11-20T15:00Z
  given {
    role buyer has person "E2"
    person "E2" { region = emea }
    person "E3" { region = emea }
    shop.Order "O1" { region = emea }
    shop.Order "O2" { region = amer }
  }
"""
ONE = 'test "one" {\n' + WORLD + '  when person "E2" does read on shop.Order "O1" expect permit\n}\n'
ALL = 'test "all" {\n' + WORLD + """  when person "E2" does read on shop.Order "O1" expect permit
  when person "E2" does read on shop.Order "O2" expect deny person.no_grant
  when person "E3" does read on shop.Order "O1" expect deny person.no_grant
  when person "E2" does approve(amount = 99 USD) on shop.Order "O1" expect permit
  when person "E2" does approve(amount = 100 USD) on shop.Order "O1" expect permit
  when person "E2" does approve(amount = 100.01 USD) on shop.Order "O1" expect deny limit.exceeded
}
"""


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name)

    def write(self, name, text):
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text)
        return name

    def read(self, name):
        return (self.path / name).read_text()

    def dplc(self, *args, code=None):
        result = subprocess.run([DPLC, *args], cwd=self.path, capture_output=True, text=True, timeout=120)
        if code is not None:
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result


class CoverageForms(Folder):
    def test_text_names_what_was_not_exercised_by_line(self):
        self.write("p.dpl", POLICY + ONE)
        out = self.dplc("test", "--coverage", "p.dpl", code=0).stdout
        self.assertRegex(out, r"coverage: \d+\.\d % \(\d+ of \d+\)")
        self.assertRegex(out, r"p\.dpl:16:\d+: grant acme\.shop\.orders: `where resource\.region == person\.region` never false")
        self.assertRegex(out, r"p\.dpl:18:\d+: .*never asked exactly at its cap")
        self.assertNotIn("never true", out)

    def test_everything(self):
        self.write("p.dpl", POLICY + ALL)
        out = self.dplc("test", "--coverage", "p.dpl", code=0).stdout
        self.assertIn("coverage: 100.0 %", out)
        self.assertNotIn("not exercised", out)

    def test_minimum_has_its_own_exit_code_and_diagnostic(self):
        self.write("p.dpl", POLICY + ONE)
        result = self.dplc("test", "--min", "90", "p.dpl", code=4)
        self.assertIn("DPL0805", result.stderr)
        self.assertRegex(result.stderr, r"p\.dpl:\d+:\d+: error DPL0805: coverage is \d+\.\d %, below 90\.0 %")
        self.dplc("test", "--min", "20", "p.dpl", code=0)
        self.write("p.dpl", POLICY + ALL)
        self.dplc("test", "--min", "100", "p.dpl", code=0)
        self.dplc("test", "--min", "101", "p.dpl", code=2)
        # A failing test is the first thing to mend.
        self.write("p.dpl", POLICY + ONE.replace("permit", "deny"))
        self.dplc("test", "--min", "100", "p.dpl", code=1)

    def test_files(self):
        self.write("p.dpl", POLICY + ONE)
        self.dplc("test", "-q", "--coverage-json", "c.json", "--lcov", "c.info", "--html", "c.html", "--junit", "j.xml",
                  "p.dpl", code=0)
        report = json.loads(self.read("c.json"))
        where = [i for i in report["items"] if i["kind"] == "condition"]
        self.assertEqual([(i["line"], i["points"]) for i in where], [(16, {"true": 1, "false": 0})])
        self.assertEqual(sum(1 for i in report["items"] for hits in i["points"].values() if hits), report["covered"])
        self.assertEqual(sum(len(i["points"]) for i in report["items"]), report["points"])
        lcov = self.read("c.info")
        self.assertIn("SF:p.dpl\n", lcov)
        self.assertIn("FN:14,grant acme.shop.orders\n", lcov)
        html = self.read("c.html")
        self.assertNotRegex(html, r"<script|https?://|src=")
        self.assertIn("grant orders {", html)
        self.assertEqual(ET.fromstring(self.read("j.xml")).get("tests"), "1")

    def test_json_output_carries_coverage_and_mutation(self):
        self.write("p.dpl", POLICY + ALL)
        report = json.loads(self.dplc("test", "--format", "json", "--coverage", "--mutate", "p.dpl").stdout)
        self.assertEqual(report["coverage"]["percent"], 100.0)
        self.assertEqual(report["mutation"]["tried"], len(report["mutation"]["mutants"]))

    def test_unwritable_report_is_wrong_use(self):
        self.write("p.dpl", POLICY + ALL)
        self.dplc("test", "--html", "no/such/folder/c.html", "p.dpl", code=2)


class Mutation(Folder):
    def test_survivors_by_line_in_words(self):
        self.write("p.dpl", POLICY + ONE)
        result = self.dplc("test", "--mutate", "--mutate-json", "m.json", "p.dpl", code=5)
        self.assertRegex(result.stdout, r"SURVIVED p\.dpl:16:\d+: grant acme\.shop\.orders without `where resource\.region == person\.region`")
        self.assertIn("a test that asks where this is false and expects a denial would notice", result.stdout)
        report = json.loads(self.read("m.json"))
        self.assertEqual(report["survived"], sum(m["fate"] == "survived" for m in report["mutants"]))
        self.assertEqual({m["kind"] for m in report["mutants"] if m["fate"] == "noticed"} & {"drop-grant"}, {"drop-grant"})

    def test_no_survivor_is_success(self):
        self.write("p.dpl", POLICY + ALL)
        out = self.dplc("test", "--mutate", "p.dpl", code=0).stdout
        self.assertRegex(out, r"mutants: \d+ tried, \d+ noticed by a test, \d+ refused by the checker, \d+ without effect, 0 survived")

    def test_bound(self):
        self.write("p.dpl", POLICY + ALL)
        self.assertRegex(self.dplc("test", "--mutate", "--mutate-max", "2", "p.dpl", code=0).stdout, r"mutants: 2 of \d+ tried")
        self.dplc("test", "--mutate", "--mutate-max", "0", "p.dpl", code=2)

    def test_failing_tests_are_not_mutated(self):
        self.write("p.dpl", POLICY + ONE.replace("permit", "deny"))
        self.assertNotIn("mutants:", self.dplc("test", "--mutate", "p.dpl", code=1).stdout)


class Replay(Folder):
    def line(self, amount, **recorded):
        return json.dumps({
            "now": "2026-11-20T15:00Z", **recorded,
            "request": {"subject": {"type": "person", "id": "E2"}, "action": {"name": "approve", "properties": {"amount": amount}},
                        "resource": {"type": "shop.Order", "id": "O1"}}})

    def setUp(self):
        super().setUp()
        self.write("p.dpl", POLICY)
        self.write("facts.json", json.dumps({
            "persons": [{"id": "E2", "attributes": {"region": "emea"}}],
            "roles": [{"role": "buyer", "members": ["E2"]}]}))

    def replay(self, *lines, code, more=()):
        self.write("r.jsonl", "\n".join(lines) + "\n")
        return self.dplc("test", "--replay", "r.jsonl", "--facts", "facts.json", *more, "p.dpl", code=code)

    def test_as_recorded(self):
        out = self.replay(self.line("5.00 USD", decision=True), self.line("500.00 USD", decision=False, reason="limit.exceeded"),
                          code=0).stdout
        self.assertIn("2 requests, 0 changed, 2 as recorded", out)

    def test_changes_by_line_reason_and_span(self):
        out = self.replay(self.line("5.00 USD", decision=True), self.line("500.00 USD", decision="permit", id="r-2"), code=1).stdout
        self.assertRegex(out, r"r\.jsonl:2: r-2: permit → deny limit\.exceeded, by acme\.shop\.orders at p\.dpl:14:1")
        self.assertIn("2 requests, 1 changed, 1 as recorded", out)
        # The same outcome for another reason is a change too.
        out = self.replay(self.line("500.00 USD", decision=False, reason="forbidden"), code=1).stdout
        self.assertIn("deny forbidden → deny limit.exceeded", out)

    def test_record_then_compare_with_another_policy(self):
        self.replay(self.line("60.00 USD"), "", self.line("500.00 USD"), code=0, more=("--record", "base.jsonl"))
        self.assertEqual([json.loads(line)["decision"] for line in self.read("base.jsonl").splitlines()], ["permit", "deny"])
        self.write("p.dpl", POLICY.replace("100 USD each", "50 USD each"))
        result = self.dplc("test", "--format", "json", "--replay", "base.jsonl", "--facts", "facts.json", "p.dpl", code=1)
        report = json.loads(result.stdout)
        self.assertEqual((report["requests"], report["changed"]), (2, 1))
        changed = [line for line in report["lines"] if line["changed"]]
        self.assertEqual(changed[0]["before"], {"decision": "permit", "reason": "permit"})
        self.assertEqual(changed[0]["after"], {"decision": "deny", "reason": "limit.exceeded"})

    def test_an_answer_of_the_server_is_a_record(self):
        answer = {"decision": False, "context": {"reason": "limit.exceeded"}}
        self.replay(self.line("500.00 USD", response=answer), code=0)
        self.replay(self.line("5.00 USD", response=answer), code=1)

    def test_lines_run_on_one_state(self):
        self.write("p.dpl", POLICY.replace("100 USD each", "100 USD per day for each person"))
        self.replay(self.line("60.00 USD", decision=True), self.line("60.00 USD", decision=False),
                    self.line("60.00 USD", decision=True).replace("11-20", "11-21"), code=0)

    def test_wrong_lines_are_wrong_use_with_their_number(self):
        for wrong in ("{", "[]", '{"request": {}}', self.line("1.00 USD", decision="maybe"),
                      self.line("1.00 USD").replace("2026-11-20T15:00Z", "yesterday"),
                      '{"request": {"evaluations": []}}'):
            result = self.replay(self.line("5.00 USD"), wrong, code=2)
            self.assertIn("r.jsonl:2: ", result.stderr, wrong)
        self.write("facts.json", '{"persons": [{"id": 5}]}')
        self.assertRegex(self.replay(self.line("5.00 USD"), code=2).stderr, r"facts\.json:1:\d+: ")


class Boundaries(Folder):
    def proposals_pass(self, text):
        """Appends what is proposed and runs it; gives the proposed text."""
        self.write("p.dpl", text)
        proposed = self.dplc("test", "--boundaries", "p.dpl", code=0).stdout
        self.write("p.dpl", text + proposed)
        self.dplc("test", "p.dpl", code=0)
        return proposed

    def test_each(self):
        out = self.proposals_pass(POLICY + 'test "base" {\n' + WORLD + '  when person "E2" does approve(amount = 5 USD) on shop.Order "O1" expect permit\n}\n')
        for row in ("row (99.99 USD, permit bound by orders.amount)", "row (100.00 USD, permit bound by orders.amount)",
                    "row (100.01 USD, deny limit.exceeded bound by orders.amount)"):
            self.assertIn(row, out)
        # Proposed once: now they are there.
        again = self.dplc("test", "--boundaries", "p.dpl", code=0).stdout
        self.assertNotIn("test \"", again)
        self.assertIn("are there already", again)

    def test_proposals_kill_the_mutants_of_the_limit(self):
        text = POLICY + 'test "base" {\n' + WORLD + '  when person "E2" does approve(amount = 5 USD) on shop.Order "O1" expect permit\n}\n'
        self.write("p.dpl", text)
        self.assertIn("raised to 100.01 USD", self.dplc("test", "--mutate", "p.dpl", code=5).stdout)
        self.proposals_pass(text)
        self.assertNotIn("raised to 100.01 USD", self.dplc("test", "--mutate", "p.dpl", code=5).stdout)

    def test_windows_and_budgets(self):
        limits = {
            "100 USD per day for each person": ("at 2026-11-20T23:59:59Z", "at 2026-11-21T00:00:00Z"),
            "100 USD per month for each person": ("at 2026-11-30T23:59:59Z", "at 2026-12-01T00:00:00Z"),
            "100 USD in any 15m for each person": ("advance 14m59s", "advance 1s"),
        }
        base = 'test "base" {\n' + WORLD + '  when person "E2" does approve(amount = 5 USD) on shop.Order "O1" expect permit\n}\n'
        for limit, edges in limits.items():
            out = self.proposals_pass(POLICY.replace("100 USD each", limit) + base)
            self.assertRegex(out, r"approve\(amount = 99\.99 USD\)[^\n]*\n    expect permit", limit)
            self.assertIn("// the last unit of the budget", out)
            self.assertIn("expect deny limit.exceeded", out)
            for edge in edges:
                self.assertIn(edge, out, limit)
        out = self.proposals_pass(POLICY.replace("100 USD each", "30 USD each\n  limit amount to 100 USD in total for each person") + base)
        self.assertIn("repeat 3 times", out)

    def test_a_limit_that_no_test_reaches_is_a_comment(self):
        out = self.proposals_pass(POLICY + ONE)
        self.assertRegex(out, r"// p\.dpl:18:\d+: `limit amount to 100 USD each` of acme\.shop\.orders: no test reaches this limit")

    def test_the_stories(self):
        for story in ("quickstart", "spending-bands", "planner-and-readers", "nightly-job"):
            text = "".join(p.read_text() for p in sorted((ROOT / "policies" / story).glob("*.dpl")))
            self.assertIn("test \"boundary of", self.proposals_pass(text), story)


class Choosing(Folder):
    def test_list_filter_and_fail_fast(self):
        wrong = ONE.replace('"one"', '"wrong"').replace("permit", "deny")
        self.write("p.dpl", POLICY + wrong + wrong.replace('"wrong"', '"wrong too"') + ONE)
        listed = self.dplc("test", "--list", "p.dpl", code=0).stdout.splitlines()
        self.assertEqual([re.sub(r"^p\.dpl:\d+:\d+: ", "", line) for line in listed],
                         ["acme.shop: wrong", "acme.shop: wrong too", "acme.shop: one"])
        self.assertIn("1 passed, 0 failed", self.dplc("test", "-k", "one", "p.dpl", code=0).stdout)
        self.assertIn("1 passed, 2 failed", self.dplc("test", "p.dpl", code=1).stdout)
        self.assertIn("0 passed, 1 failed", self.dplc("test", "-x", "p.dpl", code=1).stdout)
        self.dplc("test", "--list", "-k", "nothing", "p.dpl", code=1)


    def test_what_cannot_be_had_at_once_is_wrong_use(self):
        self.write("p.dpl", POLICY + ALL)
        for options in (["--watch", "--coverage"], ["--list", "--mutate"], ["--boundaries", "--min", "5"], ["--watch", "--list"],
                        ["--watch", "--format", "json"], ["--facts", "f.json"], ["--replay", "r.jsonl", "--junit", "j.xml"]):
            result = self.dplc("test", *options, "p.dpl", code=2)
            self.assertTrue(result.stderr.strip(), options)
        self.assertIn("standard input", self.dplc("test", "--watch", "-", code=2).stderr)


class Watch(Folder):
    """A real process; every wait is for a line of its output."""

    def start(self, *args):
        process = subprocess.Popen([DPLC, "test", "--watch", *args], cwd=self.path, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        lines = queue.Queue()

        def read():
            for line in process.stdout:
                lines.put(line)
            lines.put(None)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self.addCleanup(reader.join, 60)
        self.process, self.lines = process, lines

    def until(self, text):
        """The output up to the line with this text."""
        seen = ""
        while text not in seen:
            line = self.lines.get(timeout=60)
            self.assertIsNotNone(line, "ended before `" + text + "`:\n" + seen)
            seen += line
        return seen

    def stop(self, code):
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(timeout=60), code)

    def test_a_change_is_run_and_ctrl_c_ends(self):
        self.write("p.dpl", POLICY + ONE)
        self.start("p.dpl")
        self.assertIn("1 passed, 0 failed", self.until("Ctrl-C ends"))
        self.write("p.dpl", POLICY + ONE.replace("permit", "deny"))
        seen = self.until("Ctrl-C ends")
        self.assertIn("changed: p.dpl", seen)
        self.assertIn("0 passed, 1 failed", seen)
        self.write("p.dpl", POLICY + ONE.replace("permit", "permti"))
        self.assertIn("error DPL", self.until("Ctrl-C ends"))
        # An editor that writes beside and renames over.
        self.write("p.dpl.new", POLICY + ALL)
        os.rename(self.path / "p.dpl.new", self.path / "p.dpl")
        self.assertIn("1 passed, 0 failed", self.until("Ctrl-C ends"))
        self.stop(0)

    def test_ends_with_1_while_tests_fail(self):
        self.write("p.dpl", POLICY + ONE.replace("permit", "deny"))
        self.start(".")
        self.until("Ctrl-C ends")
        self.stop(1)

    def test_only_what_a_change_can_concern(self):
        self.write("a/base.dpl", POLICY + ONE)
        other = POLICY.replace("acme.shop", "acme.lab").replace("system shop", "system lab").replace(" in shop", " in lab").replace("shop.Order", "lab.Order")
        other = re.sub(r"(?m)^person .*\n", "", other).replace("where resource.region == person.region", "where resource.region == emea")
        world = WORLD.replace("shop.Order", "lab.Order").replace(" { region = emea }\n    person", "\n    person").replace('"E3" { region = emea }', '"E3"')
        self.write("b/lab.dpl", other + 'test "lab" {\n' + world + '  when person "E2" does read on lab.Order "O1" expect permit\n}\n')
        self.start(".")
        self.assertIn("2 passed, 0 failed", self.until("Ctrl-C ends"))
        self.write("b/lab.dpl", self.read("b/lab.dpl").replace("100 USD", "200 USD"))
        seen = self.until("Ctrl-C ends")
        self.assertIn("packages acme.lab: 1 of 2 tests can be concerned", seen)
        self.assertIn("acme.lab: lab", seen)
        self.assertNotIn("acme.shop: one", seen)
        # A new file in a new folder that forbids what the other package grants concerns its test.
        self.write("c/rules.dpl", 'package acme.rules owned by team acme.shop.finance\nimport acme.shop\n'
                   'forbid freeze { covers any action on shop.Order  because "Freeze"  owner team acme.shop.finance  review every 90d }\n')
        self.until("FAILED acme.shop: one")
        self.assertIn("0 passed, 1 failed", self.until("Ctrl-C ends"))
        # What failed is run again, whatever changes.
        self.write("b/lab.dpl", self.read("b/lab.dpl").replace("200 USD", "300 USD"))
        seen = self.until("Ctrl-C ends")
        self.assertIn("acme.lab: lab", seen)
        self.assertIn("FAILED acme.shop: one", seen)
        self.stop(1)


if __name__ == "__main__":
    unittest.main()
