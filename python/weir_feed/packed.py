"""Packed rows and the token dataset that they were packed from, by memory map (docs/FORMATS.md, "Packed rows" and "Token dataset")."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .checksum import FeedError, Manifest, map_file
from .order import Source
from .permutation import I64

_HEADER = 34
# The first vocabulary whose tokens are 32 bits wide.
_WIDE = 65_500
# Rows or tokens that `verify` checks together.
_PIECE = 1 << 20


@dataclass(frozen=True)
class Segments:
    """The segments of some rows, one row after another."""

    # [rows] segments per row
    per_row: I64
    # [segments] the document of the dataset, the first token in it, the number of tokens
    document: I64
    offset: I64
    count: I64


class _Shard:
    """A `.bin` of tokens and its Megatron index, one sequence per document."""

    def __init__(self, dataset: Manifest, name: str, vocabulary: int) -> None:
        self.name, self._index, path = name, dataset.path(f"{name}.idx"), dataset.path(f"{name}.bin")
        data = map_file(self._index)
        kind = 8 if vocabulary < _WIDE else 4
        if bytes(data[:9]) != b"MMIDIDX\0\0" or int.from_bytes(data[9:17], "little") != 1 or data[17] != kind:
            raise self._damaged(f"is not a Megatron index of {'u16' if kind == 8 else 'i32'} tokens, version 1")
        count = int.from_bytes(data[18:26], "little")
        if len(data) != _HEADER + 20 * count + 8 or int.from_bytes(data[26:34], "little") != count + 1:
            raise self._damaged(f"{count} documents do not fit {len(data)} bytes")
        tokens = map_file(path)
        if len(tokens) % (2 if kind == 8 else 4):
            raise FeedError(f"{path}: {len(tokens)} bytes are not whole tokens; check it with `weir verify`")
        self.tokens: npt.NDArray[Any] = np.frombuffer(tokens, "<u2" if kind == 8 else "<i4")
        self.lengths = np.frombuffer(data, "<i4", count, _HEADER)
        self.pointers = np.frombuffer(data, "<i8", count, _HEADER + 4 * count)
        self._documents = np.frombuffer(data, "<i8", count + 1, _HEADER + 12 * count)
        if count and int(self.pointers[-1]) + int(self.lengths[-1]) * self.tokens.itemsize != len(tokens):
            raise self._damaged(f"its documents do not end at the {len(tokens)} bytes of {path}")

    def places(self, documents: I64) -> tuple[I64, I64]:
        """The first token of each document, and the number of its tokens."""
        start, odd = np.divmod(self.pointers[documents], self.tokens.itemsize)
        length = self.lengths[documents].astype(np.int64)
        if odd.any() or (start < 0).any() or (length <= 0).any() or (start > self.tokens.size - length).any():
            raise self._damaged("a document is outside the tokens")
        return start, length

    def verify(self, vocabulary: int, end_of_document: int) -> None:
        ends = self.lengths.cumsum(dtype=np.int64)
        start, length = self.places(np.arange(ends.size))
        if (start != ends - length).any() or (self._documents != np.arange(ends.size + 1)).any():
            raise self._damaged("its documents do not follow one another")
        for first in range(0, self.tokens.size, _PIECE):
            tokens = self.tokens[first : first + _PIECE]
            if tokens.min() < 0 or tokens.max() >= vocabulary:
                raise FeedError(f"{self.name}.bin: a token is outside the vocabulary of {vocabulary}; make the dataset again")
        if (self.tokens[ends - 1] != end_of_document).any():
            raise FeedError(f"{self.name}.bin: a document does not end with the end-of-document token {end_of_document}; make the dataset again")

    def _damaged(self, reason: str) -> FeedError:
        return FeedError(f"{self._index}: {reason}; check it with `weir verify`")


class PackedRows:
    """The rows of one source of an order."""

    def __init__(self, source: Source, sequence: int) -> None:
        rows = Manifest(source.rows, "weir.packed-rows.1", source.rows_fingerprint)
        dataset = Manifest(source.dataset, "weir.token-dataset.1", source.dataset_fingerprint)
        self.path, self.sequence, self.row_count = source.rows, sequence, rows.count("rows")
        self._manifest, self._dataset = rows, dataset
        self.vocabulary = dataset.count("vocabulary", 1, (1 << 31) - 1)
        self.end_of_document = dataset.count("end_of_document", 0, self.vocabulary - 1)
        if rows.input("dataset") != dataset.fingerprint or rows.count("sequence") != sequence:
            raise FeedError(f"{source.rows}: has rows of {rows.count('sequence')} tokens of dataset {rows.input('dataset')}, not those of the order")
        segments = rows.count("segments")
        first, table = map_file(rows.path("rows.u64")), map_file(rows.path("segments.u64"))
        if len(first) != 8 * (self.row_count + 1) or len(table) != 24 * segments:
            raise self._damaged(f"its files do not have {self.row_count} rows and {segments} segments")
        self._first, self._segments = np.frombuffer(first, "<u8"), np.frombuffer(table, "<u8").reshape(-1, 3)
        if self._first[0] != 0 or self._first[-1] != segments:
            raise self._damaged(f"its rows do not begin with segment 0 and end with segment {segments}")
        names = [f"shard-{number:05}" for number in range(dataset.count("shards"))]
        self._shards = [_Shard(dataset, name, self.vocabulary) for name in names]
        # The maps of tokens.
        self.maps = [shard.tokens for shard in self._shards]
        # The first document of each shard, and the end.
        self._bounds = np.cumsum([0] + [shard.lengths.size for shard in self._shards])
        documents, tokens = int(self._bounds[-1]), sum(shard.tokens.size for shard in self._shards)
        if documents != dataset.count("documents") or tokens != dataset.count("tokens"):
            raise FeedError(
                f"{source.dataset}: its shards have {documents} documents and {tokens} tokens, the manifest says otherwise; "
                "check it with `weir verify`")

    def verify(self) -> None:
        """Check all content: its checksums, and that it fits together."""
        self._manifest.verify(["groups.json", "rows.u64", "segments.u64"])
        self._dataset.verify(f"{shard.name}.{ending}" for shard in self._shards for ending in ("bin", "idx"))
        for shard in self._shards:
            shard.verify(self.vocabulary, self.end_of_document)
        left = np.concatenate([np.zeros(0, np.int64), *(shard.lengths for shard in self._shards)]).astype(np.int64)
        per_row = np.zeros(self.row_count, np.int64)
        for begin in range(0, self.row_count, _PIECE):
            segments = self.segments(np.arange(begin, min(begin + _PIECE, self.row_count)))
            self.places(segments)
            np.subtract.at(left, segments.document, segments.count)
            per_row[begin : begin + _PIECE] = np.add.reduceat(segments.count, np.cumsum(segments.per_row) - segments.per_row)
        wrong = np.flatnonzero(left)
        if wrong.size:
            raise self._damaged(f"{abs(left[wrong[0]])} tokens of document {wrong[0]} are in {'no row' if left[wrong[0]] > 0 else 'two rows'}")
        self._verify_groups(per_row)

    def _verify_groups(self, per_row: I64) -> None:
        try:
            with open(os.path.join(self.path, "groups.json"), "rb") as file:
                groups = json.load(file)
            rows, tokens = (np.array([group[name] for group in groups], np.int64) for name in ("rows", "tokens"))
        except (OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise self._damaged(f"groups.json: {error!r}") from error
        ends = np.cumsum(rows)
        if (rows < 0).any() or int(rows.sum()) != self.row_count or len(groups) != self._manifest.count("groups"):
            raise self._damaged(f"groups.json: its groups do not have {self.row_count} rows")
        sums = np.concatenate(([0], np.cumsum(per_row)))
        if (sums[ends] - sums[ends - rows] != tokens).any():
            raise self._damaged("groups.json: a group counts other tokens than its rows have")
        if sums[-1] != self._manifest.count("tokens") or self.row_count * self.sequence - sums[-1] != self._manifest.count("padding"):
            raise self._damaged(f"its rows have {sums[-1]} tokens, its manifest counts {self._manifest.count('tokens')}")

    def segments(self, numbers: I64) -> Segments:
        """The segments of rows."""
        first, end = self._first[numbers].astype(np.int64), self._first[numbers + 1].astype(np.int64)
        counts = end - first
        if (first < 0).any() or (end > len(self._segments)).any() or (counts <= 0).any() or (counts > self.sequence).any():
            raise self._damaged("a row has no segments, or others than there are")
        starts = np.cumsum(counts) - counts
        index = np.arange(counts.sum()) + np.repeat(first - starts, counts)
        document, offset, count = self._segments[index].astype(np.int64).T
        if (count <= 0).any() or (count > self.sequence).any() or (np.add.reduceat(count, starts) > self.sequence).any():
            raise self._damaged(f"a row has an empty segment, or more than {self.sequence} tokens")
        return Segments(counts, document, offset, count)

    def places(self, segments: Segments) -> tuple[I64, I64, npt.NDArray[np.bool_]]:
        """The map of each segment's tokens, the first one in it, and whether the document goes on after the segment."""
        if (segments.document < 0).any() or (segments.document >= self._bounds[-1]).any():
            raise self._damaged("a segment has a document that the dataset does not have")
        shard = np.searchsorted(self._bounds, segments.document, "right") - 1
        document = segments.document - self._bounds[shard]
        start, length = np.empty_like(document), np.empty_like(document)
        for number in np.flatnonzero(np.bincount(shard)).tolist():
            here = np.flatnonzero(shard == number)
            start[here], length[here] = self._shards[number].places(document[here])
        rest = length - segments.count - segments.offset
        if (segments.offset < 0).any() or (segments.offset > length).any() or (rest < 0).any():
            raise self._damaged("a segment is longer than its document")
        return shard, start + segments.offset, rest > 0

    def _damaged(self, reason: str) -> FeedError:
        return FeedError(f"{self.path}: {reason}; check it with `weir verify`")
