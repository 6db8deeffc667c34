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
BLOCK = 256
# Blocks that are computed together.
SPAN = 16
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
    # [groups + 1] the capacity of all groups before each one
    capacity_before: I64
    # the last block ends here
    limit: int


class RowOrder:
    """An order, computed for thousands of positions together."""

    def __init__(self, path: str) -> None:
        content = read_sealed(path, "xxh3")
        if content.get("format") != FORMAT:
            raise FeedError(f"{path}: its format is {content.get('format')!r}, not {FORMAT}")
        if content.get("order_version") != VERSION:
            raise FeedError(f"{path}: has order version {content.get('order_version')}, and this package reads {VERSION}")
        try:
            self._read(content, os.path.dirname(os.path.abspath(path)))
        except (KeyError, TypeError, ValueError, OverflowError, IndexError) as error:
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
        self._stages = [
            _Stage(
                stage["start"], np.array(stage["shares"], np.uint64), np.array(stage["base"], np.int64),
                (capacity_before := np.cumsum([0, *stage.get("capacities", draws["capacities"])], dtype=np.int64)),
                min(int(capacity_before[-1]), stage.get("end", 1 << 62)),
            )
            for stage in draws["stages"]
        ]
        self._starts = [stage.start for stage in self._stages]
        capacities = np.array(draws["capacities"], np.int64)
        self.capacity = int(capacities.sum())
        nodes = self.group_rows.size - 1
        sizes = [self._offsets.size, capacities.size - 1]
        for stage in self._stages:
            sizes += [stage.shares.size, stage.base.size, stage.capacity_before.size - 2]
        if any(size != nodes for size in sizes):
            raise ValueError("groups, capacities, offsets and stages have other lengths")
        if not ((0 <= self.group_source) & (self.group_source < len(self.sources)) & (self.group_rows > 0) | (capacities == 0)).all():
            raise ValueError("a group without rows or of another source has a capacity")
        if self._starts[0] != 0 or sorted(set(self._starts)) != self._starts or not 0 <= self.from_position <= self.capacity:
            raise ValueError("stages or from_position")
        # Rows of the groups that are drawn from, each once.
        self.epoch_rows = int(self.group_rows[capacities > 0].sum())
        self.is_capped = bool((capacities < UNLIMITED).all())

    def span(self, position: int) -> range:
        """The blocks of a stage that are computed together with the one of `position`."""
        index = bisect_right(self._starts, position) - 1
        start = self._starts[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else self.capacity
        first = start + (position - start) // (SPAN * BLOCK) * SPAN * BLOCK
        return range(first, min(first + SPAN * BLOCK, end))

    def rows(self, positions: range) -> tuple[I64, I64]:
        """Source and row of each of some positions of one span."""
        index = bisect_right(self._starts, positions.start) - 1
        stage = self._stages[index]
        first, last = ((position - stage.start) // BLOCK for position in (positions.start, positions.stop - 1))
        begin = stage.start + first * BLOCK
        # A block that another run's stage cuts short is permuted as a whole.
        draws = np.arange(begin, min(stage.start + (last + 1) * BLOCK, stage.limit))
        block = (draws - begin) // BLOCK
        sizes = np.bincount(block)
        stream = np.uint64(index << 56) ^ np.arange(first, last + 1, dtype=np.uint64)
        place = permute(
            ((draws - begin) % BLOCK).astype(np.uint64), sizes[block].astype(np.uint64), keys(self._seed ^ 0xB10C, stream)[block])
        of_draw, number = self._split(stage, draws)
        group = of_draw[place + block * BLOCK]
        # The draws of a group in a block have ascending numbers, which its positions get in their own order.
        count = np.empty_like(number)
        several = self.group_rows.size
        count[np.argsort(block * several + group, kind="stable")] = number[np.argsort(block * several + of_draw, kind="stable")]
        wanted = slice(positions.start - begin, positions.stop - begin)
        group, count = group[wanted], count[wanted]
        rows = self.group_rows[group]
        epoch, number = np.divmod(count, rows)
        streams = (group.astype(np.uint64) << np.uint64(42)) ^ epoch.astype(np.uint64)
        number = permute(number.astype(np.uint64), rows.astype(np.uint64), keys(self._seed ^ 0xE90C, streams))
        return self.group_source[group], self.group_first[group] + number

    def _split(self, stage: _Stage, number: I64) -> tuple[I64, I64]:
        """Group of each draw, and how many draws of the group come before: all go down the tree together."""
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
            center = stage.capacity_before[middle]
            most, right = center - stage.capacity_before[bottom], stage.capacity_before[top] - center
            left = np.minimum(np.maximum(base + drawn.view(np.int64), np.stack([n, n + 1]) - right), most)
            goes_left = left[1] > left[0]
            low[inner] = np.where(goes_left, bottom, middle)
            high[inner] = np.where(goes_left, middle, top)
            number[inner] = np.where(goes_left, left[0], n - left[0])
            before[inner] = np.where(goes_left, base, b - base)
