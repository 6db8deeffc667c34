#!/usr/bin/env python3
"""Compare the vectors of weir's MiniLM encoder with those of sentence-transformers on real windows.

    Tests/Parity/minilm.py --weir WEIR --model FOLDER --tokenizer FOLDER DOCUMENTS… [--windows 5000]

Documents are taken in the order of the SHA-256 of their lines until there are enough windows. Both sides see the first 256 pieces of a
window. --whole of them are also compared over all chunks; sentence-transformers does not average chunks, so its model is called per chunk.
Exit code 1 if a cosine is below 0.9999, or one of bfloat16 to float32 below 0.999. sentence-transformers embeds about 20 windows per second.
Needs numpy, safetensors, sentence-transformers, tokenizers.
"""
import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import transformers
from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

LONGEST = 1024


def windows_of(dataset):
    """The token ids of a dataset's windows, recomputed from its shard: at most 1,024 tokens of a document, without the end token."""
    counts = json.loads((dataset / "manifest.json").read_text())["counts"]
    shards = sorted(dataset.glob("shard-*.idx"))
    for shard in shards:
        data = shard.read_bytes()
        kind = {8: "<u2", 4: "<i4"}[data[17]]
        number = int.from_bytes(data[18:26], "little")
        lengths = np.frombuffer(data, "<i4", number, 34)
        tokens = np.fromfile(shard.with_suffix(".bin"), kind)
        for end, length in zip(np.cumsum(lengths), lengths):
            document = tokens[end - length : end]
            for start in range(0, length, LONGEST):
                window = document[start : start + LONGEST]
                yield [int(token) for token in window if token != counts["end_of_document"]]


def part_means(model, texts):
    """Each text's pieces in chunks of 254; the sum of the chunks' unit vectors, scaled to length 1."""
    out = []
    for text in texts:
        ids = model.tokenizer.encode(text, add_special_tokens=False, truncation=False)
        total = 0
        for start in range(0, len(ids), 254):
            part = torch.tensor([[model.tokenizer.cls_token_id] + ids[start : start + 254] + [model.tokenizer.sep_token_id]])
            with torch.inference_mode():
                vector = model[0].auto_model(part).last_hidden_state[0].mean(0)
            total = total + (vector / vector.norm()).numpy()
        out.append(total / np.linalg.norm(total) if len(ids) else np.zeros(model.get_sentence_embedding_dimension(), "f4"))
    return np.stack(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--windows", type=int, default=5000)
    parser.add_argument("--whole", type=int, default=200)
    parser.add_argument("documents", nargs="+")
    options = parser.parse_args()

    def weir(*words, **keywords):
        return subprocess.run([options.weir, *map(str, words)], check=True, stdin=subprocess.DEVNULL, **keywords)

    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        lines = weir("read", *options.documents, "--plain", "--quiet", stdout=subprocess.PIPE).stdout.splitlines()
        lines.sort(key=lambda line: hashlib.sha256(line).digest())

        def dataset(name, windows):
            """A dataset of the first documents with so many windows, and their number."""
            # Every document has at least one window, so this many documents are enough.
            count = min(windows, len(lines))
            for _ in range(2):
                (work / "chosen.jsonl").write_bytes(b"".join(line + b"\n" for line in lines[:count]))
                weir("tokenize", work / "chosen.jsonl", "--tokenizer", options.tokenizer, "--shards", work / name, "--quiet")
                tokens = np.frombuffer((work / name / "shard-00000.idx").read_bytes(), "<i4", count, 34)
                enough = min(count, int(np.searchsorted(np.cumsum(-(-tokens // LONGEST)), windows)) + 1)
                if enough == count:
                    break
                subprocess.run(["rm", "-rf", str(work / name)], check=True)
                count = enough
            return count

        def embed(name, vectors, *flags):
            done = subprocess.run([options.weir, "embed", work / name, "--model", f"minilm:{options.model}", "--name", vectors, "--quiet", *flags],
                                  stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                return done.stderr
            return load_file(work / name / "vectors" / vectors / "vectors.safetensors")["vectors"]

        documents = dataset("set", options.windows)
        dataset("few", options.whole)
        first = embed("set", "first", "--chunks", "first")
        half = embed("set", "half", "--chunks", "first", "--precision", "bf16")
        every = embed("few", "all", "--chunks", "all")
        for vectors in (first, every):
            if isinstance(vectors, str):
                sys.exit(vectors)
        if isinstance(half, str) and "--precision" not in half:
            sys.exit(half)
        tokenizer = Tokenizer.from_file(f"{options.tokenizer}/tokenizer.json")
        texts, few = ([tokenizer.decode(window, skip_special_tokens=False) for window in windows_of(work / name)] for name in ("set", "few"))

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(os.cpu_count() or 1)
    model = SentenceTransformer(options.model, device="cpu")
    model.max_seq_length = 256
    filled = np.linalg.norm(first, axis=1) > 0
    assert len(texts) == len(filled) and len(few) == len(every), "the number of windows"
    theirs = model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    cosines = (first * theirs).sum(1)[filled]
    print(f"minilm: {len(cosines)} windows of {documents} documents ({int((~filled).sum())} without a piece), first 256 pieces: cosine at least "
          f"{cosines.min():.7f}, largest difference {np.abs(first - theirs)[filled].max():.1e}")
    right = len(cosines) > 0 and cosines.min() >= 0.9999
    whole = (every * part_means(model, few)).sum(1)[np.linalg.norm(every, axis=1) > 0]
    print(f"minilm: {len(whole)} windows, all chunks: cosine at least {whole.min():.7f}")
    right = right and whole.min() >= 0.9999
    if isinstance(half, str):
        print("minilm: no bfloat16 on this processor")
    else:
        rounded = (half * first).sum(1)[filled]
        print(f"minilm: bfloat16 to float32: cosine at least {rounded.min():.5f}, mean {rounded.mean():.6f}")
        right = right and rounded.min() >= 0.999
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
