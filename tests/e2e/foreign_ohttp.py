# SPDX-License-Identifier: Apache-2.0
"""Both ends of Oblivious HTTP (RFC 9458) that share no line with pp: HPKE (RFC 9180) in whole numbers.

    Sender(key id, KEM, KDF, AEAD, public key, ephemeral secret).seal(request) -> bytes
                                                               .open_response(bytes) -> response
    Sender(..., CHUNKED).seal_chunks([chunk, ...]) -> [head, chunk, ..., final chunk]
                        .open_chunks(bytes) -> [chunk, ...]
    open_request(private_key, bytes) -> request

The AEADs are those of libcrypto, called directly. Not constant in time and not for use: it shows that
what the gateway says is what the RFCs say."""
import ctypes
import hashlib
import hmac

X25519, P256 = 0x0020, 0x0010
WHOLE, CHUNKED = b"message/bhttp request", b"message/bhttp chunked request"
HASHES = {1: "sha256", 2: "sha384", 3: "sha512"}
CIPHERS = {1: ("EVP_aes_128_gcm", 16), 2: ("EVP_aes_256_gcm", 32), 3: ("EVP_chacha20_poly1305", 32)}
ENC_BYTES = {X25519: 32, P256: 65}
NONCE, TAG, FINAL = 12, 16, b"final"
SET_TAG, GET_TAG = 0x11, 0x10

CRYPTO = ctypes.CDLL("libcrypto.so.3")
CRYPTO.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
for _name, _ in CIPHERS.values():
    getattr(CRYPTO, _name).restype = ctypes.c_void_p


# --- AEAD ---------------------------------------------------------------------------------------

def aead(aead_id, key, nonce, data, encrypt, more=b""):
    """Sealed with its tag behind it, or opened; None where the tag is wrong. `more`: additional data."""
    data, tag = (data, bytes(TAG)) if encrypt else (data[:-TAG], data[-TAG:])
    ctx = ctypes.c_void_p(CRYPTO.EVP_CIPHER_CTX_new())
    out, tag = ctypes.create_string_buffer(len(data) + TAG), ctypes.create_string_buffer(tag, TAG)
    length = ctypes.c_int()
    cipher = ctypes.c_void_p(getattr(CRYPTO, CIPHERS[aead_id][0])())
    assert CRYPTO.EVP_CipherInit_ex(ctx, cipher, None, key, nonce, int(encrypt)) == 1
    assert CRYPTO.EVP_CipherUpdate(ctx, None, ctypes.byref(length), more, len(more)) == 1
    assert CRYPTO.EVP_CipherUpdate(ctx, out, ctypes.byref(length), data, len(data)) == 1
    if not encrypt:
        assert CRYPTO.EVP_CIPHER_CTX_ctrl(ctx, SET_TAG, TAG, tag) == 1
    good = CRYPTO.EVP_CipherFinal_ex(ctx, ctypes.create_string_buffer(TAG), ctypes.byref(length)) == 1
    if encrypt:
        assert CRYPTO.EVP_CIPHER_CTX_ctrl(ctx, GET_TAG, TAG, tag) == 1
    CRYPTO.EVP_CIPHER_CTX_free(ctx)
    return (out.raw[:len(data)] + (tag.raw if encrypt else b"")) if good else None


# --- X25519 and P-256 ---------------------------------------------------------------------------

def x25519(scalar, u):
    """RFC 7748 5."""
    p = 2**255 - 19
    k = int.from_bytes(scalar, "little") & ~7 & (2**254 - 1) | 2**254
    x1 = int.from_bytes(u, "little") & (2**255 - 1)
    x2, z2, x3, z3 = 1, 0, x1, 1
    for bit in reversed(range(255)):
        swap = k >> bit & 1
        if swap:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % p, b * b % p, d * a % p, c * b % p
        x3, z3 = pow(da + cb, 2, p), x1 * pow(da - cb, 2, p) % p
        e = aa - bb
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
        if swap:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, -1, p) % p).to_bytes(32, "little")


P = 2**256 - 2**224 + 2**192 + 2**96 - 1
BASE = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def p256_add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and a[1] != b[1]:
        return None
    slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def p256(scalar, point):
    k, result = int.from_bytes(scalar, "big"), None
    while k:
        if k & 1:
            result = p256_add(result, point)
        point, k = p256_add(point, point), k >> 1
    return result


def public_of(kem, secret):
    if kem == X25519:
        return x25519(secret, b"\x09" + bytes(31))
    x, y = p256(secret, BASE)
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def agree(kem, secret, public):
    if kem == X25519:
        return x25519(secret, public)
    return p256(secret, (int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")))[0].to_bytes(32, "big")


# --- HPKE, base mode ----------------------------------------------------------------------------

def u16(*numbers):
    return b"".join(n.to_bytes(2, "big") for n in numbers)


def varint(n):
    """RFC 9000 16, in the shortest form."""
    size = next(i for i in range(4) if n < 1 << (8 << i) - 2)
    return (n | size << (8 << size) - 2).to_bytes(1 << size, "big")


def counted_nonce(nonce, count):
    return bytes(a ^ b for a, b in zip(nonce, count.to_bytes(NONCE, "big")))


class Kdf:
    """HKDF, and the labelled forms of RFC 9180 4 for one suite id."""

    def __init__(self, name, suite_id=b""):
        self.name, self.suite_id, self.size = name, suite_id, hashlib.new(name).digest_size

    def extract(self, salt, ikm):
        return hmac.digest(salt or bytes(self.size), ikm, self.name)

    def expand(self, prk, info, length):
        out = block = b""
        for counter in range(1, -(-length // self.size) + 1):
            block = hmac.digest(prk, block + info + bytes([counter]), self.name)
            out += block
        return out[:length]

    def labelled_extract(self, salt, label, ikm):
        return self.extract(salt, b"HPKE-v1" + self.suite_id + label + ikm)

    def labelled_expand(self, prk, label, info, length):
        return self.expand(prk, u16(length) + b"HPKE-v1" + self.suite_id + label + info, length)


class Exchange:
    """What both ends of one exchange know: the HPKE context and the header."""

    def __init__(self, head, dh, enc, public, label=WHOLE):
        kem, kdf, self.aead = (int.from_bytes(head[i:i + 2], "big") for i in (1, 3, 5))
        of_kem = Kdf("sha256", b"KEM" + u16(kem))
        shared = of_kem.labelled_expand(of_kem.labelled_extract(b"", b"eae_prk", dh), b"shared_secret", enc + public, 32)
        self.hkdf = Kdf(HASHES[kdf])
        self.kdf = Kdf(HASHES[kdf], b"HPKE" + u16(kem, kdf, self.aead))
        context = (b"\x00" + self.kdf.labelled_extract(b"", b"psk_id_hash", b"") +
                   self.kdf.labelled_extract(b"", b"info_hash", label + b"\x00" + head))
        secret = self.kdf.labelled_extract(shared, b"secret", b"")
        self.key_bytes, self.head, self.enc = CIPHERS[self.aead][1], head, enc
        self.key = self.kdf.labelled_expand(secret, b"key", context, self.key_bytes)
        self.nonce = self.kdf.labelled_expand(secret, b"base_nonce", context, NONCE)
        self.exporter = self.kdf.labelled_expand(secret, b"exp", context, self.kdf.size)

    def response_keys(self, body, label):
        """Key, nonce, and what follows the response nonce (RFC 9458 4.4)."""
        length = max(NONCE, self.key_bytes)
        secret = self.kdf.labelled_expand(self.exporter, b"sec", label, length)
        prk = self.hkdf.extract(self.enc + body[:length], secret)
        return self.hkdf.expand(prk, b"key", self.key_bytes), self.hkdf.expand(prk, b"nonce", NONCE), body[length:]

    def open_response(self, body):
        """None where it does not open."""
        key, nonce, sealed = self.response_keys(body, b"message/bhttp response")
        return aead(self.aead, key, nonce, sealed, False)

    def open_chunks(self, body):
        """The chunks of a response, the final one last; None where one does not open or the end is missing."""
        key, nonce, rest = self.response_keys(body, b"message/bhttp chunked response")
        chunks = []
        while rest:
            size = 1 << (rest[0] >> 6)
            length, rest = int.from_bytes(rest[:size], "big") & (1 << 8 * size - 2) - 1, rest[size:]
            sealed, rest = (rest[:length], rest[length:]) if length else (rest, b"")
            chunks.append(aead(self.aead, key, counted_nonce(nonce, len(chunks)), sealed, False,
                               b"" if length else FINAL))
            if chunks[-1] is None:
                return None
            if not length:
                return chunks
        return None


class Sender(Exchange):
    """A client's end: one encapsulated key, from the ephemeral private key that is given."""

    def __init__(self, key_id, kem, kdf, aead_id, public, secret, label=WHOLE):
        super().__init__(bytes([key_id]) + u16(kem, kdf, aead_id), agree(kem, secret, public),
                         public_of(kem, secret), public, label)

    def overhead(self):
        return len(self.head) + len(self.enc) + TAG

    def seal(self, request):
        return self.head + self.enc + aead(self.aead, self.key, self.nonce, request, True)


    def seal_chunks(self, chunks):
        """Head, and each chunk with its length; the last one is the final one."""
        made = [self.head + self.enc]
        for i, chunk in enumerate(chunks):
            final = i == len(chunks) - 1
            sealed = aead(self.aead, self.key, counted_nonce(self.nonce, i), chunk, True, FINAL if final else b"")
            made.append((b"\0" if final else varint(len(sealed))) + sealed)
        return made


def open_request(private, body):
    """A gateway's end: the message within, or None."""
    kem = int.from_bytes(body[1:3], "big")
    enc, rest = body[7:7 + ENC_BYTES[kem]], body[7 + ENC_BYTES[kem]:]
    x = Exchange(body[:7], agree(kem, private, enc), enc, public_of(kem, private))
    return aead(x.aead, x.key, x.nonce, rest, False)
