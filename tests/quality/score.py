#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores summaries of chats with known key facts (tests/vectors/chats/README.md).

    score.py PROGRAM [--words N] [--gate MEAN] [--show] FOLDER...

PROGRAM is tests/quality/summarize_raw. One table a folder: coverage of key facts, ROUGE-1/2/L F1 against
the reference, words, compression, must_not_contain hits, superseded details. With --gate the exit status
is 1 when a folder's mean coverage is below MEAN, or anything forbidden was said, or the words were
exceeded.
"""
import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys
import unicodedata


def folded(text):
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).casefold()


def tokens(text):
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower())


def f1(hits, candidate, reference):
    if hits == 0:
        return 0.0
    precision, recall = hits / candidate, hits / reference
    return 2 * precision * recall / (precision + recall)


def rouge_n(candidate, reference, n):
    def grams(words):
        return collections.Counter(tuple(words[i:i + n]) for i in range(len(words) - n + 1))

    a, b = grams(candidate), grams(reference)
    return f1(sum((a & b).values()), sum(a.values()), sum(b.values()))


def rouge_l(candidate, reference):
    row = [0] * (len(reference) + 1)
    for word in candidate:
        diagonal = 0
        for k, other in enumerate(reference, 1):
            diagonal, row[k] = row[k], diagonal + 1 if word == other else max(row[k], row[k - 1])
    return f1(row[-1], len(candidate), len(reference))


def covered(fact, summary):
    return all(any(folded(a) in summary for a in group) for group in fact["anchors"])


def score(chat, summary):
    shown = folded(summary)
    candidate, reference = tokens(summary), tokens(chat["reference_summary"])
    words = len(summary.split())
    return {
        "missed": [f["text"] for f in chat["key_facts"] if not covered(f, shown)],
        "coverage": sum(covered(f, shown) for f in chat["key_facts"]) / len(chat["key_facts"]),
        "rouge": [rouge_n(candidate, reference, 1), rouge_n(candidate, reference, 2),
                  rouge_l(candidate, reference)],
        "words": words,
        "compression": words / max(1, sum(len(m["text"].split()) for m in chat["messages"])),
        "hard": [t for t in chat["must_not_contain"] if folded(t) in shown],
        "superseded": [t for t in chat["superseded_or_noise"] if folded(t) in shown],
    }


def folder(args, path):
    files = sorted(glob.glob(os.path.join(path, "*.json")))
    out = subprocess.run([args.program, str(args.words)] + files, stdout=subprocess.PIPE, check=True).stdout
    rows = []
    print(f"\n{os.path.basename(path)}, {args.words} words\n"
          f"{'chat':26} cover  R-1   R-2   R-L  words  ratio hard super")
    for line in out.decode().splitlines():
        answer = json.loads(line)
        with open(answer["file"], encoding="utf-8") as f:
            chat = json.load(f)
        s = score(chat, answer["summary"])
        rows.append(s)
        print(f"{chat['id']:26} {s['coverage']:5.2f} {s['rouge'][0]:5.2f} {s['rouge'][1]:5.2f} "
              f"{s['rouge'][2]:5.2f} {s['words']:5}  {s['compression']:5.2f} {len(s['hard']):4} "
              f"{len(s['superseded']):5}")
        if args.show:
            for item in answer["items"]:
                print(f"    {item['kind']:9}{item['text']}  {item['messages']}")
            for name in ("missed", "hard", "superseded"):
                if s[name]:
                    print(f"    {name}: {s[name]}")
    n = len(rows)
    mean = sum(s["coverage"] for s in rows) / n
    means = [sum(s["rouge"][k] for s in rows) / n for k in range(3)]
    print(f"{'mean':26} {mean:5.2f} {means[0]:5.2f} {means[1]:5.2f} {means[2]:5.2f} "
          f"{sum(s['words'] for s in rows) / n:5.0f}  {sum(s['compression'] for s in rows) / n:5.2f} "
          f"{sum(len(s['hard']) for s in rows):4} {sum(len(s['superseded']) for s in rows):5}")
    bad = [s for s in rows if s["hard"] or s["words"] > args.words]
    return not bad and (args.gate is None or mean >= args.gate)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--words", type=int, default=130)
    parser.add_argument("--gate", type=float)
    parser.add_argument("--show", action="store_true", help="print items, misses and hits")
    args = parser.parse_args()
    good = [folder(args, path) for path in args.folders]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
