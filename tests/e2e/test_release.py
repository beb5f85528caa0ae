# SPDX-License-Identifier: Apache-2.0
"""The release profile, with and without compiled anchors, against a simulated fleet: it refuses.

PP_RELEASE names the folder of a release build without anchors; one with anchors is built here."""
import os
import shutil
import subprocess
import unittest

from fleet import CANARY, Fleet, Result, ROOT, posts

RELEASE = os.environ.get("PP_RELEASE", os.path.join(ROOT, "build", "release", "bin"))


def run(program, *args):
    return Result(subprocess.run([program, *map(str, args)], text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]}, timeout=120))


class Release(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plain = os.path.join(RELEASE, "ppctl")
        cls.fleet = Fleet(capture=True)
        cls.fleet.__enter__()
        cls.receipt = os.path.join(cls.fleet.folder, "receipt")
        done = cls.fleet.summarize("--receipt", cls.receipt)
        assert done.status == 0, done.err

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def anchors(self, name, *changes, root=True):
        """A folder of anchors like the fleet's own, with some words changed; or without its root."""
        folder = os.path.join(self.fleet.folder, "anchors-" + name)
        leave_out = None if root else shutil.ignore_patterns("ark.der", "ask.der")
        shutil.copytree(os.path.join(self.fleet.state, "trust"), folder, ignore=leave_out)
        path = os.path.join(folder, "trust")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return folder

    def build(self, anchors):
        """A release ppctl with these anchors compiled in; one tree, configured again for each."""
        tree = os.path.join(self.fleet.folder, "tree")
        configure = (["meson", "configure", tree] if os.path.exists(tree) else
                     ["meson", "setup", tree, ROOT, "-Dprofile=release", "-Dtests=false"])
        for argv in ([*configure, f"-Dtrust={anchors}"], ["ninja", "-C", tree, "tools/ppctl/ppctl"]):
            done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        return os.path.join(tree, "tools", "ppctl", "ppctl")

    def posts_so_far(self):
        return sum(len(posts(raw)) for _, way, raw in self.fleet.tap("relay") if way == "up")

    def refuses(self, program, code):
        """Each anchored verb: exit status 3, this code, and no request on any wire."""
        before = self.posts_so_far()
        for words in (["summarize", self.fleet.chat], ["verify", "receipt", self.receipt]):
            done = run(program, *words, "--json", "--state", self.fleet.state)
            self.assertEqual(done.status, 3, done.out + done.err)
            self.assertEqual(done.code or done.json.get("code"), code, words)
            self.assertNotIn(CANARY, done.out + done.err)
        self.assertEqual(self.posts_so_far(), before)

    def test_w20_t5_a_release_build_without_anchors_refuses_whatever_the_state_folder_holds(self):
        with open(os.path.join(self.fleet.state, "trust", "trust"), "rb") as f:
            self.assertIn(b"environment = dev", f.read())
        self.refuses(self.plain, "TRUST")

    def test_w20_t5_a_release_build_has_no_fleet_verbs_and_no_fault(self):
        for words in (["up"], ["up", "--fault", "list"], ["down"], ["status"]):
            done = run(self.plain, *words, "--state", self.fleet.state, "--json")
            self.assertEqual(done.status, 2, words)

    def test_w20_t5_a_release_build_accepts_no_development_environment(self):
        self.refuses(self.build(self.anchors("dev")), "ENVIRONMENT")

    def test_w20_t5_a_release_build_accepts_no_weaker_word_of_its_anchors(self):
        """One step nearer to production each time, and the next word is named."""
        prod = [("environment = dev", "environment = prod")]
        self.named("one", prod, "relay", "two to eight")
        prod += [(line, line + line.replace("127.0.0.1", "localhost")) for line in self.urls()]
        self.named("two", prod, "relay", "https://")
        prod.append(("http://", "https://"))
        self.named("three", prod, "ca.pem", "certificate authorities")
        with open(os.path.join(self.fleet.state, "trust", "ca.pem"), "w", encoding="ascii") as f:
            f.write("-----BEGIN CERTIFICATE-----\n")
        self.addCleanup(os.remove, os.path.join(self.fleet.state, "trust", "ca.pem"))
        self.named("four", prod, "platform", "this build verifies")
        prod.append(("platform = sim-snp", "platform = sev-snp"))
        self.named("five", prod, "platform", "the roots that came are no vendor's")
        self.named("six", [*prod, ("message_kem = x-wing", "message_kem = classical")],
                   "message_kem", "x-wing", root=False)
        # With the hybrid message key these are anchors of production; the ledger is not.
        self.refuses(self.build(self.anchors("seven", *prod, root=False)), "LEDGER_NAMESPACE")

    def named(self, name, changes, field, words, root=True):
        program = self.build(self.anchors(name, *changes, root=root))
        self.refuses(program, "TRUST")
        error = run(program, "summarize", self.fleet.chat, "--json", "--state",
                    self.fleet.state).json["error"]
        self.assertEqual(error["field"], field)
        self.assertIn(words, error["expected"])

    def urls(self):
        with open(os.path.join(self.fleet.state, "trust", "trust"), encoding="utf-8") as f:
            return [line for line in f if line.startswith(("relay =", "mirror ="))]


if __name__ == "__main__":
    unittest.main()
