# SPDX-License-Identifier: Apache-2.0
"""The model of the binding (binding.pml, docs/formal.md), checked by spin: as built, and with parts
taken away. Where the property is expected to fail, the search must find a trace, which is printed.

usage: run.py [WORD...]      rows whose name contains a word; all without"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

MODEL = "binding.pml"
HERE = os.path.dirname(os.path.abspath(__file__))
AS_BUILT = dict(B_EXPORTER=1, B_SHARES=0, B_CR=0, B_SR=0, B_SPKI=1, B_END=1, B_MK=1, V_IMAGE=1, V_HOST=1,
                V_PATH=1, A_LEAK=1, A_CHANNEL=0, A_STRANGER=0, MUTUAL=1, R_DEVICE=0, R_MUTUAL=0)
HOLDS, FAILS = "holds", "fails"
# Without the exporter the binding is what its other parts make it.
PLAIN = dict(B_EXPORTER=0)
ROWS = [
    ("as built", {}, HOLDS),
    ("as built: a device does accept somebody", dict(R_DEVICE=1), FAILS),
    ("as built: a guest does accept a calling guest", dict(R_MUTUAL=1), FAILS),
    ("as built, guest B on a machine of no host-set", dict(A_STRANGER=1), HOLDS),
    ("as built, the channel of guest A taken over", dict(A_CHANNEL=1), HOLDS),
    ("exporter out", PLAIN, FAILS),
    ("client's random in the exporter's place", dict(PLAIN, B_CR=1), FAILS),
    ("the same, one-sided", dict(PLAIN, B_CR=1, MUTUAL=0), FAILS),
    ("the same, and no TLS key leaks", dict(PLAIN, B_CR=1, MUTUAL=0, A_LEAK=0), HOLDS),
    ("client's random alone, and no TLS key leaks",
     dict(PLAIN, B_CR=1, B_SPKI=0, MUTUAL=0, A_LEAK=0), FAILS),
    ("TLS key alone, and it leaks", dict(PLAIN, MUTUAL=0), FAILS),
    ("both randoms in the exporter's place", dict(PLAIN, B_CR=1, B_SR=1), FAILS),
    ("the Diffie-Hellman shares in the exporter's place", dict(PLAIN, B_SHARES=1), HOLDS),
    ("SPKI out", dict(B_SPKI=0), HOLDS),
    ("end out", dict(B_END=0), HOLDS),
    ("end and message key out", dict(B_END=0, B_MK=0), FAILS),
    ("message key out", dict(B_MK=0), HOLDS),
    ("message key out, the channel of guest A taken over", dict(B_MK=0, A_CHANNEL=1), FAILS),
    ("the path of a shared report not followed", dict(V_PATH=0), FAILS),
    ("the image not compared", dict(V_IMAGE=0), FAILS),
    ("the host-set not asked, guest B in none", dict(V_HOST=0, A_STRANGER=1), FAILS),
]


def sh(folder, *argv):
    done = subprocess.run(argv, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def check(row):
    """(what was found, states, seconds, the trace or what went wrong)"""
    name, changes, expected = row
    switches = [f"-D{k}={v}" for k, v in dict(AS_BUILT, **changes).items()]
    breadth = ["-DBFS"] if expected == FAILS else []  # breadth first: the shortest trace
    started = time.time()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(HERE, MODEL), folder)
        for step in (["spin", "-a", *switches, MODEL],
                     ["gcc", "-O1", "-w", "-DSAFETY", "-DMEMLIM=2048", *breadth, "-o", "pan", "pan.c"]):
            status, out = sh(folder, *step)
            if status != 0:
                return "no model", 0, time.time() - started, out
        _, out = sh(folder, "./pan", "-m100000")
        errors = re.search(r"errors: (\d+)", out)
        states = re.search(r"(\d+) states, stored", out)
        if errors is None or states is None:
            return "no search", 0, time.time() - started, out
        states = int(states.group(1))
        if int(errors.group(1)) > 0:
            # Only our assertions count as failing, and the run back must end at one.
            _, trail = sh(folder, "spin", "-t", *switches, MODEL)
            steps = [line.strip() for line in trail.split("\n")
                     if re.search(r"serves|report|accepts|channel of", line) and "spin:" not in line]
            found = FAILS if "assertion violated" in trail and steps else "no trace"
            return found, states, time.time() - started, "\n".join(steps) if found == FAILS else trail
        whole = "Search not completed" not in out and "max search depth too small" not in out
        return HOLDS if whole else "unfinished", states, time.time() - started, "" if whole else out


passed = failed = 0
wanted = [r for r in ROWS if not sys.argv[1:] or any(w in r[0] for w in sys.argv[1:])]
print(f"{'binding':<56} {'expected':<8} {'found':<10} {'states':>10} {'s':>6}")
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for (name, _, expected), (found, states, seconds, text) in zip(wanted, pool.map(check, wanted)):
        ok = found == expected
        passed, failed = passed + ok, failed + (not ok)
        print(f"{name:<56} {expected:<8} {found:<10} {states:>10} {seconds:6.1f}{'' if ok else '  FAILED'}",
              flush=True)
        for line in text.split("\n") if text else []:
            print(f"    {line}")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
