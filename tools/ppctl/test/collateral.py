# SPDX-License-Identifier: Apache-2.0
"""ppctl collateral, from outside: what it packs, what it says of a blob, and that it writes nothing a device would refuse.

usage: collateral.py PPCTL SOURCE_ROOT GPU_FILES
"""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PPCTL, ROOT, GPU_FILES = (os.path.abspath(a) for a in sys.argv[1:4])
CASE = os.path.join(ROOT, "tests/vectors/tdx/v5-tdx15")
AT = 1780272000
DAY = 86400
passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def run(*args):
    done = subprocess.run([PPCTL, "collateral", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def pems(data):
    return [p + b"\n" for p in re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", data, re.S)]


class Tdx:
    """A folder as an operator keeps it, and the root that it hangs from."""

    def __init__(self, tmp):
        self.folder = os.path.join(tmp, "intel")
        shutil.copytree(CASE, self.folder)
        chain = pems(read(os.path.join(CASE, "quote.bin")))
        self.authority = write(self.path("pck_crl_issuer_chain.pem"), b"".join(chain[1:]))
        self.leaf = chain[0]
        self.options = ["--tdx-root", self.path("intel_root_ca.pem"), "--at", AT]

    def path(self, name):
        return os.path.join(self.folder, name)


def refuses(name, args, code, words, out=None):
    """By that code, with the words; and no file is there afterwards."""
    status, _, err = run(*args)
    check(f"{name}: {code}", f"({code})" in err or f" {code}" in err or code in err, f"{status} {err}")
    check(f"{name}: says {words}", words in err, err)
    check(f"{name}: status", status in (2, 3), status)
    if out:
        check(f"{name}: nothing is written", not os.path.exists(out) and not os.listdir(os.path.dirname(out)))


def packs_tdx(tmp, tdx):
    blob = os.path.join(tmp, "tdx.blob")
    status, text, err = run("pack", "tdx", tdx.folder, "--out", blob, *tdx.options)
    check("a folder of Intel's documents becomes a blob", status == 0 and os.path.exists(blob), err)
    check("people read whom it is for", "FMSPC" in text and "Platform CA" in text and "TCB info 2026" in text, text)
    status, out, err = run("show", blob, "--json", *tdx.options)
    said = json.loads(out)
    check("show: JSON", status == 0 and said["kind"] == "tdx" and said["ca"] == "platform" and said["evaluation"] >= 18, out)
    check("show: in force", said["from"] <= AT < said["until"] and not said["pck_crl_judged"], out)
    status, out, _ = run("show", blob, "--json", "--authority", tdx.authority, *tdx.options)
    check("show: with its signer's chain the PCK list is judged", status == 0 and json.loads(out)["pck_crl_judged"], out)
    status, out, _ = run("show", blob, *tdx.options)
    check("show: people read what was not judged", "not judged" in out, out)
    again = os.path.join(tmp, "again.blob")
    run("pack", "tdx", tdx.folder, "--out", again, *tdx.options)
    check("the same documents make the same bytes", read(blob) == read(again))
    return blob


def takes_a_root_in_der(tmp, tdx, blob):
    lines = read(tdx.path("intel_root_ca.pem")).split(b"-----")[2]
    der = write(os.path.join(tmp, "root.der"), base64.b64decode(lines))
    status, text, err = run("show", blob, "--tdx-root", der, "--at", AT)
    check("a root in DER, as STATE/trust has it", status == 0, err)
    status, _, err = run("show", blob, "--at", AT)
    check("who is refused: the file by its name", status == 3 and err.startswith("tdx.blob: "), err)
    check("which root came, and which was wanted", "another: sha256:" in err and ": Intel SGX Root CA sha256:" in err, err)
    check("an operator is told to fetch anew", "fetch it anew from the vendor" in err, err)


def refuses_tdx(tmp, tdx, blob):
    out = os.path.join(tmp, "none", "blob")
    os.mkdir(os.path.dirname(out))
    pack = ["pack", "tdx", tdx.folder, "--out", out]
    refuses("another root", pack + ["--at", AT], "TDX_TCBINFO_SIGNATURE", "root", out)
    late = ["--tdx-root", tdx.path("intel_root_ca.pem"), "--at", AT + 31 * DAY]
    refuses("a month later", pack + late, "TDX_CRL_STALE", "not in force now", out)
    refuses("show, a month later", ["show", blob] + late, "TDX_CRL_STALE", "not in force now")
    for name, code, words in (("tcb_info.json", "TDX_TCBINFO_SIGNATURE", "signature"),
                              ("qe_identity.json", "TDX_QEID_SIGNATURE", "signature"),
                              ("pck_crl.der", "TDX_CRL_SIGNATURE", "authority's revocation list"),
                              ("root_crl.der", "TDX_CRL_SIGNATURE", "root's revocation list")):
        whole = read(tdx.path(name))
        at = whole.rindex(b'"signature":"') + 20 if name.endswith("json") else len(whole) - 1
        write(tdx.path(name), whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        refuses(f"{name} with a flipped bit", pack + tdx.options, code, words, out)
        os.remove(tdx.path(name))
        refuses(f"no {name}", pack + tdx.options, "TDX_CRL_STALE" if name.endswith("der") else code, "none came", out)
        write(tdx.path(name), whole)
    authority = read(tdx.authority)
    os.remove(tdx.authority)
    refuses("no chain of the PCK list", pack + tdx.options, "INPUT", "pck_crl_issuer_chain.pem", out)
    write(tdx.authority, tdx.leaf + pems(authority)[1])
    refuses("a chain of somebody else", pack + tdx.options, "TDX_PCK_CHAIN", "PCK", out)
    write(tdx.authority, authority)
    refuses("no folder", ["pack", "tdx", blob, "--out", out] + tdx.options, "INPUT", "FOLDER", out)
    refuses("no --out", ["pack", "tdx", tdx.folder] + tdx.options, "USAGE", "--out")
    refuses("snp", ["pack", "snp", tdx.folder, "--out", out], "USAGE", "nothing in a bundle is looked at", out)
    whole = read(blob)
    cases = (("cut short", whole[:-1]), ("with a byte too many", whole + b"\0"), ("empty", b""), ("of another kind", b"\x00"))
    for name, data in cases:
        refuses(f"a blob {name}", ["show", write(os.path.join(tmp, "bad"), data)] + tdx.options, "INPUT", "offset")
    fmspc = bytes.fromhex(json.loads(run("show", blob, "--json", *tdx.options)[1])["fmspc"])
    at = whole.index(fmspc)
    other = write(os.path.join(tmp, "bad"), whole[:at] + bytes(6) + whole[at + 6:])
    refuses("a blob under another platform's name", ["show", other] + tdx.options, "TDX_TCBINFO_FMSPC", "FMSPC of the blob")
    other = write(os.path.join(tmp, "bad"), whole[:at + 6] + b"\xf4" + whole[at + 7:])
    refuses("a blob under the other CA's name", ["show", other, "--authority", tdx.authority] + tdx.options,
            "TDX_TCBINFO_FMSPC", "CA of the blob")


def gpu(tmp, tdx_blob):
    folder = os.path.join(tmp, "nvidia")
    os.mkdir(folder)
    subprocess.run([GPU_FILES, folder, str(AT)], check=True)
    roots, rim = os.path.join(folder, "roots.pem"), os.path.join(folder, "driver.xml")
    options = ["--rim-root", roots, "--at", AT + 1]
    blob = os.path.join(tmp, "rim.blob")
    status, text, err = run("pack", "gpu", rim, "--out", blob, *options)
    check("a reference file goes out byte for byte", status == 0 and read(blob) == read(rim), err)
    check("people read what it is", "GH100, version 590.12" in text, text)
    status, out, _ = run("show", blob, "--json", *options)
    check("JSON says what it is", status == 0 and json.loads(out)["version"] == "590.12", out)
    out = os.path.join(tmp, "no-rim", "blob")
    os.mkdir(os.path.dirname(out))
    refuses("NVIDIA did not sign it", ["pack", "gpu", rim, "--out", out, "--at", AT + 1], "GPU_RIM_CHAIN", "", out)
    refuses("three years later", ["pack", "gpu", rim, "--out", out, "--rim-root", roots, "--at", AT + 3 * 365 * DAY],
            "GPU_RIM_EXPIRED", "valid until", out)
    refuses("a year before", ["pack", "gpu", rim, "--out", out, "--rim-root", roots, "--at", AT - 365 * DAY],
            "GPU_RIM_EXPIRED", "valid from", out)
    bad = write(os.path.join(tmp, "bad"), read(rim).replace(b"590.12", b"590.13"))
    refuses("a changed reference file", ["pack", "gpu", bad, "--out", out, *options], "GPU_RIM_DIGEST", "", out)
    refuses("no file", ["pack", "gpu", out, "--out", out, *options], "INPUT", "FILE", out)
    refuses("roots that are none", ["show", blob, "--rim-root", rim], "INPUT", "--rim-root")
    return tdx_blob


def main():
    tmp = tempfile.mkdtemp()
    tdx = Tdx(tmp)
    blob = packs_tdx(tmp, tdx)
    takes_a_root_in_der(tmp, tdx, blob)
    refuses_tdx(tmp, tdx, blob)
    gpu(tmp, blob)
    shutil.rmtree(tmp)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
