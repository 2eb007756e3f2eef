# SPDX-License-Identifier: MIT
"""found_in_linux.py REPORT.json [clock]

Of a Linux program that was traced: "pid vcpu spans events" of each vCPU, whose steps
lie in the job of their number. `clock`: whether all vCPUs are on one.
"""
import collections, json, statistics, sys
[trace] = json.load(open(sys.argv[1]))["traces"]
spans = trace["spans"]
field = lambda s, key: next((int(v) for k, _, v in s["fields"] if k == key), None)

if sys.argv[2:] == ["clock"]:
    clock = trace["clock"]
    hz, bound = int(clock["frequency_hz"]), int(clock["error_bound_ns"])
    first, off = spans[0], collections.defaultdict(list)
    for s in spans:
        ticks = field(s, "tsc") - field(first, "tsc")
        off[s["vcpu"]].append(int(s["start_ns"]) - int(first["start_ns"]) - ticks * 1e9 / hz)
    middles = [statistics.median(values) for values in off.values()]
    apart = max(middles) - min(middles)
    print(f"{len(off)} vCPUs, {apart:.0f} ns apart, bound {bound} ns")
    sys.exit(not (len(off) == 4 and apart <= 2 * bound and 0 < bound < 50000000))

jobs = {s["id"]: s for s in spans if s["name"] == "job"}
for s in spans:
    if s["name"] == "step":
        job = jobs[s["parent_id"]]
        assert (field(job, "n"), job["vcpu"]) == (field(s, "n"), s["vcpu"])
found = collections.defaultdict(lambda: [0, 0])
for s in spans:
    found[field(s, "pid"), s["vcpu"]][0] += 1
    found[field(s, "pid"), s["vcpu"]][1] += len(s["events"])
for (pid, vcpu), (count, events) in sorted(found.items()):
    print(pid, vcpu, count, events)
