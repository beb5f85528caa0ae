# SPDX-License-Identifier: Apache-2.0
"""ppctl log witness: the same decisions as the daemon's, over the same folder, one request at a time.

    log_witness.py LOGD WITNESSD PPCTL
"""
import json
import os
import random
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "daemon", "witnessd", "test"))
import witness as strangers  # noqa: E402
from witness import ED25519, ledger, records, request, tree  # noqa: E402

PPCTL = os.path.abspath(sys.argv[3])
CODES = {400: "WITNESS_REQUEST", 404: "LEDGER_ORIGIN", 403: "LEDGER_SIGNATURE", 409: "WITNESS_CONFLICT",
         422: "WITNESS_REFUSED"}


class OneShot:
    """A witness that is a folder, a key and a command."""

    def __init__(self, folder, log):
        self.folder, self.log = folder, log
        self.party = strangers.Party(ledger.WITNESSD, folder, "witness.example")

    def args(self, body, *more):
        path = self.folder + ".request"
        with open(path, "wb") as f:
            f.write(body)
        return [PPCTL, "log", "witness", "--key", os.path.join(self.folder, "key"), "--state", self.folder,
                "--log", self.log, "--json", *more, path]

    def run(self, body, *more):
        done = subprocess.run(self.args(body, *more), stdout=subprocess.PIPE, text=True, check=False)
        out = json.loads(done.stdout)
        return done.returncode, out.get("error", out)

    def cosigns(self, body, text=None):
        status, out = self.run(body)
        assert status == 0, out
        if text is None:
            text = body[body.index(b"\n\n") + 2:] if body.startswith(b"old ") else body
            text = text[:text.rindex(b"\n\n") + 1]
        note = text + b"\n" + out["line"].encode() + b"\n"
        assert ledger.signers(note, [self.party.vkey]) == {self.party.vkey}
        return out

    def refuses(self, body, code, status=3):
        got, out = self.run(body)
        assert (got, out.get("code")) == (status, code), (got, out)
        return out


def a8_the_published_exchanges_end_as_the_daemon_s(fleet):
    with open(os.path.join(ledger.ROOT, "tests/vectors/tlog/add-checkpoint.json"), encoding="utf-8") as f:
        rows = json.load(f)
    w = OneShot(os.path.join(fleet.folder, "w"), rows["log_vkey"])
    for x in rows["exchanges"]:
        if x["status"] == 200:
            w.cosigns(x["request"].encode(), x["cosigns"].encode())
            continue
        out = w.refuses(x["request"].encode(), CODES[x["status"]])
        assert x["status"] != 409 or out["expected"] == x["body"].strip(), out


def the_folder_is_the_daemon_s_too(fleet):
    w = OneShot(os.path.join(fleet.folder, "w"), ED25519.vkey())
    w.cosigns(request(tree(3)))
    w.party.configure([("log", w.log)])
    w.party.start()
    w.refuses(request(tree(4), 3), "STATE_IN_USE", 2)
    assert w.party.call("POST", "/add-checkpoint", request(tree(5), 3))[0] == 200
    w.party.kill()
    assert w.refuses(request(tree(6), 3), "WITNESS_CONFLICT")["expected"] == "5"
    w.cosigns(request(tree(6), 5))
    w.party.start()
    assert w.party.call("POST", "/add-checkpoint", request(tree(6), 0))[:2] == (409, b"6\n")
    w.party.kill()


def a_checkpoint_alone_is_the_first_one_or_the_same_again(fleet):
    w = OneShot(os.path.join(fleet.folder, "w"), ED25519.vkey())
    alone = [request(tree(n))[len("old 0\n\n"):] for n in range(6)]
    w.cosigns(alone[3])
    w.cosigns(alone[3])
    w.refuses(alone[5], "WITNESS_REFUSED")
    w.refuses(alone[2], "WITNESS_CONFLICT")
    w.refuses(request(tree(3, b"x"))[len("old 0\n\n"):], "WITNESS_REFUSED")
    w.refuses(b"hello\n", "WITNESS_REQUEST")
    w.refuses(b"", "WITNESS_REQUEST")


def a_witness_begins_once_and_only_when_it_is_told_to(fleet):
    w = OneShot(os.path.join(fleet.folder, "w"), ED25519.vkey())
    states = os.path.join(w.folder, "states")
    assert w.run(request(tree(1)), "--new")[0] == 2  # --init has begun it
    os.rmdir(states)
    w.refuses(request(tree(1)), "USAGE", 2)
    assert w.run(request(tree(1)), "--new")[0] == 0
    name = os.listdir(states)[0]
    with open(os.path.join(states, name), encoding="utf-8") as f:
        text = f.read()
    ledger.write(states, name, text.replace("\n1\n", "\n2\n", 1))
    assert w.run(request(tree(3), 1))[0] != 0  # a state that it did not write
    ledger.write(states, name, text)
    w.cosigns(request(tree(3), 1))


def the_key_is_a_witness_s(fleet):
    w = OneShot(os.path.join(fleet.folder, "w"), ED25519.vkey())
    log = strangers.Party(ledger.LOGD, os.path.join(fleet.folder, "log"), "log.example")
    done = subprocess.run([PPCTL, "--json", "log", "witness", "--key", os.path.join(log.folder, "key"), "--state", w.folder,
                           "--log", w.log, w.folder + ".request"], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2 and json.loads(done.stdout)["error"]["code"] == "CONFIG", done
    for bad in ("", "nonsense", strangers.Party.all[0].vkey):
        w.log = bad or "x"
        assert w.run(request(tree(1)))[0] == 2


def a8_two_at_once_do_not_both_win(fleet):
    w = OneShot(os.path.join(fleet.folder, "w"), ED25519.vkey())
    w.cosigns(request(tree(1)))
    answers = []

    def go(i):
        path = f"{w.folder}.{i}"
        with open(path, "wb") as f:
            f.write(request(tree(1) + tree(1 + i, b"fork"), 1))
        done = subprocess.run(w.args(b"")[:-1] + [path], stdout=subprocess.PIPE, text=True, check=False)
        answers.append((done.returncode, json.loads(done.stdout)))
    threads = [threading.Thread(target=go, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sum(status == 0 for status, _ in answers) == 1, answers
    assert all(out["error"]["code"] in ("STATE_IN_USE", "WITNESS_CONFLICT") for status, out in answers if status), answers


def a8_killed_at_any_moment_it_never_goes_behind_its_word(fleet):
    w = OneShot(os.path.join(fleet.folder, "w"), ED25519.vkey())
    dice, told, size = random.Random(5), 0, 0
    for _ in range(40):
        size += 1
        process = subprocess.Popen(w.args(request(tree(size), told)), stdout=subprocess.PIPE, text=True)
        killer = threading.Timer(dice.uniform(0.0, 0.03), process.kill)
        killer.start()
        out = process.communicate()[0]
        killer.cancel()
        line = json.loads(out) if out.endswith("\n") else {}
        if "line" in line:
            told = size
        else:
            code = w.run(request(tree(size), told))[1]
            # What was not told is either not stored, and cosigned now, or stored, and 409 says so.
            assert "line" in code or code["got"] == str(told) and int(code["expected"]) == size, code
            told = size
    w.refuses(request(tree(2)), "WITNESS_CONFLICT")


if __name__ == "__main__":
    ledger.run((a8_the_published_exchanges_end_as_the_daemon_s,
                the_folder_is_the_daemon_s_too,
                a_checkpoint_alone_is_the_first_one_or_the_same_again,
                a_witness_begins_once_and_only_when_it_is_told_to,
                the_key_is_a_witness_s,
                a8_two_at_once_do_not_both_win,
                a8_killed_at_any_moment_it_never_goes_behind_its_word))
