"""The peers: how each is made, how each is asked, and what its answer says. Adding one is adding a row to PEERS.

A peer that is measured in process names a command: it takes a world (worlds.py), measures itself and prints one line of JSON, as
dpl/peer.cc says. One that is measured over HTTP names a server and how a case of the purchase table becomes a request. What a
machine lacks to make a peer is said as "missing: …"; nothing is estimated.
"""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BUILD = Path(os.environ.get("DPL_BUILD", ROOT / "build"))
OURS = Path(os.environ.get("DPL_BIN", BUILD / "bin"))
WORK = BUILD / "peers"
BIN = WORK / "bin"
CARGO = WORK / "cargo/release"


@dataclass
class Step:
    """One command that makes a peer; `made` is what must be there afterwards."""
    command: list
    made: Path
    folder: Path = HERE
    needs: tuple = ()  # programs on PATH
    copies: tuple = ()  # files to put beside `made`'s folder first
    environment: dict = field(default_factory=dict)


@dataclass
class Server:
    command: list
    url: str  # what is loaded
    ready: str
    body: Callable  # (line of cedar, rego, sapl, dpl for one case) -> bytes
    allows: Callable  # (answer, parsed) -> bool
    environment: dict = field(default_factory=dict)
    prepare: Optional[Callable] = None  # once it is ready: -> url, or None to keep it


@dataclass
class Peer:
    name: str
    about: str
    steps: tuple = ()
    world: Optional[Callable] = None  # (scenario, folder of the world, seconds) -> command
    scenarios: tuple = ()  # in process
    largest: dict = field(default_factory=dict)  # scenario -> the largest size it is asked for; beyond it takes minutes
    serve: Optional[Callable] = None  # (folder of the world, folder of its own, port) -> Server


def call(url, body=None, patience=10):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} if body is not None else {})
    with urllib.request.urlopen(request, timeout=patience) as answer:
        return answer.read()


def wait_ready(url, process, patience=60):
    end = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < end:
        try:
            call(url, patience=2)
            return
        except urllib.error.HTTPError:
            return  # it answers; what it says to this is its own affair
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"it does not answer at {url}")


def raw(text):
    return json.dumps(text, separators=(",", ":")).encode()


# ---- ours

def dpl_world(scenario, folder, seconds):
    return [OURS.parent / "bench/peer_dpl", folder, seconds]


def dpl_serve(audit):
    def serve(folder, own, port):
        own.mkdir(parents=True, exist_ok=True)
        bundle, config, operate = own / "policy.dplb", own / "dpld.json", own / "operate.sock"
        programs = OURS
        subprocess.run([programs / "dplc", "build", folder / "dpl", "-o", bundle], check=True, capture_output=True)
        config.write_text(json.dumps({"bundle": str(bundle), "facts": str(folder / "facts.json"), "threads": 1,
                                      "listen": [f"127.0.0.1:{port}"], "operate": {"listen": [f"unix:{operate}"]},
                                      "audit": {"folder": str(own / "audit") if audit else "none"}}))

        def revoke(server):
            for agent in json.loads((folder / "revoked.json").read_text()):
                subprocess.run([programs / "dplctl", "--to", f"unix:{operate}", "revoke", "agent", agent, "--because", "It was switched off"],
                               check=True, capture_output=True)

        return Server([programs / "dpld", "--config", config, "--state", own / "state"], f"http://127.0.0.1:{port}/access/v1/evaluation",
                      f"http://127.0.0.1:{port}/readyz", lambda case: raw(case["dpl"]), lambda answer: answer["decision"], prepare=revoke)
    return serve


# ---- Cerbos

def cerbos_serve(folder, own, port):
    def body(case):
        asked = case["sapl"]
        person, item = asked["subject"], asked["resource"]
        return raw({"requestId": "r", "principal": {"id": person["id"], "roles": [person["role"]],
                                                    "attr": {"department": person["department"], "agent": person["agent"]}},
                    "resources": [{"actions": [asked["action"]["name"]],
                                   "resource": {"kind": "purchase", "id": item["id"],
                                                "attr": {"department": item["department"], "amount": asked["action"]["amount"]}}}]})

    return Server([WORK / "cerbos/node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64", "server", f"--config={HERE / 'cerbos/conf.yaml'}",
                   "--log-level=error"], f"http://127.0.0.1:{port}/api/check/resources", f"http://127.0.0.1:{port}/_cerbos/health", body,
                  lambda answer: "EFFECT_ALLOW" in answer["results"][0]["actions"].values(),
                  {"DPL_BENCH_PORT": str(port), "DPL_BENCH_FOLDER": str(own), "DPL_BENCH_POLICIES": str(HERE / "cerbos/policies")})


# ---- OPA and regorus: the same Rego, the same data

def query(scenario):
    return f"data.{scenario}." + ("decision" if scenario == "purchase" else "allow")


def opa_serve(folder, own, port):
    return Server([BIN / "opa", "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error", "--disable-telemetry",
                   "--optimize-store-for-read-speed", folder / "policy.rego", folder / "data.json"],
                  f"http://127.0.0.1:{port}/v1/data/purchase/decision", f"http://127.0.0.1:{port}/health",
                  lambda case: raw({"input": case["rego"]}), lambda answer: answer["result"]["allow"])


# ---- Cedar

def cedar_serve(folder, own, port):
    return Server([CARGO / "cedar_peer", "serve", folder, port], f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/",
                  lambda case: raw(case["cedar"]), lambda answer: answer["decision"])


# ---- OpenFGA: relationships in its in-memory store; amount and agent in the context of each check

def openfga_serve(folder, own, port):
    base = f"http://127.0.0.1:{port}"
    model = {}

    def body(case):
        asked = case["sapl"]
        agent = asked["subject"]["agent"]
        return raw({"tuple_key": {"user": f"user:{asked['subject']['id']}", "relation": asked["action"]["name"],
                                  "object": f"purchase:{asked['resource']['id']}"},
                    "authorization_model_id": model["id"],
                    "context": {"active": agent["active"], "scopes": agent["scopes"], "amount": asked["action"]["amount"]}})

    def prepare(server):
        store = json.loads(call(f"{base}/stores", raw({"name": "purchase"})))["id"]
        written = call(f"{base}/stores/{store}/authorization-models", (HERE / "openfga/model.json").read_bytes())
        model["id"] = json.loads(written)["authorization_model_id"]
        world = json.loads((folder / "data.json").read_text())["world"]
        tuples = []
        for person, known in world["persons"].items():
            tuples.append({"user": f"user:{person}", "relation": "member", "object": f"role:{known['role']}"})
            where = f"department:{known['department']}"
            if known["role"] == "finance_manager":
                tuples.append({"user": f"user:{person}", "relation": "manager", "object": where})
            if known["role"] in ("finance_manager", "buyer"):
                tuples.append({"user": f"user:{person}", "relation": "staff", "object": where})
        for item, known in world["purchases"].items():
            what, where = f"purchase:{item}", f"department:{known['department']}"
            tuples += [{"user": "role:buyer#member", "relation": "small", "object": what, "condition": {"name": "up_to_small"}},
                       {"user": where + "#manager", "relation": "large", "object": what, "condition": {"name": "up_to_large"}},
                       {"user": where + "#staff", "relation": "view", "object": what, "condition": {"name": "looking"}}]
        call(f"{base}/stores/{store}/write", raw({"writes": {"tuple_keys": tuples}, "authorization_model_id": model["id"]}))
        return f"{base}/stores/{store}/check"

    return Server([BIN / "openfga", "run", "--http-addr", f"127.0.0.1:{port}", "--grpc-addr", f"127.0.0.1:{port + 1}", "--log-level", "none",
                   "--metrics-enabled=false", "--playground-enabled=false", "--profiler-enabled=false", "--datastore-engine", "memory"],
                  base, f"{base}/healthz", body, lambda answer: answer["allowed"], prepare=prepare)


# ---- the list

GO = {"GOFLAGS": "-p=1 -trimpath -mod=readonly"}
CARGO_ENVIRONMENT = {"CARGO_BUILD_JOBS": "1", "CARGO_TARGET_DIR": str(WORK / "cargo")}
RELATIONS = ("gdrive", "github", "tinytodo")


def go(name, package, folder):
    return Step(["go", "build", "-o", BIN / name, package], BIN / name, HERE / folder, ("go",), environment=GO)


def cargo(name, folder):
    return Step(["cargo", "build", "--release", "--locked"], CARGO / name, HERE / folder, ("cargo", "cc"), environment=CARGO_ENVIRONMENT)


def npm(name, made):
    files = tuple(HERE / name / f for f in ("package.json", "package-lock.json"))
    return Step(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], WORK / name / made, WORK / name, ("npm",), files)


PEERS = (
    Peer("dpl", "dpld with an audit log", world=dpl_world, scenarios=("purchase", *RELATIONS, "hospital", "hospital_table"),
         serve=dpl_serve(True)),
    Peer("dpl, no log", "dpld without an audit log", serve=dpl_serve(False)),
    Peer("cerbos", "Cerbos 0.55", (npm("cerbos", "node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64"),), serve=cerbos_serve),
    Peer("opa", "OPA 1.22", (go("opa", "github.com/open-policy-agent/opa", "opa"), go("opa_peer", ".", "opa")),
         lambda s, f, t: [BIN / "opa_peer", "world", f, t, query(s)], ("purchase", *RELATIONS, "hospital"), serve=opa_serve),
    Peer("cedar", "Cedar 4.14, Rust", (cargo("cedar_peer", "cedar"),),
         lambda s, f, t: [CARGO / "cedar_peer", "world", f, t], ("purchase", *RELATIONS, "hospital"), serve=cedar_serve),
    Peer("cedar wasm", "Cedar 4.13, WebAssembly on node", (npm("cedar_wasm", "node_modules/@cedar-policy/cedar-wasm/package.json"),),
         lambda s, f, t: ["node", HERE / "cedar_wasm/peer.mjs", WORK / "cedar_wasm", "world", f, t], ("purchase",)),
    Peer("regorus", "regorus 0.14", (cargo("regorus_peer", "regorus"),),
         lambda s, f, t: [CARGO / "regorus_peer", "world", f, t, query(s)], ("purchase", *RELATIONS, "hospital"), {"hospital": 30}),
    Peer("casbin", "Casbin 2.135, Go", (go("casbin_peer", ".", "casbin"),),
         lambda s, f, t: [BIN / "casbin_peer", "world", f, t, HERE / "casbin/model.conf", HERE / "casbin/policy.csv"], ("purchase",)),
    Peer("openfga", "OpenFGA 1.22, in memory", (go("openfga", "github.com/openfga/openfga/cmd/openfga", "openfga"),), serve=openfga_serve),
    Peer("sapl", "SAPL 3.0, embedded",
         (Step(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={WORK / 'sapl/lib'}"],
               WORK / "sapl/lib/sapl-pdp-embedded-3.0.0.jar", HERE / "sapl", ("mvn", "javac")),
          Step(["javac", "-d", WORK / "sapl/classes", "-cp", WORK / "sapl/lib/*", HERE / "sapl/Peer.java"], WORK / "sapl/classes/Peer.class",
               needs=("javac",))),
         lambda s, f, t: ["java", "-cp", f"{WORK / 'sapl/classes'}{os.pathsep}{WORK / 'sapl/lib'}/*", "Peer", "world", f, t],
         ("purchase", "hospital"), {"hospital": 1}),
)
