# SPDX-License-Identifier: Apache-2.0
"""What release programs must and must not hold: hardening, and no trace of the development profile."""
import glob
import os
import re
import subprocess
import sys

BIN = "build/release/bin"
passed = failed = 0


def rule(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def output(*argv):
    return subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          errors="replace").stdout


programs = sorted(p for p in glob.glob(BIN + "/*") if os.access(p, os.X_OK))
rule("there are release programs", programs)
for program in programs:
    name = os.path.basename(program)
    headers = output("readelf", "-lW", program)
    dynamic = output("readelf", "-dW", program)
    symbols = output("nm", "-D", program) + output("nm", program)
    strings = output("strings", "-n", "6", program)
    rule(f"{name}: position independent", "DYN" in output("readelf", "-hW", program))
    rule(f"{name}: full RELRO", "GNU_RELRO" in headers and ("BIND_NOW" in dynamic or "NOW" in dynamic))
    rule(f"{name}: stack not executable", re.search(r"GNU_STACK.* RW ", headers))
    rule(f"{name}: stack protector", "__stack_chk_fail" in symbols or "__stack_chk_fail" in strings)
    rule(f"{name}: symbols can be seen", re.search(r" pp_\w+", symbols), "the rules below would say nothing")
    rule(f"{name}: makes no certificates", not re.search(r"\b(pp_x509_issue|pp_issue_key)\w*", symbols), "symbols")
    rule(f"{name}: no simulator", not re.search(r"\b(sim_|pp_sim_)\w+", symbols), "symbols")
    rule(f"{name}: no clock that a file moves", "clock_file" not in symbols and "--clock-fd" not in strings)
    for word in ("sim-snp", "sim-tdx", "skip-verify", "skip_verify", "--fault", "debug policy",
                 "simulated secure processor", "machine on a desk"):
        rule(f"{name}: does not hold \"{word}\"", word not in strings)
    rule(f"{name}: no grid but the one of the sizes", name != "ppctl" or "grid_ms" not in strings)
    rule(f"{name}: no path of the build machine", os.getcwd() not in strings)
# tests/adversary/oracle: a binding that covers too little, and a TLS key that everybody knows.
leaked = bytes(int(b, 16) for b in re.findall(
    r"0x(..)", open("tests/adversary/oracle/leak.h", encoding="utf-8").read()))
both = programs + sorted(p for p in glob.glob("build/bin/*") if os.access(p, os.X_OK))
rule("there are development programs", len(both) > len(programs))
for program in both:
    with open(program, "rb") as f:
        content = f.read()
    rule(f"{program}: no weakened binding", b"pp weakened binding" not in content)
    rule(f"{program}: no leaked key", leaked not in content)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
