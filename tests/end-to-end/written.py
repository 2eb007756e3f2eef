# SPDX-License-Identifier: MIT
"""What commands have written and sent, as others than guesttrace see it."""
import collections
import csv
import http.server
import json
import threading


class Endpoint:
    """Takes OTLP/JSON; keeps which spans it has acknowledged, for each path."""

    def __init__(self):
        spans = self.spans = collections.defaultdict(set)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    ids = [span["spanId"] for span in spans_of(json.loads(body))]
                except ValueError:  # half of it is missing
                    self.send_error(400)
                    return
                spans[self.path].update(ids)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


def spans_of(request):
    return [span for resource in request["resourceSpans"]
            for scope in resource["scopeSpans"] for span in scope["spans"]]


def spans_in_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return sum(row["kind"] == "span" for row in csv.DictReader(file))


def spans_in_json(path):
    with open(path, encoding="utf-8") as file:
        return sum(span["name"] == "turn" for span in spans_of(json.load(file)))


def crc_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        yield value


TABLE = list(crc_table())


def crc32c(data, crc):
    crc ^= 0xffffffff
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xffffffff


def frames_of(data):
    """The types of the frames that are good, as docs/format.md has them."""
    at, seed, types = 0, 0, []
    while at + 16 <= len(data) and data[at:at + 4] == b"fram":
        count = int.from_bytes(data[at + 4:at + 8], "little")
        payload = data[at + 16:at + 16 + count]
        crc = crc32c(data[at + 4:at + 8] + data[at + 12:at + 16] + payload, seed)
        if len(payload) < count or crc != int.from_bytes(data[at + 8:at + 12], "little"):
            break
        if not types:
            seed = int.from_bytes(payload[52:56], "little")
        types.append(int.from_bytes(data[at + 12:at + 14], "little"))
        at += 16 + count
    return types, at == len(data)


def is_whole_capture(path):
    """From START to END, and nothing else."""
    types, all_good = frames_of(path.read_bytes())
    return all_good and types[:1] == [1] and types[-1:] == [6]
