"""Packed rows and the token dataset that they were packed from, by memory map (docs/FORMATS.md, "Packed rows" and "Token dataset")."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .checksum import FeedError, Manifest
from .order import Source
from .permutation import I64

_HEADER = 34


@dataclass(frozen=True)
class Segments:
    """The segments of some rows, one row after another."""

    # [rows] segments per row
    per_row: I64
    # [segments] the document of the dataset, the first token in it, the number of tokens
    document: I64
    offset: I64
    count: I64


def _map(path: str) -> memoryview:
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


class _Shard:
    """A `.bin` of tokens and its Megatron index, one sequence per document."""

    def __init__(self, tokens: str, index: str) -> None:
        data = _map(index)
        if bytes(data[:9]) != b"MMIDIDX\0\0" or int.from_bytes(data[9:17], "little") != 1 or data[17] not in (4, 8):
            raise FeedError(f"{index}: is not a Megatron index of u16 or i32 tokens")
        count = int.from_bytes(data[18:26], "little")
        if len(data) != _HEADER + 20 * count + 8:
            raise FeedError(f"{index}: {count} documents do not fit {len(data)} bytes")
        self.tokens: npt.NDArray[Any] = np.frombuffer(_map(tokens), "<u2" if data[17] == 8 else "<i4")
        self.lengths = np.frombuffer(data, "<i4", count, _HEADER)
        self.pointers = np.frombuffer(data, "<i8", count, _HEADER + 4 * count)


class PackedRows:
    """The rows of one source of an order."""

    def __init__(self, source: Source, sequence: int) -> None:
        rows = Manifest(source.rows, "weir.packed-rows.1", source.rows_fingerprint)
        dataset = Manifest(source.dataset, "weir.token-dataset.1", source.dataset_fingerprint)
        self.path, self.sequence, self.row_count = source.rows, sequence, rows.counts["rows"]
        self.vocabulary, self.end_of_document = dataset.counts["vocabulary"], dataset.counts["end_of_document"]
        if rows.inputs["dataset"] != dataset.fingerprint or rows.counts["sequence"] != sequence:
            raise FeedError(f"{source.rows}: has rows of {rows.counts['sequence']} tokens of dataset {rows.inputs['dataset']}")
        self._first = np.frombuffer(_map(rows.path("rows.u64")), "<u8")
        self._segments = np.frombuffer(_map(rows.path("segments.u64")), "<u8").reshape(-1, 3)
        if self._first.size != self.row_count + 1 or len(self._segments) != rows.counts["segments"]:
            raise FeedError(f"{source.rows}: its files do not have {self.row_count} rows and {rows.counts['segments']} segments")
        names = [f"shard-{number:05}" for number in range(dataset.counts["shards"])]
        self._shards = [_Shard(dataset.path(f"{name}.bin"), dataset.path(f"{name}.idx")) for name in names]
        # The maps of tokens.
        self.maps = [shard.tokens for shard in self._shards]
        # The first document of each shard, and the end.
        self._bounds = np.cumsum([0] + [shard.lengths.size for shard in self._shards])

    def segments(self, numbers: I64) -> Segments:
        """The segments of rows."""
        first, end = self._first[numbers].astype(np.int64), self._first[numbers + 1].astype(np.int64)
        counts = end - first
        if (counts <= 0).any() or (end > len(self._segments)).any():
            raise FeedError(f"{self.path}: a row has no segments, or others than there are; check it with `weir verify`")
        starts = np.cumsum(counts) - counts
        index = np.arange(counts.sum()) + np.repeat(first - starts, counts)
        document, offset, count = self._segments[index].astype(np.int64).T
        if (np.add.reduceat(count, starts) > self.sequence).any() or (count <= 0).any():
            raise FeedError(f"{self.path}: a row has more than {self.sequence} tokens; check it with `weir verify`")
        return Segments(counts, document, offset, count)

    def places(self, segments: Segments) -> tuple[I64, I64, npt.NDArray[np.bool_]]:
        """The map of each segment's tokens, the first one in it, and whether the document goes on after the segment."""
        shard = np.searchsorted(self._bounds, segments.document, "right") - 1
        if (segments.document < 0).any() or (shard >= len(self._shards)).any():
            raise FeedError(f"{self.path}: a segment has a document that the dataset does not; check it with `weir verify`")
        document = segments.document - self._bounds[shard]
        start, length = np.empty_like(document), np.empty_like(document)
        for number in np.flatnonzero(np.bincount(shard)).tolist():
            here, its = np.flatnonzero(shard == number), self._shards[number]
            start[here] = its.pointers[document[here]] // its.tokens.itemsize
            length[here] = its.lengths[document[here]]
        end = segments.offset + segments.count
        if (end > length).any() or (segments.offset < 0).any():
            raise FeedError(f"{self.path}: a segment is longer than its document; check it with `weir verify`")
        return shard, start + segments.offset, end < length
