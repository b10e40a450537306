#!/usr/bin/env python3
"""What the audit log costs over HTTP: decisions without a log, with one that is synced behind the reply (with and without what a
replay needs), and with one that is synced before the reply, side by side. Needs wrk (apt-get install wrk) and a built tree. The
figures of docs/benchmarks.md are its output.

  python3 tests/bench/audit_load.py [ROUNDS] [FOLDER]     FOLDER: where the logs go; /dev/shm takes the disk out"""

import json
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
SECONDS = 2
CONNECTIONS = (1, 16, 64)
SCRIPT = """
local n = 0
request = function()
  n = n + 1
  return wrk.format("POST", "/access/v1/evaluation", {["Content-Type"] = "application/json", ["X-Request-ID"] = "r-" .. n},
    string.format('{"subject":{"type":"person","id":"b0%d"},"resource":{"type":"shop.Order","id":"O1"},"action":{"name":"read"},' ..
      '"context":{"agent":{"sub":"spiffe://acme.example/agent/assistant","instance":"a-%d"}}}', n % 10, n % 10))
end
"""
LOGGED = 'obligation kept { covers read on shop.Order  must log  because "Every look is kept" }\n'
# Requests per second over those without an audit log: what must hold, and what is hoped for.
GOALS = {("behind", 16): (0.85, 0.92), ("behind", 64): (0.85, 0.92), ("before", 16): (0.35, 0.50), ("before", 64): (0.50, 0.65)}
MICROS = {"us": 1, "ms": 1e3, "s": 1e6}


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(dpld, connections, script):
    """Requests per second, server CPU per request in microseconds, p50 in microseconds."""
    before = cpu_seconds(dpld.process)
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", script,
                          f"http://127.0.0.1:{dpld.port}"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "Non-2xx" not in out, out
    number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
    count = int(re.search(r"(\d+) requests in", out)[1])
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), (cpu_seconds(dpld.process) - before) * 1e6 / count,
            float(number) * MICROS[unit])


def fdatasync_us(folder):
    """The median of one fdatasync after 1 KiB, in microseconds."""
    path = Path(folder) / "probe"
    with open(path, "wb") as file:
        file.write(b"\0" * (1 << 20))
        os.fsync(file.fileno())
        times = []
        for n in range(200):
            os.pwrite(file.fileno(), b"x" * 1024, n * 1024)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1e6)
    path.unlink()
    return statistics.median(times)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        folder = Path(name)
        source = (WORLD / "policy.dpl").read_text()
        (folder / "plain.dpl").write_text(source)
        (folder / "logged.dpl").write_text(source + LOGGED)
        plain, logged = build(folder / "plain.dpl", folder / "plain.dplb"), build(folder / "logged.dpl", folder / "logged.dplb")
        script = folder / "load.lua"
        script.write_text(SCRIPT)
        servers = {}
        for label, bundle, audit in (("none", plain, None), ("behind", plain, {"replay": False}), ("behind+replay", plain, {}),
                                     ("none, logged", logged, None), ("before", logged, {"replay": False}),
                                     ("before+replay", logged, {})):
            config = {"bundle": str(bundle), "facts": str(WORLD / "facts.json"), "threads": 1,
                      "audit": {"folder": "none"} if audit is None else {"folder": str(folder / label), **audit}}
            path = folder / f"{label}.json"
            path.write_text(json.dumps(config))
            servers[label] = Dpld("--config", path, "--state", "memory")
        for dpld in servers.values():
            load(dpld, 16, script)  # warm
        seen = {}
        for _ in range(rounds):
            for connections in CONNECTIONS:
                for label, dpld in servers.items():
                    seen.setdefault((connections, label), []).append(load(dpld, connections, script))
        print(f"one fdatasync of 1 KiB: {fdatasync_us(folder):.0f} us")
        for connections in CONNECTIONS:
            for label in servers:
                values = seen[connections, label]
                rate, used, p50 = (statistics.median(v[i] for v in values) for i in range(3))
                base = "none, logged" if label.startswith("before") or label.endswith("logged") else "none"
                ratio = statistics.median(v[0] / b[0] for v, b in zip(values, seen[connections, base]))
                bare = statistics.median(v[1] for v in seen[connections, base])
                goal = GOALS.get((label.split("+")[0], connections))
                beside = "" if goal is None else f"  goal {goal[0]:.2f}, better {goal[1]:.2f}: {'held' if ratio >= goal[0] else 'NOT held'}"
                print(f"c={connections:<3} {label:<14} {rate:8.0f} req/s  {ratio:5.2f} of no audit   {used:6.1f} us CPU, {bare / used:4.2f} of no audit"
                      f"   p50 {p50:6.0f} us{beside}")
        for label, dpld in servers.items():
            if label not in ("none", "none, logged"):
                health = dpld.get("/healthz").json["audit"]
                size = sum(p.stat().st_size for p in (folder / label).iterdir() if p.is_file())
                print(f"{label}: {health['records']} records, {size / max(1, health['records']):.0f} bytes each on disk, "
                      f"dropped {health.get('dropped', 0)}")
            dpld.stop()


if __name__ == "__main__":
    main()
