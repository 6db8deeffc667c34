"""The pieces of the experiment on clustered-importance sampling: what is compared, at which sizes, and the commands that make it.

A piece is one weir command with a name; its line in done.jsonl says that it is made and by which words, so that the experiment goes on where it was. Two
pieces that do not need each other run side by side, a thread each.
"""
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Everything that decides how long the experiment takes."""

    domains: tuple  # seeds of these names
    documents: int  # of the corpus, from its beginning
    preset: str
    proxy_preset: str
    base_tokens: str
    proxy_tokens: str
    layers: int  # of the preset's width
    tokens: int  # of a continuation
    scratch_tokens: int
    rate: float  # where the search for a rate begins
    seeds: tuple  # of training: weights and order
    keeps: tuple  # shares of the corpus that dsir, classifier and ced keep
    weight_rates: tuple  # of DoGE
    proxy_steps: int  # of DoGE
    clusters: tuple  # arity x depth of the trees that CRISP chooses from
    sweep_domains: tuple  # for which one thing is changed at a time, and models begin from scratch; the rest is for all
    sweep_clusters: tuple
    seed_documents: tuple
    smoothings: tuple
    caps: tuple
    budgets: tuple  # tokens of shorter CRISP runs, for the speed-up
    minimum_leaf: int

    @property
    def told(self):
        """The domains that each part of the experiment tells of."""
        return {"continued": self.domains, "scratch": self.sweep_domains}


FULL = Sizes(
    domains=("docs-astronomy", "docs-statistics", "docs-database", "literature-austen"), documents=10_000, preset="micro", layers=3, proxy_preset="nano",
    base_tokens="2000k", proxy_tokens="1000k", tokens=160_000, scratch_tokens=200_000, rate=4e-3, seeds=(1, 2, 3), keeps=(1 / 32, 1 / 64),
    weight_rates=(1, 10), proxy_steps=40, clusters=("64x1", "32x2"), sweep_domains=("docs-astronomy", "literature-austen"),
    sweep_clusters=("16x1", "64x1", "256x1", "32x2"), seed_documents=(5, 20, 100), smoothings=(0, 16), caps=(1, 4, None),
    budgets=(10_000, 20_000, 40_000, 80_000), minimum_leaf=20)

SMALL = Sizes(
    domains=("docs-astronomy",), documents=10**9, preset="nano", layers=2, proxy_preset="nano", base_tokens="150k", proxy_tokens="100k", tokens=20_000,
    scratch_tokens=40_000, rate=4e-3, seeds=(1, 2), keeps=(1 / 16,), weight_rates=(1,), proxy_steps=20, clusters=("16x1",), sweep_domains=("docs-astronomy",), sweep_clusters=("4x1", "4x2"),
    seed_documents=(5,), smoothings=(0, 4), caps=(1,), budgets=(10_000,), minimum_leaf=20)


class OutOfTime(Exception):
    pass


class Pieces:
    """Runs commands once each; `limit` seconds after the beginning it begins no more."""

    def __init__(self, folder, weir, limit):
        self.folder, self.weir, self.end = folder, weir, time.monotonic() + limit
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ledger = folder / "done.jsonl"
        self.lock = threading.Lock()
        self.done = {}
        if self.ledger.exists():
            for line in self.ledger.read_text().splitlines():
                entry = json.loads(line)
                self.done[entry["name"]] = entry

    def path(self, name):
        return self.folder / name

    def make(self, name, output, *words):
        """One command whose output is a file or folder of that name; what an interrupted one left is cleared, but for a run, which goes on."""
        words = [str(word) for word in words]
        told = [word.replace(str(self.folder), "{run}").replace(str(ROOT), "{root}") for word in words]
        entry = self.done.get(name)
        path = self.path(output)
        if entry:
            if entry["words"] != told:
                raise SystemExit(f"{self.folder}: {name} was made by other words ({' '.join(entry['words'])}); take another --run, or remove this one")
            return path
        if time.monotonic() > self.end:
            raise OutOfTime
        if words[0] != "train" and path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        start, began = time.monotonic(), time.time()
        done = subprocess.run([self.weir, *words, "--quiet"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise SystemExit(f"weir {' '.join(words)}\n{done.stderr.decode()}exit code {done.returncode}")
        with self.lock:
            self.done[name] = {"name": name, "words": told, "began": round(began, 2), "seconds": round(time.monotonic() - start, 2)}
            with open(self.ledger, "a") as file:
                file.write(json.dumps(self.done[name]) + "\n")
                file.flush()
                os.fsync(file.fileno())
            print(f"{len(self.done):5}  {name}  {self.done[name]['seconds']} s", flush=True)
        return path

    def minutes(self):
        """Minutes in which a command ran, those of two side by side counted once; and the sum over commands."""
        wall, until = 0.0, 0.0
        for entry in sorted(self.done.values(), key=lambda entry: entry["began"]):
            end = entry["began"] + entry["seconds"]
            wall += max(0.0, end - max(until, entry["began"]))
            until = max(until, end)
        return wall / 60, sum(entry["seconds"] for entry in self.done.values()) / 60

    def together(self, jobs):
        """Calls functions on two threads; the first failure ends what has not begun."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                raise


def variant(shape, documents=None, smoothing=0, cap=None, tokens=None):
    """What CRISP's mixture, or a run by it, is called by: the tree, and what differs from the method as it stands."""
    parts = [f"{documents}docs" if documents else "", f"smooth{smoothing}" if smoothing else "", f"cap{cap}" if cap else "", f"{tokens}tokens" if tokens else ""]
    return ".".join([shape, *filter(None, parts)])


def edges(best, tried, factor, low, high):
    """What lies beyond the best of what was tried, where that is at an edge and the next is not outside low … high."""
    beyond = ((best / factor, best == min(tried)), (best * factor, best == max(tried)))
    return [value for value, is_edge in beyond if is_edge and low <= value <= high]


def run_name(part, scope, method, variant, rate, seed):
    """A run's folder; the same name is the same run, whoever asks for it."""
    return f"{part}/{scope}.{method}{'.' if variant else ''}{variant.replace(':', '-')}.{rate:g}.{seed}"


def perplexities(run):
    """Perplexity by held-out file's name at the end of a finished run."""
    report = json.loads((run / "report.json").read_text())
    return {e["name"]: e["result"]["perplexity"] for e in report["evaluations"] if e["step"] == report["steps"]}
