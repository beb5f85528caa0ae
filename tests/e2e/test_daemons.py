# SPDX-License-Identifier: Apache-2.0
"""Every daemon alone: what it says when something is wrong, how it begins and ends, what it may do.

The folders are those of a fleet that `ppctl up` set up, each daemon started by hand on a copy."""
import functools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import fleet
from fleet import BIN, Fleet, ppctl

PATIENCE = 60
PROGRAMS = {"issuer": "pp-issuerd", "relay": "pp-relayd", "gateway": "pp-gatewayd", "log": "pp-logd",
            "witness1": "pp-witnessd", "record-witness": "pp-witnessd", "host": "pp-hostd"}
# Files and folders that a configuration names (or the home has), and whether they hold a secret.
FILES = {"issuer": {"assertion.key": True, "keys": False},
         "gateway": {"ohttp_keys": False, "token_keys": False, "handle_keys/1.key": True},
         "log": {"key": True, "policy": False, "owner.policy": False, "review.policy": False},
         "witness1": {"key": True},
         "record-witness": {"key": True, "owner.policy": False, "review.policy": False},
         "host": {"program": False, "cvm.config": False, "firmware": False, "chip": False, "hints": False}}
LISTS = {"log", "cvm", "handle_key", "assertion_key"}  # keys that may stand more than once
IS_ROOT = os.geteuid() == 0
MAKES_CHILDREN = 1 << 5 | 1 << 6 | 1 << 7  # CAP_KILL, CAP_SETGID, CAP_SETUID
with open(os.path.join(BIN, "pp-relayd"), "rb") as program:
    SANITIZED = b"__asan_init" in program.read()  # sanitizer builds leave the system call lists out


def setUpModule():
    global template
    template = Fleet()
    template.keep_from_midnight()
    template.__enter__()
    template.down()


def tearDownModule():
    template.__exit__()


class Home:
    """A copy of one party's folder, and its daemon."""

    def __init__(self, party):
        self.party, self.program = party, os.path.join(BIN, PROGRAMS[party])
        self.outside = tempfile.mkdtemp(prefix="pp-e2e-daemon-")
        os.chmod(self.outside, 0o711)
        self.folder = os.path.join(self.outside, party)
        subprocess.run(["cp", "-a", os.path.join(template.state, party), self.folder], check=True)
        self.config = os.path.join(self.folder, "config")
        # The log's port was chosen for its fleet; here any free one will do.
        self.lines = [line for line in self.read("config").splitlines() if not line.startswith("listen")]
        self.process = self.told = None
        self.save()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()
        shutil.rmtree(self.outside, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def save(self, *more):
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in (*self.lines, *more)))

    def keys(self):
        return [line.split(" = ")[0] for line in self.lines if " = " in line]

    def without(self, key):
        self.lines = [line for line in self.lines if not line.startswith(key + " =")]
        return self

    def run(self, *args):
        """Runs to the end: for what is wrong from the beginning."""
        done = subprocess.run([self.program, "--config", self.config, *args], text=True, timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stderr

    def start(self):
        out, into = os.pipe()
        clock = template.clock_fd()
        fds = [into] if clock is None else [into, clock]
        args = [] if clock is None else ["--clock-fd", str(clock)]
        with open(os.path.join(self.outside, "events"), "ab") as events:
            self.process = subprocess.Popen([self.program, "--config", self.config, "--ready-fd", str(into), *args],
                                            pass_fds=fds, stdout=events, stderr=events)
        for fd in fds:
            os.close(fd)
        told = b""
        while not told.endswith(b"ready\n"):
            assert select.select([out], [], [], PATIENCE)[0], "not ready in time"
            more = os.read(out, 4096)
            if not more:
                break
            told += more
        os.close(out)
        self.told = told.decode()
        return self

    def events(self):
        with open(os.path.join(self.outside, "events"), encoding="utf-8") as f:
            return f.read()


def words_of(text):
    """The lines of a refusal behind its first one."""
    return dict(re.findall(r"^  (\w+): +(.*)$", text, re.M))


def help_of(party):
    done = subprocess.run([os.path.join(BIN, PROGRAMS[party]), "--help"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    keys = dict(re.findall(r"^  ([a-z_]+) +(.*)$", done.stdout.split("one `key = value` a line")[1], re.M))
    return done, keys


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return {k: v.strip() for k, v in (line.split(":", 1) for line in f.read().splitlines())}


def family(pid):
    return [pid, *(p for c in fleet.children(pid) for p in family(c))]


def of_every_party(test):
    """The test, with a home of each party in turn."""
    @functools.wraps(test)
    def run(self):
        for party in PROGRAMS:
            with self.subTest(party=party), Home(party) as home:
                test(self, party, home)
    return run


class EveryDaemon(unittest.TestCase):
    def refused(self, home, field, code="CONFIG", status=2, got=None, line=None):
        """A refusal: who, what, where, which field, what was expected, what was there, what to do."""
        returned, err = home.run()
        self.assertEqual(returned, status, err)
        self.assertRegex(err, rf"(?m)^{os.path.basename(home.program)}: .+ \({code}\)$")
        words = words_of(err)
        self.assertIn(field, words.get("field", ""), err)
        self.assertTrue(words["expected"] and words["do"], err)
        if code == "CONFIG":
            self.assertEqual(words["file"], home.config + (f", line {line}" if line else ""), err)
        if got is not None:
            self.assertIn(got, words["got"], err)
        return words

    # --- the call ------------------------------------------------------------------------------
    @of_every_party
    def test_help_names_every_key_and_ends_with_0(self, party, home):
        done, keys = help_of(party)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLessEqual({"environment", "listen", "user", "stop_ms", *home.keys()}, set(keys))
        self.assertTrue(all(keys.values()))
        self.assertIn("exit status:", done.stdout)

    def test_help_of_the_cvm_names_every_key_of_its_measured_configuration(self):
        done = subprocess.run([os.path.join(BIN, "pp-cvmd"), "--help"], text=True, stdout=subprocess.PIPE)
        self.assertEqual(done.returncode, 0)
        with Home("host") as home:
            for line in home.read("cvm.config").splitlines():
                if " = " in line:
                    self.assertIn(f"\n  {line.split(' = ')[0]} ", done.stdout)

    def test_the_version_names_the_program(self):
        for name in sorted({*PROGRAMS.values(), "pp-cvmd"}):
            path = os.path.join(BIN, name)
            done = subprocess.run([path, "--version"], text=True, stdout=subprocess.PIPE)
            self.assertEqual(done.returncode, 0)
            self.assertIn(name, done.stdout)

    @of_every_party
    def test_a_wrong_option_is_refused(self, party, home):
        for args in ([], ["--config"], ["--nonsense"], ["--config", "/proc/none/config"]):
            done = subprocess.run([home.program, *args], text=True, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn("(USAGE)", done.stderr)
            self.assertTrue(words_of(done.stderr)["field"].startswith("--"), done.stderr)

    # --- the configuration ---------------------------------------------------------------------
    @of_every_party
    def test_an_unknown_key_is_refused_by_name_and_line(self, party, home):
        home.save("colour = red")
        self.refused(home, "colour", got="an unknown key", line=len(home.lines) + 1)

    @of_every_party
    def test_a_repeated_key_is_refused(self, party, home):
        for line in [x for x in home.lines if " = " in x]:
            key = line.split(" = ")[0]
            if key not in LISTS:
                home.save(line)
                self.refused(home, key, got="a second time", line=len(home.lines) + 1)

    @of_every_party
    def test_a_missing_mandatory_key_is_refused(self, party, home):
        mandatory = [k for k, what in help_of(party)[1].items() if what.endswith("; mandatory")]
        self.assertIn("environment", mandatory)
        lines = home.lines
        for key in mandatory:
            home.without(key).save()
            self.refused(home, key, got="(missing)")
            home.lines = lines

    @of_every_party
    def test_a_number_out_of_range_is_refused(self, party, home):
        numbers = [k for k, what in help_of(party)[1].items() if re.search(r"; default: \d+$", what)]
        self.assertIn("stop_ms", numbers)
        lines = home.lines
        for key in numbers:
            for value in ("99999999999999999999", "1000000000", "-1", "0x10", "ten", ""):
                home.without(key).save(f"{key} = {value}")
                self.refused(home, key, got=value, line=len(home.lines) + 1)
                home.lines = lines

    @of_every_party
    def test_wrong_words_are_refused(self, party, home):
        lines = home.lines
        for key, value in (("environment", "nowhere"), ("listen", "localhost:80"), ("listen", "127.0.0.1"),
                           ("listen", "127.0.0.1:65536"), ("listen", "8.8.8.8:80"),
                           ("listen", "unix:/proc/none/folder/socket"), ("user", "no-such-user")):
            if key == "user" and not IS_ROOT:
                continue
            home.without(key).save(f"{key} = {value}")
            self.refused(home, key, got=value)
            home.lines = lines

    @of_every_party
    def test_what_is_no_configuration_is_refused(self, party, home):
        for content, field in ((b"environment\n", "environment"), (b"\xff\xfe = 1\n", "(file)"),
                               (b"a = \x01\n", "a = "), (b"#" * 65537, "--config"), (b"", "environment")):
            with open(home.config, "wb") as f:
                f.write(content)
            self.refused(home, field, code="USAGE" if field == "--config" else "CONFIG",
                         line=1 if field in ("environment", "a = ") and content else None)

    @of_every_party
    def test_a_configuration_that_cannot_be_read_is_named(self, party, home):
        os.unlink(home.config)
        self.refused(home, "--config", code="USAGE", got=home.config + ": no such file")
        os.mkdir(home.config)
        self.refused(home, "--config", code="USAGE", got=home.config)

    @of_every_party
    def test_check_says_what_is_wrong_and_starts_nothing(self, party, home):
        self.assertEqual(home.run("--check"), (0, ""))
        home.save("colour = red")
        self.assertEqual(home.run("--check")[0], 2)

    # --- files ---------------------------------------------------------------------------------
    @of_every_party
    def test_a_missing_file_is_named(self, party, home):
        for name in FILES.get(party, ()):
            os.rename(home.path(name), os.path.join(home.outside, "away"))
            words = self.refused(home, "")
            self.assertIn(name, words["field"] + words["got"])
            os.rename(os.path.join(home.outside, "away"), home.path(name))

    @of_every_party
    def test_a_file_that_cannot_be_read_is_named(self, party, home):
        for name in FILES.get(party, ()):
            path, away = home.path(name), os.path.join(home.outside, "away")
            if IS_ROOT:  # who may read everything still cannot read a folder as a file, nor the reverse
                os.rename(path, away)
                (lambda p: open(p, "wb").close() if os.path.isdir(away) else os.mkdir(p))(path)
            else:
                os.chmod(path, 0)
            words = self.refused(home, "")
            self.assertIn(name, words["field"] + words["got"])
            if IS_ROOT:
                (os.unlink if os.path.isfile(path) else os.rmdir)(path)
                os.rename(away, path)
            else:
                os.chmod(path, 0o700)

    @of_every_party
    def test_a_file_with_another_content_is_named(self, party, home):
        for name in FILES.get(party, ()):
            path = home.path(name)
            if name in ("hints", "program", "cvm.config"):  # measured and judged by others
                continue
            where = [path] if os.path.isfile(path) else [os.path.join(path, n) for n in sorted(os.listdir(path))]
            kept = {p: open(p, "rb").read() for p in where}
            for p in where:
                with open(p, "wb") as f:
                    f.write(b"nonsense\n")
            words = self.refused(home, "")
            self.assertIn(os.path.basename(where[0]) if name.endswith("keys") else name.split(".")[0],
                          words["field"] + words["got"] + words["expected"])
            for p, content in kept.items():
                with open(p, "wb") as f:
                    f.write(content)

    @of_every_party
    def test_a_secret_that_others_may_read_is_refused(self, party, home):
        for name, is_secret in FILES.get(party, {}).items():
            if is_secret:
                os.chmod(home.path(name), 0o644)
                self.assertIn("0600", self.refused(home, name)["expected"])
                os.chmod(home.path(name), 0o600)

    def test_a_store_that_is_none_is_named(self):
        for party, name in (("issuer", "counts.db"), ("gateway", "spent/spent.db")):
            with self.subTest(party=party), Home(party) as home:
                with open(home.path(name), "wb") as f:
                    f.write(b"nonsense" * 1000)
                self.refused(home, name, code="STORE", status=1)

    def test_a_log_that_lost_a_part_is_not_served(self):
        with Home("log") as home:
            os.unlink(home.path("signed"))
            self.refused(home, "folder", code="NOT_FOUND", status=1)

    def test_a_witness_that_lost_its_states_does_not_start_over(self):
        with Home("witness1") as home:
            shutil.rmtree(home.path("states"))
            self.assertIn("No such file", self.refused(home, "states", code="SYSTEM", status=1)["reason"])

    def test_a_machine_whose_guest_refuses_its_configuration_ends_and_says_so(self):
        changes = (lambda t: t + "colour = red\n", lambda t: t + t.splitlines(True)[-1], lambda t: "",
                   lambda t: t.replace("sessions_max = 4096", "sessions_max = 4097"), lambda t: "x" * 5000)
        for change in changes:
            with Home("host") as home:
                with open(home.path("cvm.config"), encoding="utf-8") as f:
                    text = change(f.read())
                with open(home.path("cvm.config"), "w", encoding="utf-8") as f:
                    f.write(text)
                status, err = home.run()
                self.assertIn(status, (1, 2), err)
                if status == 1:
                    self.assertRegex(err, r"party=cvm code=(CONFIG|LIMIT)")
                    self.assertRegex(err, r"(?m)^pp-hostd: .+ \(CHILD\)$")

    # --- what is taken already -----------------------------------------------------------------
    @of_every_party
    def test_a_taken_port_is_refused_as_such(self, party, home):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            address = "127.0.0.1:%d" % s.getsockname()[1]
            home.save(f"listen = {address}")
            self.refused(home, "listen", code="PORT_TAKEN", got=address)

    def test_a_folder_in_use_is_refused_and_its_owner_undisturbed(self):
        for party in ("log", "witness1", "record-witness"):
            with self.subTest(party=party), Home(party) as home:
                home.start()
                self.assertIn("ready\n", home.told, home.events())
                self.refused(home, "", code="STATE_IN_USE", got="in use")
                home.process.send_signal(signal.SIGTERM)
                self.assertEqual(home.process.wait(PATIENCE), 0, home.events())

    # --- beginning, rights, end ----------------------------------------------------------------
    @of_every_party
    def test_it_is_ready_drops_its_rights_and_ends_with_0_when_asked(self, party, home):
        home.start()
        self.assertRegex(home.told, r"\A(listen [a-z]+ 127\.0\.0\.1:\d+\n)+ready\n\Z", home.events())
        members = family(home.process.pid)
        self.assertGreater(len(members), 3 if party == "host" else 0)
        for pid in members:
            status = status_of(pid)
            name = f"{party}: {status['Name']}"
            # In a VM the first processes are root; here they keep the number, and what makes children
            # (and their users) needs three capabilities. Who waits outside for it needs none.
            is_first = status["Name"] in ("pp-cvmd", "pp-cvm-super")
            may = MAKES_CHILDREN if status["Name"] == "pp-cvm-super" else 0
            self.assertEqual(status["NoNewPrivs"], "1", name)
            self.assertEqual(status["Seccomp"], "0" if SANITIZED else "2", name)
            self.assertEqual(int(status["CapEff"], 16) & ~may, 0, name)
            self.assertEqual(int(status["CapPrm"], 16) & ~may, 0, name)
            if IS_ROOT and not is_first:
                self.assertNotIn("0", status["Uid"].split(), name)
                self.assertNotIn("0", status["Gid"].split(), name)
                self.assertEqual(set(status["Groups"].split()) - set(status["Gid"].split()), set(), name)
        home.process.send_signal(signal.SIGTERM)
        self.assertEqual(home.process.wait(PATIENCE), 0, home.events())
        self.assertEqual([p for p in members[1:] if fleet.alive(p)], [])
        self.assertIn("event=DAEMON_STOPPING", home.events())

    def test_an_interrupt_ends_it_as_well(self):
        for party in ("log", "relay"):
            with self.subTest(party=party), Home(party) as home:
                home.start().process.send_signal(signal.SIGINT)
                self.assertEqual(home.process.wait(PATIENCE), 0, home.events())


class Up(unittest.TestCase):
    """The same through ppctl up: one sentence, the right status, nothing left running."""

    def running_in(self, state):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if state.encode() in f.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def test_each_missing_program_is_named(self):
        for program in ("pp-witnessd", "pp-logd", "pp-issuerd", "pp-hostd", "pp-cvmd", "pp-gatewayd", "pp-relayd"):
            with self.subTest(program=program):
                f = Fleet()
                f.make_state()
                try:
                    folder = os.path.join(f.folder, "bin")
                    shutil.copytree(BIN, folder, copy_function=fleet.link_or_copy)
                    os.unlink(os.path.join(folder, program))
                    done = subprocess.run([os.path.join(folder, "ppctl"), "up", "--json", "--state", f.state],
                                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    self.assertEqual(done.returncode, 2, done.stdout)
                    error = json.loads(done.stdout)["error"]
                    self.assertEqual(error["code"], "PROGRAM_ABSENT")
                    self.assertIn(program, error["field"])
                    self.assertEqual(self.running_in(f.state), [])
                finally:
                    f.__exit__()

    def test_two_at_once_on_one_folder_one_is_refused(self):
        f = Fleet()
        try:
            both = [subprocess.Popen([fleet.PPCTL, "up", "--json", "--state", f.state], text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
            results = sorted((p.communicate(timeout=180)[0], p.returncode) for p in both)
            statuses = sorted(r[1] for r in results)
            self.assertEqual(statuses, [0, 2], results)
            refused = json.loads(next(r[0] for r in results if r[1] == 2))["error"]
            self.assertEqual(refused["code"], "STATE_IN_USE")
            done = f.summarize()
            self.assertEqual(done.status, 0, done.out)
        finally:
            f.__exit__()
        self.assertEqual(self.running_in(f.state), [])

    def test_a_start_that_is_killed_leaves_nothing_that_down_does_not_end(self):
        """Killed when it is about to start this party: it runs, and is written down, or does neither."""
        for party in ("witness1", "log", "host", "relay"):
            with self.subTest(party=party):
                f = Fleet()
                f.make_state()
                try:
                    with subprocess.Popen([fleet.PPCTL, "up", "--state", f.state], stdout=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL) as up:
                        while not os.path.exists(os.path.join(f.state, party, "output")):
                            self.assertIsNone(up.poll())
                        up.kill()
                    f.down()  # which says that there is no fleet, where nothing was written down yet
                    self.assertEqual(self.running_in(f.state), [])
                finally:
                    f.__exit__()

    def test_a_state_folder_that_cannot_be_made_is_named(self):
        with tempfile.NamedTemporaryFile() as f:
            for state in (f.name, f.name + "/deeper"):
                done = ppctl("up", "--json", "--state", state)
                self.assertEqual(done.status, 2, done.out)
                error = done.json["error"]
                self.assertEqual(error["field"], state)
                self.assertTrue(error["got"] and error["do"])

    @unittest.skipUnless(IS_ROOT, "a file system of its own takes root to mount")
    def test_a_full_disk_is_said_and_nothing_is_left_running(self):
        used = subprocess.run(["du", "-sk", template.state], text=True, stdout=subprocess.PIPE).stdout
        around = int(used.split()[0])  # where it becomes full late: in the middle of the fleet's work
        late = around - 100
        room = 0
        for kib in (16, 64, 256, 1024, 4096, *range(late, around + 60, 20), 4 * around):
            f = Fleet()
            os.mkdir(f.state, 0o711)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k,mode=0711", "tmpfs", f.state],
                              stderr=subprocess.DEVNULL).returncode:
                f.__exit__()
                self.skipTest("no file system can be mounted here")
            try:
                subprocess.run(["cp", "-a", os.path.join(template.state, "simulated-vendor"), f.state],
                               stderr=subprocess.DEVNULL)
                done = f.up()
                if done.status == 0:
                    room += 1
                    f.down()
                    continue
                with self.subTest(kib=kib):
                    self.assertEqual(done.status, 1, done.out)
                    error = done.json["error"]
                    self.assertTrue(error["party"] and error["do"], error)
                    told = error["code"] == "DISK_FULL" or "No space left" in json.dumps(error) or \
                        "DISK_FULL" in json.dumps(error) or "full" in json.dumps(error)
                    # Late on, who meets the full disk first may be a witness, whose missing answer
                    # is all that others can tell; and no output file holds why.
                    if kib < late:
                        self.assertTrue(told, error)
                    self.assertEqual(self.running_in(f.state), [])
                    self.assertFalse(os.path.exists(os.path.join(f.state, "fleet.json")))
            finally:
                subprocess.run(["umount", "-l", f.state], check=False)
                f.__exit__()
        self.assertGreater(room, 0, "even the largest was too small")


if __name__ == "__main__":
    unittest.main()
