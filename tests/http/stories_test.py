#!/usr/bin/env python3
"""Stories that can be served are served: `request.json` of a folder under policies/ gets what its `answer.json` says."""

import json
import tempfile
import unittest
from pathlib import Path

from dpld import EVALUATION, ROOT, Dpld, build

SERVED = sorted(a.parent for a in (ROOT / "policies").glob("**/answer.json"))


class Served(unittest.TestCase):
    def test_each_answers_as_it_says(self):
        self.assertGreaterEqual(len(SERVED), 5)
        for story in SERVED:
            with self.subTest(story.name), tempfile.TemporaryDirectory(prefix="dpl-story-") as folder:
                dpld = Dpld("--bundle", build(story, Path(folder) / "policy.dplb"), "--facts", story / "facts.json")
                try:
                    answer = dpld.post(EVALUATION, json.loads((story / "request.json").read_text()))
                finally:
                    self.assertEqual(dpld.stop(), 0)
                expected = json.loads((story / "answer.json").read_text())
                self.assertEqual(answer.status, 200, answer.body)
                self.assertIs(answer.json["decision"], expected["decision"], answer.body)
                self.assertEqual(answer.json["context"]["reason"], expected["reason"], answer.body)


if __name__ == "__main__":
    unittest.main()
