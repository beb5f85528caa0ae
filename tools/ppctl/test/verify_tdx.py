# SPDX-License-Identifier: Apache-2.0
"""ppctl verify tdx, from outside: exit status, the table for people, the JSON object.

usage: verify_tdx.py PPCTL SOURCE_ROOT
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PPCTL, ROOT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
CASES = os.path.join(ROOT, "tests/vectors/tdx")
AT = "1780272000"
passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def run(*args):
    done = subprocess.run([PPCTL, "verify", "tdx", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    return done.returncode, done.stdout, done.stderr


def write(name, text):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    return name


def of(case, *more, collateral=True):
    folder = os.path.join(CASES, case)
    args = [os.path.join(folder, "quote.bin"), "--root", os.path.join(folder, "intel_root_ca.pem"), "--at", AT]
    return args + (["--collateral", folder] if collateral else []) + list(more)


def outcome(name, args, status, code):
    """Both outputs give the same verdict; the JSON object is that of the protocol."""
    got, out, err = run(*args)
    check(f"{name}: exit status {status}", got == status, f"got {got} {err}")
    words = "verdict: accept" if status == 0 else f"({code})"
    check(f"{name}: people are told", words in (out.splitlines() or [""])[-1], out[-200:])
    rows = re.findall(r"^ *\d+  [A-Z_]+ +(passed|failed|skipped)", out, re.M)
    check(f"{name}: people see 20 rows", len(rows) == 20, len(rows))
    got, out, _ = run("--json", *args)
    try:
        o = json.loads(out)
    except ValueError:
        check(f"{name}: one JSON object", False, out[:200])
        return {}
    check(f"{name}: JSON status", got == status)
    check(f"{name}: JSON verdict", o["verdict"] == ("accept" if status == 0 else "reject") and o["code"] == code,
          f"{o['verdict']} {o['code']}")
    check(f"{name}: JSON rows", [c["n"] for c in o["checks"]] == list(range(1, 21)))
    return {c["n"]: c for c in o["checks"]}


def usage(name, args, words):
    got, out, err = run(*args)
    check(f"{name}: status 2", got == 2, f"got {got}")
    check(f"{name}: says {words}", words in err, err)


def main():
    tmp = tempfile.mkdtemp()
    rows = outcome("genuine", of("v5-tdx15"), 0, None)
    check("skipped as not asked for", [n for n, r in rows.items() if r["verdict"] == "skipped"] == [17, 19, 20])
    rows = outcome("without collateral", of("v5-tdx15", collateral=False), 0, None)
    check("collateral is skipped", [n for n, r in rows.items() if r["verdict"] == "skipped"] ==
          [3, 4, 5, 8, 9, 10, 11, 12, 13, 17, 19, 20])
    _, out, _ = run(*of("v5-tdx15", collateral=False))
    check("the verdict names what it does not say", "without the checks 3 4 5 8 9 10 11 12 13 17 19 20" in out, out[-200:])
    outcome("version 4", of("v4"), 0, None)
    outcome("debug", of("v5-debug"), 3, "TDX_TD_ATTR")
    outcome("hardening needed", of("v5-hardening"), 3, "TDX_TCB_STATUS")
    outcome("stale", of("v5-stale"), 3, "TDX_TCBINFO_TIME")
    outcome("revoked", of("v5-revoked"), 3, "TDX_REVOKED")
    outcome("Intel did not sign it", [a for i, a in enumerate(of("v5-tdx15")) if i not in (1, 2)], 3, "TDX_PCK_CHAIN")
    outcome("ten years later", of("v5-tdx15")[:-3] + ["2036-06-01T00:00:00Z"] + of("v5-tdx15")[-2:], 3, "TDX_PCK_CHAIN")
    outcome("no root", of("v5-tdx15", "--root=" + os.path.join(CASES, "v5-tdx15/tcb_info_issuer_chain.pem"))[:1] +
            ["--root", os.path.join(CASES, "v5-tdx15/tcb_info_issuer_chain.pem"), "--at", AT,
             "--collateral", os.path.join(CASES, "v5-tdx15")], 0, None)

    folder = os.path.join(tmp, "partly")
    shutil.copytree(os.path.join(CASES, "v5-tdx15"), folder)
    os.remove(os.path.join(folder, "root_crl.der"))
    outcome("a list is missing", of("v5-tdx15")[:-1] + [folder], 3, "TDX_CRL_STALE")

    policy = write(os.path.join(tmp, "policy.json"), json.dumps({"expected_report_data_hex": "52" * 64}))
    rows = outcome("policy file", of("v5-tdx15", "--policy", policy), 0, None)
    check("the policy file asks for the binding", rows[19]["verdict"] == "passed" and rows[14]["verdict"] == "skipped")
    policy = write(os.path.join(tmp, "policy.json"), json.dumps({"expected_report_data_hex": "53" * 64}))
    outcome("another session", of("v5-tdx15", "--policy", policy), 3, "TDX_BINDING")
    policy = write(os.path.join(tmp, "policy.json"), json.dumps({"expected_platform_id_hex": "53" * 16}))
    outcome("another platform", of("v5-tdx15", "--policy", policy), 3, "TDX_HOST_ID")
    policy = write(os.path.join(tmp, "policy.json"), json.dumps({"accepted_qv_results": ["SWHardeningNeeded"]}))
    outcome("a status by its name", of("v5-hardening", "--policy", policy), 0, None)

    for key, value in (("no_such_key", 1), ("expected_mrtd_hex", "00"), ("accepted_qv_results", ["REVOKED"]),
                       ("accepted_qv_results", "OK"), ("expected_mrseam_allowlist", []),
                       ("enforce_spec_defaults", 1), ("min_tcb_evaluation_data_number", -1),
                       ("min_tee_tcb_svn_hex", "zz" * 16)):
        policy = write(os.path.join(tmp, "policy.json"), json.dumps({key: value}))
        usage(f"policy {key} = {value}", of("v5-tdx15", "--policy", policy), key)
    policy = write(os.path.join(tmp, "policy.json"), json.dumps({"no_such_key": 1}))
    usage("an unknown key is said", of("v5-tdx15", "--policy", policy), "got:      no_such_key")
    usage("policy is no object", of("v5-tdx15", "--policy", write(os.path.join(tmp, "policy.json"), "[]")), "--policy")
    usage("no quote", [], "QUOTE")
    usage("quote is not there", ["/nonexistent"], "QUOTE")
    usage("collateral is no folder", of("v5-tdx15")[:-1] + [policy], "--collateral")
    usage("root is no PEM", [of("v5-tdx15")[0], "--root", policy], "--root")
    usage("time", [of("v5-tdx15")[0], "--at", "yesterday"], "--at")
    shutil.rmtree(tmp)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
