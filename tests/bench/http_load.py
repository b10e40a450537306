#!/usr/bin/env python3
"""Decisions over HTTP beside a server that gives one constant answer of the same size from the same I/O code (const_server.cc), side
by side. Needs wrk (apt-get install wrk) and a built tree. The figures of docs/benchmarks.md are its output.

  python3 tests/bench/http_load.py [ROUNDS] [FOLDER]     FOLDER: where audit logs go; /dev/shm takes the disk out

Every request is an agent's look at an order on behalf of a person, under a policy of 10,000 grants; every answer has its full
rationale. One serving thread. Of the rounds the half with the least foreign load counts; ratios are taken within a round."""

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
from dpld import BIN, PATIENCE, Dpld, build  # noqa: E402
import gen_policy  # noqa: E402

CONST = BIN.parent / "bench/const_server"
SECONDS = 1  # whole: wrk takes no fractions
CONNECTIONS = (1, 16, 64)
BATCH = 50
MICROS = {"us": 1, "ms": 1e3, "s": 1e6}
TICKS = os.sysconf("SC_CLK_TCK")

EVALUATION = {"subject": {"type": "person", "id": "E1", "properties": {
                  "act": {"sub": "spiffe://bench/helper", "instance": "run-1"}}},
              "action": {"name": "read"}, "resource": {"type": "shop.Order", "id": "O1"}}
BATCHED = {"subject": EVALUATION["subject"], "action": EVALUATION["action"],
           "evaluations": [{"resource": {"type": "shop.Order", "id": f"O{i}"}} for i in range(BATCH)]}


class Const:
    """The constant server on a port of its own, started and stopped like a dpld."""

    def __init__(self, answer):
        self.process = subprocess.Popen([CONST, "--answer", answer], stderr=subprocess.PIPE, text=True)
        self.port = int(json.loads(self.process.stderr.readline())["listen"].rpartition(":")[2])

    def stop(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stderr.close()


def script(path, body, depth=1):
    """What wrk sends: the same bytes every time, `depth` requests behind each other."""
    path.write_text(f"""
wrk.method, wrk.path = "POST", "/access/v1/evaluation{'s' if 'evaluations' in body else ''}"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[{json.dumps(body, separators=(",", ":"))}]==]
local all
request = function()
  all = all or string.rep(wrk.format(), {depth})
  return all
end
""")
    return path


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy_seconds():
    """Of all processors, in everything."""
    fields = [int(f) for f in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def load(server, connections, sent):
    """(requests per second, server CPU per request in us, p50 us, p99 us, foreign cores)."""
    cpu, busy, mine, began = cpu_seconds(server.process), busy_seconds(), os.times(), time.monotonic()
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", sent,
                          f"http://127.0.0.1:{server.port}"], stdout=subprocess.PIPE, text=True, check=True).stdout
    took, used, now = time.monotonic() - began, cpu_seconds(server.process) - cpu, os.times()
    client = now.children_user + now.children_system - mine.children_user - mine.children_system
    foreign = (busy_seconds() - busy - used - client) / took
    if "Non-2xx" in out or "Socket errors" in out:
        raise AssertionError(out)
    def latency(percent):
        number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", out).groups()
        return float(number) * MICROS[unit]
    count = int(re.search(r"(\d+) requests in", out)[1])
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), used * 1e6 / count, latency(50), latency(99), foreign)


def world(folder, grants):
    """A bundle of this many grants, and facts under which the person holds the last one's role."""
    source = folder / f"p{grants}"
    source.mkdir()
    for name, text in gen_policy.roles(grants).items():
        (source / name).write_text(text)
    facts = folder / f"facts{grants}.json"
    facts.write_text(json.dumps({
        "persons": [{"id": "E0001"}, {"id": "E1", "attributes": {"department": "d1"}}], "teams": {"desk": ["E0001"]},
        "roles": [{"role": f"r{grants - 1}", "members": ["E1"]}],
        "resources": [{"type": "shop.Order", "id": f"O{i}", "attributes": {"department": "d1", "number": i}} for i in range(BATCH)]}))
    return build(source, folder / f"p{grants}.dplb"), facts


def dpld(folder, name, bundle, facts, audit=None):
    path = folder / f"{name}.json"
    kept = {"folder": "none"} if audit is None else {"folder": str(folder / name), **audit}
    path.write_text(json.dumps({"bundle": str(bundle), "facts": str(facts), "threads": 1, "audit": kept}))
    return Dpld("--config", path, "--state", "memory")


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        folder = Path(name)
        few, many = world(folder, 10), world(folder, 10_000)
        one = script(folder / "one.lua", EVALUATION)
        piped = script(folder / "piped.lua", EVALUATION, depth=16)
        batch = script(folder / "batch.lua", BATCHED)
        servers = {"10 grants": dpld(folder, "few", *few), "decide": dpld(folder, "plain", *many),
                   "audited": dpld(folder, "audited", *many, {"replay": False}), "audited+replay": dpld(folder, "replay", *many, {})}
        reply = servers["decide"].ask(EVALUATION)
        assert reply.status == 200 and reply.json["decision"] is True, reply.body
        (folder / "answer.json").write_bytes(reply.body)
        servers = {"const": Const(folder / "answer.json"), **servers}
        print(f"answer {len(reply.body)} bytes, request {len(json.dumps(EVALUATION, separators=(',', ':')))} bytes in its body")
        for server in servers.values():
            load(server, 16, one)  # warm
        cases = [(f"c={c}", c, one) for c in CONNECTIONS] + [("c=16 x16 piped", 16, piped), (f"c=16 batch of {BATCH}", 16, batch)]
        seen = {}
        for _ in range(rounds):
            for case, connections, sent in cases:
                for label, server in servers.items():
                    if label == "const" and "batch" in case:
                        continue
                    seen.setdefault((case, label), []).append(load(server, connections, sent))
        for case, _, _ in cases:
            for label in servers:
                values = seen.get((case, label))
                if values is None:
                    continue
                base = seen.get((case, "const"), seen["c=16", label])  # a batch is held against one request
                quiet = sorted(range(rounds), key=lambda i: values[i][4] + base[i][4])[:(rounds + 1) // 2]
                rate, used, p50, p99, foreign = (statistics.median(values[i][k] for i in quiet) for k in range(5))
                per = BATCH if "batch" in case else 1
                ratio = [statistics.median(values[i][k] / base[i][k] for i in quiet) for k in range(2)]
                times = "" if "piped" in case else f"p50 {p50:6.0f} p99 {p99:6.0f} us"  # wrk cannot time what is piped
                print(f"{case:<16} {label:<15} {rate:8.0f} /s {used:7.2f} us CPU  {times:<25}  "
                      + (f"of one request, an item: {ratio[1] / per:5.3f} CPU (goal 0.35, 0.20)" if per > 1 else
                         f"of const: {ratio[0]:5.2f} /s (goal 0.80, 0.90) {ratio[1]:5.2f} CPU (goal 1.40, 1.20)")
                      + f"   foreign load {foreign:.1f}")
        for case in ("c=1", "c=16"):
            quiet = range(rounds)
            growth = [statistics.median(seen[case, "decide"][i][k] / seen[case, "10 grants"][i][k] for i in quiet) for k in range(2)]
            print(f"{case}: 10,000 grants against 10: {1 / growth[0]:.2f} time by rate, {growth[1]:.2f} CPU (goal 1.10, 1.03)")
        for label in ("decide", "audited", "audited+replay"):
            alone = statistics.median(own[2] - const[2] for own, const in zip(seen["c=1", label], seen["c=1", "const"]))
            spread = statistics.median(own[3] / own[2] for own in seen["c=64", label])
            print(f"{label}: p50 at c=1 less const's {alone:.0f} us (goal 12, 5); p99 / p50 at c=64 {spread:.1f} (goal 3, 2)")
        for server in servers.values():
            server.stop()


if __name__ == "__main__":
    main()
