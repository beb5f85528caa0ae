# SPDX-License-Identifier: Apache-2.0
"""ppctl release new, sign, publish: from an image's folder to a logged, cosigned, mirrored record.

Two builders and two reviewers, each with a key of their own; the log and the witnesses are those of a fleet. What
is wrong is refused before anything leaves the machine, and told in words."""
import functools
import glob
import hashlib
import http.server
import os
import re
import shutil
import struct
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

from fleet import BIN, Fleet, ppctl

HOUR, DAY = 3600, 86400
DELAY = 26 * HOUR
INPUTS = """role = {role}
where = {where}{name}
repository = https://git.example/pp
commit = 0123456789abcdef0123456789abcdef01234567
snp = simulated:EPYC-Genoa:1 genoa QEMU 1
snp_policy = ffffffffffffffff 0000000000030000
snp_min_tcb = genoa 0 0 0 0
artifact = prompts 1
"""


class Desk:
    """A folder of a person who releases: images, keys, policies."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.folder = os.path.join(fleet.folder, "desk")
        self.serials = {"orchestrator": 1}  # the fleet's own release
        os.mkdir(self.folder)
        os.mkdir(self.path("public"))
        vkeys = {name: self.key(name) for name in ("builder1", "builder2", "stranger")}
        self.put("builders", "".join(f"witness {n} {vkeys[n]}\n" for n in ("builder1", "builder2"))
                 + "group two all builder1 builder2\nquorum two\n")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def put(self, name, content):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path

    def get(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def key(self, name):
        done = ppctl("review", "key", self.path(name + ".key"), name + ".example")
        assert done.status == 0, done.err
        return done.out.strip()

    def reviewer(self, number):
        return os.path.join(self.fleet.state, f"reviewer{number}", "key")

    def run(self, *args):
        return self.fleet.run("release", *args, "--json")

    def image(self, name, role="orchestrator", changes=None, where="https://images.example/"):
        """The folder of an image, as a build leaves it."""
        host = os.path.join(self.fleet.state, "host")
        files = {"image": f"image {name}", "build": "recipe", "sbom": "parts", "egress": "events",
                 "kernel": f"kernel of {name}", "initrd": "initrd", "cmdline": "quiet", "config/1": "environment = dev\n",
                 "artifacts/prompts/en": "Summarise.", "firmware/simulated": open(os.path.join(host, "firmware"), "rb").read()}
        files.update(changes or {})
        for file, content in files.items():
            self.put(f"{name}/{file}", content)
        self.put(name + ".inputs", INPUTS.format(role=role, name=name, where=where))

    def built(self, name, builder, folder=None):
        """A builder's signed manifest of his own copy of the image."""
        out = self.path(f"{name}.{builder}")
        folder = self.path(folder or name)
        done = self.run("new", "--inputs", self.path(name + ".inputs"), "--files", folder, "--out", out)
        assert done.status == 0, done.out
        done = self.run("sign", out, "--files", folder, "--key", self.path(builder + ".key"))
        assert done.status == 0, done.out
        return out

    def new(self, name, *notes, role="orchestrator", more=()):
        serial = self.serials.get(role, 0) + 1
        return self.run("new", *notes, "--builders", self.path("builders"), "--serial", serial, "--agreed",
                        self.path(name + ".manifest"), "--out", self.path(name + ".record"), *more)

    def record(self, name, role="orchestrator", more=()):
        """An unsigned record of an image that two builders made alike."""
        done = self.new(name, self.built(name, "builder1"), self.built(name, "builder2"), role=role, more=more)
        assert done.status == 0, done.out
        self.serials[role] = done.json["serial"]
        return done.json

    def review(self, name, *reviewers):
        for number in reviewers or (1, 2):
            entry = self.path(name + ".entry")
            done = self.run("sign", entry if os.path.exists(entry) else self.path(name + ".record"), "--files",
                            self.path(name), "--key", self.reviewer(number))
            assert done.status == 0, done.out

    def publish_args(self, name, *more, **other):
        options = {"url": "http://" + self.fleet.listens("log"), "image": self.path(name, "image"),
                   "sbom": self.path(name, "sbom"), "build": self.path(name, "build"),
                   "manifest": self.path(name + ".manifest"), "builders": self.path("builders"),
                   "public": self.path("public"), **other}
        return ["publish", self.path(name + ".entry"), *(w for o, v in options.items() for w in ("--" + o, v)), *more]

    def publish(self, name, *more, **other):
        return self.run(*self.publish_args(name, *more, **other))


class FakeLog(http.server.ThreadingHTTPServer):
    """A log that answers submissions as a test says, and serves another log's files."""

    def __init__(self, real, answer):
        self.real, self.answer, self.submitted = real, answer, 0
        super().__init__(("127.0.0.1", 0), FakeLogHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def __exit__(self, *args):
        self.shutdown()
        super().__exit__(*args)


class FakeLogHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def give(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.submitted += 1
        status, text = self.server.answer
        self.give(status, text.encode())

    def do_GET(self):
        try:
            with urllib.request.urlopen(self.server.real + self.path) as answer:
                self.give(200, answer.read())
        except urllib.error.HTTPError as e:
            self.give(e.code, b"")

    def log_message(self, *_):
        pass


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class ReleaseFlow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.__enter__()
        cls.desk = Desk(cls.fleet)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def refused(self, done, code, status=3):
        self.assertEqual((done.status, done.code), (status, code), done.out)
        return done.json["error"]

    def size(self):
        with open(os.path.join(self.fleet.state, "log", "public", "checkpoint"), encoding="utf-8") as f:
            return int(f.read().split("\n")[1])

    def nothing_left(self, name, before):
        """Nothing of a refused release is public or in the log."""
        self.assertEqual(self.size(), before)
        self.assertEqual(glob.glob(self.desk.path("public", name + "*")), [])

    def test_p_build_a_release_goes_from_two_builders_into_the_log_and_its_mirrors(self):
        d = self.desk
        d.image("good.img")
        made = d.record("good.img")
        self.assertEqual(made["builders"], "builder1, builder2")
        d.review("good.img")
        mirror = "http://" + self.fleet.listens("log")
        done = d.publish("good.img", "--mirror", mirror)
        self.assertEqual(done.status, 0, done.out)
        answer = done.json
        self.assertEqual(answer["id"], made["id"])
        self.assertGreater(answer["size"], answer["index"])
        self.assertEqual(answer["mirrors"], [{"place": mirror, "shows": True, "in_force": True}])
        for file, content in (("good.img", d.get("good.img/image")), ("good.img.sbom", b"parts"),
                              ("good.img.build", b"recipe"), ("good.img.manifest", d.get("good.img.manifest")),
                              ("good.img.entry", d.get("good.img.entry"))):
            self.assertEqual(d.get("public/" + file), content)
        show = self.fleet.run("log", "show", "--json").json
        row = next(r for r in show["records"] if r["id"] == made["id"])
        self.assertEqual((row["index"], row["effective"]), (answer["index"], True))
        self.assertEqual(row["image"], hashlib.sha256(d.get("good.img/image")).hexdigest())
        self.assertTrue(d.get("good.img.entry.tlog-proof").startswith(b"c2sp.org/tlog-proof@v1\nindex %d\n" % answer["index"]))
        # Again: the same answer, and not a byte of the log more.
        before = self.size()
        again = d.publish("good.img", "--mirror", mirror)
        self.assertEqual((again.status, again.json["index"], self.size()), (0, answer["index"], before))

    def test_w18_t2_the_fleet_s_own_image_is_measured_again_by_anybody(self):
        d, state = self.desk, self.fleet.state
        d.put("own.manifest", open(os.path.join(state, "owner", "image.manifest"), "rb").read())
        shutil.copytree(os.path.join(state, "builder2", "image"), d.path("own"))
        sign = ["sign", d.path("own.manifest"), "--files", d.path("own"), "--key", d.path("stranger.key"), "--out",
                d.path("own.signed")]
        for file, field in (("kernel", "kernel"), ("firmware/simulated", "firmware"), ("config/cvm.config", "config")):
            content = d.get("own/" + file)
            d.put("own/" + file, content[:9] + bytes([content[9] ^ 1]) + content[10:])
            self.assertIn(field, self.refused(d.run(*sign), "RELEASE_FILE")["field"])
            d.put("own/" + file, content)
        self.assertEqual(d.run(*sign).json["signatures"], 3)

    def test_w18_builders_who_differ_make_no_record(self):
        d = self.desk
        d.image("differs.img")
        one = d.built("differs.img", "builder1")
        shutil.copytree(d.path("differs.img"), d.path("differs.2"))
        d.put("differs.2/initrd", "initrE")
        two = d.built("differs.img", "builder2", folder="differs.2")
        error = self.refused(d.new("differs.img", one, two), "RELEASE_BUILDERS")
        self.assertRegex(error["field"], "^line [0-9]+, initrd$")
        self.assertIn("builder1: ", error["expected"])
        self.assertIn("builder2: ", error["got"])
        self.assertFalse(os.path.exists(d.path("differs.img.record")))

    def test_w18_one_builder_or_a_stranger_makes_no_record(self):
        d = self.desk
        d.image("alone.img")
        one = d.built("alone.img", "builder1")
        self.assertIn("builder1", self.refused(d.new("alone.img", one), "RELEASE_BUILDERS")["got"])
        self.refused(d.new("alone.img", one, one), "RELEASE_BUILDERS")
        self.refused(d.new("alone.img", one, d.built("alone.img", "stranger")), "LEDGER_SIGNER")

    def test_w18_publish_wants_both_builders_again(self):
        d = self.desk
        d.image("stripped.img")
        d.record("stripped.img")
        d.review("stripped.img")
        before = self.size()
        note = d.get("stripped.img.manifest").split(b"\n")
        alone = d.put("stripped.alone", b"\n".join(note[:-2]) + b"\n")
        self.refused(d.publish("stripped.img", manifest=alone), "RELEASE_BUILDERS")
        self.refused(d.publish("stripped.img", manifest=d.path("stripped.img.builder1")), "RELEASE_BUILDERS")
        d.image("other.img")
        d.record("other.img")
        error = self.refused(d.publish("stripped.img", manifest=d.path("other.img.manifest")), "RELEASE_BUILDERS")
        self.assertRegex(error["field"], "^line 3, image$")
        self.nothing_left("stripped.img", before)

    def test_w18_t3_an_unreviewed_release_stays_here(self):
        d = self.desk
        d.image("unreviewed.img")
        d.record("unreviewed.img")
        before = self.size()
        shutil.copy(d.path("unreviewed.img.record"), d.path("unreviewed.img.entry"))
        self.refused(d.publish("unreviewed.img"), "LEDGER_SIGNER")
        os.unlink(d.path("unreviewed.img.entry"))
        d.review("unreviewed.img", 1)
        self.assertIn("reviewer1", self.refused(d.publish("unreviewed.img"), "LEDGER_SIGNER")["got"])
        done = d.run("sign", d.path("unreviewed.img.entry"), "--key", d.reviewer(1))
        self.assertEqual((done.status, done.code), (2, "SIGNED_ALREADY"), done.out)
        self.nothing_left("unreviewed.img", before)

    def test_an_altered_file_is_not_signed_and_not_published(self):
        d = self.desk
        d.image("altered.img")
        d.record("altered.img")
        d.review("altered.img")
        before = self.size()
        changed = d.put("altered.other", "imagE altered.img")
        for file in ("image", "sbom", "build"):
            content = d.get(f"altered.img/{file}")
            other = d.put("altered.other", content[:-1] + bytes([content[-1] ^ 1]))
            self.refused(d.publish("altered.img", **{file: other}), "RELEASE_FILE")
            self.assertEqual(self.size(), before)
            self.assertFalse(os.path.exists(d.path("public", "altered.img")))
            for left in glob.glob(d.path("public", "altered.img*")):
                os.unlink(left)
        self.refused(d.run("sign", d.path("altered.img.entry"), "--image", changed, "--key", d.reviewer(3)), "RELEASE_FILE")
        d.put("altered.img/kernel", "another kernel")
        for file in ("altered.img.entry", "altered.img.manifest"):
            error = self.refused(d.run("sign", d.path(file), "--files", d.path("altered.img"), "--key",
                                       d.reviewer(3)), "RELEASE_FILE")
            self.assertIn("kernel", error["field"])
        self.assertEqual(self.size(), before)

    def test_what_is_published_is_never_replaced(self):
        d = self.desk
        d.image("taken.img")
        d.record("taken.img")
        d.review("taken.img")
        before = self.size()
        d.put("public/taken.img", "an earlier image of this name")
        self.refused(d.publish("taken.img"), "RELEASE_FILE")
        self.assertEqual(d.get("public/taken.img"), b"an earlier image of this name")
        self.assertEqual(self.size(), before)

    def test_one_measurement_in_two_roles_is_refused_by_the_log(self):
        d = self.desk
        same = {"kernel": "one kernel"}
        d.image("first-role.img", changes=same)
        d.record("first-role.img")
        d.review("first-role.img")
        self.assertEqual(d.publish("first-role.img").status, 0)
        d.image("second-role.img", role="guard", changes=same)
        d.record("second-role.img", role="guard")
        d.review("second-role.img")
        before = self.size()
        self.refused(d.publish("second-role.img"), "LEDGER_TWO_ROLES")
        self.assertEqual(self.size(), before)

    def test_w20_another_environment_namespace_or_log_is_refused(self):
        d = self.desk
        policies = ["--review-policy", os.path.join(self.fleet.state, "trust", "review.policy")]
        right = {"origin": "log.pp-dev.example", "namespace": "pp-dev", "environment": "dev"}
        for field, wrong in (("environment", "prod"), ("namespace", "pp-de"), ("origin", "log.pp-de.example")):
            name = f"wrong-{field}.img"
            d.image(name)
            place = [w for k, v in {**right, field: wrong}.items() for w in ("--" + k, v)]
            d.record(name, more=[*place, *policies])
            d.review(name)
            before = self.size()
            error = self.refused(d.publish(name), "LEDGER_NAMESPACE")
            self.assertEqual(error["field"], {"origin": "ledger"}.get(field, field))
            self.assertEqual(error["got"], wrong)
            self.nothing_left(name, before)

    def status(self, *args):
        done = self.fleet.run("release", "status", *args, "--json")
        return done.status, [(r["id"], r["state"], r["image"]["state"]) for r in done.json["releases"]]

    def test_a_mirror_that_is_behind_is_waited_for(self):
        d = self.desk
        mirror = d.path("mirror")
        shutil.copytree(os.path.join(self.fleet.state, "log", "public"), mirror)
        d.image("mirrored.img")
        d.record("mirrored.img")
        d.review("mirrored.img")
        error = self.refused(d.publish("mirrored.img", "--mirror", mirror), "RELEASE_PENDING", 5)
        self.assertEqual(error["field"], mirror)
        shutil.rmtree(mirror)
        shutil.copytree(os.path.join(self.fleet.state, "log", "public"), mirror)
        done = d.publish("mirrored.img", "--mirror", mirror)
        self.assertEqual((done.status, done.json["mirrors"][0]["shows"]), (0, True), done.out)
        with open(os.path.join(mirror, "directory"), "r+b") as f:
            f.seek(200)
            f.write(b"\0")
        self.assertEqual(d.publish("mirrored.img", "--mirror", mirror).status, 3)

    def test_a_release_s_stations_are_told_with_a_status_for_each(self):
        d, public = self.desk, ["--public", self.desk.path("public")]
        d.image("stations.img")
        made = d.record("stations.img", more=["--not-before", int(self.fleet.now()) + HOUR])["id"]
        file = d.path("stations.img.record")
        self.assertEqual(self.status(file), (5, [(made, "not-logged", "not-looked")]))
        d.review("stations.img")
        file = d.path("stations.img.entry")
        self.assertEqual(d.publish("stations.img").status, 0)
        self.assertEqual(self.status(file, *public), (5, [(made, "waiting", "public")]))
        self.assertEqual(self.status(made), (5, [(made, "waiting", "not-looked")]))
        os.unlink(d.path("public", "stations.img"))
        self.assertEqual(self.status(made, *public), (3, [(made, "waiting", "missing")]))
        d.put("public/stations.img", b"x" * len(d.get("stations.img/image")))
        self.assertEqual(self.status(made, *public), (3, [(made, "waiting", "other")]))
        self.assertEqual(self.fleet.run("release", "status", "0" * 64, "--json").code, "NOT_FOUND")

        d.image("revoked.img")
        made = d.record("revoked.img")["id"]
        d.review("revoked.img")
        self.assertEqual(d.publish("revoked.img").status, 0)
        url = "http://" + self.fleet.listens("log")
        self.assertEqual(self.status(made, *public, "--log", url), (0, [(made, "in-force", "public")]))
        self.assertEqual(self.status("--log", url)[0], 0)
        self.revoke(made)
        self.assertEqual(self.status(made), (3, [(made, "revoked", "not-looked")]))
        text = self.fleet.run("release", "status", made)
        self.assertIn("revoked", text.out)
        self.assertIn("reviewed reviewer1, reviewer2", text.out)

    def test_p_image_anybody_fetches_and_hashes_what_a_record_names(self):
        d = self.desk
        serve = functools.partial(QuietFiles, directory=d.path("public"))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            d.image("fetched.img", where=f"http://127.0.0.1:{server.server_port}/")
            made = d.record("fetched.img")["id"]
            d.review("fetched.img")
            self.assertEqual(d.publish("fetched.img").status, 0)
            self.assertEqual(self.status(made, "--fetch"), (0, [(made, "in-force", "public")]))
            content = d.get("public/fetched.img")
            d.put("public/fetched.img", content[:-1] + b"!")
            self.assertEqual(self.status(made, "--fetch"), (3, [(made, "in-force", "other")]))
            d.put("public/fetched.img", content + b"!")
            self.assertEqual(self.status(made, "--fetch"), (3, [(made, "in-force", "other")]))
            os.unlink(d.path("public", "fetched.img"))
            self.assertEqual(self.status(made, "--fetch"), (3, [(made, "in-force", "missing")]))
            server.shutdown()

    def test_p_path_of_ones_own_machine_is_not_what_the_world_sees(self):
        d = self.desk
        d.image("local.img", where=d.path("public") + "/")
        made = d.record("local.img")["id"]
        d.review("local.img")
        self.assertEqual(d.publish("local.img").status, 0)
        self.assertEqual(self.status(made, "--fetch"), (3, [(made, "in-force", "missing")]))

    def revoke(self, record_id):
        now = int(self.fleet.now())
        record = self.desk.put("revoke.record", f"type revoke/v1\nledger log.pp-dev.example\nnamespace pp-dev\n"
                               f"environment dev\nserial 1\ntime {now}\ntarget {record_id}\nreason error\n"
                               f"effective {now}\nnotice sha256:{'0' * 64}\n")
        done = self.fleet.run("review", "sign", record, "--key", self.desk.reviewer(3))
        self.assertEqual(done.status, 0, done.err)
        entry = self.desk.get("revoke.entry")
        with urllib.request.urlopen(urllib.request.Request(
                "http://" + self.fleet.listens("log") + "/submit", struct.pack(">I", len(entry)) + entry)) as answer:
            self.assertEqual(answer.status, 200)

    def test_a_log_is_not_believed_but_shown_to_hold_the_record(self):
        d, real = self.desk, "http://" + self.fleet.listens("log")
        d.image("believed.img")
        made = d.record("believed.img")["id"]
        d.review("believed.img")
        size = self.size()
        for answer, code, status in (
                ((200, f"published {size}\n0 {made}\n"), "LEDGER_PROOF", 3),  # another record stands there
                ((200, f"published {size + 1}\n{size} {made}\n"), "RELEASE_PENDING", 5),  # in no cosigned tree
                ((200, "published\n"), "FORMAT", 1),
                ((202, "pending\n"), "RELEASE_PENDING", 5),
                ((422, "refused 0 LEDGER_SERIAL\n"), "LEDGER_SERIAL", 3),
                ((422, "refused batch NONSENSE\n"), "LEDGER_RECORD", 3),
                ((503, "refused batch BUSY\n"), "BUSY", 5),
                ((500, "failed\n"), "HTTP_STATUS", 1)):
            with FakeLog(real, answer) as log:
                done = d.publish("believed.img", url=log.url)
            self.assertEqual((done.status, done.code), (status, code), (answer, done.out))
            self.assertFalse(os.path.exists(d.path("believed.img.entry.tlog-proof")))
        self.assertEqual(self.size(), size)

    def test_killed_at_any_moment_it_goes_on(self):
        d = self.desk
        d.image("killed.img", changes={"image": os.urandom(8 << 20)})
        d.record("killed.img")
        d.review("killed.img")
        args = d.publish_args("killed.img")
        for wait in (0, 0.004, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2):
            process = subprocess.Popen([os.path.join(BIN, "ppctl"), "release", *args, "--state", self.fleet.state],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            image = d.path("public", "killed.img")
            if os.path.exists(image):
                self.assertEqual(d.get("public/killed.img"), d.get("killed.img/image"))
        done = d.publish("killed.img")
        self.assertEqual(done.status, 0, done.out)
        ids = [r["id"] for r in self.fleet.run("log", "show", "--json").json["records"]]
        self.assertEqual(ids.count(done.json["id"]), 1)
        self.assertEqual(glob.glob(d.path("public", ".*")), [])


class ReleaseTimes(unittest.TestCase):
    """The delays of transparency-log B2, in prod's times; nothing is asked of any log before they are checked."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.set_clock(time.time() // HOUR * HOUR + 600)  # ten minutes behind the hour
        cls.fleet.__enter__()
        cls.desk = Desk(cls.fleet)
        trust = os.path.join(cls.fleet.state, "trust")
        cls.place = ["--origin", "log.pp-dev.example", "--namespace", "pp-dev", "--environment", "prod",
                     "--review-policy", os.path.join(trust, "review.policy"),
                     "--owner-policy", os.path.join(trust, "owner.policy"),
                     "--log-policy", os.path.join(trust, "log.policy")]

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def setUp(self):
        self.start = int(self.fleet.now())
        self.name = re.sub("[^a-z]+", "-", self.id().rsplit(".", 1)[1]) + ".img"
        self.desk.image(self.name)

    def tearDown(self):
        self.fleet.set_clock(self.start)

    def at(self, seconds):
        self.fleet.set_clock(self.start + seconds)

    def publish(self):
        """Status, code and field; a log that nobody is asked: its port is closed."""
        done = self.desk.publish(self.name, *self.place, url="http://127.0.0.1:1")
        return done.status, done.code, done.json["error"]["field"]

    def test_b2_prod_s_window_follows_from_now(self):
        made = self.desk.record(self.name, more=self.place)
        self.assertIn(made["not_before"] - DELAY, range(self.start, int(self.fleet.now()) + 1))
        self.assertEqual(made["not_after"] - made["not_before"], 21 * DAY)

    def test_b2_a_window_that_is_too_early_or_too_long_makes_no_record(self):
        notes = [self.desk.built(self.name, b) for b in ("builder1", "builder2")]
        later = self.start + DELAY + HOUR  # however long this takes
        for more, field in ((["--not-before", self.start + DELAY - 60], "--not-before"),
                            (["--not-before", later, "--not-after", later + 21 * DAY + 60], "--not-after"),
                            (["--not-after", self.start], "--not-after")):
            done = self.desk.new(self.name, *notes, more=[*self.place, *more])
            self.assertEqual((done.status, done.code, done.json["error"]["field"]), (3, "RELEASE_TIME", field))

    def test_b2_in_time_it_goes_to_the_log_and_too_late_it_does_not(self):
        self.desk.record(self.name, more=self.place)
        self.desk.review(self.name)
        # 26 h from ten minutes past: the batches of the next hour and of the one behind it are in time.
        self.assertEqual(self.publish()[1], "NETWORK")
        self.at(HOUR + 1800)
        self.assertEqual(self.publish()[1], "NETWORK")
        self.at(HOUR + 3300)  # the batch of the third hour has less than 24 h left
        self.assertEqual(self.publish(), (3, "RELEASE_TIME", "not-before"))

    def test_b2_behind_its_window_a_release_is_over(self):
        d = self.desk
        made = d.record(self.name)["id"]  # of the fleet's own place: dev
        d.review(self.name)
        self.assertEqual(d.publish(self.name).status, 0)
        entry = d.path(self.name + ".entry")

        def stands():
            done = self.fleet.run("release", "status", entry, "--json")
            row = done.json["releases"][0]
            self.assertEqual(row["id"], made)
            return done.status, row["state"], row["renew"]
        self.assertEqual(stands(), (0, "in-force", False))
        self.at(11 * DAY)
        self.assertEqual(stands(), (5, "unlisted", False))  # the log stood still: its status is too old
        d.image("next.img")
        d.record("next.img")
        d.review("next.img")
        self.assertEqual(d.publish("next.img").status, 0)
        self.assertEqual(stands(), (0, "in-force", True))
        self.at(21 * DAY + 60)
        self.assertEqual(stands(), (3, "expired", False))
        os.unlink(entry + ".submitted")
        self.assertEqual(d.publish(self.name).code, "RELEASE_TIME")

    def test_b2_what_a_log_has_taken_waits_for_the_hour(self):
        self.desk.record(self.name, more=self.place)
        self.desk.review(self.name)
        with FakeLog("http://127.0.0.1:1", (202, "pending\n")) as log:
            for later in (0, HOUR, 3 * HOUR):  # by then no log would take it any more
                self.at(later)
                done = self.desk.publish(self.name, *self.place, url=log.url)
                self.assertEqual((done.status, done.code), (5, "RELEASE_PENDING"), done.out)
            self.assertEqual(log.submitted, 3)
        os.unlink(self.desk.path(self.name + ".entry.submitted"))
        self.assertEqual(self.publish(), (3, "RELEASE_TIME", "not-before"))

    def test_b2_before_its_own_time_it_waits(self):
        self.desk.record(self.name, more=self.place)
        self.desk.review(self.name)
        self.at(-600)
        self.assertEqual(self.publish(), (3, "RELEASE_TIME", "time"))

    def test_b2_the_image_is_public_within_a_day(self):
        self.desk.record(self.name, more=[*self.place, "--not-before", self.start + 10 * DAY])
        self.desk.review(self.name)
        self.at(DAY - 600)
        self.assertEqual(self.publish()[1], "NETWORK")
        shutil.rmtree(self.desk.path("public"))
        os.mkdir(self.desk.path("public"))
        self.at(DAY + 600)
        self.assertEqual(self.publish(), (3, "RELEASE_TIME", "time"))


if __name__ == "__main__":
    unittest.main()
