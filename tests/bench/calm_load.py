#!/usr/bin/env python3
"""What hostile clients cost the good ones: p50 and p99 of sixteen good connections to one serving thread of dpld, alone and beside others, in turn
within each round. Beside: 10,000 connections that are silent, slow or idle; one client each that sends bodies of a megabyte, JSON 1,000 deep, heads of 10,000
lines, as fast as it is answered; and one that sends a byte at a time.

  python3 tests/bench/calm_load.py [ROUNDS]"""

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/http"))
from dpld import BIN, EVALUATION, Dpld, build  # noqa: E402
from load_test import ASKED, HELD, STORY  # noqa: E402

HEAD = b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
HOSTILE = {"1 MB bodies": HEAD % (1 << 20) + b" " * (1 << 20), "JSON 1,000 deep": HEAD % 2000 + b"[" * 1000 + b"]" * 1000,
           "10,000 headers": b"GET /healthz HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"}


def attack(port, data, stop):
    while not stop.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
                plain.sendall(data)
                plain.recv(65536)
        except OSError:
            pass


def drip(port, stop):
    while not stop.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
                for byte in HEAD % 60_000 + b" " * 50_000:
                    plain.send(bytes([byte]))
                    if stop.is_set():
                        return
        except OSError:
            pass


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="dpl-calm-") as name:
        folder = Path(name)
        config, request, body = folder / "dpld.json", folder / "request", json.dumps(ASKED).encode()
        config.write_text(json.dumps({"bundle": str(build("quickstart", folder / "p.dplb")), "facts": str(STORY / "facts.json"), "threads": 1,
                                      "limits": {"head_seconds": 3600, "body_seconds": 3600, "idle_seconds": 3600}}))
        request.write_bytes(HEAD % len(body) + body)
        dpld = Dpld("--config", config)

        def good():
            out = subprocess.run([BIN.parent / "bench/load_client", f"127.0.0.1:{dpld.port}", request, "16", "1", "1"], stdout=subprocess.PIPE,
                                 text=True, check=True).stdout
            seen = json.loads(out)
            return seen["p50"], seen["p99"]

        good()
        seen = {}
        for _ in range(rounds):
            alone = good()
            for label in ("10,000 held", *HOSTILE, "a byte at a time"):
                held, stop = [], threading.Event()
                if label == "10,000 held":
                    for number in range(10_000):
                        held.append(socket.create_connection(("127.0.0.1", dpld.port), timeout=10))
                        held[-1].sendall(HELD[number % len(HELD)])
                else:
                    target = (drip, (dpld.port, stop)) if label not in HOSTILE else (attack, (dpld.port, HOSTILE[label], stop))
                    threading.Thread(target=target[0], args=target[1], daemon=True).start()
                beside = good()
                seen.setdefault(label, []).append((beside[0] / alone[0], beside[1] / alone[1], *alone, *beside))
                stop.set()
                for plain in held:
                    plain.close()
        for label, values in seen.items():
            ratio50, ratio99, a50, a99, b50, b99 = (statistics.median(v[i] for v in values) for i in range(6))
            print(f"{label:<18} p50 {b50:6.0f} ({a50:.0f} alone, {ratio50:.2f})  p99 {b99:6.0f} us ({a99:.0f} alone, {ratio99:.2f})")
        dpld.stop()


if __name__ == "__main__":
    main()
