# SPDX-License-Identifier: Apache-2.0
"""OHTTP with the hybrid KEM: one gateway, two key configurations, and the policy picks (W12)."""
import os
import unittest

from fleet import Fleet, posts

X25519, X_WING = 0x0020, 0x647A


class Hybrid(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(capture=True)
        cls.fleet.__enter__()
        cls.trust = os.path.join(cls.fleet.state, "trust", "trust")
        with open(cls.trust, encoding="utf-8") as f:
            cls.text = f.read()

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def bodies(self, hop):
        return [b for _, way, raw in self.fleet.tap(hop) if way == "up" for b in posts(raw)]

    def policy(self, old, new):
        self.assertIn(old, self.text)
        with open(self.trust, "w", encoding="utf-8") as f:
            f.write(self.text.replace(old, new))

    def exchange(self, kem):
        """One summary; both requests carry that KEM, and are of a bucket, at relay and gateway."""
        before = {hop: len(self.bodies(hop)) for hop in ("relay", "gateway")}
        done = self.fleet.summarize()
        self.assertEqual(done.status, 0, done.out + done.err)
        receipt = self.fleet.run("verify", "receipt", done.json["receipt"], "--json")
        self.assertEqual(receipt.json["verdict"], "accept", receipt.out)
        sizes = {}
        for hop, count in before.items():
            new = self.bodies(hop)[count:]
            self.assertEqual([int.from_bytes(b[1:3], "big") for b in new], [kem, kem], hop)
            sizes[hop] = [len(b) for b in new]
        self.assertEqual(sizes["relay"], sizes["gateway"])
        self.assertEqual(sizes["relay"][0], 4096)
        return sizes["relay"][1]

    def test_w12_each_policy_has_its_key_configuration_at_one_gateway(self):
        classical = self.exchange(X25519)
        self.policy("ohttp_kem = x25519", "ohttp_kem = x-wing")
        hybrid = self.exchange(X_WING)
        for size in (classical, hybrid):
            self.assertIn(size, [1024 << n for n in range(1, 9)])
        self.assertGreater(hybrid, 2048)  # two X-Wing encapsulations do not go into 2 KiB
        self.policy("ohttp_kem = x25519", "ohttp_kem = x25519")
        self.assertEqual(self.exchange(X25519), classical)


if __name__ == "__main__":
    unittest.main()
