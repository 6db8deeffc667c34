#!/usr/bin/env python3
"""Compare the neighborhoods of embedders: the ten nearest windows in other documents, for 2,000 windows.

    weir embed DATASET --model lsi && weir embed DATASET --model static:MINILM && weir embed DATASET --model minilm:MINILM
    Benchmarks/neighbors.py DATASET lsi static minilm      (needs numpy)

Prints, for each embedder, the share of the ten that have the window's own label (metadata.domain, else the source), and for each pair of embedders the
share of neighbors in common.
"""
import argparse
import itertools
import json
import pathlib
import struct

import numpy as np

WINDOW = 1024


def vectors(folder):
    data = (folder / "vectors.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8 : 8 + size])["vectors"]
    first, last = entry["data_offsets"]
    return np.frombuffer(data[8 + size + first : 8 + size + last], "<f4").reshape(entry["shape"])


def documents(dataset):
    """The document and the label of each window."""
    labels, lengths = [], []
    for shard in sorted(dataset.glob("shard-*.idx")):
        head = shard.read_bytes()
        count = struct.unpack("<Q", head[18:26])[0]
        lengths.extend(np.frombuffer(head[34 : 34 + 4 * count], "<i4"))
        for line in open(shard.with_suffix(".docs.jsonl"), encoding="utf8"):
            row = json.loads(line)
            members = json.loads("{" + row.get("members", "") + "}")
            labels.append(members.get("metadata", {}).get("domain") or row.get("source"))
    numbers = {label: number for number, label in enumerate(sorted(set(labels), key=str))}
    of = np.repeat(np.arange(len(lengths)), [-(-length // WINDOW) for length in lengths])
    return of, np.array([numbers[label] for label in labels])[of]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("vectors", nargs="+")
    options = parser.parse_args()
    document, label = documents(options.dataset)
    chosen = np.random.default_rng(0).choice(len(document), min(2000, len(document)), replace=False)
    near = {}
    for name in options.vectors:
        matrix = vectors(options.dataset / "vectors" / name)
        scores = matrix[chosen] @ matrix.T
        scores[document[chosen][:, None] == document] = -9
        near[name] = np.argpartition(-scores, 10, axis=1)[:, :10]
        print(f"{name}: {np.mean(label[near[name]] == label[chosen][:, None]):.3f} of the ten nearest have the window's label")
    for one, other in itertools.combinations(options.vectors, 2):
        print(f"{one} and {other}: {np.mean([len(set(a) & set(b)) / 10 for a, b in zip(near[one], near[other])]):.3f} of the ten in common")


if __name__ == "__main__":
    main()
