"""The tables of docs/benchmarks.md, "Beside peers", from the result."""


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def micros(ns):
    us = ns / 1e3
    return f"{us:,.0f}" if us >= 100 else f"{us:.1f}" if us >= 10 else f"{us:.2f}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(head, rows):
    return "\n".join([row(head), row(["---"] * len(head)), *map(row, rows)])


def http_table(result, about):
    """A row for each server; behind its own figures, what each of ours does beside it in the same rounds."""
    out = []
    for count, named in result["cells"].items():
        ours, rows = result["ratios"][count], []
        for name, seen in named.items():
            beside = []
            for mine in ours:
                if ratio := ours[mine].get(name):
                    beside += [number(ratio["rps"]), *(number(1 / ratio[key]) if ratio[key] else "" for key in ("cpu_us", "p99_us"))]
                else:
                    beside += ["", "", ""]
            rows.append([about[name], *(number(seen[key]) for key in ("rps", "cpu_us", "p50_us", "p99_us")), *beside, f"{seen['foreign']:.1f}"])
        rows += [[about[name], word, *[""] * (4 + 3 * len(ours))] for name, word in result["words"].items()]
        heads = [f"{mine}: {what}" for mine in ours for what in ("× requests", "CPU 1/", "p99 1/")]
        out.append(f"{count} connection{'s' if int(count) > 1 else ''}:\n\n" + table(
            ["server", "requests/s", "CPU µs", "p50 µs", "p99 µs", *heads, "foreign cores"], rows))
    return "\n\n".join(out)


def process_table(results, peers, kind):
    names, rows = [p.name for p in peers if any(kind in cells.get(p.name, {}) or "word" in cells.get(p.name, {}) for cells in results.values())], []
    brief = kind == "bytes"  # ours again, with an answer as short as those of others
    for world, cells in results.items():
        ours, texts = cells.get("dpl", {}).get(kind), []
        for name in names:
            cell = cells.get(name, {})
            if kind not in cell:
                texts.append(cell.get("word", ""))
            elif name == "dpl" or not ours:
                texts.append(micros(cell[kind]))
            else:
                texts.append(f"{micros(cell[kind])} ({number(cell[kind] / ours)})")
        if brief:
            texts.insert(1, micros(cells["dpl"]["brief"]) if "brief" in cells.get("dpl", {}) else "")
        rows.append([world, *texts])
    return table(["µs CPU a decision (times ours)", *names[:1], *(["dpl, brief"] if brief else []), *names[1:]], rows)


def losses(result):
    """Where a peer is quicker than we are: said plainly."""
    found, names = [], {"rps": "requests", "cpu_us": "CPU", "p99_us": "p99"}
    for count, ours in result.get("http", {}).get("ratios", {}).items():
        for mine, beside in ours.items():
            for name, ratio in beside.items():
                lost = [f"{names[key]} {ratio[key]:.2f} of it" for key in ratio if (ratio[key] < 1) == (key == "rps")]
                if lost:
                    found.append(f"over HTTP, {count} connections, {mine} beside {name}: {', '.join(lost)}")
    for world, cells in result.get("in_process", {}).items():
        for kind, mine in (("decide", "decide"), ("bytes", "bytes"), ("bytes", "brief")):
            ours = cells.get("dpl", {}).get(mine)
            for name, cell in cells.items():
                if ours and name != "dpl" and kind in cell and cell[kind] < ours:
                    found.append(f"in process, {world}, {mine}: {name} {micros(cell[kind])} µs, ours {micros(ours)} µs")
    return found


def markdown(result, peers):
    about, parts = {p.name: p.about for p in peers}, []
    if result["missing"]:
        parts.append("\n".join(f"missing: {about.get(name, name)}: {why}" for name, why in result["missing"].items()))
    if "http" in result and result["http"]["cells"]:
        parts.append(http_table(result["http"], about))
    if "in_process" in result:
        parts.append("A decision, from a request as the engine wants it:\n\n" + process_table(result["in_process"], peers, "decide"))
        parts.append("From the bytes of a request to the bytes of an answer:\n\n" + process_table(result["in_process"], peers, "bytes"))
    lost = losses(result)
    parts.append("Where a peer is quicker:\n\n" + "\n".join(f"- {line}" for line in lost) if lost else "No peer is quicker anywhere in these tables.")
    return "\n\n".join(parts)
