"""Writes the experiment's page: tables and charts of the results so far, all of it generated."""
import json
import math
import statistics

from sampled import Windows
from study import perplexities, run_name, variant

T90 = {2: 6.314, 3: 2.920, 4: 2.353, 5: 2.132}  # Student's t, two-sided 90 % interval, by number of runs
LABELS = {"uniform": "uniform", "specialist": "specialist only", "dsir": "DSIR", "classifier": "classifier", "ced": "CED", "doge": "DoGE",
          "crisp-lsi": "CRISP, LSI", "crisp-static": "CRISP, static", "crisp-minilm": "CRISP, MiniLM"}
COLORS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e"]


def mean(values):
    """Geometric mean of perplexities and, if there are several, the half-width of its 90 % interval in log space."""
    logs = [math.log(v) for v in values]
    wide = T90.get(len(logs), 2) * statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else None
    return math.exp(statistics.fmean(logs)), wide


def cell(values):
    if not values:
        return "–"
    middle, wide = mean(values)
    return f"{middle:.1f}" + (f" ± {middle * math.expm1(wide):.1f}" if wide is not None else "") + (f" ({len(values)})" if len(values) != 3 else "")


class Results:
    def __init__(self, experiment):
        self.folder, self.sizes, self.methods, self.swept = experiment.options.run, experiment.sizes, experiment.methods, experiment.swept

    def of(self, names, held):
        return [perplexities(self.folder / n)[held] for n in names if (self.folder / n / "report.json").exists()]

    def chosen(self, part):
        path = self.folder / f"{part}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def runs(self, part, domain, method, **changed):
        """Runs with the selected variant and learning rate, or with one setting of CRISP changed."""
        choice = self.chosen(part).get(f"{domain} {method}")
        if not choice:
            return []
        name, rate, scope = choice
        return [run_name(part, scope, method, variant(**changed) if changed else name, rate, seed) for seed in self.sizes.seeds]

    def sweep(self, what, domain):
        """Rows of a sweep: label, and perplexities on the reported half of the domain's held-out documents."""
        choice = self.chosen("continued").get(f"{domain} crisp-lsi")
        rows = self.swept(domain, choice[0] if choice else "")[what]
        return [(label, self.of(self.runs("continued", domain, "crisp-lsi", **changed), f"{domain}-test")) for label, changed in rows]


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def methods_table(results, part):
    domains = results.sizes.reported[part]
    rows = []
    if part == "continued":
        bases = [f"base/{seed}" for seed in results.sizes.seeds]
        rows.append(["base", *(f"{cell(results.of(bases, f'{d}-test'))} / {cell(results.of(bases, 'general-test'))}" for d in domains)])
    for method in ["uniform", *results.methods]:
        cells = [f"{cell(results.of(results.runs(part, d, method), f'{d}-test'))} / {cell(results.of(results.runs(part, d, method), 'general-test'))}" for d in domains]
        rows.append([LABELS[method], *cells])
    return table(["Perplexity: seed's domain / general", *domains], rows)


def choices_table(results, part):
    domains, chosen = results.sizes.reported[part], results.chosen(part)
    rows = []
    for method in ["uniform", *results.methods]:
        rows.append([LABELS[method], *(" ".join(map(str, filter(None, chosen[f"{d} {method}"][:2]))) if f"{d} {method}" in chosen else "–" for d in domains)])
    return table(["Selected: variant, learning rate", *domains], rows)


def sampled_table(results):
    domains, chosen, windows, rows = results.sizes.domains, results.chosen("continued"), Windows(results.folder / "dataset"), []
    for method in results.methods:
        cells = []
        for domain in domains:
            variant = chosen.get(f"{domain} {method}", [None])[0]
            if variant is None or method == "specialist":
                cells.append("–")
                continue
            name = f"{domain}.{method}" + (f".{variant.removeprefix('1:')}" if variant else "")
            if method == "doge":
                folder = f"clusters/tree-lsi-{results.sizes.clusters[0]}"
            else:
                folder = f"clusters/tree-{method.removeprefix('crisp-')}-{variant}" if method.startswith("crisp-") else f"selections/mixtures+{name}"
            found = windows.sampled(results.folder / f"mixtures/{name}.json", folder, domain)
            cells.append(f"{found[0]:.2f} ({found[1]:,.0f})" if found else "–")
        rows.append([LABELS[method], *cells])
    return table(["Share of the seed's label (effective windows)", *domains], rows)


def sweep_table(results, what):
    columns = [results.sweep(what, d) for d in results.sizes.sweep_domains]
    return table(["", *results.sizes.sweep_domains], [[row[0][0], *(cell(values) for _, values in row)] for row in zip(*columns)])


def speedup(results):
    """The smallest token budget at which CRISP, with its learning rate decayed to 0 at the end, is no worse than uniform training at its end."""
    rows = []
    for domain in results.sizes.domains:
        uniform = results.of(results.runs("continued", domain, "uniform"), f"{domain}-test")
        curve = [(t, values) for t, (_, values) in zip(results.sizes.budgets, results.sweep("budget", domain))]
        curve.append((results.sizes.tokens, results.of(results.runs("continued", domain, "crisp-lsi"), f"{domain}-test")))
        reach = next((t for t, v in curve if uniform and v and mean(v)[0] <= mean(uniform)[0]), None)
        rows.append([domain, cell(uniform), *(cell(v) for _, v in curve), f"{reach:,}: {results.sizes.tokens / reach:.0f} ×" if reach else "–"])
    return table(["", f"uniform, {results.sizes.tokens:,}", *(f"CRISP, {t:,}" for t in [*results.sizes.budgets, results.sizes.tokens]), "reached with"], rows)


def picture(results, path):
    """Bar chart: perplexity on the seed's domain relative to uniform, one group per domain."""
    methods, domains, height = ["uniform", *results.methods], results.sizes.domains, 260
    step, gap, left = 16, 40, 50
    width = left + len(domains) * (len(methods) * step + gap) + 150
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 60}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>']
    for tick in (0, 0.25, 0.5, 0.75, 1):
        y = 20 + height * (1 - tick / 1.1)
        parts.append(f'<path d="M{left} {y:.1f}H{width - 150}" stroke="#ddd"/><text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for g, domain in enumerate(domains):
        x = left + 10 + g * (len(methods) * step + gap)
        uniform = results.of(results.runs("continued", domain, "uniform"), f"{domain}-test")
        for m, method in enumerate(methods):
            values = results.of(results.runs("continued", domain, method), f"{domain}-test")
            if not values or not uniform:
                continue
            share = mean(values)[0] / mean(uniform)[0]
            tall = height * min(share, 1.1) / 1.1
            parts.append(f'<rect x="{x + m * step}" y="{20 + height - tall:.1f}" width="{step - 3}" height="{tall:.1f}" fill="{COLORS[m]}"><title>{LABELS[method]} {share:.2f}</title></rect>')
        parts.append(f'<text x="{x + len(methods) * step / 2:.0f}" y="{height + 40}" text-anchor="middle">{domain}</text>')
    for m, method in enumerate(methods):
        y = 30 + 20 * m
        parts.append(f'<rect x="{width - 140}" y="{y - 10}" width="12" height="12" fill="{COLORS[m]}"/><text x="{width - 122}" y="{y}">{LABELS[method]}</text>')
    path.write_text("".join(parts) + "</svg>\n")


def write(experiment, output, whole):
    results, sizes = Results(experiment), experiment.sizes
    output.parent.mkdir(parents=True, exist_ok=True)
    image = output.with_suffix(".svg")
    picture(results, image)
    wall, whole_minutes = experiment.pieces.minutes()
    base = results.folder / "base/1/report.json"
    parameters = json.loads(base.read_text())["parameters"] if base.exists() else 0
    documents = json.loads((results.folder / "dataset/manifest.json").read_text())["counts"]
    text = f"""# Clustered-importance sampling and its baselines

Generated by `make results-crisp` (`Benchmarks/crisp/`).{'' if whole else ' **The experiment is not finished: a dash means not run yet, and a number in parentheses is the number of training seeds so far.**'}

- **Corpus**: the first {documents['documents']:,} documents, {documents['tokens']:,} tokens, vocabulary 4,096. Specialist seeds: {', '.join(sizes.domains)}.
- **Models**: preset `{sizes.preset}` with {sizes.layers} layers, {parameters / 1e6:.2f} M parameters. The base model sees {sizes.base_tokens} \
tokens at a constant learning rate of 3e-3; each method continues it for {sizes.tokens:,} tokens, with linear decay to 0. Training \
from scratch: {sizes.scratch_tokens:,} tokens, for {' and '.join(sizes.sweep_domains)}. There are {len(sizes.seeds)} training \
seeds, each with its own base model.
- **Selection**: one half of the held-out documents selects, on the first training seed; the other half is reported. Each variant \
is trained at a learning rate of {sizes.rate:g}; the best one's learning rate is then doubled and halved until neither end of \
the range is best. Variants are the share of the corpus kept ({', '.join(f'1/{1 / k:.0f}' for k in sizes.keeps)}, extended until \
neither end of the range is best; DSIR, classifier, CED), the learning rate of DoGE's domain weights (w: {', '.join(f'{r:g}' for r in sizes.weight_rates)}, \
extended likewise), and the cluster tree ({', '.join(sizes.clusters).replace('x', '×')}; CRISP).
- **Intervals** are 90 % over training seeds (Student's t on log perplexity). They do not include the choice of held-out documents.
- **Embedders**: LSI with 256 dimensions; MiniLM sees the first 256 pieces of each window. CED scores the first 256 tokens of \
each window with two `{sizes.proxy_preset}` models. DoGE's proxy is one of them, over the clusters of LSI's first tree, for {sizes.proxy_steps} \
steps.
- **General** text is held-out documents of all domains, about 1,500 characters per domain. It selects nothing.
- **Cost**: {len(experiment.pieces.done)} commands in {wall:.0f} minutes on two threads; {whole_minutes:.0f} minutes summed over \
commands, most of them single-threaded and run two at a time.

## Continued from the base

![Perplexity on the seed's domain relative to uniform]({image.name})

{methods_table(results, 'continued')}
{choices_table(results, 'continued')}
## What is sampled

The share of sampled tokens whose documents carry the seed's domain label, which no method sees, and in parentheses the effective sample size in windows (1/Σp²).

{sampled_table(results)}
## Speed-up

{speedup(results)}
## Number of clusters (CRISP, LSI)

{sweep_table(results, 'clusters')}
## Seed size and smoothing

{sweep_table(results, 'seed')}
## Epoch cap

{sweep_table(results, 'cap')}
## From scratch

{methods_table(results, 'scratch')}
{choices_table(results, 'scratch')}"""
    output.write_text(text)
