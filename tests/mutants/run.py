# SPDX-License-Identifier: Apache-2.0
"""Takes each guard of the deciding code away, one at a time: some test must go red.

usage: tests/mutants/run.py [FILE ...]      only these sources

What a guard is, and what is done to it, stands in guards.py. A test that stays green without one proves nothing about
it. Guards that cannot be missed by any input stand in `accepted`, one a line: the file, the first words of the guard
(behind "inverted" or "without", where it is not removed), and the reason after a colon. An entry that no guard has, or
whose guard is missed after all, fails too: the list is never longer than it must be.

Each core has a tree of its own, builds the one object and one test after the other, and ends with the first that
fails: the quick ones, and those that noticed mutants of the same file, are asked first. RSA keys come from files
(same_keys.c). The trees stay in build/mutants for the next run.

Every mutant and the test that it does not survive is a line of build/mutants/report.txt: source, line, removed,
inverted or without, the guard, and the test, with tabs between; a run over some sources replaces their lines alone.
Closes with "N passed, N failed"; a mutant that does not compile or hangs counts as seen."""
import filecmp
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time

import guards

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TREES = os.path.join(ROOT, "build", "mutants", "trees")
REPORT = os.path.join(ROOT, "build", "mutants", "report.txt")
SAME_KEYS = {"LD_PRELOAD": os.path.join(ROOT, "build", "mutants", "same_keys.so"),
             "PP_SAME_KEYS": os.path.join(ROOT, "build", "mutants", "keys")}

# Where the decisions are, and the tests that must notice: a suite, one test of a suite, or a program and
# the end-to-end tests that need no other.
SOURCES = {
    "lib/attest/direct_boot.c": "attest:direct_boot",
    "lib/attest/eventlog.c": "attest:eventlog vectors:vectors_eventlog",
    "lib/attest/firmware.c": "attest:launch attest:tdvf vectors:vectors_launch",
    "lib/attest/gpu_anchors.c": "attest:gpu sim:gpu sim:gpu_rim",
    "lib/attest/gpu_fwid.c": "attest:gpu",
    "lib/attest/gpu_policy.c": "sim:gpu",
    "lib/attest/gpu_report.c": "attest:gpu",
    "lib/attest/gpu_rims.c": "sim:gpu",
    "lib/attest/gpu_verify.c": "sim:gpu",
    "lib/attest/id_block.c": "attest:launch attest:report sim:appraisal vectors:vectors_snp",
    "lib/attest/launch.c": "attest:launch vectors:vectors_launch",
    "lib/attest/pe_digest.c": "attest:direct_boot",
    "lib/attest/rim.c": "sim:gpu_rim sim:gpu",
    "lib/attest/rim_xml.c": "sim:gpu_rim vectors:vectors_nvgpu",
    "lib/attest/snp_anchors.c": "attest:report attest:vek sim:appraisal sim:chain vectors:vectors_snp",
    "lib/attest/snp_line.c": "attest:report attest:vek sim:appraisal sim:chain vectors:vectors_snp",
    "lib/attest/snp_policy.c": "attest:report attest:vek sim:appraisal sim:chain vectors:vectors_snp",
    "lib/attest/snp_report.c": "attest:report attest:vek sim:appraisal sim:chain vectors:vectors_snp",
    "lib/attest/snp_table.c": "attest:snp_table",
    "lib/attest/snp_vek.c": "attest:report attest:vek sim:appraisal sim:chain vectors:vectors_snp",
    "lib/attest/snp_verify.c": "attest:report attest:vek sim:appraisal sim:chain vectors:vectors_snp",
    "lib/attest/tdvf.c": "attest:tdvf",
    "lib/attest/tdx_anchors.c": "sim:tdx sim:tdx_certificates sim:tdx_documents sim:tdx_kept vectors:vectors_tdx",
    "lib/attest/tdx_chain.c": "sim:tdx sim:tdx_certificates sim:tdx_documents sim:tdx_kept vectors:vectors_tdx",
    "lib/attest/tdx_claim.c": "policy:appraise_tdx policy:advisories",
    "lib/attest/tdx_collateral.c": "sim:tdx sim:tdx_certificates sim:tdx_documents vectors:vectors_tdx",
    "lib/attest/tdx_json.c": "sim:tdx sim:tdx_certificates sim:tdx_documents vectors:vectors_tdx",
    "lib/attest/tdx_kept.c": "sim:tdx_kept sim:tdx",
    "lib/attest/tdx_pck.c": "sim:tdx sim:tdx_certificates sim:tdx_documents vectors:vectors_tdx",
    "lib/attest/tdx_policy.c": "sim:tdx sim:tdx_certificates sim:tdx_documents vectors:vectors_tdx",
    "lib/attest/tdx_quote.c": "sim:tdx sim:tdx_certificates sim:tdx_documents vectors:vectors_tdx",
    "lib/attest/tdx_tcb.c": "sim:tdx sim:tdx_certificates sim:tdx_documents vectors:vectors_tdx",
    "lib/attest/tdx_verify.c": "sim:tdx sim:tdx_certificates sim:tdx_documents sim:tdx_kept vectors:vectors_tdx",
    "lib/attest/verdict.c": "attest:vek sim:appraisal sim:chain",
    "lib/crypto/ocsp.c": "crypto:ocsp",
    "lib/crypto/x509.c": "crypto:x509 attest:vek sim:chain",
    "lib/crypto/x509_chain.c": "crypto:x509 crypto:x509_path sim:chain",
    "lib/crypto/x509_pem.c": "crypto:x509",
    "lib/policy/advisory.c": "policy:advisories policy:appraise policy:appraise_tdx policy:trust",
    "lib/policy/appraise.c": "policy:appraise policy:peer policy:appraise_tdx policy:appraise_gpu policy:advisories policy:flip",
    "lib/policy/component_gpu.c": "policy:appraise_gpu policy:appraise",
    "lib/policy/hardware.c": "policy:advisories policy:trust policy:appraise policy:appraise_tdx",
    "lib/policy/platform_snp.c": "policy:appraise policy:peer policy:advisories policy:flip",
    "lib/policy/platform_tdx.c": "policy:appraise_tdx policy:advisories",
    "lib/policy/published.c": "policy:appraise policy:peer policy:appraise_tdx policy:flip",
    "lib/policy/ledger.c": "policy:ledger policy:ledger_time policy:marks policy:appraise",
    "lib/policy/peer.c": "policy:peer cvmd:worker",
    "lib/policy/trust.c": "policy:trust policy:trust_roots policy:advisories policy:ledger policy:appraise_gpu policy:appraise_tdx",
    "tools/device/directory.c": "device",
    "lib/ratls/binding.c": "ratls vectors:vectors_ratls",
    "lib/ratls/client.c": "ratls",
    "lib/ratls/cmw.c": "ratls:cmw vectors:vectors_ratls",
    "lib/ratls/profile.c": "ratls",
    "lib/ratls/server.c": "ratls",
    "lib/ratls/tls.c": "ratls",
    "lib/client/session.c": "client",
    # What a log, a witness and their readers take for a tree, a note or a record.
    "lib/tlog/checkpoint.c": "tlog vectors:vectors_tlog",
    "lib/tlog/cosign.c": "tlog vectors:vectors_tlog",
    "lib/tlog/hosts.c": "tlog:hosts",
    "lib/tlog/merkle.c": "tlog vectors:vectors_tlog",
    "lib/tlog/note.c": "tlog vectors:vectors_tlog",
    "lib/tlog/proof.c": "tlog vectors:vectors_tlog",
    "lib/tlog/quorum.c": "tlog vectors:vectors_tlog vectors:vectors_records",
    "lib/tlog/record.c": "tlog vectors:vectors_records",
    "lib/tlog/record_release.c": "tlog vectors:vectors_records",
    "lib/tlog/record_rules.c": "tlog vectors:vectors_records",
    "lib/tlog/record_sign.c": "tlog vectors:vectors_records",
    "lib/tlog/record_text.c": "tlog vectors:vectors_records",
    "lib/tlog/tile.c": "tlog vectors:vectors_tlog",
    "lib/tlog/witness.c": "tlog vectors:vectors_tlog",
    "lib/crypto/pkcs8.c": "crypto:pkcs8",
    "daemon/common/ledger_keys.c": "common:ledger_keys common:signer_pipe",
    "daemon/common/signer_config.c": "logd:ledger_signers",
    "daemon/common/signer_pipe.c": "common:signer_pipe",
    "lib/crypto/oprf.c": "crypto:oprf crypto:poprf crypto:nist vectors:vectors_oprf",
    "lib/cred/blind_rsa.c": "cred vectors:vectors_privacypass",
    "lib/cred/generic.c": "cred:generic vectors:vectors_privacypass",
    "lib/cred/issuance.c": "cred vectors:vectors_privacypass",
    "lib/cred/redeem.c": "cred vectors:vectors_privacypass",
    "daemon/issuerd/jwt.c": "issuerd:jwt",
    "daemon/issuerd/jwks.c": "issuerd:jwt",
    "daemon/common/token_chain.c": "common:token_chain",
    # Who gets tokens, and that a token counts once.
    "lib/cred/assertion.c": "cred:assertion issuerd:accounts",
    "lib/cred/challenge.c": "cred vectors:vectors_privacypass",
    "lib/cred/key.c": "cred vectors:vectors_privacypass",
    "lib/cred/offers.c": "cred:offers",
    "lib/cred/token.c": "cred vectors:vectors_privacypass",
    "lib/cred/wallet_rules.c": "cred:wallet_rules",
    "daemon/issuerd/accounts.c": "issuerd",
    "daemon/issuerd/counts_pg.c": "issuerd:counts",
    "daemon/issuerd/counts_sqlite.c": "issuerd:counts",
    "daemon/issuerd/issue.c": "issuerd:issue",
    "daemon/common/handle_keys.c": "common:handle_keys",
    "daemon/common/spent_pg.c": "common:spent common:spent_pg",
    "daemon/common/spent_sqlite.c": "common:spent common:spent_sqlite",
    "daemon/common/token_keys.c": "common:token_keys",
    "tools/device/wallet.c": "device:wallet",
    # What a guest has reports made for, and what it takes for one.
    "daemon/common/sp.c": "common:sp",
    "daemon/common/sp_gpu.c": "common:sp_gpu",
    "daemon/cvmd/gpu_evidence.c": "cvmd:attester_gpu",
    "daemon/cvmd/attester.c": "cvmd:attester cvmd:attester_gpu cvmd:hostile",
    "daemon/cvmd/backends.c": "cvmd:judge cvmd:worker",
    "daemon/cvmd/batch.c": "cvmd:batch",
    "daemon/cvmd/calls.c": "cvmd:worker cvmd:channel",
    "daemon/cvmd/judge.c": "cvmd:judge",
    "daemon/cvmd/own_report.c": "cvmd:own_report",
    "daemon/cvmd/packets.c": "cvmd:hostile",
    "daemon/cvmd/report.c": "cvmd:report",
    "daemon/cvmd/report_sev.c": "cvmd:report",
    "daemon/cvmd/report_tsm.c": "cvmd:report",
    "daemon/cvmd/reporter.c": "cvmd:report",
    "tools/operator/ohttp_epoch.c": "operator",
    # What is opened, once, and who it goes to.
    "lib/ohttp/chunked.c": "ohttp vectors:vectors_ohttp",
    "lib/ohttp/exchange.c": "ohttp vectors:vectors_ohttp",
    "lib/ohttp/gateway.c": "ohttp vectors:vectors_ohttp",
    "lib/ohttp/keyconf.c": "ohttp vectors:vectors_ohttp",
    "lib/ohttp/keyfile.c": "ohttp:keyfile",
    "lib/ohttp/replay.c": "ohttp:replay",
    "lib/msg/bundle.c": "msg:bundle policy:ledger",
    "lib/msg/collateral.c": "msg:collateral",
    "lib/msg/evidence.c": "msg:evidence ratls:binding",
    "lib/msg/handle.c": "msg:handle",
    "lib/msg/hints.c": "msg:evidence",
    "lib/msg/sizes.c": "msg:sizes",
    "daemon/gatewayd/answer.c": "gatewayd:gateway_session gatewayd:gateway_chunked",
    "daemon/gatewayd/choice.c": "gatewayd:gateway_choice",
    "daemon/gatewayd/chunks.c": "gatewayd:gateway_chunks gatewayd:gateway_chunked",
    "daemon/gatewayd/decap.c": "gatewayd:gateway_decap gatewayd:gateway_session",
    "daemon/gatewayd/frames.c": "gatewayd:gateway_link",
    "daemon/gatewayd/keys.c": "gatewayd:gateway_keys",
    "daemon/gatewayd/opener.c": "gatewayd:gateway_decap gatewayd:gateway_session gatewayd:gateway_programs",
    "daemon/gatewayd/redeemer.c": "gatewayd:gateway_session gatewayd:gateway_programs",
    "daemon/gatewayd/resolve.c": "gatewayd:gateway_resolve",
    "daemon/gatewayd/route.c": "gatewayd:gateway_route gatewayd:gateway_session",
    "daemon/gatewayd/session.c": "gatewayd:gateway_session gatewayd:gateway_chunked gatewayd:gateway_programs",
    "daemon/gatewayd/tokens.c": "gatewayd:gateway_session",
    # What is let in from the network, and what of it goes on.
    "lib/bhttp/bhttp.c": "bhttp vectors:vectors_bhttp",
    "lib/net/http2.c": "net:http2",
    "lib/net/http_in.c": "net:http_in net:http2",
    "lib/net/http_resp.c": "net:http_resp net:http_client_ends net:http_client",
    # What a server of ours or a relay's gateway is believed, and that a request is sent once.
    "lib/net/http_client.c": "net:http_client net:http_client_ends net:http_client_h2 net:http_client_hostile net:http_pieces net:http_client_tls",
    "lib/net/http_client_h1.c": "net:http_client net:http_client_ends net:http_pieces net:http_client_tls",
    "lib/net/http_client_h2.c": "net:http_client_h2 net:http_client_hostile net:http_pieces net:http_client_tls",
    "lib/net/http_client_link.c": "net:http_client net:http_client_ends net:http_client_h2 net:http_client_hostile net:http_pieces net:http_client_tls",
    "lib/net/http_client_origin.c": "net:http_client net:http_client_ends net:http_client_h2 net:http_client_hostile net:http_pieces net:http_client_tls",
    "lib/net/http_client_tls.c": "net:http_client_tls net:http_client_ends",
    "lib/net/http_url.c": "net:http_client net:http_client_ends net:http_pieces net:http_client_tls",
    "daemon/relayd/chunked.c": "daemon/relayd/pp-relayd:OfPpRelayd",
    "daemon/relayd/directory.c": "relayd",
    "daemon/relayd/forward.c": "relayd daemon/relayd/pp-relayd:OfPpRelayd",
    "daemon/relayd/hold.c": "relayd",
}
# Whose guards are also turned round: what decides about evidence and the channel that it is bound to.
VERIFIERS = ("lib/attest/", "lib/policy/", "lib/ratls/")
# And those among them that are taken apart, `if` by `if` and operand by operand.
APART = ("lib/policy/",)


def depth_of(name):
    if name.startswith(APART):
        return guards.APART
    return guards.VERIFIER if name.startswith(VERIFIERS) else guards.PLAIN


def accepted():
    """{(file, first words of the guard): how many guards of this run they stood for}"""
    rows = {}
    with open(os.path.join(HERE, "accepted"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, words = line.split(" ", 1)
                rows[(name, words.split(" : ")[0].strip())] = 0
    return rows


class Tree:
    """A copy of the sources and a build of it, which disturbs no other."""

    def __init__(self, path):
        self.source, self.out = os.path.join(path, "src"), os.path.join(path, "out")
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, stdout=subprocess.PIPE)
        names = {n for n in listed.stdout.decode().split("\0") if n and os.path.exists(os.path.join(ROOT, n))}
        for name in names:
            self.copy(name)
        for folder, _, files in os.walk(self.source):
            for name in files:
                if os.path.relpath(os.path.join(folder, name), self.source) not in names:
                    os.remove(os.path.join(folder, name))
        made = os.path.exists(os.path.join(self.out, "build.ninja"))
        done = subprocess.run(["ninja", "-C", self.out, "build.ninja"] if made else
                              ["meson", "setup", self.out, self.source, "-Dwerror=false", "-Dwarning_level=0",
                               "-Doptimization=0", "-Ddebug=false"], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, errors="replace")
        if done.returncode != 0:
            shutil.rmtree(path)
            raise RuntimeError(done.stdout[-3000:])
        files = {t["id"]: t["filename"] for t in self.introspect("--targets")}
        self.tests = []
        for t in self.introspect("--tests"):
            t["built"] = [os.path.relpath(f, self.out) for i in t["depends"] for f in files[i]]
            self.tests.append(t)

    def copy(self, name):
        """Leaves alone what is as it should be: nothing that is built of it is built again."""
        target = os.path.join(self.source, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target) or not filecmp.cmp(os.path.join(ROOT, name), target, shallow=False):
            shutil.copyfile(os.path.join(ROOT, name), target)
            shutil.copymode(os.path.join(ROOT, name), target)

    def introspect(self, what):
        return json.loads(subprocess.run(["meson", "introspect", what, self.out], check=True,
                                         stdout=subprocess.PIPE).stdout)

    def write(self, name, text):
        with open(os.path.join(self.source, name), "w", encoding="utf-8") as f:
            f.write(text)

    def named(self, words):
        """The tests of `suite`, `suite:name` or `program:name`, in the order of the words."""
        for word in words.split():
            suite, _, name = word.partition(":")
            if "/" in suite:
                yield {"cmd": [sys.executable, "tests/e2e/run.py", name], "workdir": self.source, "timeout": 300,
                       "built": [suite], "env": {"PP_BIN": os.path.join(self.out, os.path.dirname(suite))}}
                continue
            found = [t for t in self.tests if "pp:" + suite in t["suite"]
                     and name in ("", t["name"].replace(" ", "_")) and not t["name"].startswith("fuzz")]
            if not found:
                raise SystemExit(f"mutants: no test is called {word}")
            yield from found

    def killer(self, tests):
        """The first of these tests that fails, with its place in the list; None when all pass."""
        for i, test in enumerate(tests):
            if subprocess.run(["ninja", "-C", self.out, "-j1", *test["built"]], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode != 0:
                return None, "the compiler"
            found = self.failure(test)
            if found is not None:
                return i, found
        return None, None

    def failure(self, test):
        """Which case of a test fails: the first, or the one that it was in when it ended."""
        name, last = test.get("name", " ".join(test["cmd"][-1:])), None
        begin = time.monotonic()
        with subprocess.Popen(["stdbuf", "-oL", *test["cmd"]], cwd=test["workdir"] or self.out,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              start_new_session=True, text=True, errors="replace",
                              env=dict(os.environ, **test["env"], **SAME_KEYS)) as process:
            late = threading.Event()
            timer = threading.Timer(test.get("limit", test["timeout"]), lambda: (late.set(), self.end(process)))
            timer.start()
            try:
                for line in process.stdout:
                    case = CASE.search(line)
                    if case is not None and case["failed"]:
                        self.end(process)
                        return f"{name}: {case['failed'].strip()}"
                    last = case["runs"] if case is not None else last
                status = process.wait()
            finally:
                timer.cancel()
        if late.is_set():
            return f"{name}: {last or 'it'} does not end"
        if status not in (0, 77):  # 77: skipped
            return f"{name}: {last or f'status {status}'}"
        test["seconds"] = time.monotonic() - begin
        test["limit"] = min(test["timeout"], 20 + 10 * test["seconds"])
        return None

    @staticmethod
    def end(process):
        try:
            os.killpg(process.pid, 9)
        except ProcessLookupError:
            pass


# How cmocka, unittest and our own counting programs name the case that runs, and one that failed.
CASE = re.compile(r"^\[ RUN      \] (?P<runs>\w+)|^(?:\[  FAILED  \] (?!\d+ test)|FAILED |FAIL: |ERROR: )(?P<failed>[^\n]{1,100})")


class Run:
    def __init__(self, wanted):
        self.known = accepted()
        self.left = queue.SimpleQueue()
        self.lock = threading.Lock()  # of what follows, and of standard output
        self.passed = self.failed = 0
        self.original = {}
        self.noticed = {}  # by a source and the name of a test: how many mutants
        self.rows = [row for row in read_report() if row[0].split(":")[0] not in wanted]
        for name in wanted:
            with open(os.path.join(ROOT, name), encoding="utf-8") as f:
                text = f.read()
            self.original[name] = text
            self.left.put((name, 0, "", "", text))  # as it is: its tests must pass
            for line, kind, words, changed in guards.mutants(text, depth_of(name)):
                self.left.put((name, line, kind, words, changed))

    def row_of(self, name, kind, words):
        said = words if kind == "removed" else f"{kind} {words}"
        return next((row for row in self.known if row[0] == name and said.startswith(row[1])), None)

    def judge(self, name, line, kind, words, killer):
        row = self.row_of(name, kind, words)
        problem = None
        if not words:
            problem = f"its tests do not pass before anything is taken away: {killer}" if killer else None
        elif row is not None:
            self.known[row] += 1
            problem = f"a test misses it, and `accepted` says none can ({kind}): {words}" if killer else None
        elif killer is None:
            problem = f"no test misses ({kind}): {words}"
        if words:
            self.rows.append((f"{name}:{line}", kind, words, killer or ("accepted" if row else "NOTHING")))
            self.write_report()  # a run that is ended leaves what it found
        if problem is None:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {name}:{line}: {problem}", flush=True)

    def likely(self, name, test):
        """How many mutants of the source it may notice in a second."""
        return (1 + self.noticed.get((name, test.get("name")), 0)) / (0.2 + test.get("seconds", 1))

    def work(self, path):
        tree = Tree(path)
        former, tests = None, []
        while not self.left.empty():
            try:
                name, line, kind, words, text = self.left.get_nowait()
            except queue.Empty:
                break
            if former != name:
                tests = list(tree.named(SOURCES[name]))
                if former is not None:
                    tree.write(former, self.original[former])
            former = name
            tree.write(name, text)
            with self.lock:
                tests.sort(key=lambda test: self.likely(name, test), reverse=True)
            place, killer = tree.killer(tests)
            with self.lock:
                if place is not None:
                    test = name, tests[place].get("name")
                    self.noticed[test] = 1 + self.noticed.get(test, 0)
                self.judge(name, line, kind, words, killer)
        if former is not None:
            tree.write(former, self.original[former])

    def all(self, wanted):
        threads = [threading.Thread(target=self.work, args=(os.path.join(TREES, str(n)),))
                   for n in range(os.cpu_count())]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for (name, words), count in self.known.items():
            if count == 0 and (name in wanted or name not in SOURCES):
                self.failed += 1
                print(f"FAILED {name}: `accepted` has what no guard begins with: {words}")
        return self.left.empty()

    def write_report(self):
        with open(REPORT, "w", encoding="utf-8") as f:
            for row in sorted(self.rows, key=lambda row: (row[0].split(":")[0], int(row[0].split(":")[1]), row)):
                print(*row, sep="\t", file=f)


def read_report():
    if not os.path.exists(REPORT):
        return []
    with open(REPORT, encoding="utf-8") as f:
        return [tuple(line.rstrip("\n").split("\t")) for line in f]


def main():
    wanted = sys.argv[1:] or list(SOURCES)
    os.makedirs(SAME_KEYS["PP_SAME_KEYS"], exist_ok=True)
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-o", SAME_KEYS["LD_PRELOAD"],
                    os.path.join(HERE, "same_keys.c")], check=True)
    run = Run(wanted)
    whole = run.all(wanted)
    print(f"{run.passed} passed, {run.failed + (not whole)} failed")
    return int(run.failed > 0 or run.passed == 0 or not whole)


if __name__ == "__main__":
    sys.exit(main())
