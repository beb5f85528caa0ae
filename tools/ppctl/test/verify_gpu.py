# SPDX-License-Identifier: Apache-2.0
"""ppctl verify gpu, from outside: exit status, the table for people, the JSON object.

usage: verify_gpu.py PPCTL GPU_FILES      GPU_FILES makes a simulated GPU's evidence
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

PPCTL, GPU_FILES = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
NOW = 1780272000
ROWS = 19
passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def run(*args):
    done = subprocess.run([PPCTL, "verify", "gpu", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    return done.returncode, done.stdout, done.stderr


def read(name):
    with open(name, "rb") as f:
        return f.read()


def write(name, data):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return name


def outcome(name, args, status, code):
    """Both outputs give the same verdict; the JSON object is that of the protocol."""
    got, out, err = run(*args)
    check(f"{name}: exit status {status}", got == status, f"got {got} {err}")
    words = "verdict: accept" if status == 0 else f"({code})"
    check(f"{name}: people are told", words in out.splitlines()[-1] if out else False, out[-200:])
    check(f"{name}: people see every row",
          len(re.findall(r"^ *\d+  [A-Z_]+ +(passed|failed|skipped)", out, re.M)) == ROWS)
    got, out, _ = run("--json", *args)
    o = json.loads(out)
    check(f"{name}: JSON", got == status and o["code"] == code and
          o["verdict"] == ("accept" if status == 0 else "reject"), out[:200])
    check(f"{name}: JSON rows", [r["n"] for r in o["checks"]] == list(range(1, ROWS + 1)))
    return {r["n"] for r in o["checks"] if r["verdict"] == "skipped"}


def refused_usage(name, *args):
    status, _, err = run(*args)
    check(f"{name}: exit status 2", status == 2 and "expected" in err, f"got {status} {err}")


def policies(all_of_it):
    digests = {"driver_rim_sha256": hashlib.sha256(read("driver.xml")).hexdigest(),
               "vbios_rim_sha256": hashlib.sha256(read("vbios.xml")).hexdigest()}
    rows = (("release", {"references": [digests]}, 0, None),
            ("release with versions", {"references": [dict(digests, driver="590.12")]}, 0, None),
            ("another version", {"references": [dict(digests, driver="590.1")]}, 3, "GPU_RIM_SET"),
            ("another release", {"references": [dict(digests, vbios_rim_sha256="0" * 64)]}, 3, "GPU_RIM_SET"),
            ("no release", {"references": []}, 3, "GPU_RIM_SET"),
            ("another chip", {"archs": ["blackwell"]}, 3, "GPU_ARCH"),
            ("another mode", {"modes": ["ppcie", "mpt"]}, 3, "GPU_MODE"),
            ("driver minimum", {"driver_min": "590.13"}, 3, "GPU_DRIVER_VERSION"),
            ("VBIOS minimum", {"vbios_min": "96.00.A0"}, 3, "GPU_VBIOS_VERSION"),
            ("answers of today", {"ocsp_max_age_s": 3600}, 0, None),
            ("answers about signers", {"rim_status_asked": True}, 3, "GPU_OCSP"))
    for name, policy, status, code in rows:
        outcome(name, [*all_of_it, "--policy", write("p.json", json.dumps(policy))], status, code)
    _, _, err = run(*all_of_it, "--policy", write("p.json", '{"arch": []}'))
    check("an unknown key is said", "got:      arch" in err, err)
    for name, text in (("not JSON", "{"), ("not an object", "[]"), ("unknown key", '{"arch": []}'),
                       ("unknown word", '{"archs": ["ampere"]}'), ("no list", '{"modes": "spt"}'),
                       ("no version", '{"driver_min": "new"}'), ("number", '{"vbios_min": 96}'),
                       ("negative", '{"ocsp_max_age_s": -1}'), ("no flag", '{"rim_hold_allowed": 1}'),
                       ("reference without digests", '{"references": [{}]}'),
                       ("reference with more", json.dumps({"references": [dict(digests, x="")]})),
                       ("too many", json.dumps({"references": [digests] * 9}))):
        refused_usage(name, *all_of_it, "--policy", write("p.json", text))


def main():
    subprocess.run([GPU_FILES, ".", str(NOW)], check=True)
    base = ["report.bin", "--chain", "chain.pem", "--roots", "roots.pem", "--at", str(NOW)]
    rims = ["--driver-rim", "driver.xml", "--vbios-rim", "vbios.xml"]
    ocsp = [word for i in (1, 2, 3) for word in ("--ocsp", f"ocsp{i}.der")]
    nonce = ["--nonce", "42" * 32]
    all_of_it = base + rims + ocsp + nonce

    check("what nobody asked is skipped", outcome("all", all_of_it, 0, None) == {11})
    check("likewise", outcome("without nonce and answers", base + rims, 0, None) == {2, 11, 19})
    check("unmeasured", outcome("without RIM files", base + ocsp + nonce, 3, "GPU_UNMEASURED") == set(range(11, 19)))
    outcome("one RIM file", base + rims[:2], 3, "GPU_UNMEASURED")
    outcome("another nonce", base + rims + ["--nonce", "43" * 32], 3, "GPU_NONCE")
    outcome("one answer missing", base + rims + ocsp[:4], 3, "GPU_OCSP")
    outcome("NVIDIA's roots", [a for a in all_of_it if a not in ("--roots", "roots.pem")], 3, "GPU_ROOT")
    outcome("no chain", [a if a != "chain.pem" else "report.bin" for a in all_of_it], 3, "GPU_CHAIN")
    outcome("a chain without its root", [a if a != "chain.pem" else write(
        "four.pem", b"-----BEGIN".join(read("chain.pem").split(b"-----BEGIN")[:5])) for a in all_of_it], 3, "GPU_CHAIN")
    outcome("a day later", [a if a != str(NOW) else str(NOW + 86400) for a in all_of_it], 3, "GPU_OCSP")
    report = read("report.bin")
    outcome("truncated", [write("short.bin", report[:-1]), *all_of_it[1:]], 3, "GPU_FORMAT")
    outcome("changed", [write("bad.bin", report[:60] + bytes([report[60] ^ 1]) + report[61:]), *all_of_it[1:]], 3,
            "GPU_SIGNATURE")
    outcome("changed RIM", [*base, "--driver-rim", write("bad.xml", read("driver.xml").replace(b"590.12", b"590.13")),
                            *rims[2:]], 3, "GPU_RIM_DIGEST")
    policies(all_of_it)

    refused_usage("no report", "--chain", "chain.pem")
    refused_usage("no chain argument", "report.bin")
    refused_usage("absent report", "absent", "--chain", "chain.pem")
    refused_usage("short nonce", *base, "--nonce", "42")
    refused_usage("roots are no PEM", *base[:3], "--roots", "report.bin")
    refused_usage("one root", *base[:3], "--roots", write("one.pem", read("roots.pem")[:read("roots.pem").rindex(b"-----BEGIN")]))
    refused_usage("too many answers", *base, *["--ocsp", "ocsp1.der"] * 13)
    refused_usage("no time", *base[:5], "--at", "tomorrow")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    main()
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
