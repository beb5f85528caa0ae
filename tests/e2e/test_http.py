# SPDX-License-Identifier: Apache-2.0
"""lib/net's server with clients that we did not write: curl, h2load, wrk."""
import os
import re
import shutil
import signal
import subprocess
import unittest

import httpd

IDLE = 1000
IDLE_KIB_MAX = 400 * 1024 / 10000  # 10,000 under 400 MiB


def curl(server, *args, data=None):
    call = ["curl", "-sS", "-m", "60", "--cacert", server.ca, "-H", "Expect:", *args]
    if data is not None:
        call += ["--data-binary", "@-"]
    return subprocess.run(call, input=data, capture_output=True)


class Http(unittest.TestCase):
    def versions(self, server):
        return {"1.1": ["--http1.1"], "2": ["--http2" if server.tls else "--http2-prior-knowledge"]}

    def test_curl_speaks_both_versions_in_clear_and_over_tls(self):
        for tls in (False, True):
            with httpd.Httpd(tls) as server:
                for version, flags in self.versions(server).items():
                    with self.subTest(tls=tls, version=version):
                        told = ["-w", "%{http_version} %{http_code} %{content_type}", "-o", os.devnull]
                        done = curl(server, *flags, *told, server.url + "/hello")
                        self.assertEqual(done.stdout.decode(), f"{version} 200 text/plain", done.stderr)
                        body = os.urandom(200000)
                        self.assertEqual(curl(server, *flags, server.url + "/echo", data=body).stdout, body)
                        body = os.urandom(3000000)
                        self.assertEqual(curl(server, *flags, server.url + "/pieces", data=body).stdout, body)
                        for path, status in (("/nothing", "404"), ("/echo", "405"), ("/a%2e", "400")):
                            done = curl(server, *flags, "-w", "%{http_code}", server.url + path)
                            self.assertEqual(done.stdout.decode(), status)
            self.assertEqual(server.status, 0)

    def test_tls_is_1_3_with_our_anchors_alone(self):
        with httpd.Httpd(True) as server:
            self.assertEqual(curl(server, "--tlsv1.3", server.url + "/hello").stdout, b"hello")
            self.assertEqual(curl(server, "--tls-max", "1.2", server.url + "/hello").returncode, 35)
            other = subprocess.run(["curl", "-s", server.url + "/hello"], capture_output=True)
            self.assertEqual(other.returncode, 60)

    def test_a_new_certificate_is_taken_up_and_a_readable_key_is_not(self):
        with httpd.Httpd(True) as server:
            server.new_identity()
            self.assertEqual(curl(server, server.url + "/hello").returncode, 60)
            server.process.send_signal(signal.SIGHUP)
            self.assertEqual(curl(server, "--retry", "5", "--retry-all-errors", server.url + "/hello").stdout, b"hello")

    def test_load_runs_finish_without_errors(self):
        for tls in (False, True):
            with httpd.Httpd(tls) as server:
                body = os.path.join(server.folder.name, "body")
                with open(body, "wb") as f:
                    f.write(os.urandom(4096))
                if shutil.which("h2load"):
                    done = subprocess.run(["h2load", "-n", "5000", "-c", "20", "-m", "10", "-d", body,
                                           server.url + "/exchange"], capture_output=True, text=True)
                    self.assertRegex(done.stdout, r"5000 succeeded, 0 failed, 0 errored, 0 timeout")
                    self.assertRegex(done.stdout, r"5000 2xx")
                if shutil.which("wrk"):
                    done = subprocess.run(["wrk", "-t1", "-c20", "-d1", "--timeout", "60", server.url + "/hello"],
                                          capture_output=True, text=True)
                    self.assertNotRegex(done.stdout, r"Socket errors|Non-2xx")
                    self.assertGreater(int(re.search(r"(\d+) requests in", done.stdout).group(1)), 0)
            self.assertEqual(server.status, 0)

    def test_idle_connections_of_http2_over_tls_are_cheap(self):
        with httpd.Httpd(True) as server:
            idle = httpd.Idle(server)
            idle.open_until(10)
            before = server.resident_kib()
            idle.open_until(IDLE)
            each = (server.resident_kib() - before) / (IDLE - 10)
            idle.close()
            if b"__asan_init" not in open(httpd.PROGRAM, "rb").read():  # which has quarantines of its own
                self.assertLess(each, IDLE_KIB_MAX)
            self.assertEqual(curl(server, server.url + "/hello").stdout, b"hello")


if __name__ == "__main__":
    unittest.main()
