# SPDX-License-Identifier: Apache-2.0
"""The gateway as curl sees it: what it answers in clear, its metrics, and what the end of one of its
processes does (docs/protocol/ohttp.md, docs/operations.md)."""
import contextlib
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import time
import unittest

import fleet
import test_daemons
from test_daemons import Home, PATIENCE

RESOURCE = "/.well-known/ohttp-gateway"
REQUEST = "Content-Type: message/ohttp-req"
PROCESSES = {"pp-gw-opener": "opener", "pp-gw-redeemer": "redeemer"}


def setUpModule():
    test_daemons.setUpModule()


def tearDownModule():
    test_daemons.tearDownModule()


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.head, self.status = head, int(lines[0].split()[1])
        self.fields = dict(line.lower().split(": ", 1) for line in lines[1:])


class Gateway(Home):
    """A gateway of its own, with its metrics; its CVM is not there."""

    def __init__(self, *lines):
        super().__init__("gateway")
        self.save("metrics = 127.0.0.1:0", *lines)
        self.start()
        self.ports = dict(re.findall(r"^listen (\w+) 127\.0\.0\.1:(\d+)$", self.told, re.M))

    def curl(self, *args, body=None, path=RESOURCE, port="gateway"):
        done = subprocess.run(
            ["curl", "-s", "-i", "--http1.1", "-m", str(PATIENCE), "-H", "Expect:",
             *([] if body is None else ["--data-binary", "@-"]), *args,
             f"http://127.0.0.1:{self.ports[port]}{path}"], input=body or b"", stdout=subprocess.PIPE, check=True)
        return Answer(done.stdout)

    def post(self, body, *args):
        """As a relay: curl's own fields would be refused, as they say who asks."""
        return self.curl("-H", REQUEST, "-H", "User-Agent:", "-H", "Accept:", *args, body=body)

    def processes(self):
        return {test_daemons.status_of(p)["Name"]: p for p in fleet.children(self.process.pid)}

    def key(self):
        """The first key configuration of the list, as bytes."""
        listed = self.curl().body
        return listed[2:2 + struct.unpack(">H", listed[:2])[0]]


class InClear(unittest.TestCase):
    """Every line of ohttp.md 6 that is answered without opening a request."""

    @classmethod
    def setUpClass(cls):
        cls.g = Gateway()

    @classmethod
    def tearDownClass(cls):
        cls.g.__exit__()

    def bare(self, answer, status):
        self.assertEqual((answer.status, answer.body), (status, b""))
        self.assertEqual(set(answer.fields) - {"content-length", "connection", "allow"}, set())

    def test_the_key_list_has_its_media_type_and_is_the_same_for_everyone(self):
        first, second = self.g.curl(), self.g.curl("-H", "Accept: application/ohttp-keys")
        self.assertEqual(first.status, 200)
        self.assertEqual(first.fields["content-type"], "application/ohttp-keys")
        self.assertEqual(first.body, second.body)
        self.assertGreaterEqual(len(first.body), 2 + 41)

    def test_another_method_is_405(self):
        for method in ("PUT", "DELETE", "PATCH"):
            self.bare(self.g.curl("-X", method), 405)

    def test_another_media_type_is_415(self):
        for kind in ("message/ohttp-res", "message/bhttp", "text/plain", "application/octet-stream"):
            self.bare(self.g.curl("-H", "Content-Type: " + kind, body=b"x" * 4096), 415)

    def test_a_body_of_no_buckets_size_is_400_and_one_above_all_is_413(self):
        for size in (0, 1, 55, 2047, 2049, 4095, 262143):
            self.bare(self.g.post(bytes(size)), 400)
        self.bare(self.g.post(bytes(262145)), 413)

    def test_another_path_is_404(self):
        self.bare(self.g.curl(path="/"), 404)
        self.bare(self.g.curl(path="/metrics"), 404)

    def test_w4_t3_a_field_that_says_something_of_the_client_is_400(self):
        for field in ("Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1", "Cookie: a=b", "Via: 1.1 x"):
            self.bare(self.g.post(bytes(4096), "-H", field), 400)

    def test_w3_r_whatever_cannot_be_opened_is_one_422_to_the_byte(self):
        key = self.g.key()
        ident, kem = key[:1], key[1:3]
        suite = key[-4:]
        heads = {"unknown key": bytes([key[0] ^ 255]) + kem + suite, "unknown KEM": ident + b"\xff\xff" + suite,
                 "another KEM": ident + b"\x00\x10" + suite, "unknown KDF": ident + kem + b"\xff\xff" + suite[2:],
                 "unknown AEAD": ident + kem + suite[:2] + b"\xff\xff",
                 "another AEAD": ident + kem + suite[:2] + b"\x00\x02", "not opened": ident + kem + suite,
                 "nothing": bytes(7)}
        seen = set()
        for what, head in heads.items():
            for enc in (os.urandom(32), bytes(32), b"\xff" * 32):
                with self.subTest(what):
                    a = self.g.post((head + enc).ljust(4096, b"\x07"))
                    self.assertEqual(a.status, 422)
                    seen.add((a.head, a.body))
        self.assertEqual(len(seen), 1)
        (_, body), = seen
        self.assertEqual(body, b'{"type":"https://iana.org/assignments/http-problem-types#ohttp-key",'
                               b'"title":"key identifier unknown"}')
        self.assertEqual(a.fields["content-type"], "application/problem+json")

    def test_metrics_are_prometheus_text_of_the_catalogue(self):
        a = self.g.curl(path="/metrics", port="metrics")
        self.assertEqual(a.status, 200)
        self.assertEqual(a.fields["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        with open(os.path.join(fleet.ROOT, "docs", "events.md"), encoding="utf-8") as f:
            catalogue = f.read()
        for line in a.body.decode().splitlines():
            if line.startswith("#"):
                self.assertRegex(line, r"^# (HELP|TYPE) pp_[a-z0-9_]+ .+$")
            elif line.startswith("pp_events_total"):
                event = re.fullmatch(r'pp_events_total\{event="([A-Z0-9_]+)",level="(?:info|warn|error)"\} \d+', line)
                self.assertTrue(f"### {event[1]} (" in catalogue, line)
            else:
                self.assertRegex(line, r"^pp_[a-z0-9_]+ \d+$")
        self.assertIn("\npp_gw_keys_keys ", a.body.decode())
        for event in ("STARTED", "READY"):  # from the first line on
            self.assertIn(f'pp_events_total{{event="DAEMON_{event}",level="info"}} 1\n', a.body.decode())


class Crowded(unittest.TestCase):
    RELAY = 1024  # requests that a pp-relayd has at a time (docs/operations.md, pp-relayd)

    def test_one_relay_full_of_slow_chunked_clients_leaves_room_for_another(self):
        files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (files, most))
        head = f"POST {RESOURCE} HTTP/1.1\r\nHost: g\r\nContent-Type: message/ohttp-chunked-req\r\n" \
               "Transfer-Encoding: chunked\r\n\r\n1\r\n.\r\n"
        with Gateway() as g, contextlib.ExitStack() as slow:
            for _ in range(self.RELAY):
                c = slow.enter_context(socket.create_connection(("127.0.0.1", int(g.ports["gateway"]))))
                c.sendall(head.encode())
            self.assertEqual(g.curl().status, 200)


class Versions(unittest.TestCase):
    def status_of(self, *args):
        done = subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_version} %{http_code} %{content_type}",
                               "-m", str(PATIENCE), *args], text=True, stdout=subprocess.PIPE, check=True)
        return done.stdout

    def test_http_2_in_clear_on_the_same_port(self):
        with Gateway() as g:
            url = f"http://127.0.0.1:{g.ports['gateway']}{RESOURCE}"
            self.assertEqual(self.status_of("--http2-prior-knowledge", url), "2 200 application/ohttp-keys")
            self.assertEqual(self.status_of("--http2-prior-knowledge", "-H", REQUEST, "-H", "User-Agent:", "-H",
                                            "Accept:", "--data-binary", "x" * 4096, url),
                             "2 422 application/problem+json")

    def test_no_connection_of_http_2_holds_more_than_a_quarter_of_the_places(self):
        for places, share in ((8, 2), (3, 1)):
            with self.subTest(places=places), Gateway(f"connections = {places}") as g, \
                    socket.create_connection(("127.0.0.1", int(g.ports["gateway"])), PATIENCE) as s:
                s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
                with s.makefile("rb") as answer:
                    head = answer.read(9)
                    settings = answer.read(int.from_bytes(head[:3], "big"))
                self.assertEqual(head[3], 4)
                said = dict(struct.unpack_from(">HI", settings, i) for i in range(0, len(settings), 6))
                self.assertEqual(said[3], share)  # SETTINGS_MAX_CONCURRENT_STREAMS

    def test_https_with_http_2_and_a_certificate_that_is_renewed(self):
        with Gateway() as g:
            g.process.kill()
            g.process.wait()
            os.mkdir(g.path("tls"), 0o711)

            def issue():
                subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                                "-days", "2", "-keyout", g.path("tls/new"), "-out", g.path("tls/chain")],
                               check=True, stderr=subprocess.DEVNULL)
                os.chmod(g.path("tls/new"), 0o600)
                os.rename(g.path("tls/new"), g.path("tls/key"))
                owner = os.stat(g.folder)
                for name in ("tls", "tls/chain", "tls/key"):
                    os.chown(g.path(name), owner.st_uid, owner.st_gid)

            issue()
            g.save("metrics = 127.0.0.1:0", "tls_chain = tls/chain", "tls_key = tls/key")
            g.start()
            port = re.search(r"listen gateway 127\.0\.0\.1:(\d+)", g.told)[1]
            args = ("--cacert", g.path("tls/chain"), "--resolve", f"localhost:{port}:127.0.0.1",
                    f"https://localhost:{port}{RESOURCE}")
            self.assertEqual(self.status_of(*args), "2 200 application/ohttp-keys")
            self.assertEqual(self.status_of("--http1.1", *args), "1.1 200 application/ohttp-keys")
            issue()
            with open(g.path("handle_keys/1.key"), "w", encoding="ascii") as f:
                f.write("no key\n")  # the former one stays, and keeps no certificate back
            g.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + PATIENCE
            while subprocess.run(["curl", "-s", "-o", os.devnull, *args]).returncode != 0:  # takes a moment by itself
                self.assertLess(time.monotonic(), deadline)


class Processes(unittest.TestCase):
    def test_each_has_its_own_walls(self):
        with Gateway() as g:
            self.assertEqual(set(g.processes()), set(PROCESSES))
            # Three reports: the opener's, the redeemer's and the front's own. Those of the others pass through
            # the front, which may be ready before.
            until = time.monotonic() + PATIENCE
            while g.events().count("event=DAEMON_CONFINED") < 3:
                self.assertLess(time.monotonic(), until, g.events())

    def test_one_that_is_killed_ends_the_gateway_which_says_so(self):
        for name, word in PROCESSES.items():
            with self.subTest(name), Gateway() as g:
                os.kill(g.processes()[name], signal.SIGKILL)
                self.assertEqual(g.process.wait(PATIENCE), 1)
                self.assertRegex(g.events(), rf"event=GW_PROCESS_ENDED process={word} ")
                self.assertRegex(g.events(), r"event=DAEMON_STOPPED party=gateway code=CHILD")

    def test_a_front_that_is_killed_takes_the_others_along(self):
        with Gateway() as g:
            others = [os.open(f"/proc/{p}", os.O_RDONLY) for p in g.processes().values()]
            pids = [os.pidfd_open(p) for p in g.processes().values()]
            g.process.kill()
            g.process.wait(PATIENCE)
            for fd in pids:
                self.assertTrue(test_daemons.select.select([fd], [], [], PATIENCE)[0])
            for fd in (*others, *pids):
                os.close(fd)


if __name__ == "__main__":
    unittest.main()
