"""The golden positions that Swift's tests check too: a dataset, packed rows and an order that `weir pack` wrote."""

import json
import pathlib
import shutil

import pytest
from reference import Order

from weir_feed import FeedError, PackedDataset

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "LoadingTests" / "Golden"
pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="needs a checkout of the whole repository")


def test_positions():
    content = json.loads((GOLDEN / "order.json").read_text())
    dataset = PackedDataset(str(GOLDEN / "order.json"), ["input_ids", "targets"])
    reference = Order(content)
    golden = json.loads((GOLDEN / "positions.json").read_text())
    assert len(golden) == 10 and dataset.fingerprint == content["fingerprint"]
    for row in golden:
        position = row["position"]
        got = dataset[position]
        assert reference.row(position) == (row["source"], row["row"])
        assert [list(segment[1:]) for segment in dataset.segments(position)] == row["segments"]
        assert got["input_ids"].tolist() == row["tokens"]
        assert got["targets"].clip(-1).tolist() == row["targets"]


def test_a_moved_folder(tmp_path):
    shutil.copytree(GOLDEN, tmp_path / "moved")
    assert len(PackedDataset(str(tmp_path / "moved" / "order.json"))) == len(PackedDataset(str(GOLDEN / "order.json")))


def test_checksums_that_weir_wrote(tmp_path):
    shutil.copytree(GOLDEN, tmp_path / "copy")
    dataset = PackedDataset(str(tmp_path / "copy" / "order.json"))
    dataset.verify()
    (tmp_path / "copy" / "dataset" / "blocks.xxh3").write_bytes(bytes((tmp_path / "copy" / "dataset" / "blocks.xxh3").stat().st_size))
    with pytest.raises(FeedError, match="blocks.xxh3: is damaged"):
        dataset.verify()
