"""The seals of JSON files and the fingerprints of folders, without a dependency (docs/FORMATS.md, "Folders: manifest and commit")."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Optional

import numpy as np

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


class FeedError(ValueError):
    """A file that is missing or damaged, or does not belong to the others."""


def xxh3(data: bytes) -> str:
    """XXH3-64 with seed 0 of more than 240 bytes, which manifests and orders always have, as 16 hexadecimal digits."""
    if len(data) <= 240:
        raise FeedError(f"{len(data)} bytes are too few for the checksum of a manifest or an order")
    first, second, third = _PRIMES32
    a, b, c, d, e = _PRIMES64
    sums = np.array([third, a, b, c, d, second, e, first], np.uint64)
    secret = np.frombuffer(_SECRET, np.uint8)
    # [16, 8] the secret of each stripe of a block: it moves by 8 bytes per stripe.
    secrets = np.stack([secret[8 * stripe : 8 * stripe + 64].view("<u8") for stripe in range(16)])
    blocks = (len(data) - 1) // 1024
    rest = (len(data) - 1 - 1024 * blocks) // 64
    words = np.frombuffer(data, "<u8", 128 * blocks + 8 * rest).astype(np.uint64)
    for block in _stripe_sums(words[: 128 * blocks].reshape(-1, 16, 8), secrets):
        sums = sums + block
        sums = ((sums ^ (sums >> np.uint64(47))) ^ secret[128:192].view("<u8")) * np.uint64(first)
    last = np.frombuffer(data[-64:], "<u8").reshape(1, 1, 8)
    sums = sums + _stripe_sums(words[128 * blocks :].reshape(1, rest, 8), secrets[:rest])[0]
    sums = sums + _stripe_sums(last, np.frombuffer(_SECRET[121:185], "<u8"))[0]
    result = len(data) * a
    for pair in range(4):
        keys = np.frombuffer(_SECRET[11 + 16 * pair : 27 + 16 * pair], "<u8")
        x, y = (int(sums[2 * pair + i] ^ keys[i]) for i in range(2))
        result += (x * y & _WORD) ^ (x * y >> 64)
    result &= _WORD
    result = ((result ^ (result >> 37)) * 0x165667919E3779F9) & _WORD
    return f"{result ^ (result >> 32):016x}"


def _stripe_sums(words: np.ndarray[Any, Any], secrets: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """[blocks, 8] what the stripes of each block add: [blocks, stripes, 8] words."""
    keyed = words ^ secrets
    products = (keyed & np.uint64(0xFFFFFFFF)) * (keyed >> np.uint64(32))
    sums: np.ndarray[Any, Any] = (products + words[..., _LANE_PAIRS]).sum(axis=1, dtype=np.uint64)
    return sums


def read_sealed(path: str, seal: str) -> dict[str, Any]:
    """Read a JSON object and check its seal, if it has one."""
    try:
        with open(path, "rb") as file:
            text = file.read()
        content = json.loads(text)
    except (OSError, ValueError) as error:
        raise FeedError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise FeedError(f"{path}: is not a JSON object")
    if seal in content:
        places = list(re.finditer(rb'"%s"[ :\n]*"([0-9a-f]{16})"' % seal.encode(), text))
        digits = slice(*places[-1].span(1)) if places else slice(0, 0)
        found = xxh3(text[: digits.start] + b"0" * 16 + text[digits.stop :])
        if found != content[seal]:
            raise FeedError(f"{path}: was changed: its checksum is {found}, but its {seal} is {content[seal]}")
    return content


class Manifest:
    """The manifest of a folder, with the sizes of its files checked as they are opened."""

    def __init__(self, folder: str, format: str, fingerprint: Optional[str] = None) -> None:
        self.folder = folder
        path = os.path.join(folder, "manifest.json")
        content = read_sealed(path, "manifest_xxh3")
        if content.get("format") != format:
            raise FeedError(f"{path}: its format is {content.get('format')!r}, not {format}")
        self.counts: dict[str, int] = content["counts"]
        self.inputs: dict[str, str] = content["inputs"]
        self.sizes = {file["name"]: int(file["bytes"]) for file in content["files"]}
        hashed = {name: content[name] for name in ("configuration", "counts", "format", "inputs")}
        hashed["files"] = [file for file in content["files"] if file["name"] != "blocks.xxh3"]
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.fingerprint = xxh3(text.encode())
        if fingerprint is not None and fingerprint != self.fingerprint:
            raise FeedError(f"{folder}: has fingerprint {self.fingerprint}, but the order was made for {fingerprint}; make the order again")

    def path(self, name: str) -> str:
        """The path of a file, which must have the size that the manifest says."""
        path = os.path.join(self.folder, name)
        try:
            size = os.stat(path).st_size
        except OSError as error:
            raise FeedError(f"{path}: {error.strerror}") from error
        if size != self.sizes.get(name):
            raise FeedError(f"{path}: has {size} bytes, the manifest says {self.sizes.get(name)}")
        return path
