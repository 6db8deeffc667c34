"""Batches of PyTorch tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np

from .columns import PER_BATCH, PER_POSITION, Columns
from .dataset import Rows


def collate(rows: Union[Columns, Sequence[Columns]]) -> dict[str, Any]:
    """The `collate_fn` of a `DataLoader`: tensors `[rows, sequence]`, without a copy.

    With `cu_seq_lens_q` and the like among the columns, the rows are joined to one, `[1, rows · sequence]`, as transformers' flash attention wants
    them. Takes the rows of a `PackedDataset`, or a batch of a `StepDataset` (with `batch_size=None`).
    """
    import torch

    batch: Columns
    if isinstance(rows, Mapping):
        batch = dict(rows)
    else:
        batch = rows.batch if isinstance(rows, Rows) else _stack(list(rows))
    joined = any(name in PER_BATCH for name in batch)
    tensors: dict[str, Any] = {}
    for name, values in batch.items():
        if isinstance(values, np.ndarray):
            tensor = torch.from_numpy(values)
            tensors[name] = tensor.reshape(1, -1) if joined and name in PER_POSITION else tensor
        else:
            tensors[name] = values
    return tensors


def _stack(rows: list[Columns]) -> Columns:
    """The columns of rows that were separated, for example by a loop over the dataset."""
    batch: Columns = {}
    for name in rows[0]:
        values: list[Any] = [row[name] for row in rows]
        if name.startswith("cu_seq_lens"):
            sizes = np.cumsum([0] + [int(ends[-1]) for ends in values])
            batch[name] = np.concatenate([[0]] + [ends[1:] + size for ends, size in zip(values, sizes)]).astype(np.int32)
        elif name.startswith("max_length"):
            batch[name] = max(values)
        elif name in ("doc_lens", "cu_seqlens"):
            width = max(map(len, values))
            fill = 0 if name == "doc_lens" else -1
            batch[name] = np.stack([np.pad(value, (0, width - len(value)), constant_values=fill) for value in values])
        else:
            batch[name] = values if name == "max_doc_lens" else np.stack(values)
    return batch
