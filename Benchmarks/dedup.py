#!/usr/bin/env python3
"""Compare Weir's deduplication with rensa, datatrove, Dolma and zstd on the same documents. The programs take turns in one run; the best time of
each counts, and the peak memory of its largest process.

    python3 -m venv VENV && VENV/bin/pip install rensa datatrove spacy nltk orjson xxhash fasttext-numpy2-wheel
    python3 -m venv DOLMA && DOLMA/bin/pip install dolma
    VENV/bin/python Benchmarks/dedup.py --weir .build/release/weir --dolma DOLMA/bin/dolma DOCUMENTS.jsonl.zst [fuzzy datatrove exact paragraphs decontaminate scale]

fuzzy          JSON Lines in and out, word 5-grams, 14 bands of 8 rows; rensa as a whole (reading, shingling in Python, writing), and its
               sketches and search alone
datatrove      its four stages, 2 workers, on the first --megabytes (20; 0 for all, which takes minutes)
exact          documents, .zst to .zst; Dolma reads .gz and writes attributes only; zstd -dc | zstd -1 -T2 is the floor
paragraphs     the same for paragraphs
decontaminate  against --heldout FILES; no peer
scale          1, 4 and 20 times the corpus, made by seeded edits of words, within --memory

Defaults: --repeat 3, --threads 2; for scale, --memory 512M, --copies 1 4 20. scale keeps its corpora in --work FOLDER.
Needs zstd, and for scale 20 GB of disk in TMPDIR.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

RENSA = r"""
import json, os, re, sys, time
os.environ["RAYON_NUM_THREADS"] = sys.argv[3]
import rensa
start = time.perf_counter()
lines = open(sys.argv[1], encoding="utf8").readlines()
texts = [json.loads(line)["text"] for line in lines]
pattern = re.compile(r"\W+")
def shingles(text, n=5):
    words = pattern.sub(" ", text.lower()).split()
    return list({" ".join(words[i:i + n]) for i in range(max(1, len(words) - n + 1))})
search, sketching, flags = rensa.RMinHashLSH(0.72, 112, 14), 0, []
for first in range(0, len(texts), 2000):
    sets = [shingles(text) for text in texts[first:first + 2000]]
    begin = time.perf_counter()
    matrix = rensa.RMinHash.digest_matrix_from_token_sets(sets, 112, 42)
    flags += search.insert_matrix_and_query_duplicate_flags(matrix, first)
    sketching += time.perf_counter() - begin
with open(sys.argv[2], "w", encoding="utf8") as out:
    out.writelines(line for line, flag in zip(lines, flags) if not flag)
print(json.dumps({"seconds": time.perf_counter() - start, "sketching": sketching}))
"""
DATATROVE = r"""
import json, os, subprocess, sys, time
os.environ["HF_HUB_OFFLINE"] = "1"
source, work, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(work + "/in")
subprocess.run(f"split -n l/4 -d -a 4 --additional-suffix=.jsonl {source} {work}/in/", shell=True, check=True)
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig
from loguru import logger
logger.remove()
config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5)
def run(tasks, *steps):
    LocalPipelineExecutor(list(steps), tasks=tasks, workers=workers, skip_completed=False, start_method="fork", logging_dir=work + "/logs/%f" % time.time()).run()
start = time.perf_counter()
run(4, JsonlReader(work + "/in"), MinhashDedupSignature(output_folder=work + "/signatures", config=config, language="eng"))
run(14, MinhashDedupBuckets(input_folder=work + "/signatures", output_folder=work + "/buckets", config=config))
run(1, MinhashDedupCluster(input_folder=work + "/buckets", output_folder=work + "/remove", config=config))
run(4, JsonlReader(work + "/in"), MinhashDedupFilter(input_folder=work + "/remove"), JsonlWriter(work + "/out"))
print(json.dumps({"seconds": time.perf_counter() - start}))
"""
GROW = r"""
import json, random, re, subprocess, sys
source, target, copies, part = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
draw = random.Random(part)
writer = subprocess.Popen(["zstd", "-q", "-1", "-f", "-o", target], stdin=subprocess.PIPE)
pool = []
for number, line in enumerate(open(source, encoding="utf8")):
    document = json.loads(line)
    words = document["text"].split(" ")
    if len(pool) < 200000:
        pool += words
    for copy in range(part, copies, 2):
        edited = words
        if copy:
            # Copies range from one or two different words to almost no shingle in common.
            edits = 1 + int(len(words) * draw.choice((0, 0.02, 0.1, 0.5)))
            edited = list(words)
            for _ in range(edits):
                edited[draw.randrange(len(words))] = draw.choice(pool)
        document["text"], document["id"] = " ".join(edited), f"{number}-{copy}"
        writer.stdin.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
writer.stdin.close()
sys.exit(writer.wait())
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--dolma", default="dolma")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--memory", default="512M")
    parser.add_argument("--work")
    parser.add_argument("--stages", nargs="*", default=["fuzzy", "exact", "paragraphs"])
    parser.add_argument("--copies", type=int, nargs="*", default=[1, 4, 20])
    parser.add_argument("--heldout", nargs="*", default=[])
    parser.add_argument("documents", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["fuzzy", "exact", "paragraphs", "datatrove"])
    options = parser.parse_intermixed_args()
    source, threads = options.documents.resolve(), str(options.threads)

    def run(*command, shell=False):
        """Seconds, peak megabytes of the largest process, standard output."""
        start = time.perf_counter()
        # A shell waits for the whole pipe, so that its largest child counts.
        process = subprocess.Popen(["bash", "-c", command[0]] if shell else list(map(str, command)), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        errors = []
        drain = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        drain.start()
        out = process.stdout.read()
        drain.join()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{command[0]}: failed\n{errors[0].decode()[-2000:]}")
        return time.perf_counter() - start, usage.ru_maxrss / 1024, out

    def weir(*words):
        return run(options.weir, *words, "--quiet", "--threads", threads)

    def turns(ours, peers, repeat=options.repeat):
        """Run all programs in turn; the best of each as {name: (seconds, megabytes)}."""
        best = {}
        for _ in range(repeat):
            for name, action in {"weir": ours, **peers}.items():
                for key, seconds, memory in action(name):
                    best[key] = min(best.get(key, (seconds, memory)), (seconds, memory))
        return best

    def show(work, best, floors=()):
        seconds, memory = best["weir"]
        for name, (theirs, their_memory) in best.items():
            if name != "weir":
                ratio = theirs / seconds
                print(f"{work:34} weir {seconds:7.2f} s {memory:6.0f} MB   {name:28} {theirs:7.2f} s {their_memory:6.0f} MB   "
                      f"speed {ratio:7.2f}", flush=True)
        if len(best) == 1:
            print(f"{work:34} weir {seconds:7.2f} s {memory:6.0f} MB", flush=True)

    def plain(*command):
        return lambda name: [(name, *command[0](*command[1:])[:2])]

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        lines = folder / "all.jsonl"
        subprocess.run(["zstd", "-qd", "--long=31", str(source), "-o", str(lines)], check=True)

        def python(script, *words):
            _, memory, out = run(sys.executable, "-c", script, *words)
            return json.loads(out.decode().splitlines()[-1]), memory

        if "fuzzy" in options.what:
            def rensa(name):
                result, memory = python(RENSA, lines, folder / "rensa.jsonl", threads)
                return [("rensa, whole", result["seconds"], memory), ("rensa, sketches and search", result["sketching"], memory)]
            best = turns(plain(weir, "dedup", "--fuzzy", lines, "-o", folder / "fuzzy.jsonl"), {})
            best.update(turns(lambda name: [], {"rensa": rensa}, 1))
            show("fuzzy, JSON Lines to JSON Lines", best)
        if "datatrove" in options.what:
            part = folder / "part.jsonl"
            with open(lines, "rb") as source_lines, open(part, "wb") as out:
                for line in source_lines:
                    out.write(line)
                    if options.megabytes and out.tell() >= options.megabytes * 1e6:
                        break
            size = part.stat().st_size / 1e6

            def datatrove(name):
                result, memory = python(DATATROVE, part, folder / "datatrove", threads)
                return [("datatrove, four stages", result["seconds"], memory)]
            best = turns(plain(weir, "dedup", "--fuzzy", part, "-o", folder / "fuzzy.jsonl"), {})
            best.update(turns(lambda name: [], {"datatrove": datatrove}, 1))
            show(f"fuzzy, {size:.0f} MB", best)
        for what, flags in (("exact", "--exact"), ("paragraphs", "--paragraphs")):
            if what not in options.what:
                continue
            kind = "documents" if what == "exact" else what
            work = folder / "dolma"
            if not work.exists():
                (work / "documents").mkdir(parents=True)
                subprocess.run(f"split -n l/4 -d -a 1 --additional-suffix=.jsonl {lines} {work}/documents/ && gzip -1 {work}/documents/*.jsonl",
                               shell=True, check=True)

            def dolma(name):
                subprocess.run(f"rm -rf {work}/bloom {work}/attributes", shell=True, check=True)
                key = "--dedupe.documents.key $.text" if kind == "documents" else ""
                return plain(run, *(f"{options.dolma} dedupe --documents {work}/documents/*.jsonl.gz --dedupe.name {kind} --dedupe.{kind}.attribute_name dup {key} "
                                    f"--bloom_filter.file {work}/bloom --no-bloom_filter.read_only --bloom_filter.estimated_doc_count 5000000 "
                                    f"--bloom_filter.desired_false_positive_rate 0.0001 --processes {threads}").split())(name)

            def pipe(name):
                seconds, memory, _ = run(f"set -o pipefail; zstd -qdc --long=31 {source} | zstd -qf -1 -T{threads} -o {folder}/pipe.zst", shell=True)
                return [(name, seconds, memory)]

            def stream(name):
                seconds, memory, _ = run(f"{options.weir} dedup {flags} {source} --quiet --threads {threads} > {folder}/stream.zst", shell=True)
                return [(name, seconds, memory)]
            best = turns(stream, {"dolma, .gz to attributes": dolma, f"zstd -dc | zstd -1 -T{threads}": pipe,
                                  "weir, to a file at level 3": plain(weir, "dedup", flags, source, "-o", folder / "exact.jsonl.zst")})
            show(f"{what}, .zst to .zst at level 1", best)
        if "decontaminate" in options.what:
            best = turns(plain(weir, "decontaminate", lines, "--against", *options.heldout, "-o", folder / "clean.jsonl"),
                         {"weir read": plain(weir, "read", lines, "-o", folder / "clean.jsonl")})
            show("decontaminate, JSON Lines", best)
        if "scale" in options.what:
            first = {}
            work = pathlib.Path(options.work or folder)
            work.mkdir(exist_ok=True)
            for copies in options.copies:
                grown = [work / f"grown-{copies}-{part}.jsonl.zst" for part in range(2)]
                makers = [subprocess.Popen([sys.executable, "-c", GROW, lines, path, str(copies), str(part)])
                          for part, path in enumerate(grown) if not path.exists()]
                if any([maker.wait() for maker in makers]):
                    sys.exit("scale: the corpus could not be made")
                for flag in options.stages:
                    seconds, memory, out = weir("dedup", f"--{flag}", "--memory", options.memory, *grown, "-o", work / "out.jsonl.zst", "--json")
                    account = json.loads(out)["accounts"][-1]
                    each = seconds / account["input"] * 1e6
                    first.setdefault(flag, each)
                    print(f"{copies:3} × {flag:10} {account['input']:9,} documents, {account['bytesIn'] / 1e6:6,.0f} MB, {account['output']:9,} kept: "
                          f"{seconds:7.2f} s, {each:5.1f} µs per document, {each / first[flag]:4.2f} × the first; peak {memory:5.0f} MB "
                          f"with --memory {options.memory}", flush=True)
                    (work / "out.jsonl.zst").unlink()
                if not options.work:
                    for path in grown:
                        path.unlink()


if __name__ == "__main__":
    main()
