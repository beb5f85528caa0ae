#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the vectors of the token formats: challenge, wallet-entry, token-field, assertion.

Written from docs/protocol/tokens.md alone, with nothing but the standard library, so that a mistake
in the C code cannot hide in its vectors. Deterministic: run it and `git diff` shows what changed.

    {"format": "challenge", "rows": [{"name", "hex", "expect": "ok" or a code, "fields": {...}}]}

A challenge row with `day` is also compared with the challenge that every party computes for that
epoch. Tokens here have the right shape; whether a key made them is the business of other vectors.
"""
import base64
import hashlib
import hmac
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = 20500


def H(b):
    return hashlib.sha256(b).digest()


def det(label, n):
    """n deterministic bytes that look random."""
    return hashlib.shake_256(label.encode()).digest(n)


def u(n, v):
    return v.to_bytes(n, "big")


def write(form, source, rows):
    with open(os.path.join(HERE, form + ".json"), "w", encoding="ascii") as f:
        json.dump({"format": form, "source": "project-made, make_tokens.py: " + source, "rows": rows},
                  f, indent=1)
        f.write("\n")


def row(name, b, expect="ok", fields=None, **more):
    r = {"name": name, "hex": b.hex(), "expect": expect, **more}
    if expect == "ok":
        r["fields"] = fields
    return r


# --- challenge -----------------------------------------------------------------------------------


def epoch_context(day):
    return H(b"pp-epoch-v1" + b"\0" + u(4, day))


def challenge(issuer, context, origin, kind=5):
    return (u(2, kind) + u(2, len(issuer)) + issuer + u(1, len(context)) + context
            + u(2, len(origin)) + origin)


def challenge_fields(kind, issuer, context, origin):
    return {"type": kind, "issuer_name": issuer.decode(), "redemption_context": context.hex(),
            "origin_info": origin.decode(), "digest": H(challenge(issuer, context, origin, kind)).hex()}


def good_challenge(name, issuer, context, origin, kind=5, **more):
    return row(name, challenge(issuer, context, origin, kind), "ok",
               challenge_fields(kind, issuer, context, origin), **more)


def challenges():
    i, o, c = b"issuer.example", b"gateway.example", epoch_context(DAY)
    good = challenge(i, c, o)
    return [
        good_challenge("an epoch's challenge", i, c, o, day=DAY),
        good_challenge("the day after", i, epoch_context(DAY + 1), o, day=DAY + 1),
        good_challenge("the first epoch of all", i, epoch_context(0), o, day=0),
        good_challenge("the last that fits", i, epoch_context(2**32 - 1), o, day=2**32 - 1),
        good_challenge("authority of 64 bytes", i, c, b"g" * 56 + b".example", day=DAY),
        good_challenge("another token type", i, c, o, kind=2, day=DAY),
        good_challenge("a challenge of others: no context, no origin", b"i", b"", b""),
        row("the context of another day", challenge(i, epoch_context(DAY), o), "MISMATCH", day=DAY + 1),
        row("the day little-endian", challenge(i, H(b"pp-epoch-v1\0" + DAY.to_bytes(4, "little")), o),
            "MISMATCH", day=DAY),
        row("no zero byte behind the label", challenge(i, H(b"pp-epoch-v1" + u(4, DAY)), o), "MISMATCH",
            day=DAY),
        row("no issuer name", challenge(b"", c, o), "RANGE"),
        row("context of 31 bytes", challenge(i, c[:31], o), "RANGE"),
        row("context of 33 bytes", challenge(i, c + b"\0", o), "RANGE"),
        row("empty", b"", "TRUNCATED"),
        row("last byte missing", good[:-1], "TRUNCATED"),
        row("issuer name longer than the input", good[:2] + b"\xff\xff" + good[4:], "TRUNCATED"),
        row("origin missing", good[:2 + 2 + len(i) + 1 + 32], "TRUNCATED"),
        row("a byte behind the end", good + b"\0", "TRAILING"),
        row("origin one shorter than written", good[:-len(o) - 2] + u(2, len(o) - 1) + o, "TRAILING"),
    ]


# --- token, wallet entry, field ------------------------------------------------------------------


def token(label, kind=5, authenticator=64):
    return (u(2, kind) + det("nonce " + label, 32) + det("digest " + label, 32)
            + det("key id " + label, 32) + det("authenticator " + label, authenticator))


def entry(t, kind=5, day=DAY, usable_from=DAY * 86400 + 300):
    return u(2, kind) + u(4, day) + u(8, usable_from) + t


def good_entry(name, day, usable_from, kind=5, authenticator=64):
    t = token(name, kind, authenticator)
    return row(name, entry(t, kind, day, usable_from), "ok",
               {"type": kind, "epoch": day, "usable_from": usable_from, "token": t.hex()})


def entries():
    t = token("entry")
    good = entry(t)
    return [
        good_entry("usable 5 minutes after midnight", DAY, DAY * 86400 + 300),
        good_entry("fetched the day before", DAY, (DAY - 1) * 86400 + 51234),
        good_entry("smallest numbers", 0, 0),
        good_entry("largest numbers", 2**32 - 1, 2**63 - 1),
        good_entry("a token of type 2", DAY, DAY * 86400 + 300, 2, 256),
        row("empty", b"", "TRUNCATED"),
        row("no token", entry(b""), "TRUNCATED"),
        row("last byte missing", good[:-1], "TRUNCATED"),
        row("a byte behind the end", good + b"\0", "TRAILING"),
        row("entry of type 2, token of type 5", entry(t, 2), "MISMATCH"),
        row("token of an unknown type", entry(token("x", 6)), "UNSUPPORTED"),
        row("token of type 1", entry(token("x", 1, 48), 1), "UNSUPPORTED"),
        row("token of type 2 with the bytes of type 5", entry(token("x", 2), 2), "TRUNCATED"),
        row("time in four bytes", u(2, 5) + u(4, DAY) + u(4, 1771200300) + t, "UNSUPPORTED"),
    ]


def field(b):
    return b'PrivateToken token="' + base64.urlsafe_b64encode(b) + b'"'


def fields():
    t = token("field")
    good = field(t)
    return [
        row("a token", good, "ok", {"token": t.hex()}),
        row("two padding characters", field(t[:-2]), "ok", {"token": t[:-2].hex()}),
        row("one padding character", field(t[:-1]), "ok", {"token": t[:-1].hex()}),
        row("- and _ in place of + and /", field(b"\xfb\xff\xbf"), "ok", {"token": "fbffbf"}),
        row("empty", b"", "FORMAT"),
        row("lower-case scheme", good.replace(b"Private", b"private"), "FORMAT"),
        row("two spaces", good.replace(b" ", b"  "), "FORMAT"),
        row("no quotes", good.replace(b'"', b""), "FORMAT"),
        row("closing quote missing", good[:-1], "FORMAT"),
        row("white space behind", good + b" ", "FORMAT"),
        row("a second parameter", good + b', max-age="1"', "FORMAT"),
        row("padding missing", field(t[:-1]).replace(b'="', b'"'), "FORMAT"),
        row("+ and /", b'PrivateToken token="+/+/"', "FORMAT"),
        row("unused bits set", b'PrivateToken token="AAB="', "ENCODING"),
        row("another scheme", b'Bearer token="AAAA"', "FORMAT"),
        row("the longest token", field(token("field", 2, 256)), "ok",
            {"token": token("field", 2, 256).hex()}),
        row("longer than any token", field(token("field", 2, 257)), "NO_SPACE"),
    ]


# --- assertion -----------------------------------------------------------------------------------

KEY = b"\x01" + bytes(31)
NOW = DAY * 86400 + 43200


def assertion(account, expiry, key=KEY, issuer=b"issuer.example", version=1, n=None, label=b"pp-assertion-v1\0"):
    body = bytes([version, len(account) if n is None else n]) + account + u(8, expiry)
    return body + hmac.new(key, label + u(1, len(issuer)) + issuer + body, hashlib.sha256).digest()


def assertion_field(b):
    return b"PP-Assertion " + base64.urlsafe_b64encode(b).rstrip(b"=")


def assertion_row(name, field, expect="ok", account=None, expiry=None):
    return row(name, field, expect, expiry and {"account": account.hex(), "expiry": expiry},
               issuer="issuer.example", keys=[KEY.hex()], now=NOW)


def good_assertion(name, account, expiry):
    return assertion_row(name, assertion_field(assertion(account, expiry)), "ok", account, expiry)


def assertions():
    a, e = b"alice", NOW + 600
    good = assertion(a, e)
    return [
        good_assertion("ten minutes to live", a, e),
        good_assertion("one second to live", a, NOW + 1),
        good_assertion("an hour to live", a, NOW + 3600),
        good_assertion("account of one zero byte", b"\0", e),
        good_assertion("account of 64 bytes", b"a" * 64, e),
        assertion_row("expired", assertion_field(assertion(a, NOW)), "AUTH"),
        assertion_row("more than an hour to live", assertion_field(assertion(a, NOW + 3601)), "AUTH"),
        assertion_row("another key", assertion_field(assertion(a, e, key=bytes(32))), "AUTH"),
        assertion_row("another issuer", assertion_field(assertion(a, e, issuer=b"issuer.exampl")), "AUTH"),
        assertion_row("no zero byte behind the label",
                      assertion_field(assertion(a, e, label=b"pp-assertion-v1")), "AUTH"),
        assertion_row("version 2", assertion_field(assertion(a, e, version=2)), "AUTH"),
        assertion_row("no account", assertion_field(assertion(b"", e)), "AUTH"),
        assertion_row("account of 65 bytes", assertion_field(assertion(b"a" * 65, e)), "AUTH"),
        assertion_row("account longer than the input", assertion_field(assertion(a, e, n=200)), "AUTH"),
        assertion_row("last byte missing", assertion_field(good[:-1]), "AUTH"),
        assertion_row("a byte behind the end", assertion_field(good + b"\0"), "AUTH"),
        assertion_row("padded", b"PP-Assertion " + base64.urlsafe_b64encode(assertion(b"al", e)), "AUTH"),
        assertion_row("lower-case scheme", assertion_field(good).replace(b"PP-A", b"pp-a"), "AUTH"),
        assertion_row("empty", b"", "AUTH"),
    ]


write("challenge", "TokenChallenge (RFC 9577 2.1.1) and the epoch's challenge", challenges())
write("wallet-entry", "u16 type || u32 epoch || u64 usable-from || token", entries())
write("token-field", "Authorization: PrivateToken token=\"...\"", fields())
write("assertion", "Authorization: PP-Assertion, under `keys` at `now`", assertions())
