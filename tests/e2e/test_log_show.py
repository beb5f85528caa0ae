# SPDX-License-Identifier: Apache-2.0
"""ppctl log show: a log is shown when every byte of it has been checked, and not at all otherwise."""
import os
import shutil
import unittest

from fleet import Fleet


WITNESSES = {"witness1", "witness2", "witness3", "witness4", "record-witness"}
TRIES = 20


class LogShow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A fleet whose log has every cosignature: for one that a quorum does not need it waits 250 ms."""
        for _ in range(TRIES):
            cls.fleet = Fleet()
            cls.fleet.__enter__()
            cls.public = os.path.join(cls.fleet.state, "log", "public")
            with open(os.path.join(cls.public, "checkpoint"), encoding="utf-8") as f:
                signed = {line.split()[1].split(".")[0] for line in f if line.startswith("\u2014 ")}
            if WITNESSES <= signed:
                return
            cls.fleet.__exit__()
        raise AssertionError("a witness is always late")

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def setUp(self):
        self.kept = os.path.join(self.fleet.folder, "kept")
        shutil.copytree(self.public, self.kept)

    def tearDown(self):
        shutil.rmtree(self.public)
        os.rename(self.kept, self.public)

    def show(self):
        return self.fleet.run("log", "show", "--json")

    def change(self, name, change):
        path = os.path.join(self.public, name)
        with open(path, "rb") as f:
            content = f.read()
        with open(path, "wb") as f:
            f.write(change(content))

    def entries(self):
        folder = os.path.join(self.public, "tile", "entries", "000.p")
        return os.path.join("tile", "entries", "000.p", os.listdir(folder)[0])

    def refused(self, code, status=3):
        done = self.show()
        self.assertEqual((done.status, done.code), (status, code), done.out)
        self.assertNotIn("records", done.json)
        error = done.json["error"]
        self.assertTrue(error["do"])
        return error

    def test_the_whole_log_is_shown_with_what_is_in_force(self):
        done = self.show()
        self.assertEqual(done.status, 0, done.out)
        answer = done.json
        self.assertEqual(answer["folder"], self.public)
        self.assertTrue(answer["vkey"].startswith(answer["origin"] + "+"))
        self.assertEqual([r["index"] for r in answer["records"]], list(range(answer["size"])))
        self.assertEqual({w["name"] for w in answer["witnesses"]}, WITNESSES)
        self.assertEqual(answer["time"], sorted((w["time"] for w in answer["witnesses"]))[-4])
        self.assertEqual(answer["anchor"]["where"], "STATE/trust")
        types = [r["type"] for r in answer["records"]]
        self.assertEqual(set(types), {"host-set", "key-epoch", "cvm-release", "status"})
        self.assertEqual(types[-1], "status")
        status = answer["status"]
        self.assertTrue(status["in_force"])
        named = {*status["releases"], status["hosts"], *(k["id"] for k in status["keys"])}
        for r in answer["records"][:-1]:
            self.assertEqual(r["effective"], r["id"] in named)
        release = next(r for r in answer["records"] if r["type"] == "cvm-release")
        self.assertEqual((release["role"], len(release["snp"][0]["measurement"])),
                         ("orchestrator", 96))

    def test_people_read_who_vouches_and_against_which_anchor(self):
        done = self.fleet.run("log", "show")
        self.assertEqual(done.status, 0, done.err)
        for words in ("origin:     log.pp-dev.example", "vkey:       log.pp-dev.example+", "witness:    record-witness 2",
                      "against STATE/trust", "cvm-release 1, effective", "in force until"):
            self.assertIn(words, done.out)

    def test_w27_t5_a_changed_entry_shows_nothing(self):
        self.change(self.entries(), lambda b: b[:90] + bytes([b[90] ^ 1]) + b[91:])
        self.assertEqual(self.refused("LEDGER_PROOF")["field"], "root of the tree")

    def test_a_cut_bundle_shows_nothing(self):
        self.change(self.entries(), lambda b: b[:-10])
        self.refused("LEDGER_PROOF")

    def test_a_missing_bundle_shows_nothing(self):
        os.unlink(os.path.join(self.public, self.entries()))
        self.assertIn("tile/entries/000", self.refused("LEDGER_PROOF")["field"])

    def without_lines_of(self, *names):
        def change(b):
            return b"".join(line for line in b.splitlines(True)
                            if not any(f"\u2014 {n}.pp-dev.example ".encode() in line for n in names))
        self.change("checkpoint", change)

    def test_too_few_witnesses_show_nothing(self):
        self.without_lines_of("witness1", "witness2")
        self.refused("LEDGER_QUORUM")

    def test_three_of_four_are_enough(self):
        self.without_lines_of("witness1")
        answer = self.show().json
        self.assertNotIn("witness1", [w["name"] for w in answer["witnesses"]])

    def test_without_the_record_witness_nothing_is_shown(self):
        self.without_lines_of("record-witness")
        self.refused("LEDGER_RECORD_WITNESS")

    def test_without_the_log_s_signature_nothing_is_shown(self):
        self.without_lines_of("log")
        self.refused("LEDGER_SIGNATURE")

    def test_a_larger_size_shows_nothing(self):
        def grow(note):
            origin, size, rest = note.split(b"\n", 2)
            return b"\n".join((origin, b"%d" % (int(size) + 1), rest))
        self.change("checkpoint", grow)
        self.refused("LEDGER_SIGNATURE")

    def test_what_is_no_checkpoint_shows_nothing(self):
        for junk in (b"", b"\n", b"junk", b"\xff" * 100, b"x" * 100000):
            self.change("checkpoint", lambda _, junk=junk: junk)
            self.assertIn(self.show().status, (2, 3), junk[:10])

    def test_another_fleet_s_log_shows_nothing(self):
        with Fleet() as other:
            shutil.rmtree(self.public)
            shutil.copytree(os.path.join(other.state, "log", "public"), self.public)
            self.refused("LEDGER_SIGNATURE")

    def test_an_absent_log_is_named(self):
        os.unlink(os.path.join(self.public, "checkpoint"))
        self.assertIn("log/public", self.refused("STATE_ABSENT", 2)["field"])
        done = self.fleet.run("log", "show", "extra", "--json")
        self.assertEqual((done.status, done.code), (2, "USAGE"))


if __name__ == "__main__":
    unittest.main()
