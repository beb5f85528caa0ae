# SPDX-License-Identifier: Apache-2.0
"""A Privacy Pass client of token type 0x0005 that shares no line with pp: ristretto255 (RFC 9496) and VOPRF
(RFC 9497) in whole numbers, written from docs/protocol/tokens.md and the RFCs.

    Batch(token key, challenge, count).request -> .finish(answer) -> [token]

Not constant in time and not for use."""
import hashlib
import os
import secrets

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of -1
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
ELEMENT = 32


class Refused(Exception):
    """What an honest party never sends."""


def positive(x):
    return x % P if x % P % 2 == 0 else -x % P


def sqrt_ratio(u, v):
    """RFC 9496 4.2: whether u / v is a square, and the even root of it or of its multiple."""
    u, v = u % P, v % P
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    if check in (-u % P, -u * ROOT % P):
        r = r * ROOT % P
    return check in (u, -u % P), positive(r)


_, INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)


# Points are (X, Y, Z, T) of the curve -x^2 + y^2 = 1 + d x^2 y^2.
def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m, n, c, d = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2), 2 * t1 * D * t2, 2 * z1 * z2
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(k, point):
    result = (0, 1, 1, 0)
    while k:
        if k & 1:
            result = add(result, point)
        point, k = add(point, point), k >> 1
    return result


def encode(point):
    x, y, z, t = point
    u1, u2 = (z + y) * (z - y), x * y
    _, inverse = sqrt_ratio(1, u1 * u2 * u2)
    den1, den2 = inverse * u1, inverse * u2
    z_inv = den1 * den2 * t
    if t * z_inv % P % 2:
        x, y, den = y * ROOT, x * ROOT, den1 * INVSQRT_A_MINUS_D
    else:
        den = den2
    if x * z_inv % P % 2:
        y = -y
    return positive(den * (z - y)).to_bytes(ELEMENT, "little")


def decode(raw):
    s = int.from_bytes(raw, "little")
    if len(raw) != ELEMENT or s >= P or s % 2:
        raise Refused("encoding")
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, inverse = sqrt_ratio(1, v * u2 * u2)
    den_x = inverse * u2
    x, y = positive(2 * s * den_x), u1 * inverse * den_x * v % P
    if not square or x * y % P % 2 or y == 0 or s == 0:
        raise Refused("element")
    return x, y, 1, x * y % P


def elligator(t):
    r = ROOT * t * t % P
    u, v = (r + 1) * (1 - D * D), (-1 - r * D) * (r + D)
    square, s = sqrt_ratio(u, v)
    s, c = (s, -1) if square else (-positive(s * t), r)
    n = c * (r - 1) * (D - 1) ** 2 - v
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def expand(message, name):
    """RFC 9380 5.3.1 with SHA-512: 64 bytes, which are one block."""
    dst = name + CONTEXT
    dst += bytes([len(dst)])
    first = hashlib.sha512(bytes(128) + message + b"\x00\x40\x00" + dst).digest()
    return hashlib.sha512(first + b"\x01" + dst).digest()


def hash_to_group(message):
    wide = expand(message, b"HashToGroup-")
    return add(*(elligator(int.from_bytes(half, "little") % 2**255) for half in (wide[:32], wide[32:])))


def hash_to_scalar(message):
    return int.from_bytes(expand(message, b"HashToScalar-"), "little") % L


def block(raw):
    return len(raw).to_bytes(2, "big") + raw


def proven(key, blinded, evaluated, proof):
    """RFC 9497 2.2.2: one proof over all pairs."""
    c, s = (int.from_bytes(half, "little") for half in (proof[:32], proof[32:]))
    if len(proof) != 64 or c >= L or s >= L:
        raise Refused("scalar")
    seed = hashlib.sha512(block(key) + block(b"Seed-" + CONTEXT)).digest()
    m = z = (0, 1, 1, 0)
    for i, (one, other) in enumerate(zip(blinded, evaluated)):
        d = hash_to_scalar(block(seed) + i.to_bytes(2, "big") + block(one) + block(other) + b"Composite")
        m, z = add(m, times(d, decode(one))), add(z, times(d, decode(other)))
    t2, t3 = add(times(s, BASE), times(c, decode(key))), add(times(s, m), times(c, z))
    return hash_to_scalar(block(key) + b"".join(block(encode(x)) for x in (m, z, t2, t3)) + b"Challenge") == c


def varint(n):
    """A QUIC varint (RFC 9000 16) in its shortest form."""
    if n < 64:
        return bytes([n])
    return (n | 0x4000).to_bytes(2, "big") if n < 16384 else (n | 0x80000000).to_bytes(4, "big")


class Batch:
    """`count` tokens for one challenge under one key, asked for at once."""

    def __init__(self, key, challenge, count):
        self.key, key_id = key, hashlib.sha256(key).digest()
        self.inputs = [b"\x00\x05" + os.urandom(32) + hashlib.sha256(challenge).digest() + key_id
                       for _ in range(count)]
        self.blinds = [secrets.randbelow(L - 1) + 1 for _ in range(count)]
        self.blinded = [encode(times(r, hash_to_group(i))) for r, i in zip(self.blinds, self.inputs)]
        self.request = b"\x00\x05" + key_id[-1:] + varint(ELEMENT * count) + b"".join(self.blinded)

    def finish(self, answer):
        size = varint(ELEMENT * len(self.inputs))
        if len(answer) != len(size) + ELEMENT * len(self.inputs) + 64 or not answer.startswith(size):
            raise Refused("length")
        answer = answer[len(size):]
        evaluated = [answer[ELEMENT * i:ELEMENT * (i + 1)] for i in range(len(self.inputs))]
        if not proven(self.key, self.blinded, evaluated, answer[-64:]):
            raise Refused("proof")
        return [i + hashlib.sha512(block(i) + block(encode(times(pow(r, -1, L), decode(e)))) + b"Finalize").digest()
                for i, r, e in zip(self.inputs, self.blinds, evaluated)]


# --- what the key's owner can do alone ----------------------------------------------------------

def derived_key(seed):
    """DeriveKeyPair(seed, "PrivacyPass") of RFC 9497 3.2.1; its first try is one in all but 2^-252 of cases."""
    return int.from_bytes(expand(seed + block(b"PrivacyPass") + b"\0", b"DeriveKeyPair"), "little") % L


def owned_token(scalar, challenge, nonce=None):
    """What an issuance under this key ends in for a nonce, whatever it was blinded with."""
    key_id = hashlib.sha256(encode(times(scalar, BASE))).digest()
    text = b"\x00\x05" + (nonce or os.urandom(32)) + hashlib.sha256(challenge).digest() + key_id
    issued = encode(times(scalar, hash_to_group(text)))
    return text + hashlib.sha512(block(text) + block(issued) + b"Finalize").digest()
