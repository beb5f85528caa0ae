# SPDX-License-Identifier: Apache-2.0
"""An orchestrator whose machine has a GPU: its evidence goes with every session, its reference files come in the directory.

The refusal (`gpu-debug`) is one of test_faults.py, with its captures. docs/protocol/gpu.md"""
import glob
import hashlib
import os
import unittest

from fleet import Fleet
from foreign_device import cbor, read_cbor
from test_evidence import CPU, GPU, collection, record

ROWS = ("GPU_FORMAT", "GPU_NONCE", "GPU_CHAIN", "GPU_ROOT", "GPU_FWID", "GPU_SIGNATURE", "GPU_ARCH", "GPU_MODE",
        "GPU_DRIVER_VERSION", "GPU_VBIOS_VERSION", "GPU_RIM_SET", "GPU_RIM_FORMAT", "GPU_RIM_DIGEST", "GPU_RIM_SIGNATURE",
        "GPU_RIM_CHAIN", "GPU_RIM_EXPIRED", "GPU_RIM_CONFLICT", "GPU_MEASUREMENT", "GPU_OCSP")


class Gpu(unittest.TestCase):
    def test_a_device_proves_the_gpu_by_the_files_in_the_directory(self):
        f = Fleet()
        self.addCleanup(f.__exit__)
        done = f.up("--gpu")
        self.assertEqual(done.status, 0, done.out + done.err)
        receipt = os.path.join(f.folder, "receipt")
        done = f.summarize("--receipt", receipt)
        self.assertEqual(done.status, 0, done.out + done.err)
        proven = [c["code"] for c in done.json["checks"] if c["verdict"] == "proven" and c["code"].startswith("GPU_")]
        self.assertEqual(tuple(proven), ROWS)
        asserted = [c["code"] for c in done.json["checks"] if c["verdict"] == "asserted" and c["code"].startswith("GPU_")]
        self.assertEqual(asserted, ["GPU_NONCE"])  # its age
        self.assertEqual(f.run("verify", "receipt", receipt).status, 0)
        self.evidence(f, receipt)
        self.bundles(f)

    def evidence(self, f, receipt):
        """The session's Evidence as a file, whole and in two parts, and with the GPU evidence of another moment."""
        saved, session, bundle = f.evidence(receipt)
        parts, _ = read_cbor(saved)
        cpu, gpu = cbor({k: v for k, v in parts.items() if k != 4}), parts[4][0]
        for form, data in (("map", saved), ("CMW", collection(cpu=record(CPU, cpu), gpu0=record(GPU, cbor(gpu))))):
            done = f.run("verify", "evidence", f.write("evidence", data), *session, *bundle, "--json")
            self.assertEqual((done.status, done.json["form"]), (0, form), done.out)
            self.assertLessEqual(set(ROWS), {c["code"] for c in done.json["checks"] if c["verdict"] == "proven"})
        other = [bytes([gpu[0][0] ^ 1]) + gpu[0][1:], *gpu[1:]]
        for name, data, code in (("another question", cbor(parts | {4: [other]}), "SNP_BINDING"),
                                 ("no GPU", cpu, "SNP_BINDING")):
            done = f.run("verify", "evidence", f.write("evidence", data), *session, *bundle, "--json")
            self.assertEqual((done.status, done.json["code"]), (3, code), name)
        # The machine alone says nothing of a GPU, so such Evidence is not accepted by it.
        root = f.pem("chain.pem", "ask.der", "ark.der")
        done = f.run("verify", "evidence", f.write("evidence", saved), *session, "--anchor", root, "--measurement",
                     parts[2][0x90:0xC0].hex(), "--json")
        self.assertEqual((done.status, done.json["code"]), (3, "EVIDENCE_TEE_UNKNOWN"), done.out)

    def bundles(self, f):
        """A bundle from the log's files has the blobs that it is given, and says what is missing."""
        blobs = sorted(glob.glob(os.path.join(f.state, "log", "blobs", "*")))
        self.assertEqual(len(blobs), 2)
        out, log = os.path.join(f.folder, "bundle"), os.path.join(f.state, "log", "public")
        done = f.run("log", "export", "--log", log, "--out", out, "--json")
        self.assertEqual((done.status, done.json["blobs"], done.json["missing_rims"]), (0, 0, 2), done.out)
        named = [word for blob in reversed(blobs) for word in ("--collateral", blob)]
        done = f.run("log", "export", "--log", log, "--out", out, "--json", *named)
        self.assertEqual((done.status, done.json["blobs"], done.json["missing_rims"]), (0, 2, 0), done.out)
        with open(out, "rb") as mine, open(os.path.join(log, "directory"), "rb") as theirs:
            self.assertEqual(mine.read(), theirs.read())
        done = f.run("log", "export", "--log", log, "--out", out + "2", "--json", *named, *named[:2])
        self.assertEqual((done.status, done.code), (1, "DUPLICATE"), done.out)
        self.assertFalse(os.path.exists(out + "2"))
