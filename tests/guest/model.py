#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""model.py DRIVER [CALLS [SEED]]

What Hyperlight's guest state machine does with a stream of calls, written down
once more and on its own, against the guest library (tests/guest/hyperlight_driver.c):
random calls, the same events in the same batches after the same calls. In
strict mode that is Hyperlight's behaviour, rule by rule; in fixed mode, with a
tenth of the calls, what guesttrace does instead. Prints TAP.
"""
import math
import multiprocessing
import random
import struct
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

SLOTS = 16
DEPTH_MAX = 100
EVENTS_MAX = 30
BYTES_MAX = 4096


class Model:
    """Events are tuples: kind, id, parent, name, target, tsc, fields."""

    def __init__(self, is_0_11, strict):
        self.is_0_11, self.strict = is_0_11, strict
        self.now = self.calls = 0
        self.next_id = 1
        self.cleanup_needed = False
        self.events, self.bytes, self.stack = [], 0, []
        self.slots = [0] * SLOTS
        self.batches = []
        self.begin_call()

    def clock(self):
        self.now += 1
        return self.now

    # ---- Batches ----

    def send(self):
        start = self.start_tsc if self.is_0_11 else None
        self.batches.append((self.calls, start, self.events))
        self.events, self.bytes = [], 0

    def send_if_any(self):
        if self.events:
            self.send()

    def append(self, event):
        size = 0 if self.is_0_11 else size_of(event)
        if self.bytes + size > BYTES_MAX:
            self.send()
        self.events.append(event)
        self.bytes += size
        if self.is_0_11 and len(self.events) == EVENTS_MAX:
            self.send()

    def clean_up(self):
        if self.cleanup_needed:
            self.events, self.bytes = [], 0
        self.cleanup_needed = False

    # ---- Spans and events ----

    def top(self):
        return self.stack[-1] if self.stack else None

    def explicit(self, parent):
        """Rule 10: Hyperlight ignores it. 0 is a root."""
        return self.top() if self.strict else parent or None

    def open(self, name, fields, parent):
        self.clean_up()
        span = self.next_id
        self.next_id += 1
        self.append(("open", span, parent, name, "model", self.clock(),
                     list(fields)))
        return span

    def log(self, name, fields, parent):
        self.clean_up()
        self.append(("log", parent or 0, None, name, None, self.clock(),
                     list(fields)))

    def record(self, span, fields):
        if not span:
            return
        if not self.is_0_11:
            self.append(("edit", span, None, None, None, 0, list(fields)))
            return
        for event in self.events:
            if event[0] == "open" and event[1] == span:
                event[6].extend(fields)

    def enter(self, span):
        if span:
            self.stack.append(span)

    def leave(self, span):
        if not span:
            return
        if self.strict:
            if self.stack:
                self.stack.pop()
        elif span in self.stack:
            self.stack.reverse()
            self.stack.remove(span)
            self.stack.reverse()

    def close(self, span):
        if not span:
            return
        if not self.strict:
            self.leave(span)
        self.append(("close", span, None, None, None, self.clock(), []))

    # ---- Calls ----

    def begin_call(self):
        if not self.strict:
            self.send_if_any()
        self.start_tsc = self.clock()
        if not self.is_0_11:
            self.events, self.bytes = [], 0
            self.append(("start", 0, None, None, None, self.start_tsc, []))

    def end_trace(self):
        while self.stack:
            span = self.stack.pop()
            self.append(("close", span, None, None, None, self.clock(), []))
        if self.strict and self.is_0_11:
            self.cleanup_needed = True
        else:
            self.send_if_any()


def size_of(event):
    """Of our layout on 0.12. What it is made of is no rule of Hyperlight's."""
    def text(string):
        return 4 + (len(string.encode()) + 4 & ~3)
    fixed = {"open": 92, "close": 56, "log": 80, "edit": 60, "start": 48}
    kind, _, _, name, target, _, fields = event
    size = fixed[kind]
    if fields:
        size += 4 + sum(16 + text(k) + text(v) for k, v in fields)
    for string in (name, target):
        if string is not None:
            size += text(string)
    return size + 7 & ~7


# ---- Values, as Hyperlight formats them ----

def double(bits):
    value = struct.unpack("<d", struct.pack("<Q", bits))[0]
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return repr(value)
    digits, _, exponent = repr(value).partition("e")
    # Of two that are equally close Python has the even one, Rust the upper one.
    shown = Fraction(repr(value))
    unit = Fraction(10) ** Decimal(repr(value)).as_tuple().exponent
    if abs(Fraction(value)) - abs(shown) == unit / 2:
        digits = digits[:-1] + str(int(digits[-1]) + 1)
    return f"{digits}e{int(exponent)}" if exponent else digits


ALPHABET = ["a", "Z", " ", "0", "é", "€", "\U0001f600", "\n", "\""]


def some_text(rng):
    length = rng.choice((0, 1, 3, 4, 7, 8, 9, 20, 150))
    if rng.random() < 0.8:
        return "abcdefgh"[:length] if length < 9 else "x" * length
    return "".join(rng.choices(ALPHABET, k=length))


def hexed(data):
    return data.hex() or "-"


def some_values(rng, shape):
    """A line's rest and the fields it means."""
    if shape == 0:
        return "", []
    if shape < 3:
        number = rng.getrandbits(rng.randint(1, 64))
        line, fields = f" {number}", [("count", str(number))]
        if shape == 2:
            text = some_text(rng)
            line += " " + hexed(text.encode())
            fields.append(("label", text))
        return line, fields
    signed, bits = rng.getrandbits(64), rng.getrandbits(64)
    flag, pointer = rng.getrandbits(1), rng.getrandbits(rng.randint(1, 64))
    data, text = rng.randbytes(rng.choice((0, 1, 5))), some_text(rng)
    line = (f" {signed} {bits} {flag} {pointer} {hexed(data)}"
            f" {hexed(text.encode())}")
    return line, [
        ("i", str(signed - (signed >> 63 << 64))), ("f", double(bits)),
        ("b", "true" if flag else "false"), ("p", hex(pointer)),
        ("x", str(list(data))), ("s", text)]


# ---- The stream ----

OPEN_NAMES = ("open_0", "open_one", "open__two", "open_three")
LOG_NAMES = ("log", "log_one", "log_two", "log_three")
WEIGHTS = {
    "o": 18, "q": 3, "n": 12, "x": 11, "c": 14, "l": 16, "m": 3, "r": 10,
    "s": 6, "b": 1.5, "e": 1.5, "f": 2, "halt": 0.7, "abort": 0.4, "panic": 0.4,
    "k": 0.5,
}


def step(model, rng, what, lines):
    """One call: its line, and what the model does with it."""
    slot = rng.randrange(SLOTS)
    shape = rng.choice((0, 1, 2, 2, 3))
    model.calls += 1
    if what == "o":
        line, fields = some_values(rng, shape)
        lines.append(f"o {slot} {shape}{line}")
        model.slots[slot] = model.open(OPEN_NAMES[shape], fields, model.top())
    elif what == "q":
        other = rng.randrange(SLOTS)
        # The handle is emptied before the parent is looked at.
        model.slots[slot] = 0
        lines.append(f"q {slot} {other}")
        model.slots[slot] = model.open(
            "open_below", [], model.explicit(model.slots[other]))
    elif what == "l":
        line, fields = some_values(rng, shape)
        lines.append(f"l {shape}{line}")
        model.log(LOG_NAMES[shape], fields, model.top())
    elif what == "m":
        lines.append(f"m {slot}")
        model.log("log_below", [], model.explicit(model.slots[slot]))
    elif what == "r":
        shape = shape or 1
        line, fields = some_values(rng, shape)
        lines.append(f"r {slot} {shape}{line}")
        model.record(model.slots[slot], fields)
    elif what == "s":
        line, fields = some_values(rng, 1)
        lines.append(f"s 1{line}")
        span = model.open("scope", fields, model.top())
        model.enter(span)
        model.log("inside", [], span)
        model.leave(span)
        model.close(span)
    elif what == "n":
        if len(model.stack) >= DEPTH_MAX:
            model.slots[slot] = 0
            lines.append("k")
        else:
            lines.append(f"n {slot}")
            model.enter(model.slots[slot])
    elif what == "x":
        lines.append(f"x {slot}")
        model.leave(model.slots[slot])
    elif what == "c":
        lines.append(f"c {slot}")
        model.close(model.slots[slot])
        model.slots[slot] = 0
    else:
        lines.append(what)
        if what == "b":
            model.begin_call()
        elif what == "e":
            model.end_trace()
        elif what == "f":
            model.send_if_any()


DEATHS = {"halt": "ef", "abort": "ef", "panic": "f"}


def stream(model, rng, calls):
    lines = []
    kinds = rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=calls)
    for what in kinds:
        for one in DEATHS.get(what, (what,)):
            step(model, rng, one, lines)
        if what in DEATHS:
            step(model, rng, "b", lines)
    model.calls += 1
    model.send_if_any()
    return "\n".join(lines) + "\n"


# ---- A reader of FlatBuffers, by the book and for good ones only ----

U16, U32, U64 = (struct.Struct(f"<{code}").unpack_from for code in "HIQ")


class Table:
    def __init__(self, data, at):
        vtable = at - struct.unpack_from("<i", data, at)[0]
        size = U16(data, vtable)[0]
        self.data, self.at = data, at
        self.slots = struct.unpack_from(f"<{size // 2 - 2}H", data, vtable + 4)

    def place(self, slot):
        offset = self.slots[slot] if slot < len(self.slots) else 0
        return self.at + offset if offset else None

    def u64(self, slot, default=0):
        at = self.place(slot)
        if at is None:
            return default
        assert at % 8 == 0, "alignment"
        return U64(self.data, at)[0]

    def follow(self, slot):
        at = self.place(slot)
        if at is None:
            return None
        assert at % 4 == 0, "alignment"
        return at + U32(self.data, at)[0]

    def text(self, slot):
        return text_at(self.data, self.follow(slot))

    def tables(self, slot):
        at = self.follow(slot)
        if at is None:
            return []
        count = U32(self.data, at)[0]
        return [Table(self.data, place + U32(self.data, place)[0])
                for place in range(at + 4, at + 4 + 4 * count, 4)]

    def fields(self, slot):
        return [(field.text(0), field.text(1)) for field in self.tables(slot)]


def text_at(data, at):
    count = U32(data, at)[0]
    assert at % 4 == 0 and data[at + 4 + count] == 0
    return data[at + 4:at + 4 + count].decode()


def event_of(envelope):
    kind = envelope.data[envelope.place(0)]
    event = Table(envelope.data, envelope.follow(1))
    if kind == 1:
        return ("open", event.u64(0), event.u64(1, None), event.text(2),
                event.text(3), event.u64(4), event.fields(5))
    if kind == 2:
        return ("close", event.u64(0), None, None, None, event.u64(1), [])
    if kind == 3:
        return ("log", event.u64(0), None, event.text(1), None, event.u64(2),
                event.fields(3))
    if kind == 4:
        return ("edit", event.u64(0), None, None, None, 0, event.fields(1))
    assert kind == 5, kind
    return ("start", 0, None, None, None, event.u64(0), [])


def root(data):
    return Table(data, 4 + U32(data, 4)[0])


def batch_of(data, is_0_11):
    """start_tsc or None, and the events."""
    if is_0_11:
        assert U32(data)[0] == len(data) - 4, "size prefix"
        batch = root(data)
        return batch.u64(0), [event_of(one) for one in batch.tables(1)]
    events, at = [], 0
    while len(data) - at >= 4:
        end = at + 4 + U32(data, at)[0]
        events.append(event_of(root(data[at:end])))
        at = end
    assert at == len(data)
    return None, events


# ---- Both ----

def compare(output, expected, is_0_11):
    """The first difference, or None."""
    at = 0
    for number, (call, start, events) in enumerate(expected):
        if at + 8 > len(output):
            return f"{number} batches instead of {len(expected)}"
        got_call, length = struct.unpack_from("<II", output, at)
        got = batch_of(output[at + 8:at + 8 + length], is_0_11)
        at += 8 + length
        if not is_0_11 and length > BYTES_MAX:
            return f"batch {number} has {length} bytes"
        if (got_call, *got) != (call, start, events):
            return (f"batch {number}\n{(got_call, *got)}\n"
                    f"instead of\n{(call, start, events)}")
    return None if at == len(output) else "more batches than expected"


def run(driver, wire, mode, calls, seed):
    rng = random.Random(f"{seed} {wire} {mode}")
    model = Model(wire == "0.11", mode == "strict")
    lines = stream(model, rng, calls)
    done = subprocess.run([driver, wire, mode], input=lines.encode(),
                          stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return 0, f"driver: {done.returncode}"
    count = sum(len(events) for _, _, events in model.batches)
    return count, compare(done.stdout, model.batches, wire == "0.11")


def main():
    driver = sys.argv[1]
    calls = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    seed = sys.argv[3] if len(sys.argv) > 3 else "1"
    failed = 0
    cases = [(driver, wire, mode, calls if mode == "strict" else calls // 10,
              seed)
             for mode in ("strict", "fixed") for wire in ("0.11", "0.12")]
    with multiprocessing.Pool(2) as pool:
        results = pool.starmap(run, cases, chunksize=1)
    for number, (case, result) in enumerate(zip(cases, results), 1):
        (_, wire, mode, count, _), (events, problem) = case, result
        print("not ok" if problem else "ok", number,
              f"- {wire} {mode}: {count} calls, {events} events as in the model")
        if problem:
            failed = 1
            print("# " + problem[:3000].replace("\n", "\n# "))
    print(f"1..{len(cases)}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
