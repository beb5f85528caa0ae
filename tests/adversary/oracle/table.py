# SPDX-License-Identifier: Apache-2.0
"""Runs the attacks against the product's binding and against weakened ones, and compares.

usage: table.py NAME PROGRAM GUEST [NAME PROGRAM GUEST]...      the product's first

Every attack must end with the verdict that attacks.c expects of that build. An attack that the
binding refuses must succeed against one of the weakened builds, or it would show nothing."""
import subprocess
import sys
import tempfile


def verdicts(program, guest, folder):
    done = subprocess.run([program, guest, folder + "/root"], text=True, stdout=subprocess.PIPE, timeout=300)
    rows = [line.split() for line in done.stdout.split("\n") if line.count(" ") == 2]
    return rows, done.returncode


names, runs, failed, passed = [], [], 0, 0
with tempfile.TemporaryDirectory() as folder:
    for name, program, guest in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
        rows, status = verdicts(program, guest, folder)
        if status != 0:
            print(f"FAILED {name}: {program} ended with {status} after {len(rows)} attacks")
            failed += 1
        names.append(name)
        runs.append(rows)
width = max((len(row[0]) for rows in runs for row in rows), default=0)
print("  ".join(["attack".ljust(width)] + [n.ljust(18) for n in names]))
for at in range(max(map(len, runs))):
    cells = [rows[at] if at < len(rows) else ["", "missing", "a verdict"] for rows in runs]
    attack = cells[0][0]
    said = [c[1].replace("OK", "deceived") if attack.startswith("w7") else c[1] for c in cells]
    print("  ".join([attack.ljust(width)] + [v.ljust(18) for v in said]))
    wrong = [f"{n}: {c[1]}, expected {c[2]}" for n, c in zip(names, cells) if c[1] != c[2]]
    if cells[0][1] == "SNP_BINDING" and not any(c[1] == "OK" for c in cells[1:]):
        wrong.append("no weakened build falls for it: it shows nothing")
    passed, failed = passed + (not wrong), failed + bool(wrong)
    if wrong:
        print(f"FAILED {attack}: {'; '.join(wrong)}")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed < 10)
