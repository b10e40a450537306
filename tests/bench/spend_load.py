#!/usr/bin/env python3
"""What durable state costs over HTTP: decisions that charge and decisions that do not, with state on disk and in memory, alone
and beside each other. Needs wrk (apt-get install wrk) and a built tree. The figures of docs/benchmarks.md are its output.

  python3 tests/bench/spend_load.py [ROUNDS] [FOLDER]     FOLDER: where the state goes; /dev/shm takes the disk out"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))
from dpld import Dpld, build  # noqa: E402

WORLD = Path(__file__).resolve().parents[1] / "http/world"
SCRIPT = """
local n = 0
local pays = os.getenv("KIND") == "charge"
request = function()
  n = n + 1
  local action = pays and '{"name":"approve","properties":{"amount":"0.01 USD","note":"n"}}' or '{"name":"read"}'
  return wrk.format("POST", "/access/v1/evaluation", {["Content-Type"] = "application/json"},
    string.format('{"subject":{"type":"person","id":"b0%d"},"resource":{"type":"shop.Order","id":"O1"},"action":%s}', n % 10, action))
end
"""
# Requests per second that charge, durable before the reply, over those in memory: what must hold, what is hoped for.
GOALS = {16: (0.35, 0.50), 64: (0.50, 0.65)}
MICROS = {"us": 1, "ms": 1e3, "s": 1e6}


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(dpld, kind, connections, seconds, script):
    return subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script,
                             f"http://127.0.0.1:{dpld.port}"], env={**os.environ, "KIND": kind}, stdout=subprocess.PIPE, text=True)


def finish(load):
    """Requests per second, requests, p50 in microseconds."""
    out = load.communicate()[0]
    assert "Non-2xx" not in out, out
    number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), int(re.search(r"(\d+) requests in", out)[1]),
            float(number) * MICROS[unit])


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        bundle = build(WORLD / "policy.dpl", Path(folder) / "p.dplb")
        script = Path(folder) / "load.lua"
        script.write_text(SCRIPT)
        common = ("--bundle", bundle, "--facts", WORLD / "facts.json", "--threads", "1", "--state")
        memory, disk = Dpld(*common, "memory"), Dpld(*common, Path(folder) / "state")
        seen = {}
        for _ in range(rounds):
            for connections in (1, 16, 64):
                for place, dpld in (("memory", memory), ("disk", disk)):
                    for kind in ("read", "charge"):
                        before = cpu_seconds(dpld.process)
                        rate, count, p50 = finish(start(dpld, kind, connections, 2, script))
                        used = (cpu_seconds(dpld.process) - before) * 1e6 / count
                        seen.setdefault((connections, kind, place), []).append((rate, used, p50))
            for place, dpld in (("memory", memory), ("disk", disk)):
                alone = finish(start(dpld, "read", 4, 2, script))
                beside = start(dpld, "charge", 16, 4, script)
                time.sleep(1)
                with_others = finish(start(dpld, "read", 4, 2, script))
                finish(beside)
                seen.setdefault(("beside", place), []).append(with_others[2] / alone[2])
        for key, values in seen.items():
            if key[0] == "beside":
                print(f"4 readers beside 16 that charge, {key[1]}: p50 {statistics.median(values):.2f} of alone")
                continue
            rate, used, p50 = (statistics.median(v[i] for v in values) for i in range(3))
            beside = ""
            if key[1:] == ("charge", "disk") and key[0] in GOALS:
                # Not the record alone: counters as well are synced before this reply.
                ratio = statistics.median(v[0] / m[0] for v, m in zip(values, seen[key[0], "charge", "memory"]))
                goal, better = GOALS[key[0]]
                beside = f"; {ratio:.2f} of memory, goal {goal:.2f}, better {better:.2f}: {'held' if ratio >= goal else 'NOT held'}"
            print(f"{key[0]:3} connections, {key[1]:6} {key[2]:6}: {rate:7.0f} req/s, {used:5.1f} us CPU a request, p50 {p50:6.0f} us{beside}")
        memory.stop()
        disk.stop()


if __name__ == "__main__":
    main()
