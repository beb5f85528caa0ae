# SPDX-License-Identifier: Apache-2.0
"""Copies a tree's programs into one folder. Reads `meson introspect --targets` on standard input;
a program goes out if it is installed, or marked for development by the install tag."""
import json
import os
import shutil
import sys

bin_folder = sys.argv[1]
os.makedirs(bin_folder, exist_ok=True)
for target in json.load(sys.stdin):
    if target["type"] != "executable" or not (target["installed"] or target["name"].startswith("pp-")):
        continue
    source = target["filename"][0]
    name = os.path.join(bin_folder, os.path.basename(source))
    if not os.path.exists(source):
        continue
    if not os.path.exists(name) or os.stat(source).st_mtime > os.stat(name).st_mtime:
        # A new file under a new name, then a rename: a running program keeps its old text.
        shutil.copy2(source, name + ".new")
        os.replace(name + ".new", name)
