"""The order against the scalar reference, and its properties."""

import json
from collections import Counter

import numpy as np
import pytest
from reference import Corpus, Order, compile_draws, permutation, write_order

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
        span = order.span(position)
        source, number = order.rows(span)
        place = position - span.start
        assert (source[place], number[place]) == reference.row(position), position
        part = order.rows(range(position, min(position + 300, span.stop)))
        assert part[1].tolist() == number[place : place + 300].tolist()


def test_uniform(corpus):
    check(*corpus.order("uniform.json"), [*range(0, 300, 17), 255, 256, 4095, 4096, 4097, 123_456, 2**32 + 5, 10**12])


def test_stages_and_caps(corpus):
    rows = len(corpus.packed)
    stages = [(0, [1, 0, 1, 3, 0.5]), (50, [0, 1e-9, 1, 1, 1]), (150, [1, 1, 1, 1, 1])]
    check(*corpus.order("stages.json", stages), [*range(0, 400, 7), 5000, 9000, 10**7])
    check(*corpus.order("capped.json", stages, epochs=2), range(0, 2 * rows, 7))


def drawn(order):
    """All rows of a run that ends."""
    rows, position = [], 0
    while position < order.capacity:
        span = order.span(position)
        rows += order.rows(span)[1].tolist()
        position = span.stop
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_every_row_once_per_epoch(corpus, seed):
    rows = len(corpus.packed)
    path, content = corpus.order(f"capped-{seed}.json", [(0, [1, 2, 1, 3, 0.5]), (rows // 3, [1, 1, 5, 1, 1])], epochs=3, seed=seed)
    order = RowOrder(path)
    assert order.capacity == 3 * rows
    found = drawn(order)
    assert set(Counter(found).values()) == {3} and len(set(found)) == rows
    # In every prefix, no row of a group is drawn again before all others of the group.
    for group in content["groups"]:
        own = [row for row in found if group["first_row"] <= row < group["first_row"] + group["rows"]]
        for first in range(0, len(own), group["rows"]):
            assert len(set(own[first : first + group["rows"]])) == group["rows"]


def test_capacities_of_a_stage(corpus):
    """A stage may have lower caps than those after it."""
    path, content = corpus.order("limits.json", [(0, [1] * 5), (20, [1, 2, 3, 4, 5])], epochs=2)
    first = content["draws"]["stages"][0]
    first["capacities"] = [group["rows"] // 2 for group in corpus.groups]
    second = compile_draws([(0, [1] * 5)], first["capacities"], 1)
    first["base"] = second["stages"][0]["base"]
    content["draws"]["stages"][1]["base"] = base_of(Order(content).counts(20))
    write_order(path, content)
    order = RowOrder(path)
    found = drawn(order)
    assert len(found) == order.capacity and set(Counter(found).values()) == {2}
    check(path, content, range(0, 60, 3))


def base_of(counts):
    """The draws to the left at each inner node."""
    base = [0] * (len(counts) - 1)

    def visit(low, high):
        if high - low > 1:
            mid = (low + high) // 2
            base[mid - 1] = sum(counts[low:mid])
            visit(low, mid)
            visit(mid, high)

    visit(0, len(counts))
    return base


@pytest.mark.parametrize("groups", [1, 2, 64, 130])
def test_many_groups(tmp_path, groups):
    corpus = Corpus(tmp_path, groups=groups, documents=4 * groups, sequence=16)
    weights = [1e-9 if group % 7 == 3 else 1 + group % 5 for group in range(groups)]
    check(*corpus.order("order.json", [(0, weights)]), [*range(0, 300, 41), 10**6, 10**9])


def test_shares_at_block_boundaries(tmp_path):
    corpus = Corpus(tmp_path, groups=64, documents=256, sequence=16)
    weights = np.arange(1, 65) / np.arange(1, 65).sum()
    order = RowOrder(corpus.order("order.json", [(0, weights.tolist())])[0])
    bounds, counts = np.cumsum([0] + [group["rows"] for group in corpus.groups]), np.zeros(64)
    for block in range(100):
        counts += np.histogram(order.rows(range(256 * block, 256 * block + 256))[1], bounds)[0]
        assert np.abs(counts - weights * 256 * (block + 1)).max() <= 6


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


@pytest.mark.parametrize("change", [
    lambda c: c["draws"]["offsets"].pop(),
    lambda c: c["draws"]["stages"][0]["shares"].pop(),
    lambda c: c["draws"]["stages"][0].update(start=1),
    lambda c: c["draws"]["stages"][0].update(capacities=[1]),
    lambda c: c["groups"][1].update(rows=0),
    lambda c: c["groups"][1].update(source=1),
    lambda c: c["draws"]["stages"][0].update(end=5),
    lambda c: c["draws"]["stages"][0].update(base=[1, 0, 0, 0]),
    lambda c: c["draws"].update(stages=[]),
    lambda c: c.update(from_position=2**50),
    lambda c: c["draws"]["capacities"].__setitem__(0, "many"),
])
def test_members_out_of_range(corpus, change):
    path, content = corpus.order("members.json")
    change(content)
    write_order(path, content)
    with pytest.raises(FeedError, match="make it again"):
        RowOrder(path)
