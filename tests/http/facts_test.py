#!/usr/bin/env python3
"""Facts while serving: replaced and changed over the API, versioned, checked, kept over a kill, and how that goes with the facts
file. Always with the durable store."""

import concurrent.futures
import datetime
import json
import signal
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from dpld import run  # noqa: E402
from operate_world import FACTS, POLICY, World, evaluation, token  # noqa: E402

STALE = POLICY.replace("person { key id: string }", 'person { key id: string source "hr" within 1h }')


def instant(hours=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def joins(person, **more):
    return {"upsert": {"memberships": [{"role": "buyer", "member": person}]}, **more}


def leaves(person, **more):
    return {"remove": {"memberships": [{"role": "buyer", "member": person}]}, **more}


class WithFacts(unittest.TestCase):
    POLICY = POLICY
    FACTS = FACTS

    def setUp(self):
        self.world = World(policy=self.POLICY, facts=self.FACTS)
        self.addCleanup(self.world.cleanup)
        self.serve()

    def serve(self, *more, **options):
        self.dpld = self.world.serve(*more, **options)
        self.addCleanup(self.dpld.stop)

    def restart(self, kill=True):
        self.dpld.stop(signal.SIGKILL if kill else signal.SIGTERM)
        self.serve()

    def reload(self, count=1, event="reloaded"):
        self.dpld.hang_up()
        return self.dpld.wait_for(event, count)

    def call(self, method, path, body=None, by="operator", version=None):
        headers = {"If-Match": f'"{version}"'} if version else None
        return self.dpld.operate(method, path, body, token=token(by), headers=headers)

    def change(self, body, **more):
        answer = self.call("PATCH", "/v1/facts", body, **more)
        self.assertEqual(answer.status, 200, answer.body)
        return answer

    def version(self):
        return self.call("GET", "/v1/facts/version").json["version"]

    def read(self, person):
        answer = self.dpld.ask(evaluation(person), {"Authorization": f"Bearer {token('gateway')}"})
        return answer.json["context"]

    def reason(self, person):
        return self.read(person)["reason"]

    def problem(self, answer, status, slug):
        self.assertEqual((answer.status, answer.json.get("type")), (status, f"urn:dpl:problem:{slug}"), answer.body)
        return answer.json


class Changing(WithFacts):
    def test_a_change_counts_from_the_next_decision_and_has_a_version(self):
        self.assertEqual(self.reason("boss"), "person.no_grant")
        answer = self.change(joins("boss"))
        self.assertEqual(answer.json["replaced"], "world-1")
        self.assertEqual(answer.headers["etag"], f'"{answer.json["version"]}"')
        seen = self.read("boss")
        self.assertEqual((seen["reason"], seen["dpl"]["versions"]["data"]), ("permit", answer.json["version"]))
        named = self.change(leaves("boss", version="world-2"))
        self.assertEqual(named.json["version"], "world-2")
        self.assertEqual((self.reason("boss"), self.version()), ("person.no_grant", "world-2"))

    def test_only_on_the_version_that_was_seen(self):
        self.problem(self.call("PATCH", "/v1/facts", joins("boss"), version="world-0"), 412, "version-moved")
        self.assertEqual(self.change(joins("boss", version="w2"), version="world-1").status, 200)
        self.problem(self.call("PATCH", "/v1/facts", leaves("boss"), version="world-1"), 412, "version-moved")
        self.problem(self.call("PUT", "/v1/facts", FACTS, version="world-1"), 412, "version-moved")
        self.problem(self.dpld.operate("PATCH", "/v1/facts", leaves("boss"), token=token("operator"), headers={"If-Match": "w2"}),
                     400, "invalid-header")
        self.problem(self.call("PATCH", "/v1/facts", leaves("boss", version="w2")), 422, "invalid-facts")
        self.assertEqual(self.version(), "w2")

    def test_all_or_nothing_with_the_place_of_the_mistake(self):
        for body, line, text in [
                ('{"upsert": {"persons": [{"id": "new"}],\n "memberships": [{"role": "buyr", "member": "new"}]}}', 2, "buyer"),
                ('{"upsert": {"persons": [{"id": "new"}],\n\n "resources": [{"type": "shop.Order", "id": "O9", "attributes": {"vendor": 1}}]}}', 3, "vendor"),
                ('{"upsert": {"persons": [{"id": "new"}]},\n "remove": {"persons": ["nobody"]}}', 2, "nobody"),
                ('{"upsert": {"persons": [{"id": "new", "status": "away"}]}}', 1, "away"),
                ('{"upsert": {"people": []}}', 1, "people"),
                ('{"upsert": ', 1, "")]:
            problem = self.problem(self.call("PATCH", "/v1/facts", body), 422, "invalid-facts")
            self.assertEqual(problem.get("line"), line, problem)
            self.assertIn(text, problem["detail"])
            self.assertEqual(self.version(), "world-1")
            self.assertEqual(self.reason("new"), "identity.unknown")
        self.change(joins("boss"))  # and goes on
        self.assertEqual(self.reason("boss"), "permit")
        self.problem(self.call("PATCH", "/v1/facts", {}), 422, "invalid-facts")
        self.problem(self.call("PATCH", "/v1/facts", joins("raj"), by="auditor"), 403, "forbidden")

    def test_persons_come_and_go_with_everything_that_hangs_on_them(self):
        self.change({"upsert": {"persons": [{"id": "zoe"}], "memberships": [{"role": "buyer", "member": "zoe"}]}})
        self.assertEqual(self.reason("zoe"), "permit")
        self.change({"upsert": {"persons": [{"id": "zoe", "status": "suspended"}]}})
        self.assertEqual(self.reason("zoe"), "person.not_active")
        self.change({"remove": {"persons": ["zoe"]}})
        self.assertEqual(self.reason("zoe"), "identity.unknown")
        self.change({"upsert": {"persons": [{"id": "zoe"}]}})
        self.assertEqual(self.reason("zoe"), "person.no_grant")  # back, without the role

    def test_kept_over_a_kill(self):
        self.change(leaves("raj"))
        self.change(joins("boss", version="w3"))
        self.restart()
        self.assertEqual((self.version(), self.reason("raj"), self.reason("boss")), ("w3", "person.no_grant", "permit"))
        self.change(joins("raj"))
        self.restart(kill=False)
        self.assertEqual(self.reason("raj"), "permit")
        self.assertEqual(self.call("GET", "/v1/facts/version").json["changes"], 3)

    def test_many_changes_become_one_document(self):
        self.change(leaves("raj"))
        for n in range(2):
            self.change(json.dumps({**joins("boss"), "version": f"v{n}"}) + " " * (9 << 20))
        info = self.call("GET", "/v1/facts/version").json
        self.assertEqual((info["version"], info["source"], info["changes"]), ("v1", "pushed", 0))
        self.assertLess(info["kept_bytes"], 10_000)
        for _ in range(2):
            self.restart()
            self.assertEqual((self.version(), self.reason("raj"), self.reason("boss")), ("v1", "person.no_grant", "permit"))
        self.change(joins("raj"))
        self.reload()
        self.assertEqual(self.reason("raj"), "permit")

    def test_what_was_answered_is_there_after_a_kill_at_any_moment(self):
        for round_ in range(5):
            answered, stop = [], threading.Event()

            def push():
                n = 0
                while not stop.is_set():
                    n += 1
                    try:
                        answer = self.call("PATCH", "/v1/facts", {"version": f"k{round_}-{n}", "upsert": {
                            "persons": [{"id": f"p{round_}-{n}"}],
                            "memberships": [{"role": "buyer", "member": f"p{round_}-{n}"}]}})
                    except Exception:  # cut off by the kill
                        return
                    if answer.status != 200:
                        return
                    answered.append(n)

            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                running = pool.submit(push)
                while len(answered) < 2 * (round_ + 1):
                    pass
                self.dpld.stop(signal.SIGKILL)
                stop.set()
                running.result()
            self.serve()
            last = answered[-1]
            self.assertIn(self.version(), (f"k{round_}-{last}", f"k{round_}-{last + 1}"))
            for n in answered:
                self.assertEqual(self.reason(f"p{round_}-{n}"), "permit")

    def test_decisions_see_one_version_whole(self):
        """raj and boss change places again and again; nobody ever sees both or neither in one batch."""
        stop = threading.Event()
        wrong, seen = [], set()

        def ask():
            batch = {"evaluations": [evaluation("raj"), evaluation("boss")]}
            while not stop.is_set():
                answer = self.dpld.post("/access/v1/evaluations", batch, {"Authorization": f"Bearer {token('gateway')}"}).json
                a, b = answer["evaluations"]
                seen.add((a["decision"], b["decision"]))
                if a["decision"] == b["decision"] or a["context"]["dpl"]["versions"] != b["context"]["dpl"]["versions"]:
                    wrong.append(answer)

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            running = [pool.submit(ask) for _ in range(3)]
            for n in range(40):
                gone, come = ("raj", "boss") if n % 2 == 0 else ("boss", "raj")
                self.change({"remove": {"memberships": [{"role": "buyer", "member": gone}]},
                             "upsert": {"memberships": [{"role": "buyer", "member": come}]}})
            stop.set()
            for one in running:
                one.result()
        self.assertEqual(wrong, [])
        self.assertEqual(len(seen), 2)

    def test_of_writers_with_the_same_version_one_wins(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: self.call("PATCH", "/v1/facts", {"version": f"n{n}", "upsert": {
                "persons": [{"id": f"p{n}"}]}}, version="world-1"), range(16)))
        self.assertEqual(sorted(a.status for a in answers), [200] + [412] * 15)


class ByReference(WithFacts):
    """What a reference leads to is what was pushed last, though what refers to it is a record of before."""
    POLICY = POLICY.replace("person { key id: string }", "person { key id: string  within manager: Person? }") + """
role reader { owner team finance }
resource Desk in shop { has head: Person  can look }
resource Note in shop { within desk: shop.Desk?  has owner: Person  can glance, skim, peek }
grant glances { to role reader may glance on shop.Note where resource.owner in team finance because "Notes of finance" }
grant skims   { to role reader may skim on shop.Note where resource.owner.manager is known and resource.owner.manager == person because "Notes of one's own people" }
grant peeks   { to role reader may peek on shop.Note where resource.desk is known and resource.desk.head == person because "Notes of one's own desk" }
"""
    FACTS = {**FACTS, "roles": [*FACTS["roles"], {"role": "reader", "members": ["raj"]}],
             "resources": [*FACTS["resources"], {"type": "shop.Desk", "id": "D1", "attributes": {"head": "ana"}},
                           {"type": "shop.Note", "id": "N1", "parent": "D1", "attributes": {"owner": "ana"}}]}

    def may(self, action):
        body = {"subject": {"type": "person", "id": "raj"}, "action": {"name": action}, "resource": {"type": "shop.Note", "id": "N1"}}
        answer = self.dpld.ask(body, {"Authorization": f"Bearer {token('gateway')}"})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["decision"]

    def test_memberships_attributes_and_containers(self):
        self.assertEqual([self.may(a) for a in ("glance", "skim", "peek")], [False, False, False])
        self.change({"upsert": {"memberships": [{"team": "finance", "member": "ana"}]}})
        self.assertEqual([self.may(a) for a in ("glance", "skim", "peek")], [True, False, False])
        self.change({"upsert": {"persons": [{"id": "ana", "attributes": {"manager": "raj"}}]}})
        self.assertEqual([self.may(a) for a in ("glance", "skim", "peek")], [True, True, False])
        self.change({"upsert": {"resources": [{"type": "shop.Desk", "id": "D1", "attributes": {"head": "raj"}}]}})
        self.assertEqual([self.may(a) for a in ("glance", "skim", "peek")], [True, True, True])
        self.change({"remove": {"memberships": [{"team": "finance", "member": "ana"}], "persons": ["ana"],
                                "resources": [{"type": "shop.Desk", "id": "D1"}]}})
        self.assertEqual([self.may(a) for a in ("glance", "skim", "peek")], [False, False, False])
        self.restart()
        self.assertEqual([self.may(a) for a in ("glance", "skim", "peek")], [False, False, False])


class Replacing(WithFacts):
    def test_a_whole_document(self):
        next_ = {**FACTS, "version": "w2", "roles": [{"role": "buyer", "members": ["boss"]}]}
        answer = self.call("PUT", "/v1/facts", next_, version="world-1")
        self.assertEqual((answer.status, answer.json["source"]), (200, "pushed"), answer.body)
        self.assertEqual((self.reason("raj"), self.reason("boss")), ("person.no_grant", "permit"))
        self.restart()
        self.assertEqual((self.version(), self.reason("raj"), self.reason("boss")), ("w2", "person.no_grant", "permit"))
        self.problem(self.call("PUT", "/v1/facts", next_), 422, "invalid-facts")  # the same version once more

    def test_a_wrong_one_changes_nothing(self):
        wrong = json.dumps({**FACTS, "version": "w2", "roles": [{"role": "buyr", "members": ["boss"]}]}, indent=1)
        problem = self.problem(self.call("PUT", "/v1/facts", wrong), 422, "invalid-facts")
        self.assertGreater(problem["line"], 1)
        self.assertEqual((self.version(), self.reason("raj")), ("world-1", "permit"))

    def test_a_large_one_is_taken_here_and_nowhere_else(self):
        persons = FACTS["persons"] + [{"id": f"E{n:06}"} for n in range(20_000)]
        big = {**FACTS, "version": "big", "persons": persons}
        self.assertGreater(len(json.dumps(big)), 300_000)
        answer = self.call("PUT", "/v1/facts", big)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(self.reason("E019999"), "person.no_grant")
        answer = self.call("PATCH", "/v1/facts", {"remove": {"persons": ["E019999"]}})
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(self.reason("E019999"), "identity.unknown")

    def test_its_consents_count(self):
        given = {**FACTS, "version": "w2", "consents": [{"delegation": "cover", "person": "raj", "at": instant(-1)}]}
        self.assertEqual(self.call("PUT", "/v1/facts", given).status, 200)
        self.assertEqual([c["state"] for c in self.call("GET", "/v1/consents").json["items"]], ["live"])
        self.assertEqual(self.call("PUT", "/v1/facts", {**FACTS, "version": "w3"}).status, 200)
        self.assertEqual([c["state"] for c in self.call("GET", "/v1/consents").json["items"]], ["withdrawn"])
        wrong = {**given, "version": "w4", "consents": [{"delegation": "covr", "person": "raj", "at": instant(-1)}]}
        self.problem(self.call("PUT", "/v1/facts", wrong), 422, "invalid-facts")
        self.assertEqual(self.version(), "w3")


class WithTheFile(WithFacts):
    def test_the_same_file_again_leaves_what_was_pushed(self):
        self.change(leaves("raj", version="w2"))
        self.reload()
        self.assertEqual((self.version(), self.reason("raj")), ("w2", "person.no_grant"))

    def test_another_file_takes_the_place_of_what_was_pushed(self):
        self.change(leaves("raj"))
        self.world.facts({**FACTS, "version": "file-2"})
        self.reload()
        self.assertEqual((self.version(), self.reason("raj")), ("file-2", "permit"))
        self.dpld.wait_for("facts_dropped")
        self.assertEqual(self.call("GET", "/v1/facts/version").json["source"], "file")
        self.restart()
        self.assertEqual((self.version(), self.reason("raj")), ("file-2", "permit"))

    def test_a_file_that_says_it_is_older_does_not(self):
        self.change(leaves("raj", version="w2"))
        self.world.facts({**FACTS, "version": "file-2", "as_of": instant(-2)})
        failed = self.reload(event="reload_failed")
        self.assertIn("older", failed["error"])
        self.assertEqual((self.version(), self.reason("raj")), ("w2", "person.no_grant"))
        self.restart()
        self.dpld.wait_for("facts_kept")
        self.assertEqual((self.version(), self.reason("raj")), ("w2", "person.no_grant"))

    def test_a_file_changed_on_disk_is_reloaded_before_it_is_changed(self):
        self.world.facts({**FACTS, "version": "file-2"})
        self.assertIn("reload", self.problem(self.call("PATCH", "/v1/facts", leaves("raj")), 412, "version-moved")["detail"])
        self.reload()
        self.change(leaves("raj"))
        self.assertEqual(self.reason("raj"), "person.no_grant")

    def test_another_bundle_is_joined_with_what_was_pushed(self):
        self.change(leaves("raj", version="w2"))
        self.world.policy(POLICY.replace("may     read, approve on", "may     read, approve, close on"))
        self.reload()
        self.assertEqual((self.version(), self.reason("raj")), ("w2", "person.no_grant"))
        self.change(joins("raj"))
        self.assertEqual(self.reason("raj"), "permit")

    def test_damage_is_refused_at_the_start(self):
        self.change(leaves("raj"))
        self.dpld.stop()
        [kept] = (self.world.folder / "state" / "facts").glob("facts-*.json")
        kept.write_bytes(kept.read_bytes().replace(b"raj", b"jar"))
        refused = run("--bundle", self.world.folder / "policy.dplb", "--facts", self.world.folder / "facts.json", "--state",
                      self.world.folder / "state", "--listen", "127.0.0.1:0", "--operate", "none")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("facts.corrupt", refused.stderr)

    def test_in_memory_it_lasts_as_long_as_the_server(self):
        self.dpld.stop()
        self.serve(state="memory")
        self.change(leaves("raj"))
        self.change(joins("boss"))
        self.assertEqual((self.reason("raj"), self.reason("boss")), ("person.no_grant", "permit"))
        self.dpld.stop()
        self.serve(state="memory")
        self.assertEqual((self.reason("raj"), self.version()), ("permit", "world-1"))


class Staleness(WithFacts):
    POLICY = STALE
    FACTS = {**FACTS, "as_of": instant(-2)}

    def test_a_feed_that_is_too_old_grants_nothing_until_it_says_it_is_fresh(self):
        self.assertNotEqual(self.reason("raj"), "permit")
        self.change({"as_of": instant(-1.5), "version": "v2"})
        self.assertNotEqual(self.reason("raj"), "permit")
        self.change(joins("boss", version="v3"))  # one change does not say that all the rest is fresh
        self.assertNotEqual(self.reason("raj"), "permit")
        self.change({"as_of": instant()})
        self.assertEqual(self.reason("raj"), "permit")
        self.assertEqual(self.reason("boss"), "permit")
        self.restart()
        self.assertEqual(self.reason("raj"), "permit")
        self.problem(self.call("PATCH", "/v1/facts", {"as_of": instant(+1)}), 422, "invalid-facts")
        self.problem(self.call("PATCH", "/v1/facts", {"as_of": instant(-1)}), 422, "invalid-facts")


if __name__ == "__main__":
    unittest.main()
