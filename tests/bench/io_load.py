#!/usr/bin/env python3
"""What the I/O of our HTTP server costs beside the least that a server can do here: const_server (server/http, one constant answer)
against epoll_server (raw epoll, no limits, no deadlines), over TCP and over a unix socket, one request under way and sixteen. One serving
thread. Servers take turns within a round; ratios are taken within a round, and the half of the rounds with the least foreign load counts.

  python3 tests/bench/io_load.py [ROUNDS]"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = Path(os.environ.get("DPL_BIN", ROOT / "build/bin")).parent / "bench"
SECONDS = 1
ANSWER = json.dumps({"decision": True, "context": {"x": "y" * 480}}).encode()
BODY = json.dumps({"subject": {"type": "person", "id": "b01"}, "resource": {"type": "shop.Order", "id": "O1"}, "action": {"name": "read"},
                   "context": {"agent": {"sub": "spiffe://acme.example/agent/assistant", "instance": "a-1"}}}).encode()
REQUEST = (b"POST /access/v1/evaluation HTTP/1.1\r\nHost: 127.0.0.1:8181\r\nContent-Type: application/json\r\nContent-Length: "
           + str(len(BODY)).encode() + b"\r\n\r\n" + BODY)


def cpu_seconds(pid):
    """What its one thread has run; finer than the ticks of /proc/PID/stat."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def busy_seconds():
    fields = [int(f) for f in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Server:
    def __init__(self, program, listen, answer):
        self.process = subprocess.Popen([BENCH / program, "--listen", listen, "--answer", answer], stderr=subprocess.PIPE, text=True)
        self.address = json.loads(self.process.stderr.readline())["listen"]

    def load(self, request, connections, depth):
        """(requests per second, server CPU per request in us, p50, p99, foreign load)"""
        cpu, busy, mine = cpu_seconds(self.process.pid), busy_seconds(), os.times()
        out = subprocess.run([BENCH / "load_client", self.address, request, str(connections), str(depth), str(SECONDS)],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
        used, now, seen = cpu_seconds(self.process.pid) - cpu, os.times(), json.loads(out)
        client = now.children_user + now.children_system - mine.children_user - mine.children_system
        foreign = (busy_seconds() - busy - used - client) / seen["seconds"]
        return seen["requests"] / seen["seconds"], used * 1e6 / seen["requests"], seen["p50"], seen["p99"], foreign

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory(prefix="dpl-io-") as name:
        folder = Path(name)
        (folder / "answer").write_bytes(ANSWER)
        (folder / "request").write_bytes(REQUEST)
        servers = {(program, kind): Server(program, "127.0.0.1:0" if kind == "tcp" else f"unix:{folder}/{program}", folder / "answer")
                   for program in ("epoll_server", "const_server") for kind in ("tcp", "unix")}
        cases = [(f"c={c}", c, 1) for c in (1, 16, 64)] + [("c=16, 16 deep", 16, 16)]
        seen = {}
        for at in range(rounds + 1):
            for case, connections, depth in cases:
                for key, server in servers.items():
                    figures = server.load(folder / "request", connections, depth)
                    if at > 0:  # the first round warms
                        seen.setdefault((case, key), []).append(figures)
        for server in servers.values():
            server.stop()

        def compare(case, one, other, goals):
            a, b = seen[case, one], seen[case, other]
            quiet = sorted(range(rounds), key=lambda i: a[i][4] + b[i][4])[:(rounds + 1) // 2]
            rate, cpu, p50, p99, foreign = (statistics.median(a[i][k] for i in quiet) for k in range(5))
            ratio = [statistics.median(a[i][k] / b[i][k] for i in quiet) for k in range(2)]
            print(f"{case:<14} {' '.join(one):<18} / {' '.join(other):<18} {rate:9.0f} /s {cpu:6.2f} us CPU  p50 {p50:6.0f} p99 {p99:6.0f} us"
                  f"   req/s {ratio[0]:.2f}  CPU {ratio[1]:.2f}  {goals}  foreign load {foreign:.1f}")

        for case, _, _ in cases:
            compare(case, ("const_server", "tcp"), ("epoll_server", "tcp"), "(CPU: goal 1.6, 1.15)")
        for case, _, _ in cases:
            compare(case, ("const_server", "unix"), ("epoll_server", "unix"), "")
        for case, _, _ in cases:
            compare(case, ("const_server", "unix"), ("const_server", "tcp"), "(req/s: goal 1.2, 1.35; CPU: 0.85, 0.75)")


if __name__ == "__main__":
    main()
