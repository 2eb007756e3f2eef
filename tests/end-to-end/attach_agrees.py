# SPDX-License-Identifier: MIT
"""attach_agrees.py REPORT.json SPANS STEPS EVENTS LOST SPANS STEPS EVENTS LOST

Of guests/attached.c: what it counted before and after it was read, and its own TSC.
"""
import json, sys
[trace] = json.load(open(sys.argv[1]))["traces"]
before, after = (list(map(int, sys.argv[i:i + 4])) for i in (2, 6))
spans, _, events, lost = (b - a for a, b in zip(before, after))
field = lambda s, key: next((int(v) for k, _, v in s["fields"] if k == key), None)
# What lay in the ring before is shown as well. A round has two spans, each with a
# number of its own.
first = {"round": before[0] - before[1], "step": before[1]}
got = [s for s in trace["spans"] if field(s, "n") >= first[s["name"]]]
ticks = trace["events"] + [e for s in trace["spans"] for e in s["events"]]
ticks = [e for e in ticks if field(e, "n") >= before[2]]
print(f"{len(got)} spans of {spans}, {len(ticks)} events of {events}, {lost} lost")
print({k: v for k, v in trace["losses"].items() if v != "0"}, trace["clock"])
ok = (spans - lost <= len(got) <= spans and len(got) > 100
      and events - lost <= len(ticks) <= events)
# What was overwritten before it came is no loss of its own.
ok = ok and trace["losses"]["overwritten_bytes"] == "0"
for name in ("round", "step"):
    numbers = [field(s, "n") for s in got if s["name"] == name]
    ok = ok and numbers == sorted(set(numbers))
whole = [s for s in got if field(s, "closing")]
start = lambda s: int(s["start_ns"]) - int(whole[0]["start_ns"])
tsc = lambda s: field(s, "opening") - field(whole[0], "opening")
rate = start(whole[-1]) / tsc(whole[-1])
off = sorted(start(s) - rate * tsc(s) for s in whole)
bound = int(trace["clock"]["error_bound_ns"])
# Nearly all reads of the TSC come right behind the span's own.
middle = off[len(off) // 2]
far = sum(abs(o - middle) > 2 * bound + 1000000 for o in off)
print(f"{len(whole)} whole, from {off[0] - middle:.0f}",
      f"to {off[-1] - middle:.0f} ns, {far} far")
sys.exit(not (ok and 0 < bound < 50000000 and far <= len(off) // 100))
