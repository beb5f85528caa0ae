# SPDX-License-Identifier: Apache-2.0
"""A server as its clients grow from 10 to 10,000: h2load, a row for each number of them."""
import os
import re
import resource
import subprocess
import tempfile

CLIENTS = (10, 100, 1000, 10000)
REQUESTS = 20000  # and two of each client at least


def rows(name, url, cpu_s, resident_kib, *args):
    """`cpu_s` and `resident_kib` tell of the server; CPU time has the handshakes of all clients in it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for clients in CLIENTS:
        requests = max(REQUESTS, 2 * clients)
        with tempfile.TemporaryDirectory(prefix="pp-bench-") as folder:
            log = os.path.join(folder, "log")
            before = cpu_s()
            done = subprocess.run(["h2load", "-n", str(requests), "-c", str(clients), "--log-file", log, *args, url],
                                  check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
            cpu = (cpu_s() - before) / requests
            with open(log, encoding="ascii") as f:
                times = sorted(int(line.split()[2]) / 1000 for line in f)
        good = int(re.search(r"status codes: (\d+) 2xx", done).group(1))
        rate = float(re.search(r"([\d.]+) req/s", done).group(1))
        print(f"{name}, {clients:5} clients {cpu * 1e6:8.1f} us CPU/request {rate:7.0f} requests/s of wall "
              f"{times[len(times) // 2]:8.2f} ms p50 {times[len(times) * 99 // 100]:8.2f} ms p99 "
              f"{resident_kib() / 1024:6.1f} MiB, {requests - good} refused", flush=True)
