# SPDX-License-Identifier: Apache-2.0
"""ppctl log monitor: green on an honest log, and whoever does wrong is found and named."""
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import threading
import unittest

from fleet import Fleet, PPCTL, ppctl


class Monitored(unittest.TestCase):
    """A fleet, and what its monitor says."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.__enter__()
        cls.public = os.path.join(cls.fleet.state, "log", "public")

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def setUp(self):
        self.folder = os.path.join(self.fleet.state, "monitor")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.mirror = os.path.join(self.fleet.folder, "mirror")
        shutil.rmtree(self.mirror, ignore_errors=True)
        shutil.copytree(self.public, self.mirror)

    def monitor(self, *logs, extra=()):
        words = [w for log in logs or (self.public,) for w in ("--log", log)]
        return self.fleet.run("log", "monitor", *words, "--once", "--images", "skip", "--json", *extra)

    def found(self, done, level="alarm"):
        return {(f["code"], f["who"]) for f in done.json["findings"] if f["level"] == level}

    def change(self, name, change):
        path = os.path.join(self.mirror, name)
        with open(path, "rb") as f:
            content = f.read()
        with open(path, "wb") as f:
            f.write(change(content))

    def entries(self):
        return os.path.join("tile/entries/000.p", os.listdir(os.path.join(self.mirror, "tile/entries/000.p"))[0])


class Monitor(Monitored):
    def test_an_honest_log_is_green_and_its_copy_is_a_log(self):
        done = self.monitor(self.public, self.mirror)
        self.assertEqual(done.status, 0, done.out)
        answer = done.json
        self.assertEqual((answer["level"], answer["unread"], answer["findings"]), ("none", 0, []))
        self.assertEqual([s["size"] for s in answer["sources"]], [answer["size"]] * 2)
        copy = os.path.join(self.folder, "copy")
        for name in ("checkpoint", self.entries()):
            with open(os.path.join(copy, name), "rb") as a, open(os.path.join(self.public, name), "rb") as b:
                self.assertEqual(a.read(), b.read(), name)
        self.assertEqual(self.monitor(copy).status, 0)
        over_http = self.monitor("http://" + self.fleet.listens("log"), copy)
        self.assertEqual((over_http.status, over_http.json["size"]), (0, answer["size"]), over_http.out)

    def test_people_read_one_line_when_all_is_well(self):
        done = self.fleet.run("log", "monitor", "--log", self.public, "--once", "--images", "skip")
        self.assertEqual((done.status, done.out.count("\n")), (0, 1), done.out)
        self.assertIn("1 of 1 sources read, worst finding: none", done.out)

    def test_a_mirror_with_another_entry_is_named(self):
        self.change(self.entries(), lambda b: b[:90] + bytes([b[90] ^ 1]) + b[91:])
        done = self.monitor(self.public, self.mirror)
        self.assertEqual(done.status, 3, done.out)
        self.assertEqual(self.found(done), {("LOG_ROOT", self.mirror)})
        finding = done.json["findings"][0]
        self.assertTrue(os.path.exists(os.path.join(self.folder, "evidence", finding["id"], "checkpoint")))
        self.assertEqual(self.monitor().status, 0)  # a condition ends with its cause

    def test_a_checkpoint_that_nobody_signed_is_an_alarm(self):
        self.change("checkpoint", lambda b: b.replace(b"\n7\n", b"\n8\n"))
        done = self.monitor(self.public, self.mirror)
        self.assertEqual((done.status, self.found(done)), (3, {("LEDGER_SIGNATURE", self.mirror)}), done.out)

    def test_too_few_cosignatures_are_an_alarm(self):
        """A11.11: what clients would not take, the monitor does not take either."""
        self.change("checkpoint", lambda b: b"".join(
            line for line in b.splitlines(True) if b" record-witness." not in line))
        done = self.monitor(self.mirror)
        self.assertEqual((done.status, self.found(done)), (3, {("LEDGER_RECORD_WITNESS", self.mirror)}), done.out)
        self.assertEqual(done.json["size"], 0)

    def test_what_cannot_be_read_is_status_1_and_says_which(self):
        done = self.monitor(self.public, os.path.join(self.fleet.folder, "nowhere"))
        self.assertEqual((done.status, done.json["unread"], done.json["level"]), (1, 1, "warning"), done.out)
        self.assertEqual(self.monitor("http://127.0.0.1:1").status, 1)
        os.unlink(os.path.join(self.mirror, self.entries()))
        self.assertIn(("LOG_MISSING", self.mirror), self.found(self.monitor(self.public, self.mirror)))

    def test_an_acknowledged_record_that_is_not_there_is_an_alarm(self):
        shown = self.fleet.run("log", "show", "--json").json["records"][0]["id"]
        self.assertEqual(self.monitor(extra=("--expect", shown)).status, 0)
        done = self.monitor(extra=("--expect", shown, "--expect", "7" * 64))
        self.assertEqual(done.status, 3, done.out)
        self.assertIn("7" * 64, done.json["findings"][0]["subject"])

    def test_the_bundle_that_devices_get_is_compared(self):
        with open(os.path.join(self.public, "directory"), "rb") as f:
            bundle = f.read()
        brought = self.fleet.write("brought.bundle", bundle)
        self.assertEqual(self.monitor(extra=("--checkpoint", brought)).status, 0)
        self.change("directory", lambda b: b[:-40] + bytes([b[-40] ^ 1]) + b[-39:])
        done = self.monitor(self.public, self.mirror)
        self.assertEqual((done.status, self.found(done)), (3, {("LOG_DIRECTORY", self.mirror + "/directory")}), done.out)
        self.change("directory", lambda b: b"<html>")
        done = self.monitor(self.public, self.mirror)
        self.assertEqual((done.status, self.found(done)), (3, {("LOG_DIRECTORY", self.mirror + "/directory")}), done.out)
        done = self.monitor(extra=("--checkpoint", os.path.join(self.mirror, "directory")))
        self.assertEqual((done.status, done.json["unread"]), (1, 1), done.out)

    def test_what_a_receipt_saw_is_compared(self):
        receipt = os.path.join(self.fleet.folder, "receipt")
        self.assertEqual(self.fleet.summarize("--receipt", receipt).status, 0)
        self.assertEqual(self.monitor(extra=("--checkpoint", receipt)).status, 0)

    def later(self, hours, *extra):
        """A monitor of its own whose clock is ahead."""
        state = os.path.join(self.fleet.folder, "later")
        shutil.rmtree(state, ignore_errors=True)
        os.mkdir(state)
        with open(os.path.join(state, "clock"), "wb") as f:
            f.write(struct.pack("=q", hours * 3600 * 1000))
        return ppctl("log", "monitor", "--log", self.public, "--trust", os.path.join(self.fleet.state, "trust"),
                     "--once", "--json", *extra, "--state", state)

    def test_time_passes_and_the_log_does_nothing(self):
        log = "log log.pp-dev.example"  # whose keys of the day after may be due, by the hour of this test
        done = self.later(5, "--images", "skip")
        self.assertEqual((done.status, self.found(done, "warning") - {("LEDGER_EXPIRING", log)}),
                         (0, {("LEDGER_LATE", log)}), done.out)
        done = self.later(7, "--images", "skip")
        self.assertEqual((done.status, self.found(done)), (3, {("LEDGER_STALE", log)}), done.out)
        done = self.later(25, "--images", "skip")
        self.assertEqual(sum(f["code"] == "LEDGER_WITNESS_SLOW" for f in done.json["findings"]), 5)
        done = self.later(25, "--images", "skip", "--witness-hours", "26")
        self.assertNotIn("LEDGER_WITNESS_SLOW", {f["code"] for f in done.json["findings"]})

    def test_w18_a_release_without_its_image_is_named_after_a_day(self):
        images = os.path.join(self.fleet.folder, "images")
        os.makedirs(images, exist_ok=True)
        self.assertEqual(self.later(1, "--images", images).status, 0)
        done = self.later(25, "--images", images)
        found = [f for f in done.json["findings"] if f["code"] == "LEDGER_UNPUBLISHED"]
        self.assertTrue(any("image of release" in f["subject"] for f in found), done.out)
        self.assertTrue(any("list of host-set" in f["subject"] for f in found), done.out)

    def test_w27_t5_a_log_that_goes_back_is_found(self):
        with open(os.path.join(self.public, "checkpoint"), encoding="utf-8") as f:
            self.assertEqual(f.read().split("\n")[1], "7")
        self.assertEqual(self.monitor(self.mirror).status, 0)
        state = os.path.join(self.folder, "state")
        with open(state, encoding="utf-8") as f:
            text = f.read()
        with open(state, "w", encoding="utf-8") as f:  # as if it had shown a larger one
            f.write(text.replace("\nsource 7 ", "\nsource 9 "))
        done = self.monitor(self.mirror)
        self.assertEqual(done.status, 3, done.out)
        self.assertIn(("LEDGER_REWIND", self.mirror), self.found(done))

    def test_a_foreign_log_is_hashed_alone(self):
        policy = os.path.join(self.fleet.state, "trust", "log.policy")
        words = ("log", "monitor", "--log", self.mirror, "--once", "--opaque", "--policy", policy, "--json")
        done = self.fleet.run(*words)
        self.assertEqual((done.status, done.json["size"]), (0, 7), done.out)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "copy", "tile", "entries")))
        self.assertEqual(self.fleet.run(*words).status, 0)

    def test_one_folder_has_one_monitor_of_one_log(self):
        self.assertEqual(self.monitor().status, 0)
        with open(os.path.join(self.folder, "state"), "a", encoding="utf-8") as f:
            f.write("more\n")
        done = self.monitor()
        self.assertEqual((done.status, done.code), (2, "CONFIG"))
        for words in ((), ("--log", self.public, "--once", "--every", "5"), ("--log", self.public, "--expect", "7")):
            self.assertEqual(self.fleet.run("log", "monitor", *words).status, 2)

    def test_it_follows_until_it_is_asked_to_end(self):
        words = [PPCTL, "log", "monitor", "--log", self.public, "--every", "1", "--images", "skip", "--json",
                 "--state", self.fleet.state]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(2):
                self.assertEqual(json.loads(process.stdout.readline())["level"], "none")
            second = self.monitor()
            self.assertEqual((second.status, second.code), (5, "BUSY"))
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)

    def test_killed_again_and_again_it_loses_no_finding_and_goes_never_back(self):
        self.change(self.entries(), lambda b: b[:90] + bytes([b[90] ^ 1]) + b[91:])
        dice, size, lines = random.Random(7), 0, []
        words = [PPCTL, "log", "monitor", "--log", self.public, "--log", self.mirror, "--expect", "7" * 64, "--once",
                 "--images", "skip", "--json", "--state", self.fleet.state]
        for _ in range(25):
            with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
                killer = threading.Timer(dice.uniform(0, 0.08), process.kill)
                killer.start()
                process.wait()
                killer.cancel()
            state = os.path.join(self.folder, "state")
            if os.path.exists(state):
                with open(state, encoding="utf-8") as f:
                    text = f.read()
                self.assertTrue(text.endswith("\nend\n"))
                now = int(text.split("\ntree ")[1].split(" ")[0])
                self.assertGreaterEqual(now, size)
                size = now
            if os.path.exists(os.path.join(self.folder, "findings")):
                with open(os.path.join(self.folder, "findings"), encoding="utf-8") as f:
                    found = [line for line in f.read().splitlines(True) if line.endswith("\n")]
                self.assertEqual(found[:len(lines)], lines)
                lines = found
        done = self.monitor(self.public, self.mirror, extra=("--expect", "7" * 64))
        self.assertEqual(done.status, 3, done.out)
        self.assertEqual({f["code"] for f in done.json["findings"]}, {"LOG_ROOT", "LEDGER_WITHHELD"})
        with open(os.path.join(self.folder, "findings"), encoding="utf-8") as f:
            self.assertEqual(len(f.read().splitlines()), 2)  # each once


class Fork(Monitored):
    """The whole fleet is put back to an earlier moment and goes on differently: its log forks."""

    def publish(self):
        """New OHTTP keys, which are other ones each time, and their record."""
        done = self.fleet.run("gateway", "rotate", "--json")
        self.assertEqual(done.status, 0, done.out)

    @staticmethod
    def copy_state(source, target):
        subprocess.run(["cp", "-a", source, target], check=True)  # parties own their files

    def restart_from(self, kept):
        self.assertEqual(self.fleet.down().status, 0)
        shutil.rmtree(self.fleet.state)
        self.copy_state(kept, self.fleet.state)
        done = self.fleet.up()
        self.assertEqual(done.status, 0, done.err + done.out)

    def test_w27_t1_a_real_fork_is_found_and_everybody_named(self):
        kept, memory = (os.path.join(self.fleet.folder, name) for name in ("kept", "memory"))
        self.assertEqual(self.fleet.down().status, 0)
        self.copy_state(self.fleet.state, kept)
        self.assertEqual(self.fleet.up().status, 0)
        self.assertEqual(self.monitor().json["size"], 7)
        self.publish()
        honest = self.monitor()
        self.assertEqual(honest.status, 0, honest.out)
        self.assertEqual(honest.json["size"], 9)
        shutil.copytree(self.folder, memory)

        self.restart_from(kept)  # nobody remembers, log and witnesses included
        self.publish()
        shutil.copytree(memory, self.folder)
        done = self.monitor()
        self.assertEqual(done.status, 3, done.out)
        found = self.found(done)
        self.assertIn(("LEDGER_FORK", "log log.pp-dev.example"), found, done.out)
        self.assertIn(("LEDGER_WITNESS", "witness record-witness.pp-dev.example"), found, done.out)
        fork = next(f for f in done.json["findings"] if f["code"] == "LEDGER_FORK")
        evidence = os.path.join(self.folder, "evidence", fork["id"])
        self.assertLessEqual({"finding", "checkpoint-1", "checkpoint-2"}, set(os.listdir(evidence)))
        self.assertEqual(done.json["root"], honest.json["root"])  # what was verified stays
        self.assertEqual(self.monitor().status, 3)  # and so does the fork

        # A monitor of the other history alone sees nothing, until somebody brings the first one.
        shutil.rmtree(self.folder)
        self.assertEqual(self.monitor().status, 0)
        brought = os.path.join(memory, "copy", "checkpoint")
        done = self.monitor(extra=("--checkpoint", brought))
        self.assertEqual(done.status, 3, done.out)
        self.assertIn(("LEDGER_FORK", "log log.pp-dev.example"), self.found(done))
        fork = next(f for f in done.json["findings"] if f["code"] == "LEDGER_FORK")
        self.assertIn(f"shown by {brought}"[:60], fork["got"])


if __name__ == "__main__":
    unittest.main()
