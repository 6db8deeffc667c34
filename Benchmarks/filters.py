#!/usr/bin/env python3
"""Compare Weir's filters with datatrove's: read JSON Lines, apply FineWeb's filters (Gopher repetition, Gopher quality, C4 without its
terminal-punctuation rule, FineWeb), write JSON Lines. Same documents, two threads against two workers, in one run; the kept documents must be equal.

    python3 -m venv VENV && VENV/bin/pip install 'datatrove[processing]==0.10.1' spacy orjson
    VENV/bin/python Benchmarks/filters.py --weir .build/release/weir DOCUMENTS.jsonl.zst [--documents 10000] [--repeat 5]

datatrove takes minutes, so it runs once, on the first --documents documents. Weir runs --repeat times, the best counts, and once more on the whole file.
The documents are split into four files, because datatrove distributes files to workers. The second ratio subtracts its start-up (imports, first use of spaCy).
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

PEER = r"""
import sys, time
if __name__ == "__main__":
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    source, target, logs = sys.argv[1:4]
    LocalPipelineExecutor(
        pipeline=[
            JsonlReader(source), GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False),
            FineWebQualityFilter(), JsonlWriter(target, compression=None),
        ],
        tasks=2, workers=2, logging_dir=logs).run()
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--documents", type=int, default=10000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("path", type=pathlib.Path)
    options = parser.parse_args()

    def weir(*words):
        start = time.perf_counter()
        subprocess.run([options.weir, *map(str, words), "--quiet", "--threads", str(options.threads)], check=True, stdin=subprocess.DEVNULL)
        return time.perf_counter() - start

    def datatrove(source, target):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as logs:
            done = subprocess.run([sys.executable, folder / "peer.py", source, target, logs], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"datatrove failed: {done.stdout[-2000:]}")
        return time.perf_counter() - start

    def kept(paths):
        return {d["id"]: d["text"] for path in paths for d in map(json.loads, open(path, encoding="utf8"))}

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "peer.py").write_text(PEER)
        whole = folder / "all.jsonl"
        weir("read", options.path, "-o", whole)
        for name in ("some", "few"):
            (folder / name).mkdir()
        size = count = 0
        parts = [open(folder / "some" / f"{part}.jsonl", "w", encoding="utf8") for part in range(4)]
        few = [open(folder / "few" / f"{part}.jsonl", "w", encoding="utf8") for part in range(4)]
        for line in open(whole, encoding="utf8"):
            if count == options.documents:
                break
            text = json.loads(line)["text"]
            # Ids are not unique in concatenated files.
            row = json.dumps({"id": str(count), "text": text}, ensure_ascii=False) + "\n"
            parts[count % 4].write(row)
            if count < 4:
                few[count].write(row)
            size += len(text.encode())
            count += 1
        for file in (*parts, *few):
            file.close()
        start_up = datatrove(folder / "few", folder / "few-kept")
        theirs = datatrove(folder / "some", folder / "theirs")
        ours = min(weir("filter", *sorted((folder / "some").iterdir()), "-o", folder / "ours.jsonl") for _ in range(options.repeat))
        same = kept([folder / "ours.jsonl"]) == kept((folder / "theirs").iterdir())
        print(f"{count} documents, {size / 1e6:.1f} MB of text, kept documents {'are equal' if same else 'DIFFER'}")
        print(f"weir {ours:.3f} s ({size / 1e6 / ours:.0f} MB/s)   datatrove {theirs:.1f} s ({size / 1e6 / theirs:.2f} MB/s)   ratio {theirs / ours:.0f}; "
              f"{(theirs - start_up) / ours:.0f} without datatrove's start-up of {start_up:.1f} s")
        bytes_of_all = sum(len(json.loads(line)["text"].encode()) for line in open(whole, encoding="utf8"))
        for name, rules in (("all rules", ()), ("no rules", ("--rules", "none"))):
            seconds = min(weir("filter", whole, *rules, "-o", folder / "out.jsonl") for _ in range(min(3, options.repeat)))
            print(f"the whole file, {name}: {bytes_of_all / 1e6:.1f} MB of text in {seconds:.3f} s, {bytes_of_all / 1e6 / seconds:.0f} MB/s")


if __name__ == "__main__":
    main()
