#!/usr/bin/env python3
"""`./dev bench peers` without the peers: our engine decides every small world as its generator says, a peer that decides one request
otherwise stops the run, what cannot be made is said, and the whole way from arguments to tables works with fakes."""

import contextlib
import io
import json
import os
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import building  # noqa: E402
import inprocess  # noqa: E402
import overhttp  # noqa: E402
import registry  # noqa: E402
import report  # noqa: E402
import run  # noqa: E402
import worlds  # noqa: E402

SMALL = {"purchase": 1, "gdrive": 8, "github": 8, "tinytodo": 8, "hospital": 2, "hospital_table": 2}

# Answers as the table of the world says, but for the request number PLANTED (or none).
ENGINE = """
import json, pathlib, sys
planted, world, ns = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
expected = list(json.loads((world / "expected.json").read_text()))
if planted >= 0:
    expected[planted] = "1" if expected[planted] == "0" else "0"
print(json.dumps({"decisions": "".join(expected), "load_ms": 1, "ns": {"decide": [ns, ns, ns * 9], "bytes": [2 * ns], "brief": [ns]}}))
"""

# The same over HTTP: a request's body is its number in the table.
SERVER = """
import http.server, json, pathlib, sys
planted, expected = int(sys.argv[1]), json.loads((pathlib.Path(sys.argv[2]) / "expected.json").read_text())
class Answer(http.server.BaseHTTPRequestHandler):
    def reply(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_GET(self):
        self.reply(b"{}")
    def do_POST(self):
        number = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.reply(json.dumps((expected[number] == "1") != (number == planted)).encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Answer).serve_forever()
"""

# Says what wrk says, for a server that answers a thousand requests.
WRK = """#!/bin/sh
printf '  Latency Distribution\\n     50%%   21.00us\\n     99%%    1.50ms\\n  1000 requests in 1.00s, 1MB read\\nRequests/sec:   1000.50\\n'
"""


def fake(name, planted=-1, ns=1000, scenarios=("purchase",), steps=(), http=False):
    def serve(folder, own, port):
        numbers = {}
        return registry.Server([sys.executable, "-c", SERVER, planted, folder, port], f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/",
                               lambda case: json.dumps(numbers.setdefault(id(case), len(numbers))).encode(), lambda answer: answer)

    return registry.Peer(name, f"fake {name}", steps, lambda s, folder, seconds: [sys.executable, "-c", ENGINE, planted, folder, ns], scenarios,
                         serve=serve if http else None)


class Driver(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for module in (building, run):
            self.enterContext(mock.patch.object(module, "WORK", self.folder))
        wrk = self.folder / "bin/wrk"
        wrk.parent.mkdir()
        wrk.write_text(WRK)
        wrk.chmod(wrk.stat().st_mode | stat.S_IXUSR)
        self.enterContext(mock.patch.dict(os.environ, {"PATH": f"{wrk.parent}:{os.environ['PATH']}"}))

    if sys.version_info < (3, 11):
        def enterContext(self, context):
            entered = context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)
            return entered

    def run_driver(self, *arguments, peers):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = run.main([*arguments], peers=peers)
            except SystemExit as end:
                code = end.code
        return code, out.getvalue(), err.getvalue()

    def test_from_arguments_to_tables(self):
        peers = (fake("dpl", ns=2000, scenarios=("purchase", "gdrive"), http=True), fake("quick", ns=1000, http=True), fake("slow", ns=8000))
        code, out, _ = self.run_driver("--quick", "--only", "purchase,gdrive", peers=peers)
        self.assertEqual(code, 0, out)
        self.assertIn("| purchase | 2.00 | 1.00 (0.5) | 8.00 (4) |", out)  # decide
        self.assertIn("| purchase | 4.00 | 2.00 | 2.00 (0.5) | 16.0 (4) |", out)  # bytes, and ours in brief
        self.assertIn("| gdrive, 20 of each | 2.00 |  |  |", out)
        self.assertIn("- in process, purchase, decide: quick 1.00 µs, ours 2.00 µs", out)
        self.assertNotIn("slow 8", out.split("Where a peer is quicker")[1])
        self.assertIn("| fake quick | 1,000 | ", out)  # over HTTP
        self.assertIn("64 connections", out)
        result = json.loads((self.folder / "result.json").read_text())
        self.assertEqual(result["in_process"]["purchase"]["slow"]["decide"], 8000)
        self.assertEqual(result["http"]["cells"]["16"]["quick"]["p99_us"], 1500)
        self.assertEqual(result["missing"], {})

    def test_one_decision_that_differs_ends_it(self):
        for peers in ((fake("dpl"), fake("other", planted=7)), (fake("dpl", http=True), fake("other", planted=7, http=True))):
            code, out, _ = self.run_driver("--quick", "--only", "purchase", peers=peers)
            self.assertEqual(code, 1)
            self.assertIn("different: other", out)
            self.assertNotIn("|", out)
            self.assertFalse((self.folder / "result.json").exists())
        self.assertIn("the first is number 8", out)

    def test_too_few_answers_are_a_difference(self):
        with self.assertRaises(inprocess.Different):
            inprocess.compare("short", "purchase", "01", "011")
        inprocess.compare("right", "purchase", "011", "011")

    def test_what_is_missing_is_said_and_the_rest_goes_on(self):
        step = registry.Step(["no-such-tool"], self.folder / "never", self.folder, ("no-such-tool",))
        broken = registry.Step([sys.executable, "-c", "raise SystemExit(3)"], self.folder / "never", self.folder)
        peers = (fake("dpl"), fake("absent", steps=(step,)), fake("broken", steps=(broken,)))
        code, out, _ = self.run_driver("--quick", "--only", "purchase", "--part", "process", peers=peers)
        self.assertEqual(code, 0)
        self.assertIn("missing: fake absent: no-such-tool\n", out)
        self.assertIn("missing: fake broken: it cannot be made here", out)
        self.assertIn("| purchase | 1.00 |", out)
        self.assertEqual(set(json.loads((self.folder / "result.json").read_text())["missing"]), {"absent", "broken"})

    def test_an_engine_that_fails_or_hangs_is_a_word_in_the_table(self):
        failing = registry.Peer("failing", "failing", (), lambda *_: [sys.executable, "-c", "raise SystemExit('out of luck')"], ("purchase",))
        hanging = registry.Peer("hanging", "hanging", (), lambda *_: [sys.executable, "-c", "import threading; threading.Event().wait()"],
                                ("purchase",))
        code, out, _ = self.run_driver("--quick", "--only", "purchase", "--part", "process", "--patience", "-3",
                                       peers=(fake("dpl"), failing, hanging))
        self.assertEqual(code, 0)
        self.assertRegex(out, r"\| purchase \| (1\.00|too slow) \| (failed: out of luck|too slow) \| too slow \|")

    def test_without_wrk_only_the_load_is_missing(self):
        with mock.patch.object(run.shutil, "which", lambda _: None):
            code, out, _ = self.run_driver("--quick", "--only", "purchase", peers=(fake("dpl", http=True),))
        self.assertEqual(code, 0)
        self.assertIn("missing: the load over HTTP: wrk", out)
        self.assertIn("| purchase | 1.00 |", out)

    def test_arguments(self):
        for wrong in (["--only", "nobody"], ["--rounds", "0"], ["--seconds", "-1"], ["--part", "half"], ["--unheard"]):
            self.assertEqual(self.run_driver(*wrong, peers=(fake("dpl"),))[0], 2, wrong)
        options = run.arguments(["--only", "cedar, gdrive"], registry.PEERS)
        peers, scenarios = run.chosen(options, registry.PEERS)
        self.assertEqual([p.name for p in peers], ["dpl", "dpl, no log", "cedar"])
        self.assertEqual(scenarios, ["gdrive"])


class Worlds(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_our_engine_decides_each_as_the_generator_says(self):
        self.assertEqual(set(SMALL), set(worlds.SCENARIOS))
        for scenario, size in SMALL.items():
            folder = worlds.write(scenario, size, self.folder / scenario)
            expected = json.loads((folder / "expected.json").read_text())
            self.assertIn("1", expected)
            self.assertIn("0", expected)
            answer, word = inprocess.ask(registry.dpl_world(scenario, folder, 0.001), 1, 60)
            self.assertIsNone(word, scenario)
            inprocess.compare("dpl", scenario, answer["decisions"], expected)

    def test_the_same_name_and_size_give_the_same_bytes(self):
        one, two = (worlds.write("github", 6, self.folder / name) for name in ("one", "two"))
        files = sorted(f.relative_to(one) for f in one.rglob("*") if f.is_file())
        self.assertIn(Path("policy.cedar"), files)
        for file in files:
            self.assertEqual((one / file).read_bytes(), (two / file).read_bytes(), file)

    def test_every_peer_is_pinned_and_its_files_are_there(self):
        self.assertEqual(len({p.name for p in registry.PEERS}), len(registry.PEERS))
        for peer in registry.PEERS:
            self.assertLessEqual(set(peer.scenarios), set(worlds.SCENARIOS), peer.name)
            self.assertTrue(peer.world or peer.serve, peer.name)
            for step in peer.steps:
                for file in step.copies:
                    self.assertTrue(file.exists(), file)
                if HERE in step.folder.parents:
                    kind = {"go": "go.sum", "cargo": "Cargo.lock", "mvn": "pom.xml"}[step.needs[0]]
                    self.assertTrue((step.folder / kind).exists(), step.folder)
                elif step.copies:
                    self.assertIn("package-lock.json", [f.name for f in step.copies])


class Report(unittest.TestCase):
    def test_who_is_quicker_over_http_is_told(self):
        beside = {"rps": 0.5, "cpu_us": 2.0, "p99_us": 0.1}
        result = {"http": {"ratios": {16: {"dpl": {"other": beside, "slow": {"rps": 30.0, "cpu_us": 0.03, "p99_us": 0.1}}}}}}
        self.assertEqual(report.losses(result), ["over HTTP, 16 connections, dpl beside other: requests 0.50 of it, CPU 2.00 of it"])

    def test_ratios_are_of_the_same_round(self):
        sample = lambda rps: {"rps": rps, "cpu_us": 1, "p99_us": 1}
        ratio = overhttp.ratios({"dpl": [sample(10), sample(100), sample(40)], "x": [sample(5), sample(10), sample(40)]})
        self.assertEqual(ratio["dpl"]["x"]["rps"], 2)


if __name__ == "__main__":
    unittest.main()
