# SPDX-License-Identifier: Apache-2.0
"""What a relay passes on, and what it does not: the same rows against pp-relayd and against the nginx
of deploy/relay-nginx, with a gateway that writes down every byte it was sent."""
import http.client
import os
import queue
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from fleet import BIN, ROOT
from listener import PATIENCE, Listener, reserved_port

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


def more_of(s):
    """What comes next; the end, where something has to come, is an error."""
    more = s.recv(65536)
    if not more:
        raise ConnectionError("the other side has ended")
    return more


class Gateway(Listener):
    """Answers what the test put into `answer`, one connection at a time, and keeps what it was sent."""

    def __init__(self, cert, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.load_cert_chain(cert, key)
        self.seen = []
        self.reply(200, [("Content-Type", "message/ohttp-res")], b"answer")
        super().__init__()

    def reply(self, status, fields, body=b"", length=None):
        lines = [f"HTTP/1.1 {status} X", *(f"{n}: {v}" for n, v in fields),
                 f"Content-Length: {len(body) if length is None else length}", "", ""]
        self.answer = "\r\n".join(lines).encode() + body

    def serve(self, raw):
        try:
            with self.context.wrap_socket(raw, server_side=True) as s:
                kept = b""
                while True:
                    while b"\r\n\r\n" not in kept:
                        kept += more_of(s)
                    head, _, kept = kept.partition(b"\r\n\r\n")
                    head += b"\r\n"
                    answer = self.answer  # which is the next test's as soon as this one's client has it
                    if isinstance(answer, tuple):
                        self.stream(s, head, kept, *answer)
                        return
                    while len(kept) < length_of(head):
                        kept += more_of(s)
                    body, kept = kept[:length_of(head)], kept[length_of(head):]
                    self.seen.append((head, body))
                    if answer is None:
                        return  # breaks the connection
                    s.sendall(answer)
                    if length_of(answer.partition(b"\r\n\r\n")[0] + b"\r\n") > len(answer):
                        return
        except OSError:
            pass

    def stream(self, s, head, kept, mine, theirs):
        """Hands the pieces of a request to the test as they come, and plays the test's answer."""
        self.seen.append((head, b""))

        def read():
            got = kept
            try:
                if length_of(head):  # nginx, when it has the whole body before the first byte leaves
                    while len(got) < length_of(head):
                        got += more_of(s)
                    mine.put(got)
                    mine.put("end")
                    return
                while not got.endswith(b"0\r\n\r\n"):
                    while b"\r\n" in got:
                        size, _, rest = got.partition(b"\r\n")
                        size = int(size, 16)
                        if size == 0 or len(rest) < size + 2:
                            break
                        mine.put(rest[:size])
                        got = rest[size + 2:]
                    got += more_of(s)
                while not got.startswith(b"0\r\n"):
                    size, _, rest = got.partition(b"\r\n")
                    mine.put(rest[:int(size, 16)])
                    got = rest[int(size, 16) + 2:]
                mine.put("end")
            except OSError:
                mine.put("cut")

        threading.Thread(target=read, daemon=True).start()
        for piece in iter(theirs.get, None):
            s.sendall(piece)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


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


    def connect_tls(self):
        context = ssl.create_default_context(cafile=self.cert)
        context.check_hostname = False
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=context)


class OverHttp2:
    """Speaks HTTP/2 over TLS, with curl."""

    def post(self, body=REQUEST, fields=None, method="POST", path="/ohttp"):
        with tempfile.TemporaryDirectory(prefix="pp-e2e-curl-") as folder:
            def name(what):
                return os.path.join(folder, what)
            command = ["curl", "--silent", "--show-error", "--http2", "--cacert", self.cert, "--request", method,
                       "--max-time", str(PATIENCE), "--dump-header", name("head"), "--output", name("body"),
                       "--header", "Accept:", "--header", "User-Agent:"]
            for field, value in {"Content-Type": "message/ohttp-req", **(fields or {})}.items():
                command += ["--header", f"{field}: {value}"]
            if body is not None:
                with open(name("sent"), "wb") as f:
                    f.write(body)
                command += ["--data-binary", "@" + name("sent")]
            # A refusal may come before all of the body was sent: 55 and 56 are no failure then.
            done = subprocess.run([*command, f"https://127.0.0.1:{self.port}{path}"], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            with open(name("head"), encoding="ascii") as f:
                first, *lines = f.read().splitlines() or [""]
            if not first and done.returncode == 92:
                return self.refusal(method, path, fields, name("sent")), {}, b""
            assert first.startswith("HTTP/2 "), (first, done.stdout)
            got = b""
            if os.path.exists(name("body")):
                with open(name("body"), "rb") as f:
                    got = f.read()
            return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines if line), got


    def refusal(self, method, path, fields, sent):
        """An answer, and behind it RST_STREAM with NO_ERROR since nobody reads the rest of the body (RFC 9113
        8.1): curl 7.88 takes both together for a failure, nghttp tells the status."""
        kind = {"Content-Type": "message/ohttp-req", **(fields or {})}["Content-Type"]
        done = subprocess.run(["nghttp", "-nv", "--no-verify-peer", "-t", str(PATIENCE), "-d", sent,
                               "-H", ":method: " + method, "-H", "content-type: " + kind,
                               f"https://127.0.0.1:{self.port}{path}"], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return int(re.search(r":status: (\d+)", done.stdout).group(1))


class PpRelay(Relay):
    def __init__(self, gateway, cert, *lines):
        super().__init__(gateway, cert)
        config = self.write("config", "\n".join((
            "environment = dev", "listen = 127.0.0.1:0",
            f"gateway = https://127.0.0.1:{gateway.port}{RESOURCE}", "gateway_ca = ca.pem", *lines, "")))
        shutil.copy(cert, os.path.join(self.folder, "ca.pem"))
        self.start(config)

    def start(self, config):
        out, into = os.pipe()
        with open(os.path.join(self.folder, "events"), "ab") as events:
            self.process = subprocess.Popen([os.path.join(BIN, "pp-relayd"), "--config", config, "--ready-fd",
                                             str(into)], pass_fds=[into], stdout=events, stderr=events)
        os.close(into)
        with os.fdopen(out, encoding="ascii") as told:
            self.port = int(re.search(r":(\d+)", told.read()).group(1))


class PpRelayTls(PpRelay):
    def __init__(self, gateway, cert, *lines):
        super().__init__(gateway, cert, "tls_chain = relay.pem", "tls_key = relay.key", *lines)

    def start(self, *words):
        self.cert, _ = pem(self.folder, "relay", "localhost")
        super().start(*words)

    connect = Relay.connect_tls


class PpRelayHttp2(OverHttp2, PpRelayTls):
    pass


class NginxRelay(Relay):
    def __init__(self, gateway, cert):
        super().__init__(gateway, cert)
        self.reserved = reserved_port()
        self.port = self.reserved.getsockname()[1]
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

    def close(self):
        super().close()
        self.reserved.close()

    connect = Relay.connect_tls


class NginxRelayHttp2(OverHttp2, NginxRelay):
    pass


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

    def test_refusals_of_the_relay_itself_have_no_body(self):
        """A page of the server's own is another size in another version."""
        large = bytes(256 * 1024 + 1)
        answers = {"method": self.relay.post(method="PUT"), "type": self.relay.post(fields={"Content-Type": "x/y"}),
                   "short": self.relay.post(b"1"), "path": self.relay.post(path="/x"), "long": self.relay.post(large)}
        self.gateway.answer = None
        answers["no answer"] = self.relay.post()
        for what, (status, _, body) in answers.items():
            with self.subTest(what, status=status):
                self.assertEqual(body, b"")

    def test_connections_to_the_gateway_are_kept(self):
        self.relay.post()
        before = len(self.gateway.served)
        for _ in range(24):
            self.assertEqual(self.relay.post()[0], 200)
        self.assertEqual(len(self.gateway.served), before)

    def streaming(self):
        """(connection in the middle of a chunked request, pieces at the gateway, its answer)"""
        at_gateway, answer = queue.Queue(), queue.Queue()
        self.gateway.answer = (at_gateway, answer)
        c = self.relay.connect()
        c.putrequest("POST", "/ohttp", skip_accept_encoding=True)
        for name, value in {**MARKS, "Content-Type": "message/ohttp-chunked-req", "Incremental": "?1",
                            "Transfer-Encoding": "chunked"}.items():
            c.putheader(name, value)
        c.endheaders()
        self.addCleanup(c.close)
        self.addCleanup(answer.put, None)
        return c, at_gateway, answer

    @staticmethod
    def until(pieces, count):
        got = b""
        while len(got) < count:
            got += pieces.get(timeout=PATIENCE)
        return got

    CHUNKED = (b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Type: message/ohttp-chunked-res\r\nSet-Cookie: id=4711\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n")

    def test_pieces_of_a_chunked_message_arrive_before_its_end_both_ways(self):
        c, at_gateway, answer = self.streaming()
        c.send(chunk(b"first piece"))
        self.assertEqual(self.until(at_gateway, 11), b"first piece")
        c.send(chunk(b"second"))
        self.assertEqual(self.until(at_gateway, 6), b"second")
        answer.put(self.CHUNKED + chunk(b"early"))
        line = c.sock  # which http.client would give up with the answer's head
        r = c.getresponse()
        self.assertEqual(r.read(5), b"early")
        line.sendall(chunk(b"third") + b"0\r\n\r\n")
        self.assertEqual(self.until(at_gateway, 5), b"third")
        self.assertEqual(at_gateway.get(timeout=PATIENCE), "end")
        answer.put(chunk(b"late"))
        self.assertEqual(r.read(4), b"late")
        answer.put(b"0\r\n\r\n")
        self.assertEqual(r.read(), b"")
        fields = {n.lower(): v for n, v in r.getheaders()}
        self.assertEqual((r.status, fields["content-type"], fields["cache-control"], fields["incremental"]),
                         (200, "message/ohttp-chunked-res", "no-store", "?1"))
        self.assertNotIn("4711", str(fields))
        line, *fields = filter(None, self.only_head())
        self.assertEqual({f.split(":")[0].lower() for f in fields},
                         {"host", "content-type", "incremental", "transfer-encoding"})

    def test_an_answer_that_breaks_behind_its_head_has_no_end(self):
        c, at_gateway, answer = self.streaming()
        c.send(chunk(b"1234567") + b"0\r\n\r\n")
        self.assertEqual(self.until(at_gateway, 7), b"1234567")
        answer.put(self.CHUNKED + chunk(b"first"))
        r = c.getresponse()
        self.assertEqual(r.read(5), b"first")
        answer.put(None)  # closes
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            r.read()

    def test_a_client_that_breaks_off_is_a_cut_at_the_gateway(self):
        c, at_gateway, _ = self.streaming()
        c.send(chunk(b"1234567"))
        self.assertEqual(self.until(at_gateway, 7), b"1234567")
        c.sock.shutdown(socket.SHUT_RDWR)
        c.close()
        self.assertEqual(at_gateway.get(timeout=PATIENCE), "cut")

    def test_a_refusal_in_place_of_a_chunked_answer_goes_on_with_its_problem(self):
        problem = b'{"type":"https://iana.org/assignments/http-problem-types#ohttp-key"}'
        c, _, answer = self.streaming()
        answer.put(b"HTTP/1.1 422 X\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%s" % (
            len(problem), problem))
        c.send(chunk(b"1234567") + b"0\r\n\r\n")
        r = c.getresponse()
        self.assertEqual((r.status, r.getheader("content-type"), r.read()), (422, "application/problem+json", problem))

    def test_nothing_is_written_down(self):
        before = {path: os.path.getsize(os.path.join(self.relay.folder, path))
                  for path in os.listdir(self.relay.folder)}
        self.relay.post(os.urandom(200 * 1024), fields=MARKS)
        self.relay.post(method="PUT")
        after = {path: os.path.getsize(os.path.join(self.relay.folder, path))
                 for path in os.listdir(self.relay.folder)}
        self.assertEqual(after, before)


class Http2Rows(Rows):
    """Streams are another matter there: the same rows with curl as client."""

    def streaming(self):
        at_gateway, answer = queue.Queue(), queue.Queue()
        self.gateway.answer = (at_gateway, answer)
        p = subprocess.Popen(["curl", "--silent", "--no-buffer", "--http2", "--cacert", self.relay.cert, "--request",
                              "POST", "--upload-file", ".", "--header", "Content-Type: message/ohttp-chunked-req",
                              "--header", "Cookie: id=4711", "--write-out", "%{http_code} %{content_type}",
                              f"https://127.0.0.1:{self.relay.port}/ohttp"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.wait, PATIENCE)
        self.addCleanup(p.kill)
        self.addCleanup(answer.put, None)
        p.stdin.write(b"1234567")
        p.stdin.flush()
        self.assertEqual(self.until(at_gateway, 7), b"1234567")
        return p, at_gateway, answer

    def test_pieces_of_a_chunked_message_arrive_before_its_end_both_ways(self):
        p, at_gateway, answer = self.streaming()
        answer.put(self.CHUNKED + chunk(b"early"))
        self.assertEqual(p.stdout.read(5), b"early")
        p.stdin.write(b"third")
        p.stdin.close()
        self.assertEqual(self.until(at_gateway, 5), b"third")
        self.assertEqual(at_gateway.get(timeout=PATIENCE), "end")
        answer.put(chunk(b"late") + b"0\r\n\r\n")
        self.assertEqual(p.stdout.read(), b"late200 message/ohttp-chunked-res")
        self.assertEqual(p.wait(PATIENCE), 0)

    def test_an_answer_that_breaks_behind_its_head_has_no_end(self):
        p, at_gateway, answer = self.streaming()
        p.stdin.close()
        self.assertEqual(at_gateway.get(timeout=PATIENCE), "end")
        answer.put(self.CHUNKED + chunk(b"first"))
        self.assertEqual(p.stdout.read(5), b"first")
        answer.put(None)
        self.assertNotEqual(p.wait(PATIENCE), 0)

    def test_a_client_that_breaks_off_is_a_cut_at_the_gateway(self):
        p, at_gateway, _ = self.streaming()
        p.kill()
        self.assertEqual(at_gateway.get(timeout=PATIENCE), "cut")
        p.stdin.close()

    def test_a_refusal_in_place_of_a_chunked_answer_goes_on_with_its_problem(self):
        p, at_gateway, answer = self.streaming()
        p.stdin.close()
        self.assertEqual(at_gateway.get(timeout=PATIENCE), "end")
        answer.put(b"HTTP/1.1 422 X\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}")
        self.assertEqual(p.stdout.read(), b"{}422 application/problem+json")


class OfPpRelayd(Rows, unittest.TestCase):
    program = PpRelay
    adds = set()

    def chunked(self, *answer):
        """What comes back to a whole chunked request."""
        c, _, pieces = self.streaming()
        for piece in answer:
            pieces.put(piece)
        c.send(chunk(b"1234567") + b"0\r\n\r\n")
        r = c.getresponse()
        return r.status, r.getheader("content-type"), r.read()

    def test_what_is_neither_a_chunked_answer_nor_a_refusal_is_a_bad_gateway(self):
        for status, media in ((200, b"message/ohttp-res"), (200, b"text/html"), (206, b"message/ohttp-chunked-res"),
                              (302, b"message/ohttp-chunked-res"), (500, b"message/ohttp-chunked-res")):
            with self.subTest(status=status, media=media):
                head = b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: 6\r\n\r\n"
                self.assertEqual(self.chunked(head % (status, media) + b"answer"), (502, None, b""))

    def test_a_refusal_in_place_of_a_chunked_answer_has_a_problem_of_4_kib_or_nothing(self):
        for media, size, expected in ((b"text/html", 5000, (422, None, b"")),
                                      (b"application/problem+json", 4096, (422, "application/problem+json", b"x" * 4096)),
                                      (b"application/problem+json", 4097, (502, None, b""))):
            with self.subTest(media=media, size=size):
                head = b"HTTP/1.1 422 X\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
                self.assertEqual(self.chunked(head % (media, size) + b"x" * size), expected)

    def test_a_chunked_answer_of_16_mib_passes_and_a_byte_more_is_cut(self):
        """More than any buffer on the way: the client is slower than the gateway, and nothing is lost."""
        piece = os.urandom(1 << 20)
        for more in (b"", chunk(b"x")):
            with self.subTest(more=more):
                answer = [self.CHUNKED, *[chunk(piece)] * 16, more, b"0\r\n\r\n"]
                if more:
                    with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
                        self.chunked(*answer)
                else:
                    self.assertEqual(self.chunked(*answer), (200, "message/ohttp-chunked-res", piece * 16))


class OfPpRelaydOverTls(Rows, unittest.TestCase):
    program = PpRelayTls
    adds = set()

    def test_it_takes_tls_1_3_alone(self):
        context = ssl.create_default_context(cafile=self.relay.cert)
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", self.relay.port), PATIENCE) as raw:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(raw).close()

    def shown(self):
        """The certificate that a new connection gets."""
        return ssl.get_server_certificate(("127.0.0.1", self.relay.port), timeout=PATIENCE)

    def test_a_new_certificate_is_served_behind_sighup_and_a_wrong_one_is_not(self):
        folder, before = self.relay.folder, self.shown()
        with open(os.path.join(folder, "relay.key"), "rb") as f:
            good = f.read()
        events = os.path.join(folder, "events")
        pem(folder, "relay", "localhost")
        self.relay.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while self.shown() == before:
            self.assertLess(time.monotonic(), deadline)
        now = self.shown()
        with open(os.path.join(folder, "relay.key"), "wb") as f:
            f.write(good)  # of the former certificate
        self.relay.process.send_signal(signal.SIGHUP)
        while True:
            with open(events, encoding="ascii") as f:
                if "RELAY_TLS_REFUSED" in f.read():
                    break
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.shown(), now)


class OfPpRelaydOverHttp2(Http2Rows, unittest.TestCase):
    program = PpRelayHttp2
    adds = set()


class OfNginx(Rows, unittest.TestCase):
    program = NginxRelay
    adds = {"date", "server"}  # nginx knows no way to leave them out


class OfNginxOverHttp2(Http2Rows, unittest.TestCase):
    program = NginxRelayHttp2
    adds = {"date", "server"}


class Http2Gateway:
    """An nginx that answers with the version it was asked in, and the number of the connection."""

    def __init__(self, folder, cert, key):
        self.reserved = reserved_port()
        self.port = self.reserved.getsockname()[1]
        config = os.path.join(folder, "gateway.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write(f"""worker_processes 1; pid gateway.pid; error_log /dev/null emerg; events {{ }}
                http {{ access_log off; default_type message/ohttp-res;
                client_body_temp_path g1; proxy_temp_path g2; fastcgi_temp_path g3; uwsgi_temp_path g4; scgi_temp_path g5;
                server {{ listen 127.0.0.1:{self.port} ssl http2; ssl_protocols TLSv1.3; ssl_certificate {cert}; ssl_certificate_key {key};
                location / {{ return 200 "$server_protocol $connection"; }} }} }}""")
        self.process = subprocess.Popen(["nginx", "-p", folder, "-c", config, "-g", "daemon off;"],
                                        stderr=subprocess.DEVNULL)
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
                return
            except ConnectionRefusedError:
                pass
        raise AssertionError("the gateway ended")

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.reserved.close()


class ToAGatewayWithHttp2(unittest.TestCase):
    def test_many_requests_share_one_connection(self):
        with tempfile.TemporaryDirectory(prefix="pp-e2e-relay-gateway-") as folder:
            os.chmod(folder, 0o711)
            cert, key = pem(folder, "gateway", "localhost")
            os.chmod(cert, 0o644)
            gateway = Http2Gateway(folder, cert, key)
            relay = PpRelayHttp2(gateway, cert)
            try:
                answers = {relay.post()[2] for _ in range(4)}
            finally:
                relay.close()
                gateway.close()
            self.assertEqual(len(answers), 1)
            self.assertRegex(answers.pop(), b"^HTTP/2.0 ")


class Holding(unittest.TestCase):
    COUNT, HOLD_S, TRIES = 6, 5, 20

    def setUp(self):
        self.outer = tempfile.TemporaryDirectory(prefix="pp-e2e-relay-gateway-")
        self.addCleanup(self.outer.cleanup)
        cert, key = pem(self.outer.name, "gateway", "localhost")
        self.gateway = Gateway(cert, key)
        self.addCleanup(self.gateway.close)
        self.relay = PpRelay(self.gateway, cert, f"hold_ms = {self.HOLD_S}000", f"hold_count = {self.COUNT}")
        self.addCleanup(self.relay.close)

    def sent(self, count):
        """So many connections, each with a request of its own that the relay has read."""
        connections = []
        for i in range(count):
            c = self.relay.connect()
            c.request("POST", "/ohttp", bytes([i]) * 4096, {"Content-Type": "message/ohttp-req"})
            connections.append(c)
            self.addCleanup(c.close)
            if i + 1 < count:  # what was asked later is answered: the former request was read
                self.assertEqual(self.relay.post(None, method="GET", path="/directory")[0], 404)
        return connections

    def held(self, count):
        """As `sent`, and none of them has left: again where that took longer than a relay holds them."""
        for _ in range(self.TRIES):
            self.gateway.seen.clear()
            began = time.monotonic()
            connections = self.sent(count)
            self.assertEqual(self.relay.post(None, method="GET", path="/directory")[0], 404)
            left = list(self.gateway.seen)
            if time.monotonic() - began < self.HOLD_S:
                self.assertEqual(left, [])
                return connections
            self.assertEqual({c.getresponse().status for c in connections}, {200})
        self.fail("never in time")

    def test_s_6_requests_leave_together_and_not_in_their_order(self):
        orders = set()
        for _ in range(4):
            connections = self.held(self.COUNT - 1) + self.sent(1)
            self.assertEqual([c.getresponse().status for c in connections], [200] * self.COUNT)
            orders.add(tuple(body[0] for _, body in self.gateway.seen))
        self.assertGreater(len(orders), 1)  # all four the same by chance: once in 720 ^ 3

    def test_what_is_held_is_sent_when_the_relay_ends(self):
        connections = self.held(2)
        self.relay.process.terminate()
        self.assertEqual([c.getresponse().status for c in connections], [200, 200])
        self.assertEqual(self.relay.process.wait(PATIENCE), 0)


class Crowded(unittest.TestCase):
    def test_in_the_last_quarter_an_address_has_an_eighth_of_its_limit(self):
        with tempfile.TemporaryDirectory(prefix="pp-e2e-relay-gateway-") as folder:
            cert, key = pem(folder, "gateway", "localhost")
            gateway = Gateway(cert, key)
            relay = PpRelay(gateway, cert, "connections = 16", "connections_per_address = 8")
            held = []

            def status(address):
                """404 from the place it got, or 503 without one."""
                c = http.client.HTTPConnection("127.0.0.1", relay.port, timeout=PATIENCE,
                                               source_address=(f"127.0.0.{address}", 0))
                held.append(c)
                try:
                    c.request("GET", "/directory")
                    return c.getresponse().status
                except ConnectionError:  # the 503 was there first, and the connection gone
                    return 503

            try:
                self.assertEqual([status(1) for _ in range(9)], [404] * 8 + [503])
                self.assertEqual([status(2) for _ in range(5)], [404] * 4 + [503])  # 12 of 16
                self.assertEqual([status(n) for n in (3, 3, 4, 5, 6)], [404, 503, 404, 404, 404])
                self.assertEqual(status(7), 503)  # all 16
                with open(os.path.join(relay.folder, "events"), encoding="ascii") as f:
                    self.assertNotIn("127.0.0", f.read())
            finally:
                for c in held:
                    c.close()
                relay.close()
                gateway.close()


class InProd(unittest.TestCase):
    def test_clear_text_goes_to_a_gateway_of_this_machine_alone(self):
        with tempfile.TemporaryDirectory(prefix="pp-e2e-relay-") as folder:
            for gateway, want in (("https://gateway.example", 0), ("http://127.0.0.1:8080", 0), ("http://[::1]:8080", 0),
                                  ("http://127.0.0.1", 0), ("http://gateway.example", 2), ("http://192.0.2.1", 2),
                                  ("http://127.0.0.1.gateway.example", 2), ("http://127.0.0.10", 2),
                                  ("http://127.0.0.1@gateway.example", 2), ("http://127.0.0.1:80@gateway.example", 2)):
                with self.subTest(gateway=gateway):
                    path = os.path.join(folder, "config")
                    with open(path, "w", encoding="ascii") as f:
                        f.write(f"environment = prod\nlisten = 127.0.0.1:0\ngateway = {gateway}{RESOURCE}\n")
                    done = subprocess.run([os.path.join(BIN, "pp-relayd"), "--config", path, "--check"], check=False,
                                          stderr=subprocess.PIPE)
                    self.assertEqual(done.returncode, want, done.stderr)

    def test_nobody_listens_in_clear_but_to_this_machine(self):
        with tempfile.TemporaryDirectory(prefix="pp-e2e-relay-") as folder:
            for listen, tls, want in (("127.0.0.1:0", "", 0), ("[::1]:0", "", 0), ("unix:socket", "", 0),
                                      ("0.0.0.0:443", "", 2), ("[2001:db8::1]:443", "", 2),
                                      ("0.0.0.0:443", "tls_chain = c\ntls_key = k\n", 0),
                                      ("127.0.0.1:0", "tls_key = k\n", 2)):
                with self.subTest(listen=listen, tls=tls):
                    path = os.path.join(folder, "config")
                    with open(path, "w", encoding="ascii") as f:
                        f.write(f"environment = prod\nlisten = {listen}\n{tls}"
                                f"gateway = https://gateway.example{RESOURCE}\n")
                    done = subprocess.run([os.path.join(BIN, "pp-relayd"), "--config", path, "--check"], check=False,
                                          stderr=subprocess.PIPE)
                    self.assertEqual(done.returncode, want, done.stderr)
