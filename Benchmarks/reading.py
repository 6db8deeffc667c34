#!/usr/bin/env python3
"""Measure reading and writing documents without any work on them, compared with simdjson and, if installed, orjson, pysimdjson and datatrove; and the
cost of a stage in a process of its own, connected by a stream with its proof. The programs take turns in one run, and the best time of each counts.

    python3 -m venv VENV && VENV/bin/pip install orjson pysimdjson datatrove
    VENV/bin/python Benchmarks/reading.py --weir .build/release/weir DOCUMENTS.jsonl.zst [parse stream]

Options: --times 4 (copies of the documents), --repeat 5, --folder FOLDER (for the files; should be fast). Needs zstd, a C++ compiler and simdjson.
Weir reads a file and writes to /dev/null, so that no disk is measured; simdjson only walks what is in memory.
"""
import argparse
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

PEERS = {
    "orjson, parse and dump": "import orjson, sys\nout = open('/dev/null', 'wb')\nfor line in open(sys.argv[1], 'rb'): out.write(orjson.dumps(orjson.loads(line)) + b'\\n')",
    "pysimdjson, text only": "import simdjson, sys\np = simdjson.Parser()\nfor line in open(sys.argv[1], 'rb'):\n  d = p.parse(line); d['text']; del d",
    "datatrove JsonlReader": "from datatrove.pipeline.readers import JsonlReader\nimport os, sys\n"
                             "for d in JsonlReader(os.path.dirname(sys.argv[1]), glob_pattern=os.path.basename(sys.argv[1])).run(): pass",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--folder")
    parser.add_argument("documents", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["parse", "stream"])
    options = parser.parse_args()
    source = pathlib.Path(__file__).parent / "simdjson.cpp"

    def seconds(line):
        start = time.perf_counter()
        done = subprocess.run(["bash", "-c", "set -o pipefail; " + line], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit(f"{line}: {done.stderr.decode()}")
        return time.perf_counter() - start

    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        one, many, simdjson = folder / "one.jsonl", folder / "many.jsonl", folder / "simdjson"
        subprocess.run(["zstd", "-qdf", "--long=31", str(options.documents), "-o", str(one)], check=True)
        subprocess.run(["bash", "-c", f"for i in $(seq {options.times}); do cat {one}; done > {many}"], check=True)
        size = many.stat().st_size
        weir = shlex.quote(options.weir)

        if "parse" in options.what:
            subprocess.run(["c++", "-O3", "-std=c++17", str(source), "-o", str(simdjson), "-lsimdjson"], check=True)
            best = {}
            for _ in range(options.repeat):
                done = subprocess.run([str(simdjson), str(many), "1"], check=True, stdout=subprocess.PIPE)
                best.setdefault("simdjson", []).append(float(done.stdout.split()[0]))
                for threads in (1, 2):
                    best.setdefault(f"weir, {threads} thread(s)", []).append(seconds(f"{weir} read {many} --plain --quiet --threads {threads}"))
            for name, code in PEERS.items():
                done = subprocess.run([sys.executable, "-c", code.splitlines()[0]], stderr=subprocess.DEVNULL)
                if done.returncode == 0:
                    best[name] = [seconds(shlex.join([sys.executable, "-c", code, str(one)])) * options.times]
            floor = min(best["simdjson"])
            for name, times in best.items():
                print(f"parse and write  {name:24} {size / min(times) / 1e6:8.0f} MB/s   {floor / min(times):5.2f} × simdjson, 1 thread", flush=True)

        if "stream" in options.what:
            # The difference between one process and two with a stream between them is the cost of the stream.
            run = {
                "filter, from a file": f"{weir} filter {one} --rules length --plain --quiet",
                "read | filter": f"{weir} read {one} --quiet | {weir} filter --rules length --plain --quiet",
                "read --plain | filter": f"{weir} read {one} --plain --quiet | {weir} filter --rules length --plain --quiet",
                "dedup, from a file": f"{weir} dedup --exact {one} --plain --quiet",
                "read | filter | dedup": f"{weir} read {one} --quiet | {weir} filter --rules length --quiet | {weir} dedup --exact --plain --quiet",
                "all gopher rules, from a file": f"{weir} filter {one} --rules gopher --plain --quiet",
                "read | all gopher rules": f"{weir} read {one} --quiet | {weir} filter --rules gopher --plain --quiet",
            }
            best = {name: [] for name in run}
            for _ in range(options.repeat):
                for name, line in run.items():
                    best[name].append(seconds(line))
            for name, times in best.items():
                print(f"stream           {name:32} {min(times):6.2f} s", flush=True)


if __name__ == "__main__":
    main()
