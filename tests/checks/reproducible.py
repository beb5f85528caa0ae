# SPDX-License-Identifier: Apache-2.0
"""W18_T1: the guest's program, which releases measure, is the same whoever builds it, where and when.

Built twice from nothing, release profile, without a cache: in folders of other names and depths, on other days, by
other users, with another home, language, time zone and mask. The files must be the same byte for byte; and a build of
one changed byte must not be, so that the comparison means something."""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

PROGRAM = "daemon/cvmd/pp-cvmd"
NOBODY = "65534"
SETUP = ["meson", "setup", "-Dprofile=release", "-Dtests=false", "-Dbuildtype=release"]
passed = failed = 0


def rule(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def copy_source(folder):
    """What git would hand to another builder."""
    files = subprocess.run(["git", "ls-files", "-z"], check=True, stdout=subprocess.PIPE).stdout.split(b"\0")
    for name in filter(None, files):
        target = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.exists(name):
            shutil.copyfile(name, target)
            shutil.copymode(name, target)


def build(folder, prefix=(), environment=None):
    """SHA-256 of the program, built in `folder`/build/tree by commands behind `prefix`."""
    env = {"PATH": os.environ["PATH"], "CCACHE_DISABLE": "1", "HOME": folder, **(environment or {})}
    tree = os.path.join(folder, "build", "tree")
    for command in ([*SETUP, tree, folder], ["ninja", "-C", tree, PROGRAM]):
        done = subprocess.run([*prefix, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit(done.stdout.decode(errors="replace")[-4000:])
    with open(os.path.join(tree, PROGRAM), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def another_builder(folder):
    """(prefix, environment) of a build on another day, by another user where that is possible."""
    prefix = ["faketime", "2031-02-03 04:05:06"]
    if os.geteuid() == 0:
        for parent, folders, files in os.walk(folder):
            for name in (".", *folders, *files):
                os.chown(os.path.join(parent, name), int(NOBODY), int(NOBODY))
        prefix = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", *prefix]
    return prefix, {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "Pacific/Auckland", "USER": "someone"}


with tempfile.TemporaryDirectory(prefix="pp-first-") as top:
    one = os.path.join(top, "a")
    two = os.path.join(top, "another builder's", "deeper", "folder")
    for place in (one, two):
        os.makedirs(place)
        copy_source(place)
    os.chmod(top, 0o755)
    first = build(one)
    second = build(two, *another_builder(os.path.join(top, "another builder's")))
    rule("w18_t1: the same program elsewhere, on another day, by another user", first == second, f"{first} {second}")
    with open(os.path.join(one, "daemon/cvmd/main.c"), encoding="utf-8") as f:
        source = f.read()
    with open(os.path.join(one, "daemon/cvmd/main.c"), "w", encoding="utf-8") as f:
        f.write(source + "\nconst char pp_one_byte_more[] __attribute__((used)) = \"x\";\n")
    rule("a program of another source is another one", build(one) != first)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
