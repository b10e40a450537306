#!/usr/bin/env python3
"""Reloads under load: requests a second and p99 while nothing happens, and while one reload follows the other without a pause, in turns;
how long a reload takes; what memory is left. Needs wrk (apt-get install wrk) and a built tree. The figures of docs/benchmarks.md are
its output.

  python3 tests/bench/reload_load.py [ROUNDS] [GRANTS...]     default: 5 rounds, 10,000 and 100,000 grants

Two policies that differ in one sentence take each other's place. Beside wrk one client reads every answer whole: each must be a permit
that names one of the two policies, and the policy changes at most as often as there were reloads: it never goes back."""

import json
import statistics
import sys
import tempfile
import threading
from pathlib import Path

import http_load
from http_load import EVALUATION, build, dpld, load, script, world

CONNECTIONS = 16


def pair(folder, grants):
    """Two bundles and the facts for both."""
    bundle, facts = world(folder, grants)
    source = folder / f"p{grants}"
    changed = sorted(source.iterdir())[-1]
    text = changed.read_text()
    changed.write_text(text.replace("because \"", "because \"Again: ", 1))
    assert changed.read_text() != text
    other = build(source, folder / f"q{grants}.dplb")
    return [Path(bundle).read_bytes(), Path(other).read_bytes()], facts


def resident_mb(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


class Reader(threading.Thread):
    """Asks on one connection and reads every answer; which policies answered, and how often that changed."""

    def __init__(self, server, known):
        super().__init__()
        self.server, self.known, self.over = server, known, threading.Event()
        self.answers = self.changes = 0
        self.wrong = []

    def run(self):
        connection, last = self.server.connect(), None
        while not self.over.is_set():
            answer = self.server.post("/access/v1/evaluation", EVALUATION, connection=connection)
            policy = answer.json["context"]["dpl"]["versions"]["policy"] if answer.status == 200 else None
            if policy not in self.known or answer.json["decision"] is not True:
                self.wrong.append(answer.body)
            self.changes += last is not None and policy != last
            last = policy
            self.answers += 1
        connection.close()


def measure(folder, grants, rounds):
    bundles, facts = pair(folder, grants)
    live = folder / f"live{grants}.dplb"

    def put(content):
        fresh = folder / "fresh"
        fresh.write_bytes(content)
        fresh.rename(live)

    put(bundles[0])
    sent = script(folder / "one.lua", EVALUATION)
    server = dpld(folder, f"reload{grants}", live, facts)
    reloads, known, took = 0, {server.start["digest"]}, []

    def reload():
        nonlocal reloads
        reloads += 1
        put(bundles[reloads % 2])
        server.hang_up()
        event = server.wait_for("reloaded", reloads)
        known.add(event["digest"])
        took.append(int(event["ms"]))

    load(server, CONNECTIONS, sent)  # warm
    reload(), reload()
    assert len(known) == 2
    memory = resident_mb(server)
    reader, seen = Reader(server, known), {"quiet": [], "reloading": []}
    reader.start()
    for _ in range(rounds):
        seen["quiet"].append(load(server, CONNECTIONS, sent))
        over = threading.Event()

        def keep_reloading():
            while not over.is_set():
                reload()
        reloader = threading.Thread(target=keep_reloading)
        reloader.start()
        seen["reloading"].append(load(server, CONNECTIONS, sent))
        over.set()
        reloader.join()
    reader.over.set()
    reader.join()
    for label, values in seen.items():
        rate, _, p50, p99, foreign = (statistics.median(v[k] for v in values) for k in range(5))
        print(f"{grants:7} grants  {label:<10} {rate:8.0f} /s  p50 {p50:6.0f} us  p99 {p99:7.0f} us  foreign load {foreign:.1f}")
    ratio = statistics.median(d[3] / q[3] for q, d in zip(seen["quiet"], seen["reloading"]))
    print(f"{grants:7} grants  {reloads} reloads of {statistics.median(took):.0f} ms; p99 while reloading without pause, of quiet: {ratio:.2f} (goal 2.0, 1.2); "
          f"{reader.answers} answers read, {reader.changes} changes of policy seen, {len(reader.wrong)} wrong (goal 0); "
          f"memory {memory:.0f} MB after 2 reloads, {resident_mb(server):.0f} MB after {reloads}")
    assert not reader.wrong, reader.wrong[0]
    assert reader.changes <= reloads
    assert not [e for e in server.events if e["event"] == "reload_failed"]
    server.stop()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    http_load.SECONDS = 3
    with tempfile.TemporaryDirectory() as name:
        for grants in [int(g) for g in sys.argv[2:]] or [10_000, 100_000]:
            measure(Path(name), grants, rounds)


if __name__ == "__main__":
    main()
