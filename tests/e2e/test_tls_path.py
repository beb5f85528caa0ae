# SPDX-License-Identifier: Apache-2.0
"""The whole path over TLS 1.3, with an authority of the test's own: device to relay, issuer and mirrors, and
relay to gateway. And at each of these hops a server that the anchors do not vouch for: nobody tells it anything."""
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from fleet import BIN, Fleet
from listener import PATIENCE, Listener

GATEWAY = "/.well-known/ohttp-gateway"
DIRECTORY = "/.well-known/private-token-issuer-directory"
ANSWER_1 = 32768  # bytes of the answer to exchange #1 (pp-wire 3)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# What HTTP in clear could not do without, in any version; so long that chance does not write it into ciphertext.
CLEAR = (b"HTTP/", b"POST /", b"GET /", b"ohttp", b"content-type", b"Content-Type", b"message/", b"authority")


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """A certificate authority: `pem` is its anchor, `issue` gives (chain, key)."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.pem, self.key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=" + name, "-keyout", self.key, "-out", self.pem)

    def issue(self, name, names="IP:127.0.0.1", days=2):
        path = os.path.join(self.folder, f"{self.name}-{name}")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                "-keyout", path + ".key", "-out", path + ".csr")
        with open(path + ".ext", "w", encoding="ascii") as f:
            f.write(f"subjectAltName = {names}\n")
        openssl("x509", "-req", "-in", path + ".csr", "-CA", self.pem, "-CAkey", self.key, "-days", str(days),
                "-extfile", path + ".ext", "-out", path + ".pem")
        return path + ".pem", path + ".key"


def pump(source, target, keep):
    """One direction to its end; `keep` gets every byte."""
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            keep(data)
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def both_ways(a, b, keep):
    up = threading.Thread(target=pump, args=(a, b, lambda data: keep("up", data)), daemon=True)
    up.start()
    pump(b, a, lambda data: keep("down", data))
    up.join(PATIENCE)


class Wire(Listener):
    """Before a party's port: passes bytes as they are, and keeps those of each connection."""

    def __init__(self, port):
        self.target, self.connections = port, []
        super().__init__()

    def serve(self, s):
        kept = {"up": b"", "down": b""}
        self.connections.append(kept)

        def keep(way, data):
            kept[way] += data

        with s, socket.create_connection(("127.0.0.1", self.target)) as onward:
            both_ways(s, onward, keep)


class Server(Listener):
    """A TLS server with the identity that `show` gave it last; keeps what clients tell it behind the handshake.
    With a port to pass to, it stands between two parties, as whoever has a party's key could."""

    def __init__(self, anchor, onward=None):
        self.anchor, self.onward, self.before = anchor, onward, 0
        super().__init__()

    def show(self, identity, newest=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = newest
        context.load_cert_chain(*identity)
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.context, self.told, self.protocols = context, b"", []
        self.before = len(self.served)

    def was_asked(self):
        """Somebody came since `show`, and is gone."""
        return self.settle(self.before)

    def keep(self, way, data):
        if way == "up":
            self.told += data

    def serve(self, raw):
        try:
            with self.context.wrap_socket(raw, server_side=True) as s:
                self.protocols.append((s.version(), s.selected_alpn_protocol()))
                if self.onward is None:
                    self.told += s.recv(65536)
                    return
                client = ssl.create_default_context(cafile=self.anchor)
                client.set_alpn_protocols([s.selected_alpn_protocol()])
                with client.wrap_socket(socket.create_connection(("127.0.0.1", self.onward)),
                                        server_hostname="127.0.0.1") as onward:
                    both_ways(s, onward, self.keep)
        except OSError:
            pass
        finally:
            raw.close()


def read_until(fd, word):
    """To this word and no further or, with None, to the end."""
    got = b""
    while word is None or not got.endswith(word.encode()):
        assert select.select([fd], [], [], PATIENCE)[0], got
        more = os.read(fd, 1)
        if not more:
            break
        got += more
    return got.decode()


class Party:
    """A daemon of the fleet in its own folder, with some lines of its configuration changed."""

    def __init__(self, folder, program, identity, **values):
        self.folder, self.program = folder, program
        self.owner = os.stat(folder)
        with open(self.path("config"), encoding="ascii") as f:
            lines = [x for x in f.read().splitlines() if x.split(" = ")[0] not in values]
        os.mkdir(self.path("tls"), 0o700)
        self.give("tls")
        self.identity(*identity)
        lines += [f"{k} = {v}" for k, v in values.items()] + ["tls_chain = tls/chain", "tls_key = tls/key"]
        self.write("config", "".join(x + "\n" for x in lines).encode())
        self.start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def give(self, name):
        os.chown(self.path(name), self.owner.st_uid, self.owner.st_gid)

    def write(self, name, content):
        """Another file in the old one's place: a daemon that reads now sees one of the two, whole."""
        with open(os.open(self.path("new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
            f.write(content)
        self.give("new")
        os.rename(self.path("new"), self.path(name))

    def identity(self, chain, key):
        for name, source in (("tls/chain", chain), ("tls/key", key)):
            with open(source, "rb") as f:
                self.write(name, f.read())

    def start(self):
        out, into = os.pipe()
        self.events, events = os.pipe()
        self.process = subprocess.Popen([os.path.join(BIN, self.program), "--config", self.path("config"),
                                         "--ready-fd", str(into)], pass_fds=[into], stdout=events, stderr=events)
        os.close(into)
        os.close(events)
        told = read_until(out, "ready\n")
        os.close(out)
        assert told.endswith("ready\n"), told + read_until(self.events, None)
        self.port = int(re.search(r"listen \w+ 127\.0\.0\.1:(\d+)", told)[1])

    def hear(self, event):
        """What it says up to a line with this event."""
        heard = read_until(self.events, event)
        assert event in heard, heard
        return heard + read_until(self.events, "\n")

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def close(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.events)


def end(pid):
    """A party that `ppctl up` started, which is no child of ours."""
    fd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    assert select.select([fd], [], [], PATIENCE)[0]
    os.close(fd)


class Device(Fleet):
    """A device of the fleet in a folder of its own, whose anchors name these places."""

    def __init__(self, **places):
        super().__init__()
        os.mkdir(self.state)
        shutil.copytree(os.path.join(path.fleet.state, "trust"), os.path.join(self.state, "trust"))
        os.mkdir(os.path.join(self.state, "device"), 0o700)
        for name in ("assertion.key", "settings"):
            shutil.copy(os.path.join(path.fleet.state, "device", name), os.path.join(self.state, "device"))
        shutil.copy(path.ours.pem, os.path.join(self.state, "trust", "ca.pem"))
        self.trust(**places)

    def __enter__(self):
        return self

    def trust(self, relay=None, issuer=None, mirrors=None, scheme="https"):
        place = os.path.join(self.state, "trust", "trust")
        with open(place, encoding="ascii") as f:
            lines = [x for x in f.read().splitlines() if x.split(" = ")[0] not in ("relay", "mirror", "issuer_url")]
        lines += [f"relay = {scheme}://127.0.0.1:{relay or path.relay.port}/ohttp",
                  f"issuer_url = {scheme}://127.0.0.1:{issuer or path.issuer.port}/token-request"]
        lines += [f"mirror = {scheme}://127.0.0.1:{p}/directory"
                  for p in mirrors or (path.relay.port, path.mirror.port)]
        with open(place, "w", encoding="ascii") as f:
            f.write("".join(x + "\n" for x in lines))

    def tokens(self):
        """None held: the wallet lists no epoch."""
        return sum(int(n) for n in re.findall(r"epoch \d+: (\d+) tokens", self.run("token", "status").out))


class Path:
    """A fleet whose issuer, relay and gateway were started again with certificates, a second mirror, and
    identities of every kind that a server may show."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-tls-")
        self.parties = []
        self.fleet = Fleet()
        self.fleet.__enter__()
        self.ours = Authority(self.folder, "ours")
        other = Authority(self.folder, "other")
        self.good = self.ours.issue("good")
        self.kinds = {"another authority": other.issue("good"), "expired": self.ours.issue("expired", days=-1),
                      "another name": self.ours.issue("name", names="IP:127.0.0.2,DNS:relay.example")}
        pids = self.fleet.pids()
        for name in ("relay", "gateway", "issuer"):
            end(pids[name])
        self.issuer = self.start("issuer", "pp-issuerd")
        self.gateway = self.start("gateway", "pp-gatewayd")
        self.relay_template = self.copy("relay")
        self.relay = self.start("relay", "pp-relayd", **self.to_gateway(self.gateway.port, "relay"))
        self.mirror = self.relay_to(self.gateway.port)

    def copy(self, name):
        target = tempfile.mkdtemp(prefix=name, dir=self.fleet.folder)
        subprocess.run(["cp", "-aT", os.path.join(self.fleet.state, name), target], check=True)
        return target

    def to_gateway(self, port, folder):
        """The relay's own copy of the anchor lies in its home."""
        target = os.path.join(self.fleet.state, folder, "gateway.pem")
        shutil.copy(self.ours.pem, target)
        owner = os.stat(os.path.dirname(target))
        os.chown(target, owner.st_uid, owner.st_gid)
        return {"gateway": f"https://127.0.0.1:{port}{GATEWAY}", "gateway_ca": "gateway.pem"}

    def start(self, folder, program, **values):
        self.parties.append(Party(os.path.join(self.fleet.state, folder), program, self.good, **values))
        return self.parties[-1]

    def relay_to(self, port):
        """Another relay, to another gateway."""
        folder = tempfile.mkdtemp(prefix="relay", dir=self.fleet.folder)
        subprocess.run(["cp", "-aT", self.relay_template, folder], check=True)
        return self.start(folder, "pp-relayd", **self.to_gateway(port, folder))

    def close(self):
        for party in self.parties:
            party.close()
        self.fleet.__exit__()
        shutil.rmtree(self.folder)


def setUpModule():
    global path
    path = Path()


def tearDownModule():
    path.close()


def records(raw):
    """[(type, version, content)] of TLS, and nothing behind them."""
    rows = []
    while raw:
        length = int.from_bytes(raw[3:5], "big")
        assert len(raw) >= 5 + length, "half a record"
        rows.append((raw[0], raw[1:3], raw[5:5 + length]))
        raw = raw[5 + length:]
    return rows


class TlsPath(unittest.TestCase):
    def server(self, onward=None):
        s = Server(path.ours.pem, onward)
        self.addCleanup(s.close)
        s.show(path.good)
        return s

    def wire(self, port):
        w = Wire(port)
        self.addCleanup(w.close)
        return w

    def device(self, **places):
        d = Device(**places)
        self.addCleanup(d.__exit__)
        return d

    def bad_identities(self, server):
        """The server with each identity in turn: (what it is, what a client makes of it)."""
        for kind, identity in path.kinds.items():
            server.show(identity)
            yield kind, (3, "UNVERIFIED", "certificate")
        server.show(path.good, newest=ssl.TLSVersion.TLSv1_2)
        yield "TLS 1.2", (1, "NETWORK", "connection")

    def assert_refused(self, done, expected, party, server):
        """By code and exit status, with the party and the place in words; and the server was told nothing."""
        status, code, field = expected
        error = done.json["error"]
        self.assertEqual((done.status, error["code"]), (status, code), error)
        self.assertEqual((error["party"], error["field"]), (party, field), error)
        self.assertIn(f"https://127.0.0.1:{server.port}/", error["got"])
        self.assert_told_nothing(server)

    def assert_told_nothing(self, server):
        self.assertTrue(server.was_asked())
        self.assertEqual(server.told, b"")

    def assert_tls_alone(self, connection):
        """Hello and change_cipher_spec, and from there on protected records; TLS 1.3 was chosen."""
        sent, got = records(connection["up"]), records(connection["down"])
        for rows in (sent, got):
            self.assertEqual(rows[0][0], 22)
            self.assertLessEqual({kind for kind, _, _ in rows[1:]}, {20, 23})
            self.assertTrue(all(content == b"\1" for kind, _, content in rows if kind == 20))
        self.assertIn(bytes.fromhex("002b00020304"), got[0][2])
        for word in CLEAR:
            self.assertNotIn(word, connection["up"] + connection["down"])

    # --- the whole job -------------------------------------------------------------------------
    def test_the_whole_job_over_tls_and_no_byte_of_http_in_clear(self):
        before_gateway = self.wire(path.gateway.port)
        relay = path.relay_to(before_gateway.port)
        hops = {"gateway": before_gateway, "relay": self.wire(relay.port),
                "issuer": self.wire(path.issuer.port), "mirror": self.wire(path.mirror.port)}
        d = self.device(relay=hops["relay"].port, issuer=hops["issuer"].port,
                        mirrors=(hops["mirror"].port, path.relay.port))
        done = d.run("refresh", "--json")
        self.assertEqual(done.status, 0, done.out)
        self.assertGreater(d.tokens(), 0)
        done = d.summarize()
        self.assertEqual(done.status, 0, done.out)
        self.assertIn("library", done.out)
        self.assertEqual(relay.stop(), 0)
        for name, hop in hops.items():
            with self.subTest(hop=name):
                self.assertTrue(hop.settle())
                for connection in hop.connections:
                    self.assert_tls_alone(connection)
        for name in ("relay", "gateway"):  # it is this hop that #1 and #2 took
            self.assertGreater(sum(len(c["down"]) for c in hops[name].connections), ANSWER_1)
        self.assertEqual(len(before_gateway.connections), 1)  # #1 and #2 share it

    def test_relay_and_gateway_speak_http_2(self):
        between = self.server(onward=path.gateway.port)
        relay = path.relay_to(between.port)
        done = self.device(relay=relay.port).summarize()
        self.assertEqual(done.status, 0, done.out)
        self.assertEqual(relay.stop(), 0)
        self.assertTrue(between.was_asked())
        self.assertEqual(between.protocols, [("TLSv1.3", "h2")])
        self.assertTrue(between.told.startswith(PREFACE))

    # --- a server that nobody vouches for ------------------------------------------------------
    def test_a_relay_that_the_anchors_do_not_vouch_for_gets_nothing(self):
        server = self.server()
        d = self.device(relay=server.port)
        self.assertEqual(d.run("refresh").status, 0)
        held = d.tokens()
        for kind, expected in self.bad_identities(server):
            with self.subTest(kind=kind):
                self.assert_refused(d.summarize(), expected, "relay", server)
                # It left the wallet before anything was sent, and nobody can know how much was: it is gone.
                held -= 1
                self.assertEqual(d.tokens(), held)
        server.show(path.good)  # else the silence above could be the test's own
        self.assertEqual(d.summarize().code, "CLOSED")
        self.assertTrue(server.was_asked())
        self.assertTrue(server.told.startswith(b"POST /ohttp HTTP/1.1\r\n"))

    def test_a_gateway_that_the_anchors_do_not_vouch_for_gets_nothing(self):
        server = self.server()
        relay = path.relay_to(server.port)
        d = self.device(relay=relay.port)
        for kind, _ in self.bad_identities(server):
            with self.subTest(kind=kind):
                done = d.summarize()
                error = done.json["error"]
                self.assertEqual((done.status, error["code"], error["party"]), (1, "HTTP_STATUS", "relay"))
                self.assertEqual(error["got"], "502")
                self.assert_told_nothing(server)
        self.assertEqual(relay.stop(), 0)
        self.assertIn("RELAY_TOTALS answered=0 refused=0 unreachable=4 ", relay.hear("RELAY_TOTALS"))

    def test_an_issuer_that_the_anchors_do_not_vouch_for_learns_of_no_account(self):
        server = self.server()
        for kind, expected in self.bad_identities(server):
            with self.subTest(kind=kind):
                d = self.device(issuer=server.port)
                self.assert_refused(d.run("refresh", "--json"), expected, "issuer", server)
                self.assertEqual(d.tokens(), 0)

    def test_a_mirror_that_the_anchors_do_not_vouch_for_is_not_believed(self):
        server = self.server()
        holder = self.device()
        self.assertEqual(holder.run("refresh").status, 0)
        for kind, expected in self.bad_identities(server):
            with self.subTest(kind=kind):
                d = self.device(mirrors=(path.relay.port, server.port))
                self.assert_refused(d.run("refresh", "--json"), expected, "mirror", server)
                self.assertFalse(os.path.exists(os.path.join(d.state, "device", "bundle")))
                # Who holds a bundle that is still good goes on with it, and says why.
                holder.trust(mirrors=(server.port,))
                done = holder.summarize()
                self.assertEqual(done.status, 0, done.out)
                self.assertTrue([c for c in done.json["checks"] if c["verdict"] == "skipped" and expected[1] in str(c)])
                self.assert_told_nothing(server)

    def test_https_without_anchors_is_refused_before_anything_is_sent(self):
        server = self.server()
        d = self.device(relay=server.port, issuer=server.port, mirrors=(server.port,))
        os.remove(os.path.join(d.state, "trust", "ca.pem"))
        for words in (("refresh", "--json"), ("summarize", d.chat, "--json")):
            done = d.run(*words)
            self.assertEqual((done.status, done.code, done.json["error"]["field"]), (3, "TRUST", "ca.pem"))
        self.assertEqual(server.served, [])

    def test_what_expects_clear_text_gets_nothing_from_a_tls_port(self):
        d = self.device(scheme="http")
        done = d.run("refresh", "--json")
        self.assertEqual((done.status, done.json["error"]["party"]), (1, "mirror"))


class Issuer(unittest.TestCase):
    def ask(self, *args, anchor=None):
        """curl's exit status, and the version and status of the answer."""
        done = subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_version} %{http_code} %{content_type}",
                               "-m", str(PATIENCE), "--cacert", anchor or path.ours.pem, *args,
                               f"https://127.0.0.1:{path.issuer.port}{DIRECTORY}"], stdout=subprocess.PIPE, text=True)
        return done.returncode, done.stdout

    def test_both_versions_of_http_and_tls_1_3_alone(self):
        answer = "200 application/private-token-issuer-directory"
        self.assertEqual(self.ask("--http2"), (0, "2 " + answer))
        self.assertEqual(self.ask("--http1.1"), (0, "1.1 " + answer))
        self.assertEqual(self.ask("--tls-max", "1.2")[0], 35)

    def ask_until(self, status, anchor):
        """A renewed certificate is there in a moment; each try is a handshake, and takes one by itself."""
        deadline = time.monotonic() + PATIENCE
        while self.ask(anchor=anchor)[0] != status:
            self.assertLess(time.monotonic(), deadline, f"never {status}")

    def test_a_certificate_is_renewed_and_a_wrong_one_is_not_taken(self):
        other = Authority(path.folder, "third")
        path.issuer.identity(*other.issue("good"))
        path.issuer.process.send_signal(signal.SIGHUP)
        self.ask_until(0, other.pem)
        self.assertEqual(self.ask()[0], 60)
        path.issuer.identity(path.good[0], path.kinds["expired"][1])  # another's key
        path.issuer.process.send_signal(signal.SIGHUP)
        path.issuer.hear("ISSUER_TLS_REFUSED code=CONFIG")
        self.assertEqual(self.ask(anchor=other.pem)[0], 0)
        path.issuer.identity(*path.good)
        path.issuer.process.send_signal(signal.SIGHUP)
        self.ask_until(0, path.ours.pem)

    def test_in_prod_a_certificate_opens_issuer_and_gateway_to_the_network(self):
        for party, program in (("issuer", "pp-issuerd"), ("gateway", "pp-gatewayd")):
            with self.subTest(party=party):
                home = path.copy(party)
                with open(os.path.join(home, "config"), encoding="ascii") as f:
                    lines = [x for x in f.read().splitlines() if not x.startswith(("environment", "tls_", "grid_ms"))]
                lines += ["environment = prod", "listen = 0.0.0.0:0"]

                def check(*more):
                    with open(os.path.join(home, "config"), "w", encoding="ascii") as f:
                        f.write("".join(x + "\n" for x in (*lines, *more)))
                    done = subprocess.run([os.path.join(BIN, program), "--config", os.path.join(home, "config"),
                                           "--check"], stderr=subprocess.PIPE, text=True)
                    return done.returncode, done.stderr

                status, err = check()
                self.assertEqual(status, 2)
                self.assertIn("field:    listen", err)
                self.assertEqual(check("tls_chain = tls/chain", "tls_key = tls/key"), (0, ""))


if __name__ == "__main__":
    unittest.main()
