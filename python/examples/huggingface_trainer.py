#!/usr/bin/env python3
"""Hugging Face Trainer: the rows in their order, and documents that do not attend to each other.

    python examples/huggingface_trainer.py order.json --steps 100 -o out
    python examples/huggingface_trainer.py order.json --steps 200 -o out --resume

Models of transformers find the documents of a row by `position_ids`, which begin at 0 with each document, but only without a key-value cache
(`use_cache=False`) and without an `attention_mask`. FLASH is faster with `attn_implementation="flash_attention_2"`: `collate` joins the rows of a
batch to one.
"""

import argparse
import inspect

from torch.utils.data import SequentialSampler
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

from weir_feed import PackedDataset, collate

COLUMNS = ["input_ids", "labels", "position_ids"]
FLASH = COLUMNS + ["cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k"]


class SequentialTrainer(Trainer):
    """For versions of transformers without `train_sampling_strategy`."""

    def _get_train_sampler(self, *_):
        return SequentialSampler(self.train_dataset)


def tiny_model(dataset):
    shape = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=dataset.sequence)
    # With a cache, documents would attend to the ones before them.
    return LlamaForCausalLM(LlamaConfig(vocab_size=dataset.vocabulary, use_cache=False, **shape))


def trainer(dataset, model, output, steps, batch=8, workers=0):
    in_order = "train_sampling_strategy" in inspect.signature(TrainingArguments).parameters
    arguments = TrainingArguments(
        output, max_steps=steps, per_device_train_batch_size=batch, dataloader_num_workers=workers, save_steps=50, logging_steps=10,
        learning_rate=1e-3, report_to=[], remove_unused_columns=False, **({"train_sampling_strategy": "sequential"} if in_order else {}),
    )
    return (Trainer if in_order else SequentialTrainer)(model, arguments, train_dataset=dataset, data_collator=collate)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("order")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--resume", action="store_true", help="from the last checkpoint in the output folder")
    parser.add_argument("-o", "--output", default="out")
    options = parser.parse_args()
    rows = PackedDataset(options.order, COLUMNS)
    trainer(rows, tiny_model(rows), options.output, options.steps).train(resume_from_checkpoint=options.resume)
