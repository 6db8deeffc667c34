#!/usr/bin/env python3
"""Finetune chat folders that transformers saved, and compare them with what transformers makes of the initial and of the finetuned ones.

    python Tests/Parity/chat_folder.py --weir .build/release/weir --tokenizer tokenizer/bpe4k

Small random models get the tokens, templates and settings of Llama-3, Qwen-3 and Gemma chat models: several tokens that end a text, a padding token,
generation settings, a template as a file, as a string and as a list of named ones, and further templates in a folder. `weir finetune` learns one
conversation by heart. Then all files but the weights have the bytes they had, except for the type of the weights in config.json; the tokenizer,
`apply_chat_template`, the configuration and the generation configuration are equal in transformers; `generate` of transformers and
`weir generate --allow-special` continue the conversation alike and stop at the token that ends a turn. `weir train --init`, its checkpoint and
`weir merge` are compared too. Needs torch, transformers, tokenizers. Exit code 1 if anything differs.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, PreTrainedTokenizerFast, Qwen3Config

LLAMA = (
    "{{- bos_token }}{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + "
    "'<|eot_id|>' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}")
QWEN = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}")
GEMMA = (
    "{{ bos_token }}{% for message in messages %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}")
FOLDERS = {
    "llama3": dict(
        config=LlamaConfig, template=LLAMA, bos="<|begin_of_text|>", eos="<|eot_id|>", pad="<|finetune_right_pad_id|>",
        ends=["<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"], specials=["<|start_header_id|>", "<|end_header_id|>"],
        members=dict(rope_parameters={
            "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}),
        generation=dict(do_sample=True, temperature=0.6, top_p=0.9), style="file"),
    "qwen3": dict(
        config=Qwen3Config, template=QWEN, bos=None, eos="<|im_end|>", pad="<|endoftext|>", ends=["<|im_end|>", "<|endoftext|>"],
        specials=["<|im_start|>"], members=dict(head_dim=24, tie_word_embeddings=True),
        generation=dict(do_sample=True, temperature=0.6, top_k=20, top_p=0.95), style="string"),
    "gemma": dict(
        config=LlamaConfig, template=GEMMA, bos="<bos>", eos="<eos>", pad="<pad>", ends=["<eos>", "<end_of_turn>"], specials=["<start_of_turn>"],
        members=dict(rms_norm_eps=1e-06), generation=dict(cache_implementation=None, top_k=64, top_p=0.95, do_sample=True), style="list"),
}
ASKED = [{"role": "user", "content": "What is a star?"}]
ANSWER = "A luminous sphere of plasma."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, default=80)
    options = parser.parse_args()
    work, bad = pathlib.Path(tempfile.mkdtemp()), []

    def weir(*words):
        done = subprocess.run([options.weir, *map(str, words), "--quiet"], capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"weir {' '.join(map(str, words))}: {done.stderr.decode()}")
        return done.stdout.decode()

    def save(folder, kind):
        """A model folder as a publisher of a chat model has it."""
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(options.tokenizer / "tokenizer.json"), clean_up_tokenization_spaces=False)
        names = {"bos_token": kind["bos"], "eos_token": kind["eos"], "pad_token": kind["pad"]}
        tokenizer.add_special_tokens({k: v for k, v in names.items() if v} | {"additional_special_tokens": kind["ends"] + kind["specials"]})
        tokenizer.chat_template = kind["template"]
        ends = tokenizer.convert_tokens_to_ids(kind["ends"])
        torch.manual_seed(1)
        config = kind["config"](**dict(
            vocab_size=len(tokenizer) + 8, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=256, bos_token_id=tokenizer.bos_token_id, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id) | kind["members"])
        model = AutoModelForCausalLM.from_config(config).to(torch.bfloat16)
        model.generation_config = GenerationConfig(
            bos_token_id=tokenizer.bos_token_id, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id, **kind["generation"])
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        # Members that no library knows, and a number that a parser would write differently.
        path = folder / "config.json"
        path.write_text(path.read_text().rstrip()[:-1].rstrip() + ',\n  "publisher": {"note": "kept", "scale": 1.0e1}\n}\n')
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "special_tokens_map.json").write_text(json.dumps({k: v for k, v in names.items() if v}, indent=2))
        (folder / "added_tokens.json").write_text(json.dumps(tokenizer.get_added_vocab()))
        (folder / "LICENSE").write_text("a license\n")
        template = folder / "chat_template.jinja"
        if kind["style"] == "file":
            (folder / "additional_chat_templates").mkdir(exist_ok=True)
            (folder / "additional_chat_templates/tool_use.jinja").write_text(kind["template"] + "{# tools #}")
        else:
            template.unlink(missing_ok=True)
            named = [{"name": "default", "template": kind["template"]}, {"name": "tool_use", "template": kind["template"] + "{# tools #}"}]
            settings["chat_template"] = kind["template"] if kind["style"] == "string" else named
            (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))

    def compare(name, initial, other):
        """Compares two folders, file by file and as transformers reads them."""
        skipped = {"manifest.json", "state.json"}

        def names(folder):
            return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".safetensors" not in p.name} - skipped

        if names(initial) != names(other):
            bad.append(f"{name}: files differ: {sorted(names(initial) ^ names(other))}")
        for file in sorted(names(initial) & names(other)):
            before, after = ((folder / file).read_text() for folder in (initial, other))
            if file == "config.json":
                before = re.sub(r'("(torch_)?dtype": )"bfloat16"', r'\1"float32"', before)
            if before != after:
                bad.append(f"{name}: {file} differs")
        one, two = AutoTokenizer.from_pretrained(initial), AutoTokenizer.from_pretrained(other)
        chat = ASKED + [{"role": "assistant", "content": ANSWER}]
        for more in (dict(), dict(add_generation_prompt=True), dict(chat_template="tool_use")):
            if more.get("chat_template") and not isinstance(one.chat_template, dict):
                continue
            if one.apply_chat_template(chat, tokenize=False, **more) != two.apply_chat_template(chat, tokenize=False, **more):
                bad.append(f"{name}: apply_chat_template differs")
        if one.special_tokens_map != two.special_tokens_map or type(one) is not type(two) or one.get_vocab() != two.get_vocab():
            bad.append(f"{name}: the tokenizer differs")
        ours = [AutoModelForCausalLM.from_pretrained(folder) for folder in (initial, other)]
        configs = [{k: v for k, v in m.config.to_dict().items() if k not in ("dtype", "torch_dtype", "_name_or_path")} for m in ours]
        if configs[0] != configs[1]:
            bad.append(f"{name}: the configuration differs: {[k for k in configs[0] if configs[0][k] != configs[1].get(k)]}")
        if ours[0].generation_config.to_dict() != ours[1].generation_config.to_dict():
            bad.append(f"{name}: the generation configuration differs")
        return two, ours[1].eval()

    for name, kind in FOLDERS.items():
        initial, tuned = work / name, work / f"{name}-tuned"
        initial.mkdir()
        save(initial, kind)
        tokenizer = AutoTokenizer.from_pretrained(initial)
        text = tokenizer.apply_chat_template(ASKED + [{"role": "assistant", "content": ANSWER}], tokenize=False)
        (work / "chat.jsonl").write_text(json.dumps({"text": text}) + "\n")
        words = ["--sequence", 64, "--batch-size", 1, "--lr", "1e-2", "--schedule", "constant"]
        # The template has the beginning of text.
        weir("finetune", initial, "--data", work / "chat.jsonl", "--method", "direct", "--allow-special", "--no-add-special", "--epochs", options.epochs,
             *words, "-o", tuned)
        reader, model = compare(f"{name} finetuned", initial, tuned / "model")
        prompt = reader.apply_chat_template(ASKED, tokenize=False, add_generation_prompt=True)
        ids = reader(prompt, add_special_tokens=False, return_tensors="pt").input_ids
        with torch.no_grad():
            result = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=40)[0, ids.shape[1] :].tolist()
        answer = weir("generate", tuned, "--prompt", prompt, "--allow-special", "--no-add-special", "--temperature", 0, "--tokens", 40)[len(prompt) : -1]
        ends = reader.convert_tokens_to_ids(kind["ends"])
        stopped = result[-1] in ends
        print(f"{name}: answers {answer!r}, transformers {reader.decode(result)!r}", flush=True)
        if not stopped or reader.decode(result[:-1]) != answer or answer != ANSWER:
            bad.append(f"{name}: the answers differ, or do not end")
        data = work / f"{name}-data"
        weir("tokenize", work / "chat.jsonl", "--tokenizer", initial, "--allow-special", "--shards", data)
        weir("train", data, "--init", initial, "--tokens", 64, "--checkpoint-at", 0, *words, "-o", work / f"{name}-trained")
        compare(f"{name} trained on", initial, work / f"{name}-trained/model")
        compare(f"{name} checkpoint", initial, work / f"{name}-trained/checkpoints/step-00000000")
        weir("merge", initial, tuned, "--weight", 0.5, "-o", work / f"{name}-merged")
        compare(f"{name} merged", initial, work / f"{name}-merged")
        print(f"{name}: finetuned, trained, checkpoint and merged folders compared", flush=True)
    shutil.rmtree(work)
    for line in bad:
        print("differs: " + line)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
