#!/usr/bin/env python3
"""Writes a policy set of N grants into a folder, for tests/bench/compile_bench.cc and for trying things out.

  gen_policy.py 10000 /tmp/set               a company: packages that import each other, many kinds of statement
  gen_policy.py 10000 /tmp/set --shape bucket    every grant to one role, on one action of one type, told apart by its condition only
  gen_policy.py 10000 /tmp/set --shape spend     every grant with a limit on one activity whose limits must agree, to one role
  gen_policy.py 10000 /tmp/set --shape roles     every grant to a role of its own, and an agent that acts for whoever holds one

The same N and shape give the same bytes. Every set is without findings, warnings too: no grant contains another.
"""
import argparse
import pathlib

GRANTS_PER_PACKAGE = 100

ORG = """package acme.org owned by team platform
granted 2026-10-01
review every 365d

person {
  key employee_id: string
  has region: Region
  has department: string
  has level: int
  known as "user", "identity"
}

team platform { owner person "E0001" }
team staff { owner person "E0001" }
role employee { owner team platform }

enum Region { emea, amer, apac }
enum Class { public < internal < confidential < restricted }

const small_purchase: money = 500 USD

/// Money leaves the company here, whichever application it leaves through.
activity spend {
  owner   team platform
  measure amount: money must be limited
  limits  must agree within department
}
"""

SHARED = {
    "docs": ("Document", "Contract", "Design", "Minutes"),
    "crm": ("Lead", "Account", "Offer", "Call"),
    "erp": ("Order", "Invoice", "Voucher", "Asset"),
    "code": ("Change", "Release", "Incident", "Secret"),
}


def shared(system, types):
    out = [f"package acme.{system} owned by team {system}_owners\ngranted 2026-10-01\nreview every 365d\n\nimport acme.org\n"]
    out.append(f'team {system}_owners {{ owner person "E0002" }}\n')
    out.append(f"system {system} {{ owner team {system}_owners }}\n")
    for name in types:
        spend = "  can approve is spend\n" if system == "erp" else "  can approve\n"
        out.append(f"resource {name} in {system} {{\n  key id: string matches \"[A-Za-z0-9-]+\"\n  has department: string\n"
                   f"  has region: Region\n  has class: Class\n  has editors: set<Person> = {{}}\n"
                   f"  can read, update, delete\n{spend}}}\n")
    out.append(f"forbid restricted_{system} {{\n  covers  delete on {system}.{types[0]} where resource.class == Class.restricted\n"
               f'  because "Restricted records of {system} are kept for the auditors"\n}}\n')
    return "\n".join(out)


def grant(d, i, last, system, types):
    """Grant i of department d; nine kinds of it, in the proportions of the branches below."""
    name, role = f"g{i:03}", f"d{d}_{ROLES[i % len(ROLES)]}"
    kind, type_ = 19 if last else i * 7 % 20, f"{system}.{types[i % len(types)]}"
    other = list(SHARED)[d % 4]
    common = f"{other}.{SHARED[other][i % 4]}"
    head = f"grant {name} {{\n  to      role {role}\n"
    if kind < 6:
        return (head + f"  may     read on {type_} where resource.region == person.region and resource.amount <= {i + 1}_000 USD\n"
                f'  because "Department {d} works its own region, item {i}"\n}}\n')
    if kind < 9:
        return (head + f"  may     read, update on {type_} where resource.amount <= {i + 1}_500 USD\n"
                f'  because "Day to day work of department {d}, item {i}"\n}}\n')
    if kind < 12:
        return (f"/// Shared records of department {d} only.\n" + head +
                f"  may     read, update on {common}\n"
                f"          where resource.department == \"d{d}\" and resource.class <= Class.internal and resource.id != \"D{d}-{i}\"\n"
                f'  because "Department {d} keeps its records in {other}, item {i}"\n  ticket  "OPS-{d}{i:02}"\n  approved by person "E0002"\n}}\n')
    if kind < 14:
        return (head + f"  may     update on {type_} where resource.amount <= small_purchase or person in team d{d}_team\n"
                f"  limit   requests to {100 + i} per day for each person\n"
                f'  because "Bulk changes are rationed, item {i}"\n}}\n')
    if kind < 16:
        return (head + f"  may     approve on erp.{SHARED['erp'][i % 4]} where resource.department == \"d{d}\"\n"
                f"  limit   amount to {d % 7 + 1}_000 USD each\n"
                f"  limit   amount to {d % 7 + 1}0_000 USD per month for each person\n"
                f'  because "Spending authority of department {d}, item {i}"\n  ticket  "FIN-{d}{i:02}"\n  approved by person "E0002"\n}}\n')
    if kind < 17:
        return (f'grant {name} {{\n  to      person "E{d:04}{i:02}"\n  may     read, delete on {type_} where resource.region in {{ emea, amer }}\n'
                f'  because "Cleans up after the migration, item {i}"\n  expires 2027-06-30\n}}\n')
    if kind < 18:
        return (head + f"  may     read on {type_} where resource.amount <= {i + 1}_250 USD\n  to      team d{d}_team\n"
                f"  may     update on {type_} where not (resource.region == apac) and person.level >= {i % 5}\n"
                f'  because "Leads read, the team mends, item {i}"\n}}\n')
    if kind < 19:
        return (head + f"  may     read on {type_}, {system}.{types[(i + 1) % len(types)]}\n"
                f"          where some e in resource.editors satisfies (e == person)\n"
                f'  because "Editors see what they edit, item {i}"\n}}\n')
    return (f"grant {name} {{\n  to      agent d{d}_night\n  may     read on {type_}\n"
            f"  limit   requests to 1_000 per hour\n"
            f'  because "The nightly job of department {d} reads them, item {i}"\n}}\n')


ROLES = ("reader", "editor", "lead", "clerk", "buyer", "auditor", "planner", "support")


def department(d, grants):
    system, types = f"s{d}", ("Case", "Item", "Report")
    other = list(SHARED)[d % 4]
    imports = sorted({"org", other, "erp"})
    out = [f"package acme.d{d} owned by team d{d}_team\ngranted 2026-10-01\nreview every 90d\n"]
    out += [f"import acme.{name}" for name in imports]
    out.append(f'\nteam d{d}_team {{ owner person "E{d:04}" within team staff }}\nsystem {system} {{ owner team d{d}_team }}\n')
    out += [f"role d{d}_{role} {{ owner team d{d}_team }}" for role in ROLES]
    out.append(f"role d{d}_chief {{ includes role d{d}_lead, role d{d}_auditor }}\n")
    for name in types:
        out.append(f"resource {name} in {system} {{\n  has region: Region\n  has amount: money\n  has editors: set<Person> = {{}}\n"
                   f"  has note: string from request as \"note\"\n  can read, update, delete\n  can export {{ rows: int }}\n}}\n")
    out += [grant(d, i, i == grants - 1, system, types) for i in range(grants)]
    out.append(f"""limit exports {{
  covers  export on {system}.Report
  cap     rows to 10_000 per day for each person
  because "Bulk exports of department {d} need a conversation first"
}}

forbid closed_cases {{
  covers  update, delete on {system}.Case where resource.region == apac
  because "Cases of apac are closed"
}}

forbid weekend_deletes {{
  applies to role d{d}_clerk
  covers  delete on {system}.Item
  unless  person in team d{d}_team
  because "Clerks delete nothing on their own"
}}

agent d{d}_night {{
  purpose     "Reads the cases of department {d} at night"
  accountable person "E{d:04}"
  runs as     spiffe "spiffe://acme.example/agent/d{d}/night"
  modes       standing
  may         read on {", ".join(f"{system}.{name}" for name in types)}
  lives       at most 8h
}}

agent d{d}_helper {{
  purpose     "Drafts answers for the people of department {d}"
  accountable person "E{d:04}"
  runs as     spiffe "spiffe://acme.example/agent/d{d}/helper"
  may         read, update on {system}.Case
  limit       requests to 500 per hour for each person
  lives       at most 1h
}}

delegation d{d}_helping {{
  from    team d{d}_team
  to      agent d{d}_helper
  may     read on {system}.Case where resource.region == person.region
  consent by policy
  lasts   at most 8h
  because "Everyone in department {d} may use the helper"
}}
""")
    return "\n".join(out)


def company(grants):
    files = {"org.dpl": ORG}
    for system, types in SHARED.items():
        files[f"{system}.dpl"] = shared(system, types)
    packages = max(1, (grants + GRANTS_PER_PACKAGE - 1) // GRANTS_PER_PACKAGE)
    for d in range(packages):
        files[f"d{d:04}.dpl"] = department(d, min(GRANTS_PER_PACKAGE, grants - d * GRANTS_PER_PACKAGE))
    return files


def in_files(head, blocks, per_file=5000):
    """One package over several files, each below the limit of 8 MiB."""
    name = head.split()[1]
    files = {"a_head.dpl": head}
    for n in range(0, len(blocks), per_file):
        owned = f"package {name}\ngranted 2026-10-01\nreview every 365d\n\n"
        files[f"part{n // per_file:03}.dpl"] = owned + "\n".join(blocks[n:n + per_file])
    return files


ONE = """package acme.one owned by team desk
granted 2026-10-01
review every 365d

person { key id: string  has department: string }
team desk { owner person "E0001" }
role clerk { owner team desk }
system shop { owner team desk }
activity spend { owner team desk  measure amount: money must be limited  limits must agree within department }
resource Order in shop {
  has department: string
  has number: int
  can read
  can approve is spend
}
"""


def bucket(grants):
    return in_files(ONE, [f"grant g{i} {{\n  to      role clerk\n  may     read on shop.Order where resource.number == {i}\n"
                          f'  because "Clerks read order {i}"\n}}\n' for i in range(grants)])


def spend(grants):
    return in_files(ONE, [f"grant g{i} {{\n  to      role clerk\n  may     approve on shop.Order where resource.department == \"d{i}\"\n"
                          f'  limit   amount to {1000 + i} USD each\n  because "Clerks settle orders of department {i}"\n}}\n'
                          for i in range(grants)])


HELPER = """
forbid blocked { covers read on shop.Order where resource.number < 0 because "Legal has blocked this order" }
agent helper {
  purpose "Read orders for a buyer"  accountable person "E0001"  runs as spiffe "spiffe://bench/helper"
  may read on shop.Order  lives at most 8h
}
delegation help { from everyone to agent helper consent by policy because "Everyone may use the helper" }
"""


def roles(grants):
    return in_files(ONE + HELPER, [f"role r{i} {{ owner team desk }}\ngrant g{i} {{ to role r{i} may read on shop.Order "
                                   f"where resource.department == person.department because \"Group {i} reads orders\" }}\n" for i in range(grants)])


def main():
    shapes = {"company": company, "bucket": bucket, "spend": spend, "roles": roles}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grants", type=int)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--shape", choices=shapes, default="company")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name, text in shapes[args.shape](args.grants).items():
        (args.folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
