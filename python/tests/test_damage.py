"""Damage: an error that names the file and what to do, or the same rows as before; never another exception and never other rows."""

import copy
import json
import pathlib
import shutil

import numpy as np
import pytest
from reference import Corpus, write_json, write_order

from weir_feed import COLUMNS, FeedError, PackedDataset
from weir_feed.checksum import xxh3

WRONG = [None, True, -1, 2**40, 2**63, 2**70, 1.5, float("nan"), "", "other", "\0", "\ud800", [], [1], [{}], {}]


@pytest.fixture
def small(tmp_path):
    return Corpus(tmp_path / "corpus", documents=60, groups=3, shards=2)


def rows_of(path):
    """The first rows, or None if they are refused with an error that names a file."""
    try:
        return {name: np.asarray(values).tolist() for name, values in PackedDataset(path, COLUMNS, start=0)[:120].items()}
    except FeedError as error:
        assert any(place in str(error) for place in ("order", "rows", "dataset"))
        return None


def members(content, path=()):
    """The place of every member and element."""
    for key in content if isinstance(content, dict) else range(len(content)):
        yield (*path, key)
        if isinstance(content[key], (dict, list)):
            yield from members(content[key], (*path, key))


def changed(content, place, value):
    content = copy.deepcopy(content)
    parent = content
    for key in place[:-1]:
        parent = parent[key]
    if value is members:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return content


@pytest.mark.parametrize("keeps_fingerprint", [True, False])
def test_every_member_of_an_order(small, keeps_fingerprint):
    path, content = small.order(stages=[(0, [1, 2, 3]), (8, [3, 2, 1])], epochs=2)
    content = json.loads(pathlib.Path(path).read_text())
    before, refused = rows_of(path), 0
    for place in members(content):
        for value in [members, *WRONG]:
            damaged = changed(content, place, value)
            try:
                if keeps_fingerprint:
                    write_json(pathlib.Path(path), damaged, "xxh3")
                else:
                    write_order(path, damaged)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue  # has no fingerprint, or cannot be written
            after = rows_of(path)
            refused += after is None
            # Names and numbers of tokens are for people; with another fingerprint it is another order.
            assert after is None or after == before or not keeps_fingerprint, (place, value)
    assert refused > 400


def test_texts_that_are_no_orders(small):
    path, _ = small.order()
    text = pathlib.Path(path).read_bytes()
    for damaged in (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, text[:-40], text + text, b"\0" * 500):
        pathlib.Path(path).write_bytes(damaged)
        with pytest.raises(FeedError, match="order.json"):
            PackedDataset(path)


@pytest.mark.parametrize("folder", ["rows", "dataset"])
def test_every_member_of_a_manifest(small, folder):
    """With seal and fingerprint made again, so that only the content is wrong."""
    path, order = small.order()
    before, refused = rows_of(path), 0
    manifest = small.folder / folder / "manifest.json"
    content = json.loads(manifest.read_text())
    for place in members(content):
        if place[0] in ("manifest_xxh3", "tool"):
            continue
        for value in [members, *WRONG]:
            damaged = changed(content, place, value)
            try:
                write_json(manifest, damaged, "manifest_xxh3")
                hashed = {name: damaged[name] for name in ("configuration", "counts", "format", "inputs")}
                hashed["files"] = [file for file in damaged["files"] if file["name"] != "blocks.xxh3"]
                fingerprint = xxh3(json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
            except (KeyError, TypeError, ValueError):
                fingerprint = "0" * 16
            source = dict(order["sources"][0], **{f"{folder}_fingerprint": fingerprint})
            write_order(path, dict(order, sources=[source]))
            after = rows_of(path)
            refused += after is None
            assert after is None or after == before, (place, value)
    assert refused > 200


FILES = ["rows/rows.u64", "rows/segments.u64", "rows/groups.json", "dataset/shard-00000.bin", "dataset/shard-00001.idx"]


@pytest.mark.parametrize("name", [*FILES, "rows/blocks.xxh3", "dataset/blocks.xxh3"])
def test_every_byte(small, name):
    """Flips in headers and offsets are refused, or the rows are the same; `verify` finds all of them."""
    path, _ = small.order()
    file, before = small.folder / name, rows_of(path)
    good = file.read_bytes()
    places = [*range(min(len(good), 50)), *np.linspace(0, len(good) - 1, 40).astype(int).tolist()]
    for place in places:
        for bit in (0, 7):
            bad = bytearray(good)
            bad[place] ^= 1 << bit
            file.write_bytes(bad)
            # A token that is another one, or a boundary that is still possible, is what checksums are for.
            if name.endswith("idx") and place < 34:
                assert rows_of(path) is None
            else:
                rows_of(path)
            with pytest.raises(FeedError, match=name.split("/")[0]):
                PackedDataset(path).verify()
    file.write_bytes(good)
    PackedDataset(path).verify()
    assert rows_of(path) == before


@pytest.mark.parametrize("name", ["rows/rows.u64", "rows/segments.u64", "dataset/shard-00001.bin", "dataset/shard-00000.idx"])
def test_other_sizes(small, name):
    path, _ = small.order()
    file = small.folder / name
    good = file.read_bytes()
    for bad in (good + b"\0", good[:-1], b""):
        file.write_bytes(bad)
        with pytest.raises(FeedError, match="bytes, the manifest says"):
            PackedDataset(path)
    file.unlink()
    with pytest.raises(FeedError, match="No such file"):
        PackedDataset(path)
    file.mkdir()
    with pytest.raises(FeedError):
        PackedDataset(path)


@pytest.mark.parametrize("blocks", [True, False])
def test_files_of_other_sizes_with_their_manifest(small, blocks):
    """Checksums and sizes are right, and the content is not."""
    for name in FILES:
        file = small.folder / name
        good = file.read_bytes()
        for bad in (good + bytes(24), good[:-24], b""):
            file.write_bytes(bad)
            small.seal(blocks=blocks)
            path, _ = small.order()
            with pytest.raises(FeedError, match="weir verify"):
                PackedDataset(path).verify()
        file.write_bytes(good)
        small.seal(blocks=blocks)
        PackedDataset(small.order()[0]).verify()


def put(small, name, dtype, place, value):
    array = np.memmap(small.folder / name, dtype, "r+")
    array[place] = value
    array.flush()


@pytest.mark.parametrize("name, dtype, place, value", [
    ("rows/rows.u64", "<u8", 0, 1),
    ("rows/rows.u64", "<u8", slice(1, -1), 0),
    ("rows/rows.u64", "<u8", slice(1, -1), 2**63),
    ("rows/rows.u64", "<u8", slice(1, -1), 10**6),
    ("rows/segments.u64", "<u8", 0, 2**63),
    ("rows/segments.u64", "<u8", 0, 60),
    ("rows/segments.u64", "<u8", 1, 1),
    ("rows/segments.u64", "<u8", slice(1, None, 3), 2**63 - 1),
    ("rows/segments.u64", "<u8", slice(2, None, 3), 2**62),
    ("rows/segments.u64", "<u8", slice(2, None, 3), 0),
    ("rows/segments.u64", "<u8", slice(2, None, 3), 2**63),
    ("dataset/shard-00000.bin", "<u2", 3, 4096),
    ("dataset/shard-00000.bin", "<u2", -1, 5),
    ("dataset/shard-00000.idx", "<i4", 9, 0),
])
def test_content_that_does_not_fit(small, name, dtype, place, value):
    """`verify` finds it without the checksums, too; reading it raises the same error or nothing."""
    if name.endswith("idx"):
        # The header has 34 bytes: a document without tokens.
        data = bytearray((small.folder / name).read_bytes())
        data[34:38] = bytes(4)
        (small.folder / name).write_bytes(data)
    else:
        put(small, name, dtype, place, value)
    small.seal()
    path, _ = small.order()
    with pytest.raises(FeedError, match="weir verify|make the dataset again"):
        PackedDataset(path).verify()
    rows_of(path)


@pytest.mark.parametrize("change", [
    lambda groups: groups[0].update(rows=groups[0]["rows"] + 1),
    lambda groups: groups[0].update(tokens=groups[0]["tokens"] - 1),
    lambda groups: groups.pop(),
    lambda groups: groups[0].pop("rows"),
    lambda groups: groups[1].update(rows="many"),
])
def test_groups_that_do_not_add_up(small, change):
    groups = copy.deepcopy(small.groups)
    change(groups)
    (small.rows / "groups.json").write_text(json.dumps(groups))
    small.seal()
    with pytest.raises(FeedError, match="groups.json"):
        PackedDataset(small.order()[0]).verify()


def test_tokens_outside_the_vocabulary(tmp_path):
    for vocabulary, wrong in ((4096, 4096), (4096, 65_535), (70_000, 70_000), (70_000, -1)):
        corpus = Corpus(tmp_path / f"{vocabulary} {wrong}", vocabulary=vocabulary)
        path, _ = corpus.order()
        PackedDataset(path)[:]
        np.memmap(corpus.dataset / "shard-00000.bin", "<u2" if vocabulary < 65_500 else "<i4", "r+")[10] = wrong
        with pytest.raises(FeedError, match=f"dataset: the row at position .* outside the vocabulary of {vocabulary}.*weir verify"):
            PackedDataset(path)[:]


def test_other_rows_than_those_of_the_order(tmp_path):
    corpus = Corpus(tmp_path / "a")
    path, _ = corpus.order()
    Corpus(tmp_path / "b", seed=2)
    shutil.move(tmp_path / "a" / "rows", tmp_path / "a" / "old")
    shutil.move(tmp_path / "b" / "rows", tmp_path / "a" / "rows")
    with pytest.raises(FeedError, match="make the order again"):
        PackedDataset(path)


def test_blocks_of_a_large_file(tmp_path):
    """More blocks than are hashed together, and a last one that is shorter."""
    corpus = Corpus(tmp_path, documents=12_000, shards=1, longest=200)
    path, _ = corpus.order()
    shard = corpus.dataset / "shard-00000.bin"
    assert shard.stat().st_size > 9 * 65_536
    PackedDataset(path).verify()
    for place in (0, 65_536 * 8 + 5, shard.stat().st_size - 1):
        data = np.memmap(shard, np.uint8, "r+")
        data[place] ^= 1
        with pytest.raises(FeedError, match=f"shard-00000.bin@{place // 65_536 * 65_536}: is damaged"):
            PackedDataset(path).verify()
        data[place] ^= 1
