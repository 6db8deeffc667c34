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


class Batch:
    """Rows of tokens and the lengths of their segments. The padding of a row is its last segment."""

    def __init__(self, ids: Array, lengths: npt.NDArray[np.int64], segments: Array, padded: Array, follows: Array) -> None:
        # [rows, sequence]
        self.ids = ids
        # [segments] over all rows, paddings included
        self.lengths = lengths
        # [rows] the segments of each row, whether the last of them is padding, and the document's token after the row (or IGNORE).
        self.segments, self.padded, self.follows = segments, padded, follows
        self.ends = lengths.cumsum()
        self.starts = self.ends - lengths

    def columns(self, names: Sequence[str]) -> Columns:
        return {name: getattr(self, "_" + name)() for name in names}

    def row(self, row: int) -> Batch:
        end = int(self.segments[: row + 1].sum())
        first = end - int(self.segments[row])
        one = slice(row, row + 1)
        return Batch(self.ids[one], self.lengths[first:end], self.segments[one], self.padded[one], self.follows[one])

    def _input_ids(self) -> Array:
        return self.ids

    def _labels(self) -> Array:
        labels = self.ids.copy()
        flat = labels.reshape(-1)
        flat[self.starts] = IGNORE
        self._fill_padding(flat, IGNORE)
        return labels

    def _targets(self) -> Array:
        targets = np.empty_like(self.ids)
        flat = targets.reshape(-1)
        flat[:-1] = self.ids.reshape(-1)[1:]
        flat[self.ends - 1] = IGNORE
        targets[:, -1] = self.follows
        self._fill_padding(flat, IGNORE)
        return targets

    def _position_ids(self) -> Array:
        positions = np.arange(self.ids.size) - np.repeat(self.starts, self.lengths)
        return positions.astype(self.ids.dtype).reshape(self.ids.shape)

    def _attention_mask(self) -> Array:
        mask = np.ones_like(self.ids)
        self._fill_padding(mask.reshape(-1), 0)
        return mask

    def _segment_ids(self) -> Array:
        first = np.cumsum(self.segments) - self.segments
        number = np.arange(1, self.lengths.size + 1) - np.repeat(first, self.segments)
        number[self._paddings()] = 0
        return np.repeat(number, self.lengths).astype(self.ids.dtype).reshape(self.ids.shape)

    def _document_ids(self) -> Array:
        return self._segment_ids() - 1

    def _doc_lens(self) -> Array:
        return self._per_row(self.lengths, 0).astype(np.int32)

    def _max_doc_lens(self) -> list[int]:
        return self._max_seqlen().tolist()  # type: ignore[no-any-return]

    def _cu_seqlens(self) -> Array:
        ends = self._per_row(self.ends, -1, more=1) - np.arange(len(self.ids))[:, None] * self.ids.shape[1]
        ends[ends < 0] = -1
        return np.concatenate((np.zeros((len(ends), 1), np.int32), ends.astype(np.int32)), axis=1)

    def _cu_seqlens_argmin(self) -> Array:
        return (self.segments + 1).astype(np.int32)

    def _max_seqlen(self) -> Array:
        return np.maximum.reduceat(self.lengths, np.cumsum(self.segments) - self.segments).astype(np.int32)

    def _cu_seq_lens_q(self) -> Array:
        return np.concatenate(([0], self.ends)).astype(np.int32)

    def _max_length_q(self) -> int:
        return int(self.lengths.max())

    _cu_seq_lens_k = _cu_seq_lens_q
    _max_length_k = _max_length_q

    def _per_row(self, values: Array, fill: int, more: int = 0) -> Array:
        """[rows, most segments + more] values of segments, and `fill` after the last one."""
        table = np.full((len(self.ids), int(self.segments.max()) + more), fill, np.int64)
        table[np.arange(table.shape[1]) < self.segments[:, None]] = values
        return table

    def _paddings(self) -> Array:
        """The segments that are padding."""
        last: Array = np.cumsum(self.segments) - 1
        return last[self.padded]

    def _fill_padding(self, flat: Array, value: int) -> None:
        if self.padded.any():
            for segment in self._paddings().tolist():
                flat[self.starts[segment] : self.ends[segment]] = value
