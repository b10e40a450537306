"""Makes the peers, one after the other, with one job each and below everybody else's priority; says what is missing."""

import os
import shutil
import subprocess

from registry import WORK


def lacking(peer):
    """The programs that this machine lacks to make a peer."""
    return sorted({need for step in peer.steps for need in step.needs if shutil.which(need) is None})


def stale(step):
    """Whether something the step is made from is newer than what it made."""
    if not step.made.exists():
        return True
    if step.folder == WORK or WORK in step.folder.parents:
        sources = step.copies
    else:
        sources = [f for f in step.folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    return any(f.stat().st_mtime > step.made.stat().st_mtime for f in sources)


def make(peer, patience, say):
    """None when the peer can be asked, else what is missing."""
    if lack := lacking(peer):
        return ", ".join(lack)
    for step in peer.steps:
        if not stale(step):
            continue
        say(f"making {peer.name}: {step.command[0]} {' '.join(str(a) for a in step.command[1:3])}")
        step.made.parent.mkdir(parents=True, exist_ok=True)
        step.folder.mkdir(parents=True, exist_ok=True)
        for file in step.copies:
            shutil.copy(file, step.folder)
        log = WORK / f"{peer.name.replace(' ', '_').replace(',', '')}.log"
        with open(log, "wb") as out:
            try:
                done = subprocess.run(["nice", "-n", "10", *map(str, step.command)], cwd=step.folder, stdout=out, stderr=subprocess.STDOUT,
                                      env={**os.environ, **step.environment}, timeout=patience)
            except subprocess.TimeoutExpired:
                return f"it was not made within {patience} s (see {log})"
        if done.returncode != 0 or not step.made.exists():
            return f"it cannot be made here (see {log})"
        os.utime(step.made)
    return None
