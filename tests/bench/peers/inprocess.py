"""Engines asked in process: one process for each engine, world and round, so that a round is a fresh start for each, and interleaved."""

import json
import os
import statistics
import subprocess


class Different(Exception):
    """An engine decided otherwise than the table."""


def compare(who, world, decisions, expected):
    if len(decisions) != len(expected):
        raise Different(f"{who} answered {len(decisions)} of {len(expected)} requests of {world}")
    wrong = [i for i, (got, want) in enumerate(zip(decisions, expected)) if got != want]
    if wrong:
        raise Different(f"{who} decides {len(wrong)} of {len(expected)} requests of {world} otherwise, the first is number {wrong[0] + 1}")


def ask(command, seconds, patience):
    """What an engine prints, or the word for why there is nothing."""
    try:
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=patience + 4 * seconds, env=os.environ)
    except subprocess.TimeoutExpired:
        return None, "too slow"
    if done.returncode != 0:
        said = [line for line in done.stderr.strip().splitlines() if not line.startswith("note: ")]
        return None, "failed: " + (said or ["no word why"])[-1][:200]
    return json.loads(done.stdout.strip().splitlines()[-1]), None


def measure(peers, worlds, rounds, seconds, patience, say):
    """{world: {peer: {"decide": ns, "bytes": ns, …, "load_ms": ms} or {"word": why not}}}; raises Different.

    `worlds`: [(label, scenario, size, folder, expected)]. Values are medians over rounds of the median pass."""
    results = {}
    for label, scenario, size, folder, expected in worlds:
        asked = [p for p in peers if p.world and scenario in p.scenarios]
        seen, words = {}, {p.name: "not asked" for p in asked if size > p.largest.get(scenario, size)}
        for number in range(rounds):
            for peer in asked:
                if peer.name in words:
                    continue
                say(f"in process: {label}, round {number + 1} of {rounds}, {peer.name}")
                answer, word = ask(peer.world(scenario, folder, seconds), seconds, patience)
                if word:
                    words[peer.name] = word
                    continue
                compare(peer.name, label, answer["decisions"], expected)
                for kind, values in {**answer["ns"], "load_ms": [answer["load_ms"]]}.items():
                    seen.setdefault(peer.name, {}).setdefault(kind, []).append(statistics.median(values))
        results[label] = {name: {"word": words[name]} if name in words else {k: statistics.median(v) for k, v in seen[name].items()}
                          for name in (p.name for p in asked)}
    return results
