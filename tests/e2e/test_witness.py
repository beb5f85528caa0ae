# SPDX-License-Identifier: Apache-2.0
"""The witnesses of a running fleet, and one that is a folder and a command: one history, whoever asks."""
import base64
import hashlib
import http.client
import json
import os
import subprocess
import sys
import unittest

from fleet import BIN, ROOT, Fleet, ppctl

sys.path.insert(0, os.path.join(ROOT, "tests", "vectors", "records"))
sys.dont_write_bytecode = True
import make as records  # noqa: E402

WITNESSES = ("witness1", "witness2", "witness3", "witness4", "record-witness")


class Witness(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.__enter__()
        with open(os.path.join(cls.fleet.state, "log", "public", "checkpoint"), "rb") as f:
            cls.note = f.read()
        cls.origin, size, cls.root = cls.note.decode().split("\n")[:3]
        cls.size = int(size)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def ask(self, witness, method, path, body=None):
        connection = http.client.HTTPConnection(self.fleet.listens(witness), timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def log_key(self):
        """The log's own key: the adversary here is the log itself."""
        with open(os.path.join(self.fleet.state, "log", "key"), encoding="utf-8") as f:
            seed = base64.b64decode(f.read().strip().split("+", 4)[4])[1:]
        key = records.Key(self.origin, 0)
        key.seed, key.pk = seed, records.public(seed)
        key.id = hashlib.sha256(key.name.encode() + b"\n\x01" + key.pk).digest()[:4]
        return key

    def test_w27_t1_the_log_itself_gets_no_second_history_cosigned(self):
        key = self.log_key()
        other = records.b64(hashlib.sha256(b"another history").digest())
        state = "/" + hashlib.sha256(self.origin.encode()).hexdigest() + "/checkpoint"
        asked = set()
        for witness in WITNESSES:
            told = self.ask(witness, "GET", state)
            if told[0] == 404 or told[1].decode().split("\n")[1:3] != [str(self.size), self.root]:
                continue  # it was late, and the quorum did not need it
            asked.add(witness)
            for size, old, want in ((self.size, self.size, 422), (self.size + 1, self.size, 422),
                                    (self.size, 0, 409), (self.size - 1, self.size - 1, 409)):
                note = records.note([self.origin, str(size), other], key)
                status, body = self.ask(witness, "POST", "/add-checkpoint", f"old {old}\n\n".encode() + note)
                self.assertEqual(status, want, (witness, size, old, body))
                if want == 409:
                    self.assertEqual(body, f"{self.size}\n".encode())
            self.assertEqual(self.ask(witness, "GET", state), told)
        self.assertGreaterEqual(len(asked), 4)
        self.assertIn("record-witness", asked)

    def test_a_witness_without_a_network_cosigns_the_same_checkpoint(self):
        folder = os.path.join(self.fleet.folder, "air-gapped")
        made = subprocess.run([os.path.join(BIN, "pp-witnessd"), "--init", folder, "air-gapped.example"], check=True,
                              stdout=subprocess.PIPE, text=True)
        key = os.path.join(folder, "key")
        trust = os.path.join(self.fleet.state, "trust")
        checkpoint = self.fleet.write("checkpoint", self.note)
        args = ("log", "witness", "--json", "--key", key, "--state", folder, "--trust", trust)
        done = ppctl(*args, checkpoint)
        self.assertEqual(done.status, 0, done.out + done.err)
        self.assertEqual((done.json["origin"], done.json["size"]), (self.origin, self.size))
        name, body = done.json["line"].split(" ")[1:]
        self.assertEqual(name, "air-gapped.example")
        self.assertEqual(base64.b64decode(body)[:4].hex(), made.stdout.split("+")[1])
        fork = records.note([self.origin, str(self.size), records.b64(bytes(32))], self.log_key())
        done = ppctl(*args, self.fleet.write("fork", fork))
        self.assertEqual((done.status, done.code), (3, "WITNESS_REFUSED"), done.out)
        stranger = records.note([self.origin, str(self.size), self.root], records.OTHER_LOG)
        done = ppctl(*args, self.fleet.write("stranger", stranger))
        self.assertEqual((done.status, done.code), (3, "LEDGER_SIGNATURE"), done.out)

    def test_the_policies_of_a_fleet_have_no_findings(self):
        trust = os.path.join(self.fleet.state, "trust")
        paths = [os.path.join(trust, f"{name}.policy") for name in ("log", "owner", "review")]
        done = self.fleet.run("log", "lint", "--json", "--origin", self.origin, *paths)
        self.assertEqual((done.status, done.json["findings"]), (0, []), done.out)
        self.assertEqual([f["kind"] for f in done.json["files"]], ["log", "owner", "review"])
        with open(paths[0], encoding="utf-8") as f:
            weak = self.fleet.write("log.policy", f.read().replace("group plain 3 ", "group plain 2 "))
        done = self.fleet.run("log", "lint", "--json", weak)
        self.assertEqual((done.status, [f["code"] for f in done.json["findings"]]), (3, ["POLICY_QUORUM"]), done.out)
        self.assertEqual(json.dumps(done.json["ok"]), "false")
