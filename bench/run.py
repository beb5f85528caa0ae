#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole sessions through a fleet of its own: starts one, runs bench_session against it, ends it.

usage: bench/run.py BENCH_SESSION [SESSIONS]

PP_BIN names the folder with the fleet's programs (default build/bin).
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import fleet  # noqa: E402

SESSIONS_DEFAULT = "10000"


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    sessions = sys.argv[2] if len(sys.argv) == 3 else SESSIONS_DEFAULT
    chat = os.path.join(ROOT, "examples", "neighbours.json")
    with fleet.Fleet() as f:
        return subprocess.run([sys.argv[1], f.state, chat, sessions], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
