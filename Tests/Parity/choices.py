#!/usr/bin/env python3
"""Compare multiple choice in weir and in lm-evaluation-harness, on the same model folder and the same questions.

    python Tests/Parity/choices.py --weir .build/release/weir MODEL QUESTIONS.jsonl

The harness (PyPI lm-eval) loads the folder through transformers and reads the questions as a local task of its type multiple_choice; nothing
is fetched. acc, acc_norm, acc_bytes and their standard errors must be equal, and log p of every choice within --tolerance. A question may have
different answers if its two best choices are closer than that. Questions that are hard to split are added: white space at the end, none at
all, more tokens than the model's positions, equal choices, other scripts. Needs lm-eval, torch, transformers. Exit code 1 if anything differs.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HARD = [
    {"question": "A question with blanks at its end   ", "choices": ["one", "two words", "three whole words"], "answer": 1},
    {"question": "A line\n\n", "choices": ["yes", "no"], "answer": 0},
    {"question": "", "choices": ["The beginning", "In the beginning"], "answer": 1},
    {"question": "long " * 700 + "enough", "choices": ["first", "second"], "answer": 0},
    {"question": "The same", "choices": ["answer", "answer", "other"], "answer": 0},
    {"question": "Größe heißt auf Englisch", "choices": ["size", "größer", "サイズ", "размер"], "answer": 0},
    {"question": "x =", "choices": ["1", "22", "333 + 4444", "…"], "answer": 3},
]
TASK = """task: weir_choices
dataset_path: json
dataset_kwargs: {data_files: {test: "%s"}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: answer
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
  - {metric: acc_bytes, aggregation: mean, higher_is_better: true}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("questions", type=pathlib.Path)
    parser.add_argument("--weir", required=True)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    options = parser.parse_args()
    bad = []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_DATASETS_CACHE": str(work / "cache"), "HF_HOME": str(work / "home")}
        import lm_eval
        from lm_eval.tasks import TaskManager

        lines = [json.loads(line) for line in options.questions.open(encoding="utf8")] + HARD
        lines = [{name: line[name] for name in ("question", "choices", "answer")} for line in lines]
        path = work / "questions.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf8")
        (work / "task.yaml").write_text(TASK % path)

        words = [options.weir, "eval", options.model, "--choices", path, "--choice-scores", work / "scores.jsonl", "--json", "--quiet"]
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True)
        ours = json.loads(done.stdout)["choices"][0]
        scores = [json.loads(line) for line in (work / "scores.jsonl").open()]

        folder = options.model / "model" if (options.model / "model" / "config.json").exists() else options.model
        theirs = lm_eval.simple_evaluate(
            model="hf", model_args=f"pretrained={folder},dtype=float32", tasks=["weir_choices"], batch_size=16, device="cpu",
            task_manager=TaskManager(include_path=str(work), include_defaults=False), log_samples=True, bootstrap_iters=10)
        samples = sorted(theirs["samples"]["weir_choices"], key=lambda sample: sample["doc_id"])
        results = theirs["results"]["weir_choices"]
        largest, close, different = 0.0, 0, 0
        for line, mine, sample in zip(lines, scores, samples, strict=True):
            logs = [response[0] for response in sample["filtered_resps"]]
            largest = max([largest] + [abs(a - b) for a, b in zip(logs, mine["scores"], strict=True)])
            for metric, lengths in (
                    ("acc", [1] * len(logs)), ("acc_norm", [len(c) for c in line["choices"]]), ("acc_bytes", [len(c.encode()) for c in line["choices"]])):
                if (mine[metric] == line["answer"]) != bool(sample[metric]):
                    top = sorted((a / n for a, n in zip(logs, lengths)), reverse=True)
                    if top[0] - top[1] < options.tolerance:
                        close += 1
                    else:
                        different += 1
                        bad.append(f"{metric} of {line['question'][:60]!r}: {mine['scores']} here, {logs} there")
        print(f"choices: log p of {sum(len(s['scores']) for s in scores)} choices within {largest:.1e}, {different} answers differ, {close} of them ties")
        if not largest <= options.tolerance:
            bad.append("log p differs")
        for name in ("acc", "acc_norm", "acc_bytes"):
            there, error = results[f"{name},none"], results.get(f"{name}_stderr,none")
            print(f"choices: {name} {ours[name]:.6f} ± {ours[name + '_stderr']:.6f}, lm-eval {there:.6f} ± {error if isinstance(error, str) else format(error, '.6f')}")
            if not close and (abs(ours[name] - there) > 1e-12 or not isinstance(error, str) and abs(ours[name + "_stderr"] - error) > 1e-9):
                bad.append(f"{name} differs")
    for line in bad:
        print("differs: " + line)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
