# SPDX-License-Identifier: Apache-2.0
"""Published rows through running gateways that hold the rows' keys: OHTTP, Binary HTTP, tokens, handles.

No published body has the size of a request of ours, and a gateway refuses other sizes before it touches
a key. So a row shows three things: its bytes as they are get the one refusal in clear; the gateway
serves its key configuration to the byte; and what another implementation of the RFC seals under the
row's own keys, in a size that we take, is opened, read, and answered under the row's own context. Rows of
the chunked form keep their chunks, and zeros fill the last."""
import http.client
import json
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import foreign_client
import foreign_ohttp
import foreign_voprf
from base64 import urlsafe_b64encode
from fleet import BIN, ROOT
from foreign_bhttp import counted, known_length, status_of
from hashlib import sha256
from test_tokens import private_key

HERE = os.path.join(ROOT, "tests", "vectors")
SHARED = os.path.join(os.environ.get("PP_SHARED", os.path.join(os.path.dirname(ROOT), "shared")), "vectors")
RESOURCE, WHOLE, CHUNKED = "/.well-known/ohttp-gateway", "message/ohttp-req", "message/ohttp-chunked-req"
SIZES = [2048 << n for n in range(8)]
OPEN_BYTES, OPENED_BYTES, REFUSED_BYTES = 4096, 32768, 1024  # of exchange #1, up and down; of a sealed refusal
KEYS_MAX = 8  # of one gateway
PROBLEM = (b'{"type":"https://iana.org/assignments/http-problem-types#ohttp-key",'
           b'"title":"key identifier unknown"}')
AUTHORITY, HANDLE_KEY_ID, HANDLE_SECRET = "gateway.example", 7, bytes(range(32))
PATIENCE, GRACE_S = 60, 300


def rows(*names):
    """The rows of the clone's file, and of the published one where it is; each once."""
    found = {}
    for folder, name in zip((HERE, SHARED), names):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                found.update((json.dumps(row, sort_keys=True), row) for row in json.load(f)["vectors"])
    return list(found.values())


def whole_rows():
    return rows("ohttp/exchanges.json", "ohttp/ohttp.json")


def chunked_rows():
    return rows("ohttp/chunked.json", "ohttp/chunked-ohttp.json")


def negative_rows():
    return rows("ohttp/refusals.json", "ohttp/negative.json")


def field(row, name):
    return bytes.fromhex(row[name])


def suites(row):
    """The (KDF, AEAD) pairs of a row's key, in the order of its key configuration (RFC 9458 3.1)."""
    if "key_config" not in row:
        return row["allowed"]
    config = field(row, "key_config")
    ids = config[3 + foreign_ohttp.ENC_BYTES[row["kem_id"]] + 2:]  # a public key is as long as an `enc`
    return [(int.from_bytes(ids[i:i + 2], "big"), int.from_bytes(ids[i + 2:i + 4], "big"))
            for i in range(0, len(ids), 4)]


def groups(keyed):
    """Rows by gateway: at most KEYS_MAX in each, no key id twice."""
    made = []
    for row in keyed:
        ids = [g for g in made if len(g) < KEYS_MAX and row["key_id"] not in {r["key_id"] for r in g}]
        if ids:
            ids[0].append(row)
        else:
            made.append([row])
    return made


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.fields = {k.lower(): v for k, v in response.getheaders()}
        self.all = (self.status, tuple(response.getheaders()), self.body)


class Daemon:
    """One of our programs in a folder of its own."""

    def __init__(self, program, resource, posix_s=None):
        self.program, self.resource, self.clock = program, resource, None
        self.home = tempfile.mkdtemp(prefix="pp-e2e-wire-")
        self.process = self.http = self.port = self.status = None
        if posix_s is not None:
            self.clock = os.open(os.path.join(self.home, "clock"), os.O_RDWR | os.O_CREAT, 0o600)
            self.set_clock(posix_s)

    def set_clock(self, posix_s):
        """A daemon that began at a time of its own (docs/operations.md) goes on at another."""
        os.pwrite(self.clock, struct.pack("=q", round((posix_s - time.time()) * 1000)), 0)

    def write(self, name, text):
        with open(os.path.join(self.home, name), "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(text)

    def __enter__(self):
        out, into = os.pipe()
        call = [os.path.join(BIN, self.program), "--config", os.path.join(self.home, "config"), "--ready-fd", str(into)]
        if self.clock is not None:
            call += ["--clock-fd", str(self.clock)]
        with open(os.path.join(self.home, "events"), "ab") as events:
            self.process = subprocess.Popen(call, pass_fds=[into] + ([self.clock] if self.clock is not None else []),
                                            stdout=events, stderr=events)
        os.close(into)
        told = b""
        while not told.endswith(b"ready\n"):
            assert select.select([out], [], [], PATIENCE)[0], "not ready in time"
            more = os.read(out, 4096)
            if not more:
                with open(os.path.join(self.home, "events"), encoding="utf-8") as f:
                    raise AssertionError(f.read())
            told += more
        os.close(out)
        self.port = int(re.search(rb"^listen \w+ 127\.0\.0\.1:(\d+)$", told, re.M)[1])
        self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        return self

    def __exit__(self, *_):
        self.http.close()
        self.process.terminate()
        self.status = self.process.wait(PATIENCE)
        if self.clock is not None:
            os.close(self.clock)
        shutil.rmtree(self.home, ignore_errors=True)

    def ask(self, method, body=None, kind=WHOLE):
        """With the fields that a message has, and no other."""
        self.http.putrequest(method, self.resource, skip_accept_encoding=True)
        if body is not None:
            self.http.putheader("Content-Type", kind)
            self.http.putheader("Content-Length", str(len(body)))
        self.http.endheaders(body)
        return Answer(self.http.getresponse())

    def post(self, body, kind=WHOLE):
        return self.ask("POST", body, kind)


class Relay(Daemon):
    """pp-relayd before a gateway."""

    def __init__(self, gateway):
        super().__init__("pp-relayd", "/ohttp")
        self.write("config", f"environment = dev\ngateway = http://127.0.0.1:{gateway.port}{RESOURCE}\n")


class Gateway(Daemon):
    """pp-gatewayd with the private keys of some rows and a CVM that is not there."""

    def __init__(self, keyed, posix_s=None):
        super().__init__("pp-gatewayd", RESOURCE, posix_s)
        self.nowhere = socket.socket()  # bound and not listening: whoever calls is refused
        self.nowhere.bind(("127.0.0.1", 0))
        for name in ("ohttp", "tokens"):
            os.mkdir(os.path.join(self.home, name), 0o700)
        now = int(posix_s or time.time())
        for i, row in enumerate(keyed):
            self.write(f"ohttp/{i}.key", f"use_from = {now - 60}\nuse_until = {now + 86400}\nid = {row['key_id']}\n"
                                         f"kem = {row['kem_id']}\n" +
                       "".join(f"suite = {kdf} {aead}\n" for kdf, aead in suites(row)) + f"secret = {row['skR']}\n")
        self.write("handle.key", f"id = {HANDLE_KEY_ID}\nsecret = {HANDLE_SECRET.hex()}\n")
        self.write("config", f"environment = dev\nauthority = {AUTHORITY}\nissuer = issuer.example\n"
                             f"cvm = 127.0.0.1:{self.nowhere.getsockname()[1]}\nohttp_keys = ohttp\n"
                             "token_keys = tokens\nhandle_key = handle.key\nspent = spent.db\ngrid_ms = 0\n")

    def __exit__(self, *_):
        super().__exit__()
        self.nowhere.close()

    def handle(self):
        """A session handle of this gateway's one CVM (docs/protocol/messages.md)."""
        address = bytes([127, 0, 0, 1]) + bytes(12) + self.nowhere.getsockname()[1].to_bytes(2, "big")
        plain = b"\x04" + address + os.urandom(16) + (int(time.time()) + 30).to_bytes(8, "big")
        head, nonce = bytes([1, HANDLE_KEY_ID]), os.urandom(foreign_ohttp.NONCE)
        sealed = foreign_ohttp.aead(2, HANDLE_SECRET, nonce, plain, True, head)
        return urlsafe_b64encode(head + nonce + sealed).rstrip(b"=")

    def continuation(self, down_kib):
        """The message of an exchange #2 that this gateway takes."""
        return known_length(b"POST", b"https", AUTHORITY.encode(), b"/v1/sessions/" + self.handle(),
                            [(b"pp-max", b"%d" % down_kib)], b"bytes of TLS")


# --- Binary HTTP --------------------------------------------------------------------------------

def is_ours_in_form(row):
    """Whether a published message, with zeros behind it, is a request in the one form that we take."""
    if not row["valid"] or row["message"]["type"] != "request":
        return False
    m = row["message"]

    def fields(name):
        return [(k.encode("latin-1"), v.encode("latin-1")) for k, v in m[name]]

    text = known_length(*(m[k].encode() for k in ("method", "scheme", "authority", "path")), fields("headers"),
                        bytes.fromhex(m["content_hex"]), fields("trailers"))
    return field(row, "encoded").ljust(len(text), b"\0").startswith(text)


# --- the tests ----------------------------------------------------------------------------------

class Rows(unittest.TestCase):
    def sender(self, row, secret=None, label=foreign_ohttp.WHOLE):
        kdf, aead = (row["kdf_id"], row["aead_id"]) if "aead_id" in row else suites(row)[0]
        public = foreign_ohttp.public_of(row["kem_id"], field(row, "skR"))
        return foreign_ohttp.Sender(row["key_id"], row["kem_id"], kdf, aead, public, secret or os.urandom(32), label)

    def sealed(self, sender, message, size=None):
        """In the smallest size that we take, or the one that is asked for."""
        size = size or next(s for s in SIZES if s >= len(message) + sender.overhead())
        return sender.seal(message.ljust(size - sender.overhead(), b"\0"))

    def answered(self, answer, sender, size):
        """The status of a sealed answer, which has to open under the exchange's own context."""
        self.assertEqual((answer.status, len(answer.body)), (200, size))
        self.assertEqual(answer.fields["content-type"], "message/ohttp-res")
        self.assertEqual(answer.fields["cache-control"], "no-store")
        response = sender.open_response(answer.body)
        self.assertIsNotNone(response)
        return status_of(response)

    def sealed_chunks(self, sender, chunks, size=None):
        """The same in these chunks, zeros in the last."""
        def made(zeros):
            return b"".join(sender.seal_chunks([*chunks[:-1], chunks[-1] + bytes(zeros)]))

        size = size or next(s for s in SIZES if s >= len(made(0)))
        return made(size - len(made(0)))

    def answered_in_chunks(self, answer, sender, size, count):
        """As `answered`, of an answer that has to have so many chunks."""
        self.assertEqual((answer.status, len(answer.body)), (200, size))
        self.assertEqual(answer.fields["content-type"], "message/ohttp-chunked-res")
        self.assertEqual(answer.fields["cache-control"], "no-store")
        self.assertEqual(answer.fields["incremental"], "?1")
        chunks = sender.open_chunks(answer.body)
        self.assertIsNotNone(chunks)
        self.assertEqual(len(chunks), count)
        return status_of(b"".join(chunks), framing=3)

    def one_refusal(self, answers, status, body=b""):
        """All answers are one, to the byte."""
        self.assertGreater(len(answers), 0)
        self.assertEqual({a.all for a in answers}, {answers[0].all})
        self.assertEqual((answers[0].status, answers[0].body), (status, body))
        kind = answers[0].fields.get("content-type")
        self.assertEqual(kind, "application/problem+json" if body else None)

    def refused_in_clear(self, g, row, kind, status):
        body = field(row, "encapsulated_request")
        self.assertNotIn(len(body), SIZES)
        answer = g.post(body, kind)
        self.assertEqual(answer.status, status, row["name"])
        return answer


class WholeMessages(Rows):
    def test_the_other_implementation_makes_the_published_bytes(self):
        for row in whole_rows():
            with self.subTest(row["name"]):
                s = self.sender(row, field(row, "skE"))
                self.assertEqual(s.seal(field(row, "request")), field(row, "encapsulated_request"))
                self.assertEqual(s.open_response(field(row, "encapsulated_response")), field(row, "response"))
                self.assertEqual(foreign_ohttp.open_request(field(row, "skR"), field(row, "encapsulated_request")),
                                 field(row, "request"))

    def test_every_row_is_served_opened_and_answered_under_its_own_keys(self):
        in_clear = []
        for group in groups(whole_rows()):
            with Gateway(group) as g:
                configs = [field(row, "key_config") for row in group]
                listed = g.ask("GET")
                self.assertEqual(listed.status, 200)
                self.assertEqual(listed.body, b"".join(len(c).to_bytes(2, "big") + c for c in configs))
                for row in group:
                    with self.subTest(row["name"]):
                        in_clear.append(self.refused_in_clear(g, row, WHOLE, 400))
                        self.opened(g, row)
                        self.taken_once(g, row)
            self.assertEqual(g.status, 0)
        self.one_refusal(in_clear, 400)

    def opened(self, g, row):
        """The row's message under the row's ephemeral key: of another target, or of another form."""
        s = self.sender(row, field(row, "skE"))
        self.assertEqual(s.enc, field(row, "enc"))
        status = self.answered(g.post(self.sealed(s, field(row, "request"))), s, REFUSED_BYTES)
        self.assertEqual(status, 403 if field(row, "request")[0] == 0 else 400)

    def taken_once(self, g, row):
        """The row's encapsulated key is good for one exchange, whatever is sealed under it."""
        s = self.sender(row, field(row, "skE"))
        first, other = (self.sealed(s, g.continuation(2)) for _ in range(2))
        self.assertEqual(self.answered(g.post(first), s, 2048), 502)  # taken; the CVM is not there
        self.assertEqual(self.answered(g.post(first), s, 2048), 400)
        self.assertEqual(self.answered(g.post(other), s, 2048), 400)
        fresh = self.sender(row)
        self.assertEqual(self.answered(g.post(self.sealed(fresh, g.continuation(2))), fresh, 2048), 502)


class ThroughTheRelay(Rows):
    def test_rows_reach_the_gateway_through_the_relay_and_its_answers_the_client(self):
        group = groups(whole_rows())[0]
        with Gateway(group) as g, Relay(g) as relay:
            for row in group:
                with self.subTest(row["name"]):
                    self.refused_in_clear(relay, row, WHOLE, 400)
                    self.refused_in_clear(relay, row, CHUNKED, 400)
                    s = self.sender(row, field(row, "skE"))
                    good = self.sealed(s, field(row, "request"))
                    self.assertEqual(self.answered(relay.post(good), s, REFUSED_BYTES),
                                     403 if field(row, "request")[0] == 0 else 400)
                    refused = relay.post(good[:-1] + bytes([good[-1] ^ 1]))
                    self.assertEqual((refused.status, refused.body), (422, PROBLEM))
                    self.assertEqual(refused.fields["content-type"], "application/problem+json")
        self.assertEqual((g.status, relay.status), (0, 0))


class ChunkedMessages(Rows):
    def chunks(self, row, name="request_chunks"):
        return [bytes.fromhex(c) for c in row[name]]

    def chunked_sender(self, row, secret=None):
        return self.sender(row, secret, foreign_ohttp.CHUNKED)

    def test_the_other_implementation_makes_the_published_chunks(self):
        for row in chunked_rows():
            with self.subTest(row["name"]):
                s = self.chunked_sender(row, field(row, "skE"))
                self.assertEqual(b"".join(s.seal_chunks(self.chunks(row))), field(row, "encapsulated_request"))
                self.assertEqual(s.open_chunks(field(row, "encapsulated_response")), self.chunks(row, "response_chunks"))

    def test_every_row_is_opened_in_its_chunks_and_answered_in_chunks_under_its_own_keys(self):
        sized, labelled = [], []
        for group in groups(chunked_rows()):
            with Gateway(group) as g:
                for row in group:
                    with self.subTest(row["name"]):
                        sized.append(self.refused_in_clear(g, row, CHUNKED, 400))
                        sized.append(self.refused_in_clear(g, row, WHOLE, 400))
                        self.opened(g, row)
                        self.taken_once(g, row)
                        labelled += self.under_the_other_label(g, row)
            self.assertEqual(g.status, 0)
        self.one_refusal(sized, 400)
        self.one_refusal(labelled, 422, PROBLEM)

    def test_rows_reach_the_gateway_through_the_relay_and_its_chunks_the_client(self):
        group = groups(chunked_rows())[0]
        with Gateway(group) as g, Relay(g) as relay:
            for row in group:
                with self.subTest(row["name"]):
                    self.opened(relay, row)
                    s = self.chunked_sender(row)
                    body = self.sealed_chunks(s, [g.continuation(16)])
                    self.assertEqual(self.answered_in_chunks(relay.post(body, CHUNKED), s, 16384, 28), 502)
        self.assertEqual((g.status, relay.status), (0, 0))

    def opened(self, at, row):
        """The row's message in the row's chunks under the row's ephemeral key; zeros fill the last."""
        s = self.chunked_sender(row, field(row, "skE"))
        self.assertEqual(s.enc, field(row, "enc"))
        body = self.sealed_chunks(s, self.chunks(row))
        if len(row["request_chunks"]) > 1:
            first = len(b"".join(s.seal_chunks(self.chunks(row))[:2]))
            self.assertEqual(body[:first], field(row, "encapsulated_request")[:first])
        status = self.answered_in_chunks(at.post(body, CHUNKED), s, REFUSED_BYTES, 1)
        self.assertEqual(status, 403 if field(row, "request")[0] == 0 else 400)

    def taken_once(self, g, row):
        """The row's encapsulated key is good for one exchange, whatever its chunks."""
        s = self.chunked_sender(row, field(row, "skE"))
        message = g.continuation(2)
        for chunks, status in (([message], 502), ([message], 400), ([message[:9], message[9:]], 400)):
            answer = g.post(self.sealed_chunks(s, chunks), CHUNKED)
            self.assertEqual(self.answered_in_chunks(answer, s, 2048, 3), status)

    def under_the_other_label(self, g, row):
        """Each form under the type and label of the other."""
        whole, chunked = self.sender(row), self.chunked_sender(row)
        return [g.post(self.sealed(whole, field(row, "request")), CHUNKED),
                g.post(self.sealed(chunked, field(row, "request"))),
                g.post(self.sealed_chunks(whole, self.chunks(row)), CHUNKED),
                g.post(self.sealed_chunks(chunked, self.chunks(row)))]


class NegativeRows(Rows):
    @classmethod
    def setUpClass(cls):
        found = negative_rows()
        cls.control = next(r for r in found if (r["kind"], r["name"]) == ("ohttp", "ok control"))
        cls.inner = next(r for r in found if r["expect"] == "encapsulated 400")
        cls.whole = [r for r in found if r["kind"] == "ohttp" and r["expect"].startswith("plain 4xx")]
        cls.chunked = [r for r in found if r["kind"] == "chunked"]
        cls.g = Gateway([cls.control])
        cls.g.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.g.__exit__()

    def control_message(self):
        message = foreign_ohttp.open_request(field(self.control, "skR"), field(self.control, "encapsulated_request"))
        self.assertIsNotNone(message)
        return message

    def test_the_rows_as_they_are_get_one_refusal_in_clear(self):
        sized = [self.refused_in_clear(self.g, r, WHOLE, 400)
                 for r in [self.control, self.inner, *self.whole, *self.chunked]]
        self.one_refusal(sized, 400)
        self.one_refusal([self.refused_in_clear(self.g, r, CHUNKED, 400) for r in self.chunked], 400)

    def test_w3_r_what_a_row_does_to_its_control_is_one_422_in_a_size_that_is_taken(self):
        """What tells a row from its control is done to a request that the gateway opens as it was."""
        control, answers = field(self.control, "encapsulated_request"), []
        for row in self.whole:
            body = field(row, "encapsulated_request")
            s = self.sender(self.control)
            good = self.sealed(s, self.control_message(), OPEN_BYTES)
            if len(body) == len(control):
                change = bytes(a ^ b for a, b in zip(body, control))
                bad = bytes(a ^ b for a, b in zip(good, change)) + good[len(change):]
                # An `enc` that is named outright is no change of one: it goes in as it is.
                if row["name"].startswith("enc all zero"):
                    bad = body[:39] + good[39:]
            else:
                bad = body[:OPEN_BYTES].ljust(OPEN_BYTES, b"\0")
            with self.subTest(row["name"]):
                self.assertEqual(self.answered(self.g.post(good), s, REFUSED_BYTES), 403)
                self.assertNotEqual(bad, good)
                answers.append(self.g.post(bad))
                self.assertEqual(answers[-1].status, 422)
        answers += [self.g.post(field(r, "encapsulated_request").ljust(OPEN_BYTES, b"\0"), kind)
                    for r in self.chunked for kind in (WHOLE, CHUNKED)]
        self.one_refusal(answers, 422, PROBLEM)

    def test_good_keys_and_a_bad_message_are_a_sealed_400(self):
        message = foreign_ohttp.open_request(field(self.inner, "skR"), field(self.inner, "encapsulated_request"))
        self.assertIsNotNone(message)
        for size in (SIZES[0], OPEN_BYTES, SIZES[-1]):
            s = self.sender(self.inner)
            self.assertEqual(self.answered(self.g.post(self.sealed(s, message, size)), s, REFUSED_BYTES), 400)


class GatewayOfTokens(Gateway):
    """With the epoch keys of today: {type: secret of the key file}."""

    def __init__(self, keyed, secrets):
        super().__init__(keyed)
        self.day = int(time.time()) // 86400  # in force until ten minutes behind its midnight
        for kind, secret in secrets.items():
            self.write(f"tokens/{kind}.key", f"epoch = {self.day}\ntype = {kind}\nissue_from = {self.day * 86400}\n"
                                             f"issue_until = {(self.day + 1) * 86400}\nsecret = {secret.hex()}\n")

    def challenge(self, kind, days=0):
        context = sha256(b"pp-epoch-v1\0" + (self.day + days).to_bytes(4, "big")).digest()
        return (kind.to_bytes(2, "big") + foreign_voprf.block(b"issuer.example") + bytes([len(context)]) + context +
                foreign_voprf.block(AUTHORITY.encode()))


class SessionOpening(Rows):
    """Exchange #1 with the tokens of Privacy Pass: published ones, and ones of today by another implementation.

    No published token is for our challenge, which names issuer, gateway and day: as it is, each is one 401. The
    private key of a row of type 2 serves, and takes what the other implementation makes under it. That of a row
    of type 5 cannot: a key file holds a seed, from which both parties derive the key. So there the other
    implementation first gives the rows' tokens to the byte, and then one under a seed of its own."""

    @classmethod
    def setUpClass(cls):
        cls.singles = rows("privacypass/type5-single.json", "privacypass/type5-voprf-ristretto255.json")
        cls.batches = rows("privacypass/type5-batch.json", "privacypass/amortized-type5-ristretto255.json")
        cls.signed = rows("privacypass/type2-single.json", "privacypass/type2-blindrsa2048.json")
        cls.row, cls.seed = whole_rows()[0], os.urandom(32)
        cls.private = private_key(cls.signed[0])
        cls.g = GatewayOfTokens([cls.row], {2: cls.private, 5: cls.seed})
        cls.g.__enter__()
        cls.addClassCleanup(cls.g.__exit__)

    def opened(self, token, content=b"bytes of TLS"):
        s, value = self.sender(self.row), b'PrivateToken token="' + urlsafe_b64encode(token) + b'"'
        message = known_length(b"POST", b"https", AUTHORITY.encode(), b"/v1/sessions",
                               [(b"authorization", value)], content)
        return self.answered(self.g.post(self.sealed(s, message, OPEN_BYTES)), s, OPENED_BYTES)

    def good_once(self, token):
        for at in (0, 2, 34, 66, len(token) - 1):  # type, nonce, challenge, key, authenticator
            changed = token[:at] + bytes([token[at] ^ 1]) + token[at + 1:]
            self.assertEqual(self.opened(changed), 401, at)
        self.assertEqual([self.opened(token) for _ in range(2)], [503, 401])  # paid; the CVM is not there; spent

    def type_2(self, days=0):
        x = foreign_client.Issuance(bytes.fromhex(self.signed[0]["pkS"]), self.g.challenge(2, days))
        return x.finish(foreign_client.sign(self.private, x.request[3:]))

    def type_5(self, days=0):
        return foreign_voprf.owned_token(foreign_voprf.derived_key(self.seed), self.g.challenge(5, days))

    def test_every_published_token_is_refused_alike_but_for_an_epoch_of_ours(self):
        tokens = [row["token"] for row in self.singles + self.signed]
        tokens += [token for row in self.batches for token in row["tokens"]]
        self.assertGreaterEqual(len(tokens), 20)
        for token in tokens:
            self.assertEqual(self.opened(bytes.fromhex(token)), 401)

    def test_the_other_implementation_makes_the_published_tokens_of_type_5(self):
        for row in self.singles:
            scalar = int.from_bytes(field(row, "skS"), "little")
            token = foreign_voprf.owned_token(scalar, field(row, "token_challenge"), field(row, "nonce"))
            self.assertEqual(token.hex(), row["token"])

    def test_w4_t2_a_token_by_another_implementation_is_good_once_and_for_its_day(self):
        for make in (self.type_2, self.type_5):
            with self.subTest(make.__name__):
                self.good_once(make())
                for days in (-1, 1):  # the key is today's
                    self.assertEqual(self.opened(make(days)), 401)


class GatewayOfHandles(Gateway):
    """With the fleet's handle keys of some rows, at their time, and CVMs where the rows' handles lead; where no
    CVM is. A path and a vsock it has no CVM at."""

    def __init__(self, keyed, handles):
        super().__init__(keyed, handles[0]["now"])
        config = os.path.join(self.home, "config")
        with open(config, encoding="utf-8") as f:
            lines = [line for line in f if not line.startswith(("cvm =", "handle_key ="))]
        places = {self.place(handle["fields"]) for handle in handles if "fields" in handle}
        lines += [f"cvm = {place}\n" for place in sorted(places - {None})]
        for i, key in enumerate(handles[0]["keys"]):
            self.write(f"handle{i}.key", f"id = {key['id']}\nsecret = {key['key']}\n")
            lines.append(f"handle_key = handle{i}.key\n")
        self.write("config", "".join(lines))

    @staticmethod
    def place(fields):
        address = bytes.fromhex(fields["address"])
        if fields["family"] == 4:
            return f"{socket.inet_ntop(socket.AF_INET, address[:4])}:{fields['port']}"
        if fields["family"] == 6:
            return f"[{socket.inet_ntop(socket.AF_INET6, address)}]:{fields['port']}"
        return None


class SessionHandles(Rows):
    """Exchange #2 with the published handles, at the gateway that made them: each leads to its CVM, or is gone."""

    def test_published_handles_in_exchange_2(self):
        with open(os.path.join(HERE, "pp-wire", "handle.json"), encoding="utf-8") as f:
            found, row, seen = json.load(f)["rows"], whole_rows()[0], []
        self.assertEqual(len({json.dumps([r["keys"], r["now"]]) for r in found}), 1)
        with GatewayOfHandles([row], found) as g:
            for handle in found:
                # Earlier for those that are still good: the clock goes on, and one has a second left.
                g.set_clock(handle["now"] - (GRACE_S if handle["expect"] == "ok" else 0))
                s = self.sender(row)
                message = known_length(b"POST", b"https", AUTHORITY.encode(), b"/v1/sessions/" + field(handle, "hex"),
                                       [(b"pp-max", b"2")], b"bytes of TLS")
                with self.subTest(handle["name"]):
                    leads = handle["expect"] == "ok" and g.place(handle["fields"]) is not None
                    status = self.answered(g.post(self.sealed(s, message)), s, 2048)
                    self.assertEqual(status, 502 if leads else 410)
                    seen.append(status)
        self.assertEqual(set(seen), {410, 502})
        self.assertEqual(g.status, 0)


class BinaryHttp(Rows):
    def test_every_published_message_is_a_sealed_refusal_of_one_size(self):
        """400 where it is none, or not in the form that we take; 403 where it is, for another target."""
        row, seen = whole_rows()[0], {}
        with Gateway([row]) as g:
            for message in rows("bhttp/messages.json", "bhttp/rfc9292.json"):
                with self.subTest(message["name"]):
                    s = self.sender(row)
                    status = self.answered(g.post(self.sealed(s, field(message, "encoded"))), s, REFUSED_BYTES)
                    self.assertEqual(status, 403 if is_ours_in_form(message) else 400)
                    seen[status] = seen.get(status, 0) + 1
        self.assertEqual(set(seen), {400, 403})
        self.assertEqual(g.status, 0)


if __name__ == "__main__":
    unittest.main()
