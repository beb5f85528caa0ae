# SPDX-License-Identifier: Apache-2.0
"""The recipe of docs/operations.md, "Records made and signed by people": from nothing to a log whose records are in
force, with real witnesses and a real log, every key in a file of its own."""
import base64
import hashlib
import json
import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

from fleet import BIN, DAY, ppctl
from listener import reserved_port

PATIENCE = 60
ORIGIN, NAMESPACE = "log.people.example", "people"
PLAIN = ("witness1", "witness2", "witness3", "witness4")
WITNESSES = (*PLAIN, "record-witness")
REVIEWERS = ("alice", "bob", "carol")
CUSTODY = "sha256:" + hashlib.sha256(b"rack 7, two keys, one camera").hexdigest()
CHIP = "1f" * 64
TRUST = """environment = dev
namespace = people
issuer = issuer.people.example
issuer_url = http://127.0.0.1:1/token-request
gateway_authority = gateway.people.example
relay = http://127.0.0.1:1/ohttp
mirror = http://127.0.0.1:1/directory
platform = sev-snp
hardware = strict
message_kem = x-wing
ohttp_kem = x25519
tls_group = x25519
"""


def release_text(now, policy, role="orchestrator", serial=1):
    """What `ppctl release new` writes for an image; here of an image that nobody has to build."""
    digest = "sha256:" + hashlib.sha256(b"image").hexdigest()
    with open(policy, "rb") as f:
        review = hashlib.sha256(f.read()).hexdigest()
    measurement = hashlib.sha384((role + str(serial)).encode()).hexdigest()
    return "".join(line + "\n" for line in (
        "type cvm-release/v1", f"ledger {ORIGIN}", f"namespace {NAMESPACE}", "environment dev", f"serial {serial}",
        f"time {now}", f"role {role}", f"not-before {now}", f"not-after {now + 21 * DAY}",
        f"image {digest} 1000 https://images.people.example/1", "source https://git.people.example/pp " + "0a" * 20,
        f"build {digest}", f"sbom {digest}", f"snp small genoa QEMU 4 {measurement}",
        "snp-policy 00000000000c0000 0000000000000000", "snp-min-tcb genoa 9 0 23 84", f"config {digest}",
        f"egress {digest}", f"review reviewers sha256:{review}"))


def revoke_text(now, target, serial=1):
    return "".join(line + "\n" for line in (
        "type revoke/v1", f"ledger {ORIGIN}", f"namespace {NAMESPACE}", "environment dev", f"serial {serial}",
        f"time {now}", f"target {target}", "reason vulnerability", f"effective {now}",
        "notice sha256:" + hashlib.sha256(b"notice").hexdigest()))


class Party:
    """A daemon in its folder."""

    def __init__(self, folder, program, lines):
        with open(os.path.join(folder, "config"), "w", encoding="utf-8") as f:
            f.write("environment = dev\n" + lines)
        out, into = os.pipe()
        self.events = open(os.path.join(folder, "..", os.path.basename(folder) + ".events"), "ab")
        self.process = subprocess.Popen([os.path.join(BIN, program), "--config", os.path.join(folder, "config"),
                                         "--ready-fd", str(into)],
                                        pass_fds=[into], stdout=self.events, stderr=self.events)
        os.close(into)
        told = b""
        while not told.endswith(b"ready\n"):
            assert select.select([out], [], [], PATIENCE)[0], "not ready in time"
            more = os.read(out, 4096)
            assert more, f"{program} ended: see {self.events.name}"
            told += more
        os.close(out)
        self.address = told.decode().split()[2]

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.events.close()


class Ledger(unittest.TestCase):
    """A ledger that the recipe has made."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="pp-e2e-people-")
        os.chmod(cls.folder, 0o711)
        cls.parties = []
        cls.addClassCleanup(cls.clean_up)
        cls.day = int(time.time()) // DAY
        cls.make_keys()
        cls.make_policies()
        cls.start_ledger()
        cls.make_trust()
        cls.make_records()
        cls.submitted = cls.run_("log", "submit", *cls.entries, "--url", cls.url, "--wait", *cls.place(), "--json")

    @classmethod
    def clean_up(cls):
        for party in reversed(cls.parties):
            party.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)

    # --- the recipe -------------------------------------------------------------------------------

    @classmethod
    def at(cls, *names):
        return os.path.join(cls.folder, *names)

    @classmethod
    def write(cls, name, text):
        with open(cls.at(name), "w", encoding="utf-8") as f:
            f.write(text)
        return cls.at(name)

    @classmethod
    def run_(cls, *args):
        return ppctl(*args, "--state", cls.at("state"), cwd=cls.folder)

    @classmethod
    def must(cls, *args):
        done = cls.run_(*args)
        assert done.status == 0, (args, done.err, done.out)
        return done

    @classmethod
    def place(cls):
        return ("--trust", cls.at("state", "trust"))

    @classmethod
    def single(cls):
        return ("--origin", ORIGIN, "--namespace", NAMESPACE, "--environment", "dev")

    @classmethod
    def make_keys(cls):
        """1: owner and reviewers at home; witnesses; the log."""
        cls.vkeys = {name: cls.must("review", "key", f"{name}.key", f"{name}.people.example").out.strip()
                     for name in ("owner", *REVIEWERS, "stranger")}
        os.makedirs(cls.at("state", "trust"))
        for name in WITNESSES:
            cls.vkeys[name] = subprocess.run(
                [os.path.join(BIN, "pp-witnessd"), "--init", cls.at(name), f"{name}.people.example"],
                text=True, check=True, stdout=subprocess.PIPE).stdout.strip()
        cls.vkeys["log"] = cls.must("log", "init", "--origin", ORIGIN, "--log", cls.at("state", "log")).out.strip()

    @classmethod
    def make_policies(cls):
        """2: who signs what. The log's own policy, with the witnesses' URLs, is written when they run."""
        cls.write("owner.policy", f"witness owner {cls.vkeys['owner']}\nquorum owner\n")
        cls.write("review.policy", "".join(f"witness {n} {cls.vkeys[n]}\n" for n in REVIEWERS) +
                  f"group two 2 {' '.join(REVIEWERS)}\nquorum two\n")
        for name in (cls.at("record-witness"), cls.at("state", "log"), cls.at("state", "trust")):
            for policy in ("owner.policy", "review.policy"):
                shutil.copy(cls.at(policy), name)

    @classmethod
    def log_policy(cls, urls):
        return (f"log {cls.vkeys['log']}\n" +
                "".join(f"witness {n} {cls.vkeys[n]}{urls.get(n, '')}\n" for n in WITNESSES) +
                f"group plain 3 {' '.join(PLAIN)}\ngroup clients all plain record-witness\nquorum clients\n")

    @classmethod
    def start_ledger(cls):
        """3: witnesses, the record witness, then the log."""
        bound = reserved_port()
        port = bound.getsockname()[1]
        cls.url = f"http://127.0.0.1:{port}"
        policies = "owner_policy = owner.policy\nreview_policy = review.policy\n"
        urls = {}
        for name in WITNESSES:
            lines = f"log = {cls.vkeys['log']}\n"
            if name == "record-witness":
                lines += f"role = record\nurl = {cls.url}\nnamespace = {NAMESPACE}\n{policies}"
            cls.parties.append(Party(cls.at(name), "pp-witnessd", lines))
            urls[name] = " http://" + cls.parties[-1].address
        cls.write("state/log/policy", cls.log_policy(urls))
        cls.parties.append(Party(cls.at("state", "log"), "pp-logd",
                                 f"listen = 127.0.0.1:{port}\nnamespace = {NAMESPACE}\npolicy = policy\n{policies}"))
        bound.close()

    @classmethod
    def make_trust(cls):
        """4: what devices pin."""
        cls.write("state/trust/trust", TRUST)
        cls.write("state/trust/log.policy", cls.log_policy({}))

    @classmethod
    def make_records(cls):
        """5: machines, keys, a release; each signed by those who have to."""
        now = int(time.time())
        cls.must("host-set", "new", "--out", "week1", "--serial", "1", "--not-after", str(now + 6 * DAY), "--where",
                 "https://hosts.people.example/1", *cls.single())
        cls.must("host-set", "add", "week1.hosts", CHIP, "--product", "genoa", "--custody", CUSTODY)
        cls.must("host-set", "sign", "week1.hosts", "--key", "owner.key", *cls.place())
        cls.must("host-set", "sign", "week1.hosts", "--key", "carol.key", *cls.place())
        cls.entries = ["week1.entry"]
        for folder in ("issuer-keys", "ohttp-keys"):
            os.mkdir(cls.at(folder), 0o700)
        for serial, day in enumerate((cls.day, cls.day + 1), 1):
            for kind, more in ("issuer", ("--chain", "token.chain")), ("ohttp", ()):
                name = f"{kind}-{serial}"
                cls.must("keys", "new", kind, str(day), "--keys", f"{kind}-keys", *more, "--serial", str(serial),
                         "--out", name + ".record", *cls.single())
                cls.must("keys", "sign", name + ".record", "--key", "owner.key", *cls.place())
                cls.entries.append(name + ".entry")
        cls.write("release.record", release_text(now, cls.at("review.policy")))
        for name, file in ("alice", "release.record"), ("bob", "release.entry"):
            cls.must("review", "sign", file, "--key", f"{name}.key", *cls.place())
        cls.entries.insert(0, "release.entry")  # submit finds the order

    # --- what it gave -----------------------------------------------------------------------------

    def refused(self, code, *args, status=3):
        done = self.run_(*args, "--json")
        self.assertEqual((done.status, done.code), (status, code), done.out + done.err)
        return done.json["error"]

    def show(self):
        return json.loads(self.must("log", "show", "--json").out)


class People(Ledger):
    def test_the_batch_is_published_and_the_log_is_shown(self):
        self.assertEqual(self.submitted.status, 0, self.submitted.out + self.submitted.err)
        answer = self.submitted.json
        self.assertEqual(answer["state"], "published")
        self.assertEqual([e["type"] for e in answer["entries"]], ["host-set", *["key-epoch"] * 4, "cvm-release"])
        self.assertEqual([e["index"] for e in answer["entries"]], list(range(6)))
        shown = self.show()
        ids = {r["id"]: r["effective"] for r in shown["records"]}
        for entry in answer["entries"]:
            self.assertTrue(ids[entry["id"]], entry)
        self.assertTrue(shown["status"]["in_force"])
        self.assertEqual(shown["status"]["hosts"], answer["entries"][0]["id"])

    def test_a_batch_that_is_sent_again_is_not_taken_twice(self):
        again = self.must("log", "submit", *self.entries, "--url", self.url, "--json").json
        self.assertEqual([e["index"] for e in again["entries"]],
                         [e["index"] for e in self.submitted.json["entries"]])

    def test_the_issuer_takes_its_keys_as_they_are(self):
        """The file that keys new made is one that pp-issuerd and pp-gatewayd read."""
        names = sorted(os.listdir(self.at("issuer-keys")))
        self.assertEqual(names, [f"{self.day}.key", f"{self.day + 1}.key"])
        for name in names:
            self.assertEqual(os.stat(self.at("issuer-keys", name)).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.at("token.chain")).st_mode & 0o777, 0o600)

    # --- what is refused --------------------------------------------------------------------------

    def test_w10_a_chip_of_milan_is_not_registered(self):
        self.must("host-set", "new", "--out", "milan", "--serial", "2", "--not-after", str(int(time.time()) + DAY),
                  "--where", "here", *self.single())
        for product in "milan", "rome":
            error = self.refused("HOST_PRODUCT", "host-set", "add", "milan.hosts", "2a" * 64, "--product", product,
                                 "--custody", CUSTODY)
            self.assertIn("keys of older chips can be taken out", error["expected"])

    def test_w10_t8_machines_whose_registration_is_over_are_left_out_with_a_message(self):
        now = int(time.time())
        self.must("host-set", "new", "--out", "week2", "--from", "week1.hosts", "--serial", "2", "--not-after",
                  str(now + DAY), "--where", "here", *self.single())
        self.must("host-set", "add", "week2.hosts", "2b" * 64, "--product", "genoa", "--custody", CUSTODY, "--until",
                  str(now + 3600))
        os.mkdir(self.at("later"))
        with open(self.at("later", "clock"), "wb") as f:
            f.write(struct.pack("=q", 2 * 3600 * 1000))  # this ppctl lives two hours from now
        done = ppctl("host-set", "sign", "week2.hosts", "--key", "owner.key", *self.place(), "--state",
                     self.at("later"), cwd=self.folder)
        self.assertEqual(done.status, 0, done.err)
        self.assertIn("left out", done.err)
        self.assertIn("2b" * 64, done.err)
        with open(self.at("week2.hosts"), encoding="ascii") as f:
            self.assertNotIn("2b" * 64, f.read())
        self.refused("EXISTS", "host-set", "remove", "week2.hosts", CHIP, status=1)

    def test_a_reviewer_finds_a_list_that_is_not_the_record_s(self):
        shutil.copy(self.at("week1.entry"), self.at("other.entry"))
        with open(self.at("week1.hosts"), encoding="ascii") as f:
            self.write("other.hosts", f.read().replace(CUSTODY, "sha256:" + "00" * 32))
        error = self.refused("INPUT", "host-set", "sign", "other.hosts", "--key", "alice.key", status=2)
        self.assertIn("MISMATCH", error["got"])

    def test_who_signs_twice_or_is_a_stranger_is_refused(self):
        self.refused("SIGNED_ALREADY", "review", "sign", "release.entry", "--key", "bob.key", status=2)
        self.refused("NOT_A_SIGNER", "review", "sign", "release.entry", "--key", "stranger.key", *self.place())
        self.refused("NOT_A_SIGNER", "review", "sign", "release.entry", "--key", "owner.key", *self.place())
        self.refused("LEDGER_NAMESPACE", "review", "sign", "release.entry", "--key", "carol.key", "--origin", ORIGIN,
                     "--namespace", "another", "--environment", "dev", "--owner-policy", "owner.policy",
                     "--review-policy", "review.policy")

    def test_a_place_is_said_in_one_way(self):
        check = ("review", "check", "release.entry")
        policies = ("--owner-policy", "owner.policy", "--review-policy", "review.policy")
        self.must(*check)  # STATE/trust
        self.must(*check, *self.place())
        self.must(*check, *self.single(), *policies)
        self.must(*check, *self.single(), *policies, "--log-policy", self.at("state", "trust", "log.policy"))
        for wrong in ((*self.place(), *policies), self.single(), (*self.single()[:4], *policies),
                      (*self.single()[2:], *policies), ("--origin", "a b", *self.single()[2:], *policies),
                      (*self.single()[:5], "test", *policies),
                      ("--origin", "another", *self.single()[2:], *policies, "--log-policy",
                       self.at("state", "trust", "log.policy"))):
            with self.subTest(wrong=wrong):
                self.refused("USAGE", *check, *wrong, status=2)
        self.refused("CONFIG", *check, *self.single(), "--owner-policy", "release.entry", "--review-policy",
                     "review.policy", status=2)
        self.refused("CONFIG", *check, "--trust", self.at("nowhere"), status=2)

    def test_a_forged_signature_of_a_reviewer_is_named(self):
        with open(self.at("release.entry"), encoding="utf-8") as f:
            lines = f.read().splitlines(True)
        name, value = lines[-1].rsplit(" ", 1)
        self.write("forged.entry", "".join(lines[:-1]) + f"{name} {value[:20]}{'A' if value[20] != 'A' else 'B'}{value[21:]}")
        done = self.run_("review", "check", "forged.entry", *self.place(), "--json")
        self.assertEqual((done.status, done.code), (3, "SIGNATURES"))
        self.assertIn("wrong", [s["state"] for s in done.json["signers"]])
        error = self.refused("SIGNATURES", "review", "sign", "forged.entry", "--key", "carol.key", *self.place())
        self.assertIn("bob", error["got"])

    def test_a_record_of_another_grammar_is_refused_with_its_line(self):
        with open(self.at("release.record"), encoding="ascii") as f:
            text = f.read()
        for changed, line in ((text.replace("role orchestrator", "role router"), "line 7: RANGE"),
                              (text.replace("serial 1", "serial 01"), "line 5: FORMAT"),
                              (text + "comment none\n", "UNKNOWN_FIELD"), (text[:-1], "TRUNCATED"), ("", "line 1")):
            self.write("wrong.record", changed)
            error = self.refused("INPUT", "review", "sign", "wrong.record", "--key", "alice.key", status=2)
            self.assertIn(line, error["got"])
            self.assertFalse(os.path.exists(self.at("wrong.entry")))

    def test_a_key_in_pkcs8_signs_as_its_line_does(self):
        with open(self.at("alice.key"), encoding="ascii") as f:
            seed = base64.b64decode(f.read().strip().split("+", 4)[4])[1:]
        with open(self.at("alice.der"), "wb") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(bytes.fromhex("302e020100300506032b657004220420") + seed)
        for key in ("alice.key",), ("alice.der", "--name", "alice.people.example"):
            self.must("review", "sign", "release.record", "--key", *key, "--out", key[0] + ".entry")
        with open(self.at("alice.key.entry"), "rb") as a, open(self.at("alice.der.entry"), "rb") as b:
            self.assertEqual(a.read(), b.read())
        self.refused("CONFIG", "review", "sign", "release.record", "--key", "alice.der", "--out", "x.entry", status=2)

    def test_a_signer_program_that_does_not_sign_is_named(self):
        for program, code in ("/bin/false", "SIGNER_GONE"), ("/bin/yes", "SIGNER_WRONG"):
            error = self.refused(code, "review", "sign", "release.record", "--signer", program, "--vkey",
                                 self.vkeys["alice"], "--out", "x.entry", status=1)
            self.assertEqual((error["party"], error["field"]), ("ppctl", "signer"))
            self.assertFalse(os.path.exists(self.at("x.entry")))

    def test_nobody_s_signature_is_overwritten(self):
        shutil.copy(self.at("release.record"), self.at("once.record"))
        self.must("review", "sign", "once.record", "--key", "alice.key")
        self.refused("EXISTS", "review", "sign", "once.record", "--key", "bob.key", status=1)
        self.must("review", "sign", "once.record", "--key", "bob.key", "--out", "two.entry")
        self.refused("EXISTS", "review", "key", "alice.key", "alice.people.example", status=1)

    def test_w18_t3_one_reviewer_of_two_is_not_enough_and_the_missing_are_named(self):
        self.write("half.record", release_text(int(time.time()), self.at("review.policy"), "guard"))
        self.must("review", "sign", "half.record", "--key", "alice.key")
        done = self.run_("review", "check", "half.entry", *self.place(), "--json")
        self.assertEqual((done.status, done.code), (3, "SIGNATURES"))
        states = {s["name"].split(".")[0]: s["state"] for s in done.json["signers"]}
        self.assertEqual(states, {"alice": "present", "bob": "missing", "carol": "missing"})
        self.assertIn("bob", done.json["error"]["got"])
        # with a place nothing is sent; without one the log says the same
        error = self.refused("SIGNATURES", "log", "submit", "half.entry", "--url", self.url, *self.place())
        self.assertEqual(error["field"], "half.entry")
        error = self.refused("LOG_REFUSED", "log", "submit", "half.entry", "--url", self.url)
        self.assertEqual((error["field"], error["got"]), ("half.entry", "LEDGER_SIGNER"))

    def test_a_batch_with_one_bad_record_leaves_nothing_behind(self):
        def all_of_people():
            return [r["id"] for r in self.show()["records"] if r["type"] != "status"]  # one of those comes on the hour
        before = all_of_people()
        now = int(time.time())
        self.must("host-set", "new", "--out", "week3", "--from", "week1.hosts", "--serial", "3", "--not-after",
                  str(now + DAY), "--where", "here", *self.single())
        for key in "owner.key", "alice.key":
            self.must("host-set", "sign", "week3.hosts", "--key", key, *self.place())
        self.write("nothing.record", revoke_text(now, "00" * 32))
        self.must("review", "sign", "nothing.record", "--key", "alice.key", *self.place())
        error = self.refused("LOG_REFUSED", "log", "submit", "nothing.entry", "week3.entry", "--url", self.url,
                             *self.place())
        self.assertEqual((error["field"], error["got"]), ("nothing.entry", "NOT_FOUND"))
        self.assertEqual(all_of_people(), before)

    def test_one_reviewer_revokes_at_once_and_for_ever(self):
        now = int(time.time())
        self.write("bad.record", release_text(now, self.at("review.policy"), "predictor"))
        for key, file in ("alice", "bad.record"), ("bob", "bad.entry"):
            self.must("review", "sign", file, "--key", f"{key}.key", *self.place())
        target = self.must("log", "submit", "bad.entry", "--url", self.url, "--wait", "--json").json["entries"][0]["id"]
        self.assertIn(target, self.show()["status"]["releases"])
        self.write("notice", "It answers with other people's words.")
        words = ("review", "revoke", target, "--serial", "1", "--notice", self.at("notice"), *self.single())
        for wrong in ("--reason", "whim"), ("--reason", "Error"), ():
            self.refused("USAGE", *words, *wrong, "--out", self.at("stop.record"), status=2)
        for wrong in "7" * 63, "7" * 65, target.upper():
            self.refused("USAGE", "review", "revoke", wrong, *words[3:], "--reason", "error", "--out",
                         self.at("stop.record"), status=2)
        self.assertFalse(os.path.exists(self.at("stop.record")))
        self.must(*words, "--reason", "vulnerability", "--out", self.at("stop.record"))
        self.refused("EXISTS", *words, "--reason", "vulnerability", "--out", self.at("stop.record"), status=1)
        with open(self.at("stop.record"), encoding="ascii") as f:
            lines = f.read().splitlines()
        self.assertEqual(lines[-1], "notice sha256:" + hashlib.sha256(b"It answers with other people's words.").hexdigest())
        self.assertEqual(lines[:6], revoke_text(int(lines[5].split()[1]), target).splitlines()[:6])
        said = self.must("review", "sign", "stop.record", "--key", "carol.key", *self.place()).err
        self.assertIn("WARNING        for ever", said)
        self.must("log", "submit", "stop.entry", "--url", self.url, "--wait", *self.place())
        status = self.show()["status"]
        self.assertNotIn(target, status["releases"])
        self.assertIn(target, status["revoked"])

    def test_an_epoch_that_is_over_is_refused_before_a_key_is_made(self):
        error = self.refused("TOO_LATE", "keys", "new", "ohttp", str(self.day - 2), "--keys", "ohttp-keys", "--serial",
                             "9", "--out", "late.record", *self.single())
        self.assertIn("or later", error["expected"])
        self.assertFalse(os.path.exists(self.at("ohttp-keys", f"{self.day - 2}.key")))
        error = self.refused("TOO_LATE", "keys", "new", "ohttp", str(self.day + 1), "--keys", "ohttp-keys", "--serial",
                             "9", "--out", "late.record", "--origin", ORIGIN, "--namespace", NAMESPACE,
                             "--environment", "prod")
        self.assertIn("48 h", error["expected"])

    def test_a_log_is_made_once(self):
        self.refused("EXISTS", "log", "init", "--origin", ORIGIN, "--log", self.at("state", "log"), status=1)

    def test_a_log_that_is_not_there_is_a_failure_and_nothing_else(self):
        bound = reserved_port()
        self.addCleanup(bound.close)
        self.refused("NETWORK", "log", "submit", *self.entries, "--url",
                     f"http://127.0.0.1:{bound.getsockname()[1]}", status=1)

    def test_a_slip_in_the_call_is_named_and_is_status_2(self):
        entry, nowhere = self.entries[0], self.at("nowhere", "deeper", "file")
        for url in ("127.0.0.1:80", "ftp://127.0.0.1", "http://"):
            self.assertEqual(self.refused("USAGE", "log", "submit", entry, "--url", url, status=2)["field"], "--url")
        url = self.url.replace("http:", "https:")
        self.assertEqual(self.refused("USAGE", "log", "submit", entry, "--url", url, status=2)["field"], "--ca")
        self.assertEqual(self.refused("USAGE", "review", "key", "new.key", status=2)["field"], "NAME")
        self.assertEqual(self.refused("USAGE", "log", "verify", entry, status=2)["field"], "PROOF")
        self.refused("CONFIG", "review", "key", nowhere, "new.people.example", status=2)
        self.refused("CONFIG", "log", "init", "--origin", "new.people.example", "--log", nowhere, status=2)
        self.refused("CONFIG", "log", "prove", "--index", "0", "--out", nowhere, "--log", self.url,
                     *self.place(), status=2)
        for verb in (("log", "show"), ("log", "prove", "--index", "0", "--out", "p"), ("release", "status")):
            self.refused("INPUT", *verb, "--log", self.at("nowhere"), *self.place(), status=2)
        self.refused("CONFIG", "host-set", "new", "--out", nowhere, "--serial", "2", "--not-after",
                     str(int(time.time()) + DAY), "--where", "https://hosts.people.example/2", *self.place(), status=2)

    def test_what_is_signed_is_said_in_words(self):
        shutil.copy(self.at("release.record"), self.at("words.record"))
        said = self.must("review", "sign", "words.record", "--key", "alice.key").err
        for words in ("cvm-release 1", "orchestrator", "small: genoa, QEMU, 4 vCPUs", "WARNING        environment dev",
                      "https://git.people.example/pp", time.strftime("%Y-%m-%dT", time.gmtime(time.time()))):
            self.assertIn(words, said)


if __name__ == "__main__":
    unittest.main()
