"""Which packed row comes at which position of a run: `weir.row-order.1` (docs/FORMATS.md, "Row order")."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from .checksum import FeedError, is_integer, read_sealed, xxh3
from .permutation import I64, U64, keys, permute

FORMAT = "weir.row-order.1"
VERSION = 1
BLOCK = 256
# Blocks that are computed together.
SPAN = 16
UNLIMITED = 1 << 42
# Of sequences.
LONGEST = 1 << 28


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


def _integer(content: dict[str, Any], name: str, low: int, high: int) -> int:
    value = content[name]
    if not is_integer(value, low, high):
        raise ValueError(f"{name} is {value!r:.40}, expected {low}…{high}")
    return int(value)


def _text(content: dict[str, Any], name: str) -> str:
    if not isinstance(content[name], str):
        raise ValueError(f"{name} is not a string")
    return str(content[name])


def _list(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = content[name]
    if not (isinstance(values, list) and values and all(isinstance(value, dict) for value in values)):
        raise ValueError(f"{name} is not a list of objects")
    return values


def _array(content: dict[str, Any], name: str, size: int, high: int) -> I64:
    """`size` integers from 0 to `high`."""
    values = content[name]
    if not (isinstance(values, list) and len(values) == size and all(is_integer(value, 0, high) for value in values)):
        raise ValueError(f"{name} are not {size} integers in 0…{high}")
    return np.array(values, np.int64)


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
            reason = f"has no member {error}" if isinstance(error, KeyError) else f"a member is out of range: {error}"
            raise FeedError(f"{path}: {reason}; make it again with `weir pack --order`") from error
        self.path = path

    def _read(self, content: dict[str, Any], folder: str) -> None:
        self.fingerprint = _text(content, "fingerprint")
        self.sequence = _integer(content, "sequence", 2, LONGEST)
        self.sources = [
            Source(
                os.path.join(folder, _text(source, "rows")), os.path.join(folder, _text(source, "dataset")),
                _text(source, "rows_fingerprint"), _text(source, "dataset_fingerprint"))
            for source in _list(content, "sources")
        ]
        groups, draws = _list(content, "groups"), content["draws"]
        limits = {"source": len(self.sources) - 1, "first_row": 1 << 53, "rows": 1 << 53}
        self.group_source, self.group_first, self.group_rows = (
            np.array([_integer(group, name, 0, high) for group in groups], np.int64) for name, high in limits.items()
        )
        self._seed = _integer(draws, "random_seed", 0, (1 << 64) - 1)
        nodes = len(groups) - 1
        self._offsets = _array(draws, "offsets", nodes, (1 << 32) - 1).astype(np.uint64)
        capacities = _array(draws, "capacities", nodes + 1, UNLIMITED)
        self._stages = [self._stage(stage, capacities) for stage in _list(draws, "stages")]
        self._starts = [stage.start for stage in self._stages]
        if self._starts[0] != 0 or sorted(set(self._starts)) != self._starts:
            raise ValueError("stages are not in ascending order from position 0")
        ends = [stage.get("end") for stage in draws["stages"]]
        if draws["stages"][-1].get("capacities") is not None:
            raise ValueError("the last stage has capacities of its own")
        if ends[-1] is not None or any(end is not None and end < start for end, start in zip(ends, self._starts[1:])):
            raise ValueError("a stage ends before the next one begins, or the last one has an end")
        self.capacity = int(capacities.sum())
        self.from_position = _integer(content, "from_position", 0, self.capacity)
        # After the run that the order was made for, if its length was known.
        self.end_position: Optional[int] = None
        if content.get("end_position") is not None:
            self.end_position = min(_integer(content, "end_position", self.from_position, 1 << 62), self.capacity)
        if ((self.group_rows == 0) & (capacities > 0)).any():
            raise ValueError("a group without rows has a capacity")
        lines = [f"order {VERSION}", f"sequence {self.sequence}", *(f"rows {source.rows_fingerprint}" for source in self.sources)]
        lines += [f"group {group['source']} {group['first_row']} {group['rows']}" for group in groups]
        made = xxh3(("\n".join(lines) + json.dumps(draws, sort_keys=True, separators=(",", ":"))).encode())
        if made != self.fingerprint:
            raise ValueError(f"its fingerprint is {self.fingerprint}, but that of its content is {made}")
        # Rows of the groups that are drawn from, each once.
        self.epoch_rows = int(self.group_rows[capacities > 0].sum())
        self.is_capped = bool((capacities < UNLIMITED).all())

    def _stage(self, stage: dict[str, Any], capacities: I64) -> _Stage:
        nodes = capacities.size - 1
        if stage.get("capacities") is not None:
            capacities = _array(stage, "capacities", nodes + 1, UNLIMITED)
        before = np.concatenate(([0], np.cumsum(capacities)))
        start = _integer(stage, "start", 0, int(before[-1]))
        limit = int(before[-1])
        if stage.get("end") is not None:
            limit = min(limit, _integer(stage, "end", start, 1 << 62))
        made = _Stage(start, _array(stage, "shares", nodes, 1 << 32).astype(np.uint64), _array(stage, "base", nodes, 1 << 62), before, limit)
        # The draws before the stage must fit the capacities of all sides; then all later ones do.
        low, high, base = np.array([0]), np.array([nodes + 1]), np.array([start])
        while low.size:
            if not ((0 <= base) & (base <= before[high] - before[low])).all():
                raise ValueError("base counts of a stage")
            inner = high - low > 1
            low, high, base = low[inner], high[inner], base[inner]
            middle = (low + high) >> 1
            left = made.base[middle - 1]
            low, high, base = np.concatenate((low, middle)), np.concatenate((middle, high)), np.concatenate((left, base - left))
        return made

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
        if not rows.all():
            raise FeedError(f"{self.path}: draws from a group without rows; make it again with `weir pack --order`")
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
