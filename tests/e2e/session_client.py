# SPDX-License-Identifier: Apache-2.0
"""The exchanges of a session one by one (pp-wire 3), with whatever a test puts into them, and the tokens of a
device that was robbed.

    Client(fleet).open(key, token_field(token)) -> (status in clear, (status, fields, content) or None)

Whoever can read a device's folder in development can read its wallet: the key that seals it lies beside."""
import base64
import contextlib
import http.client
import os
import re
import sqlite3

import foreign_bhttp
import foreign_device
import foreign_ohttp

RESOURCE, AUTHORITY = "/.well-known/ohttp-gateway", b"gateway.pp-dev.example"
OPEN_BYTES, OPENED_BYTES = 4096, 32768
PATIENCE, NONCE = 60, foreign_ohttp.NONCE


class Wallet:
    """The tokens of a device's folder. What is taken is gone from it."""

    def __init__(self, device):
        self.path = os.path.join(device, "wallet")
        with open(os.path.join(device, "platform.key"), "rb") as f:
            self.key = f.read()

    def unsealed(self, blob):
        """(epoch, token) of a row: u16 type || u32 epoch || u64 usable from || token, sealed."""
        plain = foreign_ohttp.aead(foreign_device.AES_256, self.key, blob[:NONCE], blob[NONCE:], False, b"pp-wallet-v1")
        return int.from_bytes(plain[2:6], "big"), plain[14:]

    def take(self, day, count):
        with contextlib.closing(sqlite3.connect(self.path, timeout=60)) as db, db:
            rows = db.execute("SELECT id, sealed FROM token").fetchall()
            found = [(i, *self.unsealed(sealed)) for i, sealed in rows]
            found = [(i, token) for i, epoch, token in found if epoch == day][:count]
            assert len(found) == count, f"{len(found)} tokens of {day}"
            db.executemany("DELETE FROM token WHERE id = ?", [(i,) for i, _ in found])
        return [token for _, token in found]


def key_configs(listed):
    """{key id: (KEM, KDF, AEAD, public key)} of a gateway's list: the X25519 ones, and their first suite."""
    found = {}
    while listed:
        length = int.from_bytes(listed[:2], "big")
        one, listed = listed[2:2 + length], listed[2 + length:]
        if int.from_bytes(one[1:3], "big") == foreign_ohttp.X25519:
            kdf, aead = (int.from_bytes(one[i:i + 2], "big") for i in (37, 39))
            found[one[0]] = (foreign_ohttp.X25519, kdf, aead, one[3:35])
    return found


def token_field(token):
    return b'PrivateToken token="' + base64.urlsafe_b64encode(token) + b'"'


class Client:
    """What a device says to the relay of a fleet, and what it hears."""

    def __init__(self, fleet):
        self.fleet = fleet

    def ask(self, party, method, path, body=None):
        """(status, body) of one HTTP exchange with a party, on a connection of its own."""
        at = http.client.HTTPConnection(self.fleet.listens(party), timeout=PATIENCE)
        with contextlib.closing(at):
            at.request(method, path, body, {} if body is None else {"Content-Type": "message/ohttp-req"})
            answer = at.getresponse()
            return answer.status, answer.read()

    def listed(self):
        """The gateway's keys, as key_configs has them."""
        status, body = self.ask("gateway", "GET", RESOURCE)
        assert status == 200
        return key_configs(body)

    def key_id(self, day):
        """The id of an epoch's X25519 key, which says itself so in the gateway's folder."""
        with open(os.path.join(self.fleet.state, "gateway", "ohttp_keys", f"{day}.key"), encoding="ascii") as f:
            return int(re.search(r"(?m)^id = (\d+)$", f.read())[1])

    def sender(self, key):
        """One encapsulated key. `key`: (id, what key_configs says of it)."""
        key_id, (kem, kdf, aead, public) = key
        return foreign_ohttp.Sender(key_id, kem, kdf, aead, public, os.urandom(32))

    def sealed(self, sender, path, fields, content, size):
        message = foreign_bhttp.known_length(b"POST", b"https", AUTHORITY, path, fields, content)
        return sender.seal(message.ljust(size - sender.overhead(), b"\0"))

    def post(self, sender, body, answer_bytes):
        """(status in clear, what was answered inside, or None where nothing was)."""
        status, answer = self.ask("relay", "POST", "/ohttp", body)
        if status != 200:
            return status, None
        assert len(answer) == answer_bytes, len(answer)
        response = sender.open_response(answer)
        assert response is not None, "sealed under another context"
        inner, fields, content = foreign_device.http_answer(response)
        return status, (inner, dict(fields), content)

    def open(self, key, field, hello=None, answer_bytes=OPENED_BYTES):
        """Exchange #1."""
        sender = self.sender(key)
        body = self.sealed(sender, b"/v1/sessions", [(b"authorization", field)],
                           foreign_device.Tls().hello if hello is None else hello, OPEN_BYTES)
        return self.post(sender, body, answer_bytes)

    def go_on(self, key, handle, content=b"bytes of TLS", down_kib=1):
        """Exchange #2, in the smallest buckets."""
        sender = self.sender(key)
        body = self.sealed(sender, b"/v1/sessions/" + handle, [(b"pp-max", b"%d" % down_kib)], content, 2048)
        return self.post(sender, body, down_kib << 10)
