# SPDX-License-Identifier: Apache-2.0
"""An orchestrator, its guard and its predictor: three confidential VMs over mutually attested sessions, and hosts that
play with them. docs/protocol/backends.md"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

from fleet import BIN, CANARY, CHAT, Fleet, alive

OPEN, CONTINUE = 1, 2
CALL_OPEN_S = 10  # how long a worker waits for a back-end's first flight
FLIGHT_MORE = 16  # bytes by which first flights differ: two DER signatures


def frames(raw, what):
    """[(op or status, tag, length)] of whole frames of one direction of a connection."""
    found, at = [], 0
    while at + 25 <= len(raw):
        kind, tag, size = raw[at], *struct.unpack_from(">I", raw, at + 1), *struct.unpack_from(">I", raw, at + 21)
        if at + 25 + size > len(raw):
            break
        found.append((kind, tag, size))
        at += 25 + size
    assert at == len(raw), f"{what} are no frames"
    return found


def chat_of(text, times=1):
    return json.dumps({**CHAT, "messages": [{**CHAT["messages"][0], "text": text}] * times + CHAT["messages"][1:]})


class Replayer:
    """Stands where the predictor does, and answers every `open` with the flight that it has once seen."""

    def __init__(self, to):
        self.to, self.flight, self.opens, self.continues = to, None, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def read_frame(self, s):
        head = s.recv(25, socket.MSG_WAITALL)
        if len(head) < 25:
            raise EOFError
        size = struct.unpack_from(">I", head, 21)[0]
        return head, s.recv(size, socket.MSG_WAITALL) if size else b""

    def run(self):
        while True:
            guest, _ = self.listener.accept()
            host, port = self.to.rsplit(":", 1)
            behind = socket.create_connection((host, int(port)))
            try:
                while True:
                    head, body = self.read_frame(guest)
                    self.opens += head[0] == OPEN
                    self.continues += head[0] == CONTINUE
                    if head[0] == OPEN and self.flight:
                        guest.sendall(b"\x01" + head[1:5] + self.flight[5:])
                        continue
                    behind.sendall(head + body)
                    answer = b"".join(self.read_frame(behind))
                    if head[0] == OPEN:
                        self.flight = answer
                    guest.sendall(answer)
            except (EOFError, OSError):
                guest.close()
                behind.close()


class BackendsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(capture=True)
        done = cls.fleet.up("--backends")
        assert done.status == 0, done.err + done.out
        cls.started = []

    @classmethod
    def tearDownClass(cls):
        for pid in cls.started:
            if alive(pid):
                os.kill(pid, signal.SIGTERM)
        cls.fleet.__exit__()

    # --- a host that does something else -------------------------------------------------------------------------

    def home(self, party, *names):
        return os.path.join(self.fleet.state, party, *names)

    def stop_party(self, party):
        pids = [int(p) for p in filter(str.isdigit, os.listdir("/proc")) if self.is_host(p, party)]
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + 60
        while any(map(alive, pids)):
            assert time.monotonic() < until, "a host does not end"
            time.sleep(0.02)

    def is_host(self, pid, party):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            return False
        return words[0].endswith(b"pp-hostd") and any(w.startswith(self.home(party).encode() + b"/") for w in words)

    def restart(self, party, **changes):
        """Its host again, at the same address, with other lines in its configuration."""
        self.stop_party(party)
        with open(self.home(party, "config"), encoding="utf-8") as f:
            lines = [row for row in f.read().splitlines() if row.split(" = ")[0] not in changes]
        lines += [f"{k} = {v}" for k, v in {"listen": self.fleet.listens(party), **changes}.items()]
        path = self.home(party, "config.test")
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        shutil.copystat(self.home(party, "config"), path)
        st = os.stat(self.home(party, "config"))
        os.chown(path, st.st_uid, st.st_gid)
        ready, theirs = os.pipe()
        words = [os.path.join(BIN, "pp-hostd"), "--config", path, "--ready-fd", str(theirs)]
        pid = subprocess.Popen(words, pass_fds=[theirs], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid
        self.started.append(pid)
        os.close(theirs)
        with os.fdopen(ready, encoding="utf-8") as f:
            self.assertIn("ready", f.read(), party)

    def changed(self, party, name, at, to):
        """A copy of a file of a host with one byte changed."""
        with open(self.home(party, name), "rb") as f:
            content = bytearray(f.read())
        content[at] = to
        path = self.home(party, name + ".test")
        with open(path, "wb") as f:
            f.write(content)
        shutil.copystat(self.home(party, name), path)
        st = os.stat(self.home(party, name))
        os.chown(path, st.st_uid, st.st_gid)
        return name + ".test"

    # --- what happened ---------------------------------------------------------------------------------------------

    def seen(self, party):
        """Frames that went to a back-end, and their answers, over all its connections."""
        rows = self.fleet.tap(party)
        return [x for _, way, raw in rows if way == "up" for x in frames(raw, party)], \
               [x for _, way, raw in rows if way == "down" for x in frames(raw, party)]

    def count(self, party, op):
        return sum(kind == op for kind, _, _ in self.seen(party)[0])

    def summarize(self, text=None, **kwargs):
        chat = None if text is None else self.fleet.write("other.json", chat_of(text))
        return self.fleet.summarize(chat=chat, **kwargs)

    def assert_fails(self, code="ANSWER_FAILED"):
        done = self.summarize()
        self.assertEqual((done.status, done.code), (1, code), done.out + done.err)
        return done

    def assert_works(self):
        done = self.summarize()
        self.assertEqual(done.status, 0, done.out + done.err)
        return done.json

    # --- tests -----------------------------------------------------------------------------------------------------

    def test_guard_predictor_and_guard_take_part_and_the_receipt_holds_the_chain(self):
        receipt = os.path.join(self.fleet.folder, "chain.receipt")
        done = self.fleet.summarize("--receipt", receipt)
        self.assertEqual(done.status, 0, done.out + done.err)
        used = done.json["backends"]
        self.assertEqual([role for role, _ in used], ["guard", "predictor", "guard"])
        self.assertIn("library", done.json["summary"])
        verified = self.fleet.run("verify", "receipt", receipt, "--json")
        self.assertEqual((verified.status, verified.json["verdict"]), (0, "accept"), verified.out)
        rows = [c for c in verified.json["checks"] if c["code"] == "BACKEND" and c["verdict"] == "asserted"]
        self.assertEqual([c["anchor"] for c in rows], ["guard", "predictor", "guard"])
        for party in ("guard", "predictor"):
            for _, _, raw in self.fleet.tap(party):
                self.assertNotIn(CANARY.encode(), raw)

    def test_w16_one_size_between_the_machines_for_one_bucket_whatever_is_in_it(self):
        shapes = []
        for text in ("Short.", "xyzzy: nothing with this word passes", "A longer one " * 12):
            before = {p: [len(side) for side in self.seen(p)] for p in ("guard", "predictor")}
            self.summarize(text)
            shapes.append({p: [side[n:] for side, n in zip(self.seen(p), before[p])] for p in before})
        for party in ("guard", "predictor"):
            up = [[(kind, size) for kind, _, size in shape[party][0]] for shape in shapes]
            down = [[size for _, _, size in shape[party][1]] for shape in shapes]
            self.assertEqual(up[0], up[1], party)
            self.assertEqual(up[0], up[2], party)
            self.assertEqual(len(up[0]), 4 if party == "guard" else 2)
            for other in down[1:]:
                self.assertEqual(len(other), len(down[0]))
                for a, b in zip(down[0], other):
                    self.assertTrue(a == b or (a > 28672 and abs(a - b) <= FLIGHT_MORE), (party, a, b))

    def test_what_the_guard_blocks_is_refused_and_the_predictor_is_not_shown_it(self):
        done = self.summarize("The word is Xyzzy, and it is blocked.")
        self.assertEqual((done.status, done.code), (1, "ANSWER_REFUSED"), done.out + done.err)
        self.assert_works()

    def test_w20_t2_a_host_that_swaps_guard_and_predictor_gets_nothing_out_of_either(self):
        here = {p: self.fleet.listens(f"tap-{p}") for p in ("guard", "predictor")}
        before = {p: self.count(p, CONTINUE) for p in here}
        self.restart("host", guard=here["predictor"], predictor=here["guard"])
        try:
            self.assert_fails()
            self.assertEqual({p: self.count(p, CONTINUE) for p in here}, before)  # no request left the orchestrator
        finally:
            self.restart("host")
        self.assert_works()

    def test_a_predictor_of_an_unpublished_measurement_is_sent_nothing(self):
        before = self.count("predictor", CONTINUE)
        self.restart("predictor", firmware=self.changed("predictor", "firmware", 0, 1))
        try:
            self.assert_fails()
            self.assertEqual(self.count("predictor", CONTINUE), before)
        finally:
            self.restart("predictor")
        self.assert_works()

    def test_a_debuggable_predictor_is_sent_nothing(self):
        before = self.count("predictor", CONTINUE)
        self.restart("predictor", policy="00000000000f0000")
        try:
            self.assert_fails()
            self.assertEqual(self.count("predictor", CONTINUE), before)
        finally:
            self.restart("predictor")

    def test_a_predictor_that_nobody_named_is_not_asked(self):
        opens = self.count("predictor", OPEN)
        path = self.without_predictor()
        self.restart("host", hints=path)
        try:
            self.assertEqual([role for role, _ in self.assert_works()["backends"]], ["guard", "guard"])
            self.assertEqual(self.count("predictor", OPEN), opens)
        finally:
            self.restart("host")

    def without_predictor(self):
        """The orchestrator's hints with one back-end less: key 11 has one entry in the place of two."""
        with open(self.home("host", "hints"), "rb") as f:
            hints = f.read()
        at = hints.index(b"\x0b\x82\x82\x65guard")
        entry = hints.index(b"\x82\x69predictor", at)
        hints = hints[:at + 1] + b"\x81" + hints[at + 2:entry] + hints[entry + 2 + 9 + 2 + 32 - 1 + 1:]
        path = self.home("host", "hints.test")
        with open(path, "wb") as f:
            f.write(hints)
        st = os.stat(self.home("host", "hints"))
        os.chmod(path, 0o600)
        os.chown(path, st.st_uid, st.st_gid)
        return "hints.test"

    def test_a_dead_predictor_is_a_failed_answer_of_the_same_size_and_comes_back(self):
        def answered():
            return sum(len(raw) for _, way, raw in self.fleet.tap("gateway") if way == "down")
        self.assert_works()  # whatever a first session has more
        before = answered()
        self.assert_works()
        of_a_good_one = answered() - before
        self.assertGreater(of_a_good_one, 32768)
        self.stop_party("predictor")
        took = []
        try:
            while not took or min(took) > CALL_OPEN_S / 2 and len(took) < 5:  # a busy machine may be slow by itself
                before = answered()
                begun = time.monotonic()
                done = self.assert_fails()
                took.append(time.monotonic() - begun)
                self.assertGreater(done.json["sent_user_bytes"], 0)
                self.assertEqual(answered() - before, of_a_good_one)
            self.assertLess(min(took), CALL_OPEN_S, "nobody waits for who is not there")
        finally:
            self.restart("predictor")
        self.assert_works()

    def test_evidence_of_an_earlier_session_is_of_no_use_to_a_host(self):
        between = Replayer(self.fleet.listens("predictor"))
        self.restart("host", predictor=f"127.0.0.1:{between.port}")
        try:
            self.assert_works()  # and the flight is kept
            self.assert_fails()
            self.assertEqual((between.opens, between.continues), (2, 1))
        finally:
            self.restart("host")
        self.assert_works()


class OneMachineTest(unittest.TestCase):
    def test_without_back_ends_the_orchestrator_answers_alone(self):
        with Fleet() as fleet:
            done = fleet.summarize()
            self.assertEqual((done.status, "backends" in done.json), (0, False), done.out + done.err)

    def test_a_clock_of_the_hosts_that_is_wrong_by_ten_years_changes_nothing(self):
        fleet = Fleet()
        fleet.keep_vendor = lambda: None  # who is made at that time is of no use to other tests
        # The VMs live in the machine's time; a month less than ten years, for that is how long the simulated root lasts.
        fleet.set_clock(time.time() + (10 * 365 - 30) * 86400)
        try:
            if Fleet.vendor:
                shutil.copytree(Fleet.vendor, os.path.join(fleet.state, "simulated-vendor"))
            up = fleet.up("--backends")
            self.assertEqual(up.status, 0, up.out + up.err)
            done = fleet.summarize()
            self.assertEqual((done.status, [r for r, _ in done.json["backends"]]),
                             (0, ["guard", "predictor", "guard"]), done.out + done.err)
        finally:
            fleet.__exit__()


if __name__ == "__main__":
    unittest.main()
