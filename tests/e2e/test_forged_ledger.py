# SPDX-License-Identifier: Apache-2.0
"""What an operator of the log could try who also has keys that he should not have: each act is shown to a device,
which must refuse it, and to a monitor, which must find it and name it."""
import http.server
import os
import shutil
import struct
import tempfile
import threading
import time
import unittest

import forged
from fleet import ppctl
from forged import records

NOW, DAY = int(time.time()), records.DAY


class Mirror:
    """Serves one directory bundle, whichever it was given last."""

    def __init__(self):
        mirror = self
        self.body = b""

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200)
                self.send_header("content-type", "application/pp-directory")
                self.send_header("content-length", str(len(mirror.body)))
                self.end_headers()
                self.wfile.write(mirror.body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Device:
    """A phone that has these anchors and asks this mirror; it has no issuer and nothing to send."""

    def __init__(self, mirror):
        self.mirror = mirror
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-forged-")
        self.state = os.path.join(self.folder, "state")
        for folder in ("trust", "device"):
            os.makedirs(os.path.join(self.state, folder), 0o700)
        self.write("trust/trust", f"""environment = dev
namespace = {forged.NAMESPACE}
issuer = issuer.example
issuer_url = http://127.0.0.1:{mirror.port}/token-request
gateway_authority = gateway.example
relay = http://127.0.0.1:{mirror.port}/ohttp
mirror = http://127.0.0.1:{mirror.port}/directory
platform = sev-snp
hardware = strict
message_kem = x-wing
ohttp_kem = x25519
tls_group = x25519
batches = 1
""")
        self.write("trust/log.policy", forged.POLICY)
        self.write("trust/owner.policy", records.POLICIES["owner"])
        self.write("trust/review.policy", records.POLICIES["review"])
        self.write("device/settings", "consent = yes\n")
        self.write("device/assertion.key", "00" * 32)

    def write(self, name, text):
        with open(os.path.join(self.state, name), "w", encoding="utf-8") as f:
            f.write(text)

    def close(self):
        shutil.rmtree(self.folder)

    def set_clock(self, posix_s):
        with open(os.path.join(self.state, "clock"), "wb") as f:
            f.write(struct.pack("=q", round((posix_s - time.time()) * 1000)))

    def shown(self, bundle):
        """What the device says of a bundle: None when it believes it, else the code of its refusal."""
        self.mirror.body = bundle
        done = ppctl("refresh", "--state", self.state, "--json")
        if done.status == 0:
            return done.json["directory_failed"]
        return None if done.json["error"]["party"] == "issuer" else done.code


LOG = "log " + forged.ORIGIN
BOTH = f"{LOG}, record witness {forged.WITNESSES['record-witness'].name}"  # who let a broken rule pass


def cosigners(*names):
    """The alarms of a monitor that saw these witnesses cosign two histories."""
    return {("LEDGER_WITNESS", f"witness {forged.WITNESSES[name].name}") for name in names}


class Acts(unittest.TestCase):
    """Each act is one that a log could be made to do; all of the log's own keys sign it."""

    @classmethod
    def setUpClass(cls):
        cls.mirror = Mirror()

    @classmethod
    def tearDownClass(cls):
        cls.mirror.close()

    def setUp(self):
        self.device = Device(self.mirror)
        self.addCleanup(self.device.close)
        self.ledger = forged.Ledger(NOW - 600).begin()

    def public(self, name, ledger=None, note=None, size=None):
        """A log's files in a folder of this name."""
        folder = os.path.join(self.device.folder, name)
        shutil.rmtree(folder, ignore_errors=True)
        forged.write_files(folder, (ledger or self.ledger).files(note, size))
        return folder

    def monitored(self, *folders, images="skip", extra=()):
        """What a monitor says of these copies of a log, one round: {(code, who)} of its alarms."""
        words = [w for folder in folders for w in ("--log", folder)]
        done = ppctl("log", "monitor", *words, "--once", "--images", images, "--trust",
                     os.path.join(self.device.state, "trust"), "--state", self.device.state, "--json", *extra)
        self.assertIn(done.status, (0, 3), done.out + done.err)
        self.findings = done.json["findings"]
        alarms = {(f["code"], f["who"]) for f in self.findings if f["level"] == "alarm"}
        self.assertEqual(done.status, 3 if alarms else 0, done.out)
        return alarms

    def mirror_differs(self):
        """The alarm about the mirror of the anchors, which serves what the device was shown last."""
        return "LOG_DIRECTORY", f"http://127.0.0.1:{self.mirror.port}/directory"

    def grown(self, ledger=None):
        """One more batch, of a host-set, ten minutes later."""
        ledger = ledger or self.ledger
        ledger.now += 60
        ledger.hosts()
        ledger.status()
        return ledger

    def believed(self, bundle):
        self.assertIsNone(self.device.shown(bundle))

    def refused(self, bundle, code):
        self.assertEqual(self.device.shown(bundle), code)

    def test_an_honest_log_is_believed_as_it_grows(self):
        self.believed(self.ledger.bundle())
        self.believed(self.grown().bundle())
        self.believed(self.ledger.bundle())
        self.assertEqual(self.monitored(self.public("log")), set())

    def forked(self):
        """Another log of the size of self.ledger once it has grown; only the host-set in it differs."""
        other = self.ledger.fork()
        other.now += 60
        other.entries.append(records.note(records.host_set(serial=2, time=other.now, after=other.now + DAY),
                                          records.OWNER, records.R1))
        other.in_force["hosts"] = records.record_id(other.entries[-1])
        other.serials[("host-set",)] = 2
        other.status()
        return other

    def test_w27_t1_a_log_that_forks(self):
        other = self.forked()
        self.believed(self.grown().bundle())
        self.assertEqual(len(other.entries), len(self.ledger.entries))
        self.refused(other.bundle(), "LEDGER_SPLIT")
        self.assertEqual(self.monitored(self.public("log"), self.public("mirror", other)),
                         {("LEDGER_FORK", LOG), *cosigners(*forged.QUORUM)})

    def test_w27_t5_a_log_that_rewinds(self):
        before, size = self.ledger.bundle(), len(self.ledger.entries)
        self.believed(self.grown().bundle())
        self.refused(before, "LEDGER_ROLLBACK")
        folder = self.public("log")
        self.assertEqual(self.monitored(folder), set())
        self.public("log", size=size)  # cosigned later than the larger tree was
        self.assertIn("LEDGER_REWIND", {code for code, _ in self.monitored(folder)})

    def test_a_log_that_withholds_a_record_is_nothing_that_a_device_could_see(self):
        self.grown()
        withheld = records.record_id(self.ledger.entries[-2])
        del self.ledger.entries[-2:]  # somebody holds its acknowledgement
        self.believed(self.ledger.bundle())
        self.assertEqual(self.monitored(self.public("log"), extra=("--expect", withheld)), {("LEDGER_WITHHELD", LOG)})
        self.assertIn(withheld, str(self.findings))

    def test_w21_t1_a_log_that_dates_a_status_back(self):
        self.ledger.entries.pop()
        self.ledger.status(time=NOW - DAY - 1)
        self.refused(self.ledger.bundle(), "LEDGER_STALE")
        self.assertIn(("LEDGER_WINDOW", BOTH), self.monitored(self.public("log")))

    def test_w18_t3_a_log_that_takes_an_unreviewed_record(self):
        self.ledger.in_force["release"].clear()
        self.ledger.release(records.R1, tag="b")
        self.ledger.status()
        self.refused(self.ledger.bundle(), "LEDGER_SIGNER")
        self.assertIn(("LEDGER_SIGNER", BOTH), self.monitored(self.public("log")))
        self.assertIn(records.R1.name, next(f["got"] for f in self.findings if f["code"] == "LEDGER_SIGNER"))

    def test_a_record_without_the_image_is_nothing_that_a_device_could_see(self):
        self.believed(self.ledger.bundle())  # where its image should be is nothing at all
        release, images = self.ledger.in_force["release"][0], os.path.join(self.device.folder, "images")
        os.mkdir(images)
        self.assertEqual(self.monitored(self.public("log"), images=images), set())
        self.device.set_clock(self.ledger.now + DAY + 60)  # what a record names is public within a day
        alarms = self.monitored(self.public("log"), images=images)
        self.assertIn("LEDGER_UNPUBLISHED", {code for code, _ in alarms})
        self.assertTrue(any(release in str(f) for f in self.findings if f["code"] == "LEDGER_UNPUBLISHED"))

    def test_w27_t3_a_witness_that_lies_makes_no_second_history_with_the_log_alone(self):
        other = self.forked()
        self.believed(self.grown().bundle())
        fresh = Device(self.mirror)
        self.addCleanup(fresh.close)
        # Each of the other three plain witnesses and the record witness cosigned what they saw first.
        note = other.checkpoint(witnesses=("witness1",))
        self.assertEqual(fresh.shown(other.bundle(note)), "LEDGER_QUORUM")
        head = os.path.join(self.device.folder, "head")  # as somebody was shown it
        with open(head, "wb") as f:
            f.write(note)
        self.assertEqual(self.monitored(self.public("log"), extra=("--checkpoint", head)),
                         {("LEDGER_FORK", LOG), *cosigners("witness1"), self.mirror_differs()})

    def test_w27_t3_a_quorum_that_lacks_one(self):
        for witnesses, code in ((("witness1", "witness2", "record-witness"), "LEDGER_QUORUM"),
                                (forged.PLAIN, "LEDGER_RECORD_WITNESS"), ((), "LEDGER_QUORUM")):
            with self.subTest(witnesses):
                note = self.ledger.checkpoint(witnesses)
                self.refused(self.ledger.bundle(note), code)
                folder = self.public("log", note=note)
                self.assertEqual(self.monitored(folder), {(code, folder), self.mirror_differs()})

    def test_w21_t1_a_slow_witness_makes_no_fresh_quorum(self):
        """Two fresh cosignatures of plain witnesses are not three, however old the third may be."""
        note = self.ledger.checkpoint(times={"witness3": NOW - DAY - 400})
        self.refused(self.ledger.bundle(note), "LEDGER_STALE")
        note = self.ledger.checkpoint(tuple(forged.WITNESSES), times={"witness3": NOW - DAY - 400})
        self.believed(self.ledger.bundle(note))
        self.assertEqual(self.monitored(self.public("log", note=note)), set())
        self.assertEqual({(f["level"], f["code"], f["who"]) for f in self.findings},
                         {("warning", "LEDGER_WITNESS_SLOW", "witness witness3.example")})

    def test_w27_t1_one_witness_too_few_honest_deceives_a_new_device_and_no_other(self):
        """Two plain witnesses and the record witness, all with the log: each of the two honest ones sees a branch of
        its own. A device that has seen the first branch refuses the second; a new one cannot know, and a monitor has
        to. With one of the three honest there is no second quorum (the tests before this one)."""
        other = self.forked()
        self.believed(self.grown().bundle())
        note = other.checkpoint(("witness1", "witness2", "witness4", "record-witness"))
        self.refused(other.bundle(note), "LEDGER_SPLIT")
        fresh = Device(self.mirror)
        self.addCleanup(fresh.close)
        self.assertIsNone(fresh.shown(other.bundle(note)))
        self.assertEqual(self.monitored(self.public("log"), self.public("mirror", other, note)),
                         {("LEDGER_FORK", LOG), *cosigners("witness1", "witness2", "record-witness")})
        for honest in "witness2", "record-witness":
            fresh = Device(self.mirror)
            self.addCleanup(fresh.close)
            note = other.checkpoint({"witness1", "witness2", "witness4", "record-witness"} - {honest})
            self.assertIn(fresh.shown(other.bundle(note)), ("LEDGER_QUORUM", "LEDGER_RECORD_WITNESS"))

    def test_a_stale_mirror(self):
        """What it serves is good for a day, by a clock that a quorum vouches for, and refused then."""
        old = self.ledger.bundle()
        self.believed(old)
        self.device.set_clock(self.ledger.now + DAY - 60)
        self.believed(old)
        self.device.set_clock(self.ledger.now + DAY + 60)
        self.refused(old, "LEDGER_STALE")

    def test_a_stale_mirror_beside_the_log(self):
        self.ledger.now = NOW - 3 * 3600
        mirror = self.public("mirror")
        self.ledger.now = NOW - 600
        alarms = self.monitored(self.public("log", self.grown()), mirror)
        self.assertEqual({who for _, who in alarms} | {f["who"] for f in self.findings if f["code"] == "LEDGER_LATE"},
                         {mirror})

    def test_w21_t5_a_revoked_text_that_is_logged_again_under_another_leaf(self):
        target = self.ledger.in_force["release"][0]
        entry = self.ledger.entries[self.ledger.index_of(target)]
        self.ledger.revoke(target)
        self.ledger.status()
        self.believed(self.ledger.bundle())
        # One more, ignored signature line: the same record, another leaf.
        self.ledger.entries.append(entry + records.STRANGER.line(records.text_of(entry).decode()).encode())
        self.ledger.status(releases=[target], revoked=[])
        self.refused(self.ledger.bundle(), "LEDGER_REVOKED")
        new = len(self.ledger.entries) - 2
        keys = [self.ledger.index_of(r) for r in (self.ledger.in_force["hosts"],
                                                  *sorted(i for _, i in self.ledger.in_force["keys"]))]
        self.refused(self.ledger.bundle(named=[new, *keys]), "LEDGER_REVOKED")
        self.assertIn(("LEDGER_REVOKED", BOTH), self.monitored(self.public("log")))
        self.assertIn(target, next(f["subject"] for f in self.findings if f["code"] == "LEDGER_REVOKED"))
        # Nor where one status says both.
        self.ledger.status(releases=[target])
        fresh = Device(self.mirror)
        self.addCleanup(fresh.close)
        self.assertEqual(fresh.shown(self.ledger.bundle()), "LEDGER_REVOKED")

    def test_records_that_the_wrong_party_signed(self):
        """The record's own signers, whoever else there is: owner, reviewers and log do not stand in for each other."""
        acts = {"a host-set by the owner alone": lambda l: l.hosts(records.OWNER),
                "a host-set by two reviewers": lambda l: l.hosts(records.R1, records.R2),
                "a key-epoch by the reviewers": lambda l: self.rekeyed(l, records.R1, records.R2),
                "a key-epoch by the log": lambda l: self.rekeyed(l, records.LOG),
                "a release by owner and log": lambda l: self.rereleased(l, records.OWNER, records.LOG)}
        for name, act in acts.items():
            with self.subTest(name):
                ledger = self.ledger.fork()
                act(ledger)
                ledger.status()
                self.refused(ledger.bundle(), "LEDGER_SIGNER")
                self.assertIn(("LEDGER_SIGNER", BOTH), self.watched(ledger))
        for signer in (records.OWNER, records.R1, records.OTHER_LOG):
            with self.subTest("a status by another", signer=signer.name):
                ledger = self.ledger.fork()
                ledger.status(signer)
                self.refused(ledger.bundle(), "LEDGER_SIGNER")
                self.assertIn(("LEDGER_SIGNER", BOTH), self.watched(ledger))

    def watched(self, ledger):
        """The verdict of a monitor that has seen nothing before."""
        shutil.rmtree(os.path.join(self.device.state, "monitor"), ignore_errors=True)
        return self.monitored(self.public("log", ledger))

    @staticmethod
    def rekeyed(ledger, *signers):
        ledger.in_force["keys"] = [k for k in ledger.in_force["keys"] if k[0] != "ohttp"]
        ledger.key("ohttp", NOW // DAY, *signers)

    @staticmethod
    def rereleased(ledger, *signers):
        ledger.in_force["release"].clear()
        ledger.release(*signers, tag="b")

    def test_one_measurement_in_two_roles(self):
        lines = records.small_release(serial=1, time=self.ledger.now, role="guard", tag="x")
        mine = next(x for x in records.small_release(tag="a") if x.startswith("snp one"))
        lines = [mine if x.startswith("snp one") else x for x in lines]
        self.ledger.in_force["release"].append(self.ledger.add(lines, *records.REVIEWED))
        self.ledger.status()
        self.refused(self.ledger.bundle(), "LEDGER_TWO_ROLES")
        self.assertEqual(self.monitored(self.public("log")), {("LEDGER_TWO_ROLES", BOTH)})


if __name__ == "__main__":
    unittest.main()
