# SPDX-License-Identifier: MIT
"""What test-analysis holds the command against: sums over what `decode` prints.

Nothing here knows how the command does it. A span is what stands between the
lines of its opening and its close.
"""
import json
import math
import subprocess


def spans_of(guesttrace, capture):
    """Every span that was closed, as it was opened."""
    lines = subprocess.run([guesttrace, "decode", "--wire", "native", capture],
                           stdout=subprocess.PIPE, check=True).stdout
    spans, opened = {}, []
    for line in lines.splitlines():
        entry = json.loads(line)
        if entry["type"] == "open":
            entry["fields"] = dict(map(tuple, entry["fields"]))
            entry["start"] = int(entry["ns"])
            spans[entry["id"]] = entry
            opened.append(entry)
        elif entry["type"] == "edit":
            spans[entry["id"]]["fields"].update(map(tuple, entry["fields"]))
        elif entry["type"] == "close":
            spans[entry["id"]]["end"] = int(entry["ns"])
    for span in opened:
        span["above"] = spans.get(span["parent"])
        span["children"] = []
        span["ns"] = span["end"] - span["start"]
    for span in opened:
        if span["above"]:
            span["above"]["children"].append(span)
    for span in opened:
        span["self"] = span["ns"] - covered(span)
    return opened


def covered(span):
    """How long at least one child was open."""
    ns, until = 0, span["start"]
    for child in sorted(span["children"], key=lambda s: s["start"]):
        start, end = max(child["start"], until), min(child["end"], span["end"])
        if end > start:
            ns += end - start
            until = end
    return ns


def chain(span):
    """From the span up."""
    while span:
        yield span
        span = span["above"]


def path_of(span):
    """The names above it and its own, each once: recursion is folded."""
    path = []
    for at in reversed(list(chain(span))):
        name = (at["name"], at["target"])
        path = path[:path.index(name)] if name in path else path
        path = [*path, name]
    return tuple(path)


def calls(spans):
    """{path: [count, total, self]}"""
    sums = {}
    for span in spans:
        path = path_of(span)
        row = sums.setdefault(path, [0, 0, 0])
        row[0] += 1
        row[2] += span["self"]
        if all(path_of(above) != path for above in chain(span["above"])):
            row[1] += span["ns"]
    return sums


def callers(spans, names):
    """The same, paths from such a name up."""
    sums = {}
    for path, row in calls(spans).items():
        if path[-1][0] not in names:
            continue
        for end in range(len(path)):
            up = tuple(reversed(path[end:]))
            for i, value in enumerate(row):
                sums.setdefault(up, [0, 0, 0])[i] += value
    return sums


def mann_whitney(before, after):
    """Two-sided p by the normal distribution, with both corrections."""
    ranks, everything = {}, sorted(before + after)
    for place, value in enumerate(everything, 1):
        ranks.setdefault(value, []).append(place)
    n, m = len(before), len(after)
    u = sum(sum(ranks[x]) / len(ranks[x]) for x in after) - m * (m + 1) / 2
    ties = sum(len(r) ** 3 - len(r) for r in ranks.values())
    spread = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    distance = abs(u - n * m / 2)
    if spread <= 0 or distance <= 0.5:
        return 1.0
    return math.erfc((distance - 0.5) / math.sqrt(2 * spread))


def median_shift(before, after):
    differences = sorted(b - a for a in before for b in after)
    count = len(differences)
    return (differences[(count - 1) // 2] + differences[count // 2]) / 2


def holm(ps):
    """{key: p} -> {key: corrected}"""
    least, corrected = 0.0, {}
    for left, key in enumerate(sorted(ps, key=ps.get)):
        least = max(least, min(1.0, ps[key] * (len(ps) - left)))
        corrected[key] = least
    return corrected
