# SPDX-License-Identifier: Apache-2.0
"""ppctl image measure, from outside: the rows of tests/vectors/launch and eventlog through files and options.

usage: image_measure.py PPCTL SOURCE_ROOT
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

PPCTL, ROOT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {why}")


def run(*args):
    done = subprocess.run([PPCTL, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


def measure(*args):
    return run("image", "measure", *args)


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


def rows(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return json.load(f)


def page(tail):
    tail = bytes.fromhex(tail)
    return bytes(4096 - len(tail)) + tail


def sev_args(row):
    args = [{"SEV_SNP": "snp", "SEV": "sev", "SEV_ES": "sev-es"}[row["mode"]],
            "--firmware", write("fw", page(row["ovmf_tail_hex"])), "--vmm", row["vmm"].lower(),
            "--vcpu-type", row.get("vcpu_type", "EPYC-Genoa"), "--vcpus", str(row.get("vcpus", 1)),
            "--features", row.get("guest_features", "1")]
    if row.get("kernel"):
        args += ["--kernel", write("kernel", b"")]
        args += ["--append", row["append"]] if row["append"] else []
    if "svsm_tail_hex" in row:
        args += ["--svsm", write("svsm", page(row["svsm_tail_hex"])), "--vars-bytes", str(row.get("vars_bytes", 0))]
    return args


def sev():
    for row in rows("tests/vectors/launch/own.json"):
        status, out, _ = measure(*sev_args(row))
        if "expect" in row:
            check(row["name"], status == 2 and out == "", f"{status} {out}")
            continue
        check(row["name"], status == 0 and out.strip() == row["expected_digest"], out)
        _, out, _ = measure("--json", *sev_args(row))
        o = json.loads(out)
        check(f"{row['name']}: JSON", o["digest"] == row["expected_digest"] and
              (o["sha256"] is None) == (row["kernel"] is None), out)
        if row["mode"] == "SEV_SNP":
            status, out, _ = measure(*sev_args(row), "--ovmf-hash", o["ovmf_hash"])
            check(f"{row['name']}: from the firmware's digest", out.strip() == row["expected_digest"], out)


def usage():
    first = rows("tests/vectors/launch/own.json")[0]
    good = sev_args(first)
    for name, args in (
            ("no mode", []), ("an unknown mode", ["sgx"] + good[1:]),
            ("no firmware", ["snp", "--vcpu-type", "EPYC-Milan"]),
            ("no model", ["snp", "--firmware", "fw"]), ("no processor", good[:7] + ["--vcpus", "0"]),
            ("too many processors", ["snp", "--firmware", "fw", "--vcpu-type", "EPYC", "--vcpus", "4097"]),
            ("an initrd alone", ["snp", "--firmware", "fw", "--vcpu-type", "EPYC", "--initrd", "kernel"]),
            ("a monitor without its VMM", ["snp", "--firmware", "fw", "--vcpu-type", "EPYC", "--svsm", "fw"]),
            ("a short digest", good + ["--ovmf-hash", "00"]), ("17 digits", good[:-1] + ["1" * 17]),
            ("no digits", good[:-1] + ["g"]), ("an option of tdx", good + ["--order", "page"]),
            ("an option of snp", ["tdx", "--firmware", "fw", "--vcpus", "1"]), ("tdx of nothing", ["tdx"]),
            ("a folder", ["snp", "--firmware", ".", "--vcpu-type", "EPYC"])):
        status, out, err = measure(*args)
        check(f"usage: {name}", status == 2 and out == "" and err != "", f"{status} {err}")
    _, _, err = measure(*good[:7], "--vcpus", "0")
    check("the option that is wrong is named", "--vcpus" in err and "from 1 to 4096" in err, err)


def figures(name):
    """What a script of tests/vectors/launch defines, without what it prints."""
    script = os.path.join(ROOT, "tests/vectors/launch", name)
    scope = {"__name__": "figures"}
    with open(os.devnull, "w", encoding="utf-8") as quiet:
        stdout, sys.stdout = sys.stdout, quiet
        with open(script, encoding="utf-8") as f:
            exec(compile(f.read(), script, "exec"), scope)  # pylint: disable=exec-used
        sys.stdout = stdout
    return scope


def replay(*digests):
    register = bytes(48)
    for digest in digests:
        register = hashlib.sha384(register + digest).digest()
    return register.hex()


def direct_boot():
    """RTMR1 and RTMR2 from files, and everything that must agree with them."""
    def sha(data):
        return hashlib.sha384(data).digest()

    pe = figures("make-pe.py")
    write("vmlinuz", pe["IMAGES"]["plus"])
    write("initrd", b"the initrd")
    kernel = bytes.fromhex(pe["digest"](pe["IMAGES"]["plus"]))
    line, files = sha("quiet initrd=initrd\0".encode("utf-16-le")), sha(b"the initrd")
    words = [sha(w) for w in (b"Calling EFI Application from Boot Option", bytes(4), b"Exit Boot Services Invocation",
                              b"Exit Boot Services Returned with Success")]
    args = ("tdx", "--kernel", "vmlinuz", "--initrd", "initrd", "--append", "quiet")
    want = {"kernel": kernel.hex(), "cmdline": line.hex(), "initrd": files.hex(), "rtmr1": replay(kernel, *words),
            "rtmr2": replay(line, files)}
    status, out, err = measure(*args)
    rows_out = dict(row.split() for row in out.splitlines())
    check("direct boot", status == 0 and rows_out == want, out)
    check("direct boot: RTMR0 is said not to be computed", "rtmr0 is not computed" in err, err)
    _, out, _ = measure(*args, "--separator", "rtmr0", "--json")
    o = json.loads(out)["direct_boot"]
    check("direct boot: the separator elsewhere", o["rtmr1"] == replay(kernel, words[0], *words[2:]) and
          o["rtmr2"] == want["rtmr2"] and o["note"] in err, out)
    _, out, _ = measure("tdx", "--kernel", "vmlinuz", "--json")
    o = json.loads(out)["direct_boot"]
    check("direct boot: a kernel alone", o["cmdline"] is None and o["initrd"] is None and o["rtmr2"] == "00" * 48, out)
    row = next(r for r in rows("tests/vectors/eventlog/own.json")["rows"] if r["name"] == "one event")
    write("log", bytes.fromhex(row["log_hex"]))
    status, out, _ = measure(*args, "--event-log", "log", "--json")
    check("direct boot: a log of something else", status == 3 and json.loads(out)["error"]["field"] == "RTMR1", out)
    for name, bad in (("an initrd alone", ["--initrd", "initrd"]), ("a line alone", ["--append", "x"]),
                      ("a separator alone", ["--firmware", "fw", "--separator", "rtmr0"]),
                      ("another register", ["--kernel", "vmlinuz", "--separator", "rtmr2"]),
                      ("no PE image", ["--kernel", "initrd"]), ("not ASCII", ["--kernel", "vmlinuz", "--append", "\u00e9"]),
                      ("a long line", ["--kernel", "vmlinuz", "--append", "x" * 4097])):
        status, out, err = measure("tdx", *bad)
        check(f"direct boot: {name}", status == 2 and out == "" and err != "", f"{status} {err}")


def mrtd():
    """The firmware file and the figures of make-mrtd.py."""
    scope = figures("make-mrtd.py")
    write("tdvf", scope["firmware"](scope["GOOD"]))
    for order in ("page", "section"):
        status, out, err = measure("tdx", "--firmware", "tdvf", "--order", order)
        want = scope["mrtd"](scope["GOOD"], order == "page")
        check(f"MRTD by {order}", status == 0 and out.split() == ["mrtd", want], out)
        check("MRTD says that it is not verified", "never verified against a real quote" in err, err)
    _, out, _ = measure("tdx", "--firmware", "tdvf", "--json")
    o = json.loads(out)
    check("MRTD: JSON", o["rtmrs"] is None and not o["matches_quote"] and "real quote" in o["note"], out)
    check("no TDX metadata", measure("tdx", "--firmware", "fw")[0] == 2)


def event_logs():
    for row in rows("tests/vectors/eventlog/own.json")["rows"]:
        status, out, _ = measure("tdx", "--event-log", write("log", bytes.fromhex(row["log_hex"])), "--json")
        if "expect" in row:
            check(f"log: {row['name']}", status == 2, out)
        else:
            o = json.loads(out)
            check(f"log: {row['name']}", status == 0 and "".join(o["rtmrs"]) == row["rtmrs_hex"] and o["mrtd"] is None,
                  out)
    row = next(r for r in rows("tests/vectors/eventlog/own.json")["rows"] if r["name"] == "one event")
    write("log", bytes.fromhex(row["log_hex"]))
    status, out, _ = measure("tdx", "--event-log", "log")
    check("a log, for people", status == 0 and len(out.splitlines()) == 5 and "EV_SEPARATOR" in out, out)
    check("a quote that is none", measure("tdx", "--event-log", "log", "--quote", "log")[0] == 3)


def published():
    """A real machine's log and quote, where the published set is at hand."""
    folder = os.path.join(os.environ.get("PP_SHARED", os.path.join(ROOT, "../shared")), "vectors/tdx")
    quote = os.path.join(folder, "real/v4-gcp-cos113/quote.bin")
    if not os.path.exists(quote):
        return
    for log, status in (("gcp-cos113", 0), ("ovmf", 3)):
        got, out, _ = measure("tdx", "--event-log", os.path.join(folder, f"eventlogs/{log}.ccel.bin"), "--quote", quote,
                              "--json")
        check(f"published: {log}", got == status and ("error" in json.loads(out)) == (status == 3), out)


with tempfile.TemporaryDirectory() as home:
    os.chdir(home)
    sev()
    usage()
    mrtd()
    direct_boot()
    event_logs()
    published()
    os.chdir(ROOT)
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
