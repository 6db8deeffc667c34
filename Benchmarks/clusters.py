#!/usr/bin/env python3
"""Compare Weir's embedders and k-means with faiss, ONNX Runtime, model2vec and scikit-learn on the same vectors, windows or documents.
The programs take turns in one run, and the best time of each counts.

    python3 -m venv VENV && VENV/bin/pip install faiss-cpu onnxruntime onnx torch transformers tokenizers model2vec scikit-learn safetensors
    corpora/fetch-minilm
    VENV/bin/python Benchmarks/clusters.py --weir .build/release/weir --work FOLDER DOCUMENTS.jsonl.zst [kmeans assign minilm static lsi]

FOLDER keeps what is made once (datasets, vectors, the ONNX model). Text vectors are LSI vectors of pieces of at most 1,150 bytes; synthetic
vectors come from an isotropic mixture of 500 components. Weir's times are those in its reports, or of the whole process where a line says "process".
k-means: "whole" is up to 20 iterations of each program with its own stopping rule, seeding included; "to target" is the time until the objective is
within 0.5 % of the worse final objective, found by running Weir with fewer and fewer iterations. Needs zstd. The ratio is Weir's speed divided by the
peer's.
"""
import argparse
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

import numpy as np

THREADS = len(os.sched_getaffinity(0))


def tensor(path, name, kind="<f4"):
    """A tensor of a safetensors file."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8 : 8 + size])[name]
    first, last = entry["data_offsets"]
    return np.frombuffer(data[8 + size + first : 8 + size + last], kind).reshape(entry["shape"])


def line(work, name, ours, theirs, unit):
    ratio = theirs / ours if unit == "s" else ours / theirs
    print(f"{work:44} weir {ours:10.2f} {unit:9} {name:22} {theirs:10.2f} {unit:9} ratio {ratio:6.2f}", flush=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = options.work
        self.work.mkdir(parents=True, exist_ok=True)

    def weir(self, *words):
        """Run weir; return its report and the seconds of the whole process."""
        start = time.perf_counter()
        done = subprocess.run([self.options.weir, *map(str, words), "--json", "--quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            sys.exit(f"weir {' '.join(map(str, words))}: exit code {done.returncode}")
        lines = done.stdout.decode().strip().splitlines()
        return (json.loads(lines[-1]) if lines else {}), seconds

    def texts(self):
        """The documents' texts, in order."""
        reader = subprocess.Popen(["zstd", "-qdc", "--long=31", str(self.options.documents)], stdout=subprocess.PIPE)
        for row in reader.stdout:
            yield json.loads(row)["text"]
        reader.wait()

    def lines(self, name, texts):
        """A file of documents, written once."""
        path = self.work / name
        if not path.exists():
            with open(path.with_suffix(".partial"), "w", encoding="utf8") as file:
                for index, text in enumerate(texts()):
                    file.write(json.dumps({"id": str(index), "text": text}) + "\n")
            path.with_suffix(".partial").rename(path)
        return path

    def dataset(self, name, file):
        path = self.work / name
        if not path.exists():
            self.weir("tokenize", file, "--tokenizer", self.options.tokenizer, "--shards", path)
        return path

    def pieces(self):
        """Texts of at most 1,150 bytes, cut at line ends if possible: slightly more than 200,000, because some get no vector."""
        count = 0
        for text in self.texts():
            data = text.encode()
            while data and count < 200_500:
                end = len(data) if len(data) <= 1150 else max(data.rfind(b"\n", 200, 1150), 0) or 1150
                piece, data = data[:end].decode("utf8", "ignore").strip(), data[end:]
                if len(piece) >= 200:
                    count += 1
                    yield piece
            if count >= 200_500:
                return

    def vectors(self, kind):
        """200,000 unit vectors of 384 dimensions, and the file that weir reads."""
        path = self.work / f"{kind}.npy"
        if not path.exists():
            if kind == "text":
                data = self.dataset("pieces", self.lines("pieces.jsonl", self.pieces))
                self.weir("embed", data, "--model", "lsi", "--dimensions", 384)
                x = tensor(data / "vectors" / "lsi" / "vectors.safetensors", "vectors")
                x = x[np.linalg.norm(x, axis=1) > 0][:200_000]
            else:
                draw = np.random.default_rng(0)
                centers = draw.standard_normal((500, 384), dtype=np.float32)
                x = centers[draw.integers(0, 500, 200_000)] + 1.2 * draw.standard_normal((200_000, 384), dtype=np.float32)
                x /= np.linalg.norm(x, axis=1, keepdims=True)
            np.save(path, np.ascontiguousarray(x, "<f4"))
        return np.load(path), path

    # k-means

    def kmeans(self):
        import faiss

        faiss.omp_set_num_threads(THREADS)
        tree = self.work / "tree"
        for kind in self.options.vectors:
            x, path = self.vectors(kind)
            for k in self.options.k:
                for spherical in self.options.compare:
                    def objective(centroids):
                        index = faiss.IndexFlatIP(x.shape[1]) if spherical else faiss.IndexFlatL2(x.shape[1])
                        index.add(np.ascontiguousarray(centroids))
                        labels = index.search(x, 1)[1][:, 0]
                        return float(((x - centroids[labels]).astype("f8") ** 2).sum())

                    def fit(iterations):
                        report, _ = self.weir("cluster", "fit", path, "--leaves", k, "--min-leaf-size", 1, "--iterations", iterations, "-o", tree,
                                              *([] if spherical else ["--euclidean"]))
                        return report["seconds"], objective(tensor(tree / "centroids.safetensors", "centroids")[1:])

                    ours, theirs = [], []
                    for turn in range(self.options.repeat):
                        peer = faiss.Kmeans(x.shape[1], k, niter=20, spherical=spherical, seed=1, max_points_per_centroid=10**9)
                        start = time.perf_counter()
                        peer.train(x)
                        theirs.append((time.perf_counter() - start, peer.iteration_stats))
                        ours.append(fit(20))
                    least = min(theirs, key=lambda result: result[0])
                    there, here = objective(peer.centroids), ours[0][1]
                    name = f"k-means {kind}, k {k}, {'spherical' if spherical else 'Euclidean'}"
                    line(name + ", whole", "faiss", min(ours)[0], least[0], "s")
                    target = 1.005 * max(here, there)
                    # faiss reports the objective of the centroids with which an iteration began.
                    told = [2 * len(x) - 2 * step["obj"] if spherical else step["obj"] for step in least[1]] + [there]
                    began = [0.0] + [step["time"] for step in least[1]]
                    reached = next(i for i, value in enumerate(told) if value <= target)
                    low, high = 0, 20
                    while low < high:
                        middle = (low + high) // 2
                        if fit(middle)[1] <= target:
                            high = middle
                        else:
                            low = middle + 1
                    line(name + ", to target", "faiss", min(fit(low)[0] for _ in range(self.options.repeat)), max(began[reached], 1e-3), "s")
                    print(f"  objectives: weir {here:,.0f}, faiss {there:,.0f} ({100 * (here / there - 1):+.2f} %); iterations to target {low} "
                          f"and {reached}", flush=True)

    # 200,000 vectors to 4,096 leaves

    def assign(self):
        import faiss

        faiss.omp_set_num_threads(THREADS)
        for kind in self.options.vectors:
            x, path = self.vectors(kind)
            for name, flags in (("tree 64 x 64", ["--branching-factor", 64, "--depth", 2]), ("flat", ["--leaves", 4096, "--iterations", 4])):
                tree, leaves = self.work / f"{kind}-{name.split()[0]}", self.work / "leaves"
                if not tree.exists():
                    self.weir("cluster", "fit", path, "--min-leaf-size", 1, "-o", tree, *flags)
                shape = json.loads((tree / "tree.json").read_text())
                ends = [node for node, children in enumerate(shape["children"]) if children == 0]
                index = faiss.IndexFlatIP(x.shape[1])
                index.add(np.ascontiguousarray(tensor(tree / "centroids.safetensors", "centroids")[ends]))
                ours, theirs = [], []
                for turn in range(self.options.repeat):
                    ours.append(self.weir("cluster", "assign", path, "--tree", tree, "-o", leaves)[0]["seconds"])
                    start = time.perf_counter()
                    scores, found = index.search(x, 1)
                    theirs.append(time.perf_counter() - start)
                mine = tensor(leaves / "leaves.safetensors", "leaf", "<u4")
                line(f"assign {kind} to {len(ends):,} leaves, {name}", "faiss flat", len(x) / min(ours) / 1e3, len(x) / min(theirs) / 1e3, "k/s")
                mean = (x * tensor(tree / "centroids.safetensors", "centroids")[np.array(ends)[mine]]).sum(1).mean()
                print(f"  same leaf for {100 * (mine == found[:, 0]).mean():.2f} %; mean cosine to weir's leaf {mean:.4f}, to faiss's {scores.mean():.4f}",
                      flush=True)

    # MiniLM

    def full_windows(self, count):
        """Texts of exactly 254 word pieces, and their ids with [CLS] and [SEP]."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.options.model / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        texts, ids = [], []
        for text in self.texts():
            found = tokenizer.encode(text[:20_000], add_special_tokens=False)
            for start in range(0, len(found.ids) - 254, 254):
                piece = text[found.offsets[start][0] : found.offsets[start + 253][1]]
                again = tokenizer.encode(piece, add_special_tokens=False).ids
                # A text cut within a word may have other pieces; one of more than 1,024 bytes may be two windows.
                if len(again) == 254 and len(piece.encode()) <= 1024:
                    texts.append(piece)
                    ids.append([101] + again + [102])
            if len(texts) >= count:
                break
        return texts[:count], np.array(ids[:count], np.int64)

    def onnx(self):
        """The float32 and int8 models, exported from the weights with pooling and normalization."""
        plain, small = self.work / "minilm.onnx", self.work / "minilm.int8.onnx"
        if not plain.exists():
            import torch
            from transformers import AutoModel

            encoder = AutoModel.from_pretrained(self.options.model, attn_implementation="eager").eval()

            class Sentence(torch.nn.Module):
                def __init__(self):
                    super().__init__()
                    self.encoder = encoder

                def forward(self, ids, mask):
                    hidden, weight = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask.unsqueeze(-1).float()
                    vector = (hidden * weight).sum(1) / weight.sum(1)
                    return vector / vector.norm(dim=1, keepdim=True)

            ones = torch.ones(2, 16, dtype=torch.long)
            axes = {name: {0: "batch", 1: "pieces"} for name in ("input_ids", "attention_mask")}
            torch.onnx.export(Sentence(), (ones, ones), str(plain), input_names=list(axes), output_names=["vectors"], dynamic_axes=axes,
                              opset_version=17, dynamo=False)
        if not small.exists():
            from onnxruntime.quantization import QuantType, quantize_dynamic

            quantize_dynamic(plain, small, weight_type=QuantType.QInt8)
        return plain, small

    def minilm(self):
        import onnxruntime

        count = self.options.windows
        texts, ids = self.full_windows(count)
        data = self.dataset(f"windows-{count}", self.lines(f"windows-{count}.jsonl", lambda: texts))
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads, settings.inter_op_num_threads = THREADS, 1
        exact = None
        for model, precision, name in zip(self.onnx(), ("float32", "bf16"), ("ONNX Runtime float32", "ONNX Runtime int8")):
            session = onnxruntime.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])
            ours, theirs = [], []
            for turn in range(self.options.repeat):
                report, _ = self.weir("embed", data, "--model", f"minilm:{self.options.model}", "--chunks", "first", "--precision", precision)
                ours.append(report["seconds"]["windows"])
                assert report["windows"] == count, "a text is not exactly one window"
                start, out = time.perf_counter(), []
                for at in range(0, count, 32):
                    batch = ids[at : at + 32]
                    out.append(session.run(None, {"input_ids": batch, "attention_mask": np.ones_like(batch)})[0])
                theirs.append(time.perf_counter() - start)
            line(f"MiniLM {precision}, {count} windows of 256 pieces", name, count / min(ours), count / min(theirs), "windows/s")
            vectors, out = tensor(data / "vectors" / "minilm" / "vectors.safetensors", "vectors"), np.concatenate(out)
            exact = out if exact is None else exact
            print(f"  cosine to ONNX Runtime float32: weir at least {(vectors * exact).sum(1).min():.6f}, {name} {(out * exact).sum(1).min():.6f}",
                  flush=True)

    # Static embeddings: text to vectors

    def static(self):
        from model2vec import StaticModel
        from tokenizers import Tokenizer

        file = self.lines("pieces.jsonl", self.pieces)
        part = self.lines("part.jsonl", lambda: (json.loads(row)["text"] for row, _ in zip(open(file, encoding="utf8"), range(10_000))))
        size, few = (sum(len(json.loads(row)["text"].encode()) for row in open(path, encoding="utf8")) / 1e6 for path in (file, part))
        texts = [json.loads(row)["text"] for row in open(part, encoding="utf8")]
        data = self.dataset("pieces", file)
        model = data / "vectors" / "static"
        if not model.exists():
            self.weir("embed", data, "--model", f"static:{self.options.model}")
        tokenizer = Tokenizer.from_file(str(self.options.model / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        # Speed does not depend on the values.
        table = np.random.default_rng(0).standard_normal((tokenizer.get_vocab_size(), 256)).astype(np.float32)
        peer, fresh, ours, theirs = StaticModel(table, tokenizer), self.work / "fresh", [], []
        embedder = self.work / "static"
        shutil.rmtree(embedder, ignore_errors=True)
        shutil.copytree(model / "embedder", embedder)
        for turn in range(self.options.repeat):
            shutil.rmtree(fresh, ignore_errors=True)
            _, cut = self.weir("tokenize", file, "--tokenizer", self.options.tokenizer, "--shards", fresh)
            report, whole = self.weir("embed", fresh, "--model", embedder)
            ours.append((cut + whole, report["seconds"]["windows"]))
            start = time.perf_counter()
            peer.encode(texts, max_length=None, batch_size=1024, use_multiprocessing=False)
            theirs.append(time.perf_counter() - start)
        line(f"static, {size:.0f} MB, text to vectors, process", f"model2vec, {few:.0f} MB", size / min(ours)[0], few / min(theirs), "MB/s")
        line("  without tokenizing and process start", "model2vec", size / min(seconds for _, seconds in ours), few / min(theirs), "MB/s")

    # LSI

    def lsi(self):
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        def first():
            total = 0
            for index, text in enumerate(self.texts()):
                total += len(text.encode())
                if index >= 20_000 or total > 47e6:
                    return
                yield text

        file = self.lines("documents.jsonl", first)
        texts = [json.loads(row)["text"] for row in open(file, encoding="utf8")]
        data, ours, theirs = self.dataset("documents", file), [], []
        for turn in range(self.options.repeat):
            report, whole = self.weir("embed", data, "--model", "lsi", "--dimensions", 256)
            fresh = self.work / "fresh"
            shutil.rmtree(fresh, ignore_errors=True)
            _, cut = self.weir("tokenize", file, "--tokenizer", self.options.tokenizer, "--shards", fresh)
            ours.append((sum(report["seconds"].values()), cut + whole))
            start = time.perf_counter()
            matrix = TfidfVectorizer(max_features=50_000, min_df=2, dtype=np.float32, sublinear_tf=True).fit_transform(texts)
            middle = time.perf_counter()
            TruncatedSVD(256, n_iter=4, random_state=0).fit_transform(matrix)
            theirs.append((time.perf_counter() - start, middle - start))
        peer = min(theirs)
        name = f"LSI 256, {len(texts):,} documents, {report['windows']:,} windows"
        line(name, "scikit-learn", min(seconds for seconds, _ in ours), peer[0], "s")
        line("  with tokenizing and start, process", "scikit-learn", min(seconds for _, seconds in ours), peer[0], "s")
        print(f"  scikit-learn: tf-idf {peer[1]:.2f} s, SVD {peer[0] - peer[1]:.2f} s; weir: {report['seconds']}", flush=True)


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--tokenizer", default=here / "tokenizer" / "bpe16k", type=pathlib.Path)
    parser.add_argument("--model", default=here / "corpora" / "full" / "minilm", type=pathlib.Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--k", type=int, nargs="*", default=[256, 1024])
    parser.add_argument("--vectors", nargs="*", default=["text", "synthetic"], choices=["text", "synthetic"])
    parser.add_argument("--compare", nargs="*", default=["spherical", "euclidean"], choices=["spherical", "euclidean"])
    parser.add_argument("--windows", type=int, default=512)
    parser.add_argument("documents", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["kmeans", "assign", "minilm", "static", "lsi"])
    options = parser.parse_args()
    options.compare = [name == "spherical" for name in options.compare]
    bench = Bench(options)
    for part in options.what:
        getattr(bench, part)()


if __name__ == "__main__":
    main()
