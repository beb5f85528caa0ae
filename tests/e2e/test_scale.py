# SPDX-License-Identifier: Apache-2.0
"""More than one of everything: two relays, two gateways on one PostgreSQL store, three CVMs, and
devices that do not rest. Each is killed in turn with kill -9 and started again (docs/operations.md,
Scaling out). No token is accepted twice, no request answered twice, and people are told the truth.

What is counted comes from nobody's own word: a tap before each CVM writes down what it was asked
and what it answered, and the store's tables say what was spent."""
import collections
import concurrent.futures
import http.client
import http.server
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import fleet
import postgres
import test_daemons
from fleet import BIN, ppctl
from listener import reserved_port
from test_daemons import PATIENCE, Home, family, status_of

ISSUED = 8  # batches that an issuer gives an account of an epoch
OPEN, CONTINUE = 1, 2  # requests to a CVM (pp-wire 4)
LAST = 1  # ... and the answer that ends one well
CANARY = re.compile(r"quagmire-\d+")

# What a device may be told here, beside a summary: the party that it asked is not there, could not
# ask the next one, or has nobody to ask; and what a restarted CVM says of sessions it had before.
LOST = {"NETWORK", "HTTP_STATUS", "CLOSED", "TIMEOUT", "ANSWER_TRUNCATED"}
HONEST = {*LOST, "NO_CVM", "SESSION_GONE", "NO_TOKENS"}
STATUS_OF_CLASS = {"FAILED": 1, "USAGE": 2, "REFUSED": 3, "SETTINGS": 4, "BUSY": 5}
with open(os.path.join(fleet.ROOT, "lib", "base", "codes.h"), encoding="utf-8") as header:
    STATUS_OF = {name: STATUS_OF_CLASS.get(kind) for name, kind in
                 re.findall(r"^ +X\(([A-Z0-9_]+), +\d+, ([A-Z]+),", header.read(), re.M)}


reserved = []  # to the end: nobody takes a port while its owner is dead


def free_port():
    reserved.append(reserved_port())
    return reserved[-1].getsockname()[1]


class Party(Home):
    """A daemon that comes back where the others know it."""

    def __init__(self, party, *lines, without=()):
        super().__init__(party)
        for key in without:
            self.without(key)
        self.where = f"127.0.0.1:{free_port()}"
        self.lines += [f"listen = {self.where}", *lines]
        self.save()

    def begin(self):
        self.start()
        assert self.told.endswith("ready\n"), self.events()
        return self

    def members(self):
        """(pid, descriptor, name) of its processes; a worker's time may be over meanwhile."""
        found = []
        for pid in family(self.process.pid):
            try:
                found.append((pid, os.pidfd_open(pid), status_of(pid)["Name"]))
            except (ProcessLookupError, FileNotFoundError):
                pass
        return found

    def kill(self, name=None):
        """kill -9 of one process of it, or of the first; the others end by themselves."""
        members = self.members()
        os.kill(next(pid for pid, _, is_called in members if name in (None, is_called)), signal.SIGKILL)
        self.process.wait(PATIENCE)
        postgres.await_end(fd for _, fd, _ in members)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


class Tap:
    """Writes down what passes before an address. It is killed with what stands behind it, so that
    nothing takes a connection for somebody who is dead."""

    def __init__(self, to):
        self.to, self.where, self.process = to, f"127.0.0.1:{free_port()}", None
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-tap-")
        self.turns = []

    def begin(self):
        self.turns.append(os.path.join(self.folder, str(len(self.turns))))
        os.mkdir(self.turns[-1])
        out, into = os.pipe()
        self.process = subprocess.Popen([os.path.join(BIN, "pp-tap"), "--listen", self.where, "--to", self.to,
                                         "--dir", self.turns[-1], "--ready-fd", str(into)], pass_fds=[into])
        os.close(into)
        with open(out, encoding="ascii") as f:
            assert f.read().endswith("ready\n")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def seen(self, suffix, turns=None):
        """{connection: bytes} of one direction."""
        found = {}
        for turn in self.turns if turns is None else turns:
            for name in os.listdir(turn):
                if name.endswith(suffix):
                    with open(os.path.join(turn, name), "rb") as f:
                        found[turn, name.split(".")[0]] = f.read()
        return found

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def whole_frames(raw):
    """(op or state, tag, sid, length) of each frame that came whole."""
    at = 0
    while at + 25 <= len(raw):
        length = int.from_bytes(raw[at + 21:at + 25], "big")
        if at + 25 + length <= len(raw):
            yield raw[at], raw[at + 1:at + 5], raw[at + 5:at + 21], length
        at += 25 + length


class Machine:
    """A CVM with its host and, before it, the tap that the gateways know as its address."""

    def __init__(self):
        self.host = Party("host")
        self.tap = Tap(self.host.where)
        self.where = self.tap.where

    def begin(self):
        self.host.begin()
        self.tap.begin()

    def kill(self, name=None):
        self.host.kill(name)
        self.tap.kill()

    def answered(self, turns=None):
        """[(request, sid)] of what it answered to the end."""
        rows, up, down = [], self.tap.seen(".up", turns), self.tap.seen(".down", turns)
        for connection, raw in down.items():
            asked = collections.defaultdict(collections.deque)
            for op, tag, _, _ in whole_frames(up[connection]):
                asked[tag].append(op)
            for state, tag, sid, _ in whole_frames(raw):
                if state != 0:  # the last of the answer to the first request of this tag
                    op = asked[tag].popleft()
                    if state == LAST:
                        rows.append((op, sid))
        return rows

    def answered_again(self):
        return [sid for op, sid in self.answered(self.tap.turns[-1:]) if op == CONTINUE]

    def close(self):
        self.host.__exit__()
        self.tap.close()


class World:
    def __init__(self, cleanup):
        self.lock = threading.Lock()
        self.outcomes, self.wrong, self.numbers = [], [], itertools.count(10000)
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-devices-")
        cleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.store = postgres.Postgres(free_port())
        cleanup(self.store.close)
        self.machines = [self.owned(cleanup, Machine()) for _ in range(3)]
        self.gateways = [self.make_gateway(cleanup) for _ in range(2)]
        self.relays = [self.owned(cleanup, Party(
            "relay", f"gateway = http://{g.where}/.well-known/ohttp-gateway", without=["gateway"]))
            for g in self.gateways]

    @staticmethod
    def owned(cleanup, party):
        cleanup(party.close if hasattr(party, "close") else party.__exit__)
        return party

    def make_gateway(self, cleanup):
        """Keys are those of the other one: copies of the same folders."""
        g = self.owned(cleanup, Party("gateway", *(f"cvm = {m.where}" for m in self.machines),
                                      "spent = postgresql:spent/url", without=["cvm", "spent"]))
        owner = os.stat(g.path("spent"))
        with open(g.path("spent/url"), "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(self.store.url + "\n")
        os.chown(g.path("spent/url"), owner.st_uid, owner.st_gid)
        return g

    def daemons(self):
        return [*self.relays, *self.gateways, *(m.host for m in self.machines)]

    def begin(self):
        self.store.start()
        for party in (*self.machines, *self.gateways, *self.relays):
            party.begin()

    def answered(self):
        """{request: [sid]} of all CVMs, of all their lives."""
        rows = collections.defaultdict(list)
        for op, sid in itertools.chain.from_iterable(m.answered() for m in self.machines):
            rows[op].append(sid)
        return rows

    def fetch(self, groups):
        """Batches for the devices of each group. An account gets ISSUED of them from one store, so
        each group has an issuer that has counted nothing yet."""
        for group in groups:
            with Party("issuer") as issuer:
                issuer.begin()
                for device in group:
                    device.fetch(issuer.where)


class Device:
    """A device's folder: the anchors, its wallet, its chats."""

    def __init__(self, world, name, relays, batches):
        self.world, self.name, self.batches = world, name, batches
        self.state = os.path.join(world.folder, name)
        os.mkdir(self.state)
        clock = os.path.join(test_daemons.template.state, "clock")
        if os.path.exists(clock):
            shutil.copy(clock, self.state)
        for part in ("trust", "device"):
            shutil.copytree(os.path.join(test_daemons.template.state, part), os.path.join(self.state, part))
        self.trust(relays)

    def trust(self, relays, **more):
        path = os.path.join(self.state, "trust", "trust")
        with open(path, encoding="utf-8") as f:
            lines = [line for line in f.read().splitlines()
                     if not line.startswith(("relay =", "mirror =", "batches =", *more))]
        lines += [f"relay = http://{r}/ohttp" for r in relays] + [f"batches = {self.batches}"]
        lines += [f"mirror = http://{r.where}/directory" for r in self.world.relays]
        lines += [f"{key} = {value}" for key, value in more.items()]
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        self.relays = relays

    def fetch(self, issuer):
        self.trust(self.relays, issuer_url=f"http://{issuer}/token-request")
        done = ppctl("refresh", "--state", self.state)
        assert done.status == 0, done.err

    def tokens(self):
        """How many it holds of today."""
        held = ppctl("token", "status", "--json", "--state", self.state).json["epochs"]
        return next((e["held"] for e in held if e["epoch"] == int(test_daemons.template.now()) // 86400), 0)

    def twin(self):
        """Another device with a copy of this one's wallet."""
        other = Device(self.world, self.name + "-twin", self.relays, self.batches)
        shutil.rmtree(os.path.join(other.state, "device"))
        shutil.copytree(os.path.join(self.state, "device"), os.path.join(other.state, "device"))
        return other

    def summarize(self):
        """One request with a word of its own; what came of it is judged and written down. Its code."""
        canary = f"quagmire-{next(self.world.numbers)}"
        chat = os.path.join(self.state, "chat.json")
        with open(chat, "w", encoding="utf-8") as f:
            json.dump({"messages": [
                {"sender": "Wilhelmina", "text": f"We meet on Friday at 18:00 in the library of {canary}."},
                {"sender": "Bartholomew", "text": "Who books the room? I can do that today."}]}, f)
        try:
            code = self.judge(ppctl("summarize", chat, "--json", "--state", self.state), canary)
        except (AssertionError, ValueError, KeyError, subprocess.TimeoutExpired) as e:
            code = "WRONG"
            self.world.wrong.append(f"{self.name}: {e!r}")
        with self.world.lock:
            self.world.outcomes.append((self.name, code))
        return code

    def judge(self, done, canary):
        answer, words = done.json, set(CANARY.findall(done.out + done.err))
        if done.status == 0:
            assert answer["verified"] and words == {canary}, f"{words} is not the answer to {canary}"
            return "OK"
        code = answer["error"]["code"]
        assert STATUS_OF[code] == done.status, f"exit status {done.status}: {done.out}"
        assert code in HONEST or (code == "TOKEN_REFUSED" and "pair" in self.name), done.out
        assert not words, f"a refusal with words of a chat: {words}"
        return code


class Load(threading.Thread):
    """Uses devices up, one after the other, until it is told to end."""

    def __init__(self, devices):
        super().__init__()
        self.devices, self.is_over, self.done = devices, threading.Event(), 0

    def run(self):
        for device in self.devices:
            while not self.is_over.is_set() and device.summarize() != "NO_TOKENS":
                self.done += 1

    def end(self):
        self.is_over.set()
        self.join()


def post(where, body):
    """Posts to a gateway with no field but what it takes: (status, media type, body)."""
    connection = http.client.HTTPConnection(where, timeout=PATIENCE)
    connection.putrequest("POST", "/.well-known/ohttp-gateway", skip_accept_encoding=True)
    connection.putheader("Content-Type", "message/ohttp-req")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    told = answer.status, answer.getheader("Content-Type"), answer.read()
    connection.close()
    return told


class BothWays(http.server.BaseHTTPRequestHandler):
    """A relay that sends all that it gets to two gateways at once, and hands on what one says."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            (status, kind, answer), _ = both.map(lambda where: post(where, body), self.server.gateways)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Scale(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        test_daemons.setUpModule()
        cls.addClassCleanup(test_daemons.tearDownModule)
        cls.world = w = World(cls.addClassCleanup)
        w.begin()
        both = [r.where for r in w.relays]
        cls.probes = [Device(w, f"probe{i}", [r], ISSUED) for i, r in enumerate(both)]
        cls.singles = [Device(w, f"single{i}", both, ISSUED) for i in range(2)]
        cls.pairs = [Device(w, f"pair{i}", both, 1) for i in range(ISSUED)]
        w.fetch([*([d] for d in (*cls.probes, *cls.singles)), cls.pairs])
        cls.held = {d.name: d.tokens() for d in (*cls.probes, *cls.singles, *cls.pairs)}
        *cls.pairs, cls.doubled, cls.calm = cls.pairs
        cls.twins = [d.twin() for d in cls.pairs]
        cls.loads = [Load([d]) for d in cls.singles] + [Load(cls.pairs), Load(cls.twins)]
        for load in cls.loads:
            load.start()
            cls.addClassCleanup(load.end)

    def served(self, *probes):
        """Asks through each relay in turn until there is an answer; what came before it."""
        told = []
        for probe in probes or self.probes:
            deadline = time.monotonic() + PATIENCE
            while (code := probe.summarize()) != "OK":
                self.assertLess(time.monotonic(), deadline, self.world.outcomes[-20:])
                told.append(code)
        return told

    def under_load(self):
        """Until every loop has asked something since."""
        before = [load.done for load in self.loads]
        while any(load.is_alive() and load.done == n for load, n in zip(self.loads, before)):
            self.served(self.probes[0])
        self.right()

    def rest(self):
        """From here on nobody asks but the test."""
        for load in self.loads:
            load.end()
        self.right()

    def right(self):
        self.assertEqual(self.world.wrong, [])

    def test_1_each_relay(self):
        for relay, probe, other in zip(self.world.relays, self.probes, reversed(self.probes)):
            with self.subTest(relay.where):
                self.under_load()
                relay.kill()
                self.assertEqual(probe.summarize(), "NETWORK")
                self.assertEqual(other.summarize(), "OK")
                relay.begin()
                self.served()
        self.right()

    def test_2_each_gateway_and_each_of_its_processes(self):
        names = (None, "pp-gw-opener", "pp-gw-redeemer")
        for gateway, probe, other in zip(self.world.gateways, self.probes, reversed(self.probes)):
            for name in names:
                with self.subTest(gateway=gateway.where, process=name):
                    self.under_load()
                    gateway.kill(name)
                    self.assertEqual(probe.summarize(), "HTTP_STATUS")
                    self.assertEqual(other.summarize(), "OK")
                    gateway.begin()
                    self.served()
        self.right()

    def test_3_each_cvm(self):
        for machine, name in zip(self.world.machines, (None, "pp-cvm-channel", "pp-cvm-attest")):
            with self.subTest(machine=machine.where, process=name):
                self.under_load()
                machine.kill(name)
                self.served()
                machine.begin()
                deadline = time.monotonic() + PATIENCE
                while not machine.answered_again():
                    self.served()
                    self.assertLess(time.monotonic(), deadline, "no session since it is back")
        self.right()

    def test_4_the_store(self):
        store = self.world.store
        self.under_load()
        backends = store.backends()
        self.assertGreaterEqual(len(backends), len(self.world.gateways))
        postgres.kill_all(backends[:1])  # the server then ends all of them and recovers
        store.await_ready()
        self.served()
        self.under_load()
        store.kill()
        for probe in self.probes:
            self.assertEqual(probe.summarize(), "NO_CVM")
        store.start()
        self.served()
        self.right()

    def test_5_w4_t2_no_token_was_accepted_twice_and_no_request_answered_twice(self):
        w = self.world
        self.rest()
        told = collections.Counter(w.outcomes)
        answered = w.answered()
        for sids in answered.values():
            self.assertEqual(len(sids), len(set(sids)))
        self.assertLessEqual(set(answered[CONTINUE]), set(answered[OPEN]))
        answers = sum(n for (_, code), n in told.items() if code == "OK")
        lost = sum(n for (_, code), n in told.items() if code in LOST)
        self.assertGreaterEqual(len(answered[CONTINUE]), answers)
        self.assertLessEqual(len(answered[CONTINUE]), answers + lost)
        self.assertGreater(sum(n for (_, code), n in told.items() if code == "TOKEN_REFUSED"), 0)
        for pair in self.pairs:
            both = told[pair.name, "OK"] + told[pair.name + "-twin", "OK"]
            self.assertLessEqual(both, self.held[pair.name])
        self.assertLessEqual(len(answered[OPEN]), w.store.spent())

    def test_6_w4_t2_one_token_in_two_wallets_is_one_session_and_one_answer(self):
        """And whoever sends what passed a relay once more, to either gateway, gets nothing."""
        w, n = self.world, self.held[self.calm.name]
        self.rest()
        taps = [w.owned(self.addCleanup, Tap(r.where)) for r in w.relays]
        for tap in taps:
            tap.begin()
        self.calm.trust([tap.where for tap in taps])
        twin = self.calm.twin()
        before, spent = w.answered(), w.store.spent()
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            codes = both.map(lambda device: [device.summarize() for _ in range(n)], (self.calm, twin))
        self.right()
        self.assertEqual(collections.Counter(itertools.chain(*codes)), {"OK": n, "TOKEN_REFUSED": n})
        after = w.answered()
        for op in (OPEN, CONTINUE):
            self.assertEqual(len(after[op]) - len(before[op]), n)
        self.assertEqual(w.store.spent() - spent, n)
        bodies = [body for tap in taps for raw in tap.seen(".up").values() for body in fleet.posts(raw)]
        self.assertEqual(len(bodies), 3 * n)  # #1 of both devices, #2 of one
        for body, gateway in itertools.product(bodies, w.gateways):
            self.assertIn(post(gateway.where, body)[0], (200, 422))
        self.assertEqual(w.answered(), after)
        self.assertEqual(w.store.spent() - spent, n)

    def test_7_w4_t2_what_reaches_two_gateways_at_once_is_answered_by_one(self):
        w, n = self.world, self.held[self.doubled.name]
        self.rest()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BothWays)
        server.gateways = [g.where for g in w.gateways]
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.shutdown)
        self.doubled.trust([f"127.0.0.1:{server.server_port}"])
        before, spent = w.answered(), w.store.spent()
        codes = collections.Counter(self.doubled.summarize() for _ in range(n))
        self.right()
        # The one whose word was handed on came first, or second with #1 (and may not have waited for
        # the other's insert to be on the disk), or second with #2.
        self.assertLessEqual(set(codes), {"OK", "TOKEN_REFUSED", "NO_CVM", "SESSION_GONE"})
        after = w.answered()
        self.assertEqual(w.store.spent() - spent, n)
        self.assertEqual(len(after[OPEN]) - len(before[OPEN]), n)
        self.assertEqual(len(after[CONTINUE]) - len(before[CONTINUE]), codes["OK"] + codes["SESSION_GONE"])
        self.assertEqual(len(set(after[CONTINUE])), len(after[CONTINUE]))

    def test_8_all_end_when_asked_and_nothing_is_left(self):
        self.rest()
        everybody = [fd for d in self.world.daemons() for _, fd, _ in d.members()]
        self.assertEqual([d.end() for d in self.world.daemons()], [0] * 7)
        postgres.await_end(everybody)


if __name__ == "__main__":
    unittest.main()
