#!/usr/bin/env python3
"""How soon a server decides, and what it holds in memory: from the exec to the first decision, and resident memory, with 10, 10,000 and
100,000 compiled grants; and the peak after a million requests beside that after ten thousand. Needs wrk (apt-get install wrk) and a built tree.
The figures of docs/benchmarks.md are its output.

  python3 tests/bench/size_load.py [ROUNDS] [REQUESTS]     default: 7 starts of each, 1,000,000 requests"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import http_load
from http_load import EVALUATION, dpld, load, script, world

GRANTS = (10, 10_000, 100_000)


def status_mb(server, field):
    return int(Path(f"/proc/{server.process.pid}/status").read_text().split(field + ":")[1].split()[0]) / 1024


def starts(folder, rounds):
    worlds = {grants: world(folder, grants) for grants in GRANTS}
    took, held = {grants: [] for grants in GRANTS}, {grants: [] for grants in GRANTS}
    for turn in range(rounds):
        for grants in GRANTS:
            began = time.monotonic()
            server = dpld(folder, f"s{grants}-{turn}", *worlds[grants])
            answer = server.ask(EVALUATION)
            took[grants].append((time.monotonic() - began) * 1e3)
            assert answer.json["decision"] is True, answer.body
            held[grants].append(status_mb(server, "VmRSS"))
            server.stop()
    few = statistics.median(held[10])
    print(f"idle with 10 grants: {few:.1f} MB (goal 40, 20)")
    for grants in GRANTS:
        more = statistics.median(held[grants]) - few
        print(f"{grants:7} grants: exec to first decision {statistics.median(took[grants]):6.0f} ms ({min(took[grants]):.0f} to {max(took[grants]):.0f}), "
              f"{more:6.1f} MB more than 10, {more / grants * 10_000:5.1f} for 10,000   (goal of 10,000: 250, 50 ms; 20, 8 MB)")


def flat(folder, requests):
    for label, audit in (("no log", None), ("log", {"replay": False})):
        server = dpld(folder, f"flat-{label.replace(' ', '-')}", folder / "p10.dplb", folder / "facts10.json", audit)
        sent = script(folder / "one.lua", EVALUATION)
        peaks = {}
        total = 0
        for mark in (10_000, requests):
            while total < mark:
                rate = load(server, 16, sent)[0]
                total += rate * http_load.SECONDS
            peaks[mark] = status_mb(server, "VmHWM")
        few, many = peaks.values()
        print(f"{label}: peak {few:.1f} MB after the first second of load, {many:.1f} MB after {total:,.0f} requests: {many / few:.3f} (goal 1.1, 1.02)")
        server.stop()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory(prefix="dpl-size-", dir="/dev/shm") as name:
        starts(Path(name), rounds)
        flat(Path(name), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)


if __name__ == "__main__":
    main()
