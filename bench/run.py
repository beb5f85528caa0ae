#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole sessions through fleets of their own: starts one, runs bench_session against it, ends it.

usage: bench/run.py BENCH_SESSION [SESSIONS]

Two runs: SESSIONS (default 10000) with all state in memory, where nobody waits for a disk, and a
twentieth of them with it where temporary files are, where the wallet, the receipts and the store of
spent tokens are synced for every session. PP_BIN names the folder with the fleet's programs (default
build/bin).
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import fleet  # noqa: E402

SESSIONS_DEFAULT = 10000
MEMORY = "/dev/shm"


def run(program, folder, sessions):
    tempfile.tempdir = folder
    chat = os.path.join(ROOT, "examples", "neighbours.json")
    with fleet.Fleet() as f:
        return subprocess.run([program, f.state, chat, str(sessions)], check=False).returncode


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    sessions = int(sys.argv[2]) if len(sys.argv) == 3 else SESSIONS_DEFAULT
    status = 0
    disk = tempfile.gettempdir()
    if os.access(MEMORY, os.W_OK):
        print(f"-- state in memory ({MEMORY})", flush=True)
        status = run(sys.argv[1], MEMORY, sessions)
    print(f"\n-- state on disk ({disk})", flush=True)
    return run(sys.argv[1], disk, max(1, sessions // 20)) or status


if __name__ == "__main__":
    sys.exit(main())
