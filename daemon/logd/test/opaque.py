# SPDX-License-Identifier: Apache-2.0
"""A log of anything as it runs: one log, one plain witness, any bytes as entries.

    opaque.py LOGD WITNESSD

The parties are real processes, as in fleet.py.
"""
import base64
import hashlib
import http.client
import os
import random
import shutil
import signal
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
import fleet as ledger  # noqa: E402
from fleet import Party, records, until, write  # noqa: E402

ORIGIN = "log.example/anything"
KILLS = 12


class Fleet(ledger.Fleet):
    """The witness of the log may be any: the policy is one of C2SP, of no ledger's shape."""
    policy = "log {log}\nwitness w {witness} http://127.0.0.1:{port}\nquorum w\n"
    settings = [("batch_ms", 50), ("batch_entries", 1000), ("answer_ms", 30000)]

    def set_up(self):
        self.log = Party(ledger.LOGD, os.path.join(self.folder, "log"), ORIGIN)
        witness = Party(ledger.WITNESSD, os.path.join(self.folder, "w0"), "w0.example")
        witness.configure([("log", self.log.vkey)])
        witness.start()
        self.witnesses = [witness]
        write(self.log.folder, "policy", self.policy.format(log=self.log.vkey, witness=witness.vkey, port=witness.port))
        self.configure(self.settings)
        self.log.start()

    def configure(self, settings):
        self.log.configure([("admission", "opaque"), ("policy", "policy"), ("retry_ms", 50),
                            *settings])

    def verify(self):
        size, root, note = self.checkpoint()
        entries = self.entries(size)
        assert base64.b64encode(records.root([records.leaf(e) for e in entries])).decode() == root
        who = ledger.signers(note, [self.log.vkey, self.witnesses[0].vkey])
        assert who == {self.log.vkey, self.witnesses[0].vkey}
        return size, entries


def numbers(first, count):
    return [b"entry %d" % (first + i) for i in range(count)]


def any_bytes_are_published_once(fleet):
    batch = [b"", b"\xff\0\n", bytes(65535)] + numbers(0, 253)
    status, text = fleet.submit(batch)
    lines = text.split("\n")
    assert status == 200 and lines[0] == "published 256", text[:200]
    for i, entry in enumerate(batch):
        assert lines[1 + i] == f"{i} {hashlib.sha256(bytes(1) + entry).hexdigest()}"
    assert fleet.submit(batch) == (200, text)
    assert fleet.submit(batch[7:8] * 3)[1].split("\n")[1:4] == lines[8:9] * 3
    size, entries = fleet.verify()
    assert size == 256 and entries == batch
    assert fleet.log.call("GET", "/directory")[0] == 404
    fleet.log.stop()
    fleet.log.start()
    assert fleet.submit(batch) == (200, text)
    assert fleet.submit(numbers(1000, 3))[0] == 200
    assert fleet.verify()[0] == 259


def what_is_too_much_is_refused_by_name(fleet):
    assert fleet.submit([b"a", bytes(65536)]) == (422, "refused 1 LIMIT\n")
    assert fleet.submit(numbers(0, 257)) == (422, "refused 256 LIMIT\n")
    assert fleet.log.call("POST", "/submit", b"")[0] == 422
    assert fleet.log.announce("/submit", (2 << 20) + 1) == 413
    assert fleet.log.call("GET", "/checkpoint")[0] == 404  # size 0 is never served


def entries_gather_until_their_time_or_their_number(fleet):
    fleet.log.stop()
    fleet.configure([("batch_ms", 500), ("batch_entries", 100)])
    fleet.log.start()
    began = time.monotonic()
    fleet.log.process.send_signal(signal.SIGSTOP)  # so that both are there when it looks
    senders = []
    for body in (b"one", b"two"):
        senders.append(http.client.HTTPConnection("127.0.0.1", fleet.log.port, timeout=ledger.PATIENCE))
        senders[-1].request("POST", "/submit", struct.pack(">I", len(body)) + body)
    fleet.log.process.send_signal(signal.SIGCONT)
    for sender in senders:
        assert sender.getresponse().status == 200
        sender.close()
    assert time.monotonic() - began >= 0.5 and fleet.verify()[0] == 2
    fleet.log.stop()
    fleet.configure([("batch_ms", 3600000), ("batch_entries", 100)])
    fleet.log.start()
    assert fleet.submit(numbers(0, 100))[0] == 200  # a full batch waits for nothing
    assert fleet.log.events().count("event=LOG_BATCH_SIGNED") == 2


def what_gathers_has_a_limit_and_survives(fleet):
    assert fleet.submit(numbers(0, 5))[0] == 200
    fleet.log.stop()
    fleet.configure([("answer_ms", 0), ("batch_ms", 3600000)])
    fleet.log.start()
    acknowledged = numbers(0, 5)
    for i in range(64):
        assert fleet.submit([b"batch %d" % i]) == (202, "pending\n")
        acknowledged.append(b"batch %d" % i)
    assert fleet.submit([b"one more"]) == (503, "refused batch BUSY\n")
    assert fleet.submit([b"batch 7"]) == (202, "pending\n")  # it waits already
    fleet.log.kill()
    fleet.configure([("batch_ms", 1)])
    fleet.log.start()
    until("all of it is published", lambda: fleet.checkpoint()[0] == 69)
    assert fleet.verify()[1] == acknowledged
    assert fleet.submit([b"one more"])[0] == 200


def a_policy_without_witnesses_publishes_by_itself(fleet):
    fleet.log.stop()
    write(fleet.log.folder, "policy", f"log {fleet.log.vkey}\nquorum none\n")
    fleet.log.start()
    assert fleet.submit(numbers(0, 3))[0] == 200
    size, root, note = fleet.checkpoint()
    assert size == 3 and ledger.signers(note, [fleet.log.vkey]) == {fleet.log.vkey}


def keys_of_a_ledger_are_refused(fleet):
    fleet.log.stop()
    for key, value in (("namespace", "a"), ("owner_policy", "policy"), ("review_policy", "policy")):
        fleet.configure([(key, value)])
        fleet.log.start(expect_ready=False)
        assert fleet.log.process.wait(ledger.PATIENCE) == 2
        assert f"field:    {key}" in fleet.log.events()
    fleet.log.configure([("admission", "records"), ("policy", "policy"), ("batch_ms", 5)])
    fleet.log.start(expect_ready=False)
    assert fleet.log.process.wait(ledger.PATIENCE) == 2


def a_bundle_that_is_lost_is_noticed_when_all_is_read(fleet):
    assert fleet.submit(numbers(0, 256))[0] == 200
    assert fleet.submit(numbers(256, 256))[0] == 200
    assert fleet.submit(numbers(512, 9))[0] == 200
    fleet.log.stop()
    os.unlink(os.path.join(fleet.log.folder, "public", "tile", "entries", "000"))
    fleet.log.start()
    fleet.log.stop()
    fleet.configure([("read_all", "yes")])
    fleet.log.start(expect_ready=False)
    assert fleet.log.process.wait(ledger.PATIENCE) != 0 and "field:    folder" in fleet.log.events()


def a_restored_folder_is_behind_its_guard(fleet):
    """A11.7, where not even the witnesses are asked: the guard lies on other storage."""
    guard = os.path.join(fleet.folder, "elsewhere")
    fleet.log.stop()
    fleet.configure([("batch_ms", 1), ("guard", guard)])
    fleet.log.start()
    assert fleet.submit(numbers(0, 3))[0] == 200
    fleet.log.stop()
    shutil.copytree(fleet.log.folder, fleet.log.folder + ".backup")
    fleet.log.start()
    assert fleet.submit(numbers(3, 3))[0] == 200
    fleet.log.kill()
    shutil.rmtree(fleet.log.folder)
    shutil.copytree(fleet.log.folder + ".backup", fleet.log.folder)
    fleet.log.start(expect_ready=False)
    assert fleet.log.process.wait(ledger.PATIENCE) != 0
    assert "LEDGER_ROLLBACK" in fleet.log.events() and "field:    guard" in fleet.log.events()


def killed_under_load_the_log_loses_nothing_that_it_acknowledged(fleet):
    """Four senders, and a log that is killed at any time; A4, A6."""
    acknowledged, stop, serial = [], threading.Event(), iter(range(1 << 30))
    lock = threading.Lock()

    def send():
        while not stop.is_set():
            with lock:
                batch = numbers(next(serial) * 100, 20)
            try:
                status, _ = fleet.submit(batch)
            except (OSError, http.client.HTTPException):
                continue
            if status in (200, 202):
                with lock:
                    acknowledged.extend(batch)

    senders = [threading.Thread(target=send) for _ in range(4)]
    fleet.log.stop()
    fleet.configure([("batch_ms", 10), ("listen", f"127.0.0.1:{ledger.free_port()}"),
                     ("guard", os.path.join(fleet.folder, "elsewhere"))])
    shutil.copy(os.path.join(fleet.log.folder, "signed"), os.path.join(fleet.folder, "elsewhere"))
    fleet.log.start()
    for s in senders:
        s.start()
    dice = random.Random(4)
    size = 0
    for _ in range(KILLS):
        threading.Event().wait(dice.uniform(0.02, 0.4))
        fleet.log.kill()
        fleet.log.start()
        now = fleet.checkpoint()[0]
        assert now >= size
        size = now
    until("enough was acknowledged", lambda: len(acknowledged) > 100)
    stop.set()
    for s in senders:
        s.join()
    last = b"the last"
    until("the last one is published", lambda: fleet.submit([last])[0] == 200)
    entries = fleet.verify()[1]
    assert not set(acknowledged) - set(entries)
    assert len(entries) == len(set(entries))
    assert "LOG_BEHIND" not in fleet.log.events()


ledger.Fleet = Fleet

ledger.run((any_bytes_are_published_once,
            what_is_too_much_is_refused_by_name,
            entries_gather_until_their_time_or_their_number,
            what_gathers_has_a_limit_and_survives,
            a_policy_without_witnesses_publishes_by_itself,
            keys_of_a_ledger_are_refused,
            a_bundle_that_is_lost_is_noticed_when_all_is_read,
            a_restored_folder_is_behind_its_guard,
            killed_under_load_the_log_loses_nothing_that_it_acknowledged))
