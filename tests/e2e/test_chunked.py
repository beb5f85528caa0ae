# SPDX-License-Identifier: Apache-2.0
"""Chunked OHTTP (draft-ietf-ohai-chunked-ohttp) through a running relay and gateway: a client and a confidential VM
that share no line with pp (docs/protocol/ohttp.md, Chunked requests, Chunked answers)."""
import http.client
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import foreign_ohttp
import test_wire_vectors as wire
from listener import Listener

CHUNKED, PATIENCE, FRAME = wire.CHUNKED, wire.PATIENCE, 25
MORE, LAST, CONTINUE = 0, 1, 2
BUCKETS = {1: 1, 2: 3, 4: 6, 8: 13, 16: 28}  # KiB, chunks
BODY_DEADLINE = 10  # in each of which a body has to grow by 4096 bytes
# A row's key will do: the first is of X25519 and AES-128-GCM.
ROW = wire.chunked_rows()[0]


class Cvm(Listener):
    """A confidential VM (pp-wire 4) that continues every session with the frames that it is told."""

    def __init__(self, bound):
        self.asked, self.frames = 0, [b"answer"]
        self.may_end = threading.Event()
        self.may_end.set()
        super().__init__(bound)

    def serve(self, line):
        line.settimeout(None)  # a gateway keeps it as long as it likes
        with line, line.makefile("rb") as requests:
            while len(head := requests.read(FRAME)) == FRAME:
                requests.read(int.from_bytes(head[21:], "big"))
                if head[0] != CONTINUE:
                    continue
                self.asked += 1
                for frame in self.frames[:-1]:
                    self.send(line, MORE, head, frame)
                self.may_end.wait(PATIENCE)
                self.send(line, LAST, head, self.frames[-1])

    @staticmethod
    def send(line, kind, head, data):
        try:
            line.sendall(bytes([kind]) + head[1:21] + len(data).to_bytes(4, "big") + data)
        except OSError:
            pass


def content_of(message):
    """Status and content of a response in indeterminate length (RFC 9292 3.2) without fields."""
    assert message[0] == 3 and message[3] == 0, message[:8]
    status, rest, content = int.from_bytes(message[1:3], "big") & 0x3FFF, message[4:], b""
    while rest[0]:
        size = 1 << (rest[0] >> 6)
        length = int.from_bytes(rest[:size], "big") & (1 << 8 * size - 2) - 1
        content, rest = content + rest[size:size + length], rest[size + length:]
    assert not any(rest)
    return status, content


def http_chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Client:
    """A request in the pieces of the caller, and its answer."""

    def __init__(self, daemon):
        self.socket = socket.create_connection(("127.0.0.1", daemon.port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall((f"POST {daemon.resource} HTTP/1.1\r\nHost: x\r\nContent-Type: {CHUNKED}\r\n"
                             "Incremental: ?1\r\nTransfer-Encoding: chunked\r\n\r\n").encode())

    def send(self, data):
        if data:
            self.socket.sendall(http_chunk(data))

    def end(self):
        self.socket.sendall(b"0\r\n\r\n")
        return self.answer()

    def answer(self):
        with self.socket:
            response = http.client.HTTPResponse(self.socket)
            response.begin()
            return wire.Answer(response)


class Fixture(wire.Rows):
    """A relay, a gateway and its VM."""

    @classmethod
    def setUpClass(cls):
        cls.g = wire.Gateway([ROW]).__enter__()
        cls.cvm = Cvm(cls.g.nowhere)
        cls.relay = wire.Relay(cls.g).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.relay.__exit__()
        cls.cvm.close()
        cls.g.__exit__()

    def setUp(self):
        self.cvm.frames = [b"answer"]
        self.before = self.cvm.asked

    def chunked_sender(self):
        return self.sender(ROW, None, foreign_ohttp.CHUNKED)

    def pieces(self, sender, message, cuts, size=2048):
        """Head and chunks of a body of that size; zeros fill the last."""
        chunks = [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)])]
        free = size - len(b"".join(sender.seal_chunks(chunks)))
        return sender.seal_chunks([*chunks[:-1], chunks[-1] + bytes(free)])

    def exchange(self, at, kib=1, cuts=()):
        """One that has to succeed; its content."""
        s = self.chunked_sender()
        body = b"".join(self.pieces(s, self.g.continuation(kib), cuts))
        return self.read(at.post(body, CHUNKED), s, kib)

    def read(self, answer, sender, kib):
        self.assertEqual(self.answered_in_chunks(answer, sender, 1024 * kib, BUCKETS[kib]), 200)
        return content_of(b"".join(sender.open_chunks(answer.body)))[1]


class Exchanges(Fixture):
    def test_an_exchange_in_random_splits_through_relay_and_gateway(self):
        seed = int.from_bytes(os.urandom(4), "big")
        dice = random.Random(seed)
        for i in range(30):
            with self.subTest(seed=seed, i=i):
                kib = dice.choice(list(BUCKETS))
                text = dice.randbytes(dice.randrange(1, kib * 1024 - 256 - 20 * BUCKETS[kib]))
                cuts = sorted(dice.sample(range(1, len(text)), min(dice.randrange(5), len(text) - 1)))
                self.cvm.frames = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
                s, message = self.chunked_sender(), self.g.continuation(kib)
                cuts = sorted(dice.sample(range(1, len(message)), dice.randrange(8)))
                body = b"".join(self.pieces(s, message, cuts, dice.choice([2048, 4096, 16384])))
                c = Client(dice.choice([self.relay, self.g]))
                while body:
                    n = dice.choice([1, 2, 40, 500, 5000])
                    c.send(body[:n])
                    body = body[n:]
                self.assertEqual(self.read(c.end(), s, kib), text)

    def test_a_wrong_token_is_a_401_in_the_chunks_of_a_first_exchange(self):
        s = self.chunked_sender()
        message = wire.known_length(b"POST", b"https", wire.AUTHORITY.encode(), b"/v1/sessions",
                                    [(b"authorization", b'PrivateToken token="AAUA"')], b"hello")
        answer = self.relay.post(b"".join(self.pieces(s, message, [10, 20], 4096)), CHUNKED)
        self.assertEqual(self.answered_in_chunks(answer, s, 32768, 2), 401)

    def test_chunks_leave_before_the_vm_has_ended(self):
        self.cvm.frames = [bytes([i]) * 552 for i in range(4)] + [b"end"]
        self.cvm.may_end.clear()
        s = self.chunked_sender()
        c = Client(self.relay)
        c.send(b"".join(self.pieces(s, self.g.continuation(4), ())))
        c.socket.sendall(b"0\r\n\r\n")
        with c.socket:
            response = http.client.HTTPResponse(c.socket)
            response.begin()
            first = response.read(16 + 4 * 572)
            self.cvm.may_end.set()
            rest = response.read()
        self.assertEqual(len(first + rest), 4096)
        content = content_of(b"".join(s.open_chunks(first + rest)))[1]
        self.assertEqual(content, b"".join(self.cvm.frames))

    def test_an_exchange_over_http_2(self):
        for at in (self.g, self.relay):
            s = self.chunked_sender()
            body = b"".join(self.pieces(s, self.g.continuation(8), (30, 60), 4096))
            done = subprocess.run(
                ["curl", "-s", "--http2-prior-knowledge", "-m", str(PATIENCE),
                 "-w", "%{stderr}%{http_version} %{http_code} %{content_type}",
                 "-H", f"Content-Type: {CHUNKED}", "-H", "Incremental: ?1", "-H", "User-Agent:", "-H", "Accept:",
                 "--data-binary", "@-", f"http://127.0.0.1:{at.port}{at.resource}"],
                input=body, capture_output=True, check=True)
            self.assertEqual(done.stderr, b"2 200 message/ohttp-chunked-res")
            chunks = s.open_chunks(done.stdout)
            self.assertEqual((len(done.stdout), len(chunks)), (8192, BUCKETS[8]))
            self.assertEqual(content_of(b"".join(chunks)), (200, b"".join(self.cvm.frames)))

    def test_an_expectation_in_a_whole_message_is_417(self):
        for at in (self.g, self.relay):
            s = self.sender(ROW)
            message = wire.known_length(b"POST", b"https", wire.AUTHORITY.encode(), b"/v1/sessions",
                                        [(b"expect", b"100-continue")])
            self.assertEqual(self.answered(at.post(self.sealed(s, message)), s, wire.REFUSED_BYTES), 417)


def without_last(p):
    """The final chunk as one that is not."""
    sealed = p[-1][1:]
    return [*p[:-1], foreign_ohttp.varint(len(sealed) - 1) + sealed[:-1]]


# What a relay could make of head, three chunks and the final one; the size stays.
DAMAGES = {
    "chunks swapped": lambda p: [p[0], p[2], p[1], *p[3:]],
    "a chunk twice": lambda p: [p[0], p[1], p[1], *p[3:]],
    "a chunk dropped": lambda p: [p[0], *p[2:], bytes(len(p[1]))],
    "final chunk missing": without_last,
    "final chunk first": lambda p: [p[0], p[4], p[1], p[2], p[3]],
    "final chunk twice": lambda p: [*p[:4], p[4][:len(p[4]) // 2], p[4][:len(p[4]) - len(p[4]) // 2]],
    "last chunk sent as final": lambda p: [*p[:3], b"\0" + p[3][1:], p[4][:-1] + b"\0"],
    "bytes behind the final chunk": lambda p: [*p[:4], p[4][:-8], bytes(8)],
    "final chunk cut": lambda p: [*p[:4], p[4][:20], bytes(len(p[4]) - 20)],
    "length 2^62-1": lambda p: [p[0], b"\xff" * 8, p[1][8:], *p[2:]],
    "a length above what is left": lambda p: [p[0], p[1], b"\x7f\xff" + p[2][2:], *p[3:]],
    "a chunk of 16 bytes, so an empty one": lambda p: [p[0], b"\x10" + p[1][1:], *p[2:]],
    "a chunk of 15 bytes": lambda p: [p[0], b"\x0f" + p[1][1:], *p[2:]],
    "a bit of a chunk": lambda p: [*p[:2], p[2][:-1] + bytes([p[2][-1] ^ 1]), *p[3:]],
    "a bit of the head": lambda p: [p[0][:-1] + bytes([p[0][-1] ^ 1]), *p[1:]],
    "another key": lambda p: [bytes([p[0][0] ^ 1]) + p[0][1:], *p[1:]],
}


class Damage(Fixture):
    """Requirement P.iii: a malicious relay reorders, drops, truncates and duplicates chunks."""

    def serves_on(self):
        self.assertEqual(self.cvm.asked, self.before)
        self.assertEqual(self.exchange(self.relay), b"answer")

    def test_a_changed_message_has_one_refusal_and_no_effect(self):
        answers = []
        for name, damage in DAMAGES.items():
            with self.subTest(name):
                s = self.chunked_sender()
                pieces = self.pieces(s, self.g.continuation(1), (20, 40, 60))
                body = b"".join(damage(pieces))
                self.assertEqual(len(body), 2048)
                self.assertNotEqual(body, b"".join(pieces))
                answers.append(self.g.post(body, CHUNKED))
                through = self.relay.post(body, CHUNKED)
                self.assertEqual((through.status, through.body), (422, wire.PROBLEM))
        self.one_refusal(answers, 422, wire.PROBLEM)
        self.serves_on()

    def test_a_message_that_http_does_not_end_is_none(self):
        for at in (self.g, self.relay):
            s = self.chunked_sender()
            pieces = self.pieces(s, self.g.continuation(1), (20, 40))
            for count in range(1, len(pieces) + 1):  # the last time all of it but HTTP's end
                c = Client(at)
                c.send(b"".join(pieces[:count]))
                c.socket.close()
            self.read(at.post(b"".join(pieces), CHUNKED), s, 1)  # nothing of it was used up
            self.before += 1
        self.serves_on()

    def test_a_client_that_is_killed_in_the_middle_takes_nothing_along(self):
        script = ("import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])));"
                  "s.sendall(bytes.fromhex(sys.argv[2])); print('sent', len(s.recv(1)), flush=True); s.recv(1 << 20)")
        head = (f"POST {self.relay.resource} HTTP/1.1\r\nHost: x\r\nContent-Type: {CHUNKED}\r\n"
                "Transfer-Encoding: chunked\r\n\r\n").encode()
        body = b"".join(self.pieces(self.chunked_sender(), self.g.continuation(16), ()))
        self.cvm.frames = [bytes(552), b"never"]
        self.cvm.may_end.clear()
        for sent, is_answered in ((body[:1000], False), (body, True)):
            raw = head + http_chunk(sent) + (b"0\r\n\r\n" if is_answered else b"")
            child = subprocess.Popen([sys.executable, "-c", script, str(self.relay.port), raw.hex()],
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if is_answered:
                self.assertEqual(child.stdout.readline(), b"sent 1\n")  # in the middle of its answer
                self.before += 1
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
        self.cvm.may_end.set()
        self.cvm.frames = [b"answer"]
        self.serves_on()


class SlowClients(Fixture):
    def test_who_dribbles_meets_the_deadline_and_others_are_served(self):
        s = self.chunked_sender()
        body = b"".join(self.pieces(s, self.g.continuation(1), (20, 40)))
        began = time.monotonic()
        at_gateway, at_relay = ([Client(at) for _ in range(20)] for at in (self.g, self.relay))
        slow = at_gateway + at_relay
        for c in slow:
            c.send(body[:50])
        self.assertEqual(self.exchange(self.relay), b"answer")
        for c in slow:
            if time.monotonic() - began < BODY_DEADLINE / 2:  # behind the refusal it would only be in its way
                c.send(body[50:51])  # a byte is not enough
        self.assertEqual({c.answer().status for c in at_gateway}, {408})
        # Relay and gateway wait equally long, and who of them is first is chance.
        self.assertLessEqual({c.answer().status for c in at_relay}, {408, 502})
        self.assertEqual(self.cvm.asked - self.before, 1)


class Counts(Fixture):
    def test_what_became_of_chunked_messages_is_counted(self):
        s = self.chunked_sender()
        bad = b"".join(DAMAGES["chunks swapped"](self.pieces(s, self.g.continuation(1), (20, 40, 60))))
        for _ in range(3):
            self.exchange(self.g)
            self.assertEqual(self.g.post(bad, CHUNKED).status, 422)
        good = b"".join(self.pieces(s, self.g.continuation(2), ()))
        for status in (200, 400):
            self.assertEqual(self.answered_in_chunks(self.g.post(good, CHUNKED), s, 2048, 3), status)
        self.g.http.close()
        self.g.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.g.process.wait(PATIENCE), 0)
        with open(os.path.join(self.g.home, "events"), encoding="utf-8") as f:
            events = f.read()
        self.assertRegex(events, r"event=GW_CHUNKED answered=5 cut=0\b")
        self.assertRegex(events, r"event=GW_TOTALS sessions=0 continued=4 .*replayed=1 unopened=3 malformed=0\b")
        self.assertIsNone(re.search(r"\d+\.\d+\.\d+\.\d+", events))


if __name__ == "__main__":
    unittest.main()
