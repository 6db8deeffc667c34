"""Seals, fingerprints and checksums, without a dependency (docs/FORMATS.md, "Folders: manifest and commit")."""

from __future__ import annotations

import json
import mmap
import os
import re
import struct
from collections.abc import Iterable
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

Bytes = Union[bytes, memoryview]

# The secret of XXH3 (xxhash.h, XXH3_kSecret).
_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
_PRIMES32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
_PRIMES64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
_WORD = (1 << 64) - 1
_LANE_PAIRS = np.arange(8) ^ 1

_NAME, _BLOCKS = "manifest.json", "blocks.xxh3"
_BLOCK_BYTES = 1 << 16
# Blocks that are hashed together; more of them do not fit in the processor's caches.
_TOGETHER = 8


class FeedError(ValueError):
    """A file that is missing or damaged, or does not belong to the others."""


def xxh3(data: Bytes) -> str:
    """XXH3-64 with seed 0, as 16 hexadecimal digits."""
    return f"{int(xxh3_each(np.frombuffer(data, np.uint8).reshape(1, -1))[0]) if len(data) > 240 else _short(bytes(data)):016x}"


def xxh3_each(parts: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """[parts] XXH3-64 of parts of the same length, which is above 240: [parts, bytes]."""
    first, second, third = _PRIMES32
    a, b, c, d, e = _PRIMES64
    several, size = parts.shape
    secret = np.frombuffer(_SECRET, np.uint8)
    # [16, 8] the secret of each stripe of a block: it moves by 8 bytes per stripe.
    secrets = np.stack([secret[8 * stripe : 8 * stripe + 64].view("<u8") for stripe in range(16)])
    blocks = (size - 1) // 1024
    rest = (size - 1 - 1024 * blocks) // 64
    words = np.ascontiguousarray(parts[:, : 1024 * blocks + 64 * rest]).view("<u8")
    sums = np.tile(np.array([third, a, b, c, d, second, e, first], np.uint64), (several, 1))
    of_blocks = _stripe_sums(words[:, : 128 * blocks].reshape(several, blocks, 16, 8), secrets)
    for block in range(blocks):
        sums += of_blocks[:, block]
        sums = ((sums ^ (sums >> np.uint64(47))) ^ secret[128:192].view("<u8")) * np.uint64(first)
    sums += _stripe_sums(words[:, 128 * blocks :].reshape(several, rest, 8), secrets[:rest])
    last = np.ascontiguousarray(parts[:, -64:]).view("<u8").reshape(several, 1, 8)
    sums += _stripe_sums(last, np.frombuffer(_SECRET[121:185], "<u8"))
    folds = [_fold(sums[:, 2 * pair : 2 * pair + 2].tobytes(), 11 + 16 * pair, several) for pair in range(4)]
    return np.array([_avalanche(size * a + sum(four)) for four in zip(*folds)], np.uint64)


def _stripe_sums(words: npt.NDArray[np.uint64], secrets: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """[…, 8] what stripes add: […, stripes, 8] words."""
    keyed = words ^ secrets
    products = (keyed & np.uint64(0xFFFFFFFF)) * (keyed >> np.uint64(32))
    products += words[..., _LANE_PAIRS]
    sums: npt.NDArray[np.uint64] = products.sum(axis=-2, dtype=np.uint64)
    return sums


def _fold(data: bytes, secret: int, several: int = 1) -> list[int]:
    """The products of pairs of words, keyed, with their halves XORed."""
    x, y = struct.unpack_from("<2Q", _SECRET, secret)
    words = struct.unpack(f"<{2 * several}Q", data)
    products = [(u ^ x) * (v ^ y) for u, v in zip(words[::2], words[1::2])]
    return [(product & _WORD) ^ (product >> 64) for product in products]


def _avalanche(value: int) -> int:
    value &= _WORD
    value = ((value ^ (value >> 37)) * 0x165667919E3779F9) & _WORD
    return value ^ (value >> 32)


def _short(data: bytes) -> int:
    """XXH3-64 of at most 240 bytes, which has another form for every few lengths."""
    size, (_, second, third, *_) = len(data), _PRIMES64

    def secret(place: int) -> int:
        return int.from_bytes(_SECRET[place : place + 8], "little") ^ int.from_bytes(_SECRET[place + 8 : place + 16], "little")

    def fold(place: int, key: int) -> int:
        return _fold(data[place : place + 16], key)[0]

    if size > 128:
        value = _avalanche(size * _PRIMES64[0] + sum(fold(16 * i, 16 * i) for i in range(8)))
        return _avalanche(value + sum(fold(16 * i, 16 * i - 125) for i in range(8, size // 16)) + fold(size - 16, 119))
    if size > 16:
        pairs = range((size - 1) // 32 + 1)
        return _avalanche(size * _PRIMES64[0] + sum(fold(16 * i, 32 * i) + fold(size - 16 * i - 16, 32 * i + 16) for i in pairs))
    if size > 8:
        low, high = int.from_bytes(data[:8], "little") ^ secret(24), int.from_bytes(data[-8:], "little") ^ secret(40)
        product = low * high
        return _avalanche(size + int.from_bytes(low.to_bytes(8, "little"), "big") + high + ((product & _WORD) ^ (product >> 64)))
    if size > 3:
        value = (int.from_bytes(data[-4:], "little") + (int.from_bytes(data[:4], "little") << 32)) ^ secret(8)
        turned = [(value << turn | value >> (64 - turn)) & _WORD for turn in (49, 24)]
        value = ((value ^ turned[0] ^ turned[1]) * 0x9FB21C651E98DF25) & _WORD
        value = ((value ^ ((value >> 35) + size)) * 0x9FB21C651E98DF25) & _WORD
        return value ^ (value >> 28)
    value = secret(56)
    if size:
        low, high = struct.unpack_from("<2I", _SECRET)
        value = (data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8) ^ low ^ high
    value = ((value ^ (value >> 33)) * second) & _WORD
    value = ((value ^ (value >> 29)) * third) & _WORD
    return value ^ (value >> 32)


def is_integer(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def map_file(path: str) -> memoryview:
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise FeedError(f"{path}: {error.strerror}") from error


def read_sealed(path: str, seal: str) -> dict[str, Any]:
    """Read a JSON object and check its seal, if it has one."""
    try:
        with open(path, "rb") as file:
            text = file.read()
        content = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise FeedError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if not isinstance(content, dict):
        raise FeedError(f"{path}: is not a JSON object")
    if seal in content:
        places = list(re.finditer(rb'"%s"[ :\n]*"([0-9a-f]{16})"' % seal.encode(), text))
        digits = slice(*places[-1].span(1)) if places else slice(0, 0)
        found = xxh3(text[: digits.start] + b"0" * 16 + text[digits.stop :])
        if found != content[seal]:
            raise FeedError(f"{path}: was changed: its checksum is {found}, but its {seal} is {content[seal]}; restore it or make it again")
    return content


class Manifest:
    """The manifest of a folder, with the sizes of its files checked as they are opened."""

    def __init__(self, folder: str, format: str, fingerprint: str) -> None:
        self.folder, self._path = folder, os.path.join(folder, _NAME)
        content = read_sealed(self._path, "manifest_xxh3")
        if content.get("format") != format:
            raise FeedError(f"{self._path}: its format is {content.get('format')!r}, not {format}")
        try:
            self._counts: dict[str, Any] = dict(content["counts"])
            self._inputs: dict[str, Any] = dict(content["inputs"])
            # In the order of their blocks.
            self._files: dict[str, tuple[int, str]] = {file["name"]: (file["bytes"], file["xxh3"]) for file in content["files"]}
            hashed = {name: content[name] for name in ("configuration", "counts", "format", "inputs")}
            hashed["files"] = [file for file in content["files"] if file["name"] != _BLOCKS]
            text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        except (KeyError, TypeError, ValueError) as error:
            raise FeedError(f"{self._path}: is not a manifest: {error!r}; check it with `weir verify`") from error
        if not all(is_integer(size, 0, 1 << 53) for size, _ in self._files.values()):
            raise FeedError(f"{self._path}: a size is out of range; check it with `weir verify`")
        self.fingerprint = xxh3(text)
        if fingerprint != self.fingerprint:
            raise FeedError(f"{folder}: has fingerprint {self.fingerprint}, but the order was made for {fingerprint}; make the order again")

    def count(self, name: str, low: int = 0, high: int = 1 << 53) -> int:
        value = self._counts.get(name)
        if not is_integer(value, low, high):
            raise FeedError(f"{self._path}: its count {name} is {value!r}, expected {low}…{high}; check it with `weir verify`")
        return int(value)  # type: ignore[arg-type]

    def input(self, name: str) -> str:
        return str(self._inputs.get(name))

    def path(self, name: str) -> str:
        """The path of a file, which must have the size that the manifest says."""
        path = os.path.join(self.folder, name)
        try:
            size = os.stat(path).st_size
        except OSError as error:
            raise FeedError(f"{path}: {error.strerror}") from error
        if name not in self._files:
            raise FeedError(f"{path}: is not in the manifest")
        if size != self._files[name][0]:
            raise FeedError(f"{path}: has {size} bytes, the manifest says {self._files[name][0]}; restore it or make it again")
        return path

    def verify(self, names: Iterable[str]) -> None:
        """Check the checksums of files: of their blocks, or in folders of earlier versions of the whole files."""
        sums, first = np.zeros(0, "<u8"), {}
        if _BLOCKS in self._files:
            sums = np.frombuffer(self._whole(_BLOCKS), "<u8")
            number = 0
            for name, (size, _) in self._files.items():
                first[name] = number
                number += -(-size // _BLOCK_BYTES) if name != _BLOCKS else 0
            if number != sums.size:
                raise FeedError(f"{os.path.join(self.folder, _BLOCKS)}: has {sums.size} checksums, not {number}; make the folder again")
        for name in names:
            if name not in first:
                self._whole(name)
                continue
            path = self.path(name)
            for block, value in enumerate(_block_sums(map_file(path)), first[name]):
                if value != sums[block]:
                    byte = (block - first[name]) * _BLOCK_BYTES
                    raise FeedError(f"{path}@{byte}: is damaged: the checksum of this block has changed; restore it or make it again")

    def _whole(self, name: str) -> memoryview:
        """A file whose checksum is checked."""
        path = self.path(name)
        data = map_file(path)
        if xxh3(data) != self._files[name][1]:
            raise FeedError(f"{path}: is damaged: its checksum has changed; restore it or make it again")
        return data


def _block_sums(data: memoryview) -> Iterable[int]:
    whole = len(data) // _BLOCK_BYTES
    for first in range(0, whole, _TOGETHER):
        part = data[first * _BLOCK_BYTES : min(whole, first + _TOGETHER) * _BLOCK_BYTES]
        yield from xxh3_each(np.frombuffer(part, np.uint8).reshape(-1, _BLOCK_BYTES)).tolist()
    if len(data) % _BLOCK_BYTES:
        yield int(xxh3(data[whole * _BLOCK_BYTES :]), 16)
