# SPDX-License-Identifier: Apache-2.0
"""Writes own.json: launch digests of small firmware files, computed here from docs/protocol/snp.md
and launch.md alone. Shares no code with the library: hashlib and struct do all of it."""
import hashlib
import json
import os
import struct
import uuid

PAGE = 4096
RESET, HASHES, SVSM, METADATA, FOOTER = (uuid.UUID(u).bytes_le for u in (
    "00f771de-1a7e-4fcb-890e-68c77e2fb44e", "7255371f-3a3b-4b04-927b-1da6efa8d454",
    "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd", "dc886566-984a-4798-a75e-5585a7bf67cc",
    "96b582de-1fb2-45f7-baea-a366c55a082d"))


def entry(data, guid):
    return data + struct.pack("<H", len(data) + 18) + guid


def tail(sections, hashes_gpa, after=b"\0" * 32, svsm_entry=None):
    metadata = b"ASEV" + struct.pack("<III", 16 + 12 * len(sections), 1, len(sections))
    metadata += b"".join(struct.pack("<III", *s) for s in sections)
    if svsm_entry is None:
        table = entry(struct.pack("<I", 0x00ABC010), RESET) + entry(struct.pack("<II", hashes_gpa, 0x400), HASHES)
    else:
        table = entry(struct.pack("<I", svsm_entry), SVSM)
    rest = len(table) + 22 + 18 + len(after)
    table += entry(struct.pack("<I", len(metadata) + rest), METADATA)
    table += struct.pack("<H", len(table) + 18) + FOOTER
    return metadata + table + after


def vmsa(eip, vmm, sig, features, first):
    page = bytearray(PAGE)

    def put(fmt, offset, *values):
        struct.pack_into("<" + fmt, page, offset, *values)

    ec2, qemu = vmm == "ec2", vmm == "QEMU"
    for offset, selector, attributes, base in (
            (0x00, 0, 0x93, 0), (0x10, 0xF000, 0x9A if ec2 and first else 0x9B, eip & 0xFFFF0000),
            (0x20, 0, 0x92 if ec2 else 0x93, 0), (0x30, 0, 0x93, 0), (0x40, 0, 0x93, 0), (0x50, 0, 0x93, 0),
            (0x60, 0, 0, 0), (0x70, 0, 0x82, 0), (0x80, 0, 0, 0), (0x90, 0, 0x83 if ec2 else 0x8B, 0)):
        put("HHIQ", offset, selector, attributes, 0xFFFF, base)
    for offset, value in ((0xD0, 0x1000), (0x148, 0x40), (0x158, 0x10), (0x160, 0x400), (0x168, 0xFFFF0FF0),
                          (0x170, 2), (0x178, eip & 0xFFFF),
                          (0x268, 0x70106 if vmm == "gce" else 0x7040600070406),
                          (0x310, sig if qemu else 0x600), (0x3B0, features), (0x3E8, 1)):
        put("Q", offset, value)
    put("I", 0x408, 0x1F80 if qemu else 0)
    put("H", 0x410, 0x37F if qemu else 0)
    return bytes(page)


def svsm_vmsa(entry_gpa, sig):
    page = bytearray(PAGE)
    for offset, selector, attributes, limit in (
            (0x00, 16, 0xC93, 0xFFFFFFFF), (0x10, 8, 0xC9B, 0xFFFFFFFF), (0x20, 16, 0xC93, 0xFFFFFFFF),
            (0x30, 16, 0xC93, 0xFFFFFFFF), (0x40, 16, 0xC93, 0xFFFFFFFF), (0x50, 0, 0x93, 0xFFFF),
            (0x60, 0, 0, 0xFFFF), (0x70, 0, 0x82, 0xFFFF), (0x80, 0, 0, 0xFFFF), (0x90, 0, 0x8B, 0xFFFF)):
        struct.pack_into("<HHIQ", page, offset, selector, attributes, limit, 0)
    for offset, value in ((0xD0, 0x1000), (0x148, 0x40), (0x158, 0x11), (0x160, 0x400), (0x168, 0xFFFF0FF0),
                          (0x170, 2), (0x178, entry_gpa), (0x268, 0x7040600070406), (0x310, sig), (0x3B0, 1),
                          (0x3E8, 1), (0x408, 0x1F80)):
        struct.pack_into("<Q", page, offset, value)
    return bytes(page)


def hashes_table(kernel, initrd, cmdline):
    def row(guid, data):
        return uuid.UUID(guid).bytes_le + struct.pack("<H", 50) + hashlib.sha256(data).digest()

    table = uuid.UUID("9438d606-4f22-4cc9-b479-a793d411fd21").bytes_le + struct.pack("<H", 168)
    table += row("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", cmdline + b"\0")
    table += row("44baf731-3a2f-4bd7-9af1-41e29169781d", initrd)
    table += row("4de79437-abd2-427f-b835-d5b172d2045b", kernel)
    return table


def hashes_page(gpa, *files):
    page = bytearray(PAGE)
    table = hashes_table(*files)
    page[gpa % PAGE:gpa % PAGE + len(table)] = table
    return bytes(page)


SIGS = {"EPYC-v4": 0x00800F12, "EPYC-Genoa": 0x00A10F10}


def measure_sev(firmware, case):
    """The modes before SNP."""
    h = hashlib.sha256(firmware)
    if case["kernel"] is not None:
        h.update(hashes_table(b"", b"", case["append"].encode()) + bytes(8))
    if case["mode"] == "SEV_ES":
        for n in range(case["vcpus"]):
            h.update(vmsa(0xFFFFFFF0 if n == 0 else 0x00ABC010, case["vmm"], SIGS[case["vcpu_type"]], 0, n == 0))
    return h.hexdigest()


def measure_svsm(firmware, monitor, sections, svsm_entry, case):
    ld = bytes(48)
    base = (1 << 32) - len(firmware) - case["vars_bytes"] - len(monitor)
    pages = [(1, (1 << 32) - len(firmware) + at, firmware[at:at + PAGE]) for at in range(0, len(firmware), PAGE)]
    pages += [(1, base + at, monitor[at:at + PAGE]) for at in range(0, len(monitor), PAGE)]
    pages += [({1: 3, 2: 5, 3: 6, 4: 3}[kind], gpa + at, None) for gpa, size, kind in sections
              for at in range(0, size, PAGE)]
    pages += [(2, 0xFFFFFFFFF000, svsm_vmsa(base + svsm_entry, SIGS[case["vcpu_type"]]))] * case["vcpus"]
    for kind, gpa, page in pages:
        contents = bytes(48) if page is None else hashlib.sha384(page).digest()
        ld = hashlib.sha384(ld + contents + struct.pack("<HBBBBBBQ", 0x70, kind, 0, 0, 0, 0, 0, gpa)).digest()
    return ld.hex()


def measure(firmware, sections, hashes_gpa, case):
    ld = bytes(48)

    def add(kind, gpa, page=None):
        nonlocal ld
        contents = bytes(48) if page is None else hashlib.sha384(page).digest()
        ld = hashlib.sha384(ld + contents + struct.pack("<HBBBBBBQ", 0x70, kind, 0, 0, 0, 0, 0, gpa)).digest()

    for at in range(0, len(firmware), PAGE):
        add(1, (1 << 32) - len(firmware) + at, firmware[at:at + PAGE])
    vmm = case["vmm"]
    for gpa, size, kind in sections:
        if kind == 3 and vmm == "ec2":
            continue
        if kind == 0x10 and case["kernel"] is not None:
            add(1, gpa, hashes_page(hashes_gpa, b"", b"", case["append"].encode()))
            continue
        page_type = {1: 4 if vmm == "gce" else 3, 2: 5, 3: 6, 4: 3, 0x10: 3}[kind]
        for at in range(0, size, PAGE):
            add(page_type, gpa + at)
    for gpa, size, kind in sections:
        if kind == 3 and vmm == "ec2":
            add(6, gpa)
    for n in range(case["vcpus"]):
        add(2, 0xFFFFFFFFF000, vmsa(0xFFFFFFF0 if n == 0 else 0x00ABC010, vmm, SIGS[case["vcpu_type"]],
                                    int(case["guest_features"], 0), n == 0))
    return ld.hex()


def main():
    full = [(0x800000, 0x3000, 1), (0x803000, 0x1000, 2), (0x804000, 0x1000, 3), (0x805000, 0x2000, 4),
            (0x807000, 0x1000, 0x10)]
    bare = full[:3]
    cases = []
    for name, sections, gpa, change in (
            ("one processor, empty kernel", full, 0x807C00, {}),
            ("three processors, command line", full, 0x807000, {"vcpus": 3, "append": "pp.role=s console=null"}),
            ("no kernel: the hashes page is zero", full, 0x807C00, {"kernel": None}),
            ("DebugSwap, EPYC-v4", full, 0x807400, {"guest_features": "0x21", "vcpu_type": "EPYC-v4"}),
            ("EC2: CPUID page last", full, 0x807C00, {"vmm": "ec2", "vcpus": 2}),
            ("GCE: unmeasured memory", full, 0x807C00, {"vmm": "gce", "vcpus": 2}),
            ("no hashes section, no kernel", bare, 0, {"kernel": None})):
        case = {"name": name, "mode": "SEV_SNP", "vcpus": 1, "vcpu_type": "EPYC-Genoa", "kernel": "/dev/null",
                "initrd": None, "append": "", "guest_features": "0x1", "vmm": "QEMU"} | change
        end = tail(sections, gpa)
        case["ovmf_tail_hex"] = end.hex()
        case["expected_digest"] = measure(bytes(PAGE - len(end)) + end, sections, gpa, case)
        cases.append(case)
        for mode in ("SEV", "SEV_ES"):
            if not gpa and case["kernel"] is not None:
                continue
            other = case | {"name": f"{mode}: {name}", "mode": mode}
            other["expected_digest"] = measure_sev(bytes(PAGE - len(end)) + end, other)
            cases.append(other)
    for name, change, svsm_entry in (("SVSM", {}, 0x10), ("SVSM: three processors", {"vcpus": 3}, 0xE00),
                                     ("SVSM: UEFI variables", {"vars_bytes": 0x84000}, 0x10)):
        case = {"name": name, "mode": "SEV_SNP", "vcpus": 1, "vcpu_type": "EPYC-Genoa", "kernel": None,
                "guest_features": "0x1", "vmm": "SVSM", "vars_bytes": 0} | change
        end, monitor = tail(full, 0x807C00), tail(full[:3], 0, svsm_entry=svsm_entry)
        case["ovmf_tail_hex"], case["svsm_tail_hex"] = end.hex(), monitor.hex()
        case["expected_digest"] = measure_svsm(bytes(PAGE - len(end)) + end, bytes(PAGE - len(monitor)) + monitor,
                                               full[:3], svsm_entry, case)
        cases.append(case)
    for mode in ("SEV", "SEV_ES"):
        cases.append({"name": f"{mode}: kernel but no hashes table", "mode": mode, "kernel": "/dev/null", "append": "",
                      "vmm": "QEMU", "ovmf_tail_hex": tail(bare, 0).hex(), "expect": "error"})
    for name, monitor, change in (("a kernel under an SVSM", tail(full[:3], 0, svsm_entry=0x10),
                                   {"kernel": "/dev/null"}),
                                  ("an SVSM without its entry", tail(full[:3], 0), {}),
                                  ("an SVSM that starts outside of itself", tail(full[:3], 0, svsm_entry=PAGE), {}),
                                  ("UEFI variables that are no pages", tail(full[:3], 0, svsm_entry=0x10),
                                   {"vars_bytes": 0x800})):
        cases.append({"name": name, "mode": "SEV_SNP", "append": "", "vmm": "SVSM", "vcpu_type": "EPYC-Genoa",
                      "ovmf_tail_hex": tail(full, 0x807C00).hex(), "svsm_tail_hex": monitor.hex(),
                      "expect": "error"} | change)
    for name, sections, gpa in (("kernel but no hashes section", bare, 0),
                                ("hashes table outside its section", full, 0x900C00),
                                ("hashes table over the end of its page", full, 0x807F80)):
        cases.append({"name": name, "mode": "SEV_SNP", "kernel": "/dev/null", "append": "", "vmm": "QEMU",
                      "ovmf_tail_hex": tail(sections, gpa).hex(), "expect": "error"})
    with open(os.path.join(os.path.dirname(__file__), "own.json"), "w", encoding="utf-8") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")


main()
