#!/usr/bin/env python3
"""Compare low-rank adapters with PEFT: the steps of training, the folder that weir writes, and the one that PEFT writes.

    python Tests/Parity/adapters.py --weir .build/release/weir MODEL

For several sets of matrices and ranks, PEFT creates an adapter of MODEL (a model folder with its tokenizer) and saves it; `weir finetune
--method lora --adapter` continues from it, alone and with annealing. The steps must be those of PEFT under PyTorch; PEFT must load the
adapter that weir wrote, give the logits of the merged model that weir wrote, and have the weights of PEFT's own training. Needs torch, transformers, peft,
tokenizers. Exit code 1 if anything differs.
"""
import argparse
import pathlib
import sys
import tempfile

import torch
from finetune import compare, finetune, load, texts, train, write
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = [
    (8, 16, "all-linear", ["lora"], {}),
    (3, 5, ["q_proj", "v_proj"], ["lora"], {}),
    (4, 4, ["down_proj", "gate_proj", "k_proj"], ["lora,anneal", "--lambda", "0.7"], dict(weight=0.7)),
    (16, 8, ALL, ["lora,asft", "--asft-alpha", "0.3"], dict(weight=0.3, weighted=True)),
]


def adapted(model, rank, alpha, targets):
    """A PEFT model whose factors are all different from 0."""
    torch.manual_seed(rank)
    peft = get_peft_model(load(model), LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, task_type="CAUSAL_LM"))
    for name, p in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p, std=0.02)
    return peft


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--weir", default=".build/release/weir")
    parser.add_argument("--tolerance", type=float, default=5e-4)
    parser.add_argument("--logit-tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    tokenizer, good = Tokenizer.from_file(str(options.model / "tokenizer.json")), True
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        found = texts(tokenizer, 3, 1)
        data, rows = write(folder / "data.jsonl", found), [ids for _, ids in found]
        frozen = load(options.model).eval()
        for index, (rank, alpha, targets, flags, settings) in enumerate(CASES):
            name = f"{flags[0]} rank {rank} {targets if targets == 'all-linear' else len(targets)}"
            peft, run, saved = adapted(options.model, rank, alpha, targets), folder / f"run-{index}", folder / f"adapter-{index}"
            peft.save_pretrained(saved)
            log = finetune(options.weir, options.model, data, run, flags + ["--adapter", saved])
            good &= compare(name, log, train(peft, frozen, rows, **settings), options.tolerance)
            tuned, merged = PeftModel.from_pretrained(load(options.model), run / "adapter"), load(run / "model")
            own = dict(peft.named_parameters())
            for parameter, p in tuned.named_parameters():
                if "lora_" in parameter and (p - own[parameter]).abs().max() > 2e-4:
                    print(f"{name}: {parameter} differs from PEFT's training by {(p - own[parameter]).abs().max():.1e}")
                    good = False
            with torch.no_grad():
                tokens = torch.tensor([rows[0]])
                one, two, three = (m.eval()(tokens).logits for m in (tuned, merged, peft))
            print(f"{'':36} logits: PEFT with the adapter − merged {(one - two).abs().max():.1e}, − PEFT's training {(one - three).abs().max():.1e}")
            good &= (one - two).abs().max().item() <= options.logit_tolerance
            good &= tuned.peft_config["default"].r == rank and tuned.peft_config["default"].lora_alpha == alpha
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
