# SPDX-License-Identifier: Apache-2.0
"""pp-issuerd from 10 to 10,000 accounts, each of which fetches a batch of 32 tokens as the only one that it has.

usage: bench/issuer.py

A fleet's issuer with all that belongs to a batch: the assertion, the count in its store on the disk, 32
evaluations, the proof. The clients are CLIENTS connections that take turns. Their points are all the generator, which
costs the issuer what any other does. PP_BIN as in bench/run.py.
"""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0] = os.path.join(ROOT, "tests", "e2e")  # in place of this folder, whose http.py is another http
import http.client  # noqa: E402

import fleet  # noqa: E402
import test_issuer as issuer  # noqa: E402

CLIENTS = 32
MEDIA = "application/private-token-amortized-batch-"


def assertion(key, name, account, expiry_s):
    """docs/protocol/tokens.md: what the app's service signs for an account."""
    body = bytes([1, len(account)]) + account + expiry_s.to_bytes(8, "big")
    tag = hmac.digest(key, b"pp-assertion-v1\0" + bytes([len(name)]) + name + body, hashlib.sha256)
    return "PP-Assertion " + base64.urlsafe_b64encode(body + tag).rstrip(b"=").decode()


class Issuer:
    def __init__(self, f):
        with open(os.path.join(f.state, "fleet.json"), encoding="utf-8") as file:
            party = next(p for p in json.load(file)["parties"] if p["name"] == "issuer")
        self.where = next(iter(party["listens"].values()))
        self.pids = [party["pid"], *fleet.children(party["pid"])]
        with open(os.path.join(f.state, "issuer", "config"), encoding="utf-8") as file:
            config = dict(line.split(" = ", 1) for line in file.read().splitlines() if " = " in line)
        self.name = config["issuer"].encode()
        with open(os.path.join(f.state, "device", "assertion.key"), encoding="ascii") as file:
            self.key = bytes.fromhex(file.read().strip())
        connection = http.client.HTTPConnection(self.where)
        connection.request("GET", issuer.DIRECTORY)
        keys = json.loads(connection.getresponse().read())["token-keys"]
        connection.close()
        self.batch = issuer.batch(next(k for k in keys if k["token-type"] == 5), [issuer.GENERATOR] * 32)

    def cpu_s(self):
        ticks = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_kib(self):
        kib = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                kib += next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
        return kib

    def fetch(self, accounts):
        """One connection; how many of these accounts got their batch, and how long each waited."""
        connection, waits, good = http.client.HTTPConnection(self.where), [], 0
        for account in accounts:
            fields = {"Content-Type": MEDIA + "request", "Accept": MEDIA + "response",
                      "Authorization": assertion(self.key, self.name, account.encode(), int(time.time()) + 600)}
            begun = time.monotonic()
            connection.request("POST", "/token-request", self.batch, fields)
            answer = connection.getresponse()
            good += answer.status == 200 and len(answer.read()) == 1090
            waits.append((time.monotonic() - begun) * 1000)
        connection.close()
        return good, waits


def main():
    with fleet.Fleet() as f:
        it = Issuer(f)
        for count in (10, 100, 1000, 10000):
            names = [f"{count}-{n}" for n in range(count)]
            before, begun = it.cpu_s(), time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                done = list(pool.map(it.fetch, (names[n::CLIENTS] for n in range(CLIENTS))))
            wall, cpu = time.monotonic() - begun, (it.cpu_s() - before) / count
            waits = sorted(w for _, some in done for w in some)
            print(f"issuer, {count:5} accounts, a batch each {cpu * 1e6:8.0f} us CPU/batch {32 / cpu:7.0f} tokens/s a core "
                  f"{count / wall:6.0f} batches/s of wall {waits[count // 2]:8.2f} ms p50 {waits[count * 99 // 100]:8.2f} "
                  f"ms p99 {it.resident_kib() / 1024:6.1f} MiB, {count - sum(good for good, _ in done)} refused", flush=True)


if __name__ == "__main__":
    main()
