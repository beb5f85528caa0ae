# SPDX-License-Identifier: Apache-2.0
"""W27.T6: the log's key is replaced in place: the old one signs, then both, then the new one.

    log_keys.py LOGD WITNESSD PPCTL

The parties are real processes, as in fleet.py; readers are ppctl with policies of their own.
"""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fleet as ledger  # noqa: E402
from fleet import records, until  # noqa: E402

PPCTL = os.path.abspath(sys.argv[3])
PLACE = ["--origin", records.LEDGER, "--namespace", records.NAMESPACE, "--environment", "dev"]


def set_config(party, without, lines):
    path = os.path.join(party.folder, "config")
    with open(path, encoding="utf-8") as f:
        kept = [line for line in f.read().splitlines() if line.split(" = ")[0] not in without]
    ledger.write(party.folder, "config", "".join(line + "\n" for line in kept + [f"{k} = {v}" for k, v in lines]))


class Change:
    """A log that changes its key, and readers with policies that list one key, the other, or both."""

    def __init__(self, fleet):
        self.fleet, self.old = fleet, fleet.log.vkey
        away = os.path.join(fleet.folder, "next")
        self.new = ledger.Party(ledger.LOGD, away, records.LEDGER).vkey
        os.rename(os.path.join(away, "key"), os.path.join(fleet.log.folder, "key.new"))
        self.rest = fleet.policy.split("\n", 1)[1]
        ledger.Fleet.policies(fleet.folder)
        for name, vkeys in (("old", [self.old]), ("new", [self.new]), ("both", [self.new, self.old])):
            ledger.write(fleet.folder, name, self.policy(vkeys))

    def policy(self, vkeys):
        return "".join(f"log {v}\n" for v in vkeys) + self.rest

    def restart_witnesses(self, witnesses, vkeys):
        for w in witnesses:
            w.stop()
            set_config(w, ("log",), [("log", v) for v in vkeys])
            w.start()

    def restart_log(self, vkeys, lines, ready=True):
        if self.fleet.log.is_running():
            self.fleet.log.stop()
        ledger.write(self.fleet.log.folder, "policy", self.policy(vkeys))
        set_config(self.fleet.log, ("key", "second_key", "second_key_name", "former_key"), lines)
        self.fleet.log.start(expect_ready=ready)

    def ppctl(self, policy, *args):
        folder = self.fleet.folder
        args = [PPCTL, "log", *args, *PLACE, "--log-policy", os.path.join(folder, policy), "--owner-policy",
                os.path.join(folder, "owner"), "--review-policy", os.path.join(folder, "review")]
        done = subprocess.run(args, text=True, capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def publish(self, *vkeys):
        """One more batch; what is signed with exactly these keys is accepted by who knows any of them."""
        fleet, log = self.fleet, os.path.join(self.fleet.log.folder, "public")
        before = fleet.checkpoint()[0]
        entries = [fleet.hosts()] if before else fleet.first_batch()
        assert until("it is published", lambda: fleet.submit(entries)[0] == 200)
        size, _, note = fleet.checkpoint()
        assert size == before + len(entries) + 1
        status = fleet.entries(size)[-1]
        with open(os.path.join(fleet.log.folder, "signed"), "rb") as f:
            signed = f.read()
        for text in (note, signed, status):
            assert ledger.signers(text, [self.old, self.new]) == set(vkeys)
        proof, entry = (os.path.join(fleet.folder, name) for name in ("status.tlog-proof", "status.entry"))
        status, words = self.ppctl("both", "prove", "--log", log, "--index", str(size - 1), "--out", proof,
                                   "--entry-out", entry)
        assert status == 0, words
        for policy, vkey in (("old", self.old), ("new", self.new), ("both", vkeys[0])):
            status, words = self.ppctl(policy, "verify", entry, proof)
            assert (status == 0) == (vkey in vkeys), (policy, words)
        self.watch(vkeys)

    def watch(self, vkeys):
        """Who lists both keys reads all of it, and finds nothing."""
        log = os.path.join(self.fleet.log.folder, "public")
        status, words = self.ppctl("both", "audit", "--log", log)
        assert status == 0, words
        status, words = self.ppctl("both", "show", "--log", log, "--json")
        assert status == 0, words
        first = self.new if self.new in vkeys else self.old  # the first in the policy that has signed
        assert json.loads(words)["vkey"] == first, words
        status, words = self.ppctl("both", "monitor", "--log", log, "--once", "--images", "skip", "--state",
                                   os.path.join(self.fleet.folder, "monitor"), "--checkpoint",
                                   os.path.join(log, "directory"))
        assert status == 0, words


def w27_t6_a_log_replaces_its_key_while_it_publishes(fleet):
    change = Change(fleet)
    old, new, record = change.old, change.new, fleet.witnesses[4]
    change.publish(old)
    change.restart_witnesses(fleet.witnesses, [new, old])
    change.restart_log([old, new], [("key", "key"), ("second_key", "key.new")])
    change.publish(old, new)
    change.publish(old, new)
    # Apps that know the old key alone are gone: only who reads the history still lists it.
    change.restart_log([new], [("key", "key.new"), ("former_key", old)])
    change.restart_witnesses(fleet.witnesses[:4], [new])
    change.publish(new)
    change.restart_log([new], [("key", "key.new"), ("former_key", old)])
    record.stop()  # it reads all of the log anew
    record.start()
    change.publish(new)


def w27_t6_a_log_that_leaves_its_old_key_at_once_says_its_tree_again(fleet):
    """An emergency: witnesses that know the new key alone are asked about the old one's tree."""
    change = Change(fleet)
    change.publish(change.old)
    fleet.log.stop()
    change.restart_witnesses(fleet.witnesses[:4], [change.new])
    change.restart_witnesses(fleet.witnesses[4:], [change.new, change.old])
    with open(os.path.join(fleet.log.folder, "signed"), encoding="utf-8") as f:
        size = int(f.read().split("\n")[1])
    change.restart_log([change.new], [("key", "key.new"), ("former_key", change.old)])
    until("the tree of before is published anew",
          lambda: ledger.signers(fleet.checkpoint()[2], [change.new, change.old]) == {change.new})
    assert fleet.checkpoint()[0] == size
    change.publish(change.new)


def w27_t6_a_configuration_that_is_no_change_of_key_is_refused(fleet):
    change = Change(fleet)
    change.publish(change.old)
    other = ledger.Party(ledger.LOGD, os.path.join(fleet.folder, "other"), "other.example/log")
    stranger = os.path.join(other.folder, "key")
    both = [change.old, change.new]
    first = ("key", "key")
    for vkeys, lines, field in (
            (both, [("key", "key.new")], "former_key"),
            (both, [first, ("second_key", stranger)], "second_key"),
            (both, [first, ("second_key", "key")], "second_key"),
            (both, [first, ("second_key", "nowhere")], "nowhere"),
            (both, [first, ("second_key_name", records.LEDGER)], "second_key_name"),
            (both, [first, ("former_key", other.vkey)], "former_key"),
            (both, [first, ("former_key", change.old)], "former_key"),
            (both, [first, ("former_key", fleet.witnesses[0].vkey)], "former_key"),
            (both, [first] + [("former_key", change.new)] * 5, "former_key"),
            ([change.old], [first, ("second_key", "key.new")], "policy")):
        change.restart_log(vkeys, lines, ready=False)
        assert fleet.log.process.wait(ledger.PATIENCE) == 2, lines
        said = fleet.log.events().split("what")[-1]
        assert f"  field:    {field}\n" in said, (lines, said)
    change.restart_log(both, [first])
    change.publish(change.old)


if __name__ == "__main__":
    ledger.run((w27_t6_a_log_replaces_its_key_while_it_publishes,
                w27_t6_a_log_that_leaves_its_old_key_at_once_says_its_tree_again,
                w27_t6_a_configuration_that_is_no_change_of_key_is_refused))
