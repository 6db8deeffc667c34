#!/usr/bin/env python3
"""Compare weir's k-means with faiss's on the same vectors, by the objective of several seeds of each.

    python Tests/Parity/kmeans.py --weir .build/release/weir --clusters 32 256 -- DATASET/vectors/lsi     (or VECTORS.npy)

Prints the mean squared distance to the nearest centroid, averaged over seeds; vectors of length 0 are left out. Exit code 1 if weir's mean is
more than 1 % above faiss's. Needs faiss-cpu, numpy.
"""
import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

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
    return float(index.search(points, 1)[0].mean())


def ours(weir, array, points, clusters, seed, spherical):
    with tempfile.TemporaryDirectory() as folder:
        kind = [] if spherical else ["--euclidean"]
        subprocess.run([weir, "cluster", "fit", array, "--branching-factor", str(clusters), "--depth", "1", "--min-leaf-size", "1", "--seed", str(seed), "--quiet", *kind,
                        "-o", f"{folder}/tree"], check=True, stdin=subprocess.DEVNULL)
        shape = json.loads(pathlib.Path(f"{folder}/tree/tree.json").read_text())
        if shape["spherical"] != spherical or shape["children"][0] != clusters or any(shape["children"][1:]):
            sys.exit(f"weir did not fit {clusters} clusters")
        return objective(points, tensor(f"{folder}/tree/centroids.safetensors", "centroids")[1:])


def theirs(points, clusters, seed, spherical):
    kmeans = faiss.Kmeans(points.shape[1], clusters, niter=30, seed=seed, spherical=spherical, max_points_per_centroid=1 << 20)
    kmeans.train(points)
    return objective(points, kmeans.centroids)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--clusters", type=int, nargs="+", default=[32])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("vectors")
    arguments = parser.parse_args()
    points = np.load(arguments.vectors) if arguments.vectors.endswith(".npy") else tensor(f"{arguments.vectors}/vectors.safetensors", "vectors")
    points = np.ascontiguousarray(points[np.linalg.norm(points, axis=1) > 0], dtype=np.float32)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        array = f"{folder}/vectors.npy"
        np.save(array, points)
        for clusters in arguments.clusters:
            for spherical in (True, False):
                weir = [ours(arguments.weir, array, points, clusters, seed, spherical) for seed in range(1, arguments.seeds + 1)]
                peer = [theirs(points, clusters, seed, spherical) for seed in range(1, arguments.seeds + 1)]
                ratio = np.mean(weir) / np.mean(peer)
                failed |= ratio > 1.01
                print(f"{points.shape[0]} x {points.shape[1]}, k = {clusters}, {'spherical' if spherical else 'Euclidean'}: weir {np.mean(weir):.5f} ({min(weir):.5f} to {max(weir):.5f}), "
                      f"faiss {np.mean(peer):.5f} ({min(peer):.5f} to {max(peer):.5f}), ratio of means {ratio:.4f} over {arguments.seeds} seeds", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
