#!/usr/bin/env python3
"""Soak: dpld under mixed good and bad load for a while. It must go on answering rightly, and its memory and open files must
not grow. DPL_SOAK_SECONDS says how long (120). Run by `./dev test --full`."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("DPL_BIN", ROOT / "build/bin"))
SECONDS = float(os.environ.get("DPL_SOAK_SECONDS", "120"))
STORY = ROOT / "policies/quickstart"
PATH = "/access/v1/evaluation"
HOSTILE = [b"{", b"[" * 10000, b'{"subject":1}', b'{"a":1,"a":2}', b"\xff\xfe", b'{"x":1e400}', b"null", b""]


class Server:
    def __init__(self, folder):
        bundle = Path(folder) / "p.dplb"
        subprocess.run([BIN / "dplc", "build", STORY, "-o", bundle], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = open(Path(folder) / "log", "w+b")
        self.process = subprocess.Popen([BIN / "dpld", "--bundle", bundle, "--facts", STORY / "facts.json", "--state", Path(folder) / "state", "--listen",
                                         f"127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log)
        for _ in range(1000):
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit(f"dpld ended: {Path(self.log.name).read_text()}")
            time.sleep(0.01)
        raise SystemExit("dpld never became ready")

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def get(self, path):
        connection = self.connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def memory(self):
        """Resident kB of the process itself; what the log holds does not count."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def ask(connection, body):
    connection.request("POST", PATH, body, {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def decision(body):
    found = re.search(rb'"decision"\s*:\s*(true|false)', body)
    return found[1] if found else None


def load(server, request, wanted, stop, faults, counts):
    """One client: good requests on a kept connection, in between bad ones, cut ones and abandoned ones."""
    connection, number = server.connect(), 0
    while not stop.is_set():
        number += 1
        try:
            status, body = ask(connection, request)
            if status != 200 or decision(body) != wanted:
                faults.append(f"request {number}: {status} {body[:200]}")
            if number % 20 == 0:
                bad = server.connect()
                status, body = ask(bad, HOSTILE[number // 20 % len(HOSTILE)])
                if not 400 <= status < 500 or decision(body) == b"true":
                    faults.append(f"hostile request {number}: {status} {body[:200]}")
                bad.close()
            if number % 50 == 0:
                cut = socket.create_connection(("127.0.0.1", server.port))
                cut.sendall(b"POST /access/v1/evaluation HTTP/1.1\r\nHost: x\r\nContent-Le")
                cut.close()
            if number % 97 == 0:
                connection.close()
        except OSError as error:
            faults.append(f"request {number}: {error!r}")
            connection.close()
            stop.wait(0.1)
    counts.append(number)


def main():
    with tempfile.TemporaryDirectory(prefix="dpl-soak-") as folder:
        server = Server(folder)
        # Reading uses up no limit, so its answer stays the same however often it is asked.
        asked = json.loads((STORY / "request.json").read_text())
        request = json.dumps(asked | {"action": {"name": "read"}}).encode()
        wanted = b"true"
        stop, faults, counts = threading.Event(), [], []
        clients = [threading.Thread(target=load, args=(server, request, wanted, stop, faults, counts)) for _ in range(8)]
        for client in clients:
            client.start()
        time.sleep(SECONDS / 4)  # warm-up: buffers and pools reach their size
        memory, files = server.memory(), server.files()
        time.sleep(SECONDS * 3 / 4)
        grown = server.memory() - memory
        stop.set()
        for client in clients:
            client.join()
        files_left = server.files()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(30)
        print(f"{sum(counts)} requests, memory {memory} kB and {grown:+} kB, files {files} then {files_left}")
        checks = {
            "every answer was right": not faults,
            "memory did not grow": grown < 4096,
            "open files did not grow": files_left <= files,
            "it drained and left with 0": code == 0,
            "it was asked": sum(counts) > 100,
        }
        print("\n".join(faults[:10]))
        for name, good in checks.items():
            if not good:
                print(f"FAILED {name}")
        passed = sum(checks.values())
        print(f"{passed} passed, {len(checks) - passed} failed")
        return 0 if passed == len(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
