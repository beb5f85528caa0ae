# SPDX-License-Identifier: Apache-2.0
"""Prints the MRTD figures of lib/attest/test/tdvf.c, computed here from docs/protocol/launch.md alone."""
import hashlib
import struct

PAGE, EXTEND, AUGMENT = 4096, 1, 2
GUID_TDX = bytes.fromhex("35657ae44a989847865e4685a7bf8ec2")
GUID_FOOTER = bytes.fromhex("de82b596b21ff745baeaa366c55a082d")


def firmware(sections):
    tables = b"TDVF" + struct.pack("<III", 16 + 32 * len(sections), 1, len(sections))
    tables += b"".join(struct.pack("<IIQQII", *s) for s in sections)
    tables += struct.pack("<IH", len(tables) + 22 + 18 + 32, 22) + GUID_TDX
    tables += struct.pack("<H", 22 + 18) + GUID_FOOTER + bytes(32)
    return b"\x11" * PAGE + b"\x22" * PAGE + bytes(PAGE - len(tables)) + tables


def mrtd(sections, by_page):
    file, h = firmware(sections), hashlib.sha384()
    call = lambda name, gpa: h.update(name.ljust(16, b"\0") + struct.pack("<Q", gpa) + bytes(104))
    for offset, _, gpa, memory, _, attributes in sections:
        pages = range(0, memory, PAGE)
        steps = [(p, step) for p in pages for step in (AUGMENT, EXTEND)] if by_page else \
            [(p, AUGMENT) for p in pages] + [(p, EXTEND) for p in pages]
        for page, step in steps:
            if step == AUGMENT and not attributes & AUGMENT:
                call(b"MEM.PAGE.ADD", gpa + page)
            for chunk in range(page, page + PAGE, 256) if step == EXTEND and attributes & EXTEND else ():
                call(b"MR.EXTEND", gpa + chunk)
                h.update(file[offset + chunk:offset + chunk + 256])
    return h.hexdigest()


GOOD = [(PAGE, 2 * PAGE, 0xFFFFE000, 2 * PAGE, 0, EXTEND), (0, PAGE, 0xFFFFD000, PAGE, 1, 0),
        (0, 0, 0x810000, 2 * PAGE, 3, 0), (0, 0, 0x809000, PAGE, 2, 0)]
print("BY_PAGE", mrtd(GOOD, True))
print("BY_SECTION", mrtd(GOOD, False))
print("AUGMENTED", mrtd(GOOD[:2] + [GOOD[2][:5] + (AUGMENT,)] + GOOD[3:], True))
