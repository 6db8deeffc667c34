#!/usr/bin/env python3
"""Compare models saved by transformers and read by weir, and the reverse: logits on real text, greedy continuations, refusals.

    python Tests/Parity/folder.py --weir .build/release/weir --tokenizer tokenizer/bpe4k HELDOUT.jsonl

Random Llama models of several shapes (grouped queries, tied or not, float32, bfloat16, float16, one file or shards, another rotary base,
an embedding larger than the tokenizer) are saved by transformers. `weir eval --logits` must give the logits of transformers in float32 from the
same weights within --tolerance, `weir generate --temperature 0` the same text. `weir train --init` at a learning rate of 10⁻³⁰ writes such
a model back, which transformers must load to the same logits. Needs torch, transformers, tokenizers. Exit code 1 if anything differs.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

PROMPTS = ["The distance of a star", "In the beginning", "fn main() {", "Die Datei", "Привет", "日本語の"]
MODELS = {
    "gqa-untied-bf16": (dict(num_attention_heads=8, num_key_value_heads=2, tie_word_embeddings=False), torch.bfloat16, {}),
    "mha-tied-f32": (dict(num_attention_heads=4, num_key_value_heads=4, tie_word_embeddings=True), torch.float32, {}),
    "mqa-untied-f16-shards": (
        dict(num_attention_heads=6, num_key_value_heads=1, tie_word_embeddings=False, rope_theta=500000.0, rms_norm_eps=1e-6),
        torch.float16, dict(max_shard_size="300KB")),
    "gqa-tied-bf16-shards-head48": (
        dict(num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True, head_dim=48), torch.bfloat16, dict(max_shard_size="500KB")),
    "gqa-untied-f32-padded": (dict(num_attention_heads=8, num_key_value_heads=4, tie_word_embeddings=False, padded=64), torch.float32, {}),
}
REFUSED = {
    "rope scaling": dict(rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}),
    "biases": dict(attention_bias=True),
    "activation": dict(hidden_act="gelu"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heldout", type=pathlib.Path)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--tie", type=float, default=1e-4)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp())
    bad = []

    def weir(*words, check=True):
        done = subprocess.run([options.weir, *map(str, words)], capture_output=True, stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise SystemExit(f"weir {' '.join(map(str, words))}: {done.stderr.decode()}")
        return done

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(options.tokenizer / "tokenizer.json"), eos_token="<|endoftext|>", clean_up_tokenization_spaces=False)
    end = tokenizer.eos_token_id

    def shape(padded=0, **members):
        members = dict(
            vocab_size=len(tokenizer) + padded, hidden_size=192, intermediate_size=352, num_hidden_layers=3, max_position_embeddings=256,
            bos_token_id=end, eos_token_id=end) | members
        return LlamaConfig(**members)

    def save(folder, config, dtype=torch.float32, **how):
        torch.manual_seed(len(folder.name))
        model = LlamaForCausalLM(config)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                # Large enough that the choice of the next token is clear.
                weight.normal_(1 if "norm" in name else 0, 0.1 if "norm" in name else 0.08)
        model = model.to(dtype).eval()
        model.save_pretrained(folder, **how)
        tokenizer.save_pretrained(folder)

    def apart(folder, model):
        """The largest difference of logits over the held-out text, and the number of tokens."""
        weir("eval", folder, "--data", options.heldout, "--logits", work / "logits.safetensors", "--quiet")
        largest, count = 0.0, 0
        with safe_open(work / "logits.safetensors", "pt") as file, torch.no_grad():
            for index in range(len(file.keys()) // 2):
                tokens, ours = file.get_tensor(f"tokens.{index}").long(), file.get_tensor(f"logits.{index}")
                for piece, mine in zip(tokens.split(256), ours.split(256)):
                    largest = max(largest, (model(piece[None]).logits[0] - mine).abs().max().item())
                    count += len(piece)
        return largest, count

    def load(folder):
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    weir("tokenize", options.heldout, "--tokenizer", options.tokenizer, "--shards", work / "data", "--quiet")
    for name, (members, dtype, how) in MODELS.items():
        folder = work / name
        save(folder, shape(**members), dtype, **how)
        model = load(folder)
        far, count = apart(folder, model)
        equal, ties = 0, 0
        for prompt in PROMPTS:
            ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt").input_ids
            result = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=options.tokens, do_sample=False, pad_token_id=end,
                return_dict_in_generate=True, output_logits=True)
            new = [token for token in result.sequences[0, ids.shape[1] :].tolist() if token != end]
            mine = weir("generate", folder, "--prompt", prompt, "--tokens", options.tokens, "--temperature", 0, "--quiet").stdout.decode()[:-1]
            gaps = [(lambda top: (top[0] - top[1]).item())(torch.topk(step[0], 2).values) for step in result.logits]
            if mine == prompt + tokenizer.decode(new):
                equal += 1
            elif min(gaps) < options.tie:
                ties += 1
            else:
                bad.append(f"{name}: {prompt!r} goes on {mine!r}, with transformers {tokenizer.decode(new)!r}; closest choice {min(gaps):.1e}")
        line = f"{name}: logits of {count} tokens apart {far:.1e}, {equal} of {len(PROMPTS)} continuations equal, {ties} after a tie"
        if not far <= options.tolerance:
            bad.append(line)
        weir(
            "train", work / "data", "--init", folder, "--tokens", 1, "--lr", 1e-30, "--weight-decay", 0, "--sequence", 64, "--batch-size", 1,
            "-o", work / (name + "-back"), "--quiet")
        back = work / (name + "-back") / "model"
        # A step of 10⁻³⁰ changes only a weight that is zero.
        same = all((a - b).abs().max() < 1e-20 for a, b in zip(load(back).parameters(), model.parameters(), strict=True))
        again, _ = apart(back, load(back))
        line += f"; written back {'the same weights' if same else 'OTHER WEIGHTS'}, apart {again:.1e}"
        if not same or not again <= options.tolerance:
            bad.append(line)
        print(line, flush=True)
        shutil.rmtree(work / (name + "-back"))

    for name, members in REFUSED.items():
        folder = work / "refused"
        save(folder, shape(num_attention_heads=4, num_key_value_heads=4, **members))
        done = weir("eval", folder, "--data", options.heldout, check=False)
        lines = done.stderr.decode().strip().split("\n")
        print(f"refused ({name}): {lines[-1].replace(str(work), '')}")
        if done.returncode != 1 or len(lines) != 1:
            bad.append(f"{name} was not refused with one line")
        shutil.rmtree(folder)
    shutil.rmtree(work)
    for line in bad:
        print("differs: " + line)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
