# SPDX-License-Identifier: Apache-2.0
"""The sender's half of X-Wing that shares no line with pp: ML-KEM-768 (FIPS 203) in whole numbers, written from
docs/protocol/messages.md and the standard.

    encapsulate(public key, 64 random bytes) -> (enc, shared secret)

Not constant in time and not for use."""
import hashlib

from foreign_ohttp import public_of, x25519, X25519

Q, N, K = 3329, 256, 3
PK, CT = 1184, 1088


def reverse(i):
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, reverse(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * reverse(i) + 1, Q) for i in range(128)]


def ntt(f):
    f, i, size = list(f), 1, 128
    while size >= 2:
        for start in range(0, N, 2 * size):
            for j in range(start, start + size):
                t = ZETAS[i] * f[j + size]
                f[j], f[j + size] = (f[j] + t) % Q, (f[j] - t) % Q
            i += 1
        size //= 2
    return f


def inverse_ntt(f):
    f, i, size = list(f), 127, 2
    while size <= 128:
        for start in range(0, N, 2 * size):
            for j in range(start, start + size):
                f[j], f[j + size] = (f[j] + f[j + size]) % Q, ZETAS[i] * (f[j + size] - f[j]) % Q
            i -= 1
        size *= 2
    return [x * 3303 % Q for x in f]


def product(a, b):
    out = []
    for i, gamma in enumerate(GAMMAS):
        a0, a1, b0, b1 = *a[2 * i:2 * i + 2], *b[2 * i:2 * i + 2]
        out += [(a0 * b0 + a1 * b1 * gamma) % Q, (a0 * b1 + a1 * b0) % Q]
    return out


def total(polynomials):
    return [sum(column) % Q for column in zip(*polynomials)]


def sampled(seed):
    """A polynomial of the matrix, drawn from SHAKE128 by rejection."""
    stream, out, at = hashlib.shake_128(seed).digest(4096), [], 0
    while len(out) < N:
        a, b, c = stream[at:at + 3]
        out += [d for d in (a + 256 * (b % 16), b // 16 + 16 * c) if d < Q]
        at += 3
    return out[:N]


def bits(raw):
    return [byte >> i & 1 for byte in raw for i in range(8)]


def noise(seed, n):
    """eta is 2 everywhere in ML-KEM-768."""
    b = bits(hashlib.shake_256(seed + bytes([n])).digest(128))
    return [(b[i] + b[i + 1] - b[i + 2] - b[i + 3]) % Q for i in range(0, 4 * N, 4)]


def read12(raw):
    numbers = [int.from_bytes(raw[i:i + 3], "little") for i in range(0, len(raw), 3)]
    return [x for n in numbers for x in (n & 0xFFF, n >> 12)]


def compressed(f, d):
    packed = sum(((x << d) + Q // 2) // Q % (1 << d) << d * i for i, x in enumerate(f))
    return packed.to_bytes(N * d // 8, "little")


def mlkem(public, m):
    t = [read12(public[384 * i:384 * (i + 1)]) for i in range(K)]
    assert all(x < Q for f in t for x in f), "a coefficient that is not reduced"
    both = hashlib.sha3_512(m + hashlib.sha3_256(public).digest()).digest()
    shared, r, rho = both[:32], both[32:], public[384 * K:]
    y = [ntt(noise(r, i)) for i in range(K)]
    u = [total((inverse_ntt(total(product(sampled(rho + bytes([i, j])), y[j]) for j in range(K))), noise(r, K + i)))
         for i in range(K)]
    v = total((inverse_ntt(total(product(t[j], y[j]) for j in range(K))), noise(r, 2 * K),
               [x * (Q + 1) // 2 for x in bits(m)]))
    return b"".join(compressed(f, 10) for f in u) + compressed(v, 4), shared


def encapsulate(public, drawn):
    assert len(public) == PK + 32 and len(drawn) == 64
    ciphertext, first = mlkem(public[:PK], drawn[:32])
    second, ephemeral = x25519(drawn[32:], public[PK:]), public_of(X25519, drawn[32:])
    secret = hashlib.sha3_256(first + second + ephemeral + public[PK:] + bytes.fromhex("5c2e2f2f5e5c")).digest()
    return ciphertext + ephemeral, secret
