#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the vectors of pp-wire's message formats: one JSON file a format, beside this script.

Written from docs/protocol alone, with an encoder, AES-GCM and X25519 of its own (standard library
only), so that a mistake in the C code cannot hide in its vectors. Deterministic: run it and
`git diff` shows what changed.

    {"format": "evidence", "rows": [{"name", "hex", "expect": "ok" or a code, "fields": {...}}]}

A row's bytes are `hex`, then `zeros` zero bytes, then `tail` (both optional).
"""
import hashlib
import hmac
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def det(label, n):
    """n deterministic bytes that look random."""
    return hashlib.shake_256(label.encode()).digest(n)


def H(b):
    return hashlib.sha256(b).digest()


# --- CBOR, core deterministic encoding ---------------------------------------------------------


class Raw(bytes):
    """Bytes that stand as they are: for wrong encodings."""


def head(major, v):
    for info, size in ((None, 0), (24, 1), (25, 2), (26, 4), (27, 8)):
        if info is None:
            if v < 24:
                return bytes([major << 5 | v])
        elif v < 1 << (8 * size):
            return bytes([major << 5 | info]) + v.to_bytes(size, "big")
    raise ValueError(v)


def cbor(x):
    if isinstance(x, Raw):
        return bytes(x)
    if isinstance(x, bool):
        return b"\xf5" if x else b"\xf4"
    if isinstance(x, int):
        return head(0, x)
    if isinstance(x, bytes):
        return head(2, len(x)) + x
    if isinstance(x, str):
        b = x.encode("utf-8", "surrogatepass")
        return head(3, len(b)) + b
    if isinstance(x, list):
        return head(4, len(x)) + b"".join(cbor(i) for i in x)
    if isinstance(x, dict):
        pairs = sorted((cbor(k), cbor(v)) for k, v in x.items())
        return pairs_map(pairs)
    raise TypeError(x)


def pairs_map(pairs):
    """A map in the order given; keys and values already encoded."""
    return head(5, len(pairs)) + b"".join(k + v for k, v in pairs)


def encoded_pairs(d):
    return [(cbor(k), cbor(v)) for k, v in sorted(d.items())]


def with_key(d, key, value):
    out = dict(d)
    out[key] = value
    return out


def without(d, key):
    return {k: v for k, v in d.items() if k != key}


# --- AES-256-GCM and X25519 --------------------------------------------------------------------


def _sbox():
    p, q, box = 1, 1, [0] * 256
    while True:
        p = p ^ (p << 1) & 0xFF ^ (0x1B if p & 0x80 else 0)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        rot = lambda v, n: (v << n | v >> (8 - n)) & 0xFF
        box[p] = q ^ rot(q, 1) ^ rot(q, 2) ^ rot(q, 3) ^ rot(q, 4) ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return box


SBOX = _sbox()


def aes_round_keys(key):
    nk = len(key) // 4
    rounds = nk + 6
    words = [key[4 * i:4 * i + 4] for i in range(nk)]
    rcon = 1
    for i in range(nk, 4 * (rounds + 1)):
        w = words[i - 1]
        if i % nk == 0:
            w = bytes(SBOX[b] for b in w[1:] + w[:1])
            w = bytes([w[0] ^ rcon]) + w[1:]
            rcon = rcon << 1 ^ (0x11B if rcon & 0x80 else 0)
        elif nk > 6 and i % nk == 4:
            w = bytes(SBOX[b] for b in w)
        words.append(bytes(a ^ b for a, b in zip(words[i - nk], w)))
    return [b"".join(words[4 * r:4 * r + 4]) for r in range(rounds + 1)]


def xtime(b):
    return (b << 1 ^ (0x1B if b & 0x80 else 0)) & 0xFF


def aes_block(keys, block):
    s = bytes(a ^ b for a, b in zip(block, keys[0]))
    for r in range(1, len(keys)):
        s = bytes(SBOX[b] for b in s)
        s = bytes(s[(i + 4 * (i % 4)) % 16] for i in range(16))
        if r < len(keys) - 1:
            out = []
            for c in range(4):
                col = s[4 * c:4 * c + 4]
                t = col[0] ^ col[1] ^ col[2] ^ col[3]
                out += [col[i] ^ t ^ xtime(col[i] ^ col[(i + 1) % 4]) for i in range(4)]
            s = bytes(out)
        s = bytes(a ^ b for a, b in zip(s, keys[r]))
    return s


def gmul(x, y):
    z = 0
    for i in range(127, -1, -1):
        if y >> i & 1:
            z ^= x
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return z


def gcm_seal(key, nonce, aad, pt):
    keys = aes_round_keys(key)
    h = int.from_bytes(aes_block(keys, bytes(16)), "big")
    ct = b""
    for i in range(0, len(pt), 16):
        pad = aes_block(keys, nonce + (2 + i // 16).to_bytes(4, "big"))
        ct += bytes(a ^ b for a, b in zip(pt[i:i + 16], pad))
    y = 0
    pad16 = lambda b: b + bytes(-len(b) % 16)
    data = pad16(aad) + pad16(ct) + (8 * len(aad)).to_bytes(8, "big") + (8 * len(ct)).to_bytes(8, "big")
    for i in range(0, len(data), 16):
        y = gmul(y ^ int.from_bytes(data[i:i + 16], "big"), h)
    tag = y ^ int.from_bytes(aes_block(keys, nonce + (1).to_bytes(4, "big")), "big")
    return ct + tag.to_bytes(16, "big")


# NIST GCM test case 16's first block keeps the arithmetic honest.
assert gcm_seal(bytes(32), bytes(12), b"", bytes(16)).hex() == \
    "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"

P = 2**255 - 19


def x25519(k, u):
    k = bytearray(k)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(u, "little") & (1 << 255) - 1
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % P, c * b % P
        x3, z3 = (da + cb)**2 % P, x1 * (da - cb)**2 % P
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, x3, z2, z3 = x3, x2, z3, z2
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


BASE = (9).to_bytes(32, "little")

# --- HPKE base mode, X25519, HKDF-SHA256, AES-256-GCM (RFC 9180) --------------------------------


def extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def expand(prk, info, n):
    out, t, i = b"", b"", 1
    while len(out) < n:
        t = hmac.new(prk, t + info + bytes([i]), hashlib.sha256).digest()
        out, i = out + t, i + 1
    return out[:n]


def lextract(suite, salt, label, ikm):
    return extract(salt, b"HPKE-v1" + suite + label + ikm)


def lexpand(suite, prk, label, info, n):
    return expand(prk, n.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, n)


KEM_SUITE = b"KEM\x00\x20"
SUITE = b"HPKE\x00\x20\x00\x01\x00\x02"


def hpke_sender(sk_e, pk_r, info):
    enc = x25519(sk_e, BASE)
    prk = lextract(KEM_SUITE, b"", b"eae_prk", x25519(sk_e, pk_r))
    shared = lexpand(KEM_SUITE, prk, b"shared_secret", enc + pk_r, 32)
    ksc = b"\0" + lextract(SUITE, b"", b"psk_id_hash", b"") + lextract(SUITE, b"", b"info_hash", info)
    secret = lextract(SUITE, shared, b"secret", b"")
    return enc, lexpand(SUITE, secret, b"key", ksc, 32), lexpand(SUITE, secret, b"base_nonce", ksc, 12), \
        lexpand(SUITE, secret, b"exp", ksc, 32)


def export(exporter, context, n):
    return lexpand(SUITE, exporter, b"sec", context, n)


def padded(item, room):
    return len(item).to_bytes(4, "big") + item + bytes(room - 4 - len(item))


# --- rows --------------------------------------------------------------------------------------


class Format:

    def __init__(self, name, note):
        self.name, self.note, self.rows = name, note, []

    def row(self, name, data, expect="ok", fields=None, **more):
        row = {"name": name, "hex": data.hex(), "expect": expect}
        row.update(more)
        if fields is not None:
            row["fields"] = fields
        self.rows.append(row)

    def bad(self, name, data, code, **more):
        self.row(name, data, code, **more)

    def common_faults(self, good, **more):
        """What is wrong with any CBOR message."""
        self.bad("truncated by one byte", good[:-1], "TRUNCATED", **more)
        self.bad("empty", b"", "TRUNCATED", **more)
        self.bad("a byte behind the end", good + b"\0", "TRAILING", **more)

    def map_faults(self, pairs, **more):
        """What is wrong with any of our maps; `pairs` is a good one's."""
        good = pairs_map(pairs)
        self.common_faults(good, **more)
        self.bad("first key twice", pairs_map(pairs[:1] + pairs), "DUPLICATE", **more)
        self.bad("last two pairs swapped", pairs_map(pairs[:-2] + [pairs[-1], pairs[-2]]), "ORDER", **more)
        self.bad("key 30 is unknown", pairs_map(pairs + [(cbor(30), cbor(0))]), "UNKNOWN_FIELD", **more)
        self.bad("indefinite length", b"\xbf" + good[1:] + b"\xff", "ENCODING", **more)
        self.bad("length in a longer form", b"\xb8" + bytes([len(pairs)]) + good[1:], "ENCODING", **more)
        self.bad("an array instead", cbor([]), "FORMAT", **more)

    def write(self):
        assert sum(r["expect"] == "ok" for r in self.rows) >= 1, self.name
        assert sum(r["expect"] != "ok" for r in self.rows) >= 5, self.name
        names = [r["name"] for r in self.rows]
        assert len(set(names)) == len(names), names
        with open(os.path.join(HERE, self.name + ".json"), "w") as f:
            json.dump({"format": self.name, "source": "project-made, make_msg.py: " + self.note, "rows": self.rows}, f, indent=1)
            f.write("\n")


def nodes(label, n):
    return [det("%s %d" % (label, i), 32) for i in range(n)]


def hexes(items):
    return [i.hex() for i in items]


# --- evidence ----------------------------------------------------------------------------------

RELEASE = det("release", 32)
HOSTS = det("host-set", 32)
HOSTS_BEFORE = det("host-set before", 32)
CONFIG = b"engine = embedded\nmessage_kem = classical\n"
MESSAGE_KEY = b"\x00\x20" + x25519(det("message sk", 32), BASE)


def evidence_map():
    return {
        0: 1,
        1: "sim-snp",
        2: det("report", 96),
        3: [det("vcek", 48)],
        6: RELEASE,
        7: CONFIG,
        9: MESSAGE_KEY,
        12: [[HOSTS, 5, 4, nodes("host", 1)]],
    }


def evidence_fields(e):
    f = {
        "platform": e[1],
        "report": e[2].hex(),
        "endorsements": hexes(e[3]),
        "release_id": e[6].hex(),
        "config": e[7].hex(),
        "hosts": [[h[0].hex(), h[1], h[2], hexes(h[3])] for h in e[12]],
        "backends": [[r, i.hex()] for r, i in e.get(11, [])],
    }
    if 4 in e:
        g = e[4][0]
        f["gpu_digest"] = H(cbor(e[4])).hex()
        f["gpu"] = [g[0].hex(), g[1].hex(), hexes(g[2]), hexes(g[3])]
    if 9 in e:
        f["message_kem"] = int.from_bytes(e[9][:2], "big")
        f["message_pk"] = e[9][2:].hex()
    if 10 in e:
        f["batch"] = [e[10][0], e[10][1], hexes(e[10][2])]
    return f


def evidence():
    out = Format("evidence", "pp-wire 7; `end` is who made it; reports and certificates are any bytes here")
    s = {"end": "s"}
    e = evidence_map()
    out.row("smallest of a simulated SNP machine", cbor(e), fields=evidence_fields(e), **s)
    for platform in ("sev-snp", "tdx", "sim-tdx"):
        p = with_key(with_key(e, 1, platform), 3, e[3] if "snp" in platform else [])
        out.row("platform " + platform, cbor(p), fields=evidence_fields(p), **s)
    gpu = [[det("fresh", 32), det("gpu report", 90), [det("c0", 70), det("c1", 80)], [det("o0", 50)]]]
    full = with_key(e, 4, gpu)
    full[10] = [3, 2, nodes("batch", 1)]
    full[11] = [["guard", det("g", 32)], ["predictor", det("p", 32)]]
    full[12] = [[HOSTS, 1 << 20, 77, nodes("h", 3)], [HOSTS_BEFORE, 1, 0, []]]
    out.row("everything in it", cbor(full), fields=evidence_fields(full), **s)
    client = without(e, 9)
    out.row("of a client end, without message key", cbor(client), fields=evidence_fields(client), end="c")
    big = with_key(e, 7, bytes(4096))
    out.row("configuration at its limit", cbor(big), fields=evidence_fields(big), **s)
    xwing = with_key(e, 9, b"\x64\x7a" + det("xwing", 1216))
    out.row("message key of X-Wing's size", cbor(xwing), fields=evidence_fields(xwing), **s)

    out.map_faults(encoded_pairs(e), **s)
    for key in (0, 1, 2, 3, 6, 7, 12):
        out.bad("without key %d" % key, cbor(without(e, key)), "MISSING", **s)
    out.bad("of a server end, without message key", cbor(client), "MISSING", **s)
    out.bad("of a client end, with message key", cbor(e), "UNKNOWN_FIELD", end="c")
    out.bad("version 2", cbor(with_key(e, 0, 2)), "UNSUPPORTED", **s)
    out.bad("unknown platform", cbor(with_key(e, 1, "sgx")), "UNSUPPORTED", **s)
    out.bad("platform in capitals", cbor(with_key(e, 1, "SEV-SNP")), "UNSUPPORTED", **s)
    out.bad("empty report", cbor(with_key(e, 2, b"")), "RANGE", **s)
    out.bad("SNP without endorsement", cbor(with_key(e, 3, [])), "RANGE", **s)
    out.bad("SNP with two endorsements", cbor(with_key(e, 3, [b"a", b"b"])), "RANGE", **s)
    out.bad("TDX with an endorsement", cbor(with_key(with_key(e, 1, "tdx"), 3, [b"a"])), "RANGE", **s)
    out.bad("key 5 is never used", cbor(with_key(e, 5, 0)), "UNKNOWN_FIELD", **s)
    out.bad("key 8 is never used", cbor(with_key(e, 8, 0)), "UNKNOWN_FIELD", **s)
    out.bad("release id of 31 bytes", cbor(with_key(e, 6, RELEASE[:31])), "RANGE", **s)
    out.bad("configuration past its limit", cbor(with_key(e, 7, bytes(4097))), "RANGE", **s)
    out.bad("configuration as text", cbor(with_key(e, 7, CONFIG.decode())), "FORMAT", **s)
    out.bad("message key too short", cbor(with_key(e, 9, MESSAGE_KEY[:-1])), "RANGE", **s)
    out.bad("batch of one", cbor(with_key(e, 10, [1, 0, nodes("b", 1)])), "RANGE", **s)
    out.bad("batch of 1025", cbor(with_key(e, 10, [1025, 0, nodes("b", 10)])), "RANGE", **s)
    out.bad("batch index past the size", cbor(with_key(e, 10, [3, 3, nodes("b", 2)])), "RANGE", **s)
    out.bad("batch path too long", cbor(with_key(e, 10, [1024, 3, nodes("b", 11)])), "RANGE", **s)
    out.bad("two GPUs", cbor(with_key(e, 4, gpu + gpu)), "RANGE", **s)
    out.bad("OCSP answers over 5120 bytes in all",
            cbor(with_key(e, 4, [[gpu[0][0], gpu[0][1], gpu[0][2], [bytes(2560), bytes(2561)]]])), "LIMIT", **s)
    out.bad("empty list of back-ends", cbor(with_key(e, 11, [])), "RANGE", **s)
    out.bad("back-ends out of order", cbor(with_key(e, 11, full[11][::-1])), "ORDER", **s)
    out.bad("a back-end twice", cbor(with_key(e, 11, full[11][:1] * 2)), "DUPLICATE", **s)
    out.bad("no host-set path", cbor(with_key(e, 12, [])), "RANGE", **s)
    out.bad("three host-set paths", cbor(with_key(e, 12, [[det(str(i), 32), 1, 0, []] for i in range(3)])),
            "RANGE", **s)
    out.bad("one host-set twice", cbor(with_key(e, 12, [[HOSTS, 1, 0, []]] * 2)), "DUPLICATE", **s)
    out.bad("host index past the size", cbor(with_key(e, 12, [[HOSTS, 5, 5, []]])), "RANGE", **s)
    out.write()

    body = Format("evidence-body", "pp-wire 6: u32 n || CBOR(n) || zeros, 28672 bytes; `hex`, `zeros`, `tail`")
    c = cbor(e)
    n = len(c).to_bytes(4, "big")
    rest = 28672 - 4 - len(c)
    body.row("a message of the one size", n + c, zeros=rest, fields={"cbor": c.hex()})
    body.bad("one byte short", n + c, "RANGE", zeros=rest - 1)
    body.bad("one byte long", n + c, "RANGE", zeros=rest + 1)
    body.bad("nothing at all", b"", "RANGE")
    body.bad("n is zero", bytes(4), "RANGE", zeros=28668)
    body.bad("n past the end", (28669).to_bytes(4, "big"), "RANGE", zeros=28668)
    body.bad("a padding byte that is not zero", n + c, "ENCODING", zeros=rest - 1, tail="01")
    body.bad("padding begins with a one", n + c + b"\1", "ENCODING", zeros=rest - 1)
    body.write()


# --- hints -------------------------------------------------------------------------------------


def hints():
    out = Format("hints", "pp-wire 4: what the host tells the attester; never trusted")
    h = {3: [det("vcek", 48)], 6: RELEASE, 12: [[HOSTS, 5, 4, nodes("host", 1)]]}

    def fields(h):
        return {
            "endorsements": hexes(h[3]),
            "release_id": h[6].hex(),
            "hosts": [[p[0].hex(), p[1], p[2], hexes(p[3])] for p in h[12]],
            "backends": [[r, i.hex()] for r, i in h.get(11, [])],
            "records": hexes(h.get(13, [])),
            "collateral": hexes(h.get(14, [])),
        }

    out.row("smallest", cbor(h), fields=fields(h))
    full = dict(h)
    full[11] = [["guard", det("g", 32)]]
    full[12] = h[12] + [[HOSTS_BEFORE, 2, 1, nodes("b", 1)]]
    full[13] = [b"host-set/v1\n", b"cvm-release/v1\n"]
    full[14] = [det("collateral", 30)]
    out.row("everything in it", cbor(full), fields=fields(full))
    tdx = with_key(h, 3, [])
    out.row("without endorsements", cbor(tdx), fields=fields(tdx))
    out.map_faults(encoded_pairs(h))
    for key in (3, 6, 12):
        out.bad("without key %d" % key, cbor(without(h, key)), "MISSING")
    out.bad("an empty list of records", cbor(with_key(h, 13, [])), "RANGE")
    out.bad("nine records", cbor(with_key(h, 13, [b"r"] * 9)), "RANGE")
    out.bad("back-ends twice", cbor(with_key(h, 11, full[11] * 2)), "DUPLICATE")
    out.bad("a report among the hints", cbor(with_key(h, 2, b"r")), "UNKNOWN_FIELD")
    out.write()


# --- frames ------------------------------------------------------------------------------------


def frame(kind, tag, sid, data, length=None):
    return bytes([kind]) + tag.to_bytes(4, "big") + sid + (len(data) if length is None else length).to_bytes(4, "big") + data


def frames():
    out = Format("frame", "pp-wire 4; `side` is which kind of frame the stream holds")
    sid, zero = det("sid", 16), bytes(16)
    req, ans = {"side": "requests"}, {"side": "answers"}
    f = lambda kind, tag, sid, data: [kind, tag, sid.hex(), data.hex()]
    hello = det("hello", 161)
    stream = frame(1, 7, zero, hello) + frame(2, 0xFFFFFFFF, sid, b"x") + frame(3, 9, sid, b"")
    out.row("open, continue, close", stream,
            fields={"frames": [f(1, 7, zero, hello), f(2, 0xFFFFFFFF, sid, b"x"), f(3, 9, sid, b"")], "left": 0}, **req)
    out.row("a whole frame and a part of the next", stream[:-1],
            fields={"frames": [f(1, 7, zero, hello), f(2, 0xFFFFFFFF, sid, b"x")], "left": 24}, **req)
    stream = frame(0, 1, sid, b"ab") + frame(1, 1, sid, b"") + frame(2, 2, zero, b"") + frame(3, 3, sid, b"")
    out.row("more, last, busy, gone", stream,
            fields={"frames": [f(0, 1, sid, b"ab"), f(1, 1, sid, b""), f(2, 2, zero, b""), f(3, 3, sid, b"")],
                    "left": 0}, **ans)
    out.bad("op 0", frame(0, 1, zero, b""), "UNSUPPORTED", **req)
    out.bad("op 4", frame(4, 1, zero, b""), "UNSUPPORTED", **req)
    out.bad("status 4", frame(4, 1, zero, b""), "UNSUPPORTED", **ans)
    out.bad("open with a sid", frame(1, 1, sid, b"x"), "FORMAT", **req)
    out.bad("close with bytes", frame(3, 1, sid, b"x"), "FORMAT", **req)
    out.bad("busy with a sid", frame(2, 1, sid, b""), "FORMAT", **ans)
    out.bad("busy with bytes", frame(2, 1, zero, b"x"), "FORMAT", **ans)
    out.bad("gone with bytes", frame(3, 1, sid, b"x"), "FORMAT", **ans)
    out.bad("a request of 262145 bytes", frame(2, 1, sid, b"", 262145), "LIMIT", **req)
    out.bad("an answer of 65537 bytes", frame(0, 1, sid, b"", 65537), "LIMIT", **ans)
    out.bad("a length of four gigabytes", frame(1, 1, zero, b"", 0xFFFFFFFF), "LIMIT", **req)
    out.bad("good, then bad", frame(3, 9, sid, b"") + frame(0, 1, zero, b""), "UNSUPPORTED", **req)
    out.write()


# --- handle ------------------------------------------------------------------------------------


def base64url(b):
    import base64
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def handles():
    out = Format("handle", "pp-wire 3; `keys` are the gateway fleet's, current first; `now` POSIX seconds")
    keys = [(1, det("handle key 1", 32)), (0, det("handle key 0", 32))]
    opener = {"keys": [{"id": i, "key": k.hex()} for i, k in keys], "now": 1790000000}
    sid, nonce = det("sid", 16), det("nonce", 12)

    def plain(family, address, port, expiry=1790000030):
        return bytes([family]) + address + port.to_bytes(2, "big") + sid + expiry.to_bytes(8, "big")

    def text(pt, key=0, version=1, key_id=None):
        aad = bytes([version, keys[key][0] if key_id is None else key_id])
        return base64url(aad + nonce + gcm_seal(keys[key][1], nonce, aad, pt))

    def row(name, t, expect="ok", pt=None):
        fields = None
        if pt is not None:
            fields = {"family": pt[0], "address": pt[1:17].hex(), "port": int.from_bytes(pt[17:19], "big"),
                      "sid": sid.hex(), "expiry": int.from_bytes(pt[35:], "big")}
        out.row(name, t.encode(), expect, fields, **opener)

    ip4 = plain(4, bytes([127, 0, 0, 1]) + bytes(12), 4433)
    row("IPv4, current key", text(ip4), pt=ip4)
    row("IPv4, previous key", text(ip4, key=1), pt=ip4)
    for name, pt in (("IPv6", plain(6, det("v6", 16), 443)), ("unix", plain(1, H(b"/run/pp/cvm")[:16], 0)),
                     ("vsock", plain(40, (3).to_bytes(4, "big") + (5000).to_bytes(4, "big") + bytes(8), 0))):
        row(name, text(pt), pt=pt)
    row("one second before it expires", text(plain(4, bytes(16), 1, 1790000001)), pt=plain(4, bytes(16), 1, 1790000001))
    row("at its expiry", text(plain(4, bytes(16), 1, 1790000000)), "SESSION_GONE")
    row("long expired", text(plain(4, bytes(16), 1, 0)), "SESSION_GONE")
    good = text(ip4)
    row("one character missing", good[:-1], "AUTH")
    row("one character more", good + "A", "AUTH")
    row("empty", "", "AUTH")
    row("padded", good[:-1] + "=", "AUTH")
    row("standard alphabet", "+" + good[1:], "AUTH")
    row("a bit flipped in the tag", good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1], "AUTH")
    row("unused bits set", good[:-1] + "_", "AUTH")
    row("version 2", text(ip4, version=2), "AUTH")
    row("unknown key id", text(ip4, key_id=9), "AUTH")
    row("id of the other key", text(ip4, key=0, key_id=0), "AUTH")
    row("unknown family", text(plain(5, bytes(16), 1)), "AUTH")
    row("unix with a port", text(plain(1, bytes(16), 1)), "AUTH")
    row("vsock with a port", text(plain(40, bytes(16), 1)), "AUTH")
    row("IPv4 with bytes behind the address", text(plain(4, bytes(15) + b"\1", 1)), "AUTH")
    out.write()


# --- seal --------------------------------------------------------------------------------------


def seals():
    out = Format("seal", "pp-wire 8 with KEM 0x0020; `sk` the message key; `response` opens behind the request")
    sk, sk_e, binding = det("message sk", 32), det("ephemeral", 32), det("binding", 64)
    pk = x25519(sk, BASE)
    enc, key, nonce, exporter = hpke_sender(sk_e, pk, b"pp-seal-v1\0" + binding)
    pt = padded(cbor({0: 1}), 256)
    request = b"\1" + enc + gcm_seal(key, nonce, b"", pt)
    r, answer = det("r", 32), padded(cbor({0: 1, 1: 2}), 768)
    prk = extract(enc + r, export(exporter, b"pp-response-v1", 32))
    rkey, rnonce = expand(prk, b"key", 32), expand(prk, b"nonce", 12)
    response = b"\1" + r + gcm_seal(rkey, rnonce, b"", answer)
    more = {"kem": 0x20, "sk": sk.hex(), "binding": binding.hex()}
    flip = lambda b, i: b[:i] + bytes([b[i] ^ 1]) + b[i + 1:]

    out.row("a request", request, fields={"pt": pt.hex()}, **more)
    out.row("a request and its answer", request, fields={"pt": pt.hex(), "answer_pt": answer.hex()},
            response=response.hex(), **more)
    e2, k2, n2, _ = hpke_sender(sk_e, pk, b"pp-seal-v1\0" + binding)
    out.row("an empty plaintext", b"\1" + e2 + gcm_seal(k2, n2, b"", b""), fields={"pt": ""}, **more)
    out.bad("version 2", b"\2" + request[1:], "AUTH", **more)
    out.bad("enc flipped", flip(request, 1), "AUTH", **more)
    out.bad("ciphertext flipped", flip(request, 40), "AUTH", **more)
    out.bad("tag flipped", flip(request, len(request) - 1), "AUTH", **more)
    out.bad("one byte short", request[:-1], "AUTH", **more)
    out.bad("one byte long", request + b"\0", "AUTH", **more)
    out.bad("no more than enc", request[:33], "AUTH", **more)
    out.bad("empty", b"", "AUTH", **more)
    out.bad("enc of all zeros", b"\1" + bytes(32) + request[33:], "AUTH", **more)
    other = dict(more, binding=det("another session", 64).hex())
    out.bad("sealed for another session", request, "AUTH", **other)
    out.bad("another message key", request, "AUTH", **dict(more, sk=det("another sk", 32).hex()))
    _, kx, nx, _ = hpke_sender(sk_e, pk, b"pp-seal-v2\0" + binding)
    out.bad("another label", b"\1" + enc + gcm_seal(kx, nx, b"", pt), "AUTH", **more)
    for name, bad in (("answer of version 2", b"\2" + response[1:]), ("answer with another r", flip(response, 1)),
                      ("answer flipped", flip(response, 50)), ("answer one byte short", response[:-1]),
                      ("answer is empty", b""), ("answer is the request", request),
                      ("answer under the request's key", b"\1" + r + gcm_seal(key, nonce, b"", answer))):
        out.bad(name, request, "AUTH", response=bad.hex(), **more)
    out.write()

    pad = Format("padded", "pp-wire 8: u32 n || CBOR(n) || zeros")
    item = cbor({0: 1})
    n = len(item).to_bytes(4, "big")
    pad.row("with padding", n + item + bytes(20), fields={"cbor": item.hex()})
    pad.row("without padding", n + item, fields={"cbor": item.hex()})
    pad.bad("empty", b"", "TRUNCATED")
    pad.bad("half a length", b"\0\0\0", "TRUNCATED")
    pad.bad("n is zero", bytes(20), "RANGE")
    pad.bad("n past the end", n + item[:-1], "RANGE")
    pad.bad("n of four gigabytes", b"\xff" * 4 + item, "RANGE")
    pad.bad("a padding byte that is not zero", n + item + bytes(20) + b"\1", "ENCODING")
    pad.bad("padding of ones", n + item + b"\1", "ENCODING")
    pad.write()


# --- request and answer ------------------------------------------------------------------------


def requests():
    out = Format("request", "pp-wire 9")
    chat = [[0, 0, 29560000, "Shall we meet on Friday?"], [1, 1, 29560001, "Friday is fine."],
            [2, 0, 29560002, "\U0001F389 então às 18h"], [7, 2, 0, ""]]
    m = {0: 1, 1: "summarize", 2: 4, 3: False, 4: [], 5: HOSTS, 6: ["en", 130, chat]}

    def fields(m):
        return {
            "feature": "summarize",
            "answer_kib": m[2],
            "backends": [[r, i.hex()] for r, i in m[4]],
            "host_set_id": m[5].hex(),
            "language": m[6][0],
            "words": m[6][1],
            "messages": m[6][2],
        }

    out.row("a chat", cbor(m), fields=fields(m))
    two = with_key(m, 4, [["guard", det("g", 32)], ["predictor", det("p", 32)]])
    out.row("with back-ends", cbor(two), fields=fields(two))
    edge = with_key(with_key(m, 2, 16), 6, ["", 400, [[4294967295, 0, 4294967295, "x" * 300]]])
    out.row("numbers at their limits", cbor(edge), fields=fields(edge))
    unknown = with_key(with_key(m, 1, "translate"), 6, {0: [True, b"x", {1: ["y"]}]})
    out.row("an unknown feature is well-formed", cbor(unknown), fields={"feature": ""})

    out.map_faults(encoded_pairs(m))
    for key in range(7):
        out.bad("without key %d" % key, cbor(without(m, key)), "MISSING")
    payload = lambda p: cbor(with_key(m, 6, p))
    one = lambda *msg: payload(["en", 130, [list(msg)]])
    out.bad("version 2", cbor(with_key(m, 0, 2)), "UNSUPPORTED")
    out.bad("answer bucket 3", cbor(with_key(m, 2, 3)), "RANGE")
    out.bad("answer bucket 0", cbor(with_key(m, 2, 0)), "RANGE")
    out.bad("answer bucket 32", cbor(with_key(m, 2, 32)), "RANGE")
    out.bad("a summary does not stream", cbor(with_key(m, 3, True)), "FORMAT")
    out.bad("the stream flag is a number", cbor(with_key(m, 3, 0)), "FORMAT")
    out.bad("back-ends out of order", cbor(with_key(m, 4, two[4][::-1])), "ORDER")
    out.bad("nine back-ends", cbor(with_key(m, 4, [["r%d" % i, RELEASE] for i in range(9)])), "RANGE")
    out.bad("host-set id of 33 bytes", cbor(with_key(m, 5, HOSTS + b"\0")), "RANGE")
    out.bad("19 words", payload(["en", 19, chat]), "RANGE")
    out.bad("401 words", payload(["en", 401, chat]), "RANGE")
    out.bad("language in capitals", payload(["EN", 130, chat]), "FORMAT")
    out.bad("language with a region", payload(["en-gb", 130, chat]), "FORMAT")
    out.bad("language of one letter", payload(["e", 130, chat]), "FORMAT")
    out.bad("language of nine letters", payload(["abcdefghi", 130, chat]), "RANGE")
    out.bad("no message", payload(["en", 130, []]), "RANGE")
    out.bad("an id twice", payload(["en", 130, [chat[0], [0, 1, 0, "x"]]]), "DUPLICATE")
    out.bad("ids descending", payload(["en", 130, [[1, 0, 0, "x"], [0, 1, 0, "x"]]]), "ORDER")
    out.bad("an alias is skipped", payload(["en", 130, [[0, 0, 0, "x"], [1, 2, 0, "x"]]]), "ORDER")
    out.bad("the first alias is not 0", one(0, 1, 0, "x"), "ORDER")
    out.bad("an id over 32 bits", one(1 << 32, 0, 0, "x"), "RANGE")
    out.bad("text with NUL", one(0, 0, 0, "a\0b"), "FORMAT")
    out.bad("text that is not UTF-8", one(0, 0, 0, Raw(b"\x62\xc3\x28")), "UTF8")
    out.bad("text with a surrogate", one(0, 0, 0, "\ud800"), "UTF8")
    out.bad("text as bytes", one(0, 0, 0, b"x"), "FORMAT")
    out.bad("a message of three fields", payload(["en", 130, [[0, 0, 0]]]), "RANGE")
    out.bad("a tag around the payload", payload(Raw(b"\xc1" + cbor(m[6]))), "FORMAT")
    deep = "x"
    for _ in range(7):
        deep = [deep]
    out.bad("an unknown feature nested too deep", cbor(with_key(unknown, 6, deep)), "LIMIT")
    out.bad("an unknown feature with a float", cbor(with_key(unknown, 6, Raw(b"\xfb" + bytes([0x3f, 0xf1]) + bytes(6)))),
            "FORMAT")
    out.write()


def answers():
    out = Format("answer", "pp-wire 9, to a request of the feature summarize")
    engine = ["embedded", "pp-digest 1", b""]
    a = {0: 1, 1: 0, 2: [["decision", "They meet on Friday at 18h.", [0, 1, 2]], ["open", "Who brings the cake?", []]],
         3: [], 4: engine}

    def fields(a):
        return {
            "outcome": a[1],
            "items": a.get(2, []),
            "used": [[r, i.hex()] for r, i in a[3]],
            "engine": [a[4][0], a[4][1], a[4][2].hex()],
        }

    out.row("two items", cbor(a), fields=fields(a))
    kinds = with_key(a, 2, [[k, "x", [4294967295]] for k in ("topic", "decision", "task", "date", "open")])
    out.row("every kind", cbor(kinds), fields=fields(kinds))
    refused = with_key(without(a, 2), 1, 1)
    out.row("refused by the guard", cbor(refused), fields=fields(refused))
    failed = with_key(with_key(without(a, 2), 1, 2), 4, ["http", "model", det("model", 32)])
    out.row("failed, with a model's digest", cbor(failed), fields=fields(failed))
    used = with_key(a, 3, [["predictor", det("p", 32)], ["guard", det("g", 32)], ["predictor", det("p", 32)]])
    out.row("back-ends in call order", cbor(used), fields=fields(used))
    out.map_faults(encoded_pairs(a))
    for key in (0, 1, 3, 4):
        out.bad("without key %d" % key, cbor(without(a, key)), "MISSING")
    item = lambda *i: cbor(with_key(a, 2, [list(i)]))
    out.bad("ok without items", cbor(without(a, 2)), "FORMAT")
    out.bad("failed with items", cbor(with_key(a, 1, 2)), "FORMAT")
    out.bad("outcome 3", cbor(with_key(without(a, 2), 1, 3)), "RANGE")
    out.bad("version 2", cbor(with_key(a, 0, 2)), "UNSUPPORTED")
    out.bad("an empty list of items", cbor(with_key(a, 2, [])), "RANGE")
    out.bad("65 items", cbor(with_key(a, 2, [["topic", "x", []]] * 65)), "RANGE")
    out.bad("an unknown kind", item("advert", "x", []), "FORMAT")
    out.bad("empty text", item("topic", "", []), "RANGE")
    out.bad("text over 4096 bytes", item("topic", "x" * 4097, []), "RANGE")
    out.bad("cited ids descending", item("topic", "x", [2, 1]), "ORDER")
    out.bad("a cited id twice", item("topic", "x", [1, 1]), "DUPLICATE")
    for name, ch in (("line feed", "\n"), ("tab", "\t"), ("escape", "\x1b"), ("DEL", "\x7f"), ("C1 control", "\x9b"),
                     ("right-to-left override", "\u202e"), ("right-to-left mark", "\u200f"),
                     ("Arabic letter mark", "\u061c"), ("isolate", "\u2066"), ("line separator", "\u2028")):
        out.bad("text with a " + name, item("topic", "a" + ch + "b", []), "FORMAT")
    out.bad("engine's name with an escape", cbor(with_key(a, 4, ["embedded", "a\x1bb", b""])), "FORMAT")
    out.bad("a model digest of 16 bytes", cbor(with_key(a, 4, ["http", "m", bytes(16)])), "RANGE")
    out.bad("an engine without kind", cbor(with_key(a, 4, ["", "m", b""])), "RANGE")
    out.write()


# --- bundle and receipt ------------------------------------------------------------------------


def bundle_list():
    blobs = sorted([det("rim", 30), det("crl", 20), b"x"], key=H)
    return [1, [b"status entry\n", b"status proof\n"],
            [[b"release entry\n", b"proof 1\n"], [b"host-set entry\n", b"proof 2\n"]], blobs, [b"revoke note\n"]]


def bundle_fields(b):
    return {
        "status": hexes(b[1]),
        "records": [hexes(r) for r in b[2]],
        "blobs": hexes(b[3]),
        "revokes": hexes(b[4]),
    }


def bundles():
    out = Format("bundle", "pp-wire 2; entries and proofs are any bytes here")
    b = bundle_list()
    out.row("a bundle", cbor(b), fields=bundle_fields(b))
    bare = [1, b[1], [], [], []]
    out.row("a status alone", cbor(bare), fields=bundle_fields(bare))
    out.common_faults(cbor(b))
    out.bad("version 2", cbor([2] + b[1:]), "UNSUPPORTED")
    out.bad("four parts", cbor(b[:4]), "RANGE")
    out.bad("six parts", cbor(b + [[]]), "RANGE")
    out.bad("a map instead", cbor({0: 1}), "FORMAT")
    out.bad("an entry without proof", cbor([1, [b"status"], [], [], []]), "RANGE")
    out.bad("an empty entry", cbor([1, [b"", b"p"], [], [], []]), "RANGE")
    out.bad("blobs out of order", cbor(b[:3] + [b[3][::-1]] + b[4:]), "ORDER")
    out.bad("a blob twice", cbor(b[:3] + [b[3][:1] * 2] + b[4:]), "DUPLICATE")
    out.bad("65 records", cbor([1, b[1], [b[1]] * 65, [], []]), "RANGE")
    out.bad("257 revoke notes", cbor([1, b[1], [], [], [b"r"] * 257]), "RANGE")
    out.bad("indefinite list", b"\x9f" + cbor(b)[1:] + b"\xff", "ENCODING")
    out.write()


def receipts():
    out = Format("receipt", "pp-wire 10")
    r = {
        0: 1,
        1: 1790002800 // 3600 * 3600,
        2: [["ark", det("ark", 60)], ["log", b"log+key\n"]],
        3: bundle_list(),
        4: cbor(evidence_map()),
        5: [det("ekm", 32), det("spki", 91)],
        6: [[3, "OK", 1, "mirror"], [10, "SNP_BINDING", 1, ""], [11, "OK", 3, "GPU: none"]],
        7: [[4096, 32768], [8192, 4096]],
        8: ["summarize", 0, ["embedded", "pp-digest 1", b""]],
    }

    def fields(r):
        return {
            "time": r[1],
            "anchors": [[n, b.hex()] for n, b in r[2]],
            "bundle": bundle_fields(r[3]),
            "evidence": r[4].hex(),
            "session": hexes(r[5]),
            "checks": r[6],
            "sizes": r[7],
            "result": [r[8][0], r[8][1], [r[8][2][0], r[8][2][1], r[8][2][2].hex()]],
        }

    out.row("a receipt", cbor(r), fields=fields(r))
    other = with_key(r, 8, ["summarize", 2, ["http", "m", det("model", 32)]])
    out.row("of a failed session", cbor(other), fields=fields(other))
    out.map_faults(encoded_pairs(r))
    for key in range(9):
        out.bad("without key %d" % key, cbor(without(r, key)), "MISSING")
    out.bad("version 2", cbor(with_key(r, 0, 2)), "UNSUPPORTED")
    out.bad("a time that tells the second", cbor(with_key(r, 1, r[1] + 1)), "FORMAT")
    out.bad("anchors out of order", cbor(with_key(r, 2, r[2][::-1])), "ORDER")
    out.bad("an anchor's name twice", cbor(with_key(r, 2, r[2][:1] * 2)), "DUPLICATE")
    out.bad("no anchor", cbor(with_key(r, 2, [])), "RANGE")
    out.bad("a bundle of version 2", cbor(with_key(r, 3, [2] + r[3][1:])), "UNSUPPORTED")
    out.bad("exporter value of 31 bytes", cbor(with_key(r, 5, [bytes(31), bytes(91)])), "RANGE")
    out.bad("SPKI of 90 bytes", cbor(with_key(r, 5, [bytes(32), bytes(90)])), "RANGE")
    out.bad("verdict 0", cbor(with_key(r, 6, [[3, "OK", 0, ""]])), "RANGE")
    out.bad("verdict 4", cbor(with_key(r, 6, [[3, "OK", 4, ""]])), "RANGE")
    out.bad("a check without code", cbor(with_key(r, 6, [[3, "", 1, ""]])), "RANGE")
    out.bad("an anchor with an escape", cbor(with_key(r, 6, [[3, "OK", 1, "a\x1bb"]])), "FORMAT")
    out.bad("sizes of one exchange", cbor(with_key(r, 7, [[1, 2]])), "RANGE")
    out.bad("outcome 3", cbor(with_key(r, 8, ["summarize", 3, r[8][2]])), "RANGE")
    out.write()


# --- ClientHello -------------------------------------------------------------------------------

HELLO_BEFORE = bytes.fromhex("160301009b010000970303")
HELLO_BETWEEN = bytes.fromhex(
    "00" "0006" "1302130100ff" "0100" "0068" "000b00040300" "0102" "000a00040002001d" "0010000d000b0a70702d7261746c732f31"
    "00160000" "00170000" "000d000400020403" "002b0003020304" "002d00020101" "003300260024001d0020")


def hellos():
    out = Format("clienthello", "pp-wire 5: the one ClientHello; only random and key share vary")
    r, k = det("client random", 32), x25519(det("share", 32), BASE)
    good = HELLO_BEFORE + r + HELLO_BETWEEN + k
    assert len(good) == 160
    out.row("the golden bytes", good, fields={"random": r.hex(), "key_share": k.hex()})
    zero = HELLO_BEFORE + bytes(32) + HELLO_BETWEEN + bytes(range(32))
    out.row("another client's", zero, fields={"random": bytes(32).hex(), "key_share": bytes(range(32)).hex()})

    def hello(before=HELLO_BEFORE, between=HELLO_BETWEEN, tail=b""):
        """The same with other parts; lengths of record, handshake and extensions made to fit."""
        ext = between.index(bytes.fromhex("0068"))
        ext_len = len(between) - ext - 2 + 32 + len(tail)
        body = before[9:] + r + between[:ext] + ext_len.to_bytes(2, "big") + between[ext + 2:] + k + tail
        return before[:3] + (len(body) + 4).to_bytes(2, "big") + b"\x01" + len(body).to_bytes(3, "big") + body

    assert hello() == good
    swap = lambda a, b: HELLO_BETWEEN.replace(bytes.fromhex(a), bytes.fromhex(b))
    out.bad("one byte short", good[:-1], "TLS_SUITE")
    out.bad("a byte behind it", good + b"\0", "TLS_SUITE")
    out.bad("empty", b"", "TLS_SUITE")
    out.bad("record version 0303", good[:1] + b"\x03\x03" + good[3:], "TLS_SUITE")
    out.bad("TLS 1.2 only", hello(between=swap("002b0003020304", "002b0003020303")), "TLS_SUITE")
    out.bad("suites in the other order", hello(between=swap("13021301", "13011302")), "TLS_SUITE")
    out.bad("a session id", HELLO_BEFORE + r + b"\x20" + HELLO_BETWEEN[1:] + k, "TLS_SUITE")
    out.bad("another group", hello(between=swap("000a00040002001d", "000a000400020017")), "TLS_SUITE")
    out.bad("another ALPN", hello(between=swap("70702d7261746c732f31", "70702d7261746c732f32")), "TLS_SUITE")
    out.bad("another signature algorithm", hello(between=swap("000d000400020403", "000d000400020804")), "TLS_SUITE")
    out.bad("a session ticket extension", hello(tail=bytes.fromhex("00230000")), "TLS_SUITE")
    out.bad("an early data extension", hello(tail=bytes.fromhex("002a0000")), "TLS_SUITE")
    out.bad("a server name", hello(tail=bytes.fromhex("00000009000700000461626364")), "TLS_SUITE")
    out.bad("a pre-shared key",
            hello(tail=bytes.fromhex("0029002b000600016100000000") + bytes.fromhex("002120") + bytes(32)), "TLS_SUITE")
    out.write()


for make in (evidence, hints, frames, handles, seals, requests, answers, bundles, receipts, hellos):
    make()
