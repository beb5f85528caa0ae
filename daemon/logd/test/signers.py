# SPDX-License-Identifier: Apache-2.0
"""Where a log's and a witness's signing key may be: in a PKCS#8 file, and in another program.

    signers.py LOGD WITNESSD SIGNER

SIGNER is examples/signer. The parties are real processes, as in fleet.py.
"""
import base64
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import fleet as ledger  # noqa: E402
from fleet import records, until  # noqa: E402

SIGNER = os.path.abspath(sys.argv[3])


def set_config(party, without, lines):
    path = os.path.join(party.folder, "config")
    with open(path, encoding="utf-8") as f:
        kept = [line for line in f.read().splitlines() if line.split(" = ")[0] not in without]
    ledger.write(party.folder, "config", "".join(line + "\n" for line in kept + [f"{k} = {v}" for k, v in lines]))


def use_signer(party, ms=20000, key=None):
    """From its next start on, the party's key is where it cannot read it."""
    away = party.folder + ".key"
    if not os.path.exists(away):
        os.rename(os.path.join(party.folder, "key"), away)
    set_config(party, ("signer", "signer_arg", "signer_ms", "vkey"),
               [("signer", SIGNER), ("signer_arg", key or away), ("signer_ms", ms), ("vkey", party.vkey)])


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(p) for p in f.read().split()]


def signer_of(party):
    """The party's one child is the keeper, and its one child is the signer."""
    keeper, = children(party.process.pid)
    program, = children(keeper)
    with open(f"/proc/{program}/cmdline", "rb") as f:
        assert f.read().split(b"\0")[0] == SIGNER.encode()
    return program


def is_gone(pid):
    try:
        os.kill(pid, 0)
        return False
    except ProcessLookupError:
        return True


def states(witness):
    folder = os.path.join(witness.folder, "states")
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            found[name] = f.read()
    return found


def a_log_and_a_witness_sign_with_programs(fleet):
    for party in (fleet.log, fleet.witnesses[0], fleet.witnesses[4]):
        party.stop()
        use_signer(party)
    for party in (fleet.witnesses[0], fleet.witnesses[4], fleet.log):
        party.start()
    batch = fleet.first_batch()
    assert fleet.submit(batch)[0] == 200
    assert fleet.submit([fleet.hosts()])[0] == 200
    size, entries = fleet.verify()
    assert size == 9 and entries[:6] == batch
    assert fleet.witnesses[0].vkey in ledger.signers(fleet.checkpoint()[2], [w.vkey for w in fleet.witnesses])
    for party in (fleet.log, fleet.witnesses[0]):
        program = signer_of(party)
        party.stop()  # it waits for its signer
        assert is_gone(program)
        party.start()
    program = signer_of(fleet.log)
    fleet.log.kill()
    until("the killed log's signer is gone", lambda: is_gone(program))
    fleet.log.start()
    assert fleet.submit([fleet.hosts()])[0] == 200
    fleet.verify()


def a_log_whose_signer_has_ended_serves_what_it_served(fleet):
    fleet.log.stop()
    use_signer(fleet.log)
    fleet.log.start()
    assert fleet.submit(fleet.first_batch())[0] == 200
    before = fleet.checkpoint()
    fleet.log.stop()
    fleet.answer_soon()
    fleet.log.start()
    os.kill(signer_of(fleet.log), signal.SIGKILL)
    entry = fleet.hosts()
    status, text = fleet.submit([entry])
    assert (status, text) == (202, "pending\n"), (status, text)
    assert fleet.checkpoint() == before and fleet.verify()[0] == before[0]
    until("it is told", lambda: "event=LOG_BATCH_FAILED file=none code=SIGNER_GONE" in fleet.log.events())
    fleet.log.stop()
    with open(os.path.join(fleet.log.folder, "signed"), encoding="utf-8") as f:
        assert f.read().split("\n")[1] == str(before[0])
    fleet.log.start()
    until("what waited is published", lambda: fleet.submit([entry])[0] == 200)
    assert entry in fleet.verify()[1]


def a_log_whose_signer_hangs_goes_on_when_it_answers_again(fleet):
    fleet.log.stop()
    use_signer(fleet.log, ms=2000)
    fleet.answer_soon()
    fleet.log.start()
    batch = fleet.first_batch()
    until("it signs", lambda: fleet.submit(batch)[0] == 200)
    before = fleet.checkpoint()
    program = signer_of(fleet.log)
    os.kill(program, signal.SIGSTOP)
    entry = fleet.hosts()
    status, text = fleet.submit([entry])
    assert (status, text) == (202, "pending\n"), (status, text)
    began = time.monotonic()
    for _ in range(50):  # one deadline was waited for, and no second one
        assert fleet.checkpoint() == before
    assert time.monotonic() - began < 50 * 2
    os.kill(program, signal.SIGCONT)
    until("it signs again", lambda: fleet.submit([entry])[0] == 200)
    assert signer_of(fleet.log) == program
    fleet.verify()


def a_signature_of_another_key_leaves_neither_a_log_nor_a_witness(fleet):
    other, liar = fleet.witnesses[3], fleet.witnesses[1]
    for party in (fleet.log, liar):
        party.stop()
        use_signer(party, key=os.path.join(other.folder, "key"))
    before = states(liar)  # it may have cosigned the empty tree with its own key
    liar.start()
    fleet.answer_soon()
    fleet.log.start()
    batch = fleet.first_batch()
    status, text = fleet.submit(batch)
    assert (status, text) == (202, "pending\n"), (status, text)
    assert fleet.log.call("GET", "/checkpoint")[0] == 404
    fleet.log.stop()
    use_signer(fleet.log)
    fleet.log.start()
    until("it is published", lambda: fleet.submit(batch)[0] == 200)
    until("it was asked", lambda: "event=WITNESS_SIGNER_FAILED code=SIGNER_WRONG" in liar.events())
    assert liar.vkey not in ledger.signers(fleet.checkpoint()[2], [w.vkey for w in fleet.witnesses])
    assert states(liar) == before


def a_witness_whose_signer_has_ended_says_so_and_forgets_nothing(fleet):
    w = fleet.witnesses[2]
    w.stop()
    use_signer(w)
    w.start()
    assert fleet.submit(fleet.first_batch())[0] == 200
    until("it has cosigned", lambda: "WITNESS_COSIGNED" in w.events())
    os.kill(signer_of(w), signal.SIGKILL)
    assert fleet.submit([fleet.hosts()])[0] == 200  # the others are enough
    until("it is told", lambda: "code=SIGNER_GONE" in w.events())
    path = "/" + ledger.hashlib.sha256(records.LEDGER.encode()).hexdigest() + "/checkpoint"
    assert fleet.parse(w.call("GET", path)[1])[0] == 7
    w.stop()
    w.start()
    assert fleet.submit([fleet.hosts()])[0] == 200
    until("it cosigns again", lambda: fleet.parse(w.call("GET", path)[1])[0] == 11)


# RFC 8410 10.3: the key, and what OpenSSL would write for it.
PKCS8 = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
"""
PUBLIC = bytes.fromhex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1")


def init(program, folder, name, *more):
    done = subprocess.run([program, "--init", folder, name, *more], text=True, capture_output=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


def a_party_is_made_with_a_key_that_is_there(fleet):
    pem = os.path.join(fleet.folder, "pkcs8.pem")
    ledger.write(fleet.folder, "pkcs8.pem", PKCS8)
    made = 0
    for program, kind in ((ledger.LOGD, 1), (ledger.WITNESSD, 4)):
        folder = os.path.join(fleet.folder, f"made{kind}")
        os.chmod(pem, 0o644)
        status, _, words = init(program, folder, "l.example", "--key", pem)
        assert status == 2 and "mode 0600" in words, words
        os.chmod(pem, 0o600)
        status, vkey, words = init(program, folder, "l.example", "--key", pem)
        assert status == 0, words
        assert base64.b64decode(vkey.split("+", 2)[2]) == bytes([kind]) + PUBLIC
        assert vkey.startswith("l.example+") and not os.path.exists(os.path.join(folder, "key"))
        made += 1
        # the same through a program: its vkey decides
        away = fleet.log if kind == 1 else fleet.witnesses[0]
        folder = os.path.join(fleet.folder, f"asked{kind}")
        name = away.vkey.split("+")[0]
        args = ("--vkey", away.vkey, "--signer", SIGNER, os.path.join(away.folder, "key"))
        assert init(program, folder, name, *args)[:2] == (0, away.vkey)
        assert init(program, folder + "x", "other.example", *args)[0] == 2
        assert init(program, folder + "x", name, *args[2:])[0] == 2
        assert init(program, folder + "x", name, "--vkey", vkey, *args[2:])[0] == 2
        for wrong in (["--key"], ["--key", pem, "more"], ["--sign", SIGNER], ["--sign", vkey, *args[2:]],
                      ["--vkey", vkey], ["--vkey", vkey, "--signer"], ["--vkey", vkey, "--sign", SIGNER]):
            status, _, words = init(program, folder + "x", name, *wrong)
            assert status == 2 and words.startswith("usage: "), (wrong, words)
    assert made == 2


def a_log_with_a_pkcs8_key_publishes(fleet):
    """The log's own seed in the other form: the same log, the same key."""
    fleet.log.stop()
    with open(os.path.join(fleet.log.folder, "key"), encoding="utf-8") as f:
        seed = base64.b64decode(f.read().strip().split("+", 4)[4])[1:]
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    os.unlink(os.path.join(fleet.log.folder, "key"))
    path = os.path.join(fleet.log.folder, "hsm.der")
    with open(path, "wb") as f:
        f.write(der)
    os.chmod(path, 0o600)
    set_config(fleet.log, (), [("key", "hsm.der"), ("key_name", records.LEDGER)])
    fleet.log.start()
    assert fleet.submit(fleet.first_batch())[0] == 200
    fleet.verify()
    fleet.log.stop()
    set_config(fleet.log, ("key_name",), [("key_name", "other.example")])
    fleet.log.start(expect_ready=False)
    assert fleet.log.process.wait(ledger.PATIENCE) == 2


def a_configuration_that_contradicts_itself_is_refused(fleet):
    fleet.log.stop()
    for lines, field in (([("vkey", fleet.log.vkey)], "vkey"), ([("signer_arg", "x")], "signer_arg"),
                         ([("signer", SIGNER), ("key", "key")], "key"), ([("signer", SIGNER)], "vkey"),
                         ([("signer", "bin/signer"), ("vkey", fleet.log.vkey)], "signer"),
                         ([("signer", "/nowhere"), ("vkey", fleet.log.vkey)], "/nowhere"),
                         ([("signer", SIGNER), ("vkey", fleet.witnesses[0].vkey)], "vkey"),
                         ([("signer", SIGNER), ("vkey", fleet.log.vkey), ("key_name", "x")], "key_name")):
        names = ("key", "key_name", "signer", "signer_arg", "vkey")
        set_config(fleet.log, names, lines)
        fleet.log.start(expect_ready=False)
        assert fleet.log.process.wait(ledger.PATIENCE) == 2, lines
        if field in ("signer_arg", "key", "key_name"):  # what no file needs to be opened for
            done = subprocess.run([ledger.LOGD, "--config", os.path.join(fleet.log.folder, "config"), "--check"],
                                  capture_output=True, check=False)
            assert done.returncode == 2, lines
        assert f"  field:    {field}\n" in fleet.log.events().split("what")[-1], (lines, fleet.log.events())
    fleet.log.process = None


ledger.run((a_log_and_a_witness_sign_with_programs,
            a_log_whose_signer_has_ended_serves_what_it_served,
            a_log_whose_signer_hangs_goes_on_when_it_answers_again,
            a_signature_of_another_key_leaves_neither_a_log_nor_a_witness,
            a_witness_whose_signer_has_ended_says_so_and_forgets_nothing,
            a_party_is_made_with_a_key_that_is_there,
            a_log_with_a_pkcs8_key_publishes,
            a_configuration_that_contradicts_itself_is_refused))
