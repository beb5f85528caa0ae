# SPDX-License-Identifier: Apache-2.0
"""From nothing to the first session (pp-wire 13), in prod's time: four days on a test's clock, each party with the
commands of the manual. Every test goes on where the one before it stopped."""
import hashlib
import json
import os
import shutil
import signal
import time
import unittest

import walk
from fleet import CHAT, ppctl
from walk import (AUTHORITY, ENVIRONMENT, ISSUER, NAMESPACE, ORIGIN, RECORD_WITNESS, REVIEWERS, WITNESSES, World,
                  until)

DAY, HOUR = 86400, 3600
KEYS = "/.well-known/ohttp-gateway"
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
        cls.ports = {name: walk.free_port() for name in ("relay", "issuer", "gateway")}

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
        self.vkeys["log"] = self.world.ppctl("log", "init", "--origin", ORIGIN, "--log", log.folder)["vkey"]
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
            shutil.copy(self.machine.path("trust", name), trust.folder)
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

    def test_06_the_first_host_set(self):
        owner, alice = self.world["owner"], self.world["reviewer1"]
        hosts = owner.path("week1.hosts")
        self.world.ppctl("host-set", "new", "--out", owner.path("week1"), "--serial", 1, "--not-after",
                         int(self.world.now()) + 7 * DAY, "--where", "https://hosts.walk.example/1", *self.trust())
        custody = "sha256:" + hashlib.sha256(b"rack 7").hexdigest()
        self.world.ppctl("host-set", "add", hosts, self.machine.chip, "--product", "genoa", "--custody", custody)
        for signer in (owner, alice):
            self.world.ppctl("host-set", "sign", hosts, "--key", signer.path("key"), *self.trust())

    def test_08_two_builders_and_two_reviewers_make_the_release(self):
        """The image is what the simulated host launches: firmware, kernel and command line, measured as QEMU would."""
        desk = self.world.party("builders")
        program = self.machine.read("host", "program")
        for name, content in {"image": program, "kernel": program, "build": b"recipe", "sbom": b"parts",
                              "egress": b"events", "cmdline": b"pp.role=orchestrator"}.items():
            desk.write(os.path.join("image", name), content)
        for source, name in (("firmware", "firmware/simulated"), ("cvm.config", "config/1")):
            desk.write(os.path.join("image", name), self.machine.read("host", source))
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
        self.assertEqual(lines["snp"].split()[-1], self.machine.measurement, made)

    # --- the log ------------------------------------------------------------------------------------------------
    def at(self, posix_s, hour=True):
        """Goes on to this time; a full hour's batch is published before this returns, and its bundle on the mirror."""
        self.assertGreater(posix_s, self.world.now())
        before = self.get("/checkpoint")
        self.world.set_clock(posix_s)
        if hour:
            until("the hour's batch", lambda: self.get("/checkpoint") != before)
            self.world["relay"].write("directory.new", until("its bundle", lambda: self.get("/directory"))[1])
            os.rename(self.world["relay"].path("directory.new"), self.world["relay"].path("directory"))

    def show(self):
        return self.world.ppctl("log", "show", "--log", f"http://127.0.0.1:{self.world['log'].port}")

    def entries(self):
        owner = self.world["owner"]
        return [owner.path("week1.entry"), *(owner.path(f"{kind}-{n}.entry") for kind in ("issuer", "ohttp")
                                             for n in (0, 1)), self.world["builders"].path("release.entry")]

    def test_09_all_of_it_is_submitted_as_one_batch(self):
        url = f"http://127.0.0.1:{self.world['log'].port}"
        self.world.party("relay", "pp-relayd").start(  # for its mirror's sake: the gateway comes later
            f"gateway = http://127.0.0.1:{self.ports['gateway']}/.well-known/ohttp-gateway", "directory = directory",
            port=self.ports["relay"])
        for _ in range(2):  # an answer that was lost costs nothing
            answer = self.world.ppctl("log", "submit", *self.entries(), "--url", url, *self.trust())
            self.assertEqual(answer["state"], "pending", answer)
        self.assertEqual(self.get("/checkpoint")[0], 404)
        self.at(self.today * DAY + 11 * HOUR + 1)
        shown = self.show()
        self.assertEqual([r["type"] for r in shown["records"]][-1], "status")
        self.assertEqual(shown["size"], len(self.entries()) + 1)
        status = shown["status"]
        self.assertEqual((len(status["releases"]), len(status["keys"])), (0, 0))
        type(self).ids = {r["type"]: r["id"] for r in shown["records"] if r["type"] in ("cvm-release", "host-set")}
        self.assertEqual(status["hosts"], self.ids["host-set"])

    def test_10_the_monitor_is_green(self):
        done = self.monitor()
        self.assertEqual((done["level"] in ("none", "info"), done["unread"]), (True, 0), done)

    def monitor(self):
        return self.world.ppctl("log", "monitor", "--log", f"http://127.0.0.1:{self.world['log'].port}", "--once",
                                "--images", "skip", *self.trust())

    def test_11a_before_its_day_the_release_is_in_no_status(self):
        self.at(self.today * DAY + DAY + 12 * HOUR + 1)
        self.assertEqual(self.show()["status"]["releases"], [])
        self.at(self.today * DAY + DAY + 13 * HOUR + 1)
        self.assertEqual(self.show()["status"]["releases"], [self.ids["cvm-release"]])
        self.assertEqual(self.show()["status"]["keys"], [])

    # --- the operator's parties and the device ------------------------------------------------------------------
    def test_12_the_operator_starts_issuer_host_and_gateway(self):
        world, machine = self.world, self.machine
        shutil.copy(machine.path("issuer/assertion.key"), world["issuer"].folder)
        world["issuer"].start(f"issuer = {ISSUER}", "keys = keys", "store = counts.db",
                              "assertion_key = assertion.key", "batches = 1", port=self.ports["issuer"])
        host = world.party("host", "pp-hostd")
        for name in ("program", "cvm.config", "firmware"):
            shutil.copy(machine.path("host", name), host.folder)
        shutil.copytree(machine.path("host", "chip"), host.path("chip"))
        host.write("hints", machine.hints(self.ids["cvm-release"], self.ids["host-set"]))
        host.start("program = program", "cvm_config = cvm.config", "role = orchestrator", "firmware = firmware",
                   f"policy = {machine.policy}", "chip = chip", "hints = hints", "fault = none")
        gateway = world["gateway"]
        shutil.copytree(machine.path("gateway/handle_keys"), gateway.path("handle_keys"))
        shutil.copytree(world["issuer"].path("keys"), gateway.path("token_keys"))
        os.mkdir(gateway.path("spent"), 0o700)
        gateway.start(f"authority = {AUTHORITY}", f"issuer = {ISSUER}", f"cvm = 127.0.0.1:{host.port}",
                      "ohttp_keys = ohttp_keys", "token_keys = token_keys", "handle_key = handle_keys/1.key",
                      "spent = spent/spent.db", port=self.ports["gateway"])
        device = world.party("device")
        for name in ("assertion.key", "settings"):
            shutil.copy(machine.path("device", name), device.folder)

    def tokens(self):
        """{epoch: how many}"""
        return {e["epoch"]: e["held"] for e in self.world.ppctl("token", "status")["epochs"]}

    def summarize(self):
        return ppctl("summarize", self.chat, "--json", "--state", self.world.state)

    def test_13a_the_device_waits_for_keys(self):
        type(self).chat = os.path.join(self.world.folder, "chat.json")
        with open(self.chat, "w", encoding="utf-8") as f:
            json.dump(CHAT, f)
        self.world.ppctl("refresh")
        self.assertEqual(self.tokens(), {})
        done = self.summarize()
        self.assertNotEqual(done.status, 0)
        self.assertEqual(done.json["sent_user_bytes"], 0)

    def test_13b_a_day_ahead_the_keys_are_listed_and_tokens_come_at_a_drawn_moment(self):
        begin = (self.first - 1) * DAY
        self.at(begin + 1)
        self.assertEqual(len(self.show()["status"]["keys"]), 2)
        self.at(begin + 6.5 * HOUR, hour=False)
        self.world.set_clock(begin + 12 * HOUR + 1)
        self.world.ppctl("refresh")  # the drawn moment of the bundle has come; that of the batch is drawn now
        drawn = self.world.ppctl("token", "status")["next_fetch"]
        self.assertLessEqual(drawn, begin + 12.5 * HOUR + 60)  # first install: within 30 minutes
        self.world.set_clock(drawn + 1)
        self.world.ppctl("refresh")
        self.assertEqual(self.tokens(), {self.first: 32})
        self.assertNotEqual(self.summarize().status, 0)  # their day has not come

    def test_13c_the_first_session_at_the_first_midnight(self):
        self.at(self.first * DAY + 1)
        self.at(self.first * DAY + 12 * 60, hour=False)
        # Key folders are looked at once a minute, by timers that a leap does not move.
        self.world["gateway"].process.send_signal(signal.SIGHUP)
        until("the keys of the day", lambda: walk.get(self.ports["gateway"], KEYS)[0] == 200)
        self.world.ppctl("refresh")
        done = self.summarize()
        self.assertEqual(done.status, 0, done.out + done.err)
        self.assertTrue(done.json["verified"])
        self.assertTrue(done.json["simulated"])
        self.assertEqual(self.tokens()[self.first], 31)


if __name__ == "__main__":
    unittest.main()
