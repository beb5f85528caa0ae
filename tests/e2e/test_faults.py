# SPDX-License-Identifier: Apache-2.0
"""Every fault of `ppctl up --fault`, each with a twin run that succeeds without it.

Before step 14 of the check order: exit 3, the local code named, and no byte of the user on any wire,
as captures at every hop show. After it: exit 1, ciphertext only, answered at most once."""
import json
import os
import unittest

import fleet
from fleet import CANARY, CHAT, Fleet, frames, posts, ppctl

BUCKET_1_UP, BUCKET_1_DOWN = 4096, 32768
EXPECTED = {row["name"]: row for row in ppctl("up", "--fault", "list", "--json").json["faults"]}

# REQUIREMENTS ids that a fault proves, for docs/verification.md.
PROVES = {
    "token-key-unlisted": "W1.T7 W2.T4", "ohttp-key-unlisted": "W3.T1", "program-changed": "W18.T2",
    "config-changed": "W13.T3", "measurement-unlogged": "W20.T4", "cosignature-missing": "W27.T3",
    "record-witness-missing": "W27.T3", "status-stale": "W21.T1", "status-rolled-back": "W21.T3 W10.T4",
    "release-revoked": "W21.T5", "chip-unregistered": "W10.T1", "report-replayed": "W7.T1",
    "report-for-other-key": "W7.T2", "report-stale": "W7.T3", "report-of-other-chip": "W10.T7", "relay-attack": "W7.T5", "message-key-substituted": "W7.T4",
    "message-key-classical": "W12.T1", "message-key-hybrid": "W12.T1",
    "debug-guest": "W9", "tcb-below-minimum": "W8.T3", "tcb-certified-other": "W8.T1 W8.T2",
    "gpu-debug": "W28.T3",
    "evidence-missing": "W7.T8", "evidence-doubled": "W7.T6", "evidence-oversized": "W7.T6",
    "tls-1.2": "W11.T1", "hello-retry": "W11.T5", "resumption": "W7.T7 W11.T2",
    "simulated-root": "W20.T5", "token-spent-twice": "W4.T2", "issuer-proof-wrong": "W2.T1",
    "issuer-permutes": "W2.T5", "issuer-identity": "W2.T2", "issuer-under-issues": "W2.T7", "gateway-user-key": "W3.T7",
}


class Faults(unittest.TestCase):
    """One method a fault; they are added below, so that a new fault cannot be forgotten."""

    @classmethod
    def setUpClass(cls):
        cls.healthy = []
        cls.twins = 0
        cls.add_healthy()

    @classmethod
    def add_healthy(cls):
        f = Fleet(capture=True)
        f.__enter__()
        cls.healthy.append(f)

    @classmethod
    def tearDownClass(cls):
        for f in cls.healthy:
            f.__exit__()

    def twin(self):
        """The same chat, the same programs, no fault."""
        cls = type(self)
        cls.twins += 1
        if cls.twins % 30 == 0:  # a batch has 32 tokens
            cls.add_healthy()
        done = cls.healthy[-1].summarize()
        self.assertEqual(done.status, 0, done.out + done.err)
        self.assertTrue(done.json["verified"])

    def assert_nothing_of_the_user(self, f):
        """On no hop did a second exchange pass, and nowhere a word of the chat."""
        self.assertEqual(set(f.taps()), {"host", "gateway", "issuer", "relay"})
        for hop in ("relay", "gateway"):
            bodies = [b for _, way, raw in f.tap(hop) if way == "up" for b in posts(raw)]
            self.assertLessEqual(len(bodies), 1, f"{hop}: exchange #2 was sent")
            for body in bodies:
                self.assertEqual(len(body), BUCKET_1_UP, hop)
        ops = [op for _, way, raw in f.tap("host") if way == "up" for op, _, _ in frames(raw)]
        self.assertNotIn(2, ops, "a continue frame reached the CVM")
        self.assert_no_canary(f)

    def assert_no_canary(self, f):
        needles = [CANARY.encode(), b"Wilhelmina", b"projector"]
        for hop in f.taps():
            for connection, way, raw in f.tap(hop):
                for needle in needles:
                    self.assertNotIn(needle, raw, f"{hop} {connection} {way}")

    def refused_before(self, name):
        row = EXPECTED[name]
        with Fleet(fault=name, capture=True) as f:
            before = self.snapshot(f)
            done = f.summarize()
            self.assertEqual(done.status, 3, done.out + done.err)
            self.assertEqual(done.code, row["code"])
            self.assertEqual(done.json["sent_user_bytes"], 0)
            for member in ("party", "do"):
                self.assertTrue(done.json["error"][member], member)
            if before == 0:
                self.assert_nothing_of_the_user(f)
            else:
                self.assert_no_canary(f)
            if name.startswith("issuer-"):
                self.assert_no_token_of_the_batch(f)
            people = f.run("summarize", f.chat)
            self.assertEqual(people.status, 3)
            self.assertIn(row["code"], people.err)
            self.assertEqual(people.out, "")
        self.twin()

    def assert_no_token_of_the_batch(self, f):
        """Nothing of it is kept, no session is opened, and the next epoch's batch is not even asked for."""
        self.assertEqual(f.run("token", "status", "--json").json["epochs"], [])
        self.assertEqual(sum(len(posts(raw)) for _, way, raw in f.tap("relay") if way == "up"), 0)
        self.assertEqual(sum(len(posts(raw)) for _, way, raw in f.tap("issuer") if way == "up"), 1)

    @staticmethod
    def snapshot(f):
        """POSTs that the set-up of the fault itself has made (a device with a past)."""
        return sum(len(posts(raw)) for _, way, raw in f.tap("relay") if way == "up")

    def fails_after(self, name):
        row = EXPECTED[name]
        with Fleet(fault=name, capture=True) as f:
            done = f.summarize()
            self.assertEqual(done.status, row["exit"], done.out + done.err)
            self.assertEqual(done.code, row["code"])
            self.assert_no_canary(f)
            if name.startswith("gateway-"):
                self.assert_no_second_try(f, name == "gateway-user-key")
                self.assertEqual(done.json["sent_user_bytes"] > 0, name != "gateway-user-key")
            if name.startswith("relay-"):
                self.assertGreater(done.json["sent_user_bytes"], 0)
                self.assert_answered_at_most_once(f)
        self.twin()

    def assert_no_second_try(self, f, only_first):
        """One bundle, one token request an epoch, #1 and at most #2: nothing was asked again or elsewhere."""
        asked = [raw for _, way, raw in f.tap("relay") if way == "up"]
        self.assertEqual(sum(raw.count(b"GET ") for raw in asked), 1)
        self.assertEqual(sum(len(posts(raw)) for raw in asked), 1 if only_first else 2)
        fetched = sum(len(posts(raw)) for _, way, raw in f.tap("issuer") if way == "up")
        self.assertLessEqual(fetched, 2)
        ops = [op for _, way, raw in f.tap("host") if way == "up" for op, _, _ in frames(raw)]
        self.assertNotIn(2, ops, "the CVM computed")

    def assert_answered_at_most_once(self, f):
        ops = [op for _, way, raw in f.tap("host") if way == "up" for op, _, _ in frames(raw)]
        self.assertEqual(ops.count(1), 1)
        self.assertLessEqual(ops.count(2), 1, "the CVM was asked twice")


def add(name, row):
    def method(self):
        if row["exit"] == 3:
            self.refused_before(name)
        else:
            self.fails_after(name)
    proves = f" Proves {PROVES[name]}." if name in PROVES else ""
    method.__doc__ = row["what"] + "." + proves
    setattr(Faults, "test_fault_" + name.replace("-", "_").replace(".", "_"), method)


for fault_name, fault_row in EXPECTED.items():
    add(fault_name, fault_row)


class FaultList(unittest.TestCase):
    def test_the_list_has_a_name_and_an_exit_status_a_line(self):
        lines = ppctl("up", "--fault", "list").out.splitlines()
        self.assertGreaterEqual(len(lines), 30)
        for line in lines:
            name, status = line.split()
            self.assertEqual(int(status), EXPECTED[name]["exit"])
            self.assertIn(int(status), (1, 3, 5))

    def test_an_unknown_fault_is_a_usage_error(self):
        done = ppctl("up", "--fault", "no-such-fault", "--state", "/proc/none/x", "--json")
        self.assertEqual(done.status, 2)
        self.assertEqual(done.json["error"]["field"], "--fault")
        self.assertFalse(os.path.exists("/proc/none"))


if __name__ == "__main__":
    unittest.main()
