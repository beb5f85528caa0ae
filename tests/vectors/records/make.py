# SPDX-License-Identifier: Apache-2.0
"""Makes records.json: ledger records, good and bad, and short logs of them (docs/protocol/ledger.md).

Standard library only, and nothing of lib/: the grammar, the signatures and the status rules are
written here a second time, so that the two can disagree.
"""
import base64
import copy
import difflib
import hashlib
import json
import os

# --- Ed25519 (RFC 8032 5.1) ---------------------------------------------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, d - c, d + c, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def mul(k, p):
    q = (0, 1, 1, 0)
    while k:
        if k & 1:
            q = add(q, p)
        p, k = add(p, p), k >> 1
    return q


BY = 4 * pow(5, P - 2, P) % P


def recover_x(y):
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return P - x if x & 1 else x


BX = recover_x(BY)
B = (BX, BY, 1, BX * BY % P)


def pack(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def expand(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return a, h[32:]


def public(seed):
    return pack(mul(expand(seed)[0], B))


def sign(seed, message):
    a, prefix = expand(seed)
    pk = pack(mul(a, B))
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    big_r = pack(mul(r, B))
    k = int.from_bytes(hashlib.sha512(big_r + pk + message).digest(), "little") % L
    return big_r + ((r + k * a) % L).to_bytes(32, "little")


# --- keys, notes, policies ----------------------------------------------------------------------
LEDGER, NAMESPACE, DAY = "ledger.example/records", "example.org/assistant", 86400
NOW = 20000 * DAY + 10 * 3600  # 10:00 of UTC day 20000


def b64(data):
    return base64.b64encode(data).decode()


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Key:
    def __init__(self, name, fill):
        self.name, self.seed = name, bytes([fill]) * 32
        self.pk = public(self.seed)
        self.id = hashlib.sha256(name.encode() + b"\n\x01" + self.pk).digest()[:4]

    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{b64(bytes([1]) + self.pk)}"

    def line(self, text):
        return f"\u2014 {self.name} {b64(self.id + sign(self.seed, text.encode()))}\n"


LOG = Key(LEDGER, 1)
OTHER_LOG = Key(LEDGER, 2)
OWNER = Key("owner.example", 3)
R1, R2, R3 = Key("alice.example", 4), Key("bob.example", 5), Key("carol.example", 6)
STRANGER = Key("mallory.example", 7)
POLICIES = {
    "log": f"log {LOG.vkey()}\nquorum none\n",
    "owner": f"witness owner {OWNER.vkey()}\nquorum owner\n",
    # The owner may also be asked for reviews; the two roles must still be two people.
    "review": "".join(f"witness {n} {k.vkey()}\n" for n, k in
                      (("alice", R1), ("bob", R2), ("carol", R3), ("owner", OWNER))) +
              "group reviewers 2 alice bob carol owner\nquorum reviewers\n",
}
REVIEW_DIGEST = sha(POLICIES["review"].encode())


def note(lines, *keys):
    text = "".join(line + "\n" for line in lines)
    return (text + "\n" + "".join(k.line(text) for k in keys)).encode()


def text_of(entry):
    return entry[:entry.rindex(b"\n\n") + 1]


def record_id(entry):
    return sha(text_of(entry))


# --- good records -------------------------------------------------------------------------------
def head(kind, serial, time, environment="dev"):
    return [f"type {kind}", f"ledger {LEDGER}", f"namespace {NAMESPACE}", f"environment {environment}",
            f"serial {serial}", f"time {time}"]


def measurement(tag):
    return hashlib.sha384(tag.encode()).hexdigest()


def digest(tag):
    return "sha256:" + sha(tag.encode())


CMDLINE = b"console=ttyS0 pp.role=orchestrator"


def release(serial=1, role="orchestrator", time=NOW, environment="dev", before=None, after=None,
            tag="a"):
    before = time + (0 if environment == "dev" else 93600) if before is None else before
    after = before + 21 * DAY if after is None else after
    return head("cvm-release/v1", serial, time, environment) + [
        f"role {role}", f"not-before {before}", f"not-after {after}",
        f"image {digest('image')} 123456789 https://images.example.org/{tag}.tar",
        "source https://git.example.org/pp 0123456789abcdef0123456789abcdef01234567",
        f"build {digest('build')}", f"sbom {digest('sbom')}",
        f"firmware ovmf {digest('firmware')}",
        f"kernel {digest('kernel')}", f"initrd {digest('initrd')}",
        f"cmdline sha256:{sha(CMDLINE)} {b64(CMDLINE)}", f"rootfs {digest('rootfs')}",
        f"snp large genoa qemu 32 {measurement(role + tag + '32')}",
        f"snp small genoa qemu 4 {measurement(role + tag + '4')}",
        f"snp small turin qemu 4 {measurement(role + tag + 't4')}",
        "snp-policy 0000000000ffffff 0000000000030000",
        "snp-min-tcb genoa 9 0 23 84", "snp-min-tcb turin 1 1 1 72 1",
        f"tdx small 4 {measurement(role + tag + 'mrtd')} {measurement('r0')} {measurement('r1')} "
        f"{measurement('r2')}",
        "tdx-min-svn 03010200000000000000000000000000",
        f"gpu H100 96.00.9F.00.01 550.90.07 {digest('driver rim')} {digest('vbios rim')}",
        *sorted([f"config {digest('config 1')}", f"config {digest('config 2')}"]),
        f"artifact model {digest('model')}", f"artifact prompts {digest('prompts')}",
        f"egress {digest('egress')}", "retains", f"review reviewers sha256:{REVIEW_DIGEST}",
    ]


def small_release(**more):
    """Only what must be there, and one SNP row."""
    tag, role = more.get("tag", "a"), more.get("role", "orchestrator")
    keep = ("type", "ledger", "namespace", "environment", "serial", "time", "role", "not-before",
            "not-after", "image", "source", "build", "sbom", "snp-policy", "config", "egress", "review")
    rows = []
    for line in release(**more):
        key = line.split(" ")[0]
        if key in keep:
            rows.append(line)
        if key == "sbom":
            rows.append(f"snp one milan qemu 1 {measurement(role + tag)}")
        if key == "snp-policy":
            rows.append("snp-min-tcb milan 4 0 24 219")
    return rows


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


HOSTS = sorted([b"\1" + hashlib.sha512(bytes([i])).digest() for i in range(5)] +
               [b"\2" + (bytes([i]) * 16).ljust(64, b"\0") for i in range(2)])


def host_set(serial=1, time=NOW, environment="dev", after=None):
    after = time + 7 * DAY if after is None else after
    return head("host-set/v1", serial, time, environment) + [
        f"not-after {after}", f"count {len(HOSTS)}", f"root {root([leaf(h) for h in HOSTS]).hex()}",
        f"list {digest('list')} https://hosts.example.org/{serial}"]


def ohttp_config(key_id):
    body = bytes([key_id]) + b"\0\x20" + bytes(range(32)) + b"\0\4\0\1\0\1"
    return len(body).to_bytes(2, "big") + body


def key_epoch(serial=1, kind="issuer", epoch=20000, time=NOW, environment="dev", config=None):
    if config is None:
        config = b"\0\5" + bytes([epoch & 255]) * 32 if kind == "issuer" else ohttp_config(epoch & 255)
    lines = head("key-epoch/v1", serial, time, environment) + [f"kind {kind}", f"epoch {epoch}"]
    if kind == "issuer":
        until = (epoch + 1) * DAY if environment == "dev" else epoch * DAY + 23 * 3600
        lines.append(f"issue {epoch * DAY - DAY} {until}")
    return lines + [f"use {epoch * DAY} {(epoch + 1) * DAY}", f"config b64:{b64(config)}"]


def revoke(target, serial=1, time=NOW, environment="dev", reason="compromise", effective=None):
    return head("revoke/v1", serial, time, environment) + [
        f"target {target}", f"reason {reason}", f"effective {time if effective is None else effective}",
        f"notice {digest('notice')}"]


ROLES = ("gateway", "guard", "orchestrator", "predictor")


def status(serial=1, time=NOW, environment="dev", mins=None, releases=(), hosts=None, keys=(),
           revoked=()):
    mins = mins or {}
    return head("status/v1", serial, time, environment) + [
        f"valid-until {time + DAY}", *(f"min-serial {r} {mins.get(r, 1)}" for r in ROLES),
        *sorted(f"release {r}" for r in releases), f"hosts {hosts or sha(b'hosts')}",
        *sorted(f"keys {kind} {i}" for kind, i in keys), *sorted(f"revoked {r}" for r in revoked)]


# --- entries: kept once, each as lines of a base text and lines of its own ----------------------
BASES = [release(), small_release(), host_set(), key_epoch(), key_epoch(kind="ohttp"), revoke(sha(b"target")),
         status(releases=[sha(b"0")], keys=[("issuer", sha(b"1"))], revoked=[sha(b"2")])]
ENTRIES, NUMBERS = [], {}


def parts_of(base, lines):
    """Strings are lines; [a, b] stands for the lines a..b-1 of the base."""
    parts = []
    for op, a1, a2, b1, b2 in difflib.SequenceMatcher(None, base, lines, autojunk=False).get_opcodes():
        if op == "equal":
            parts.append([a1, a2])
        else:
            parts += lines[b1:b2]
    return parts


def number_of(entry):
    if entry in NUMBERS:
        return NUMBERS[entry]
    NUMBERS[entry] = len(ENTRIES)
    try:
        text, signatures = text_of(entry).decode("ascii"), entry[len(text_of(entry)) + 1:].decode()
        assert text[-1] == "\n"
    except (ValueError, AssertionError):
        ENTRIES.append({"base64": b64(entry)})
        return NUMBERS[entry]
    lines = text[:-1].split("\n")
    parts, best = min(((parts_of(base, lines), i) for i, base in enumerate(BASES)),
                      key=lambda x: len(json.dumps(x[0])))
    ENTRIES.append({"base": best, "parts": parts, "signatures": signatures})
    return NUMBERS[entry]


# --- rows: one record each ----------------------------------------------------------------------
ROWS = []


def row(desc, lines, keys, code=None, environment="dev", entry=None):
    entry = note(lines, *keys) if entry is None else entry
    r = {"desc": desc, "environment": environment, "entry": number_of(entry),
         "want": "reject" if code else "accept"}
    if code:
        r["code"] = code
    else:
        r["id"] = record_id(entry)
    ROWS.append(r)


def changed(lines, old, new):
    assert any(old in x for x in lines), old
    return [x.replace(old, new) for x in lines]


def without(lines, start):
    assert any(x.startswith(start) for x in lines), start
    return [x for x in lines if not x.startswith(start)]


def swapped(lines, a, b):
    lines = list(lines)
    i = next(k for k, x in enumerate(lines) if x.startswith(a))
    j = next(k for k, x in enumerate(lines) if x.startswith(b))
    lines[i], lines[j] = lines[j], lines[i]
    return lines


def after(lines, start, *new):
    i = max(k for k, x in enumerate(lines) if x.startswith(start)) + 1
    return lines[:i] + list(new) + lines[i:]


REVIEWED = (R1, R2)


def common(name, lines, keys):
    """What every record refuses alike."""
    row(f"{name}: another ledger", changed(lines, f"ledger {LEDGER}", "ledger ledger.example/other"), keys,
        "LEDGER_NAMESPACE")
    row(f"{name}: namespace with a suffix", changed(lines, NAMESPACE, NAMESPACE + "2"), keys, "LEDGER_NAMESPACE")
    row(f"{name}: namespace in capitals", changed(lines, NAMESPACE, NAMESPACE.upper()), keys, "LEDGER_NAMESPACE")
    row(f"{name}: environment staging where dev is asked for", None, None, "LEDGER_NAMESPACE",
        environment="staging", entry=note(lines, *keys))
    row(f"{name}: unknown environment", changed(lines, "environment dev", "environment test"), keys, "RANGE")
    row(f"{name}: serial 0", [x if not x.startswith("serial") else "serial 0" for x in lines], keys, "RANGE")
    row(f"{name}: serial with a leading zero", [x if not x.startswith("serial") else "serial 01" for x in lines],
        keys, "FORMAT")
    row(f"{name}: time before serial", swapped(lines, "time", "serial"), keys, "ORDER")
    row(f"{name}: no namespace line", without(lines, "namespace"), keys, "ORDER")
    row(f"{name}: an unknown line at the end", lines + ["comment none"], keys, "UNKNOWN_FIELD")
    row(f"{name}: a space at the end of a line", changed(lines, f"ledger {LEDGER}", f"ledger {LEDGER} "), keys,
        "FORMAT")
    row(f"{name}: two spaces in a line", changed(lines, f"ledger {LEDGER}", f"ledger  {LEDGER}"), keys, "FORMAT")
    row(f"{name}: an empty line inside", after(lines, "time", ""), keys, "FORMAT")
    row(f"{name}: a byte beyond ASCII", changed(lines, NAMESPACE, NAMESPACE + "\u00e9"), keys, "FORMAT")
    row(f"{name}: unknown version", changed(lines, lines[0], lines[0].replace("/v1", "/v2")), keys, "UNSUPPORTED")
    row(f"{name}: unsigned but for a stranger", lines, (STRANGER,), "LEDGER_SIGNER")
    good = note(lines, *keys)
    at = good.rindex(b"\n\n") + 40
    bad = bytearray(good)
    bad[at] = ord("A") if bad[at] != ord("A") else ord("B")
    row(f"{name}: a signature changed", None, None, "LEDGER_SIGNER", entry=bytes(bad))
    for cut in (len(good) // 3, len(text_of(good)) - 1, len(text_of(good))):
        row(f"{name}: cut to {cut} bytes", None, None, "FORMAT", entry=good[:cut])


def release_rows():
    full = release()
    row("release: every line", full, REVIEWED)
    row("release: only what must be there", small_release(), REVIEWED)
    row("release: three reviewers", full, (R1, R2, R3))
    row("release: a stranger's signature is ignored", full, (STRANGER, R1, R2))
    row("release: prod, exactly at its delay", release(environment="prod"), REVIEWED, environment="prod")
    row("release: prod, one second early", release(environment="prod", before=NOW + 93599), REVIEWED,
        "LEDGER_WINDOW", "prod")
    row("release: staging waits as prod does", release(environment="staging", before=NOW + 93599), REVIEWED,
        "LEDGER_WINDOW", "staging")
    row("release: dev, before its own time", release(before=NOW - 1), REVIEWED, "LEDGER_WINDOW")
    row("release: ends when it begins", release(after=NOW), REVIEWED, "LEDGER_WINDOW")
    row("release: lives 21 days and a second", release(after=NOW + 21 * DAY + 1), REVIEWED, "LEDGER_WINDOW")
    row("release: signed by one reviewer of two (W18_T3)", full, (R1,), "LEDGER_SIGNER")
    row("release: signed twice by the same reviewer (W18_T3)", full, (R1, R1), "LEDGER_SIGNER")
    row("release: signed by the log", full, (LOG, OWNER), "LEDGER_SIGNER")
    row("release: unknown role", changed(full, "role orchestrator", "role router"), REVIEWED, "RANGE")
    row("release: role in capitals", changed(full, "role orchestrator", "role Orchestrator"), REVIEWED, "RANGE")
    row("release: no role", without(full, "role"), REVIEWED, "ORDER")
    row("release: no measurement row", without(small_release(), "snp"), REVIEWED, "MISSING")
    row("release: snp rows without a policy", without(full, "snp-policy"), REVIEWED, "ORDER")
    row("release: a family without a minimum", without(full, "snp-min-tcb turin"), REVIEWED, "MISSING")
    row("release: a minimum without rows", after(full, "snp-min-tcb genoa", "snp-min-tcb milan 1 1 1 1"), REVIEWED,
        "MISSING")
    row("release: turin without fmc", changed(full, "turin 1 1 1 72 1", "turin 1 1 1 72"), REVIEWED, "FORMAT")
    row("release: genoa with fmc", changed(full, "genoa 9 0 23 84", "genoa 9 0 23 84 1"), REVIEWED, "FORMAT")
    row("release: a minimum of 256", changed(full, "genoa 9 0 23 84", "genoa 9 0 23 256"), REVIEWED, "RANGE")
    row("release: a policy value outside its mask", changed(full, "0000000000030000", "0000000001030000"), REVIEWED,
        "RANGE")
    row("release: snp rows out of order", swapped(full, "snp large", "snp small genoa"), REVIEWED, "ORDER")
    row("release: an snp row twice", after(full, "snp large", next(x for x in full if x.startswith("snp large"))),
        REVIEWED, "DUPLICATE")
    row("release: a measurement in capitals", [x.upper().replace("SNP LARGE GENOA QEMU", "snp large genoa qemu")
                                               if x.startswith("snp large") else x for x in full], REVIEWED, "FORMAT")
    row("release: a measurement of 47 bytes", [x[:-2] if x.startswith("snp large") else x for x in full], REVIEWED,
        "FORMAT")
    row("release: unknown family", changed(full, "snp large genoa", "snp large rome"), REVIEWED, "RANGE")
    row("release: no vCPUs", changed(full, "qemu 32", "qemu 0"), REVIEWED, "RANGE")
    row("release: tdx without a minimum", without(full, "tdx-min-svn"), REVIEWED, "ORDER")
    row("release: tdx row of three registers", [x.rsplit(" ", 1)[0] if x.startswith("tdx small") else x
                                                for x in full], REVIEWED, "FORMAT")
    row("release: configs out of order", swapped(full, *[x for x in full if x.startswith("config")]), REVIEWED,
        "ORDER")
    row("release: no config", without(full, "config"), REVIEWED, "ORDER")
    five = sorted(f"config {digest(str(i))}" for i in range(5))
    row("release: four configs", after(without(small_release(), "config"), "snp-min-tcb", *five[:4]), REVIEWED)
    row("release: five configs", after(without(small_release(), "config"), "snp-min-tcb", *five), REVIEWED, "LIMIT")
    rows = [f"snp l{i:03} milan qemu 1 {measurement(str(i))}" for i in range(65)]
    row("release: 64 snp rows", after(without(small_release(), "snp one"), "sbom", *rows[:64]), REVIEWED)
    row("release: 65 snp rows", after(without(small_release(), "snp one"), "sbom", *rows), REVIEWED, "LIMIT")
    row("release: a command line of another digest", [x[:-4] + "AAAA" if x.startswith("cmdline") else x
                                                      for x in full], REVIEWED, "MISMATCH")
    row("release: a commit of 39 digits", changed(full, "0123456789abcdef01234567", "0123456789abcdef0123456"),
        REVIEWED, "FORMAT")
    row("release: no review line", without(full, "review"), REVIEWED, "MISSING")
    row("release: retains with a value", changed(full, "retains", "retains yes"), REVIEWED, "FORMAT")
    row("release: egress before artifact", swapped(full, "artifact model", "egress"), REVIEWED, "ORDER")
    row("release: a digest without its algorithm", changed(full, "sbom sha256:", "sbom "), REVIEWED, "FORMAT")
    label = "x" * 255
    row("release: a label of 255 bytes", changed(full, "firmware ovmf", f"firmware {label}"), REVIEWED)
    row("release: a label of 256 bytes", changed(full, "firmware ovmf", f"firmware {label}x"), REVIEWED, "LIMIT")
    line = [x for x in full if not x.startswith("cmdline")]
    for size, code in ((3000, None), (3001, "LIMIT"), (3015, "LIMIT")):  # 3015 is past a line's 4096, too
        data = b"c" * size
        row(f"release: a command line of {size} bytes",
            after(line, "initrd", f"cmdline sha256:{sha(data)} {b64(data)}"), REVIEWED, code)
    common("release", full, REVIEWED)


def host_set_rows():
    good = host_set()
    keys = (OWNER, R1)
    row("host-set: owner and a reviewer", good, keys)
    row("host-set: seven days", host_set(after=NOW + 7 * DAY), keys)
    row("host-set: seven days and a second", host_set(after=NOW + 7 * DAY + 1), keys, "LEDGER_WINDOW")
    row("host-set: ends at its own time", host_set(after=NOW), keys, "LEDGER_WINDOW")
    row("host-set: the owner alone", good, (OWNER,), "LEDGER_SIGNER")
    row("host-set: a reviewer alone", good, (R1,), "LEDGER_SIGNER")
    row("host-set: two reviewers", good, (R1, R2), "LEDGER_SIGNER")
    row("host-set: the owner in both roles", good, (OWNER, OWNER), "LEDGER_SIGNER")
    row("host-set: no machines", changed(good, f"count {len(HOSTS)}", "count 0"), keys, "RANGE")
    row("host-set: 2^20 machines", changed(good, f"count {len(HOSTS)}", "count 1048576"), keys)
    row("host-set: more than 2^20 machines", changed(good, f"count {len(HOSTS)}", "count 1048577"), keys, "RANGE")
    row("host-set: a root of 31 bytes", [x[:-2] if x.startswith("root") else x for x in good], keys, "FORMAT")
    row("host-set: root before count", swapped(good, "root", "count"), keys, "ORDER")
    row("host-set: nowhere published", [x.rsplit(" ", 1)[0] if x.startswith("list") else x for x in good], keys,
        "FORMAT")
    row("host-set: count twice", after(good, "count", f"count {len(HOSTS)}"), keys, "ORDER")
    common("host-set", good, keys)


def key_epoch_rows():
    good = key_epoch()
    keys = (OWNER,)
    row("key-epoch: issuer, on its own day", good, keys)
    row("key-epoch: ohttp", key_epoch(kind="ohttp"), keys)
    row("key-epoch: ohttp with two keys", key_epoch(kind="ohttp", config=ohttp_config(1) + ohttp_config(2)), keys)
    row("key-epoch: ohttp with one key id twice", key_epoch(kind="ohttp", config=ohttp_config(1) * 2), keys,
        "DUPLICATE")
    row("key-epoch: ohttp with three keys",
        key_epoch(kind="ohttp", config=b"".join(map(ohttp_config, (1, 2, 3)))), keys, "LIMIT")
    row("key-epoch: ohttp list cut", key_epoch(kind="ohttp", config=ohttp_config(1)[:-1]), keys, "TRUNCATED")
    row("key-epoch: empty key", key_epoch(config=b"\0\5"), keys, "TRUNCATED")
    row("key-epoch: prod, 48 h ahead", key_epoch(environment="prod", epoch=20003, time=20001 * DAY), keys,
        environment="prod")
    row("key-epoch: prod, a second late", key_epoch(environment="prod", epoch=20003, time=20001 * DAY + 1), keys,
        "LEDGER_WINDOW", "prod")
    row("key-epoch: dev, after its day", key_epoch(time=20001 * DAY), keys, "LEDGER_WINDOW")
    row("key-epoch: not aligned to midnight (W1_T5)", changed(good, f"use {20000 * DAY}", f"use {20000 * DAY + 1}"),
        keys, "LEDGER_WINDOW")
    row("key-epoch: used for two days (W1_T3)", changed(good, f"use {20000 * DAY} {20001 * DAY}",
                                                         f"use {20000 * DAY} {20002 * DAY}"), keys, "LEDGER_WINDOW")
    row("key-epoch: another epoch than its use", changed(good, "epoch 20000", "epoch 20001"), keys, "LEDGER_WINDOW")
    row("key-epoch: the issue window of prod in dev", [f"issue {19999 * DAY} {20000 * DAY + 82800}" if x.startswith("issue") else x for x in good],
        keys, "LEDGER_WINDOW")
    row("key-epoch: issuer without issue", without(good, "issue"), keys, "ORDER")
    row("key-epoch: ohttp with issue", after(key_epoch(kind="ohttp"), "epoch", f"issue {19999 * DAY} {20001 * DAY}"),
        keys, "ORDER")
    row("key-epoch: unknown kind", changed(good, "kind issuer", "kind both"), keys, "RANGE")
    row("key-epoch: config not marked as Base64", changed(good, "config b64:", "config "), keys, "FORMAT")
    row("key-epoch: Base64 without padding", [x.rstrip("=") for x in good], keys, "FORMAT")
    row("key-epoch: reviewers instead of the owner", good, (R1, R2), "LEDGER_SIGNER")
    common("key-epoch", good, keys)


def revoke_rows():
    good = revoke(sha(b"target"))
    row("revoke: one reviewer", good, (R1,))
    for reason in ("vulnerability", "superseded", "error"):
        row(f"revoke: for {reason}", revoke(sha(b"target"), reason=reason), (R3,))
    row("revoke: effective since yesterday", revoke(sha(b"target"), effective=NOW - DAY), (R1,))
    row("revoke: effective tomorrow", revoke(sha(b"target"), effective=NOW + 1), (R1,), "LEDGER_WINDOW")
    row("revoke: unknown reason", changed(good, "reason compromise", "reason boredom"), (R1,), "RANGE")
    row("revoke: a target of 31 bytes", [x[:-2] if x.startswith("target") else x for x in good], (R1,), "FORMAT")
    row("revoke: two targets", after(good, "target", f"target {sha(b'zzz')}"), (R1,), "ORDER")
    row("revoke: no notice", without(good, "notice"), (R1,), "MISSING")
    row("revoke: the log is no reviewer", good, (LOG,), "LEDGER_SIGNER")
    common("revoke", good, (R1,))


def status_rows():
    ids = [sha(str(i).encode()) for i in range(300)]
    good = status(releases=ids[:3], keys=[("issuer", ids[4]), ("issuer", ids[5]), ("ohttp", ids[6])],
                  revoked=ids[7:9])
    row("status: full", good, (LOG,))
    row("status: nothing in force", status(), (LOG,))
    row("status: valid a second longer", changed(good, f"valid-until {NOW + DAY}", f"valid-until {NOW + DAY + 1}"),
        (LOG,), "LEDGER_WINDOW")
    row("status: a role without min-serial", without(good, "min-serial guard"), (LOG,), "MISSING")
    row("status: roles out of order", swapped(good, "min-serial guard", "min-serial gateway"), (LOG,), "MISSING")
    row("status: min-serial 0", changed(good, "min-serial guard 1", "min-serial guard 0"), (LOG,), "RANGE")
    row("status: no hosts", without(good, "hosts"), (LOG,), "ORDER")
    row("status: two host-sets", after(good, "hosts", f"hosts {'f' * 64}"), (LOG,), "UNKNOWN_FIELD")
    row("status: releases out of order", swapped(good, *[x for x in good if x.startswith("release")][:2]), (LOG,),
        "ORDER")
    row("status: a release twice", after(good, "min-serial", next(x for x in good if x.startswith("release"))),
        (LOG,), "DUPLICATE")
    row("status: sixteen releases", status(releases=ids[:16]), (LOG,))
    row("status: seventeen releases", status(releases=ids[:17]), (LOG,), "LIMIT")
    row("status: three keys of a kind", status(keys=[("issuer", i) for i in ids[:3]]), (LOG,), "LIMIT")
    row("status: ohttp before issuer", swapped(good, "keys ohttp", "keys issuer"), (LOG,), "ORDER")
    row("status: 256 revoked", status(revoked=ids[:256]), (LOG,))
    row("status: 257 revoked", status(revoked=ids[:257]), (LOG,), "LIMIT")
    row("status: another log's key", good, (OTHER_LOG,), "LEDGER_SIGNER")
    row("status: the owner is not the log", good, (OWNER, R1, R2), "LEDGER_SIGNER")
    common("status", good, (LOG,))


def texts():
    row("a checkpoint is no record", None, None, "ORDER",
        entry=note([LEDGER, "5", b64(bytes(32))], LOG))
    row("no text", None, None, "FORMAT", entry=b"")
    row("a record of 32769 bytes and more", after(small_release(), "sbom", *[
        f"firmware {i:05}{'x' * 200} {digest('f')}" for i in range(125)]), REVIEWED, "LIMIT")


# --- logs: entries in order ---------------------------------------------------------------------
class Log:
    """A second implementation of the status rules."""

    def __init__(self, environment="dev"):
        self.environment, self.entries, self.records = environment, [], []
        self.serial, self.mins = 0, {r: 1 for r in ROLES}

    def add(self, lines, *keys):
        entry = note(lines, *keys)
        self.entries.append(entry)
        field = {x.split(" ", 1)[0]: x.split(" ", 1)[1] for x in lines if " " in x}
        kind = field["type"].split("/")[0]
        if kind == "revoke":
            for r in self.records:
                if r["id"] == field["target"]:
                    r["revoked"] = True
            return record_id(entry)
        r = {"id": record_id(entry), "type": kind, "serial": int(field["serial"]), "revoked": False}
        if kind == "cvm-release":
            r.update(role=field["role"], start=int(field["not-before"]), end=int(field["not-after"]))
        elif kind == "host-set":
            r.update(start=int(field["time"]), end=int(field["not-after"]))
        else:
            start, end = map(int, field["use"].split(" "))
            r.update(kind=field["kind"], start=start, end=end, epoch=int(field["epoch"]))
        self.records.append(r)
        return r["id"]

    def release(self, **more):
        return self.add(small_release(environment=self.environment, **more), *REVIEWED)

    def hosts(self, **more):
        return self.add(host_set(environment=self.environment, **more), OWNER, R1)

    def key(self, **more):
        return self.add(key_epoch(environment=self.environment, **more), OWNER)

    def revoke(self, target, **more):
        return self.add(revoke(target, environment=self.environment, **more), R2)

    def in_force(self, role, time, minimum):
        return [r for r in self.records if r["type"] == "cvm-release" and r["role"] == role and
                not r["revoked"] and r["start"] <= time < r["end"] and r["serial"] >= minimum]

    def status(self, time=NOW, edit=lambda s: s, key=LOG):
        for role in ROLES:
            while len(self.in_force(role, time, self.mins[role])) > 4:
                self.mins[role] = min(r["serial"] for r in self.in_force(role, time, self.mins[role])) + 1
        self.serial += 1
        hosts = [r for r in self.records if r["type"] == "host-set"]
        fields = dict(
            serial=self.serial, time=time, mins=dict(self.mins),
            releases=[r["id"] for role in ROLES for r in self.in_force(role, time, self.mins[role])],
            hosts=hosts[-1]["id"] if hosts else None,
            keys=[(r["kind"], r["id"]) for r in self.records if r["type"] == "key-epoch" and
                  not r["revoked"] and r["epoch"] in (time // DAY, time // DAY + 1)],
            revoked=[r["id"] for r in self.records if r["revoked"] and r["end"] > time])
        fields = edit(copy.deepcopy(fields)) or fields
        self.entries.append(note(status(environment=self.environment, **fields), key))
        return self


LOGS = []


def log(desc, entries, code=None, at=None, now=NOW, environment="dev"):
    r = {"desc": desc, "environment": environment, "now": now, "entries": [number_of(e) for e in entries],
         "want": "reject" if code else "accept"}
    if code:
        r.update(code=code, at=len(entries) - 1 if at is None else at)
    LOGS.append(r)


def first(**more):
    """Host-set, one release of each role, keys of two days."""
    k = Log(**more)
    k.hosts()
    for role in ("orchestrator", "predictor"):
        k.release(role=role)
    for kind in ("issuer", "ohttp"):
        k.key(serial=1, kind=kind, epoch=20000)
        k.key(serial=2, kind=kind, epoch=20001)
    return k


def edited(**fields):
    return lambda s: {**s, **fields}


def dropped(name):
    def edit(s):
        s[name] = s[name][1:]
        return s
    return edit


def dev_logs():
    log("the first batch of a log", first().status().entries)
    log("an empty batch after it", first().status().status(time=NOW + 60).entries)
    log("no status at the end", first().entries, "LEDGER_NOT_LAST", at=len(first().entries))
    k = Log()
    k.release()
    log("a status without any host-set", k.status().entries, "MISSING")

    k = first().status()
    log("an entry twice", k.entries + [k.entries[1]], "LEDGER_SERIAL")
    k = first().status()
    k.release(serial=1, tag="b")
    log("a serial twice in a role", k.entries, "LEDGER_SERIAL")
    k = first().status()
    k.hosts(serial=1, time=NOW + 1)
    log("a host-set serial twice", k.entries, "LEDGER_SERIAL")
    k = first().status()
    log("a status serial twice", k.status(edit=edited(serial=1)).entries, "LEDGER_SERIAL")
    k = first()
    k.release(serial=7, tag="b")
    log("serials may leave gaps", k.status().entries)

    k = first()
    k.release(role="guard", tag="a")
    same = small_release(role="guard")
    same = [x.replace(measurement("guarda"), measurement("orchestratora")) for x in same]
    k = first()
    k.add(same, *REVIEWED)
    log("a measurement in two roles", k.entries, "LEDGER_TWO_ROLES")
    k = first()
    k.release(serial=2, tag="a", time=NOW + 1)
    log("a measurement again in its role", k.status(time=NOW + 1).entries)
    k = first()
    k.revoke(k.records[1]["id"])
    k.status()
    k.release(serial=2, tag="a", time=NOW + 1)
    log("a revoked measurement again", k.entries, "LEDGER_REVOKED")
    k = first()
    k.add([x if not x.startswith("review") else f"review reviewers {digest('another policy')}"
           for x in small_release(serial=9, tag="z")], *REVIEWED)
    log("a release that names another review policy", k.entries, "MISMATCH")

    k = first()
    k.revoke(k.records[1]["id"])
    log("a revocation takes effect in the status of its batch", k.status().entries)
    k = first()
    k.revoke(sha(b"nothing"))
    log("a revocation of nothing", k.entries, "NOT_FOUND")
    k = first()
    k.revoke(k.records[1]["id"])
    k.revoke(k.records[1]["id"], serial=2)
    log("a revocation of what is revoked", k.entries, "DUPLICATE")
    k = first()
    k.hosts(serial=2, time=NOW + 1)
    k.revoke(k.records[-1]["id"], time=NOW + 1)
    older = k.records[0]["id"]
    log("the newest host-set stays named when it is revoked", k.status(time=NOW + 1).entries)
    k = first()
    k.hosts(serial=2, time=NOW + 1)
    k.revoke(k.records[-1]["id"], time=NOW + 1)
    log("falling back to an older host-set", k.status(time=NOW + 1, edit=edited(hosts=older)).entries, "LEDGER_STATUS")

    for name in ("releases", "keys"):
        log(f"a status that omits one of its {name}", first().status(edit=dropped(name)).entries, "LEDGER_STATUS")
    k = first()
    k.revoke(k.records[1]["id"])
    log("a status that omits a revocation", k.status(edit=dropped("revoked")).entries, "LEDGER_STATUS")
    k = first()
    target = k.records[1]["id"]
    k.revoke(target)
    log("a status that lists a revoked release", k.status(
        edit=lambda s: {**s, "releases": s["releases"] + [target]}).entries, "LEDGER_STATUS")
    log("a status that lists an unknown release", first().status(
        edit=lambda s: {**s, "releases": s["releases"] + [sha(b"?")]}).entries, "LEDGER_STATUS")
    k = first()
    k.release(serial=2, tag="b", before=NOW + 500)
    log("a release before its time is not listed", k.status().entries)
    later = k.records[-1]["id"]
    k = first()
    k.release(serial=2, tag="b", before=NOW + 500)
    log("a release listed before its time", k.status(
        edit=lambda s: {**s, "releases": s["releases"] + [later]}).entries, "LEDGER_STATUS")

    k = first()
    for i in range(2, 7):
        k.release(serial=i, tag=f"r{i}")
    log("a fifth and sixth release raise min-serial", k.status().entries)
    k = first()
    for i in range(2, 6):
        k.release(serial=i, tag=f"r{i}")
    ids = [r["id"] for r in k.records if r.get("role") == "orchestrator"]
    log("five releases of a role in force", k.status(edit=lambda s: {
        **s, "mins": {**s["mins"], "orchestrator": 1}, "releases": sorted(set(s["releases"] + ids))}).entries,
        "LEDGER_STATUS")
    k = first()
    for i in range(2, 6):
        k.release(serial=i, tag=f"r{i}")
    k.status()
    log("min-serial lowered", k.status(time=NOW + 1, edit=lambda s: {**s, "mins": {**s["mins"], "orchestrator": 1}})
        .entries, "LEDGER_STATUS")
    log("min-serial ahead of every release", first().status(
        edit=lambda s: {**s, "mins": {**s["mins"], "guard": 2**62}}).entries, "LEDGER_STATUS")

    log("a status older than the one before", first().status().status(time=NOW - 1).entries, "LEDGER_WINDOW")
    log("a status older than a record of its batch", first().status(time=NOW - 1).entries, "LEDGER_WINDOW")
    log("a status 300 s in the future", first().status(time=NOW + 300).entries)
    log("a status 301 s in the future", first().status(time=NOW + 301).entries, "LEDGER_FUTURE")
    log("a status that another key signed", first().status(key=OTHER_LOG).entries, "LEDGER_SIGNER")

    k = first()
    k.key(serial=3, epoch=20003)
    log("an epoch left out", k.entries, "LEDGER_WINDOW")
    k = first()
    k.key(serial=3, epoch=20001)
    log("an epoch twice (W1_T3)", k.entries, "LEDGER_WINDOW")
    k = first()
    k.key(serial=3, epoch=20002)
    log("the epoch after next is logged and not listed yet", k.status().entries)
    k = first()
    k.status()
    late = 20005 * DAY + 7
    k.hosts(serial=2, time=late)
    for kind in ("issuer", "ohttp"):
        k.key(serial=3, kind=kind, epoch=20005, time=late)
    log("a new start after a pause", k.status(time=late).entries, now=late)
    k = first()
    k.status()
    log("an expired host-set stays named", k.status(time=NOW + 8 * DAY).entries, now=NOW + 8 * DAY)


def prod_logs():
    hour = 20000 * DAY + 11 * 3600

    def begin():
        k = Log("prod")
        k.hosts()
        return k

    k = begin()
    k.release(before=hour + 93600)
    k.key(epoch=20003)
    log("prod: a batch on the hour", k.status(time=hour).entries, now=hour, environment="prod")
    log("prod: 299 s after the hour", begin().status(time=hour + 299).entries, now=hour + 299, environment="prod")
    log("prod: 300 s after the hour", begin().status(time=hour + 300).entries, "LEDGER_WINDOW", now=hour + 300,
        environment="prod")
    k = begin()
    k.status(time=hour)
    k.revoke(k.records[0]["id"], time=hour + 1000)
    log("prod: a revocation publishes at once", k.status(time=hour + 1000).entries, now=hour + 1000,
        environment="prod")
    k = begin()
    k.release(time=hour - 7200, before=hour - 7200 + 93600)
    log("prod: 26 h from its time, 24 h on the log", k.status(time=hour).entries, now=hour, environment="prod")
    k = begin()
    k.release(time=hour - 7201, before=hour - 7201 + 93600)
    log("prod: a release dated back", k.status(time=hour).entries, "LEDGER_WINDOW", now=hour, environment="prod")
    k = begin()
    k.key(epoch=20003, time=NOW)
    noon = 20001 * DAY
    log("prod: a key logged 48 h before its use", k.status(time=noon).entries, now=noon, environment="prod")
    k = begin()
    k.key(epoch=20003, time=NOW)
    log("prod: a key logged 47 h before its use", k.status(time=noon + 3600).entries, "LEDGER_WINDOW",
        now=noon + 3600, environment="prod")


# --- lists of machines --------------------------------------------------------------------------
LISTS = []
CHIP, TURIN, TDX = b"\1" + b"\x11" * 64, b"\1" + b"\x22" * 8 + bytes(56), b"\2" + b"\x33" * 16 + bytes(48)


def machine(host, product, since=NOW - DAY, until=NOW + 365 * DAY, note=""):
    return f"{('snp', 'tdx')[host[0] - 1]} {host[1:].hex()} {product} {digest('custody')} {since} {until}{note}"


def host_list(*machines, serial=1, after=NOW + 7 * DAY):
    return ["type host-list/v1", f"ledger {LEDGER}", f"namespace {NAMESPACE}", "environment dev",
            f"serial {serial}", f"not-after {after}", f"where https://hosts.example.org/{serial}", *machines]


def list_row(desc, lines, code=None, time=NOW, hosts=(), ending="\n"):
    """A list, and the lines of the host-set record that it gives at a time; or the code that refuses it."""
    text = "\n".join(lines) + ending
    r = {"desc": "host-list: " + desc, "time": time, "list": text, "want": "reject" if code else "accept"}
    if code:
        r["code"] = code
    else:
        r["record"] = head("host-set/v1", 1, time) + [
            f"not-after {NOW + 7 * DAY}", f"count {len(hosts)}", f"root {root([leaf(h) for h in hosts]).hex()}",
            f"list sha256:{sha(text.encode())} https://hosts.example.org/1"]
    LISTS.append(r)


def host_lists():
    one, two, three = machine(CHIP, "genoa"), machine(TURIN, "turin"), machine(TDX, "tdx", note=" rack-7")
    good = host_list(one, two, three)
    list_row("one machine", host_list(one), hosts=[CHIP])
    list_row("three product lines", good, hosts=[CHIP, TURIN, TDX])
    list_row("a note of 64 bytes", host_list(one + " " + "n" * 64), hosts=[CHIP])
    list_row("in the last second of a registration", host_list(machine(CHIP, "genoa", until=NOW + 1)), hosts=[CHIP])
    list_row("no machine", host_list(), "MISSING")
    list_row("a registration that is over", host_list(machine(CHIP, "genoa", until=NOW)), "LEDGER_WINDOW")
    list_row("a registration without a second", host_list(machine(CHIP, "genoa", NOW, NOW)), "LEDGER_WINDOW")
    list_row("a chip of milan", host_list(machine(CHIP, "milan")), "RANGE")
    list_row("a chip of rome", host_list(machine(CHIP, "rome")), "RANGE")
    list_row("a masked chip id", host_list(machine(b"\1" + bytes(64), "genoa")), "RANGE")
    list_row("64 bytes for turin", host_list(machine(CHIP, "turin")), "RANGE")
    list_row("an snp line for tdx", host_list(machine(CHIP, "tdx")), "MISMATCH")
    list_row("a tdx line for genoa", host_list(machine(TDX, "genoa")), "MISMATCH")
    list_row("a chip id of 63 bytes", host_list(one.replace("11 genoa", " genoa")), "FORMAT")
    list_row("a chip id in capitals", host_list(machine(b"\1" + b"\xaa" * 64, "genoa").replace("a" * 128, "A" * 128)),
             "FORMAT")
    list_row("a machine twice", host_list(one, one), "DUPLICATE")
    list_row("a machine twice, in other custody", host_list(one, machine(CHIP, "genoa", until=NOW + 366 * DAY)),
             "DUPLICATE")
    list_row("out of order", host_list(two, one), "ORDER")
    list_row("tdx before snp", host_list(three, one), "UNKNOWN_FIELD")
    list_row("custody without its algorithm", changed(good, digest("custody"), digest("custody")[7:]), "FORMAT")
    list_row("a note of two words", host_list(one + " rack 7"), "FORMAT")
    list_row("a note of 65 bytes", host_list(one + " " + "n" * 65), "LIMIT")
    list_row("a space at the end", host_list(one + " "), "FORMAT")
    list_row("an unknown line", host_list(one, "comment none"), "UNKNOWN_FIELD")
    list_row("an empty line", host_list(one, ""), "FORMAT")
    list_row("no last line feed", good, "TRUNCATED", ending="")
    list_row("serial 0", changed(good, "serial 1", "serial 0"), "RANGE")
    list_row("no where line", without(good, "where"), "ORDER")
    list_row("where before not-after", swapped(good, "where", "not-after"), "ORDER")
    list_row("unknown version", changed(good, "host-list/v1", "host-list/v2"), "UNSUPPORTED")


def main():
    release_rows()
    host_set_rows()
    key_epoch_rows()
    revoke_rows()
    status_rows()
    texts()
    dev_logs()
    prod_logs()
    host_lists()
    out = {
        "source": "project-made: make.py beside this file",
        "ledger": LEDGER, "namespace": NAMESPACE,
        "policies": {name: b64(text.encode()) for name, text in POLICIES.items()},
        "hosts": {"entries": [h.hex() for h in HOSTS], "root": root([leaf(h) for h in HOSTS]).hex()},
        "bases": BASES, "entries": ENTRIES, "rows": ROWS, "logs": LOGS, "host_lists": LISTS,
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "records.json")
    with open(path, "w", encoding="ascii") as f:
        f.write("{\n")
        for i, (key, value) in enumerate(out.items()):
            f.write((",\n" if i else "") + json.dumps(key) + ": ")
            if isinstance(value, list):
                f.write("[\n" + ",\n".join(json.dumps(x) for x in value) + "\n]")
            else:
                f.write(json.dumps(value))
        f.write("\n}\n")
    print(len(ROWS), "rows", len(LOGS), "logs", len(LISTS), "lists")


if __name__ == "__main__":
    main()
