"""The rows of an order as a map-style dataset."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union, overload

import numpy as np
import numpy.typing as npt

from .checksum import FeedError
from .columns import IGNORE, PER_BATCH, PER_POSITION, Array, Batch, Columns, Parts, check
from .order import BLOCK, RowOrder
from .packed import PackedRows
from .permutation import I64

# Positions whose segments are looked up together, and how many such parts are kept.
_PART = 1024
_KEPT = 4


@dataclass(frozen=True)
class _Part:
    """The rows of consecutive positions. Padding counts as a segment."""

    positions: range
    # [segments] views of the mapped files, or of zeros for padding, and their lengths
    views: list[npt.NDArray[Any]]
    lengths: I64
    # [rows + 1] the first segment of each row
    first: list[int]
    # [rows] segments, the length of the padding, and the document's token after the row or IGNORE
    segments: I64
    padding: list[int]
    follows: I64


class _Cache:
    """What was looked up last; stays in its process."""

    def __init__(self) -> None:
        none = np.zeros(0, np.int64)
        self.recent = _Part(range(0), [], none, [0], none, [], none)
        self.parts: list[_Part] = []
        self.span = range(-1, -1)
        # Source and row of each position of the span.
        self.rows: Optional[tuple[I64, I64]] = None


class Rows(Sequence[Columns]):
    """The rows of one batch: a sequence of dictionaries, and `batch` with the columns of all of them."""

    def __init__(self, batch: Batch, names: tuple[str, ...]) -> None:
        self._batch, self._names = batch, names
        self.batch = batch.columns(names)

    def __len__(self) -> int:
        return len(self._batch.ids)

    @overload
    def __getitem__(self, index: int) -> Columns: ...
    @overload
    def __getitem__(self, index: slice) -> list[Columns]: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[Columns, list[Columns]]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        if set(self._names) <= set(PER_POSITION):
            return {name: values[row] for name, values in self.batch.items()}  # type: ignore[index]
        one = self._batch.row(row).columns(self._names)
        return {name: value if name in PER_BATCH else value[0] for name, value in one.items()}  # type: ignore[index]


class PackedDataset:
    """The rows of a row order, which `weir pack --order FILE` and every run write.

    `dataset[i]` is the row at position `start + i` of the run, a dictionary of arrays `[sequence]`; `dataset[i:j]` has arrays `[rows, sequence]`.
    The rows are those of `weir feed` and of Weir's own trainer, whatever the batch size, the ranks and the workers, as long as a sampler takes them
    in order (`shuffle=False`): they are shuffled already. The dataset can be pickled, and each process opens the files again.

    - `order`: the path of the order.
    - `columns`: what to return, see `weir_feed.COLUMNS`.
    - `rows` or `tokens`: the end of the run, counted from position 0, in rows or in tokens. By default, the run is the one that the order was made
      for (`weir pack --tokens`). Where its length was not given, it ends where the caps on epochs do, or, without caps, after as many rows as the
      groups that it draws from have.
    - `start`: the first position; by default the one at which the order's run begins.
    - `dtype`: of the columns with one value per position. PyTorch's losses take int64.
    - `attention`: what a position attends to: its own document ("documents"), or the full row across documents ("full"), as `weir feed --attention`
      says. A row is then one segment in positions, boundaries and lengths; labels and targets are the same.
    """

    def __init__(
        self,
        order: str,
        columns: Sequence[str] = ("input_ids", "labels"),
        *,
        rows: Optional[int] = None,
        tokens: Optional[int] = None,
        start: Optional[int] = None,
        dtype: npt.DTypeLike = np.int64,
        attention: str = "documents",
    ) -> None:
        self._order = RowOrder(order)
        self._sources: list[PackedRows] = []
        self._names, self._dtype = check(columns), np.dtype(dtype)
        if rows is not None and tokens is not None:
            raise ValueError("give the length of the run in rows or in tokens, not both")
        if tokens is not None:
            rows = -(-tokens // self.sequence)
        default = self._order.end_position
        if default is None:
            default = self._order.capacity if self._order.is_capped else self._order.epoch_rows
        self._end = default if rows is None else operator.index(rows)
        if not 0 <= self._end <= self._order.capacity:
            raise ValueError(f"{order}: a run of {self._end} rows exceeds the {self._order.capacity} rows that its caps on epochs allow")
        if attention not in ("documents", "full"):
            raise ValueError(f'attention is {attention!r}, expected "documents" or "full"')
        self._is_full = attention == "full"
        self.start = self._order.from_position if start is None else _position(start)
        self._lock, self._cache = threading.Lock(), _Cache()
        opened = self._open()
        # The largest vocabulary of the datasets, and the token that ends each document.
        self.vocabulary = max(source.vocabulary for source in opened)
        self.end_of_document = opened[0].end_of_document
        if self._dtype.kind != "i" or np.iinfo(self._dtype).max < max(self.vocabulary - 1, self.sequence, -IGNORE):
            raise ValueError(f"dtype {self._dtype} does not hold tokens of a vocabulary of {self.vocabulary} and {IGNORE}; take int64 or int32")

    @property
    def sequence(self) -> int:
        """Tokens per row."""
        return self._order.sequence

    @property
    def fingerprint(self) -> str:
        """Datasets with the same fingerprint have the same rows at all positions."""
        return self._order.fingerprint

    @property
    def is_capped(self) -> bool:
        """Whether caps on epochs end the run."""
        return self._order.is_capped

    def __len__(self) -> int:
        return max(0, self._end - self.start)

    @overload
    def __getitem__(self, index: int) -> Columns: ...
    @overload
    def __getitem__(self, index: slice) -> Columns: ...
    def __getitem__(self, index: Union[int, slice]) -> Columns:
        if isinstance(index, slice):
            return self.batch(range(*index.indices(len(self)))).batch
        return self.batch([index])[0]

    def __getitems__(self, indices: Iterable[int]) -> Rows:
        """Several rows at once, as `DataLoader` fetches them."""
        return self.batch(indices)

    def batch(self, indices: Iterable[int]) -> Rows:
        """Several rows at once."""
        positions = self._positions(indices)
        views: list[npt.NDArray[Any]] = []
        pieces: list[tuple[Array, ...]] = []
        padding: list[int] = []
        for part, rows in self._runs(positions):
            segments = slice(part.first[rows.start], part.first[rows.stop])
            views += part.views[segments]
            pieces.append((part.lengths[segments], part.segments[rows], part.follows[rows]))
            padding += part.padding[rows]
        # Joined and checked in the narrow type of the files, which is quicker than in that of the columns.
        stored = np.concatenate(views) if views else np.empty(0, np.uint16)
        lengths, per_row, follows = pieces[0] if len(pieces) == 1 else map(np.concatenate, zip(*pieces))
        stored = stored.reshape(len(positions), self.sequence)
        self._check_tokens(stored, follows, positions)
        ids = stored.astype(self._dtype)
        return Rows(Batch(ids, Parts(lengths, per_row), padding, follows, self._is_full), self._names)

    def segments(self, index: int) -> list[tuple[int, int, int, int]]:
        """Where a row comes from: the source, the document of its dataset, the first token in it and the number of tokens of each segment."""
        (position,) = self._positions([index])
        source, number = (int(values[0]) for values in self._order.rows(range(position, position + 1)))
        found = self._open()[source].segments(np.array([number]))
        return [(source, *where) for where in zip(found.document.tolist(), found.offset.tolist(), found.count.tolist())]

    def state_dict(self, consumed: int = 0) -> dict[str, Any]:
        """The state of a run that has taken the first `consumed` rows of this dataset, over all ranks."""
        return {"position": self.start + consumed, "fingerprint": self.fingerprint}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the dataset begin at the position of a state. Batch size, ranks and workers may have changed."""
        if state["fingerprint"] != self.fingerprint:
            raise ValueError(f"the state is of order {state['fingerprint']}, not of {self.fingerprint}: other rows, groups, weights or seed")
        self.start = _position(state["position"])

    def verify(self) -> None:
        """Check the content of all files that rows are read from, their checksums included, and raise a `FeedError` that names what is damaged.

        This reads everything once. It is what `weir verify` checks in these files, for machines without it.
        """
        for source in self._open():
            source.verify()

    def _positions(self, indices: Iterable[int]) -> list[int]:
        size, start = len(self), self.start
        rows = list(map(operator.index, indices))
        if rows and (min(rows) < -size or max(rows) >= size):
            wrong = next(row for row in rows if not -size <= row < size)
            raise IndexError(f"row {wrong} is outside the run, which has {size} rows from position {start} on")
        return [start + row if row >= 0 else start + size + row for row in rows]

    def _check_tokens(self, ids: Array, follows: I64, positions: list[int]) -> None:
        # Negative tokens are large as unsigned ones. Only targets have tokens after the rows.
        if not ids.size or ids.view(f"u{ids.itemsize}").max() < self.vocabulary and ("targets" not in self._names or follows.max() < self.vocabulary):
            return
        for row, position in enumerate(positions):
            if max(ids[row].view(f"u{ids.itemsize}").max(), follows[row]) >= self.vocabulary:
                source = self._order.sources[int(self._order.rows(range(position, position + 1))[0][0])]
                raise FeedError(
                    f"{source.dataset}: the row at position {position} has a token outside the vocabulary of {self.vocabulary}; "
                    "check the dataset with `weir verify`")

    def _runs(self, positions: list[int]) -> Iterator[tuple[_Part, slice]]:
        """Consecutive positions within a part, as rows of the part; one empty run for no positions."""
        part, index = self._cache.recent, 0
        if not positions:
            yield part, slice(0, 0)
        while index < len(positions):
            if positions[index] not in part.positions:
                part = self._part(positions[index])
            row, first, index = positions[index] - part.positions.start, index, index + 1
            last = min(len(positions), first + len(part.positions) - row)
            while index < last and positions[index] == positions[index - 1] + 1:
                index += 1
            yield part, slice(row, row + index - first)

    def _part(self, position: int) -> _Part:
        """The part of a span that contains a position. Some are kept, because workers and ranks take turns in them."""
        with self._lock:
            found = next((part for part in self._cache.parts if position in part.positions), None)
            if found is None:
                found = self._look_up(position)
                self._cache.parts = [found, *self._cache.parts[: _KEPT - 1]]
            self._cache.recent = found
            return found

    def _look_up(self, position: int) -> _Part:
        span, before = self._order.span(position), self._cache.span
        if span != before:
            self._cache.span, self._cache.rows = span, None
        # After a seek, one block is quick. Whoever reads on will want the whole span.
        seeks = span.start not in (before.start, before.stop)
        size = BLOCK if seeks else _PART
        first = (position - span.start) // size * size
        positions = span[first : first + size]
        if seeks:
            sources, numbers = self._order.rows(positions)
        else:
            if self._cache.rows is None:
                self._cache.rows = self._order.rows(span)
            sources, numbers = (values[first : first + size] for values in self._cache.rows)
        # Views of rows of zeros are the paddings; the maps of each source follow.
        maps: list[npt.NDArray[Any]] = [np.zeros(self.sequence, np.uint16)]
        row_of, map_of, begins, ends = [], [], [], []
        padding, follows = np.zeros(len(positions), np.int64), np.full(len(positions), IGNORE, np.int64)
        for source in np.flatnonzero(np.bincount(sources)).tolist():
            rows, packed = np.flatnonzero(sources == source), self._open()[source]
            segments = packed.segments(numbers[rows])
            shard, begin, goes_on = packed.places(segments)
            last = np.cumsum(segments.per_row) - 1
            free = self.sequence - np.add.reduceat(segments.count, last + 1 - segments.per_row)
            end, is_padded = begin + segments.count, free > 0
            is_cut = goes_on[last] & ~is_padded
            for number, tokens in enumerate(packed.maps):
                here = is_cut & (shard[last] == number)
                follows[rows[here]] = tokens[end[last[here]]]
            padding[rows] = free
            row_of += [np.repeat(rows, segments.per_row), rows[is_padded]]
            map_of += [shard + len(maps), np.zeros(is_padded.sum(), np.int64)]
            begins += [begin, np.zeros(is_padded.sum(), np.int64)]
            ends += [end, free[is_padded]]
            maps += packed.maps
        row = np.concatenate(row_of)
        # Stable: the segments of a row keep their order, and its padding comes last.
        in_order = np.argsort(row, kind="stable")
        chosen, begin, end = (np.concatenate(values)[in_order] for values in (map_of, begins, ends))
        views = [maps[number][first:last] for number, first, last in zip(chosen.tolist(), begin.tolist(), end.tolist())]
        per_row = np.bincount(row, minlength=len(positions))
        return _Part(positions, views, end - begin, [0, *np.cumsum(per_row).tolist()], per_row, padding.tolist(), follows)

    def _open(self) -> list[PackedRows]:
        if not self._sources:
            opened, order = [PackedRows(source, self.sequence) for source in self._order.sources], self._order
            rows = np.array([source.row_count for source in opened])
            if (order.group_first + order.group_rows > rows[order.group_source]).any():
                raise FeedError(f"{order.path}: a group has rows that its source does not have; make it again with `weir pack --order`")
            self._sources = opened
        return self._sources

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_lock", "_sources")} | {"_cache": _Cache()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock, self._sources = threading.Lock(), []


def _position(value: int) -> int:
    if (position := operator.index(value)) < 0:
        raise ValueError(f"position {position} is before the run")
    return position


class StepDataset:
    """One rank's rows of each step: `steps[s]` has the rows `rank`, `rank + world`, … of the global batch of `batch` rows, as `weir feed` has them."""

    def __init__(self, dataset: PackedDataset, rank: int, world: int, batch: int) -> None:
        if not 0 <= rank < world <= batch:
            raise ValueError(f"rank {rank} of {world} has no rows of a batch of {batch}")
        self.dataset, self.rank, self.world, self.batch = dataset, rank, world, batch

    def __len__(self) -> int:
        return len(self.dataset) // self.batch

    def __getitem__(self, step: int) -> Columns:
        step = range(len(self))[operator.index(step)]
        return self.dataset.batch(range(step * self.batch + self.rank, (step + 1) * self.batch, self.world)).batch

    def state_dict(self, steps: int = 0) -> dict[str, Any]:
        """The state after the first `steps` steps."""
        return self.dataset.state_dict(steps * self.batch)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let step 0 begin at the position of a state; batch and world may have changed."""
        self.dataset.load_state_dict(state)
