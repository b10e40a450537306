"""A running dpld for the tests of this folder: builds the bundle, starts the server on port 0, reads where it listens."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("DPL_BIN", ROOT / "build/bin"))
PATIENCE = 30  # seconds; every wait has an end, no test sleeps
DROP = object()

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"


def build(story, output):
    """Compiles a story under policies/ (or any path) to a bundle."""
    source = story if Path(story).is_absolute() else ROOT / "policies" / story
    subprocess.run([BIN / "dplc", "build", source, "-o", output], check=True, capture_output=True)
    return output


def run(*arguments):
    """Runs dpld to its end: for starts that are refused."""
    with tempfile.TemporaryDirectory(prefix="dpld-test-") as state:
        return subprocess.run([BIN / "dpld", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE,
                              env={**os.environ, "STATE_DIRECTORY": state})


def audit_records(folder):
    """What an audit log holds, as `dplc audit export` gives it."""
    exported = subprocess.run([BIN / "dplc", "audit", "export", folder], capture_output=True, text=True, timeout=PATIENCE)
    if exported.returncode != 0:
        raise AssertionError(exported.stderr)
    return [json.loads(line)["record"] for line in exported.stdout.splitlines()]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers}

    @property
    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class Dpld:
    """One server process. Log lines are JSON and collected; `wait_for(event)` waits for one. Without `watch` it reloads only
    when it is told to."""

    def __init__(self, *arguments, listen="127.0.0.1:0", operate=("none",), watch=0, preexec=None):
        self.folder = tempfile.TemporaryDirectory(prefix="dpld-test-")
        listens = [part for address in ([listen] if isinstance(listen, str) else listen) for part in ("--listen", address)]
        listens += [part for address in operate for part in ("--operate", address)]
        state = () if "--state" in arguments else ("--state", Path(self.folder.name) / "state")
        self.process = subprocess.Popen([BIN / "dpld", "--log", "json", "--watch", str(watch), *listens, *map(str, (*state, *arguments))],
                                        stderr=subprocess.PIPE, text=True, preexec_fn=preexec)
        self.events, self.arrived = [], threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.start = self.wait_for("start")
        self.addresses = self.start["listen"].split(",")
        self.operate_addresses = [a for a in self.start.get("operate", "").split(",") if a]
        tcp = re.fullmatch(r"127\.0\.0\.1:(\d+)", self.addresses[0])
        self.port = int(tcp[1]) if tcp else None

    def _read(self):
        for line in self.process.stderr:
            with self.arrived:
                try:
                    self.events.append(json.loads(line))
                except ValueError:
                    self.events.append({"event": "unparsed", "line": line})
                self.arrived.notify_all()
        with self.arrived:
            self.events.append({"event": "end"})
            self.arrived.notify_all()

    def wait_for(self, event, count=1):
        """The count-th event of this name."""
        def found():
            return [e for e in self.events if e["event"] == event]
        with self.arrived:
            self.arrived.wait_for(lambda: len(found()) >= count or any(e["event"] == "end" for e in self.events), PATIENCE)
            if len(found()) < count:
                raise AssertionError(f"dpld never said {event!r}; it said {self.events}")
            return found()[count - 1]

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def request(self, method, path, body=None, headers=None, connection=None):
        own = connection or self.connect()
        own.request(method, path, body, headers or {})
        response = own.getresponse()
        answer = Answer(response.status, response.getheaders(), response.read())
        if connection is None:
            own.close()
        return answer

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body, headers=None, connection=None):
        """`body` is bytes or text as they are, or a value that becomes JSON. A header that is DROP is left out."""
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        given = {"Content-Type": "application/json", **(headers or {})}
        return self.request("POST", path, body, {n: v for n, v in given.items() if v is not DROP}, connection)

    def ask(self, body, headers=None):
        return self.post(EVALUATION, body, headers)

    def raw(self, data, end=False):
        """Sends bytes as they are and returns all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as plain:
            plain.sendall(data)
            if end:
                plain.shutdown(socket.SHUT_WR)
            received = b""
            while part := plain.recv(65536):
                received += part
            return received

    def operate(self, method, path, body=None, token=None, headers=None, address=None):
        """One call of the operating API, over its first address or this one. `body`: as for post."""
        address = address or self.operate_addresses[0]
        given = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        if address.startswith("unix:"):
            own = UnixConnection(address[5:])
        else:
            own = http.client.HTTPConnection("127.0.0.1", int(address.rpartition(":")[2]), timeout=PATIENCE)
        try:
            own.request(method, path, body, {n: v for n, v in given.items() if v is not DROP})
            response = own.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            own.close()

    def audit_folder(self):
        return Path(self.get("/healthz").json["audit"]["folder"])

    def audit(self, wanted=lambda record: True, count=1):
        """The records of the audit log that are wanted, once there are `count` of them on disk."""
        folder = self.audit_folder()
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [r for r in audit_records(folder) if wanted(r)]
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"there are {len(found)} such records, not {count}")

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, number=signal.SIGTERM):
        """Tells it to stop, unless it has been told, and returns the exit code."""
        if self.process.poll() is None and not any(e["event"] == "stopping" for e in self.events):
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stderr.close()
        self.folder.cleanup()
        return code


class FixtureServed:
    """For a TestCase: one dpld with AuthZEN's fixture for all of its tests, as `self.dpld`."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="dpl-fixture-")
        bundle = build("authzen-fixture", Path(cls.folder.name) / "policy.dplb")
        cls.dpld = Dpld("--bundle", bundle, "--facts", ROOT / "policies/authzen-fixture/facts.json")

    @classmethod
    def tearDownClass(cls):
        code = cls.dpld.stop()
        cls.folder.cleanup()
        assert code == 0, code
