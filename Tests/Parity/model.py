#!/usr/bin/env python3
"""Load a model trained by weir with transformers, and compare the loss of held-out documents (`weir eval`) and greedy continuations
(`weir generate --temperature 0`).

    python Tests/Parity/model.py --weir .build/release/weir RUN HELDOUT.jsonl

Each document is scored from its beginning in chunks of the model's length, as `weir eval` does: chunk p has the tokens
p·L … p·L + L, of which the first is context alone; the end-of-document token is scored, the first token is not. A continuation may differ
if the two most likely tokens are closer than --tie. Needs torch, transformers, tokenizers. Exit code 1 if anything differs.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

PROMPTS = ["The distance of a star", "In the beginning", "fn main() {", "Die Datei", "import numpy", "A theorem is", "Let x be"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("heldout", type=pathlib.Path)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--tie", type=float, default=1e-4)
    parser.add_argument("--loss-tolerance", type=float, default=1e-5)
    options = parser.parse_args()

    def weir(*words):
        return subprocess.run([options.weir, *map(str, words)], check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL).stdout.decode()

    folder = options.run / "model"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    end = model.config.eos_token_id
    length = model.config.max_position_embeddings
    bad = False

    total, count = 0.0, 0
    for line in options.heldout.open(encoding="utf8"):
        ids = tokenizer(json.loads(line)["text"], add_special_tokens=False).input_ids + [end]
        for start in range(0, len(ids) - 1, length):
            piece = torch.tensor(ids[start : start + length + 1])
            with torch.no_grad():
                logits = model(piece[None, :-1]).logits[0]
            total += F.cross_entropy(logits.double(), piece[1:], reduction="sum").item()
            count += len(piece) - 1
    ours = json.loads(weir("eval", options.run, "--data", options.heldout, "--json", "--quiet"))
    gap = abs(ours["loss"] - total / count)
    print(f"eval: {ours['loss']:.7f} over {ours['tokens']} tokens, transformers {total / count:.7f} over {count}, difference {gap:.1e}")
    bad |= gap > options.loss_tolerance or ours["tokens"] != count

    equal, ties = 0, 0
    for prompt in PROMPTS:
        ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt").input_ids
        result = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=options.tokens, do_sample=False, pad_token_id=end,
            return_dict_in_generate=True, output_logits=True)
        new = result.sequences[0, ids.shape[1] :].tolist()
        text = tokenizer.decode([t for t in new if t != end], clean_up_tokenization_spaces=False)
        theirs = prompt + text.rstrip("\ufffd")
        mine = weir("generate", options.run, "--prompt", prompt, "--tokens", options.tokens, "--temperature", 0, "--quiet")[:-1].rstrip("\ufffd")
        gaps = [(lambda top: (top[0] - top[1]).item())(torch.topk(step[0], 2).values) for step in result.logits]
        if mine == theirs:
            equal += 1
        elif min(gaps) < options.tie:
            ties += 1
        else:
            bad = True
            print(f"generate: {prompt!r}: {mine!r} here, {theirs!r} with transformers; closest choice {min(gaps):.1e}")
    print(f"generate: {equal} of {len(PROMPTS)} greedy continuations of {options.tokens} tokens equal, {ties} differ by a tie")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
