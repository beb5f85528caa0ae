# SPDX-License-Identifier: Apache-2.0
"""The ledger's parties as they run: one log, four plain witnesses and a record witness, real processes.

    fleet.py LOGD WITNESSD [ROUNDS]

Every test is a function; its name says what must hold. ROUNDS: how often the log is killed.
"""
import base64
import hashlib
import http.client
import http.server
import json
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "vectors", "records"))
sys.dont_write_bytecode = True
import make as records  # noqa: E402

LOGD, WITNESSD = sys.argv[1:3]
ROUNDS = int(sys.argv[3]) if sys.argv[3:] and sys.argv[3].isdigit() else 25
PATIENCE = 60
# The parties' clock begins at the last half past the hour: on the hour a log adds a status record that no test counts.
HOUR = 3600
SKEW_S = -((int(time.time()) - HOUR // 2) % HOUR)
CLOCK = os.memfd_create("clock")
os.write(CLOCK, struct.pack("=q", SKEW_S * 1000))
passed = failed = skipped = 0


class Skip(Exception):
    """What this machine cannot do, so the test does not count."""


def moment():
    threading.Event().wait(0.02)


def now():
    return int(time.time()) + SKEW_S


def until(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        moment()
    raise AssertionError("waited in vain until " + what)


# --- Ed25519 verification, beside the signing of make.py ----------------------------------------
def unpack(data):
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    x = records.recover_x(y)
    x = records.P - x if x & 1 != data[31] >> 7 else x
    return (x, y, 1, x * y % records.P)


def verified(pk, message, signature):
    k = int.from_bytes(hashlib.sha512(signature[:32] + pk + message).digest(), "little") % records.L
    left = records.mul(int.from_bytes(signature[32:], "little"), records.B)
    right = records.add(unpack(signature[:32]), records.mul(k, unpack(pk)))
    return records.pack(left) == records.pack(right)


def signers(note, vkeys):
    """Who of `vkeys` has signed; a wrong signature of any of them is an error."""
    text, lines = note[:note.rindex(b"\n\n") + 1], note[note.rindex(b"\n\n") + 2:].decode().splitlines()
    found = set()
    for vkey in vkeys:
        name, key_id, key = vkey.split("+", 2)
        key = base64.b64decode(key)
        for line in lines:
            _, who, body = line.split(" ")
            body = base64.b64decode(body)
            if who != name or body[:4].hex() != key_id:
                continue
            message = text
            if key[0] == 4:
                message = b"cosignature/v1\ntime %d\n" % struct.unpack(">Q", body[4:12]) + text
            assert verified(key[1:], message, body[-64:]), line
            found.add(vkey)
    return found


class Party:
    """A daemon in its own folder."""
    all = []

    def __init__(self, program, folder, name):
        self.program, self.folder, self.process, self.port = program, folder, None, 0
        Party.all.append(self)
        done = subprocess.run([program, "--init", folder, name], text=True, capture_output=True, check=True)
        self.vkey = done.stdout.strip()

    def configure(self, lines):
        with open(os.path.join(self.folder, "config"), "w", encoding="utf-8") as f:
            f.write("environment = dev\n" + "".join(f"{k} = {v}\n" for k, v in lines))

    def start(self, expect_ready=True):
        out, into = os.pipe()
        events = open(os.path.join(self.folder, "events"), "ab")
        config = os.path.join(self.folder, "config")
        with open(config, encoding="utf-8") as f:  # who says prod keeps to the machine's
            clock = [] if "environment = prod\n" in f.read() else ["--clock-fd", str(CLOCK)]
        self.process = subprocess.Popen([self.program, "--config", config, "--ready-fd", str(into), *clock],
                                        pass_fds=[into, CLOCK], stdout=subprocess.DEVNULL, stderr=events)
        os.close(into)
        events.close()
        told = b""
        while b"ready\n" not in told:
            assert select.select([out], [], [], PATIENCE)[0], "not ready in time"
            more = os.read(out, 4096)
            if not more:
                break
            told += more
        os.close(out)
        if not expect_ready:
            return
        assert b"ready\n" in told, self.events()
        self.port = int(told.split(b"\n")[0].rsplit(b":", 1)[1])

    def events(self):
        if not os.path.exists(os.path.join(self.folder, "events")):
            return ""
        with open(os.path.join(self.folder, "events"), encoding="utf-8") as f:
            return f.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0, self.events()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def announce(self, path, length):
        """The status of a POST that says how long its body will be, and has not sent any of it yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest("POST", path)
            connection.putheader("Content-Length", str(length))
            connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict((k.lower(), v) for k, v in answer.getheaders())
        finally:
            connection.close()


reserved = []  # to the end of a fleet: nobody is given the port of one that starts later, or comes back


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))  # alone: only from here on may others name the port
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.append(s)
    return s.getsockname()[1]


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        f.write(text)


class Fleet:
    def __init__(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="pp-test-fleet-", dir=memory)
        self.log, self.witnesses, self.serial = None, [], 0

    def set_up(self):
        self.log = Party(LOGD, os.path.join(self.folder, "log"), records.LEDGER)
        self.witnesses = [Party(WITNESSD, os.path.join(self.folder, f"w{i}"), f"w{i}.example") for i in range(5)]
        port = free_port()  # the record witness reads the log, and the log's policy names the witness
        for i, w in enumerate(self.witnesses):
            lines = [("listen", f"127.0.0.1:{free_port()}"), ("log", self.log.vkey)]
            if i == 4:
                lines += [("role", "record"), ("url", f"http://127.0.0.1:{port}"),
                          ("namespace", records.NAMESPACE), ("owner_policy", "owner"),
                          ("review_policy", "review")]
                self.policies(w.folder)
            w.configure(lines)
            w.start()
        self.policies(self.log.folder)
        self.policy = (f"log {self.log.vkey}\n" +
                       "".join(f"witness w{i} {w.vkey} http://127.0.0.1:{w.port}\n"
                               for i, w in enumerate(self.witnesses)) +
                       "group plain 3 w0 w1 w2 w3\ngroup all-of all plain w4\nquorum all-of\n")
        write(self.log.folder, "policy", self.policy)
        self.log.configure([("listen", f"127.0.0.1:{port}"), ("namespace", records.NAMESPACE),
                            ("policy", "policy"), ("owner_policy", "owner"), ("review_policy", "review"),
                            ("retry_ms", 50), ("answer_ms", 30000)])
        self.log.start()

    def answer_soon(self):
        """From its next start on the log says soon that a batch is pending, for who leaves it without a quorum."""
        with open(os.path.join(self.log.folder, "config"), encoding="utf-8") as f:
            text = f.read()
        assert "answer_ms = 30000" in text
        write(self.log.folder, "config", text.replace("answer_ms = 30000", "answer_ms = 200"))

    @staticmethod
    def policies(folder):
        write(folder, "owner", records.POLICIES["owner"])
        write(folder, "review", records.POLICIES["review"])

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for p in Party.all:
            if kind is not None:
                print(os.path.basename(p.folder) + ":\n" + p.events()[-700:])
            if p.is_running():
                p.kill()
        Party.all.clear()
        while reserved:
            reserved.pop().close()
        shutil.rmtree(self.folder)

    def submit(self, entries):
        status, body, _ = self.log.call("POST", "/submit",
                                        b"".join(struct.pack(">I", len(e)) + e for e in entries))
        return status, body.decode()

    def hosts(self):
        self.serial += 1
        return records.note(records.host_set(serial=self.serial, time=now()), records.OWNER, records.R1)

    def first_batch(self):
        day = now() // 86400
        batch = [self.hosts(), records.note(records.small_release(time=now()), *records.REVIEWED)]
        for n in (0, 1):
            for kind in ("issuer", "ohttp"):
                batch.append(records.note(records.key_epoch(serial=n + 1, kind=kind, epoch=day + n, time=now()),
                                          records.OWNER))
        return batch

    def checkpoint(self):
        status, body, _ = self.log.call("GET", "/checkpoint")
        return (0, None, body) if status == 404 else self.parse(body)

    @staticmethod
    def parse(body):
        lines = body.decode().split("\n")
        return int(lines[1]), lines[2], body

    def entries(self, size):
        """All entries, fetched as any reader would."""
        found = []
        for n in range((size + 255) // 256):
            width = min(size - n * 256, 256)
            path = f"/tile/entries/{n:03}" + ("" if width == 256 else f".p/{width}")
            status, body, headers = self.log.call("GET", path)
            if status == 404:
                status, body, headers = self.log.call("GET", f"/tile/entries/{n:03}")
            assert status == 200 and headers["content-type"] == "application/octet-stream"
            for _ in range(width):
                length = struct.unpack(">H", body[:2])[0]
                found.append(body[2:2 + length])
                body = body[2 + length:]
        return found

    def verify(self):
        """The served tree, computed again from the entries, and the quorum under it."""
        size, root, note = self.checkpoint()
        entries = self.entries(size)
        assert base64.b64encode(records.root([records.leaf(e) for e in entries])).decode() == root
        assert entries[-1].startswith(b"type status/v1\n")
        who = signers(note, [self.log.vkey, *(w.vkey for w in self.witnesses)])
        assert self.log.vkey in who and self.witnesses[4].vkey in who and len(who) >= 5
        return size, entries


def test(function):
    global passed, failed, skipped
    name = function.__name__.replace("_", " ")
    began = time.monotonic()
    try:
        with Fleet() as fleet:
            fleet.set_up()
            function(fleet)
        passed += 1
        print(f"passed   {name} ({time.monotonic() - began:.1f} s)", flush=True)
    except Skip as why:
        skipped += 1
        print("skipped ", name, "-", why, flush=True)
    except Exception as e:
        failed += 1
        print("FAILED  ", name, "-", repr(e), traceback.format_exc(limit=-2), flush=True)


# --- tests --------------------------------------------------------------------------------------
def a_batch_is_published_under_the_quorum_and_answered_again_alike(fleet):
    assert fleet.log.call("GET", "/checkpoint")[0] == 404
    assert fleet.log.call("GET", "/directory")[0] == 404
    batch = fleet.first_batch()
    status, text = fleet.submit(batch)
    assert status == 200, text
    assert text.split("\n")[0] == "published 6"
    for i, entry in enumerate(batch):
        assert text.split("\n")[1 + i] == f"{i} {records.record_id(entry)}"
    assert fleet.submit(batch) == (200, text)
    size, entries = fleet.verify()
    assert size == 7 and entries[:6] == batch
    status, body, headers = fleet.log.call("GET", "/directory")
    assert status == 200 and headers["content-type"] == "application/pp-directory" and body[:2] == b"\x85\x01"
    assert batch[0] in body and entries[6] in body
    assert fleet.log.call("GET", "/checkpoint")[2]["content-type"] == "text/plain; charset=utf-8"


def what_is_not_there_is_404_and_other_methods_are_refused(fleet):
    assert fleet.submit(fleet.first_batch())[0] == 200
    for path in ("/tile/0/000", "/tile/0/000.p/8", "/tile/0/001.p/1", "/tile/1/000.p/1", "/tile/0/000.p/0",
                 "/tile/0/0", "/tile/entries/000", "/tile/", "/tile/64/000", "/nothing", "/key", "/signed",
                 "/pending/0000000000000001"):
        assert fleet.log.call("GET", path)[0] == 404, path
    assert fleet.log.call("GET", "/tile/0/000.p/7")[0] == 200
    assert fleet.log.call("GET", "/tile/0/000.p/3")[0] in (200, 404)  # no checkpoint of that size
    assert fleet.log.call("POST", "/checkpoint", b"x")[0] in (404, 405)


def a_refusal_names_the_entry_and_the_rule(fleet):
    batch = fleet.first_batch()
    one = records.note(records.small_release(time=now()), records.R1)
    assert fleet.submit([batch[0], one]) == (422, "refused 1 LEDGER_SIGNER\n")
    assert fleet.submit([batch[1]]) == (422, "refused batch MISSING\n")
    assert fleet.log.call("POST", "/submit", b"")[0] == 422
    assert fleet.log.call("POST", "/submit", b"\0\0\0\1")[0] == 422
    assert fleet.log.announce("/submit", (2 << 20) + 1) == 413
    assert fleet.log.call("GET", "/checkpoint")[0] == 404
    assert fleet.submit(batch)[0] == 200


def one_plain_witness_may_be_missing_and_not_two(fleet):
    assert fleet.submit(fleet.first_batch())[0] == 200
    fleet.witnesses[1].kill()
    entry = fleet.hosts()
    assert fleet.submit([entry])[0] == 200
    before = fleet.checkpoint()
    fleet.witnesses[2].kill()
    entry = fleet.hosts()
    fleet.log.stop()
    fleet.answer_soon()
    fleet.log.start()
    assert fleet.submit([entry]) == (202, "pending\n")
    assert fleet.checkpoint() == before
    fleet.witnesses[2].start()
    until("the batch is published", lambda: fleet.submit([entry])[0] == 200)
    fleet.verify()


def without_the_record_witness_nothing_is_published(fleet):
    fleet.witnesses[4].kill()
    batch = fleet.first_batch()
    fleet.log.stop()
    fleet.answer_soon()
    fleet.log.start()
    assert fleet.submit(batch)[0] == 202
    assert fleet.log.call("GET", "/checkpoint")[0] == 404
    fleet.witnesses[4].start()
    until("the batch is published", lambda: fleet.submit(batch)[0] == 200)
    fleet.witnesses[4].kill()
    fleet.witnesses[4].start()  # it forgot what it read, and reads it again
    entry = fleet.hosts()
    until("one more is published", lambda: fleet.submit([entry])[0] == 200)
    fleet.verify()


def a_witness_tells_what_it_cosigned_last(fleet):
    assert fleet.submit(fleet.first_batch())[0] == 200
    path = "/" + hashlib.sha256(records.LEDGER.encode()).hexdigest() + "/checkpoint"
    for w in fleet.witnesses:
        status, body, _ = w.call("GET", path)
        assert status == 200 and fleet.parse(body)[:2] == fleet.checkpoint()[:2]
        assert body.count("\u2014 ".encode()) == 2
        assert w.call("GET", path.replace("/checkpoint", "/"))[0] == 404
        assert w.call("GET", "/" + "0" * 64 + "/checkpoint")[0] == 404


def a_log_restored_from_a_backup_signs_nothing(fleet):
    """A11.7: the quorum remembers more than the restored log does."""
    assert fleet.submit(fleet.first_batch())[0] == 200
    fleet.log.stop()
    backup = fleet.log.folder + ".backup"
    shutil.copytree(fleet.log.folder, backup)
    fleet.log.start()
    assert fleet.submit([fleet.hosts()])[0] == 200
    fleet.log.stop()
    shutil.rmtree(fleet.log.folder)
    os.rename(backup, fleet.log.folder)
    fleet.log.start()
    assert fleet.log.process.wait(PATIENCE) == 1
    assert "event=LOG_BEHIND" in fleet.log.events()
    with open(os.path.join(fleet.log.folder, "signed"), encoding="utf-8") as f:
        assert f.read().split("\n")[1] == "7"


def a_restored_log_goes_on_with_the_files_of_a_mirror(fleet):
    """The lines of docs/operations.md, Backups: public files, and `signed` from the checkpoint among them."""
    assert fleet.submit(fleet.first_batch())[0] == 200
    fleet.log.stop()
    home, backup, mirror = fleet.log.folder, fleet.log.folder + ".backup", fleet.log.folder + ".mirror"
    shutil.copytree(home, backup)
    fleet.log.start()
    assert fleet.submit([fleet.hosts()])[0] == 200
    fleet.log.stop()
    shutil.copytree(os.path.join(home, "public"), mirror)
    shutil.rmtree(home)
    os.rename(backup, home)
    shutil.copytree(mirror, os.path.join(home, "public"), dirs_exist_ok=True)
    with open(os.path.join(mirror, "checkpoint"), encoding="utf-8") as f:
        served = f.readlines()
    with open(os.path.join(home, "signed"), "w", encoding="utf-8") as f:
        f.writelines(served[:5])
    fleet.log.start()
    assert fleet.submit([fleet.hosts()])[0] == 200
    assert fleet.checkpoint()[0] > int(served[1])


def a_witness_whose_state_was_changed_does_not_start(fleet):
    assert fleet.submit(fleet.first_batch())[0] == 200
    w = fleet.witnesses[0]
    w.stop()
    path = os.path.join(w.folder, "states", hashlib.sha256(records.LEDGER.encode()).hexdigest())
    with open(path, encoding="utf-8") as f:
        text = f.read()
    write(w.folder, "states/" + os.path.basename(path), text.replace("\n7\n", "\n6\n", 1))
    w.start(expect_ready=False)
    assert w.process.wait(PATIENCE) == 1


def everybody_ends_cleanly_when_asked(fleet):
    assert fleet.submit(fleet.first_batch())[0] == 200
    fleet.log.stop()
    assert "event=HTTP_TOTALS party=log answered=" in fleet.log.events(), fleet.log.events()
    for w in fleet.witnesses:
        w.stop()
        assert "event=HTTP_TOTALS party=witness answered=" in w.events(), w.events()


def killed_again_and_again_the_log_loses_nothing_and_forks_never(fleet):
    """A4, A6: also under witnesses that are killed; they would answer 409 or 422 to another history."""
    accepted, seen, dice = [], {}, random.Random(7)
    batch = fleet.first_batch()
    until("the log answers", lambda: fleet.submit(batch)[0] in (200, 202))
    for _ in range(ROUNDS):
        killer = threading.Timer(dice.uniform(0.0, 0.06), fleet.log.kill)
        other = dice.choice(fleet.witnesses) if dice.random() < 0.3 else None
        killer.start()
        try:
            while True:
                entry = fleet.hosts()
                status, text = fleet.submit([entry])
                assert status in (200, 202), text
                accepted.append(entry)
                size, root, _ = fleet.checkpoint()
                assert seen.setdefault(size, root) == root
        except (OSError, http.client.HTTPException):
            pass
        killer.join()
        if other is not None:
            other.kill()
            other.start()
        fleet.log.start()
        # A submission whose answer was lost may or may not be there; its serial is taken or free.
        until("what waits is published", lambda: fleet.submit([entry])[0] in (200, 422))
    last = fleet.hosts()
    until("the last is published", lambda: fleet.submit([last])[0] == 200)
    size, entries = fleet.verify()
    ids = {records.record_id(e) for e in entries}
    assert all(records.record_id(e) in ids for e in accepted)

    leaves = [records.leaf(e) for e in entries]
    for n, root in seen.items():
        assert n == 0 or base64.b64encode(records.root(leaves[:n])).decode() == root
    assert "LOG_BEHIND" not in fleet.log.events()
    for w in fleet.witnesses:
        assert "status=422" not in w.events() and "RULE_BROKEN" not in w.events(), w.events()


class TwoFaced:
    """A log with two histories, that share their first entries, and a key that signs either."""
    SHARED, ALL = 5, 40

    def __init__(self):
        first = [b"%d" % i for i in range(self.SHARED)]
        self.histories = [first + [b"%s %d" % (name, i) for i in range(self.SHARED, self.ALL)]
                          for name in (b"one", b"two")]
        self.requests = {}

    def request(self, which, old, size):
        key = (which, old, size)
        if key not in self.requests:
            self.requests[key] = request(self.histories[which][:size], old)
        return self.requests[key]

    def press(self, witness, which, dice, told):
        """Asks for one history until the witness is gone; `told` is all that it cosigned."""
        old = 0
        try:
            while True:
                size = max(1, min(self.ALL, old + (dice.random() < 0.2)))
                status, body, _ = witness.call("POST", "/add-checkpoint", self.request(which, old, size))
                if status == 200:
                    told.append((which, size, body))
                    old = size
                elif status == 409:
                    old = int(body)
                else:  # it believes the other one
                    if status != 422 or old <= self.SHARED:
                        told.append((which, 0, b"%d" % status))
                    return
        except (OSError, http.client.HTTPException):
            pass


def killed_again_and_again_a_witness_cosigns_one_history(fleet):
    """A7, A8: pressed for two histories at once over HTTP, it never stands behind its own word."""
    witness = Party(WITNESSD, os.path.join(fleet.folder, "pressed"), "pressed.example")
    log, told, largest = TwoFaced(), [], 0
    witness.configure([("listen", f"127.0.0.1:{free_port()}"), ("log", records.LOG.vkey())])
    path = "/" + hashlib.sha256(records.LEDGER.encode()).hexdigest() + "/checkpoint"
    for n in range(ROUNDS):
        dice = random.Random(n)
        witness.start()
        killer = threading.Timer(dice.uniform(0.0, 0.1), witness.kill)
        pressing = [threading.Thread(target=log.press, args=(witness, which, dice, told)) for which in (0, 1)]
        for t in (*pressing, killer):
            t.start()
        for t in (*pressing, killer):
            t.join()
        if told:
            largest = max(size for _, size, _ in told)
            witness.start()
            status, body, _ = witness.call("GET", path)
            assert status == 200 and Fleet.parse(body)[0] >= largest
            witness.kill()
    assert all(size > 0 for _, size, _ in told), told
    believed = {which for which, size, _ in told if size > log.SHARED}
    assert len(believed) == 1 and largest > log.SHARED, (believed, largest)
    for which, size, body in told[::max(1, len(told) // 20)]:
        text = log.request(which, 0, size).split(b"\n\n", 1)[1].rsplit(b"\n\n", 1)[0]
        assert signers(text + b"\n\n" + body, [witness.vkey]) == {witness.vkey}


class SmallDisk:
    """The folder of a party that is not running, on a file system of a few pages."""

    def __init__(self, folder, kib):
        self.folder = folder
        os.rename(folder, folder + ".before")
        os.mkdir(folder, 0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder], capture_output=True).returncode:
            raise Skip("no file system of its own can be mounted here")
        shutil.copytree(folder + ".before", folder, dirs_exist_ok=True)

    def fill(self):
        try:
            with open(os.path.join(self.folder, "filler"), "ab", buffering=0) as f:
                while True:
                    f.write(bytes(4096))
        except OSError:
            pass

    def free(self):
        os.unlink(os.path.join(self.folder, "filler"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], check=True)


def a_full_disk_is_said_and_loses_nothing(fleet):
    """A6: what was not stored is not acknowledged; what was acknowledged is there afterwards."""
    batch = fleet.first_batch()
    assert fleet.submit(batch)[0] == 200
    fleet.log.stop()
    fleet.answer_soon()
    with SmallDisk(fleet.log.folder, 512) as disk:
        fleet.log.start()
        disk.fill()
        refused = fleet.hosts()
        assert fleet.submit([refused]) == (507, "failed\n")
        before = fleet.checkpoint()
        assert before[0] == 7
        disk.free()
        until("the same batch is taken", lambda: fleet.submit([refused])[0] == 200)
        # Room for the batch itself, and for nothing that it needs to be published.
        disk.fill()
        size = os.stat(os.path.join(disk.folder, "filler")).st_size
        os.truncate(os.path.join(disk.folder, "filler"), size - 4096)
        waiting = fleet.hosts()
        assert fleet.submit([waiting]) == (202, "pending\n")
        assert "code=DISK_FULL" in fleet.log.events()
        fleet.log.kill()  # also when it is killed meanwhile
        disk.free()
        fleet.log.start()
        until("what waited is published", lambda: fleet.submit([waiting])[0] == 200)
        entries = fleet.verify()[1]
        assert all(e in entries for e in (*batch, refused, waiting))
        fleet.log.stop()


class Shelf(http.server.BaseHTTPRequestHandler):
    """A log's files, as the record witness reads them: entry bundles of a list of entries."""
    entries = []

    def do_GET(self):
        width = int(self.path.rsplit("/", 1)[1]) if ".p/" in self.path else 256
        first = int(self.path.split("/")[3].split(".")[0]) * 256
        bundle = self.entries[first:first + width]
        found = self.path.startswith("/tile/entries/") and len(bundle) == width
        body = b"".join(struct.pack(">H", len(e)) + e for e in bundle) if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def node_of(leaves, lo, hi):
    return records.root(leaves[lo:hi])


def consistency(leaves, m):
    """RFC 9162 2.1.4.1, from its recursive definition."""
    def sub(m, lo, hi, whole):
        if m == hi - lo:
            return [] if whole else [node_of(leaves, lo, hi)]
        k = 1
        while k * 2 < hi - lo:
            k *= 2
        if m <= k:
            return sub(m, lo, lo + k, whole) + [node_of(leaves, lo + k, hi)]
        return sub(m - k, lo + k, hi, False) + [node_of(leaves, lo, lo + k)]
    return sub(m, 0, len(leaves), True) if 0 < m < len(leaves) else []


def request(entries, old=0):
    leaves = [records.leaf(e) for e in entries]
    note = records.note([records.LEDGER, str(len(entries)), base64.b64encode(records.root(leaves)).decode()],
                        records.LOG)
    proof = "".join(base64.b64encode(h).decode() + "\n" for h in consistency(leaves, old))
    return f"old {old}\n{proof}\n".encode() + note


class Reader:
    """A record witness alone with a shelf."""

    def __init__(self, folder, environment):
        self.shelf = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("OneShelf", (Shelf,), {}))
        threading.Thread(target=self.shelf.serve_forever, args=(0.01,), daemon=True).start()
        self.witness = Party(WITNESSD, folder, "record.example")
        Fleet.policies(folder)
        self.witness.configure([("log", records.LOG.vkey()), ("role", "record"), ("namespace", records.NAMESPACE),
                                ("url", f"http://127.0.0.1:{self.shelf.server_address[1]}"),
                                ("owner_policy", "owner"), ("review_policy", "review")])
        config = os.path.join(folder, "config")
        with open(config, encoding="utf-8") as f:
            text = f.read().replace("environment = dev", f"environment = {environment}")
        write(folder, "config", text)
        self.witness.start()

    def ask(self, entries, old=0, shown=None):
        self.shelf.RequestHandlerClass.entries = entries if shown is None else shown
        return self.witness.call("POST", "/add-checkpoint", request(entries, old))[:2]

    def close(self):
        self.witness.kill()
        self.shelf.shutdown()
        self.shelf.server_close()


def the_record_witness_cosigns_only_a_log_that_keeps_the_rules(fleet):
    if not records.LOGS:
        records.dev_logs()
        records.prod_logs()
    number = {n: e for e, n in records.NUMBERS.items()}
    for i, log in enumerate(records.LOGS):
        if log.get("code") == "LEDGER_FUTURE":
            continue  # the witness has the real clock
        reader = Reader(os.path.join(fleet.folder, f"reader{i}"), log["environment"])
        status, body = reader.ask([number[n] for n in log["entries"]])
        reader.close()
        want = (422, log["code"].encode() + b"\n") if log["want"] == "reject" else (200, None)
        assert status == want[0] and want[1] in (None, body), (log["desc"], status, body)


def a_refused_tree_is_forgotten_and_the_right_one_is_cosigned(fleet):
    reader = Reader(os.path.join(fleet.folder, "reader"), "dev")
    good = records.first().status().entries
    longer, other = list(good), list(good)
    bad = good + [good[1]]
    assert reader.ask(good)[0] == 200
    assert reader.ask(bad, len(good)) == (422, b"LEDGER_SERIAL\n")
    kept = records.first().records
    for i in range(300):  # across a full bundle
        for log, later in ((longer, 1), (other, 2)):
            k = records.Log()
            k.serial, k.records = 1 + i, kept
            log += k.status(time=records.NOW + later + i).entries
    # other entries than the checkpoint's, fewer of them, none at all
    assert reader.ask(longer, len(good), shown=other) == (422, b"PROOF\n")
    assert reader.ask(longer, len(good), shown=longer[:-1])[0] == 503
    assert reader.ask(longer, len(good), shown=[])[0] == 503
    assert reader.ask(longer, len(good))[0] == 200
    assert reader.ask(longer, len(longer))[0] == 200
    assert reader.ask(longer, 0) == (409, b"%d\n" % len(longer))
    reader.witness.kill()
    reader.witness.start()
    assert reader.ask(longer, len(longer))[0] == 200
    reader.close()


def the_published_exchanges_hold_over_http(fleet):
    """C2SP tlog-witness: the order of checks, statuses and bodies, one request after the other."""
    with open(os.path.join(ROOT, "tests/vectors/tlog/add-checkpoint.json"), encoding="utf-8") as f:
        rows = json.load(f)
    w = Party(WITNESSD, os.path.join(fleet.folder, "exchanges"), "w.example")
    w.configure([("log", rows["log_vkey"])])
    w.start()
    for x in rows["exchanges"]:
        status, body, headers = w.call("POST", "/add-checkpoint", x["request"].encode())
        assert status == x["status"], (x["desc"], status)
        if status == 409:
            assert body.decode() == x["body"] and headers["content-type"] == "text/x.tlog.size"
        if status == 200:
            assert signers(x["cosigns"].encode() + b"\n" + body, [w.vkey]) == {w.vkey}
        if dice_of_restarts.random() < 0.3:  # nothing depends on what is not on disk
            w.kill()
            w.start()
    w.kill()


class Misbehaving(http.server.BaseHTTPRequestHandler):
    """A witness that answers everything wrongly, one way at a time."""
    way, calls = 0, 0
    WAYS = [(200, b""), (200, b"garbage"), (200, "\u2014 w0.example AAAAAAA=\n".encode()), (409, b"x\n"), (409, b"0\n"),
            (404, b""), (422, b""), (500, b""), (200, b"\xff" * 20000), (409, b"9999\n"), (200, None)]
    name, seed = "w0.example", None

    def cosignature_with_own_text(self, request):
        """Signed by the witness's own key, over the log's text and a line that is not the log's."""
        text = records.text_of(request[request.index(b"\n\n") + 2:]) + b"\nX\n"
        public = records.public(self.seed)
        key_id = hashlib.sha256(self.name.encode() + b"\n\x04" + public).digest()[:4]
        at = now()
        signature = records.sign(self.seed, b"cosignature/v1\ntime %d\n" % at + text)
        blob = base64.b64encode(key_id + struct.pack(">Q", at) + signature)
        return b"X\n\n" + f"\u2014 {self.name} ".encode() + blob + b"\n"

    def do_POST(self):
        cls = type(self)
        cls.calls += 1
        request = self.rfile.read(int(self.headers["Content-Length"]))
        status, body = cls.WAYS[cls.way % len(cls.WAYS)]
        body = self.cosignature_with_own_text(request) if body is None else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def a_misbehaving_witness_is_one_too_few_and_nothing_more(fleet):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    fleet.log.stop()
    with open(os.path.join(fleet.witnesses[0].folder, "key"), encoding="utf-8") as f:
        Misbehaving.seed = base64.b64decode(f.read().strip().split("+", 4)[4])[1:]
    right = f"http://127.0.0.1:{fleet.witnesses[0].port}\n"
    write(fleet.log.folder, "policy", fleet.policy.replace(right, f"http://127.0.0.1:{server.server_address[1]}\n"))
    fleet.log.start()
    assert fleet.submit(fleet.first_batch())[0] == 200
    for way in range(len(Misbehaving.WAYS)):
        Misbehaving.way, before = way, Misbehaving.calls
        status, text = fleet.submit([fleet.hosts()])
        assert status == 200, (way, text)
        assert 1 <= Misbehaving.calls - before <= 4
        assert len(signers(fleet.checkpoint()[2], [w.vkey for w in fleet.witnesses])) == 4
    server.shutdown()
    server.server_close()


dice_of_restarts = random.Random(3)


def run(tests):
    """Those that PP_FLEET_TEST names, or all."""
    only = os.environ.get("PP_FLEET_TEST", "")
    for f in tests:
        if only in f.__name__:
            test(f)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed > 0)


if __name__ == "__main__":
    run((the_published_exchanges_hold_over_http,
         the_record_witness_cosigns_only_a_log_that_keeps_the_rules,
         a_refused_tree_is_forgotten_and_the_right_one_is_cosigned,
         a_batch_is_published_under_the_quorum_and_answered_again_alike,
         what_is_not_there_is_404_and_other_methods_are_refused,
         a_refusal_names_the_entry_and_the_rule,
         one_plain_witness_may_be_missing_and_not_two,
         without_the_record_witness_nothing_is_published,
         a_misbehaving_witness_is_one_too_few_and_nothing_more,
         a_witness_tells_what_it_cosigned_last,
         a_log_restored_from_a_backup_signs_nothing,
         a_restored_log_goes_on_with_the_files_of_a_mirror,
         a_witness_whose_state_was_changed_does_not_start,
         everybody_ends_cleanly_when_asked,
         a_full_disk_is_said_and_loses_nothing,
         killed_again_and_again_a_witness_cosigns_one_history,
         killed_again_and_again_the_log_loses_nothing_and_forks_never))
