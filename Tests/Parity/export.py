#!/usr/bin/env python3
"""Read the files of `weir export` as the trainers do, and compare them with the JSON Lines of `weir tokenize --plain`: numpy.load for npy, raw
arrays and .csv.gz as in OLMo-core, llm.c's header, Megatron-LM's index, and MDS with a reader written from the published layout. If MosaicML's `streaming` can be
imported, its StreamingDataset reads the MDS as well, and its MDSWriter must write the same bytes.

    weir tokenize FILES --tokenizer T --shards DATASET
    weir tokenize FILES --tokenizer T --plain > LINES
    python Tests/Parity/export.py --weir .build/release/weir DATASET LINES

Needs numpy. Exit code 1 if a document differs.
"""
import argparse
import csv
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np


def read_npy(folder):
    """Flat arrays as `numpy.load` gives them."""
    return np.concatenate([np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))])


def read_olmo(folder, kind):
    """Documents by the boundaries in the sidecar of each array: (id, tokens)."""
    for path in sorted(folder.glob("*.npy")):
        array = np.memmap(path, mode="r", dtype=kind)
        end = 0
        with gzip.open(path.with_suffix(".csv.gz"), "rt", encoding="utf8", newline="") as file:
            for start, stop, name, _, _ in csv.reader(file):
                assert int(start) == end, "a gap between documents"
                end = int(stop)
                yield name, array[int(start):end]
        assert end == len(array), "tokens after the last document"


def read_llmc(folder):
    """Flat arrays behind 256 i32."""
    parts = []
    for path in sorted(folder.glob("*.bin")):
        header = np.fromfile(path, dtype="<i4", count=256)
        kind = {(20240520, 1): "<u2", (20240801, 7): "<u4"}[(int(header[0]), int(header[1]))]
        tokens = np.memmap(path, mode="r", dtype=kind, offset=1024)
        assert len(tokens) == header[2] and not header[3:].any(), "the header"
        parts.append(tokens)
    return np.concatenate(parts)


def read_mds(folder):
    """Samples of all shards, as dictionaries."""
    index = json.loads((folder / "index.json").read_text())
    assert index["version"] == 2
    for shard in index["shards"]:
        data = (folder / shard["raw_data"]["basename"]).read_bytes()
        assert len(data) == shard["raw_data"]["bytes"] and shard["format"] == "mds" and shard["compression"] is None
        count = int(np.frombuffer(data, "<u4", 1)[0])
        assert count == shard["samples"]
        offsets = np.frombuffer(data, "<u4", count + 1, 4)
        assert json.loads(data[8 + 4 * count:offsets[0]])["column_names"] == shard["column_names"]
        for begin, end in zip(offsets, offsets[1:]):
            columns = shard["column_names"]
            sizes = np.frombuffer(data, "<u4", len(columns), begin)
            at = int(begin) + 4 * len(columns)
            sample = {}
            for name, encoding, size in zip(columns, shard["column_encodings"], sizes):
                value = data[at:at + int(size)]
                at += int(size)
                if encoding == "str":
                    sample[name] = value.decode()
                else:
                    kind = np.dtype("<u" + {"ndarray:uint16": "2", "ndarray:uint32": "4"}[encoding])
                    assert value[0] >> 2 == 1, "one dimension"
                    width = 1 << (value[0] & 3)
                    sample[name] = np.frombuffer(value, kind, offset=1 + width)
                    assert int.from_bytes(value[1:1 + width], "little") == len(sample[name])
            assert at == end
            yield sample


def read_megatron(folder):
    """Sequences of all pairs, as Megatron-LM's indexed_dataset.py finds them."""
    for path in sorted(folder.glob("*.idx")):
        index = path.read_bytes()
        assert index[:9] == b"MMIDIDX\0\0" and int.from_bytes(index[9:17], "little") == 1
        kind = {4: "<i4", 8: "<u2"}[index[17]]
        count, documents = (int(n) for n in np.frombuffer(index, "<u8", 2, 18))
        sizes = np.frombuffer(index, "<i4", count, 34)
        pointers = np.frombuffer(index, "<i8", count, 34 + 4 * count)
        assert np.frombuffer(index, "<i8", documents, 34 + 12 * count).tolist() == list(range(count + 1))
        data = path.with_suffix(".bin").read_bytes()
        for size, pointer in zip(sizes, pointers):
            yield np.frombuffer(data, kind, int(size), int(pointer))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("lines", type=pathlib.Path)
    options = parser.parse_args()
    counts = json.loads((options.dataset / "manifest.json").read_text())["counts"]
    end = counts["end_of_document"]
    kind = "<u2" if counts["vocabulary"] <= 1 << 16 else "<u4"
    expected = [line for line in map(json.loads, options.lines.open(encoding="utf8")) if line["tokens"]]
    after = np.concatenate([np.array(line["tokens"] + [end]) for line in expected])
    before = np.concatenate([np.array([end] + line["tokens"]) for line in expected])
    failures = []

    def check(name, same):
        print(f"export: {name}: {'equal' if same else 'DIFFERS'}")
        if not same:
            failures.append(name)

    def same_documents(pairs):
        pairs = list(pairs)
        return len(pairs) == len(expected) and all(
            name == line["id"] and tokens.tolist() == line["tokens"] + [end] for (name, tokens), line in zip(pairs, expected))

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def export(name, *words):
            subprocess.run([options.weir, "export", options.dataset, "-o", folder / name, "--quiet", *words], check=True)
            return folder / name

        shards = ("--shard-tokens", "300k")
        check("npy, numpy.load", np.array_equal(read_npy(export("npy", "--to", "npy", *shards)), after))
        check("olmo, arrays and borders", same_documents(read_olmo(export("olmo", "--to", "olmo", *shards), kind)))
        check("llm.c", np.array_equal(read_llmc(export("llmc", "--to", "llmc", *shards)), before))
        found = list(read_megatron(export("megatron", "--to", "megatron", *shards)))
        check("megatron, sequences", len(found) == len(expected) and all(
            tokens.tolist() == line["tokens"] + [end] for tokens, line in zip(found, expected)))
        mds = export("mds", "--to", "mds", *shards)
        check("mds, documents", same_documents((s["id"], s["tokens"]) for s in read_mds(mds)))
        rows = [s["tokens"] for s in read_mds(export("rows", "--to", "mds", "--sequence", "256"))]
        check("mds, rows", np.array_equal(np.concatenate(rows), after[:len(after) // 256 * 256]) and {len(r) for r in rows} == {256})
        first = sorted(s["id"] for s in read_mds(export("shuffled", "--to", "mds", "--shuffle", "--seed", "7")))
        check("mds, shuffled", first == sorted(line["id"] for line in expected))
        try:
            from streaming import MDSWriter, StreamingDataset
        except Exception as error:
            print(f"export: streaming cannot be imported ({type(error).__name__}); using the reader of this script instead")
        else:
            data = StreamingDataset(local=str(mds), batch_size=1, shuffle=False)
            check("mds, StreamingDataset", same_documents((data[i]["id"], data[i]["tokens"]) for i in range(len(data))))
            whole = export("whole", "--to", "mds")
            columns = {"id": "str", "source": "str", "tokens": f"ndarray:uint{8 * np.dtype(kind).itemsize}"}
            with MDSWriter(out=str(folder / "theirs"), columns=columns) as writer:
                for sample in read_mds(whole):
                    writer.write(sample)
            names = sorted(path.name for path in (folder / "theirs").iterdir())
            check("mds, the bytes of MDSWriter", names == sorted(p.name for p in whole.iterdir() if p.name != "manifest.json") and all(
                (folder / "theirs" / name).read_bytes() == (whole / name).read_bytes() for name in names))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
