#!/usr/bin/env python3
"""Holds the sources to the architecture: which room may include which, and which room owns which outside library.

Each rule below is one case. A violation names file and line. The table ROOMS is the picture of docs/architecture.md: a room
may include itself and the rooms it lists, and whatever those may include."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 800

# room -> rooms directly below it
ROOMS = {
    "runtime/base": [],
    "runtime/json": ["runtime/base"],
    "runtime/bytecode": ["runtime/json"],
    "runtime/facts": ["runtime/bytecode"],
    "runtime/vm": ["runtime/facts"],
    "runtime/state": ["runtime/vm"],
    "runtime/decide": ["runtime/state"],
    "runtime/audit": ["runtime/decide"],
    "runtime/search": ["runtime/decide"],
    "compiler/source": ["runtime/base"],
    "compiler/diag": ["compiler/source", "runtime/json"],
    "compiler/ast": ["compiler/diag", "runtime/bytecode"],
    "compiler/syntax": ["compiler/ast"],
    "compiler/check": ["compiler/syntax", "runtime/facts"],  # it judges given facts against the policies
    "compiler/lower": ["compiler/check"],
    "compiler/format": ["compiler/syntax"],
    "compiler/testing": ["compiler/lower", "runtime/decide"],
    "compiler/dplc": ["compiler/testing", "compiler/format", "runtime/audit"],
    "server/http": ["runtime/json"],
    "server/api": ["server/http", "runtime/audit", "runtime/search"],
    "server/gate": ["server/api"],
    "server/operate": ["server/api"],
    "server/ctl": ["server/http"],
    "server": ["server/operate", "server/gate"],
}

# outside header -> the only places (path prefixes) that may include it
LIBRARIES = [
    ("ANTLR", r"antlr4-runtime|atn/|Dpl(Lexer|Parser)\w*\.h", ["compiler/syntax/"]),
    ("RapidJSON", r"rapidjson/", ["tests/reference/", "tests/bench/by_hand_json.h"]),
    ("Asio and Beast", r"boost/(asio|beast)", ["server/ctl/client.cc", "server/ctl/boost_impl.cc"]),
    ("re2", r"re2/", ["runtime/base/pattern.cc"]),
    ("ICU", r"unicode/", ["runtime/base/unicode.cc", "compiler/"]),
    ("OpenSSL", r"openssl/", ["runtime/base/"]),
    ("CLI11", r"CLI/", ["compiler/dplc/", "server/"]),
]

# what a header of ours must not pull in on everybody
HEAVY = r"fmt/|boost/(asio|beast)|antlr4-runtime|unicode/|re2/|CLI/|<regex>|<iostream>|<fstream>"

# text that must not appear -> where, and why
BANNED = [
    (r"co_await\s[^;]*(\[[^\]]*\]\s*[({]|\{)", "server/", "gcc 12 destroys a temporary aggregate in a co_await expression twice"),
    (r"\bstd::regex\b", "runtime/", "a match must be bounded; runtime/base/pattern.h is"),
    (r"\bstd::random_device\b", "runtime/(?!base/keyed_hash)", "a decision is repeatable; only hash keys are random"),
    (r"\b(system|steady|high_resolution)_clock::now\(\)", "runtime/(?!base/clock)", "time comes in through the Clock"),
]


def sources():
    for top in ("runtime", "compiler", "server"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in (".h", ".cc", ".def") and "compiler/syntax/antlr" not in str(path):
                yield path.relative_to(ROOT), path.read_text(errors="replace").splitlines()


def room_of(path):
    """The room of a repository path: its longest prefix in ROOMS."""
    parts = str(path).split("/")[:-1]
    while parts:
        if "/".join(parts) in ROOMS:
            return "/".join(parts)
        parts.pop()
    return None


def below(room):
    seen, todo = {room}, [room]
    while todo:
        for lower in ROOMS[todo.pop()]:
            if lower not in seen:
                seen.add(lower)
                todo.append(lower)
    return seen


def includes(lines):
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match[1], match[2]


def rule_every_file_is_in_a_room():
    for path, _ in sources():
        if room_of(path) is None:
            yield f"{path}: its folder is not a room of tests/tools/include_order.py"


def rule_includes_point_down():
    for path, lines in sources():
        room = room_of(path)
        for number, _, header in includes(lines):
            other = room_of(header) if header.split("/")[0] in ("runtime", "compiler", "server") else None
            if header.endswith(".def"):
                continue  # the four lists are read by whoever needs them
            if room and other and other not in below(room):
                yield f"{path}:{number}: {room} must not include {header} (it lies beside or above)"


def rule_own_headers_are_named_from_the_root():
    for path, lines in sources():
        for number, quote, header in includes(lines):
            known = re.search(LIBRARIES[0][1], header) or header.startswith("atn/")  # generated code and ANTLR's own
            if quote == '"' and not known and header.split("/")[0] not in ("runtime", "compiler", "server"):
                yield f"{path}:{number}: write \"{header}\" from the repository root"


def rule_the_server_never_sees_the_compiler():
    for path, lines in sources():
        for number, _, header in includes(lines):
            if path.parts[0] == "server" and header.startswith(("compiler/", "antlr4")):
                yield f"{path}:{number}: the server loads bundles; it does not include {header}"
    text = (ROOT / "server/CMakeLists.txt").read_text()
    for word in re.findall(r"dpl_(?:source|diag|ast|syntax|check|lower|format|testing|dplc|grammar)\b", text):
        yield f"server/CMakeLists.txt: the server must not link {word}"


def rule_the_runtime_never_sees_compiler_or_server():
    for path, lines in sources():
        for number, _, header in includes(lines):
            if path.parts[0] == "runtime" and header.startswith(("compiler/", "server/")):
                yield f"{path}:{number}: the runtime must not include {header}"


def rule_each_library_lives_in_its_room():
    for path, lines in sources():
        for number, _, header in includes(lines):
            for name, pattern, rooms in LIBRARIES:
                if re.match(pattern, header) and not str(path).startswith(tuple(rooms)):
                    yield f"{path}:{number}: {name} belongs to {', '.join(rooms)}"


def rule_headers_are_light():
    for path, lines in sources():
        if path.suffix != ".h" or path.name.endswith("_parts.h"):  # parts: shared by the .cc files of one room only
            continue
        for number, quote, header in includes(lines):
            shown = f"<{header}>" if quote == "<" else header
            # A header that is the inside of its own library's room (session.h of server/http) may show that library.
            inside = any(re.match(pattern, header) and str(path).startswith(tuple(rooms)) for _, pattern, rooms in LIBRARIES[:3])
            if (re.match(HEAVY, header) or re.match(HEAVY, shown)) and not inside:
                yield f"{path}:{number}: {shown} makes every user of this header compile it"


def rule_files_open_with_their_purpose():
    for path, lines in sources():
        if path.suffix == ".h" and not any(line.strip() == "#pragma once" for line in lines):
            yield f"{path}: no #pragma once"
        if path.suffix == ".cc" and (ROOT / path).with_suffix(".h").exists():
            continue  # the header said it
        if not lines or not lines[0].startswith(("//", "/*")):
            yield f"{path}:1: the first line says what the file is for"


def rule_parts_headers_stay_in_their_room():
    for path, lines in sources():
        for number, _, header in includes(lines):
            if header.endswith("_parts.h") and room_of(header) != room_of(path):
                yield f"{path}:{number}: {header} is private to its room"


def rule_files_stay_readable():
    for path, lines in sources():
        if len(lines) > MAX_LINES:
            yield f"{path}: {len(lines)} lines; at most {MAX_LINES}, most far fewer"


def rule_the_oracle_shares_no_code_with_the_machine():
    for path in sorted((ROOT / "tests/oracle").glob("*")):
        if path.suffix not in (".h", ".cc") or path.name.endswith("_test.cc") or path.stem == "compile":
            continue  # compile.cc makes the bundle that the other side of the comparison runs
        for number, _, header in includes(path.read_text().splitlines()):
            if header.startswith(("runtime/vm/", "compiler/lower/")):
                yield f"tests/oracle/{path.name}:{number}: the oracle must not include {header}"


def rule_known_traps_are_not_used():
    for path, lines in sources():
        for number, line in enumerate(lines, 1):
            code = line.split("//")[0]
            for pattern, where, why in BANNED:
                if re.match(where, str(path)) and re.search(pattern, code):
                    yield f"{path}:{number}: `{code.strip()}`: {why}"


def main():
    rules = [(name, check) for name, check in globals().items() if name.startswith("rule_")]
    passed = failed = 0
    for name, check in rules:
        found = list(check())
        if found:
            failed += 1
            print(f"FAILED {name.removeprefix('rule_').replace('_', ' ')}")
            print("".join(f"  {line}\n" for line in found), end="")
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
