#!/usr/bin/env python3
"""Runs every fenced `dpl`, `sh`, `console` and `json` block of README.md and docs/**/*.md, so that no page can lie.

A page is a folder: its blocks run in order in one temporary directory, with `dplc` and `dpld` on PATH. The words after the
language steer a block; CONTRIBUTING.md lists them for authors:

  dpl                        checked by `dplc check`: no finding
  dpl file=NAME              also kept as NAME for later blocks; `append` adds to it
  dpl with=NAME              checked together with the kept file NAME (put in front of it)
  dpl fails=DPL0501[,..]     must report these codes
  dpl red                    its tests must fail; without it they must pass
  dpl part                   a fragment: wrapped in a package and only parsed
  sh                         runs with `set -euo pipefail`; `exit=N` expects that code
  sh background              starts a server: goes on when port 8181 answers, and ends the server started before it
  console                    lines `$ command`, below each the output it must print; `...` stands for anything
  json [file=NAME]           must parse
  text, anything else        not run
  repo (sh and console)      runs in the repository root

Variables, directory changes and background programs last to the end of the page; then all is killed. The port 8181 is
replaced by a free one, and put back in what is compared."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("DPL_BIN", ROOT / "build/bin"))
PORT = "8181"
PATIENCE = 120  # seconds for one block
PART_PREFIX = "package part owned by team part\n"


class Failure(Exception):
    """What a block did wrong, in words for the author of the page."""


class Block:
    def __init__(self, page, line, info, text):
        words = shlex.split(info)
        self.page, self.line, self.text = page, line, text
        self.language = words[0] if words else ""
        self.flags = {w for w in words[1:] if "=" not in w}
        self.options = dict(w.split("=", 1) for w in words[1:] if "=" in w)


def blocks_of(page):
    """The fenced blocks of a Markdown page, also indented ones (in lists)."""
    fence, start, info, body, found = None, 0, "", [], []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        match = re.match(r"^(\s*)(```+|~~~+)\s*(.*)$", line)
        if fence is None and match:
            fence, start, info, body = (match[1], match[2]), number, match[3].strip(), []
        elif fence is not None and match and match[2].startswith(fence[1]) and not match[3]:
            found.append(Block(page, start, info, "\n".join(body) + "\n"))
            fence = None
        elif fence is not None:
            body.append(line.removeprefix(fence[0]))
    if fence is not None:
        raise Failure(f"{page}:{start}: this block is never closed")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def alive(group):
    """Whether any process of the group still runs; reaps our own child first."""
    try:
        os.waitpid(group, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def like(expected, actual):
    """Whether the output is as printed on the page; `...` alone on a line is any lines, within a line any characters."""
    pattern = []
    for line in expected.rstrip().splitlines():
        if line.strip() == "...":
            pattern.append(r"(?:.*\n)*?")
        else:
            pattern.append(".*?".join(re.escape(piece) for piece in line.rstrip().split("...")) + r"[ \t]*\n")
    return re.fullmatch("".join(pattern), actual.rstrip() + "\n" if actual.strip() else "") is not None


class Page:
    """One page's directory, shell state and background programs."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="dpl-docs-"))
        self.work = self.home / "page"
        self.work.mkdir()
        self.port = free_port()
        self.groups, self.servers = [], []
        self.snippets = 0
        # A page may start the server on one line and ask it on the next; a reader is slower than a script.
        (self.home / ".curlrc").write_text("retry-connrefused\nretry = 20\nretry-delay = 1\nno-progress-meter\n")
        self.env = dict(os.environ, HOME=str(self.home), CURL_HOME=str(self.home), PATH=f"{BIN}:{os.environ['PATH']}",
                        NO_COLOR="1", DPL_IN_SUITE="1", DPL_LISTEN=f"127.0.0.1:{self.port}")
        self.state = self.home / "state.sh"
        self.state.write_text(f"cd {shlex.quote(str(self.work))}\n")

    def stop(self, groups):
        """Ends process groups: politely, then not."""
        for group in groups:
            for sign in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(group, sign)
                except (ProcessLookupError, PermissionError):
                    break
                deadline = time.monotonic() + 5
                while sign == signal.SIGTERM and alive(group) and time.monotonic() < deadline:
                    time.sleep(0.02)

    def close(self):
        self.stop(self.groups)
        shutil.rmtree(self.home, ignore_errors=True)

    def shell(self, script, background=False, in_repo=False):
        """Runs a script after the ones before it; returns (exit code, output)."""
        script = re.sub(rf"(?<![0-9]){PORT}(?![0-9])", self.port, script)
        start = f"cd {shlex.quote(str(ROOT))}\n" if in_repo else ""
        keep = "" if in_repo else f'printf "cd %q\\n" "$PWD"; '
        text = (f"source {self.state}\n{start}set -euo pipefail\n"
                f"trap 'code=$?; {{ {keep}export -p; }} > {self.state}.new 2>/dev/null; exit $code' EXIT\n{script}")
        if background:
            self.stop(self.servers)
            self.servers = []
        self.snippets += 1  # a file each: a server of an earlier block may still write to its own
        log = self.home / f"output{self.snippets}"
        with open(log, "wb") as out:
            process = subprocess.Popen(["bash", "-c", text], cwd=self.work, env=self.env, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        self.groups.append(process.pid)
        if background:
            self.servers.append(process.pid)
            deadline = time.monotonic() + PATIENCE
            while not answers(self.port):
                if process.poll() is not None:
                    raise Failure(f"the background block ended (exit {process.returncode}):\n{log.read_text(errors='replace')}")
                if time.monotonic() > deadline:
                    raise Failure("the background block does not listen")
                time.sleep(0.05)
            return 0, ""
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Failure(f"still running after {PATIENCE} s:\n{log.read_text(errors='replace')}") from None
        new = Path(f"{self.state}.new")
        if new.exists():
            old_cd = self.state.read_text().splitlines()[0] if in_repo else ""
            # PWD belongs to the `cd` line; restoring the variable would only disagree with where the shell is.
            kept = re.sub(r"^declare -x (OLD)?PWD\b.*\n", "", new.read_text(), flags=re.M)
            self.state.write_text((old_cd + "\n" if old_cd else "") + kept)
            new.unlink()
        if re.search(r"\bdpld\b.*&\s*$", script, re.M):
            deadline = time.monotonic() + 20
            while not answers(self.port) and time.monotonic() < deadline and "--help" not in script:
                time.sleep(0.05)
        return code, log.read_text(errors="replace").replace(self.port, PORT)

    # --- One kind of block each ---

    def run_sh(self, block):
        code, output = self.shell(block.text, "background" in block.flags, "repo" in block.flags)
        wanted = int(block.options.get("exit", 0))
        if code != wanted:
            raise Failure(f"exit {code}, expected {wanted}:\n{output}")

    def run_console(self, block):
        steps = []
        for line in block.text.splitlines():
            if line.startswith("$ "):
                steps.append([line[2:], ""])
            elif steps and not steps[-1][1] and (line.startswith("> ") or steps[-1][0].endswith("\\")):
                steps[-1][0] += "\n" + line.removeprefix("> ")
            elif steps:
                steps[-1][1] += line + "\n"
            else:
                raise Failure("a console block begins with `$ command`")
        worst = 0
        for command, expected in steps:
            code, output = self.shell(command, in_repo="repo" in block.flags)
            worst = max(worst, code)
            if code > int(block.options.get("exit", 1)):
                raise Failure(f"`{command}`: exit {code}:\n{output}")
            if not like(expected, output):
                raise Failure(f"`{command}` printed:\n{output}\ninstead of:\n{expected}")
        if "exit" in block.options and worst != int(block.options["exit"]):
            raise Failure(f"no command exits with {block.options['exit']}; the worst was {worst}")

    def run_dpl(self, block):
        text = block.text
        if "with" in block.options:
            text = (self.work / block.options["with"]).read_text() + "\n" + text
        self.snippets += 1
        name = block.options.get("file", "")
        if name:
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            old = path.read_text() + "\n" if "append" in block.flags and path.exists() else ""
            path.write_text(old + text)
            command = ["dplc", "check", name]
        elif "part" in block.flags:
            if not re.search(r"^\s*package\b", text, re.M):
                text = PART_PREFIX + text
            path = self.home / f"block{self.snippets}.dpl"
            path.write_text(text)
            command = ["dplc", "fmt", str(path)]
        else:
            path = self.home / f"block{self.snippets}.dpl"
            path.write_text(text)
            command = ["dplc", "check", str(path)]
        wanted = [code for code in block.options.get("fails", "").split(",") if code]
        tested = not wanted and "part" not in block.flags and re.search(r'^test "', text, re.M)
        if tested:
            command[1] = "test"
        done = subprocess.run(command, cwd=self.work, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=PATIENCE)
        output = done.stdout + done.stderr
        if wanted:
            missing = [code for code in wanted if code not in output]
            if done.returncode != 1 or missing:
                raise Failure(f"expected {', '.join(wanted)}, got exit {done.returncode}:\n{output}")
        elif done.returncode != int(bool(tested and "red" in block.flags)):
            raise Failure(f"`{' '.join(command[:2])}`: exit {done.returncode}:\n{output}")

    def run_json(self, block):
        try:
            json.loads(block.text)
        except ValueError as error:
            raise Failure(f"not JSON: {error}") from None

    def run(self, block):
        if "file" in block.options and block.language != "dpl":
            path = self.work / block.options["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        runner = {"dpl": self.run_dpl, "sh": self.run_sh, "bash": self.run_sh, "shell": self.run_sh, "console": self.run_console,
                  "json": self.run_json}.get(block.language)
        if runner is None:
            return False
        runner(block)
        return True


def main():
    pages = [Path(a).resolve() for a in sys.argv[1:]] or [ROOT / "README.md", ROOT / "CONTRIBUTING.md"] + sorted((ROOT / "docs").rglob("*.md"))
    passed = failed = 0
    for path in pages:
        if not path.exists():
            print(f"FAILED {path.name}: there is no such page")
            failed += 1
            continue
        page = Page()
        try:
            for block in blocks_of(path):
                where = f"{os.path.relpath(path, ROOT)}:{block.line}"
                try:
                    passed += page.run(block)
                except (Failure, OSError, subprocess.TimeoutExpired) as failure:
                    failed += 1
                    print(f"FAILED {where} ({block.language})\n{failure}\n", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAILED {failure}")
        finally:
            page.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
