#!/usr/bin/env python3
"""JAX with Grain: a `PackedDataset` is Grain's `RandomAccessDataSource`, and the iterator of Grain keeps its state.

    python examples/jax_grain.py order.json --steps 100
"""

import argparse

import grain.python as grain
import jax
import jax.numpy as jnp
import numpy as np

from weir_feed import PackedDataset

COLUMNS = ["input_ids", "targets", "position_ids", "segment_ids"]


def batches(dataset, batch=8, workers=0):
    """An iterator with get_state and set_state. The order is shuffled, so the sampler is sequential; shard by rank with ShardByJaxProcess."""
    sampler = grain.SequentialSampler(num_records=len(dataset), shard_options=grain.NoSharding())
    operations = [grain.Batch(batch_size=batch, drop_remainder=True)]
    return iter(grain.DataLoader(data_source=dataset, sampler=sampler, operations=operations, worker_count=workers))


def tiny_model(dataset, width=64, heads=4):
    keys = jax.random.split(jax.random.key(1), 5)
    shapes = {"tokens": (dataset.vocabulary, width), "positions": (dataset.sequence, width), "qkv": (width, 3, heads, width // heads)}
    shapes |= {"out": (heads, width // heads, width), "head": (width, dataset.vocabulary)}
    return {name: 0.05 * jax.random.normal(key, shape) for key, (name, shape) in zip(keys, shapes.items())}


def logits(model, input_ids, position_ids, segment_ids):
    x = model["tokens"][input_ids] + model["positions"][position_ids]
    q, k, v = jnp.einsum("bsw,wthd->tbshd", x, model["qkv"])
    # A position attends to earlier ones of its segment.
    mask = jnp.tril(segment_ids[:, :, None] == segment_ids[:, None, :])
    attention = jax.nn.dot_product_attention(q, k, v, mask=mask[:, None])
    return (x + jnp.einsum("bshd,hdw->bsw", attention, model["out"])) @ model["head"]


@jax.jit
def step(model, rows):
    def loss(model):
        scores = logits(model, rows["input_ids"], rows["position_ids"], rows["segment_ids"])
        targets = rows["targets"]
        picked = jnp.take_along_axis(jax.nn.log_softmax(scores), jnp.maximum(targets, 0)[..., None], axis=-1)[..., 0]
        return -jnp.where(targets >= 0, picked, 0).sum() / (targets >= 0).sum()

    value, gradient = jax.value_and_grad(loss)(model)
    return jax.tree.map(lambda weight, slope: weight - 0.5 * slope, model, gradient), value


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("order")
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    data = PackedDataset(options.order, COLUMNS, dtype=np.int32)
    weights = tiny_model(data)
    for number, rows in zip(range(options.steps), batches(data)):
        weights, value = step(weights, rows)
        print(f"step {number} loss {value:.4f}")
