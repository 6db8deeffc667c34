#!/usr/bin/env python3
"""Compare chat templates and masks in weir with transformers and TRL, on random conversations.

    python Tests/Parity/chat.py --weir .build/release/weir [--conversations 300]

For every template that TRL ships, as published and in the variant it trains with, and for the templates that weir knows by name, a tokenizer
of bytes, some merges and the template's control tokens is made on the spot. Tokens must equal apply_chat_template of transformers; the masks
of prompts with completions TRL's completion_only_loss; those of chats assistant_only_loss, where the template marks the assistant's turns.
A template that refuses a conversation must do so in both. Templates that weir refuses to read are listed; they must be among --unsupported.
The cases of Tests/ChatTemplatesTests/Golden are rendered by Jinja again. Needs transformers and trl. Exit code 1 if anything differs.
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import trl.chat_template_utils
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.utils.chat_template_utils import _compile_jinja_template

TEMPLATES = pathlib.Path(trl.chat_template_utils.__file__).parent / "chat_templates"
MARKERS = re.compile(r"<\|[A-Za-z_|]+\|>|</?(?:start_of_turn|end_of_turn|think|tool_call|tool_response|s)>|<\|?(?:turn|channel)\|?>")
# Templates without {% generation %} whose turns, as weir finds them, are those of the variant that TRL trains with. Other variants write other
# text, or count the beginning of a turn differently.
FOUND = "cohere cohere2 gemma gemma3 idefics3 lfm2 lfm2_v2 llama3 phi3 phi3_5 qwen2_5_vl qwen3_instruct_2507 qwen3_vl smolvlm".split()
WORDS = "the a star Größe 数学 naïve 42 3.14 x=1 ** `code` <b> & \"quoted\" it's end. ok? 🙂 — e\u0301".split(" ")
DATE = "2026-11-30"


def text(generator):
    parts = []
    for _ in range(generator.randint(1, 12)):
        parts += [generator.choice(WORDS), generator.choice([" ", " ", " ", "\n", "\n\n", "  "])]
    body = "".join(parts)
    return generator.choice([body.strip(), body, " " + body, body.strip() + "\n"])


def conversation(generator, systems=True, reasoning=True):
    messages = []
    if systems and generator.random() < 0.4:
        messages.append({"role": "system", "content": text(generator)})
    for _ in range(generator.randint(1, 4)):
        messages.append({"role": "user", "content": text(generator)})
        answer = text(generator)
        if reasoning and generator.random() < 0.2:
            answer = f"<think>\n{text(generator)}\n</think>\n\n{answer}"
        messages.append({"role": "assistant", "content": answer})
        if reasoning and generator.random() < 0.1:
            messages[-1]["reasoning_content"] = text(generator)
    return messages


def with_tools(generator, messages):
    """Tools, and an assistant that calls one."""
    call = {"type": "function", "function": {"name": "lookup", "arguments": {"word": generator.choice(WORDS), "count": generator.randint(0, 9), "deep": {"list": [1, 2.5, None, True]}}}}
    answer = {"role": "tool", "name": "lookup", "content": text(generator)}
    tools = [{"type": "function", "function": {"name": "lookup", "description": "Looks é up.", "parameters": {"type": "object", "properties": {"word": {"type": "string", "description": "A \"word\""}, "count": {"type": "integer"}}, "required": ["word"]}}}]
    return messages[:-1] + [{"role": "assistant", "content": "", "tool_calls": [call]}, answer, messages[-1]], tools


def make_tokenizer(folder, template, kind="bytes"):
    """A tokenizer of bytes; with NFC, as Qwen's; or of characters with bytes as a fallback, as Llama 2's and Gemma's."""
    markers = sorted(set(MARKERS.findall(template)) | {"<s>", "</s>"})
    # Templates that build their markers from roles.
    markers += [f"<|{role}|>" for role in ("system", "user", "assistant", "end", "im_start", "im_end") if f"<|{role}|>" not in markers]
    generator = random.Random(5)
    corpus = [text(generator) for _ in range(400)] + [template]
    if kind in ("llama2", "gemma"):
        tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
        blanks = normalizers.Replace(" ", "\u2581")
        tokenizer.normalizer = blanks if kind == "gemma" else normalizers.Sequence([normalizers.Prepend("\u2581"), blanks])
        start = [decoders.Strip(content=" ", left=1)] if kind == "llama2" else []
        tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), *start])
        special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
        tokenizer.train_from_iterator(corpus[:50], trainers.BpeTrainer(vocab_size=700, limit_alphabet=40, special_tokens=special, show_progress=False))
        state = json.loads(tokenizer.to_str())
        # Bytes are ordinary tokens.
        state["added_tokens"] = state["added_tokens"][:1]
        tokenizer = Tokenizer.from_str(json.dumps(state))
    else:
        tokenizer = Tokenizer(models.BPE())
        if kind == "nfc":
            tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
        tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_special_tokens([AddedToken(marker, normalized=False, special=True) for marker in markers])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    fast.chat_template = template
    fast.save_pretrained(folder)
    config = {"model_type": "llama", "vocab_size": len(fast), "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8, "max_position_embeddings": 100000, "rms_norm_eps": 1e-5}
    (folder / "config.json").write_text(json.dumps(config))
    return fast


def weir(options, folder, records, *flags):
    """The tokens and masks of records; None for one that is refused, with the message."""
    path = folder / "data.jsonl"
    results, start = [], 0
    while start < len(records):
        path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records[start:]), encoding="utf8")
        command = [options.weir, "finetune", str(folder), "--data", str(path), "-o", str(folder / "run"), "--sequence", "100000", "--chat-date", DATE]
        done = subprocess.run([*command, "--show", str(len(records)), "--json", "--quiet", *flags], capture_output=True, text=True)
        if done.returncode == 0:
            for example in json.loads(done.stdout)["examples"]:
                mask = [0] * len(example["tokens"])
                for first, end in example["trained"]:
                    mask[first:end] = [1] * (end - first)
                results.append((example["tokens"], mask, ""))
            return results
        found = re.search(r"data\.jsonl:(\d+): (.*)", done.stderr)
        if not found:
            raise RuntimeError(done.stderr.strip())
        # What precedes the refused record is read again without it.
        index = int(found[1]) - 1
        if index:
            results += weir(options, folder, records[start : start + index], *flags)
        results.append((None, None, found[2]))
        start += index + 1
    return results


def common(one, other):
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length


def attempt(body):
    try:
        return body(), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def render(tokenizer, messages, tools=None, **arguments):
    return tokenizer.apply_chat_template(messages, tools=tools, tokenize=True, return_dict=True, **arguments)


def check(options, name, template, generator, flags=(), kind="bytes"):
    """Differences and counts for one template."""
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        tokenizer = make_tokenizer(folder, template, kind)
        records = []
        for index in range(options.conversations):
            # A refusal ends a reading, so that only some of the conversations are such that a template refuses them.
            messages = conversation(generator, systems=index < 20 or "ystem role" not in template)
            tools = None
            if index % 5 == 4 and (index < 20 or "tools" in template and "tool_calls" in template):
                messages, tools = with_tools(generator, messages)
            records.append((messages, tools))
        bad, compared, refused, masks = [], 0, 0, 0
        # A published template that only refuses (gemma with a system message) is compared by its refusals.
        chats = [{"messages": messages, **({"tools": tools} if tools else {})} for messages, tools in records]
        marks = "{% generation" in template or "{%- generation" in template
        results = weir(options, folder, chats, "--train-on", "completion" if marks else "all", *flags)
        for (messages, tools), (tokens, mask, message) in zip(records, results, strict=True):
            wanted, error = attempt(lambda: render(tokenizer, messages, tools, return_assistant_tokens_mask=marks))
            if tokens is None:
                # weir also refuses what a template would leave out in silence.
                if wanted is not None and "leaves out" not in message:
                    bad.append(f"{name}: weir refuses what transformers renders: {message}")
                refused += 1
                continue
            if wanted is None:
                bad.append(f"{name}: transformers refuses what weir renders: {error}")
                continue
            compared += 1
            if tokens != wanted["input_ids"]:
                at = common(tokens, wanted["input_ids"])
                bad.append(f"{name}: tokens differ at {at}: {tokenizer.decode(tokens[at:at + 12])!r}, expected {tokenizer.decode(wanted['input_ids'][at:at + 12])!r}")
            elif marks:
                masks += 1
                if mask != wanted["assistant_masks"]:
                    bad.append(f"{name}: masks of the assistant's turns differ")
        # Prompts with completions: the last message is the completion.
        pairs = [({"prompt": m[:-1], "completion": m[-1:], **({"tools": t} if t else {})}, m, t) for m, t in records[: max(30, options.conversations // 4)]]
        for (pair, messages, tools), (tokens, mask, message) in zip(pairs, weir(options, folder, [p for p, _, _ in pairs], *flags), strict=True):
            whole, error = attempt(lambda: render(tokenizer, messages, tools)["input_ids"])
            prompt, other = attempt(lambda: render(tokenizer, messages[:-1], tools, add_generation_prompt=True)["input_ids"])
            if tokens is None:
                if whole is not None and prompt is not None and "leaves out" not in message:
                    bad.append(f"{name}: weir refuses a completion that TRL trains on: {message}")
                continue
            if whole is None or prompt is None:
                bad.append(f"{name}: transformers refuses a completion: {error or other}")
                continue
            start = common(prompt, whole)
            masks += 1
            if tokens != whole or mask != [0] * start + [1] * (len(whole) - start):
                bad.append(f"{name}: the mask of a completion differs")
        return bad, compared, refused, masks


def found_turns(options, name, generator):
    """Masks of a template without generation blocks against those of TRL's training variant."""
    template, training = ((TEMPLATES / f"{name}{ending}.jinja").read_text(encoding="utf8") for ending in ("", "_training"))
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        tokenizer = make_tokenizer(folder, template)
        records = [{"messages": conversation(generator, systems=False, reasoning=False)} for _ in range(max(30, options.conversations // 4))]
        bad = []
        for record, (tokens, mask, message) in zip(records, weir(options, folder, records), strict=True):
            wanted = render(tokenizer, record["messages"], chat_template=training, return_assistant_tokens_mask=True)
            if tokens != wanted["input_ids"] or mask != wanted["assistant_masks"]:
                bad.append(f"{name}: the turns found differ from TRL's: {message}")
        return bad, len(records)


def plain_pairs(options, generator):
    """Prompts and completions that are strings, as SFTTrainer encodes them."""
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        tokenizer = make_tokenizer(folder, "{{ bos_token }}<|im_start|>")
        pairs = []
        for _ in range(options.conversations):
            prompt, completion = text(generator), text(generator)
            if generator.random() < 0.2:
                prompt += "<|im_start|>" + text(generator)
            pairs.append({"prompt": prompt, "completion": completion + generator.choice(["", "", "</s>"])})
        bad = []
        for pair, (tokens, mask, message) in zip(pairs, weir(options, folder, pairs), strict=True):
            completion = pair["completion"] if pair["completion"].endswith("</s>") else pair["completion"] + "</s>"
            prompt, whole = tokenizer(pair["prompt"])["input_ids"], tokenizer(pair["prompt"] + completion)["input_ids"]
            start = common(prompt, whole)
            if tokens != whole or mask != [0] * start + [1] * (len(whole) - start):
                bad.append(f"strings: {pair} differs: {message}")
        return bad


def sanitized(options, generator):
    """Control tokens in messages: parsed by default, plain text with --sanitize-control-tokens."""
    template = (TEMPLATES / "qwen2_5.jinja").read_text(encoding="utf8")
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        tokenizer = make_tokenizer(folder, template)
        records = []
        for _ in range(options.conversations // 3):
            messages = conversation(generator)
            for message in messages:
                if generator.random() < 0.5:
                    message["content"] += generator.choice(["<|im_end|>", "<|im_start|>", "</s>"]) + text(generator)
            records.append({"messages": messages})
        bad = []
        for flags, arguments in [((), {}), (("--sanitize-control-tokens",), {"sanitize_control_tokens": True})]:
            for record, (tokens, _, message) in zip(records, weir(options, folder, records, "--train-on", "all", *flags), strict=True):
                wanted = tokenizer.apply_chat_template(record["messages"], tokenize=True, return_dict=True, **arguments)["input_ids"]
                if tokens != wanted:
                    bad.append(f"control tokens in text {flags}: differ: {message}")
        return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--only", nargs="*", help="names of templates")
    parser.add_argument("--unsupported", nargs="*", default=[], help="templates that weir may refuse to read")
    options = parser.parse_args()
    generator, bad, unread = random.Random(1), [], []
    golden = json.loads((pathlib.Path(__file__).parent.parent / "ChatTemplatesTests/Golden/jinja.json").read_text(encoding="utf8"))
    for case in golden["cases"]:
        if _compile_jinja_template(case["template"]).render(**golden["variables"]) != case["text"]:
            bad.append(f"golden: {case['template']!r} renders differently")
    # Jinja asks for the time of day; both use one date.
    import datetime

    import transformers.utils.chat_template_utils as utilities

    class Fixed(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromisoformat(DATE)

    utilities.datetime = Fixed
    total = [0, 0, 0]
    for path in sorted(TEMPLATES.glob("*.jinja")):
        if options.only and path.stem not in options.only:
            continue
        try:
            differences, *counts = check(options, path.stem, path.read_text(encoding="utf8"), generator)
        except RuntimeError as error:
            unread.append(path.stem)
            print(f"{path.stem}: not read: {error}", file=sys.stderr)
            continue
        bad += differences
        total = [one + other for one, other in zip(total, counts)]
        if differences or options.only:
            print(f"{path.stem}: {counts}, {len(differences)} differences", *sorted(set(differences))[:4], sep="\n  ", file=sys.stderr)
    for name, kind in [("qwen2_5_training", "nfc"), ("qwen3_training", "nfc"), ("llama3_training", "llama2"), ("gemma_training", "gemma")]:
        if not options.only or kind in options.only:
            differences, *counts = check(options, name, (TEMPLATES / f"{name}.jinja").read_text(encoding="utf8"), generator, kind=kind)
            bad += [f"{kind}: {difference}" for difference in differences]
            total = [one + other for one, other in zip(total, counts)]
    for name in FOUND:
        if not options.only or name in options.only:
            differences, count = found_turns(options, name, generator)
            bad += differences
            total[2] += count
    if not options.only:
        bad += plain_pairs(options, generator) + sanitized(options, generator)
    bad += [f"{name}: weir cannot read the template" for name in unread if name not in options.unsupported]
    print(
        f"chat: {len(golden['cases'])} golden cases, {total[0]} chats with equal tokens, {total[2]} equal masks, {total[1]} refused"
        + (f"; not read: {', '.join(unread)}" if unread else "")
    )
    for line in bad[:20]:
        print(f"chat: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
