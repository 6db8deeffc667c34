#!/usr/bin/env python3
"""Compares Weir's tokenizer with Hugging Face's `tokenizers` and with tiktoken: merges trained on the same documents, and the tokens of those
documents and of hard text, with the new tokenizers, with those of `--shipped`, with tiktoken ranks, and with a WordPiece vocabulary.

    Tests/Parity/tokenizer.py --weir .build/release/weir corpora/sample/docs-*.jsonl.zst

`--ranks` names files of ranks, such as gpt2.tiktoken and multilingual.tiktoken of PyPI's openai-whisper.
"""
import argparse
import base64
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import tiktoken
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

GPT2 = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
PARTS = [
    " ", "  ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u2003", "\u3000", "\u0085", "\u2028", "\x0b", "\u200b", "\x1c", "a", "Hello",
    "'s", "'S", "'ll", "'LL", "'Ve", "'re", "'t", "'m", "'d", "'\u017f", "'", "''", "’s", "1", "12", "1234567", "½", "Ⅷ", "٣٤", "²",
    "é", "e\u0301", "\u0301", "ß", "ǅ", "ʰ", "中文", "한국어", "שלום", "مرحبا", "हिन्दी", "ไทย", "😀", "👨\u200d👩\u200d👧", "🇩🇪", "🏽",
    "!", "...", "--", "#$%", "_", "\x7f", "\x00", "\ufeff", "\ue000", "\U0010fffd", "𝒳", "𝟘", "\U0001e900", "x", "The", " the", "ing",
]


def hard_text(path, count):
    draw = random.Random(5)
    with open(path, "w", encoding="utf8") as file:
        for index in range(count):
            if index % 2:
                bound = draw.choice([0x80, 0x800, 0x10000, 0x32000, 0x110000])
                text = "".join(chr(c) for c in (draw.randrange(bound) for _ in range(60)) if not 0xD800 <= c < 0xE000)
            else:
                text = "".join(draw.choice(PARTS) for _ in range(draw.randint(1, 60)))
            file.write(json.dumps({"id": f"hard-{index}", "text": text}) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weir", required=True)
    arguments.add_argument("--vocabulary", type=int, default=4096)
    arguments.add_argument("--min-frequency", type=int, default=2)
    arguments.add_argument("--pretokenizer", nargs="+", default=["gpt2", "cl100k", "llama3", "qwen2"])
    arguments.add_argument("--shipped", nargs="*", default=[], type=pathlib.Path)
    arguments.add_argument("--ranks", nargs="*", default=[], type=pathlib.Path)
    arguments.add_argument("--wordpiece", type=int, default=8000, help="size of the WordPiece vocabulary, 0 for none")
    arguments.add_argument("paths", nargs="+")
    options = arguments.parse_args()

    def weir(*words):
        return subprocess.run([options.weir, *map(str, words)], check=True, stdout=subprocess.PIPE).stdout

    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        hard = folder / "hard.jsonl"
        hard_text(hard, 4000)
        plain = folder / "documents.jsonl"
        plain.write_bytes(weir("read", *options.paths, "--plain"))
        def texts():
            for line in open(plain, encoding="utf8"):
                yield json.loads(line)["text"]

        def compare(name, words, encode):
            """Whether any file has a document that the two encode differently. `encode`: texts to lists of ids."""
            failed = False
            for path in (hard, plain):
                ours = subprocess.Popen([options.weir, *map(str, words(path))], stdout=subprocess.PIPE, text=True, encoding="utf8")
                documents = size = total = 0
                different = []
                rows = open(path, encoding="utf8")
                while batch := [json.loads(row) for _, row in zip(range(1000), rows)]:
                    for document, ids in zip(batch, encode([document["text"] for document in batch])):
                        row = ours.stdout.readline()
                        documents += 1
                        size += len(document["text"].encode())
                        total += len(ids)
                        if not row or json.loads(row) != {"id": document["id"], "tokens": ids}:
                            different.append(document["id"])
                failed |= bool(different) or bool(ours.stdout.readline()) or ours.wait() != 0
                print(f"{name}: {path.name}: {documents} documents, {size / 1e6:.1f} MB, {total} tokens, {len(different)} documents differ {different[:3]}",
                      flush=True)
            return failed

        def huggingface(loaded):
            return lambda batch: [e.ids for e in loaded.encode_batch_fast(batch)]

        def tokenize(ours):
            return lambda path: ("tokenize", path, "--tokenizer", ours, "--plain", "--quiet")

        for kind in options.pretokenizer:
            ours = folder / kind
            weir("tokenizer", "train", plain, "-o", ours, "--vocabulary", options.vocabulary, "--pretokenizer", kind,
                 "--min-frequency", options.min_frequency, "--special", "<|endoftext|>", "--quiet")
            loaded = Tokenizer.from_file(str(ours / "tokenizer.json"))
            theirs = Tokenizer(models.BPE())
            theirs.pre_tokenizer = loaded.pre_tokenizer
            theirs.train_from_iterator(texts(), trainers.BpeTrainer(
                vocab_size=options.vocabulary, min_frequency=options.min_frequency, special_tokens=["<|endoftext|>"],
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
            a = json.loads(loaded.to_str())["model"]
            b = json.loads(theirs.to_str())["model"]
            same = a["merges"] == b["merges"] and a["vocab"] == b["vocab"]
            failures += not same
            print(f"{kind}: {len(a['merges'])} merges {'equal' if same else 'DIFFER'}")
            failures += compare(kind, tokenize(ours), huggingface(loaded))
        for ours in options.shipped:
            loaded = Tokenizer.from_file(str(ours / "tokenizer.json"))
            failures += compare(ours.name, tokenize(ours), huggingface(loaded))
        for ranks in options.ranks:
            ours = folder / ranks.name
            weir("tokenizer", "convert", ranks, "-o", ours, "--pretokenizer", "gpt2", "--quiet")
            theirs = tiktoken.Encoding(
                ranks.stem, pat_str=GPT2, special_tokens={},
                mergeable_ranks={base64.b64decode(token): int(rank) for token, rank in map(str.split, open(ranks))})
            failures += compare(f"{ranks.stem}, tiktoken", tokenize(ours), theirs.encode_ordinary_batch)
        if options.wordpiece:
            theirs = Tokenizer(models.WordPiece(unk_token="[UNK]"))
            theirs.normalizer = normalizers.BertNormalizer()
            theirs.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            theirs.train_from_iterator(texts(), trainers.WordPieceTrainer(
                vocab_size=options.wordpiece, special_tokens=["[UNK]"], show_progress=False))
            file = folder / "wordpiece.json"
            theirs.save(str(file))
            # As text, not as a token that is found before everything else.
            bare = json.loads(file.read_text())
            bare["added_tokens"] = []
            theirs = Tokenizer.from_str(json.dumps(bare))
            failures += compare("WordPiece", lambda path: ("tokenizer", "wordpiece", file, path, "--quiet"), huggingface(theirs))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
