#!/usr/bin/env python3
"""Compare the rows of `weir_feed` with those of `weir feed`, bit for bit: at the beginning, across blocks, at the end and far away, on several ranks,
with attention within documents and over full rows.

    weir pack DATASET --sequence N --packing best-fit --order ORDER
    python Tests/Parity/feed.py --weir WEIR DATASET ORDER…

Needs numpy. Exit code 1 if a row differs.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "python")]

from weir_feed import PackedDataset, StepDataset  # noqa: E402

BATCH, STEPS = 8, 6


def feed(weir, dataset, order, position, rank, world, attention):
    """The header, and [steps, 3, rows, sequence] tokens, targets and starts."""
    command = [weir, "feed", dataset, "--order", order, "--batch-size", BATCH, "--from-position", position, "--steps", STEPS]
    command += ["--rank", rank, "--world", world, "--attention", attention, "--quiet"]
    output = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, check=True).stdout
    line, _, rest = output.partition(b"\n")
    header = json.loads(line)
    shape = STEPS, 3, header["rows"], header["sequence"]
    return header, np.frombuffer(rest, "<i4", int(np.prod(shape))).reshape(shape)


def differing(weir, dataset, order, attention):
    """The number of rows compared, and of those that differ."""
    columns = ["input_ids", "targets", "position_ids", "attention_mask", "doc_lens"]
    whole = PackedDataset(order, columns, start=0)
    whole.verify()
    far = [] if whole.is_capped else [2**32 - 20, 10**9]
    rows = bad = 0
    for position in [0, 256 - BATCH // 2, 4096 - BATCH // 2, len(whole) - BATCH * STEPS, *far]:
        if not 0 <= position <= (position if far else len(whole) - BATCH * STEPS):
            continue
        run = PackedDataset(order, columns, dtype=np.int32, start=position, rows=position + BATCH * STEPS, attention=attention)
        for rank, world in ((0, 1), (1, 3)):
            header, values = feed(weir, dataset, order, position, rank, world, attention)
            assert header["fingerprint"] == run.fingerprint, "the fingerprint"
            steps = StepDataset(run, rank, world, BATCH)
            for step in range(STEPS):
                batch, (tokens, targets, starts) = steps[step], values[step]
                places = np.arange(header["sequence"]) - starts
                same = (batch["input_ids"] == tokens) & (batch["targets"].clip(-1) == targets)
                # With full attention, positions run through the padding, too.
                same &= (batch["position_ids"] == places) | (batch["attention_mask"] == 0) & (attention != "full")
                if attention == "full":
                    same &= (batch["doc_lens"] == header["sequence"]) & (starts == 0)
                rows += len(same)
                bad += int((~same.all(axis=1)).sum())
    return rows, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("dataset")
    parser.add_argument("orders", nargs="+")
    options = parser.parse_args()
    results = [differing(options.weir, options.dataset, order, attention) for order in options.orders for attention in ("documents", "full")]
    rows, bad = map(sum, zip(*results))
    print(f"feed: {len(options.orders)} orders, {rows} rows, {bad} rows differ")
    sys.exit(1 if bad or not rows else 0)


if __name__ == "__main__":
    main()
