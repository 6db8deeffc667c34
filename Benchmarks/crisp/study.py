"""Sizes of the experiment on clustered-importance sampling, and the commands it and the one on finetuning consist of.

A piece is one named weir command. Its line in done.jsonl records that it is done, and with which arguments, so that the experiment can resume. Independent
pieces run two at a time, with one thread each.
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
    """Everything that determines how long the experiment takes."""

    domains: tuple  # of the specialist seeds
    documents: int  # the first ones of the corpus
    preset: str
    proxy_preset: str
    base_tokens: str
    proxy_tokens: str
    layers: int  # at the preset's width
    tokens: int  # per continuation
    scratch_tokens: int
    rate: float  # start of the learning-rate search
    seeds: tuple  # random seeds of training
    keeps: tuple  # shares of the corpus for dsir, classifier and ced to keep
    weight_rates: tuple  # DoGE's learning rate of domain weights
    proxy_steps: int  # DoGE
    clusters: tuple  # arity x depth of CRISP's candidate trees
    sweep_domains: tuple  # for the one-at-a-time sweeps and for training from scratch
    sweep_clusters: tuple
    seed_documents: tuple
    smoothings: tuple
    caps: tuple
    budgets: tuple  # tokens of shorter CRISP runs, for the speed-up table
    minimum_leaf: int

    @property
    def reported(self):
        """The domains that each part of the experiment reports."""
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
    """Runs each command once; starts no more after `limit` seconds."""

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

    def lines(self, *words):
        """The lines that a command writes. Exits if it fails."""
        words = [str(word) for word in words]
        with subprocess.Popen([self.weir, *words, "--quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            yield from process.stdout
        if process.returncode not in (0, -13):
            raise SystemExit(f"weir {' '.join(words)}: exit code {process.returncode}")

    def make(self, name, output, *words, captures=False):
        """Run one command with the named output, unless it is done. Leftovers of an interrupted command are removed, except for training runs, which resume.
        With `captures`, the output is what the command prints."""
        words = [str(word) for word in words]
        told = [word.replace(str(self.folder), "{run}").replace(str(ROOT), "{root}") for word in words]
        entry = self.done.get(name)
        path = self.path(output)
        if entry:
            if entry["words"] != told:
                raise SystemExit(f"{self.folder}: {name} was made with other arguments ({' '.join(entry['words'])}); use another --run, or remove this one")
            return path
        if time.monotonic() > self.end:
            raise OutOfTime
        if words[0] not in ("train", "finetune") and path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        start, began = time.monotonic(), time.time()
        done = subprocess.run([self.weir, *words, "--quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if captures else None, stderr=subprocess.PIPE)
        if captures and done.returncode == 0:
            path.write_bytes(done.stdout)
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
        """Wall-clock minutes in which any command ran, and minutes summed over commands."""
        wall, until = 0.0, 0.0
        for entry in sorted(self.done.values(), key=lambda entry: entry["began"]):
            end = entry["began"] + entry["seconds"]
            wall += max(0.0, end - max(until, entry["began"]))
            until = max(until, end)
        return wall / 60, sum(entry["seconds"] for entry in self.done.values()) / 60

    def together(self, jobs):
        """Call functions on two threads. After the first failure, no further one starts."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                raise


def variant(shape, documents=None, smoothing=0, cap=None, tokens=None):
    """Name of a CRISP mixture or run: the tree, and what differs from the method's defaults."""
    parts = [f"{documents}docs" if documents else "", f"smooth{smoothing}" if smoothing else "", f"cap{cap}" if cap else "", f"{tokens}tokens" if tokens else ""]
    return ".".join([shape, *filter(None, parts)])


def edges(best, tried, factor, low, high):
    """The next values beyond the best one if it is at an end of the range tried, within low … high."""
    beyond = ((best / factor, best == min(tried)), (best * factor, best == max(tried)))
    return [value for value, is_edge in beyond if is_edge and low <= value <= high]


def run_name(part, scope, method, variant, rate, seed):
    """Name of a run's folder. Equal names are the same run."""
    return f"{part}/{scope}.{method}{'.' if variant else ''}{variant.replace(':', '-')}.{rate:g}.{seed}"


def perplexities(run):
    """Final perplexity of a finished run, by name of the held-out file."""
    report = json.loads((run / "report.json").read_text())
    return {e["name"]: e["result"]["perplexity"] for e in report["evaluations"] if e["step"] == report["steps"]}
