#!/usr/bin/env python3
"""The search endpoints over HTTP: what is found is what evaluations permit, pages hold while facts change, and nothing is charged."""

import hashlib
import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from dpld import BIN, Dpld

POLICY = """
package acme.lib owned by team staff
granted 2026-01-01
review every 3650d
team staff { owner person "p000" }
team writers { owner team staff }
role keeper in open.Shelf { owner team staff }
person { key id: string has floor: int }
system lib { owner team staff account keyed by login: string link person by id checked within 3650d }
system open { owner team staff }
resource Shelf in open { can dust }
resource Book in open {
  within shelf: open.Shelf
  has author: Person
  has readers: set<Person>
  has floor: int
  can read, write, burn
  can buy { amount: money must be limited }
}
resource Card in lib { can show }
grant authors { to everyone may write on open.Book where resource.author == person because "Authors write their books" }
grant readers { to everyone may read on open.Book where person in resource.readers or resource.floor == person.floor
  because "Readers of a book, and whoever sits on its floor" }
grant keepers { to role keeper may dust on open.Shelf may burn on open.Book because "Keepers keep shelves" }
grant buyers { to team writers may buy on open.Book limit amount to 50 USD per day for each person because "Writers buy books" }
grant cards { to everyone may show on lib.Card because "Everyone shows a card" }
approval fire { by 1 of team staff because "Nobody burns books alone" within 1h good for 1 request within 1h }
obligation slow { covers burn on open.Book where resource.floor == 2 must ask fire because "Books of the second floor are rare" }
obligation told { covers dust on open.Shelf must log because "Dust is remembered" }
agent bot { purpose "Fetch books" accountable person "p000" runs as spiffe "spiffe://acme/bot" may read on open.Book where resource.floor == 1 lives at most 8h }
delegation lend { from team writers to agent bot consent by policy because "Writers may send the bot" }
"""


def facts(persons=40, books=60, version="f-1", without=()):
    people = [f"p{n:03}" for n in range(persons) if f"p{n:03}" not in without]
    return {
        "version": version,
        "persons": [{"id": p, "attributes": {"floor": int(p[1:]) % 4}} for p in people],
        "teams": {"staff": ["p000"], "writers": [p for p in people if int(p[1:]) % 5 == 0]},
        "roles": [{"role": "keeper", "in": {"type": "open.Shelf", "id": "s1"}, "members": [p for p in ("p003", "p007") if p in people]}],
        "accounts": [{"system": "lib", "key": f"card-{p}", "person": p, "checked": "2026-11-01"} for p in people if int(p[1:]) % 3 == 0],
        "resources": [{"type": "open.Shelf", "id": f"s{n}"} for n in range(3)] + [{"type": "lib.Card", "id": "c"}] + [
            {"type": "open.Book", "id": f"b{n:03}", "parent": f"s{n % 3}",
             "attributes": {"author": f"p{n % 7:03}", "floor": n % 4, "readers": [f"p{n % 11:03}"]}} for n in range(books)],
    }


def question(kind, person="p001", action="read", resource=("open.Book", "b001"), **more):
    body = {"subject": {"type": "person", "id": person}, "action": {"name": action},
            "resource": {"type": resource[0], "id": resource[1]}, **more}
    del body[kind]["name" if kind == "action" else "id"]
    return {name: part for name, part in body.items() if part}


class Searching(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dpl-search-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.bundle, self.facts, self.config = self.folder / "policy.dplb", self.folder / "facts.json", self.folder / "dpld.json"
        self.write()
        self.config.write_text("{}")

    def write(self, text=POLICY, **what):
        (self.folder / "policy.dpl").write_text(text)
        built = subprocess.run([BIN / "dplc", "build", self.folder / "policy.dpl", "-o", self.bundle], capture_output=True, text=True)
        self.assertEqual(built.returncode, 0, built.stdout + built.stderr)
        self.facts.write_text(json.dumps(facts(**what)))

    def serve(self, **config):
        self.config.write_text(json.dumps(config))
        dpld = Dpld("--bundle", self.bundle, "--facts", self.facts, "--config", self.config)
        self.addCleanup(dpld.stop)
        return dpld

    def reload(self, dpld, count):
        dpld.hang_up()
        dpld.wait_for("reloaded", count)

    def search(self, dpld, kind, body, headers=None):
        return dpld.post(f"/access/v1/search/{kind}", body, headers)

    def walk(self, dpld, kind, body, limit=None, between=lambda: None):
        """All results, page by page."""
        results, token = [], None
        for _ in range(1000):
            page = {**({"limit": limit} if limit else {}), **({"token": token} if token else {})}
            answer = self.search(dpld, kind, {**body, "page": page})
            self.assertEqual(answer.status, 200, answer.body)
            told = answer.json["page"]
            self.assertEqual(told["count"], len(answer.json["results"]))
            self.assertLessEqual(told["count"], limit or 100)
            results += [r["name" if kind == "action" else "id"] for r in answer.json["results"]]
            token = told["next_token"]
            if not token:
                if "total" in told:
                    self.assertEqual(told["total"], len(results))
                return results
            self.assertNotIn("total", told)
            between()
        self.fail("pages without end")

    def permitted(self, dpld, **how):
        body = {"subject": {"type": "person"}, "action": {"name": "read"}, "resource": {"type": "open.Book"}}
        for name, part in how.items():
            body[name] = {**body.get(name, {}), **part}
        return dpld.ask(body).json["decision"]

    def test_what_is_found_is_what_an_evaluation_permits(self):
        dpld = self.serve()
        people, books = [f"p{n:03}" for n in range(40)], [f"b{n:03}" for n in range(60)]
        for action in ("read", "write"):
            for book in ("b001", "b017"):
                want = [p for p in people if self.permitted(dpld, subject={"id": p}, action={"name": action}, resource={"id": book})]
                self.assertTrue(want)
                self.assertEqual(self.walk(dpld, "subject", question("subject", action=action, resource=("open.Book", book)), 3), want)
            for person in ("p001", "p010"):
                want = [b for b in books if self.permitted(dpld, subject={"id": person}, action={"name": action}, resource={"id": b})]
                for limit in (1, 7, None):
                    self.assertEqual(self.walk(dpld, "resource", question("resource", person, action), limit), want)
        want = [f"card-p{n:03}" for n in range(0, 40, 3)]
        accounts = {"subject": {"type": "account:lib"}, "action": {"name": "show"}, "resource": {"type": "lib.Card", "id": "c"}}
        self.assertEqual(self.walk(dpld, "subject", accounts, 2), want)

    def test_an_agent_reaches_what_it_is_lent(self):
        dpld = self.serve()
        agent = {"context": {"agent": "spiffe://acme/bot"}}
        body = {**question("resource", "p010"), **agent}
        want = [f"b{n:03}" for n in range(60) if self.permitted(dpld, subject={"id": "p010"}, resource={"id": f"b{n:03}"}, **agent)]
        self.assertTrue(want)
        self.assertEqual(self.walk(dpld, "resource", body, 2), want)
        self.assertEqual(self.walk(dpld, "resource", {**question("resource", "p001"), **agent}), [], "p001 lends nothing")
        sent = self.walk(dpld, "subject", {**question("subject"), **agent})
        self.assertEqual(sent, [f"p{n:03}" for n in range(0, 40, 5)
                                if self.permitted(dpld, subject={"id": f"p{n:03}"}, resource={"id": "b001"}, **agent)])
        self.assertTrue(sent)

    def test_an_ask_is_no_result_and_nothing_is_charged(self):
        dpld = self.serve()
        self.assertEqual(self.walk(dpld, "resource", question("resource", "p003", "burn")), [f"b{n:03}" for n in range(1, 60, 3) if n % 4 != 2])
        buy = {**question("resource", "p005"), "action": {"name": "buy", "properties": {"amount": "40.00 USD"}}}
        for _ in range(3):
            self.assertEqual(len(self.walk(dpld, "resource", buy, 9)), 60)
        spend = {"subject": {"id": "p005"}, "action": buy["action"], "resource": {"id": "b001"}}
        self.assertIs(self.permitted(dpld, **spend), True, "the searches have spent nothing")
        self.assertIs(self.permitted(dpld, **spend), False)
        self.assertEqual(self.walk(dpld, "resource", buy), [], "and now the limit is used up")
        # Without its amount nobody can say that it fits (closing rule 29).
        self.assertEqual(self.walk(dpld, "action", question("action", "p010")), ["read"] if self.permitted(
            dpld, subject={"id": "p010"}, resource={"id": "b001"}) else [])

    def test_pages_hold_while_facts_change(self):
        dpld = self.serve()
        body = question("subject")
        before = self.walk(dpld, "subject", body)
        changes = iter(range(2, 1000))
        goes, stays = before[-1], [p for p in before[:-1] if p != "p002"]  # p002 comes and goes

        def change():
            n = next(changes)
            self.write(version=f"f-{n}", without=(goes,) if n % 2 == 0 else (goes, "p002"), persons=60)
            self.reload(dpld, n - 1)
        found = self.walk(dpld, "subject", body, 2, change)
        self.assertEqual([p for p in found if p in stays], stays, "neither lost nor doubled")
        self.assertEqual(found, sorted(set(found)))
        self.assertNotIn(goes, found)
        self.assertTrue(set(found) - set(before), "what came behind the page is found")

    def test_a_token_is_of_one_question_policy_and_start(self):
        dpld = self.serve()
        body = question("resource")
        first = self.search(dpld, "resource", {**body, "page": {"limit": 1}}).json
        token = first["page"]["next_token"]
        self.assertNotIn(first["results"][0]["id"], token)
        self.assertEqual(self.search(dpld, "resource", {**body, "page": {"token": token}}).status, 200)
        self.assertEqual(self.search(dpld, "resource", {**body, "page": {"token": token, "limit": 1}}).status, 200)
        other = self.search(dpld, "resource", {**body, "page": {"token": token, "limit": 30}})
        self.assertEqual(other.status, 400)
        self.assertIn("page.limit", other.json["error"])
        same = {"resource": body["resource"], "action": body["action"], "subject": {"id": "p001", "type": "person"}}
        self.assertEqual(self.search(dpld, "resource", {**same, "page": {"token": token}}).status, 200, "in another order")
        ignored = {**body, "resource": {**body["resource"], "id": "b033"}, "page": {"token": token}}
        self.assertEqual(self.search(dpld, "resource", ignored).status, 200, "the searched id is ignored")
        for change in ({"subject": {"type": "person", "id": "p002"}}, {"action": {"name": "write"}}, {"context": {"a": 1}},
                       {"resource": {"type": "open.Shelf"}}, {"subject": {"type": "person", "id": "p001", "properties": {"x": 1}}}):
            answer = self.search(dpld, "resource", {**body, **change, "page": {"token": token}})
            self.assertEqual(answer.status, 400, change)
            self.assertIn("token", answer.json["error"])
        other = {**question("subject"), "page": {"token": token}}
        self.assertEqual(self.search(dpld, "subject", other).status, 400)
        flipped = token[:-3] + ("A" if token[-3] != "A" else "B") + token[-2:]
        for bad in ("x", flipped, token + "A", token[:-4], "A" * 5000, "é"):
            self.assertEqual(self.search(dpld, "resource", {**body, "page": {"token": bad}}).status, 400, bad[:20])
        self.write(POLICY.replace("Keepers keep shelves", "Keepers keep the shelves"))
        self.reload(dpld, 1)
        answer = self.search(dpld, "resource", {**body, "page": {"token": token}})
        self.assertEqual(answer.status, 400)
        self.assertIn("policy was replaced", answer.json["error"])
        again = self.serve()
        self.assertEqual(self.search(again, "resource", {**body, "page": {"token": token}}).status, 400, "another start, another key")

    def test_pages_are_bounded(self):
        dpld = self.serve(search={"page": 2, "most": 5, "decisions": 4})
        body = question("resource", "p001", "write")
        self.assertEqual(len(self.search(dpld, "resource", body).json["results"]), 2)
        self.assertLessEqual(len(self.search(dpld, "resource", {**body, "page": {"limit": 1000}}).json["results"]), 5)
        self.assertEqual(self.walk(dpld, "resource", body, 5), [f"b{n:03}" for n in range(1, 60, 7)])
        for wrong in (-1, 1.5, "3", True, [], -10**30):
            answer = self.search(dpld, "resource", {**body, "page": {"limit": wrong}})
            self.assertEqual(answer.status, 400, wrong)
            self.assertIn("line 1", answer.json["error"])
        self.assertEqual(len(self.search(dpld, "resource", {**body, "page": {"limit": 10**30}}).json["results"]),
                         len(self.search(dpld, "resource", {**body, "page": {"limit": 5}}).json["results"]))
        for wrong in ([], "x", 1):
            self.assertEqual(self.search(dpld, "resource", {**body, "page": wrong}).status, 400, wrong)
        for fine in (None, {"properties": None}, {"properties": {"sort": "id"}}):
            self.assertEqual(self.search(dpld, "resource", {**body, "page": fine}).status, 200, fine)
        self.assertEqual(self.search(dpld, "resource", {**body, "page": {"properties": "id"}}).status, 400)

    def test_a_limit_holds_from_page_to_page(self):
        dpld = self.serve()
        body = question("resource", "p001", "write")
        answer = self.search(dpld, "resource", {**body, "page": {"limit": 2}})
        self.assertTrue(answer.body.startswith(b'{"page":{"next_token":"'), "the page comes first: it says what comes")
        pages = [answer.json]
        while pages[-1]["page"]["next_token"]:
            pages.append(self.search(dpld, "resource", {**body, "page": {"token": pages[-1]["page"]["next_token"]}}).json)
        self.assertEqual([len(page["results"]) for page in pages], [2, 2, 2, 2, 1])
        self.assertEqual([r["id"] for page in pages for r in page["results"]], self.walk(dpld, "resource", body))
        nothing = self.search(dpld, "resource", {**body, "page": {"limit": 0}}).json
        self.assertEqual((nothing["results"], nothing["page"]["count"]), ([], 0))
        self.assertNotIn("total", nothing["page"])
        begun = self.search(dpld, "resource", {**body, "page": {"token": nothing["page"]["next_token"]}}).json
        self.assertEqual([r["id"] for r in begun["results"]], self.walk(dpld, "resource", body))

    def test_who_may_search_and_what_is_recorded(self):
        def token(name):
            return {"Authorization": f"Bearer t-{name}", "X-Request-ID": f"r-{name}"}

        def caller(name, **more):
            return {"name": name, "token_sha256": hashlib.sha256(f"t-{name}".encode()).hexdigest(), "serves_persons": True, **more}
        dpld = self.serve(callers=[caller("gateway", search=True), caller("pep"), caller("ops", roles=["operate"], search=True)])
        body = question("resource", "p003", "dust", ("open.Shelf", "s1"))
        self.assertEqual(self.search(dpld, "resource", body).status, 401)
        for name in ("pep", "ops"):
            self.assertEqual(self.search(dpld, "resource", body, token(name)).status, 403, name)
        answer = self.search(dpld, "resource", body, token("gateway"))
        self.assertEqual([r["id"] for r in answer.json["results"]], ["s1"])
        self.assertEqual(answer.headers["x-request-id"], "r-gateway")
        self.assertEqual(self.search(dpld, "resource", body, {**token("gateway"), "Content-Type": "text/plain"}).status, 400)
        (record,) = dpld.audit(lambda r: r.get("kind") == "search")
        self.assertEqual(record["id"], answer.json["context"]["evaluation_id"])
        self.assertEqual((record["caller"], record["request_id"], record["searched"]), ("gateway", "r-gateway", "resource"))
        self.assertEqual((record["subject"], record["action"], record["resource"]), ({"type": "person", "id": "p003"}, "dust", {"type": "open.Shelf"}))
        self.assertEqual((record["results"], record["more"], record["continued"]), (1, False, False))
        self.assertEqual(record["policy"], answer.json["context"]["dpl"]["versions"]["policy"])
        self.assertIn('which open.Shelf person "p003" may dust: 1 result', record["says"])
        metrics = dpld.get("/metrics").body.decode()
        self.assertIn('dpl_searches_total{for="resource"} 1', metrics)
        self.assertIn("dpl_search_results_total 1", metrics)

    def test_an_index_is_made_anew_with_the_facts(self):
        dpld = self.serve()
        body = question("resource", "p001", "write")
        self.assertEqual(len(self.walk(dpld, "resource", body)), 9)
        self.write(books=8, version="f-2")
        self.reload(dpld, 1)
        self.assertEqual(self.walk(dpld, "resource", body), ["b001"])


if __name__ == "__main__":
    unittest.main()
