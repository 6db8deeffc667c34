"""Which packed row comes at which position of a run: `weir.row-order.1` (docs/FORMATS.md, "Row order")."""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np

from .checksum import FeedError, read_sealed
from .permutation import I64, U64, keys, permute

FORMAT = "weir.row-order.1"
VERSION = 1
BLOCK = 4096
UNLIMITED = 1 << 42


@dataclass(frozen=True)
class Source:
    """Packed rows, and the dataset that they were packed from."""

    rows: str
    dataset: str
    rows_fingerprint: str
    dataset_fingerprint: str


@dataclass(frozen=True)
class _Stage:
    start: int
    shares: U64
    base: I64


class RowOrder:
    """An order, computed a block of 4,096 positions at a time."""

    def __init__(self, path: str) -> None:
        content = read_sealed(path, "xxh3")
        if content.get("format") != FORMAT:
            raise FeedError(f"{path}: its format is {content.get('format')!r}, not {FORMAT}")
        if content.get("order_version") != VERSION:
            raise FeedError(f"{path}: has order version {content.get('order_version')}, and this package reads {VERSION}")
        try:
            self._read(content, os.path.dirname(os.path.abspath(path)))
        except (KeyError, TypeError, OverflowError) as error:
            raise FeedError(f"{path}: a member is missing or out of range: {error}") from error

    def _read(self, content: dict[str, Any], folder: str) -> None:
        self.fingerprint: str = content["fingerprint"]
        self.sequence: int = content["sequence"]
        self.from_position: int = content["from_position"]
        self.sources = [
            Source(**{**source, "rows": os.path.join(folder, source["rows"]), "dataset": os.path.join(folder, source["dataset"])})
            for source in content["sources"]
        ]
        groups = content["groups"]
        self.group_source, self.group_first, self.group_rows = (
            np.array([group[name] for group in groups], np.int64) for name in ("source", "first_row", "rows")
        )
        draws = content["draws"]
        self._seed: int = draws["random_seed"]
        self._offsets = np.array(draws["offsets"], np.uint64)
        capacities = np.array(draws["capacities"], np.int64)
        self._capacity_before = np.concatenate(([0], np.cumsum(capacities))).astype(np.int64)
        self._stages = [
            _Stage(stage["start"], np.array(stage["shares"], np.uint64), np.array(stage["base"], np.int64)) for stage in draws["stages"]
        ]
        self._starts = [stage.start for stage in self._stages]
        self.capacity = int(self._capacity_before[-1])
        # Rows of the groups that are drawn from, each once.
        self.epoch_rows = int(self.group_rows[capacities > 0].sum())
        self.is_capped = bool((capacities < UNLIMITED).all())

    def block(self, position: int) -> range:
        """The positions of the block that contains `position`."""
        stage = bisect_right(self._starts, position) - 1
        start = self._starts[stage]
        end = min(self._starts[stage + 1] if stage + 1 < len(self._starts) else self.capacity, self.capacity)
        first = start + (position - start) // BLOCK * BLOCK
        return range(first, min(first + BLOCK, end))

    def rows(self, positions: range) -> tuple[I64, I64]:
        """Source and row of each of some positions within one block."""
        block = self.block(positions.start)
        index = bisect_right(self._starts, block.start) - 1
        stage = self._stages[index]
        stream = index << 56 ^ (block.start - stage.start) // BLOCK
        size = np.array([len(block)], np.uint64)
        key = keys(self._seed ^ 0xB10C, np.array([stream], np.uint64))
        draw = block.start + permute(np.arange(positions.start - block.start, positions.stop - block.start, dtype=np.uint64), size, key)
        group, count = self._split(stage, draw)
        rows = self.group_rows[group]
        epoch, number = np.divmod(count, rows)
        streams = (group.astype(np.uint64) << np.uint64(42)) ^ epoch.astype(np.uint64)
        number = permute(number.astype(np.uint64), rows.astype(np.uint64), keys(self._seed ^ 0xE90C, streams))
        return self.group_source[group], self.group_first[group] + number

    def _split(self, stage: _Stage, number: I64) -> tuple[I64, I64]:
        """Group of each draw, and how many rows the group has supplied before: all draws go down the tree together."""
        low, high = np.zeros_like(number), np.full_like(number, self.group_rows.size)
        before = np.full_like(number, stage.start)
        number = number.copy()
        while True:
            inner = np.flatnonzero(high - low > 1)
            if not inner.size:
                return low, number
            bottom, top, n, b = low[inner], high[inner], number[inner], before[inner]
            middle = (bottom + top) >> 1
            node = middle - 1
            share, base = stage.shares[node], stage.base[node]
            local = np.stack([n - b, n - b + 1]).astype(np.uint64)
            # (local · share + φ) / 2³² without an overflow.
            drawn = (local >> np.uint64(32)) * share + (((local & np.uint64(0xFFFFFFFF)) * share + self._offsets[node]) >> np.uint64(32))
            center = self._capacity_before[middle]
            most, right = center - self._capacity_before[bottom], self._capacity_before[top] - center
            left = np.minimum(np.maximum(base + drawn.view(np.int64), np.stack([n, n + 1]) - right), most)
            goes_left = left[1] > left[0]
            low[inner] = np.where(goes_left, bottom, middle)
            high[inner] = np.where(goes_left, middle, top)
            number[inner] = np.where(goes_left, left[0], n - left[0])
            before[inner] = np.where(goes_left, base, b - base)
