"""The order against the scalar reference, and its properties."""

import json
from collections import Counter

import numpy as np
import pytest
from reference import Corpus, Order, permutation

from weir_feed import FeedError
from weir_feed.order import RowOrder
from weir_feed.permutation import keys, permute


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 17, 64, 100, 4095, 4096, 70_001])
def test_permutations(count):
    for seed, stream in [(1, 0), (2**64 - 1, 2**63 + 5), (7, 3 << 56)]:
        found = permute(np.arange(count, dtype=np.uint64), np.array([count], np.uint64), keys(seed, np.array([stream], np.uint64)))
        image = permutation(count, seed, stream)
        assert sorted(found.tolist()) == list(range(count))
        some = range(count) if count < 1000 else range(0, count, count // 200)
        assert [found[i] for i in some] == [image(i) for i in some]


def check(path, content, positions):
    order, reference = RowOrder(path), Order(content)
    for position in positions:
        block = order.block(position)
        source, number = order.rows(block)
        place = position - block.start
        assert (source[place], number[place]) == reference.row(position), position


def test_uniform(corpus):
    check(*corpus.order("uniform.json"), [*range(100), 4095, 4096, 4097, 123_456, 2**32 + 5, 10**12])


def test_stages_and_caps(corpus):
    rows = len(corpus.packed)
    stages = [(0, [1, 0, 1, 3, 0.5]), (50, [0, 1e-9, 1, 1, 1]), (150, [1, 1, 1, 1, 1])]
    check(*corpus.order("stages.json", stages), [*range(0, 400, 3), 5000, 9000, 10**7])
    check(*corpus.order("capped.json", stages, epochs=2), range(0, 2 * rows, 2))


@pytest.mark.parametrize("seed", range(5))
def test_every_row_once_per_epoch(corpus, seed):
    rows = len(corpus.packed)
    path, content = corpus.order(f"capped-{seed}.json", [(0, [1, 2, 1, 3, 0.5]), (rows, [1, 1, 5, 1, 1])], epochs=3, seed=seed)
    order, drawn, position = RowOrder(path), [], 0
    assert order.capacity == 3 * rows
    while position < order.capacity:
        block = order.block(position)
        drawn += order.rows(block)[1].tolist()
        position = block.stop
    assert set(Counter(drawn).values()) == {3} and len(set(drawn)) == rows


def test_capacity_within_a_stage_that_is_not_the_last(corpus):
    rows = len(corpus.packed)
    path, content = corpus.order("short.json", [(0, [1] * 5), (10 * rows, [1, 2, 3, 4, 5])], epochs=1)
    order = RowOrder(path)
    assert sorted(order.rows(order.block(0))[1].tolist()) == list(range(rows))


@pytest.mark.parametrize("groups", [1, 2, 64, 130])
def test_many_groups(tmp_path, groups):
    corpus = Corpus(tmp_path, groups=groups, documents=4 * groups, sequence=16)
    weights = [1e-9 if group % 7 == 3 else 1 + group % 5 for group in range(groups)]
    check(*corpus.order("order.json", [(0, weights)]), [*range(0, 300, 11), 10**6, 10**9])


def test_shares_at_block_boundaries(tmp_path):
    corpus = Corpus(tmp_path, groups=64, documents=256, sequence=16)
    weights = np.arange(1, 65) / np.arange(1, 65).sum()
    order = RowOrder(corpus.order("order.json", [(0, weights.tolist())])[0])
    bounds, counts = np.cumsum([0] + [group["rows"] for group in corpus.groups]), np.zeros(64)
    for block in range(20):
        counts += np.histogram(order.rows(order.block(4096 * block))[1], bounds)[0]
        assert np.abs(counts - weights * 4096 * (block + 1)).max() <= 6


def test_damage(corpus):
    path, content = corpus.order("damaged.json")
    text = open(path).read()
    for old, new, message in [
        ('"sequence": 64', '"sequence": 65', "was changed"),
        ('"order_version": 1', '"order_version": 2', "was changed"),
        ('"format": "weir', '"farmot": "weir', "was changed"),
    ]:
        assert old in text
        open(path, "w").write(text.replace(old, new))
        with pytest.raises(FeedError, match=message):
            RowOrder(path)
    content.update(order_version=2)
    open(path, "w").write(json.dumps(content))
    with pytest.raises(FeedError, match="order version 2"):
        RowOrder(path)
    open(path, "w").write("{")
    with pytest.raises(FeedError):
        RowOrder(path)
