# SPDX-License-Identifier: Apache-2.0
"""ppctl verify evidence, on the Evidence of a session that a fleet of its own has served."""
import base64
import os
import unittest

from fleet import Fleet
from foreign_device import cbor, read_cbor

BODY = 28672
CPU, GPU = "application/pp-evidence+cbor", "application/pp-gpu-evidence+cbor"


def record(media_type, value, *ind):
    return [media_type, value, *ind]


def collection(**records):
    return cbor(records)


def body(evidence):
    return len(evidence).to_bytes(4, "big") + evidence + bytes(BODY - 4 - len(evidence))


def pem(der):
    lines = base64.encodebytes(der).decode().replace("\n", "")
    return "-----BEGIN CERTIFICATE-----\n" + "\n".join(lines[i:i + 64] for i in range(0, len(lines), 64)) + \
        "\n-----END CERTIFICATE-----\n"


class Evidence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.__enter__()
        path = os.path.join(cls.fleet.folder, "receipt")
        assert cls.fleet.summarize("--receipt", path).status == 0
        with open(path, "rb") as f:
            receipt, _ = read_cbor(f.read())
        cls.cbor, (ekm, spki) = receipt[4], receipt[5]
        cls.session = ["--ekm", ekm.hex(), "--spki", spki.hex()]
        cls.other = ["--ekm", bytes([ekm[0] ^ 1]).hex() + ekm[1:].hex(), "--spki", spki.hex()]
        cls.bundle = ["--bundle", cls.fleet.write("bundle", cbor(receipt[3]))]
        cls.map, _ = read_cbor(cls.cbor)
        trust = os.path.join(cls.fleet.state, "trust")
        chain = b""
        for name in ("ask.der", "ark.der"):
            with open(os.path.join(trust, name), "rb") as f:
                chain += pem(f.read()).encode()
        cls.machine = ["--anchor", cls.fleet.write("chain.pem", chain),
                       "--measurement", cls.map[2][0x90:0xC0].hex()]

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def verify(self, data, *args):
        return self.fleet.run("verify", "evidence", self.fleet.write("evidence", data), "--json", *args)

    def assert_verdict(self, done, code, words=""):
        self.assertEqual(done.status, 3 if code else 0, (words, done.out))
        self.assertEqual(done.json["verdict"], "reject" if code else "accept", words)
        self.assertEqual(done.json["code"], code, words)

    def test_evidence_in_each_form_is_accepted_with_its_session_and_bundle(self):
        for form, data in (("map", self.cbor), ("message", body(self.cbor)),
                           ("CMW", collection(cpu=record(CPU, self.cbor))),
                           ("CMW", collection(cpu=record(CPU, self.cbor, 4)))):
            done = self.verify(data, *self.session, *self.bundle)
            self.assert_verdict(done, None, form)
            self.assertEqual((done.json["form"], done.json["platform"]), (form, "sim-snp"))
            self.assertTrue(done.json["simulated"])
        people = self.fleet.run("verify", "evidence", os.path.join(self.fleet.folder, "evidence"), *self.session,
                                *self.bundle)
        self.assertEqual(people.status, 0)
        self.assertIn("accept: ", people.out)
        self.assertIn("simulated secure processor: protects nothing", people.out)

    def test_without_its_session_evidence_is_not_accepted_whatever_else_is_right(self):
        for more in (self.machine, self.bundle):
            done = self.verify(self.cbor, *more)
            self.assertEqual(done.status, 3, done.out)
            self.assertFalse(done.json["bound"])
        done = self.verify(self.cbor, *self.machine)
        self.assert_verdict(done, "SNP_BINDING")
        rows = {c["code"]: c["verdict"] for c in done.json["checks"]}
        self.assertEqual((rows["SNP_BINDING"], rows["SNP_MEASUREMENT"], rows["SNP_SIGNATURE"]),
                         ("skipped", "passed", "passed"))
        self.assert_verdict(self.verify(self.cbor, *self.machine, *self.other), "SNP_BINDING")
        self.assert_verdict(self.verify(self.cbor, *self.bundle, *self.other), "SNP_BINDING")

    def test_the_machine_alone_is_judged_by_what_the_options_name(self):
        self.assert_verdict(self.verify(self.cbor, *self.session, *self.machine), None)
        self.assert_verdict(self.verify(self.cbor, *self.session, *self.machine[:2]), "SNP_MEASUREMENT")
        people = self.fleet.run("verify", "evidence", os.path.join(self.fleet.folder, "evidence"), *self.session,
                                *self.machine)
        self.assertEqual(people.status, 0)
        self.assertIn("without the checks 5 14 21 22\n", people.out)  # 22: nobody asked whose machine it is
        other = self.machine[:3] + ["00" * 48]
        self.assert_verdict(self.verify(self.cbor, *self.session, *other), "SNP_MEASUREMENT")
        done = self.verify(self.cbor, *self.session, *self.machine[2:])  # AMD's roots, and a simulator
        self.assert_verdict(done, "SNP_CERT_FORM")
        done = self.verify(self.cbor.replace(self.map[7], self.map[7][:-1] + b" "), *self.session, *self.machine)
        self.assert_verdict(done, "SNP_HOST_DATA")

    def test_gpu_evidence_is_put_together_and_not_passed_over(self):
        one = [bytes(32), b"\1", [b"\2"], [b"\3"]]
        gpu = cbor(one)
        both = collection(cpu=record(CPU, self.cbor), gpu0=record(GPU, gpu))
        done = self.verify(both, *self.session, *self.machine)
        self.assert_verdict(done, "SNP_BINDING")  # the session's binding value knows of no GPU
        twice = self.map | {4: [one]}
        inner = cbor(dict(sorted(twice.items())))
        self.assert_verdict(self.verify(collection(cpu=record(CPU, inner), gpu0=record(GPU, gpu)), *self.session,
                                        *self.machine), "EVIDENCE_FORMAT")

    def test_other_bytes_are_no_evidence(self):
        good = body(self.cbor)
        for name, data, code in (
                ("cut", self.cbor[:-1], "EVIDENCE_FORMAT"), ("more", self.cbor + b"\0", "EVIDENCE_FORMAT"),
                ("empty", b"", "EVIDENCE_FORMAT"), ("padding", good[:-1] + b"\1", "EVIDENCE_FORMAT"),
                ("a shorter message", good[:-1], "EVIDENCE_FORMAT"), ("JSON", b'{"cpu":[]}', "EVIDENCE_FORMAT"),
                ("JSON record", b'["a","b"]', "EVIDENCE_FORMAT"),
                ("tag", bytes.fromhex("da6374790104") + b"\x41\x01", "EVIDENCE_FORMAT"),
                ("a record alone", cbor(record(CPU, self.cbor)), "EVIDENCE_TEE_UNKNOWN"),
                ("other media type", collection(cpu=record("application/eat+cwt", self.cbor)), "EVIDENCE_TEE_UNKNOWN"),
                ("results", collection(cpu=record(CPU, self.cbor, 8)), "EVIDENCE_TEE_UNKNOWN"),
                ("two GPUs", collection(cpu=record(CPU, self.cbor), gpu0=record(GPU, b"\1"), gpu1=record(GPU, b"\1")),
                 "EVIDENCE_TEE_UNKNOWN"),
                ("no cpu", collection(gpu0=record(GPU, b"\1")), "EVIDENCE_TEE_UNKNOWN"),
                ("cpu twice", b"\xa2" + 2 * collection(cpu=record(CPU, self.cbor))[1:], "EVIDENCE_FORMAT"),
                ("GPU that is none", collection(cpu=record(CPU, self.cbor), gpu0=record(GPU, b"\1")),
                 "EVIDENCE_FORMAT")):
            self.assert_verdict(self.verify(data, *self.session, *self.bundle), code, name)

    def test_options_that_contradict_each_other_are_a_usage_error(self):
        for args in (self.session[:2], self.session[2:], ["--ekm", "00", *self.session[2:]],
                     [*self.session[:2], "--spki", "00"], [*self.bundle, *self.machine], ["--trust", "."],
                     ["--at", "yesterday"], ["--measurement", "00"]):
            self.assertEqual(self.verify(self.cbor, *args).status, 2, args)
        self.assertEqual(self.fleet.run("verify", "evidence", "/nonexistent").status, 2)


if __name__ == "__main__":
    unittest.main()
