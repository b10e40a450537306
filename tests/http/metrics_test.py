#!/usr/bin/env python3
"""/metrics by the letter of the Prometheus text format 0.0.4 and its conventions, and the dashboard and alerts held to what it emits."""

import collections
import json
import math
import re
import tempfile
import unittest
from pathlib import Path

from dpld import EVALUATION, EVALUATIONS, ROOT, Dpld, build

FACTS = ROOT / "policies/authzen-fixture/facts.json"
GOOD = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}}
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
# What a name ends in that says a unit, and the units of the base that are allowed.
BASE_UNITS = ("seconds", "bytes", "ratio")
NOT_BASE = re.compile(r"_(ms|us|ns|millis\w*|micros\w*|minutes|hours|days|kib|mib|kb|mb|percent)(_|$)")


class FormatError(AssertionError):
    pass


def parse(text):
    """A strict reader of the format: {family: (type, help, [(name, labels, value)])}. Anything it does not know is an error."""
    families, current, seen, finished = {}, None, set(), set()
    if not text.endswith("\n"):
        raise FormatError("the last line has no line feed")

    def begin(name):
        nonlocal current
        if name == current:
            return
        if current is not None:
            finished.add(current)
        if name in finished:
            raise FormatError(f"{name} comes in two places")
        current = name
        families[name] = [None, None, []]

    for line in text[:-1].split("\n"):
        if "\r" in line or line != line.strip() or not line:
            raise FormatError(f"blanks around {line!r}")
        if line.startswith("#"):
            kind, name, rest = (line.split(" ", 3)[1:] + ["", ""])[:3]
            if kind not in ("HELP", "TYPE") or not NAME.fullmatch(name) or not rest:
                raise FormatError(line)
            begin(name)
            if kind == "HELP":
                if families[name][1] is not None or families[name][0] is not None:
                    raise FormatError(f"HELP of {name} is not its first line")
                if re.search(r"\\[^\\n]|\\$", rest):
                    raise FormatError(f"escapes in {line}")
                families[name][1] = rest
            else:
                if families[name][0] is not None or families[name][2] or rest not in ("counter", "gauge", "histogram", "summary", "untyped"):
                    raise FormatError(line)
                families[name][0] = rest
            continue
        name = NAME.match(line)[0]
        rest, labels = line[len(name):], []
        if rest.startswith("{"):
            at = 1
            while rest[at] != "}":
                label = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|(?=\}))').match(rest, at)
                if not label:
                    raise FormatError(f"labels of {line}")
                value = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], label[2])
                labels.append((label[1], value))
                at = label.end()
            rest = rest[at + 1:]
        number = re.fullmatch(r" (NaN|[+-]?Inf|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)", rest)
        if not number:
            raise FormatError(line)
        value = float(number[1])
        if len({n for n, _ in labels}) != len(labels) or any(n.startswith("__") for n, _ in labels):
            raise FormatError(f"labels of {line}")
        family = current
        if family is None or name != family and not (families[family][0] == "histogram" and
                                                     name in (f"{family}_bucket", f"{family}_sum", f"{family}_count")):
            raise FormatError(f"{name} has no TYPE before it")
        key = (name, tuple(sorted(labels)))
        if key in seen:
            raise FormatError(f"{line} comes twice")
        seen.add(key)
        families[family][2].append((name, dict(labels), value))
    return families


def check_conventions(families):
    for name, (kind, text, samples) in families.items():
        assert kind and text, f"{name} lacks HELP or TYPE"
        assert samples, f"{name} has no sample"
        assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
        assert not NOT_BASE.search(name), f"{name} is in no base unit"
        assert not name.endswith(("_sum", "_count", "_bucket")), name
        assert text.endswith("."), f"the help of {name} is no sentence"
        if name.endswith("_info"):
            assert kind == "gauge" and all(value == 1 for _, _, value in samples), name
        for sample, labels, value in samples:
            assert kind != "counter" or value >= 0 and math.isfinite(value), sample
            assert "le" not in labels or sample.endswith("_bucket"), sample
        if kind == "histogram":
            buckets = [(math.inf if l["le"] == "+Inf" else float(l["le"]), v) for n, l, v in samples if n.endswith("_bucket")]
            assert buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets), name
            count = [v for n, _, v in samples if n.endswith("_count")]
            assert buckets[-1] == (math.inf, count[0]), name
            assert len([1 for n, _, _ in samples if n.endswith("_sum")]) == 1, name


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="dpl-metrics-")
        cls.folder = Path(cls.temporary.name)
        source = (ROOT / "tests/http/world/policy.dpl").read_text() + 'person { key id: string source "h\\"r" within 4h }\n'
        (cls.folder / "p.dpl").write_text(source)
        facts = json.loads((ROOT / "tests/http/world/facts.json").read_text())
        facts["version"] = 'a "quoted" \\ back\\nslash é'
        (cls.folder / "facts.json").write_text(json.dumps(facts))
        cls.dpld = Dpld("--bundle", build(cls.folder / "p.dpl", cls.folder / "p.dplb"), "--facts", cls.folder / "facts.json")
        cls.dpld.ask(GOOD)
        cls.dpld.ask("{")
        cls.dpld.post(EVALUATIONS, {**GOOD, "evaluations": [{}, {"subject": 1}]})
        cls.dpld.request("GET", EVALUATION)
        cls.families = parse(cls.dpld.get("/metrics").body.decode())

    @classmethod
    def tearDownClass(cls):
        cls.dpld.stop()
        cls.temporary.cleanup()

    def value(self, name, **labels):
        found = [v for _, (_, _, samples) in self.families.items() for n, l, v in samples if n == name and l == labels]
        self.assertEqual(len(found), 1, (name, labels))
        return found[0]


class Metrics(Running):
    def test_conventions(self):
        check_conventions(self.families)

    def test_the_reader_is_strict(self):
        head = "# HELP a_total x.\n# TYPE a_total counter\n"
        check_conventions(parse(head + 'a_total{b="c\\"\\\\\\n"} 1\n'))
        for bad in ("a_total 1\n", head + "a_total 1", head + "a_total  1\n", head + "a_total{b=c} 1\n", head + 'a_total{b="c} 1\n',
                    head + 'a_total{b="\\x"} 1\n', head + "a_total 1\na_total 2\n", head + "b_total 1\n", head + "a_total one\n", head + head,
                    head + 'a_total{b="1",b="2"} 1\n', head + "a_total 1 \n", head + "\na_total 1\n", "# NOTE a x\n", "# TYPE a_total thing\n",
                    head + "a_total 1\n# HELP b_total x.\n# TYPE b_total counter\nb_total 1\n" + head):
            with self.assertRaises(FormatError, msg=bad):
                parse(bad)
        for bad in ("# HELP a x.\n# TYPE a counter\na 1\n", "# HELP a_ms x.\n# TYPE a_ms gauge\na_ms 1\n", "# TYPE a gauge\na 1\n",
                    "# HELP a_info x.\n# TYPE a_info gauge\na_info 2\n", "# HELP a_total x.\n# TYPE a_total counter\na_total -1\n"):
            with self.assertRaises(AssertionError, msg=bad):
                check_conventions(parse(bad))

    def test_labels_are_escaped(self):
        self.assertEqual(self.value("dpl_policy_info", digest=self.dpld.start["digest"], facts='a "quoted" \\ back\\nslash é'), 1)
        self.assertEqual(self.value("dpl_source_within_seconds", source='h"r'), 14400)

    def test_what_they_tell(self):
        self.assertEqual(sum(v for n, l, v in self.families["dpl_decisions_total"][2]), 2)
        self.assertEqual(self.value("dpl_evaluation_duration_seconds_count"), 2)
        self.assertEqual(self.value("dpl_http_responses_total", code="400"), 1)
        self.assertEqual(self.value("dpl_http_responses_total", code="405"), 1)
        self.assertEqual((self.value("dpl_ready"), self.value("dpl_health", state="LOADED"), self.value("dpl_health", state="ERROR")), (1, 1, 0))
        bounds = [float(l["le"]) for n, l, _ in self.families["dpl_evaluation_duration_seconds"][2] if n.endswith("_bucket") and l["le"] != "+Inf"]
        self.assertLessEqual(min(bounds), 1e-6)
        self.assertGreaterEqual(len([b for b in bounds if b < 1e-3]), 8, "buckets of microseconds")
        self.assertGreater(self.value("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(self.value("process_open_fds"), 5)
        self.assertLess(abs(self.value("process_start_time_seconds") - Path(f"/proc/{self.dpld.process.pid}").stat().st_mtime), 60)

    def test_no_label_names_anybody(self):
        for name, (_, _, samples) in self.families.items():
            for _, labels, _ in samples:
                self.assertFalse({"alice", "record-1"} & set(labels.values()), name)

    def test_the_page_names_every_family(self):
        page = (ROOT / "docs/dpld.md").read_text()
        for name in self.families:
            self.assertTrue(re.search(rf"`{name}[`{{]", page), f"docs/dpld.md does not name {name}")
        for reason in {labels["reason"] for _, labels, _ in self.families["dpl_http_requests_refused_total"][2]}:
            self.assertIn(f"`{reason}`", page)

    def test_refusals_are_counted_by_what_was_wrong(self):
        def refused():
            samples = parse(self.dpld.get("/metrics").body.decode())["dpl_http_requests_refused_total"][2]
            return collections.Counter({labels["reason"]: int(value) for _, labels, value in samples})
        head = b"POST / HTTP/1.1\r\n"
        chunked = head + b"Host: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        for reason, bad in {
                "request_line": b"NONSENSE\r\n\r\n", "target": b"GET a HTTP/1.1\r\n\r\n", "version": b"GET / HTTP/3.0\r\n\r\n",
                "host": head + b"\r\n", "header": head + b"Host: h\r\n folded\r\n\r\n", "line_end": head + b"Host: h\n\r\n",
                "length": head + b"Host: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "chunk": chunked + b"x\r\n",
                "expectation": head + b"Host: h\r\nExpect: tea\r\n\r\n", "head_too_large": head + b"A: b\r\n" * 200 + b"\r\n",
                "target_too_long": b"GET /" + b"a" * 10000 + b" HTTP/1.1\r\n\r\n", "body_too_large": chunked + b"fffff\r\n",
                "unfinished": head + b"Host: h\r\nContent-Length: 9\r\n\r\nab"}.items():
            before = refused()
            self.assertRegex(self.dpld.raw(bad, end=True), rb"^HTTP/1.1 [45]", reason)
            self.assertEqual(refused() - before, {reason: 1})
        self.assertEqual(len(refused()), 13, "all of them were tried")


class Observers(Running):
    """Each metric that the dashboard and the alerts name is one that dpld emits, with those labels."""

    def metrics_in(self, expression):
        """(name, {labels matched on}) of every selector."""
        plain = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
        words = []
        for found in re.finditer(r"\b([a-z_][a-z0-9_]*)\b(\s*\{[^}]*\})?(?!\s*\()", plain):
            if found[1].startswith(("dpl_", "process_")) or found[1] == "up":
                words.append((found[1], set(re.findall(r"([a-z_]+)\s*(?:=~|!=|!~|=)", found[2] or ""))))
        return words

    def hold(self, expression, where):
        emitted = {}
        for name, (_, _, samples) in self.families.items():
            for sample, labels, _ in samples:
                emitted.setdefault(sample, set()).update(labels)
        found = self.metrics_in(expression)
        self.assertTrue(found, f"{where}: no metric in {expression}")
        for name, labels in found:
            if name == "up":  # Prometheus's own
                continue
            self.assertIn(name, emitted, f"{where}: {expression}")
            self.assertLessEqual(labels - {"job", "instance"}, emitted[name], f"{where}: {expression}")
        for inside in re.findall(r"\bby \(([^)]*)\)", expression):
            for label in (part.strip() for part in inside.split(",")):
                self.assertIn(label, {"job", "instance"}.union(*(emitted.get(n, set()) for n, _ in found)), f"{where}: {expression}")
        for opening, closing in ("()", "[]", "{}"):
            self.assertEqual(expression.count(opening), expression.count(closing), f"{where}: {expression}")
        for counter in re.findall(r"\b(?:rate|increase)\((\w+)", expression):
            family = re.sub(r"_(bucket|sum|count)$", "", counter)
            kind = (self.families.get(counter) or self.families[family])[0]
            self.assertIn(kind, ("counter", "histogram"), f"{where}: the rate of {counter}")

    def test_the_dashboard(self):
        board = json.loads((ROOT / "docs/grafana/dpld.json").read_text())
        expressions = [t["expr"] for panel in board["panels"] for t in panel["targets"]] + [a["expr"] for a in board["annotations"]["list"]]
        self.assertGreater(len(expressions), 20)
        for expression in expressions:
            self.hold(expression, "dashboard")
        self.assertEqual(len({panel["id"] for panel in board["panels"]}), len(board["panels"]))
        squares = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            covered = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(covered & squares, f"{panel['title']} lies over another panel")
            squares |= covered

    def test_the_alerts(self):
        text = (ROOT / "docs/prometheus/alerts.yml").read_text()
        rules = re.findall(r"      - alert: (\w+)\n        expr: '(.*)'\n        for: (\d+[smh])\n        labels:\n          severity: (warning|critical)\n"
                           r"        annotations:\n          summary: '(.*)'\n          description: '(.*)'\n", text)
        self.assertEqual(len(rules), text.count("alert:"), "a rule that this test cannot read is one it does not hold")
        self.assertGreater(len(rules), 10)
        self.assertEqual(len({rule[0] for rule in rules}), len(rules))
        for name, expression, *_ in rules:
            self.hold(expression.replace("''", "'"), name)

    def test_a_misspelt_metric_is_noticed(self):
        for wrong in ("rate(dpl_decision_total[5m])", 'dpl_health{status="x"} == 1', "sum by (reasons) (dpl_decisions_total)", "rate(dpl_ready[5m])"):
            with self.assertRaises(AssertionError, msg=wrong):
                self.hold(wrong, "control")


if __name__ == "__main__":
    unittest.main()
