# SPDX-License-Identifier: Apache-2.0
"""pp-httpd, the server of lib/net/test, for tests and benchmarks with other people's clients; and many idle
connections of HTTP/2 over TLS."""
import os
import resource
import socket
import ssl
import struct
import subprocess
import tempfile

import fleet

PROGRAM = os.path.join(fleet.BIN, "pp-httpd")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Httpd:
    """A server on a port of its own, in clear or over TLS with a certificate of its own."""

    def __init__(self, tls=False):
        self.folder = tempfile.TemporaryDirectory(prefix="pp-httpd-")
        self.tls = tls
        self.ca = os.path.join(self.folder.name, "cert.pem")
        self.key = os.path.join(self.folder.name, "key.pem")

    def __enter__(self):
        call = [PROGRAM, "127.0.0.1:0"]
        if self.tls:
            self.new_identity()
            call += [self.ca, self.key]
        self.process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        self.port = int(self.address.rsplit(":", 1)[1])
        self.url = ("https://" if self.tls else "http://") + self.address
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.status = self.process.wait(60)
        self.process.stdout.close()
        self.folder.cleanup()

    def new_identity(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.key, "-out", self.ca, "-days", "2", "-subj", "/CN=test",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.key, 0o600)

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def field(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


class Idle:
    """Connections of HTTP/2 over TLS that have had one answer each."""

    def __init__(self, server):
        self.server = server
        self.held, self.path = [], b"/hello"
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.context = ssl.create_default_context(cafile=server.ca)
        self.context.set_alpn_protocols(["h2"])

    def open_until(self, count):
        head = (field(b":method", b"GET") + field(b":scheme", b"https") + field(b":path", self.path)
                + field(b":authority", b"a"))
        while len(self.held) < count:
            raw = socket.create_connection(("127.0.0.1", self.server.port), 60)
            s = self.context.wrap_socket(raw, server_hostname="127.0.0.1")
            self.held.append(s)
            s.sendall(PREFACE + frame(4, 0, 0) + frame(1, 5, 1, head))
            got = b""
            while b"hello" not in got:
                more = s.recv(4096)
                assert more, "closed"
                got += more
            s.sendall(frame(4, 1, 0))

    def close(self):
        for s in self.held:
            s.close()
        self.held = []
