# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of a test's own: data in a temporary folder, a password, fsync on, one port of
the loopback. Started by root it runs as nobody."""
import glob
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile

import fleet

PASSWORD = "a+password"
PATIENCE = 120


def program(name):
    """Debian keeps the server's programs beside each other by version; the newest comes last."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    assert found, f"no {name}: tools/setup installs it (package postgresql)"
    return found[-1]


def await_end(pidfds):
    for fd in pidfds:
        assert select.select([fd], [], [], PATIENCE)[0], "still there"
        os.close(fd)


def kill_all(pids):
    """kill -9 of each; all are gone when this returns. One that has gone already is fine."""
    pidfds = []
    for pid in pids:
        try:
            pidfds.append(os.pidfd_open(pid))
        except ProcessLookupError:
            continue
        try:
            signal.pidfd_send_signal(pidfds[-1], signal.SIGKILL)
        except ProcessLookupError:
            pass
    await_end(pidfds)


class Postgres:
    def __init__(self, port):
        self.process, self.port = None, port
        self.url = f"postgresql://pp:{PASSWORD}@127.0.0.1:{port}/postgres"
        self.folder = tempfile.mkdtemp(prefix="pp-e2e-postgres-")
        self.user = {}
        os.chmod(self.folder, 0o711)
        password = os.path.join(self.folder, "password")
        with open(password, "w", encoding="ascii") as f:
            f.write(PASSWORD + "\n")
        if os.geteuid() == 0:  # which the server refuses to run as
            self.user = {"user": 65534, "group": 65534, "extra_groups": []}
            os.chown(self.folder, 65534, 65534)
        self.run(program("initdb"), "-D", "data", "-U", "pp", "-A", "scram-sha-256", "--pwfile=password",
                 "--no-sync", "--locale=C", "-E", "UTF8")

    def run(self, *args):
        done = subprocess.run(args, cwd=self.folder, env={"LC_ALL": "C", "TZ": "UTC"}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self.user)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self):
        """Starts it, after a kill with what it has to recover; it takes connections on return."""
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", "data", "-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}",
                 "-c", f"unix_socket_directories={self.folder}",
                 "-c", "dynamic_shared_memory_type=mmap"], cwd=self.folder,
                env={"LC_ALL": "C", "TZ": "UTC"}, stdout=log, stderr=log, **self.user)
        self.await_ready()

    def await_ready(self):
        ask = [program("pg_isready"), "-q", "-t", "1", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ask).returncode != 0:  # each one waits by itself
            with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                assert self.process.poll() is None, log.read()[-2000:]

    def ask(self, sql):
        return self.run(program("psql"), "-X", "-A", "-t", "-c", sql, self.url).split()

    def spent(self):
        """How many tokens the store holds as spent."""
        tables = self.ask("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        return sum(int(self.ask(f"SELECT count(*) FROM {t}")[0]) for t in tables
                   if re.fullmatch(r"spent_[0-9]+", t))

    def backends(self):
        """The processes of the server that serve a connection of somebody else's."""
        return [int(pid) for pid in self.ask("SELECT pid FROM pg_stat_activity WHERE backend_type = "
                                             "'client backend' AND pid <> pg_backend_pid()")]

    def kill(self):
        """As a power cut does: every process of it."""
        self.process.send_signal(signal.SIGSTOP)  # no new ones
        kill_all([*fleet.children(self.process.pid), self.process.pid])
        self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)
