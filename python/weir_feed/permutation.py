"""Permutations without tables: Feistel networks with cycle walking, over arrays of values (docs/FORMATS.md, "Row order")."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

_WORD = (1 << 64) - 1
# Arrays of a few hundred values spend their time in calls: constants are made once, and operations are in place.
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = [np.uint64(k << 48) for k in range(8)]


def _mix(z: U64) -> U64:
    z ^= z >> _30
    z *= _FIRST
    z ^= z >> _27
    z *= _SECOND
    z ^= z >> _31
    return z


def keys(seed: int, streams: U64) -> U64:
    """The keys of counter-based random numbers, one for each stream."""
    mixed = _mix(np.array([(seed + int(_GOLDEN)) & _WORD], np.uint64))
    return _mix(mixed ^ (streams * np.uint64(0xD1B54A32D192ED03) + np.uint64(0x8CB92BA72F3D8DD7)))


def _bits(key: U64, i: U64) -> U64:
    z = i * _GOLDEN
    z += key
    z = _mix(z)
    z ^= i
    return _mix(z)


def permute(values: U64, counts: U64, key: U64) -> I64:
    """The image of each value under the permutation of `0..<count` with the value's own key.

    `counts` and `key` have the shape of `values`, or one element for all of them.
    """
    counts, key = np.broadcast_to(counts, values.shape), np.broadcast_to(key, values.shape)
    # The exponent of a double is exact here: counts are below 2⁵³.
    bits = np.maximum(np.frexp((counts - np.uint64(1)).astype(np.float64))[1], 2)
    half = ((bits + 1) >> 1).astype(np.uint64)
    mask = (np.uint64(1) << half) - np.uint64(1)
    result = _encipher(values, half, mask, key)
    walking = np.flatnonzero(result >= counts)
    while walking.size:
        result[walking] = _encipher(result[walking], half[walking], mask[walking], key[walking])
        walking = walking[result[walking] >= counts[walking]]
    return result.view(np.int64)


def _encipher(values: U64, half: U64, mask: U64, key: U64) -> U64:
    """Eight rounds for values of at most 12 bits, four for others."""
    left, right = values >> half, values & mask
    for k in _ROUNDS[:4]:
        left, right = right, left ^ (_bits(key, right ^ k) & mask)
    short = np.flatnonzero(mask < 64)
    if short.size:
        x, y, few, its = left[short], right[short], mask[short], key[short]
        for k in _ROUNDS[4:]:
            x, y = y, x ^ (_bits(its, y ^ k) & few)
        left[short], right[short] = x, y
    return (left << half) | right
