# SPDX-License-Identifier: Apache-2.0
"""A device that shares no line with pp (foreign_device.py) has the whole job done by a fleet: what the pages say is
enough for a second implementation, and what we send is what they say."""
import json
import os
import unittest

import foreign_voprf
import foreign_xwing
from fleet import Fleet, ROOT
from foreign_device import Device

CHAT = [(0, 29541720, "We meet on Friday at 18:00 in the library."), (1, 29541721, "Who books the room?"),
        (0, 0, "I can do that today.")]


def rows(path):
    with open(os.path.join(ROOT, "tests", "vectors", path), encoding="utf-8") as f:
        return json.load(f)["vectors"]


class Figures(unittest.TestCase):
    """The other implementation is one: it gives the published figures."""

    def test_voprf_of_rfc_9497(self):
        for row in (r for r in rows("oprf/rfc9497-ristretto255.json") if r["mode"] == 1):
            each = {k: [bytes.fromhex(x) for x in row[k].split(",")]
                    for k in ("Input", "Blind", "BlindedElement", "EvaluationElement")}
            for i, blind, blinded in zip(each["Input"], each["Blind"], each["BlindedElement"]):
                point = foreign_voprf.times(int.from_bytes(blind, "little"), foreign_voprf.hash_to_group(i))
                self.assertEqual(foreign_voprf.encode(point), blinded)
            proof = row["Proof"]["proof"] if isinstance(row["Proof"], dict) else row["Proof"]
            args = bytes.fromhex(row["pkSm"]), each["BlindedElement"], each["EvaluationElement"], bytes.fromhex(proof)
            self.assertTrue(foreign_voprf.proven(*args))
            self.assertFalse(foreign_voprf.proven(*args[:2], each["BlindedElement"], args[3]))

    def test_x_wing_of_its_draft(self):
        for row in rows("hpke/xwing.json"):
            enc, secret = foreign_xwing.encapsulate(bytes.fromhex(row["pk"]), bytes.fromhex(row["eseed"]))
            self.assertEqual((enc.hex(), secret.hex()), (row["ct"], row["ss"]))


class AgainstAFleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.__enter__()
        with open(os.path.join(cls.fleet.state, "trust", "trust"), encoding="utf-8") as f:
            trust = dict(line.strip().split(" = ", 1) for line in f if " = " in line and not line.startswith("#"))
        with open(os.path.join(cls.fleet.state, "device", "assertion.key"), encoding="ascii") as f:
            cls.device = Device(trust, bytes.fromhex(f.read()), cls.fleet.now)
        cls.device.fetch(5)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def test_a_foreign_device_gets_its_summary(self):
        self.assertEqual(self.device.open(), 200)
        outcome, items = self.device.ask(CHAT)
        self.assertEqual(outcome, 0)
        self.assertTrue(items)
        for kind, text, ids in items:
            self.assertIn(kind, ("topic", "decision", "task", "date", "open"))
            self.assertLessEqual(set(ids), set(range(len(CHAT))))
        self.assertIn("18:00", " ".join(text for _, text, _ in items))

    def test_a_request_of_many_records_fills_its_bucket_and_every_answer_its_own(self):
        """Sizes come out by the formula, or the far end would refuse them."""
        long = CHAT + [(2, 0, "word " * 3000) for _ in range(3)]
        for down_kib in (1, 16):
            self.assertEqual(self.device.open(), 200)
            self.assertEqual(self.device.ask(long, down_kib=down_kib)[0], 0)

    def test_w4_t2_a_token_that_was_spent_is_401_and_a_session_that_was_used_410(self):
        spent = self.device.held[-1]
        self.assertEqual(self.device.open(), 200)
        self.assertEqual(self.device.ask(CHAT)[0], 0)
        self.assertEqual(self.device.ask(CHAT), (410, None))
        self.device.held.append(spent)
        self.assertEqual(self.device.open(), 401)


if __name__ == "__main__":
    unittest.main()
