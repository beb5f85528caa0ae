# SPDX-License-Identifier: Apache-2.0
"""ppctl log audit, prove, verify, export: a log is checked from its public files, and nothing of it is believed."""
import gzip
import http.client
import http.server
import os
import random
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from fleet import BIN, DAY, ROOT, Fleet, ppctl
from listener import reserved_port
from test_relay import pem

VECTORS = os.path.join(ROOT, "tests", "vectors", "tlog")
SHARED = os.environ.get("PP_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
LOG_A = os.path.join(VECTORS, "log-a")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content)


def files_of(folder):
    return sorted(os.path.join(d, f) for d, _, names in os.walk(folder) for f in names)


def flips(content, count, rng):
    """`count` copies of content, each with one flipped bit somewhere."""
    for at in rng.sample(range(len(content)), min(count, len(content))):
        yield at, content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1:]


def codes(done):
    return {f["code"] for f in done.json["findings"]}


class Server:
    """The files of a folder over HTTP; `change(path, body)` gives (status, fields, body) in its place."""

    def __init__(self, folder, change=None, tls=None):
        server = self
        self.paths = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.paths.append(self.path)
                path = os.path.join(folder, self.path[1:])
                body = read(path) if os.path.isfile(path) else None
                status, fields = (200, {}) if body is not None else (404, {})
                if change:
                    status, fields, body = change(self.path, body) or (status, fields, body)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a client that has had enough hangs up
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = self.url.replace("http://127.0.0.1", "https://localhost")
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Nginx:
    """nginx with the configuration of deploy/log-nginx, over a log's public folder."""

    def __init__(self, root):
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-log-nginx-")
        for path in self.folder, os.path.dirname(root):
            os.chmod(path, 0o755)
        self.reserved = reserved_port()
        self.port = self.reserved.getsockname()[1]
        self.cert, key = pem(self.folder, "log", "localhost")
        mine = {"listen 443 ssl http2": f"listen 127.0.0.1:{self.port} ssl http2", "/etc/ssl/log.pem": self.cert,
                "/etc/ssl/log.key": key, "/run/nginx.pid": "nginx.pid", "/var/lib/nginx/": "tmp-",
                "/var/lib/pp/log/public": root}
        with open(os.path.join(ROOT, "deploy", "log-nginx", "nginx.conf"), encoding="utf-8") as f:
            text = f.read()
        for theirs, ours in mine.items():
            assert theirs in text
            text = "\n".join(line.replace(theirs, ours) if line.endswith("# yours") else line
                             for line in text.split("\n"))
        write(os.path.join(self.folder, "nginx.conf"), text.encode())
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", os.path.join(self.folder, "nginx.conf"), "-g",
                                         "daemon off;"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.url = f"https://127.0.0.1:{self.port}"
        while True:  # it listens, or it ended and its words say why
            try:
                socket.create_connection(("127.0.0.1", self.port), 60).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    raise AssertionError(self.process.stdout.read().decode()) from None

    def get(self, path):
        """(status, {field: value}, body), as a reader gets it."""
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60,
                                        context=ssl.create_default_context(cafile=self.cert))
        try:
            c.request("GET", path)
            r = c.getresponse()
            return r.status, {n.lower(): v for n, v in r.getheaders()}, r.read()
        finally:
            c.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()
        self.reserved.close()
        shutil.rmtree(self.folder)


class OthersLogs(unittest.TestCase):
    """Logs that are not ours, with opaque entries, under a policy of the reader's."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-audit-")
        self.log = os.path.join(self.folder, "log")
        shutil.copytree(LOG_A, self.log)
        self.policy = os.path.join(self.folder, "policy")
        # All three have to cosign, so that no line of the checkpoint could be left out.
        write(self.policy, read(os.path.join(LOG_A, "policy")).replace(b"group q 2", b"group q 3"))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def audit(self, log=None, policy=None):
        return ppctl("log", "audit", "--log", log or self.log, "--policy", policy or self.policy,
                     "--opaque", "--json")

    def test_a_log_of_700_entries_passes_from_disk_and_over_http(self):
        with Server(self.log) as server:
            for log in self.log, self.log + "/", server.url, server.url + "/":
                done = self.audit(log)
                self.assertEqual(done.status, 0, done.out)
                self.assertEqual((done.json["size"], done.json["entries"], done.json["complete"]), (700, 700, True))
        asked = [p for p in server.paths if ".p/" in p]
        self.assertEqual({p.rsplit("/", 1)[1] for p in asked}, {"188", "2"})  # none that its size does not imply

    def test_the_published_logs_pass(self):
        if not os.path.isdir(SHARED):
            self.skipTest("no published vectors here")
        tlog = os.path.join(SHARED, "vectors", "tlog")
        for name in "log-a", "log-bigentry":
            done = self.audit(os.path.join(tlog, name), os.path.join(tlog, name, "policy"))
            self.assertEqual(done.status, 0, done.out)
        vkey = read(os.path.join(tlog, "tessera-log", "vkey")).decode().strip()
        write(self.policy, f"log {vkey}\nquorum none\n".encode())
        done = self.audit(os.path.join(tlog, "tessera-log"))
        self.assertEqual((done.status, done.json["size"]), (0, 15), done.out)

    def test_w27_no_byte_of_any_file_can_be_changed(self):
        rng = random.Random(4)
        for path in [os.path.join(self.log, "checkpoint"), *files_of(os.path.join(self.log, "tile"))]:
            content = read(path)
            for at, changed in flips(content, 3, rng):
                write(path, changed)
                done = self.audit()
                self.assertEqual(done.status, 3, f"{path} byte {at}: {done.out}")
                self.assertGreater(done.json["finding_count"], 0)
            write(path, content)

    def test_what_is_wrong_with_a_file_is_named(self):
        name = os.path.join(self.log, "tile", "0", "001")
        content = read(name)
        rows = ((content[:-1], "LOG_FILE"), (content + b"\0", "LOG_FILE"), (content[:-32], "LOG_FILE"), (b"", "LOG_FILE"),
                (b"<html>not found</html>", "LOG_FILE"), (content[32:] + content[:32], "LOG_TILE"))
        for changed, code in rows:
            write(name, changed)
            finding = self.audit().json["findings"][0]
            self.assertEqual((finding["code"], finding["party"]), (code, self.log))
            self.assertTrue(finding["field"].startswith("tile/0/001"))
            self.assertTrue(finding["do"] and finding["expected"] and finding["got"])
        os.unlink(name)
        self.assertEqual(codes(self.audit()), {"LOG_MISSING"})

    def test_all_findings_are_told_and_not_only_the_first(self):
        for name in "tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2":
            path = os.path.join(self.log, name)
            write(path, bytes([read(path)[0] ^ 1]) + read(path)[1:])
        done = self.audit()
        self.assertEqual({f["field"].split(",")[0] for f in done.json["findings"]} &
                         {"tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"},
                         {"tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"})
        self.assertTrue(done.json["complete"])

    def test_a_full_tile_stands_in_for_a_missing_partial_one(self):
        for path in files_of(os.path.join(self.log, "tile")):
            if os.path.dirname(path).endswith(("000.p", "001.p")) and "/tile/1/" not in path:
                os.unlink(path)
        shutil.copy(os.path.join(self.log, "checkpoint.255"), os.path.join(self.log, "checkpoint"))
        done = self.audit()  # tile/0/000.p/255 is gone, tile/0/000 is there
        self.assertEqual((done.status, done.json["size"]), (0, 255), done.out)
        self.assertGreater(done.json["later_files"], 0)

    def test_another_log_s_files_are_refused(self):
        other = os.path.join(self.folder, "other")
        write(other, b"log other.example/log+aa" + b"\n")
        self.assertEqual(self.audit(policy=other).status, 2)
        text, _, lines = read(os.path.join(LOG_A, "checkpoint")).partition(b"\n\n")
        write(os.path.join(self.log, "checkpoint"), b"other" + text + b"\n\n" + lines.split(b"\n")[0].replace(b"ledger", b"otherledger") + b"\n")
        done = self.audit()
        self.assertEqual((done.status, codes(done)), (3, {"LEDGER_ORIGIN"}))
        write(os.path.join(self.log, "checkpoint"), read(os.path.join(LOG_A, "checkpoint")).replace(b"\n700\n", b"\n699\n"))
        self.assertEqual(codes(self.audit()), {"LEDGER_SIGNATURE"})
        lines = read(os.path.join(LOG_A, "checkpoint")).splitlines(True)
        write(os.path.join(self.log, "checkpoint"), b"".join(lines[:-1]))
        done = self.audit()  # the rest is read all the same
        self.assertEqual((codes(done), done.json["complete"]), ({"LEDGER_QUORUM"}, True))

    def test_servers_that_do_not_mean_well_are_refused(self):
        page = b"<html><h1>Oops</h1></html>"
        swap = {"000": "001", "001": "000"}

        def at(word, answer):
            return lambda path, body: answer(path, body) if word in path else None

        rows = (
            (at("tile/0/001", lambda p, b: (200, {"Content-Type": "text/html"}, page)), 3, "LOG_FILE"),
            (at("tile/entries/001", lambda p, b: (200, {"Content-Encoding": "gzip"}, page)), 3, "LOG_FILE"),
            (at("tile/entries/001", lambda p, b: (200, {"Content-Encoding": "br"}, b)), 3, "LOG_FILE"),
            (at("tile/entries/001", lambda p, b: (200, {}, b + b"x" * (17 << 20))), 3, "LOG_FILE"),
            (at("tile/entries/00", lambda p, b: (200, {}, read(os.path.join(
                self.log, "tile", "entries", swap.get(p[-3:], "002.p/188"))))), 3, "LOG_ROOT"),
            (at("checkpoint", lambda p, b: (200, {}, page)), 3, "LOG_FILE"),
            (at("tile/0/001", lambda p, b: (404, {}, page)), 3, "LOG_MISSING"),
            (at("tile/0/001", lambda p, b: (302, {"Location": "/tile/0/000"}, b"")), 1, "HTTP_STATUS"),
            (at("checkpoint", lambda p, b: (500, {}, page)), 1, "HTTP_STATUS"),
            (at("checkpoint", lambda p, b: (404, {}, page)), 1, "NOT_FOUND"),
        )
        for change, status, code in rows:
            with Server(self.log, change) as server:
                done = self.audit(server.url)
                self.assertEqual(done.status, status, (code, done.out))
                if status == 3:
                    self.assertIn(code, codes(done))
                else:
                    self.assertEqual(done.code, code, done.out)

    def test_gzip_that_nobody_asked_for_is_unpacked(self):
        def change(path, body):
            return (200, {"Content-Encoding": "gzip"}, gzip.compress(body)) if body and "entries" in path else None
        with Server(self.log, change) as server:
            self.assertEqual(self.audit(server.url).status, 0)

    def test_https_is_vouched_for_by_the_given_certificates_alone(self):
        ours, other = pem(self.folder, "ours", "localhost"), pem(self.folder, "other", "localhost")
        with Server(self.log, tls=ours) as server:
            def audit(*args):
                return ppctl("log", "audit", "--log", server.url, "--policy", self.policy, "--opaque", "--json", *args)
            self.assertEqual(audit("--ca", ours[0]).status, 0)
            self.assertEqual(audit("--ca", other[0]).code, "UNVERIFIED")
            self.assertEqual(audit("--ca", os.path.join(self.folder, "none")).code, "CONFIG")
            self.assertEqual(audit().code, "CONFIG")

    def test_a_log_behind_nginx_is_the_same_log(self):
        write(os.path.join(self.log, "key"), b"private")
        write(os.path.join(self.log, "tile", "0", "000.tmp"), b"half")
        os.symlink("/etc/hostname", os.path.join(self.log, "tile", "0", "003"))
        with Nginx(self.log) as nginx:
            done = ppctl("log", "audit", "--log", nginx.url, "--ca", nginx.cert, "--policy", self.policy, "--opaque",
                         "--json")
            self.assertEqual((done.status, done.json["entries"]), (0, 700), done.out)
            for path, kind, cache in (("/checkpoint", "text/plain; charset=utf-8", "max-age=5"),
                                      ("/tile/0/000", "application/octet-stream", "max-age=31536000, immutable"),
                                      ("/tile/entries/002.p/188", "application/octet-stream",
                                       "max-age=31536000, immutable")):
                status, fields, body = nginx.get(path)
                self.assertEqual((status, fields["content-type"], fields["cache-control"]), (200, kind, cache))
                self.assertEqual(body, read(os.path.join(self.log, path[1:])))
            for path in ("/key", "/tile/0/000.tmp", "/tile/0/003", "/tile/0/004", "/tile/0/", "/tile/64/../../key", "/",
                         "/directory", "/tile/0/000.p/", "/tile/0/0000"):
                status, _, body = nginx.get(path)
                self.assertIn(status, (400, 403, 404), path)
                self.assertEqual(body, b"", path)

    def test_nobody_is_there(self):
        self.assertEqual(self.audit("http://127.0.0.1:1").code, "NETWORK")
        self.assertEqual(self.audit(os.path.join(self.folder, "nowhere")).code, "INPUT")
        self.assertEqual(self.audit("https://127.0.0.1:1").code, "CONFIG")
        self.assertEqual(ppctl("log", "audit", "--log", self.log, "--policy", self.policy, "--json").code, "USAGE")

    def test_proofs_are_those_of_the_published_vectors(self):
        for index in 0, 1, 255, 256, 511, 699:
            out, entry = os.path.join(self.folder, "out"), os.path.join(self.folder, "entry")
            done = ppctl("log", "prove", "--log", self.log, "--policy", self.policy, "--index", index, "--out", out,
                         "--entry-out", entry, "--json")
            self.assertEqual((done.status, done.json["index"]), (0, index), done.out)
            self.assertEqual(read(out), read(os.path.join(LOG_A, "proofs", f"{index}.tlog-proof")))
            self.assertEqual(read(entry), read(os.path.join(LOG_A, "proofs", f"{index}.entry")))
            again = out + ".2"
            done = ppctl("log", "prove", "--log", self.log, "--policy", self.policy, "--entry", entry, "--out", again)
            self.assertEqual((done.status, read(again)), (0, read(out)), done.err)
        done = ppctl("log", "prove", "--log", self.log, "--policy", self.policy, "--index", 700, "--out", out, "--json")
        self.assertEqual((done.status, done.code), (1, "NOT_FOUND"))

    def verify(self, entry, proof, *args, policy=None):
        return ppctl("log", "verify", entry, proof, "--policy", policy or self.policy, "--json", *args)

    def test_w27_a_proof_says_what_it_proves_and_no_byte_of_it_can_be_changed(self):
        entry, proof = (os.path.join(LOG_A, "proofs", f"256.{kind}") for kind in ("entry", "tlog-proof"))
        done = self.verify(entry, proof)
        self.assertEqual((done.status, done.json["index"], done.json["size"]), (0, 256, 700), done.out)
        self.assertEqual({w["name"] for w in done.json["witnesses"]}, {"w1", "w2", "w3"})
        rng = random.Random(5)
        changed = os.path.join(self.folder, "changed")
        for at, content in flips(read(proof), 60, rng):
            write(changed, content)
            self.assertEqual(self.verify(entry, changed).status, 3, f"byte {at}")
        for _, content in flips(read(entry), 4, rng):
            write(changed, content)
            self.assertEqual(self.verify(changed, proof).code, "LEDGER_PROOF")

    def test_a_proof_is_as_old_as_its_quorum(self):
        entry, proof = (os.path.join(LOG_A, "proofs", f"0.{kind}") for kind in ("entry", "tlog-proof"))
        dated = 1767225600  # the first cosignature
        self.assertEqual(self.verify(entry, proof, "--max-age", 600, "--at", dated + 600).status, 0)
        self.assertEqual(self.verify(entry, proof, "--max-age", 600, "--at", "2026-01-01T00:10:00Z").status, 0)
        self.assertEqual(self.verify(entry, proof, "--max-age", 600, "--at", dated + 601).code, "LEDGER_QUORUM")
        self.assertEqual(self.verify(entry, proof, "--max-age", 600, "--at", dated - 400).code, "LEDGER_QUORUM")
        self.assertEqual(self.verify(entry, proof, "--max-age", 600).code, "LEDGER_QUORUM")
        self.assertEqual(self.verify(entry, proof, "--max-age", 0).code, "USAGE")


class OurLog(unittest.TestCase):
    """A record ledger: every record against its rules, and the bundle that devices get."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-audit-")
        self.log = os.path.join(self.folder, "log")
        shutil.copytree(os.path.join(self.fleet.state, "log", "public"), self.log)
        self.trust = os.path.join(self.fleet.state, "trust")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def audit(self, log=None):
        return self.fleet.run("log", "audit", "--log", log or self.log, "--json")

    def later(self, seconds):
        """The state folder of who has the same anchors, and a clock that is so far ahead of the fleet's."""
        state = os.path.join(self.folder, "later")
        shutil.copytree(self.trust, os.path.join(state, "trust"))
        write(os.path.join(state, "clock"), struct.pack("=q", round((self.fleet.now() - time.time() + seconds) * 1000)))
        return state

    def test_a_ledger_passes_wherever_its_files_are(self):
        for log in self.log, os.path.join(self.fleet.state, "log"), f"http://{self.fleet.listens('log')}":
            done = self.audit(log)
            self.assertEqual(done.status, 0, done.out)
            self.assertEqual((done.json["findings"], done.json["directory"], done.json["opaque"]), ([], True, False))
        done = self.fleet.run("log", "show", "--log", f"http://{self.fleet.listens('log')}", "--json")
        self.assertEqual((done.status, done.json["size"]), (0, self.audit().json["size"]))

    def test_w27_no_byte_of_its_files_can_be_changed(self):
        rng = random.Random(6)
        for path in files_of(self.log):
            content = read(path)
            if os.path.basename(path) == "checkpoint":  # which a quorum of three of four may sign
                content = content[:content.index(b"\n\n")]
                rest = read(path)[len(content):]
            else:
                rest = b""
            for at, changed in flips(content, 8, rng):
                write(path, changed + rest)
                done = self.audit()
                self.assertEqual(done.status, 3, f"{path} byte {at}: {done.out}")
            write(path, content + rest)

    def test_a_record_that_breaks_a_rule_is_named_with_its_id(self):
        done = self.fleet.run("log", "audit", "--log", self.log, "--json", "--origin", "log.pp-dev.example", "--namespace",
                              "another", "--environment", "dev", *(w for name in ("log", "owner", "review") for w in (
                                  f"--{name}-policy", os.path.join(self.trust, f"{name}.policy"))))
        self.assertEqual(done.status, 3, done.out)
        self.assertEqual(done.json["entries"], done.json["size"])
        wrong = [f for f in done.json["findings"] if f["code"] == "LEDGER_NAMESPACE"]
        self.assertEqual(len(wrong), done.json["size"])
        self.assertTrue(all(f["party"].startswith("record ") and f["field"].startswith("entry ") for f in wrong))

    def test_a_bundle_that_is_not_the_log_s_is_found(self):
        bundle = os.path.join(self.log, "directory")
        with Fleet() as other:
            shutil.copy(os.path.join(other.state, "log", "public", "directory"), bundle)
            self.assertEqual(codes(self.audit()), {"LOG_DIRECTORY"})
        os.unlink(bundle)
        self.assertEqual(codes(self.audit()), {"LOG_MISSING"})

    def test_a_log_that_went_on_and_one_that_stands_still(self):
        """The old files under the new ones: partial tiles are kept until the full one is there (tlog-tiles)."""
        stood = os.path.join(self.folder, "stood")
        shutil.copytree(self.log, stood)
        size = self.audit(stood).json["size"]
        self.assertEqual(self.fleet.run("gateway", "rotate").status, 0)
        shutil.rmtree(self.log)
        shutil.copytree(os.path.join(self.fleet.state, "log", "public"), self.log)
        done = self.audit()
        self.assertEqual(done.status, 0, done.out)
        self.assertGreater(done.json["size"], size)
        self.assertGreater(done.json["older_files"], 0)

        older = os.path.join(self.log, "tile", "entries", "000.p", str(size))
        content = read(older)
        write(older, content[:50] + bytes([content[50] ^ 1]) + content[51:])
        done = self.audit()
        self.assertEqual(codes(done), {"LOG_TILE"})
        self.assertEqual(done.json["findings"][0]["field"], f"tile/entries/000.p/{size}")
        os.rename(older, older + ".4711.tmp")  # what a killed writer leaves
        self.assertEqual(self.audit().status, 0)

        shutil.copy(os.path.join(stood, "directory"), self.log)
        done = self.audit()
        self.assertEqual((codes(done), done.json["findings"][0]["got"]), ({"LOG_DIRECTORY"}, f"another, of {size}"))
        shutil.copy(os.path.join(self.fleet.state, "log", "public", "directory"), stood)
        done = self.audit(stood)
        self.assertEqual((done.status, done.json["directory_later"]), (0, True), done.out)

        done = self.fleet.run("log", "audit", "--log", stood, "--max-age", "86400", "--json")
        self.assertEqual(done.status, 0, done.out)
        done = ppctl("log", "audit", "--state", self.later(DAY + 600), "--log", stood, "--max-age", "86400", "--json")
        self.assertEqual((done.status, codes(done)), (3, {"LEDGER_STALE"}))
        for wrong in "0", "x", "-1", "99999999999999":
            self.assertEqual(self.fleet.run("log", "audit", "--max-age", wrong, "--json").code, "USAGE")

    def test_what_breaks_off_is_not_called_complete(self):
        """One finding, and then the server is gone."""
        def change(path, body):
            if path == "/tile/0/000.p/" + str(self.size):
                return 200, {}, body[:-1] + b"!"
            return (500, {}, b"") if path == "/directory" else None
        self.size = self.audit().json["size"]
        with Server(self.log, change) as server:
            done = self.audit(server.url)
        self.assertEqual((done.status, codes(done)), (3, {"LOG_TILE", "HTTP_STATUS"}), done.out)
        self.assertFalse(done.json["complete"])

    def test_a_bundle_made_from_the_files_is_the_one_that_is_served(self):
        out = os.path.join(self.folder, "bundle")
        done = self.fleet.run("log", "export", "--log", self.log, "--out", out, "--json")
        self.assertEqual((done.status, done.json["bundle"]), (0, out), done.out)
        self.assertEqual(read(out), read(os.path.join(self.log, "directory")))
        # A blob that no device would take stops it, and is named.
        bad = self.fleet.write("blob", b"<no reference file>")
        done = self.fleet.run("log", "export", "--log", self.log, "--out", out + "3", "--collateral", bad, "--json")
        self.assertEqual((done.status, done.code, done.json["error"]["party"]), (3, "GPU_RIM_FORMAT", bad), done.out)
        self.assertFalse(os.path.exists(out + "3"))
        done = ppctl("log", "export", "--state", self.later(2 * DAY), "--log", self.log, "--out", out + "2", "--json")
        self.assertEqual((done.status, done.code), (3, "LEDGER_STALE"))
        self.assertFalse(os.path.exists(out + "2"))

    def test_a_record_and_its_proof_are_checked_offline(self):
        record = next(r for r in self.fleet.run("log", "show", "--json").json["records"] if r["type"] == "cvm-release")
        entry, proof = os.path.join(self.folder, "r.entry"), os.path.join(self.folder, "r.tlog-proof")
        done = self.fleet.run("log", "prove", "--id", record["id"], "--out", proof, "--entry-out", entry, "--json")
        self.assertEqual((done.status, done.json["index"]), (0, record["index"]), done.out)
        done = self.fleet.run("log", "verify", entry, proof, "--max-age", "86400", "--json")
        self.assertEqual((done.status, done.json["record"]["id"]), (0, record["id"]), done.out)
        self.assertEqual(done.json["anchor"]["where"], "STATE/trust")
        with Fleet() as other:
            done = other.run("log", "verify", entry, proof, "--json")
            self.assertEqual((done.status, done.code), (3, "LEDGER_SIGNATURE"))
        done = self.fleet.run("log", "prove", "--id", "0" * 64, "--out", proof + "2", "--json")
        self.assertEqual((done.status, done.code), (1, "NOT_FOUND"))
        self.assertFalse(os.path.exists(proof + "2"))

    def test_ten_lines_of_shell_check_us_without_trusting_us(self):
        """The lines of docs/ledger.md, as they stand there, in a folder that has nothing but the anchors."""
        with open(os.path.join(ROOT, "docs", "ledger.md"), encoding="utf-8") as f:
            lines = re.search(r"^```sh audit\n(.*?)^```", f.read(), re.M | re.S)[1]
        self.assertLessEqual(len([l for l in lines.split("\n") if l and not l.startswith("#")]), 10)
        home = os.path.join(self.folder, "auditor")
        shutil.copytree(self.trust, os.path.join(home, "anchors"))
        done = subprocess.run(["sh", "-eu", "-c", lines], cwd=home, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120,
                              env={**{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")},
                                   "PATH": BIN + ":" + os.environ["PATH"], "HOME": home, "TMPDIR": home,
                                   "LOG": f"http://{self.fleet.listens('log')}"})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("nothing is wrong with it", done.stdout)


if __name__ == "__main__":
    unittest.main()
