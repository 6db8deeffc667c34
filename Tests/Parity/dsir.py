#!/usr/bin/env python3
"""Compare the log importance weights of weir with those of the package `data-selection` (HashedNgramDSIR) on weir's features.

    weir tokenize DOCUMENTS --tokenizer TOKENIZER --shards SET
    weir sample SET --method dsir --seed-data SEED --scores SCORES.npy -o MIXTURE.json
    python Tests/Parity/dsir.py DOCUMENTS SEED SCORES.npy --minimum-words N

DOCUMENTS and SEED are JSON Lines with `text`; a document of fewer than 1,024 bytes is one window. Features are computed here from their
definition (docs of WordFeatures) and replace the package's hash, which is different; fit, weights and the length filter are the package's.
Exit code 1 if a weight differs by more than 1e-9 of its size, or if another window is left out. Needs numpy.
"""
import argparse
import pathlib
import re
import sys
import tempfile

import numpy as np
from data_selection import HashedNgramDSIR, hashed_ngram_dsir

WORDS = re.compile(rb"[0-9A-Za-z_\x80-\xff]+|[^0-9A-Za-z_\x80-\xff\t\n\x0b\x0c\r ]+")
MASK = (1 << 64) - 1


def bucket(gram, buckets):
    """SplitMix64's mix of the FNV-1a hash, scaled to the number of buckets."""
    value = 0xCBF29CE484222325
    for byte in gram:
        value = ((value ^ byte) * 0x100000001B3) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return ((value ^ (value >> 31)) * buckets) >> 64


def count(line, n=2, num_buckets=10000, counts=None, tokenizer=None):
    """Replaces the package's get_ngram_counts: words and pairs of neighbors."""
    counts = np.zeros(num_buckets, dtype=int) if counts is None else counts
    words = [word.lower() for word in WORDS.findall(line.encode())]
    for gram in words + [b" ".join(pair) for pair in zip(words, words[1:])]:
        counts[bucket(gram, num_buckets)] += 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents")
    parser.add_argument("seed")
    parser.add_argument("scores")
    parser.add_argument("--minimum-words", type=int, default=100)
    arguments = parser.parse_args()
    hashed_ngram_dsir.get_ngram_counts = count
    ours = np.load(arguments.scores)
    with tempfile.TemporaryDirectory() as cache:
        package = HashedNgramDSIR(
            [arguments.documents], [arguments.seed], cache, num_proc=1, min_example_length=arguments.minimum_words
        )
        package.fit_importance_estimator(num_tokens_to_fit="all")
        package.compute_importance_weights()
        theirs = np.load(pathlib.Path(cache) / "log_importance_weights" / "0.npy")
        lengths = np.load(pathlib.Path(cache) / "perexample_metadata" / "0.npy")
    kept = package.perexample_metadata_filter(lengths)
    if ours.shape != theirs.shape:
        sys.exit(f"weir has {len(ours)} windows, the documents are {len(theirs)}")
    others = int((np.isfinite(ours) != kept).sum())
    both = np.isfinite(ours) & kept
    error = np.abs(ours[both] - theirs[both]) / np.maximum(1, np.abs(theirs[both]))
    print(f"dsir: {both.sum()} of {len(ours)} windows, largest difference {error.max():.1e}; {others} left out by only one of the two")
    sys.exit(0 if both.sum() > 0 and others == 0 and error.max() <= 1e-9 else 1)


if __name__ == "__main__":
    main()
