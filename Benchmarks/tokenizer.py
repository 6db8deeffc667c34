#!/usr/bin/env python3
"""Compare Weir's tokenizer with gigatoken, tiktoken, fastokens and Hugging Face tokenizers: same vocabulary, same documents, equal token counts.
The programs take turns in one run, and the best time of each counts.

    python3 -m venv VENV && VENV/bin/pip install gigatoken tiktoken tokenizers fastokens awkward numpy 'datatrove[io,processing]' zstandard
    VENV/bin/python Benchmarks/tokenizer.py --weir .build/release/weir DOCUMENTS.jsonl.zst [encode dataset stages train load word]

Options: --tokenizer FOLDER (tokenizer/bpe16k), --megabytes 50 (of documents to encode), --train-megabytes 100, --repeat 5, --skip PEER….
Needs zstd. Prints one line per measurement; the ratio is Weir's speed divided by the peer's.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

GPT2 = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
PEER = r"""
import json, os, sys, time
peer, threads, tokenizer, path = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.environ["RAYON_NUM_THREADS"] = str(threads)
os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
if threads == 1:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
if peer == "train":
    import gigatoken
    start = time.perf_counter()
    gigatoken.train_bpe(path, int(tokenizer), ["<|endoftext|>"])
    print(json.dumps({"seconds": time.perf_counter() - start}))
    sys.exit()
texts = [json.loads(line)["text"] for line in open(path, encoding="utf8")]
size = sum(len(text.encode()) for text in texts)
if peer == "gigatoken":
    import awkward, gigatoken
    load = time.perf_counter(); t = gigatoken.Tokenizer(tokenizer); load = time.perf_counter() - load
    encode = lambda: t.encode_batch(texts, parallel=threads > 1)
    count = lambda r: int(awkward.sum(awkward.num(r)))
elif peer == "tiktoken":
    import tiktoken
    pattern = sys.argv[5]
    vocabulary = json.load(open(tokenizer))["model"]["vocab"]
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256)); names = list(plain)
    for byte in range(256):
        if byte not in plain: plain.append(byte); names.append(256 + len(plain) - 189)
    of = dict(zip(map(chr, names), plain))
    ranks = {bytes(of[c] for c in name): i for name, i in vocabulary.items() if name != "<|endoftext|>"}
    load = time.perf_counter(); t = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 0})
    load = time.perf_counter() - load
    encode = lambda: t.encode_ordinary_batch(texts, num_threads=threads)
    count = lambda r: sum(map(len, r))
elif peer == "fastokens":
    import fastokens
    load = time.perf_counter(); t = fastokens.Tokenizer.from_json_str(open(tokenizer).read()); load = time.perf_counter() - load
    encode = lambda: t.encode_batch(texts)
    count = lambda r: sum(len(x if isinstance(x, list) else getattr(x, "ids", x)) for x in r)
elif peer == "tokenizers":
    import tokenizers
    load = time.perf_counter(); t = tokenizers.Tokenizer.from_file(tokenizer); load = time.perf_counter() - load
    encode = lambda: t.encode_batch_fast(texts)
    count = lambda r: sum(len(x.ids) for x in r)
speeds = []
for _ in range(int(sys.argv[6])):
    start = time.perf_counter(); result = encode(); speeds.append(size / 1e6 / (time.perf_counter() - start))
print(json.dumps({"first": speeds[0], "best": max(speeds), "tokens": count(result), "load": load}))
"""
CHAIN = r"""
import gigatoken, awkward, numpy, subprocess, sys
subprocess.run(["zstd", "-qdf", "--long=31", sys.argv[1], "-o", sys.argv[2]], check=True)
result = gigatoken.Tokenizer(sys.argv[3]).encode_files(gigatoken.JsonlFileSource([sys.argv[2]]), parallel=True)
awkward.to_numpy(awkward.flatten(result)).astype(numpy.uint16).tofile(sys.argv[4])
"""
DATATROVE = r"""
import sys, time
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.tokens import DocumentTokenizer
from loguru import logger
logger.remove()
folder, tokenizer = sys.argv[1:]
steps = [JsonlReader(folder + "/in", compression="zstd", glob_pattern="*.zst"),
         DocumentTokenizer(output_folder=folder + "/out", tokenizer_name_or_path=tokenizer, shuffle_documents=False, eos_token="<|endoftext|>")]
start = time.perf_counter()
LocalPipelineExecutor(steps, tasks=2, workers=2, start_method="fork", skip_completed=False, logging_dir=folder + "/log").run()
print(time.perf_counter() - start)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--tokenizer", default="tokenizer/bpe16k", type=pathlib.Path)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--train-megabytes", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--skip", nargs="*", default=[])
    parser.add_argument("documents", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["encode", "dataset", "stages", "train", "load", "word"])
    options = parser.parse_args()
    file = options.tokenizer / "tokenizer.json"

    def weir(*words):
        start = time.perf_counter()
        done = subprocess.run([options.weir, *map(str, words)], check=True, stdout=subprocess.PIPE)
        return time.perf_counter() - start, done.stdout

    def split(part):
        """The pre-tokenizer's pattern, if it is not GPT-2's."""
        steps = [part, *(part or {}).get("pretokenizers", [])]
        return next((step["pattern"]["Regex"] for step in steps if step and step["type"] == "Split"), GPT2)

    pattern = split(json.loads(file.read_text())["pre_tokenizer"])

    def peer(name, threads, tokenizer, path, repeat=1):
        done = subprocess.run([sys.executable, "-c", PEER, name, str(threads), str(tokenizer), str(path), pattern, str(repeat)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            return None
        return json.loads(done.stdout.decode().splitlines()[-1])

    def line(work, name, ours, theirs, unit):
        print(f"{work:28} weir {ours:9.2f} {unit}   {name:12} {theirs:9.2f} {unit}   ratio {ours / theirs if unit == 'MB/s' else theirs / ours:6.2f}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        part, train, text = folder / "part.jsonl", folder / "train.jsonl", folder / "train.txt"
        documents = subprocess.Popen(["zstd", "-qdc", "--long=31", str(options.documents)], stdout=subprocess.PIPE)
        size = 0
        with open(part, "wb") as a, open(train, "wb") as b, open(text, "w", encoding="utf8") as c:
            for row in documents.stdout:
                content = json.loads(row)["text"]
                if size < options.megabytes * 1e6:
                    a.write(row)
                if size < options.train_megabytes * 1e6:
                    b.write(row)
                    c.write(content + "\n")
                size += len(content.encode())
        peers = [p for p in ("gigatoken", "fastokens", "tiktoken", "tokenizers") if p not in options.skip]

        if "encode" in options.what or "load" in options.what:
            for threads in (1, 2):
                best, first, tokens = {}, {}, {}
                for turn in range(options.repeat):
                    _, out = weir("tokenizer", "info", options.tokenizer, part, "--repeat", 3, "--threads", threads, "--json", "--quiet")
                    speed = json.loads(out)["speed"]
                    results = {"weir": {**speed, "load": 0}}
                    for name in peers:
                        slow = name in ("tokenizers", "tiktoken")
                        if slow and turn > 0:
                            continue
                        results[name] = peer(name, threads, file, part, repeat=1 if slow else 3)
                    for name, result in results.items():
                        if result:
                            best[name] = max(best.get(name, 0), result["best"])
                            first[name] = max(first.get(name, 0), result["first"])
                            tokens[name] = result["tokens"]
                for name in peers:
                    if name in best:
                        line(f"encode, {threads} thread(s)", name, best["weir"], best[name], "MB/s")
                        line(f"encode, {threads} thread(s), cold", name, first["weir"], first[name], "MB/s")
                        if tokens[name] != tokens["weir"]:
                            print(f"  TOKENS DIFFER: weir {tokens['weir']}, {name} {tokens[name]}")
        if "load" in options.what:
            code = "import sys,time,%s; s=time.perf_counter(); %s; print(time.perf_counter()-s)"
            ours = [weir("tokenizer", "info", options.tokenizer, "--repeat", 1, "--json", "--quiet") for _ in range(options.repeat)]
            theirs = min(float(subprocess.run([sys.executable, "-c", code % ("tokenizers", f"tokenizers.Tokenizer.from_file({str(file)!r})")],
                                              check=True, stdout=subprocess.PIPE).stdout) for _ in range(options.repeat))
            line("load", "tokenizers", min(json.loads(out)["load_milliseconds"] for _, out in ours), 1000 * theirs, "ms")
            line("load (weir, whole process)", "tokenizers", 1000 * min(seconds for seconds, _ in ours), 1000 * theirs, "ms")
        if "dataset" in options.what:
            ours, theirs = [], []
            for turn in range(options.repeat):
                out = folder / "set"
                ours.append(weir("tokenize", options.documents, "--tokenizer", options.tokenizer, "--shards", out, "--quiet")[0])
                subprocess.run(["rm", "-rf", str(out)], check=True)
                start = time.perf_counter()
                done = subprocess.run([sys.executable, "-c", CHAIN, str(options.documents), str(folder / "all.jsonl"), str(file),
                                       str(folder / "all.bin")], stderr=subprocess.PIPE)
                if done.returncode == 0:
                    theirs.append(time.perf_counter() - start)
            line("jsonl.zst to dataset", "gigatoken", size / 1e6 / min(ours), size / 1e6 / min(theirs) if theirs else float("nan"), "MB/s")
            # datatrove on the first part only: it takes a quarter of a second per megabyte.
            if "datatrove" not in options.skip:
                (folder / "dt/in").mkdir(parents=True)
                megabytes = sum(len(json.loads(row)["text"].encode()) for row in open(part, encoding="utf8")) / 1e6
                subprocess.run(["split", "-n", "r/2", "--additional-suffix=.jsonl", str(part), f"{folder}/dt/in/"], check=True)
                subprocess.run(["zstd", "-q", "--rm", *map(str, (folder / "dt/in").iterdir())], check=True)
                done = subprocess.run([sys.executable, "-c", DATATROVE, str(folder / "dt"), str(file.resolve())], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                if done.returncode == 0:
                    line("jsonl.zst to dataset", "datatrove", size / 1e6 / min(ours), megabytes / float(done.stdout.split()[-1]), "MB/s")
                else:
                    print(done.stderr.decode().splitlines()[-1:], file=sys.stderr)
        if "stages" in options.what:
            # The stages from documents to a dataset, each alone, with the files in the page cache.
            plain = folder / "all.plain.jsonl"
            subprocess.run(["zstd", "-qdf", "--long=31", str(options.documents), "-o", str(plain)], check=True)
            def least(*words, source=None):
                times = []
                for turn in range(options.repeat):
                    start = time.perf_counter()
                    subprocess.run(list(map(str, words)), check=True, stdin=source and open(source, "rb"), stdout=subprocess.DEVNULL)
                    times.append(time.perf_counter() - start)
                    subprocess.run(["rm", "-rf", str(folder / "set")], check=True)
                return min(times)
            tokens = folder / "tokens"
            with open(tokens, "wb") as stream:
                subprocess.run([options.weir, "tokenize", plain, "--tokenizer", options.tokenizer, "--quiet"], check=True, stdout=stream)
            _, out = weir("tokenizer", "info", options.tokenizer, plain, "--repeat", 1, "--threads", 2, "--json", "--quiet")
            stages = {
                "zstd -d": least("zstd", "-qdc", "--long=31", options.documents),
                "read": least(options.weir, "read", plain, "--quiet"),
                "encode, in memory, cold": size / 1e6 / json.loads(out)["speed"]["first"],
                "shard": least(options.weir, "shard", folder / "set", "--quiet", source=tokens),
                "all": least(options.weir, "tokenize", options.documents, "--tokenizer", options.tokenizer, "--shards", folder / "set", "--quiet"),
            }
            for name, seconds in stages.items():
                print(f"stage {name:24} {seconds:6.2f} s  {size / 1e6 / seconds:8.1f} MB/s", flush=True)
        if "train" in options.what:
            ours, theirs = [], []
            for turn in range(min(3, options.repeat)):
                ours.append(weir("tokenizer", "train", train, "-o", folder / "bpe", "--vocabulary", 16384, "--pretokenizer", "gpt2", "--quiet")[0])
                result = peer("train", 2, 16384, text)
                if result:
                    theirs.append(result["seconds"])
            line(f"train {options.train_megabytes} MB, 16,384", "gigatoken", min(ours), min(theirs) if theirs else float("nan"), "s")
        if "word" in options.what:
            import random
            draw = random.Random(1)
            word = folder / "word.jsonl"
            letters = "etaoinshrdlucmfwypvbgkjqxz"
            kinds = (("random letters", lambda n: "".join(draw.choices(letters, k=n))), ("one letter", lambda n: "a" * n))
            _, out = weir("tokenizer", "info", options.tokenizer, part, "--repeat", 1, "--threads", 1, "--json", "--quiet")
            ordinary = json.loads(out)["speed"]["first"]
            for name, make in kinds:
                rates = []
                for megabytes in (1, 10, 100):
                    word.write_text(json.dumps({"text": make(megabytes * 1000000)}) + "\n")
                    _, out = weir("tokenizer", "info", options.tokenizer, word, "--repeat", 1, "--threads", 1, "--json", "--quiet")
                    rates.append(json.loads(out)["speed"]["first"])
                print(f"one word of {name}: 1 MB at {rates[0]:.1f} MB/s, 10 MB at {rates[1]:.1f}, 100 MB at {rates[2]:.1f}; ordinary text, empty cache: {ordinary:.1f}")


if __name__ == "__main__":
    main()
