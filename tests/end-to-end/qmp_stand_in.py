#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qmp_stand_in.py SOCKET WHAT: says to whoever comes what QEMU would not."""
import json
import socket
import sys
import time

GREETING = {"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": ["oob"]}}
REGISTERS = "CR0=80000011 CR2=0 CR3=%016x CR4=00000020\nEFER=0000000000000500\n"


def say(peer, value):
    peer.sendall(json.dumps(value).encode() + b"\r\n")


def ask(peer, unread):
    """One command, which ends with a newline."""
    while b"\n" not in unread:
        part = peer.recv(4096)
        if not part:
            sys.exit(0)
        unread += part
    line, _, rest = bytes(unread).partition(b"\n")
    unread[:] = rest
    return json.loads(line)


def lies(peer):
    unread = bytearray()
    say(peer, GREETING)
    while True:
        command = ask(peer, unread)
        line = command.get("arguments", {}).get("command-line", "")
        if command["execute"] == "query-status":
            say(peer, {"return": {"status": "running", "running": True}})
        elif command["execute"] == "query-memory-size-summary":
            say(peer, {"return": {"base-memory": 2**64 - 1}})
        elif line.startswith("gpa2hva"):
            say(peer, {"return": "Host virtual address for 0x0 (pc.ram) is "
                                 "0xfffffffffffff000\r\n"})
        elif line:
            say(peer, {"return": REGISTERS % (2**64 - 1)})
        else:
            say(peer, {"return": {}})


def endless(peer, piece):
    while True:
        peer.sendall(piece)


def slowly(peer):
    while True:
        peer.sendall(b" ")
        time.sleep(0.05)


def errors(peer):
    say(peer, GREETING)
    unread = bytearray()
    while True:
        ask(peer, unread)
        say(peer, {"error": {"class": "CommandNotFound", "desc": "\x1b[2J"}})


WHAT = {
    "garbage": lambda peer: endless(peer, bytes(range(256))),
    "nothing": lambda peer: time.sleep(60),
    "slowly": slowly,
    "endless": lambda peer: endless(peer, b'{"QMP": "' + b"x" * 65536),
    "events": lambda peer: endless(peer, b'{"event": "STOP", "data": {}}\r\n'),
    "deep": lambda peer: endless(peer, b'{"a": ['),
    "closes": lambda peer: say(peer, GREETING),
    "errors": errors,
    "lies": lies,
}

with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    while True:
        client, _ = listener.accept()
        with client:
            try:
                WHAT[sys.argv[2]](client)
            except (BrokenPipeError, ConnectionResetError):
                pass
