# SPDX-License-Identifier: Apache-2.0
"""Published rows of token type 2 through a running issuer: the same request gives the same bytes.

Rows of type 5 cannot be replayed: a proof draws a nonce of its own, and a key file holds a seed, not
the key of a row. `ppctl vectors privacypass` runs those."""
import base64
import json
import os
import tempfile
import time
import unittest

from test_issuer import SINGLE, Issuer

ROWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "privacypass",
                    "type2-single.json")
CONFIG = "environment = dev\nissuer = issuer.example\nkeys = keys\nstore = counts.db\nbatches = 8\n"


def private_key(row):
    """PKCS#8 DER of the PEM text whose hex a row has."""
    lines = bytes.fromhex(row["skS"]).decode().splitlines()
    return base64.b64decode("".join(line for line in lines if not line.startswith("-----")))


class IssuerOfRows(Issuer):
    def __init__(self, folder, der):
        self.der = der
        super().__init__(folder)

    def add_blind_rsa_key(self):
        day = int(time.time()) // 86400
        # A row's key stays the same if midnight passes meanwhile: it is issued from for two days.
        self.write(f"keys/{day}.rsa.key", f"epoch = {day}\ntype = 2\nissue_from = {day * 86400}\n"
                                          f"issue_until = {day * 86400 + 172800}\n"
                                          f"secret = {self.der.hex()}\n")


class PublishedRows(unittest.TestCase):
    def test_rows_of_rfc_9578_are_answered_with_the_bytes_of_the_rfc(self):
        with open(ROWS, encoding="utf-8") as f:
            rows = json.load(f)["vectors"]
        with tempfile.TemporaryDirectory(prefix="pp-e2e-") as state:
            os.mkdir(os.path.join(state, "issuer"))
            os.mkdir(os.path.join(state, "issuer", "keys"), 0o700)
            with open(os.path.join(state, "issuer", "config"), "w", encoding="utf-8") as f:
                f.write(CONFIG)
            for key in sorted({private_key(row) for row in rows}):
                self.ask_all([row for row in rows if private_key(row) == key], state, key)

    def ask_all(self, rows, state, key):
        issuer = IssuerOfRows(state, key)
        try:
            for row in rows:
                listed = issuer.directory()["token-keys"][0]
                self.assertEqual(base64.urlsafe_b64decode(listed["token-key"]).hex(), row["pkS"])
                answer = issuer.ask(bytes.fromhex(row["token_request"]), kind=SINGLE)
                self.assertEqual((answer.status, answer.fields["content-type"]),
                                 (200, SINGLE.replace("request", "response")))
                self.assertEqual(answer.body.hex(), row["token_response"])
        finally:
            issuer.close()


if __name__ == "__main__":
    unittest.main()
