# SPDX-License-Identifier: Apache-2.0
"""Takes each guard of the verifying code away, one at a time: some test must go red.

usage: tests/mutants/run.py [FILE ...]      only these sources

A guard is a PP_CHECK, SNP_CHECK or REFUSE_UNLESS, an `if` whose branch refuses, or a PP_TRY around
a check. A test that stays green without it proves nothing about it. Guards that cannot be missed by
any input stand in `accepted`, one a line: the file, the first words of the guard, and the reason
after a colon.
Closes with "N passed, N failed"; a mutant that does not compile or hangs counts as seen."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TREE = os.path.join(ROOT, "build", "mutants")

# Where the decisions are, and the meson suites and tests that must notice.
SOURCES = {
    "lib/attest/snp_verify.c": (["--suite", "attest"], ["--suite", "sim"], ["vectors snp"]),
    "lib/attest/snp_policy.c": (["--suite", "attest"], ["--suite", "sim"], ["vectors snp"]),
    "lib/policy/appraise.c": (["--suite", "policy"],),
    "lib/policy/ledger.c": (["--suite", "policy"],),
    "lib/policy/trust.c": (["--suite", "policy"],),
    "tools/device/directory.c": (["--suite", "device"],),
    "lib/ratls/binding.c": (["--suite", "ratls"], ["vectors ratls"]),
    "lib/ratls/client.c": (["--suite", "ratls"],),
    "lib/ratls/profile.c": (["--suite", "ratls"],),
    "lib/client/session.c": (["--suite", "client"],),
    "lib/tlog/proof.c": (["--suite", "tlog"], ["vectors tlog"]),
    "lib/tlog/quorum.c": (["--suite", "tlog"], ["vectors tlog", "vectors records"]),
    "lib/tlog/record_rules.c": (["--suite", "tlog"], ["vectors records"]),
    "lib/crypto/oprf.c": (["oprf", "poprf", "nist"], ["vectors oprf"]),
    "lib/cred/blind_rsa.c": (["--suite", "cred"], ["vectors privacypass"]),
    "lib/cred/generic.c": (["generic"], ["vectors privacypass"]),
    "lib/cred/issuance.c": (["--suite", "cred"], ["vectors privacypass"]),
    "lib/cred/redeem.c": (["--suite", "cred"], ["vectors privacypass"]),
    "daemon/issuerd/jwt.c": (["jwt"],),
    "daemon/issuerd/jwks.c": (["jwt"],),
    "daemon/common/token_chain.c": (["token_chain"],),
}
GUARDS = [
    # (what it looks like, what stands there instead)
    (re.compile(r"^ +(?:SNP_CHECK|PP_CHECK|REFUSE_UNLESS)\((?:[^;]|\n)*?\);", re.M),
     lambda m: "    (void)0;"),
    (re.compile(r"^( +(?:else )?if )\(((?:[^;{}]|\n)*?)\)(\n +return (?:refuse|PP_FAIL))", re.M),
     lambda m: f"{m[1]}(0 && ({m[2]})){m[3]}"),
    (re.compile(r"^( +)PP_TRY\(((?:\w*check\w*|\w*verify\w*)\((?:[^;]|\n)*?)\);", re.M),
     lambda m: f"{m[1]}(void)!({m[2]}).code;"),
]


def copy_sources():
    """The working tree as git knows it, so that a build here disturbs no other."""
    shutil.rmtree(os.path.join(TREE, "src"), ignore_errors=True)
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True,
                            stdout=subprocess.PIPE).stdout.decode().split("\0")
    for name in filter(None, listed):
        target = os.path.join(TREE, "src", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(ROOT, name), target)
    shutil.rmtree(os.path.join(TREE, "out"), ignore_errors=True)
    run("meson", "setup", os.path.join(TREE, "out"), os.path.join(TREE, "src"), "-Dwerror=false",
        "-Dwarning_level=0", "-Doptimization=0")


def run(*argv):
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          errors="replace")
    if done.returncode != 0:
        raise RuntimeError(done.stdout[-3000:])


def mutants(text):
    """(line number, first words, text without that guard)"""
    for pattern, instead in GUARDS:
        for m in pattern.finditer(text):
            words = " ".join(m[0].split())
            yield (text.count("\n", 0, m.start()) + 1, words[:90],
                   text[:m.start()] + instead(m) + text[m.end():])


def is_seen(tests):
    """Whether one of these `meson test` selections fails; meson builds what they need."""
    out = os.path.join(TREE, "out")
    for words in tests:
        done = subprocess.run(["meson", "test", "-C", out, "--quiet", *words],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            return True
    return False


def accepted():
    rows = set()
    with open(os.path.join(HERE, "accepted"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, words = line.split(" ", 1)
                rows.add((name, words.split(" : ")[0].strip()))
    return rows


def main():
    wanted = sys.argv[1:] or list(SOURCES)
    known = accepted()
    copy_sources()
    passed = failed = 0
    for name in wanted:
        path = os.path.join(TREE, "src", name)
        with open(path, encoding="utf-8") as f:
            original = f.read()
        if is_seen(SOURCES[name]):
            print(f"FAILED {name}: its tests do not pass before anything is taken away")
            failed += 1
            continue
        for line, words, text in sorted(mutants(original)):
            if any(name == n and words.startswith(w) for n, w in known):
                continue
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            if is_seen(SOURCES[name]):
                passed += 1
            else:
                failed += 1
                print(f"FAILED {name}:{line}: no test misses: {words}", flush=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(original)
    shutil.rmtree(TREE, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or passed == 0)


sys.exit(main())
