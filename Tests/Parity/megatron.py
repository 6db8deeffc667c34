#!/usr/bin/env python3
"""Read a token dataset with an independent numpy reader, written from the layout in docs/FORMATS.md ("Megatron index"), and compare it with the
JSON Lines of `weir tokenize --plain`.

    weir tokenize FILES --tokenizer T --shards DATASET
    weir tokenize FILES --tokenizer T --plain > LINES
    python Tests/Parity/megatron.py DATASET LINES

Needs numpy. Exit code 1 if a document differs.
"""
import argparse
import json
import pathlib
import sys

import numpy as np


def read_shard(index):
    """The documents of a shard, each with its end-of-document token."""
    data = index.read_bytes()
    assert data[:9] == b"MMIDIDX\0\0", "the magic"
    assert int.from_bytes(data[9:17], "little") == 1, "the version"
    kind = {8: np.dtype("<u2"), 4: np.dtype("<i4")}[data[17]]
    count = int.from_bytes(data[18:26], "little")
    assert int.from_bytes(data[26:34], "little") == count + 1, "the length of the document array"
    lengths = np.frombuffer(data, "<i4", count, 34)
    pointers = np.frombuffer(data, "<i8", count, 34 + 4 * count)
    documents = np.frombuffer(data, "<i8", count + 1, 34 + 12 * count)
    assert len(data) == 34 + 12 * count + 8 * (count + 1), "the size of the index"
    assert (documents == np.arange(count + 1)).all(), "the document array"
    tokens = np.memmap(index.with_suffix(".bin"), dtype="u1", mode="r")
    assert len(tokens) == int(lengths.astype("i8").sum()) * kind.itemsize, "the size of the .bin"
    for pointer, length in zip(pointers, lengths):
        yield tokens[pointer : pointer + int(length) * kind.itemsize].view(kind)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("lines", type=pathlib.Path)
    options = parser.parse_args()
    counts = json.loads((options.dataset / "manifest.json").read_text())["counts"]
    expected = [json.loads(line) for line in options.lines.open(encoding="utf8")]
    ids = []
    documents = []
    shards = sorted(options.dataset.glob("shard-*.idx"))
    for shard in shards:
        documents += read_shard(shard)
        ids += [json.loads(line)["id"] for line in shard.with_suffix(".docs.jsonl").open(encoding="utf8")]
    end = counts["end_of_document"]
    # Documents without tokens are not in the dataset.
    expected = [line for line in expected if line["tokens"]]
    assert len(documents) == len(expected) == len(ids) == counts["documents"], "the number of documents"
    assert sum(map(len, documents)) == counts["tokens"], "the number of tokens"
    different = [
        name for name, document, line in zip(ids, documents, expected)
        if name != line["id"] or document.tolist() != line["tokens"] + [end]
    ]
    print(f"megatron: {len(shards)} shards, {len(documents)} documents, {counts['tokens']} tokens, {len(different)} documents differ {different[:3]}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
