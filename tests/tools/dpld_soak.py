#!/usr/bin/env python3
"""Soak: dpld under full load of all kinds for a while: reads, charges, denials, malformed and cut requests, connections that come and go, reloads
and revocations. It must go on answering rightly, and its memory and open files must not grow.

  python3 tests/tools/dpld_soak.py [--seconds 120]     or DPL_SOAK_SECONDS; `./dev test --full` runs 120, with `--soak` 1800"""

import argparse
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
sys.path.insert(0, str(ROOT / "tests/http"))
from dpld import UnixConnection  # noqa: E402
BIN = Path(os.environ.get("DPL_BIN", ROOT / "build/bin"))
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
        self.operate = Path(folder) / "operate.sock"
        self.log = open(Path(folder) / "log", "w+b")
        self.process = subprocess.Popen([BIN / "dpld", "--bundle", bundle, "--facts", STORY / "facts.json", "--state", Path(folder) / "state", "--listen",
                                         f"127.0.0.1:{self.port}", "--operate", f"unix:{self.operate}"], stdout=self.log, stderr=self.log)
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


def load(server, requests, stop, faults, counts):
    """One client: good requests on a kept connection, in between bad ones, cut ones and abandoned ones."""
    connection, number = server.connect(), 0
    while not stop.is_set():
        number += 1
        request, wanted = requests[number % len(requests)]
        try:
            status, body = ask(connection, request)
            if status != 200 or decision(body) != wanted:
                faults.append(f"request {number}: {status} {body[:300]}")
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


def operate(server, asked, stop, faults, counts):
    """Now and then a reload, and a run of the agent that is revoked: permitted before, denied after."""
    number = 0
    while not stop.wait(1):
        number += 1
        try:
            server.process.send_signal(signal.SIGHUP)
            run = f"soak-{number}"
            act = asked["subject"]["properties"]["act"] | {"instance": run}
            request = json.dumps(asked | {"action": {"name": "read"}, "subject": asked["subject"] | {"properties": {"act": act}}}).encode()
            before = decision(ask(server.connect(), request)[1])
            own = UnixConnection(str(server.operate))
            own.request("POST", "/v1/revocations", json.dumps({"kind": "instance", "name": f"assistant/{run}", "because": "soak"}),
                        {"Content-Type": "application/json"})
            revoked = own.getresponse()
            answer = revoked.read()
            after = decision(ask(server.connect(), request)[1])
            if (before, revoked.status, after) != (b"true", 201, b"false"):
                faults.append(f"revocation {number}: {before} {revoked.status} {answer[:200]} {after}")
        except OSError as error:
            faults.append(f"revocation {number}: {error!r}")
    counts.append(number)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=float(os.environ.get("DPL_SOAK_SECONDS", "120")))
    seconds = arguments.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="dpl-soak-") as folder:
        server = Server(folder)
        asked = json.loads((STORY / "request.json").read_text())
        act = asked["subject"]["properties"]["act"] | {"instance": "soak"}
        asked["subject"]["properties"]["act"] = act
        def approve(amount):
            return json.dumps(asked | {"action": {"name": "approve", "properties": {"amount": f"{amount} USD"}}}).encode()
        read = json.dumps(asked | {"action": {"name": "read"}}).encode()
        # A cent at a time: the day's limit outlasts the soak.
        requests = [(read, b"true"), (approve("0.01"), b"true"), (read, b"true"), (approve("1000.01"), b"false")]
        stop, faults, counts, changes = threading.Event(), [], [], []
        clients = [threading.Thread(target=load, args=(server, requests, stop, faults, counts)) for _ in range(8)]
        clients.append(threading.Thread(target=operate, args=(server, asked, stop, faults, changes)))
        for client in clients:
            client.start()
        time.sleep(seconds / 4)  # warm-up: buffers and pools reach their size
        memory, files = server.memory(), server.files()
        time.sleep(seconds * 3 / 4)
        grown = server.memory() - memory
        stop.set()
        for client in clients:
            client.join()
        files_left = server.files()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(30)
        print(f"{sum(counts)} requests, {sum(changes)} reloads and revocations, memory {memory} kB and {grown:+} kB, files {files} then {files_left}")
        checks = {
            "every answer was right": not faults,
            # An open reservation is kept until its deadline, with its key: a quarter of the requests makes one.
            "memory did not grow but for open reservations": grown < 4096 + sum(counts) / 4 * 0.256,
            "open files did not grow": files_left <= files,
            "it drained and left with 0": code == 0,
            "it was asked": sum(counts) > 100 and sum(changes) > 0,
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
