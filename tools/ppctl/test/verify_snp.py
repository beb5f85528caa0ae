# SPDX-License-Identifier: Apache-2.0
"""ppctl verify snp, from outside: exit status, the table for people, the JSON object.

usage: verify_snp.py PPCTL SOURCE_ROOT
"""
import base64
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

PPCTL, ROOT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def run(*args):
    done = subprocess.run([PPCTL, "verify", "snp", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    return done.returncode, done.stdout, done.stderr


def write(name, data):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return name


def pem(der):
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "-----BEGIN CERTIFICATE-----\n" + "\n".join(lines) + "\n-----END CERTIFICATE-----\n"


def amd(line, name):
    """A pinned certificate, out of the source file that holds it."""
    with open(os.path.join(ROOT, "lib/attest", f"amd_{line}.c"), encoding="utf-8") as f:
        array = re.search(rf"\b{name}\[\] = {{(.*?)}};", f.read(), re.S).group(1)
    return bytes(int(b, 16) for b in re.findall(r"0x([0-9a-f]{2})", array))


def outcome(name, args, status, code):
    """Both outputs give the same verdict; the JSON object is that of the protocol."""
    got, out, _ = run(*args)
    check(f"{name}: exit status {status}", got == status, f"got {got}")
    words = ("verdict: accept" if status == 0 else f"({code})")
    check(f"{name}: people are told", words in out.splitlines()[-1] if out else False, out[-200:])
    check(f"{name}: people see 23 rows", len(re.findall(r"^ *\d+  [A-Z_]+ +(passed|failed|skipped)", out, re.M)) == 23)
    got, out, _ = run("--json", *args)
    try:
        o = json.loads(out)
    except ValueError:
        check(f"{name}: one JSON object", False, out)
        return {}
    check(f"{name}: JSON status", got == status)
    check(f"{name}: JSON verdict", o["verdict"] == ("accept" if status == 0 else "reject"))
    check(f"{name}: JSON code", o["code"] == code, str(o["code"]))
    check(f"{name}: JSON keys", sorted(o) == ["anchors", "checks", "code", "verdict"])
    check(f"{name}: JSON rows", [sorted(r) for r in o["checks"]] == [["anchor", "code", "n", "verdict"]] * 23
          and [r["n"] for r in o["checks"]] == list(range(1, 24)))
    failing = [r for r in o["checks"] if r["verdict"] == "failed"]
    check(f"{name}: the code is that of the first failing row",
          (failing[0]["code"] if failing else None) == code)
    return o


GUIDS = {"vcek": "63da758de6644564adc5f4b93be8accd", "ask": "4ab7b379bbac4fe4a02f05aef327c782",
         "ark": "c0b406a4a8034952 97433fb6014cd0ae", "crl": "92f81bc358114d3d97ffd19f88dc67ea"}


def table(**parts):
    """The certificate table of an extended report."""
    at, rows, body = 24 * (len(parts) + 1), b"", b""
    for name, der in parts.items():
        rows += bytes.fromhex(GUIDS[name]) + struct.pack("<II", at + len(body), len(der))
        body += der
    return rows + bytes(24) + body


def refused_usage(name, *args):
    status, out, err = run(*args)
    check(f"{name}: exit status 2", status == 2, f"got {status}")
    check(f"{name}: says what is wrong", "expected" in err or "usage" in err, err)
    status, out, _ = run("--json", *args)
    check(f"{name}: JSON error object", status == 2 and "error" in json.loads(out))


def main():
    with open(os.path.join(ROOT, "tests/vectors/snp/real.json"), encoding="utf-8") as f:
        evidence = {e["name"]: e for e in json.load(f)["evidence"]}
    genoa = evidence["genoa-v5-attestation-rs"]
    report_bytes, vek_bytes = bytes.fromhex(genoa["report_hex"]), bytes.fromhex(genoa["vek_hex"])
    report, vek = write("report.bin", report_bytes), write("vek.der", vek_bytes)
    at = "1780272000"  # 2026-06-01T00:00:00Z
    empty = write("empty.json", "{}")
    base = ["--report", report, "--vek", vek, "--at", at]
    asked = base + ["--policy", empty]

    o = outcome("genuine", asked, 0, None)
    check("unasked checks are skipped", {r["n"] for r in o["checks"] if r["verdict"] == "skipped"} ==
          {5, *range(11, 24)})
    check("anchors are named", any("4c6598d19c18719c" in a for a in o["anchors"]))
    outcome("strict by default", base, 3, "SNP_TCB_MIN")
    outcome("PEM certificate", ["--report", report, "--vek", write("vek.pem", pem(vek_bytes)), "--at", at,
                                "--policy", empty], 0, None)
    outcome("truncated report", ["--report", write("short", report_bytes[:1183]), *asked[2:]], 3, "SNP_FORMAT")
    outcome("empty report", ["--report", write("none", b""), *asked[2:]], 3, "SNP_FORMAT")
    outcome("no certificate", ["--report", report, "--vek", write("text", "hello"), *asked[4:]], 3,
            "SNP_CERT_FORM")
    outcome("before the certificate", [*base[:4], "--at", "0", "--policy", empty], 3, "SNP_CHAIN")

    ark, ask = pem(amd("genoa", "ARK")), pem(amd("genoa", "ASK"))
    outcome("own chain", [*asked, "--chain", write("chain.pem", ask + ark)], 0, None)
    outcome("chain of another line", [*asked, "--chain",
            write("milan.pem", pem(amd("milan", "ASK")) + pem(amd("milan", "ARK")))], 3, "SNP_CHAIN")
    outcome("chain in the wrong order", [*asked, "--chain", write("order.pem", ark + ask)], 3, "SNP_CHAIN")
    outcome("chain of one", [*asked, "--chain", write("one.pem", ark)], 3, "SNP_CHAIN")

    whole = table(vcek=vek_bytes, ask=amd("genoa", "ASK"), ark=amd("genoa", "ARK"))
    host = ["--report", report, "--at", at, "--policy", empty, "--table"]
    outcome("table", [*host, write("table", whole)], 0, None)
    outcome("table, filled to a page", [*host, write("page", whole + bytes(-len(whole) % 4096))], 0, None)
    outcome("table with the certificate alone", [*host, write("vcek", table(vcek=vek_bytes))], 0, None)
    outcome("table of another line's chain", [*host, write("other", table(
        vcek=vek_bytes, ask=amd("milan", "ASK"), ark=amd("milan", "ARK")))], 3, "SNP_CHAIN")
    outcome("table without a certificate", [*host, write("bare", table(ask=amd("genoa", "ASK")))], 3, "SNP_CERT_FORM")
    outcome("table cut off", [*host, write("cut", whole[:-1])], 3, "SNP_CERT_FORM")
    outcome("table with a list that is none", [*host[:4], "--policy", write("crl.json", '{"require_crl": true}'),
            "--table", write("list", table(vcek=vek_bytes, crl=b"no list"))], 3, "SNP_CRL_STALE")
    outcome("a list is asked for, and none came", [*base, "--policy", "crl.json"], 3, "SNP_CRL_STALE")
    refused_usage("certificate and table", *base, "--table", "table")
    refused_usage("absent table", "--report", report, "--table", "absent")
    shown = report_bytes[8:16][::-1].hex()
    outcome("all bits of the guest policy as they are", [*base, "--policy", write("bits.json", json.dumps(
        {"policy_mask": "0x" + "f" * 16, "policy_value": "0x" + shown}))], 0, None)
    outcome("one bit of the platform otherwise", [*base, "--policy", write("platform.json", json.dumps(
        {"platform_info_mask": "0x80", "platform_info_value": "0x80"}))], 3, "SNP_PLATFORM")

    pins = {"expected_measurement_hex": report_bytes[0x90:0xC0].hex().upper(),
            "expected_report_data_hex": report_bytes[0x50:0x90].hex(), "min_tcb_bl_spl": 10,
            "enforce_spec_defaults": True}
    outcome("pins", [*base, "--policy", write("pins.json", json.dumps(pins))], 0, None)
    outcome("minimum", [*base, "--policy", write("min.json", '{"min_tcb_bl_spl": 11}')], 3, "SNP_TCB_MIN")

    for text in ("2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00", "2026-05-31t23:59:59.9z"):
        check(f"--at {text}", run(*base[:4], "--at", text, "--policy", empty)[0] == 0)
    check("--at before it", run(*base[:4], "--at", "2020-06-01T00:00:00Z", "--policy", empty)[0] == 3)
    for text in ("tomorrow", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-06-01", "-1", "1e9",
                 "2026-06-01T00:00:00", "2026-06-01T00:00:00+2:00", "2026-06-01T25:00:00Z"):
        refused_usage(f"--at {text}", *base[:4], "--at", text)
    refused_usage("no arguments")
    refused_usage("no certificate argument", "--report", report)
    refused_usage("absent report", "--report", "absent", "--vek", vek)
    refused_usage("absent certificate", "--report", report, "--vek", "absent")
    refused_usage("report is a folder", "--report", ".", "--vek", vek)
    refused_usage("report too large", "--report", write("large", bytes((1 << 20) + 1)), "--vek", vek)
    refused_usage("absent chain", *base, "--chain", "absent")
    refused_usage("chain is no PEM", *base, "--chain", vek)
    refused_usage("absent policy", *base, "--policy", "absent")
    refused_usage("further argument", *base, "more")
    for name, text in (("not JSON", "{"), ("not an object", "[]"), ("unknown key", '{"min_tcb_foo": 1}'),
                       ("key twice", '{"min_tcb_bl_spl": 1, "min_tcb_bl_spl": 1}'),
                       ("level too high", '{"min_tcb_bl_spl": 256}'), ("level negative", '{"min_tcb_bl_spl": -1}'),
                       ("level as text", '{"min_tcb_bl_spl": "1"}'), ("flag as number", '{"enforce_spec_defaults": 1}'),
                       ("hex too short", '{"expected_host_data_hex": "00"}'),
                       ("hex that is none", json.dumps({"expected_host_data_hex": "zz" * 32}))):
        refused_usage(f"policy: {name}", *base, "--policy", write("bad.json", text))
    status, out, _ = run("--help")
    check("--help", status == 0 and "--report" in out)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    sys.exit(main())
