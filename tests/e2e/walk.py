# SPDX-License-Identifier: Apache-2.0
"""What a walk from nothing needs: every party started by hand in a folder of its own, at the time of a test's clock.

Nothing here is `ppctl up`: owner, reviewers, log, witnesses and operators each use the commands of the manual. The
environment is staging, whose waiting times are prod's."""
import http.client
import json
import os
import re
import select
import shutil
import struct
import subprocess
import tempfile
import time

from fleet import BIN, Fleet, ppctl
from listener import reserved_port

PATIENCE_S = 60
ENVIRONMENT = "staging"
NAMESPACE = "walk.example"
ORIGIN = "log.walk.example"
ISSUER, AUTHORITY = "issuer.walk.example", "gateway.walk.example"
WITNESSES = ("witness1", "witness2", "witness3", "witness4")
RECORD_WITNESS = "record-witness"
REVIEWERS = ("reviewer1", "reviewer2", "reviewer3")


reserved = []  # to the end: nobody is given a port before its party is there


def free_port():
    reserved.append(reserved_port())
    return reserved[-1].getsockname()[1]


class Party:
    """A daemon in its own folder, or what a person keeps at home."""

    def __init__(self, world, name, program=None):
        self.world, self.name, self.program = world, name, program
        self.folder = os.path.join(world.state, name)
        self.process, self.port = None, 0
        os.makedirs(self.folder, 0o700)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def start(self, *lines, port=0):
        """Starts it, and waits until it says that it is ready."""
        self.write("config", "".join(line + "\n" for line in (
            f"environment = {ENVIRONMENT}", f"listen = 127.0.0.1:{port}", *lines)))
        told = self.launch()
        assert told.endswith("ready\n"), (self.name, told, self.read("output"))
        self.port = int(told.splitlines()[0].rsplit(":", 1)[1])
        return self

    def launch(self):
        out, into = os.pipe()
        with open(self.path("output"), "ab") as output, open(self.world.clock, "rb") as clock:
            self.process = subprocess.Popen(
                [os.path.join(BIN, self.program), "--config", self.path("config"), "--ready-fd", str(into),
                 "--clock-fd", str(clock.fileno())],
                pass_fds=[into, clock.fileno()], stdout=output, stderr=output)
        os.close(into)
        told = b""
        while not told.endswith(b"ready\n"):
            assert select.select([out], [], [], PATIENCE_S)[0], f"{self.name} is not ready in time"
            more = os.read(out, 4096)
            if not more:
                break
            told += more
        os.close(out)
        return told.decode()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
        self.process = None


class World:
    """All parties, one clock, and one folder, which is also the device's STATE."""

    def __init__(self, posix_s):
        self.folder = tempfile.mkdtemp(prefix="pp-walk-")
        os.chmod(self.folder, 0o711)
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.state, 0o711)
        self.clock = os.path.join(self.state, "clock")
        self.parties = {}
        self.set_clock(posix_s)

    def close(self):
        for party in reversed(list(self.parties.values())):
            party.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def set_clock(self, posix_s):
        fd = os.open(self.clock, os.O_RDWR | os.O_CREAT, 0o644)
        os.pwrite(fd, struct.pack("=q", round((posix_s - time.time()) * 1000)), 0)
        os.close(fd)

    def now(self):
        with open(self.clock, "rb") as f:
            return time.time() + struct.unpack("=q", f.read())[0] / 1000

    def party(self, name, program=None):
        self.parties[name] = Party(self, name, program)
        return self.parties[name]

    def __getitem__(self, name):
        return self.parties[name]

    def ppctl(self, *words):
        """A command that must succeed, at the world's time; its JSON."""
        done = ppctl(*words, "--json", "--state", self.state)
        assert done.status == 0, (words, done.status, done.out, done.err)
        return json.loads(done.out) if done.out.strip() else {}

    def refused(self, *words):
        """A command that must be refused: (status, error)."""
        done = ppctl(*words, "--json", "--state", self.state)
        assert done.status != 0, (words, done.out)
        answer = json.loads(done.out)
        return done.status, answer.get("error") or answer["findings"][0]


def until(what, condition):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, "waited in vain for " + what
        select.select([], [], [], 0.05)


class Machine:
    """What a simulated host launches and an operator's parties share, taken from a fleet of `ppctl up`: the chip and
    its certificates, firmware, program, configuration; and keys of the gateway, issuer and device that no ledger lists."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pp-walk-machine-")
        with Fleet() as fleet:
            shown = fleet.run("log", "show", "--json").json["records"]
            self.ids = {r["type"]: r["id"] for r in shown if r["type"] in ("cvm-release", "host-set")}
            self.measurement = next(r for r in shown if r["type"] == "cvm-release")["snp"][0]["measurement"]
            with open(os.path.join(fleet.state, "host", "config"), encoding="utf-8") as f:
                self.policy = next(line.split(" = ")[1].strip() for line in f if line.startswith("policy"))
            with open(os.path.join(fleet.state, "owner", "hosts"), encoding="ascii") as f:
                self.chip = re.search(r"[0-9a-f]{128}", f.read())[0]
            for name in ("host", "trust", "device/assertion.key", "device/settings", "issuer/assertion.key",
                         "gateway/handle_keys"):
                source, target = os.path.join(fleet.state, name), self.path(name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, target)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def read(self, *names):
        with open(self.path(*names), "rb") as f:
            return f.read()

    def hints(self, release, hosts):
        """The host's hints, for other records than the fleet's."""
        content = self.read("host", "hints")
        for old, new in ((self.ids["cvm-release"], release), (self.ids["host-set"], hosts)):
            assert content.count(bytes.fromhex(old)) == 1
            content = content.replace(bytes.fromhex(old), bytes.fromhex(new))
        return content

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def run(program, *args):
    """What a program of ours prints that has to succeed."""
    return subprocess.run([os.path.join(BIN, program), *args], check=True, text=True, stdout=subprocess.PIPE).stdout


def get(port, path):
    """(status, body)"""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        c.request("GET", path)
        answer = c.getresponse()
        return answer.status, answer.read()
    finally:
        c.close()
