#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compare-ctf.py DIRECTORY... | --each JOBS.json

What babeltrace2's library reads in DIRECTORY/ctf is what DIRECTORY/report.json says,
and what the host's stretches were, if there is a host.jsonl. Ends at the first
difference, with one line. With --each prints one of JSON per job: a job names its
`ctf`, and may have a `report` and `host` of its own in place of the files'.
"""
import json
import math
import os
import sys

import bt2

HIDDEN = [(0, 0x1f), (0x7f, 0x9f), (0xad, 0xad), (0x61c, 0x61c), (0x180e, 0x180e), (0x200b, 0x200f),
          (0x2028, 0x202e), (0x2060, 0x206f), (0xfeff, 0xfeff), (0xfff9, 0xfffb), (0xe0000, 0xe007f)]
FLAGS = {1: "interrupted", 2: "close_lost", 4: "time_adjusted", 8: "cut", 16: "evicted", 32: "replaced",
         64: "open_lost", 128: "parent_guessed"}
REASONS = ["other", "io", "mmio", "halt", "shutdown", "exception", "interrupted", "timeout", "error"]


def visible(text):
    return "".join(f"\\u{{{ord(c):x}}}" if any(a <= ord(c) <= b for a, b in HIDDEN) else c for c in text)


class Difference(Exception):
    pass


def same(got, want, *where):
    if got == want or (isinstance(got, float) and isinstance(want, float)
                       and math.isnan(got) and math.isnan(want)):
        return
    line = f"{' '.join(map(str, where))}: {got!r} instead of {want!r}"
    raise Difference(line.encode("ascii", "backslashreplace").decode().replace("\n", " ")[:400])


def string(value):
    """babeltrace2 2.0.4 shows an empty string as the one before it in its place."""
    return str(value) if len(value) else ""


def label(enum):
    return sorted(enum.labels)[0] if enum.labels else None


def plain(value):
    """A value of bt2 as Python's own, with the type that the report names."""
    if isinstance(value, bt2._EnumerationFieldConst):
        return "bool", label(value) == "true"
    if isinstance(value, bt2._SignedIntegerFieldConst):
        return "i64", int(value)
    if isinstance(value, bt2._UnsignedIntegerFieldConst):
        return ("pointer" if value.cls.preferred_display_base == 16 else "u64"), int(value)
    if isinstance(value, bt2._RealFieldConst):
        return "f64", float(value)
    if isinstance(value, bt2._StringFieldConst):
        return "string", string(value)
    return "bytes", bytes(int(b) for b in value)


def wanted(kind, value):
    import base64
    return kind, {
        "u64": int, "i64": int, "f64": float, "bool": bool, "bytes": base64.b64decode,
        "string": lambda v: v.replace("\0", "\\u{0}"), "pointer": lambda v: int(v, 16)}[kind](value)


def fields_of(event, keys):
    """[(key, type, value)], each key as the guest spelled it."""
    prefix = f"key_{event.cls.id}_"
    found = []
    for name, value in event.payload_field["fields"].items():
        if name.startswith("_length_of_"):
            continue
        found.append([keys.get(prefix + name, name), *plain(value)])
    return found


def unique(pairs):
    same(len({key for key, _ in pairs}), len(pairs), "different keys in", pairs)
    return dict(pairs)


def is_generic(event):
    return event.cls.id < 4


def check_fields(event, want, keys, where):
    if is_generic(event):
        last = {key: value for key, kind, value in want}
        got = json.loads(str(event.payload_field["fields"]), object_pairs_hook=unique)
        same(sorted(got), sorted(last), where, "keys")
        strings = {key: value for key, kind, value in want if kind == "string"}
        for key, value in strings.items():
            same(got[key], last[key], where, "field", key)
        return
    got = fields_of(event, keys)
    want = [[visible(key), *wanted(kind, value)] for key, kind, value in want]
    for g, w in zip(got, want):
        if g[1] == "f64" and w[1] == "f64" and math.isnan(g[2]) and math.isnan(w[2]):
            g[2] = w[2] = None
    same(got, want, where, "fields")


def hexid(value):
    return f"{int(value):016x}"


def check_site(event, want, kind, where):
    p = event.payload_field
    if is_generic(event):
        for name in ("name", "target", "level"):
            same(str(p[name]), want[name].replace("\0", "\\u{0}"), where, name)
        same(str(p["source"]), want["file"].replace("\0", "\\u{0}") + f":{want['line']}", where, "source")
        return
    same(event.name or "", visible(want["name"]) + kind, where, "name")
    same(label(p["target"]), visible(want["target"]), where, "target")
    same(label(p["level"]), want["level"], where, "level")
    place = visible(want["file"]) + (f":{want['line']}" if want["line"] else "")
    same(label(p["source"]), place, where, "source")


def flags_of(value):
    return [word for bit, word in FLAGS.items() if int(value) & bit]


def time_of(message):
    context = message.event.specific_context_field or message.event.common_context_field
    late = int(context["late_ns"]) if context is not None and "late_ns" in context else 0
    return message.default_clock_snapshot.ns_from_origin - late


class Trace:
    def __init__(self, report):
        self.report = report
        self.spans = {s["id"]: s for s in report["spans"]}
        self.events = {}
        for e in report["events"] + [e for s in report["spans"] for e in s["events"]]:
            self.events[e["sequence"]] = e
        self.counters = {c["sequence"]: c for c in report["counters"]}
        self.begun, self.ended, self.counts = set(), set(), [0, 0]
        self.no_loss = ["0"] * report["vcpus"]
        self.lost = [0] * report["vcpus"]
        # Of each vCPU what is lost, in order, and the time that its stream has come to.
        self.gaps = [[g for g in report["gaps"] if g["vcpu"] == v and g["records"] != "0"] for v in range(report["vcpus"])]
        self.times = [int(report["start_ns"])] * report["vcpus"]

    def begin(self, m, keys):
        p = m.event.payload_field
        want = self.spans.get(hexid(p["id"]))
        same(want is not None, True, "there is a span", hexid(p["id"]))
        where = f"span {want['id']}"
        check_site(m.event, want, ":begin", where)
        same(time_of(m), int(want["start_ns"]), where, "start")
        parent = hexid(p["parent_id"])
        same(None if parent == "0" * 16 else parent, want["parent_id"], where, "parent")
        same(int(p["guest_id"]), int(want["guest_id"]), where, "guest_id")
        same(int(p["nesting"]), want["nesting"], where, "nesting")
        same(label(p["entered"]) == "true", want["entered"], where, "entered")
        same(int(m.event.packet.context_field["cpu_id"]), want["vcpu"], where, "vcpu")
        count = len(want["fields"]) if is_generic(m.event) else len(fields_of(m.event, keys))
        check_fields(m.event, want["fields"][:count], keys, where)
        self.begun.add(want["id"])

    def end(self, m, keys):
        p = m.event.payload_field
        want = self.spans.get(hexid(p["id"]))
        same(want is not None, True, "there is a span", hexid(p["id"]))
        where = f"end of span {want['id']}"
        check_site(m.event, want, ":end", where)
        same(time_of(m), int(want["end_ns"]), where, "end")
        same(int(p["duration_ns"]), int(want["duration_ns"]), where, "duration")
        same(label(p["status"]), want["status"], where, "status")
        same(string(p["status_message"]), want["status_message"].replace("\0", "\\u{0}"), where, "message")
        same(flags_of(p["flags"]), want["flags"], where, "flags")
        same(int(p["opened_on"]), want["vcpu"], where, "vcpu")
        same(int(m.event.packet.context_field["cpu_id"]), want["close_vcpu"], where, "close_vcpu")
        same(int(p["dropped_events"]), int(want["dropped_events"]), where, "dropped events")
        same(int(p["dropped_fields"]), int(want["dropped_fields"]), where, "dropped fields")
        same([["".join(f"{int(b):02x}" for b in link["trace_id"]), hexid(link["id"])] for link in p["links"]],
             [[link["trace_id"], link["span_id"]] for link in want["links"]], where, "links")
        check_fields(m.event, want["fields"], keys, where)
        self.ended.add(want["id"])

    def one(self, m, keys, kind):
        p = m.event.payload_field
        items = self.counters if kind else self.events
        want = items.get(str(int(p["sequence"])))
        same(want is not None, True, "there is an event or counter", int(p["sequence"]))
        where = f"event {want['sequence']}"
        check_site(m.event, want, kind, where)
        same(time_of(m), int(want["time_ns"]), where, "time")
        span = hexid(p["span_id"])
        same(None if span == "0" * 16 else span, want["span_id"], where, "span")
        same(int(p["nesting"]), want["nesting"], where, "nesting")
        same(flags_of(p["flags"]), want["flags"], where, "flags")
        same(int(m.event.packet.context_field["cpu_id"]), want["vcpu"], where, "vcpu")
        check_fields(m.event, want["fields"], keys, where)
        self.counts[bool(kind)] += 1

    def discarded(self, m, vcpu):
        """Between the record before, or since when something can be missing, and when it was noticed."""
        self.lost[vcpu] += m.count
        begin, end = (c.ns_from_origin for c in (m.beginning_default_clock_snapshot, m.end_default_clock_snapshot))
        where = f"discarded events on vCPU {vcpu} by {end}"
        if not self.gaps[vcpu]:  # of what nobody knows when it was
            same(end, int(self.report["end_ns"]), where, "end")
            return
        gap = self.gaps[vcpu].pop(0)
        same(m.count, int(gap["records"]), where, "count")
        same(end, max(self.times[vcpu], int(gap["from_ns"]), int(gap["to_ns"])), where, "end")
        same(self.times[vcpu] <= begin <= max(self.times[vcpu], int(gap["from_ns"])), True, where, "begin", begin)
        self.times[vcpu] = end

    def finish(self):
        where = f"trace {self.report['trace_id']}"
        same(len(self.begun), len(self.spans), where, "beginnings")
        same(len(self.ended), len(self.spans), where, "ends")
        same([len(gaps) for gaps in self.gaps], [0] * len(self.gaps), where, "losses")
        same([str(n) for n in self.lost], self.report.get("lost_records", self.no_loss), where, "lost records")
        same(self.counts, [len(self.events), len(self.counters)], where, "events and counters")


def check_host(m, want):
    p = m.event.payload_field
    where = f"stretch {want['id']}"
    same(m.event.name, {1: "guest", 2: "exit", 3: "work"}[want["kind"]], where, "name")
    same([hexid(p["id"]), hexid(p["parent_id"])], [want["id"], want["parent_id"]], where, "ids")
    same(int(p["start_ns"]), int(want["start_ns"]), where, "start")
    same(m.default_clock_snapshot.ns_from_origin, int(want["start_ns"]), where, "time")
    same(int(p["duration_ns"]), int(want["end_ns"]) - int(want["start_ns"]), where, "duration")
    same([int(p["waiting_ns"]), int(p["flags"])], [int(want["waiting_ns"]), want["flags"]], where, "waiting, flags")
    same(int(m.event.packet.context_field["cpu_id"]), want["vcpu"], where, "vcpu")
    if want["kind"] == 3:
        same(string(p["name"]), want["name"].replace("\0", "\\u{0}"), where, "name")
    else:
        same(label(p["reason"]), REASONS[want["reason"]], where, "reason")
    if want["kind"] == 2:
        same([int(p["port"]), label(p["tracing"]) == "true"], [want["port"], want["tracing"]], where, "port, tracing")


def check_environment(trace, report):
    env = trace.environment
    for name in ("guest", "vm", "vm_id", "guest_build_id", "host_name", "backend", "message"):
        same(str(env["hostname" if name == "host_name" else name]), visible(report[name]), "env", name)
    same(str(env["outcome"]), report["outcome"], "env outcome")
    same(int(env["vcpus"]), report["vcpus"], "env vcpus")
    for name, value in report["losses"].items():
        if value != "0":
            same(str(env[f"lost_{name}"]), value, "env losses", name)


def check_clock(stream_class, report):
    clock = stream_class.default_clock_class
    same(clock.frequency, 1000000000, "frequency")
    same(clock.precision, int(report["clock"]["error_bound_ns"]), "precision")
    same(clock.origin_is_unix_epoch, True, "origin")
    offset = clock.offset.seconds * 10**9 + clock.offset.cycles
    same(offset, int(report["monotonic_offset_ns"]), "offset")


def read(directory):
    """The events in a directory, and how many are missing; they stay as they are."""
    return [m for m in bt2.TraceCollectionMessageIterator(directory)
            if type(m) in (bt2._EventMessageConst, bt2._DiscardedEventsMessageConst)]


def compare(messages, report, host):
    """`host` is None where nobody was told what the host did."""
    traces = {t["trace_id"]: Trace(t) for t in report["traces"]}
    stretches = {s["id"]: s for s in host or []}
    keys, met = {}, set()
    for m in messages:
        lost = type(m) is bt2._DiscardedEventsMessageConst
        stream = m.stream if lost else m.event.stream
        which = str(stream.trace.environment["trace_id"])
        same(which in traces, True, "the report has trace", which)
        trace = traces[which]
        if which not in met:
            met.add(which)
            check_environment(stream.trace, trace.report)
            check_clock(stream.cls, trace.report)
            keys[which] = {k: str(v) for k, v in stream.trace.environment.items() if k.startswith("key_")}
        if lost:
            trace.discarded(m, int(stream.name.rpartition("_")[2]))
            continue
        if stream.cls.id == 0:
            trace.times[int(m.event.packet.context_field["cpu_id"])] = m.default_clock_snapshot.ns_from_origin
        if stream.cls.id == 1:
            want = stretches.pop(hexid(m.event.payload_field["id"]), None)
            if host is not None:
                same(want is not None, True, "there is a stretch", hexid(m.event.payload_field["id"]))
                check_host(m, want)
        elif "duration_ns" in m.event.payload_field:
            trace.end(m, keys[which])
        elif "entered" in m.event.payload_field:
            trace.begin(m, keys[which])
        else:
            kind = ":counter" if str(int(m.event.payload_field["sequence"])) in trace.counters else ""
            trace.one(m, keys[which], kind)
    same(len(stretches), 0, "stretches that are missing")
    for which, trace in traces.items():
        same(which in met or not (trace.spans or trace.events or trace.counters), True, "there is trace", which)
        trace.finish()
    return (f"{sum(len(t.spans) for t in traces.values())} spans, "
            f"{sum(len(t.events) for t in traces.values())} events, {len(host or [])} stretches are the same")


def load(directory):
    with open(f"{directory}/report.json", encoding="utf-8") as file:
        report = json.load(file)
    if not os.path.exists(f"{directory}/host.jsonl"):
        return report, None
    with open(f"{directory}/host.jsonl", encoding="utf-8") as file:
        return report, [json.loads(line) for line in file.read().split("\n") if line]


def answer(job, messages):
    try:
        compare(messages or read(job["ctf"]), job["report"], job["host"])
        difference = None
    # What the library cannot read, or a field that is not there, is one too.
    except Exception as error:
        difference = f"{type(error).__name__}: {error}"[:400]
    print(json.dumps({"what": job["what"], "difference": difference}), flush=True)


def each(jobs):
    """The library gives up for good at what it cannot read: others than the first
    directory are read in processes of their own."""
    first = jobs[0]["ctf"]
    messages = read(first)
    for job in jobs:
        if job["ctf"] == first:
            answer(job, messages)
            continue
        child = os.fork()
        if child == 0:
            answer(job, None)
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            print(json.dumps({"what": job["what"], "difference": "the library aborts"}), flush=True)


def main():
    if sys.argv[1] == "--each":
        with open(sys.argv[2], encoding="utf-8") as file:
            each(json.load(file))
        return
    for directory in sys.argv[1:]:
        report, host = load(directory)
        try:
            print(f"{directory}: {compare(read(f'{directory}/ctf'), report, host)}")
        except Difference as error:
            print(f"{directory}: {error}")
            sys.exit(1)


main()
