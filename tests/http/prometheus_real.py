#!/usr/bin/env python3
"""Prometheus's own promtool over what is there for it: /metrics of a running dpld, the alerts (that they are rules, and that each fires when
it should and not before) and the dashboard's expressions. `./dev test --full` runs it; the default suite has a reader of its own (metrics_test.py)."""

import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from dpld import PATIENCE, ROOT, Dpld, build
from metrics_test import FACTS, GOOD

ALERTS = ROOT / "docs/prometheus/alerts.yml"
JOB = 'job="dpld", instance="a"'
# What brings each alert about: series with their values, one a minute.
GROWS, OVER = "0+60x30", "1x30"
FIRES = {
    "DpldDown": {f"up{{{JOB}}}": "0x30"},
    "DpldNotReady": {f"dpl_ready{{{JOB}}}": "0x30"},
    "DpldError": {f'dpl_health{{{JOB}, state="ERROR"}}': OVER},
    "DpldStateNotWritable": {f"dpl_state_writable{{{JOB}}}": "0x30"},
    "DpldAuditNotWritable": {f"dpl_audit_writable{{{JOB}}}": "0x30"},
    "DpldAuditRecordsLost": {f"dpl_audit_dropped_total{{{JOB}}}": GROWS},
    "DpldReloadFailed": {f'dpl_reloads_total{{{JOB}, result="failed"}}': GROWS},
    "DpldStale": {f'dpl_health{{{JOB}, state="STALE"}}': OVER},
    "DpldFactsStale": {f'dpl_source_stale{{{JOB}, source="hr"}}': OVER},
    # Facts of the epoch; of two sources one allows half an hour, which is nearly over.
    "DpldFactsSoonStale": {f"dpl_facts_as_of_timestamp_seconds{{{JOB}}}": "0x30", f'dpl_source_within_seconds{{{JOB}, source="hr"}}': "1000x30",
                           f'dpl_source_within_seconds{{{JOB}, source="crm"}}': "1000000x30"},
    "DpldPoliciesDiffer": {f'dpl_policy_info{{{JOB}, digest="sha256:1"}}': OVER, 'dpl_policy_info{job="dpld", instance="b", digest="sha256:2"}': OVER},
    "DpldErrors": {f'dpl_decisions_total{{{JOB}, decision="deny", reason="error.store"}}': GROWS,
                   f'dpl_decisions_total{{{JOB}, decision="permit", reason="permit"}}': GROWS},
    "DpldFault": {f"dpl_http_handler_failures_total{{{JOB}}}": GROWS},
    "DpldSlow": {f'dpl_evaluation_duration_seconds_bucket{{{JOB}, le="0.001"}}': "0x30",
                 f'dpl_evaluation_duration_seconds_bucket{{{JOB}, le="0.002"}}': GROWS, f'dpl_evaluation_duration_seconds_bucket{{{JOB}, le="+Inf"}}': GROWS},
    "DpldSheds": {f"dpl_http_connections_shed_total{{{JOB}}}": GROWS, f"dpl_http_overloaded_total{{{JOB}}}": "0x30"},
    "DpldUnknownCallers": {f"dpl_unauthenticated_total{{{JOB}}}": "0+600x30"},
    "DpldDescriptors": {f"process_open_fds{{{JOB}}}": "95x30", f"process_max_fds{{{JOB}}}": "100x30"},
    "DpldDevelopmentMode": {f"dpl_development_mode{{{JOB}}}": OVER},
}
# A server that is well sets off none of them.
WELL = {
    f"up{{{JOB}}}": OVER, f"dpl_ready{{{JOB}}}": OVER, f'dpl_health{{{JOB}, state="LOADED"}}': OVER, f'dpl_health{{{JOB}, state="ERROR"}}': "0x30",
    f'dpl_health{{{JOB}, state="STALE"}}': "0x30", f"dpl_state_writable{{{JOB}}}": OVER, f"dpl_audit_writable{{{JOB}}}": OVER,
    f"dpl_audit_dropped_total{{{JOB}}}": "0x30", f'dpl_reloads_total{{{JOB}, result="failed"}}': "2x30", f'dpl_source_stale{{{JOB}, source="hr"}}': "0x30",
    f'dpl_policy_info{{{JOB}, digest="sha256:1"}}': OVER, 'dpl_policy_info{job="dpld", instance="b", digest="sha256:1"}': OVER,
    f'dpl_decisions_total{{{JOB}, decision="permit", reason="permit"}}': GROWS, f'dpl_decisions_total{{{JOB}, decision="deny", reason="error.store"}}': "0x30",
    f"dpl_http_handler_failures_total{{{JOB}}}": "0x30", f'dpl_evaluation_duration_seconds_bucket{{{JOB}, le="0.001"}}': GROWS,
    f'dpl_evaluation_duration_seconds_bucket{{{JOB}, le="+Inf"}}': GROWS, f"dpl_http_connections_shed_total{{{JOB}}}": "3x30",
    f"dpl_http_overloaded_total{{{JOB}}}": "0x30", f"dpl_unauthenticated_total{{{JOB}}}": "0+1x30", f"process_open_fds{{{JOB}}}": "10x30",
    f"process_max_fds{{{JOB}}}": "100x30", f"dpl_development_mode{{{JOB}}}": "0x30", f"dpl_facts_as_of_timestamp_seconds{{{JOB}}}": "0x30",
    f'dpl_source_within_seconds{{{JOB}, source="hr"}}': "1000000x30",
}


def promtool(*arguments, text=None):
    done = subprocess.run(["promtool", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout + done.stderr


class Promtool(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dpl-prometheus-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def good(self, *arguments, text=None):
        code, said = promtool(*arguments, text=text)
        self.assertEqual(code, 0, said)
        return said

    def test_metrics(self):
        dpld = Dpld("--bundle", build("authzen-fixture", self.folder / "p.dplb"), "--facts", FACTS)
        self.addCleanup(dpld.stop)
        dpld.ask(GOOD)
        self.good("check", "metrics", text=dpld.request("GET", "/metrics").body.decode())
        self.assertNotEqual(promtool("check", "metrics", text="dpl_x{ 1\n")[0], 0, "control")

    def test_the_alerts_are_rules(self):
        self.assertIn(f"{len(FIRES)} rules found", self.good("check", "rules", ALERTS))

    def case(self, series, alerts, at):
        """A test of rules: which of these alerts fire at that time."""
        lines = ["  - interval: 1m", "    input_series:"]
        for name, values in series.items():
            lines += [f"      - series: '{name}'", f"        values: '{values}'"]
        lines.append("    promql_expr_test:")
        for alert, firing in alerts.items():
            lines += [f"      - expr: 'count(ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}) or vector(0)'", f"        eval_time: {at}",
                      f"        exp_samples: [{{labels: '{{}}', value: {int(firing)}}}]"]
        return "\n".join(lines) + "\n"

    def rules(self, cases):
        path = self.folder / "test.yml"
        path.write_text(f"rule_files: ['{ALERTS}']\nevaluation_interval: 1m\ntests:\n" + "".join(cases))
        return promtool("test", "rules", path)

    def test_each_alert_fires_when_it_should(self):
        names = re.findall(r"- alert: (\w+)", ALERTS.read_text())
        self.assertEqual(sorted(names), sorted(FIRES))
        code, said = self.rules([self.case(series, {alert: True}, "30m") for alert, series in FIRES.items()] +
                                [self.case(WELL, dict.fromkeys(FIRES, False), "30m")])
        self.assertEqual(code, 0, said)
        self.assertNotEqual(self.rules([self.case(WELL, {"DpldDown": True}, "30m")])[0], 0, "control")

    def test_the_dashboard(self):
        """Every expression as a rule of its own, with what Grafana puts in for its variables."""
        board = json.loads((ROOT / "docs/grafana/dpld.json").read_text())
        expressions = [t["expr"] for panel in board["panels"] for t in panel["targets"]] + [a["expr"] for a in board["annotations"]["list"]]
        plain = [re.sub(r"\$__rate_interval|\$__interval", "5m", re.sub(r"\$(?!__)\w+|\$\{\w+\}", ".*", e)) for e in expressions]
        path = self.folder / "board.yml"
        path.write_text(json.dumps({"groups": [{"name": "board", "rules": [{"record": f"r{i}", "expr": e} for i, e in enumerate(plain)]}]}))
        self.assertIn(f"{len(plain)} rules found", self.good("check", "rules", path))


if __name__ == "__main__":
    unittest.main()
