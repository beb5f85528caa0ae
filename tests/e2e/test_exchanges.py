# SPDX-License-Identifier: Apache-2.0
"""The two exchanges of a session on the wire of a running fleet: the published rows of what a device puts into
#1 and #2, the grid that #2 leaves on, and a #2 that a relay keeps until its handle is dead."""
import contextlib
import json
import math
import os
import sqlite3
import time
import unittest

from between import Between
from fleet import ROOT, Fleet
from foreign_device import OPENED_BYTES, Client, Wallet, token_field

ROWS = os.path.join(ROOT, "tests", "vectors", "pp-wire")
DAY, HANDLE_S = 86400, 30
EVIDENCE_BYTES, REFUSED_BYTES = 28672, 1024
GRID_S, ROUNDED_S = 0.25, 0.002  # the device reads its clock twice, in whole milliseconds


def rows(name):
    with open(os.path.join(ROWS, name), encoding="utf-8") as f:
        return json.load(f)["rows"]


class Exchanges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        noon = time.time() // DAY * DAY + DAY / 2
        cls.today = int(noon // DAY)
        cls.fleet.set_clock(noon)
        cls.fleet.__enter__()
        cls.addClassCleanup(cls.fleet.__exit__)
        done = cls.fleet.summarize()
        assert done.status == 0, done.out + done.err
        cls.wallet = Wallet(os.path.join(cls.fleet.state, "device"))
        cls.client = Client(cls.fleet)
        cls.addClassCleanup(cls.client.close)
        key_id = cls.client.key_id(cls.today)
        cls.key = key_id, cls.client.listed()[key_id]

    def spent(self):
        """How many tokens of today the store holds."""
        path = os.path.join(self.fleet.state, "gateway", "spent", "spent.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return db.execute(f"SELECT count(*) FROM spent_{self.today}").fetchone()[0]

    def test_published_client_hellos_in_exchange_1(self):
        """One flight for the profile's ClientHello, whoever's; for any other nothing, in the same bucket."""
        found = rows("clienthello.json")
        seen = set()
        for row, token in zip(found, self.wallet.take(self.today, len(found))):
            with self.subTest(row["name"]):
                clear, (status, fields, content) = self.client.open(self.key, token_field(token),
                                                                    bytes.fromhex(row["hex"]))
                self.assertEqual((clear, status, list(fields)), (200, 200, ["pp-session"]))
                is_ours = row["expect"] == "ok"
                self.assertEqual(content[:1] + content[5:6], b"\x16\x02" if is_ours else b"")  # a ServerHello
                self.assertEqual(len(content) > EVIDENCE_BYTES, is_ours)
                _, (status, fields, content) = self.client.go_on(self.key, fields["pp-session"])
                self.assertEqual((status, fields), (200 if is_ours else 410, {}))
                seen.add(row["expect"])
        self.assertEqual(seen, {"ok", "TLS_SUITE"})

    def test_published_token_fields_in_exchange_1(self):
        """401 alike for each: what is no field, and what is one of a token that no key of ours made. What a row
        does to the token of the first row is done to a good one, too, which is good for one session all the same.
        White space at the end makes the request no Binary HTTP (RFC 9292 3.6): 400, as for anything unparseable."""
        found, spent = rows("token-field.json"), self.spent()
        good = token_field(*self.wallet.take(self.today, 1))
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
        settings = os.path.join(self.fleet.state, "device", "settings")
        with open(settings, encoding="utf-8") as f:
            before = f.read()
        self.addCleanup(self.fleet.write, settings, before)
        self.fleet.write(settings, before + f"grid_ms = {round(GRID_S * 1000)}\n")
        for steps in (1, 2, 3):
            with self.subTest(steps), Between(self.fleet) as between:
                between.answering = lambda n, steps=steps, b=between: n == 1 and b.hold_until(b.came[0] + (steps - 1) * GRID_S)
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


if __name__ == "__main__":
    unittest.main()
