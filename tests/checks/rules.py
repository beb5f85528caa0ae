# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can read off the sources. Each rule is one test."""
import re
import subprocess
import sys

FILES = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], text=True,
                       stdout=subprocess.PIPE, check=True).stdout.split("\n")
SOURCES = [f for f in FILES if re.search(r"\.[ch]$", f)]
PROTOCOL = re.compile(r"^lib/(bhttp|cred|msg|tlog|attest|ohttp|ratls|policy|client)/[^/]*\.[ch]$")
passed = failed = 0


def text(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def code(path):
    """The file without comments and string literals, line structure kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text(path), flags=re.S)


def rule(name, offenders):
    global passed, failed
    offenders = list(offenders)
    if offenders:
        failed += 1
        print(f"FAILED {name}")
        for o in offenders[:20]:
            print(f"    {o}")
    else:
        passed += 1


def hits(paths, pattern, strip=True):
    for path in paths:
        for number, line in enumerate((code(path) if strip else text(path)).split("\n"), 1):
            if re.search(pattern, line):
                yield f"{path}:{number}: {line.strip()[:100]}"


def folder(path):
    return path.rsplit("/", 1)[0]


rule("every source names its licence",
     (f for f in SOURCES if "SPDX-License-Identifier: Apache-2.0" not in text(f)[:200]))
rule("only lib/crypto includes OpenSSL; net, ratls and the adversary may include its headers of TLS",
     (h for h in hits(SOURCES, r"#include <openssl/", strip=False)
      if not h.startswith("lib/crypto/") and not
      (re.match(r"(lib/net|lib/ratls|tests/adversary)/", h) and "<openssl/ssl.h>" in h) and not
      (h.startswith("lib/net/") and re.search(r"<openssl/(err|x509v3)\.h>", h)) and not
      (h.startswith("tests/adversary/") and "<openssl/rand.h>" in h)))
rule("only lib/net includes the network libraries",
     (h for h in hits(SOURCES, r"#include <(event2?/|event\.h|curl/|http_parser|nghttp2)", strip=False)
      if not h.startswith("lib/net/")))
rule("protocol libraries do no I/O, read no clock, draw no randomness, take no heap",
     (h for h in hits([f for f in SOURCES if PROTOCOL.match(f)],
                      r"\b(socket|connect|epoll_\w+|time|gettimeofday|clock_gettime|getrandom|fopen|open|"
                      r"malloc|calloc|realloc|printf|fprintf|getenv|exit)\(")
      if not h.startswith("lib/ratls/")))
rule("no call that the style forbids",
     hits(SOURCES, r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|atoi|atol|system|popen)\("))
rule("no one-shot hash of OpenSSL, which fetches its algorithm at each call",
     hits([f for f in SOURCES if "/bench/" not in f],
          r"\b(SHA(1|224|256|384|512)|EVP_(Q_digest|Digest|sha\d+))\((?!\))"))
rule("no internal header of another folder",
     (h for f in SOURCES for h in hits([f], r'#include "[^"]*/[^"]*_int\.h"', strip=False)))
rule("only lib/policy makes a permit to send",
     (h for h in hits(SOURCES, r"\bpp_ratls_permit\(")
      if not re.match(r"lib/(ratls|policy)/|[^:]*/test/|tests/adversary/oracle/", h)))
rule("tests wait for conditions and never sleep",
     hits([f for f in SOURCES if re.search(r"(^|/)tests?/", f)], r"\b(sleep|usleep|nanosleep)\("))
rule("no unfinished work is marked in the sources",
     hits(SOURCES, r"\b(TODO|FIXME|XXX|HACK)\b", strip=False))
rule("no file is longer than anybody can review",
     (f"{f}: {text(f).count(chr(10))} lines" for f in SOURCES if text(f).count("\n") > 1500))
rule("no line is longer than 100 columns",
     (f"{f}:{n}" for f in SOURCES for n, line in enumerate(text(f).split("\n"), 1)
      if len(line) > 100 and "clang-format off" not in text(f)
      and not re.search(r'"[0-9a-f]{64,}"', line)))
rule("the linker is never told to keep quiet: it would of missing symbols too",
     (f"{f}:{n}" for f in FILES if f.endswith("meson.build") for n, line in enumerate(text(f).split("\n"), 1)
      if re.search(r"--no-warnings|-Wl,-w|--unresolved-symbols|--warn-unresolved", line.split("#")[0])))
rule("every fuzz target has a corpus",
     (f for f in SOURCES if re.search(r"/fuzz/[^/]+\.c$", f) and not
      any(g.startswith(folder(f) + "/corpus/" + f.rsplit("/", 1)[1][:-2] + "/") for g in FILES)))
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
