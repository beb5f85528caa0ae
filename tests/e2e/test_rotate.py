# SPDX-License-Identifier: Apache-2.0
"""ppctl gateway rotate: keys made ahead, logged, never overwritten; killed at any moment, it goes on."""
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from fleet import PPCTL, Fleet

DAY = 86400


def keys_of(folder):
    """Name and content of every key file, which nobody else may read."""
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        assert os.stat(path).st_mode & 0o777 == 0o600, name
        with open(path, encoding="ascii") as f:
            found[name] = f.read()
    return found


class Rotate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.keep_from_midnight()
        cls.fleet.__enter__()
        cls.keys = os.path.join(cls.fleet.state, "gateway", "ohttp_keys")
        cls.log = os.path.join(cls.fleet.state, "log", "public")

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def rotate(self, *args):
        return self.fleet.run("gateway", "rotate", "--json", *args)

    def logged(self):
        """Epochs of OHTTP keys in the ledger, in its order."""
        done = self.fleet.run("log", "show", "--json")
        self.assertEqual(done.status, 0, done.out)
        return [r["epoch"] for r in done.json["records"]
                if r["type"] == "key-epoch" and r["kind"] == "ohttp"]

    def summarize(self):
        done = self.fleet.summarize()
        self.assertEqual(done.status, 0, done.out + done.err)

    def test_1_a_killed_run_is_finished_by_the_next(self):
        before = keys_of(self.keys)
        next_epoch = self.logged()[-1] + 1
        for ms in (0, 2, 5, 10, 20, 40, 80):
            with subprocess.Popen([PPCTL, "--state", self.fleet.state, "gateway", "rotate"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
                deadline = time.monotonic() + ms / 1000
                while time.monotonic() < deadline and run.poll() is None:
                    pass
                run.send_signal(signal.SIGKILL)
            for name, text in keys_of(self.keys).items():
                if name.endswith(".key"):
                    self.assertRegex(text, r"(?s)^use_from = .*\nsecret = [0-9a-f]{64}\n$", name)
                    self.assertEqual(before.setdefault(name, text), text, "no key was replaced")
            self.assertIn(self.logged()[-1] - next_epoch, (-1, 0, 1, 2))
        done = self.rotate()
        self.assertIn((done.status, done.code if done.status else None), [(0, None), (1, "EXISTS")])
        epochs = self.logged()
        self.assertEqual(epochs, list(range(epochs[0], epochs[-1] + 1)))
        self.assertGreaterEqual(epochs[-1], next_epoch)
        self.assertEqual([n for n in os.listdir(self.keys) if not n.endswith(".key")], [])
        self.summarize()

    def test_2_a_running_fleet_is_rotated_and_the_device_goes_on(self):
        today = int(self.fleet.now()) // DAY
        done = self.rotate()
        while done.status == 0:
            answer = done.json
            self.assertTrue(answer["logged"])
            self.assertEqual(answer["use_from"], answer["epoch"] * DAY)
            self.assertEqual(self.logged()[-1], answer["epoch"])
            self.assertIn(f"\nepoch {answer['epoch']}\n", answer["record"])
            self.summarize()
            done = self.rotate()
        self.assertEqual((done.status, done.code), (1, "EXISTS"))
        self.assertIn(self.logged()[-1], (today + 3, today + 4))
        before = keys_of(self.keys)
        self.assertEqual(self.rotate().code, "EXISTS")
        self.assertEqual(keys_of(self.keys), before)
        self.summarize()

    def operator(self, folder, *args):
        return self.fleet.run("gateway", "rotate", "--keys", folder, "--log", self.log, *args)

    def test_3_an_operator_gets_the_record_and_logs_nothing(self):
        """With the folders of a gateway and of a mirror: a folder that is not this gateway's is named."""
        with tempfile.TemporaryDirectory() as folder:
            done = self.operator(folder, "--json")
            self.assertEqual((done.status, done.code), (1, "MISSING"), done.out)
            self.assertEqual(os.listdir(folder), [])
            today = int(self.fleet.now()) // DAY
            for name, text in keys_of(self.keys).items():
                # Without the last logged ones it is as if they were another gateway's.
                text = re.sub(r"secret = ..", "secret = 00", text)
                with open(os.path.join(folder, name), "w", encoding="ascii",
                          opener=lambda p, f: os.open(p, f, 0o600)) as out:
                    out.write(text)
            done = self.operator(folder, "--json")
            self.assertEqual((done.status, done.code), (1, "MISMATCH"), done.out)
            self.assertIn(str(today), done.json["error"]["expected"])
        done = self.operator("/nowhere", "--json")
        self.assertEqual((done.status, done.code), (2, "INPUT"), done.out)


class FirstKeys(unittest.TestCase):
    def later_keys_are_named(self, fleet, keys):
        """Keys of an epoch behind the next one: the epochs before it were never logged."""
        last = max(int(name.split(".")[0]) for name in os.listdir(keys) if name[0].isdigit())
        later = os.path.join(keys, f"{last + 2}.key")
        with open(os.path.join(keys, f"{last}.key"), encoding="ascii") as f:
            text = f.read()
        text = text.replace(f"use_from = {last * DAY}", f"use_from = {(last + 2) * DAY}")
        text = text.replace(f"use_until = {(last + 1) * DAY}", f"use_until = {(last + 3) * DAY}")
        with open(later, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as out:
            out.write(text)
        done = fleet.run("gateway", "rotate", "--json")
        self.assertEqual((done.status, done.code), (1, "MISSING"), done.out)
        os.chmod(later, 0o644)
        done = fleet.run("gateway", "rotate", "--json")
        self.assertEqual((done.status, done.code), (2, "CONFIG"), done.out)
        self.assertEqual(done.json["error"]["field"], f"{last + 2}.key")
        os.unlink(later)

    def test_a_first_run_makes_keys_and_a_second_gives_the_same(self):
        """What was made and is not logged is given again, from the same keys, as often as asked."""
        fleet = Fleet()
        fleet.keep_from_midnight()
        with fleet:
            keys = os.path.join(fleet.state, "gateway", "ohttp_keys")
            log = os.path.join(fleet.state, "log", "public")
            self.later_keys_are_named(fleet, keys)
            configs, made = [], []
            for _ in range(3):
                done = fleet.run("gateway", "rotate", "--keys", keys, "--log", log, "--json")
                self.assertEqual(done.status, 0, done.out + done.err)
                self.assertFalse(done.json["logged"])
                configs.append(done.json["record"].split("config ")[1])
                made.append(done.json["made"])
            self.assertEqual(len(set(configs)), 1)
            self.assertGreater(made[0], 0)
            self.assertEqual(made[1:], [0, 0])
            text = fleet.run("gateway", "rotate", "--keys", keys, "--log", log).out
            self.assertTrue(text.startswith("type key-epoch/v1\n") and text.endswith(configs[0]), text)
            done = fleet.run("gateway", "rotate", "--json")  # the fleet logs just these
            self.assertEqual((done.status, done.json["made"], done.json["logged"]), (0, 0, True))
            self.assertEqual(done.json["record"].split("config ")[1], configs[0])


if __name__ == "__main__":
    unittest.main()
