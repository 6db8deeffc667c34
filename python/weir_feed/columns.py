"""What trainers want to know about the segments of packed rows, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Columns = dict[str, Union[Array, int, "list[int]"]]

IGNORE = -100

# One value per position: [rows, sequence].
PER_POSITION = ("input_ids", "labels", "targets", "position_ids", "attention_mask", "segment_ids", "document_ids")
# One list per row: [rows, …].
PER_ROW = ("doc_lens", "max_doc_lens", "cu_seqlens", "cu_seqlens_argmin", "max_seqlen")
# One list per batch whose rows are joined to one.
PER_BATCH = ("cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")


def check(names: Sequence[str]) -> tuple[str, ...]:
    known = PER_POSITION + PER_ROW + PER_BATCH
    for name in names:
        if name not in known:
            raise ValueError(f"no column {name!r}; there are {', '.join(known)}")
    return tuple(names)


class Parts:
    """Rows divided into parts."""

    def __init__(self, lengths: npt.NDArray[np.int64], per_row: npt.NDArray[np.int64]) -> None:
        # [parts] over all rows, and [rows] the parts of each row
        self.lengths, self.per_row = lengths, per_row
        self.ends = lengths.cumsum()
        self.starts = self.ends - lengths

    @property
    def first(self) -> npt.NDArray[np.int64]:
        """[rows] the first part of each row."""
        return self.per_row.cumsum() - self.per_row


class Batch:
    """Rows of tokens and their segments. The padding of a row is its last segment."""

    def __init__(self, ids: Array, segments: Parts, padding: list[int], follows: Array, full: bool) -> None:
        # [rows, sequence]
        self.ids = ids
        # [rows] the length of the padding, which is the last segment, and the document's token after the row (or IGNORE).
        self.padding, self.follows = padding, follows
        self.segments, self.full = segments, full
        # What attends to itself: the segments, or whole rows.
        rows, sequence = ids.shape
        self.spans = Parts(np.full(rows, sequence), np.ones(rows, np.int64)) if full else segments

    def columns(self, names: Sequence[str]) -> Columns:
        return {name: getattr(self, "_" + name)() for name in names}

    def row(self, row: int) -> Batch:
        first = int(self.segments.first[row])
        one, some = slice(row, row + 1), slice(first, first + int(self.segments.per_row[row]))
        segments = Parts(self.segments.lengths[some], self.segments.per_row[one])
        return Batch(self.ids[one], segments, self.padding[one], self.follows[one], self.full)

    def _input_ids(self) -> Array:
        return self.ids

    def _labels(self) -> Array:
        labels = self.ids.copy()
        labels.reshape(-1)[self.segments.starts] = IGNORE
        return self._fill_padding(labels, IGNORE)

    def _targets(self) -> Array:
        targets = np.empty_like(self.ids)
        flat = targets.reshape(-1)
        flat[:-1] = self.ids.reshape(-1)[1:]
        flat[self.segments.ends - 1] = IGNORE
        targets[:, -1] = self.follows
        return self._fill_padding(targets, IGNORE)

    def _position_ids(self) -> Array:
        positions = np.arange(self.ids.size) - np.repeat(self.spans.starts, self.spans.lengths)
        return positions.astype(self.ids.dtype).reshape(self.ids.shape)

    def _attention_mask(self) -> Array:
        return self._fill_padding(np.ones_like(self.ids), 0)

    def _segment_ids(self) -> Array:
        spans = self.spans
        number = np.arange(1, spans.lengths.size + 1) - np.repeat(spans.first, spans.per_row)
        return self._fill_padding(np.repeat(number, spans.lengths).astype(self.ids.dtype).reshape(self.ids.shape), 0)

    def _document_ids(self) -> Array:
        return self._segment_ids() - 1

    def _doc_lens(self) -> Array:
        return self._per_row(self.spans.lengths, 0).astype(np.int32)

    def _max_doc_lens(self) -> list[int]:
        return self._max_seqlen().tolist()  # type: ignore[no-any-return]

    def _cu_seqlens(self) -> Array:
        ends = self._per_row(self.spans.ends, -1, more=1) - np.arange(len(self.ids))[:, None] * self.ids.shape[1]
        ends[ends < 0] = -1
        return np.concatenate((np.zeros((len(ends), 1), np.int32), ends.astype(np.int32)), axis=1)

    def _cu_seqlens_argmin(self) -> Array:
        return (self.spans.per_row + 1).astype(np.int32)

    def _max_seqlen(self) -> Array:
        return np.maximum.reduceat(self.spans.lengths, self.spans.first).astype(np.int32)

    def _cu_seq_lens_q(self) -> Array:
        return np.concatenate(([0], self.spans.ends)).astype(np.int32)

    def _max_length_q(self) -> int:
        return int(self.spans.lengths.max())

    _cu_seq_lens_k = _cu_seq_lens_q
    _max_length_k = _max_length_q

    def _per_row(self, values: Array, fill: int, more: int = 0) -> Array:
        """[rows, most parts + more] values of parts, and `fill` after the last one."""
        table = np.full((len(self.ids), int(self.spans.per_row.max()) + more), fill, np.int64)
        table[np.arange(table.shape[1]) < self.spans.per_row[:, None]] = values
        return table

    def _fill_padding(self, values: Array, value: int) -> Array:
        """The same array, [rows, sequence], with `value` in paddings."""
        for row, length in enumerate(self.padding):
            if length:
                values[row, -length:] = value
        return values
