"""XXH3 against values that the reference implementation gives."""

import pytest

from weir_feed.checksum import xxh3


@pytest.mark.parametrize("size", [*range(258), 1023, 1024, 1025, 1087, 1088, 1089, 2048, 5000, 100_001])
def test_against_the_reference_implementation(size):
    xxhash = pytest.importorskip("xxhash", reason="needs xxhash")
    data = bytes((i * i * 31 + i // 7) % 256 for i in range(size))
    assert xxh3(data) == xxhash.xxh3_64_hexdigest(data)


def test_known_values():
    assert [xxh3(bytes(range(256)) * n) for n in (1, 4, 9)] == ["9408a4433b952d71", "a870f92984398d22", "5703bd07d242ea32"]
