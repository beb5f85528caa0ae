# SPDX-License-Identifier: Apache-2.0
"""A relay and a mirror of a test's own between a device and a fleet: passes all on, and tells when."""
import http.client
import os
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 90


class Between:
    """`posted` and `answering` are called with the number of a POST, from 1, before it is passed on and before
    its answer is. `came` and `given` are monotonic times: no earlier than a POST, no later than its answer."""

    def __init__(self, fleet):
        self.trust = os.path.join(fleet.state, "trust", "trust")
        with open(self.trust, encoding="utf-8") as f:
            self.honest = f.read()
        self.to = re.search(r"(?m)^relay = http://(\S+)/ohttp$", self.honest)[1]
        self.posted = self.answering = lambda number: None
        self.came, self.given, self.bodies, self.directory_given = [], [], [], None
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, kind, body = between.passed_on(self, None)
                between.directory_given = time.monotonic()
                self.give(status, kind, body)

            def do_POST(self):
                between.came.append(time.monotonic())
                number = len(between.came)
                between.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                between.posted(number)
                answer = between.passed_on(self, between.bodies[-1])
                between.answering(number)
                between.given.append(time.monotonic())
                self.give(*answer)

            def give(self, status, kind, body):
                self.send_response_only(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    @staticmethod
    def hold_until(moment):
        """Keeps what passes until this monotonic time."""
        event = threading.Event()
        while time.monotonic() < moment:
            event.wait(moment - time.monotonic())

    def passed_on(self, asked, body):
        far = http.client.HTTPConnection(self.to, timeout=PATIENCE)
        try:
            headers = {} if body is None else {"Content-Type": asked.headers["Content-Type"]}
            far.request(asked.command, asked.path, body, headers)
            answer = far.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read()
        finally:
            far.close()

    def __enter__(self):
        self.thread.start()
        with open(self.trust, "w", encoding="utf-8") as f:
            f.write(self.honest.replace(self.to, f"127.0.0.1:{self.server.server_port}"))
        return self

    def __exit__(self, *_):
        with open(self.trust, "w", encoding="utf-8") as f:
            f.write(self.honest)
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
