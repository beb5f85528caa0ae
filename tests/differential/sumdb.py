#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Go's golang.org/x/mod/sumdb reads and verifies our log (Debian: golang-go, golang-golang-x-mod-dev).

usage: tests/differential/sumdb.py TREE        TREE: where the Go program is built; PP_BIN: our programs

A fleet of pp-logd and its witnesses is fed with records that x/mod has signed, batch after batch,
until the tree is two levels of tiles high. x/mod then opens every checkpoint that was ever served
with the log's vkey, recomputes the tree, proves and checks every entry and every step between two
published sizes, over the folder and over HTTP; and has to refuse the log with any one of its files
changed. The other way round our auditor reads logs that x/mod made. The last line is "N passed, N failed"."""
import hashlib
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE = os.path.join(ROOT, "tests/differential/sumdb")
GOPATH = "/usr/share/gocode"  # where Debian has sources of Go packages
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
sys.dont_write_bytecode = True
from fleet import Fleet, ppctl  # noqa: E402

BATCHES = [1, 2, 5, 64, 1, 64, 64, 3, 40, 64, 1, 64, 17]  # host-sets in each; a status ends it
PATIENCE_S = 120
counts = {"passed": 0, "failed": 0}
random.seed(20000)


def row(ok, what, text=""):
    counts["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {what}: {text.strip()[-500:]}", flush=True)
    return ok


def build(tree):
    """Nothing is downloaded: modules are off, and the one package lies below GOPATH."""
    if not os.path.isdir(os.path.join(GOPATH, "src/golang.org/x/mod/sumdb")):
        sys.exit("differential: no x/mod; `make check-all` installs golang-golang-x-mod-dev")
    program = os.path.join(os.path.abspath(tree), "differential_sumdb")
    env = dict(os.environ, GO111MODULE="off", GOPATH=GOPATH, GOFLAGS="", GOPROXY="off", GOTOOLCHAIN="local",
               GOCACHE=os.path.join(os.path.abspath(tree), "go-cache"), CGO_ENABLED="0")
    for verb in (["vet"], ["build", "-trimpath", "-o", program]):
        subprocess.run(["go", *verb, "."], cwd=SOURCE, env=env, check=True)
    return program


class Log:
    """A fleet's log, and what x/mod says of it."""

    def __init__(self, fleet, program):
        self.fleet, self.program = fleet, program
        self.public = os.path.join(fleet.state, "log", "public")
        self.policy = os.path.join(fleet.state, "log", "policy")
        self.url = "http://" + fleet.listens("log")
        self.seen = []

    def run(self, *args, text=None):
        done = subprocess.run([self.program, *map(str, args)], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=PATIENCE_S) as answer:
            return answer.read()

    def keep_checkpoint(self):
        head = self.get("checkpoint")
        size = int(head.split(b"\n")[1])
        path = self.fleet.write(f"seen.{size}", head)
        if path not in self.seen:
            self.seen.append(path)
        return size

    def host_set(self, serial):
        """A host-set, signed by x/mod with the keys of the fleet's owner and one reviewer."""
        now = int(time.time())
        lines = ["type host-set/v1", "ledger log.pp-dev.example", f"namespace {self.namespace()}", "environment dev",
                 f"serial {serial}", f"time {now}", f"not-after {now + 86400}", "count 1",
                 "root " + hashlib.sha256(b"root %d" % serial).hexdigest(),
                 "list sha256:" + hashlib.sha256(b"list %d" % serial).hexdigest() + " https://hosts.example.org/list"]
        keys = [os.path.join(self.fleet.state, who, "key") for who in ("owner", "reviewer1")]
        status, note = self.run("sign", *keys, text="".join(line + "\n" for line in lines).encode())
        assert status == 0, note
        return note

    def namespace(self):
        with open(os.path.join(self.fleet.state, "trust", "trust"), encoding="utf-8") as f:
            return next(line.split("=")[1].strip() for line in f if line.startswith("namespace"))

    def submit(self, entries):
        body = b"".join(struct.pack(">I", len(e)) + e for e in entries)
        request = urllib.request.Request(self.url + "/submit", data=body)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()

    def grow(self):
        serial = 2  # the fleet logged the first
        for count in BATCHES:
            entries = [self.host_set(serial + i) for i in range(count)]
            serial += count
            end = time.monotonic() + PATIENCE_S
            status, text = self.submit(entries)
            while status == 202 and time.monotonic() < end:  # published later; asked again it says where
                status, text = self.submit(entries)
            row(status == 200, f"records that x/mod signed are logged, {count} at once", text)
            self.keep_checkpoint()
        return serial - 1

    def audit(self, where):
        status, out = self.run("audit", where, self.policy, *self.seen)
        return status == 0 and out.startswith(b"verified "), out.decode(errors="replace")


def files_of(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(base, name), folder)


def serve(folder):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def needed(size):
    """The files that a tree of `size` entries has; partial tiles of older trees are not read."""
    def paths(prefix, hashes):
        for n in range(hashes // 256):
            yield f"{prefix}/{n:03}"
        if hashes % 256:
            yield f"{prefix}/{hashes // 256:03}.p/{hashes % 256}"
    yield "checkpoint"
    yield from paths("tile/entries", size)
    level = 0
    while size >> 8 * level:
        yield from paths(f"tile/{level}", size >> 8 * level)
        level += 1


def changed(log, size):
    """One byte of each file of a mirror is changed in its turn; x/mod takes none of it."""
    mirror = os.path.join(log.fleet.folder, "mirror")
    shutil.copytree(log.public, mirror)
    server = serve(mirror)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    row(*swap(log.audit(url), "a mirror as it is, over HTTP"))
    for name in sorted(needed(size)):
        path = os.path.join(mirror, name)
        with open(path, "rb") as f:
            good = f.read()
        at = random.randrange(len(good))
        where = url if random.random() < 0.5 else mirror
        for what, bad in ((f"byte {at} changed", good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]),
                          ("cut short", good[:-1]), ("longer", good + b"\0")):
            with open(path, "wb") as f:
                f.write(bad)
            accepted, text = log.audit(where)
            row(not accepted, f"{name}, {what}, read from {where}", text)
        with open(path, "wb") as f:
            f.write(good)
    row(*swap(log.audit(mirror), "the mirror as it was"))
    server.shutdown()


def swap(result, what):
    return result[0], what, result[1]


def two_histories(log):
    """A second fleet of another past under the same origin: x/mod has nothing to prove between them."""
    with Fleet() as other:
        second = Log(other, log.program)
        second.keep_checkpoint()
        log_seen, log.seen = log.seen, log.seen + second.seen
        accepted, text = log.audit(log.public)
        log.seen = log_seen
        row(not accepted, "a checkpoint of another log under the same name", text)


def foreign_logs(program):
    """Logs that x/mod made, read by our auditor as another's: whole, and with one bit changed."""
    for size in (1, 2, 255, 256, 257, 700, 70000):
        folder = tempfile.mkdtemp(prefix="pp-sumdb-")
        log = os.path.join(folder, "log")
        try:
            vkey = subprocess.run([program, "write", log, "sumdb.example/log", str(size)], text=True, check=True,
                                  stdout=subprocess.PIPE).stdout.strip()
            policy = os.path.join(folder, "policy")
            with open(policy, "w", encoding="utf-8") as f:
                f.write(f"log {vkey}\nquorum none\n")
            call = ("log", "audit", "--log", log, "--policy", policy, "--opaque", "--json")
            done = ppctl(*call)
            row(done.status == 0, f"a log of x/mod, {size} entries", done.out + done.err)
            name = random.choice(sorted(n for n in files_of(log) if os.path.getsize(os.path.join(log, n))))
            with open(os.path.join(log, name), "r+b") as f:
                at = random.randrange(os.path.getsize(f.name))
                f.seek(at)
                bit = f.read(1)[0] ^ 1
                f.seek(at)
                f.write(bytes([bit]))
            done = ppctl(*call)
            row(done.status == 3, f"a log of x/mod, {size} entries, {name} changed at {at}", done.out + done.err)
        finally:
            shutil.rmtree(folder)


def vkeys(fleet, name):
    with open(os.path.join(fleet.state, "trust", name), encoding="utf-8") as f:
        return [line.split()[2] for line in f if line.startswith("witness ")]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = build(sys.argv[1])
    done = subprocess.run([program, "figures", os.path.join(ROOT, "tests/vectors/tlog")], text=True,
                          stdout=subprocess.PIPE, check=False)
    print(f"figures of tests/vectors/tlog: {done.stdout.strip()}", flush=True)
    words = done.stdout.split("\n")[-2].split()
    counts["passed"] += int(words[0])
    counts["failed"] += int(words[2].rstrip(",")) if done.returncode == 0 else 1
    foreign_logs(program)
    with Fleet() as fleet:
        log = Log(fleet, program)
        log.keep_checkpoint()
        host_sets = log.grow()
        size = log.keep_checkpoint()
        print(f"{size} entries, {len(log.seen)} published sizes", flush=True)
        row(size > 256, "the tree has full tiles", str(size))
        for where in (log.public, log.url):
            ok, text = log.audit(where)
            row(ok, f"audit of {where}", text)
            print(f"{where}: {text.strip()}", flush=True)
        status, out = log.run("open", log.url, size, *vkeys(fleet, "owner.policy"))
        row(status == 0 and int(out.split()[1]) >= host_sets, "x/mod opens the owner's records", out.decode())
        changed(log, size)
        two_histories(log)
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return int(counts["failed"] > 0)


sys.exit(main())
