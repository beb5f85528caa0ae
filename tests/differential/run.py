#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our HPKE with BoringSSL's on random inputs (Debian: android-libboringssl-dev).

usage: tests/differential/run.py TREE [ROUNDS [SEED]]

TREE is a build tree with tests. The other implementation is built here, against nothing but
BoringSSL and lib/base, and speaks over pipes. The first line of the output is the seed, with which
a run comes out again; the last is "N passed, N failed". See lib/crypto/differential/hpke.c."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADERS = "/usr/include/android"  # where the package has them, apart from OpenSSL's


def libraries():
    machine = subprocess.run(["cc", "-print-multiarch"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.strip()
    return os.path.join("/usr/lib", machine, "android")


def build(tree):
    if not os.path.exists(os.path.join(HEADERS, "openssl/hpke.h")):
        sys.exit("differential: no BoringSSL; `make check-all` installs android-libboringssl-dev")
    peer = os.path.join(tree, "differential_boringssl")
    source = os.path.join(ROOT, "lib/crypto/differential")
    subprocess.run(["cc", "-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Werror",
                    "-isystem", HEADERS, "-I", os.path.join(ROOT, "lib/base"), "-o", peer,
                    os.path.join(source, "boringssl.c"), os.path.join(source, "exchange.c"),
                    os.path.join(tree, "lib/base/libpp_base.a"),
                    "-L", libraries(), "-Wl,-rpath," + libraries(), "-lcrypto"], check=True)
    return peer


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    tree = os.path.abspath(sys.argv[1])
    ours = os.path.join(tree, "lib/crypto/differential_hpke")
    return subprocess.run([ours, build(tree), *sys.argv[2:]], check=False).returncode


sys.exit(main())
