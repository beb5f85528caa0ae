# SPDX-License-Identifier: Apache-2.0
"""The main job end to end: up, summarize, verify receipt, status, down; and what a person gets wrong."""
import collections
import json
import os
import signal
import stat
import subprocess
import tempfile
import threading
import time
import unittest

import fleet
from fleet import CANARY, CHAT, Fleet, frames, posts, ppctl


FAULTS = {row["name"]: row for row in ppctl("up", "--fault", "list", "--json").json["faults"]}


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(capture=True)
        cls.fleet.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def test_a_chat_goes_in_and_a_verified_private_summary_comes_out(self):
        done = self.fleet.summarize()
        self.assertEqual(done.status, 0, done.err)
        answer = done.json
        self.assertEqual(set(answer), {"summary", "items", "engine", "simulated", "verified", "checks",
                                       "receipt"})
        self.assertTrue(answer["verified"])
        self.assertTrue(answer["simulated"])
        self.assertEqual(answer["engine"]["kind"], "embedded")
        self.assertEqual(answer["summary"], "\n".join(i["text"] for i in answer["items"]))
        for item in answer["items"]:
            self.assertIn(item["kind"], ("topic", "decision", "task", "date", "open"))
            self.assertTrue(item["messages"])
            self.assertTrue(all(0 <= m < len(CHAT["messages"]) for m in item["messages"]))
        self.assertIn("Bartholomew", answer["summary"])
        self.assertIn("library", answer["summary"])

    def test_p_every_step_of_the_check_order_is_listed_in_order(self):
        checks = self.fleet.summarize().json["checks"]
        numbers = [c["n"] for c in checks]
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(set(numbers), set(range(1, 14)))
        for c in checks:
            self.assertIn(c["verdict"], ("proven", "asserted", "skipped"))

    def test_the_summary_keeps_to_the_asked_number_of_words(self):
        for words in (20, 40, 130, 400):
            answer = self.fleet.summarize("--words", words).json
            self.assertLessEqual(len(answer["summary"].split()), words)

    def test_standard_output_holds_the_summary_alone(self):
        done = self.fleet.run("summarize", self.fleet.chat)
        self.assertEqual(done.status, 0)
        self.assertIn("library", done.out)
        self.assertNotIn("receipt", done.out)
        self.assertIn("simulated", done.err)
        self.assertIn("receipt: ", done.err)

    def test_what_was_proven_is_counted_apart_from_what_was_asserted_or_skipped(self):
        count = collections.Counter(c["verdict"] for c in self.fleet.summarize().json["checks"])
        err = self.fleet.run("summarize", self.fleet.chat).err
        self.assertIn(f"{count['proven']} proven, {count['asserted']} asserted, "
                      f"{count['skipped']} skipped", err)
        self.assertGreater(count["asserted"], 0)

    def test_a_chat_that_holds_nothing_worth_a_summary_has_its_own_words(self):
        chat = self.fleet.write("short.json", json.dumps({"messages": [{"sender": "A", "text": "hi"}]}))
        done = self.fleet.summarize(chat=chat)
        self.assertEqual((done.status, done.code), (1, "ANSWER_FAILED"))
        self.assertIn("nothing in this chat is worth one", done.json["error"]["got"])
        self.assertIn("greetings", done.json["error"]["do"])

    def test_a_message_with_an_empty_text_is_fine_among_others(self):
        chat = dict(CHAT, messages=CHAT["messages"] + [{"sender": "Wilhelmina", "text": ""}])
        done = self.fleet.summarize(chat=self.fleet.write("empty.json", json.dumps(chat)))
        self.assertEqual(done.status, 0, done.out)

    def test_refresh_says_one_line(self):
        done = self.fleet.run("refresh")
        self.assertEqual(done.status, 0, done.err)
        serial = self.fleet.run("refresh", "--json").json["status_serial"]
        self.assertEqual(done.out, f"status {serial} of the ledger is held; what was due is fetched\n")

    def test_p_transparency_explain_prints_the_six_phases(self):
        err = self.fleet.run("summarize", self.fleet.chat, "--explain").err
        for phase in ("1. authentication", "2. third-party routing", "3. wire session",
                      "4. application session", "5. request", "6. response"):
            self.assertIn(phase, err)

    def test_a_receipt_is_checked_again_offline_and_a_changed_one_is_not_accepted(self):
        path = os.path.join(self.fleet.folder, "receipt")
        self.assertEqual(self.fleet.summarize("--receipt", path).json["receipt"], path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        good = self.fleet.run("verify", "receipt", path, "--json")
        self.assertEqual(good.status, 0, good.out)
        self.assertEqual(good.json["verdict"], "accept")
        with open(path, "rb") as f:
            raw = f.read()
        self.assertNotIn(CANARY.encode(), raw)
        self.assertNotIn(b"Wilhelmina", raw)
        refused = 0
        for at in range(100, len(raw), max(1, len(raw) // 40)):
            bent = self.fleet.write("bent", raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:])
            status = self.fleet.run("verify", "receipt", bent).status
            self.assertIn(status, (0, 2, 3))  # what the device asserts alone may differ
            refused += status != 0
        self.assertGreater(refused, 30)

    def test_a_receipt_is_made_under_the_policies_in_use_and_its_rows_come_out_again(self):
        path = os.path.join(self.fleet.folder, "receipt-rows")
        self.assertEqual(self.fleet.summarize("--receipt", path).status, 0)
        with open(path, "rb") as f:
            raw = f.read()
        rows = self.fleet.run("verify", "receipt", path, "--json").json["checks"]
        verdicts = {c["code"]: c["verdict"] for c in rows}
        self.assertEqual(verdicts["LEDGER_ROLLBACK"], "skipped")  # no marks are in a receipt
        self.assertEqual(verdicts["LEDGER_STALE"], "asserted")    # nor a clock
        for words, behind, code in ((b"log policy", 4, "TRUST"), (b"review policy", 4, "TRUST"),
                                    (b"SNP_POLICY", -1, "INPUT"), (b"LEDGER_HOST", -1, "INPUT")):
            at = raw.rindex(words) + len(words) + behind
            bent = self.fleet.write("bent", raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:])
            done = self.fleet.run("verify", "receipt", bent, "--json")
            self.assertEqual(done.json.get("code") or done.code, code, words)
            self.assertIn(done.status, (2, 3))

    def test_p_confidential_no_hop_sees_a_word_and_sizes_are_buckets(self):
        done = self.fleet.summarize()
        self.assertEqual(done.status, 0)
        for hop in self.fleet.taps():
            for connection, way, raw in self.fleet.tap(hop):
                for needle in (CANARY.encode(), b"Wilhelmina", b"Bartholomew", b"projector"):
                    self.assertNotIn(needle, raw, f"{hop} {connection} {way}")
        sizes = {len(b) for _, way, raw in self.fleet.tap("gateway") if way == "up" for b in posts(raw)}
        self.assertLessEqual(sizes, {4096, 2048})

    def test_w3_t6_the_directory_is_asked_for_without_anything_that_tells_one_device_from_another(self):
        self.assertEqual(self.fleet.summarize().status, 0)
        asked = [raw for _, way, raw in self.fleet.tap("relay")
                 if way == "up" and raw.startswith(b"GET ")]
        self.assertTrue(asked)
        for raw in asked:
            lines = raw.split(b"\r\n\r\n")[0].split(b"\r\n")
            self.assertEqual(lines[0], b"GET /directory HTTP/1.1")
            self.assertEqual([line.split(b":")[0].lower() for line in lines[1:]], [b"host"])
        self.assertEqual(len({raw.split(b"\r\n\r\n")[0] for raw in asked}), 1)

    def test_w5_t1_no_party_writes_a_word_of_the_chat_anywhere(self):
        self.assertEqual(self.fleet.summarize().status, 0)
        for folder, _, names in os.walk(self.fleet.state):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as f:
                    raw = f.read()
                for needle in (CANARY.encode(), b"Wilhelmina", b"projector"):
                    self.assertNotIn(needle, raw, path)

    def test_status_tells_who_runs_and_where(self):
        answer = self.fleet.run("status", "--json").json
        names = {p["name"] for p in answer["parties"]}
        self.assertLessEqual({"issuer", "relay", "gateway", "log", "host", "witness1", "witness4",
                              "record-witness"}, names)
        self.assertTrue(all(p["ready"] and p["pid"] > 1 and p["listens"] for p in answer["parties"]))
        self.assertEqual(answer["environment"], "dev")

    def test_token_status_counts_without_spending(self):
        self.fleet.summarize()
        before = self.fleet.run("token", "status", "--json").json
        after = self.fleet.run("token", "status", "--json").json
        self.assertEqual(before["epochs"], after["epochs"])
        self.fleet.summarize()
        spent = self.fleet.run("token", "status", "--json").json
        held = [sum(e["held"] for e in s["epochs"]) for s in (before, spent)]
        self.assertEqual(held[0] - held[1], 1)

    def test_log_show_tells_folder_origin_vkey_and_size(self):
        answer = self.fleet.run("log", "show", "--json").json
        self.assertTrue(os.path.isdir(answer["folder"]))
        self.assertTrue(answer["vkey"].startswith(answer["origin"] + "+"))
        self.assertGreater(answer["size"], 0)

    def test_every_party_has_a_folder_that_nobody_else_can_read(self):
        for name in os.listdir(self.fleet.state):
            path = os.path.join(self.fleet.state, name)
            if os.path.isdir(path):
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700, name)
        if os.geteuid() == 0:
            owners = {os.stat(os.path.join(self.fleet.state, n)).st_uid
                      for n in ("relay", "gateway", "issuer", "host", "log", "witness1")}
            self.assertEqual(len(owners), 6)

    def test_daemons_are_confined(self):
        for name, pid in self.fleet.pids().items():
            if name.startswith("tap-"):
                continue
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                rows = dict(line.split(":", 1) for line in f.read().splitlines())
            self.assertEqual(rows["NoNewPrivs"].strip(), "1", name)
            self.assertEqual(int(rows["CapEff"], 16), 0, name)
            if os.geteuid() == 0:
                self.assertNotEqual(rows["Uid"].split()[0], "0", name)


class Lifecycle(unittest.TestCase):
    def assert_verified(self, f):
        done = f.summarize()
        self.assertEqual(done.status, 0, done.out)

    def test_a_folder_that_is_not_ours_is_left_alone(self):
        f = Fleet()
        self.addCleanup(f.__exit__)
        os.makedirs(os.path.join(f.state, "owner"))
        for name in ("keep", "owner/key"):
            with open(os.path.join(f.state, name), "w", encoding="utf-8") as file:
                file.write("not a fleet's")
        before = sorted((path, sorted(files)) for path, _, files in os.walk(f.state))
        done = f.up()
        self.assertEqual(done.status, 2, done.out)
        self.assertEqual(done.json["error"]["field"], f.state)
        self.assertIn("empty folder", done.json["error"]["expected"])
        self.assertEqual(before, sorted((path, sorted(files)) for path, _, files in os.walk(f.state)))

    def test_a_fleet_that_cannot_be_told_is_not_said_to_be_absent(self):
        with Fleet() as f:
            path = os.path.join(f.state, "fleet.json")
            with open(path, encoding="utf-8") as file:
                kept = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write("garbage")
            for verb in (["up"], ["status"], ["down"]):
                done = f.run(*verb, "--json")
                self.assertEqual(done.status, 2, verb)
                self.assertEqual((done.code, done.json["error"]["field"]), ("CONFIG", path), verb)
            with open(path, "w", encoding="utf-8") as file:
                file.write(kept)
            self.assertEqual(f.run("status").status, 0)

    def test_a_fault_leaves_nothing_behind_for_the_next_start(self):
        f = Fleet()
        self.addCleanup(f.__exit__)
        f.keep_from_midnight()
        for name in (None, "token-key-unlisted", "wallet-empty", None, "status-rolled-back",
                     "token-spent-twice", None, "release-revoked", None):
            f.fault = name
            self.assertEqual(f.up().status, 0, name)
            done = f.summarize()
            self.assertEqual(f.down().status, 0)
            expected = FAULTS[name] if name else {"exit": 0, "code": None}
            self.assertEqual((done.status, done.json.get("error", {}).get("code")),
                             (expected["exit"], expected["code"]), name)

    def test_near_midnight_a_wallet_that_is_empty_is_empty_of_both_days(self):
        f = Fleet()
        self.addCleanup(f.__exit__)
        f.set_clock((time.time() // fleet.DAY + 1) * fleet.DAY - fleet.NEAR / 2)
        f.fault = "wallet-empty"
        self.assertEqual(f.up().status, 0)
        self.assertEqual(f.summarize().code, "NO_TOKENS")

    def test_without_any_folder_to_use_nothing_is_made(self):
        done = subprocess.run([fleet.PPCTL, "up", "--json"], env={}, text=True, cwd="/",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(json.loads(done.stdout)["error"]["field"], "--state")

    def test_down_leaves_nothing_running_and_up_goes_on_where_it_was(self):
        with Fleet() as f:
            self.assert_verified(f)
            pids = list(f.pids().values())
            pids += [c for p in pids for c in fleet.children(p)]
            self.assertEqual(f.down().status, 0)
            self.assertEqual([p for p in pids if fleet.alive(p)], [])
            self.assertEqual(f.down().status, 2)
            self.assertEqual(f.up().status, 0)
            done = f.summarize()
            self.assertEqual(done.status, 0, done.out)

    def test_two_fleets_run_side_by_side(self):
        with Fleet() as a, Fleet() as b:
            self.assert_verified(a)
            self.assert_verified(b)
            self.assertEqual(a.down().status, 0)
            self.assert_verified(b)

    def test_a_state_folder_in_use_is_refused_and_undisturbed(self):
        with Fleet() as f:
            done = f.up()
            self.assertEqual(done.status, 2)
            self.assertEqual(done.code, "STATE_IN_USE")
            self.assert_verified(f)

    def test_sessions_at_once_do_not_disturb_each_other(self):
        with Fleet() as f:
            self.assert_verified(f)
            results = []
            threads = [threading.Thread(target=lambda: results.append(f.summarize())) for _ in range(6)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual([r.status for r in results], [0] * 6, [r.out for r in results])

    def test_a_killed_party_is_told_and_the_rest_ends_cleanly(self):
        with Fleet() as f:
            os.kill(f.pids()["gateway"], signal.SIGKILL)
            done = f.summarize()
            self.assertEqual(done.status, 1, done.out)
            self.assertEqual(f.run("status").status, 1)
            self.assertEqual(f.down().status, 0)

    def test_a_missing_program_is_named_and_nothing_is_left(self):
        f = Fleet()
        try:
            folder = os.path.join(f.folder, "bin")
            os.mkdir(folder)
            for name in os.listdir(fleet.BIN):
                if name != "pp-gatewayd":
                    fleet.link_or_copy(os.path.join(fleet.BIN, name), os.path.join(folder, name))
            done = subprocess.run([os.path.join(folder, "ppctl"), "up", "--json", "--state", f.state],
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2)
            error = json.loads(done.stdout)["error"]
            self.assertEqual((error["code"], error["field"]), ("PROGRAM_ABSENT", "pp-gatewayd"))
            self.assertFalse(os.path.exists(os.path.join(f.state, "fleet.json")))
        finally:
            f.__exit__()


class Refusals(unittest.TestCase):
    """Bad input: a sentence naming file, field and what to do, exit 2, nothing sent."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(capture=True)
        cls.fleet.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def refuse(self, content, field, args=()):
        path = self.fleet.write("bad.json", content if isinstance(content, (str, bytes))
                                else json.dumps(content))
        posted = self.posts()
        done = self.fleet.summarize(*args, chat=path)
        self.assertEqual(done.status, 2, done.out)
        error = done.json["error"]
        self.assertEqual(done.json["sent_user_bytes"], 0)
        self.assertEqual(error["field"], field)
        self.assertTrue(error["expected"] and error["do"])
        self.assertEqual(self.posts(), posted, "something was sent")
        return error

    def posts(self):
        return sum(len(posts(raw)) for hop in self.fleet.taps() for _, way, raw in self.fleet.tap(hop)
                   if way == "up")

    def chat_with(self, **changes):
        return {"messages": [dict(CHAT["messages"][0], **changes)]}

    def test_texts_that_are_all_empty(self):
        self.refuse({"messages": [{"sender": "A", "text": ""}, {"sender": "B", "text": ""}]}, "messages")

    def test_a_member_twice(self):
        error = self.refuse('{"messages": [],\n "messages": []}', "(file)")
        self.assertEqual(error["got"], "a member twice, in line 2")

    def test_a_folder_for_a_chat(self):
        done = self.fleet.summarize(chat=self.fleet.folder)
        self.assertEqual((done.status, done.code), (2, "INPUT"))
        self.assertEqual(done.json["error"]["got"], "a folder, or another kind of file")

    def test_a_place_that_holds_no_receipt_costs_no_token(self):
        link = os.path.join(self.fleet.folder, "link")
        os.symlink("/dev/null", link)
        tokens = self.fleet.run("token", "status", "--json").out
        posted = self.posts()
        for bad in ("/proc/none/x", "/dev/full/x", self.fleet.folder, "/dev/null", link, "/" + "x" * 5000,
                    os.path.join(self.fleet.folder, "x" * 255)):
            done = self.fleet.summarize("--receipt", bad)
            self.assertEqual((done.status, done.code), (2, "USAGE"), bad)
            self.assertEqual(done.json["error"]["field"], "--receipt")
            self.assertEqual(done.json["sent_user_bytes"], 0)
        self.assertEqual(self.fleet.run("token", "status", "--json").out, tokens)
        self.assertEqual(self.posts(), posted)
        self.assertFalse([n for n in os.listdir(self.fleet.folder) if n.endswith(".tmp")])

    def test_not_json(self):
        self.assertIn("bad.json", self.refuse("{", "(file)")["party"])

    def test_an_empty_file(self):
        self.refuse("", "(file)")

    def test_no_messages(self):
        self.refuse({"title": "x"}, "messages")

    def test_an_empty_list_of_messages(self):
        self.refuse({"messages": []}, "messages")

    def test_a_hundred_thousand_messages(self):
        error = self.refuse({"messages": [CHAT["messages"][0]] * 100000}, "messages")
        self.assertEqual(error["got"], "100000")

    def test_a_message_of_a_mebibyte(self):
        self.refuse(self.chat_with(text="x" * (1 << 20)), "messages[0].text")

    def test_invalid_utf8(self):
        self.refuse(b'{"messages":[{"sender":"A","text":"\xff"}]}', "(file)")

    def test_wrong_types(self):
        self.refuse([], "(file)")
        self.refuse({"messages": 3}, "messages")
        self.refuse({"messages": ["x"]}, "messages[0]")
        self.refuse(self.chat_with(text=3), "messages[0].text")
        self.refuse(self.chat_with(sender=None), "messages[0].sender")
        self.refuse(self.chat_with(time="yesterday"), "messages[0].time")
        self.refuse({"messages": CHAT["messages"], "closed_to_ai": "yes"}, "closed_to_ai")

    def test_missing_fields(self):
        self.refuse({"messages": [{"sender": "A"}]}, "messages[0].text")
        self.refuse({"messages": [{"text": "A"}]}, "messages[0].sender")

    def test_a_file_that_is_not_there(self):
        done = self.fleet.summarize(chat="/proc/none/chat.json")
        self.assertEqual((done.status, done.code), (2, "INPUT"))

    def test_words_outside_the_limits(self):
        for words in ("19", "401", "x", "-1", ""):
            done = self.fleet.summarize("--words", words)
            self.assertEqual((done.status, done.code), (2, "USAGE"), words)

    def test_p_user_control_a_chat_closed_to_ai_is_never_sent(self):
        before = self.posts()
        path = self.fleet.write("closed.json", json.dumps(dict(CHAT, closed_to_ai=True)))
        done = self.fleet.summarize(chat=path)
        self.assertEqual((done.status, done.code), (4, "CHAT_CLOSED"))
        self.assertEqual(self.posts(), before)

    def test_p_optionality_without_consent_nothing_touches_the_network(self):
        settings = os.path.join(self.fleet.state, "device", "settings")
        with open(settings, encoding="utf-8") as f:
            kept = f.read()
        before = sum(len(raw) for hop in self.fleet.taps() for _, _, raw in self.fleet.tap(hop))
        try:
            for text in ("consent = no\n", ""):
                with open(settings, "w", encoding="utf-8") as f:
                    f.write(text)
                done = self.fleet.summarize()
                self.assertEqual((done.status, done.code), (4, "CONSENT"))
        finally:
            with open(settings, "w", encoding="utf-8") as f:
                f.write(kept)
        after = sum(len(raw) for hop in self.fleet.taps() for _, _, raw in self.fleet.tap(hop))
        self.assertEqual(before, after)

    def test_a_state_without_a_fleet(self):
        for verb in (["summarize", self.fleet.chat], ["refresh"], ["log", "show"], ["token", "status"]):
            done = ppctl(*verb, "--json", "--state", "/proc/none/state")
            self.assertEqual((done.status, done.code), (2, "STATE_ABSENT"), verb)
            self.assertIn("/proc/none/state/trust/trust", done.json["error"]["got"])

    def test_a_setting_that_is_unknown_is_named(self):
        settings = os.path.join(self.fleet.state, "device", "settings")
        with open(settings, encoding="utf-8") as f:
            kept = f.read()
        try:
            with open(settings, "w", encoding="utf-8") as f:
                f.write(kept + "colour = red\n")
            done = self.fleet.summarize()
            self.assertEqual((done.status, done.code), (2, "CONFIG"))
            error = done.json["error"]
            self.assertEqual(error["field"], "colour")
            self.assertIn(settings, error["got"])
            self.assertIn("consent, answer_kib, words", error["expected"])
        finally:
            with open(settings, "w", encoding="utf-8") as f:
                f.write(kept)

    def test_damaged_marks_are_named_with_what_follows(self):
        marks = os.path.join(self.fleet.state, "device", "marks")
        self.assertEqual(self.fleet.summarize().status, 0)
        with open(marks, "rb") as f:
            kept = f.read()
        try:
            with open(marks, "wb") as f:
                f.write(kept[:9])
            done = self.fleet.summarize()
            self.assertEqual((done.status, done.code), (3, "MARKS"))
            self.assertEqual(done.json["error"]["got"], marks)
            self.assertIn("takes any status that was ever the last", done.json["error"]["do"])
        finally:
            with open(marks, "wb") as f:
                f.write(kept)

    def test_usage_errors_name_the_argument(self):
        for args in (["summarize"], ["nonsense"], ["summarize", "a", "b"], ["summarize", "--colour", "x"],
                     ["vectors", "no-such-topic", "x"], ["verify", "receipt"],
                     ["summarize", "a", "--words", "50", "--words", "60"],
                     ["summarize", "a", "--explain", "--explain"],
                     ["vectors", "hpke", "/proc/none"], ["vectors", "hpke", "/dev/null"],
                     ["verify"], ["log"], ["token"], ["verify", "x"]):
            done = ppctl(*args, "--json")
            self.assertEqual(done.status, 2, args)
            self.assertEqual(done.code, "USAGE", args)


class Words(unittest.TestCase):
    """What is said without any fleet."""

    def test_the_first_word_of_two_lists_the_second_ones(self):
        for first, seconds in (("verify", ("receipt", "snp")), ("log", ("show",)), ("token", ("status",))):
            done = ppctl(first, "--help")
            self.assertEqual((done.status, done.err), (0, ""))
            alone = ppctl(first)
            self.assertEqual((alone.status, alone.out), (2, ""))
            for second in seconds:
                self.assertIn(f"ppctl {first} {second}", done.out)
                self.assertIn(f"ppctl {first} {second}", alone.err)
                self.assertIn(second, ppctl(first, "--json").json["error"]["expected"])

    def test_no_line_of_help_ends_in_a_blank(self):
        for args in ([], ["up"], ["down"], ["status"], ["summarize"], ["refresh"], ["verify"], ["log"],
                     ["token"], ["verify", "receipt"], ["verify", "snp"], ["log", "show"],
                     ["token", "status"], ["vectors"]):
            done = ppctl(*args, "--help")
            self.assertEqual(done.status, 0, args)
            self.assertEqual([line for line in done.out.splitlines() if line != line.rstrip()], [])

    def test_vectors_says_what_was_not_run(self):
        self.assertRegex(ppctl("vectors", "--help").out, r"topics: .*pp-wire")
        with tempfile.TemporaryDirectory() as folder:
            empty = ppctl("vectors", "hpke", folder, "--json")
            self.assertEqual((empty.status, empty.code), (2, "USAGE"))
            self.assertIn("a folder with cases of this topic", empty.json["error"]["expected"])
            with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as f:
                f.write("no case\n")
            skipped = ppctl("vectors", "tlog", folder)
            self.assertEqual(skipped.status, 0, skipped.err)
            self.assertIn("every case was skipped", skipped.err)

    def test_an_unknown_key_of_a_policy_file_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            policy = os.path.join(folder, "policy")
            with open(policy, "w", encoding="utf-8") as f:
                f.write('{"colour": 1}')
            done = ppctl("verify", "snp", "--report", policy, "--vek", policy, "--policy", policy, "--json")
            self.assertEqual((done.status, done.code), (2, "CONFIG"))
            self.assertEqual((done.json["error"]["field"], done.json["error"]["got"]), ("colour", "colour"))
            for option in ("--report", "--vek", "--policy"):
                args = {"--report": policy, "--vek": policy, option: folder}
                done = ppctl("verify", "snp", *[a for pair in args.items() for a in pair], "--json")
                self.assertEqual((done.status, done.code), (2, "INPUT"))
                self.assertEqual(done.json["error"]["field"], option)
                self.assertIn("a folder", done.json["error"]["got"])


if __name__ == "__main__":
    unittest.main()
