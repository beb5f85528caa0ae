# SPDX-License-Identifier: Apache-2.0
"""Ports of 127.0.0.1: one that threads of a test serve, and one for a program that cannot choose by itself."""
import socket
import threading

PATIENCE = 60


def reserved_port():
    """A bound socket. As long as it is open nobody is given its port, and its address refuses connections;
    but a program that is told the number can listen there, as it says SO_REUSEADDR."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))  # alone: only from here on may others name the port
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s


class Listener:
    """Accepts until it is closed; `serve`, of the subclass, has each connection in a thread of its own."""

    def __init__(self, bound=None):
        """On a port of its own, or on that of a socket that is bound already."""
        self.socket = bound or socket.create_server(("127.0.0.1", 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        self.changed, self.served = threading.Condition(), []
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            s.settimeout(PATIENCE)
            with self.changed:
                self.served.append(threading.Thread(target=self.serve, args=(s,), daemon=True))
                self.served[-1].start()
                self.changed.notify_all()

    def settle(self, before=0):
        """Waits until more than `before` have come and all of them are gone; whether it is so. Who connected
        may be back with the test before the accepting thread is."""
        with self.changed:
            came = self.changed.wait_for(lambda: len(self.served) > before, PATIENCE)
        for thread in self.served:
            thread.join(PATIENCE)
        return came and not any(thread.is_alive() for thread in self.served)

    def close(self):
        """Closing alone would leave the thread in accept(). A signal makes the kernel call that again, by the
        descriptor's number (SIGCHLD does, when it comes while subprocess has it blocked), and the number is
        another listener's by then: a thread of this one would take the other's next connection."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.socket.close()
