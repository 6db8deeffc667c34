"""Rows and columns against those that are assembled from documents by hand."""

import multiprocessing
import pickle
import threading

import numpy as np
import pytest
from reference import Corpus, Order

from weir_feed import COLUMNS, PackedDataset, StepDataset


def expected(corpus, reference, position, attention="documents"):
    """All columns of a row."""
    tokens, starts, size, follows = corpus.row(reference.row(position)[1])
    sequence = corpus.sequence
    real = [place < size for place in range(sequence)]
    labels = [token if place not in starts and is_real else -100 for place, (token, is_real) in enumerate(zip(tokens, real))]
    if attention == "full":
        starts = [0]
    ends = starts[1:] + [sequence]
    lengths = [end - start for start, end in zip(starts, ends)]
    segment = [number for number, length in enumerate(lengths) for _ in range(length)]
    within = [place - starts[number] for place, number in enumerate(segment)]
    return {
        "input_ids": tokens,
        "labels": labels,
        "targets": labels[1:] + [follows],
        "position_ids": within,
        "attention_mask": [int(is_real) for is_real in real],
        "segment_ids": [number + 1 if is_real else 0 for number, is_real in zip(segment, real)],
        "document_ids": [number if is_real else -1 for number, is_real in zip(segment, real)],
        "doc_lens": lengths,
        "max_doc_lens": max(lengths),
        "cu_seqlens": [0, *ends, -1],
        "cu_seqlens_argmin": len(ends) + 1,
        "max_seqlen": max(lengths),
        "cu_seq_lens_q": [0, *ends],
        "cu_seq_lens_k": [0, *ends],
        "max_length_q": max(lengths),
        "max_length_k": max(lengths),
    }


def plain(columns):
    return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in columns.items()}


@pytest.mark.parametrize("options", [{}, {"vocabulary": 70_000, "shards": 1, "sequence": 33}, {"longest": 2, "sequence": 7}])
@pytest.mark.parametrize("attention", ["documents", "full"])
def test_columns(tmp_path, options, attention):
    corpus = Corpus(tmp_path, **options)
    path, content = corpus.order()
    dataset = PackedDataset(path, COLUMNS, attention=attention)
    reference = Order(content)
    rows = [expected(corpus, reference, position, attention) for position in range(len(dataset))]
    assert any(row["attention_mask"][-1] == 0 for row in rows) and any(row["targets"][-1] != -100 for row in rows)
    for position in range(0, len(dataset), 3):
        assert plain(dataset[position]) == rows[position]
    # In batches, what has other lengths in every row is padded or joined.
    some = [3, 4, 5, 2, 60, 0, len(dataset) - 1]
    got = dataset.__getitems__(some)
    most = max(len(rows[place]["doc_lens"]) for place in some)
    for row, place in enumerate(some):
        want = rows[place]
        assert plain(got[row]) == want
        for name in ("input_ids", "labels", "targets", "position_ids", "attention_mask", "segment_ids", "document_ids"):
            assert got.batch[name][row].tolist() == want[name]
        assert got.batch["doc_lens"][row].tolist() == want["doc_lens"] + [0] * (most - len(want["doc_lens"]))
        assert got.batch["cu_seqlens"][row].tolist() == want["cu_seqlens"] + [-1] * (most - len(want["doc_lens"]))
        assert got.batch["max_doc_lens"][row] == want["max_doc_lens"]
    ends = [corpus.sequence * row + end for row, place in enumerate(some) for end in rows[place]["cu_seq_lens_q"][1:]]
    assert got.batch["cu_seq_lens_q"].tolist() == [0, *ends]
    assert got.batch["max_length_q"] == max(rows[place]["max_length_q"] for place in some)


def test_dtypes(corpus):
    path, _ = corpus.order("types.json")
    for dtype in (np.int64, np.int32):
        row = PackedDataset(path, COLUMNS, dtype=dtype)[0]
        assert all(row[name].dtype == dtype for name in ("input_ids", "labels", "position_ids", "segment_ids"))
        assert row["cu_seqlens"].dtype == row["cu_seq_lens_q"].dtype == row["doc_lens"].dtype == np.int32
    with pytest.raises(ValueError, match="no column 'ids'"):
        PackedDataset(path, ["ids"])
    for dtype in (np.int8, np.uint16, np.float32):
        with pytest.raises(ValueError, match="take int64 or int32"):
            PackedDataset(path, dtype=dtype)
    with pytest.raises(ValueError, match='expected "documents" or "full"'):
        PackedDataset(path, attention="row")


def test_slices_lengths_and_ends(corpus):
    path, content = corpus.order("lengths.json")
    dataset = PackedDataset(path)
    assert len(dataset) == len(corpus.packed)
    assert (dataset[10:14]["input_ids"] == [dataset[i]["input_ids"] for i in range(10, 14)]).all()
    assert dataset[3:3]["labels"].shape == (0, corpus.sequence)
    assert (dataset[-1]["input_ids"] == dataset[len(dataset) - 1]["input_ids"]).all()
    for index in (len(dataset), -len(dataset) - 1):
        with pytest.raises(IndexError):
            dataset[index]
    assert len(PackedDataset(path, tokens=10 * corpus.sequence + 1)) == 11
    assert len(PackedDataset(path, rows=10**12)) == 10**12
    capped, _ = corpus.order("lengths-capped.json", epochs=2)
    assert len(PackedDataset(capped)) == 2 * len(corpus.packed)
    with pytest.raises(ValueError, match="caps on epochs"):
        PackedDataset(capped, rows=2 * len(corpus.packed) + 1)
    with pytest.raises(ValueError, match="before the run"):
        PackedDataset(path, start=-1)
    with pytest.raises(ValueError, match="not both"):
        PackedDataset(path, rows=1, tokens=1)


def test_segments(corpus):
    path, content = corpus.order("segments.json")
    dataset, reference = PackedDataset(path), Order(content)
    for position in range(0, len(dataset), 7):
        source, number = reference.row(position)
        assert dataset.segments(position) == [(source, *segment) for segment in corpus.packed[number]]


def test_state(corpus):
    path, _ = corpus.order("state.json", from_position=20)
    dataset, all_rows = PackedDataset(path, rows=300), PackedDataset(path, rows=300, start=0)
    assert dataset.start == 20 and len(dataset) == 280
    for consumed in range(0, 280, 13):
        resumed = PackedDataset(path, rows=300)
        resumed.load_state_dict(dataset.state_dict(consumed))
        assert resumed.start == 20 + consumed
        assert (resumed[0]["input_ids"] == all_rows[20 + consumed]["input_ids"]).all()
    other, _ = corpus.order("state-other.json", seed=2)
    with pytest.raises(ValueError) as error:
        PackedDataset(other).load_state_dict(dataset.state_dict())
    assert dataset.fingerprint in str(error.value) and PackedDataset(other).fingerprint in str(error.value)


@pytest.mark.parametrize("world", [1, 2, 3, 4, 7])
def test_ranks(corpus, world):
    path, _ = corpus.order("ranks.json")
    dataset = PackedDataset(path, ["input_ids", "targets"])
    ranks = [StepDataset(dataset, rank, world, batch=8) for rank in range(world)]
    for step in range(len(ranks[0])):
        whole = dataset[8 * step : 8 * step + 8]
        for rank in range(world):
            for name, values in ranks[rank][step].items():
                assert (values == whole[name][rank::world]).all()
    # The batch and the world change in the middle.
    state = ranks[-1].state_dict(steps=3)
    later = StepDataset(PackedDataset(path), 0, 2, batch=6)
    later.load_state_dict(state)
    assert (later[0]["input_ids"] == dataset[24:30]["input_ids"][::2]).all()
    with pytest.raises(ValueError, match="has no rows"):
        StepDataset(dataset, 8, 9, batch=8)


def rows_of(dataset, indices):
    return dataset[indices[0] : indices[-1] + 1]["input_ids"].tolist()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes(corpus, method):
    path, _ = corpus.order("processes.json")
    dataset = PackedDataset(path)
    whole = rows_of(dataset, range(40))
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.starmap(rows_of, [(dataset, range(20)), (dataset, range(20, 40))]) == [whole[:20], whole[20:]]
    again = pickle.loads(pickle.dumps(dataset))
    assert rows_of(again, range(40)) == whole and len(pickle.dumps(dataset)) < 20_000


def test_threads(tmp_path):
    corpus = Corpus(tmp_path, documents=2000)
    path, _ = corpus.order()
    dataset, alone = PackedDataset(path), PackedDataset(path)
    failures = []

    def read(seed):
        for index in np.random.default_rng(seed).integers(0, len(dataset), 300).tolist():
            if not (dataset[index]["input_ids"] == rows[index]).all():
                failures.append(index)

    rows = alone[:]["input_ids"]
    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
