# SPDX-License-Identifier: Apache-2.0
"""Writes own.json: event logs and what they replay to, computed here from docs/protocol/launch.md
alone. Shares no code with the library: hashlib and struct do all of it."""
import hashlib
import json
import os
import struct

SHA256, SHA384, ODD = (0x0B, 32), (0x0C, 48), (0x7777, 9)


def sha384(data):
    return hashlib.sha384(data).digest()


def head(algorithms=(SHA384,), register=1, kind=3, digest=bytes(20), signature=b"Spec ID Event03\0", major=2, vendor=b""):
    data = signature + struct.pack("<IBBBBI", 0, 0, major, 0, 2, len(algorithms))
    data += b"".join(struct.pack("<HH", *a) for a in algorithms) + bytes([len(vendor)]) + vendor
    return struct.pack("<II", register, kind) + digest + struct.pack("<I", len(data)) + data


def event(register, kind, data, algorithms=(SHA384,)):
    out = struct.pack("<III", register, kind, len(algorithms))
    for algorithm, size in algorithms:
        out += struct.pack("<H", algorithm) + (sha384(data) * 2)[:size]
    return out + struct.pack("<I", len(data)) + data


def rtmrs(*digests):
    registers = [bytes(48)] * 4
    for register, data in digests:
        registers[register - 1] = sha384(registers[register - 1] + sha384(data))
    return b"".join(registers).hex()


SEPARATOR, EXIT = bytes(4), b"Exit Boot Services Invocation"
ONE = event(1, 4, SEPARATOR)
BOTH = head((SHA256, SHA384))
GOOD = [
    ("no events", head(), rtmrs()),
    ("one event", head() + ONE, rtmrs((1, SEPARATOR))),
    ("every register", head() + b"".join(event(i, 4, bytes([i])) for i in range(5)),
     rtmrs(*((i, bytes([i])) for i in range(1, 5)))),
    ("EV_NO_ACTION extends nothing", head() + event(2, 3, EXIT) + event(2, 0x80000007, EXIT), rtmrs((2, EXIT))),
    ("an end of ones, and filler", head() + ONE + b"\xff" * 100, rtmrs((1, SEPARATOR))),
    ("an end of zeros, and filler", head() + ONE + bytes(100), rtmrs((1, SEPARATOR))),
    ("a bare end marker", head() + ONE + b"\xff" * 4, rtmrs((1, SEPARATOR))),
    ("two algorithms in either order", BOTH + event(3, 13, b"a", (SHA256, SHA384)) +
     event(3, 13, b"b", (SHA384, SHA256)), rtmrs((3, b"a"), (3, b"b"))),
    ("an unknown algorithm", head((ODD, SHA384)) + event(4, 6, b"a", (ODD, SHA384)), rtmrs((4, b"a"))),
    ("a vendor's bytes", head(vendor=b"\x01" * 255) + ONE, rtmrs((1, SEPARATOR))),
]
BAD = [
    ("empty", b"", "TRUNCATED"),
    ("cut in an event", (head() + ONE)[:-1], "TRUNCATED"),
    ("cut in the end marker", head() + ONE + b"\xff" * 3, "TRUNCATED"),
    ("an event behind the end", head() + b"\xff" * 4 + ONE, "FORMAT"),
    ("mixed filler", head() + b"\xff" * 4 + bytes(9) + b"\xff", "FORMAT"),
    ("register 5", head() + event(5, 4, SEPARATOR), "FORMAT"),
    ("an algorithm that is not listed", head() + event(1, 4, SEPARATOR, (SHA256,)), "FORMAT"),
    ("SHA-384 twice", BOTH + event(1, 4, SEPARATOR, (SHA384, SHA384)), "FORMAT"),
    ("no SHA-384 digest", BOTH + event(1, 4, SEPARATOR, (SHA256,)), "FORMAT"),
    ("no SHA-384 listed", head((SHA256,)), "FORMAT"),
    ("SHA-384 listed twice", head((SHA384, SHA384)), "FORMAT"),
    ("SHA-384 of 47 bytes", head(((0x0C, 47),)), "FORMAT"),
    ("nine algorithms", head((SHA384,) + tuple((i, 8) for i in range(0x100, 0x108))), "LIMIT"),
    ("the older form", head(signature=b"Spec ID Event02\0"), "FORMAT"),
    ("version 1", head(major=1), "UNSUPPORTED"),
    ("a first event with a digest", head(digest=bytes(19) + b"\x01"), "ENCODING"),
    ("a first event of another type", head(kind=4), "FORMAT"),
]

ROWS = [{"name": n, "log_hex": log.hex(), "rtmrs_hex": want} for n, log, want in GOOD]
ROWS += [{"name": n, "log_hex": log.hex(), "expect": code} for n, log, code in BAD]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "own.json"), "w", encoding="utf-8") as f:
    json.dump({"source": "project-made, by make-own.py", "rows": ROWS}, f, indent=1)
    f.write("\n")
