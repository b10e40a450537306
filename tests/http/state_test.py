#!/usr/bin/env python3
"""State that survives: dpld killed at full load, restarted, on a full disk, on damaged files. DPL_KILLS says how many kills (5)."""

import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from dpld import EVALUATION, Dpld, build, run  # noqa: E402

KILLS = int(os.environ.get("DPL_KILLS", "5"))
WORLD = Path(__file__).parent / "world"
BUDGET, EACH = 20_000, 250  # what one person may spend in total, and what one request spends
WHOLE = BUDGET // EACH


def spend(person, key=None, amount=EACH):
    properties = {"amount": f"{amount}.00 USD", "note": "n", **({"idempotency_key": key} if key else {})}
    return {"subject": {"type": "person", "id": person}, "resource": {"type": "shop.Order", "id": "O1"},
            "action": {"name": "approve", "properties": properties}}


def read(person):
    return {"subject": {"type": "person", "id": person}, "action": {"name": "read"},
            "resource": {"type": "shop.Order", "id": "O1"}}


def reason(answer):
    return answer.json["context"]["reason"]


class WithState(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="dpld-state-")
        source = (WORLD / "policy.dpl").read_text()
        # A total has no midnight in it.
        changed = source.replace("  limit   amount to 20_000 USD per day for each person\n", "")
        assert changed != source
        policy = Path(cls.shared.name) / "policy.dpl"
        policy.write_text(changed + """
limit budget {
  applies to everyone
  covers     approve on shop.Order
  cap        amount to 20_000 USD in total for each person
  because    "Nobody approves more than this, ever"
}
""")
        cls.bundle = build(policy, Path(cls.shared.name) / "p.dplb")
        cls.people = [f"b0{n}" for n in range(10)]

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dpld-state-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.state = self.folder / "state"
        self.log = "none"

    def arguments(self, *more, facts=WORLD / "facts.json"):
        return ("--bundle", self.bundle, "--facts", facts, "--state", self.state, "--audit", self.log, *more)

    def serve(self, *more, **options):
        dpld = Dpld(*self.arguments(*more, **options))
        self.addCleanup(dpld.stop)
        return dpld

    def refused(self, *more):
        ended = run("--log", "json", *self.arguments(*more))
        self.assertEqual(ended.returncode, 1, ended.stderr)
        return json.loads(ended.stderr.splitlines()[-1])

    def log_file(self):
        return max(self.state.glob("log-*"))

    def permits(self, dpld, person):
        """How many requests are still permitted, by spending them all."""
        count = 0
        while (answer := dpld.ask(spend(person))).json["decision"]:
            count += 1
        self.assertEqual(reason(answer), "limit.exceeded")
        return count


class Restarting(WithState):
    def test_what_was_spent_stays_spent(self):
        dpld = self.serve()
        first = dpld.ask(spend("b00", "k1", 5000)).json
        self.assertTrue(first["decision"], first)
        dpld.stop()
        dpld = self.serve()
        self.assertEqual(reason(dpld.ask(spend("b00", "k1", 4000))), "request.key_conflict")
        again = dpld.ask(spend("b00", "k1", 5000)).json
        self.assertTrue(again["decision"], again)
        self.assertIn('"replayed":true', json.dumps(again).replace(" ", ""))
        self.assertEqual(self.permits(dpld, "b00"), (BUDGET - 5000) // EACH)
        self.assertEqual(self.permits(dpld, "b01"), WHOLE)

    def test_the_facts_file_is_recorded_once(self):
        facts = json.loads((WORLD / "facts.json").read_text())
        facts["used"] = [{"limit": "budget", "person": "b00", "quantity": "19000.00 USD"}]
        path = self.folder / "facts.json"
        path.write_text(json.dumps(facts))
        dpld = self.serve(facts=path)
        self.assertEqual(self.permits(dpld, "b00"), 1000 // EACH)
        dpld.stop()
        dpld = self.serve(facts=path)
        self.assertEqual(self.permits(dpld, "b00"), 0)

    def test_memory_forgets_and_says_so(self):
        arguments = ("--bundle", self.bundle, "--facts", WORLD / "facts.json", "--state", "memory")
        dpld = Dpld(*arguments)
        self.addCleanup(dpld.stop)
        self.assertEqual(dpld.get("/healthz").json["state"]["kind"], "memory")
        self.assertIn("forget", dpld.get("/healthz").json["state"]["note"])
        self.assertIn('dpl_state_info{kind="memory"} 1', dpld.get("/metrics").body.decode())
        self.assertEqual(dpld.start["state"], "memory")
        self.assertFalse(Path("memory").exists())

    def test_health_and_metrics_name_the_store(self):
        dpld = self.serve()
        self.assertEqual(dpld.start["state"], str(self.state))
        self.assertEqual(dpld.get("/healthz").json["state"], {"kind": "durable", "writable": True})
        dpld.ask(spend("b00"))
        metrics = dpld.get("/metrics").body.decode()
        self.assertIn('dpl_state_info{kind="durable"} 1', metrics)
        self.assertIn("dpl_state_writable 1", metrics)
        self.assertGreater(int(re.search(r"dpl_state_operations_total (\d+)", metrics)[1]), 0)

    def test_two_servers_cannot_have_one_folder(self):
        dpld = self.serve()
        error = self.refused("--listen", "127.0.0.1:0")
        self.assertEqual(error["code"], "state.locked")
        self.assertIn(f"process {dpld.process.pid}", error["error"])
        # A check reads no folder that is in use.
        self.assertEqual(run("--check-config", *self.arguments()).returncode, 0)
        self.assertEqual(dpld.ask(read("b00")).status, 200)

    def test_the_default_folder(self):
        ended = run("--check-config", "--bundle", self.bundle, "--facts", WORLD / "facts.json")
        self.assertEqual(ended.returncode, 0)
        self.assertFalse(Path("dpl-state").exists(), "a check makes nothing")


class Killing(WithState):
    """Clients spend with keys until the server is killed, and afterwards the rest. Each person's budget holds exactly WHOLE
    requests. A lost one would let more through, one that counted twice fewer; so the number of keys that were ever permitted
    says it all. What had no answer is asked again with its key."""

    def client(self, dpld, seed, answered, unanswered, lock, go_on):
        generator = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", dpld.port, timeout=20)
        number = 0
        while go_on():
            number += 1
            person, key = generator.choice(self.people), f"{seed}-{number}"
            try:
                connection.request("POST", EVALUATION, json.dumps(spend(person, key)), {"content-type": "application/json"})
                answer = json.loads(connection.getresponse().read())
            except (OSError, http.client.HTTPException, ValueError):
                with lock:
                    unanswered.append((person, key))
                break
            if answer["decision"]:
                with lock:
                    answered.append((person, key))
        connection.close()

    def trial(self, seed):
        dpld = self.serve()
        answered, unanswered, lock = [], [], threading.Lock()
        clients = [threading.Thread(target=self.client, args=(dpld, f"{seed}.{n}", answered, unanswered, lock, lambda: True))
                   for n in range(8)]
        after = random.Random(seed).randrange(10, 8 * WHOLE)
        for client in clients:
            client.start()
        while len(answered) < after and any(client.is_alive() for client in clients):
            pass
        dpld.process.kill()
        for client in clients:
            client.join()
        dpld.stop()

        dpld = self.serve()
        permitted = {person: set() for person in self.people}
        for person, key in answered:
            permitted[person].add(key)
        for person, key in unanswered:
            if dpld.ask(spend(person, key)).json["decision"]:
                permitted[person].add(key)
        for person, key in random.Random(seed).sample(answered, min(20, len(answered))):
            again = dpld.ask(spend(person, key)).json
            self.assertTrue(again["decision"], again)
            self.assertIn('"replayed": true', json.dumps(again))
        for person in self.people:
            self.assertEqual(len(permitted[person]) + self.permits(dpld, person), WHOLE, f"{person} after kill {seed}")
        dpld.stop()
        self.state = self.folder / f"state-{seed}"
        return len(answered)

    def test_no_unit_is_lost_or_spent_twice(self):
        spent = [self.trial(seed) for seed in range(KILLS)]
        self.assertGreater(sum(spent), 10 * KILLS)


class Damage(WithState):
    def spent(self, count=40):
        dpld = self.serve()
        for number in range(count):
            self.assertTrue(dpld.ask(spend("b00", f"k{number}")).json["decision"])
        dpld.process.kill()
        dpld.stop()
        data = self.log_file().read_bytes()
        return data, len(data.rstrip(b"\0"))

    def test_a_damaged_middle_is_refused_with_its_place_and_can_be_salvaged(self):
        data, used = self.spent()
        bad = bytearray(data)
        bad[used // 2] ^= 0x55
        self.log_file().write_bytes(bad)
        error = self.refused("--listen", "127.0.0.1:0")
        self.assertEqual(error["code"], "state.corrupt")
        self.assertRegex(error["error"], re.escape(str(self.log_file())) + r": at byte \d+: group \d+ is damaged")
        self.assertIn("--state-recover", error["error"])
        checked = run(*self.arguments("--check-config"))
        self.assertEqual(checked.returncode, 1)
        self.assertRegex(checked.stderr, re.escape(str(self.log_file())) + r": at byte \d+: group \d+ is damaged")
        self.assertEqual(self.log_file().read_bytes(), bytes(bad), "a refusal changes nothing")
        dpld = self.serve("--state-recover")
        self.assertRegex(dpld.wait_for("state_lost")["what"], r"at byte \d+: group \d+ is damaged")
        self.assertEqual(self.permits(dpld, "b00"), WHOLE - 39)
        dpld.stop()
        self.assertTrue(list(self.state.glob("damaged-log-*")))
        self.assertEqual(self.permits(self.serve(), "b00"), 0)

    def test_a_cut_tail_is_the_last_whole_group(self):
        data, used = self.spent()
        self.log_file().write_bytes(data[:used - 9])
        dpld = self.serve()
        self.assertIn("log-", dpld.wait_for("state_tail_cut")["file"])
        self.assertEqual(self.permits(dpld, "b00"), WHOLE - 39)

    def test_an_older_state_than_the_log_knows_is_refused(self):
        self.log = self.folder / "log"
        dpld = self.serve()
        self.assertTrue(dpld.ask(spend("b00")).json["decision"])
        self.assertEqual(dpld.stop(), 0)
        shutil.copytree(self.state, self.folder / "old")
        for _ in range(2):  # the second start tells what it found on disk
            dpld = self.serve()
            self.assertTrue(dpld.ask(spend("b00")).json["decision"])
            dpld.process.kill()
            dpld.stop()
        newer = self.state
        for number, older in enumerate((self.folder / "old", self.folder / "none")):
            self.state = older
            error = self.refused("--listen", "127.0.0.1:0")
            self.assertEqual(error["code"], "state.behind")
            self.assertIn(f"knows revocation epoch 1 and reservation {1 - number}", error["error"])
            checked = run(*self.arguments("--check-config"))
            self.assertEqual((checked.returncode, "is older than the log" in checked.stderr), (1, True), checked.stderr)
        self.state = newer
        dpld = self.serve()
        self.assertEqual(self.permits(dpld, "b00"), WHOLE - 3)
        dpld.stop()
        self.state = self.folder / "old"
        dpld = self.serve("--state-recover")
        self.assertIn("reservation 1", dpld.wait_for("state_behind")["what"])
        dpld.stop()
        self.assertEqual(self.permits(self.serve(), "b00"), WHOLE - 1)

    def test_an_older_state_is_told_from_records_of_a_shape(self):
        # Records alike share a shape, and say little themselves (docs/audit.md, "Shapes").
        self.log = self.folder / "log"
        dpld = self.serve()
        self.assertTrue(dpld.ask(spend("b00")).json["decision"])
        self.assertEqual(dpld.stop(), 0)
        shutil.copytree(self.state, self.folder / "old")
        dpld = self.serve()
        for _ in range(5):
            self.assertTrue(dpld.ask(spend("b00")).json["decision"])
        dpld.process.kill()
        dpld.stop()
        self.assertIn(b'"kind":"decision","s":[', b"".join(p.read_bytes() for p in self.log.glob("*.jsonl")))
        self.state = self.folder / "old"
        self.assertIn("tells of revocation epoch 1 and reservation 6,", self.serve().wait_for("state_behind")["what"])

    def test_another_format_is_refused_by_name(self):
        data, _ = self.spent(1)
        self.log_file().write_bytes(data[:12] + bytes([9]) + data[13:])
        error = self.refused("--listen", "127.0.0.1:0")
        self.assertEqual(error["code"], "state.version")
        self.assertIn("format 9, of a newer dpld", error["error"])


class FullDisk(WithState):
    def test_it_denies_what_must_be_recorded_until_there_is_room(self):
        dpld = self.serve()
        self.assertTrue(dpld.ask(spend("b00", "before")).json["decision"])
        unlimited = resource.prlimit(dpld.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        answers = [dpld.ask(spend("b00", f"during-{n}")) for n in range(20)]
        self.assertNotIn(True, [a.status == 200 and a.json["decision"] for a in answers])
        self.assertEqual(answers[0].status, 503, "it happened, and could not be promised")
        self.assertEqual({reason(a) for a in answers[1:]}, {"error.store"})
        self.assertTrue(dpld.ask(read("b00")).json["decision"], "what records nothing goes on")
        health = dpld.get("/healthz").json
        self.assertEqual((health["status"], health["state"]["writable"]), ("degraded", False))
        self.assertIn("dpl_state_writable 0", dpld.get("/metrics").body.decode())
        resource.prlimit(dpld.process.pid, resource.RLIMIT_FSIZE, unlimited)
        for _ in range(100_000):
            if dpld.get("/healthz").json["state"]["writable"]:
                break
        # The one that had no answer was charged, and its key finds it.
        self.assertIn('"replayed": true', json.dumps(dpld.ask(spend("b00", "during-0")).json))
        self.assertEqual(self.permits(dpld, "b00"), WHOLE - 2)
        dpld.process.send_signal(signal.SIGKILL)
        dpld.stop()
        self.assertEqual(self.permits(self.serve(), "b00"), 0)


if __name__ == "__main__":
    unittest.main()
