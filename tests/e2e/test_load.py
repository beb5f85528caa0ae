# SPDX-License-Identifier: Apache-2.0
"""Relay, gateway and issuer under load programs that we did not write: no request is lost, none waits for ever.

What is asked of each is its own document, and the request that it exists for, with a body of random bytes or nobody's
account: it is refused, and every time in the same way."""
import json
import os
import re
import subprocess
import unittest

from fleet import Fleet

REQUESTS = 2000
# Party, its document, and what is posted to where.
ROWS = (
    ("relay", "/directory", "/ohttp", "message/ohttp-req"),
    ("gateway", "/.well-known/ohttp-gateway", "/.well-known/ohttp-gateway", "message/ohttp-req"),
    ("issuer", "/.well-known/private-token-issuer-directory", "/token-request",
     "application/private-token-amortized-batch-request"),
)


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.addClassCleanup(cls.fleet.__exit__)
        cls.fleet.__enter__()
        with open(os.path.join(cls.fleet.state, "fleet.json"), encoding="utf-8") as f:
            cls.where = {p["name"]: "http://" + next(iter(p["listens"].values())) for p in json.load(f)["parties"]}
        cls.body = os.path.join(cls.fleet.folder, "body")
        with open(cls.body, "wb") as f:
            f.write(os.urandom(4096))

    def h2load(self, status, path, *args):
        """Over HTTP/2 and over HTTP/1.1. h2load takes 4xx for a failure, so its other rows are what tells."""
        for version in (["-m", "4"], ["--h1"]):  # as many streams as the issuer grants: h2load begins untold
            done = subprocess.run(["h2load", "-n", str(REQUESTS), "-c", "10", *version, *args, path], text=True,
                                  stdout=subprocess.PIPE, check=True)
            self.assertRegex(done.stdout, f"{REQUESTS} done, .* 0 errored, 0 timeout")
            self.assertRegex(done.stdout, rf"status codes: .*\b{REQUESTS} {status}")

    def test_h2load_gets_every_document(self):
        for party, path, _, _ in ROWS:
            with self.subTest(party):
                self.h2load("2xx", self.where[party] + path)

    def test_h2load_gets_an_answer_to_every_request(self):
        for party, _, path, media in ROWS:
            with self.subTest(party):
                self.h2load("4xx", self.where[party] + path, "-d", self.body, "-H", f"content-type: {media}")

    def test_wrk_sees_no_error(self):
        for party, path, _, _ in ROWS:
            with self.subTest(party):
                done = subprocess.run(["wrk", "-t1", "-c20", "-d1", "--timeout", "60", self.where[party] + path],
                                      text=True, stdout=subprocess.PIPE, check=True)
                self.assertNotRegex(done.stdout, "Socket errors|Non-2xx")
                self.assertRegex(done.stdout, r"[1-9]\d* requests in")


if __name__ == "__main__":
    unittest.main()
