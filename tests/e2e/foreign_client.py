# SPDX-License-Identifier: Apache-2.0
"""A Privacy Pass client that shares no line with pp: token type 0x0002 (RFC 9578 6, RFC 9474) in whole numbers.

    directory -> public_key -> Issuance(...).request -> .finish(answer) -> token

and the issuer's part, sign(private key, blinded). Not constant in time and not for use: it shows that what the
issuer says is what the RFCs say."""
import hashlib
import math
import os
import secrets

NUMBER, SALT = 256, 48


def der_values(raw):
    """The content of each value in a run of DER: (tag, content)."""
    while raw:
        tag, length, head = raw[0], raw[1], 2
        if length & 0x80:
            head += length & 0x7F
            length = int.from_bytes(raw[2:head], "big")
        yield tag, raw[head:head + length]
        raw = raw[head + length:]


def public_key(spki):
    """(n, e) of a SubjectPublicKeyInfo, whatever its algorithm's parameters."""
    (_, whole), = der_values(spki)
    _, (_, bits) = der_values(whole)
    (_, numbers), = der_values(bits[1:])
    (_, n), (_, e) = der_values(numbers)
    return int.from_bytes(n, "big"), int.from_bytes(e, "big")


def mgf1(seed, length):
    out = b""
    for counter in range(-(-length // 48)):
        out += hashlib.sha384(seed + counter.to_bytes(4, "big")).digest()
    return out[:length]


def emsa_pss_encode(message, bits):
    """RFC 8017 9.1.1 with SHA-384, MGF1 of the same and 48 bytes of salt."""
    salt, em_len = os.urandom(SALT), -(-bits // 8)
    h = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    db = bytes(em_len - SALT - len(h) - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(db, mgf1(h, len(db))))
    masked[0] &= 0xFF >> (8 * em_len - bits)
    return bytes(masked) + h + b"\xbc"


class Issuance:
    """One token for a challenge under a key."""

    def __init__(self, spki, challenge):
        self.n, self.e = public_key(spki)
        key_id = hashlib.sha256(spki).digest()
        self.input = b"\x00\x02" + os.urandom(32) + hashlib.sha256(challenge).digest() + key_id
        m = int.from_bytes(emsa_pss_encode(self.input, self.n.bit_length() - 1), "big")
        r = 0
        while math.gcd(r, self.n) != 1:
            r = secrets.randbelow(self.n)
        self.unblind = pow(r, -1, self.n)
        blinded = m * pow(r, self.e, self.n) % self.n
        self.request = b"\x00\x02" + key_id[-1:] + blinded.to_bytes(NUMBER, "big")

    def finish(self, answer):
        """The whole token: 98 bytes of input and the signature."""
        assert len(answer) == NUMBER
        s = int.from_bytes(answer, "big") * self.unblind % self.n
        return self.input + s.to_bytes(NUMBER, "big")


def sign(der, blinded):
    """With a private key in PKCS#8: one power."""
    (_, whole), = der_values(der)
    (_, inner), = der_values(list(der_values(whole))[2][1])
    numbers = [int.from_bytes(content, "big") for _, content in der_values(inner)]
    return pow(int.from_bytes(blinded, "big"), numbers[3], numbers[1]).to_bytes(NUMBER, "big")
