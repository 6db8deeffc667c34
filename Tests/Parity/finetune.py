#!/usr/bin/env python3
"""Finetune the same model on the same batches with PyTorch, by every method, and compare each step with a run of weir.

    python Tests/Parity/finetune.py --weir .build/release/weir MODEL

MODEL is a model folder with its tokenizer. The texts are such that each fills a row of its own and every step sees all of them. Compared are
the cross-entropy, the divergence from the initial model and the gradient norm of every step, the final weights, and for elastic weight
consolidation the Fisher information. Needs torch, transformers, tokenizers, safetensors. Exit code 1 if anything differs.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

SEQUENCE, EPOCHS, RATE = 64, 12, 1e-3
WORDS = "the of a star light in and galaxy distance to observe field red shift bright dust cloud mass orbit time".split()
METHODS = {
    "direct": ([], {}),
    **{
        f"anneal {direction} T={temperature} on {side}": (
            ["anneal", "--lambda", "0.7", "--temperature", str(temperature), "--temperature-on", side, "--direction", direction],
            dict(weight=0.7, temperature=temperature, side=side, direction=direction))
        for direction in ("reverse", "forward") for temperature in (0.5, 1.0, 2.0) for side in ("both", "teacher", "student")
    },
    "anneal linear": (["anneal", "--lambda", "3", "--lambda-schedule", "linear"], dict(weight=3, schedule="linear")),
    "anneal cosine": (["anneal", "--lambda", "3", "--lambda-schedule", "cosine"], dict(weight=3, schedule="cosine")),
    "asft": (["asft", "--asft-alpha", "0.3"], dict(weight=0.3, weighted=True)),
    "dft": (["asft", "--asft-alpha", "0"], dict(weighted=True)),
    "l2": (["l2", "--l2", "0.2"], dict(l2=0.2)),
    "ewc": (["ewc", "--ewc", "2000", "--fisher-data", "{fisher}"], dict(ewc=2000)),
    "anneal,l2,ewc": (
        ["anneal,l2,ewc", "--lambda", "0.5", "--l2", "0.1", "--ewc", "300", "--fisher-data", "{fisher}"],
        dict(weight=0.5, l2=0.1, ewc=300)),
}


def texts(tokenizer, count, seed):
    """Texts whose tokens fill more than half a row, with their tokens and the end of document."""
    draw, found = random.Random(seed), []
    end = tokenizer.token_to_id("<|endoftext|>")
    while len(found) < count:
        text = " ".join(draw.choices(WORDS, k=draw.randint(36, 50)))
        ids = tokenizer.encode(text).ids + [end]
        if SEQUENCE // 2 < len(ids) <= SEQUENCE:
            found.append((text, ids))
    return found


def write(path, found):
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text, _ in found))
    return path


def finetune(weir, model, data, folder, flags):
    """Runs weir; returns the lines of its log."""
    command = [weir, "finetune", model, "--data", data, "-o", folder, "--sequence", SEQUENCE, "--batch-size", 3, "--epochs", EPOCHS]
    command += ["--lr", RATE, "--schedule", "constant", "--warmup-fraction", 0, "--weight-decay", 0.1, "--quiet", "--method", *flags]
    subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL)
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def divergence(logits, frozen, temperature=1.0, side="both", direction="reverse"):
    q = F.log_softmax(logits / (1 if side == "teacher" else temperature), -1)
    r = F.log_softmax(frozen / (1 if side == "student" else temperature), -1)
    return (q.exp() * (q - r)).sum(-1) if direction == "reverse" else (r.exp() * (r - q)).sum(-1)


def optimizer_of(parameters):
    """`parameters` as (name, parameter): weight decay for the layers' matrices only."""
    decayed = [p for name, p in parameters if p.dim() == 2 and ".layers." in name]
    others = [p for name, p in parameters if not (p.dim() == 2 and ".layers." in name)]
    groups = [dict(params=decayed, weight_decay=0.1), dict(params=others, weight_decay=0.0)]
    return torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95), eps=1e-8)


def train(model, frozen, rows, weight=0.0, schedule="constant", weighted=False, l2=0.0, ewc=0.0, fisher=None, **kl):
    """The steps of a run: cross-entropy, divergence and gradient norm of each."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    initial, optimizer, log = [p.detach().clone() for _, p in named], optimizer_of(named), []
    for step in range(EPOCHS):
        entropy, distance, count = 0.0, 0.0, sum(len(ids) - 1 for ids in rows)
        objective = 0.0
        fraction = step / EPOCHS
        now = weight * {"constant": 1.0, "linear": 1 - fraction, "cosine": (1 + torch.cos(torch.tensor(torch.pi * fraction)).item()) / 2}[schedule]
        for ids in rows:
            tokens = torch.tensor([ids])
            logits, targets = model(tokens).logits[0, :-1], tokens[0, 1:]
            losses = F.cross_entropy(logits, targets, reduction="none")
            with torch.no_grad():
                reference = frozen(tokens).logits[0, :-1]
            kls = divergence(logits, reference, **kl)
            scale = losses.detach().neg().exp() if weighted else 1.0
            objective = objective + ((scale * losses).sum() + now * kls.sum()) / count
            entropy += losses.sum().item() / count
            distance += kls.sum().item() / count
        for (name, p), start in zip(named, initial):
            if l2:
                objective = objective + l2 / 2 * ((p - start) ** 2).sum()
            if ewc:
                objective = objective + ewc / 2 * (fisher[name] * (p - start) ** 2).sum()
        optimizer.zero_grad()
        objective.backward()
        norm = torch.nn.utils.clip_grad_norm_([p for _, p in named], 1.0)
        optimizer.step()
        log.append((entropy, distance, norm.item()))
    return log


def fisher_of(model, rows):
    """Mean over sequences of the squared gradient of the sequence's mean loss."""
    total = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    for ids in rows:
        tokens = torch.tensor([ids])
        model.zero_grad()
        F.cross_entropy(model(tokens).logits[0, :-1], tokens[0, 1:]).backward()
        for name, p in model.named_parameters():
            total[name] += p.grad ** 2 / len(rows)
    model.zero_grad()
    return total


def compare(name, log, expected, tolerance):
    """Prints one line, and returns whether the steps agree."""
    worst = 0.0
    for line, (entropy, distance, norm) in zip(log, expected, strict=True):
        worst = max(worst, abs(line["loss"] - entropy) / entropy, abs(line["grad_norm"] - norm) / norm)
        if "divergence" in line:
            worst = max(worst, abs(line["divergence"] - distance) / max(distance, 1e-2))
    print(f"{name:36} {len(log)} steps, largest relative difference {worst:.1e}")
    return worst <= tolerance


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--weir", default=".build/release/weir")
    parser.add_argument("--tolerance", type=float, default=5e-4, help="largest relative difference of a step")
    parser.add_argument("--weight-tolerance", type=float, default=2e-4, help="largest difference of a weight")
    options = parser.parse_args()
    tokenizer, good = Tokenizer.from_file(str(options.model / "tokenizer.json")), True
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        found, others = texts(tokenizer, 3, 1), texts(tokenizer, 5, 2)
        data, other = write(folder / "data.jsonl", found), write(folder / "fisher.jsonl", others)
        frozen = load(options.model).eval()
        for index, (name, (flags, settings)) in enumerate(METHODS.items()):
            run = folder / f"run-{index}"
            log = finetune(options.weir, options.model, data, run, [flag.format(fisher=other) for flag in flags or ["direct"]])
            model = load(options.model)
            if "ewc" in settings:
                settings = settings | dict(fisher=fisher_of(model, [ids for _, ids in others]))
                for tensor, values in load_file(run / "fisher/fisher.safetensors").items():
                    wanted = settings["fisher"][tensor]
                    if not torch.allclose(values, wanted, rtol=2e-3, atol=1e-4 * wanted.max().item()):
                        print(f"{name}: the Fisher information of {tensor} differs")
                        good = False
            good &= compare(name, log, train(model, frozen, [ids for _, ids in found], **settings), options.tolerance)
            weights = load_file(run / "model/model.safetensors")
            difference = max((weights[n] - p.detach()).abs().max().item() for n, p in model.named_parameters())
            if difference > options.weight_tolerance:
                print(f"{name}: the final weights differ by {difference:.1e}")
                good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
