"""Man pages and bash completions, both made from what `PROGRAM --help` and `PROGRAM COMMAND --help` print."""

import re
import subprocess


def help_of(program, *command):
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True).stdout


def commands_of(text):
    """The names under "Subcommands:"."""
    found = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.M)
    return re.findall(r"^  ([a-z][a-z-]*)", found[1], re.M) if found else []


def options_of(text):
    """The options, short and long."""
    return [name for line in re.findall(r"^  (-\S*)", text, re.M) for name in line.split(",") if name.startswith("-")]


def tree(program, *command):
    """Every command with its help text, parents first."""
    text = help_of(program, *command)
    yield command, text
    for name in commands_of(text):
        yield from tree(program, *command, name)


def roff(text):
    """As it is written, in a fixed font."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return ".nf\n" + "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in escaped.splitlines()) + "\n.fi\n"


def man_page(program, name, section, version, short, files=""):
    first, *rest = list(tree(program))
    text = first[1].replace(str(program), name)
    summary, body = text.split("\nUsage:", 1)
    usage, body = body.split("\n", 1)
    out = [f'.TH {name.upper()} {section} "" "dpl {version}" "DPL"\n.SH NAME\n{name} \\- {short}\n.SH SYNOPSIS\n.B {usage.strip()}\n',
           f".SH DESCRIPTION\n{roff(summary)}.SH OPTIONS\n{roff(body.strip())}"]
    if rest:
        out.append(".SH COMMANDS\n")
        for command, text in rest:
            out.append(f".SS {' '.join(command)}\n{roff(text.replace(str(program), name).strip())}")
    if files:
        out.append(f".SH FILES\n{roff(files)}")
    return "".join(out)


def completion(program, name):
    cases = []
    for command, text in tree(program):
        words = commands_of(text) + options_of(text)
        cases.append(f'    "{" ".join(command)}") words="{" ".join(words)}" ;;')
    return f"""# bash completion for {name}; made from its --help.
_{name}() {{
  local word path="" words="" next
  local current=${{COMP_WORDS[COMP_CWORD]}}
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    [[ $word == -* ]] && continue
    next="${{path:+$path }}$word"
    case $next in
{chr(10).join(f'      "{" ".join(command)}") path=$next ;;' for command, _ in tree(program) if command) or '      *) ;;'}
    esac
  done
  case $path in
{chr(10).join(cases)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _{name} {name}
"""
