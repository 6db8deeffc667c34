#!/usr/bin/env python3
"""Compares the flat tree that weir fitted with faiss k-means on the same vectors.

    weir embed DATASET && weir cluster fit DATASET --arity 64 --depth 1 -o TREE
    python Tests/Parity/kmeans.py DATASET/vectors/lsi TREE

Prints the mean squared distance to the nearest centroid for both, faiss over several seeds. Exit code 1 where weir's is more than
2 % above faiss's median. Needs faiss-cpu, numpy.
"""
import argparse
import json
import pathlib
import struct
import sys

import faiss
import numpy as np


def tensor(path, name):
    """A float32 tensor of a safetensors file."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8 : 8 + size])[name]
    first, last = entry["data_offsets"]
    return np.frombuffer(data[8 + size + first : 8 + size + last], dtype="<f4").reshape(entry["shape"])


def objective(points, centroids):
    """Mean squared distance to the nearest centroid."""
    index = faiss.IndexFlatL2(points.shape[1])
    index.add(np.ascontiguousarray(centroids))
    return float(index.search(np.ascontiguousarray(points), 1)[0].mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("tree")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    points = tensor(f"{arguments.vectors}/vectors.safetensors", "vectors")
    points = points[np.linalg.norm(points, axis=1) > 0]
    shape = json.loads(pathlib.Path(f"{arguments.tree}/tree.json").read_text())
    clusters = shape["children"][0]
    if clusters == 0 or any(shape["children"][1:]):
        sys.exit("the tree is not flat: fit it with --depth 1")
    ours = objective(points, tensor(f"{arguments.tree}/centroids.safetensors", "centroids")[1:])
    theirs = []
    for seed in range(arguments.seeds):
        kmeans = faiss.Kmeans(
            points.shape[1], clusters, niter=30, seed=seed, spherical=shape["spherical"], max_points_per_centroid=1 << 20
        )
        kmeans.train(np.ascontiguousarray(points))
        theirs.append(objective(points, kmeans.centroids))
    median = float(np.median(theirs))
    print(f"weir {ours:.5f}   faiss median {median:.5f}, {min(theirs):.5f} to {max(theirs):.5f} over {arguments.seeds} seeds")
    sys.exit(0 if ours <= 1.02 * median else 1)


if __name__ == "__main__":
    main()
