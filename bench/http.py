#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lib/net's server under h2load and wrk, alone and while 10 to 10,000 others are connected.

usage: bench/http.py [CONNECTIONS]     idle ones at the end, 10,000 by default

The load: POST of 4 KiB answered with 32 KiB (the shape of a session's first exchange), with nothing done in between.
PP_BIN names the folder with pp-httpd (default build/bin).
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import httpd  # noqa: E402

REQUESTS = 40000
CLIENTS = 10
STREAMS = 10
HALF_LOAD_S = 3


def h2load(server, body, *args):
    call = ["h2load", "-c", str(CLIENTS), "-d", body, *args, server.url + "/exchange"]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout


def full_load(name, server, body):
    """Prints a row; how many requests one core would do in a second."""
    h2load(server, body, "-n", "2000", "-m", str(STREAMS))
    cpu = server.cpu_s()
    out = h2load(server, body, "-n", str(REQUESTS), "-m", str(STREAMS))
    cpu = (server.cpu_s() - cpu) / REQUESTS
    wall = float(re.search(r"([\d.]+) req/s", out).group(1))
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", out).group(0)
    print(f"{name:<44} {cpu * 1e6:8.1f} us CPU/request {1 / cpu:9.0f} requests/s a core {wall:9.0f} of wall; {failed}",
          flush=True)
    return 1 / cpu


def half_load(name, server, body, per_core):
    log = os.path.join(server.folder.name, "log")
    h2load(server, body, "-D", str(HALF_LOAD_S), "--rps", str(max(1, int(per_core / 2 / CLIENTS))),
           "--log-file", log)
    with open(log, encoding="ascii") as f:
        times = sorted(int(line.split()[2]) for line in f)
    print(f"{name + ', at half of that':<44} {len(times) / HALF_LOAD_S:8.0f} requests/s"
          f"{times[len(times) // 2] / 1000:9.2f} ms p50 {times[len(times) * 99 // 100] / 1000:9.2f} ms p99", flush=True)


def wrk(server):
    cpu = server.cpu_s()
    out = subprocess.run(["wrk", "-t1", f"-c{CLIENTS}", "-d3", "--latency", server.url + "/hello"],
                         capture_output=True, text=True, check=True).stdout
    count = int(re.search(r"(\d+) requests in", out).group(1))
    cpu = (server.cpu_s() - cpu) / count
    print(f"{'HTTP/1.1, GET of 5 bytes (wrk)':<44} {cpu * 1e6:8.1f} us CPU/request {1 / cpu:9.0f} requests/s a core; "
          f"{'errors' if 'errors' in out or 'Non-2xx' in out else 'no errors'}", flush=True)


def growth(most):
    """Who is connected and asks nothing costs memory, and those who ask no more CPU time than before."""
    with httpd.Httpd(True) as server:
        idle = httpd.Idle(server)
        body = os.path.join(server.folder.name, "body")
        with open(body, "wb") as f:
            f.write(os.urandom(4096))
        for count in (10, 100, 1000, 10000):
            if count > most:
                break
            idle.open_until(count)
            kib = server.resident_kib()
            print(f"{count:6} idle connections, HTTP/2 over TLS {kib / 1024:12.1f} MiB resident {kib / count:9.1f} KiB each",
                  flush=True)
            full_load(f"  and {CLIENTS * STREAMS} requests at a time beside them", server, body)
        idle.close()


def main():
    for tls in (False, True):
        name = "HTTP/2 over TLS 1.3" if tls else "HTTP/2 in clear"
        if not shutil.which("h2load"):
            print("no h2load here (Debian's nghttp2-client)")
            break
        with httpd.Httpd(tls) as server:
            body = os.path.join(server.folder.name, "body")
            with open(body, "wb") as f:
                f.write(os.urandom(4096))
            half_load(name, server, body, full_load(name, server, body))
    if shutil.which("wrk"):
        with httpd.Httpd() as server:
            wrk(server)
    growth(int(sys.argv[1]) if len(sys.argv) > 1 else 10000)


if __name__ == "__main__":
    main()
