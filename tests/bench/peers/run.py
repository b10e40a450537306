#!/usr/bin/env python3
"""Our engine beside others, on this machine, in one run: `./dev bench peers`. docs/benchmarks.md, "Beside peers", says what is
compared and how; registry.py lists the peers, worlds.py what they are asked.

  run.py [--only WORD[,WORD…]] [--rounds N] [--seconds S] [--part http|process|all] [--quick] [--json FILE]

First every peer is made (in build/peers), then each answers every case of its worlds: one decision that differs from the table, and
no figure is reported. What a machine lacks is said as "missing: …". Exit code 1: a decision differs. 2: wrong use."""

import argparse
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import building  # noqa: E402
import inprocess  # noqa: E402
import overhttp  # noqa: E402
import report  # noqa: E402
import worlds  # noqa: E402
from registry import PEERS, WORK  # noqa: E402

CONNECTIONS = (1, 16, 64)
SIZES = {"purchase": (1,), "gdrive": (5, 20, 50), "github": (5, 20, 50), "tinytodo": (5, 20, 50), "hospital": (1, 30, 300),
         "hospital_table": (1, 30, 300)}
QUICK = {"purchase": (1,), "gdrive": (20,), "github": (20,), "tinytodo": (20,), "hospital": (30,), "hospital_table": (30,)}
STARTED = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - STARTED:5.0f} s] {text}", file=sys.stderr, flush=True)


def arguments(argv, peers):
    parser = argparse.ArgumentParser(prog="./dev bench peers", description="our engine beside others, on this machine, in one run")
    parser.add_argument("--only", default="", help="peers and scenarios, with commas; ours is always there")
    parser.add_argument("--part", choices=("http", "process", "all"), default="all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each load; in process of each engine")
    parser.add_argument("--quick", action="store_true", help="one round, one second, one size of each scenario")
    parser.add_argument("--json", type=Path, default=WORK / "result.json", help="where the result goes")
    parser.add_argument("--make-within", type=int, default=3600, help="seconds that making one peer may take")
    parser.add_argument("--patience", type=int, default=40, help="seconds in process, beyond which an engine is too slow for a world")
    options = parser.parse_args(argv)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds are above zero")
    options.words = [w.strip() for w in options.only.split(",") if w.strip()]
    known = {p.name for p in peers} | set(worlds.SCENARIOS)
    if unknown := sorted(set(options.words) - known):
        parser.error(f"nothing is called {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if options.quick:
        options.rounds, options.seconds = 1, min(options.seconds, 1)
    return options


def machine():
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {"cpu": names[0] if names else "unknown", "cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()[0]}


def chosen(options, peers):
    """The peers and scenarios that --only names; all of a kind of which none is named."""
    wanted = [p for p in peers if p.name in options.words] or list(peers)
    scenarios = [s for s in worlds.SCENARIOS if s in options.words] or list(worlds.SCENARIOS)
    ours = [p for p in peers if p.name.startswith("dpl")]
    return ours + [p for p in wanted if p not in ours], scenarios


def label(scenario, size):
    if scenario.startswith("hospital"):
        return f"hospital, {33 * size + 5:,} statements" if scenario == "hospital" else f"hospital as a table, {size} departments"
    return f"{scenario}, {size} of each" if size > 1 else scenario


def measure(options, peers, scenarios):
    result = {"machine": machine(), "rounds": options.rounds, "seconds": options.seconds, "missing": {}}
    there = []
    for peer in peers:
        why = building.make(peer, options.make_within, say)
        if why:
            result["missing"][peer.name] = why
            print(f"missing: {peer.about}: {why}", flush=True)
        else:
            there.append(peer)
    made = []
    for scenario in scenarios:
        for size in (QUICK if options.quick else SIZES)[scenario]:
            say(f"writing the world {scenario}-{size}")
            folder = worlds.write(scenario, size, WORK / "worlds" / f"{scenario}-{size}")
            made.append((label(scenario, size), scenario, size, folder, json.loads((folder / "expected.json").read_text())))
    if options.part != "process" and "purchase" in scenarios:
        if shutil.which("wrk") is None:
            result["missing"]["over HTTP"] = "wrk"
            print("missing: the load over HTTP: wrk (apt-get install wrk)", flush=True)
        else:
            _, _, _, folder, expected = next(m for m in made if m[1] == "purchase")
            told = {kind: [json.loads(line) for line in (folder / f"{kind}.jsonl").read_text().splitlines()]
                    for kind in ("dpl", "cedar", "rego", "sapl")}
            cases = [dict(zip(told, case)) for case in zip(*told.values())]
            result["http"] = overhttp.measure([p for p in there if p.serve], folder, WORK / "servers", cases, expected, options.rounds,
                                              options.seconds, CONNECTIONS, say)
    if options.part != "http":
        # A process per engine, world and round: three rounds and half the time of a load keep the whole within minutes.
        rounds, seconds = min(options.rounds, 3), options.seconds / 2
        result["in_process"] = inprocess.measure(there, made, rounds, seconds, options.patience, say)
    return result


def main(argv=None, peers=PEERS):
    options = arguments(sys.argv[1:] if argv is None else argv, peers)
    asked, scenarios = chosen(options, peers)
    try:
        result = measure(options, asked, scenarios)
    except inprocess.Different as difference:
        print(f"different: {difference}; no figure is reported")
        return 1
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(report.markdown(result, asked))
    say(f"the result is in {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
