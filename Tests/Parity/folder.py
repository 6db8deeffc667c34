#!/usr/bin/env python3
"""Compare models saved by transformers and read by weir, and the reverse: logits on real text, greedy continuations, refusals.

    python Tests/Parity/folder.py --weir .build/release/weir --tokenizer tokenizer/bpe4k HELDOUT.jsonl
    python Tests/Parity/folder.py --tokenizer tokenizer/bpe4k --save NAME FOLDER      only saves one of the models

Random Llama, Qwen 2 and Qwen 3 models of several shapes (grouped queries, tied or not, float32, bfloat16, float16, one file or shards, another
rotary base, scaled rotary positions, biases, an embedding larger than the tokenizer, a beginning of text) are saved by transformers.
`weir eval --logits` must give the tokens and the logits of transformers in float32 from the same weights within --tolerance,
`weir generate --temperature 0` the same text. `weir train --init` at a learning rate of 10⁻³⁰ writes such a model back with the same
configuration, which transformers must load to the same logits. Needs torch, transformers, tokenizers. Exit code 1 if anything differs.
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
from tokenizers import processors
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast, Qwen2Config, Qwen3Config

PROMPTS = ["The distance of a star", "In the beginning", "fn main() {", "Die Datei", "Привет", "日本語の"]
GQA = dict(num_attention_heads=8, num_key_value_heads=2, tie_word_embeddings=False)
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}


def rope(theta=10000.0, **members):
    return dict(rope_parameters={"rope_theta": theta} | members)


MODELS = {
    "gqa-untied-bf16": (LlamaConfig, GQA, torch.bfloat16, {}),
    "mha-tied-f32": (LlamaConfig, dict(num_attention_heads=4, num_key_value_heads=4, tie_word_embeddings=True), torch.float32, {}),
    "mqa-untied-f16-shards": (
        LlamaConfig, dict(num_attention_heads=6, num_key_value_heads=1, tie_word_embeddings=False, rope_theta=500000.0, rms_norm_eps=1e-6),
        torch.float16, dict(max_shard_size="300KB")),
    "gqa-tied-bf16-shards-head48": (
        LlamaConfig, dict(num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True, head_dim=48), torch.bfloat16,
        dict(max_shard_size="500KB")),
    "gqa-untied-f32-padded": (
        LlamaConfig, dict(num_attention_heads=8, num_key_value_heads=4, tie_word_embeddings=False, padded=64), torch.float32, {}),
    "begin": (LlamaConfig, GQA | dict(begin=True), torch.float32, {}),
    "linear": (LlamaConfig, GQA | rope(rope_type="linear", factor=4.0), torch.float32, {}),
    "llama3-biases": (LlamaConfig, GQA | rope(500000.0, **LLAMA3) | dict(attention_bias=True), torch.bfloat16, {}),
    "dynamic": (LlamaConfig, GQA | rope(rope_type="dynamic", factor=4.0) | dict(max_position_embeddings=32), torch.float32, {}),
    "yarn": (LlamaConfig, GQA | rope(**YARN), torch.float32, {}),
    "yarn-mscale": (
        LlamaConfig, GQA | rope(**YARN, mscale=0.7, mscale_all_dim=1.3, beta_fast=16, beta_slow=2, truncate=False), torch.float32, {}),
    "qwen2": (Qwen2Config, GQA, torch.bfloat16, {}),
    "qwen2-yarn": (Qwen2Config, GQA | rope(1000000.0, **YARN, attention_factor=1.1), torch.float32, {}),
    "qwen3-biases-llama3": (Qwen3Config, GQA | rope(**LLAMA3) | dict(attention_bias=True, head_dim=24), torch.float32, {}),
}
REFUSED = {
    "rope scaling": dict(rope_parameters={
        "rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0] * 24, "long_factor": [2.0] * 24, "factor": 2.0,
        "original_max_position_embeddings": 128}),
    "biases": dict(mlp_bias=True),
    "activation": dict(hidden_act="gelu"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heldout", type=pathlib.Path, nargs="?")
    parser.add_argument("--weir")
    parser.add_argument("--save", nargs=2)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--tie", type=float, default=1e-4)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    options = parser.parse_args()
    bad = []

    def weir(*words, check=True):
        done = subprocess.run([options.weir, *map(str, words)], capture_output=True, stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise SystemExit(f"weir {' '.join(map(str, words))}: {done.stderr.decode()}")
        return done

    def load_tokenizer(begin=False):
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(options.tokenizer / "tokenizer.json"), eos_token="<|endoftext|>", clean_up_tokenization_spaces=False)
        if begin:
            tokenizer.add_special_tokens({"bos_token": "<|begin_of_text|>"})
            tokenizer._tokenizer.post_processor = processors.TemplateProcessing(
                single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A $B", special_tokens=[("<|begin_of_text|>", tokenizer.bos_token_id)])
        return tokenizer

    def shape(tokenizer, kind=LlamaConfig, padded=0, **members):
        end = tokenizer.eos_token_id
        members = dict(
            vocab_size=len(tokenizer) + padded, hidden_size=192, intermediate_size=352, num_hidden_layers=3, max_position_embeddings=256,
            bos_token_id=end, eos_token_id=end) | members
        return kind(**members)

    def save(folder, tokenizer, config, dtype=torch.float32, **how):
        torch.manual_seed(len(folder.name))
        model = AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                # Large enough that the choice of the next token is clear.
                weight.normal_(1 if "norm" in name else 0, 0.1 if "norm" in name else 0.08)
        model = model.to(dtype).eval()
        model.save_pretrained(folder, **how)
        tokenizer.save_pretrained(folder)

    if options.save:
        name, folder = options.save
        kind, members, dtype, how = MODELS[name]
        tokenizer = load_tokenizer()
        return save(pathlib.Path(folder), tokenizer, shape(tokenizer, kind, **members), dtype, **how)
    work = pathlib.Path(tempfile.mkdtemp())
    texts = [json.loads(line)["text"] for line in options.heldout.open(encoding="utf8")]

    def apart(folder, model, tokenizer, length):
        """The largest difference of logits over the held-out text, and the number of tokens."""
        weir("eval", folder, "--data", options.heldout, "--logits", work / "logits.safetensors", "--sequence", length, "--quiet")
        largest, count = 0.0, 0
        with safe_open(work / "logits.safetensors", "pt") as file, torch.no_grad():
            for index, text in enumerate(texts):
                tokens, ours = file.get_tensor(f"tokens.{index}").long(), file.get_tensor(f"logits.{index}")
                if tokens.tolist() != tokenizer(text).input_ids + [tokenizer.eos_token_id]:
                    bad.append(f"{folder.name}: other tokens in document {index}")
                for piece, mine in zip(tokens.split(length), ours.split(length)):
                    # A short text resets the frequencies that dynamic scaling remembers.
                    model(piece[None, :1])
                    largest = max(largest, (model(piece[None]).logits[0] - mine).abs().max().item())
                    count += len(piece)
        return largest, count

    def load(folder):
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    def same_files(one, other):
        """Whether all files but the weights are the same, except for the type of the weights."""
        def content(folder, name):
            text = (folder / name).read_bytes()
            return {k: v for k, v in json.loads(text).items() if k not in ("dtype", "torch_dtype")} if name == "config.json" else text

        names = [path.name for path in one.iterdir() if "safetensors" not in path.name]
        return all((other / name).exists() and content(one, name) == content(other, name) for name in names)

    weir("tokenize", options.heldout, "--tokenizer", options.tokenizer, "--shards", work / "data", "--quiet")
    for name in options.models:
        kind, members, dtype, how = MODELS[name]
        folder, members = work / name, dict(members)
        tokenizer = load_tokenizer(members.pop("begin", False))
        save(folder, tokenizer, shape(tokenizer, kind, **members), dtype, **how)
        model = load(folder)
        length = 128 if name == "dynamic" else 256
        far, count = apart(folder, model, tokenizer, length)
        equal, ties = 0, 0
        for prompt in PROMPTS:
            ids = tokenizer(prompt, return_tensors="pt").input_ids
            result = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=options.tokens, do_sample=False,
                pad_token_id=tokenizer.eos_token_id, return_dict_in_generate=True, output_logits=True)
            new = [token for token in result.sequences[0, ids.shape[1] :].tolist() if token != tokenizer.eos_token_id]
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
        data = work / "data"
        if name == "begin":
            data = work / "data-begin"
            weir("tokenize", options.heldout, "--tokenizer", folder, "--add-special", "--shards", data, "--quiet")
        train = [
            "train", data, "--init", folder, "--tokens", 1, "--lr", 1e-30, "--weight-decay", 0, "--sequence", 64 if name != "dynamic" else 32,
            "--batch-size", 1, "-o", work / (name + "-back"), "--quiet"]
        if name == "dynamic":
            done = weir(*train, check=False)
            if done.returncode != 1 or "evaluation and generation only" not in done.stderr.decode():
                bad.append(f"{name}: training was not refused")
            print(line + "; training refused", flush=True)
            continue
        weir(*train)
        back = work / (name + "-back") / "model"
        # A step of 10⁻³⁰ changes only a weight that is zero.
        same = all((a - b).abs().max() < 1e-20 for a, b in zip(load(back).parameters(), model.parameters(), strict=True))
        again, _ = apart(back, load(back), tokenizer, length)
        files = same_files(folder, back)
        line += f"; written back {'the same weights' if same else 'OTHER WEIGHTS'} and {'the same files' if files else 'OTHER FILES'}, apart {again:.1e}"
        if not same or not files or not again <= options.tolerance:
            bad.append(line)
        print(line, flush=True)
        shutil.rmtree(work / (name + "-back"))

    for name, members in REFUSED.items():
        folder, tokenizer = work / "refused", load_tokenizer()
        save(folder, tokenizer, shape(tokenizer, num_attention_heads=4, num_key_value_heads=4, **members))
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
