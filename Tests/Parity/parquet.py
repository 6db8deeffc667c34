#!/usr/bin/env python3
"""Check Parquet files written by DuckDB: the same documents, in order, every column a member; a damaged file is an error, and so is a missing
program. And those that `weir export` writes through it: DuckDB and `weir read` find the documents of the dataset in them.

    Tests/Parity/parquet.py --weir .build/release/weir documents.jsonl --tokenizer tokenizer/bpe4k
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import duckdb


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weir", required=True)
    arguments.add_argument("documents", type=pathlib.Path)
    arguments.add_argument("--tokenizer", required=True)
    options = arguments.parse_args()
    program = str(pathlib.Path(sys.executable).parent)  # where duckdb-cli put the program

    def weir(path, *words, programs=program + ":" + os.environ["PATH"]):
        environment = {**os.environ, "PATH": programs}
        return subprocess.run([options.weir, "read", str(path), "--quiet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "it's.parquet"
        rows = [json.loads(line) for line in options.documents.open("rb")]
        duckdb.sql(
            f"COPY (SELECT id, text, source, metadata, [1, NULL, 3] AS list, 0.5 AS share, NULL::VARCHAR AS nothing FROM "
            f"read_json('{options.documents}', format = 'newline_delimited', maximum_object_size = 100000000)) "
            f"TO '{str(path).replace(chr(39), 2 * chr(39))}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
        done = weir(path, "--plain")
        assert done.returncode == 0, done.stderr.decode()
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(found) == len(rows), f"{len(found)} of {len(rows)} documents"
        for number, (one, other) in enumerate(zip(found, rows)):
            for name in ("id", "text", "source", "metadata"):
                assert one.get(name) == other.get(name), f"row {number}: {name} is {one.get(name)!r}, not {other.get(name)!r}"
            assert one["list"] == [1, None, 3] and one["share"] == 0.5 and one["origin"] == f"{path}:{number + 1}", one
            assert "nothing" not in one, one
        out = pathlib.Path(folder) / "out.jsonl"
        content = path.read_bytes()
        for name, damaged in (("cut", content[: len(content) // 2]), ("changed", content[:4] + bytes(2000) + content[2004:])):
            path.write_bytes(damaged)
            done = weir(path, "-o", str(out))
            message = done.stderr.decode()
            assert done.returncode == 1 and message.startswith(f"weir: {path}: duckdb cannot read the file") and message.count("\n") == 1, (name, message)
            assert not out.exists()
        done = weir(path, "-o", str(out), programs="/nonexistent")
        assert done.returncode == 1 and b"pip install duckdb-cli" in done.stderr, done.stderr.decode()
    print(f"parquet: {len(rows)} documents written by DuckDB {duckdb.__version__} are read, in order; damaged files and a missing program are errors")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        odd = [
            {"id": "a", "text": "x\0y \"q\" é\n2", "when": "2020-01-01", "list": [1, 2], "any": {"a": 1}, "big": 2**70, "d": 1, "e": {}, "it's \"q\"": 1.5},
            {"id": "b", "text": "", "source": "s", "list": [], "any": [1, "2", None], "big": 5, "d": 2.5, "nest": {"A": 2**53 + 1, "b": [{"c": "x"}]}},
            {"id": "c", "text": "third", "nest": {"b": [], "A": 1}, "yes": True},
        ]
        (folder / "odd.jsonl").write_text("".join(json.dumps(document, ensure_ascii=False) + "\n" for document in odd))
        for name, source in (("sample", options.documents), ("odd", folder / "odd.jsonl")):
            environment = {**os.environ, "PATH": program + ":" + os.environ["PATH"]}

            def run(*words):
                return subprocess.run([options.weir, *words, "--quiet"], check=True, stdout=subprocess.PIPE, env=environment).stdout

            dataset, files = folder / f"{name}-set", [folder / f"{name}-{threads}.parquet" for threads in (1, 3)]
            run("tokenize", source, "--tokenizer", options.tokenizer, "--shards", dataset)
            for threads, file in zip((1, 3), files):
                run("export", dataset, "--to", "parquet", "-o", file, "--threads", str(threads))
            assert files[0].read_bytes() == files[1].read_bytes(), "the threads change the file"
            run("export", dataset, "--to", "jsonl", "-o", folder / "lines.jsonl")
            expected = [json.loads(line) for line in (folder / "lines.jsonl").open("rb")]
            found = [json.loads(line) for line in run("read", files[0], "--plain").splitlines()]
            assert len(found) == len(expected) and all(one == other for one, other in zip(found, expected)), name
            count, size = duckdb.sql(f"SELECT count(*), sum(length(text)) FROM '{files[0]}'").fetchall()[0]
            assert (count, size) == (len(expected), sum(len(document["text"]) for document in expected)), name
        print(f"parquet: {len(rows)} documents and {len(odd)} odd ones exported to Parquet are read by DuckDB and by weir read")


if __name__ == "__main__":
    main()
