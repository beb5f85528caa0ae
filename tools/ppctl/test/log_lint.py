# SPDX-License-Identifier: Apache-2.0
"""ppctl log lint, from outside: each thing that can be wrong with policy files, and files that are fine.

usage: log_lint.py PPCTL
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

PPCTL = os.path.abspath(sys.argv[1])
ORIGIN = "ledger.example/log"
LOG, COSIGN, ECDSA = 1, 4, 2
passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def vkey(name, seed, kind):
    key = bytes([kind]) + hashlib.sha256(seed.encode()).digest()
    digest = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()
    return f"{name}+{digest[:8]}+{base64.b64encode(key).decode()}"


def log_line(seed="log", name=ORIGIN):
    return f"log {vkey(name, seed, LOG)}\n"


def witnesses(*names):
    return "".join(f"witness {n} {vkey(n + '.example', n, COSIGN)}\n" for n in names)


def people(*names):
    return "".join(f"witness {n} {vkey(n + '.example', n, LOG)}\n" for n in names)


def ledger(k, n, end="group all-of all plain record\nquorum all-of\n"):
    plain = [f"w{i}" for i in range(1, n + 1)]
    return (log_line() + witnesses(*plain, "record") + f"group plain {k} {' '.join(plain)}\n" + end)


OWNER = people("owner") + "quorum owner\n"
REVIEW = people("r1", "r2", "r3") + "group two 2 r1 r2 r3\nquorum two\n"


def lint(files, *options):
    """Exit status and the JSON object; the text for people is looked at as well."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in files:
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "w", encoding="utf-8") as f:
                f.write(text)
        args = ["log", "lint", *options, *paths]
        people_see = subprocess.run([PPCTL, *args], stdout=subprocess.PIPE, text=True, check=False)
        done = subprocess.run([PPCTL, "--json", *args], stdout=subprocess.PIPE, text=True, check=False)
    out = json.loads(done.stdout)
    check("both outputs end alike", people_see.returncode == done.returncode)
    for finding in out.get("findings", []):
        where = f"{finding['file']}:{finding['line']}: "
        check("people are told", where in people_see.stdout and f"({finding['code']})" in people_see.stdout)
        check("a finding is whole", finding["why"] and finding["field"] and finding["expected"], finding)
    return done.returncode, out


def finds(name, files, want, *options):
    """`want`: [(file index, line or None, code)] in order."""
    status, out = lint(files, *options)
    got = [(os.path.basename(f["file"]), f["line"], f["code"]) for f in out.get("findings", [])]
    ok = len(got) == len(want) and all(
        g[0] == files[w[0]][0] and w[1] in (None, g[1]) and g[2] == w[2] for g, w in zip(got, want))
    check(name, ok and status == (3 if want else 0) and out.get("ok") == (not want), f"{status} {got} {out}")


def one(name, text, want, *options, file="log.policy"):
    finds(name, [(file, text)], [(0, *w) for w in want], *options)


def grammar():
    fine = ledger(3, 4)
    lines = fine.splitlines(keepends=True)
    one("a fine policy", fine, [])
    one("comments and blank lines count as lines", "# one\n\n" + fine + "quorum plain\n", [(12, "DUPLICATE")])
    one("an unknown word", fine + "wittness x\n", [(10, "UNKNOWN_FIELD")])
    one("an unknown member", log_line() + witnesses("a") + "group g 1 a b\nquorum g\n", [(3, "NOT_FOUND")])
    one("an unknown quorum", log_line() + witnesses("a") + "quorum b\n", [(3, "NOT_FOUND")])
    one("no quorum line", "".join(lines[:-1]), [(8, "MISSING")])
    one("a name twice", fine + witnesses("w1"), [(10, "DUPLICATE")])
    one("a key twice under other names", log_line() + witnesses("a") +
        f"witness b {vkey('b.example', 'a', COSIGN)}\nquorum a\n", [(3, "DUPLICATE")])
    one("k of 0", log_line() + witnesses("a") + "group g 0 a\nquorum g\n", [(3, "RANGE")])
    one("k past n", log_line() + witnesses("a") + "group g 2 a\nquorum g\n", [(3, "RANGE")])
    one("no line feed at the end", fine[:-1], [(9, "TRUNCATED")])
    one("a carriage return", fine.replace("\n", "\r\n"), [(1, "FORMAT")])
    one("a key id that is not the key's", fine.replace("w1.example+", "w1.example+0", 1), [(2, "FORMAT")])
    one("a key under another name", fine.replace("w1.example+", "x1.example+", 1), [(2, "MISMATCH")])
    one("a witness with a key of type 01", log_line() + people("a") + "quorum a\n", [(2, "UNSUPPORTED")])
    one("an empty file", "", [(0, "MISSING")])


def shape():
    for n in range(2, 9):
        for k in range(1, n + 1):
            safe = k >= (n + 1) // 2 + 1
            one(f"w27_t3: {k} of {n}", ledger(k, n), [] if safe else [(n + 3, "POLICY_QUORUM")])
    one("2 of 3 is refused", ledger(2, 3), [(6, "POLICY_QUORUM")])
    one("no record witness", ledger(3, 4, "quorum plain\n"), [(8, "POLICY_SHAPE")])
    one("the record witness among the plain ones", log_line() + witnesses("a", "b", "c") +
        "group g 3 a b c\nquorum g\n", [(6, "POLICY_SHAPE")])
    one("a record witness that may be missing", ledger(3, 4, "group all-of any plain record\nquorum all-of\n"),
        [(None, "POLICY_SHAPE")])
    one("one witness alone", log_line() + witnesses("a") + "quorum a\n", [(3, "POLICY_SHAPE")])
    one("no quorum", log_line() + "quorum none\n", [(2, "POLICY_SHAPE")])


def overlaps():
    """While a witness changes its key both stand in the policy, as one party."""
    def policy(old_name, k=3):
        keys = f"witness w1-old {vkey(old_name, 'old', COSIGN)}\nwitness r-old {vkey('record.example', 'r-old', COSIGN)}\n"
        groups = (f"group w1-any any w1 w1-old\ngroup plain {k} w1-any w2 w3 w4\n"
                  "group record-any any record r-old\ngroup all-of all plain record-any\nquorum all-of\n")
        return log_line() + witnesses("w1", "w2", "w3", "w4", "record") + keys + groups
    one("the old and the new key of a witness are one party", policy("w1.example"), [])
    one("two parties are not one", policy("w5.example"), [(9, "POLICY_SHAPE")])
    one("and count once", policy("w1.example", 2), [(10, "POLICY_QUORUM")])


def logs():
    no_log = ledger(3, 4).split("\n", 1)[1]
    one("no log", no_log, [(0, "POLICY_LOG")], "--kind", "log")
    one("another log beside it", log_line("other", "other.example/log") + ledger(3, 4), [(2, "POLICY_LOG")])
    one("two keys of one log, while it changes", log_line("other") + ledger(3, 4), [])
    one("the origin that is asked for", ledger(3, 4), [], "--origin", ORIGIN)
    one("another origin", ledger(3, 4), [(1, "POLICY_LOG")], "--origin", "other.example/log")
    one("the log as its own witness", log_line("w1") + ledger(3, 4).split("\n", 1)[1], [(2, "POLICY_KEY_TWICE")])
    p256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(64)
    ecdsa = f"log {ORIGIN}+{hashlib.sha256(p256).hexdigest()[:8]}+{base64.b64encode(bytes([ECDSA]) + p256).decode()}\n"
    one("a4: an ECDSA key signs no ledger", ecdsa + ledger(3, 4).split("\n", 1)[1], [(1, "UNSUPPORTED")])


def parties():
    one("an owner policy", OWNER, [], file="owner.policy")
    one("a review policy is told by its keys", REVIEW, [], file="people.txt")
    one("nobody has to review", people("r1") + "quorum none\n", [(2, "POLICY_NOBODY")], file="review.policy")
    one("a log line among people", log_line() + OWNER, [(1, "UNKNOWN_FIELD")], file="owner.policy")
    one("the kind may be said", OWNER, [(1, "UNSUPPORTED")], "--kind", "log", file="owner.policy")
    three = [("log.policy", ledger(3, 4)), ("owner.policy", OWNER), ("review.policy", REVIEW)]
    finds("a whole trust folder", three, [])
    both = people("r4", "owner") + REVIEW
    finds("b1: an owner reviews", three[:2] + [("review.policy", both)], [(2, 2, "POLICY_PARTIES")])
    finds("b1: a witness reviews", three[:2] + [("review.policy", people("w2") + REVIEW)],
          [(2, 1, "POLICY_KEY_TWICE")])
    finds("b1: the log owns", [three[0], ("owner.policy", people("log") + OWNER)], [(1, 1, "POLICY_KEY_TWICE")])
    status, out = lint(three)
    check("digests are those of review lines",
          [f["digest"] for f in out["files"]] == [hashlib.sha256(t.encode()).hexdigest() for _, t in three])
    check("kinds are told", [f["kind"] for f in out["files"]] == ["log", "owner", "review"] and status == 0)


def monitors():
    clients = ("clients.policy", ledger(4, 5))
    finds("a11: monitors as clients", [clients, ("monitors.policy", ledger(4, 5))], [])
    finds("a11: monitors need more", [clients, ("monitors.policy", ledger(5, 5))], [])
    finds("a11: monitors need less", [clients, ("monitors.policy", ledger(3, 4))],
          [(1, 9, "POLICY_MONITORS"), (1, 0, "POLICY_MONITORS")])
    other = ledger(4, 5).replace(ORIGIN, "other.example/log")
    other = log_line("log", "other.example/log") + other.split("\n", 1)[1]
    finds("monitors of another log", [clients, ("monitors.policy", other)], [(1, 1, "POLICY_LOG")])


def usage():
    for args in ([], ["--kind", "people", PPCTL], ["/nowhere/at/all"], ["--json", os.path.dirname(PPCTL)],
                 [PPCTL] * 9):
        done = subprocess.run([PPCTL, "log", "lint", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        check(f"usage: {len(args)} arguments", done.returncode == 2, args)


for run in (grammar, shape, overlaps, logs, parties, monitors, usage):
    run()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
