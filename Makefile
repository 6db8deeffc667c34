# The two commands: `make demo` and `make test`. Everything else is for developers.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
WEIR := .build/release/weir
RESULTS := docs/results
SWIFT_FILES := Package.swift Sources Tests Fuzz Examples

.PHONY: demo test test-debug test-release build check setup format lint prose layers docs parity parity-large fuzz fuzz-readers kills bitflips bitflips-small wheel mup results-crisp results-crisp-small results-finetune results-finetune-small clean

## Runs the main job on the sample corpora; its last line is the path of the report.
demo: build
	@$(WEIR) run corpora/demo.yaml

## All set-up, all tests, in debug and in release.
test: test-debug test-release

test-debug: setup
	@swift build --build-tests -q
	@swift test --skip-build

test-release: setup
	@swift build -c release --build-tests -q
	@swift test -c release --skip-build

## The executable, optimized: .build/release/weir.
build: setup
	@echo "building weir (release)"
	@swift build -c release --product weir -q

## What CI runs; its fuzzing repeats the same inputs, so that a failure belongs to the change. `make fuzz-readers` tries others.
check: export WEIR_FUZZ_SEED = 1
check: setup lint layers docs example fuzz-readers results-crisp-small results-finetune-small bitflips-small test

setup:
	@scripts/setup

lint:
	@swift format lint --strict --parallel --recursive $(SWIFT_FILES) && echo "format: clean"
	@! grep -rnE '\.(shuffled?|randomElement|random)\(' Sources --include=*.swift || { echo "lint: the standard library's randomness may change; use Permutation or CounterRandom" >&2; exit 1; }
	@$(MAKE) --no-print-directory prose

## The text that people read: help, wording, links, and the commands and flags it shows; scripts/prose says what is checked.
prose:
	@scripts/test_prose.py -q
	@scripts/prose

## Formats the sources in place.
format:
	@swift format --in-place --parallel --recursive $(SWIFT_FILES)

layers:
	@scripts/layers

## The API documentation; fails on a broken reference.
docs: setup
	@scripts/docs

## Builds the example package against the library product, as a dependency, and runs it.
example: setup
	@swift build --product weir -q
	@scripts/example

## Compares with others' software from PyPI: tokenizers, transformers, PyTorch, faiss, a Megatron reader; tests weir_feed (minutes, 2 GB).
parity: build
	@scripts/parity

## The tokenizers on a large corpus: make parity-large DOCUMENTS="corpora/full/*.zst" RANKS="gpt2.tiktoken multilingual.tiktoken" (hours).
parity-large: build
	@PARITY_DOCUMENTS="$(DOCUMENTS)" PARITY_RANKS="$(RANKS)" scripts/parity tokenizer-large

## Fuzzes what reads tokenizers, and the encoder beside a naive one: RUNS runs of each (10 million take an hour or two), from run FIRST on.
fuzz: setup
	@swift build -c release --build-tests -q
	@WEIR_FUZZ_RUNS=$(or $(RUNS),1000000) WEIR_FUZZ_FIRST=$(or $(FIRST),0) swift test -c release --skip-build --filter FuzzTests

## Fuzzes the readers of what others wrote with libFuzzer and the address sanitizer: RUNS runs of each, 20,000 by default.
fuzz-readers: setup
	@scripts/fuzz $(or $(RUNS),20000)

## Kills a training run a hundred times and compares its end with that of a run left alone (minutes).
kills: build
	@scripts/kills

## Flips bits in a copy of the demo's run: verify finds all of them, and no command makes something else of them (minutes).
bitflips: demo
	@scripts/bitflips --data corpora/demo/heldout-seed.jsonl.zst runs/demo

## The same with fewer flips, on a small run that it makes.
bitflips-small: build
	@scripts/bitflips --verify 200 --consume 60 --data corpora/demo/heldout-seed.jsonl.zst

## A Python wheel with the executable and weir_feed, linked statically where it can be, and its test in a new environment (minutes).
wheel: setup
	@wheel=$$(scripts/wheel) && scripts/wheel --test "$$wheel" && echo "$$wheel"

## The loss against the learning rate at four widths, under muP and the standard parametrization (minutes).
mup: build
	@Benchmarks/mup.sh

## Clustered-importance sampling beside its baselines on the real corpora (DATA: general.jsonl.zst, seeds/, heldout/): hours; MINUTES=30 stops in between, the next call goes on.
results-crisp: build
	@corpora/fetch-minilm
	@Benchmarks/crisp/experiment.py $(if $(DATA),--data $(DATA)) $(if $(MINUTES),--minutes $(MINUTES)) --run runs/results-crisp --minilm corpora/full/minilm -o $(RESULTS)/crisp.md

## The same with everything small, on the corpora of the repository: that it runs (minutes).
results-crisp-small: build
	@rm -rf runs/results-crisp-small
	@Benchmarks/crisp/experiment.py --small --run runs/results-crisp-small -o runs/results-crisp-small/crisp.md

## Ways of finetuning by what they gain and what they forget, on the real corpora (DATA: general.jsonl.zst, seeds/, heldout/): a night; MINUTES=30 stops in between, the next call goes on.
results-finetune: build
	@Benchmarks/finetune/experiment.py $(if $(DATA),--data $(DATA)) $(if $(MINUTES),--minutes $(MINUTES)) --run runs/results-finetune -o $(RESULTS)/finetune.md

## The same with everything small, on the corpora of the repository: that it runs (minutes).
results-finetune-small: build
	@rm -rf runs/results-finetune-small
	@Benchmarks/finetune/experiment.py --small --run runs/results-finetune-small -o runs/results-finetune-small/finetune.md

clean:
	@rm -rf .build runs
