# SPDX-License-Identifier: Apache-2.0
"""The directory bundle: one path, one body, from pp-relayd and from the nginx of deploy/directory-nginx."""
import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from fleet import ROOT, Fleet
from listener import PATIENCE, reserved_port
from test_relay import pem

# What could tell one client from another, or make an answer another one.
ASKS = ({}, {"Cookie": "id=4711"}, {"Authorization": "Bearer 4711"}, {"If-None-Match": "*"},
        {"If-None-Match": '"4711"'}, {"If-Match": '"4711"'},
        {"If-Modified-Since": "Sun, 22 Nov 2099 00:00:00 GMT"},
        {"If-Unmodified-Since": "Sun, 22 Nov 1999 00:00:00 GMT"},
        {"Range": "bytes=0-9"}, {"Range": "bytes=0-9", "If-Range": '"4711"'},
        {"Accept-Encoding": "gzip, br"}, {"Accept": "text/html"}, {"Accept-Language": "de-CH"},
        {"User-Agent": "phone/1.0"}, {"Cache-Control": "no-cache"}, {"Origin": "https://x.example"})


class Mirror:
    """nginx with the configuration of deploy/directory-nginx, over a file of the test's."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-directory-")
        os.chmod(self.folder, 0o755)
        self.reserved = reserved_port()
        self.port = self.reserved.getsockname()[1]
        cert, key = pem(self.folder, "directory", "localhost")
        self.file = os.path.join(self.folder, "directory")
        mine = {"listen 443 ssl http2": f"listen 127.0.0.1:{self.port}", "/etc/ssl/directory.pem": cert,
                "/etc/ssl/directory.key": key, "/run/nginx.pid": "nginx.pid", "/var/lib/nginx/": "tmp-",
                "/var/lib/pp/directory": self.file, "modules/": "/usr/lib/nginx/modules/"}
        with open(os.path.join(ROOT, "deploy", "directory-nginx", "nginx.conf"), encoding="utf-8") as f:
            text = f.read()
        for theirs, ours in mine.items():
            text = "\n".join(line.replace(theirs, ours) if line.endswith("# yours") else line
                             for line in text.split("\n"))
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w", encoding="utf-8") as f:
            f.write(text)
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", config, "-g", "daemon off;"],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        while True:  # it listens, or it ended and its words say why
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    raise AssertionError(self.process.stdout.read().decode()) from None

    def serve(self, content):
        with open(self.file + ".new", "wb") as f:
            f.write(content)
        os.chmod(self.file + ".new", 0o644)
        os.rename(self.file + ".new", self.file)

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.reserved.close()
        shutil.rmtree(self.folder)


def ask(port, fields=None, method="GET", path="/directory"):
    """(status, {lower-case field: value}, body)"""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        c.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (fields or {}).items():
            c.putheader(name, value)
        c.endheaders()
        r = c.getresponse()
        return r.status, {n.lower(): v for n, v in r.getheaders()}, r.read()
    finally:
        c.close()


class Directory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.__enter__()
        cls.mirror = Mirror()
        cls.relay_port = next(int(p["listens"][0].rsplit(":", 1)[1])
                              for p in cls.fleet.run("status", "--json").json["parties"]
                              if p["name"] == "relay")

    @classmethod
    def tearDownClass(cls):
        cls.mirror.close()
        cls.fleet.__exit__()

    def bundle(self):
        with open(os.path.join(self.fleet.state, "relay", "directory"), "rb") as f:
            return f.read()

    def test_1_everybody_gets_the_same_bytes_and_fields_whatever_the_request_brings(self):
        bundle = self.bundle()
        self.mirror.serve(bundle)
        for port in (self.relay_port, self.mirror.port):
            seen = set()
            for fields in ASKS:
                status, got, body = ask(port, fields)
                self.assertEqual(status, 200, fields)
                self.assertEqual(body, bundle, fields)
                got.pop("date", None)
                seen.add(tuple(sorted(got.items())))
            self.assertEqual(len(seen), 1, seen)
            fields = dict(seen.pop())
            self.assertEqual(fields["content-type"], "application/pp-directory")
            self.assertEqual(fields["content-length"], str(len(bundle)))
            self.assertEqual(fields["cache-control"], "public, max-age=60")
            self.assertLessEqual(set(fields), {"content-type", "content-length", "cache-control",
                                               "server", "connection"})

    def test_2_no_other_path_and_no_other_method(self):
        self.mirror.serve(self.bundle())
        for port in (self.relay_port, self.mirror.port):
            self.assertEqual(ask(port, method="POST")[0], 405)
            self.assertEqual(ask(port, method="DELETE")[0], 405)
            for path in ("/", "/directory/", "/other", "/directory.new"):
                self.assertEqual(ask(port, path=path)[0], 404, path)

    def test_3_a_device_takes_the_bundle_from_both_mirrors_and_stops_at_none_that_is_older(self):
        """Two mirrors in the trust file; one is an hour behind, then silent: devices go on."""
        trust = os.path.join(self.fleet.state, "trust", "trust")
        with open(trust, encoding="utf-8") as f:
            text = f.read()
        with open(trust, "w", encoding="utf-8") as f:
            f.write(text + f"mirror = http://127.0.0.1:{self.mirror.port}/directory\n")
        before = self.bundle()
        self.mirror.serve(before)
        self.assertEqual(self.fleet.summarize().status, 0)
        self.assertEqual(self.fleet.run("gateway", "rotate").status, 0)  # the next status
        self.assertNotEqual(self.bundle(), before)
        done = self.fleet.run("refresh", "--json")  # nginx still has the one before
        self.assertEqual(done.status, 0, done.out)
        serial = done.json["status_serial"]
        self.mirror.serve(self.bundle())
        done = self.fleet.run("refresh", "--json")
        self.assertEqual((done.status, done.json["status_serial"]), (0, serial), done.out)
        self.assertEqual(self.fleet.summarize().status, 0)
        self.assertIsNone(done.json["directory_failed"])
        self.mirror.serve(b"no bundle")
        self.assertEqual(self.fleet.summarize().status, 0)
        done = self.fleet.run("refresh", "--json")  # which does not say that all was fetched
        self.assertEqual((done.status, done.json["directory_failed"]), (0, "LEDGER_FORMAT"), done.out)
        self.assertIn("no newer bundle could be fetched (LEDGER_FORMAT)", self.fleet.run("refresh").out)

    def test_4_nothing_of_a_request_is_written_down(self):
        self.mirror.serve(self.bundle())
        ask(self.mirror.port, {"User-Agent": "phone-4711"}, path="/directory?mark-4711")
        for folder, _, names in os.walk(self.mirror.folder):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    self.assertNotIn(b"-4711", f.read(), name)  # in a key's text there is no dash


if __name__ == "__main__":
    unittest.main()
