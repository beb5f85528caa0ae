# SPDX-License-Identifier: Apache-2.0
"""A fleet whose confidential VM is a (simulated) TDX guest: the main job, and who is refused."""
import os
import unittest

from fleet import CANARY, Fleet, ppctl
from foreign_device import cbor, read_cbor

# Of the vendor's blob, behind kind, FMSPC and CA, as `--collateral` wants them.
NAMES = ("tcb_info.json", "tcb_info_issuer_chain.pem", "qe_identity.json", "qe_identity_issuer_chain.pem", "pck_crl.der",
         "root_crl.der")

# Another MRTD, another RTMR1, a machine that the operator or the vendor does not vouch for (any more), no word of the
# vendor at all, and a man in the middle; and every other fault whose code is another one than with SEV-SNP.
# What else can be wrong with a quote is sim/test/tdx.c's.
REFUSED = ("measurement-unlogged", "program-changed", "chip-unregistered", "platform-revoked", "collateral-missing",
           "relay-attack", "config-changed", "debug-guest", "tcb-below-minimum", "report-unsigned")
FAULTS = {row["name"]: row["code"]
          for row in ppctl("up", "--platform", "sim-tdx", "--fault", "list", "--json").json["faults"]}


class TdxFleet(Fleet):
    def up(self, *args):
        return super().up("--platform", "sim-tdx", *args)


class MixedFleet(Fleet):
    def __init__(self, own, theirs):
        super().__init__()
        self.kinds = "--platform", own, "--backends-platform", theirs

    def up(self, *args):
        return super().up(*self.kinds, *args)


class Tdx(unittest.TestCase):
    def test_a_session_with_a_tdx_guest_passes_every_check_and_so_does_its_receipt(self):
        with TdxFleet(capture=True) as f:
            done = f.summarize()
            self.assertEqual(done.status, 0, done.out + done.err)
            self.assertTrue(done.json["verified"] and done.json["simulated"])
            checks = done.json["checks"]
            codes = {row["code"] for row in checks if row["verdict"] == "proven"}
            self.assertLessEqual({"TDX_FORMAT", "TDX_PCK_CHAIN", "TDX_CRL_STALE", "TDX_QUOTE_SIG", "TDX_TCB_STATUS",
                                  "TDX_TD_ATTR", "TDX_MEASUREMENT", "TDX_BINDING", "LEDGER_MEASUREMENT", "LEDGER_HOST"},
                                 codes)
            self.assertFalse([row for row in checks if row["verdict"] == "skipped" or row["code"].startswith("SNP_")])
            receipt = f.run("verify", "receipt", done.json["receipt"], "--json")
            self.assertEqual(receipt.json["verdict"], "accept", receipt.out)
            for hop in f.taps():
                for _, _, raw in f.tap(hop):
                    self.assertNotIn(CANARY.encode(), raw, hop)
            self.saved_evidence(f, done.json["receipt"])

            # The same folder with machines of the other kind begins anew, and back again.
            self.assertEqual(f.down().status, 0)
            self.assertEqual(Fleet.up(f).status, 0)
            done = f.summarize()
            self.assertEqual(done.status, 0, done.out + done.err)
            codes = {row["code"] for row in done.json["checks"]}
            self.assertIn("SNP_SIGNATURE", codes)
            self.assertNotIn("TDX_QUOTE_SIG", codes)

    def saved_evidence(self, f, receipt):
        """The quote of the session as a file: under its bundle, and alone with the vendor's documents beside it."""
        saved, session, bundle = f.evidence(receipt)
        quote = read_cbor(saved)[0][2]
        body = quote[54:]  # behind header, type and size of version 5
        launch = (body[136:184] + body[328:472]).hex()  # MRTD, RTMR0 to RTMR2
        documents = os.path.join(f.folder, "documents")
        os.mkdir(documents)
        with open(os.path.join(f.state, "log", "blobs", "0"), "rb") as b:
            blob, _ = read_cbor(b.read())
        for name, content in zip(NAMES, blob[3:]):
            f.write(os.path.join("documents", name), content)
        path = f.write("evidence", saved)
        root = ["--anchor", f.pem("root.pem", "tdx-root.der")]
        for name, args, code in (
                ("under its bundle", bundle, None),
                ("alone", [*root, "--measurement", launch, "--collateral", documents], None),
                ("without documents", [*root, "--measurement", launch], "TDX_CRL_STALE"),
                ("another launch", [*root, "--measurement", "00" * 192, "--collateral", documents], "TDX_MEASUREMENT"),
                ("Intel's root", ["--measurement", launch, "--collateral", documents], "TDX_PCK_CHAIN")):
            done = f.run("verify", "evidence", path, *session, *args, "--json")
            self.assertEqual((done.status, done.json["code"]), (3 if code else 0, code), name + done.out)
            self.assertEqual((done.json["platform"], done.json["form"]), ("sim-tdx", "map"))
        done = f.run("verify", "evidence", path, *root, "--measurement", launch, "--collateral", documents, "--json")
        self.assertEqual((done.status, done.json["code"]), (3, "TDX_BINDING"), "without its session")
        self.one_blob_a_kind(f)

    def one_blob_a_kind(self, f):
        """A device takes the first blob for a platform's kind and no second one, so a bundle is made with one."""
        log, out = os.path.join(f.state, "log", "public"), os.path.join(f.folder, "bundle")
        first, again = os.path.join(f.state, "log", "blobs", "0"), os.path.join(f.folder, "again.blob")
        with open(first, "rb") as b:
            parts, _ = read_cbor(b.read())
        parts[4] += b"\n"  # of the TCB info's chain: other bytes, and just as good
        with open(again, "wb") as b:
            b.write(cbor(parts))
        export = ["log", "export", "--log", log, "--json"]
        for blob in (first, again):
            done = f.run(*export, "--out", out, "--collateral", blob)
            self.assertEqual((done.status, done.json["blobs"]), (0, 1), done.out)
        done = f.run(*export, "--out", out + "2", "--collateral", first, "--collateral", again)
        self.assertEqual((done.status, done.code), (1, "DUPLICATE"), done.out)
        self.assertFalse(os.path.exists(out + "2"))

    def test_machines_of_both_kinds_ask_each_other(self):
        for own, theirs in (("sim-tdx", "sim-snp"), ("sim-snp", "sim-tdx")):
            with self.subTest(own), MixedFleet(own, theirs) as f:
                done = f.summarize()
                self.assertEqual(done.status, 0, done.out + done.err)
                self.assertEqual([role for role, _ in done.json["backends"]], ["guard", "predictor", "guard"])

    def test_w20_t4_what_is_wrong_with_a_tdx_guest_is_refused_by_its_code_before_anything_is_sent(self):
        for fault in REFUSED:
            with self.subTest(fault), TdxFleet(fault=fault) as f:
                done = f.summarize()
                self.assertEqual(done.status, 3, done.out + done.err)
                self.assertEqual(done.json["error"]["code"], FAULTS[fault])
                self.assertEqual(done.json["sent_user_bytes"], 0)

    def test_a_fault_of_the_other_kind_of_machine_is_no_call(self):
        for args in (["--platform", "sim-tdx", "--fault", "report-of-other-chip"], ["--fault", "platform-revoked"],
                     ["--platform", "tdx"], ["--platform", "sim-sgx"], ["--fault", "gpu-debug", "--backends"]):
            f = Fleet()
            self.assertEqual(Fleet.up(f, *args).status, 2, args)
            f.__exit__()


if __name__ == "__main__":
    unittest.main()
