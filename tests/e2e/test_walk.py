# SPDX-License-Identifier: Apache-2.0
"""From nothing to the first session (pp-wire 13), in prod's time: four days on a test's clock, each party with the
commands of the manual. Every test goes on where the one before it stopped."""
import os
import shutil
import time
import unittest

import walk
from walk import (AUTHORITY, ENVIRONMENT, ISSUER, NAMESPACE, ORIGIN, RECORD_WITNESS, REVIEWERS, WITNESSES, World,
                  until)

DAY, HOUR = 86400, 3600
RELEASE_DELAY, KEY_DELAY = 26 * HOUR, 48 * HOUR

INPUTS = """role = orchestrator
where = https://images.walk.example/1
repository = https://git.walk.example/pp
commit = 0123456789abcdef0123456789abcdef01234567
snp = simulated:EPYC-Genoa:1 genoa QEMU 1
snp_policy = 00000000000c0000 0000000000000000
snp_min_tcb = genoa 0 0 0 0
"""


class Walk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = walk.Machine()
        cls.addClassCleanup(cls.machine.close)
        cls.today = int(time.time()) // DAY
        cls.world = World(cls.today * DAY + 10.5 * HOUR)  # half past ten: no hour is near
        cls.addClassCleanup(cls.world.close)
        cls.first = cls.today + 3  # the first UTC day that begins 48 h from now or later
        cls.vkeys = {}
        cls.ports = {name: walk.free_port() for name in ("relay", "issuer")}

    def place(self, *needs):
        """What a command needs to know as long as there is no trust file."""
        found = ["--origin", ORIGIN, "--namespace", NAMESPACE, "--environment", ENVIRONMENT]
        for need in needs:
            found += [f"--{need}-policy", self.world["log"].path(f"{need}.policy" if need != "log" else "policy")]
        return found

    def trust(self):
        return ["--trust", os.path.join(self.world.state, "trust")]

    def test_01_witnesses_owner_and_reviewers_make_keys_each_at_home(self):
        for name in (*WITNESSES, RECORD_WITNESS):
            party = self.world.party(name, "pp-witnessd")
            self.vkeys[name] = walk.run("pp-witnessd", "--init", party.folder, f"{name}.walk.example").strip()
        for name in ("owner", *REVIEWERS):
            party = self.world.party(name)
            self.vkeys[name] = self.world.ppctl("review", "key", party.path("key"), f"{name}.walk.example")["vkey"]

    def test_02_policies_are_written_and_judged(self):
        people = {"owner": ("owners", ("owner",), 1), "review": ("reviewers", REVIEWERS, 2)}
        log = self.world.party("log", "pp-logd")
        self.vkeys["log"] = walk.run("pp-logd", "--init", log.folder, ORIGIN).strip()
        for name, (group, members, needed) in people.items():
            log.write(f"{name}.policy", "".join(f"witness {m} {self.vkeys[m]}\n" for m in members) +
                      f"group {group} {needed} {' '.join(members)}\nquorum {group}\n")
        log.write("policy", self.log_policy())
        files = [log.path(f) for f in ("policy", "owner.policy", "review.policy")]
        self.world.ppctl("log", "lint", *files)
        weak = log.write("weak.policy", self.log_policy().replace("group plain 3", "group plain 2"))
        status, error = self.world.refused("log", "lint", weak)
        self.assertEqual((status, error["code"]), (3, "POLICY_QUORUM"))
        os.unlink(weak)

    def log_policy(self, urls=None):
        """As clients have it; with URLs, as the log has it."""
        lines = [f"log {self.vkeys['log']}"]
        for name in (*WITNESSES, RECORD_WITNESS):
            lines.append(f"witness {name} {self.vkeys[name]}" + (f" {urls[name]}" if urls else ""))
        lines += [f"group plain 3 {' '.join(WITNESSES)}", f"group clients all plain {RECORD_WITNESS}",
                  "quorum clients"]
        return "".join(line + "\n" for line in lines)

    def test_03_the_log_stands_at_size_0_and_serves_nothing(self):
        log = self.world["log"]
        port = walk.free_port()
        urls = {}
        for name in (*WITNESSES, RECORD_WITNESS):
            party = self.world[name]
            more = []
            if name == RECORD_WITNESS:
                for policy in ("owner.policy", "review.policy"):
                    shutil.copy(log.path(policy), party.folder)
                more = ["role = record", f"url = http://127.0.0.1:{port}", f"namespace = {NAMESPACE}",
                        "owner_policy = owner.policy", "review_policy = review.policy"]
            party.start(f"log = {self.vkeys['log']}", *more)
            urls[name] = f"http://127.0.0.1:{party.port}"
        log.write("policy", self.log_policy(urls))
        log.start(f"namespace = {NAMESPACE}", "policy = policy", "owner_policy = owner.policy",
                  "review_policy = review.policy", "retry_ms = 200", port=port)
        self.assertEqual(self.get("/checkpoint")[0], 404)
        self.assertEqual(self.get("/directory")[0], 404)

    def get(self, path):
        return walk.get(self.world["log"].port, path)

    def test_05_the_trust_file_names_them_all(self):
        trust = self.world.party("trust")
        trust.write("log.policy", self.log_policy())
        for policy in ("owner.policy", "review.policy"):
            shutil.copy(self.world["log"].path(policy), trust.folder)
        for name in ("ark.der", "ask.der"):
            shutil.copy(os.path.join(self.machine.folder, name), trust.folder)
        relay, issuer = self.ports["relay"], self.ports["issuer"]
        trust.write("trust", f"""environment = {ENVIRONMENT}
namespace = {NAMESPACE}
issuer = {ISSUER}
issuer_url = http://127.0.0.1:{issuer}/token-request
gateway_authority = {AUTHORITY}
relay = http://127.0.0.1:{relay}/ohttp
mirror = http://127.0.0.1:{relay}/directory
platform = sim-snp
hardware = strict
message_kem = x-wing
ohttp_kem = x25519
tls_group = x25519
batches = 1
""")

    def test_07_keys_of_the_first_two_days_are_made_and_signed(self):
        owner = self.world["owner"]
        for name, folder in (("issuer", "keys"), ("gateway", "ohttp_keys")):
            self.world.party(name, f"pp-{name}d")
            os.mkdir(self.world[name].path(folder), 0o700)
        for kind, folder in (("issuer", self.world["issuer"].path("keys")),
                             ("ohttp", self.world["gateway"].path("ohttp_keys"))):
            chain = ["--chain", owner.path("token.chain")] if kind == "issuer" else []
            words = ["keys", "new", kind, "--keys", folder, *chain, *self.place()]
            status, error = self.world.refused(*words, self.first - 1, "--serial", "1", "--out",
                                               owner.path("early.record"))
            self.assertEqual(error["code"], "TOO_LATE")
            for n in (0, 1):
                out = owner.path(f"{kind}-{n}.record")
                self.world.ppctl(*words, self.first + n, "--serial", n + 1, "--out", out)
                self.world.ppctl("keys", "sign", out, "--key", owner.path("key"), *self.trust())
        self.assertEqual(sorted(os.listdir(self.world["issuer"].path("keys"))),
                         [f"{self.first + n}.key" for n in (0, 1)])

    def test_08_two_builders_and_two_reviewers_make_the_release(self):
        """The image is what the simulated host launches: firmware, kernel and command line, measured as QEMU would."""
        host = os.path.join(self.machine.folder, "host")
        desk = self.world.party("builders")
        with open(os.path.join(host, "program"), "rb") as f:
            program = f.read()
        for name, content in {"image": program, "kernel": program, "build": b"recipe", "sbom": b"parts",
                              "egress": b"events", "cmdline": b"pp.role=orchestrator"}.items():
            desk.write(os.path.join("image", name), content)
        for source, name in (("firmware", "firmware/simulated"), ("cvm.config", "config/1")):
            with open(os.path.join(host, source), "rb") as f:
                desk.write(os.path.join("image", name), f.read())
        inputs = desk.write("inputs", INPUTS)
        vkeys, manifests = {}, []
        for name in ("builder1", "builder2"):
            vkeys[name] = self.world.ppctl("review", "key", desk.path(name + ".key"), f"{name}.walk.example")["vkey"]
            manifests.append(desk.path(f"manifest.{name}"))
            self.world.ppctl("release", "new", "--inputs", inputs, "--files", desk.path("image"), "--out", manifests[-1])
            self.world.ppctl("release", "sign", manifests[-1], "--files", desk.path("image"), "--key",
                             desk.path(name + ".key"))
        desk.write("policy", "".join(f"witness {n} {v}\n" for n, v in vkeys.items()) +
                   f"group both all {' '.join(vkeys)}\nquorum both\n")
        record = desk.path("release.record")
        made = self.world.ppctl("release", "new", *manifests, "--builders", desk.path("policy"), "--serial", "1",
                                "--agreed", desk.path("manifest"), "--out", record, *self.trust())
        entry = desk.path("release.entry")
        for n, name in enumerate(REVIEWERS[:2]):
            self.world.ppctl("release", "sign", record if n == 0 else entry, "--files", desk.path("image"), "--key",
                             self.world[name].path("key"), *self.trust())
        self.world.ppctl("review", "check", entry, *self.trust())
        with open(record, encoding="ascii") as f:
            lines = dict(line.rstrip("\n").split(" ", 1) for line in f)
        self.assertEqual(int(lines["not-before"]) - int(lines["time"]), RELEASE_DELAY)
        self.assertEqual(lines["snp"].split()[-1], self.machine.release["snp"][0]["measurement"], made)


if __name__ == "__main__":
    unittest.main()
