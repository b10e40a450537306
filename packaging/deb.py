#!/usr/bin/env python3
"""Builds the Debian packages `dpld` (server, dplctl, service) and `dplc` (the compiler) from built programs. `./dev package` runs it.

  packaging/deb.py [--bin build/bin] [--out build/packages] [--version 0.1.0] [--compression xz]

The server's package does not hold the compiler. What each needs (Depends) is found by dpkg-shlibdeps. The same programs, version and
$SOURCE_DATE_EPOCH give the same bytes."""

import argparse
import gzip
import hashlib
import os
import re
import subprocess
import tempfile
from email.utils import format_datetime
from datetime import datetime, timezone
from pathlib import Path

import from_help

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "packaging"
MAINTAINER = "DPL maintainers <maintainers@dpl.invalid>"
DESCRIPTIONS = {
    "dpld": ("policy decision point for people and AI agents",
             ["dpld answers over HTTP (OpenID AuthZEN 1.0) whether a person, or an agent",
              "acting for one, may do something: permit, deny or ask, with the reason.",
              "It serves policies compiled by dplc, as a hardened systemd service.",
              "dplctl runs its state from the shell."]),
    "dplc": ("compiler and toolchain of the policy language DPL",
             ["dplc checks, tests, formats and compiles policies that say who owns access,",
              "why it was granted and what limits apply. dpld serves what it compiles."]),
}
PROGRAMS = {"dpld": "policy decision point for people and AI agents", "dplctl": "the state behind dpld, from the shell",
            "dplc": "compiler and toolchain of the policy language DPL"}
FILES = """/etc/dpl/dpld.json        the configuration of the service
/etc/dpl/facts.json       its facts
/usr/share/dpld/deny.dplb what it serves until `bundle` names something else: nobody may do anything
/var/lib/dpld             its state
/var/log/dpld             its audit log"""


def project_version():
    return re.search(r"project\(dpl VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]


def epoch():
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        shown = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True)
        given = shown.stdout.strip() or "0"
    return int(given)


def architecture():
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


class Package:
    def __init__(self, name, folder, binaries, version):
        self.name, self.root, self.binaries, self.version = name, folder / name, binaries, version
        self.root.mkdir()
        self.programs = []

    def put(self, path, content, mode=0o644):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        target.chmod(mode)

    def program(self, name, section, files=""):
        source = self.binaries / name
        self.put(f"usr/bin/{name}", source.read_bytes(), 0o755)
        subprocess.run(["strip", "--strip-unneeded", self.root / "usr/bin" / name], check=True)
        self.programs.append(self.root / "usr/bin" / name)
        page = from_help.man_page(source, name, section, self.version, PROGRAMS[name], files)
        self.put(f"usr/share/man/man{section}/{name}.{section}.gz", gzip.compress(page.encode(), mtime=0))
        self.put(f"usr/share/bash-completion/completions/{name}", from_help.completion(source, name))

    def documents(self, when):
        doc = f"usr/share/doc/{self.name}"
        self.put(f"{doc}/copyright", "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: dpl\n\n"
                 "Files: *\nCopyright: the DPL maintainers\nLicense: Apache-2.0\n On Debian systems the text of the licence is in\n"
                 " /usr/share/common-licenses/Apache-2.0.\n")
        self.put(f"{doc}/changelog.gz", gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=0))
        debian = f"{self.name} ({self.version}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- {MAINTAINER}  {format_datetime(when)}\n"
        self.put(f"{doc}/changelog.Debian.gz", gzip.compress(debian.encode(), mtime=0))

    def depends(self):
        """What the programs are linked to, in the versions they need."""
        with tempfile.TemporaryDirectory() as folder:
            control = Path(folder) / "debian/control"
            control.parent.mkdir()
            control.write_text(f"Source: dpl\n\nPackage: {self.name}\nArchitecture: any\n")
            out = subprocess.run(["dpkg-shlibdeps", "-O", *self.programs], cwd=folder, capture_output=True, text=True, check=True).stdout
        return re.search(r"^shlibs:Depends=(.*)$", out, re.M)[1].strip()

    def finish(self, out, more_depends, conffiles, scripts, compression):
        files = sorted(p for p in self.root.rglob("*") if p.is_file())
        sums = "".join(f"{hashlib.md5(p.read_bytes()).hexdigest()}  {p.relative_to(self.root)}\n" for p in files
                       if str(p.relative_to(self.root)) not in conffiles)
        size = sum((p.stat().st_size + 1023) // 1024 for p in files) + sum(1 for p in self.root.rglob("*") if p.is_dir())
        short, text = DESCRIPTIONS[self.name]
        control = [f"Package: {self.name}", f"Version: {self.version}", "Section: net" if self.name == "dpld" else "Section: devel", "Priority: optional",
                   f"Architecture: {architecture()}", f"Depends: {', '.join([*more_depends, self.depends()])}", f"Maintainer: {MAINTAINER}",
                   f"Installed-Size: {size}", f"Description: {short}", *(f" {line}" for line in text)]
        self.put("DEBIAN/control", "\n".join(control) + "\n")
        self.put("DEBIAN/md5sums", sums)
        if conffiles:
            self.put("DEBIAN/conffiles", "".join(f"/{path}\n" for path in conffiles))
        for script in scripts:
            self.put(f"DEBIAN/{script}", (HERE / self.name / script).read_bytes(), 0o755)
        for folder in [self.root, *(p for p in self.root.rglob("*") if p.is_dir())]:
            folder.chmod(0o755)
        target = out / f"{self.name}_{self.version}_{architecture()}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", f"-Z{compression}", "--build", self.root, target], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch())})
        return target


def server(folder, binaries, version, out, compression, when):
    package = Package("dpld", folder, binaries, version)
    package.program("dpld", 8, FILES)
    package.program("dplctl", 1)
    package.put("lib/systemd/system/dpld.service", (HERE / "dpld/dpld.service").read_bytes())
    conffiles = []
    for name in ("dpld.json", "facts.json"):
        package.put(f"etc/dpl/{name}", (HERE / "dpld" / name).read_bytes())
        conffiles.append(f"etc/dpl/{name}")
    bundle = folder / "deny.dplb"
    subprocess.run([binaries / "dplc", "build", HERE / "dpld/deny.dpl", "-o", bundle], check=True, capture_output=True, cwd=ROOT)
    package.put("usr/share/dpld/deny.dplb", bundle.read_bytes())
    package.put("usr/share/dpld/dpld.schema.json", (ROOT / "docs/dpld.schema.json").read_bytes())
    package.put("usr/share/dpld/grafana.json", (ROOT / "docs/grafana/dpld.json").read_bytes())
    package.put("usr/share/dpld/alerts.yml", (ROOT / "docs/prometheus/alerts.yml").read_bytes())
    package.documents(when)
    return package.finish(out, ["adduser"], conffiles, ("postinst", "prerm", "postrm"), compression)


def compiler(folder, binaries, version, out, compression, when):
    package = Package("dplc", folder, binaries, version)
    package.program("dplc", 1)
    package.documents(when)
    return package.finish(out, [], [], (), compression)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    arguments.add_argument("--out", type=Path, default=ROOT / "build/packages")
    arguments.add_argument("--version", default=project_version())
    arguments.add_argument("--package", choices=list(DESCRIPTIONS), help="only this one")
    arguments.add_argument("--compression", default="xz", help="as dpkg-deb's -Z: xz, gzip, none")
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    when = datetime.fromtimestamp(epoch(), timezone.utc)
    with tempfile.TemporaryDirectory(prefix="dpl-deb-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        for name, make in (("dpld", server), ("dplc", compiler)):
            if options.package in (None, name):
                print(make(folder, options.bin.resolve(), options.version, options.out.resolve(), options.compression, when), flush=True)


if __name__ == "__main__":
    main()
