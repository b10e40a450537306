"""The corpus of tests/http/framing, as (name, status, refused, control); its form is told at the head of each file."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "framing"
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t"}


def unescape(text, at=0):
    """The bytes up to the `}` that ends a repetition, or to the end; and where that is."""
    out = b""
    while at < len(text) and text[at] != "}":
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif text[at + 1] == "x":
            out += bytes.fromhex(text[at + 2:at + 4])
            at += 4
        elif text[at + 1] == "{":
            star = text.index("*", at)
            part, end = unescape(text, star + 1)
            out += part * int(text[at + 2:star])
            at = end + 1
        else:
            out += ESCAPES.get(text[at + 1], text[at + 1].encode())
            at += 2
    return out, at


def cases():
    for path in sorted(FOLDER.glob("*.txt")):
        name = refused = None
        for line in path.read_text().splitlines():
            if line.startswith("> "):
                refused = unescape(line[2:])[0]
            elif line.startswith("< "):
                yield name[0], int(name[1]), refused, unescape(line[2:])[0]
            elif line and not line.startswith("#"):
                name = line.split()
