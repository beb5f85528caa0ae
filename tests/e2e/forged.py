# SPDX-License-Identifier: Apache-2.0
"""A ledger whose every key a test holds: log, witnesses, owner, reviewers. It can show any history, with any
signature under it, as files of a log and as directory bundles; nothing of lib/ takes part in making them."""
import functools
import hashlib
import os
import struct
import sys

from fleet import ROOT

sys.dont_write_bytecode = True  # no files among the vectors
sys.path.insert(0, os.path.join(ROOT, "tests", "vectors", "records"))
import make as records  # noqa: E402

ORIGIN, NAMESPACE, DAY = records.LEDGER, records.NAMESPACE, records.DAY
WIDTH = 256
PLAIN = ("witness1", "witness2", "witness3", "witness4")
QUORUM = (*PLAIN[:3], "record-witness")


class Cosigner:
    """A witness's key (C2SP tlog-cosignature, type 0x04)."""

    def __init__(self, name, fill):
        self.name, self.seed = f"{name}.example", bytes([fill]) * 32
        self.pk = records.public(self.seed)
        self.id = hashlib.sha256(self.name.encode() + b"\n\x04" + self.pk).digest()[:4]

    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{records.b64(bytes([4]) + self.pk)}"

    def line(self, text, time):
        signature = records.sign(self.seed, f"cosignature/v1\ntime {time}\n{text}".encode())
        return f"\u2014 {self.name} {records.b64(self.id + struct.pack('>Q', time) + signature)}\n"


WITNESSES = {name: Cosigner(name, 0x40 + i) for i, name in enumerate((*PLAIN, "record-witness"))}
POLICY = (f"log {records.LOG.vkey()}\n" + "".join(f"witness {n} {w.vkey()}\n" for n, w in WITNESSES.items()) +
          f"group plain 3 {' '.join(PLAIN)}\ngroup clients all plain record-witness\nquorum clients\n")


@functools.lru_cache(maxsize=None)
def subtree(leaves):
    return hashlib.sha256(b"").digest() if not leaves else records.root(leaves)


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(index, leaves):
    """The inclusion path of RFC 6962 2.1.1, as the definition has it."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [subtree(leaves[k:])]
    return path(index - k, leaves[k:]) + [subtree(leaves[:k])]


def cbor(value):
    if isinstance(value, int):
        return number(0, value)
    if isinstance(value, bytes):
        return number(2, len(value)) + value
    return number(4, len(value)) + b"".join(map(cbor, value))


def number(major, n):
    for size, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | code]) + n.to_bytes(size, "big")
    raise ValueError(n)


# An issuer's key is an element of ristretto255, which few strings of 32 bytes are: the first four multiples of
# the generator (RFC 9496 A.1), one a day in turn.
ELEMENTS = ("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
            "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
            "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
            "da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57")


class Ledger:
    """Entries in order, and what can be shown of them. Two that share their first entries are a fork."""

    def __init__(self, now, entries=()):
        self.now, self.entries = now, list(entries)
        self.in_force = {"release": [], "hosts": None, "keys": [], "revoked": [], "mins": {}}
        self.serials = {}

    def fork(self):
        other = Ledger(self.now, self.entries)
        other.in_force = {k: v if v is None else type(v)(v) for k, v in self.in_force.items()}
        other.serials = dict(self.serials)
        return other

    # --- records ------------------------------------------------------------------------------------------------
    def serial(self, *kind):
        self.serials[kind] = self.serials.get(kind, 0) + 1
        return self.serials[kind]

    def add(self, lines, *keys):
        """Any record by any signers; its id."""
        self.entries.append(records.note(lines, *keys))
        return records.record_id(self.entries[-1])

    def release(self, *keys, **more):
        role = more.get("role", "orchestrator")
        lines = records.small_release(serial=self.serial("release", role), time=self.now, **more)
        self.in_force["release"].append(self.add(lines, *(keys or records.REVIEWED)))
        return self.in_force["release"][-1]

    def hosts(self, *keys):
        lines = records.host_set(serial=self.serial("host-set"), time=self.now)
        self.in_force["hosts"] = self.add(lines, *(keys or (records.OWNER, records.R1)))
        return self.in_force["hosts"]

    def key(self, kind, epoch, *keys):
        config = b"\0\5" + bytes.fromhex(ELEMENTS[epoch % len(ELEMENTS)]) if kind == "issuer" else None
        lines = records.key_epoch(serial=self.serial("key", kind), kind=kind, epoch=epoch, time=self.now,
                                  config=config)
        self.in_force["keys"].append((kind, self.add(lines, *(keys or (records.OWNER,)))))
        return self.in_force["keys"][-1][1]

    def revoke(self, target, *keys):
        lines = records.revoke(target, serial=self.serial("revoke"), time=self.now)
        found = self.add(lines, *(keys or (records.R1,)))
        self.in_force["revoked"].append(target)
        self.in_force["release"] = [r for r in self.in_force["release"] if r != target]
        return found

    def status(self, *keys, serial=None, time=None, **more):
        """Closes a batch; `more` replaces what honest lists would say."""
        said = {"mins": self.in_force["mins"], "releases": self.in_force["release"], "hosts": self.in_force["hosts"],
                "keys": self.in_force["keys"], "revoked": self.in_force["revoked"], **more}
        lines = records.status(serial=self.serial("status") if serial is None else serial,
                               time=self.now if time is None else time, **said)
        return self.add(lines, *(keys or (records.LOG,)))

    def begin(self):
        """The first batch of an honest log."""
        self.hosts()
        for day in (self.now // DAY, self.now // DAY + 1):
            for kind in ("issuer", "ohttp"):
                self.key(kind, day)
        self.release()
        self.status()
        return self

    # --- checkpoints --------------------------------------------------------------------------------------------
    def leaves(self, size=None):
        return tuple(records.leaf(e) for e in self.entries[:size])

    def text(self, size=None, root=None):
        size = len(self.entries) if size is None else size
        root = subtree(self.leaves(size)) if root is None else root
        return f"{ORIGIN}\n{size}\n{records.b64(root)}\n"

    def checkpoint(self, witnesses=QUORUM, size=None, time=None, times=None, key=records.LOG, root=None):
        """A checkpoint note: signed by `key`, cosigned at `time` (or each at its own of `times`)."""
        text = self.text(size, root)
        time = self.now if time is None else time
        lines = "".join(WITNESSES[w].line(text, (times or {}).get(w, time)) for w in witnesses)
        return (text + "\n" + key.line(text) + lines).encode()

    # --- what is served -----------------------------------------------------------------------------------------
    def files(self, note=None, size=None):
        """{path: bytes} of a log's public folder."""
        size = len(self.entries) if size is None else size
        found = {"checkpoint": note or self.checkpoint(size=size)}
        level, hashes = 0, list(self.leaves(size))
        for n in range(0, size, WIDTH):
            some = self.entries[n:min(n + WIDTH, size)]
            found[tile_path("entries", n // WIDTH, len(some))] = b"".join(
                struct.pack(">H", len(e)) + e for e in some)
        while hashes:
            for n in range(0, len(hashes), WIDTH):
                some = hashes[n:n + WIDTH]
                found[tile_path(str(level), n // WIDTH, len(some))] = b"".join(some)
            hashes = [subtree(tuple(hashes[n:n + WIDTH])) for n in range(0, len(hashes) // WIDTH * WIDTH, WIDTH)]
            level += 1
        return found

    def proof(self, index, note, size=None):
        lines = "".join(records.b64(h) + "\n" for h in path(index, self.leaves(size)))
        return f"c2sp.org/tlog-proof@v1\nindex {index}\n{lines}\n".encode() + note

    def index_of(self, record):
        return next(i for i, e in enumerate(self.entries) if records.record_id(e) == record)

    def bundle(self, note=None, size=None, status=None, named=None, notes=()):
        """The directory bundle (pp-wire 2) of a checkpoint; `status` and `named` put other entries in place."""
        size = len(self.entries) if size is None else size
        note = note or self.checkpoint(size=size)
        status = size - 1 if status is None else status
        if named is None:
            lines = [line.split(" ") for line in records.text_of(self.entries[status]).decode().splitlines()]
            named = [self.index_of(line[-1]) for line in lines if line[0] in ("release", "hosts", "keys")]
        pairs = [[self.entries[i], self.proof(i, note, size)] for i in (status, *named)]
        return cbor([1, pairs[0], pairs[1:], [], list(notes)])


def tile_path(level, index, width):
    assert index < 1000
    return f"tile/{level}/{index:03}" + ("" if width == WIDTH else f".p/{width}")


def write_files(folder, files):
    for name, content in files.items():
        target = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as f:
            f.write(content)
