# SPDX-License-Identifier: Apache-2.0
"""A day of a running fleet, on a clock of the test's own.

At noon, the two exchanges of a session on the wire: the published rows of what a device puts into #1, the grid
that #2 leaves on, and a #2 that a relay keeps until its handle is dead. Then the day ends, under a small load
that never stops: each test of Midnight goes on where the one before it stopped."""
import collections
import contextlib
import http.client
import json
import math
import os
import re
import signal
import sqlite3
import threading
import time
import unittest

from between import Between
from fleet import ROOT, Fleet, children
from foreign_voprf import derived_key
from session_client import OPENED_BYTES, Client, Wallet, token_field

ROWS = os.path.join(ROOT, "tests", "vectors", "pp-wire")
DAY, GRACE, HANDLE_S = 86400, 600, 30
EVIDENCE_BYTES, REFUSED_BYTES = 28672, 1024
GRID_S, ROUNDED_S = 0.25, 0.002  # the device reads its clock twice, in whole milliseconds
PATIENCE_S, PAUSE_S = 60, 0.02
SHADOW_BYTES = 1 << 30  # regions above it are a sanitizer's and hold no data
ISSUER_DIRECTORY = "/.well-known/private-token-issuer-directory"


def rows(name):
    with open(os.path.join(ROWS, name), encoding="utf-8") as f:
        return json.load(f)["rows"]


def until(condition):
    """Waits for what the fleet does by itself."""
    deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, condition
        pause.wait(PAUSE_S)


def holders(pids, secret):
    """The processes in whose memory these bytes stand."""
    found = set()
    for pid in pids:
        with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, \
                open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                start, end = (int(n, 16) for n in line.split()[0].split("-"))
                if line.split()[1].startswith("rw") and end - start < SHADOW_BYTES:
                    with contextlib.suppress(OSError):  # a guard page
                        memory.seek(start)
                        if secret in memory.read(end - start):
                            found.add(pid)
    return found


class Day(unittest.TestCase):
    """What the tests of both times of the day see of the one fleet."""

    def path(self, *names):
        return os.path.join(self.fleet.state, *names)

    def spent_tables(self):
        """{epoch: tokens} of the gateway's store."""
        with contextlib.closing(sqlite3.connect(f"file:{self.path('gateway', 'spent', 'spent.db')}?mode=ro",
                                                uri=True, timeout=PATIENCE_S)) as db:
            tables = [n for n, in db.execute("SELECT name FROM sqlite_master WHERE name GLOB 'spent_[0-9]*'")]
            return {int(n[6:]): db.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for n in tables}

    def summarize(self):
        done = self.fleet.summarize()
        self.assertEqual(done.status, 0, done.out + done.err)
        self.assertTrue(done.json["verified"])


def setUpModule():
    Day.fleet = Fleet()
    Day.old = int(time.time() // DAY)  # the day, and epoch, that ends
    Day.new, Day.midnight = Day.old + 1, (Day.old + 1) * DAY
    Day.fleet.set_clock(Day.midnight - DAY / 2)
    Day.fleet.__enter__()
    unittest.addModuleCleanup(Day.fleet.__exit__)
    trust = os.path.join(Day.fleet.state, "trust", "trust")
    with open(trust, encoding="utf-8") as f:
        text = f.read()
    Day.fleet.write(trust, text.replace("batches = 1\n", "batches = 8\n"))
    done = Day.fleet.summarize()
    assert done.status == 0, done.out + done.err
    Day.client = Client(Day.fleet)
    Day.wallet = Wallet(os.path.join(Day.fleet.state, "device"))


class Exchanges(Day):
    @classmethod
    def setUpClass(cls):
        key_id = cls.client.key_id(cls.old)
        cls.key = key_id, cls.client.listed()[key_id]

    def spent(self):
        """How many tokens of today the store holds."""
        return self.spent_tables()[self.old]

    def test_published_client_hellos_in_exchange_1(self):
        """One flight for the profile's ClientHello, whoever's; for any other nothing, in the same bucket."""
        found = rows("clienthello.json")
        seen = set()
        for row, token in zip(found, self.wallet.take(self.old, len(found))):
            with self.subTest(row["name"]):
                clear, (status, fields, content) = self.client.open(self.key, token_field(token),
                                                                    bytes.fromhex(row["hex"]))
                self.assertEqual((clear, status, list(fields)), (200, 200, [b"pp-session"]))
                is_ours = row["expect"] == "ok"
                self.assertEqual(content[:1] + content[5:6], b"\x16\x02" if is_ours else b"")  # a ServerHello
                self.assertEqual(len(content) > EVIDENCE_BYTES, is_ours)
                _, (status, fields, content) = self.client.go_on(self.key, fields[b"pp-session"])
                self.assertEqual((status, fields), (200 if is_ours else 410, {}))
                seen.add(row["expect"])
        self.assertEqual(seen, {"ok", "TLS_SUITE"})

    def test_published_token_fields_in_exchange_1(self):
        """401 alike for each: what is no field, and what is one of a token that no key of ours made. What a row
        does to the token of the first row is done to a good one, too, which is good for one session all the same.
        White space at the end makes the request no Binary HTTP (RFC 9292 3.6): 400, as for anything unparseable."""
        found, spent = rows("token-field.json"), self.spent()
        good = token_field(*self.wallet.take(self.old, 1))
        text, published = (f.split(b'"')[1] for f in (good, bytes.fromhex(found[0]["hex"])))
        values = [(row["name"], bytes.fromhex(row["hex"])) for row in found]
        values += [(row["name"], value.replace(published.rstrip(b"="), text.rstrip(b"=")))
                   for row, (_, value) in zip(found, values) if row["expect"] != "ok"]
        self.assertGreaterEqual(sum(text.rstrip(b"=") in value for _, value in values), 6)
        for name, value in values:
            with self.subTest(name):
                status, size = (401, OPENED_BYTES) if value == value.strip() else (400, REFUSED_BYTES)
                self.assertEqual(self.client.open(self.key, value, answer_bytes=size), (200, (status, {}, b"")))
        self.assertEqual(self.spent(), spent)
        self.assertEqual([self.client.open(self.key, good)[1][0] for _ in range(2)], [200, 401])
        self.assertEqual(self.spent(), spent + 1)

    def test_s4_exchange_2_leaves_on_the_grid_that_1_began(self):
        """Never before its tick, whatever the answer to #1 took; how long after it says nothing of the device.

        #1 left behind the directory and before it came. So the tick lies no earlier than this many whole steps
        behind the directory, whatever the machine did in between."""
        settings = self.path("device", "settings")
        with open(settings, encoding="utf-8") as f:
            before = f.read()
        self.addCleanup(self.fleet.write, settings, before)
        self.fleet.write(settings, before + f"grid_ms = {round(GRID_S * 1000)}\n")
        for steps in (1, 2, 3):
            with self.subTest(steps), Between(self.fleet) as between:
                between.answering = lambda n, s=steps - 1, b=between: n == 1 and b.hold_until(b.came[0] + s * GRID_S)
                done = self.fleet.summarize()
                self.assertEqual(done.status, 0, done.out + done.err)
                first, second = between.came
                held = math.ceil((between.given[0] - first) / GRID_S)
                self.assertGreaterEqual(held, steps)
                self.assertGreaterEqual(second - between.directory_given, held * GRID_S - ROUNDED_S)

    def test_an_exchange_2_behind_its_handles_end_is_gone_and_so_is_its_token(self):
        with Between(self.fleet) as between:
            between.posted = lambda n: n == 2 and self.fleet.set_clock(self.fleet.now() + HANDLE_S + 1)
            spent, done = self.spent(), self.fleet.summarize()
        self.assertEqual((done.status, done.code), (1, "SESSION_GONE"), done.out + done.err)
        error = done.json["error"]
        self.assertEqual((error["party"], error["field"], error["got"]), ("gateway", "inner status", "410"))
        self.assertEqual(done.json["sent_user_bytes"], len(between.bodies[1]))
        self.assertEqual((len(between.bodies), self.spent()), (2, spent + 1), "one session, one token, no second try")
        # The relay may send all of it again, as often as it likes: nobody computes, nothing is paid for.
        for body, size in zip(between.bodies, (OPENED_BYTES, REFUSED_BYTES * 8)):
            status, answer = self.client.ask("relay", "POST", "/ohttp", body)
            self.assertEqual((status, len(answer)), (200, size))
        self.assertEqual(self.spent(), spent + 1)
        self.assertEqual(self.fleet.summarize().status, 0)
        self.assertEqual(self.spent(), spent + 2)


class Load(threading.Thread):
    """Asks mirror, gateway and relay in turn, as a device does whose clock is the fleet's. Every answer is judged:
    what is not as it must be at that hour was dropped."""

    def __init__(self, fleet, tokens, keys, spent):
        super().__init__()
        self.fleet, self.tokens, self.keys, self.spent = fleet, tokens, keys, spent
        self.over = threading.Event()
        self.good, self.bad = collections.Counter(), []

    def check(self, what, answer, wanted):
        if answer == wanted:
            self.good[what] += 1
        else:
            self.bad.append((what, self.fleet.now() % DAY, answer))

    def round(self, client):
        self.check("directory", client.ask("relay", "GET", "/directory")[0], 200)
        self.check("keys", client.ask("gateway", "GET", "/.well-known/ohttp-gateway")[0], 200)
        today = int(self.fleet.now() // DAY)
        fresh = self.tokens[today].pop() if self.good["rounds"] % 4 == 0 and self.tokens[today] else None
        clear, inner = client.open(self.keys[today], token_field(fresh or self.spent))
        self.check("session" if fresh else "no session", (clear, inner and inner[0]), (200, 200 if fresh else 401))

    def run(self):
        client = Client(self.fleet)
        while not self.over.wait(PAUSE_S):
            try:
                self.round(client)
                self.good["rounds"] += 1
            except (OSError, http.client.HTTPException, AssertionError) as e:
                self.bad.append(("round", self.fleet.now() % DAY, repr(e)))

    def goes_on(self):
        """Waits until it was served as things are now: a round that was under way counts for before."""
        wanted = self.good["rounds"] + 2
        until(lambda: self.good["rounds"] >= wanted or self.bad)


class Midnight(Day):
    @classmethod
    def setUpClass(cls):
        cls.fleet.set_clock(cls.midnight - GRACE + 60)
        cls.tokens = {day: cls.wallet.take(day, 12) for day in (cls.old, cls.new)}
        os.kill(cls.fleet.pids()["gateway"], signal.SIGHUP)
        ids = {day: cls.client.key_id(day) for day in (cls.old, cls.new)}
        until(lambda: set(ids.values()) <= set(cls.client.listed()))  # the next epoch's key is taken ten minutes early
        cls.keys = {day: (key_id, cls.client.listed()[key_id]) for day, key_id in ids.items()}
        cls.used = cls.tokens[cls.old].pop()  # spent before midnight
        assert cls.opened(cls.old, cls.used) == 200
        cls.load = Load(cls.fleet, {day: cls.wallet.take(day, 100) for day in (cls.old, cls.new)}, cls.keys, cls.used)
        cls.load.start()
        cls.addClassCleanup(cls.load.join)
        cls.addClassCleanup(cls.load.over.set)

    # --- what can be seen --------------------------------------------------------------------------

    @classmethod
    def opened(cls, key_day, token):
        """What exchange #1 with this epoch's OHTTP key says: the status inside, or that in clear, negative."""
        clear, inner = cls.client.open(cls.keys[key_day], token_field(token))
        return inner[0] if inner else -clear

    def key_files(self, day):
        """The key files of an epoch that are still there, of gateway and issuer."""
        folders = ("gateway", "ohttp_keys"), ("gateway", "token_keys"), ("issuer", "keys")
        return [os.path.join(*folder, name) for folder in folders for name in sorted(os.listdir(self.path(*folder)))
                if name.split(".")[0] == str(day)]

    def secret(self, *names):
        with open(self.path(*names), encoding="ascii") as f:
            return bytes.fromhex(re.search(r"(?m)^secret = ([0-9a-f]+)$", f.read())[1])

    def processes(self):
        """{party: its processes} of those who hold private keys of an epoch."""
        pids = self.fleet.pids()
        return {party: [pids[party], *children(pids[party])] for party in ("gateway", "issuer")}

    def held(self):
        """The epochs of the device's tokens."""
        return [e["epoch"] for e in self.fleet.run("token", "status", "--json").json["epochs"]]

    def issued_epochs(self):
        return len(json.loads(self.client.ask("issuer", "GET", ISSUER_DIRECTORY)[1])["token-keys"])

    def bundle(self):
        return self.client.ask("relay", "GET", "/directory")[1]

    def status(self):
        """(status record, epochs of its keys by kind) of the ledger, as it is published."""
        shown = self.fleet.run("log", "show", "--json")
        self.assertEqual(shown.status, 0, shown.out)
        by_id = {r["id"]: r for r in shown.json["records"]}
        epochs = {}
        for key in shown.json["status"]["keys"]:
            epochs.setdefault(key["kind"], set()).add(by_id[key["id"]]["epoch"])
        return shown.json["status"], epochs

    def look(self):
        """What gateway and issuer do once a minute and once an hour, now: they look at their keys. The gateway's
        processes have done it when they have answered twice, since the first question may overtake the signal."""
        for party in ("gateway", "issuer"):
            os.kill(self.fleet.pids()[party], signal.SIGHUP)
        self.assertEqual([self.opened(self.new, self.used) for _ in range(2)], [401, 401])

    # --- the night ---------------------------------------------------------------------------------

    def test_1_before_midnight_the_next_epoch_is_there_and_the_old_one_in_use(self):
        type(self).secrets = {
            "OHTTP": self.secret("gateway", "ohttp_keys", f"{self.old}.key"),
            "seed": self.secret("gateway", "token_keys", f"{self.old}.key"),
        }
        self.secrets["token"] = derived_key(self.secrets["seed"]).to_bytes(32, "little")
        self.assertEqual(len(self.key_files(self.old)), 4)
        self.assertEqual(self.held(), [self.old, self.new])
        self.assertEqual(self.issued_epochs(), 2)
        status, epochs = self.status()
        self.assertEqual(epochs, {kind: {self.old, self.new} for kind in ("issuer", "ohttp")})
        self.assertLess(status["time"], self.midnight)
        self.assertEqual([self.opened(day, self.used) for day in (self.old, self.new)], [401, 401])
        self.assertIn(self.old, self.spent_tables())
        self.load.goes_on()
        self.fleet.set_clock(self.midnight - GRACE / 2)

    def test_2_a_session_that_midnight_parts_is_one(self):
        """#2 goes out under the key of #1, and reaches the CVM in the new epoch."""
        with Between(self.fleet) as between:
            between.posted = lambda n: self.fleet.set_clock(self.midnight + (-5 if n == 1 else 5))
            self.summarize()
        self.assertEqual([body[0] for body in between.bodies], [self.keys[self.old][0]] * 2)
        self.assertGreater(self.fleet.now(), self.midnight)
        self.load.goes_on()

    def test_3_in_the_grace_both_epochs_are_good_and_nothing_is_good_twice(self):
        self.look()
        before, bundle = self.fleet.run("refresh", "--json").json["status_serial"], self.bundle()
        done = self.fleet.run("gateway", "rotate", "--json")  # the morning's cron job
        self.assertEqual(done.status, 0, done.out + done.err)
        status, epochs = self.status()
        self.assertGreaterEqual(status["time"], self.midnight)
        self.assertEqual(epochs["issuer"], {self.new})
        self.assertEqual(epochs["ohttp"], {self.new, self.new + 1})
        self.assertNotEqual(self.bundle(), bundle)
        # The log has closed its batch of midnight by itself, before or behind what this test did.
        last = self.fleet.run("log", "show", "--json").json["records"][-1]["serial"]
        self.assertGreater(last, before)
        self.assertEqual(self.fleet.run("refresh", "--json").json["status_serial"], last)
        with Between(self.fleet) as between:
            self.summarize()
        self.assertEqual([body[0] for body in between.bodies], [self.keys[self.new][0]] * 2)
        for key in (self.old, self.new):
            self.assertEqual(self.opened(key, self.used), 401)
            for token in (self.old, self.new):
                fresh = self.tokens[token].pop()
                self.assertEqual([self.opened(key, fresh) for _ in range(2)], [200, 401], (key, token))
        self.fleet.set_clock(self.midnight + GRACE / 2)
        self.look()
        self.assertEqual(self.opened(self.old, self.tokens[self.old].pop()), 200, "five minutes on")
        self.assertEqual(len(self.key_files(self.old)), 4, "not before their time")
        self.assertEqual(set(self.spent_tables()), {self.old, self.new})
        self.load.goes_on()

    def test_4_behind_the_grace_the_old_epoch_is_refused_and_forgotten(self):
        self.fleet.set_clock(self.midnight + GRACE)
        # Nobody has looked at a key folder yet; a token is judged by the clock.
        self.assertEqual(self.opened(self.new, self.tokens[self.old].pop()), 401)
        self.look()
        until(lambda: not self.key_files(self.old))
        until(lambda: set(self.spent_tables()) == {self.new})
        self.assertEqual(set(self.client.listed()), {self.keys[self.new][0]})
        self.assertEqual([self.opened(self.new, t) for t in (self.tokens[self.old].pop(), self.used)], [401, 401])
        self.assertEqual(self.opened(self.old, self.tokens[self.new].pop()), -422)
        self.assertEqual(self.opened(self.new, self.tokens[self.new].pop()), 200)
        self.assertEqual(self.issued_epochs(), 1)
        self.summarize()
        self.assertEqual(self.held(), [self.new])
        self.assertEqual(len(self.key_files(self.new)), 4)
        self.load.goes_on()

    @unittest.skipIf(os.geteuid() != 0, "the memory of other users' processes")
    def test_5_no_process_holds_a_private_key_of_the_old_epoch(self):
        """Found where it must be for the new epoch, by the same search, so that finding nothing means something."""
        gateway, issuer = (self.processes()[p] for p in ("gateway", "issuer"))
        ohttp = self.secret("gateway", "ohttp_keys", f"{self.new}.key")
        token = derived_key(self.secret("gateway", "token_keys", f"{self.new}.key")).to_bytes(32, "little")
        self.assertEqual(len(holders(gateway, ohttp)), 1, "the opener alone")
        self.assertEqual(len(holders(gateway, token)), 1, "the redeemer alone")
        self.assertEqual(len(holders(issuer, token)), 1)
        for name, secret in self.secrets.items():
            for form in (secret, secret.hex().encode()):
                self.assertEqual(holders(gateway + issuer, form), set(), name)

    def test_6_nothing_was_dropped_all_night(self):
        self.load.over.set()
        self.load.join()
        self.assertEqual(self.load.bad, [])
        self.assertEqual(set(self.load.good), {"rounds", "directory", "keys", "session", "no session"})

    def test_7_a_clock_that_is_set_back_brings_nothing_back(self):
        self.fleet.set_clock(self.midnight - 30)
        self.look()
        old = self.tokens[self.old].pop()
        self.assertEqual([self.opened(self.new, t) for t in (old, self.used)], [401, 401])
        self.assertEqual(self.opened(self.old, old), -422)
        self.assertEqual((self.key_files(self.old), set(self.spent_tables())), ([], {self.new}))


if __name__ == "__main__":
    unittest.main()
