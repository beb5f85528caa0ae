# SPDX-License-Identifier: Apache-2.0
"""Privacy Pass that shares no line with pp. Token type 0x0002 (RFC 9578 6, RFC 9474) in whole numbers:

    directory -> public_key -> Issuance(...).request -> .finish(answer) -> token

and tokens of type 0x0005 as their key's owner can make them alone: derived_key(seed) -> owned_token(...).
Not constant in time and not for use: it shows that what issuer and gateway say is what the RFCs say."""
import ctypes
import hashlib
import math
import os
import secrets

NUMBER, SALT = 256, 48
ORDER = 2**252 + 27742317777372353535851937790883648493  # of ristretto255
SODIUM = ctypes.CDLL("libsodium.so.23")


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
    """The issuer's part, with a private key in PKCS#8: one power."""
    (_, whole), = der_values(der)
    (_, inner), = der_values(list(der_values(whole))[2][1])
    numbers = [int.from_bytes(content, "big") for _, content in der_values(inner)]
    return pow(int.from_bytes(blinded, "big"), numbers[3], numbers[1]).to_bytes(NUMBER, "big")


# --- type 0x0005: VOPRF(ristretto255, SHA-512) of RFC 9497; the group is libsodium's ----------------

def challenge_of(kind, issuer, context, origin):
    """A TokenChallenge (RFC 9577 2.1.1)."""
    return (kind.to_bytes(2, "big") + len(issuer).to_bytes(2, "big") + issuer + bytes([len(context)]) + context +
            len(origin).to_bytes(2, "big") + origin)


def expanded(message, label):
    """expand_message_xmd of RFC 9380 5.3.1 with SHA-512, to its own 64 bytes."""
    dst = label + b"OPRFV1-\x01-ristretto255-SHA512"
    dst += bytes([len(dst)])
    first = hashlib.sha512(bytes(128) + message + b"\x00\x40\x00" + dst).digest()
    return hashlib.sha512(first + b"\x01" + dst).digest()


def derived_key(seed):
    """DeriveKeyPair(seed, "PrivacyPass"): the scalar, little-endian."""
    info = b"PrivacyPass"
    number = int.from_bytes(expanded(seed + len(info).to_bytes(2, "big") + info + b"\0", b"DeriveKeyPair"), "little")
    return (number % ORDER).to_bytes(32, "little")


def element(function, *inputs):
    out = ctypes.create_string_buffer(32)
    assert getattr(SODIUM, function)(out, *inputs) == 0
    return out.raw


def owned_token(scalar, challenge, nonce=None):
    """What an issuance under this key ends in for a nonce, whatever it was blinded with."""
    public = element("crypto_scalarmult_ristretto255_base", scalar)
    text = (b"\x00\x05" + (nonce or os.urandom(32)) + hashlib.sha256(challenge).digest() +
            hashlib.sha256(public).digest())
    issued = element("crypto_scalarmult_ristretto255", scalar,
                     element("crypto_core_ristretto255_from_hash", expanded(text, b"HashToGroup-")))
    sized = b"".join(len(part).to_bytes(2, "big") + part for part in (text, issued))
    return text + hashlib.sha512(sized + b"Finalize").digest()
