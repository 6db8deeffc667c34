#!/usr/bin/env python3
"""Write Tests/LoadingTests/Golden again, after a deliberate change of the order: python python/tests/write_golden.py .build/release/weir

weir packs a small dataset and writes the order; the positions are those of the scalar reference. Tests in Swift and Python read the result.
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parents[1] / "Tests" / "LoadingTests" / "Golden"
sys.path[:0] = [str(HERE), str(HERE.parent)]

from reference import Order  # noqa: E402

POSITIONS = [0, 1, 2, 50, 99, 100, 101, 150, -2, -1]


def main(weir):
    generator = random.Random(1)
    words = ["".join(generator.choices("abcdefgh", k=generator.randint(1, 6))) for _ in range(80)]
    schedule = {"by": "source", "max_epochs": 3, "stages": [
        {"at": "0", "weights": {"a": 3, "b": 1, "c": 0}}, {"at": "6400", "weights": {"a": 1, "b": 1, "c": 2}}]}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with open(folder / "documents.jsonl", "w") as file:
            for number in range(90):
                text = " ".join(generator.choices(words, k=generator.choice([1, 5, 20, 60])))
                file.write(json.dumps({"id": f"{number}", "text": text, "source": "abc"[number % 3]}) + "\n")
        (folder / "schedule.json").write_text(json.dumps(schedule))
        run = lambda *arguments: subprocess.run([weir, *arguments, "--quiet"], check=True, cwd=folder)  # noqa: E731
        run("tokenizer", "train", "documents.jsonl", "--vocabulary", "300", "-o", "tokenizer")
        run("tokenize", "documents.jsonl", "--tokenizer", "tokenizer", "--shards", "dataset", "--shard-tokens", "2000")
        run("pack", "dataset", "--sequence", "64", "--packing", "best-fit", "--mixture", "schedule.json", "--order", "order.json")
        shutil.rmtree(GOLDEN, ignore_errors=True)
        shutil.copytree(folder / "dataset", GOLDEN / "dataset")
        shutil.copy(folder / "order.json", GOLDEN)
    order = json.loads((GOLDEN / "order.json").read_text())
    reference, capacity = Order(order), sum(order["draws"]["capacities"])
    rows = [describe(reference, position % capacity) for position in POSITIONS]
    lines = ",\n".join(json.dumps(row, sort_keys=True, separators=(",", ":")) for row in rows)
    (GOLDEN / "positions.json").write_text(f"[\n{lines}\n]\n")


def describe(reference, position):
    """Source, row, and its segments as document, first token and number of tokens."""
    from weir_feed import PackedDataset

    source, number = reference.row(position)
    dataset = PackedDataset(str(GOLDEN / "order.json"), ["input_ids", "targets"], start=0)
    row = dataset[position]
    segments = [segment[1:] for segment in dataset.segments(position)]
    return {"position": position, "source": source, "row": number, "segments": segments,
            "tokens": row["input_ids"].tolist(), "targets": row["targets"].clip(-1).tolist()}


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1]).resolve()))
