"""Servers asked over HTTP: the same table of cases first, then the same load with wrk, in rounds that go through all of them."""

import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import urllib.error
from pathlib import Path

from inprocess import Different, compare
from registry import call, wait_ready

MICROS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}
SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[{body}]==]
"""


def free_port():
    """A port that is free, and the next one too."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            try:
                two.bind(("127.0.0.1", one.getsockname()[1] + 1))
            except OSError:
                continue
            return one.getsockname()[1]


def busy():
    fields = [int(n) for n in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def children():
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


class Running:
    """One server under load; `cpu` is that of its whole process."""

    def __init__(self, peer, folder, own, cases):
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True)
        self.name = peer.name
        self.server = peer.serve(folder, own, free_port())
        self.process = subprocess.Popen([*map(str, self.server.command)], cwd=own, stdout=subprocess.DEVNULL,
                                        stderr=open(own / "stderr", "wb"), env={**os.environ, **self.server.environment})
        try:
            wait_ready(self.server.ready, self.process)
            self.url = (self.server.prepare and self.server.prepare(self.server)) or self.server.url
            self.script = own / "load.lua"
            self.script.write_text(SCRIPT.format(body=self.server.body(cases[0]).decode()))
        except Exception:
            self.stop()
            raise

    def decisions(self, cases):
        def one(case):
            try:
                return "1" if self.server.allows(json.loads(call(self.url, self.server.body(case)))) else "0"
            except urllib.error.HTTPError as error:
                raise Different(f"{self.name} answers {error.code}: {error.read()[:200]!r}") from error
        return "".join(one(case) for case in cases)

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self):
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def load(self, connections, seconds):
        before, machine, client = self.cpu(), busy(), children()
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "-s", str(self.script), self.url],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
        used, loaded = self.cpu() - before, children() - client
        if "Non-2xx" in out or "Socket errors" in out:
            raise RuntimeError(f"{self.name} did not answer everything:\n{out}")
        count = int(re.search(r"(\d+) requests in", out)[1])
        parts = {p: float(n) * MICROS[u] for p, n, u in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)", out)}
        return {"rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), "cpu_us": used * 1e6 / max(count, 1), "p50_us": parts["50"],
                "p99_us": parts["99"], "foreign": max(0.0, (busy() - machine - used - loaded) / max(1, round(seconds)))}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def measure(peers, folder, own, cases, expected, rounds, seconds, connections, say):
    """{"cells": {connections: {peer: medians}}, "ratios": {connections: {ours: {peer: …}}}, "peak_mb": {peer: MB}, "words": {peer:
    why not}}; raises Different.

    A ratio is one of ours (dpl…) to a peer in the same round; the median of the rounds."""
    running, words, cells = [], {}, {}
    try:
        for peer in peers:
            try:
                say(f"over HTTP: starting {peer.name}")
                one = Running(peer, folder, own / peer.name.replace(" ", "_").replace(",", ""), cases)
            except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                words[peer.name] = f"failed: {error}"
                continue
            running.append(one)
            compare(one.name, "purchase over HTTP", one.decisions(cases), expected)
        for one in running:
            one.load(16, seconds)  # warm
        for number in range(rounds):
            for count in connections:
                say(f"over HTTP: round {number + 1} of {rounds}, {count} connections")
                for one in running:
                    cells.setdefault(count, {}).setdefault(one.name, []).append(one.load(count, seconds))
        medians = {count: {name: {key: statistics.median(s[key] for s in samples) for key in samples[0]} for name, samples in named.items()}
                   for count, named in cells.items()}
        return {"cells": medians, "ratios": {count: ratios(named) for count, named in cells.items()},
                "peak_mb": {one.name: one.peak_mb() for one in running}, "words": words}
    finally:
        for one in running:
            one.stop()


def ratios(named):
    def to(ours, theirs):
        return {key: statistics.median(o[key] / max(t[key], 1e-9) for o, t in zip(ours, theirs)) for key in ("rps", "cpu_us", "p99_us")}

    return {ours: {name: to(named[ours], theirs) for name, theirs in named.items() if not name.startswith("dpl")}
            for ours in named if ours.startswith("dpl")}
