#!/usr/bin/env python3
"""Compare sampling windows from a mixture with numpy: same dataset and weights, the programs take turns, and the best time of each counts.

    Benchmarks/sampling.py --weir .build/release/weir DATASET MIXTURE.json      (needs numpy; the mixture from weir sample --tree)

weir: `weir feed --row-numbers` to a pipe, without process start (the time of a one-step run is subtracted): the window and token where each row of a batch
begins, without replacement within a cluster. numpy: a cluster by inverse transform sampling, then one of its windows uniformly, with replacement, in
chunks of 2^20, on one thread. The second line measures seeking: the first step of a run against a very late one.
"""
import argparse
import json
import os
import pathlib
import subprocess
import time

import numpy as np


def seconds(command):
    start = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        while process.stdout.read(1 << 20):
            pass
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {process.returncode}")
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", type=pathlib.Path, required=True)
    parser.add_argument("--draws", type=int, default=1 << 25)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("mixture", type=pathlib.Path)
    options = parser.parse_args()
    threads = len(os.sched_getaffinity(0))
    mixture = json.loads(options.mixture.read_text())["clusters"]
    weights = np.array([c["weight"] for c in mixture])
    counts = np.array([c["windows"] for c in mixture])
    offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
    windows = np.random.default_rng(0).permutation(counts.sum()).astype(np.uint32)  # grouped by cluster, as in an inverted index

    def draw(count, seed):
        generator = np.random.default_rng(seed)
        cumulative = np.cumsum(weights / weights.sum())
        clusters = np.minimum(np.searchsorted(cumulative, generator.random(count), side="right"), len(weights) - 1)
        return windows[offsets[clusters] + (generator.random(count) * counts[clusters]).astype(np.int64)]

    def weir(steps, first=0):
        return seconds([options.weir, "feed", options.dataset, "--mixture", options.mixture, "--batch-size", "64", "--steps", str(steps), "--from-step", str(first), "--row-numbers",
                        "--quiet", "--threads", str(threads)])

    ours, theirs, near, far = [], [], [], []
    for round in range(options.rounds):
        near.append(weir(1))
        far.append(weir(1, 1 << 38))
        ours.append(weir(options.draws // 64))
        start = time.perf_counter()
        for piece in range(options.draws >> 20):
            draw(1 << 20, piece)
        theirs.append(time.perf_counter() - start)
    ours, theirs = options.draws / (min(ours) - min(near)) / 1e6, options.draws / min(theirs) / 1e6
    print(f"{len(weights)} clusters, {counts.sum()} windows, {threads} threads: weir {ours:.1f} M draws/s, numpy {theirs:.1f} M draws/s, ratio {ours / theirs:.2f}")
    print(f"first step {min(near) * 1e3:.1f} ms, step 2^38 {min(far) * 1e3:.1f} ms, process start included")


if __name__ == "__main__":
    main()
