# SPDX-License-Identifier: Apache-2.0
"""The witness as strangers meet it: logs of others, requests at the same moment, keys that change,
and for the record witness every lie of a log and of who serves its files.

    witness.py LOGD WITNESSD

The parties are real processes, as in daemon/logd/test/fleet.py; a log that lies is written here.
"""
import base64
import gzip
import hashlib
import http.client
import http.server
import json
import os
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "logd", "test"))
import fleet as ledger  # noqa: E402
from fleet import Party, records, until  # noqa: E402

ORIGIN = "stranger.example/log"


# --- a log of somebody else ---------------------------------------------------------------------
class P256:
    """ECDSA on P-256 (FIPS 186-4), enough of it to sign as a log of others does."""
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    g = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
         0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

    @classmethod
    def add(cls, a, b):
        if a is None or b is None:
            return a or b
        if a[0] == b[0] and (a[1] + b[1]) % cls.p == 0:
            return None
        slope = ((3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, cls.p) if a == b
                 else (b[1] - a[1]) * pow(b[0] - a[0], -1, cls.p))
        x = (slope * slope - a[0] - b[0]) % cls.p
        return x, (slope * (a[0] - x) - a[1]) % cls.p

    @classmethod
    def mul(cls, k, q):
        found = None
        for bit in bin(k)[2:]:
            found = cls.add(found, found)
            found = cls.add(found, q) if bit == "1" else found
        return found


def der_integer(i):
    body = i.to_bytes(i.bit_length() // 8 + 1, "big")
    return bytes([2, len(body)]) + body


class EcdsaKey:
    """A note key of type 0x02; its id is that of the SubjectPublicKeyInfo."""

    def __init__(self, name, secret):
        self.name, self.secret = name, secret
        x, y = P256.mul(secret, P256.g)
        self.spki = (bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") +
                     x.to_bytes(32, "big") + y.to_bytes(32, "big"))
        self.id = hashlib.sha256(self.spki).digest()[:4]

    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{records.b64(bytes([2]) + self.spki)}"

    def line(self, text):
        z = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
        k = int.from_bytes(hashlib.sha512(text.encode() + b"nonce").digest(), "big") % P256.n
        r = P256.mul(k, P256.g)[0] % P256.n
        s = pow(k, -1, P256.n) * (z + r * self.secret) % P256.n
        body = der_integer(r) + der_integer(s)
        return f"\u2014 {self.name} {records.b64(self.id + bytes([0x30, len(body)]) + body)}\n"


ED25519, NEW_ED25519 = records.Key(ORIGIN, 40), records.Key(ORIGIN, 41)
ECDSA = EcdsaKey("any-name", 42)


def tree(size, tag=b""):
    return [hashlib.sha256(b"\0" + tag + bytes([i])).digest() for i in range(size)]


def root_of(leaves):
    return records.root(leaves) if leaves else hashlib.sha256(b"").digest()


def request(leaves, old=0, keys=(ED25519,), origin=ORIGIN, proof=None, more=""):
    """An add-checkpoint body; `more` are further signature lines."""
    text = f"{origin}\n{len(leaves)}\n{records.b64(root_of(leaves))}\n"
    proof = ledger.consistency(leaves, old) if proof is None else proof
    lines = "".join(records.b64(h) + "\n" for h in proof)
    return f"old {old}\n{lines}\n{text}\n{''.join(k.line(text) for k in keys)}{more}".encode()


class Witness(Party):
    def __init__(self, folder, *logs, **more):
        super().__init__(ledger.WITNESSD, folder, "witness.example")
        self.know(*logs, **more)
        self.start()

    def know(self, *logs, **more):
        self.configure([("log", line) for line in logs] + list(more.items()))

    def add(self, body):
        status, answer, headers = self.call("POST", "/add-checkpoint", body)
        assert (headers.get("content-type") == "text/x.tlog.size") == (status == 409)
        return status, answer

    def cosigns(self, body):
        status, answer = self.add(body)
        assert status == 200, (status, answer)
        text = body[body.index(b"\n\n") + 2:]
        text = text[:text.rindex(b"\n\n") + 1]
        assert ledger.signers(text + b"\n" + answer, [self.vkey]) == {self.vkey}
        return answer

    def told(self, origin=ORIGIN):
        return self.call("GET", "/" + hashlib.sha256(origin.encode()).hexdigest() + "/checkpoint")[:2]


class Alone(ledger.Fleet):
    """These tests make the parties that they need; only some want the whole fleet."""
    whole = ledger.Fleet.set_up

    def set_up(self):
        pass

    def witness(self, *logs, name="witness", **more):
        return Witness(os.path.join(self.folder, name), *logs, **more)


# --- the witness --------------------------------------------------------------------------------
def a8_two_requests_of_one_old_size_do_not_both_win(fleet):
    """The bytes of all requests are there but for the last one, which all get at once: each is another tree."""
    w = fleet.witness(ED25519.vkey())
    grown = 0
    w.cosigns(request(tree(1)))
    leaves = tree(1)
    for _ in range(12):
        bodies = [request(leaves + tree(1 + i, b"fork%d" % i), len(leaves)) for i in range(6)]
        sockets = []
        for body in bodies:
            s = socket.create_connection(("127.0.0.1", w.port), timeout=ledger.PATIENCE)
            head = f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {len(body)}\r\n\r\n"
            s.sendall(head.encode() + body[:-1])
            sockets.append(s)
        for s in sockets:
            s.sendall(b"\n")
        answers = []
        for s in sockets:
            answer = http.client.HTTPResponse(s)
            answer.begin()
            answers.append((answer.status, answer.read()))
            s.close()
        won = [i for i, a in enumerate(answers) if a[0] == 200]
        assert len(won) == 1, [a[0] for a in answers]
        leaves = leaves + tree(1 + won[0], b"fork%d" % won[0])
        assert all(a == (409, b"%d\n" % len(leaves)) for i, a in enumerate(answers) if i != won[0])
        grown += 1
        if grown % 4 == 0:  # what won is what is on the disk
            w.kill()
            w.start()
            assert w.add(request(leaves, 0)) == (409, b"%d\n" % len(leaves))


def a8_of_two_faults_the_first_of_the_table_is_told(fleet):
    w = fleet.witness(ED25519.vkey())
    w.cosigns(request(tree(3)))
    strangers = [records.Key(ORIGIN, 50)]
    wrong = [bytes(32)]
    assert w.add(b"old 03\n\n" + request(tree(5), 3, origin="nobody.example")[7:])[0] == 400
    assert w.add(request(tree(5), 6, strangers, "nobody.example", wrong))[0] == 400
    assert w.add(request(tree(5), 1, strangers, "nobody.example", wrong))[0] == 404
    assert w.add(request(tree(5), 1, strangers, proof=wrong))[0] == 403
    assert w.add(request(tree(5), 1, (), proof=wrong))[0] == 403
    assert w.add(request(tree(5), 1, proof=wrong)) == (409, b"3\n")
    assert w.add(request(tree(5), 3, proof=wrong))[0] == 422
    assert w.add(request(tree(5), 0, proof=wrong)) == (409, b"3\n")  # how a log learns the size
    w.cosigns(request(tree(5), 3))


def a8_one_connection_carries_many_requests(fleet):
    w = fleet.witness(ED25519.vkey())
    connection = http.client.HTTPConnection("127.0.0.1", w.port, timeout=ledger.PATIENCE)
    connection.connect()
    kept = connection.sock
    for size in range(1, 40):
        for old, want in ((size - 1, 200), (0, 200 if size == 0 else 409), (size, 200)):
            connection.request("POST", "/add-checkpoint", request(tree(size), old))
            answer = connection.getresponse()
            answer.read()
            assert answer.status == want and connection.sock is kept, (size, old, answer.status)
    connection.close()


def an_empty_log_is_cosigned_and_grows_from_nothing(fleet):
    w = fleet.witness(ED25519.vkey())
    assert w.told()[0] == 404
    w.cosigns(request([]))
    assert w.add(request([], proof=[bytes(32)]))[0] == 422
    assert w.told()[1].split(b"\n")[1] == b"0"
    w.cosigns(request(tree(2)))
    assert w.add(request([], 0)) == (409, b"2\n")


def logs_of_others_sign_with_ecdsa_too(fleet):
    w = fleet.witness(f"{ECDSA.vkey()} {ORIGIN}", records.Key("other.example", 44).vkey())
    w.cosigns(request(tree(3), keys=[ECDSA]))
    body = request(tree(5), 3, keys=[ECDSA])
    assert w.add(body.replace(b"\n5\n", b"\n6\n", 1))[0] == 403
    assert w.add(request(tree(5), 3, keys=[EcdsaKey("any-name", 43)]))[0] == 403
    w.cosigns(body)
    w.kill()
    w.start()
    assert w.add(request(tree(5), 0, keys=[ECDSA])) == (409, b"5\n")
    assert ledger.signers(w.told()[1], [w.vkey]) == {w.vkey}
    assert w.told()[1].count("\u2014 ".encode()) == 2  # the log's line and ours
    # A ledger of records is no such log: its status records are Ed25519.
    record = Party(ledger.WITNESSD, os.path.join(fleet.folder, "record"), "record.example")
    ledger.Fleet.policies(record.folder)
    record.configure([("log", ECDSA.vkey()), ("role", "record"), ("url", "http://127.0.0.1:1"),
                      ("namespace", "n"), ("owner_policy", "owner"), ("review_policy", "review")])
    record.start(expect_ready=False)
    assert record.process.wait(ledger.PATIENCE) == 2


def a_log_changes_its_key_under_an_overlap(fleet):
    """Old key; both keys known, and either or both sign; new key alone: one history throughout."""
    w = fleet.witness(ED25519.vkey())
    w.cosigns(request(tree(2)))
    assert w.add(request(tree(3), 2, [NEW_ED25519]))[0] == 403
    w.stop()
    w.know(ED25519.vkey(), NEW_ED25519.vkey())
    w.start()
    w.cosigns(request(tree(3), 2, [ED25519]))
    w.cosigns(request(tree(4), 3, [ED25519, NEW_ED25519]))
    w.cosigns(request(tree(5), 4, [NEW_ED25519]))
    forged = request(tree(6), 5, [NEW_ED25519]) + ED25519.line("another text\n").encode()
    assert w.add(forged)[0] == 403  # a known key's line that is wrong spoils a right one
    w.stop()
    w.know(NEW_ED25519.vkey())
    w.start()
    assert w.add(request(tree(6), 5, [ED25519]))[0] == 403
    assert w.add(request(tree(6, b"x"), 0, [NEW_ED25519])) == (409, b"5\n")
    w.cosigns(request(tree(6), 5, [NEW_ED25519]))


def a_witness_changes_its_key_and_forgets_nothing(fleet):
    w = fleet.witness(ED25519.vkey())
    w.cosigns(request(tree(3)))
    w.stop()
    old, new = w.vkey, Party(ledger.WITNESSD, os.path.join(fleet.folder, "new"), "witness.example")
    os.replace(os.path.join(new.folder, "key"), os.path.join(w.folder, "key"))
    for previous in (None, new.vkey, ED25519.vkey()):  # not the key before this one
        w.know(ED25519.vkey(), **({"previous": previous} if previous else {}))
        w.start(expect_ready=False)
        assert w.process.wait(ledger.PATIENCE) in (1, 2)
    w.know(ED25519.vkey(), previous=old)
    w.start()
    w.vkey = new.vkey
    assert w.add(request(tree(5, b"x"), 0)) == (409, b"3\n")
    assert ledger.signers(w.told()[1], [old]) == {old}
    w.cosigns(request(tree(5), 3))
    w.stop()
    w.know(ED25519.vkey())  # every log of it was cosigned since
    w.start()
    assert w.add(request(tree(5), 0)) == (409, b"5\n")


def lines_of_other_types_are_ignored(fleet):
    """C2SP tlog-cosignature: ML-DSA-44 (type 0x06) lines are lines of unknown keys, under whatever name."""
    w = fleet.witness(ED25519.vkey())
    for name in (ORIGIN, "witness.example", "else.example"):
        blob = base64.b64encode(b"\x12\x34\x56\x78" + struct.pack(">Q", 1) + bytes(2420)).decode()
        w.cosigns(request(tree(3), 0 if name == ORIGIN else 3, more=f"\u2014 {name} {blob}\n" * 12))
    assert w.told()[1].count("\u2014 ".encode()) == 2


def two_logs_do_not_know_of_each_other(fleet):
    other = records.Key("other.example", 44)
    w = fleet.witness(ED25519.vkey(), other.vkey())
    w.cosigns(request(tree(3)))
    w.cosigns(request(tree(7), keys=[other], origin=other.name))
    assert w.add(request(tree(4), 3, [other]))[0] == 403
    assert w.add(request(tree(4), 3, origin=other.name))[0] == 403
    w.cosigns(request(tree(4), 3))
    assert w.told()[1].split(b"\n")[1] == b"4" and w.told(other.name)[1].split(b"\n")[1] == b"7"


def sixty_four_logs_fit(fleet):
    keys = [records.Key(f"log{i}.example", 60 + i) for i in range(65)]
    w = fleet.witness(*(k.vkey() for k in keys[:64]))
    for k in (keys[0], keys[63]):
        w.cosigns(request(tree(1), keys=[k], origin=k.name))
    w.stop()
    w.know(*(k.vkey() for k in keys))
    w.start(expect_ready=False)
    assert w.process.wait(ledger.PATIENCE) == 2


def the_recorded_exchanges_of_another_witness_hold_over_http(fleet):
    """Where it was written before the specification: unknown logs got 403 (404 now), and so did a line whose
    Base64 has stray bits (400: it is no note)."""
    path = os.path.join(os.environ.get("PP_SHARED", os.path.join(ledger.ROOT, "..", "shared")),
                        "vectors", "tlog", "witness", "litewitness.json")
    if not os.path.exists(path):
        raise ledger.Skip("these recordings are not here")
    with open(path, encoding="utf-8") as f:
        sessions = json.load(f)
    for i, session in enumerate(sessions):
        logs = [f"{key} {origin}" for origin, keys in session["log_keys"].items() for key in keys]
        w = fleet.witness(*logs, name=f"session{i}")
        for j, x in enumerate(session["exchanges"]):
            want = x["status"]
            if want == 403:
                want = 404 if "unknown log" in x["body"] else 400
            status, body = w.add(x["request"].encode())
            assert status == want, (i, j, status, body)
            assert status != 409 or body.decode() == x["body"]
            assert status != 200 or body.startswith("\u2014 witness.example ".encode())
        w.kill()


# --- our log and a witness that is not ours ---------------------------------------------------------
class Foreign(http.server.BaseHTTPRequestHandler):
    """Another implementation of tlog-witness, in its own words: it checks nothing and tells what it does."""
    protocol_version = "HTTP/1.1"
    name, seed, size, asked = "w0.example", None, 0, []

    def line(self, text):
        public = records.public(self.seed)
        key_id = hashlib.sha256(self.name.encode() + b"\n\x04" + public).digest()[:4]
        now = ledger.now()
        signature = records.sign(self.seed, b"cosignature/v1\ntime %d\n" % now + text)
        return f"\u2014 {self.name} {records.b64(key_id + struct.pack('>Q', now) + signature)}\n"

    def do_POST(self):
        cls = type(self)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        old = int(body.split(b"\n")[0].split(b" ")[1])
        note = body[body.index(b"\n\n") + 2:]
        cls.asked.append(old)
        if old != cls.size:
            status, kind, answer = 409, "text/x.tlog.size", f"{cls.size}\n"
        else:
            cls.size = int(note.split(b"\n")[1])
            unknown = records.b64(b"\1\2\3\4" + bytes(2428))
            answer = (f"\u2014 another.example {unknown}\n" + self.line(records.text_of(note)) +
                      f"\u2014 {self.name} {unknown}\n")
            status, kind = 200, "text/plain; charset=utf-8"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_):
        pass


def a_witness_that_is_not_ours_cosigns_our_log(fleet):
    """The log's side: a 409 is asked again from its size, the witness's line is taken, those beside it are not."""
    fleet.whole()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    w0 = fleet.witnesses[0]
    with open(os.path.join(w0.folder, "key"), encoding="utf-8") as f:
        Foreign.seed = base64.b64decode(f.read().strip().split("+", 4)[4])[1:]
    fleet.log.stop()
    w0.stop()
    fleet.witnesses[1].stop()  # three of four: its cosignature is needed
    right = f"http://127.0.0.1:{w0.port}\n"
    ledger.write(fleet.log.folder, "policy",
                 fleet.policy.replace(right, f"http://127.0.0.1:{server.server_address[1]}\n"))
    fleet.log.start()
    batch = fleet.first_batch()
    until("the first batch is published", lambda: fleet.submit(batch)[0] == 200)
    Foreign.size = 0  # it lost its memory: the log is told, and asks with a proof from nothing
    entry = fleet.hosts()
    until("the next one is published", lambda: fleet.submit([entry])[0] == 200)
    assert 0 in Foreign.asked[1:]
    note = fleet.checkpoint()[2]
    assert w0.vkey in ledger.signers(note, [w0.vkey]) and b"another.example" not in note
    assert note.count(b"w0.example") == 1
    server.shutdown()
    server.server_close()


# --- the record witness ---------------------------------------------------------------------------
def adversaries():
    """What a log can do wrong and a record witness can see, beside the logs of tests/vectors/records:
    a name, the entries that were fine, the entries behind them, and the rule."""
    r, now = records, records.NOW
    good = r.first().status().entries

    def signed(lines, *keys):
        return [r.note(lines, *keys)]

    release = r.small_release(serial=2, time=now + 1)
    yield "an unreviewed release", good, signed(release, r.LOG), "LEDGER_SIGNER"
    yield "a release with one review of two", good, signed(release, r.R1), "LEDGER_SIGNER"
    yield "one reviewer twice", good, signed(release, r.R1, r.R1), "LEDGER_SIGNER"
    yield "a host-set that only the owner signed", good, signed(r.host_set(serial=2, time=now + 1), r.OWNER), \
        "LEDGER_SIGNER"
    yield "keys that reviewers signed", good, signed(r.key_epoch(serial=3, epoch=20002, time=now + 1), r.R1, r.R2), \
        "LEDGER_SIGNER"
    k = r.first()
    yield "a revocation by the log", good, signed(r.revoke(k.records[1]["id"], time=now + 1), r.LOG), "LEDGER_SIGNER"
    yield "an entry that is no record", good, [b"hello\n\n\xe2\x80\x94 a AAAAAAA=\n"], "ORDER"
    yield "a serial that goes back", good, signed(r.small_release(serial=1, time=now + 1), *r.REVIEWED), \
        "LEDGER_SERIAL"
    # B1: another signature line gives a revoked text another leaf; it is the same record, and dead.
    k.revoke(k.records[1]["id"])
    dead = k.status().entries
    again = k.entries[1] + r.STRANGER.line(r.text_of(k.entries[1]).decode()).encode()
    yield "w21: a revoked text under another leaf", dead, [again], "LEDGER_SERIAL"
    other = r.note(r.small_release(serial=9, tag="a", time=now + 2), *r.REVIEWED)
    yield "w21: a revoked measurement under a new serial", dead, [other], "LEDGER_REVOKED"
    k = r.first()
    k.status()
    k.release(serial=2, tag="b", time=now + 1)
    yield "no status at the end", good, k.entries[len(good):], "LEDGER_NOT_LAST"


def b7_every_lie_that_a_record_witness_can_see_is_named(fleet):
    for i, (name, good, bad, code) in enumerate(adversaries()):
        reader = ledger.Reader(os.path.join(fleet.folder, f"reader{i}"), "dev")
        assert reader.ask(good)[0] == 200, name
        status, body = reader.ask(good + bad, len(good))
        assert (status, body) == (422, code.encode() + b"\n"), (name, status, body)
        # Nothing was cosigned: the next one is asked from the same place.
        assert reader.ask(good, len(good))[0] == 200, name
        assert f"event=WITNESS_RULE_BROKEN code={code} entry={len(good)}" in reader.witness.events() or \
            code == "LEDGER_NOT_LAST", name
        reader.close()


class Hostile(ledger.Shelf):
    """Serves the same entries wrongly, one way at a time."""
    way = None

    def answer(self, status, body, fields=(), length=None):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.way is None:
            super().do_GET()
            return
        width = int(self.path.rsplit("/", 1)[1]) if ".p/" in self.path else 256
        first = int(self.path.split("/")[3].split(".")[0]) * 256
        entries = self.entries[first:first + width]
        body = b"".join(struct.pack(">H", len(e)) + e for e in entries)
        try:
            getattr(self, self.way)(body, entries)
        except OSError:
            pass  # the reader has had enough

    def gzip_encoding(self, body, _):
        self.answer(200, gzip.compress(body), [("Content-Encoding", "gzip")])

    def gzip_unsaid(self, body, _):
        self.answer(200, gzip.compress(body))

    def an_error_page(self, *_):
        self.answer(200, b"<!DOCTYPE html><title>504</title>" + b" " * 20000, [("Content-Type", "text/html")])

    def one_entry_too_few(self, _, entries):
        self.answer(200, b"".join(struct.pack(">H", len(e)) + e for e in entries[:-1]))

    def one_entry_too_many(self, body, entries):
        self.answer(200, body + struct.pack(">H", len(entries[0])) + entries[0])

    def one_byte_too_many(self, body, _):
        self.answer(200, body + b"\0")

    def cut(self, body, _):
        self.answer(200, body[:-1], length=len(body))
        self.connection.close()

    def empty(self, *_):
        self.answer(200, b"")

    def swapped(self, _, entries):
        self.answer(200, b"".join(struct.pack(">H", len(e)) + e for e in entries[:-2] + entries[:-3:-1]))

    def hashes(self, _, entries):
        self.answer(200, b"".join(records.leaf(e) for e in entries))

    def elsewhere(self, *_):
        self.answer(302, b"", [("Location", "/tile/entries/000")])

    def broken(self, *_):
        self.answer(500, b"")

    def endless(self, *_):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")

    def silent(self, *_):
        self.asked.set()
        self.gate.wait(ledger.PATIENCE)

    asked, gate = threading.Event(), threading.Event()
    CANNOT_READ = ("gzip_encoding", "cut", "elsewhere", "broken", "endless")
    REFUSED = ("gzip_unsaid", "an_error_page", "one_entry_too_few", "one_entry_too_many", "one_byte_too_many",
               "empty", "swapped", "hashes")


def hostile_reader(fleet, read_ms):
    """A record witness whose log's files a Hostile serves."""
    ledger.Shelf, kept = Hostile, ledger.Shelf
    reader = ledger.Reader(os.path.join(fleet.folder, "reader"), "dev")
    ledger.Shelf = kept
    wait_at_most(reader, read_ms)
    return reader


def wait_at_most(reader, read_ms):
    path = os.path.join(reader.witness.folder, "config")
    with open(path, encoding="utf-8") as f:
        lines = [line for line in f if not line.startswith("read_ms")]
    ledger.write(reader.witness.folder, "config", "".join(lines) + f"read_ms = {read_ms}\n")
    reader.witness.stop()
    reader.witness.start()


def whoever_serves_the_tiles_wrongly_gets_nothing_cosigned(fleet):
    """Wrong width, gzip, an error page with 200, truncated, swapped, endless: and the right ones afterwards."""
    reader = hostile_reader(fleet, 60000)
    shelf = reader.shelf.RequestHandlerClass
    grown = records.first().status().entries
    assert reader.ask(grown)[0] == 200
    longer = records.first().status().status(time=records.NOW + 60).status(time=records.NOW + 90).entries
    for ways, want in ((Hostile.CANNOT_READ, 503), (Hostile.REFUSED, 422)):
        for way in ways:
            shelf.way = way
            status, body = reader.ask(longer, len(grown))
            assert status == want, (way, status, body)
            # What it knows it still tells, whoever it cannot read.
            told = reader.witness.call("GET", "/" + hashlib.sha256(records.LEDGER.encode()).hexdigest() + "/checkpoint")
            assert told[0] == 200 and told[1].split(b"\n")[1] == b"%d" % len(grown)
    shelf.way = None
    assert reader.ask(longer, len(grown))[0] == 200
    shelf.way = "silent"
    wait_at_most(reader, 100)
    assert reader.ask(longer, len(longer)) == (503, b"TIMEOUT\n")
    Hostile.gate.set()
    shelf.way = None
    wait_at_most(reader, 60000)
    assert reader.ask(longer, len(longer))[0] == 200
    reader.close()


def while_it_reads_the_record_witness_answers_others(fleet):
    reader = hostile_reader(fleet, 60000)
    good = records.first().status().entries
    Hostile.gate.clear()
    Hostile.asked.clear()
    reader.shelf.RequestHandlerClass.way = "silent"
    answers = []

    def wait_for_the_tiles():
        while not answers:  # the call below may be the first, and is the one that waits then
            answer = reader.ask(good)
            answers.extend([answer] if answer != (503, b"BUSY\n") else [])

    waiting = threading.Thread(target=wait_for_the_tiles)
    waiting.start()
    assert Hostile.asked.wait(ledger.PATIENCE)
    assert reader.witness.call("POST", "/add-checkpoint", ledger.request(good))[:2] == (503, b"BUSY\n")
    assert reader.witness.call("POST", "/add-checkpoint", b"old x\n")[0] == 400
    assert reader.witness.call("GET", "/" + "0" * 64 + "/checkpoint")[0] == 404
    assert not answers
    Hostile.gate.set()  # the connection ends without an answer
    waiting.join()
    assert answers[0][0] == 503, answers
    reader.shelf.RequestHandlerClass.way = None
    assert reader.ask(good)[0] == 200
    reader.close()


ledger.Fleet = Alone
if __name__ == "__main__":
    ledger.run((a8_two_requests_of_one_old_size_do_not_both_win,
                a8_of_two_faults_the_first_of_the_table_is_told,
                a8_one_connection_carries_many_requests,
                an_empty_log_is_cosigned_and_grows_from_nothing,
                logs_of_others_sign_with_ecdsa_too,
                a_log_changes_its_key_under_an_overlap,
                a_witness_changes_its_key_and_forgets_nothing,
                lines_of_other_types_are_ignored,
                two_logs_do_not_know_of_each_other,
                sixty_four_logs_fit,
                the_recorded_exchanges_of_another_witness_hold_over_http,
                a_witness_that_is_not_ours_cosigns_our_log,
                b7_every_lie_that_a_record_witness_can_see_is_named,
                whoever_serves_the_tiles_wrongly_gets_nothing_cosigned,
                while_it_reads_the_record_witness_answers_others))
