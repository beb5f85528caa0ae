#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pp-tap carries bytes unchanged both ways and writes them down. usage: tap_test.py PP_TAP"""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading


def serve(listener):
    """Answers with what came, reversed, when the other side has finished; closes."""
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            length = int.from_bytes(receive(peer, 4), 'big')
            peer.sendall(receive(peer, length)[::-1])


def receive(peer, length):
    out = b''
    while len(out) < length:
        part = peer.recv(min(65536, length - len(out)))
        if not part:
            break
        out += part
    return out


def exchange(port, body):
    with socket.create_connection(('127.0.0.1', port), timeout=60) as s:
        s.sendall(len(body).to_bytes(4, 'big') + body)
        answer = receive(s, len(body))
        assert s.recv(1) == b'', 'the end of the far side must reach the near one'
    assert answer == body[::-1]


def read(folder, name):
    with open(os.path.join(folder, name), 'rb') as f:
        return f.read()


def main(tap):
    bodies = [b'hello', bytes(range(256)) * 20000, b'']  # 5 MB: more than any buffer on the way
    listener = socket.create_server(('127.0.0.1', 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        ready, ready_write = os.pipe()
        process = subprocess.Popen([tap, '--listen', '127.0.0.1:0', '--dir', folder,
                                    '--to', '127.0.0.1:%d' % listener.getsockname()[1],
                                    '--ready-fd', str(ready_write)], pass_fds=[ready_write])
        os.close(ready_write)
        with os.fdopen(ready) as f:
            lines = f.read().split('\n')
        assert lines[1:] == ['ready', ''] and lines[0].startswith('listen tap 127.0.0.1:'), lines
        port = int(lines[0].rsplit(':', 1)[1])
        for body in bodies:
            exchange(port, body)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        index = read(folder, 'index').decode().split('\n')[:-1]
        for n, body in enumerate(bodies):
            assert read(folder, '%04d.up' % n) == len(body).to_bytes(4, 'big') + body
            assert read(folder, '%04d.down' % n) == body[::-1]
            mine = [line.split()[2:] for line in index if line.split()[1] == '%04d' % n]
            assert mine[0] == ['open'] and mine[-1] == ['end'], mine
            for way, length in (('up', len(body) + 4), ('down', len(body))):
                assert sum(int(m[1]) for m in mine if m[0] == way) == length
    assert subprocess.run([tap, '--listen', 'x', '--to', 'y', '--dir', '.'],
                          stderr=subprocess.DEVNULL).returncode == 2
    print(f'{len(bodies)} connections carried and written down')


main(sys.argv[1])
