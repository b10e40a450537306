"""What the gateways' tests share: the story `quickstart` behind the documented configuration, and a service to protect."""

import http.server
import json
import re
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

from dpld import PATIENCE, ROOT, Dpld, build

INTEGRATIONS = ROOT / "docs/integrations"
AGENT = "spiffe://acme.example/agent/assistant"
TOKEN = "change-me"

# Targets that a proxy, a service and a decision point may each read in their own way. None may ever be served.
AMBIGUOUS = [
    "//orders/O1", "/orders//O1", "/orders/O1/", "/./orders/O1", "/orders/./O1", "/x/../orders/O1", "/orders/O2/../O1",
    "/orders/%2e%2e/orders/O1", "/orders/%2E./O1", "/orders%2fO1", "/orders/O1%2f", "/orders%5cO1", "/orders;x=1/O1",
    "/orders/O1;v=2", "/orders/O1%3bv", "/orders/O1%00", "/orders/O1%00.css", "/orders/O1%0a", "/orders/%4f1", "/orders/O%31",
    "/%6frders/O1", "/orders/O1%20", "/orders/O1.", "/orders/O%2531", "/orders/%ff", "/orders/%c0%af", "/ORDERS/O1",
    "/orders/O1/..%2fO1", "/orders/O1+", "/orders/" + "a" * 7000, "/a" * 100,
]


def documented(page, name):
    """The JSON that a page under docs/integrations/ has the reader keep as `name`."""
    [block] = re.findall(rf"^```json file={re.escape(name)}\n(.*?)^```$", (INTEGRATIONS / page).read_text(), re.M | re.S)
    return json.loads(block)


class Service:
    """Answers every request with what it saw of it, and remembers it."""

    def __init__(self):
        self.seen = seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.append((self.command, self.path, {n.lower(): v for n, v in self.headers.items()}))
                body = json.dumps({"path": self.path}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if self.command != "HEAD" else b"")

            do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    """Until something listens there; fails when the process ends before."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"nothing listens on port {port}") from None


class Gateway(unittest.TestCase):
    """dpld with the configuration of docs/integrations/nginx.md, and a service."""

    CONFIG = {}  # members that replace the documented ones

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dpl-gateway-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        config = documented("nginx.md", "dpld.json")
        config["bundle"] = str(build("quickstart", self.folder / "policy.dplb"))
        config["facts"] = str(ROOT / "policies/quickstart/facts.json")
        config.update(self.CONFIG)
        (self.folder / "dpld.json").write_text(json.dumps(config))
        self.dpld = Dpld("--config", self.folder / "dpld.json")
        self.addCleanup(self.dpld.stop)
        self.service = Service()
        self.addCleanup(self.service.stop)

    def decisions(self):
        """How many there have been."""
        lines = self.dpld.get("/metrics").body.decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("dpl_decisions_total{"))
