"""The part of JSON Schema 2020-12 that docs/openapi.json and docs/dpld.schema.json use: checking a value, and making one up.

A keyword that is not known here is an error, so that no constraint is ever silently passed over."""

import copy
import re
from datetime import datetime, timedelta, timezone

ANNOTATIONS = {"description", "examples", "default", "title", "$schema", "$defs"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


class Schemas:
    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while "$ref" in schema:
            target = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema

    def errors(self, schema, value, at="$"):
        """What is wrong with the value: a list of texts."""
        schema = self.resolve(schema)
        found = []
        for keyword, limit in schema.items():
            if keyword in ANNOTATIONS:
                continue
            if keyword == "type":
                fits = isinstance(value, TYPES[limit]) and not (limit in ("integer", "number") and isinstance(value, bool))
                if not fits:
                    return [f"{at}: {value!r} is no {limit}"]
            elif keyword == "enum":
                if value not in limit:
                    found.append(f"{at}: {value!r} is none of {limit}")
            elif keyword == "const":
                if value != limit:
                    found.append(f"{at}: {value!r} is not {limit!r}")
            elif keyword == "minLength":
                if len(value) < limit:
                    found.append(f"{at}: too short")
            elif keyword == "maxLength":
                if len(value) > limit:
                    found.append(f"{at}: too long")
            elif keyword == "pattern":
                # ECMAScript's `$` is the very end; Python's would let a line feed pass.
                ends = limit.endswith("$") and not limit.endswith("\\$")
                if not re.search(limit[:-1] + r"\Z" if ends else limit, value):
                    found.append(f"{at}: {value!r} does not match {limit}")
            elif keyword == "format":
                if limit != "date-time":
                    raise AssertionError(f"format {limit}")
                if not TIME.fullmatch(value):
                    found.append(f"{at}: {value!r} is no date-time")
            elif keyword == "minimum":
                if value < limit:
                    found.append(f"{at}: {value} is below {limit}")
            elif keyword == "maximum":
                if value > limit:
                    found.append(f"{at}: {value} is above {limit}")
            elif keyword == "minItems":
                if len(value) < limit:
                    found.append(f"{at}: too few")
            elif keyword == "maxItems":
                if len(value) > limit:
                    found.append(f"{at}: too many")
            elif keyword == "items":
                for index, item in enumerate(value):
                    found += self.errors(limit, item, f"{at}[{index}]")
            elif keyword == "required":
                found += [f"{at}: {name} is missing" for name in limit if name not in value]
            elif keyword == "properties":
                for name, part in limit.items():
                    if name in value:
                        found += self.errors(part, value[name], f"{at}.{name}")
            elif keyword == "additionalProperties":
                for name in value.keys() - schema.get("properties", {}).keys():
                    if limit is False:
                        found.append(f"{at}: {name} is not known")
                    elif limit is not True:
                        found += self.errors(limit, value[name], f"{at}.{name}")
            elif keyword == "not":
                if not self.errors(limit, value, at):
                    found.append(f"{at}: fits what it must not")
            elif keyword == "oneOf":
                good = sum(not self.errors(part, value, at) for part in limit)
                if good != 1:
                    found.append(f"{at}: fits {good} of the alternatives")
            elif keyword == "anyOf":
                if all(self.errors(part, value, at) for part in limit):
                    found.append(f"{at}: fits none of the alternatives")
            else:
                raise AssertionError(f"the keyword {keyword!r} is not known to tests/http/json_schema.py")
        return found

    def make(self, schema, random, pool, name=""):
        """A value that fits. `pool(name)`: values known for a member of that name, preferred now and then."""
        schema = self.resolve(schema)
        for several in ("oneOf", "anyOf"):
            if several in schema and "properties" not in schema:
                return self.make(random.choice(schema[several]), random, pool, name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return random.choice(schema["enum"])
        known = [v for v in list(pool(name)) + schema.get("examples", []) if not self.errors(schema, v)]
        if known and random.random() < (0.5 if schema.get("type") == "object" else 0.9):
            return copy.deepcopy(random.choice(known))
        kind = schema.get("type")
        if kind == "object":
            for _ in range(50):  # until the alternatives are met as well
                out = {}
                for member, part in schema.get("properties", {}).items():
                    if member in schema.get("required", []) or random.random() < 0.5:
                        out[member] = self.make(part, random, pool, member)
                if not any(several in schema for several in ("oneOf", "anyOf")) or not self.errors(schema, out):
                    return out
            return copy.deepcopy(schema["examples"][0])
        if kind == "array":
            least = schema.get("minItems", 0)
            return [self.make(schema["items"], random, pool, name) for _ in range(random.randint(least, least + 2))]
        if kind == "integer":
            return random.randint(schema.get("minimum", -5), min(schema.get("maximum", 1 << 53), schema.get("minimum", -5) + 50))
        if kind == "boolean":
            return random.random() < 0.5
        if kind == "string":
            if schema.get("format") == "date-time":
                return (datetime.now(timezone.utc) + timedelta(seconds=random.choice([-86400, -60, 0, 60, 86400]))).isoformat()
            text = "".join(random.choice("abcXYZ019 .-_/:é€%\"\\") for _ in range(random.randint(max(1, schema.get("minLength", 1)), 12)))
            return text if not self.errors(schema, text) else "ab" * random.randint(1, 8)
        return random.choice([None, 1, "x", True, [], {}])

    def spoil(self, schema, value, random):
        """A copy of the value that no longer fits, as checked; None where none was found."""
        for _ in range(20):
            bad = copy.deepcopy(value)
            where = random.choice(list(self._places(bad)))
            bad = self._change(bad, where, random)
            if self.errors(schema, bad):
                return bad
        return None

    def _places(self, value, path=()):
        yield path
        if isinstance(value, dict):
            for name in value:
                yield from self._places(value[name], path + (name,))
        elif isinstance(value, list):
            for index in range(len(value)):
                yield from self._places(value[index], path + (index,))

    def _change(self, value, path, random):
        junk = random.choice([None, 0, -1, 1.5, True, "", "x", "\u0000", "a\nb", "x" * 2000, [], {}, [[]], {"": ""}, "2026-99-99T00:00:00Z", 1 << 70])
        if not path:
            return random.choice([junk, {**value, "surprise": 1}]) if isinstance(value, dict) else junk
        inner = value
        for step in path[:-1]:
            inner = inner[step]
        if isinstance(inner, dict) and random.random() < 0.3:
            del inner[path[-1]]
        else:
            inner[path[-1]] = junk
        return value
