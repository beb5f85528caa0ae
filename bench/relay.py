#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of pp-relayd for a request beside that of nginx as a relay (deploy/relay-nginx), in one run; and of
pp-relayd while 10 to 10,000 others are connected, with what those cost.

usage: bench/relay.py [REQUESTS [CONNECTIONS]]     20,000 and 10,000 by default

4 KiB up, 32 KiB down, both over TLS 1.3 to the client and to the gateway. The gateway is an nginx that answers with
a file, the same for both: it takes part in no figure. h2load sends. PP_BIN as in bench/run.py.
"""
import os
import re
import socket
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0] = os.path.join(ROOT, "tests", "e2e")  # in place of this folder, whose http.py is another http
import fleet  # noqa: E402
import httpd  # noqa: E402
import test_relay as relay  # noqa: E402

# nginx ends a connection after 1000 requests, so no run sends more over each of its four.
REQUESTS, CONNECTIONS = 11000, 10000


class Gateway:
    """Answers every POST with 32 KiB, over HTTP/1.1 and HTTP/2."""

    def __init__(self, folder, cert, key):
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        with open(os.path.join(folder, "answer"), "wb") as f:
            f.write(os.urandom(32768))
        config = os.path.join(folder, "gateway.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write(f"""worker_processes 1; pid gateway.pid; error_log /dev/null emerg;
                events {{ worker_connections 4096; }}
                http {{ access_log off; default_type message/ohttp-res; keepalive_requests 1000000;
                client_body_temp_path g1; proxy_temp_path g2; fastcgi_temp_path g3; uwsgi_temp_path g4;
                scgi_temp_path g5; client_body_buffer_size 64k;
                server {{ listen 127.0.0.1:{self.port} ssl http2; ssl_protocols TLSv1.3; root {folder};
                ssl_certificate {cert}; ssl_certificate_key {key};
                error_page 405 =200 /answer; location / {{ rewrite ^ /answer break; }} }} }}""")
        self.process = subprocess.Popen(["nginx", "-p", folder, "-c", config, "-g", "daemon off;"],
                                        stderr=subprocess.DEVNULL)
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                pass
        raise SystemExit("bench/relay.py: the gateway's nginx does not start")

    def close(self):
        self.process.terminate()
        self.process.wait()


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of(process):
    return sum(cpu_s(p) for p in [process.pid, *fleet.children(process.pid)])


def load(which, words, requests, body):
    before = cpu_of(which.process)
    done = subprocess.run(["h2load", "-n", str(requests), *words, "-d", body, "-H",
                           "content-type: message/ohttp-req", f"https://127.0.0.1:{which.port}/ohttp"],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    spent = cpu_of(which.process) - before
    good = int(re.search(r"status codes: (\d+) 2xx", done).group(1))
    if good < requests:
        raise SystemExit(f"bench/relay.py: {requests - good} requests failed\n{done}")
    rate = float(re.search(r"([\d.]+) req/s", done).group(1))
    return spent * 1e6 / requests, rate


def compare(folder, requests):
    cert, key = relay.pem(folder, "gateway", "localhost")
    os.chmod(cert, 0o644)
    gateway = Gateway(folder, cert, key)
    body = os.path.join(folder, "body")
    with open(body, "wb") as f:
        f.write(os.urandom(4096))
    ours, theirs = relay.PpRelayTls(gateway, cert), relay.NginxRelay(gateway, cert)
    try:
        for name, words in (("HTTP/1.1, 16 clients", ["--h1", "-c", "16"]),
                            ("HTTP/2, 4 x 4 streams", ["-c", "4", "-m", "4"])):
            for which in (ours, theirs):  # connections to the gateway are there
                load(which, words, requests // 10, body)
            rows = [[load(which, words, requests // 3, body) for which in (ours, theirs)] for _ in range(3)]
            mine, nginx = (min(row[i][0] for row in rows) for i in (0, 1))
            rates = [max(row[i][1] for row in rows) for i in (0, 1)]
            print(f"relay, {name:21} pp-relayd {mine:6.1f} us CPU/request {rates[0]:8.0f}/s    nginx {nginx:6.1f} us "
                  f"{rates[1]:8.0f}/s    ratio {mine / nginx:.2f} (aim at most 1.0)", flush=True)
    finally:
        ours.close()
        theirs.close()
        gateway.close()


class Server:
    """What httpd.Idle needs of a server."""

    def __init__(self, which):
        self.port, self.ca, self.process = which.port, which.cert, which.process


def resident_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def growth(folder, most):
    cert, key = relay.pem(folder, "gateway", "localhost")
    gateway = Gateway(folder, cert, key)
    places = min(2 * most, 16384)  # in the last quarter of them one address gets an eighth
    which = relay.PpRelayTls(gateway, cert, f"connections = {places}", f"connections_per_address = {places}",
                             "directory = hello")
    with open(os.path.join(which.folder, "hello"), "wb") as f:
        f.write(b"hello")
    body = os.path.join(folder, "body")
    try:
        held = httpd.Idle(Server(which))
        held.path = b"/directory"
        at_rest = resident_kib(which.process)
        for count in sorted({10, 100, 1000, most}):
            held.open_until(count)
            now = resident_kib(which.process)
            print(f"relay, {count:6} idle connections of HTTP/2 over TLS  {now / 1024:7.1f} MiB resident, "
                  f"{(now - at_rest) / count:6.1f} KiB each", flush=True)
            cpu, rate = load(which, ["-c", "4", "-m", "4"], REQUESTS // 3, body)
            print(f"  and 16 requests at a time beside them {cpu:16.1f} us CPU/request {rate:7.0f} requests/s of wall",
                  flush=True)
        held.close()
    finally:
        which.close()
        gateway.close()


def main():
    numbers = [int(a) for a in sys.argv[1:3]]
    requests, connections = numbers + [REQUESTS, CONNECTIONS][len(numbers):]
    with tempfile.TemporaryDirectory(prefix="pp-bench-relay-") as folder:
        os.chmod(folder, 0o755)
        compare(folder, requests)
        growth(folder, connections)


if __name__ == "__main__":
    main()
