#!/usr/bin/env python3
"""docs/dpld.schema.json held equal to what dpld reads: the same members everywhere, the same verdict over a generated corpus; and what
--check-config says and how it ends."""

import json
import random
import re
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dpld import BIN, PATIENCE, ROOT, build
from json_schema import Schemas

SCHEMA = json.loads((ROOT / "docs/dpld.schema.json").read_text())
FACTS = ROOT / "policies/authzen-fixture/facts.json"
CASES, SEED = 600, 20261122
# What dpld refuses and no schema can say: docs/dpld.schema.json lists it in its description.
BEYOND = ("is taken by another caller", "cannot be told from", "can be reached from other machines", "no IPv6 address between the brackets",
          "the path is longer than 107 bytes",
          # Of routes: what pattern and templates say together.
          "cannot be sent:", "holds a", "which the path does not hold", "goes on after", "must hold one placeholder", "needs `methods`",
          "twice", "what no route fits is denied", "one lies in the other", "may hold `*` at its end only", "is empty")
# Values that make up the corpus; each a member's name with texts that fit.
POOL = {"listen": ["127.0.0.1:0", "[::1]:0", "unix:/tmp/a.sock", "localhost:65535", "0.0.0.0:1", "[::]:1", "[1:2]:3", "256.1.1.1:1", "1.2.3:4",
                   "127.0.0.1:65536", "127.0.0.1:00080", "127.0.0.01:1", "127.0.0.1:", "unix:", "unix:" + "x" * 108, "unix:" + "ä" * 60, "none", "host:1"],
        "token_sha256": ["9f" * 32, "AB" * 32, "zz" * 32, "ab" * 31], "asserts_attributes": ["person.role", "context.ip", "role", "."],
        "public_url": ["https://pdp.example", "https://pdp.example/a", "https://pdp.example/", "http://x", "https://", "https:///x", "https://a b",
                       "https://x?y", "https://x#y", "https://\u00e9.example", "https://a\n"],
        "name": ["a", "b", "c\n", "\u2028"], "roles": ["decide", "operate", "audit", "operator"], "duties": ["mask", "sing"], "log": ["text", "xml"]}


def places(schema, schemas, path=()):
    """Every object of the configuration: its path, and the names of its members by the schema."""
    schema = schemas.resolve(schema)
    if schema.get("type") == "object":
        yield path, list(schema["properties"])
        for name, part in schema["properties"].items():
            yield from places(part, schemas, path + (name,))
    elif schema.get("type") == "array":
        yield from places(schema["items"], schemas, path + (0,))


class CheckConfig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="dpl-config-")
        cls.folder = Path(cls.temporary.name)
        cls.bundle = build("authzen-fixture", cls.folder / "policy.dplb")
        cls.schemas = Schemas(SCHEMA)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def check(self, text, bundle=None, facts=FACTS):
        """What --json tells of a configuration."""
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".json") as file:
            file.write(text)
            file.flush()
            ended = subprocess.run([BIN / "dpld", "--check-config", file.name, "--json", "--bundle", bundle or self.bundle, "--facts", facts, "--state", "memory"],
                                   capture_output=True, text=True, timeout=PATIENCE)
        self.assertIn(ended.returncode, (0, 1), ended.stderr)
        told = json.loads(ended.stdout)
        self.assertEqual(told["ok"], ended.returncode == 0)
        self.assertEqual(told["ok"], not told["problems"])
        return told

    def test_the_same_members_everywhere(self):
        """dpld lists what it knows beside a member that it does not know."""
        for path, names in places(SCHEMA, self.schemas):
            value = {"no such member": 1}
            for step in reversed(path):
                value = [value] if step == 0 else {step: value}
            problems = [p for p in self.check(json.dumps(value))["problems"] if "no such member" in p["message"]]
            self.assertEqual(len(problems), 1, path)
            known = re.search(r"known are: (.*)$", problems[0]["message"])[1].split(", ")
            self.assertEqual(sorted(known), sorted(names), path)

    def corpus(self):
        rng = random.Random(SEED)
        pool = lambda name: POOL.get(name, [])  # noqa: E731
        for n in range(CASES):
            value = self.schemas.make(SCHEMA, rng, pool)
            for caller in value.get("callers", []):
                if rng.random() < 0.8:  # make() looks at an object's properties, not at its alternatives
                    caller.setdefault("unix_uid", rng.randint(0, 3))
            if n % 3 == 1:
                value = self.schemas.spoil(SCHEMA, value, rng) or value
            elif n % 3 == 2:  # one member takes a text that is nearly right
                self.nearly(value, rng)
            yield value

    def nearly(self, value, rng):
        found = []

        def walk(at):
            for name, inner in (at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()):
                if name in POOL:
                    found.append((at, name, isinstance(inner, list)))
                walk(inner)
        walk(value)
        if found:
            at, name, several = rng.choice(found)
            text = rng.choice(POOL[name])
            at[name] = [text] if several else text

    def test_the_same_verdict_over_a_corpus(self):
        cases = list(self.corpus())
        with ThreadPoolExecutor(4) as threads:
            told = list(threads.map(lambda value: self.check(json.dumps(value)), cases))
        good = bad = 0
        for value, answer in zip(cases, told):
            errors = self.schemas.errors(SCHEMA, value)
            beyond = [p for p in answer["problems"] if any(word in p["message"] for word in BEYOND)]
            if errors:
                bad += 1
                self.assertFalse(answer["ok"], f"the schema refuses what dpld takes: {errors}\n{json.dumps(value)}")
            elif not answer["ok"]:
                self.assertEqual(len(beyond), len(answer["problems"]), f"dpld refuses what the schema takes: {answer}\n{json.dumps(value)}")
            else:
                good += 1
        self.assertGreater(good, CASES // 6, "too few good ones to mean anything")
        self.assertGreater(bad, CASES // 4, "too few bad ones to mean anything")

    def test_every_single_bound(self):
        """Each number of the schema at its bounds and just beyond them."""
        def numbers(schema, path=()):
            schema = self.schemas.resolve(schema)
            if schema.get("type") == "integer":
                yield path, schema
            for name, part in schema.get("properties", {}).items():
                yield from numbers(part, path + (name,))
            if schema.get("type") == "array":
                yield from numbers(schema["items"], path + (0,))
        cases = []
        for path, schema in numbers(SCHEMA):
            for number, fits in ((schema["minimum"], True), (schema["maximum"], True), (schema["minimum"] - 1, False), (schema["maximum"] + 1, False)):
                value = number
                for step in reversed(path):
                    value = [{"name": "x", "unix_uid": 1, **value}] if step == 0 else {step: value}
                cases.append((path, number, fits, value))
        with ThreadPoolExecutor(4) as threads:
            told = list(threads.map(lambda case: self.check(json.dumps(case[3])), cases))
        for (path, number, fits, _), answer in zip(cases, told):
            self.assertEqual(answer["ok"], fits, f"{path} {number}: {answer}")

    def test_the_page_tells_every_member(self):
        page = "".join((ROOT / "docs" / name).read_text() for name in ("dpld.md", "integrations/README.md", "integrations/kubernetes.md"))
        for path, names in places(SCHEMA, self.schemas):
            for name in names:
                self.assertRegex(page, rf"`(\w+\.)?{name}[`.]", f"docs/dpld.md says nothing of {path} {name}")

    def test_everything_that_is_wrong_with_its_place(self):
        text = '{\n  "thread": 2,\n  "limits": {"heders": 9},\n  "log": "xml"\n}'
        told = self.check(text)
        self.assertEqual([(p["line"], p["column"], p.get("path", "")) for p in told["problems"]], [(2, 13, ""), (3, 24, "limits"), (4, 10, "log")])
        self.assertIn("did you mean `headers`?", told["problems"][1]["message"])
        told = self.check('{"threads": 1,}')
        self.assertEqual((told["problems"][0]["line"], told["problems"][0]["column"]), (1, 15))

    def test_bundle_and_facts_are_both_looked_at(self):
        (self.folder / "bad.dplb").write_bytes(b"garbage")
        (self.folder / "bad.json").write_text("{\n \"persons\": 7}")
        told = self.check(json.dumps({}), self.folder / "bad.dplb", self.folder / "bad.json")
        self.assertEqual([(Path(p["file"]).name, p.get("line")) for p in told["problems"]], [("bad.dplb", None), ("bad.json", 2)])

    def test_a_good_one_says_what_was_loaded_and_exits_with_0(self):
        told = self.check(json.dumps({}))
        self.assertEqual((told["bundle"], told["problems"]), (str(self.bundle), []))
        self.assertRegex(told["digest"], "^sha256:[0-9a-f]{64}$")

    def test_wrong_use_is_2(self):
        for arguments in (("--json",), ("--check-config", "a.json", "--config", "b.json"), ("--check-config", "a.json", "b.json")):
            self.assertEqual(subprocess.run([BIN / "dpld", *arguments], capture_output=True, timeout=PATIENCE).returncode, 2, arguments)

    def test_it_changes_nothing(self):
        state = self.folder / "untouched"
        subprocess.run([BIN / "dpld", "--check-config", "--bundle", self.bundle, "--facts", FACTS, "--state", state], capture_output=True, check=True,
                       timeout=PATIENCE)
        self.assertFalse(state.exists())


if __name__ == "__main__":
    unittest.main()
