#!/usr/bin/env python3
"""Compare clustered-importance sampling with its baselines (`make results-crisp`): equal tokens, tuned learning rates, held-out selection.

    Benchmarks/crisp/experiment.py --data FOLDER --run runs/results-crisp --minilm corpora/full/minilm -o docs/results/crisp.md
    Benchmarks/crisp/experiment.py --small --run runs/results-crisp-small -o PAGE.md      (minutes, on the corpora of the repository)

FOLDER has general.jsonl.zst, seeds/ and heldout/. Each held-out file is halved, document by document: one half selects (learning rates, shares kept, number of
clusters), the other is reported. An interrupted experiment resumes. --minutes stops it between two commands; the page then shows the results so far.
"""
import argparse
import functools
import itertools
import json
import pathlib
import sys

import page
from study import FULL, ROOT, SMALL, OutOfTime, Pieces, edges, perplexities, run_name, variant

METHODS = ("specialist", "dsir", "classifier", "ced", "doge", "crisp-lsi", "crisp-static", "crisp-minilm")


class Experiment:
    def __init__(self, options):
        self.options, self.sizes = options, SMALL if options.small else FULL
        self.pieces = Pieces(options.run, options.weir, options.minutes * 60)
        self.embedders = ["lsi"] + (["static", "minilm"] if options.minilm else [])
        self.methods = [m for m in METHODS if m.removeprefix("crisp-") in self.embedders or not m.startswith("crisp-")]
        self.proxy = None

    # Data, embeddings and trees.

    def lines(self, *files):
        """The documents of files, one per line."""
        for file in files:
            yield from self.pieces.lines("read", file, "--plain")

    def write(self, name, lines):
        path = self.options.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.with_suffix(".partial").write_bytes(b"".join(lines))
            path.with_suffix(".partial").rename(path)
        return path

    def held(self, name, lines, bytes_per_domain, characters):
        """Two halves of the held-out documents, each document truncated to `characters`, at most `bytes_per_domain` per domain."""
        halves, sizes = ([], []), {}
        for index, line in enumerate(lines):
            document = json.loads(line)
            document["text"] = document["text"][:characters]
            key = (index % 2, document.get("metadata", {}).get("domain"))
            if sizes.get(key, 0) < bytes_per_domain:
                sizes[key] = sizes.get(key, 0) + len(document["text"])
                halves[index % 2].append(json.dumps(document).encode() + b"\n")
        return [self.write(f"held/{name}-{half}.jsonl", rows) for half, rows in zip(("choice", "test"), halves)]

    def prepare(self):
        data, run, sizes = self.options.data, self.options.run, self.sizes
        if self.options.small:
            demo = ROOT / "corpora/demo"
            corpus, seeds, held = ROOT / "corpora/sample", {"docs-astronomy": demo / "seed.jsonl.zst"}, {"docs-astronomy": demo / "heldout-seed.jsonl.zst"}
            general = [demo / "heldout-general.jsonl.zst"]
        else:
            corpus, seeds, held = data / "general.jsonl.zst", *({d: data / folder / f"{d}.jsonl" for d in sizes.domains} for folder in ("seeds", "heldout"))
            general = sorted((data / "heldout").glob("*.jsonl"))
        text = self.write("corpus.jsonl", itertools.islice(self.lines(corpus), sizes.documents))
        self.dataset = self.pieces.make("dataset", "dataset", "tokenize", text, "--tokenizer", ROOT / "tokenizer/bpe4k", "--shards", run / "dataset")
        self.seed = {d: self.write(f"seeds/{d}.jsonl", self.lines(seeds[d])) for d in sizes.domains}
        self.judge = {d: self.held(d, self.lines(held[d]), 100_000, 6_000) for d in sizes.domains}
        self.general = self.held("general", self.lines(*general), 1_500, 1_500)[1]  # general text selects nothing
        for kind in self.embedders:
            model = "lsi" if kind == "lsi" else f"{kind}:{self.options.minilm}"
            more = {"lsi": ["--dimensions", "256"], "minilm": ["--chunks", "first"]}.get(kind, [])
            self.pieces.make(f"embed {kind}", f"dataset/vectors/{kind}", "embed", self.dataset, "--model", model, *more)

    def tree(self, kind, arity, depth):
        name = f"tree-{kind}-{arity}x{depth}"
        path = self.pieces.make(name, name, "cluster", "fit", self.dataset, "--vectors", kind, "--branching-factor", arity, "--depth", depth, "--min-leaf-size",
                                self.sizes.minimum_leaf, "-o", self.options.run / name)
        self.pieces.make(f"assign {name}", f"dataset/clusters/{name}", "cluster", "assign", self.dataset, "--tree", path)
        return path

    # Models.

    def train(self, name, *words, domain=None, seed=1, tokens, rate, constant=False, preset=None, batch=8):
        held = [*(path for d in ([domain] if domain else self.sizes.domains) for path in self.judge[d]), self.general]
        shape = ["--preset", preset] if preset else []
        shape += ["--layers", self.sizes.layers] if preset == self.sizes.preset else []
        warmup, decay = ("0", "1") if "--init" in words else ("0.02", "0.5")
        schedule = ["--schedule", "constant"] if constant else ["--schedule", "wsd", "--warmup-fraction", warmup, "--decay-fraction", decay]
        return self.pieces.make(name, name, "train", self.dataset, "-o", self.options.run / name, *words, *shape, *schedule, "--tokens", tokens, "--lr", rate, "--seed", seed,
                                "--sequence", 256, "--batch-size", batch, "--precision", "auto", "--threads", 1, "--checkpoint-every", 2000, "--valid", *held)

    def bases(self, seeds):
        self.pieces.together([functools.partial(self.base, seed) for seed in seeds])

    def base(self, seed):
        return self.train(f"base/{seed}", preset=self.sizes.preset, seed=seed, tokens=self.sizes.base_tokens, rate=3e-3, constant=True)

    def sample(self, name, *words):
        output = f"mixtures/{name}.json"
        return self.pieces.make(f"sample {name}", output, "sample", self.dataset, *words, "--tokens", self.sizes.tokens, "--bootstrap", 0, "-o", self.options.run / output)

    def crisp(self, domain, kind, shape, documents=None, smoothing=0, cap=None):
        """CRISP's mixture; with `documents`, from the first documents of the seed."""
        seed = self.write(f"seeds/{domain}.{documents}.jsonl", itertools.islice(open(self.seed[domain], "rb"), documents)) if documents else self.seed[domain]
        words = [*(["--smoothing", smoothing] if smoothing else []), *(["--max-epochs", cap] if cap else [])]
        tree = self.tree(kind, *shape.split("x"))
        return self.sample(f"{domain}.crisp-{kind}.{variant(shape, documents, smoothing, cap)}", "--tree", tree, "--seed-data", seed, *words)

    def mixtures(self, method, domain, values=None):
        """A method's candidate mixtures by variant. `values` replaces the initial shares kept, or DoGE's weight rates."""
        seed, name = ["--seed-data", self.seed[domain]], f"{domain}.{method}"
        if method.startswith("crisp-"):
            return {shape: self.crisp(domain, method.removeprefix("crisp-"), shape) for shape in self.sizes.clusters}
        if method == "specialist":
            return {"": self.sample(name, "--method", method, *seed)}
        if method == "doge":
            words = ["--tree", self.tree("lsi", *self.sizes.clusters[0].split("x")), "--proxy", self.proxy]
            return {f"w{rate:g}": self.sample(f"{name}.w{rate:g}", "--method", method, *seed, *words, "--weight-rate", rate, "--proxy-steps",
                                                self.sizes.proxy_steps) for rate in values or self.sizes.weight_rates}
        if method == "ced":
            special = self.train(f"proxy/{domain}", "--mixture", self.sample(f"{domain}.specialist", "--method", "specialist", *seed), "--init", self.proxy,
                                 domain=domain, tokens=100_000, rate=2e-3)
            seed += ["--proxy", self.proxy, "--specialist", special, "--score-tokens", 256]
        if method == "classifier":
            seed += ["--tree", self.tree("lsi", *self.sizes.clusters[0].split("x"))]
        return {f"1:{round(1 / keep)}": self.sample(f"{name}.{round(1 / keep)}", "--method", method, *seed, "--keep", keep) for keep in values or self.sizes.keeps}

    def run(self, part, domain, method, variant, mixture, rate, seed, tokens=None):
        words, shape = ["--mixture", mixture] if mixture else [], {}
        if part == "scratch":
            tokens, shape = self.sizes.scratch_tokens, {"preset": self.sizes.preset}
        else:
            words += ["--init", self.base(seed)]
        return self.train(run_name(part, domain or "all", method, variant, rate, seed), *words, domain=domain, seed=seed, tokens=tokens or self.sizes.tokens, rate=rate,
                          batch=4, **shape)

    def tuned(self, part, among=None):
        """Select each method's variant and learning rate on the first training seed, by the selecting half of the held-out documents; then train the other seeds.

        Returns (variant, mixture, learning rate, domain of its runs) by (domain, method). `among` is an earlier result whose variants are kept."""
        chosen, domains = {}, self.sizes.reported[part]
        for domain in (None, *domains):
            self.search(part, domain, domains, ["uniform"] if domain is None else self.methods, among, chosen)
            self.note(part, {f"{j} {m}": [c[0], c[2], c[3] or "all"] for (j, m), c in chosen.items()})
        again = {(c[3], method, *c[:3]) for (_, method), c in chosen.items()}  # one uniform run per learning rate serves all domains
        self.pieces.together([functools.partial(self.run, part, *words, seed) for seed in self.sizes.seeds[1:] for words in sorted(again, key=str)])
        return chosen

    def search(self, part, domain, domains, methods, among, chosen):
        """Train every variant at the first learning rate. While the best value is at an end of the range tried, extend the range there: learning rates and
        shares by factors of 2, DoGE's weight rates by factors of 4, one at a time."""
        judges, tries, runs = [domain] if domain else domains, {}, {}
        wanted = {}
        for method in methods:
            options = dict([among[judges[0], method][:2]]) if among else self.mixtures(method, domain) if domain else {"": None}
            wanted[method] = [(variant, mixture, self.sizes.rate) for variant, mixture in options.items()]
        while any(wanted.values()):
            told = self.pieces.together([functools.partial(self.run, part, domain, m, *t, self.sizes.seeds[0]) for m, more in wanted.items() for t in more])
            for method, more in wanted.items():
                tries[method] = tries.get(method, []) + more
                runs[method], told = runs.get(method, []) + told[: len(more)], told[len(more) :]
                wanted[method] = []
                for judge in judges:
                    best = min(range(len(tries[method])), key=lambda i: perplexities(runs[method][i])[f"{judge}-choice"])
                    chosen[judge, method] = tries[method][best] + (domain,)
                    wanted[method] += [t for t in self.beyond(method, domain, tries[method][best], tries[method], among) if t not in wanted[method]]

    def beyond(self, method, domain, best, tries, among):
        """The values to try next, beyond the best."""
        variant, mixture, rate = best
        more = [(variant, mixture, r) for r in edges(rate, [r for v, _, r in tries if v == variant], 2, 2e-4, 0.1)]
        others = []
        if variant[:2] == "1:" and not among:
            others = [1 / share for share in edges(int(variant[2:]), [int(v[2:]) for v, _, _ in tries], 2, 2, 1024)]
        elif variant[:1] == "w" and not among:
            others = edges(float(variant[1:]), [float(v[1:]) for v, _, _ in tries], 4, 0.1, 1000)
        return more + [(v, m, rate) for other in others for v, m in self.mixtures(method, domain, [other]).items()]

    def note(self, name, what):
        """Record a selection for the page."""
        (self.options.run / f"{name}.json").write_text(json.dumps(what, indent=1))

    def swept(self, domain, shape):
        """One-at-a-time changes to CRISP with LSI, by table: each row's label and what it changes."""
        sizes, whole = self.sizes, sum(1 for _ in open(self.seed[domain], "rb"))
        return {
            "budget": [(f"{tokens:,} tokens", {"shape": shape, "tokens": tokens}) for tokens in sizes.budgets],
            "clusters": [(f"{other.replace('x', ' × ')} (arity × depth)", {"shape": other}) for other in sizes.sweep_clusters],
            "seed": [(f"{count} documents, smoothing {m}", {"shape": shape, "documents": count if count < whole else None, "smoothing": m})
                     for count, m in itertools.product(sizes.seed_documents, sizes.smoothings)],
            "cap": [(str(cap or "none"), {"shape": shape, "cap": cap}) for cap in sizes.caps],
        }

    def sweeps(self, chosen):
        """The one-at-a-time sweeps, at the tuned learning rate, for every training seed. Runs that exist are not repeated."""
        for domain in self.sizes.domains:
            shape, _, rate, _ = chosen[domain, "crisp-lsi"]
            runs = {}
            tables = self.swept(domain, shape)
            wanted = tables.values() if domain in self.sizes.sweep_domains else [tables["budget"]]
            for _, changed in itertools.chain(*wanted):
                tokens = changed.get("tokens")
                mixture = self.crisp(domain, "lsi", **{k: v for k, v in changed.items() if k != "tokens"})
                runs[variant(**changed)] = (mixture, tokens)
            self.pieces.together([functools.partial(self.run, "continued", domain, "crisp-lsi", name, mixture, rate, seed, tokens)
                                  for (name, (mixture, tokens)), seed in itertools.product(runs.items(), self.sizes.seeds)])

    def all(self):
        try:
            self.prepare()
            self.proxy = self.train("proxy/general", preset=self.sizes.proxy_preset, tokens=self.sizes.proxy_tokens, rate=3e-3)
            self.bases(self.sizes.seeds)
            chosen = self.tuned("continued")
            self.sweeps(chosen)
            self.tuned("scratch", among=chosen)
            return True
        except OutOfTime:
            return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=str(ROOT / ".build/release/weir"))
    parser.add_argument("--data", type=pathlib.Path, help="folder with general.jsonl.zst, seeds/ and heldout/")
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--minilm", type=pathlib.Path, help="folder of the sentence encoder (corpora/fetch-minilm); without it, only LSI")
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    if not options.small and options.data is None:
        parser.error("--data is missing: a folder with general.jsonl.zst, seeds/ and heldout/")
    options.run = options.run.resolve()
    experiment = Experiment(options)
    whole = experiment.all()
    if experiment.proxy:  # without a proxy there are no results yet
        page.write(experiment, options.output, whole)
    print(f"{'finished' if whole else 'stopped; run again to resume'}: {options.output if experiment.proxy else options.run}")


if __name__ == "__main__":
    sys.exit(main())
