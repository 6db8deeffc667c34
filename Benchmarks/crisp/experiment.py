#!/usr/bin/env python3
"""Clustered-importance sampling beside its baselines: equal tokens, tuned rates, held-out data for every choice (`make results-crisp`).

    Benchmarks/crisp/experiment.py --data FOLDER --run runs/results-crisp --minilm corpora/full/minilm -o docs/results/crisp.md
    Benchmarks/crisp/experiment.py --small --run runs/results-crisp-small -o PAGE.md      (minutes, on the corpora of the repository)

FOLDER has general.jsonl.zst, seeds/ and heldout/. Each held-out file is halved, document by document: one half decides (learning rates, shares kept, number of
clusters), the other is reported. The experiment goes on where it was; --minutes stops it between two pieces, and the page tells what is there.
"""
import argparse
import functools
import itertools
import json
import pathlib
import subprocess
import sys

import page
from study import FULL, ROOT, SMALL, OutOfTime, Pieces, perplexities

METHODS = ("specialist", "dsir", "classifier", "ced", "doge", "crisp-lsi", "crisp-static", "crisp-minilm")


class Experiment:
    def __init__(self, options):
        self.options, self.sizes = options, SMALL if options.small else FULL
        self.pieces = Pieces(options.run, options.weir, options.minutes * 60)
        self.embedders = ["lsi"] + (["static", "minilm"] if options.minilm else [])
        self.methods = [m for m in METHODS if m.removeprefix("crisp-") in self.embedders or not m.startswith("crisp-")]
        self.proxy = None

    # What everything is made from.

    def lines(self, *files):
        for file in files:
            reader = subprocess.Popen([self.options.weir, "read", file, "--plain", "--quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            yield from reader.stdout
            reader.stdout.close()
            reader.wait()

    def write(self, name, lines):
        path = self.options.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.with_suffix(".partial").write_bytes(b"".join(lines))
            path.with_suffix(".partial").rename(path)
        return path

    def held(self, name, lines, bytes_a_domain):
        """Halves of held-out documents, each cut after 6,000 characters, up to that many bytes of a domain."""
        halves, sizes = ([], []), {}
        for index, line in enumerate(lines):
            document = json.loads(line)
            document["text"] = document["text"][:6000]
            key = (index % 2, document.get("metadata", {}).get("domain"))
            if sizes.get(key, 0) < bytes_a_domain:
                sizes[key] = sizes.get(key, 0) + len(document["text"])
                halves[index % 2].append(json.dumps(document).encode() + b"\n")
        return [self.write(f"held/{name}-{half}.jsonl", rows) for half, rows in zip(("choice", "test"), halves)]

    def prepare(self):
        data, run, sizes = self.options.data, self.options.run, self.sizes
        if self.options.small:
            corpus, demo = [str(ROOT / "corpora/sample")], ROOT / "corpora/demo"
            seeds = {"astronomy": [demo / "seed.jsonl.zst"]}
            held = {"astronomy": [demo / "heldout-seed.jsonl.zst"]}
            general = [demo / "heldout-general.jsonl.zst"]
        else:
            corpus = [str(data / "general.jsonl.zst")]
            seeds = {d: [data / "seeds" / f"{d}.jsonl"] for d in sizes.domains}
            held = {d: [data / "heldout" / f"{d}.jsonl"] for d in sizes.domains}
            general = sorted((data / "heldout").glob("*.jsonl"))
        text = self.write("corpus.jsonl", itertools.islice(self.lines(*corpus), sizes.documents))
        self.dataset = self.pieces.make("dataset", "dataset", "tokenize", text, "--tokenizer", ROOT / "tokenizer/bpe4k", "--shards", run / "dataset")
        self.seed = {d: self.write(f"seeds/{d}.jsonl", self.lines(*map(str, seeds[d]))) for d in sizes.domains}
        self.judge = {d: self.held(d, self.lines(*map(str, held[d])), 100_000) for d in sizes.domains}
        self.general = self.held("general", self.lines(*map(str, general)), 6_000)
        for kind in self.embedders:
            folder = [] if kind == "lsi" else ["--parts", "first"] if kind == "minilm" else []
            model = "lsi" if kind == "lsi" else f"{kind}:{self.options.minilm}"
            size = ["--dimensions", "256"] if kind == "lsi" else []
            self.pieces.make(f"embed {kind}", f"dataset/vectors/{kind}", "embed", self.dataset, "--model", model, *size, *folder)

    def tree(self, kind, arity, depth):
        name = f"tree-{kind}-{arity}x{depth}"
        path = self.pieces.make(name, name, "cluster", "fit", self.dataset, "--vectors", kind, "--arity", arity, "--depth", depth, "--minimum-leaf",
                                self.sizes.minimum_leaf, "-o", self.options.run / name)
        self.pieces.make(f"assign {name}", f"dataset/clusters/{name}", "cluster", "assign", self.dataset, "--tree", path)
        return path

    # Models.

    def train(self, name, *words, domain=None, seed=1, tokens, rate, constant=False, preset=None):
        held = [*(path for d in ([domain] if domain else self.sizes.domains) for path in self.judge[d]), *self.general]
        shape = ["--preset", preset] if preset else []
        schedule = ["--schedule", "constant"] if constant else ["--schedule", "wsd", "--warmup", "0" if "--init" in words else "0.02", "--decay", "1" if "--init" in words else "0.5"]
        return self.pieces.make(name, name, "train", self.dataset, "-o", self.options.run / name, *words, *shape, *schedule, "--tokens", tokens, "--lr", rate, "--seed", seed,
                                "--sequence", 256, "--batch", 8, "--precision", "auto", "--threads", 1, "--checkpoint-every", 2000, "--valid", *held)

    def bases(self, seeds):
        self.pieces.together([functools.partial(self.base, seed) for seed in seeds])

    def base(self, seed):
        return self.train(f"base/{seed}", preset=self.sizes.preset, seed=seed, tokens=self.sizes.base_tokens, rate=3e-3, constant=True)

    def sample(self, name, *words, tokens=None):
        output = f"mixtures/{name}.json"
        return self.pieces.make(f"sample {name}", output, "sample", self.dataset, *words, "--tokens", tokens or self.sizes.tokens, "--bootstrap", 0, "-o", self.options.run / output)

    def crisp(self, name, domain, kind, shape, *words, seed=None, **more):
        return self.sample(name, "--tree", self.tree(kind, *shape), "--seed-data", seed or self.seed[domain], *words, **more)

    def mixtures(self, method, domain):
        """A method's mixtures to choose among, by variant."""
        seed, name = ["--seed-data", self.seed[domain]], f"{domain}.{method}"
        if method.startswith("crisp-"):
            kind = method.removeprefix("crisp-")
            return {f"{a}x{d}": self.crisp(f"{name}.{a}x{d}", domain, kind, (a, d)) for a, d in self.sizes.clusters}
        if method == "specialist":
            return {"": self.sample(name, "--method", method, *seed)}
        if method == "doge":
            words = ["--tree", self.tree("lsi", *self.sizes.clusters[0]), "--proxy", self.proxy]
            return {"": self.sample(name, "--method", method, *seed, *words)}
        if method == "ced":
            special = self.train(f"proxy/{domain}", "--mixture", self.sample(f"{domain}.specialist", "--method", "specialist", *seed), "--init", self.proxy,
                                 domain=domain, tokens=100_000, rate=2e-3)
            seed += ["--proxy", self.proxy, "--specialist", special, "--score-tokens", 256]
        if method == "classifier":
            seed += ["--tree", self.tree("lsi", *self.sizes.clusters[0])]
        return {f"1:{round(1 / keep)}": self.sample(f"{name}.{round(1 / keep)}", "--method", method, *seed, "--keep", keep) for keep in self.sizes.keeps}

    def run(self, domain, method, variant, mixture, rate, seed, scratch=False):
        name = f"{'scratch' if scratch else 'continued'}/{domain or 'all'}.{method}{'.' if variant else ''}{variant.replace(':', '-')}.{rate:g}.{seed}"
        words = ["--mixture", mixture] if mixture else []
        if not scratch:
            words += ["--init", self.base(seed)]
        tokens = self.sizes.scratch_tokens if scratch else self.sizes.tokens
        return self.train(name, *words, domain=domain, seed=seed, tokens=tokens, rate=rate, preset=self.sizes.preset if scratch else None)

    def tuned(self, scratch=False):
        """Each method's best variant and rate by the held-out half that decides, on the first training seed, then the other seeds with them."""
        rates, first = (self.sizes.scratch_rates if scratch else self.sizes.rates), self.sizes.seeds[0]
        chosen = {}
        for domain, method in [(None, "uniform"), *itertools.product(self.sizes.domains, self.methods)]:
            options = self.choices.get((domain, method)) if scratch and domain else None
            options = options or ({"": None} if method == "uniform" else self.mixtures(method, domain))
            tries = [(variant, mixture, rate) for variant, mixture in options.items() for rate in rates]
            runs = self.pieces.together([functools.partial(self.run, domain, method, *t, first, scratch) for t in tries])
            judges = [domain] if domain else self.sizes.domains
            for judge in judges:
                best = min(range(len(tries)), key=lambda i: perplexities(runs[i])[f"{judge}-choice"])
                chosen[judge, method] = tries[best] + (domain,)
            self.note("scratch" if scratch else "continued", {f"{j} {m}": [c[0], c[2], c[3] or "all"] for (j, m), c in chosen.items()})
        if not scratch:
            self.choices = {(j, m): {c[0]: c[1]} for (j, m), c in chosen.items() if c[3]}
        self.bases(self.sizes.seeds)
        for seed in self.sizes.seeds[1:]:
            again = {(c[3], method, *c[:3]) for (_, method), c in chosen.items()}  # uniform's run is one for all domains of a rate
            again = sorted(again, key=str)
            self.pieces.together([functools.partial(self.run, *words, seed, scratch) for words in again])
        return chosen

    def note(self, name, what):
        """What was chosen, for the page."""
        (self.options.run / f"{name}.json").write_text(json.dumps(what, indent=1))

    def sweeps(self, chosen):
        """CRISP with LSI, one thing changed at a time, every training seed, at the rate that was tuned."""
        sizes, jobs = self.sizes, []

        def add(what, domain, value, mixture, tokens=sizes.tokens):
            for seed in sizes.seeds:
                name = f"sweep/{what}/{domain}.{value}.{seed}"
                jobs.append(functools.partial(self.train, name, "--mixture", mixture, "--init", self.base(seed), domain=domain, seed=seed, tokens=tokens,
                                              rate=chosen[domain, "crisp-lsi"][2]))

        for domain in sizes.domains:
            shape = tuple(map(int, chosen[domain, "crisp-lsi"][0].split("x")))
            for tokens in sizes.budgets:
                add("budget", domain, tokens, chosen[domain, "crisp-lsi"][1], tokens)
            for arity, depth in sizes.sweep_clusters:
                add("clusters", domain, f"{arity}x{depth}", self.crisp(f"{domain}.k.{arity}x{depth}", domain, "lsi", (arity, depth)))
            for count, smoothing in itertools.product(sizes.seed_documents, sizes.smoothings):
                seed = self.write(f"seeds/{domain}.{count}.jsonl", itertools.islice(open(self.seed[domain], "rb"), count))
                add("seed", domain, f"{count}-{smoothing}", self.crisp(f"{domain}.seed.{count}.{smoothing}", domain, "lsi", shape, "--smoothing", smoothing, seed=seed))
            for cap in sizes.caps:
                words = ["--max-epochs", cap] if cap else []
                add("cap", domain, cap or "none", self.crisp(f"{domain}.cap.{cap or 'none'}", domain, "lsi", shape, *words))
            self.pieces.together(jobs)
            jobs.clear()

    def all(self):
        try:
            self.prepare()
            self.proxy = self.train("proxy/general", preset=self.sizes.proxy_preset, tokens=self.sizes.proxy_tokens, rate=3e-3)
            self.bases(self.sizes.seeds[:1])
            chosen = self.tuned()
            self.sweeps(chosen)
            self.tuned(scratch=True)
            return True
        except OutOfTime:
            return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=str(ROOT / ".build/release/weir"))
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--minilm", type=pathlib.Path, help="the encoder's folder (corpora/fetch-minilm); without it only LSI")
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.run = options.run.resolve()
    experiment = Experiment(options)
    whole = experiment.all()
    page.write(experiment, options.output, whole)
    print(f"{'finished' if whole else 'stopped in between; run again to go on'}: {options.output}")


if __name__ == "__main__":
    sys.exit(main())
