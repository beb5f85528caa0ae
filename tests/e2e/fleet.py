# SPDX-License-Identifier: Apache-2.0
"""A fleet in a temporary folder, for the end-to-end tests: real programs, real sockets."""
import atexit
import glob
import json
import os
import shutil
import ssl
import struct
import subprocess
import tempfile
import time

from foreign_device import cbor, read_cbor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("PP_BIN", os.path.join(ROOT, "build", "bin"))
PPCTL = os.path.join(BIN, "ppctl")
VENDOR = "simulated-vendor"
DAY = 86400

# Words that stand in no program, only in the chat below: seen anywhere else, they leaked.
CANARY = "xylophone-quagmire-7431"
CHAT = {
    "title": "Canary chat",
    "messages": [
        {"sender": "Wilhelmina", "time": "2026-03-02T18:00:00",
         "text": f"We meet on Friday at 18:00 in the library. The word is {CANARY}."},
        {"sender": "Bartholomew", "time": "2026-03-02T18:01:00", "text": "Great, I'll bring the projector."},
        {"sender": "Wilhelmina", "time": "2026-03-02T18:02:00", "text": "Who books the room?"},
        {"sender": "Bartholomew", "time": "2026-03-02T18:03:00", "text": "I can do that today."},
    ],
}


class Result:
    """What a run of ppctl gave."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def code(self):
        """The local code of a refusal, or None."""
        return self.json.get("error", {}).get("code")


def ppctl(*args, env=None, timeout=180, cwd=None):
    """Runs ppctl with an environment that holds nothing but what is given."""
    keep = {k: v for k, v in os.environ.items()
            if k in ("PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
    keep.update(env or {})
    return Result(subprocess.run([PPCTL, *map(str, args)], text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=keep, timeout=timeout, cwd=cwd))


def link_or_copy(source, target):
    """Programs in a folder of a test's own, which may be on another file system."""
    try:
        return os.link(source, target)
    except OSError:
        return shutil.copy2(source, target)


def children(pid):
    """The processes that a process started and that are still there."""
    found = []
    for other in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{other}/stat", encoding="utf-8") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(other))
        except OSError:
            pass
    return found


def alive(pid):
    """Whether it runs: what nobody has asked the end of yet does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


NEAR = 600  # seconds around midnight in which a device may spend tokens of both days (docs/protocol/tokens.md)
HOUR = 3600


def same_day(seconds):
    """Waits for midnight (UTC) where so little is left of a day that a test of its epochs could pass it."""
    left = DAY - time.time() % DAY
    if left < seconds:
        time.sleep(left + 1)


class Fleet:
    """`with Fleet() as f:` starts one, stops it, and removes its folder."""

    vendor = None  # two RSA-4096 keys take seconds: all fleets of a run have the first one's simulated vendor

    def __init__(self, fault=None, capture=False):
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-")
        atexit.register(self.__exit__)  # for a suite that is ended itself, where no tearDown runs
        os.chmod(self.folder, 0o711)
        self.state = os.path.join(self.folder, "state")
        self.chat = self.write("chat.json", json.dumps(CHAT))
        self.fault, self.capture = fault, capture

    def keep_from_midnight(self):
        """For a test that counts tokens: before it is up, so that its device spends those of one day alone."""
        now = time.time()
        if DAY - now % DAY < HOUR:
            self.set_clock(now - HOUR)
        elif now % DAY < HOUR:
            self.set_clock(now + HOUR)

    def keep_from_the_hour(self):
        """Before it is up: on the hour the log adds a status record, and tests count what is in it."""
        if HOUR - self.now() % HOUR < HOUR / 4:
            self.set_clock(self.now() - HOUR / 4)

    def set_clock(self, posix_s):
        """From now on this is the time in the fleet and for ppctl on it; before `up` for the first time."""
        os.makedirs(self.state, 0o711, exist_ok=True)
        fd = os.open(os.path.join(self.state, "clock"), os.O_RDWR | os.O_CREAT, 0o644)
        os.pwrite(fd, struct.pack("=q", round((posix_s - time.time()) * 1000)), 0)
        os.close(fd)

    def clock_fd(self):
        """The clock that set_clock() made, for --clock-fd of a daemon; None: the machine's."""
        try:
            return os.open(os.path.join(self.state, "clock"), os.O_RDONLY)
        except FileNotFoundError:
            return None

    def now(self):
        """What the fleet's clock says, in POSIX seconds."""
        try:
            with open(os.path.join(self.state, "clock"), "rb") as f:
                return time.time() + struct.unpack("=q", f.read())[0] / 1000
        except FileNotFoundError:
            return time.time()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        mode = "wb" if isinstance(text, bytes) else "w"
        with open(path, mode, **({} if mode == "wb" else {"encoding": "utf-8"})) as f:
            f.write(text)
        return path

    def make_state(self):
        """The state folder as it is before a start."""
        os.mkdir(self.state, 0o711)
        if Fleet.vendor:
            shutil.copytree(Fleet.vendor, os.path.join(self.state, VENDOR))

    def keep_vendor(self):
        Fleet.vendor = os.path.join(tempfile.mkdtemp(prefix="pp-e2e-vendor-"), VENDOR)
        atexit.register(shutil.rmtree, os.path.dirname(Fleet.vendor))
        shutil.copytree(os.path.join(self.state, VENDOR), Fleet.vendor)

    def up(self, *args):
        words = ["up", "--state", self.state, "--json", *args]
        if self.fault:
            words += ["--fault", self.fault]
        if self.capture:
            words += ["--capture"]
        if not os.path.exists(self.state):
            self.make_state()
            self.keep_from_the_hour()
        done = ppctl(*words)
        slow_key = os.path.join(self.state, VENDOR, "root", "ark.key")  # the vendor of TDX makes its keys at once
        if done.status == 0 and not (self.fault or Fleet.vendor) and os.path.exists(slow_key):
            self.keep_vendor()
        return done

    def down(self):
        return ppctl("down", "--state", self.state)

    def run(self, *args, **kwargs):
        return ppctl(*args, "--state", self.state, **kwargs)

    def summarize(self, *args, chat=None, **kwargs):
        return self.run("summarize", chat or self.chat, "--json", *args, **kwargs)

    def pem(self, name, *roots):
        """Certificates of STATE/trust as a PEM file."""
        text = ""
        for root in roots:
            with open(os.path.join(self.state, "trust", root), "rb") as f:
                text += ssl.DER_cert_to_PEM_cert(f.read())
        return self.write(name, text)

    def evidence(self, receipt):
        """What a receipt holds of its session: Evidence, the options that name the session, the bundle as an option."""
        with open(receipt, "rb") as f:
            held, _ = read_cbor(f.read())
        ekm, spki = held[5]
        return held[4], ["--ekm", ekm.hex(), "--spki", spki.hex()], ["--bundle", self.write("bundle", cbor(held[3]))]

    def parties(self):
        with open(os.path.join(self.state, "fleet.json"), encoding="utf-8") as f:
            return {p["name"]: p for p in json.load(f)["parties"]}

    def pids(self):
        return {name: p["pid"] for name, p in self.parties().items()}

    def listens(self, party):
        """The first address of a party: 127.0.0.1:PORT."""
        return next(iter(self.parties()[party]["listens"].values()))

    def tap(self, party):
        """[(connection, direction, bytes)] of what passed before a party."""
        rows = []
        for path in sorted(glob.glob(os.path.join(self.state, f"tap-{party}", "*"))):
            name = os.path.basename(path)
            if name.endswith((".up", ".down")):
                with open(path, "rb") as f:
                    rows.append((*name.split("."), f.read()))
        return rows

    def taps(self):
        return sorted(os.path.basename(p)[4:] for p in glob.glob(os.path.join(self.state, "tap-*")))

    def __enter__(self):
        done = self.up()
        if done.status != 0:
            err = done.err + done.out
            self.__exit__(None, None, None)
            raise AssertionError(f"up failed with {done.status}: {err[-2000:]}")
        return self

    def __exit__(self, *_):
        atexit.unregister(self.__exit__)
        if os.path.exists(os.path.join(self.state, "fleet.json")):
            self.down()
        shutil.rmtree(self.folder, ignore_errors=True)


def posts(raw):
    """Bodies of the HTTP/1.1 requests on one captured connection."""
    bodies = []
    while raw:
        head, found, rest = raw.partition(b"\r\n\r\n")
        if not found:
            break
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        if head.startswith(b"POST "):
            bodies.append(rest[:length])
        raw = rest[length:]
    return bodies


def frames(raw):
    """(op, tag, length) of the gateway's requests to a CVM (pp-wire 4)."""
    rows = []
    while len(raw) >= 25:
        length = int.from_bytes(raw[21:25], "big")
        rows.append((raw[0], int.from_bytes(raw[1:5], "big"), length))
        raw = raw[25 + length:]
    return rows
