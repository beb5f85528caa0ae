# SPDX-License-Identifier: Apache-2.0
"""Makes release.json: artifact manifests, image manifests and builders' notes (docs/protocol/release.md).

Standard library only, and nothing of lib/: the texts are put together here a second time. Ed25519 and notes are those
of ../records/make.py.
"""
import base64
import hashlib
import importlib.util
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("records", os.path.join(HERE, "..", "records", "make.py"))
records = importlib.util.module_from_spec(spec)
spec.loader.exec_module(records)


def sha(data):
    return hashlib.sha256(data.encode()).hexdigest()


# --- artifacts ------------------------------------------------------------------------------------
def artifact(purpose, version, files):
    lines = [f"{path} {len(content.encode())} {'755' if run else '644'} {sha(content)}"
             for path, content, run in sorted(files, key=lambda f: f[0].encode())]
    return "\n".join([purpose, version, *lines]) + "\n"


TWO = [("en/summary", "Summarise.", 0), ("run", "#!", 1)]


def artifact_rows():
    good = artifact("prompts", "2026.1", TWO)
    empty = sha("")

    def row(desc, text, code=None, purpose="prompts", digest=None):
        r = {"desc": desc, "text": text, "purpose": purpose, "sha256": digest or sha(text)}
        return {**r, "code": code} if code else r
    yield row("two files", good)
    yield row("the same in another order of the folder", artifact("prompts", "2026.1", TWO[::-1]))
    yield row("W19_T1: two names swapped", artifact("prompts", "2026.1", [("run", "Summarise.", 0), ("en/summary", "#!", 1)]),
              "MISMATCH", digest=sha(good))
    yield row("W19_T2: a file renamed", artifact("prompts", "2026.1", [("en/summary2", "Summarise.", 0), TWO[1]]),
              "MISMATCH", digest=sha(good))
    yield row("W19_T3: an empty file more", artifact("prompts", "2026.1", [*TWO, ("z", "", 0)]), "MISMATCH", digest=sha(good))
    yield row("W19_T3: an empty file is a file", artifact("prompts", "2026.1", [("z", "", 0)]))
    yield row("W19_T4: a boundary shifted", artifact("prompts", "2026.1", [("e/nsummary", "Summarise.", 0), TWO[1]]),
              "MISMATCH", digest=sha(good))
    yield row("W19_T5: the right digest, another purpose", good, "UNVERIFIED", purpose="model")
    yield row("W19_T5: a purpose in another case", good, "UNVERIFIED", purpose="Prompts")
    for desc, files in (("two files in other case", ("A", "a")), ("with one between them", ("A", "B", "a")),
                        ("two folders in other case", ("A/x", "a/y")), ("a file that is a folder", ("a", "a/b")),
                        ("a file that is a folder in other case", ("A", "a/b")), ("with one between", ("a", "a-b", "a/b"))):
        yield row(f"W19_T6: {desc}", "p\n1\n" + "".join(f"{f} 0 644 {empty}\n" for f in files), "EXISTS", purpose="p")
    for desc, line, code in (
            ("a composed letter", f"\u00e9 0 644 {empty}", "FORMAT"), ("a decomposed letter", f"e\u0301 0 644 {empty}", "FORMAT"),
            ("a dot", f"a/./b 0 644 {empty}", "FORMAT"), ("two dots", f"../b 0 644 {empty}", "FORMAT"),
            ("a root", f"/a 0 644 {empty}", "FORMAT"), ("a folder alone", f"a/ 0 644 {empty}", "FORMAT"),
            ("a set-uid bit", f"a 0 4755 {empty}", "RANGE"), ("a mode of umask 002", f"a 0 664 {empty}", "RANGE"),
            ("a mode with a zero in front", f"a 0 0644 {empty}", "RANGE"), ("a size with a zero in front", f"a 01 644 {empty}", "FORMAT"),
            ("a size too large", f"a {2**63} 644 {empty}", "RANGE"), ("hex in capitals", f"a 0 644 {empty.upper()}", "FORMAT"),
            ("a space behind", f"a 0 644 {empty} ", "FORMAT"), ("a tab", f"a\t0\t644\t{empty}", "FORMAT"), ("nothing", "", "FORMAT")):
        yield row(f"a line: {desc}", f"p\n1\n{line}\n", code, purpose="p")
    yield row("no file", "p\n1\n", "MISSING", purpose="p")
    yield row("no line feed at the end", artifact("p", "1", TWO)[:-1], "TRUNCATED", purpose="p")
    yield row("not in order", "p\n1\n" + f"b 0 644 {empty}\na 0 644 {empty}\n", "ORDER", purpose="p")
    yield row("one twice", "p\n1\n" + f"a 0 644 {empty}\n" * 2, "DUPLICATE", purpose="p")


# --- images ---------------------------------------------------------------------------------------
def image(role="orchestrator", kernel="kernel", rows=("ovmf:EPYC-v4:1 milan QEMU 4",), tail=()):
    m = hashlib.sha384(kernel.encode()).hexdigest()
    return ["type image-manifest/v1", f"role {role}", f"image sha256:{sha('image')} 5 https://images.example/o-1.img",
            "source https://git.example/pp 0123456789abcdef0123456789abcdef01234567", f"build sha256:{sha('build')}",
            f"sbom sha256:{sha('sbom')}", f"firmware ovmf sha256:{sha('ovmf')}", f"kernel sha256:{sha(kernel)}",
            f"initrd sha256:{sha('initrd')}", f"cmdline sha256:{sha('quiet')} {base64.b64encode(b'quiet').decode()}",
            *(f"snp {r} {m}" for r in rows), "snp-policy ffffffffffffffff 0000000000030000", "snp-min-tcb milan 4 0 24 219",
            f"config sha256:{sha('config')}", f"artifact prompts sha256:{sha(artifact('prompts', '2026.1', TWO))}",
            f"egress sha256:{sha('egress')}", *tail]


def text(lines):
    return "\n".join(lines) + "\n"


# A line that repeats is out of order where something must follow, and where only optional lines could, what must follow
# them is missing.
TWICE = {**dict.fromkeys(("firmware", "snp", "snp-min-tcb", "config", "artifact"), "DUPLICATE"),
         **dict.fromkeys(("sbom", "kernel", "initrd", "cmdline", "snp-policy"), "MISSING"), "egress": "UNKNOWN_FIELD"}


def image_rows():
    def row(desc, lines, code=None):
        r = {"desc": desc, "text": text(lines), "sha256": sha(text(lines))}
        return {**r, "code": code} if code else r
    good = image()
    yield row("every part but GPU and TDX", good)
    yield row("an engine that keeps state", image(tail=["retains"]))
    yield row("two rows", image(rows=("ovmf:EPYC-v4:1 milan QEMU 4", "ovmf:EPYC-v4:1 milan QEMU 8")))
    yield row("rows out of order", image(rows=("ovmf:EPYC-v4:1 milan QEMU 8", "ovmf:EPYC-v4:1 milan QEMU 4")), "ORDER")
    yield row("no measurement", [x for x in good if not x.startswith("snp")], "MISSING")
    yield row("a row without its minimum", [x for x in good if not x.startswith("snp-min")], "MISSING")
    yield row("the type of a record", ["type cvm-release/v1", *good[1:]], "UNSUPPORTED")
    yield row("a later version", ["type image-manifest/v2", *good[1:]], "UNSUPPORTED")
    yield row("times, which people give", [*good[:2], "not-before 1", "not-after 2", *good[2:]], "ORDER")
    yield row("a review, which people give", [*good, f"review r sha256:{sha('r')}"], "UNKNOWN_FIELD")
    yield row("a serial, which people give", [good[0], "serial 1", *good[1:]], "ORDER")
    yield row("a command line of another digest", [x.replace("cXVpZXQ=", "cXVpZXR=") for x in good], "ENCODING")
    yield row("a command line of another text", [x.replace("cXVpZXQ=", "cXVpZXU=") for x in good], "MISMATCH")
    yield row("an unknown role", image(role="relay"), "RANGE")
    for i, line in enumerate(good[2:], 2):
        word = line.split()[0]
        if word in ("image", "source", "build", "sbom", "config", "egress", "snp-policy"):
            yield row(f"without {word}", good[:i] + good[i + 1:], "ORDER" if i + 1 < len(good) else "MISSING")
        yield row(f"{word} twice", good[:i + 1] + good[i:], TWICE.get(word, "ORDER"))


# --- builders -------------------------------------------------------------------------------------
SEEDS = {name: bytes([n]) * 32 for n, name in enumerate(("alice", "bob", "carol", "mallory"), 0x41)}


def vkey(name):
    body = b"\x01" + records.public(SEEDS[name])
    key_id = hashlib.sha256(f"{name}.example".encode() + b"\n" + body).digest()[:4]
    return f"{name}.example+{key_id.hex()}+{base64.b64encode(body).decode()}", key_id


def policy(*names, group):
    return "".join(f"witness {n} {vkey(n)[0]}\n" for n in names) + group


def built(lines, *names):
    t = text(lines)
    return t + "\n" + "".join(f"\u2014 {n}.example " + base64.b64encode(vkey(n)[1] + records.sign(SEEDS[n], t.encode())).decode()
                              + "\n" for n in names)


TWO_OF_TWO = policy("alice", "bob", group="group two all alice bob\nquorum two\n")
TWO_OF_THREE = policy("alice", "bob", "carol", group="group two 2 alice bob carol\nquorum two\n")
ANY = policy("alice", "bob", group="group one any alice bob\nquorum one\n")
THREE = policy("alice", "bob", "carol", group="group three all alice bob carol\nquorum three\n")


def builder_rows():
    def row(desc, policy_text, notes, code=None, line=None):
        r = {"desc": desc, "policy": policy_text, "notes": notes}
        if code:
            r["code"] = code
        return {**r, "line": line} if line else r
    a, b, c = (built(image(), n) for n in ("alice", "bob", "carol"))
    other = image(kernel="kernem")
    yield row("two builders, one text", TWO_OF_TWO, [a, b])
    yield row("one note with both signatures", TWO_OF_TWO, [built(image(), "alice", "bob")])
    yield row("two of three", TWO_OF_THREE, [a, c])
    yield row("W18: one builder", TWO_OF_TWO, [a], "RELEASE_BUILDERS")
    yield row("W18: one builder twice", TWO_OF_TWO, [a, a], "RELEASE_BUILDERS")
    yield row("W18: one builder under a policy that asks for no more", ANY, [a], "RELEASE_BUILDERS")
    yield row("two builders under a policy that asks for one", ANY, [a, b])
    yield row("two builders under a policy that asks for three", THREE, [a, b], "RELEASE_BUILDERS")
    yield row("W18: another kernel", TWO_OF_TWO, [a, built(other, "bob")], "RELEASE_BUILDERS", "line 8, kernel")
    yield row("W18: another kernel, by three", TWO_OF_THREE, [a, b, built(other, "carol")], "RELEASE_BUILDERS", "line 8, kernel")
    yield row("W18: a line more", TWO_OF_TWO, [a, built(image(tail=["retains"]), "bob")], "RELEASE_BUILDERS", "line 17, retains")
    yield row("W18: a line less", TWO_OF_TWO, [built(image(tail=["retains"]), "alice"), b], "RELEASE_BUILDERS", "line 17, retains")
    yield row("a stranger", TWO_OF_TWO, [a, built(image(), "mallory")], "LEDGER_SIGNER")
    yield row("a stranger beside a builder", TWO_OF_TWO, [built(image(), "alice", "mallory"), b])
    broken = built(image(), "bob").replace("sbom sha256:" + sha("sbom"), "sbom sha256:" + sha("sbon"))
    yield row("a signature over another text", TWO_OF_TWO, [a, broken], "LEDGER_SIGNER")
    yield row("one text that is no manifest", TWO_OF_TWO, [built(["type other/v1"], n) for n in ("alice", "bob")], "UNSUPPORTED")


with open(os.path.join(HERE, "release.json"), "w", encoding="utf-8") as f:
    json.dump({"source": "project-made by make.py", "artifacts": list(artifact_rows()), "images": list(image_rows()),
               "builders": list(builder_rows())}, f, indent=1)
    f.write("\n")
