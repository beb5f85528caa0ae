# SPDX-License-Identifier: Apache-2.0
"""A log and a witness on disks that are full, read-only, or allow no file of the size that is needed.

    disks.py LOGD WITNESSD

Real file systems where one can be mounted (else skipped, with the reason); limits of the process everywhere.
"""
import hashlib
import os
import resource
import subprocess
import sys

sys.dont_write_bytecode = True
import fleet as ledger  # noqa: E402
from fleet import records, until  # noqa: E402

ORIGIN_ID = hashlib.sha256(records.LEDGER.encode()).hexdigest()


class Disk(ledger.SmallDisk):
    """A party's home on a file system of its own; its events go to another one."""

    def __init__(self, party, kib):
        super().__init__(party.folder, kib)
        if os.path.exists(os.path.join(party.folder, "events")):
            os.unlink(os.path.join(party.folder, "events"))
        os.symlink(party.folder + ".events", os.path.join(party.folder, "events"))

    def remount(self, how):
        done = subprocess.run(["mount", "-o", f"remount,{how}", self.folder], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def signed_size(log):
    with open(os.path.join(log.folder, "signed"), encoding="utf-8") as f:
        return int(f.read().split("\n")[1])


def state_of(witness):
    with open(os.path.join(witness.folder, "states", ORIGIN_ID), "rb") as f:
        return f.read()


def told(party, *what):
    until(f"{what} is told", lambda: any(w in party.events() for w in what))


def a_log_on_a_read_only_disk_signs_nothing_and_goes_on(fleet):
    batch = fleet.first_batch()
    assert fleet.submit(batch)[0] == 200
    fleet.log.stop()
    fleet.answer_soon()
    with Disk(fleet.log, 4096) as disk:
        fleet.log.start()
        entry = fleet.hosts()
        before = fleet.checkpoint()
        disk.remount("ro")
        for _ in range(3):
            assert fleet.submit([entry])[0] == 500
        assert "event=LOG_BATCH_FAILED file=tiles code=SYSTEM" in fleet.log.events()
        told(fleet.log, "event=LOG_STORE_FAILED code=SYSTEM")
        assert fleet.checkpoint() == before and signed_size(fleet.log) == before[0] == 7
        assert fleet.verify()[0] == 7  # and it serves its tiles
        disk.remount("rw")
        until("the same batch is taken", lambda: fleet.submit([entry])[0] == 200)
        # Read-only between a batch that waits and its publication, and killed meanwhile.
        for w in fleet.witnesses[:2]:
            w.kill()
        waiting = fleet.hosts()
        assert fleet.submit([waiting])[0] == 202
        disk.remount("ro")
        for w in fleet.witnesses[:2]:
            w.start()
        told(fleet.log, "event=LOG_BATCH_FAILED file=public code=SYSTEM")
        fleet.log.kill()
        disk.remount("rw")
        fleet.log.start()
        until("what waited is published", lambda: fleet.submit([waiting])[0] == 200)
        entries = fleet.verify()[1]
        assert all(e in entries for e in (*batch, entry, waiting))
        fleet.log.stop()


def a_log_does_not_start_on_a_disk_that_it_cannot_repair_and_does_later(fleet):
    batch = fleet.first_batch()
    assert fleet.submit(batch)[0] == 200
    fleet.log.stop()
    with Disk(fleet.log, 4096) as disk:
        os.unlink(os.path.join(disk.folder, "public/tile/0/000.p/7"))
        disk.remount("ro")
        fleet.log.start(expect_ready=False)
        assert fleet.log.process.wait(ledger.PATIENCE) != 0
        assert "field:    folder" in fleet.log.events(), fleet.log.events()
        disk.remount("rw")
        fleet.log.start()
        assert fleet.submit([fleet.hosts()])[0] == 200
        assert fleet.verify()[1][:6] == batch
        fleet.log.stop()


def a_witness_whose_disk_takes_nothing_cosigns_nothing(fleet):
    """A8: full, then read-only; what it cosigned before is still told, and it goes on afterwards."""
    assert fleet.submit(fleet.first_batch())[0] == 200
    w = fleet.witnesses[0]
    w.stop()
    with Disk(w, 64) as disk:
        w.start()
        for ruin, mend in ((disk.fill, disk.free), (lambda: disk.remount("ro"), lambda: disk.remount("rw"))):
            known = state_of(w)
            count = w.events().count("WITNESS_STORE_FAILED")
            ruin()
            assert fleet.submit([fleet.hosts()])[0] == 200  # the others are enough
            until("it is told", lambda: w.events().count("WITNESS_STORE_FAILED") > count)
            assert w.vkey not in ledger.signers(fleet.checkpoint()[2], [x.vkey for x in fleet.witnesses])
            assert state_of(w) == known == w.call("GET", f"/{ORIGIN_ID}/checkpoint")[1]
            mend()
            assert fleet.submit([fleet.hosts()])[0] == 200
            until("it cosigns again", lambda: state_of(w) != known)
        assert "code=DISK_FULL" in w.events() and "code=SYSTEM" in w.events()
        w.stop()


def limit_files(party, most):
    resource.prlimit(party.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def files_that_may_not_grow_stop_no_party(fleet):
    """Without any rights: no file may be larger than nothing at all."""
    batch = fleet.first_batch()
    assert fleet.submit(batch)[0] == 200
    before = fleet.checkpoint()
    entry = fleet.hosts()
    limit_files(fleet.log, 0)
    for _ in range(3):
        assert fleet.submit([entry])[0] == 500
    assert fleet.verify()[0] == before[0] == signed_size(fleet.log)
    limit_files(fleet.log, resource.RLIM_INFINITY)
    until("the same batch is taken", lambda: fleet.submit([entry])[0] == 200)

    w = fleet.witnesses[0]
    until("it has cosigned that", lambda: b"\n9\n" in state_of(w))
    known = state_of(w)
    limit_files(w, 0)
    assert fleet.submit([fleet.hosts()])[0] == 200
    assert state_of(w) == known == w.call("GET", f"/{ORIGIN_ID}/checkpoint")[1]
    assert w.vkey not in ledger.signers(fleet.checkpoint()[2], [x.vkey for x in fleet.witnesses])
    limit_files(w, resource.RLIM_INFINITY)
    assert fleet.submit([fleet.hosts()])[0] == 200
    until("it cosigns again", lambda: state_of(w) != known)
    assert batch == fleet.verify()[1][:6]


ledger.run((a_log_on_a_read_only_disk_signs_nothing_and_goes_on,
            a_log_does_not_start_on_a_disk_that_it_cannot_repair_and_does_later,
            a_witness_whose_disk_takes_nothing_cosigns_nothing,
            files_that_may_not_grow_stop_no_party))
