#!/usr/bin/env python3
"""Measure the loader: rows of a 64-group mixture in memory, opening and seeking, packing, and the time that training waits for data.

    python3 -m venv VENV && VENV/bin/pip install numpy torch litdata grain
    VENV/bin/python Benchmarks/loader.py --weir .build/release/weir --tokenizer tokenizer/bpe16k DOCUMENTS.jsonl.zst [rows python seek pack wait]

Every side delivers input_ids and labels of the same corpus, 1,024 tokens per row, 8 rows per batch, from files that are in memory. numpy reads shuffled
windows of a memory map without a mixture; litdata reads the same windows in its own format, and Grain from a memory map (from ArrayRecord it is three
times slower), both shuffled. Weir draws best-fit rows of 64 groups with weights 1…64. The built-in loader is `weir feed` on two threads into
/dev/null, which also hashes the rows and makes a third array; it is compared with two processes of numpy. Everything else is one process.

The sides take turns in each round. Times are medians over the rounds, without imports; ratios are those of the medians. Options: --rounds 5,
--batches 8192 (per side and round), --cache FOLDER (keeps the datasets).
"""
import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "python")]
SEQUENCE, BATCH, GROUPS, THREADS = 1024, 8, 64, 2
PYTHON = ["numpy", "litdata", "grain"]


def tokens_of(dataset):
    import numpy as np

    return np.memmap(dataset / "shard-00000.bin", "<u2", "r")


def numpy_batches(folder, seed):
    import numpy as np
    import torch

    tokens = tokens_of(folder / "dataset")
    windows = np.random.default_rng(seed).permutation((len(tokens) - 1) // SEQUENCE)
    while True:
        for first in range(0, len(windows) - BATCH + 1, BATCH):
            starts = [int(window) * SEQUENCE for window in windows[first : first + BATCH]]
            ids = np.stack([tokens[start : start + SEQUENCE] for start in starts]).astype(np.int64)
            labels = np.stack([tokens[start + 1 : start + 1 + SEQUENCE] for start in starts]).astype(np.int64)
            yield torch.from_numpy(ids), torch.from_numpy(labels)


def weir_batches(folder, seed):
    import torch
    from weir_feed import PackedDataset, collate

    dataset = PackedDataset(str(folder / "order.json"), ["input_ids", "labels"], rows=1 << 40, start=(seed << 24))
    for first in range(0, len(dataset), BATCH):
        rows = collate(dataset.__getitems__(range(first, first + BATCH)))
        yield rows["input_ids"], rows["labels"]


def litdata_batches(folder, seed):
    from litdata import StreamingDataLoader, StreamingDataset, TokensLoader

    dataset = StreamingDataset(str(folder / "litdata"), item_loader=TokensLoader(block_size=SEQUENCE + 1), shuffle=True, seed=seed, drop_last=True)
    while True:
        for rows in StreamingDataLoader(dataset, batch_size=BATCH, num_workers=0, drop_last=True):
            rows = rows.long()
            yield rows[:, :-1], rows[:, 1:]


def grain_batches(folder, seed):
    import grain
    import torch

    rows = grain.MapDataset.source(Memory(folder / "dataset")).shuffle(seed=seed).repeat().batch(BATCH)
    for batch in rows.to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0)):
        rows = torch.from_numpy(batch)
        yield rows[:, :-1], rows[:, 1:]


class Memory:
    """Windows of a memory map as Grain's data source."""

    def __init__(self, dataset):
        self.tokens = tokens_of(dataset)

    def __len__(self):
        return (len(self.tokens) - 1) // SEQUENCE

    def __getitem__(self, window):
        return self.tokens[window * SEQUENCE : (window + 1) * SEQUENCE + 1].astype("i8")


SIDES = {"numpy": numpy_batches, "weir_feed": weir_batches, "litdata": litdata_batches, "grain": grain_batches}


def side(name, folder, batches, seed):
    """In a process of its own: seconds for the batches, after as many as warm the caches."""
    import torch

    torch.set_num_threads(1)
    source = SIDES[name](folder, seed)
    for _ in range(64):
        next(source)
    begin = time.perf_counter()
    for _ in range(batches):
        ids, labels = next(source)
    seconds = time.perf_counter() - begin
    assert ids.shape == labels.shape == (BATCH, SEQUENCE) and ids.dtype == labels.dtype == torch.int64
    print(seconds)


def first_row(order, position):
    """In a process of its own: milliseconds from the path of an order to a row."""
    from weir_feed import PackedDataset

    begin = time.perf_counter()
    PackedDataset(order, ["input_ids", "labels"], rows=1 << 40)[position]
    print(1e3 * (time.perf_counter() - begin))


def waiting(folder, steps):
    """In a process of its own: the share of a PyTorch loop's time that it waits for rows, with a model of 2 M parameters."""
    import torch

    sys.path.append(str(HERE.parent / "python" / "examples"))
    import pytorch
    from weir_feed import PackedDataset, collate

    torch.set_num_threads(THREADS)
    dataset = PackedDataset(str(folder / "order.json"), pytorch.COLUMNS, rows=1 << 40)
    model = pytorch.Model(dataset.vocabulary, SEQUENCE)
    optimizer = torch.optim.AdamW(model.parameters())
    waited, begin = 0.0, 0.0
    for step in range(steps + 1):
        start = time.perf_counter()
        if step == 1:  # the first step warms up
            waited, begin = 0.0, start
        rows = collate(dataset.__getitems__(range(step * BATCH, (step + 1) * BATCH)))
        waited += time.perf_counter() - start
        targets = rows.pop("targets")
        torch.nn.functional.cross_entropy(model(**rows).flatten(0, 1), targets.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()
    print(waited / (time.perf_counter() - begin))


def prepare(weir, tokenizer, documents, folder):
    """The corpus as a dataset of 64 sources, its order, and the formats of the others."""
    import numpy as np

    quiet = dict(check=True, stdout=subprocess.DEVNULL)
    if not (folder / "dataset").exists():
        with open(folder / "documents.jsonl", "wb") as output:
            process = subprocess.Popen(["zstd", "-qdc", "--long=31", str(documents)], stdout=subprocess.PIPE)
            for number, line in enumerate(process.stdout):
                document = json.loads(line)
                output.write(json.dumps({"id": str(number), "text": document["text"], "source": f"g{number % GROUPS:02}"}).encode() + b"\n")
            if process.wait():
                sys.exit(f"{documents}: zstd failed")
        subprocess.run([weir, "tokenize", str(folder / "documents.jsonl"), "--tokenizer", tokenizer, "--shards", str(folder / "dataset"), "--quiet"], **quiet)
        (folder / "documents.jsonl").unlink()
    if not (folder / "order.json").exists():
        stages = [{"at": "0", "weights": {f"g{group:02}": group + 1 for group in range(GROUPS)}}]
        (folder / "mixture.json").write_text(json.dumps({"by": "source", "stages": stages}))
        subprocess.run([weir, "pack", str(folder / "dataset"), "--sequence", str(SEQUENCE), "--packing", "best-fit", "--mixture", str(folder / "mixture.json"),
                        "--order", str(folder / "order.json"), "--quiet"], **quiet)
    tokens = tokens_of(folder / "dataset")
    count = (len(tokens) - 1) // SEQUENCE
    if importable("litdata") and not (folder / "litdata").exists():
        import litdata
        import torch

        litdata.optimize(
            fn=Windows(folder / "dataset"), inputs=list(range(count // 256)), output_dir=str(folder / "litdata"), chunk_bytes="64MB", num_workers=1,
            item_loader=litdata.TokensLoader(block_size=SEQUENCE + 1))


class Windows:
    """256 windows of 1,025 tokens, as litdata stores them."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __call__(self, part):
        import torch

        tokens = tokens_of(self.dataset)
        for window in range(256 * part, 256 * part + 256):
            yield torch.from_numpy(tokens[window * SEQUENCE : (window + 1) * SEQUENCE + 1].astype("i4"))


def importable(module):
    return subprocess.run([sys.executable, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=".build/release/weir")
    parser.add_argument("--tokenizer", default="tokenizer/bpe16k")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=8192)
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--side", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("documents", type=pathlib.Path, nargs="?")
    parser.add_argument("what", nargs="*", default=["rows", "python", "seek", "pack", "wait"])
    options = parser.parse_args()
    if options.side:
        kind, *rest = options.side
        if kind == "first":
            return first_row(rest[0], int(rest[1]))
        if kind == "wait":
            return waiting(pathlib.Path(rest[0]), int(rest[1]))
        return side(kind, pathlib.Path(rest[0]), int(rest[1]), int(rest[2]))

    me = [sys.executable, str(pathlib.Path(__file__).resolve()), "--side"]

    def start(*arguments):
        return subprocess.Popen([*me, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(process):
        output, errors = process.communicate()
        if process.returncode:
            sys.exit(f"{process.args}: {errors[-2000:]}")
        return float(output.split()[-1])

    def run(*arguments):
        return finish(start(*arguments))

    def seconds(*command):
        begin = time.perf_counter()
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin

    with tempfile.TemporaryDirectory() as temporary:
        folder = options.cache or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        prepare(options.weir, options.tokenizer, options.documents, folder)
        weir, order, dataset, batches = options.weir, folder / "order.json", folder / "dataset", options.batches
        count = json.loads((dataset / "manifest.json").read_text())["counts"]["tokens"]
        tokens = batches * BATCH * SEQUENCE
        cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
        print(f"{cpu}; {count / 1e6:.1f} M tokens, {SEQUENCE} per row, {BATCH} rows per batch; medians of {options.rounds} rounds", flush=True)
        peers = [name for name in PYTHON if importable(name)]
        times = {}

        def note(name, value):
            times.setdefault(name, []).append(value)

        def feed(number, threads):
            return seconds(weir, "feed", dataset, "--order", order, "--batch-size", BATCH, "--steps", batches, "--threads", threads, "--quiet",
                           "--from-position", (number + 1) << 24)

        for number in range(options.rounds):
            if "rows" in options.what:
                note("weir feed, 2 threads", feed(number, THREADS))
                pair = [start("numpy", folder, batches // THREADS, number * THREADS + part) for part in range(THREADS)]
                note("numpy, 2 processes", max(map(finish, pair)))
            if "python" in options.what:
                note("weir_feed", run("weir_feed", folder, batches, number))
                for name in peers:
                    note(name, run(name, folder, batches, number))
            if "seek" in options.what:
                note("open", run("first", order, 0))
                note("seek", run("first", order, 10**9))
                note("weir feed, one row", 1e3 * seconds(weir, "feed", dataset, "--order", order, "--batch-size", 1, "--steps", 1, "--from-position", 10**9, "--quiet"))
            if "pack" in options.what:
                with tempfile.TemporaryDirectory(dir=folder) as output:
                    note("pack", seconds(weir, "pack", dataset, "--sequence", SEQUENCE, "--packing", "best-fit", "-o", f"{output}/rows", "--quiet"))
            if "wait" in options.what:
                note("wait", run("wait", folder, 8))
                with tempfile.TemporaryDirectory(dir=folder) as output:
                    subprocess.run([weir, "train", str(dataset), "--preset", "nano", "--sequence", str(SEQUENCE), "--batch-size", str(BATCH), "--packing", "best-fit",
                                    "--tokens", str(10 * BATCH * SEQUENCE), "--checkpoint-every", "0", "--quiet", "-o", f"{output}/run"],
                                   check=True, stdout=subprocess.DEVNULL)
                    steps = [json.loads(line)["seconds"] for line in open(f"{output}/run/log.jsonl")]
                note("step", statistics.median(steps[2:]))
                note("one batch", feed(number, 1) / batches)
        median = {name: statistics.median(values) for name, values in times.items()}
        for name, baseline in (("weir feed, 2 threads", "numpy, 2 processes"), ("weir_feed", "numpy"), ("weir_feed", "litdata"), ("weir_feed", "grain")):
            if name in median and baseline in median:
                print(f"{name:22} {tokens / median[name] / 1e6:7.1f} M tokens/s   {median[baseline] / median[name]:5.2f} × {baseline} "
                      f"({tokens / median[baseline] / 1e6:.1f} M tokens/s)", flush=True)
        if "open" in median:
            print(f"weir_feed: first row after opening {median['open']:.1f} ms, after opening and seeking to 10⁹ {median['seek']:.1f} ms; "
                  f"a whole process of weir feed for the row at 10⁹ {median['weir feed, one row']:.1f} ms")
        if "pack" in median:
            print(f"packing, best-fit: {median['pack']:.2f} s, {median['pack'] * 60e6 / count:.2f} s per 60 M tokens")
        if "wait" in median:
            print(f"waiting for data: {100 * median['wait']:.2f} % of a step of PyTorch, {100 * median['one batch'] / median['step']:.2f} % of one of weir train "
                  f"(a batch on one thread {1e3 * median['one batch']:.3f} ms, a step {1e3 * median['step']:.0f} ms)")


if __name__ == "__main__":
    main()
