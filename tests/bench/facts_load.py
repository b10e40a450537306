#!/usr/bin/env python3
"""What one pushed change of facts costs as the facts grow: a membership that comes and goes over the operating API, at 1,000, 100,000 and
1,000,000 persons, kept on disk before it is answered; and what decisions notice of it, their p99 beside one push after the other of that alone.
Needs wrk (apt-get install wrk) and a built tree. The figures of docs/benchmarks.md are its output.

  python3 tests/bench/facts_load.py [PUSHES] [PERSONS...]     default: 300 pushes; 1,000, 100,000 and 1,000,000 persons"""

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import http_load
from growth_load import WORLDS, script, world
from http_load import Dpld, load



def push(server, i):
    """Person i joins the team, and leaves it at the next push."""
    kind, person = ("upsert", i) if i % 2 == 0 else ("remove", i - 1)
    began = time.monotonic()
    answer = server.operate("PATCH", "/v1/facts", {kind: {"memberships": [{"team": "finance", "member": f"E{person + 1}"}]}})
    assert answer.status == 200, answer.body
    return (time.monotonic() - began) * 1e3


def cpu_ms(server):
    return http_load.cpu_seconds(server.process) * 1e3


def measure(folder, persons, pushes):
    name = f"persons{persons}"
    WORLDS[name] = (10, persons, 1)
    bundle, facts, asked = world(folder, name)
    config = folder / f"{name}-config.json"
    config.write_text(json.dumps({"bundle": str(bundle), "facts": str(facts), "threads": 1, "audit": {"folder": "none"}}))
    server = Dpld("--config", config, operate=(f"unix:{folder}/{name}.sock",))
    first = push(server, 0)
    push(server, 1)
    used, took = cpu_ms(server), [push(server, 2 + i) for i in range(pushes)]
    used = (cpu_ms(server) - used) / pushes
    sent = script(folder / f"{name}.lua", asked)
    load(server, 16, sent)  # warm
    ratios, at = [], [2 + pushes]
    for _ in range(5):
        quiet = load(server, 16, sent)
        over = threading.Event()

        def keep_pushing():
            while not over.is_set():
                push(server, at[0])
                at[0] += 1
        pusher = threading.Thread(target=keep_pushing, daemon=True)
        pusher.start()
        ratios.append(load(server, 16, sent)[3] / quiet[3])
        over.set()
        pusher.join()
    print(f"{persons:8} persons: a push {statistics.median(took):6.2f} ms (p99 {sorted(took)[pushes * 99 // 100]:.2f}), {used:.2f} ms CPU; the first after a start "
          f"{first:.0f} ms; p99 of decisions beside pushes without a pause, of that alone: {statistics.median(ratios):.2f}")
    server.stop()


def main():
    pushes = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    http_load.SECONDS = 2
    with tempfile.TemporaryDirectory(prefix="dpl-facts-") as folder:
        for persons in [int(n) for n in sys.argv[2:]] or [1000, 100_000, 1_000_000]:
            measure(Path(folder), persons, pushes)


if __name__ == "__main__":
    main()
