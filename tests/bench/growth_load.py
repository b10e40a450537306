#!/usr/bin/env python3
"""What size costs a decision over HTTP: 100,000 grants, 1,000,000 persons, 100,000 agent templates, each beside a server with few of all, in
turns. Needs wrk (apt-get install wrk) and a built tree. The figures of docs/benchmarks.md are its output.

  python3 tests/bench/growth_load.py [ROUNDS] [WORLD...]     default: 5 rounds of grants, persons, templates

Requests are of 20,000 persons and templates in random order, so that what is looked up is not in a cache already. One serving thread, 16
connections, no audit log; every answer has its full rationale. tests/bench/growth_bench.cc is the same in process."""

import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

import http_load
from http_load import build, dpld, load

WORLDS = {"few": (10, 10, 1), "grants": (100_000, 100_000, 1), "persons": (10, 1_000_000, 1), "templates": (10, 10, 100_000)}
ASKED, CONNECTIONS, PER_FILE = 20_000, 16, 5000
HEAD = """package bench.orders owned by team finance
granted 2026-10-01
review every 3650d
person { key id: string has region: string }
team finance { owner person "E0" }
team staff { owner person "E0" }
system shop { owner team finance }
resource Order in shop { has region: string has vendor: string can read }
forbid blocked { covers read on shop.Order where resource.vendor == "Shady" because "Legal has blocked this vendor" }
"""


def world(folder, name):
    """A bundle and facts, and what can be asked of them: pairs of a person and a template."""
    grants, persons, templates = WORLDS[name]
    source = folder / name
    source.mkdir()
    (source / "a_head.dpl").write_text(HEAD)
    blocks = [f'agent helper{i} {{ purpose "Read orders for a buyer" accountable person "E0" runs as spiffe "spiffe://bench/helper/{i}" '
              f'may read on shop.Order lives at most 8h }}\ndelegation help{i} {{ from team staff to agent helper{i} consent by policy '
              f'because "Everyone may use helper {i}" }}\n' for i in range(templates)]
    blocks += [f'role buyer{i} {{ owner team finance }}\ngrant orders{i} {{ to role buyer{i} may read on shop.Order '
               f'where resource.region == person.region because "Buyers of group {i} read orders" }}\n' for i in range(grants)]
    for n in range(0, len(blocks), PER_FILE):
        (source / f"part{n // PER_FILE:03}.dpl").write_text("package bench.orders\ngranted 2026-10-01\nreview every 3650d\n" + "".join(blocks[n:n + PER_FILE]))
    everyone = [f"E{i}" for i in range(1, persons + 1)]
    facts = folder / f"{name}.json"
    facts.write_text(json.dumps({
        "persons": [{"id": "E0", "attributes": {"region": "amer"}}, *({"id": id, "attributes": {"region": "emea"}} for id in everyone)],
        "teams": {"finance": ["E0"], "staff": ["E0", *everyone]},
        "roles": [{"role": f"buyer{i}", "members": everyone[i::grants]} for i in range(min(grants, persons))],
        "resources": [{"type": "shop.Order", "id": "O1", "attributes": {"region": "emea", "vendor": "Paper"}}]}))
    dice = random.Random(7)
    asked = [(dice.choice(everyone), dice.randrange(templates)) for _ in range(ASKED)]
    return build(source, folder / f"{name}.dplb"), facts, asked


def script(path, asked):
    """What wrk sends: one of these after the other."""
    pairs = ",".join(f'{{"{person}",{template}}}' for person, template in asked)
    path.write_text(f"""
wrk.method, wrk.path = "POST", "/access/v1/evaluation"
wrk.headers["Content-Type"] = "application/json"
local pairs, all, at = {{{pairs}}}, {{}}, 0
init = function()
  for i, pair in ipairs(pairs) do
    wrk.body = [==[{{"subject":{{"type":"person","id":"]==] .. pair[1] .. [==[","properties":{{"act":{{"sub":"spiffe://bench/helper/]==] .. pair[2] ..
      [==[","instance":"run-1"}}}}}},"action":{{"name":"read"}},"resource":{{"type":"shop.Order","id":"O1"}}}}]==]
    all[i] = wrk.format()
  end
end
request = function()
  at = at % #all + 1
  return all[at]
end
""")
    return path


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    http_load.SECONDS = 2
    names = ["few", *(sys.argv[2:] or ["grants", "persons", "templates"])]
    with tempfile.TemporaryDirectory(prefix="dpl-growth-") as folder:
        folder = Path(folder)
        servers, scripts = {}, {}
        for name in names:
            bundle, facts, asked = world(folder, name)
            servers[name], scripts[name] = dpld(folder, f"server-{name}", bundle, facts), script(folder / f"{name}.lua", asked)
            answer = servers[name].ask({"subject": {"type": "person", "id": asked[0][0], "properties": {
                "act": {"sub": f"spiffe://bench/helper/{asked[0][1]}", "instance": "run-1"}}}, "action": {"name": "read"},
                "resource": {"type": "shop.Order", "id": "O1"}})
            assert answer.json["decision"] is True, answer.body
        seen = {name: [] for name in names}
        for name in names:
            load(servers[name], CONNECTIONS, scripts[name])  # warm
        for _ in range(rounds):
            for name in names:
                seen[name].append(load(servers[name], CONNECTIONS, scripts[name]))
        for name in names:
            grants, persons, templates = WORLDS[name]
            rate, used, p50, p99, foreign = (statistics.median(v[k] for v in seen[name]) for k in range(5))
            time, cpu = (statistics.median(ratio) for ratio in ([few[0] / own[0] for few, own in zip(seen["few"], seen[name])],
                                                                [own[1] / few[1] for few, own in zip(seen["few"], seen[name])]))
            print(f"{grants:7} grants {persons:8} persons {templates:7} templates  {rate:8.0f} /s {used:6.2f} us CPU  p50 {p50:5.0f} p99 {p99:6.0f} us"
                  f"  of few: {time:.2f} time (goal 1.10, 1.03), {cpu:.2f} CPU   foreign load {foreign:.1f}")
        for server in servers.values():
            server.stop()


if __name__ == "__main__":
    main()
