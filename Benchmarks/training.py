#!/usr/bin/env python3
"""Compare whole training steps (forward, backward, clipping, AdamW) with PyTorch on the CPU, and with the matrix products alone.

    python Benchmarks/training.py [--weir PATH] [--llmc FOLDER] [a b c micro nano]        needs torch and numpy

With a clone of llm.c, its GPT-2 of the same width, layers and vocabulary is measured as well (no clipping, GELU with four times the width:
about the same number of operations). This needs a C compiler with OpenMP.

Each repeat runs every program in a process of its own, one after another; the best step counts, without the first ones. Peak memory is the
largest resident set of the process. The peak of the products is the best sgemm rate for the model's own shapes on the same threads (torch's or
numpy's BLAS, whichever is faster for a shape), weighted by operations.

With --method, weir's side is `weir finetune` with that method on a model of the shape, and with anneal PyTorch adds λ·KL from a frozen copy.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

# name: width, layers, heads, ffn, vocabulary, context, batch
SHAPES = {
    "a": (256, 4, 4, 704, 8_192, 256, 16),
    "b": (384, 6, 6, 1_024, 16_384, 512, 8),
    "c": (768, 12, 12, 2_048, 32_768, 512, 4),
    "micro": (128, 4, 4, 344, 4_096, 256, 16),
    "nano": (64, 2, 2, 176, 4_096, 256, 16),
    "gpt2": (768, 12, 12, 2_048, 50_304, 1_024, 1),
}


def flops(shape):
    """FLOPs per token: 6 for each weight in a product, attention over the causal half."""
    width, layers, _, ffn, vocabulary, context, _ = shape
    return 6 * (layers * (4 * width * width + 3 * ffn * width) + vocabulary * width) + 6 * layers * width * context


def torch_side(shape, dtype, mode, threads, steps, method):
    """In a process of its own: train on random tokens, print seconds per step."""
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    width, layers, heads, ffn, vocabulary, context, batch = shape
    torch.set_num_threads(threads)
    torch.manual_seed(0)

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.RMSNorm(width, eps=1e-5), nn.RMSNorm(width, eps=1e-5)
            self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
            self.gate, self.up = nn.Linear(width, ffn, bias=False), nn.Linear(width, ffn, bias=False)
            self.down = nn.Linear(ffn, width, bias=False)

        def forward(self, x, cos, sin):
            rows, length, _ = x.shape
            q, k, v = self.qkv(self.first(x)).view(rows, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            q, k = ((torch.cat([a * cos - b * sin, b * cos + a * sin], -1)) for a, b in (q.chunk(2, -1), k.chunk(2, -1)))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(rows, length, width))
            h = self.second(x)
            return x + self.down(F.silu(self.gate(h)) * self.up(h))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, width)
            nn.init.normal_(self.embedding.weight, std=0.02)
            self.layers = nn.ModuleList(Layer() for _ in range(layers))
            self.norm = nn.RMSNorm(width, eps=1e-5)
            half = width // heads // 2
            angle = torch.outer(torch.arange(context).float(), 10_000.0 ** (-torch.arange(half) / half))
            self.register_buffer("cos", angle.cos())
            self.register_buffer("sin", angle.sin())

        def logits(self, tokens):
            x = self.embedding(tokens)
            for layer in self.layers:
                x = layer(x, self.cos.to(x.dtype), self.sin.to(x.dtype))
            return F.linear(self.norm(x), self.embedding.weight).view(-1, vocabulary).float()

        def forward(self, tokens, targets, frozen):
            logits = self.logits(tokens)
            loss = F.cross_entropy(logits, targets.view(-1))
            if frozen is None:
                return loss
            student, teacher = F.log_softmax(logits, -1), F.log_softmax(frozen, -1)
            return loss + (student.exp() * (student - teacher)).sum(-1).mean()

    model = Model()
    teacher = Model().requires_grad_(False) if method == "anneal" else None
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, fused=True)
    run = torch.compile(model) if mode == "compile" else model
    tokens, targets = (torch.randint(vocabulary, (batch, context)) for _ in range(2))
    for _ in range(steps):
        begin = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bf16"):
            with torch.no_grad():
                frozen = None if teacher is None else teacher.logits(tokens)
            loss = run(tokens, targets, frozen)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        print(time.perf_counter() - begin, flush=True)


def products_side(shape, threads, seconds):
    """In a process of its own: GFLOP/s of a step's products as plain sgemm calls, weighted by operations, and that of the best shape."""
    import numpy as np
    import torch

    width, layers, _, ffn, vocabulary, context, batch = shape
    torch.set_num_threads(threads)
    tokens = context * batch
    wanted = [(3 * width, width, layers), (width, width, layers), (2 * ffn, width, layers), (width, ffn, layers), (vocabulary, width, 1)]
    operations = total = best = 0.0
    for to, of, times in wanted:
        part = min(tokens, max(256, 2**26 // to))
        for m, n, k in ((part, to, of), (part, of, to), (to, of, part)):  # forward, input gradient, weight gradient
            a, b = np.random.rand(m, k).astype("f4"), np.random.rand(k, n).astype("f4")
            ta, tb, out = torch.from_numpy(a), torch.from_numpy(b), np.empty((m, n), "f4")
            tout, fastest = torch.from_numpy(out), 1e9
            for product in (lambda: np.matmul(a, b, out=out), lambda: torch.mm(ta, tb, out=tout)):
                end, count = time.perf_counter() + seconds, 0
                while time.perf_counter() < end or count < 3:
                    begin = time.perf_counter()
                    product()
                    fastest = min(fastest, time.perf_counter() - begin)
                    count += 1
            scale = times * tokens / part
            operations += 2.0 * m * n * k * scale
            total += fastest * scale
            best = max(best, 2.0 * m * n * k / fastest)
    print(json.dumps([operations / total * 1e-9, best * 1e-9]))


def child(command, threads):
    """Run a process; return its standard output and its peak resident memory in bytes."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors, stdin=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        out.seek(0)
        errors.seek(0)
        if status:
            sys.exit(f"{' '.join(map(str, command))}: status {status}\n{errors.read().decode()[-2000:]}")
        return out.read().decode(), usage.ru_maxrss * 1024


def words(folder):
    """A text file with one long document of random words."""
    draw = random.Random(0)
    syllables = [a + b for a in "bcdfghjklmnpqrstvwz" for b in ("a", "e", "i", "o", "u", "an", "en", "or", "st")]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 5))) for _ in range(80_000)]
    text = folder / "words.txt"
    if not text.exists():
        text.write_text(" ".join(words[int(len(words) * draw.random() ** 2)] for _ in range(1_000_000)))
    return text


def dataset(weir, folder, vocabulary):
    """The words, tokenized with a vocabulary of the given size."""
    text, tokenizer, shards = words(folder), folder / f"tokenizer-{vocabulary}", folder / f"dataset-{vocabulary}"
    if not shards.exists():
        subprocess.run([weir, "tokenizer", "train", text, "-o", tokenizer, "--vocabulary", str(vocabulary), "--quiet"], check=True)
        subprocess.run([weir, "tokenize", text, "--tokenizer", tokenizer, "--shards", shards, "--quiet"], check=True)
    return shards


def weir_side(weir, folder, name, shape, threads, steps, extra, method):
    """Run weir train or weir finetune; return seconds per step from its log, and its peak memory."""
    width, layers, heads, ffn, vocabulary, context, batch = shape
    run = pathlib.Path(tempfile.mkdtemp(dir=folder, prefix=f"{name}-"))
    common = ["--sequence", context, "--batch-size", batch, "--lr", "3e-4", "--checkpoint-every", 0, "--threads", threads, "--quiet", *extra]

    def train(run, steps):
        return [weir, "train", dataset(weir, folder, vocabulary), "-o", run, "--tokens", steps * context * batch, "--width", width, "--layers",
                layers, "--heads", heads, "--ffn", ffn, *common]

    command = train(run, steps)
    if method:
        base, part = folder / f"base-{name}", folder / f"part-{name}.txt"
        if not base.exists():
            subprocess.run(list(map(str, train(base, 1))), check=True)
        # About as many steps: a word has about two tokens.
        part.write_text(" ".join(words(folder).read_text().split()[:steps * context * batch // 2]))
        command = [weir, "finetune", base, "--data", part, "--epochs", 1, "-o", run, "--method", method, *common]
    _, memory = child(list(map(str, command)), threads)
    seconds = [float(json.loads(line)["seconds"]) for line in (run / "log.jsonl").read_text().splitlines()]
    subprocess.run(["rm", "-rf", run], check=True)
    return seconds, memory


def llmc_side(source, folder, shape, threads, steps):
    """Build llm.c and run it; return seconds per step and its peak memory."""
    program = folder / "llmc"
    if not program.exists():
        here = pathlib.Path(__file__).parent / "llmc.c"
        subprocess.run(["gcc", "-Ofast", "-march=native", "-fopenmp", "-DOMP", "-DTESTING", "-w", "-I", source, "-o", program, here, "-lm"], check=True)
    width, layers, heads, _, vocabulary, context, batch = shape
    text, memory = child(list(map(str, [program, folder / "llmc.bin", width, layers, heads, vocabulary, context, batch, steps])), threads)
    return [float(line.split()[1]) for line in text.splitlines() if line.startswith("step ")], memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="*", default=["a", "b", "c", "micro", "nano"])
    parser.add_argument("--weir", default=".build/release/weir")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="approximate time of each program in each repeat")
    parser.add_argument("--modes", default="eager,compile", help="modes of PyTorch; empty for none")
    parser.add_argument("--precision", default="float32", choices=["float32", "bf16"])
    parser.add_argument("--llmc", type=pathlib.Path, help="a clone of llm.c")
    parser.add_argument("--no-products", action="store_true")
    parser.add_argument("--cache", type=pathlib.Path, help="folder that keeps the datasets")
    parser.add_argument("--train-flag", action="append", default=[], help="another argument of weir train; may be repeated")
    parser.add_argument("--method", help="finetune with this method of weir finetune instead of training")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        kind, name, *rest = options.side.split(",")
        if kind == "torch":
            return torch_side(SHAPES[name], rest[0], rest[1], options.threads, int(rest[2]), rest[3])
        return products_side(SHAPES[name], options.threads, 0.15)

    extra = options.train_flag + ([] if options.precision == "float32" else ["--precision", options.precision])
    modes = [mode for mode in options.modes.split(",") if mode]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.cache or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.shapes:
            shape = SHAPES[name]
            tokens, work, rate = shape[5] * shape[6], flops(shape), 0.0
            # The number of steps that fill the time at 120 GFLOP/s, but at least a few after the first two.
            steps = 2 + max(3, int(options.seconds * 120e9 / (work * tokens)))
            best, memory, peak, top = {}, {}, 0.0, 0.0
            for _ in range(options.repeats):
                for side in ["weir"] + modes + (["llm.c"] if options.llmc else []):
                    if side == "weir":
                        seconds, used = weir_side(options.weir, folder, name, shape, options.threads, steps, extra, options.method)
                    elif side == "llm.c":
                        seconds, used = llmc_side(options.llmc, folder, shape, options.threads, 4)
                    else:
                        text, used = child(
                            [sys.executable, __file__, "--threads", str(options.threads), "--side",
                             f"torch,{name},{options.precision},{side},{steps},{options.method or ''}"], options.threads)
                        seconds = list(map(float, text.split()))
                    best[side] = min(best.get(side, 1e9), min(seconds[2:]))
                    memory[side] = max(memory.get(side, 0), used)
                if not options.no_products:
                    text, _ = child([sys.executable, __file__, "--threads", str(options.threads), "--side", f"products,{name}"], options.threads)
                    mean, most = json.loads(text)
                    peak, top = max(peak, mean), max(top, most)
            print(f"{name}: {options.precision}, {options.threads} threads, {work / 1e6:.1f} MFLOP/token")
            for side, seconds in best.items():
                rate = tokens / seconds
                line = f"  {side:8} {rate:9,.0f} tokens/s {rate * work * 1e-9:7.1f} GFLOP/s {memory[side] / 1e9:6.2f} GB"
                if side == "weir":
                    if peak:
                        line += f"   {100 * rate * work * 1e-9 / peak:.1f} % of the products' peak of {peak:.0f} GFLOP/s (best shape {top:.0f})"
                else:
                    line += f"   weir {seconds / best['weir']:.2f} x, memory {memory['weir'] / memory[side]:.2f} x"
                print(line, flush=True)


main()
