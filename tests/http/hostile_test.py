#!/usr/bin/env python3
"""Bad input over HTTP: each gets its documented answer, and a control beside it must succeed, so that a server which
refuses everything would fail here. The server must be as well afterwards as before."""

import gzip
import json
import socket
import unittest

from dpld import DROP, EVALUATION, EVALUATIONS, PATIENCE, FixtureServed

GOOD = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
        "resource": {"type": "record", "id": "record-1"}}
TEXT = json.dumps(GOOD)


def changed(**members):
    return {**GOOD, **members}


def with_context(text):
    """GOOD with this raw JSON as its context."""
    return TEXT[:-1] + ', "context": ' + text + "}"


def nested(depth, opening="[", closing="]"):
    return opening * depth + closing * depth


class Hostile(FixtureServed, unittest.TestCase):
    def tearDown(self):
        self.permit(GOOD)

    def permit(self, body, headers=None):
        answer = self.dpld.ask(body, headers)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIs(answer.json["decision"], True, answer.body)
        return answer

    def refuse(self, body, headers=None, status=400):
        answer = self.dpld.ask(body, headers)
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(list(answer.json), ["error"])
        self.assertTrue(answer.json["error"])
        return answer

    def deny(self, body, reason=None):
        answer = self.dpld.ask(body)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIs(answer.json["decision"], False, answer.body)
        if reason:
            self.assertEqual(answer.json["context"]["reason"], reason, answer.body)
        return answer

    # --- JSON ---

    def test_malformed_json(self):
        for bad in ("", " ", "{", "}", "[", "nul", "{\"a\"}", "{\"a\":}", "{'a':1}", TEXT + "x", TEXT + TEXT, TEXT[:-1],
                    "// comment\n" + TEXT, TEXT.replace(",", ",,", 1), TEXT[:-1] + ",}", "\ufeff" + TEXT, "[1,2,]",
                    TEXT.replace("\"alice\"", "\"ali\nce\""), TEXT.replace("\"alice\"", "\"ali\\xce\""), "NaN", "+1", "01"):
            with self.subTest(bad=bad[:40]):
                self.refuse(bad.encode())
        self.permit(" \r\n\t" + TEXT + "\n ")

    def test_the_body_must_be_an_object(self):
        for bad in ("null", "true", "1", "\"x\"", "[]", "[" + TEXT + "]"):
            self.assertIn("line 1", self.refuse(bad).json["error"])

    def test_errors_say_where(self):
        self.assertIn("line 2, column", self.refuse("{\"subject\": {},\n \"action\": ]").json["error"])

    def test_duplicate_names(self):
        for bad in (TEXT[:-1] + ', "subject": {"type": "user", "id": "bob"}}',
                    TEXT.replace('"id": "alice"', '"id": "alice", "id": "bob"'),
                    TEXT.replace('"id": "alice"', '"id": "alice", "\\u0069d": "bob"'),
                    with_context('{"a": {"b": 1, "b": 1}}')):
            self.refuse(bad)
        self.permit(with_context('{"a": {"b": 1, "c": {"b": 1}}}'))

    def test_deep_nesting(self):
        for depth in (33, 1000, 30_000):
            self.refuse(with_context(nested(depth)))
        for depth in (17, 1000, 8_000):
            self.refuse(with_context(nested(depth, '{"a":[', "]}")))
        self.refuse("[" * 60_000)
        self.permit(with_context('{"a":' + nested(20) + "}"))

    def test_many_members(self):
        many = {f"k{i}": i for i in range(1001)}
        self.refuse(changed(context=many))
        many.pop("k0")
        self.permit(changed(context=many))

    def test_numbers_beyond_range(self):
        for number in ("1e400", "-1e400", "1" * 400, "0." + "1" * 400, "1e-400", "123456789012345678901234567890"):
            with self.subTest(number=number[:20]):
                answer = self.dpld.ask(with_context('{"n": ' + number + "}"))
                self.assertIn(answer.status, (200, 400))  # undeclared, so ignored; or refused: never a fault
        for bad in ("1e", "--1", "1.", ".5", "0x10", "1_000", "Infinity", "-"):
            self.refuse(with_context('{"n": ' + bad + "}"))
        self.permit(with_context('{"n": -1.5e3}'))

    def test_a_number_where_a_text_belongs(self):
        self.refuse(changed(subject={"type": "user", "id": 7}))
        self.refuse(changed(action={"name": None}))

    def test_invalid_utf8(self):
        for bad in (b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"):
            self.refuse(TEXT.encode().replace(b"alice", b"ali" + bad + b"ce"))
        for bad in ("\\ud800", "\\udc00", "\\ud800\\u0041"):
            self.refuse(TEXT.replace("alice", bad))
        self.refuse(TEXT.encode("utf-16"))
        self.permit(with_context('{"name": "\\ud83d\\ude00 \u00e9"}').encode())

    def test_nul(self):
        self.refuse(TEXT.encode() + b"\0")
        self.refuse(TEXT.encode().replace(b"alice", b"alice\0"))
        answer = self.dpld.ask(TEXT.replace("alice", "alice\\u0000"))
        self.assertFalse(answer.status == 200 and answer.json["decision"])

    def test_invisible_and_bidi_characters_in_ids(self):
        for trick in ("\u202e", "\u200b", "\u2066", "\ufeff", "\u00ad", "\u0007", "\u2028"):
            with self.subTest(trick=hex(ord(trick))):
                self.deny(changed(subject={"type": "user", "id": "ali" + trick + "ce"}))
                self.deny(changed(resource={"type": "record", "id": "record-1" + trick}))
        self.deny(changed(resource={"type": "record", "id": "re\u0301cord"}))  # not in normal form C
        # Where a text is only carried along it does no harm, and comes back as valid JSON.
        self.permit(changed(context={"note": "\u202ealice\u200b"}))

    def test_answers_are_one_json_value_whatever_is_asked(self):
        for odd in ('"', "\\", "\n", "</script>", "\u2028", "'; drop table", "\x7f", "{}", "%00"):
            self.deny(changed(resource={"type": "record", "id": odd}))

    # --- Members ---

    def test_each_required_member(self):
        for entity, member in (("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id")):
            for value in (DROP, None, 1, True, [], {}):
                with self.subTest(member=f"{entity}.{member}", value=value):
                    broken = {**GOOD[entity], member: value}
                    if value is DROP:
                        del broken[member]
                    self.refuse(changed(**{entity: broken}))
        for entity in ("subject", "action", "resource"):
            for value in (None, "x", 1, []):
                self.refuse(changed(**{entity: value}))
            self.refuse({name: value for name, value in GOOD.items() if name != entity})

    def test_members_of_the_wrong_type(self):
        self.refuse(changed(context="x"))
        self.refuse(changed(context=[]))
        self.refuse(changed(subject={**GOOD["subject"], "properties": []}))
        self.permit(changed(subject={**GOOD["subject"], "properties": {"x": 1}}, context={}))

    def test_unknown_things_are_denied_not_errors(self):
        self.deny(changed(subject={"type": "user", "id": "mallory"}), "identity.unknown")
        self.deny(changed(subject={"type": "spaceship", "id": "alice"}))
        self.deny(changed(action={"name": "explode"}), "request.unknown_action")
        self.deny(changed(resource={"type": "planet", "id": "record-1"}), "request.unknown_action")
        self.deny(changed(resource={"type": "record", "id": "record-9"}), "person.no_grant")

    def test_attributes_of_the_wrong_type(self):
        self.deny(changed(action={"name": "delete", "properties": {"soft": "yes"}}), "request.invalid")
        self.permit(changed(action={"name": "delete", "properties": {"soft": True}}))

    # --- Actors ---

    def test_an_unknown_actor_denies(self):
        self.deny(changed(context={"agent": "nobody"}))
        self.deny(changed(subject={**GOOD["subject"], "properties": {"act": {"sub": "nobody"}}}))

    def test_contradicting_actors_deny(self):
        body = changed(subject={**GOOD["subject"], "properties": {"act": {"sub": "one"}}}, context={"agent": "two"})
        self.deny(body, "identity.chain_mismatch")

    def test_a_malformed_actor_never_counts_as_none(self):
        for act in ("x", 1, [], {}, {"sub": 1}, {"sub": ""}, {"sub": "a", "act": "b"}, True):
            with self.subTest(act=act):
                answer = self.dpld.ask(changed(subject={**GOOD["subject"], "properties": {"act": act}}))
                self.assertFalse(answer.status == 200 and answer.json["decision"], answer.body)

    def test_a_chain_that_is_too_deep_denies(self):
        act = {"sub": "x"}
        for _ in range(12):
            act = {"sub": "x", "act": act}
        self.deny(changed(subject={**GOOD["subject"], "properties": {"act": act}}))

    # --- Headers, methods, paths ---

    def test_content_type(self):
        for bad in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application", "", DROP,
                    "application/json; charset", "application/json; charset =utf-8", "application/json; charset= utf-8",
                    "application/json; charset=\"utf-8", "application/json; charset=\"utf-8\"x", "application/json; x y=1",
                    "application/json; a=b; charset=latin1", "application/json; charset=utf-8; charset=utf-16", "application/json x"):
            self.refuse(GOOD, {"Content-Type": bad})
        for good in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=\"UTF-8\"",
                     "application/json;", "application/json ; ; a=b", "application/json; a=\"x;charset=utf-16\""):
            self.permit(GOOD, {"Content-Type": good})

    def test_encoded_bodies(self):
        self.refuse(gzip.compress(TEXT.encode()), {"Content-Encoding": "gzip"})
        self.permit(GOOD, {"Content-Encoding": "identity"})

    def test_request_id(self):
        longest = "x" * 1024
        self.assertEqual(self.permit(GOOD, {"X-Request-ID": longest}).headers["x-request-id"], longest)
        odd = "a b;c=\"d\" ~{}"
        self.assertEqual(self.permit(GOOD, {"X-Request-ID": odd}).headers["x-request-id"], odd)
        self.refuse(GOOD, {"X-Request-ID": longest + "x"})
        self.refuse(GOOD, {"X-Request-ID": "a\tb"})
        self.assertEqual(self.refuse("{", {"X-Request-ID": "id-1"}).headers["x-request-id"], "id-1")
        self.assertNotIn("x-request-id", self.permit(GOOD, {"X-Request-ID": ""}).headers)
        for method, path, status in (("POST", "/nowhere", 404), ("GET", EVALUATION, 405), ("GET", "/.well-known/authzen-configuration", 200)):
            answer = self.dpld.request(method, path, headers={"X-Request-ID": "id-2"})
            self.assertEqual((answer.status, answer.headers["x-request-id"]), (status, "id-2"), path)

    def test_methods_and_paths(self):
        for path, good in ((EVALUATION, "POST"), (EVALUATIONS, "POST"), ("/healthz", "GET"), ("/readyz", "GET"),
                           ("/metrics", "GET"), ("/.well-known/authzen-configuration", "GET")):
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
                with self.subTest(path=path, method=method):
                    answer = self.dpld.request(method, path, TEXT if method == "POST" else None,
                                               {"Content-Type": "application/json"})
                    if method == good or (method == "HEAD" and good == "GET"):
                        self.assertEqual(answer.status, 200, answer.body)
                        self.assertEqual(method == "HEAD", answer.body == b"")
                    else:
                        self.assertEqual(answer.status, 405)
                        self.assertIn(good, answer.headers["allow"])
        for path in ("/", "/access/v1/evaluation/", "/access/v1/Evaluation", "/access/v1//evaluation", "/access/v2/evaluation",
                     "/access/v1/%65valuation", "/access/v1/../v1/evaluation", "/healthz/x"):
            self.assertEqual(self.dpld.post(path, GOOD).status, 404, path)
        self.assertEqual(self.dpld.post(EVALUATION + "?x=y", GOOD).status, 200)

    # --- Sizes and broken connections ---

    def test_oversize_body(self):
        fits = TEXT[:-1] + " " * (65536 - len(TEXT)) + "}"
        self.permit(fits)
        answer = self.dpld.raw(b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                               b"Content-Length: 65537\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        chunks = b"".join(b"4000\r\n" + b" " * 0x4000 + b"\r\n" for _ in range(5))
        answer = self.dpld.raw(b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)

    def test_half_a_request(self):
        whole = (b"POST " + EVALUATION.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "
                 + str(len(TEXT)).encode() + b"\r\n\r\n" + TEXT.encode())
        for cut in (1, 10, 60, len(whole) - len(TEXT), len(whole) - 1):
            answer = self.dpld.raw(whole[:cut], end=True)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), (cut, answer))
        self.assertTrue(self.dpld.raw(whole, end=True).startswith(b"HTTP/1.1 200 "))

    def test_connections_left_open(self):
        held = [socket.create_connection(("127.0.0.1", self.dpld.port), timeout=PATIENCE) for _ in range(100)]
        for i, connection in enumerate(held):
            connection.sendall((b"", b"POST", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")[i % 3])
        self.permit(GOOD)
        for connection in held:
            connection.close()

    # --- Batches ---

    def batch(self, body):
        return self.dpld.post(EVALUATIONS, body)

    def test_batch_shapes(self):
        for bad in ({"evaluations": {}}, {"evaluations": "x"}, {"evaluations": [{}], "options": []},
                    {"evaluations": [{}], "options": {"evaluations_semantic": "sometimes"}},
                    {"evaluations": [{}], "options": {"evaluations_semantic": 1}},
                    {"evaluations": [{}], "subject": "alice"}, {"evaluations": []}, {"evaluations": [{}] * 101}):
            with self.subTest(bad=str(bad)[:60]):
                answer = self.batch(bad)
                self.assertEqual(answer.status, 400)
                self.assertIn("line 1" if bad != {"evaluations": []} else "missing", answer.json["error"])
        self.assertEqual([e["decision"] for e in self.batch({**GOOD, "evaluations": [{}] * 100}).json["evaluations"]], [True] * 100)

    def test_null_is_not_said(self):
        for nothing in ({"evaluations": None}, {"evaluations": [], "options": None}, {"context": None, "options": {"evaluations_semantic": None}}):
            self.assertIs(self.batch({**GOOD, **nothing}).json["decision"], True, nothing)
        for nothing in ({"options": None}, {"options": {"evaluations_semantic": None}}, {"context": None}):
            items = self.batch({**GOOD, **nothing, "evaluations": [{}, {"action": {"name": "fly"}}, {}]}).json["evaluations"]
            self.assertEqual([item["decision"] for item in items], [True, False, True], nothing)
        # The agent of the context beside the list does not get lost by it.
        acting = {**GOOD, "context": {"agent": "nobody"}, "evaluations": [{}, {"context": None}, {"context": {}}]}
        self.assertEqual([item["decision"] for item in self.batch(acting).json["evaluations"]], [False, False, True])

    def test_one_bad_item_spoils_nothing_else(self):
        bad = [None, 1, "x", [], {"subject": "x"}, {"subject": {}}, {"action": None}, {"resource": {"type": "record"}}, {"context": 1}]
        answer = self.batch({**GOOD, "evaluations": [item for b in bad for item in (b, {})]})
        self.assertEqual(answer.status, 200)
        items = answer.json["evaluations"]
        self.assertEqual([item["decision"] for item in items], [False, True] * len(bad))
        for item in items[::2]:
            self.assertEqual(item["context"]["error"]["status"], 400)
            self.assertTrue(item["context"]["error"]["message"])

    def test_batch_equals_singles(self):
        bodies = [changed(subject={"type": "user", "id": who}, action={"name": what}, resource={"type": "record", "id": which})
                  for who in ("alice", "bob", "mallory") for what in ("read", "write", "fly") for which in ("record-1", "record-2")]
        def essence(answer):
            return answer["decision"], answer["context"].get("reason")
        together = [essence(item) for item in self.batch({"evaluations": bodies}).json["evaluations"]]
        self.assertEqual(together, [essence(self.dpld.ask(body).json) for body in bodies])
        self.assertIn(True, [decision for decision, _ in together])

    def test_short_circuits(self):
        yes, no, error = {}, {"action": {"name": "fly"}}, {"resource": {}}
        for semantic, items, wanted in (("deny_on_first_deny", [yes, no, yes], [True, False]),
                                        ("deny_on_first_deny", [yes, error, yes], [True, False]),
                                        ("deny_on_first_deny", [yes, yes], [True, True]),
                                        ("permit_on_first_permit", [no, error, yes, yes], [False, False, True]),
                                        ("permit_on_first_permit", [no, no], [False, False]),
                                        ("execute_all", [no, yes, no], [False, True, False])):
            answer = self.batch({**GOOD, "evaluations": items, "options": {"evaluations_semantic": semantic}})
            self.assertEqual([item["decision"] for item in answer.json["evaluations"]], wanted, semantic)


if __name__ == "__main__":
    unittest.main()
