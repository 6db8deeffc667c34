"""Writes the experiment's page: tables and charts of the results so far, all of it generated."""
import json
import math
import statistics

T90 = {2: 6.314, 3: 2.920, 4: 2.353, 5: 2.132}  # Student's t, two-sided 90 % interval, by number of runs
COLORS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0", "#1f3a5f", "#7f6000"]


def half_width(values):
    return T90.get(len(values), 2) * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


def cell(values, digits=3):
    if not values:
        return "–"
    wide = half_width(values)
    return f"{statistics.fmean(values):.{digits}f}" + (f" ± {wide:.{digits}f}" if wide is not None else "")


def wilson(successes, count):
    z, p = 1.959964, successes / count
    middle, wide = (p + z * z / (2 * count)) / (1 + z * z / count), z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return middle - wide, middle + wide


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


class Results:
    def __init__(self, experiment, losses):
        self.experiment, self.sizes, self.methods, self.folder, self.losses = experiment, experiment.sizes, experiment.methods, experiment.run, losses

    def chosen(self, target):
        path = self.folder / f"{target}.json"
        return json.loads(path.read_text()) if path.exists() else {"chosen": {}, "tried": {}}

    def file(self, target, method, strength, rate, seed):
        """The file with the losses of a model; None if there is none yet."""
        name = self.experiment.name(target, method, strength, rate, seed)
        path = self.folder / f"{name}.{target}.eval.json"
        return path if path.exists() else None

    def point(self, target, *setting):
        path = self.file(target, *setting)
        return self.experiment.point(target, "test", path) if path else None

    def points(self, target, method, strength, rate):
        """Gain and rise on the reported halves, by training seed."""
        found = {seed: self.point(target, method, strength, rate, seed) for seed in self.sizes.seeds}
        return {seed: point for seed, point in found.items() if point}

    def base(self, target):
        return self.losses(self.folder / f"generalist.{target}.eval.json")

    def accuracy(self, target, name, part):
        """Correct answers on the tasks of the target or of the source, and their number."""
        path = self.folder / f"{name}.{target}.scores.jsonl"
        if not path.exists():
            return None
        count = sum(1 for _ in open(self.experiment.tasks[target]))
        rows = [json.loads(line) for line in open(path)]
        rows = rows[:count] if part == target else rows[count:]
        return sum(row["acc"] == row["answer"] for row in rows), len(rows)

    def sweep(self, target):
        """Annealing's lines by learning rate and training seed: its points from no finetuning over its λ to direct finetuning at that rate, in order of gain."""
        lines = {}
        for rate in self.experiment.swept(self.chosen(target)["chosen"]):
            for seed in self.sizes.seeds:
                found = [self.point(target, "anneal", strength, rate, seed) for strength in self.sizes.sweep] + [self.point(target, "direct", None, rate, seed)]
                lines.setdefault(rate, {})[seed] = sorted([(0.0, 0.0), *filter(None, found)])
        return lines


def rise_at(lines, gain):
    """The least rise at a gain, between neighboring points of lines in order of gain; None beyond their ends."""
    found = []
    for line in lines:
        for (g0, r0), (g1, r1) in zip(line, line[1:]):
            if g0 <= gain <= g1:
                found.append(r0 if g1 == g0 else r0 + (r1 - r0) * (gain - g0) / (g1 - g0))
    return min(found, default=None)


def targets_table(results, target):
    chosen, base, rows = results.chosen(target)["chosen"], results.base(target), []
    rows.append(["generalist", "", f"{base[f'{target}-test']:.3f}", f"{base[f'source-test']:.3f}", "", ""])
    for method, spec in results.methods.items():
        if method not in chosen:
            continue
        strength, rate = chosen[method]
        points = results.points(target, method, strength, rate)
        gains, rises = ([p[i] for p in points.values()] for i in (0, 1))
        setting = f"{rate:g}" + (f", {spec.strength} {strength:g}" if strength is not None else "")
        rows.append([spec.label, setting, cell([base[f"{target}-test"] - g for g in gains]), cell([base["source-test"] + r for r in rises]), cell(gains), cell(rises)])
    return table(["", "learning rate, strength", "target loss", "source loss", "gain", "rise"], rows)


def against_table(results, target):
    chosen, lines, rows = results.chosen(target)["chosen"], results.sweep(target), []
    if not lines:
        return ""
    for method, spec in results.methods.items():
        if method in ("anneal",) or method not in chosen:
            continue
        points = results.points(target, method, *chosen[method])
        gaps = [points[seed][1] - rise for seed in points if (rise := rise_at([of[seed] for of in lines.values()], points[seed][0])) is not None]
        if len(gaps) < len(points) or not gaps:
            verdict = "annealing does not reach this gain"
        else:
            wide = half_width(gaps)
            low, high = statistics.fmean(gaps) - (wide or 0), statistics.fmean(gaps) + (wide or 0)
            verdict = "annealing forgets less" if low > 0 else "annealing forgets more" if high < 0 else "no difference beyond the interval"
        rows.append([spec.label, cell([p[0] for p in points.values()]), cell(gaps), verdict])
    return table(["", "at its gain", "its rise minus annealing's", ""], rows)


def domains_table(results, target):
    """Rise of the source loss by kind of domain: the first word of its name."""
    chosen, base, rows = results.chosen(target)["chosen"], results.base(target), []
    kinds = sorted({key.split("/")[1].split("-")[0] for key in base if key.startswith("source-test/")})

    def by_kind(found):
        return {kind: statistics.fmean(v for k, v in found.items() if k.startswith("source-test/") and k.split("/")[1].split("-")[0] == kind) for kind in kinds}

    before = by_kind(base)
    rows.append(["generalist (loss)", *(f"{before[kind]:.2f}" for kind in kinds)])
    for method, spec in results.methods.items():
        if method in chosen:
            files = [f for seed in results.sizes.seeds if (f := results.file(target, method, *chosen[method], seed))]
            found = [by_kind(results.losses(f)) for f in files]
            rows.append([spec.label, *(f"{statistics.fmean(f[kind] - before[kind] for f in found):+.2f}" if found else "–" for kind in kinds)])
    return table(["mean over the domains of a kind", *kinds], rows)


def tasks_table(results, target):
    chosen, parts, rows = results.chosen(target)["chosen"], [], []
    for part in (target, "source"):
        right = results.accuracy(target, "generalist", part)
        if right and wilson(*right)[0] > 0.25:
            parts.append(part)
    if not parts:
        return "The generalist is not above chance on these tasks.\n"
    names = {part: "target" if part == target else "source" for part in parts}
    cells = []
    for part in parts:
        right, count = results.accuracy(target, "generalist", part)
        low, high = wilson(right, count)
        cells.append(f"{right / count:.3f} ({low:.3f} to {high:.3f})")
    rows.append(["generalist", *cells])
    for method, spec in results.methods.items():
        if method not in chosen:
            continue
        cells = []
        for part in parts:
            runs = [results.accuracy(target, results.experiment.name(target, method, *chosen[method], seed), part) for seed in results.sizes.seeds]
            cells.append(cell([right / count for right, count in filter(None, runs)]))
        rows.append([spec.label, *cells])
    return table(["accuracy, chance 0.250", *(f"{names[part]} ({results.accuracy(target, 'generalist', part)[1]} questions)" for part in parts)], rows)


def picture(results, path):
    """One panel per target: gain against rise. Small dots were tried on the first seed; large ones are chosen, with intervals; the lines are annealing's λ sweeps."""
    wide, tall, left, gap, keys = 380, 280, 60, 70, 24 + 18 * len(results.methods)
    targets, across = results.experiment.targets, 2
    down = (len(targets) + across - 1) // across
    width, height = left + across * (wide + gap), 30 + down * (tall + gap) + keys
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>']
    for number, target in enumerate(targets):
        found, lines, marks = results.chosen(target), results.sweep(target), []
        for index, (method, spec) in enumerate(results.methods.items()):
            color = COLORS[index % len(COLORS)]
            for strength, rate, *_ in found["tried"].get(method, []):
                point = results.point(target, method, strength, rate, results.sizes.seeds[0])
                if point:
                    marks.append((point, None, color, f"{spec.label} {rate:g} {strength if strength is not None else ''}"))
            if method in found["chosen"]:
                points = list(results.points(target, method, *found["chosen"][method]).values())
                if points:
                    means = tuple(statistics.fmean(p[i] for p in points) for i in (0, 1))
                    marks.append((means, tuple(half_width([p[i] for p in points]) or 0 for i in (0, 1)), color, spec.label))
        if not marks:
            continue
        left_x, top = left + number % across * (wide + gap), 30 + number // across * (tall + gap)
        # What forgets far more than the others is drawn at the right edge.
        gains, rises = sorted(m[0][0] for m in marks), sorted(m[0][1] for m in marks)
        high_gain, low_gain = max(gains + [0.01]) * 1.08, min(gains + [0.0])
        high_rise, low_rise = max(rises[int(0.9 * (len(rises) - 1))] * 1.3, 0.01), min(rises + [0.0])

        def at(point):
            rise, gain = min(max(point[1], low_rise), high_rise), min(max(point[0], low_gain), high_gain)
            return left_x + (rise - low_rise) / (high_rise - low_rise) * wide, top + tall - (gain - low_gain) / (high_gain - low_gain) * tall

        parts.append(f'<text x="{left_x + wide / 2:.0f}" y="{top - 10}" text-anchor="middle" font-weight="bold">{target}</text>')
        for step in range(5):
            gain, rise = low_gain + (high_gain - low_gain) * step / 4, low_rise + (high_rise - low_rise) * step / 4
            x, y = at((gain, rise))
            parts.append(f'<path d="M{left_x} {y:.1f}H{left_x + wide}M{x:.1f} {top}V{top + tall}" stroke="#ddd"/>')
            parts.append(f'<text x="{left_x - 6}" y="{y + 4:.1f}" text-anchor="end">{gain:.2f}</text><text x="{x:.1f}" y="{top + tall + 16}" text-anchor="middle">{rise:.2f}</text>')
        parts.append(f'<text x="{left_x + wide / 2:.0f}" y="{top + tall + 34}" text-anchor="middle">rise of the source loss, nats/token</text>')
        parts.append(f'<text transform="translate({left_x - 44} {top + tall / 2}) rotate(-90)" text-anchor="middle">gain on the target</text>')
        for of in lines.values():
            whole = [line for line in of.values() if len(line) == max(map(len, of.values()))]
            path_points = [at(tuple(statistics.fmean(line[i][j] for line in whole) for j in (0, 1))) for i in range(len(whole[0]))]
            color = COLORS[list(results.methods).index("anneal") % len(COLORS)]
            parts.append(f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in path_points)}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        for point, spread, color, label in marks:
            x, y = at(point)
            title = f"<title>{label}: gain {point[0]:.3f}, rise {point[1]:.3f}</title>"
            if spread is None:
                parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}" fill-opacity="0.45">{title}</circle>')
                continue
            (x0, y0), (x1, y1) = at((point[0] - spread[0], point[1] - spread[1])), at((point[0] + spread[0], point[1] + spread[1]))
            parts.append(f'<path d="M{x0:.1f} {y:.1f}H{x1:.1f}M{x:.1f} {y0:.1f}V{y1:.1f}" stroke="{color}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{color}">{title}</circle>')
    for index, spec in enumerate(results.methods.values()):
        y = height - keys + 18 * index
        parts.append(f'<circle cx="{left + 6}" cy="{y - 4}" r="5" fill="{COLORS[index % len(COLORS)]}"/><text x="{left + 18}" y="{y}">{spec.label}</text>')
    path.write_text("".join(parts) + "</svg>\n")


def write(experiment, output, whole):
    from experiment import losses

    results, sizes = Results(experiment, losses), experiment.sizes
    output.parent.mkdir(parents=True, exist_ok=True)
    image = output.with_suffix(".svg")
    picture(results, image)
    wall, all_minutes = experiment.pieces.minutes()
    report = json.loads((experiment.run / "generalist/report.json").read_text())
    counts = json.loads((experiment.run / "dataset/manifest.json").read_text())["counts"]
    done = [target for target in experiment.targets if results.chosen(target)["chosen"]]
    far = "; ".join(f"{target} (left out: {', '.join(f'{n}*' for n in names)})" for target, names in sizes.far.items())
    missing = [t for t in experiment.targets if not (experiment.run / f"generalist.{t}.eval.json").exists()]
    text = f"""# Finetuning and forgetting

Generated by `make results-finetune` (`Benchmarks/finetune/`).{'' if whole else ' **The experiment is not finished: a dash means not run yet.**'} The protocol is at the top of `experiment.py`.

- **Generalist**: preset `{sizes.preset}` with {sizes.layers} layers, {report['parameters'] / 1e6:.2f} M parameters, {report['tokens']:,} tokens of a corpus of {counts['documents']:,} documents and {counts['tokens']:,} tokens.
- **Targets** inside the corpus: {', '.join(sizes.inside)}; far from it: {far}. At most {sizes.target_tokens:,} tokens each, {sizes.epochs} epochs.
- **Source**: held-out documents of all other domains, at most {sizes.source_bytes:,} bytes per domain and half.
- **Gain** is the fall of the target loss, **rise** that of the source loss, in nats/token on the reported halves. Intervals are 90 % over {len(sizes.seeds)} training seeds; they \
do not include the choice of documents.
- **Tuning**: of the settings with at least 90 % of direct finetuning's largest gain, the one that forgets least, on the selecting halves and the first seed.
- **Cost**: {len(experiment.pieces.done)} commands in {wall:.0f} minutes on two threads; {all_minutes:.0f} minutes summed over commands, most of them single-threaded and run two \
at a time.

![Gain against rise, by target]({image.name})

Small dots were tried on the first training seed; large ones were chosen, with their intervals. The lines are annealing at one learning rate each, from no \
finetuning over its λ to direct finetuning. Up and left is better.
"""
    for target in experiment.targets:
        if target in missing:
            continue
        text += f"""
## {target}

{targets_table(results, target)}
{against_table(results, target)}
{domains_table(results, target)}
{tasks_table(results, target)}"""
    if not done:
        text += "\nNothing is finetuned yet.\n"
    output.write_text(text)
