# SPDX-License-Identifier: Apache-2.0
"""Every result code is explained, once, and what an explanation points to is there."""
import os
import re
import sys

passed = failed = 0


def rule(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


codes = re.findall(r"^    X\((\w+),", read("lib/base/codes.h"), re.M)
rows = re.findall(r'^EXPLAIN\((\w+), (\w+), "([^"]+)", "([^"]+)", "([^"]+)",\s+"([^"]+)"\)$',
                  read("tools/ppctl/explain.def"), re.M)
names = [row[0] for row in rows]
for code in codes:
    rule(f"{code} is explained once in tools/ppctl/explain.def", names.count(code) == 1, f"{names.count(code)} times")
rule("no explanation of what is no code", set(names) <= set(codes), set(names) - set(codes))
rule("every line of explain.def is read", len(rows) == read("tools/ppctl/explain.def").count("\nEXPLAIN("))
for name, _, check, document, section, means in rows:
    there = os.path.exists(document)
    rule(f"{name}: {document} is there", there)
    headings = re.findall(r"^#+ (.+)$", read(document), re.M) if there else []
    rule(f"{name}: {document} has the section", any(h == section or h.startswith(section + " (") for h in headings), section)
    rule(f"{name}: a sentence", means.endswith("."))

# Profiles waive lines that exist: the file is read by name.
advisories = re.findall(r"^(?!PROFILE|WAIVES)[A-Z_]+\(([a-z0-9-]+),", read("lib/policy/advisories.def"), re.M)
rule("every advisory has an id of its own", advisories and len(set(advisories)) == len(advisories))
for waived in re.findall(r"^WAIVES\(([^)]+)\)", read("lib/policy/profiles.def"), re.M):
    rule(f"{waived} is an advisory", waived in advisories)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
