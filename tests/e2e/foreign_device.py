# SPDX-License-Identifier: Apache-2.0
"""A whole device that shares no line with pp, written from docs/protocol alone: tokens, both exchanges, the attested
channel and the sealed request. What it needed and did not find there is on those pages now.

    d = Device(trust, assertion key); d.fetch(n); d.open(); d.ask(messages) -> (outcome, [(kind, text, ids)])

It checks what makes bytes right: proofs of tokens, padding, sizes, TLS's Finished, the binding value. It does not judge
whom it talks to: no chain, no ledger proof, no policy. Not for use."""
import base64
import hashlib
import hmac
import os
import time
import urllib.request

import foreign_voprf
import foreign_xwing
from foreign_ohttp import aead, Kdf, public_of, Sender, u16, x25519, X25519

AES_128, AES_256 = 1, 2
X_WING = 0x647A
HEAD = ("0303 R 000006 1302 1301 00ff 0100 0068 000b00040300 0102 000a00040002001d"
        "0010000d000b0a 70702d7261746c732f31 00160000 00170000 000d000400020403 002b0003020304 002d00020101"
        "003300260024001d0020 K")


class Wrong(Exception):
    """The far end did not say what the pages say."""


def need(good, what):
    if not good:
        raise Wrong(what)


# --- CBOR, Binary HTTP --------------------------------------------------------------------------

def cbor(value):
    def head(kind, n):
        for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if n < 24:
                return bytes([kind << 5 | n])
            if n < 1 << 8 * size:
                return bytes([kind << 5 | code]) + n.to_bytes(size, "big")
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def read_cbor(raw, at=0):
    """(value, the byte behind it); the encoding is compared whole by whoever asks for one value."""
    kind, n, at = raw[at] >> 5, raw[at] & 31, at + 1
    if n >= 24 and kind != 7:
        size = 1 << n - 24
        n, at = int.from_bytes(raw[at:at + size], "big"), at + size
    if kind in (2, 3):
        return (raw[at:at + n] if kind == 2 else raw[at:at + n].decode()), at + n
    if kind in (4, 5):
        items = []
        for _ in range(n * (kind - 3)):
            item, at = read_cbor(raw, at)
            items.append(item)
        return (items if kind == 4 else dict(zip(items[::2], items[1::2]))), at
    need(kind == 0 or n in (20, 21), "CBOR")
    return (n if kind == 0 else n == 21), at


def one_value(raw):
    value, end = read_cbor(raw)
    need(end == len(raw) and cbor(value) == raw, "one encoding of one value")
    return value


def padded(raw):
    """`u32 n || n bytes || zeros`."""
    n = int.from_bytes(raw[:4], "big")
    need(not any(raw[4 + n:]), "zeros behind a message")
    return raw[4:4 + n]


def text(raw):
    return foreign_voprf.varint(len(raw)) + raw


def http_request(path, authority, name, value, content):
    control = b"".join(text(x.encode()) for x in ("POST", "https", authority, path))
    return b"\x00" + control + text(text(name) + text(value)) + text(content) + b"\x00"


def http_answer(raw):
    """(status, fields, content) of a known-length response; all behind it is zeros."""
    at = 1

    def number():
        nonlocal at
        size = 1 << (raw[at] >> 6)
        n, at = int.from_bytes(raw[at:at + size], "big") & (1 << 8 * size - 2) - 1, at + size
        return n

    def take():
        nonlocal at
        n = number()
        at += n
        return raw[at - n:at]

    need(raw[0] == 1, "a known-length response")
    status, section, content, fields = number(), take(), take(), []
    trailer, end = take(), at
    need(trailer == b"" and not any(raw[end:]), "no trailer, then zeros")
    raw, at = section, 0
    while at < len(raw):
        fields.append((take(), take()))
    return status, fields, content


# --- TLS 1.3, this one profile ------------------------------------------------------------------

class Tls:
    """A client of TLS_AES_256_GCM_SHA384 and X25519 alone."""

    def __init__(self):
        self.hkdf, self.secret, self.random = Kdf("sha384"), os.urandom(32), os.urandom(32)
        body = bytes.fromhex(HEAD.replace("R", self.random.hex()).replace("K", public_of(X25519, self.secret).hex()))
        self.transcript = b"\x01" + len(body).to_bytes(3, "big") + body
        self.hello = b"\x16\x03\x01" + u16(len(self.transcript)) + self.transcript

    def expand(self, secret, label, context, length=48):
        label = b"tls13 " + label
        return self.hkdf.expand(secret, u16(length) + bytes([len(label)]) + label + bytes([len(context)]) + context,
                                length)

    def derive(self, secret, label, transcript):
        return self.expand(secret, label, hashlib.sha384(transcript).digest())

    def keys(self, secret):
        return [self.expand(secret, b"key", b"", 32), int.from_bytes(self.expand(secret, b"iv", b"", 12), "big"), 0]

    def seal(self, keys, kind, data):
        """Full records of 16384 bytes, no padding."""
        out = b""
        for i in range(0, len(data), 16384):
            inner = data[i:i + 16384] + bytes([kind])
            head = b"\x17\x03\x03" + u16(len(inner) + 16)
            out += head + aead(AES_256, keys[0], (keys[1] ^ keys[2]).to_bytes(12, "big"), inner, True, head)
            keys[2] += 1
        return out

    def open(self, keys, record):
        inner = aead(AES_256, keys[0], (keys[1] ^ keys[2]).to_bytes(12, "big"), record[5:], False, record[:5])
        need(inner is not None, "a record that opens")
        keys[2] += 1
        return inner[-1], inner[:-1]

    def records(self, raw):
        while raw:
            end = 5 + int.from_bytes(raw[3:5], "big")
            yield raw[:end]
            raw = raw[end:]

    def server_hello(self, record):
        message = record[5:]
        need(record[0] == 22 and message[0] == 2 and message[39:41] == b"\x13\x02", "ServerHello")
        share = message.index(b"\x00\x33\x00\x24\x00\x1d\x00\x20") + 8
        agreed = x25519(self.secret, message[share:share + 32])
        self.context = hashlib.sha256(self.random + message[6:38]).digest()
        self.transcript += message
        early = self.hkdf.extract(b"", bytes(48))
        handshake = self.hkdf.extract(self.derive(early, b"derived", b""), agreed)
        self.client, self.server = (self.derive(handshake, who + b" hs traffic", self.transcript) for who in (b"c", b"s"))
        self.master = self.hkdf.extract(self.derive(handshake, b"derived", b""), bytes(48))

    def flight(self, raw):
        """What the server said in its first flight behind its Finished; sets `ekm` and `spki`."""
        first, *rest = self.records(raw)
        self.server_hello(first)
        keys, finished, said, pending = self.keys(self.server), False, b"", b""
        for record in rest:
            kind, data = self.open(keys, record)
            need(kind == (23 if finished else 22), "handshake, then data")
            if finished:
                said += data
                continue
            pending += data
            while len(pending) >= 4 and len(pending) >= 4 + int.from_bytes(pending[1:4], "big"):
                end = 4 + int.from_bytes(pending[1:4], "big")
                finished, pending = self.message(pending[:end]), pending[end:]
                if finished:
                    self.down = keys = self.keys(self.derive(self.master, b"s ap traffic", self.transcript))
        return said

    def message(self, message):
        if message[0] == 11:
            at = message.index(bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"))
            self.spki = message[at:at + 91]
        if message[0] == 20:
            want = hmac.digest(self.expand(self.server, b"finished", b""),
                               hashlib.sha384(self.transcript).digest(), "sha384")
            need(message[4:] == want, "the server's Finished")
        self.transcript += message
        if message[0] != 20:
            return False
        exporter = self.derive(self.master, b"exp master", self.transcript)
        self.ekm = self.expand(self.derive(exporter, b"EXPORTER-pp-attest-v1", b""), b"exporter",
                               hashlib.sha384(self.context).digest(), 32)
        return True

    def finish(self, data):
        """Finished and all that the client ever says."""
        mac = hmac.digest(self.expand(self.client, b"finished", b""), hashlib.sha384(self.transcript).digest(), "sha384")
        return (self.seal(self.keys(self.client), 22, b"\x14" + len(mac).to_bytes(3, "big") + mac) +
                self.seal(self.keys(self.derive(self.master, b"c ap traffic", self.transcript)), 23, data))


# --- the device ---------------------------------------------------------------------------------

def call(url, body=None, **fields):
    """One request with these fields; urllib's own are the relay's to drop."""
    with urllib.request.urlopen(urllib.request.Request(url, body, fields), timeout=60) as answer:
        return answer.read()


class Device:
    def __init__(self, trust, assertion_key, now=time.time):
        self.trust, self.assertion_key, self.held, self.now = trust, assertion_key, [], now
        self.day = int(now()) // 86400
        bundle = one_value(call(trust["mirror"]))
        # An entry is a signed note: the record's text, an empty line, signatures.
        self.records = [entry.split(b"\n\n")[0].decode().split("\n") for entry, _ in [bundle[1], *bundle[2]]]
        self.host_set = next(bytes.fromhex(line.split()[1]) for line in self.records[0] if line.startswith("hosts "))

    def key_epoch(self, kind):
        """The `config` of today's key of a kind."""
        record = next(r for r in self.records if f"kind {kind}" in r and f"epoch {self.day}" in r)
        return base64.b64decode(next(line for line in record if line.startswith("config b64:"))[11:])

    def challenge(self):
        block = foreign_voprf.block
        context = hashlib.sha256(b"pp-epoch-v1\0" + self.day.to_bytes(4, "big")).digest()
        return (b"\x00\x05" + block(self.trust["issuer"].encode()) + bytes([len(context)]) + context +
                block(self.trust["gateway_authority"].encode()))

    def assertion(self, account):
        plain = b"\x01" + bytes([len(account)]) + account + (int(self.now()) + 600).to_bytes(8, "big")
        issuer = self.trust["issuer"].encode()
        tag = hmac.digest(self.assertion_key, b"pp-assertion-v1\0" + bytes([len(issuer)]) + issuer + plain, "sha256")
        return "PP-Assertion " + base64.urlsafe_b64encode(plain + tag).decode().rstrip("=")

    def fetch(self, count, account=b"foreign"):
        config = self.key_epoch("issuer")
        need(config[:2] == b"\x00\x05", "a token key of type 5")
        batch = foreign_voprf.Batch(config[2:], self.challenge(), count)
        kind = "application/private-token-amortized-batch-"
        answer = call(self.trust["issuer_url"], batch.request, Authorization=self.assertion(account),
                      **{"Content-Type": kind + "request"})
        self.held += batch.finish(answer)

    def exchange(self, message, size, answer_size):
        config = self.key_epoch("ohttp")
        config = config[2:2 + int.from_bytes(config[:2], "big")]
        kem, suite = int.from_bytes(config[1:3], "big"), config[37:41]
        need(kem == X25519, "the first configuration is X25519's")
        kdf, aead_id = int.from_bytes(suite[:2], "big"), int.from_bytes(suite[2:], "big")
        sender = Sender(config[0], kem, kdf, aead_id, config[3:35], os.urandom(32))
        body = call(self.trust["relay"], sender.seal(message.ljust(size - sender.overhead(), b"\0")),
                    **{"Content-Type": "message/ohttp-req"})
        need(len(body) == answer_size, "the answer's bucket")
        answer = sender.open_response(body)
        need(answer is not None, "an answer that opens")
        return http_answer(answer)

    def open(self):
        """Exchange #1: a token for a session, and what runs there."""
        self.tls = Tls()
        field = b'PrivateToken token="' + base64.urlsafe_b64encode(self.held.pop()) + b'"'
        message = http_request("/v1/sessions", self.trust["gateway_authority"], b"authorization", field, self.tls.hello)
        self.status, fields, content = self.exchange(message, 4096, 32768)
        if self.status != 200:
            return self.status
        (name, self.handle), = fields
        need(name == b"pp-session" and len(self.handle) == 98, "the handle")
        said = self.tls.flight(content)
        need(said[:1] == b"\x01" and int.from_bytes(said[1:5], "big") == len(said) - 5 == 28672, "one Evidence message")
        self.evidence = one_value(padded(said[5:]))
        self.check_binding()
        return self.status

    def check_binding(self):
        e = self.evidence
        need(10 not in e and 4 not in e, "one session under one report, no GPU")
        self.binding = hashlib.sha512(
            b"pp-ratls-report-v1\0s" + u16(91) + self.tls.spki + self.tls.ekm + hashlib.sha256(e[7]).digest() +
            bytes(32) + hashlib.sha256(e[9]).digest()).digest()
        need(e[2][0x50:0x90] == self.binding, "REPORT_DATA of this very session")

    def ask(self, messages, words=100, down_kib=8):
        """Exchange #2: the sealed request up, the sealed answer down."""
        kem, public = int.from_bytes(self.evidence[9][:2], "big"), self.evidence[9][2:]
        need(kem == X_WING, "X-Wing")
        enc, shared = foreign_xwing.encapsulate(public, os.urandom(64))
        context = Hpke(kem, shared, b"pp-seal-v1\0" + self.binding)
        payload = ["en", words, [[i, sender, minute, words_] for i, (sender, minute, words_) in enumerate(messages)]]
        request = cbor({0: 1, 1: "summarize", 2: down_kib, 3: False, 4: [], 5: self.host_set, 6: payload})
        bucket = next(b for b in (1024 << n for n in range(1, 9)) if 4 + len(request) <= self.room(b, len(enc)))
        plain = (len(request).to_bytes(4, "big") + request).ljust(self.room(bucket, len(enc)), b"\0")
        sealed = b"\x01" + enc + aead(AES_256, context.key, context.nonce, plain, True)
        frame = b"\x02" + len(sealed).to_bytes(4, "big") + sealed
        message = http_request("/v1/sessions/" + self.handle.decode(), self.trust["gateway_authority"], b"pp-max",
                               str(down_kib).encode(), self.tls.finish(frame))
        self.status, fields, content = self.exchange(message, bucket, down_kib * 1024)
        if self.status != 200:
            return self.status, None
        need(fields == [], "no field")
        return self.answer(content, context, enc, down_kib)

    @staticmethod
    def room(bucket, enc_bytes):
        room = bucket - 456 - 24 * -(-bucket // 16384) - 32 - enc_bytes
        return room if room >= 256 else 0

    def answer(self, content, context, enc, down_kib):
        said = b""
        for record in self.tls.records(content):
            kind, data = self.tls.open(self.tls.down, record)
            said += data if kind == 23 else b""
        need(said[:1] == b"\x03" and int.from_bytes(said[1:5], "big") == len(said) - 5, "one SealedResponse")
        sealed, hkdf = said[5:], Kdf("sha256")
        prk = hkdf.extract(enc + sealed[1:33], context.export(b"pp-response-v1", 32))
        plain = aead(AES_256, hkdf.expand(prk, b"key", 32), hkdf.expand(prk, b"nonce", 12), sealed[33:], False)
        need(sealed[0] == 1 and plain is not None and len(plain) == down_kib * 1024 - 256, "the sealed answer")
        answer = one_value(padded(plain))
        return answer[1], answer.get(2, [])


class Hpke:
    """RFC 9180 5.1 in mode base behind any KEM: HKDF-SHA256, AES-256-GCM."""

    def __init__(self, kem, shared, info):
        self.kdf = Kdf("sha256", b"HPKE" + u16(kem, 1, AES_256))
        context = (b"\0" + self.kdf.labelled_extract(b"", b"psk_id_hash", b"") +
                   self.kdf.labelled_extract(b"", b"info_hash", info))
        secret = self.kdf.labelled_extract(shared, b"secret", b"")
        self.key = self.kdf.labelled_expand(secret, b"key", context, 32)
        self.nonce = self.kdf.labelled_expand(secret, b"base_nonce", context, 12)
        self.exporter = self.kdf.labelled_expand(secret, b"exp", context, 32)

    def export(self, label, length):
        return self.kdf.labelled_expand(self.exporter, b"sec", label, length)
