"""The worlds that peers are measured in: who there is, what is asked, and what must come out.

Each scenario has rules (policies/side-by-side/NAME/) and a generator here. `write(name, size, folder)` puts down the same world in
every language that tells it, and the requests in the same order; `expected` is worked out here in plain Python, from sets and
loops, so no engine is its own judge. The same name and size give the same bytes.

  purchase        a fixed table of cases
  gdrive, github, tinytodo   the Cedar paper's: `size` things of each kind, each pair of them connected with probability 0.05
  hospital        SAPL's: `size` departments with 33 statements each, and 5 more; 9,905 statements for 300
  hospital_table  the same world and requests, as one would write it in DPL: one table for all departments
"""

import json
import random
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "policies/side-by-side"
CONNECTED = 0.05
REQUESTS = 200
SCENARIOS = ("purchase", "gdrive", "github", "tinytodo", "hospital", "hospital_table")


def dump(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def lines(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(v) + "\n" for v in values))


def entity(kind, name, attrs=None, parents=()):
    return {"uid": {"type": kind, "id": name}, "attrs": attrs or {}, "parents": [{"type": k, "id": n} for k, n in parents]}


def ref(kind, name):
    return {"__entity": {"type": kind, "id": name}}


def closure(above, start):
    """Everything that can be reached from `start`, itself included."""
    seen, todo = set(), [start]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(above.get(node, ()))
    return seen


def pick_requests(rng, triples, allowed):
    """REQUESTS of all (person, action, resource): half of them at random, half from what is permitted, as far as there is any."""
    permitted = [t for t in triples if allowed(*t)]
    return [rng.choice(permitted) if i % 2 and permitted else rng.choice(triples) for i in range(REQUESTS)]


class World:
    """One scenario of one size, in neutral words; `write` puts it down in each language."""

    def __init__(self, name, size):
        self.name, self.size = name, size
        self.dpl_extra = {}  # further .dpl files by name
        self.facts, self.dpl, self.revoked = {}, [], []
        self.entities, self.cedar, self.cedar_text = [], [], None
        self.data, self.rego, self.rego_text = {}, [], None
        self.sapl, self.sapl_text = None, None
        self.casbin = None
        self.expected = []

    def request(self, person, action, kind, cedar_kind, resource, permitted):
        """A request without parameters, in the languages that know the world from its facts."""
        self.dpl.append({"subject": {"type": "person", "id": person}, "action": {"name": action},
                         "resource": {"type": kind, "id": resource}})
        self.cedar.append({"principal": {"type": "User", "id": person}, "action": {"type": "Action", "id": action},
                           "resource": {"type": cedar_kind, "id": resource}, "context": {}})
        self.rego.append({"person": person, "action": action, "resource": resource})
        self.expected.append(permitted)

    def write(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        rules, folder = RULES / self.name, Path(folder)
        dump(folder / "expected.json", "".join("1" if e else "0" for e in self.expected))
        (folder / "dpl").mkdir()
        if "policy.dpl" not in self.dpl_extra:
            shutil.copy(rules / "policy.dpl", folder / "dpl")
        for name, text in self.dpl_extra.items():
            (folder / "dpl" / name).write_text(text)
        dump(folder / "facts.json", self.facts)
        lines(folder / "dpl.jsonl", self.dpl)
        dump(folder / "revoked.json", self.revoked)
        (folder / "policy.cedar").write_text(self.cedar_text or (rules / "policy.cedar").read_text())
        dump(folder / "entities.json", self.entities)
        lines(folder / "cedar.jsonl", self.cedar)
        (folder / "policy.rego").write_text(self.rego_text or (rules / "policy.rego").read_text())
        dump(folder / "data.json", {"world": self.data})
        lines(folder / "rego.jsonl", self.rego)
        if self.sapl:
            (folder / "sapl").mkdir()
            for name, text in self.sapl_text.items():
                (folder / "sapl" / name).write_text(text)
            lines(folder / "sapl.jsonl", self.sapl)
        if self.casbin:
            lines(folder / "casbin.jsonl", self.casbin)


# ---- purchase: who may approve how much, through which agent. Amounts are cents.

PEOPLE = {"alice": ("finance_manager", "ops"), "bob": ("buyer", "ops"), "carol": ("finance_manager", "sales"), "dave": ("clerk", "ops")}
AGENTS = {"procure": (True, ("view", "approve")), "reader": (True, ("view",)), "retired": (False, ("view", "approve"))}
PURCHASES = {"po-ops": "ops", "po-sales": "sales"}
AMOUNTS = (1200, 500000, 500001, 1250000, 5000000, 5000001)


def purchase_allows(person, agent, action, purchase, amount):
    role, department = PEOPLE[person]
    active, scopes = AGENTS.get(agent, (False, ()))
    same = department == PURCHASES[purchase]
    if not active or action not in scopes:
        return False
    if action == "view":
        return role in ("buyer", "finance_manager") and same
    return (role == "buyer" and amount <= 500000) or (role == "finance_manager" and same and amount <= 5000000)


def purchase_cases():
    """The first case is what the servers are loaded with: alice, 12,500 through her agent."""
    cases = [("alice", "procure", "approve", "po-ops", 1250000)]
    for person in PEOPLE:
        for agent in (*AGENTS, "ghost"):
            for purchase in PURCHASES:
                cases += [(person, agent, "approve", purchase, amount) for amount in AMOUNTS]
                cases.append((person, agent, "view", purchase, 0))
    return cases


def purchase(size, rng):
    world = World("purchase", size)
    world.facts = {
        "persons": [{"id": "erin"}, *({"id": p, "attributes": {"department": d}} for p, (_, d) in PEOPLE.items())],
        "teams": {"finance": ["erin"]},
        "roles": [{"role": r, "members": [p for p, (held, _) in PEOPLE.items() if held == r]} for r in ("buyer", "finance_manager")],
        "resources": [{"type": "shop.Purchase", "id": i, "attributes": {"department": d}} for i, d in PURCHASES.items()]}
    world.revoked = ["purchase." + a for a, (active, _) in AGENTS.items() if not active]
    staff = {"buyer", "finance_manager"}
    world.entities = [entity("Role", "staff"), *(entity("Role", r, {}, [("Role", "staff")]) for r in sorted(staff)), entity("Role", "clerk")]
    world.entities += [entity("User", p, {"department": d}, [("Role", r)]) for p, (r, d) in PEOPLE.items()]
    world.entities += [entity("Agent", a, {"active": active, "scopes": list(s)}) for a, (active, s) in AGENTS.items()]
    world.entities += [entity("Purchase", i, {"department": d}) for i, d in PURCHASES.items()]
    world.data = {"persons": {p: {"role": r, "department": d} for p, (r, d) in PEOPLE.items()},
                  "agents": {a: {"active": active, "scopes": list(s)} for a, (active, s) in AGENTS.items()},
                  "purchases": {i: {"department": d} for i, d in PURCHASES.items()}}
    world.sapl, world.casbin = [], []
    world.sapl_text = {f.name: f.read_text() for f in sorted((Path(__file__).parent / "sapl/purchase").iterdir())}
    for person, agent, action, item, amount in purchase_cases():
        role, department = PEOPLE[person]
        active, scopes = AGENTS.get(agent, (False, ()))
        ask = {"name": action}
        if action == "approve":
            ask["properties"] = {"amount": f"{amount // 100}.{amount % 100:02} USD"}
        world.dpl.append({"subject": {"type": "person", "id": person, "properties": {"act": {"sub": f"spiffe://acme.example/agent/{agent}"}}},
                          "action": ask, "resource": {"type": "shop.Purchase", "id": item}})
        world.cedar.append({"principal": {"type": "User", "id": person}, "action": {"type": "Action", "id": action},
                            "resource": {"type": "Purchase", "id": item}, "context": {"agent": ref("Agent", agent), "amount": amount}})
        world.rego.append({"person": person, "agent": agent, "action": action, "purchase": item, "amount": amount})
        told = {"id": agent, "active": active, "scopes": list(scopes)}
        world.sapl.append({"subject": {"id": person, "role": role, "department": department, "agent": told},
                           "action": {"name": action, "amount": amount},
                           "resource": {"type": "purchase", "id": item, "department": PURCHASES[item]}})
        world.casbin.append({"person": {"id": person, "department": department, "agent": told}, "role": role, "action": action,
                             "purchase": {"id": item, "department": PURCHASES[item]}, "amount": amount})
        world.expected.append(purchase_allows(person, agent, action, item, amount))
    return world


# ---- gdrive: documents in folders in folders; persons and groups.

OWNER_ACTIONS = ("read", "write", "share", "change_owner")


def gdrive(size, rng):
    world, some = World("gdrive", size), lambda names: [n for n in names if rng.random() < CONNECTED]
    persons, groups, documents, folders = ([f"{kind}_{i}" for i in range(size)] for kind in ("user", "group", "doc", "folder"))
    member = {p: some(groups) for p in persons}
    owns_document, owns_folder = {p: some(documents) for p in persons}, {p: some(folders) for p in persons}
    # A tree, where the paper has a graph: a thing lies in one folder. About as deep as theirs.
    parent = {f: rng.choice(folders[:i]) for i, f in enumerate(folders) if i and rng.random() < 0.5}
    parent.update({d: rng.choice(folders) for d in documents if rng.random() < 0.8})
    views = {who: some(documents) + some(folders) for who in persons + groups}
    public = {d: rng.random() < 0.5 for d in documents}
    above = {x: [y] for x, y in parent.items()}

    def allows(person, action, resource):
        place = closure(above, resource)
        seen = any(place & set(views[who]) for who in [person, *member[person]])
        return ((action == "read" and (public.get(resource, False) or seen)) or
                (action in OWNER_ACTIONS and resource in owns_document[person]) or
                (action in ("read", "write", "share", "create_document") and bool(place & set(owns_folder[person]))))

    triples = [(p, a, d) for p in persons for a in OWNER_ACTIONS for d in documents]
    triples += [(p, "create_document", f) for p in persons for f in folders]
    kind = lambda name: "drive.Document" if name.startswith("doc") else "drive.Folder"
    cedar_kind = lambda name: "Document" if name.startswith("doc") else "Folder"

    def held(role, place, members):
        return {"role": role, "in": {"type": kind(place), "id": place}, "members": members}

    world.dpl_extra["groups.dpl"] = "package gdrive owned by team product\n" + "".join(
        f'team {g} {{ owner person "ada" }}\n' for g in groups)
    world.facts = {
        "persons": [{"id": "ada"}, *({"id": p} for p in persons)],
        "teams": {g: [p for p in persons if g in member[p]] for g in groups},
        "roles": [held("document_owner", d, [p for p in persons if d in owns_document[p]]) for d in documents] +
                 [held("folder_owner", f, [p for p in persons if f in owns_folder[p]]) for f in folders] +
                 [held("viewer", x, [p for p in persons if x in views[p]] + [{"team": g} for g in groups if x in views[g]])
                  for x in documents + folders],
        "resources": [{"type": "drive.Folder", "id": f, "parent": parent.get(f)} for f in folders]}
    for d in documents:
        record = {"type": "drive.Document", "id": d, "attributes": {"public": public[d]}}
        # A document has a folder: those of nobody's folder lie in one of their own.
        record["parent"] = parent.get(d, "root_" + d)
        world.facts["resources"].append(record)
        if d not in parent:
            world.facts["resources"].append({"type": "drive.Folder", "id": "root_" + d, "parent": None})
    world.entities = [entity("View", g, {}, [("View", p) for p in persons if g in member[p]]) for g in groups]
    world.entities += [entity("View", p) for p in persons]
    world.entities += [entity("User", p, {"views": ref("View", p), "documents": [ref("Document", d) for d in owns_document[p]],
                                          "folders": [ref("Folder", f) for f in owns_folder[p]]}) for p in persons]
    for x in folders + documents:
        parents = [("Folder", parent[x])] if x in parent else []
        parents += [("View", who) for who in persons + groups if x in views[who]]
        world.entities.append(entity(cedar_kind(x), x, {"public": public[x]} if x in public else {}, parents))
    world.data = {"above": {x: above.get(x, []) for x in documents + folders}, "public": public,
                  "groups": {g: views[g] for g in groups},
                  "persons": {p: {"views": views[p], "groups": member[p], "documents": owns_document[p], "folders": owns_folder[p]}
                              for p in persons}}
    for p, a, r in pick_requests(rng, triples, allows):
        world.request(p, a, kind(r), cedar_kind(r), r, allows(p, a, r))
    return world


# ---- github: five permissions on a repository, three of them also on its organisation.

LEVELS = ("reader", "triager", "writer", "maintainer", "admin")
CODE_ACTIONS = dict(zip(("pull", "triage", "push", "maintain", "administer"), LEVELS))
ORG_LEVELS = ("reader", "writer", "admin")
ORG_NEEDS = {"pull": "reader", "triage": "writer", "push": "writer", "maintain": "admin", "administer": "admin"}


def github(size, rng):
    world = World("github", size)
    persons, teams, repositories, orgs = ([f"{kind}_{i}" for i in range(size)] for kind in ("user", "team", "repo", "org"))
    org_of = {r: rng.choice(orgs) for r in repositories}
    groups = {}  # a person, team, or the people of an organisation -> what it is in: teams and permissions ("repo_1#reader")
    for i, team in enumerate(teams):
        groups[team] = [t for t in teams[:i] if rng.random() < CONNECTED]
        groups[team] += [f"{r}#{rng.choice(LEVELS)}" for r in repositories if rng.random() < CONNECTED]
    for org in orgs:
        groups[org + "_people"] = [f"{o}#{rng.choice(ORG_LEVELS)}" for o in orgs if rng.random() < CONNECTED]
    for person in persons:
        groups[person] = [t for t in teams if rng.random() < CONNECTED] + [o + "_people" for o in orgs if rng.random() < CONNECTED]
        groups[person] += [f"{r}#{rng.choice(LEVELS)}" for r in repositories if rng.random() < CONNECTED]
        groups[person] += [f"{o}#{rng.choice(ORG_LEVELS)}" for o in orgs if rng.random() < CONNECTED]
    nested = {f"{x}#{high}": [f"{x}#{low}"] for xs, levels in ((repositories, LEVELS), (orgs, ORG_LEVELS)) for x in xs
              for low, high in zip(levels, levels[1:])}
    graph = {**{f"{x}#reader": [] for x in repositories + orgs}, **nested, **groups}

    def allows(person, action, repository):
        holds = closure(graph, person)
        return f"{repository}#{CODE_ACTIONS[action]}" in holds or f"{org_of[repository]}#{ORG_NEEDS[action]}" in holds

    triples = [(p, a, r) for p in persons for a in CODE_ACTIONS for r in repositories]
    people = [o + "_people" for o in orgs]
    world.dpl_extra["teams.dpl"] = "package github owned by team platform\n" + "".join(
        f'team {t} {{ owner person "root" }}\n' for t in teams + people)
    member = lambda who: who if who in persons else {"team": who}
    held = {}
    for who, places in groups.items():
        for place in places:
            held.setdefault(place, []).append(member(who))
    world.facts = {
        "persons": [{"id": "root"}, *({"id": p} for p in persons)],
        "teams": {t: held.get(t, []) for t in teams + people},
        "roles": [{"role": place.split("#")[1], "members": members,
                   "in": {"type": "hub.Repository" if place.startswith("repo") else "hub.Org", "id": place.split("#")[0]}}
                  for place, members in held.items() if "#" in place],
        "resources": [{"type": "hub.Org", "id": o} for o in orgs] +
                     [{"type": "hub.Repository", "id": r, "parent": o} for r, o in org_of.items()]}

    def uid(node):
        kind = "Permission" if "#" in node else "User" if node in persons else "Team"
        return kind, node

    world.entities = [entity(*uid(n), {}, [uid(p) for p in parents]) for n, parents in graph.items()]
    world.entities += [entity("Org", o, {level + "s": ref("Permission", f"{o}#{level}") for level in ORG_LEVELS}) for o in orgs]
    world.entities += [entity("Repository", r, {"org": ref("Org", o), **{level + "s": ref("Permission", f"{r}#{level}") for level in LEVELS}})
                       for r, o in org_of.items()]
    world.data = {"groups": graph, "orgs": {o: {a: f"{o}#{level}" for a, level in ORG_NEEDS.items()} for o in orgs},
                  "repositories": {r: {"org": o, "groups": {a: f"{r}#{level}" for a, level in CODE_ACTIONS.items()}}
                                   for r, o in org_of.items()}}
    for p, a, r in pick_requests(rng, triples, allows):
        world.request(p, a, "hub.Repository", "Repository", r, allows(p, a, r))
    return world


# ---- tinytodo: lists with an owner, a team that reads and a team that edits.

LIST_ACTIONS = ("get_list", "update_list", "delete_list", "create_task", "update_task", "delete_task", "edit_shares")
EDITS = ("update_list", "create_task", "update_task", "delete_task")


def tinytodo(size, rng):
    world = World("tinytodo", size)
    persons, teams, lists = ([f"{kind}_{i}" for i in range(size)] for kind in ("user", "team", "list"))
    groups = {t: [o for o in teams[:i] if rng.random() < CONNECTED] for i, t in enumerate(teams)}
    groups.update({p: [t for t in teams if rng.random() < CONNECTED] for p in persons})
    owned = {x: (rng.choice(persons), rng.choice(teams), rng.choice(teams)) for x in lists}

    def allows(person, action, resource):
        if resource == "tiny":
            return True
        owner, readers, editors = owned[resource]
        within = closure(groups, person)
        return (owner == person or (action == "get_list" and (readers in within or editors in within)) or
                (action in EDITS and editors in within))

    triples = [(p, a, x) for p in persons for a in LIST_ACTIONS for x in lists]
    triples += [(p, a, "tiny") for p in persons for a in ("create_list", "get_lists")]
    world.dpl_extra["teams.dpl"] = "package tinytodo owned by team product\n" + "".join(
        f'team {t} {{ owner person "ada" }}\n' for t in teams)
    world.facts = {
        "persons": [{"id": "ada"}, *({"id": p} for p in persons)],
        "teams": {t: [p for p in persons if t in groups[p]] + [{"team": o} for o in teams if t in groups[o]] for t in teams},
        "resources": [{"type": "todo.Application", "id": "tiny"}] +
                     [{"type": "todo.List", "id": x, "parent": "tiny", "attributes": {"owner": o, "readers": r, "editors": e}}
                      for x, (o, r, e) in owned.items()]}
    world.entities = [entity("Application", "tiny")]
    world.entities += [entity("User" if n in persons else "Team", n, {}, [("Team", t) for t in up]) for n, up in groups.items()]
    world.entities += [entity("List", x, {"owner": ref("User", o), "readers": ref("Team", r), "editors": ref("Team", e)}, [("Application", "tiny")])
                       for x, (o, r, e) in owned.items()]
    world.data = {"groups": groups, "lists": {x: {"owner": o, "readers": r, "editors": e} for x, (o, r, e) in owned.items()}}
    for p, a, x in pick_requests(rng, triples, allows):
        kind = ("todo.Application", "Application") if x == "tiny" else ("todo.List", "List")
        world.request(p, a, *kind, x, allows(p, a, x))
    return world


# ---- hospital: for each department a statement for each role and type of record, and one that denies by clearance.

ALL = ("read", "write", "create", "delete", "prescribe", "order", "discharge", "transfer", "bill", "audit", "approve", "override")
RWC = ("read", "write", "create")
HOSPITAL = {
    "attending": (4, {"PatientRecord": RWC, "LabResult": ("read", "order"), "Prescription": ("read", "write", "prescribe"),
                      "Imaging": ("read", "order"), "CareNote": RWC, "Referral": RWC}),
    "resident": (3, {"PatientRecord": ("read", "write"), "LabResult": ("read",), "Prescription": ("read",), "Imaging": ("read", "order"),
                     "CareNote": RWC, "Referral": ("read", "create")}),
    "nurse": (3, {"PatientRecord": ("read", "write"), "LabResult": ("read",), "Prescription": ("read",), "CareNote": RWC,
                  "Schedule": ("read", "write")}),
    "lab_tech": (2, {"LabResult": RWC, "Imaging": RWC}),
    "pharmacist": (3, {"Prescription": ("read", "write", "approve"), "PatientRecord": ("read",)}),
    "clerk": (2, {"Schedule": ("read", "write", "create", "delete"), "BillingRecord": ("read", "write"), "AuditLog": ("read",)}),
    "biller": (2, {"BillingRecord": ("read", "write", "create", "bill"), "PatientRecord": ("read",)}),
    "auditor": (4, {"AuditLog": ("read", "write", "create", "audit"), "PatientRecord": ("read",), "BillingRecord": ("read",)}),
    "researcher": (1, {"PatientRecord": ("read",), "LabResult": ("read",), "Imaging": ("read",)})}
TYPES = ("PatientRecord", "LabResult", "Prescription", "Imaging", "BillingRecord", "Schedule", "CareNote", "Referral", "Consent", "AuditLog")
EMERGENCY = ("PatientRecord", "LabResult", "Prescription", "Imaging", "CareNote")
EMERGENCY_ACTIONS = ("read", "write", "prescribe", "override")


def quoted(words):
    return ", ".join(f'"{w}"' for w in words)


def hospital_dpl(departments):
    text = ['package hospital owned by team hospital\ngranted 2026-10-01\nreview every 3650d\n',
            "person {\n  key id: string\n  has clearance: int\n}\n", 'team hospital { owner person "head" }', "system his { owner team hospital }"]
    text += [f"role {r} {{ owner team hospital }}" for r in (*HOSPITAL, "emergency")]
    text += [f"resource {t} in his {{ has department: string has sensitivity: int can {', '.join(ALL)} }}" for t in TYPES]
    for d in departments:
        text.append(f'team {d} {{ owner person "head" }}')
        for half in (0, 1):
            text.append(f'team {d}_team_{half} {{ owner person "head" within team {d} }}')
        for role, (_, permissions) in HOSPITAL.items():
            for type_, actions in permissions.items():
                text.append(f"grant {d}_{role}_{type_} {{ to role {role} may {', '.join(actions)} on his.{type_} "
                            f'where resource.department == "{d}" and person in team {d} because "{type_} of {d}, for those who work there" }}')
        text.append(f"forbid {d}_clearance {{ covers {', '.join(ALL)} on {', '.join('his.' + t for t in TYPES)} "
                    f'where resource.department == "{d}" and resource.sensitivity > person.clearance '
                    f'because "What is more sensitive than the clearance stays closed in {d}" }}')
    for type_ in EMERGENCY:
        text.append(f"grant emergency_{type_} {{ to role emergency may {', '.join(EMERGENCY_ACTIONS)} on his.{type_} "
                    f'because "In an emergency every department helps with {type_}" }}')
    return "\n".join(text) + "\n"


def hospital_cedar(departments):
    text = []
    for d in departments:
        for role, (_, permissions) in HOSPITAL.items():
            for type_, actions in permissions.items():
                which = ", ".join(f'Action::"{a}"' for a in actions)
                text.append(f'@id("{d}_{role}_{type_}") permit (principal in Role::"{role}", action in [{which}], resource is {type_}) '
                            f'when {{ resource.department == "{d}" && principal in Department::"{d}" }};')
        text.append(f'@id("{d}_clearance") forbid (principal, action, resource) '
                    f'when {{ resource.department == "{d}" && resource.sensitivity > principal.clearance }};')
    which = ", ".join(f'Action::"{a}"' for a in EMERGENCY_ACTIONS)
    text += [f'@id("emergency_{t}") permit (principal in Role::"emergency", action in [{which}], resource is {t});' for t in EMERGENCY]
    return "\n".join(text) + "\n"


def hospital_rego(departments):
    """One rule for each statement, told apart by equalities with the input, which OPA's rule index is made for."""
    text = ["package hospital\n\ndefault allow := false\n\nallow if {\n\tgranted\n\tnot denied\n}\n"]
    for d in departments:
        for role, (_, permissions) in HOSPITAL.items():
            for type_, actions in permissions.items():
                text.append(f'granted if {{\n\tinput.department == "{d}"\n\tinput.role == "{role}"\n\tinput.type == "{type_}"\n'
                            f'\tinput.action in {{{quoted(actions)}}}\n\t"{d}" in data.world.works_in[input.person]\n}}\n')
        text.append(f'denied if {{\n\tinput.department == "{d}"\n\tinput.sensitivity > input.clearance\n}}\n')
    for type_ in EMERGENCY:
        text.append(f'granted if {{\n\tinput.role == "emergency"\n\tinput.type == "{type_}"\n\tinput.action in {{{quoted(EMERGENCY_ACTIONS)}}}\n}}\n')
    return "\n".join(text)


def hospital_sapl(departments):
    files = {"pdp.json": json.dumps({"algorithm": "DENY_OVERRIDES", "variables": {}})}
    for d in departments:
        for role, (_, permissions) in HOSPITAL.items():
            for type_, actions in permissions.items():
                files[f"{d}_{role}_{type_}.sapl"] = (
                    f'policy "{d}_{role}_{type_}"\npermit subject.role == "{role}" & resource.type == "{type_}" & resource.department == "{d}"\n'
                    f'where\n  action in [{quoted(actions)}];\n  "{d}" in subject.departments;\n')
        files[f"{d}_clearance.sapl"] = (f'policy "{d}_clearance"\ndeny resource.department == "{d}"\nwhere\n'
                                        f"  resource.sensitivity > subject.clearance;\n")
    for type_ in EMERGENCY:
        files[f"emergency_{type_}.sapl"] = (f'policy "emergency_{type_}"\npermit subject.role == "emergency" & resource.type == "{type_}"\n'
                                            f'where\n  action in [{quoted(EMERGENCY_ACTIONS)}];\n')
    return files


def hospital(size, rng):
    world = World("hospital", size)
    departments = [f"dept_{i}" for i in range(size)]
    staff = {}  # person -> role, clearance, teams
    for d in departments:
        for _ in range(5):
            teams = [(d, rng.randrange(2))] + [(o, rng.randrange(2)) for o in departments if o != d and rng.random() < CONNECTED]
            role = rng.choice([*HOSPITAL, "emergency"])
            staff[f"staff_{len(staff)}"] = (role, HOSPITAL[role][0] if role in HOSPITAL else 3, teams)
    works_in = {p: sorted({d for d, _ in teams}) for p, (_, _, teams) in staff.items()}
    records = {f"{t}_{i}": (t, rng.choice(departments), rng.randint(1, 4)) for t in TYPES for i in range(20)}

    def allows(person, action, record):
        (role, clearance, _), (type_, department, sensitivity) = staff[person], records[record]
        if sensitivity > clearance:
            return False
        if role == "emergency":
            return type_ in EMERGENCY and action in EMERGENCY_ACTIONS
        return action in HOSPITAL[role][1].get(type_, ()) and department in works_in[person]

    some = rng.sample(sorted(staff), min(len(staff), 60))
    triples = [(p, a, r) for p in some for a in ALL for r in records]
    world.dpl_extra["policy.dpl"] = hospital_dpl(departments)
    world.cedar_text, world.rego_text, world.sapl_text = hospital_cedar(departments), hospital_rego(departments), hospital_sapl(departments)
    world.facts = {
        "persons": [{"id": "head"}, *({"id": p, "attributes": {"clearance": c}} for p, (_, c, _) in staff.items())],
        "teams": {f"{d}_team_{half}": [p for p, (_, _, teams) in staff.items() if (d, half) in teams] for d in departments for half in (0, 1)},
        "roles": [{"role": r, "members": [p for p, (held, _, _) in staff.items() if held == r]} for r in (*HOSPITAL, "emergency")],
        "resources": [{"type": "his." + t, "id": r, "attributes": {"department": d, "sensitivity": s}} for r, (t, d, s) in records.items()]}
    world.entities = [entity("Role", r) for r in (*HOSPITAL, "emergency")] + [entity("Department", d) for d in departments]
    world.entities += [entity("Team", f"{d}_team_{half}", {}, [("Department", d)]) for d in departments for half in (0, 1)]
    world.entities += [entity("User", p, {"clearance": c}, [("Role", r), *(("Team", f"{d}_team_{half}") for d, half in teams)])
                       for p, (r, c, teams) in staff.items()]
    world.entities += [entity(t, r, {"department": d, "sensitivity": s}) for r, (t, d, s) in records.items()]
    world.data = {"works_in": works_in}
    world.sapl = []
    for p, a, r in pick_requests(rng, triples, allows):
        (role, clearance, _), (type_, department, sensitivity) = staff[p], records[r]
        world.request(p, a, "his." + type_, type_, r, allows(p, a, r))
        world.rego[-1] = {"person": p, "role": role, "clearance": clearance, "action": a, "type": type_, "department": department,
                          "sensitivity": sensitivity}
        world.sapl.append({"subject": {"id": p, "role": role, "clearance": clearance, "departments": works_in[p]}, "action": a,
                           "resource": {"type": type_, "department": department, "sensitivity": sensitivity}})
    return world


def hospital_table(size, rng):
    """`rng` is not what makes this world: it is that of `hospital`."""
    world = make("hospital", size)
    departments = [f"dept_{i}" for i in range(size)]
    text = ['package hospital owned by team hospital\ngranted 2026-10-01\nreview every 3650d\n',
            "person {\n  key id: string\n  has clearance: int\n}\n", 'team hospital { owner person "head" }', "system his { owner team hospital }"]
    text += [f"role {r} {{ owner team hospital }}" for r in (*HOSPITAL, "emergency")]
    text += [f"resource {t} in his {{ has department: Team has sensitivity: int can {', '.join(ALL)} }}" for t in TYPES]
    text += [f'team {d} {{ owner person "head" }}' for d in departments]
    text += [f'team {d}_team_{half} {{ owner person "head" within team {d} }}' for d in departments for half in (0, 1)]
    text.append("grant care {")
    for role, (_, permissions) in HOSPITAL.items():
        text.append(f"  to role {role}")
        text += [f"  may {', '.join(actions)} on his.{t} where person in resource.department" for t, actions in permissions.items()]
    text += ["  to role emergency", f"  may {', '.join(EMERGENCY_ACTIONS)} on {', '.join('his.' + t for t in EMERGENCY)}",
             '  because "A department\'s people look after its patients; in an emergency everybody does"\n}',
             f"forbid clearance {{ covers {', '.join(ALL)} on {', '.join('his.' + t for t in TYPES)} where resource.sensitivity > person.clearance "
             'because "What is more sensitive than the clearance stays closed" }']
    world.dpl_extra["policy.dpl"] = "\n".join(text) + "\n"
    return world


MAKERS = {"purchase": purchase, "gdrive": gdrive, "github": github, "tinytodo": tinytodo, "hospital": hospital,
          "hospital_table": hospital_table}


def make(name, size):
    return MAKERS[name](size, random.Random(f"{name} {size}"))


def write(name, size, folder):
    make(name, size).write(Path(folder))
    return Path(folder)
