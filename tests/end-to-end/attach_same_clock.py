# SPDX-License-Identifier: MIT
"""attach_same_clock.py KNOWN.json ESTIMATED.json SPANS

Two captures of one guest, guests/attached.c: of the first its TSC's offset was known,
of the second it was estimated. A span says what its guest's TSC was; where both put
that on the host's clock differs by no more than both say that they may be off. SPANS is
how many the guest has recorded in all, which are in the second.
"""
import json, sys


def clock(path):
    [trace] = json.load(open(path))["traces"]
    assert trace["losses"]["overwritten_bytes"] == "0", trace["losses"]
    points = []
    for span in trace["spans"]:
        fields = {key: int(value) for key, _, value in span["fields"]}
        if "opening" in fields:
            host_ns = int(span["start_ns"]) - int(trace["monotonic_offset_ns"])
            points.append((host_ns, fields["opening"]))
    return trace, points


known, known_points = clock(sys.argv[1])
estimated, estimated_points = clock(sys.argv[2])
assert "estimated" not in known["clock"]["flags"], known["clock"]
assert "estimated" in estimated["clock"]["flags"], estimated["clock"]
hz = int(known["clock"]["frequency_hz"])
bounds = [int(t["clock"]["error_bound_ns"]) for t in (known, estimated)]


def offset_ns(points):
    """The span's own reading comes first, so that the least is the best."""
    return min(host_ns - tsc * 1e9 / hz for host_ns, tsc in points)


apart = offset_ns(estimated_points) - offset_ns(known_points)
print(f"{len(known['spans'])} and {len(estimated['spans'])} spans,",
      f"{apart:.0f} ns apart, off by {bounds[0]} and {bounds[1]} at most")
sys.exit(not (known_points and len(estimated["spans"]) == int(sys.argv[3])
              and abs(apart) <= sum(bounds)))
