#!/usr/bin/env python3
"""`data` blocks: given to every test of their package, written by `dplc facts`, in no bundle."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

DPLC = str(Path(os.environ["DPL_BIN"]) / "dplc")
POLICY = """
package acme.small owned by team finance
timezone "America/New_York"
granted 2026-10-01
review every 3650d
enum Region { emea, amer }
person { key id: string  has region: Region  has nick: string? }
team finance { owner person "E1" }
team interns { within team finance }
role buyer in shop.Shelf
system shop { account keyed by login: string  link person by id checked within 3650d }
resource Shelf in shop { can tidy }
resource Order in shop {
  within shelf: shop.Shelf
  has tags: set<string>
  has price: money
  can read
  can pay { amount: money must be limited }
}
grant orders {
  to role buyer
  may read, pay on shop.Order where resource.price <= 50 USD
  limit amount to 100 USD per day for each person
  because "Buyers handle orders"
}
agent helper {
  accountable person "E1"
  purpose "Reads orders"
  runs as spiffe "spiffe://acme.example/helper"
  may read on shop.Order
  lives at most 8h
}
task look(shelf: shop.Shelf) { for agent helper  may read on shop.Order in shelf  lasts at most 2h  nothing else }
delegation help { from role buyer  to agent helper  consent every 3650d  because "Reading by software" }
data {
  person "E1" { region = emea }
  person "E2" { region = amer, nick = "Raj" }
  person "E3" { status = "left", left = 2026-09-30 }
  team interns has person "E2" until 2036-01-31
  role buyer in shop.Shelf "S1" has person "E2", team interns
  account "raj" in shop is person "E2" checked 2026-11-01
  shop.Shelf "S1"
  shop.Order "O1" in shop.Shelf "S1" { tags = { "a", "b" }, price = 12.50 USD }
  consent help by person "E2" on 2026-11-18
  task t1 = look(shelf = shop.Shelf "S1") by agent helper for person "E2"
  used orders.amount 60 USD for person "E2"
}
data { shop.Order "O2" in shop.Shelf "S1" { price = 99 USD } }
test "starts from the data" {
  at 2026-11-20T15:00Z
  when person "E2" does pay(amount = 40 USD) on shop.Order "O1" expect permit
  when person "E2" does pay(amount = 1 USD) on shop.Order "O1" expect deny limit.exceeded
  when account "raj" in shop does read on shop.Order "O2" expect deny person.no_grant
  when agent helper for account "raj" in shop in task t1 does read on shop.Order "O1" expect permit
  when person "E3" does read on shop.Order "O1" expect deny person.not_active
}
test "each starts anew, and may say otherwise" {
  at 2026-11-20T15:00Z
  given { shop.Order "O2" { price = 5 USD } }
  when person "E2" does pay(amount = 40 USD) on shop.Order "O2" expect permit
}
"""
OTHER = """
package acme.other owned by team legal
granted 2026-10-01
review every 3650d
import acme.small
team legal { owner person "E1" }
system files { owner team legal }
resource File in files { can read }
grant reading { to everyone may read on files.File because "Files are for all of us" }
test "the data of another package is not given" {
  at 2026-11-20T15:00Z
  when person "E2" does read on files.File "f" expect deny identity.unknown
}
"""


class Data(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def write(self, name, text):
        (self.path / name).write_text(text)

    def dplc(self, *args):
        return subprocess.run([DPLC, *args], cwd=self.path, capture_output=True, text=True, timeout=60)

    def test_is_given_to_every_test_of_its_package_and_no_other(self):
        self.write("small.dpl", POLICY)
        self.write("other.dpl", OTHER)
        result = self.dplc("test", ".")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("3 passed", result.stdout)

    def test_a_mistake_is_found_by_the_check_and_at_its_line(self):
        self.write("p.dpl", POLICY.replace('price = 12.50 USD', 'prise = 12.50 USD'))
        result = self.dplc("check", "p.dpl")
        self.assertEqual(result.returncode, 1)
        line = 1 + POLICY.split("\n").index(next(x for x in POLICY.split("\n") if "12.50" in x))
        self.assertIn(f"p.dpl:{line}:", result.stderr)
        self.assertIn("DPL0806", result.stderr)

    def test_is_written_as_facts_that_load(self):
        self.write("p.dpl", POLICY)
        result = self.dplc("facts", "p.dpl", "-o", "facts.json")
        self.assertEqual(result.returncode, 0, result.stderr)
        facts = json.loads((self.path / "facts.json").read_text())
        self.assertEqual([p["id"] for p in facts["persons"]], ["E1", "E2", "E3"])
        self.assertEqual(facts["persons"][1]["attributes"], {"region": "amer", "nick": "Raj"})
        self.assertEqual(facts["persons"][2]["status"], "left")
        self.assertTrue(facts["persons"][2]["left"].startswith("2026-09-30"))
        # To the end of that day in New York.
        self.assertEqual(facts["teams"], {"acme.small.interns": [{"person": "E2", "until": "2036-02-01T05:00:00Z"}]})
        self.assertEqual(facts["roles"], [{"role": "acme.small.buyer", "in": {"type": "shop.Shelf", "id": "S1"},
                                           "members": ["E2", {"team": "acme.small.interns"}]}])
        self.assertEqual(facts["accounts"][0]["key"], "raj")
        self.assertEqual([r["id"] for r in facts["resources"]], ["S1", "O1", "O2"])
        self.assertEqual(facts["resources"][1]["attributes"], {"tags": ["a", "b"], "price": "12.50 USD"})
        self.assertEqual(facts["consents"], [{"delegation": "acme.small.help", "person": "E2", "at": "2026-11-19T05:00:00Z"}])
        self.assertEqual(facts["tasks"][0]["id"], "t1")
        self.assertNotIn("opened", facts["tasks"][0])
        self.assertEqual(facts["used"], [{"limit": "orders.amount", "quantity": "60 USD", "person": "E2"}])
        check = self.dplc("check", "p.dpl", "--facts", "facts.json")
        self.assertEqual(check.returncode, 0, check.stderr)
        self.assertEqual(json.loads(self.dplc("facts", "p.dpl").stdout), facts)

    def test_never_gets_into_the_bundle(self):
        self.write("with.dpl", POLICY)
        first, last = POLICY.index("data {"), POLICY.index('test "starts')
        bare = POLICY[:first] + "\n" * POLICY[first:last].count("\n") + POLICY[last:]
        bare = bare.replace(" in task t1", "")
        self.write("bare.dpl", bare)
        for name in ("with", "bare"):
            self.assertEqual(self.dplc("build", f"{name}.dpl", "-o", f"{name}.dplb").returncode, 0)
        listings = [self.dplc("disasm", f"{name}.dplb").stdout.replace("with.dpl", "bare.dpl") for name in ("with", "bare")]
        self.assertEqual(listings[0], listings[1])
        bundle = (self.path / "with.dplb").read_bytes()
        self.assertIn(b"Buyers handle orders", bundle)
        for said in (b"Raj", b"12.50", b"2026-09-30"):
            self.assertNotIn(said, bundle.split(b'test "starts')[0])

    def test_without_data_there_is_nothing_to_write(self):
        self.write("p.dpl", POLICY[:POLICY.index("data {")])
        result = self.dplc("facts", "p.dpl")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("no `data` block", result.stderr)


if __name__ == "__main__":
    unittest.main()
