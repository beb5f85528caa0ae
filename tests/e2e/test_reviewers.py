# SPDX-License-Identifier: Apache-2.0
"""The recipe of docs/operations.md, "Reviewers who change": a ledger whose history other people had reviewed goes on,
and is read from its first entry by the log, the record witness and everybody with a trust folder."""
import hashlib
import os
import shutil
import time

import test_people
from test_people import NAMESPACE, DAY, Party, release_text, revoke_text

NEXT = ("dora", "emil", "fritz")


class Reviewers(test_people.Ledger):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert cls.submitted.status == 0, cls.submitted.out + cls.submitted.err
        vkeys = {n: cls.must("review", "key", f"{n}.key", f"{n}.people.example").out.strip() for n in NEXT}
        cls.write("next.policy", "".join(f"witness {n} {vkeys[n]}\n" for n in NEXT) +
                  f"group two 2 {' '.join(NEXT)}\nquorum two\n")

    def release(self, name, policies, signers, role, serial):
        """A release that names `policies` and that `signers` sign, as NAME.entry."""
        text = release_text(int(time.time()), self.at(policies[0]), role, serial)
        for policy in policies[1:]:
            with open(self.at(policy), "rb") as f:
                text += f"review then sha256:{hashlib.sha256(f.read()).hexdigest()}\n"
        self.write(name + ".record", text)
        self.sign(name, signers)
        return name + ".entry"

    def sign(self, name, signers):
        for i, signer in enumerate(signers):
            self.must("review", "sign", f"{name}.{'entry' if i else 'record'}", "--key", f"{signer}.key")

    def revocation(self, name, target, serial, signer):
        self.write(name + ".record", revoke_text(int(time.time()), target, serial))
        self.sign(name, (signer,))
        return name + ".entry"

    def host_set(self, name, serial, reviewer):
        self.must("host-set", "new", "--out", name, "--from", "week1.hosts", "--serial", str(serial), "--not-after",
                  str(int(time.time()) + DAY), "--where", "here", *self.single())
        for key in "owner.key", f"{reviewer}.key":
            self.must("host-set", "sign", name + ".hosts", "--key", key)
        return name + ".entry"

    def log_it(self, entry):
        """Published: the record witness cosigned too, which the quorum needs."""
        return self.must("log", "submit", entry, "--url", self.url, "--wait", "--json").json["entries"][0]

    # --- the parties that read from the first entry -----------------------------------------------

    def stop_readers(self):
        self.record_address = self.parties[4].address
        for party in self.parties[4:]:
            party.stop()
        del self.parties[4:]

    def readers(self, lines):
        """(folder, program, configuration) of the record witness and of the log."""
        policies = f"owner_policy = owner.policy\nreview_policy = review.policy\nnamespace = {NAMESPACE}\n{lines}"
        port = self.url.rsplit(":", 1)[1]
        return ((self.at("record-witness"), "pp-witnessd", f"listen = {self.record_address}\nlog = {self.vkeys['log']}\n"
                 f"role = record\nurl = {self.url}\n{policies}"),
                (self.at("state", "log"), "pp-logd", f"listen = 127.0.0.1:{port}\npolicy = policy\n{policies}"))

    def start_readers(self, lines):
        for folder, program, config in self.readers(lines):
            self.parties.append(Party(folder, program, config))

    def does_not_start(self, lines):
        with self.assertRaisesRegex(AssertionError, "pp-logd ended"):
            self.parties.append(Party(*self.readers(lines)[1]))

    def change_policies(self, size):
        for folder in self.at("record-witness"), self.at("state", "log"), self.at("state", "trust"):
            trust = folder.endswith("trust")
            shutil.move(os.path.join(folder, "review.policy"),
                        os.path.join(folder, f"review.policy.before-{size}" if trust else "review.former"))
            shutil.copy(self.at("next.policy"), os.path.join(folder, "review.policy"))

    def readers_are_content(self, size, old):
        """Everybody who reads the whole history under STATE/trust."""
        audit = self.must("log", "audit", "--json").json
        self.assertEqual((audit["size"], audit["finding_count"]), (size, 0))
        self.assertEqual(self.show()["size"], size)
        watch = self.run_("log", "monitor", "--log", self.at("state", "log"), "--once", "--json").json
        self.assertEqual(watch["size"], size)
        self.assertEqual([f for f in watch["findings"] if f["kind"] == "fact"], [])  # no rule is broken
        rows = {r["id"]: r for r in self.run_("release", "status", "--json").json["releases"]}
        self.assertIn("alice", rows[old["id"]]["reviewers"])
        self.must("log", "prove", "--index", str(old["index"]), "--out", "old.tlog-proof")
        self.must("log", "verify", "release.entry", "old.tlog-proof")

    # --- the change -------------------------------------------------------------------------------

    def test_b1_reviewers_change_and_the_history_before_them_stays(self):
        old = next(e for e in self.submitted.json["entries"] if e["type"] == "cvm-release")
        bad = self.log_it(self.release("bad", ["review.policy"], ("alice", "bob"), "predictor", 1))
        self.log_it(self.revocation("stop", bad["id"], 1, "carol"))
        both = self.release("both", ["review.policy", "next.policy"], ("alice", "bob", "dora", "emil"), "orchestrator", 2)
        both = self.log_it(both)
        size = self.show()["size"]

        self.stop_readers()
        self.change_policies(size)
        self.does_not_start("")  # it would not even read what it has signed
        self.does_not_start(f"former_review_policy = {size - 4} review.former\n")  # carol's revocation
        self.does_not_start(f"former_review_policy = {size + 1} review.former\n")  # and log what they sign next
        self.start_readers(f"former_review_policy = {size} review.former\n")
        self.readers_are_content(size, old)

        self.log_it(self.release("next", ["next.policy"], ("dora", "fritz"), "orchestrator", 3))
        self.log_it(self.host_set("week2", 2, "emil"))
        self.readers_are_content(size + 4, old)

        shutil.copytree(self.at("state", "trust"), self.at("forgetful"))
        os.unlink(self.at("forgetful", f"review.policy.before-{size}"))
        done = self.run_("log", "audit", "--trust", self.at("forgetful"), "--json")
        self.assertEqual(done.status, 3, done.out)
        self.assertIn("LEDGER_SIGNER", {f["code"] for f in done.json["findings"]})

        again = self.release("again", ["review.policy"], ("alice", "bob"), "orchestrator", 4)
        for entry in (again, self.revocation("late", both["id"], 2, "carol"), self.host_set("week3", 3, "carol")):
            error = self.refused("LOG_REFUSED", "log", "submit", entry, "--url", self.url)
            self.assertEqual((error["field"], error["got"]), (entry, "LEDGER_SIGNER"))
            self.refused("SIGNATURES", "log", "submit", entry, "--url", self.url, *self.place())  # nothing was sent
        self.assertEqual(self.show()["size"], size + 4)
