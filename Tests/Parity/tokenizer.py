#!/usr/bin/env python3
"""Compares Weir's tokenizer with Hugging Face's `tokenizers` (pip install tokenizers): merges trained on the same documents,
and the tokens of those documents and of hard text, with the new tokenizers and with those of `--shipped`.

    Tests/Parity/tokenizer.py --weir .build/release/weir corpora/sample/docs-*.jsonl.zst
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

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
        texts = [json.loads(line)["text"] for line in open(plain, encoding="utf8")]

        def compare(name, ours, loaded):
            """Whether any file has a document that the two encode differently."""
            failed = False
            for path in (hard, plain):
                documents = [json.loads(line) for line in open(path, encoding="utf8")]
                lines = weir("tokenize", path, "--tokenizer", ours, "--plain", "--quiet").decode().splitlines()
                tokens = {line["id"]: line["tokens"] for line in map(json.loads, lines)}
                different = [d["id"] for d in documents if tokens.get(d["id"]) != loaded.encode(d["text"]).ids]
                failed |= bool(different)
                total = sum(map(len, tokens.values()))
                print(f"{name}: {path.name}: {len(documents)} documents, {total} tokens, {len(different)} documents differ {different[:3]}")
            return failed

        for kind in options.pretokenizer:
            ours = folder / kind
            weir("tokenizer", "train", plain, "-o", ours, "--vocabulary", options.vocabulary, "--pretokenizer", kind,
                 "--min-frequency", options.min_frequency, "--special", "<|endoftext|>", "--quiet")
            loaded = Tokenizer.from_file(str(ours / "tokenizer.json"))
            theirs = Tokenizer(models.BPE())
            theirs.pre_tokenizer = loaded.pre_tokenizer
            theirs.train_from_iterator(texts, trainers.BpeTrainer(
                vocab_size=options.vocabulary, min_frequency=options.min_frequency, special_tokens=["<|endoftext|>"],
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
            a = json.loads(loaded.to_str())["model"]
            b = json.loads(theirs.to_str())["model"]
            same = a["merges"] == b["merges"] and a["vocab"] == b["vocab"]
            failures += not same
            print(f"{kind}: {len(a['merges'])} merges {'equal' if same else 'DIFFER'}")
            failures += compare(kind, ours, loaded)
        for ours in options.shipped:
            failures += compare(ours.name, ours, Tokenizer.from_file(str(ours / "tokenizer.json")))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
