#!/usr/bin/env python3
"""Compare `weir decontaminate` with a naive search over lists of words, and with datatrove's n-gram decontamination where the definitions agree.

    python3 Tests/Parity/decontaminate.py --weir .build/release/weir DOCUMENTS.jsonl.zst HELDOUT… [--documents 6000] [--seed 1]

Evaluation texts are those of HELDOUT, and passages of 9 to 60 words from the documents, half of them with words replaced, so that every rule
applies somewhere. Consecutive words take precedence, the longest n-gram first and then the first in the document; then the text with the
largest share of its 8-grams. N-grams in more than 10 documents do not count. --cut is compared by the text that stays.

datatrove (if it is installed) separates words by punctuation as well; its numbers are compared as they stand, its words are cut at blanks, and only
ASCII documents without commas in numbers take part. Exit code 1 if anything differs. Needs zstd.
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from near_duplicates import read
from words import words

RUN, LEAST, COVER, SHARE, COMMON, MARGIN, PIECE, PIECES = 13, 8, 8, 0.8, 10, 200, 200, 10
WORD = 12  # weight


def windows(listed, least):
    """The shortest runs that weigh at least `least` words: from each word on, where one begins, its words and where it begins and ends."""
    weights = [weight for _, weight, _, _ in listed]
    end, total = 0, 0
    for start in range(len(listed)):
        while total < least * WORD and end < len(listed):
            total += weights[end]
            end += 1
        if total < least * WORD:
            return
        yield start, end
        total -= weights[start]


def tuples(listed, ranges):
    return [(tuple(word for word, *_ in listed[start:end]), start, end) for start, end in ranges]


class Index:
    def __init__(self, against, run):
        self.run, self.runs, self.covers, self.short, self.lengths = run, {}, {}, 0, set()
        for number, text in enumerate(against):
            listed = words(text)
            place, weight = f"eval.jsonl:{number + 1}", sum(w for _, w, _, _ in listed)
            if weight < LEAST * WORD:
                self.short += 1
                continue
            if run and weight >= run * WORD:
                for gram, _, _ in tuples(listed, windows(listed, run)):
                    self.runs.setdefault(gram, place)
            elif run:
                self.lengths.add(len(listed))
                self.runs.setdefault(tuple(word for word, *_ in listed), place)
            for gram in {gram for gram, _, _ in tuples(listed, windows(listed, COVER))}:
                self.covers.setdefault(gram, set()).add((number, place))

    def hits(self, text):
        """The n-grams of evaluation texts in a document, those of consecutive words in the order in which they count."""
        listed = words(text)
        found = tuples(listed, windows(listed, self.run)) if self.run else []
        for length in sorted(self.lengths, reverse=True):
            found += tuples(listed, ((i, i + length) for i in range(len(listed) - length + 1)))
        covers = [hit for hit in tuples(listed, windows(listed, COVER)) if hit[0] in self.covers]
        return listed, [hit for hit in found if hit[0] in self.runs], covers

    def leave_out(self, hits, above):
        """Drops n-grams that are in more than `above` documents, and counts the others of each evaluation text."""
        counts = {}
        for _, runs, covers in hits:
            for kind, found in (("run", runs), ("cover", covers)):
                for gram in {gram for gram, _, _ in found}:
                    counts[kind, gram] = counts.get((kind, gram), 0) + 1
        self.common = {key for key, count in counts.items() if above and count > above}
        self.totals = {}
        for gram, owners in self.covers.items():
            for owner in owners if ("cover", gram) not in self.common else ():
                self.totals[owner] = self.totals.get(owner, 0) + 1

    def decide(self, hits):
        """The beginning of the reason to drop a document, None to keep it; and the runs of words that are shared."""
        _, runs, covers = hits
        runs = [hit for hit in runs if ("run", hit[0]) not in self.common]
        covers = [hit for hit in covers if ("cover", hit[0]) not in self.common]
        counts = {}
        for gram in {gram for gram, _, _ in covers}:
            for owner in self.covers[gram]:
                counts[owner] = counts.get(owner, 0) + 1
        shares = {owner: count / self.totals[owner] for owner, count in counts.items() if count / self.totals[owner] >= SHARE}
        shared = [hit[1:] for hit in runs] + [hit[1:] for hit in covers if self.covers[hit[0]] & shares.keys()]
        if runs:
            return f"words_in_a_row: {len(runs[0][0])} words", f" of {self.runs[runs[0][0]]}:", shared
        if shares:
            owner = min(shares, key=lambda owner: (-shares[owner], owner))
            return f"share_of_ngrams: {int(100 * shares[owner])} % of the {COVER}-grams of {owner[1]},", "", shared
        return None, "", shared


def cut(text, listed, shared):
    """What stays of a text; None if nothing does."""
    gone = [False] * (len(text) + 1)
    for start, end in shared:
        first, last = max(0, listed[start][2] - MARGIN), min(len(text), listed[end - 1][3] + MARGIN)
        gone[first:last] = [True] * (last - first)
    pieces, piece = [], ""
    for character, removed in zip(text + "\n", gone[:-1] + [True]):
        if not removed:
            piece += character
        elif piece:
            pieces.append(piece)
            piece = ""
    if len(pieces) > PIECES:
        return None
    return "\n\n".join(piece for piece in pieces if len(piece) >= PIECE) or None


def weir(options, folder, *flags):
    subprocess.run(
        [pathlib.Path(options.weir).resolve(), "decontaminate", "corpus.jsonl", "--against", "eval.jsonl", "--rejects", "found.jsonl", "-o", "clean.jsonl",
         "--quiet", *flags], cwd=folder, stdin=subprocess.DEVNULL, check=True)
    found = {r["origin"]: r["reason"] for r in map(json.loads, open(folder / "found.jsonl", encoding="utf8"))}
    kept = {r["origin"]: r["text"] for r in map(json.loads, open(folder / "clean.jsonl", encoding="utf8"))}
    return found, kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--documents", type=int, default=6000)
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

    failed = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, content in (("corpus.jsonl", texts), ("eval.jsonl", against)):
            with open(folder / name, "w", encoding="utf8") as out:
                out.writelines(json.dumps({"text": text}) + "\n" for text in content)
        # Both rules; the share alone, because consecutive words leave few documents for it; and without exemptions.
        for run, common in ((RUN, COMMON), (0, COMMON), (RUN, 0)):
            index = Index(against, run)
            hits = [index.hits(text) for text in texts]
            index.leave_out(hits, common)
            expected = [index.decide(hit) for hit in hits]
            found, kept = weir(options, folder, "--words", str(run), "--common-documents", str(common))
            differ, counts = 0, {}
            for number, (reason, more, _) in enumerate(expected):
                origin = f"corpus.jsonl:{number + 1}"
                got = found.get(origin)
                counts[str(reason).split(":")[0]] = counts.get(str(reason).split(":")[0], 0) + 1
                if (reason is None) != (got is None) or reason and not (got.startswith(reason) and more in got) or (got is None) != (origin in kept):
                    differ += 1
                    if differ <= 5:
                        print(f"  DIFFERS {origin}: weir {got!r}, expected {reason!r}{more}")
            print(f"--words {run} --common-documents {common}: {len(texts):,} documents, {len(against):,} evaluation texts ({index.short} too short): "
                  f"{counts}, {len(index.common)} common n-grams, {differ} decisions differ")
            if differ or len(counts) == 1:
                failed.append(f"words {run}, common {common}")
            found, kept = weir(options, folder, "--words", str(run), "--common-documents", str(common), "--cut")
            differ = changed = 0
            for number, (text, (listed, _, _), (reason, _, shared)) in enumerate(zip(texts, hits, expected)):
                stays = cut(text, listed, shared) if reason else text
                changed += stays is not None and stays != text
                differ += kept.get(f"corpus.jsonl:{number + 1}") != stays
            print(f"  --cut: {changed} documents cut, {len(texts) - len(kept)} dropped, {differ} texts differ")
            if differ or not changed:
                failed.append(f"cut, words {run}, common {common}")
        if not datatrove(options, folder, texts, against):
            failed.append("datatrove")
    if failed:
        sys.exit(f"decontaminate: results differ: {'; '.join(failed)}")


def datatrove(options, folder, texts, against):
    """Whether datatrove drops the same documents."""
    try:
        import datatrove.pipeline.decont.n_grams as peer
        from datatrove.data import Document
    except ImportError:
        print("datatrove is not installed")
        return True
    import loguru

    loguru.logger.remove()

    def agrees(text):
        return text.isascii() and not re.search(r"\d,\d", text) and "\x7f" not in text

    class Blanks:
        word_tokenize = staticmethod(str.split)

    peer.load_word_tokenizer = lambda language: Blanks
    peer.NGramsDecontIndexer._requires_dependencies = []
    config = peer.NGramsDecontConfig(n_grams=RUN, norm_config=peer.TextNormConfig(norm_numbers=False), hash_config=peer.HashConfig(hash_fc="sha1"))
    texts, against = [text for text in texts if agrees(text)], [text for text in against if agrees(text)]
    for name, content in (("corpus.jsonl", texts), ("eval.jsonl", against)):
        with open(folder / name, "w", encoding="utf8") as out:
            out.writelines(json.dumps({"text": text}) + "\n" for text in content)
    (folder / "index").mkdir()
    indexer = peer.NGramsDecontIndexer(str(folder / "index"), config=config)
    search = peer.NGramsDecontFilter(str(folder / "index"), config=config)
    search._index_hashes = {gram: "eval" for text in against for gram in indexer.compute_hashes(text)}
    theirs = {number for number, text in enumerate(texts) if search.filter(Document(text=text, id=str(number))) is not True}
    found, _ = weir(options, folder, "--words", str(RUN), "--minimum-words", str(RUN), "--cover-words", "0", "--common-documents", "0")
    ours = {int(origin.split(":")[1]) - 1 for origin in found}
    print(f"datatrove: {len(texts):,} documents, {len(against):,} evaluation texts: {len(theirs)} dropped, {len(ours ^ theirs)} decisions differ")
    for number in sorted(ours ^ theirs)[:5]:
        print(f"  DIFFERS: weir {found.get(f'corpus.jsonl:{number + 1}')!r} {texts[number][:200]!r}")
    return ours == theirs and theirs


if __name__ == "__main__":
    main()
