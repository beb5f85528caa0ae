# SPDX-License-Identifier: Apache-2.0
"""What relay and gateway see of two different users, byte by byte; and a relay that only takes its time."""
import json
import os
import re
import signal
import subprocess
import time
import unittest

import fleet
from fleet import CANARY, Fleet

# Another chat of the same bucket, of other people, with another word that stands in no program.
OTHER_CANARY = "gramophone-isthmus-2204"
OTHER = {
    "title": "Other chat",
    "messages": [
        {"sender": "Clementina", "time": "2026-04-09T07:10:00",
         "text": f"Breakfast on Sunday at 9:30 at the harbour, and think of {OTHER_CANARY}."},
        {"sender": "Maximilian", "time": "2026-04-09T07:12:00", "text": "I will bring rolls and jam."},
        {"sender": "Clementina", "time": "2026-04-09T07:15:00", "text": "Who asks the neighbours?"},
    ],
}
NAMES = (CANARY, OTHER_CANARY, "Wilhelmina", "Bartholomew", "Clementina", "Maximilian", "projector", "harbour")


def messages(raw):
    """[(head, length of the body)] of the HTTP/1.1 messages on a connection."""
    rows = []
    while raw:
        head, found, rest = raw.partition(b"\r\n\r\n")
        assert found, raw[:100]
        length = re.search(rb"(?im)^content-length: (\d+)\r?$", head)
        length = int(length.group(1)) if length else 0
        rows.append((head, length))
        raw = rest[length:]
    return rows


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(capture=True)
        cls.fleet.__enter__()
        cls.first = cls.views_of(cls.fleet.chat)
        cls.become_another_user()
        cls.second = cls.views_of(cls.fleet.write("other.json", json.dumps(OTHER)))

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    @classmethod
    def views_of(cls, chat):
        """{(hop, way): messages} of one user: the directory, tokens, and a summary."""
        hops = ("relay", "gateway")
        before = {(hop, *key): len(raw) for hop in hops for *key, raw in cls.fleet.tap(hop)}
        done = cls.fleet.summarize(chat=chat)
        assert done.status == 0, done.out + done.err
        views = {}
        for hop in hops:
            for connection, way, raw in cls.fleet.tap(hop):
                fresh = raw[before.get((hop, connection, way), 0):]
                views.setdefault((hop, way), []).extend(messages(fresh))
        return views

    @classmethod
    def become_another_user(cls):
        """Another device: a platform key, a wallet with tokens, and a memory of its own."""
        device = os.path.join(cls.fleet.state, "device")
        for name in ("wallet", "wallet-wal", "wallet-shm", "platform.key", "marks", "bundle", "fetch_at"):
            if os.path.exists(os.path.join(device, name)):
                os.remove(os.path.join(device, name))

    def test_w4_w16_two_users_look_the_same_at_relay_and_gateway(self):
        self.assertEqual(set(self.first), {(h, w) for h in ("relay", "gateway") for w in ("up", "down")})
        self.assertEqual(self.first, self.second)

    def test_w16_every_message_is_of_its_bucket(self):
        for view in (self.first, self.second):
            self.assertEqual([n for _, n in view["gateway", "up"]], [4096, 2048])
            self.assertEqual([n for head, n in view["relay", "up"] if head.startswith(b"POST ")], [4096, 2048])
            self.assertEqual([n for _, n in view["gateway", "down"]], [32768, 8192])

    def test_w4_no_inner_byte_is_seen_at_relay_or_gateway(self):
        needles = [n.encode() for n in NAMES] + [b"pp-session", b"PrivateToken", b"authorization", b"somebody-else"]
        for hop in ("relay", "gateway"):
            for connection, way, raw in self.fleet.tap(hop):
                for needle in needles:
                    self.assertNotIn(needle, raw, f"{hop} {connection} {way}")

    def test_w5_the_relay_wrote_neither_addresses_nor_sizes_nor_times_of_requests(self):
        folder = os.path.join(self.fleet.state, "relay")
        self.assertEqual(set(os.listdir(folder)), {"config", "directory", "output"})
        with open(os.path.join(folder, "output"), encoding="ascii") as f:
            lines = f.read().splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, r"^t=\S+ level=\w+ event=(DAEMON_(STARTED|CONFINED|READY)|(RELAY|HTTP)_TOTALS)\b")
            self.assertNotRegex(line, r"127\.0\.0\.1|4096|2048|32768|8192")


class Slow(unittest.TestCase):
    def test_a_relay_that_delays_gets_nothing_and_the_summary_comes(self):
        with Fleet(capture=True) as f:
            path = os.path.join(f.state, "trust", "trust")
            with open(path, encoding="utf-8") as file:
                trust = file.read()
            url = re.search(r"(?m)^relay = (.*)$", trust).group(1)
            config = f.write("config", f"environment = dev\nlisten = 127.0.0.1:0\nrelay = {url}\nmode = delay\n")
            out, into = os.pipe()
            with open(os.path.join(f.folder, "output"), "wb") as output:
                p = subprocess.Popen([os.path.join(fleet.BIN, "pp-adversary-relay"), "--config", config,
                                      "--ready-fd", str(into)], pass_fds=[into], stdout=output, stderr=output)
            os.close(into)
            try:
                with os.fdopen(out, encoding="ascii") as told:
                    port = re.search(r":(\d+)", told.read()).group(1)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(trust.replace(f"relay = {url}", f"relay = http://127.0.0.1:{port}/ohttp"))
                begun = time.monotonic()
                done = f.summarize()
                self.assertGreater(time.monotonic() - begun, 1.5)
                self.assertEqual(done.status, 0, done.out + done.err)
                self.assertTrue(done.json["verified"])
                for hop in f.taps():
                    for connection, way, raw in f.tap(hop):
                        self.assertNotIn(CANARY.encode(), raw, f"{hop} {connection} {way}")
            finally:
                p.send_signal(signal.SIGTERM)
                p.wait(60)
