#!/usr/bin/env python3
"""Train the same model on the same batches with PyTorch and transformers, and compare every step with a run of weir.

    weir feed DATASET --steps 20 --raw BATCHES …                     tokens.i32, targets.i32, starts.i32, shape.json
    weir train DATASET -o RUN --steps 20 --checkpoint-at 0 …         the initial weights are then RUN/checkpoints/step-00000000
    python Tests/Parity/training.py RUN BATCHES [--logits FILE]

BATCHES holds little-endian int32 arrays of [steps, rows, sequence] and shape.json with those three numbers. FILE, optional, holds the
float32 logits [sequence, vocabulary] that weir's final model gives the first row of the first batch.
Needs torch, transformers, safetensors, numpy. Exit code 1 if a difference is larger than its tolerance.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM


def mask_of(starts):
    """[rows, sequence] starts -> additive mask [rows, 1, sequence, sequence]: t sees starts[t]...t."""
    position = torch.arange(starts.shape[1])
    seen = (position[None, None, :] <= position[None, :, None]) & (position[None, None, :] >= starts[:, :, None])
    return torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)[:, None]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("batches", type=pathlib.Path)
    parser.add_argument("--logits", type=pathlib.Path)
    # Rounding grows from step to step: over 200 steps of one run PyTorch's own curves differ by 1.9e-3 (eager against SDPA) and 1.6e-3
    # (float32 against float64), so the early steps have a much tighter tolerance.
    parser.add_argument("--early-tolerance", type=float, default=1e-5, help="largest relative difference of the loss in 50 steps")
    parser.add_argument("--loss-tolerance", type=float, default=1e-3, help="the same over all steps")
    parser.add_argument("--logit-tolerance", type=float, default=1e-4)
    parser.add_argument("--brief", action="store_true", help="do not print one line per step")
    options = parser.parse_args()

    torch.manual_seed(0)
    plan = json.loads((options.run / "run.json").read_text())["configuration"]
    log = [json.loads(line) for line in (options.run / "log.jsonl").read_text().splitlines()]
    shape = json.loads((options.batches / "shape.json").read_text())
    shape = [shape[k] for k in ("steps", "rows", "sequence")] if isinstance(shape, dict) else shape
    arrays = {n: np.fromfile(options.batches / f"{n}.i32", dtype="<i4").reshape(shape) for n in ("tokens", "targets", "starts")}
    arrays = {n: torch.from_numpy(a.astype(np.int64)) for n, a in arrays.items()}
    initial = options.run / "checkpoints" / "step-00000000"
    model = AutoModelForCausalLM.from_pretrained(initial, dtype=torch.float32, attn_implementation="eager")
    model.train()

    # Weight decay acts on the matrices of the layers only. With muP (Tensor Programs V, table 8) these learn at rate · base / width; the
    # multipliers of the output and of attention lie in the final norm's gain and in the queries (in their norm's gain where there is one).
    config, base, base_head = model.config, plan.get("baseWidth"), plan.get("baseHeadWidth")
    ratio = base / config.hidden_size if base else 1.0
    query = (base_head / config.head_dim) ** 0.5 if base and base_head else 1.0
    query_name = "q_norm.weight" if config.model_type == "qwen3" else "q_proj.weight"
    groups = []
    for name, parameter in model.named_parameters():
        matrix = parameter.dim() == 2 and name.startswith("model.layers.")
        rate = (ratio if matrix or name == "model.norm.weight" else 1.0) * (query if name.endswith(query_name) else 1.0)
        groups.append({"params": [parameter], "weight_decay": plan["weightDecay"] / rate if matrix else 0.0, "rate": rate})
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(plan["beta1"], plan["beta2"]), eps=plan["epsilon"])
    z_weight = plan.get("zLoss") or 0.0
    worst = {"loss": 0.0, "grad_norm": 0.0}
    for step, line in enumerate(log[: shape[0]]):
        tokens, targets, starts = (arrays[n][step] for n in ("tokens", "targets", "starts"))
        logits = model(input_ids=tokens, attention_mask=mask_of(starts)).logits
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
        optimizer.zero_grad()
        z = z_weight * logits.logsumexp(-1)[targets >= 0].square().mean()
        (loss + z).backward()
        if z_weight:
            worst["z_loss"] = max(worst.get("z_loss", 0.0), abs(z.item() - line["z_loss"]) / z.item())
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), plan["clip"] if plan["clip"] > 0 else float("inf"))
        for group in optimizer.param_groups:
            group["lr"] = line["lr"] * group["rate"]
        optimizer.step()
        worst["loss"] = max(worst["loss"], abs(loss.item() - line["loss"]))
        worst["relative"] = max(worst.get("relative", 0.0), abs(loss.item() - line["loss"]) / loss.item())
        if step < 50:
            worst["early"] = worst["relative"]
        worst["grad_norm"] = max(worst["grad_norm"], abs(norm.item() - line["grad_norm"]) / max(norm.item(), 1e-9))
        if not options.brief:
            print(f"step {line['step']}: loss {loss.item():.6f} here, {line['loss']:.6f} in the log; "
                  f"gradient norm {norm.item():.5f}, {line['grad_norm']:.5f}")

    bad = worst["relative"] > options.loss_tolerance or worst["early"] > options.early_tolerance
    z = f", of the z-loss {worst['z_loss']:.2e} (relative)" if z_weight else ""
    print(f"training: {shape[0]} steps of a {config.model_type} model, largest difference of the loss {worst['loss']:.2e} "
          f"({worst['relative']:.2e} relative, {worst['early']:.2e} in 50 steps), of the gradient norm {worst['grad_norm']:.2e} (relative){z}")
    if len(log) == shape[0]:
        ours = load_file(options.run / "model" / "model.safetensors")
        theirs = dict(model.named_parameters())
        far = max((ours[n] - theirs[n].detach()).abs().max().item() for n in ours)
        print(f"largest weight difference after {shape[0]} steps {far:.2e}")
    final = AutoModelForCausalLM.from_pretrained(options.run / "model", dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        logits = final(input_ids=arrays["tokens"][0, :1], attention_mask=mask_of(arrays["starts"][0, :1])).logits[0]
    if options.logits:
        ours = torch.from_numpy(np.fromfile(options.logits, dtype="<f4").reshape(logits.shape))
        far = (ours - logits).abs().max().item()
        print(f"largest logit difference {far:.2e}")
        bad |= far > options.logit_tolerance
    print("differs" if bad else "agrees")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
