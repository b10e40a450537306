"""A world for the operating API: a policy with tasks, agents, limits, partners and an emergency door; its callers, one for each role."""

import hashlib
import json
import tempfile
from pathlib import Path

from dpld import DROP, Dpld, build  # noqa: F401

POLICY = """
package acme.shop owned by team finance
granted 2026-01-01
review every 3650d

person { key id: string }
team finance { owner person "boss" }
role buyer { owner team finance }

system erp { owner team finance account keyed by login: string link person by id checked within 3650d }
system shop { owner team finance }

resource Ledger in erp { can read }
resource Order in shop {
  key id: string
  has vendor: string
  can read
  can approve { amount: money must be limited, note: string }
  can close, purge
}

/// Buyers settle routine orders.
grant buyers {
  to      role buyer
  may     read, approve on shop.Order
  limit   amount to 5_000 USD each
  limit   amount to 20_000 USD in total for each person
  because "Buyers settle routine orders"
}
grant closing {
  to      role buyer
  may     close on shop.Order, ask chief_ok
  because "Closing is what customers notice"
}
grant books { to team finance may read on erp.Ledger because "Finance keeps the books" }
grant sweeping { to agent sweeper may read on shop.Order because "Unattended housekeeping" expires 2036-12-31 }

approval chief_ok {
  by       1 of team finance
  within   8h
  good for 1 request within 24h
  signs    "I agree to close"
  because  "A chief agrees before an order is closed"
}

break_glass urgent {
  who     role buyer
  may     purge on shop.Order
  needs   reason, ticket
  lasts   at most 2h
  notify  team finance
  review  within 2d by team finance
  because "An outage does not wait for the chief"
}

partner globex {
  issuer  "https://id.globex.example"
  accepts agents
  may     read on shop.Order
  because "Joint orders"
  expires 2036-12-31
}
grant joint { to partner globex may read on shop.Order because "Joint orders" }

agent assistant {
  purpose     "Approve routine orders"
  accountable person "boss"
  runs as     spiffe "spiffe://acme.example/agent/assistant"
  may         read, approve, close on shop.Order
  limit       amount to 1_000 USD each
  lives       at most 8h
}
agent helper {
  purpose     "Look at orders for the assistant"
  accountable person "boss"
  runs as     spiffe "spiffe://acme.example/agent/helper"
  may         read on shop.Order
  lives       at most 1h
}
agent sweeper {
  purpose     "Close dead orders at night"
  accountable person "boss"
  runs as     spiffe "spiffe://acme.example/agent/sweeper"
  modes       standing
  may         read on shop.Order
  lives       at most 2h
}

task settle(orders: set<shop.Order>, budget: money, urgent: bool) {
  for     agent assistant
  may     read, approve on shop.Order where resource in orders and not urgent
  limit   amount to budget in total for each task
  lasts   at most 4h
  nothing else
}
task tidy(order: shop.Order) {
  for     agent sweeper
  may     read on shop.Order where resource == order
  lasts   at most 1h
  nothing else
}

delegation assist {
  from      role buyer
  to        agent assistant
  onward to agent helper, at most 1 hop
  consent   by policy
  because   "A buyer may hand routine approvals to software"
}
delegation cover {
  from    role buyer
  to      team finance
  may     read on shop.Order
  onward to agent helper, at most 1 hop
  consent every 30d
  because "Cover during leave"
}
"""
FACTS = {
    "version": "world-1",
    "persons": [{"id": "boss"}, {"id": "raj"}, {"id": "ana"}, {"id": "left", "status": "left"}],
    "teams": {"finance": ["boss"]},
    "roles": [{"role": "buyer", "members": ["raj", "ana", "left"]}],
    "accounts": [{"system": "erp", "key": "boss1", "person": "boss", "checked": "2026-11-01T00:00:00Z"}],
    "resources": [{"type": "shop.Order", "id": "O1", "attributes": {"vendor": "Paper Inc"}},
                  {"type": "shop.Order", "id": "O2", "attributes": {"vendor": "Ink Ltd"}}],
}

# What opens the emergency door, said by an application that carries out `notify`.
EMERGENCY = {"break_glass": {"name": "urgent", "reason": "outage", "ticket": "INC-1"},
             "supported_mandatory_extensions": ["obligations"], "supported_obligations": ["notification", "notify"]}

# name -> the configuration of the caller; its token is `token-NAME`.
CALLERS = {
    "gateway": {"roles": ["decide"], "serves_persons": True, "asserts_actors": True, "asserts_instances": True,
                "charge_keys": True, "details": True, "duties": ["notify"], "partners": ["acme.shop.globex"], "issuers": ["https://id.acme.example"]},
    "other-gateway": {"roles": ["decide"], "serves_persons": True, "details": True},
    "operator": {"roles": ["operate"], "serves_persons": True, "asserts_actors": True, "asserts_instances": True},
    "weak-operator": {"roles": ["operate"]},
    "approver": {"roles": ["approve"], "serves_persons": True},
    "auditor": {"roles": ["audit"]},
    "raj": {"roles": ["operate", "approve"], "person": "raj"},
    "boss": {"roles": ["operate", "approve"], "person": "boss"},
}


def token(name):
    return f"token-{name}"


class World:
    """The folder with bundle, facts and configuration; `serve` starts a server in it, on the same state each time."""

    def __init__(self, callers=CALLERS, policy=POLICY, facts=FACTS):
        self.temporary = tempfile.TemporaryDirectory(prefix="dpl-operate-")
        self.folder = Path(self.temporary.name)
        self.policy(policy)
        self.facts(facts)
        self.config = {}
        if callers:
            self.config["callers"] = [{"name": name, "token_sha256": hashlib.sha256(token(name).encode()).hexdigest(), **members}
                                      for name, members in callers.items()]
        (self.folder / "dpld.json").write_text(json.dumps(self.config))
        self.socket = self.folder / "o.sock"

    def policy(self, text):
        (self.folder / "policy.dpl").write_text(text)
        build(self.folder / "policy.dpl", self.folder / "policy.dplb")

    def facts(self, facts):
        (self.folder / "facts.json").write_text(json.dumps(facts))

    def serve(self, *more, operate=None, state="state"):
        return Dpld("--config", self.folder / "dpld.json", "--bundle", self.folder / "policy.dplb", "--facts",
                    self.folder / "facts.json", "--state", state if state == "memory" else self.folder / state, *more,
                    operate=operate or ("127.0.0.1:0", f"unix:{self.socket}"))

    def cleanup(self):
        self.temporary.cleanup()


def evaluation(person, action="read", order="O1", agent=None, instance=None, task=None, chain=None, context=None, **properties):
    """The body of a question; `chain`: (agent, instance) pairs, root first."""
    asked = {"subject": {"type": "person", "id": person}, "action": {"name": action}, "resource": {"type": "shop.Order", "id": order}}
    hops = chain or ([(agent, instance)] if agent else [])
    act = None
    for name, run in hops:
        link = {"sub": f"spiffe://acme.example/agent/{name}"}
        if run:
            link["instance"] = run
        if act:
            link["act"] = act
        act = link
    if act:
        asked["subject"]["properties"] = {"act": act}
    if properties:
        asked["action"]["properties"] = properties
    context = dict(context or {})
    if task:
        context["task"] = task
    if context:
        asked["context"] = context
    return asked
