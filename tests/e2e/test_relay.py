# SPDX-License-Identifier: Apache-2.0
"""What a relay passes on, and what it does not: the same rows against pp-relayd and against the nginx
of deploy/relay-nginx, with a gateway that writes down every byte it was sent."""
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from fleet import BIN, ROOT

PATIENCE = 60
REQUEST = bytes(range(256)) * 16
RESOURCE = "/.well-known/ohttp-gateway"
# What a client, a browser or a box on the way might add, each of which could stand for somebody.
MARKS = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7", "Via": "1.1 box",
         "Cookie": "id=4711", "Authorization": "Bearer 4711", "User-Agent": "phone/1.0",
         "Accept-Language": "de-CH", "Traceparent": "00-4711-4711-01", "X-Request-Id": "4711",
         "CF-IPCountry": "CH", "Date": "Sat, 21 Nov 2026 00:00:00 GMT", "Referer": "https://x.example/"}


def pem(folder, name, host):
    """A self-signed certificate of a test; (certificate, key)."""
    cert, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1", "-days", "2",
                    "-keyout", key, "-out", cert], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o600)
    return cert, key


def length_of(head):
    found = re.search(rb"(?im)^content-length:\s*(\d+)\r$", head)
    return int(found.group(1)) if found else 0


class Gateway:
    """Answers what the test put into `answer`, one connection at a time, and keeps what it was sent."""

    def __init__(self, cert, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.load_cert_chain(cert, key)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.seen, self.connections = [], 0
        self.reply(200, [("Content-Type", "message/ohttp-res")], b"answer")
        threading.Thread(target=self.accept, daemon=True).start()

    def reply(self, status, fields, body=b"", length=None):
        lines = [f"HTTP/1.1 {status} X", *(f"{n}: {v}" for n, v in fields),
                 f"Content-Length: {len(body) if length is None else length}", "", ""]
        self.answer = "\r\n".join(lines).encode() + body

    def accept(self):
        while True:
            try:
                raw, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(raw,), daemon=True).start()

    def serve(self, raw):
        try:
            with self.context.wrap_socket(raw, server_side=True) as s:
                s.settimeout(PATIENCE)
                kept = b""
                while True:
                    while b"\r\n\r\n" not in kept:
                        more = s.recv(65536)
                        if not more:
                            return
                        kept += more
                    head, _, kept = kept.partition(b"\r\n\r\n")
                    head += b"\r\n"
                    while len(kept) < length_of(head):
                        kept += s.recv(65536)
                    body, kept = kept[:length_of(head)], kept[length_of(head):]
                    self.seen.append((head, body))
                    if self.answer is None:
                        return  # breaks the connection
                    s.sendall(self.answer)
                    if length_of(self.answer.partition(b"\r\n\r\n")[0] + b"\r\n") > len(self.answer):
                        return
        except OSError:
            pass

    def close(self):
        self.socket.close()


class Relay:
    """One relay process before the gateway. Subclasses start it: self.port, self.process."""

    def __init__(self, gateway, cert):
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-relay-")
        os.chmod(self.folder, 0o711)
        self.gateway, self.ca = gateway, cert

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()
        shutil.rmtree(self.folder)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def post(self, body=REQUEST, fields=None, method="POST", path="/ohttp"):
        """(status, {lower-case field: value}, body)"""
        c = self.connect()
        try:
            c.putrequest(method, path, skip_accept_encoding=True)
            for name, value in {"Content-Type": "message/ohttp-req", **(fields or {})}.items():
                c.putheader(name, value)
            if body is not None:
                c.putheader("Content-Length", str(len(body)))
            c.endheaders(body)
            r = c.getresponse()
            return r.status, {n.lower(): v for n, v in r.getheaders()}, r.read()
        finally:
            c.close()


class PpRelay(Relay):
    def __init__(self, gateway, cert):
        super().__init__(gateway, cert)
        config = self.write("config", "\n".join((
            "environment = dev", "listen = 127.0.0.1:0",
            f"gateway = https://127.0.0.1:{gateway.port}{RESOURCE}", "gateway_ca = ca.pem", "")))
        shutil.copy(cert, os.path.join(self.folder, "ca.pem"))
        out, into = os.pipe()
        with open(os.path.join(self.folder, "events"), "ab") as events:
            self.process = subprocess.Popen([os.path.join(BIN, "pp-relayd"), "--config", config, "--ready-fd",
                                             str(into)], pass_fds=[into], stdout=events, stderr=events)
        os.close(into)
        with os.fdopen(out, encoding="ascii") as told:
            self.port = int(re.search(r":(\d+)", told.read()).group(1))


class NginxRelay(Relay):
    def __init__(self, gateway, cert):
        super().__init__(gateway, cert)
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        source = os.path.join(ROOT, "deploy", "relay-nginx")
        self.cert, key = pem(self.folder, "relay", "localhost")
        mine = {"gateway.example.org:443": f"127.0.0.1:{gateway.port}", "gateway.example.org": "localhost",
                "listen 443": f"listen 127.0.0.1:{self.port}", "/etc/ssl/relay.pem": self.cert,
                "/etc/ssl/relay.key": key, "/etc/ssl/gateway-ca.pem": cert, "/run/nginx.pid": "nginx.pid",
                "/var/lib/nginx/": "tmp-", "modules/": "/usr/lib/nginx/modules/",
                "worker_processes auto": "worker_processes 1"}  # each worker keeps connections of its own
        for name in ("nginx.conf", "relay-upstream.conf"):
            with open(os.path.join(source, name), encoding="utf-8") as f:
                text = f.read()
            for theirs, ours in mine.items():
                text = "\n".join(line.replace(theirs, ours) if line.endswith("# yours") else line
                                 for line in text.split("\n"))
            self.write(name, text)
        os.chmod(self.folder, 0o755)
        self.process = subprocess.Popen(
            ["nginx", "-p", self.folder, "-c", os.path.join(self.folder, "nginx.conf"), "-g", "daemon off;"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        while True:  # it listens, or it ended and its words say why
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    raise AssertionError(self.process.stdout.read().decode()) from None

    def connect(self):
        context = ssl.create_default_context(cafile=self.cert)
        context.check_hostname = False
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=context)


class Rows:
    """The table of docs/protocol/ohttp.md, "Relay", line by line."""

    @classmethod
    def setUpClass(cls):
        cls.outer = tempfile.mkdtemp(prefix="pp-e2e-relay-gateway-")
        os.chmod(cls.outer, 0o711)
        cert, key = pem(cls.outer, "gateway", "localhost")
        os.chmod(cert, 0o644)
        cls.gateway = Gateway(cert, key)
        cls.relay = cls.program(cls.gateway, cert)

    @classmethod
    def tearDownClass(cls):
        cls.relay.close()
        cls.gateway.close()
        shutil.rmtree(cls.outer)

    def setUp(self):
        self.gateway.seen.clear()
        self.gateway.reply(200, [("Content-Type", "message/ohttp-res")], b"answer")

    def only_head(self):
        self.assertEqual(len(self.gateway.seen), 1)
        return self.gateway.seen[0][0].decode("ascii").split("\r\n")

    def test_the_new_request_has_these_fields_and_no_other(self):
        self.assertEqual(self.relay.post()[0], 200)
        line, *fields = filter(None, self.only_head())
        self.assertEqual(line, f"POST {RESOURCE} HTTP/1.1")
        self.assertEqual({f.split(":")[0].lower() for f in fields}, {"host", "content-type", "content-length"})
        self.assertEqual(self.gateway.seen[0][1], REQUEST)

    def test_w4_nothing_that_could_stand_for_a_client_goes_on(self):
        self.relay.post()
        plain = self.gateway.seen.pop()
        self.assertEqual(self.relay.post(fields=MARKS)[0], 200)
        self.assertEqual(self.gateway.seen.pop(), plain)
        self.assertEqual(self.relay.post(path="/ohttp?id=4711")[0], 200)
        self.assertEqual(self.gateway.seen.pop(), plain)

    def test_nothing_of_the_gateways_head_but_the_type_comes_back(self):
        self.gateway.reply(200, [("Content-Type", "message/ohttp-res"), ("Set-Cookie", "id=4711"), ("ETag", '"4711"'),
                                 ("X-Tag", "4711"), ("Alt-Svc", 'h3=":4711"'), ("Link", "</4711>")], b"answer")
        status, fields, body = self.relay.post()
        self.assertEqual((status, body), (200, b"answer"))
        self.assertEqual(fields["content-type"], "message/ohttp-res")
        self.assertEqual(fields["cache-control"], "no-store")
        self.assertNotIn("4711", str(fields))
        self.assertLessEqual(set(fields), {"content-type", "content-length", "cache-control", "connection"} |
                             self.adds)

    def test_what_is_refused_here_never_reaches_the_gateway(self):
        for what, want, got in (
                ("method", 405, self.relay.post(method="PUT")[0]),
                ("no method to post", 405, self.relay.post(None, method="GET")[0]),
                ("type", 415, self.relay.post(fields={"Content-Type": "text/plain"})[0]),
                ("too short", 400, self.relay.post(b"123456")[0]),
                ("empty", 400, self.relay.post(b"")[0]),
                ("path", 404, self.relay.post(path="/ohttp/x")[0]),
                ("too long", 413, self.relay.post(bytes(256 * 1024 + 1))[0])):
            with self.subTest(what):
                self.assertEqual(got, want)
        self.assertEqual(self.gateway.seen, [])

    def test_the_largest_bucket_passes_whole(self):
        body = os.urandom(256 * 1024)
        self.assertEqual(self.relay.post(body)[0], 200)
        self.assertEqual(self.gateway.seen[0][1], body)

    def test_refusals_in_clear_go_on_and_everything_else_is_a_bad_gateway(self):
        for status, want in ((400, 400), (405, 405), (413, 413), (415, 415), (422, 422), (503, 503), (302, 502),
                             (401, 502), (403, 502), (404, 502), (429, 502), (500, 502)):
            with self.subTest(status):
                self.gateway.reply(status, [("Content-Type", "text/html"), ("Location", "https://x.example/4711")],
                                   b"4711")
                got, fields, body = self.relay.post()
                self.assertEqual(got, want)
                if want == 502:
                    self.assertNotIn("4711", str(fields) + str(body))

    def test_the_problem_document_of_a_key_goes_on_whole(self):
        problem = b'{"type":"https://iana.org/assignments/http-problem-types#ohttp-key"}'
        self.gateway.reply(422, [("Content-Type", "application/problem+json")], problem)
        status, fields, body = self.relay.post()
        self.assertEqual((status, fields["content-type"], body), (422, "application/problem+json", problem))

    def test_a_broken_gateway_is_asked_once(self):
        self.gateway.answer = None
        self.assertEqual(self.relay.post()[0], 502)
        self.assertEqual(len(self.gateway.seen), 1)

    def test_connections_to_the_gateway_are_kept(self):
        self.relay.post()
        before = self.gateway.connections
        for _ in range(8):
            self.assertEqual(self.relay.post()[0], 200)
        self.assertEqual(self.gateway.connections, before)

    def test_nothing_is_written_down(self):
        before = {path: os.path.getsize(os.path.join(self.relay.folder, path))
                  for path in os.listdir(self.relay.folder)}
        self.relay.post(os.urandom(200 * 1024), fields=MARKS)
        self.relay.post(method="PUT")
        after = {path: os.path.getsize(os.path.join(self.relay.folder, path))
                 for path in os.listdir(self.relay.folder)}
        self.assertEqual(after, before)


class OfPpRelayd(Rows, unittest.TestCase):
    program = PpRelay
    adds = set()


class OfNginx(Rows, unittest.TestCase):
    program = NginxRelay
    adds = {"date", "server"}  # nginx knows no way to leave them out
