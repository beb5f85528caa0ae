# SPDX-License-Identifier: Apache-2.0
"""docs/verification.md against the tree: no requirement is missing, every named test exists.

A reference stands in backticks as `file: test`, or as a file alone where the file is one test. A test
of a C file must stand there twice: where it is written, and in the list of what runs."""
import os
import re
import sys

PAGE = "docs/verification.md"
STATES = ("proven", "partly", "open", "accepted")
# How many tests each finding of the audit asks for; 0: one row, "T".
FINDINGS = {1: 7, 2: 8, 3: 7, 4: 4, 5: 3, 6: 3, 7: 8, 8: 9, 9: 0, 10: 8, 11: 7, 12: 3, 13: 6, 14: 5,
            15: 7, 16: 3, 17: 5, 18: 4, 19: 6, 20: 5, 21: 6, 22: 6, 23: 5, 24: 3, 25: 2, 26: 3, 27: 7,
            28: 9}
OTHERS = """
App.B App.C App.D.1 App.D.2 App.D.3 App.E
H.milan H.leaked-keys H.badram H.interposers H.microcode H.interrupts H.heracles H.stackwarp
H.interconnect H.stepping H.transient H.nvlink H.advisories
S.1 S.2 S.3 S.4 S.5 S.6 S.classifier
P.confidential P.enforceable P.transparency P.non-targetability P.stateless
P.optionality P.user-transparency P.user-control
P.assets A1 A2 A3 SA SB SC P.scope
P.i P.ii P.iii P.iv P.v P.vi P.cvm-to-cvm
P.tee P.gpu P.ohttp-hpke P.ra-tls P.credentials
P.containers P.log-filter P.build P.third-party-log P.advisories P.input P.abuse P.dram P.physical
P.no-shell P.audit
P.summaries P.suggestions P.others
P.components P.image P.bounty P.papers
P.minimal P.e2ee P.inference-state P.defence-in-depth P.pattern-tee P.pattern-relay P.pattern-release
P.pattern-ledger P.reviewed
""".split()
WANTED = [f"W{n}.T{i}" for n, count in FINDINGS.items() for i in range(1, count + 1)] + ["W9.T"] + OTHERS
passed = failed = 0


def rule(name, offenders):
    global passed, failed
    offenders = list(offenders)
    passed, failed = passed + (not offenders), failed + bool(offenders)
    if offenders:
        print(f"FAILED {name}")
        for o in offenders:
            print(f"    {o}")


def text(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except (FileNotFoundError, IsADirectoryError):
        return ""


def fault_tests():
    """The methods that tests/e2e/test_faults.py makes from the table of faults: those that SEV-SNP has a code for."""
    names = re.findall(r'^\s*\{ FAULT_\w+, "([a-z0-9.-]+)", [135], "', text("tools/fleet/faults.c"), re.M)
    return {"test_fault_" + re.sub(r"[-.]", "_", n) for n in names}


def exists(path, name):
    content = text(path)
    if name == "":
        return content != ""
    if path == "tests/e2e/test_faults.py" and name.startswith("test_fault_"):
        return name in FAULTS
    if path.endswith(".c"):
        return len(re.findall(r"\b" + re.escape(name) + r"\b", content)) >= 2
    return name in content


def is_reference(quoted):
    return re.match(r"(lib|daemon|sim|tools|tests)/[\w./-]+\.(c|py|json)(: .+)?$", quoted) is not None


FAULTS = fault_tests()
page = text(PAGE)
rows = [re.split(r"\s*\|\s*", line.strip().strip("|").strip(), maxsplit=2)
        for line in page.split("\n") if re.match(r"\| (W\d|App\.|[HPS]\.|A\d|S[ABC] )", line)]
rule("every row has an id, a state and a sentence", (r for r in rows if len(r) != 3 or not r[2]))
rows = [r for r in rows if len(r) == 3]
ids = [r[0] for r in rows]
rule("every requirement has its row", (i for i in WANTED if i not in ids))
rule("no row is of an unknown requirement", (i for i in ids if i not in WANTED))
rule("no requirement has two rows", sorted({i for i in ids if ids.count(i) > 1}))
rule("every state is a known one", (f"{i}: {s}" for i, s, _ in rows if s not in STATES))
rule("an open row names the work with which it comes",
     (i for i, s, how in rows if s == "open" and "come" not in how))
rule("a proven row leaves nothing for later",
     (i for i, s, how in rows if s == "proven"
      and re.search(r"\bopen \(|\bcomes? with\b|\bhas no test\b", how)))
rule("a proven or partly proven row names a test, or rows that do",
     (i for i, s, how in rows if s in ("proven", "partly")
      and not any(is_reference(q) for q in re.findall(r"`([^`]+)`", how))
      and not (s == "partly" and re.search(r"\b(W\d+|P\.\w+)|`docs/|`\.ci/", how))))
lines = re.findall(r"^\| ((?:ohttp|privacy-pass) \d+: .*?) \| (.*) \|$", page, re.M)
rule("the lines of the wire are there", [] if len(lines) > 30 else [len(lines)])
rule("each line of the wire names a test",
     (line for line, how in lines if not any(is_reference(q) for q in re.findall(r"`([^`]+)`", how))))
references = sorted({q for q in re.findall(r"`([^`]+)`", page) if is_reference(q)})
rule("the page names tests", [] if len(references) > 100 else [len(references)])
for reference in references:
    file, _, name = reference.partition(": ")
    rule(f"exists: {reference}", [] if exists(file, name) else [file if text(file) == "" else name])
rule("every fault stands on the page",
     (f for f in sorted(FAULTS) if f"tests/e2e/test_faults.py: {f}`" not in page))
assets = re.findall(r"^\| \*\*.*\|([^|]*)\|$", text("docs/threat-model.md"), re.M)
rule("every asset names its controls", [] if assets else ["docs/threat-model.md has no table of assets"])
rule("every control of an asset is a requirement",
     (c for a in assets for c in (re.split(r"[,\s]+", a.strip()) if a.strip() else ["none"])
      if not any(i == c or i.startswith(c + ".") for i in WANTED)))
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
