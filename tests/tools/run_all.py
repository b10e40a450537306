#!/usr/bin/env python3
"""Runs the test suite on what `./dev` built, and prints `N passed, N failed` as the last line.

A part is one kind of test; its counts are of cases, not of programs:
- the gtest binaries, through ctest, counted from the XML that each writes;
- the .dpl tests of the stories under policies/, counted from `dplc test --format junit`;
- Python tests, tests/**/*_test.py (unittest, or any program that ends with `N passed, N failed`);
- the tools beside this file.
A part that crashes, reports nothing, or skips a case counts as failed: a test that did not run did not pass.
Exits 0 only when at least one case ran and none failed."""

import argparse
import os
import re
import subprocess
import sys
import time
import traceback
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUZZ_SECONDS = int(os.environ.get("DPL_FUZZ_SECONDS", "600"))  # of all fuzzers together
ORACLE_CASES = os.environ.get("DPL_ORACLE_CASES_FULL", "10000000")
KILLS = "200"
API_STEPS = "60000"  # calls of the operating API, and of the decision API
SEARCH_WORLDS = "5000"  # policies whose searches are held to trying every entity
RACES = "1000000"  # two charges against room for one


class Count:
    """Cases passed and failed; every failure was already printed by whoever met it."""

    def __init__(self, passed=0, failed=0):
        self.passed, self.failed = passed, failed

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed)


def environment(build, **more):
    env = dict(os.environ, DPL_IN_SUITE="1", DPL_BUILD=str(build), DPL_BIN=str(build / "bin"), NO_COLOR="1", **more)
    env["PATH"] = f"{build / 'bin'}:{env['PATH']}"
    return env


def run(command, env, quiet=False):
    """Runs a command in the repository root; returns its exit code and output (also printed, unless quiet)."""
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if not quiet:
            sys.stdout.write(line)
            sys.stdout.flush()
    return process.wait(), "".join(lines)


def one(label, command, env):
    """A check that is a single case: passed when the command exits with 0. Output only when it fails."""
    code, output = run(command, env, quiet=True)
    if code == 0:
        return Count(1, 0)
    print(output)
    print(f"FAILED {label} (exit {code})")
    return Count(0, 1)


def junit_counts(path):
    """Counts the cases of a JUnit file; one that was skipped or disabled counts as failed."""
    count = Count()
    for case in ET.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif case.get("status") == "notrun" or case.get("result") in ("skipped", "suppressed") or case.find("skipped") is not None:
            print(f"FAILED {name}: it was skipped")
            count.failed += 1
        else:
            count.passed += 1
    return count


def program_counts(label, command, env):
    """Counts of a program that ends with `N passed, N failed`, or of Python's unittest."""
    code, output = run(command, env)
    count = Count()
    own = re.findall(r"^(\d+) passed, (\d+) failed\s*$", output, re.M)
    ran = re.search(r"^Ran (\d+) tests? in", output, re.M)
    if own:
        count = Count(int(own[-1][0]), int(own[-1][1]))
    elif ran:
        bad = sum(int(n) for n in re.findall(r"(?:failures|errors|skipped|unexpected successes)=(\d+)", output))
        count = Count(max(int(ran[1]) - bad, 0), bad)
    if code != 0 and count.failed == 0:
        print(f"FAILED {label}: exit {code}")
        count.failed = 1
    if count.passed + count.failed == 0:
        print(f"FAILED {label}: it ran no test")
        count.failed = 1
    return count


# --- The parts. Each takes the build directory and returns a Count. ---


def ctest(build, **more):
    results = build / "results"
    for old in results.glob("*.xml"):
        old.unlink()
    env = environment(build, **more)
    jobs = str(os.cpu_count() or 2)
    run(["ctest", "--test-dir", str(build), "--output-on-failure", "-j", jobs, "--output-junit", str(results / "ctest.xml")], env)
    summary = results / "ctest.xml"
    if not summary.exists():
        print("FAILED ctest: it wrote no result")
        return Count(0, 1)
    total = Count()
    for entry in ET.parse(summary).getroot().iter("testcase"):
        name, passed = entry.get("name"), entry.get("status") == "run"
        xml = results / f"{name}.xml"
        if not xml.exists():  # a replayed fuzz corpus (one case), or a binary that crashed before it could write
            cases = Count(1, 0) if passed and name.startswith("fuzz_") else Count(0, 1)
        else:
            cases = junit_counts(xml)
            if not passed and cases.failed == 0:  # it failed after its last case: a leak report, a crash at exit
                cases.failed = 1
            if cases.passed + cases.failed == 0:
                cases.failed = 1
        if cases.failed:
            print(f"FAILED {name}: {cases.failed} cases")
        total += cases
    return total


def release_suite(build):
    return ctest(build)


def policies(build):
    """Every story under policies/: canonical format, no findings, and its own tests."""
    env, total = environment(build), Count()
    # policies/refused/ is not meant to pass: tests/cli/stories_test.py holds it to its findings.
    stories = sorted({p.parent for p in ROOT.glob("policies/**/*.dpl") if "refused" not in p.parts})
    stories = [s for s in stories if not any(o != s and o in s.parents for o in stories)]
    for story in stories:
        name = str(story.relative_to(ROOT))
        total += one(f"dplc fmt --check {name}", ["dplc", "fmt", "--check", name], env)
        code, output = run(["dplc", "test", name, "--format", "junit"], env, quiet=True)
        out = build / "results" / f"policies-{story.name}.junit"
        start = output.find("<?xml")
        try:
            out.parent.mkdir(exist_ok=True)
            out.write_text(output[max(start, 0):output.rfind(">") + 1])
            cases = junit_counts(out)
        except ET.ParseError:
            cases = Count()
        if code != 0 or cases.failed or cases.passed == 0:
            print(output)
            print(f"FAILED dplc test {name} (exit {code})")
            cases.failed = max(cases.failed, 1)
        total += cases
    return total


def python_tests(build, **more):
    env, total = environment(build, **more), Count()
    for test in sorted(ROOT.glob("tests/**/*_test.py")):
        name = str(test.relative_to(ROOT))
        print(f"-- {name}", flush=True)
        total += program_counts(name, [sys.executable, name], env)
    return total


def architecture(build):
    return program_counts("include_order", [sys.executable, "tests/tools/include_order.py"], environment(build))


def mutation_table(build):
    """Only that the table still fits the code; `--full` runs it."""
    return program_counts("mutate_engine", [sys.executable, "tests/tools/mutate_engine.py", "--check"], environment(build))


def mutations(build):
    return program_counts("mutate_engine", [sys.executable, "tests/tools/mutate_engine.py"], environment(build))


def docs(build):
    return program_counts("docs_run", [sys.executable, "tests/tools/docs_run.py"], environment(build))


def formatted(build):
    return one("./dev fmt --check", ["./dev", "fmt", "--check"], environment(build))


def sanitized(preset, targets):
    build = ROOT / "build" / preset
    env = environment(build)
    for command in (["cmake", "--preset", preset], ["ninja", "-C", str(build), *targets]):
        code, output = run(command, env, quiet=True)
        if code != 0:
            print("\n".join(output.splitlines()[-60:]))
            print(f"FAILED the {preset} build")
            return None, Count(0, 1)
    return build, Count()


def sanitized_suite(preset, oracle_cases, **options):
    """The C++ tests, and the programs themselves driven by the Python tests."""
    build, count = sanitized(preset, ["tests", "programs"])
    if build is not None:
        count += ctest(build, DPL_ORACLE_CASES=oracle_cases, **options)
        count += python_tests(build, **options)
    return count


def asan(_):
    return sanitized_suite("asan", "20000", ASAN_OPTIONS="detect_stack_use_after_return=1")


def tsan(_):
    return sanitized_suite("tsan", "5000", TSAN_OPTIONS="halt_on_error=1")


def fuzz(release):
    """Each fuzzer for its share of the time, from its kept inputs; new inputs stay in the build directory."""
    build, count = sanitized("fuzz", ["fuzzers"])
    if build is None:
        return count
    env = environment(build)
    fuzzers = sorted((build / "fuzz").glob("fuzz_*"))
    seconds = max(FUZZ_SECONDS // max(len(fuzzers), 1), 1)
    for fuzzer in fuzzers:
        stem = fuzzer.name.removeprefix("fuzz_")
        found = build / "found" / stem
        found.mkdir(parents=True, exist_ok=True)
        kept = ROOT / "tests/fuzz/corpus" / stem
        if stem == "bundle":  # bundles are made, not kept: the format may change
            for story in {p.parent for p in ROOT.glob("policies/*/*.dpl")}:
                run(["dplc", "build", str(story), "-o", str(found / f"{story.name}.dplb")], environment(release), quiet=True)
        command = [str(fuzzer), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                   f"-artifact_prefix={found}/crash-", str(found)] + ([str(kept)] if kept.is_dir() else [])
        if stem in ("parse", "check", "format"):
            command += [str(ROOT / "tests/golden"), str(ROOT / "policies"), f"-dict={ROOT / 'tests/fuzz/policy.dict'}", "-max_len=8192"]
        count += one(f"{fuzzer.name} for {seconds} s (its finds: {found})", command, env)
    return count


def tidy(build):
    return one("./dev tidy", ["./dev", "tidy"], environment(build))


def long_oracle(build):
    out = build / "results" / "oracle-long.xml"
    out.unlink(missing_ok=True)
    code, _ = run([str(build / "tests/test_oracle"), "--gtest_brief=1", f"--gtest_output=xml:{out}"],
                  environment(build, DPL_ORACLE_CASES=ORACLE_CASES))
    count = junit_counts(out) if out.exists() else Count(0, 1)
    return count if code == 0 or count.failed else Count(0, 1)


def envoy(build):
    return program_counts("envoy", [sys.executable, "tests/http/envoy_real.py"], environment(build))


def packaged(build):
    """The programs as they are packaged, driven by the same tests."""
    code, output = run(["./dev", "build", "--profiled"], environment(build), quiet=True)
    if code != 0:
        print("\n".join(output.splitlines()[-60:]))
        print("FAILED ./dev build --profiled")
        return Count(0, 1)
    return python_tests(ROOT / "build/profiled")


def prometheus(build):
    return program_counts("promtool", [sys.executable, "tests/http/prometheus_real.py"], environment(build))


def slow_clients(build):
    """Ten thousand of them at once."""
    return program_counts("load_test, 10,000 slow clients", [sys.executable, "tests/http/load_test.py"],
                          environment(build, DPL_SLOW_CLIENTS="10000"))


def soak(build):
    env, total = environment(build), Count()
    for test in sorted(ROOT.glob("tests/**/*_soak.py")):
        total += program_counts(test.name, [sys.executable, str(test)], env)
    return total


def kills(build):
    """The server killed in the middle of spending, again and again."""
    env = environment(build, DPL_KILLS=KILLS, DPL_RACES=RACES)
    return program_counts("state_test, many kills", [sys.executable, "tests/http/state_test.py", "Killing"], env) + \
        one("test_state, many kills and races", [str(build / "tests/test_state"), "--gtest_brief=1", "--gtest_filter=Kills.*:Races.*"], env) + \
        one("test_decide, a million decisions beside revocations",
            [str(build / "tests/test_decide"), "--gtest_brief=1", "--gtest_filter=Linearizable.*"], environment(build, DPL_DECISIONS=RACES))


def api(build):
    """The operating API driven from its document, for longer and from another seed."""
    return program_counts("openapi_test, a long walk", [sys.executable, "tests/http/openapi_test.py"],
                          environment(build, DPL_API_STEPS=API_STEPS, DPL_API_SEED=str(int(time.time())))) + \
        program_counts("authzen_openapi_test, a long walk", [sys.executable, "tests/http/authzen_openapi_test.py"],
                       environment(build, DPL_AUTHZEN_STEPS=API_STEPS, DPL_AUTHZEN_SEED=str(int(time.time()))))


def searches(build):
    """Searches against trying every entity, over many more policies and another seed."""
    return one("test_search, many policies", [str(build / "tests/test_search"), "--gtest_brief=1"],
               environment(build, DPL_SEARCH_WORLDS=SEARCH_WORLDS, DPL_SEARCH_SEED=str(int(time.time()) * 10000)))


def audit(build):
    """Every byte of an audit log edited, three ways, in one segment and in sealed ones; many kills of a process that writes one."""
    return one("test_audit, every byte and many kills", [str(build / "tests/test_audit"), "--gtest_brief=1"],
               environment(build, DPL_AUDIT_EVERY_BYTE="1", DPL_KILLS=KILLS))


DEFAULT = [
    ("programs of tests/ (ctest)", release_suite),
    ("stories under policies/", policies),
    ("Python tests", python_tests),
    ("architecture rules", architecture),
    ("table of mutations", mutation_table),
    ("documentation blocks", docs),
    ("C++ format", formatted),
]
FULL = [
    ("clang-tidy", tidy),
    ("address and undefined sanitizers", asan),
    ("thread sanitizer", tsan),
    (f"fuzzers, {FUZZ_SECONDS} s in all", fuzz),
    (f"oracle, {ORACLE_CASES} cases", long_oracle),
    ("mutations of the engine", mutations),
    (f"{KILLS} kills, {RACES} races", kills),
    (f"operating and decision API, {API_STEPS} calls each from their documents", api),
    (f"searches of {SEARCH_WORLDS} policies against trying each", searches),
    (f"audit log: every byte, {KILLS} kills", audit),
    ("programs built by a profile", packaged),
    ("a real Envoy", envoy),
    ("Prometheus's promtool", prometheus),
    ("10,000 slow clients", slow_clients),
    ("soak", soak),
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", type=Path, default=ROOT / "build", help="the release build directory")
    arguments.add_argument("--full", action="store_true", help="also the long parts")
    arguments.add_argument("--soak", action="store_true", help="with --full: the soak for 30 minutes")
    arguments.add_argument("-k", metavar="WORD", default="", help="only parts whose name holds WORD")
    arguments.add_argument("--list", action="store_true", help="print the parts and stop")
    options = arguments.parse_args()
    if options.soak:
        os.environ.setdefault("DPL_SOAK_SECONDS", "1800")
    parts = [p for p in DEFAULT + (FULL if options.full else []) if options.k in p[0]]
    if options.list:
        print("\n".join(label for label, _ in parts))
        return 0
    total, lines = Count(), []
    for label, part in parts:
        print(f"\n== {label}", flush=True)
        start = time.monotonic()
        try:
            count = part(options.build.resolve())
        except Exception:  # a part that cannot run is a failure like any other; the parts after it still run
            traceback.print_exc(file=sys.stdout)
            count = Count(0, 1)
        if count.passed + count.failed == 0:
            print(f"FAILED {label}: nothing ran")
            count.failed = 1
        lines.append(f"{label:42} {count.passed:7} passed {count.failed:5} failed  {time.monotonic() - start:6.1f} s")
        total += count
    print("\n" + "\n".join(lines) + "\n")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
