# SPDX-License-Identifier: Apache-2.0
"""PE images of lib/attest/test/direct_boot.c and their digests, computed apart from the library (the digests agree with
those of pesign for two published EFI programs, in its SHA-256).

usage: make-pe.py            prints the digests that the test has
       make-pe.py DIR        writes the images as well: the corpus of the fuzz target"""
import hashlib
import os
import struct
import sys

PE, PLUS, HEADERS = 0x80, 0x20B, 0x400


def fill(length, seed):
    return bytes((i * 7 + seed) & 0xFF for i in range(length))


def image(magic=PLUS, directories=16, sections=((0x600, 0x200), (0x400, 0x200)), certificates=0x88, behind=0x18):
    """Sections are (place, length); `behind` bytes stand between the last and the certificates."""
    first = 112 if magic == PLUS else 96
    optional = bytearray(fill(first + 8 * directories, 3))
    struct.pack_into("<H", optional, 0, magic)
    struct.pack_into("<II", optional, 60, HEADERS, 0xC0FFEE)
    struct.pack_into("<I", optional, first - 4, directories)
    end = max([HEADERS] + [at + length for at, length in sections]) + behind
    if directories > 4:
        struct.pack_into("<II", optional, first + 32, end, certificates)
    else:
        certificates = 0
    head = bytearray(fill(PE, 1))
    head[:2] = b"MZ"
    struct.pack_into("<I", head, 0x3C, PE)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 1, 2, 3, len(optional), 4)
    table = b"".join(fill(16, 5) + struct.pack("<II", length, at) + fill(16, 6) for at, length in sections)
    start = bytes(head) + coff + bytes(optional) + table
    return start + fill(end + certificates - len(start), 9)


def digest(f):
    pe, = struct.unpack_from("<I", f, 0x3C)
    count, = struct.unpack_from("<H", f, pe + 6)
    length, = struct.unpack_from("<H", f, pe + 20)
    o = pe + 24
    first = o + (112 if struct.unpack_from("<H", f, o)[0] == PLUS else 96)
    headers, = struct.unpack_from("<I", f, o + 60)
    out, at, certificates = f[:o + 64], o + 68, 0
    if struct.unpack_from("<I", f, first - 4)[0] > 4:
        out += f[at:first + 32]
        at = first + 40
        certificates, = struct.unpack_from("<I", f, first + 36)
    out += f[at:headers]
    total = headers
    rows = [struct.unpack_from("<II", f, o + length + 40 * i + 16) for i in range(count)]
    for n, place in sorted(rows, key=lambda r: r[1]):
        out += f[place:place + n]
        total += n
    return hashlib.sha384(out + f[total:len(f) - certificates]).hexdigest()


IMAGES = {
    "plus": image(),
    "pe32": image(magic=0x10B, directories=4),
    "gap": image(sections=((0x800, 0x100), (0x400, 0x200), (0, 0)), certificates=0, behind=0),
    "bare": image(sections=(), directories=5, behind=0),
}


def changed(at, value):
    return bytes(IMAGES["plus"][:at]) + value + bytes(IMAGES["plus"][at + len(value):])


# What a fuzz target learns its form from, besides: each refused.
SPOILED = {
    "cut": IMAGES["plus"][:-0x90], "head": IMAGES["plus"][:0x60], "no-pe": changed(PE, b"NE"),
    "rom": changed(PE + 24, b"\x07\x01"), "far": changed(0x3C, b"\xff\xff\xff\x7f"),
    "headers": changed(PE + 24 + 60, b"\xff\x04"), "directories": changed(PE + 24 + 108, b"\x11"),
    "sections": changed(PE + 6, b"\x61\x00"),
}

if __name__ == "__main__":
    for name, data in IMAGES.items():
        print(name, digest(data))
    for name, data in {**IMAGES, **SPOILED}.items() if len(sys.argv) > 1 else ():
        with open(os.path.join(sys.argv[1], name), "wb") as out:
            out.write(data)
