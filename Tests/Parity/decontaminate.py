#!/usr/bin/env python3
"""Compare `weir decontaminate` with a naive search over lists of words: which documents are dropped, why, and because of which text.

    python3 Tests/Parity/decontaminate.py --weir .build/release/weir DOCUMENTS.jsonl.zst HELDOUT… [--documents 20000] [--seed 1]

Evaluation texts are those of HELDOUT, and passages of 9 to 60 words from the documents, half of them with words replaced, so that every rule
applies somewhere. Consecutive words take precedence, the longest run first and then the first in the document; then the text with the
largest share of its 8-grams. Exit code 1 if anything differs. Needs zstd.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from near_duplicates import read
from words import grams, words

RUN, LEAST, COVER, SHARE = 13, 8, 8, 0.8


def expected(document, runs, covers):
    """The reason to drop a document as the start of the reason that is reported; None to keep it."""
    for length in sorted(runs, reverse=True):
        for i in range(len(document) - length + 1):
            owner = runs[length].get(tuple(document[i:i + length]))
            if owner:
                return f"words_in_a_row: {length} words of {owner}:"
    mine = grams(document, COVER)
    candidates = {}
    for gram in mine:
        for owner in covers.get(gram, ()):
            candidates[owner] = candidates.get(owner, 0) + 1
    best = None
    for owner in sorted(candidates):
        share = candidates[owner] / owner[2]
        if share >= SHARE and (best is None or share > best[0]):
            best = (share, owner)
    return best and f"share_of_ngrams: {int(100 * best[0])} % of the {COVER}-grams of {best[1][1]},"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--documents", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("corpus")
    parser.add_argument("heldout", nargs="+")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    texts = [text for text, _ in zip(read(options.corpus), range(options.documents))]
    against = [text for path in options.heldout for text in read(path)]
    pool = [word for text in texts[:200] for word in text.split()]
    for text in draw.sample(texts, min(len(texts), 400)):
        parts = text.split()
        start = draw.randrange(max(1, len(parts)))
        passage = parts[start:start + draw.randint(9, 60)]
        if draw.random() < 0.5:
            for _ in range(draw.randint(1, 3)):
                passage[draw.randrange(len(passage))] = draw.choice(pool)
        against.append(" ".join(passage))
    draw.shuffle(against)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, content in (("corpus.jsonl", texts), ("eval.jsonl", against)):
            with open(folder / name, "w", encoding="utf8") as out:
                out.writelines(json.dumps({"text": text}) + "\n" for text in content)
        # Both rules; then the share alone, because consecutive words leave few documents for it.
        failed = [run for run in (RUN, 0) if not same(options.weir, folder, texts, against, run)]
    if failed:
        sys.exit("decontaminate: results differ")


def same(weir, folder, texts, against, run):
    """Whether weir decides as the rules say, with `run` consecutive words."""
    subprocess.run(
        [pathlib.Path(weir).resolve(), "decontaminate", "corpus.jsonl", "--against", "eval.jsonl", "--words", str(run), "--rejects", "found.jsonl",
         "-o", "clean.jsonl", "--quiet"], cwd=folder, stdin=subprocess.DEVNULL, check=True)
    found = {r["origin"]: r["reason"] for r in map(json.loads, open(folder / "found.jsonl", encoding="utf8"))}
    kept = sum(1 for _ in open(folder / "clean.jsonl", "rb"))
    runs, covers, short = {}, {}, 0
    for number, text in enumerate(against):
        place = f"eval.jsonl:{number + 1}"
        list_of_words = words(text)
        if len(list_of_words) < LEAST:
            short += 1
            continue
        if run:
            length = min(run, len(list_of_words))
            for gram in grams(list_of_words, length):
                runs.setdefault(length, {}).setdefault(gram, place)
        different = grams(list_of_words, COVER)
        for gram in different:
            covers.setdefault(gram, []).append((number, place, len(different)))
    differ, counts = 0, {}
    for number, text in enumerate(texts):
        origin = f"corpus.jsonl:{number + 1}"
        wanted = expected(words(text), runs, covers)
        got = found.get(origin)
        if wanted:
            counts[wanted.split(":")[0]] = counts.get(wanted.split(":")[0], 0) + 1
        if (wanted is None) != (got is None) or wanted and not got.startswith(wanted):
            differ += 1
            if differ <= 5:
                print(f"  DIFFERS {origin}: weir {got!r}, expected {wanted!r}")
    print(f"--words {run}: {len(texts):,} documents, {len(against):,} evaluation texts ({short} too short): {counts}, {differ} decisions differ")
    return not differ and kept + len(found) == len(texts) and counts


if __name__ == "__main__":
    main()
