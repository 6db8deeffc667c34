#!/usr/bin/env python3
"""Lightning: a data module whose state is the position of the run.

    python examples/lightning_module.py order.json --steps 100

`use_distributed_sampler=False`: each rank takes its rows of a step itself.
"""

import argparse

import lightning
import torch
from huggingface_trainer import COLUMNS, tiny_model
from torch.utils.data import DataLoader

from weir_feed import PackedDataset, StepDataset, collate


class Data(lightning.LightningDataModule):
    def __init__(self, order, batch=8, workers=0):
        super().__init__()
        self.dataset, self.batch, self.workers = PackedDataset(order, COLUMNS), batch, workers

    def train_dataloader(self):
        data = StepDataset(self.dataset, self.trainer.global_rank, self.trainer.world_size, self.batch)
        return DataLoader(data, batch_size=None, num_workers=self.workers, collate_fn=collate)

    # A checkpoint also has Lightning's own count of batches, which skips nothing in a map-style dataset: the dataset begins at the position.
    def state_dict(self):
        return self.dataset.state_dict(self.trainer.fit_loop.epoch_loop.batch_progress.current.completed * self.batch)

    def load_state_dict(self, state):
        self.dataset.load_state_dict(state)


class Model(lightning.LightningModule):
    def __init__(self, dataset):
        super().__init__()
        self.model = tiny_model(dataset)

    def training_step(self, batch):
        loss = self.model(**batch).loss
        self.log("loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


def trainer(steps, output, **options):
    return lightning.Trainer(max_steps=steps, use_distributed_sampler=False, default_root_dir=output, **options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("order")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--resume", help="a checkpoint")
    parser.add_argument("-o", "--output", default="out")
    options = parser.parse_args()
    data = Data(options.order)
    trainer(options.steps, options.output).fit(Model(data.dataset), data, ckpt_path=options.resume)
