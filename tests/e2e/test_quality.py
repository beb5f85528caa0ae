# SPDX-License-Identifier: Apache-2.0
"""What a user's summaries are worth: the open chats of tests/vectors/chats through a running fleet.

tests/quality judges the engine alone, and more closely; here the same chats take the whole way."""
import glob
import json
import os
import sys
import unittest

import fleet
from fleet import Fleet

sys.path.insert(0, os.path.join(fleet.ROOT, "tests", "quality"))
import score  # noqa: E402

CHATS = os.path.join(fleet.ROOT, "tests", "vectors", "chats", "open")
WORDS = 130
MEAN_COVERAGE_MIN = 0.60


class Quality(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        cls.fleet.__enter__()
        cls.answers = []
        for path in sorted(glob.glob(os.path.join(CHATS, "*.json"))):
            with open(path, encoding="utf-8") as f:
                cls.answers.append((json.load(f), cls.fleet.summarize("--words", WORDS, chat=path)))

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__()

    def scored(self):
        for chat, done in self.answers:
            self.assertEqual(done.status, 0, f"{chat['id']}: {done.out}{done.err}")
            yield chat, done.json, score.score(chat, done.json["summary"])

    def test_summaries_of_the_open_chats_cover_the_key_facts(self):
        coverage = {chat["id"]: s["coverage"] for chat, _, s in self.scored()}
        self.assertEqual(len(coverage), 8)
        self.assertGreaterEqual(sum(coverage.values()) / len(coverage), MEAN_COVERAGE_MIN, coverage)

    def test_a3_no_summary_says_what_hostile_messages_want_said(self):
        for chat, _, s in self.scored():
            self.assertEqual(s["hard"], [], chat["id"])

    def test_no_summary_has_more_words_than_asked_for(self):
        for chat, _, s in self.scored():
            self.assertLessEqual(s["words"], WORDS, chat["id"])

    def test_every_sentence_names_messages_of_its_chat(self):
        for chat, answer, _ in self.scored():
            self.assertTrue(answer["items"], chat["id"])
            for item in answer["items"]:
                self.assertTrue(item["messages"], item["text"])
                self.assertTrue(all(0 <= m < len(chat["messages"]) for m in item["messages"]))


if __name__ == "__main__":
    unittest.main()
