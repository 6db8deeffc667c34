#!/usr/bin/env python3
"""Plant near-duplicates in real text and compare what `weir dedup --fuzzy` finds with 1 − (1 − sʳ)ᵇ and with exact similarities.

    python3 Tests/Parity/near_duplicates.py --weir .build/release/weir DOCUMENTS.jsonl.zst [--pairs 4000] [--seed 1]

Originals are dissimilar documents. Each has a copy in which words are replaced by others of the corpus, so that the Jaccard similarity s of
the sets of word 5-grams is between 0.45 and 1; s is computed here on tuples of strings. Without --verify, the number of pairs found in each bin
of s of width 0.1 must be within four standard deviations of the sum of the probabilities. With it, no copy below the threshold may be dropped,
and every candidate above it must be. Exit code 1 otherwise. Needs zstd.
"""
import argparse
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from words import shingles


def read(path):
    command = ["zstd", "-qdc", "--long=31", path] if path.endswith(".zst") else ["cat", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            yield json.loads(line)["text"]
        process.stdout.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("documents")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    failures = []

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def weir(*arguments):
            subprocess.run([options.weir, "dedup", *map(str, arguments), "--quiet"], check=True, stdin=subprocess.DEVNULL)

        # Keep dissimilar documents: of those that share a tenth of their shingles, one per group.
        weir("--exact", "--fuzzy", "--threshold", "0.1", "--bands", "60", "--rows", "1", options.documents, "-o", folder / "unlike.jsonl")
        texts = [t for t in read(str(folder / "unlike.jsonl")) if 150 <= t.count(" ") <= 6000]
        draw.shuffle(texts)
        originals = texts[:options.pairs]
        pool = [word for text in texts[-500:] for word in text.split()]
        pairs = []
        for text in originals:
            aim = draw.uniform(0.45, 1)
            rate = 1 - (2 * aim / (1 + aim)) ** 0.2
            parts = re.split(r"(\s+)", text)
            for i in range(0, len(parts), 2):
                if draw.random() < rate:
                    parts[i] = draw.choice(pool)
            copy = "".join(parts)
            a, b = shingles(text), shingles(copy)
            pairs.append((text, copy, len(a & b) / len(a | b)))
        # Two edits of the same document may be apart by more than they were meant to; the copies come in another order than the originals.
        order = list(range(len(pairs)))
        draw.shuffle(order)
        with open(folder / "planted.jsonl", "w", encoding="utf8") as out:
            for number, (text, _, _) in enumerate(pairs):
                out.write(json.dumps({"id": f"o{number}", "text": text}) + "\n")
            for number in order:
                out.write(json.dumps({"id": f"c{number}", "text": pairs[number][1]}) + "\n")

        def found(*flags):
            """The originals whose copies were dropped."""
            weir("--fuzzy", *flags, folder / "planted.jsonl", "--rejects", folder / "rejects.jsonl", "-o", folder / "kept.jsonl")
            numbers = set()
            for line in open(folder / "rejects.jsonl", encoding="utf8"):
                reject = json.loads(line)
                name, of = json.loads(reject["record"])["id"], int(reject["reason"].split()[-1])
                if name[0] == "c" and of == int(name[1:]):
                    numbers.add(of)
                else:
                    strays.append(name)
            return numbers

        for bands, rows in ((14, 8), (20, 5)):
            strays = []
            banded = found("--no-verify", "--bands", bands, "--rows", rows)
            recall = lambda s: 1 - (1 - s ** rows) ** bands
            print(f"{len(pairs):,} pairs, {bands} bands of {rows} rows; {len(strays)} joined with a document other than their original")
            for tenth in range(4, 10):
                of = [n for n, pair in enumerate(pairs) if tenth / 10 <= pair[2] < (tenth + 1) / 10 + (tenth == 9)]
                if not of:
                    continue
                hits = sum(n in banded for n in of)
                expected = sum(recall(pairs[n][2]) for n in of)
                error = math.sqrt(sum(recall(pairs[n][2]) * (1 - recall(pairs[n][2])) for n in of))
                bad = abs(hits - expected) > 4 * error + 0.5
                print(f"  similarity 0.{tenth}…: {hits:5} of {len(of):5} found, expected {expected:7.1f} ± {error:4.1f}{'  FAILS' if bad else ''}")
                if bad:
                    failures.append(f"{bands} × {rows}, 0.{tenth}")
            strays = []
            verified = found("--bands", bands, "--rows", rows)
            wrong = [n for n in verified if pairs[n][2] < 0.7]
            lost = [n for n in banded - verified if pairs[n][2] >= 0.7]
            print(f"  verified: {len(verified)} copies removed, {len(wrong)} of them below 0.7, {len(lost)} above it lost")
            if wrong or lost or strays:
                failures.append(f"{bands} × {rows}: verification")
    if failures:
        sys.exit("near_duplicates: " + "; ".join(failures))


if __name__ == "__main__":
    main()
