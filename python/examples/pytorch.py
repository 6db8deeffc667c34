#!/usr/bin/env python3
"""PyTorch: a `DataLoader` with workers, on one rank or several, that resumes anywhere.

    python examples/pytorch.py order.json --steps 100 --save run.pt
    python examples/pytorch.py order.json --steps 200 --resume run.pt
    torchrun --nproc-per-node 4 examples/pytorch.py order.json --steps 100
"""

import argparse
import os

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from weir_feed import PackedDataset, StepDataset, collate

COLUMNS = ["input_ids", "targets", "position_ids", "document_ids"]


def batches(order, rank=0, world=1, batch=8, workers=0, state=None):
    """This rank's rows of every step, and the dataset that knows the position of a step."""
    steps = StepDataset(PackedDataset(order, COLUMNS), rank, world, batch)
    if state:
        steps.load_state_dict(state)
    # A step is a batch already. The order is shuffled.
    return steps, DataLoader(steps, batch_size=None, shuffle=False, num_workers=workers, collate_fn=collate, pin_memory=torch.cuda.is_available())


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, mask):
        q, k, v = self.qkv(self.first(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2))
        return x + self.mlp(self.second(x))


class Model(nn.Module):
    def __init__(self, vocabulary, sequence, width=64, heads=4, layers=2):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(sequence, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.head = nn.RMSNorm(width), nn.Linear(width, vocabulary)

    def forward(self, input_ids, position_ids, document_ids):
        # [rows, 1, S, S] a position attends to earlier ones of its document. On a GPU, give FlexAttention the same as a mask_mod:
        # `q_idx >= kv_idx and document_ids[b, q_idx] == document_ids[b, kv_idx]`.
        mask = (document_ids[:, None, :, None] == document_ids[:, None, None, :]).tril()
        x = self.tokens(input_ids) + self.positions(position_ids)
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x))


def train(order, steps, batch=8, workers=0, resume=None, save=None, log=print):
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else torch.device("cpu")
    checkpoint = torch.load(resume, map_location=device) if resume else {}
    first = checkpoint.get("step", 0)
    data, loader = batches(order, rank, world, batch, workers, checkpoint.get("data"))

    torch.manual_seed(1)
    model = Model(data.dataset.vocabulary, data.dataset.sequence).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    if checkpoint:
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
    run = DistributedDataParallel(model) if world > 1 else model

    done = first
    for step, rows in zip(range(first, steps), loader):
        rows = {name: values.to(device, non_blocking=True) for name, values in rows.items()}
        targets = rows.pop("targets")
        # The mean over the targets of all ranks: DistributedDataParallel divides by the number of ranks.
        count = (targets >= 0).sum()
        if world > 1:
            dist.all_reduce(count)
        loss = F.cross_entropy(run(**rows).flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum") * world / count
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total = loss.detach() / world
        if world > 1:
            dist.all_reduce(total)
        if rank == 0:
            log(f"step {step} loss {total.item():.4f}")
        done = step + 1
    if done < steps and rank == 0:
        log(f"the run ends after step {done}: the order has no more whole batches")
    if save and rank == 0:
        state = {"step": done, "data": data.state_dict(done - first), "model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, save)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("order")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=8, help="rows per step, over all ranks")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--resume")
    parser.add_argument("--save")
    options = parser.parse_args()
    train(options.order, options.steps, options.batch, options.workers, options.resume, options.save)
    if dist.is_initialized():
        dist.destroy_process_group()
