#!/usr/bin/env python3
"""Accelerate: a training loop of one's own that `accelerate launch` runs on any number of ranks.

    accelerate launch examples/accelerate_loop.py order.json --steps 100

`prepare` leaves the data alone: each rank takes its rows of a step itself, so the rows of a step do not depend on the number of ranks.
"""

import argparse

import torch
from accelerate import Accelerator
from huggingface_trainer import COLUMNS, tiny_model
from torch.utils.data import DataLoader

from weir_feed import PackedDataset, StepDataset, collate


def train(order, steps, batch=8, state=None, log=print):
    """Returns the state of the data after the last step."""
    accelerator = Accelerator()
    data = StepDataset(PackedDataset(order, COLUMNS), accelerator.process_index, accelerator.num_processes, batch)
    if state:
        data.load_state_dict(state)
    torch.manual_seed(1)
    model = tiny_model(data.dataset)
    model, optimizer = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), lr=1e-3))
    done = 0
    for done, rows in zip(range(1, steps + 1), DataLoader(data, batch_size=None, collate_fn=collate)):
        loss = model(**{name: values.to(accelerator.device) for name, values in rows.items()}).loss
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        if accelerator.is_main_process:
            log(f"step {done - 1} loss {loss.item():.4f}")
    return data.state_dict(done)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("order")
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    train(options.order, options.steps)
