#!/usr/bin/env python3
"""The Debian packages: what is in them, that they install, start, upgrade, are removed and purged; the unit; the container file.

They are installed by dpkg itself, into a folder of their own, against a copy of this machine's list of installed packages: their Depends are
checked for real, nothing of the machine is touched. Maintainer scripts run twice: by dpkg with $DPKG_ROOT set, where they must leave the
machine alone, and by hand as on a machine, with adduser and systemctl replaced by programs that write down how they were called. The
service itself is started from the unit's own ExecStart, without systemd; systemd-analyze judges the unit."""

import gzip
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("DPL_BIN", ROOT / "build/bin"))
PATIENCE = 60
sys.path.insert(0, str(ROOT / "packaging"))
import deb  # noqa: E402
import from_help  # noqa: E402

SERVER_FILES = {
    "etc/dpl/dpld.json", "etc/dpl/facts.json", "lib/systemd/system/dpld.service", "usr/bin/dpld", "usr/bin/dplctl", "usr/share/dpld/deny.dplb",
    "usr/share/dpld/dpld.schema.json", "usr/share/dpld/grafana.json", "usr/share/dpld/alerts.yml", "usr/share/man/man8/dpld.8.gz",
    "usr/share/man/man1/dplctl.1.gz", "usr/share/bash-completion/completions/dpld", "usr/share/bash-completion/completions/dplctl",
    "usr/share/doc/dpld/copyright", "usr/share/doc/dpld/changelog.gz", "usr/share/doc/dpld/changelog.Debian.gz"}
COMPILER_FILES = {"usr/bin/dplc", "usr/share/man/man1/dplc.1.gz", "usr/share/bash-completion/completions/dplc", "usr/share/doc/dplc/copyright",
                  "usr/share/doc/dplc/changelog.gz", "usr/share/doc/dplc/changelog.Debian.gz"}


def run(*command, ok=True, **options):
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, **options)
    if ok and ended.returncode != 0:
        raise AssertionError(f"{command}: {ended.stdout}{ended.stderr}")
    return ended


def build(version, name, *arguments):
    out = run(sys.executable, ROOT / "packaging/deb.py", "--bin", BIN, "--out", FOLDER / name, "--version", version, "--compression", "none", *arguments,
              env={**os.environ, "SOURCE_DATE_EPOCH": "1780000000"})
    return [Path(line) for line in out.stdout.split()]


def setUpModule():
    global TEMPORARY, FOLDER, SERVER, COMPILER, NEXT
    TEMPORARY = tempfile.TemporaryDirectory(prefix="dpl-package-")
    FOLDER = Path(TEMPORARY.name)
    FOLDER.chmod(0o755)
    SERVER, COMPILER = build("0.1.0", "first")
    NEXT, = build("0.1.1", "next", "--package", "dpld")


def tearDownModule():
    TEMPORARY.cleanup()


class Packages(unittest.TestCase):
    def setUp(self):
        self.folder, self.server, self.compiler, self.next = FOLDER, SERVER, COMPILER, NEXT


class Contents(Packages):
    def test_the_files(self):
        for package, expected in ((self.server, SERVER_FILES), (self.compiler, COMPILER_FILES)):
            listed = [line.split(None, 5) for line in run("dpkg-deb", "-c", package).stdout.splitlines()]
            self.assertEqual({row[5].removeprefix("./") for row in listed if not row[0].startswith("d")}, expected)
            for mode, owner, *_, path in listed:
                self.assertEqual(owner, "root/root", path)
                self.assertIn(mode, ("drwxr-xr-x", "-rwxr-xr-x" if "/bin/" in path else "-rw-r--r--"), path)

    def test_the_server_package_holds_no_compiler(self):
        run("dpkg-deb", "-x", self.server, self.folder / "x")
        for program in (self.folder / "x/usr/bin").iterdir():
            self.assertNotIn(b"antlr4", program.read_bytes(), program)
        self.assertNotIn("antlr", run("dpkg-deb", "-f", self.server, "Depends").stdout)
        run("dpkg-deb", "-x", self.compiler, self.folder / "y")
        self.assertIn(b"antlr4", (self.folder / "y/usr/bin/dplc").read_bytes(), "the control: the right word to look for")

    def test_control_and_sums(self):
        for package in (self.server, self.compiler):
            fields = run("dpkg-deb", "-f", package).stdout
            for field in ("Package", "Version", "Architecture", "Maintainer", "Installed-Size", "Depends", "Description", "Section", "Priority"):
                self.assertRegex(fields, rf"(?m)^{field}: \S", package)
            self.assertRegex(fields, r"libc6 \(>= ")
            unpacked, control = self.folder / f"{package.stem}-files", self.folder / f"{package.stem}-control"
            run("dpkg-deb", "-x", package, unpacked)
            run("dpkg-deb", "-e", package, control)
            for line in (control / "md5sums").read_text().splitlines():
                digest, path = line.split("  ")
                self.assertEqual(hashlib.md5((unpacked / path).read_bytes()).hexdigest(), digest, path)
        self.assertEqual((self.folder / f"{self.server.stem}-control/conffiles").read_text(), "/etc/dpl/dpld.json\n/etc/dpl/facts.json\n")

    def test_the_same_again_is_the_same_bytes(self):
        again, = build("0.1.0", "again", "--package", "dpld")
        self.assertEqual(again.read_bytes(), self.server.read_bytes())

    def test_man_pages_and_completions_know_every_option(self):
        for package, name, section in ((self.server, "dpld", 8), (self.server, "dplctl", 1), (self.compiler, "dplc", 1)):
            unpacked = self.folder / f"man-{name}"
            run("dpkg-deb", "-x", package, unpacked)
            page = gzip.decompress((unpacked / f"usr/share/man/man{section}/{name}.{section}.gz").read_bytes()).decode()
            self.assertRegex(page, rf'^\.TH {name.upper()} {section} ')
            for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"):
                self.assertIn(f".SH {heading}\n", page)
            completion = unpacked / f"usr/share/bash-completion/completions/{name}"
            help_tree = list(from_help.tree(BIN / name))
            self.assertGreater(len(from_help.options_of(help_tree[0][1])), 2)
            asked = [" ".join((name, *command)) for command, _ in help_tree]
            script = f"source {completion}\n" + "".join(
                f'COMP_WORDS=({words} ""); COMP_CWORD={words.count(" ") + 1}; _{name}; echo "${{COMPREPLY[*]}}"\n' for words in asked)
            offered = run("bash", "-euc", script).stdout.splitlines()
            for (command, text), words in zip(help_tree, offered, strict=True):
                known = set(from_help.options_of(text) + from_help.commands_of(text))
                self.assertEqual(set(words.split()), known, command)
                for option in known:
                    self.assertIn(option.replace("-", "\\-"), page)


class Installing(Packages):
    def setUp(self):
        super().setUp()
        self.place = Path(tempfile.mkdtemp(dir=self.folder))
        self.root, self.admin = self.place / "root", self.place / "admin"
        for folder in (self.root, self.admin / "info", self.admin / "updates", self.admin / "triggers"):
            folder.mkdir(parents=True)
        (self.admin / "available").touch()
        # What is installed on this machine, but for these packages, should it have them.
        stanzas = Path("/var/lib/dpkg/status").read_text().split("\n\n")
        self.stanzas = [s for s in stanzas if not re.match(r"Package: (dpld|dplc|adduser)\n", s)]
        # What postinst would make a user with need not be there: nothing is made.
        self.stanzas.append("Package: adduser\nStatus: install ok installed\nMaintainer: x\nArchitecture: all\nVersion: 9999\nDescription: x\n")
        self.know(self.stanzas)

    def know(self, stanzas):
        (self.admin / "status").write_text("\n\n".join(s.strip("\n") for s in stanzas if s.strip()) + "\n\n")

    def dpkg(self, *arguments, ok=True):
        return run("dpkg", f"--instdir={self.root}", f"--admindir={self.admin}", f"--log={self.place}/log", "--force-script-chrootless", "--force-not-root",
                   "--force-confold", *arguments, ok=ok)

    def state(self, package="dpld"):
        found = re.search(rf"^Package: {package}\nStatus: (.*)$", (self.admin / "status").read_text(), re.M)
        return found[1] if found else None

    def test_installed_started_upgraded_removed_purged(self):
        self.dpkg("-i", self.server, self.compiler)
        self.assertEqual((self.state(), self.state("dplc")), ("install ok installed",) * 2)
        for path in SERVER_FILES | COMPILER_FILES:
            self.assertTrue((self.root / path).is_file(), path)
        self.assertEqual(run(self.root / "usr/bin/dplc", "--version").stdout.split()[0], "dplc")

        self.serve_and_ask()

        config = self.root / "etc/dpl/dpld.json"
        mine = config.read_text().replace('"listen"', '"threads": 1,\n  "listen"')
        config.write_text(mine)
        self.dpkg("-i", self.next)
        self.assertEqual(config.read_text(), mine, "an upgrade leaves a changed configuration alone")
        state = self.root / "var/lib/dpld"
        log = self.root / "var/log/dpld"
        for folder in (state, log):
            folder.mkdir(parents=True)
            (folder / "kept").touch()
        self.dpkg("-r", "dpld")
        self.assertEqual(self.state(), "deinstall ok config-files")
        self.assertFalse((self.root / "usr/bin/dpld").exists())
        self.assertTrue(config.exists() and (state / "kept").exists())
        self.dpkg("-P", "dpld")
        self.assertIsNone(self.state())
        self.assertFalse((self.root / "etc/dpl").exists() or state.exists())
        self.assertTrue((log / "kept").exists(), "the audit log is evidence")
        self.dpkg("-P", "dplc")
        left = [p for p in self.root.rglob("*") if p.is_file() and p != log / "kept"]
        self.assertEqual(left, [])

    def test_a_missing_library_is_noticed(self):
        """The control: Depends are really looked at."""
        self.know([s for s in self.stanzas if not s.startswith("Package: libre2-9\n")])
        refused = self.dpkg("-i", self.server, ok=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("libre2-9", refused.stderr)

    def serve_and_ask(self):
        """As the unit starts it, with the paths of the folder it was installed into."""
        unit = (self.root / "lib/systemd/system/dpld.service").read_text()
        command = re.search(r"^ExecStart=(.*)$", unit, re.M)[1].split()
        self.assertTrue(command[0].startswith("/usr/bin/"))
        config = json.loads((self.root / "etc/dpl/dpld.json").read_text())
        self.assertEqual(config["state"], "/var/lib/" + re.search(r"^StateDirectory=(.*)$", unit, re.M)[1])
        self.assertEqual(config["audit"]["folder"], "/var/log/" + re.search(r"^LogsDirectory=(.*)$", unit, re.M)[1])
        # Absolute paths cannot be kept in a root that is not entered; everything else is used as it is.
        moved = {**config, "listen": ["127.0.0.1:0"], "bundle": str(self.root) + config["bundle"], "state": str(self.place / "state"),
                 "audit": {"folder": str(self.place / "audit")}, "operate": {"listen": ["none"]}}
        moved_file = self.root / "etc/dpl/moved.json"
        moved_file.write_text(json.dumps(moved))
        command = [str(self.root) + command[0], *(part.replace("/etc/dpl/dpld.json", str(moved_file)) for part in command[1:])]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(PATIENCE)
            manager.bind(str(self.place / "notify"))
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={"NOTIFY_SOCKET": str(self.place / "notify")})
            self.assertTrue(manager.recv(4096).startswith(b"READY=1\n"))
            listen = re.search(r"listen=(127\.0\.0\.1:\d+)", process.stderr.readline())[1]
            ready = run(self.root / "usr/bin/dplctl", "ready", "--to", listen)
            self.assertIn('"health":"LOADED"', ready.stdout)
            body = {"subject": {"type": "user", "id": "root"}, "action": {"name": "read"}, "resource": {"type": "x.Y", "id": "1"}}
            asked = urllib.request.Request(f"http://{listen}/access/v1/evaluation", json.dumps(body).encode(), {"Content-Type": "application/json"})
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                self.assertIs(json.load(answer)["decision"], False, "a fresh installation permits nothing")
            reload_with = re.search(r"^ExecReload=/bin/kill -(\w+) \$MAINPID$", unit, re.M)[1]
            process.send_signal(getattr(signal, f"SIG{reload_with}"))
            self.assertTrue(manager.recv(4096).startswith(b"RELOADING=1"))
            self.assertTrue(manager.recv(4096).startswith(b"READY=1\n"))
            process.terminate()
            self.assertEqual(manager.recv(4096), b"STOPPING=1")
            process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 0)
        refused = run(self.root / "usr/bin/dplctl", "ready", "--to", listen, ok=False)
        self.assertEqual(refused.returncode, 3)
        moved_file.unlink()


class Scripts(Packages):
    """What the maintainer scripts do on a machine with systemd, by what they call."""

    def calls(self, script, *arguments, user=False):
        control, tools = self.folder / "scripts", self.folder / "tools"
        if not control.exists():
            run("dpkg-deb", "-e", self.server, control)
            tools.mkdir()
        record = tools / "calls"
        for name in ("adduser", "systemctl", "rm", "rmdir", "getent"):
            # getent: whether the user is there; the rest only writes down.
            (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {record}\n' + (f"exit {0 if user else 2}\n" if name == "getent" else ""))
            (tools / name).chmod(0o755)
        record.write_text("")
        text = (control / script).read_text()
        self.assertIn("/run/systemd/system", text)
        # Where systemd runs: this folder stands for /run/systemd/system.
        (tools / script).write_text(text.replace("/run/systemd/system", str(tools)))
        run("sh", tools / script, *arguments, env={"PATH": f"{tools}:/usr/bin:/bin"})
        return [line for line in record.read_text().splitlines() if not line.startswith("getent")]

    def test_install_upgrade_remove_purge(self):
        made, *rest = self.calls("postinst", "configure", "")
        self.assertRegex(made, r"^adduser .*--system .*--group .*dpld$")
        self.assertEqual(rest, ["systemctl --system daemon-reload", "systemctl enable --now dpld.service"])
        self.assertEqual(self.calls("postinst", "configure", "0.1.0", user=True), ["systemctl --system daemon-reload", "systemctl try-restart dpld.service"])
        self.assertEqual(self.calls("prerm", "upgrade", "0.1.1"), [])
        self.assertEqual(self.calls("prerm", "remove"), ["systemctl disable --now dpld.service"])
        self.assertEqual(self.calls("postrm", "remove"), ["systemctl --system daemon-reload"])
        self.assertEqual(self.calls("postrm", "purge"), ["rm -rf /var/lib/dpld", "rmdir --ignore-fail-on-non-empty /etc/dpl"])
        self.assertEqual(self.calls("postrm", "upgrade", "0.1.1"), [])


class Unit(unittest.TestCase):
    UNIT = ROOT / "packaging/dpld/dpld.service"
    MOST_EXPOSURE = 15  # tenths; systemd-analyze calls up to 20 "safe" or "ok"

    def test_it_verifies(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / "dpld.service"
            unit.write_text(self.UNIT.read_text().replace("/usr/bin/dpld", str(BIN / "dpld")))
            ended = run("systemd-analyze", "verify", "--man=no", unit, ok=False)
            said = [line for line in ended.stderr.splitlines() if "dpld" in line]
            self.assertEqual((said, ended.returncode), ([], 0), ended.stderr)
            unit.write_text(self.UNIT.read_text() + "Nonsense=1\n")
            self.assertIn("Nonsense", run("systemd-analyze", "verify", "--man=no", unit, ok=False).stderr, "the control")

    def test_it_is_confined(self):
        judged = run("systemd-analyze", "security", "--offline=true", f"--threshold={self.MOST_EXPOSURE}", self.UNIT, ok=False)
        self.assertEqual(judged.returncode, 0, judged.stdout[-300:])

    def test_time_to_drain(self):
        unit = self.UNIT.read_text()
        limits = json.loads((ROOT / "docs/dpld.schema.json").read_text())["properties"]["limits"]["properties"]
        self.assertGreater(int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)[1]), limits["drain_seconds"]["default"])
        self.assertGreater(int(re.search(r"^LimitNOFILE=(\d+)$", unit, re.M)[1]), limits["connections"]["default"])


class Container(unittest.TestCase):
    """No container engine is needed or used: what the file says is held to what is true of the tree and the packages."""
    LINES = re.sub(r"\\\n", " ", (ROOT / "server/Containerfile").read_text()).splitlines()

    def all(self, word):
        return [line.split(None, 1)[1] for line in self.LINES if line.startswith(word + " ")]

    def test_what_it_runs_exists(self):
        unit = (ROOT / "packaging/dpld/dpld.service").read_text()
        entry, arguments = json.loads(self.all("ENTRYPOINT")[0]), json.loads(self.all("CMD")[0])
        self.assertEqual(" ".join(entry + arguments), re.search(r"^ExecStart=(.*)$", unit, re.M)[1])
        probe = json.loads(self.all("HEALTHCHECK")[0].split(" CMD ", 1)[1])
        for program in (entry[0], probe[0]):
            self.assertIn(program.removeprefix("/"), SERVER_FILES)
        shown = run(BIN / Path(probe[0]).name, probe[1], "--help").stdout
        self.assertIn("answers questions", shown)

    def test_it_installs_the_package_that_is_built(self):
        build = self.all("RUN")[0].split()
        self.assertEqual(build[:2], ["./dev", "package"])
        self.assertIn("package         ", run(ROOT / "dev", "help").stdout)
        source, target = self.all("COPY")[1].split()[1:]
        name = f"dpld_{deb.project_version()}_{deb.architecture()}.deb"
        self.assertTrue(Path(f"/src/build/packages/{name}").match(source))
        self.assertIn(f"apt-get install -y --no-install-recommends {target} ", self.all("RUN")[1], "so its Depends are the list of packages")

    def test_who_it_runs_as_and_where_it_writes(self):
        self.assertEqual(self.all("USER"), ["dpld"])
        self.assertRegex((ROOT / "packaging/dpld/postinst").read_text(), r"adduser .*--group .* dpld\n")
        config = json.loads((ROOT / "packaging/dpld/dpld.json").read_text())
        self.assertEqual(set(json.loads(self.all("VOLUME")[0])), {config["state"], config["audit"]["folder"]})
        for folder in (config["state"], config["audit"]["folder"]):
            self.assertIn(folder, self.all("RUN")[1])
        self.assertEqual({line.split()[0] for line in self.all("FROM")}, {"debian:12-slim"})
        self.assertEqual(self.all("EXPOSE")[0], config["listen"][0].rpartition(":")[2])


if __name__ == "__main__":
    unittest.main()
