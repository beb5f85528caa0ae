# SPDX-License-Identifier: Apache-2.0
"""ppctl explain, from outside: every code and every advisory has an answer for people and for programs.

usage: explain.py PPCTL
"""
import json
import os
import subprocess
import sys

PPCTL = os.path.abspath(sys.argv[1])
passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def run(*args):
    done = subprocess.run([PPCTL, "explain", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


status, out, _ = run("--list", "--json")
everything = json.loads(out)
check("the list is an answer", status == 0 and len(everything["codes"]) > 200 and len(everything["advisories"]) > 20)
status, out, _ = run("--list")
check("people get a line for each", status == 0 and
      len(out.splitlines()) == len(everything["codes"]) + len(everything["advisories"]))

# A check's code leads to the page of its checks.
for code in everything["codes"]:
    for platform, page in (("SNP_", "snp.md"), ("TDX_", "tdx.md"), ("GPU_", "gpu.md")):
        if code["code"].startswith(platform):
            check(f"{code['code']}: the page of its platform", code["document"].endswith(page), code["document"])

for name in ("SNP_TCB_MIN", "LEDGER_HOST", "CONSENT", "TDX_BINDING", "GPU_OCSP"):
    status, out, _ = run(name)
    check(f"{name}: words", status == 0 and out.startswith(name + " (") and "who must act" in out and
          "written in" in out, out)
    status, out, _ = run(name.lower(), "--json")
    one = json.loads(out)
    check(f"{name}: the object is the list's", one in everything["codes"] and one["code"] == name)

status, out, _ = run("sibling-thread", "--json")
one = json.loads(out)
check("an advisory says who waives it", status == 0 and one["waived_by"] == ["dev"] and one["code"] == "SNP_POLICY", out)
status, out, _ = run("page-move")
check("people see the profiles", "waived by      fleet-2026 dev" in out, out)

for args in ((), ("NONSENSE",), ("--list", "OK"), ("OK", "AUTH")):
    status, out, err = run(*args)
    check(f"{args}: usage", status == 2 and out == "" and err != "", f"{status} {out}")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
