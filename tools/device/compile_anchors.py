# SPDX-License-Identifier: Apache-2.0
"""Writes the trust anchors of a release build as C: the files of one folder, byte for byte.

usage: compile_anchors.py OUT.c [FOLDER]

FOLDER holds trust, log.policy, owner.policy and review.policy, and ark.der with ask.der where the
vendor's published roots are not meant, tdx-root.der, gpu-root.der and rim-root.der likewise, ca.pem, and revokes where there are any.
Without FOLDER the build has no anchors and says so when asked for them: it can check vectors and reports, and refuses everything else."""
import os
import sys

NAMES = ("trust", "log.policy", "owner.policy", "review.policy", "ark.der", "ask.der",
         "ca.pem", "revokes", "tdx-root.der", "gpu-root.der", "rim-root.der")
MANDATORY = NAMES[:4]

out = sys.argv[1]
folder = sys.argv[2] if len(sys.argv) > 2 else ""
lines = ['#include "device_int.h"', ""]
members = []
for name in NAMES:
    path = os.path.join(folder, name)
    if not folder or (name not in MANDATORY and not os.path.exists(path)):
        continue
    with open(path, "rb") as f:
        data = f.read()
    if not data:
        sys.exit(f"compile_anchors: {name}: expected content, got an empty file")
    word = name.replace(".", "_").replace("-", "_")
    lines.append(f"static const uint8_t {word}[] = {{")
    for i in range(0, len(data), 12):
        lines.append("    " + ", ".join(f"0x{b:02x}" for b in data[i:i + 12]) + ",")
    lines += ["};", ""]
    member = word.replace("_der", "").replace("_pem", "")
    members.append(f"    .{member} = {{ {word}, sizeof {word} }},")
lines += ["const struct pp_trust_files DEVICE_COMPILED_ANCHORS = {"] + (members or ["    { NULL, 0 }"])
lines += ["};", ""]
with open(out, "w", encoding="utf-8") as f:
    f.write("\n".join(lines))
