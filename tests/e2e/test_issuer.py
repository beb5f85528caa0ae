# SPDX-License-Identifier: Apache-2.0
"""The issuer as a client meets it that we did not write: curl, for every row of docs/protocol/tokens.md.

And the issuer's own memory: after all that was asked, its store holds epochs, hashes and counts."""
import base64
import hashlib
import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

import foreign_client
from fleet import BIN, Fleet, same_day

BATCH = "application/private-token-amortized-batch-request"
SINGLE = "application/private-token-request"
DIRECTORY = "/.well-known/private-token-issuer-directory"
GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
IDENTITY = bytes(32)
LOGIN, AUDIENCE, SUBJECT = "https://login.e2e.example", "issuer.e2e.example", "subject-canary-5518"
PATIENCE = 60


def b64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class LoginService:
    """Signs JWTs with the openssl program; publishes its key set."""

    def __init__(self, folder, kid="e2e-1"):
        self.kid, self.key = kid, os.path.join(folder, "login.pem")
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        point = self.openssl("ec", "-in", self.key, "-pubout", "-outform", "DER")[-64:]
        self.jwks = json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": kid,
                                          "x": b64url(point[:32]), "y": b64url(point[32:])}]})

    @staticmethod
    def openssl(*args, stdin=None):
        return subprocess.run(["openssl", *args], input=stdin, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout

    def token(self, sub=SUBJECT, **claims):
        header = {"alg": "ES256", "kid": self.kid, "typ": "JWT"}
        body = {"iss": LOGIN, "aud": AUDIENCE, "sub": sub, "exp": int(time.time()) + 600, **claims}
        text = ".".join(b64url(json.dumps(part).encode()) for part in (header, body))
        der = self.openssl("dgst", "-sha256", "-sign", self.key, stdin=text.encode())
        r_len = der[3]
        r, s = der[4:4 + r_len], der[6 + r_len:]
        raw = b"".join(n.lstrip(b"\0").rjust(32, b"\0") for n in (r, s))
        return f"{text}.{b64url(raw)}"


class Answer:
    def __init__(self, head, body):
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if line)}
        self.body = body


class Issuer:
    """pp-issuerd with the keys of a fleet and the accounts of a login service."""

    def __init__(self, state):
        self.outside = tempfile.mkdtemp(prefix="pp-e2e-issuer-")
        os.chmod(self.outside, 0o711)
        self.home = os.path.join(self.outside, "home")
        os.mkdir(self.home, 0o700)
        shutil.copytree(os.path.join(state, "issuer", "keys"), os.path.join(self.home, "keys"))
        with open(os.path.join(state, "issuer", "config"), encoding="utf-8") as f:
            self.lines = [line for line in f.read().splitlines()
                          if line.split(" = ")[0] in ("environment", "issuer", "keys", "store", "batches")]
        self.add_blind_rsa_key()
        self.login = LoginService(self.outside)
        self.write("jwks", self.login.jwks)
        self.write("config", "\n".join(self.lines + ["jwks = jwks", f"jwt_issuer = {LOGIN}",
                                                    f"jwt_audience = {AUDIENCE}"]) + "\n")
        self.process = None
        self.start()

    def add_blind_rsa_key(self):
        """A key of type 2, made by openssl, beside the fleet's of the same day."""
        day = int(time.time()) // 86400
        pem = LoginService.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        der = LoginService.openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", stdin=pem)
        self.write(f"keys/{day}.rsa.key", f"epoch = {day}\ntype = 2\nissue_from = {day * 86400}\n"
                                          f"issue_until = {day * 86400 + 86400}\nsecret = {der.hex()}\n")

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o600)

    def start(self):
        out, into = os.pipe()
        with open(os.path.join(self.outside, "events"), "ab") as events:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "pp-issuerd"), "--config", os.path.join(self.home, "config"),
                 "--ready-fd", str(into)], pass_fds=[into], stdout=events, stderr=events)
        os.close(into)
        told = b""
        while not told.endswith(b"ready\n"):
            assert select.select([out], [], [], PATIENCE)[0], "not ready in time"
            more = os.read(out, 4096)
            assert more, f"the issuer ended: {self.events()}"
            told += more
        os.close(out)
        self.address = told.split()[2].decode()

    def events(self):
        with open(os.path.join(self.outside, "events"), encoding="utf-8") as f:
            return f.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)

    def close(self):
        self.stop()
        shutil.rmtree(self.outside, ignore_errors=True)

    def curl(self, path, *args, body=None):
        """One request of the curl program; `body` as it is."""
        head = os.path.join(self.outside, "head")
        command = ["curl", "-sS", "--max-time", str(PATIENCE), "-D", head, *args]
        if body is not None:
            command += ["--data-binary", "@-", "-H", "Expect:"]
        done = subprocess.run([*command, f"http://{self.address}{path}"], input=body or b"", check=True,
                              stdout=subprocess.PIPE)
        with open(head, "rb") as f:
            return Answer(f.read(), done.stdout)

    def ask(self, body, kind=BATCH, credential=None, path="/token-request"):
        if credential is None:
            credential = "Bearer " + self.login.token()
        fields = ["-H", f"Content-Type: {kind}", "-H", f"Accept: {kind.replace('request', 'response')}"]
        if credential:
            fields += ["-H", f"Authorization: {credential}"]
        return self.curl(path, *fields, body=body)

    def directory(self):
        return json.loads(self.curl(DIRECTORY).body)


def key_byte(key):
    raw = base64.urlsafe_b64decode(key["token-key"])
    return hashlib.sha256(raw).digest()[-1:]


def batch(key, elements):
    """AmortizedBatchTokenRequest of type 5; the length is a varint in its shortest form."""
    body = b"".join(elements)
    n = len(body)
    length = bytes([n]) if n < 64 else (n | 0x4000).to_bytes(2, "big")
    return b"\x00\x05" + key_byte(key) + length + body


class IssuerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        same_day(120)
        cls.fleet = Fleet()
        cls.fleet.__enter__()
        cls.issuer = Issuer(cls.fleet.state)
        keys = cls.issuer.directory()["token-keys"]
        cls.key = next(k for k in keys if k["token-type"] == 5)
        cls.rsa_key = next(k for k in keys if k["token-type"] == 2)

    @classmethod
    def tearDownClass(cls):
        cls.issuer.close()
        cls.fleet.__exit__()

    def account(self):
        """A credential of somebody who has all batches still."""
        type(self).accounts = getattr(self, "accounts", 0) + 1
        return "Bearer " + self.issuer.login.token(sub=f"{SUBJECT}-{self.accounts}")

    def assert_refused(self, answer, status):
        self.assertEqual(answer.status, status)
        self.assertEqual(answer.body, b"")
        self.assertNotIn("content-type", answer.fields)
        if status != 401:
            self.assertNotIn("www-authenticate", answer.fields)

    # --- the directory (RFC 9578 4) -----------------------------------------------------------------

    def test_the_directory_lists_keys_that_can_be_asked_for(self):
        a = self.issuer.curl(DIRECTORY)
        self.assertEqual((a.status, a.fields["content-type"]),
                         (200, "application/private-token-issuer-directory"))
        self.assertEqual(a.fields["cache-control"], "public, max-age=3600")
        self.assertEqual(int(a.fields["content-length"]), len(a.body))
        found = json.loads(a.body)
        self.assertEqual(set(found), {"issuer-request-uri", "token-keys"})
        self.assertEqual(found["issuer-request-uri"], "/token-request")
        for key in found["token-keys"]:
            self.assertEqual(set(key), {"token-type", "token-key", "not-before"})
            self.assertEqual(len(base64.urlsafe_b64decode(key["token-key"])),
                             {5: 32, 2: 342}[key["token-type"]])
        self.assertLessEqual(found["token-keys"][0]["not-before"], time.time())

    def test_w1_t4_the_keys_of_today_and_tomorrow_are_logged_and_made_from_a_chain_at_home(self):
        """What the log has of kind issuer is what the issuer serves; the chain is with the owner alone."""
        logged = b""
        for folder, _, files in os.walk(os.path.join(self.fleet.state, "log", "public", "tile", "entries")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as f:
                    logged += f.read()
        served = [k for k in self.issuer.directory()["token-keys"] if k["token-type"] == 5]
        self.assertEqual(len(served), 2)
        for key in served:
            config = b"\x00\x05" + base64.urlsafe_b64decode(key["token-key"])
            self.assertIn(b"config b64:" + base64.b64encode(config), logged)
        chains = [os.path.relpath(folder, self.fleet.state) for folder, _, files in os.walk(self.fleet.state)
                  if "token.chain" in files]
        self.assertEqual(chains, ["owner"])

    def test_head_gives_the_fields_of_get_and_no_content(self):
        got, head = self.issuer.curl(DIRECTORY), self.issuer.curl(DIRECTORY, "--head")
        self.assertEqual((head.status, head.fields), (200, got.fields))

    def test_what_is_not_there_is_404_and_other_methods_are_405(self):
        self.assert_refused(self.issuer.curl("/"), 404)
        self.assert_refused(self.issuer.curl("/token-request/"), 404)
        for path, method, allowed in ((DIRECTORY, "POST", "GET, HEAD"), (DIRECTORY, "DELETE", "GET, HEAD"),
                                      ("/token-request", "GET", "POST"), ("/token-request", "PUT", "POST")):
            a = self.issuer.curl(path, "-X", method)
            self.assert_refused(a, 405)
            self.assertEqual(a.fields["allow"], allowed)

    # --- issuing (RFC 9578 5, batched tokens 5) -----------------------------------------------------

    def test_one_token_is_35_bytes_up_and_96_down(self):
        a = self.issuer.ask(b"\x00\x05" + key_byte(self.key) + GENERATOR, SINGLE, self.account())
        self.assertEqual((a.status, a.fields["content-type"]), (200, "application/private-token-response"))
        self.assertEqual(len(a.body), 96)

    def test_a_batch_of_32_is_1029_bytes_up_and_1090_down(self):
        body = batch(self.key, [GENERATOR] * 32)
        self.assertEqual(len(body), 1029)
        a = self.issuer.ask(body, credential=self.account())
        self.assertEqual((a.status, a.fields["content-type"]),
                         (200, "application/private-token-amortized-batch-response"))
        self.assertEqual((len(a.body), a.body[:2]), (1090, b"\x44\x00"))
        # The generator's evaluation is the public key: the key of the directory is the one in use.
        public = base64.urlsafe_b64decode(self.key["token-key"])
        self.assertEqual(a.body[2:1026], public * 32)

    def test_a_foreign_client_gets_a_blind_rsa_token_that_openssl_verifies(self):
        """Type 2 in another language; who verifies has the public key alone. Every other bit is refused."""
        spki = base64.urlsafe_b64decode(self.rsa_key["token-key"])
        asked = foreign_client.Issuance(spki, b"a challenge of somebody else's")
        self.assertEqual(len(asked.request), 259)
        a = self.issuer.ask(asked.request, SINGLE, self.account())
        self.assertEqual((a.status, a.fields["content-type"]), (200, "application/private-token-response"))
        token = asked.finish(a.body)
        self.assertEqual(len(token), 354)
        files = {"spki": spki, "input": token[:98], "signature": token[98:],
                 "other": token[:97] + bytes([token[97] ^ 1])}
        for name, raw in files.items():
            with open(os.path.join(self.issuer.outside, name), "wb") as f:
                f.write(raw)
        for name, status in (("input", 0), ("other", 1)):
            done = subprocess.run(["openssl", "dgst", "-sha384", "-sigopt", "rsa_padding_mode:pss", "-sigopt",
                                   "rsa_pss_saltlen:48", "-keyform", "DER", "-verify", "spki", "-signature",
                                   "signature", name], cwd=self.issuer.outside, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, check=False)
            self.assertEqual(done.returncode, status)

    def test_what_is_wrong_with_a_request_for_blind_rsa_is_422(self):
        account = self.account()
        spki = base64.urlsafe_b64decode(self.rsa_key["token-key"])
        whole = foreign_client.Issuance(spki, b"").request
        modulus = foreign_client.public_key(spki)[0].to_bytes(256, "big")
        for body in (whole[:-1], whole + b"\0", whole[:3] + modulus, whole[:3] + b"\xff" * 256,
                     whole[:2] + bytes([whole[2] ^ 1]) + whole[3:]):
            self.assert_refused(self.issuer.ask(body, SINGLE, account), 422)
        self.assert_refused(self.issuer.ask(whole, BATCH, account), 422)

    def test_media_types_are_compared_without_case_and_parameters(self):
        body = batch(self.key, [GENERATOR])
        self.assertEqual(self.issuer.ask(body, BATCH.upper() + "; x=y", self.account()).status, 200)
        for kind in ("text/plain", "application/private-token-generic-batch-request",
                     "application/private-token-response", "application/json", BATCH + "x"):
            self.assert_refused(self.issuer.ask(body, kind, self.account()), 415)

    def test_without_an_account_it_is_401_and_says_which_scheme(self):
        login = self.issuer.login
        now = int(time.time())
        for credential in ("", "Bearer", "Bearer x", "Basic dXNlcjpwdw==", "PP-Assertion AAAA",
                           "Bearer " + login.token(exp=now - 61), "Bearer " + login.token(nbf=now + 120),
                           "Bearer " + login.token(aud="other"), "Bearer " + login.token(iss="other"),
                           "Bearer " + login.token(sub=""), "Bearer " + login.token()[:-4] + "AAAA"):
            a = self.issuer.ask(batch(self.key, [GENERATOR]), credential=credential)
            self.assert_refused(a, 401)
            self.assertEqual(a.fields["www-authenticate"], "Bearer")

    def test_what_is_wrong_with_a_request_is_422(self):
        account, whole = self.account(), batch(self.key, [GENERATOR] * 2)
        other = {"token-key": self.key["token-key"]}
        wrong = {
            "empty": b"", "a byte short": whole[:-1], "a byte long": whole + b"\0",
            "another type": b"\x00\x01" + whole[2:], "type 0": b"\x00\x00" + whole[2:],
            "no element": batch(self.key, []), "33 elements": batch(self.key, [GENERATOR] * 33),
            "half an element": b"\x00\x05" + key_byte(self.key) + b"\x10" + bytes(16),
            "a longer varint": whole[:3] + b"\x40\x40" + whole[4:],
            "the identity": batch(other, [GENERATOR, IDENTITY]),
            "not canonical": batch(other, [GENERATOR, b"\xff" * 32]),
        }
        held = {key_byte(k) for k in self.issuer.directory()["token-keys"]}
        unknown = next(bytes([b]) for b in range(256) if bytes([b]) not in held)
        wrong["an unknown key"] = whole[:2] + unknown + whole[3:]
        for name, body in wrong.items():
            with self.subTest(name):
                self.assert_refused(self.issuer.ask(body, credential=account), 422)
        for body in (b"", whole, b"\x00\x05" + key_byte(self.key) + IDENTITY):
            self.assert_refused(self.issuer.ask(body, SINGLE, account), 422)
        # A batch larger than any buffer of ours is refused before it is read.
        self.assertEqual(self.issuer.ask(bytes(9000), credential=account).status, 413)
        # None of it was counted.
        for _ in range(8):
            self.assertEqual(self.issuer.ask(whole, credential=account).status, 200)
        self.assert_refused(self.issuer.ask(whole, credential=account), 429)

    def test_w2_t7_a_replayed_batch_gives_the_same_points_and_costs_a_batch(self):
        """Nothing is gained by it: the same elements under the same key, a fresh proof."""
        account, body = self.account(), batch(self.key, [GENERATOR] * 4)
        first, second = (self.issuer.ask(body, credential=account) for _ in range(2))
        self.assertEqual((first.status, second.status), (200, 200))
        self.assertEqual(first.body[:-64], second.body[:-64])
        self.assertNotEqual(first.body[-64:], second.body[-64:])

    # --- the device (pp-wire 10) --------------------------------------------------------------------

    def test_a_device_fetches_with_the_token_of_its_apps_login_service(self):
        trust = os.path.join(self.fleet.state, "trust", "trust")
        login = os.path.join(self.fleet.state, "device", "login.jwt")
        with open(trust, encoding="utf-8") as f:
            before = f.read()
        lines = [f"issuer_url = http://{self.issuer.address}/token-request" if line.startswith("issuer_url")
                 else line for line in before.splitlines()]
        with open(trust, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        with open(login, "w", encoding="utf-8") as f:
            f.write(self.issuer.login.token(sub=SUBJECT + "-device") + "\n")
        os.chmod(login, 0o600)
        try:
            done = self.fleet.summarize()
            self.assertEqual(done.status, 0, done.out + done.err)
        finally:
            os.unlink(login)
            with open(trust, "w", encoding="utf-8") as f:
                f.write(before)
        # Two epochs, this day's and the next one's, each counted once for this account.
        self.issuer.stop()
        counted = self.rows(hashlib.sha256(f"{LOGIN}\0{SUBJECT}-device".encode()).digest()[:16])
        self.issuer.start()
        self.assertEqual([count for _, count in counted], [1] * len(counted))
        self.assertIn(len(counted), (1, 2))

    # --- what is kept -------------------------------------------------------------------------------

    def rows(self, account):
        with sqlite3.connect(os.path.join(self.issuer.home, "counts.db")) as db:
            return db.execute("SELECT day, count FROM batch WHERE account = ? ORDER BY day",
                              (account,)).fetchall()

    def test_w6_t3_the_store_holds_epochs_hashes_of_accounts_and_counts(self):
        """The whole schema, every row and every byte, after two issuances of one account."""
        name = SUBJECT + "-kept"
        credential = "Bearer " + self.issuer.login.token(sub=name)
        for kind, body in ((BATCH, batch(self.key, [GENERATOR] * 32)),
                           (SINGLE, b"\x00\x05" + key_byte(self.key) + GENERATOR)):
            self.assertEqual(self.issuer.ask(body, kind, credential).status, 200)
        began = int(time.time()) // 86400
        self.issuer.stop()
        store = os.path.join(self.issuer.home, "counts.db")
        account = hashlib.sha256(f"{LOGIN}\0{name}".encode()).digest()[:16]
        with sqlite3.connect(store) as db:
            schema = [row[0] for row in db.execute("SELECT sql FROM sqlite_master")]
            rows = db.execute("SELECT * FROM batch WHERE account = ?", (account,)).fetchall()
            everything = db.execute("SELECT * FROM batch").fetchall()
        self.assertEqual(schema, ["CREATE TABLE batch (day INTEGER NOT NULL, account BLOB NOT NULL,"
                                  " count INTEGER NOT NULL, PRIMARY KEY (day, account)) WITHOUT ROWID"])
        self.assertEqual(rows, [(began, account, 2)])
        for day, who, count in everything:
            self.assertIn(day, (began - 1, began, began + 1))
            self.assertEqual(len(who), 16)
            self.assertIn(count, range(1, 9))
        needles = [SUBJECT.encode(), LOGIN.encode(), GENERATOR, base64.urlsafe_b64decode(self.key["token-key"])]
        for folder, _, files in os.walk(self.issuer.home):
            for file in files:
                if file in ("config", "jwks") or folder.endswith("keys"):
                    continue
                with open(os.path.join(folder, file), "rb") as f:
                    raw = f.read()
                for needle in needles:
                    self.assertNotIn(needle, raw, file)
        for line in self.issuer.events().splitlines():
            self.assertNotIn(SUBJECT, line)
        self.issuer.start()

    def test_w6_t3_a_use_changes_no_figure_of_an_account(self):
        """Two more summaries, and the fleet's own issuer has what it had."""
        def figures():
            with sqlite3.connect(os.path.join(self.fleet.state, "issuer", "counts.db")) as db:
                return db.execute("SELECT * FROM batch ORDER BY day, account").fetchall()
        self.assertEqual(self.fleet.summarize().status, 0)
        before = figures()
        for _ in range(2):
            self.assertEqual(self.fleet.summarize().status, 0)
        self.assertEqual(figures(), before)


if __name__ == "__main__":
    unittest.main()
