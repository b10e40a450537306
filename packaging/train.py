#!/usr/bin/env python3
"""Lets a dpld built by the preset `training` serve what a gateway asks all day, so that the compiler knows which ways are taken. What it
counted lies in build/training/counts when this is done; the preset `profiled` builds by it. `./dev package` and `./dev bench` run it.

  packaging/train.py [--bin build/training/bin] [--dplc build/bin/dplc] [--counts build/training/counts]

Two policies: one with limits, and a generated one of a thousand grants, with an agent. Each is asked alone, pipelined and in batches,
for permits and denials, by connections of their own, with the audit log and the state on disk as they are by default."""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/http"), str(ROOT / "tests/bench")]
DEPTH = 8  # requests behind each other
TIMES = 400  # each of them, so often: enough for every way to be told from a rare one
BATCH = 20


def person(identity, *, agent=None, run=None):
    act = {} if agent is None else {"properties": {"act": {"sub": agent, **({"instance": run} if run else {})}}}
    return {"type": "person", "id": identity, **act}


def question(subject, action, resource, **rest):
    return {"subject": subject, "action": {"name": action}, "resource": {"type": "shop.Order", "id": resource}, **rest}


def together(questions):
    return {"evaluations": questions}


def of_one(subject, action, resources):
    return {"subject": subject, "action": {"name": action},
            "evaluations": [{"resource": {"type": "shop.Order", "id": r}} for r in resources]}


def limits():
    """The quickstart: its own request, the same by the person, too much of it, nobody's, and a batch."""
    story = ROOT / "policies/quickstart"
    request = json.loads((story / "request.json").read_text())
    alone = json.loads(json.dumps(request))
    alone["subject"].pop("properties")
    much, nobody = json.loads(json.dumps(request)), json.loads(json.dumps(request))
    much["action"]["properties"]["amount"] = "900000.00 USD"
    nobody["subject"]["id"] = "E9999"
    return story, story / "facts.json", [request, alone, much, nobody, together([request, alone, much, nobody] * 5)]


def many_grants(folder):
    """A thousand grants to a role each, an agent that acts for whoever holds one; some of its runs are known, some orders are not."""
    import gen_policy
    source = folder / "grants"
    source.mkdir()
    for name, text in gen_policy.roles(1000).items():
        (source / name).write_text(text)
    facts = folder / "grants.json"
    facts.write_text(json.dumps({
        "persons": [{"id": "E0001"}] + [{"id": f"P{i}", "attributes": {"department": f"d{i % 3}"}} for i in range(50)],
        "teams": {"desk": ["E0001"]}, "roles": [{"role": f"r{i * 20}", "members": [f"P{i}"]} for i in range(50)],
        "resources": [{"type": "shop.Order", "id": f"O{i}", "attributes": {"department": f"d{i % 3}", "number": i}} for i in range(50)]}))
    helper = "spiffe://bench/helper"
    asked = []
    for i in range(0, 50, 5):
        acting = person(f"P{i}", agent=helper, run=f"run-{i}")
        asked += [question(acting, "read", f"O{i}"), question(acting, "read", f"O{i}", context={"ip": "192.0.2.7"}),
                  question(person(f"P{i}"), "read", f"O{i}"), question(acting, "read", f"O{i + 1}"), question(acting, "read", f"X{i}")]
        asked.append(of_one(acting, "read", [f"O{j}" for j in range(BATCH)]))
    return source, facts, asked


def message(body):
    path = "evaluations" if "evaluations" in body else "evaluation"
    data = json.dumps(body, separators=(",", ":")).encode()
    return (f"POST /access/v1/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Request-ID: training\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode() + data


def ask(port, bodies, times):
    """On one connection, every body so many times, DEPTH under way; every answer must be a 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as wire, wire.makefile("rb") as answers:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for body in bodies:
            sent = message(body)
            for depth in [1] * (times // 4) + [DEPTH] * (times // DEPTH):
                wire.sendall(sent * depth)
                for _ in range(depth):
                    status = answers.readline()
                    length = 0
                    while (line := answers.readline()) not in (b"\r\n", b""):
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    text = answers.read(length)
                    if b" 200 " not in status:
                        raise SystemExit(f"train: {json.dumps(body)} was answered {status!r} {text!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/training/bin")
    parser.add_argument("--dplc", type=Path, default=ROOT / "build/bin/dplc")
    parser.add_argument("--counts", type=Path, default=ROOT / "build/training/counts")
    args = parser.parse_args()
    os.environ["DPL_BIN"] = str(args.bin)
    from dpld import Dpld
    shutil.rmtree(args.counts, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="dpl-training-") as name:
        folder = Path(name)
        worlds = [limits(), many_grants(folder)]
        for number, (source, facts, bodies) in enumerate(worlds):
            bundle, config = folder / f"{number}.dplb", folder / f"{number}.json"
            subprocess.run([args.dplc, "build", source, "-o", bundle], check=True, capture_output=True)
            config.write_text(json.dumps({"bundle": str(bundle), "facts": str(facts), "threads": 1,
                                          "audit": {"folder": str(folder / f"audit{number}")}}))
            server = Dpld("--config", config, "--state", folder / f"state{number}")
            for body in bodies:  # a few connections at once would only shuffle the same counts
                ask(server.port, [body], TIMES)
            if server.stop() != 0:
                raise SystemExit("train: dpld did not stop as it should, so it wrote no counts")
    found = len(list(args.counts.rglob("*.gcda")))
    if found < 50:
        raise SystemExit(f"train: {found} files of counts in {args.counts}; is {args.bin}/dpld built by the preset `training`?")
    (args.counts / "trained").touch()
    print(f"train: {found} files of counts in {args.counts}")


if __name__ == "__main__":
    main()
