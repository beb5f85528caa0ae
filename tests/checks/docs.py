# SPDX-License-Identifier: Apache-2.0
"""The pages against the tree: links resolve, named files exist, man pages parse and know every option.

What needs a program that this machine lacks (man), or programs that are not built, is counted as skipped."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

FILES = [f for f in subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], text=True,
                                   stdout=subprocess.PIPE, check=True).stdout.split("\n") if f]
PAGES = [f for f in FILES if f.endswith(".md") and os.path.exists(f)]
TOP = {f.split("/")[0] for f in FILES if "/" in f}
passed = failed = skipped = 0


def rule(name, offenders):
    global passed, failed
    offenders = list(offenders)
    passed, failed = passed + (not offenders), failed + bool(offenders)
    if offenders:
        print(f"FAILED {name}")
        for o in offenders[:40]:
            print(f"    {o}")


def unless(reason, count=1):
    """Counts what this machine or tree cannot check: it was not judged."""
    global skipped
    skipped += count
    print(f"skipped {count}: {reason}")


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def prose(path):
    """The page without its code blocks."""
    return re.sub(r"^( *)```.*?^\1```", "", text(path), flags=re.S | re.M)


def links():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            file, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(page), file)) if file else page
            if not os.path.exists(path):
                yield f"{page}: {target}"
            elif anchor and path.endswith(".md"):
                heads = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-")
                         for h in re.findall(r"^#+ (.*)$", text(path), re.M)}
                if anchor not in heads:
                    yield f"{page}: {target} (no such heading)"


def paths():
    """`lib/msg/seal.c`, `tests/vectors/ohttp`, `docs/man`: a known top folder, and no placeholder."""
    for page in PAGES:
        for quoted in re.findall(r"`([^`\n]+)`", prose(page)):
            name = quoted.partition(":")[0].rstrip("/")
            if "/" not in name or name.split("/")[0] not in TOP or re.search(r"[*<>{} $]|\.\.\.", name):
                continue
            if re.search(r"/[A-Z]+(\.[a-z]+)?(/|$)", name) and not name.endswith(".md"):
                continue  # lib/NAME, a placeholder
            if not os.path.exists(name):
                yield f"{page}: {quoted}"


def machine_paths():
    for page in PAGES + glob.glob("docs/man/*.[18]"):
        for number, line in enumerate(text(page).split("\n"), 1):
            if re.search(r"(^|[\s(`\"'=])/(home|root|work|Users|srv|mnt)/", line) or os.getcwd() in line:
                yield f"{page}:{number}: {line.strip()[:80]}"


def man_warnings(page):
    done = subprocess.run(["man", "--warnings", "-l", page], text=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, env=dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8"))
    return done.stderr.strip().split("\n")[:3] if done.stderr.strip() else []


def plain(page):
    """A man page's words, without macros."""
    raw = re.sub(r"\bFl -", "--", text(page))
    return re.sub(r"\s+", " ", re.sub(r"^\.\w+ ?|\b(Ar|Op|Oo|Oc|Cm|Pa|Ns) ", "", raw, flags=re.M))


def program(name):
    """Where the tree with tests has it, else the programs that `make` put out; None: not built."""
    places = ["build/dev/tools/ppctl/ppctl" if name == "ppctl" else f"build/dev/daemon/{name[3:]}/{name}",
              f"build/bin/{name}"]
    return next((p for p in places if os.access(p, os.X_OK)), None)


def help_of(name, *verb):
    return subprocess.run([program(name), *verb, "--help"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout


def example_is_refused(name):
    """What the program says of the configuration that its man page shows, but that files are not there."""
    shown = re.search(r"^\.Bd -literal\n(environment = .*?)^\.Ed$", text(f"docs/man/{name}.8"), re.M | re.S)
    if shown is None:  # what nobody configures by hand
        return []
    with tempfile.TemporaryDirectory() as home:
        config = os.path.join(home, "config")
        with open(config, "w", encoding="utf-8") as f:
            f.write(re.sub(r"^user = .*\n", "", shown[1], flags=re.M))
        done = subprocess.run([program(name), "--config", config, "--check"], text=True,
                              stderr=subprocess.PIPE)
    return [] if done.returncode == 0 or "  got:      no such file\n" in done.stderr else [done.stderr]


def daemon_options(name):
    page = plain(f"docs/man/{name}.8")
    shown = help_of(name)
    options, _, keys = shown.partition("`key = value`")
    names = re.findall(r"^  (--[a-z-]+)", options, re.M) + re.findall(r"^  ([a-z_]+) +(?=\S)", keys, re.M)
    return [n for n in names if not re.search(r"(?<![\w-])" + re.escape(n) + r"(?![\w-])", page)]


def ppctl_options():
    page = plain("docs/man/ppctl.1")
    verbs = re.findall(r"^  ppctl ([a-z-]+(?: [a-z]+)?)(?= |$)", help_of("ppctl"), re.M)
    for verb in verbs:
        if verb not in page:
            yield f"verb {verb}"
        for name in re.findall(r"^  (--[a-z-]+)", help_of("ppctl", *verb.split()), re.M):
            if not re.search(re.escape(name) + r"(?![\w-])", page):
                yield f"{verb} {name}"


def snp_example():
    """examples/snp: its bytes are published figures, and its page has the verdicts that ppctl prints."""
    row = next(e for e in json.loads(text("tests/vectors/snp/real.json"))["evidence"]
               if e["name"] == "genoa-v5-attestation-rs")
    for name, member in ("report.bin", "report_hex"), ("vcek.der", "vek_hex"):
        with open(f"examples/snp/{name}", "rb") as f:
            if f.read().hex() != row[member]:
                yield f"{name} differs from its row in tests/vectors/snp/real.json"


def snp_verdicts():
    page = text("examples/snp/README.md")
    calls = re.findall(r"^    ppctl (verify snp .*)$", page, re.M)
    if len(calls) != 2:
        yield "the page has not two calls of ppctl verify snp"
    for call in calls:
        printed = subprocess.run([program("ppctl"), *call.split(), "--at", "2026-02-18T23:01:36Z"],
                                 text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        verdict = printed.strip().split("\n")[-1]
        for shown in "examples/snp/README.md", "README.md":
            if verdict not in text(shown):
                yield f"{shown}: {call}: {verdict}"


CITED = r"\b(pp-wire|ra-tls|transparency-log|snp-attestation)"
NUMBER = r"B?\d+(?:\.\d+)?"


def citations():
    """Every "pp-wire 7", "ra-tls 5, 8 and 11" of a source has its row in docs/protocol.md, with a section."""
    rows = set()
    for line in text("docs/protocol.md").split("\n"):
        cells = line.split("|")
        if len(cells) == 7 and re.search(r"\]\([^)\s]*#", cells[3]):
            name, _, numbers = cells[1].strip().partition(" ")
            rows |= {f"{name} {n}" for n in re.findall(NUMBER, numbers)}
    for source in FILES:
        if not re.search(r"\.(c|h|py|def|build|json)$", source) or not os.path.exists(source):
            continue
        joined = re.sub(r"\n[ \t]*[*#]?[ \t]*", " ", text(source))  # a citation may go over the line
        for name, numbers in re.findall(rf"{CITED} ({NUMBER}(?:(?:, and |, | and ){NUMBER})*)", joined):
            for n in re.findall(NUMBER, numbers):
                if f"{name} {n}" not in rows:
                    yield f"{source}: {name} {n}"


rule("links between pages resolve", links())
rule("repository paths that pages name exist", paths())
rule("no page names a path of somebody's machine", machine_paths())
rule("every program has its man page",
     (f"docs/man/{d}.8" for d in sorted({f"pp-{f.split('/')[1]}" for f in FILES
                                         if re.match(r"daemon/\w+d/main\.c$", f)})
      if not os.path.exists(f"docs/man/{d}.8")))
rule("every man page is installed",
     (m for m in glob.glob("docs/man/*.[18]") if os.path.basename(m) not in text("docs/man/meson.build")))
rule("every cited section has its row in docs/protocol.md", citations())
rule("examples/snp has the bytes of its row of figures", snp_example())
if shutil.which("man"):
    for m in sorted(glob.glob("docs/man/*.[18]")):
        rule(f"{m} parses", man_warnings(m))
else:
    unless("man is not installed", len(glob.glob("docs/man/*.[18]")))
if program("ppctl"):
    rule("ppctl.1 knows every verb and option of --help", ppctl_options())
    rule("examples/snp and README show the verdicts of ppctl verify snp", snp_verdicts())
else:
    unless("ppctl is not built", 2)
for m in sorted(glob.glob("docs/man/pp-*.8")):
    daemon = os.path.basename(m)[:-2]
    if program(daemon):
        rule(f"{daemon}.8 knows every option and key of --help", daemon_options(daemon))
        rule(f"{daemon}.8 shows a configuration that --check takes", example_is_refused(daemon))
    else:
        unless(f"{daemon} is not built")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed > 0)
