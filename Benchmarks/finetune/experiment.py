#!/usr/bin/env python3
"""Compare ways of finetuning by what they gain on a target and what they forget (`make results-finetune`).

    Benchmarks/finetune/experiment.py --data FOLDER --run runs/results-finetune -o PAGE.md
    Benchmarks/finetune/experiment.py --small --run runs/results-finetune-small -o PAGE.md      (minutes, on the corpora of the repository)

FOLDER has general.jsonl.zst, seeds/ and heldout/. An interrupted experiment resumes. --minutes stops it between two commands; the page then shows the results so
far. The protocol was fixed before the first result:

1. Generalist: one model, trained on the corpus without the domains of the far targets.
2. Targets: two domains inside the corpus, two far from it (a formal language, and a natural language that the corpus lacks); at most 40 k tokens each.
3. Held-out documents of each target, and of the other domains of the corpus (the source), are halved, document by document: `choice` selects, `test` is reported.
4. Every method makes 5 passes over the target's documents, with AdamW without weight decay, a warmup over 5 % of the steps, then a cosine to 0. The training seed
   sets the order of the documents, and whatever else is random.
5. Gain is how far the loss on the target falls below the generalist's, rise how far the loss on the source rises above it, both in nats/token.
6. Tuning, on training seed 1 and the `choice` halves: first the learning rate, at the method's first strength, then the strength, at that rate. Of all that was
   tried, the setting is taken that forgets least among those with at least 90 % of the largest gain of direct finetuning at any rate; if there is none, the one with
   the largest gain. So direct finetuning at a small rate is a baseline of its own. Averaging takes its models from direct finetuning at all rates.
7. The chosen settings are trained with the other training seeds. For annealing, every λ is trained with all seeds at the chosen rate and at the next higher one.
8. Annealing is compared with another method at that method's gain: per training seed, the rise of the other method minus the least rise of annealing, interpolated
   linearly between neighboring points of its λ sweep at either rate (with no finetuning and λ = 0, direct finetuning at that rate, at the ends). Intervals are 90 %,
   Student's t over the seeds.
9. Tasks are multiple choice: which of four texts continues a held-out document, the others being continuations of documents of the same domain. Accuracy is reported
   where the lower end of the generalist's 95 % interval (Wilson) is above chance.
"""
import argparse
import dataclasses
import functools
import itertools
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Benchmarks/crisp"))

import page  # noqa: E402
from study import OutOfTime, Pieces  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Everything that determines how long the experiment takes."""

    inside: tuple  # targets whose domain the corpus has
    far: dict  # targets whose domain it lacks, with the beginnings of the names of the domains left out
    preset: str
    layers: int  # at the preset's width
    tokenizer: str
    documents: int  # the first ones of the corpus
    base_tokens: str
    target_tokens: int
    epochs: int
    sequence: int
    rates: tuple  # of direct finetuning; the other methods try the last ones
    tried_rates: int
    strengths: int  # at most this many per method
    sweep: tuple  # λ
    seeds: tuple
    held_bytes: int  # per target and half
    source_bytes: int  # per domain of the source and half
    generations: int  # self-replay
    questions: int


FULL = Sizes(
    inside=("docs-astronomy", "literature-austen"), far={"math-formal": ("math-formal",), "man-de": ("man-de", "desktophelp-de", "handbook-de")},
    preset="mini", layers=5, tokenizer="tokenizer/bpe4k", documents=10**9, base_tokens="8M", target_tokens=8_000, epochs=5, sequence=256,
    rates=(1e-4, 3e-4, 1e-3, 3e-3), tried_rates=3, strengths=3, sweep=(0.1, 0.3, 1, 3, 10), seeds=(1, 2, 3), held_bytes=20_000, source_bytes=1_500,
    generations=80, questions=120)

SMALL = Sizes(
    inside=("docs-astronomy",), far={"docs-erlang": ("docs-erlang",)}, preset="nano", layers=2, tokenizer="tokenizer/bpe4k", documents=400, base_tokens="30k",
    target_tokens=2_000, epochs=1, sequence=128, rates=(1e-3, 3e-3), tried_rates=1, strengths=1, sweep=(1,), seeds=(1, 2), held_bytes=4_000, source_bytes=1_500,
    generations=8, questions=20)


@dataclasses.dataclass(frozen=True)
class Method:
    label: str
    words: tuple  # of the command, with {dataset}, {fisher} and {generations}
    strength: str = ""  # the flag of the strength
    strengths: tuple = (None,)  # the first is tried at every rate
    faster: float = 1  # learning rates relative to those of direct finetuning


LAMBDAS = (1, 0.3, 3, 10)
METHODS = {
    "direct": Method("direct", ("--method", "direct")),
    "l2": Method("L2 to the initial weights", ("--method", "l2"), "--l2", (0.1, 0.01, 1, 10)),
    "ewc": Method("EWC", ("--method", "ewc", "--fisher-data", "{fisher}"), "--ewc", (1e3, 1e2, 1e4, 1e5)),
    "lora": Method("LoRA", ("--method", "lora"), "--lora-rank", (8, 2, 32, 64), faster=10),
    "asft": Method("ASFT", ("--method", "asft"), "--asft-alpha", (0.1, 0.03, 0.3, 1)),
    "average": Method("weight averaging", (), "--weight", (0.5, 0.25, 0.75, 0.9)),
    "replay-1": Method("replay 1 %", ("--method", "direct", "--replay", "{dataset}", "--replay-share", "0.01")),
    "replay-10": Method("replay 10 %", ("--method", "direct", "--replay", "{dataset}", "--replay-share", "0.1")),
    "self-replay": Method("self-replay", ("--method", "direct", "--self-replay", "{generations}"), "--replay-share", (0.1, 0.01, 0.25, 0.5)),
    "anneal": Method("annealing", ("--method", "anneal"), "--lambda", LAMBDAS),
    "anneal-replay": Method("annealing + replay 10 %", ("--method", "anneal", "--replay", "{dataset}", "--replay-share", "0.1"), "--lambda", LAMBDAS),
    "forward": Method("annealing, forward KL", ("--method", "anneal", "--direction", "forward"), "--lambda", LAMBDAS),
}


def losses(path):
    """Loss by part of the held-out documents (`target-test`, …), and by part and domain: from the report of an evaluation."""
    sums = {}
    for label, result in json.loads(path.read_text())["by_domain"].items():
        for key in (label, label.split("/")[0]):
            nats, tokens = sums.get(key, (0, 0))
            sums[key] = (nats + result["loss"] * result["tokens"], tokens + result["tokens"])
    return {key: nats / tokens for key, (nats, tokens) in sums.items()}


class Experiment:
    def __init__(self, options):
        self.options, self.sizes = options, SMALL if options.small else FULL
        self.run = options.run
        self.pieces = Pieces(options.run, options.weir, options.minutes * 60)
        self.targets = [*self.sizes.inside, *self.sizes.far]
        self.methods = {name: METHODS[name] for name in options.methods or METHODS}
        self.base = None

    # Data.

    def documents(self, *files):
        for file in files:
            yield from map(json.loads, self.pieces.lines("read", file, "--plain"))

    def write(self, name, documents):
        path = self.run / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".partial")
            part.write_text("".join(json.dumps(d) + "\n" for d in documents))
            part.rename(path)
        return path

    def halves(self, part, documents, limit):
        """Two files of held-out documents, at most `limit` bytes per domain in each. Their labels are PART-HALF/DOMAIN."""
        rows, sizes = {"choice": [], "test": []}, {}
        for index, document in enumerate(documents):
            half, domain = ("choice", "test")[index % 2], document.get("metadata", {}).get("domain", "other")
            used = sizes.get((half, domain), 0)
            text = document["text"][: min(6_000, limit - used)]
            if text.strip():
                sizes[half, domain] = used + len(text)
                rows[half].append({"id": document["id"], "text": text, "metadata": {"domain": f"{part}-{half}/{domain}"}})
        return [self.write(f"held/{part}-{half}.jsonl", rows[half]) for half in rows]

    def questions(self, part):
        """Which of four texts continues the beginning of a held-out document of the `test` half."""
        texts, questions = {}, []
        for line in (self.run / f"held/{part}-test.jsonl").read_text().splitlines():
            document = json.loads(line)
            words = document["text"].split()
            for start in range(0, len(words) - 39, 40):
                texts.setdefault(document["metadata"]["domain"], []).append((" ".join(words[start : start + 30]), " ".join(words[start + 30 : start + 40])))
        pool = [(domain, index) for domain, of in sorted(texts.items()) for index in range(len(of)) if len(of) >= 4]
        for number, (domain, index) in enumerate(pool[:: max(1, len(pool) // self.sizes.questions)][: self.sizes.questions]):
            of = texts[domain]
            choices = [of[(index + step * max(1, len(of) // 4)) % len(of)][1] for step in range(4)]
            answer = number % 4
            choices[0], choices[answer] = choices[answer], choices[0]
            questions.append({"question": of[index][0], "choices": choices, "answer": answer})
        return self.write(f"tasks/{part}.jsonl", questions)

    def few(self, target, documents):
        """The first documents of a target, with at most `target_tokens` tokens in all."""
        found = self.write(f"targets/{target}.all.jsonl", itertools.islice(documents, 2_000))
        counts = (len(json.loads(line)["tokens"]) + 1 for line in self.pieces.lines("tokenize", found, "--tokenizer", ROOT / self.sizes.tokenizer, "--plain"))
        kept, total = [], 0
        for line, tokens in zip(found.read_text().splitlines(), counts):
            if total + tokens <= self.sizes.target_tokens:
                total += tokens
                kept.append(json.loads(line))
        return self.write(f"targets/{target}.jsonl", kept)

    def prepare(self):
        data, sizes, demo = self.options.data, self.sizes, ROOT / "corpora/demo"
        apart = tuple(itertools.chain.from_iterable(sizes.far.values()))

        def domain(document):
            return document.get("metadata", {}).get("domain", "other")

        if self.options.small:
            corpus = [ROOT / "corpora/sample"]
            seeds = {"docs-astronomy": demo / "seed.jsonl.zst", "docs-erlang": demo / "finetune.jsonl.zst"}
            held = {"docs-astronomy": demo / "heldout-seed.jsonl.zst", "docs-erlang": demo / "heldout-finetune.jsonl.zst"}
            general = [demo / "heldout-general.jsonl.zst"]
        else:
            corpus = [data / "general.jsonl.zst"]
            seeds = {t: data / f"seeds/{t}.jsonl" for t in self.targets}
            held = {t: data / f"heldout/{t}.jsonl" for t in self.targets}
            general = sorted((data / "heldout").glob("*.jsonl"))
        text = self.run / "corpus.jsonl"
        if not text.exists():
            step = max(1, sum(1 for _ in self.documents(*corpus)) // sizes.documents) if self.options.small else 1
            self.write("corpus.jsonl", (d for d in itertools.islice(self.documents(*corpus), 0, None, step) if not domain(d).startswith(apart)))
        self.dataset = self.pieces.make("dataset", "dataset", "tokenize", text, "--tokenizer", ROOT / sizes.tokenizer, "--shards", self.run / "dataset")
        self.data = {}
        for target in self.targets:
            # A target without a seed of its own takes documents of its domain, which the corpus then lacks.
            own = self.documents(seeds[target]) if seeds[target].exists() else (d for d in self.documents(*corpus) if domain(d) == target)
            self.data[target] = self.few(target, own)
        self.held = {t: self.halves(t, self.documents(held[t]), sizes.held_bytes) for t in self.targets}
        others = (d for d in self.documents(*general) if domain(d) not in self.targets and not domain(d).startswith(apart))
        self.held["source"] = self.halves("source", others, sizes.source_bytes)
        self.tasks = {part: self.questions(part) for part in (*self.targets, "source")}
        # The corpus itself, not the reported documents.
        self.fisher = self.write("fisher.jsonl", itertools.islice(map(json.loads, open(text, encoding="utf8")), 300))

    # Models.

    def generalist(self):
        return self.pieces.make(
            "generalist", "generalist", "train", self.dataset, "-o", self.run / "generalist", "--preset", self.sizes.preset, "--layers", self.sizes.layers, "--sequence", self.sizes.sequence,
            "--batch-size", 16, "--tokens", self.sizes.base_tokens, "--lr", 3e-3, "--decay-fraction", 0.4, "--precision", "auto", "--threads", 2,
            "--checkpoint-every", 500, "--seed", 1)

    def name(self, target, method, strength, rate, seed):
        return f"runs/{target}/{method}.{'' if strength is None else f'{strength:g}.'}{rate:g}.{seed}"

    def finetune(self, target, method, strength, rate, seed):
        """One model and its evaluation; returns the file with its losses."""
        name, spec = self.name(target, method, strength, rate, seed), METHODS[method]
        if method == "average":
            direct = self.name(target, "direct", None, rate, seed)
            self.finetune(target, "direct", None, rate, seed)
            self.pieces.make(name, name, "merge", self.base, self.run / direct, spec.strength, strength, "-o", self.run / name)
            return self.evaluate(name, target)
        places = {"dataset": self.dataset, "fisher": self.fisher, "generations": self.sizes.generations}
        words = [word.format(**places) for word in spec.words] + ([spec.strength, strength] if strength is not None else [])
        self.pieces.make(
            name, name, "finetune", self.base, "--data", self.data[target], "-o", self.run / name, *words, "--epochs", self.sizes.epochs, "--lr", rate,
            "--seed", seed, "--sequence", self.sizes.sequence, "--batch-size", 8 if self.options.small else 4, "--schedule", "cosine", "--warmup-fraction", 0.05,
            "--weight-decay", 0, "--precision", "auto", "--threads", 1)
        return self.evaluate(name, target)

    def evaluate(self, name, target):
        """The file with the losses of a model."""
        output = f"{name}.{target}.eval.json"
        return self.pieces.make(
            f"eval {output}", output, "eval", self.run / name, "--data", *self.held[target], *self.held["source"], "--sequence", self.sizes.sequence, "--threads", 1,
            "--json", captures=True)

    def answer(self, name, target):
        """The scores of a model on the tasks of the target and of the source."""
        output = f"{name}.{target}.scores.jsonl"
        return self.pieces.make(
            f"tasks {output}", output, "eval", self.run / name, "--choices", self.tasks[target], self.tasks["source"], "--choice-scores", self.run / output,
            "--threads", 1)

    # The protocol.

    def point(self, target, half, path):
        """Gain on the target and rise on the source."""
        base, found = losses(self.run / f"generalist.{target}.eval.json"), losses(path)
        return base[f"{target}-{half}"] - found[f"{target}-{half}"], found[f"source-{half}"] - base[f"source-{half}"]

    def rates(self, method):
        among = self.sizes.rates if method in ("direct", "average") else self.sizes.rates[-self.sizes.tried_rates :]
        return [rate * METHODS[method].faster for rate in among]

    def tune(self, target):
        """The chosen setting of every method, and all points tried, on the first training seed."""
        seed, strengths = self.sizes.seeds[0], {m: s.strengths[: self.sizes.strengths] for m, s in self.methods.items()}
        tried = {m: {} for m in self.methods}

        def run(settings):
            jobs = [functools.partial(self.finetune, target, m, *s, seed) for m, s in settings]
            for (m, s), path in zip(settings, self.pieces.together(jobs)):
                tried[m][s] = self.point(target, "choice", path)

        # Direct finetuning first: averaging reuses its models, and its gain is the measure.
        order = sorted(self.methods, key=lambda m: m != "direct")
        run([(m, (strengths[m][0], rate)) for m in order if m == "direct" for rate in self.rates(m)])
        wanted = 0.9 * max(gain for gain, _ in tried["direct"].values())

        def choose(method):
            enough = [s for s, (gain, _) in tried[method].items() if gain >= wanted]
            return min(enough, key=lambda s: tried[method][s][1]) if enough else max(tried[method], key=lambda s: tried[method][s][0])

        run([(m, (strengths[m][0], rate)) for m in order if m != "direct" for rate in self.rates(m)])
        run([(m, (strength, choose(m)[1])) for m in order for strength in strengths[m][1:]])
        return {m: choose(m) for m in order}, tried

    def swept(self, chosen):
        """The learning rates of annealing's λ sweep."""
        if "anneal" not in chosen:
            return []
        rates = self.rates("anneal")
        return rates[rates.index(chosen["anneal"][1]) :][:2]

    def all(self):
        try:
            self.prepare()
            self.base = self.generalist()
            for target in self.targets:
                self.evaluate("generalist", target)
                self.answer("generalist", target)
                chosen, tried = self.tune(target)
                (self.run / f"{target}.json").write_text(json.dumps({"chosen": chosen, "tried": {m: [[*s, *p] for s, p in of.items()] for m, of in tried.items()}}))
                settings = {(m, *setting) for m, setting in chosen.items()}
                swept = self.swept(chosen)
                settings |= {("direct", None, rate) for rate in swept + [chosen[m][1] for m in ("average",) if m in chosen]}
                settings |= {("anneal", strength, rate) for strength in self.sizes.sweep for rate in swept}
                # Averages are of direct finetuning's models.
                for first in (True, False):
                    some = sorted((s for s in settings if (s[0] == "direct") == first), key=str)
                    self.pieces.together([functools.partial(self.finetune, target, *s, seed) for s in some for seed in self.sizes.seeds])
                self.pieces.together([functools.partial(self.answer, self.name(target, m, *setting, seed), target) for m, setting in chosen.items() for seed in self.sizes.seeds])
            return True
        except OutOfTime:
            return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=str(ROOT / ".build/release/weir"))
    parser.add_argument("--data", type=pathlib.Path, help="folder with general.jsonl.zst, seeds/ and heldout/")
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--methods", nargs="*", choices=METHODS, help="only these; direct must be among them")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    if not options.small and options.data is None:
        parser.error("--data is missing: a folder with general.jsonl.zst, seeds/ and heldout/")
    if options.methods and "direct" not in options.methods:
        parser.error("--methods must contain direct, which the others are measured by")
    options.run = options.run.resolve()
    experiment = Experiment(options)
    whole = experiment.all()
    if experiment.base:  # without the generalist there are no results yet
        page.write(experiment, options.output, whole)
    print(f"{'finished' if whole else 'stopped; run again to resume'}: {options.output if experiment.base else options.run}")


if __name__ == "__main__":
    sys.exit(main())
