"""Each example, on the CPU with a tiny model; skipped where its packages are missing."""

import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
from reference import Corpus

from weir_feed import PackedDataset

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"
sys.path.append(str(EXAMPLES))


@pytest.fixture(scope="module")
def order(tmp_path_factory):
    return Corpus(tmp_path_factory.mktemp("examples"), documents=500, used=50).order()[0]


def mixed_row(dataset):
    """A row with two or more documents of several tokens each, and where the second begins."""
    for index in range(len(dataset)):
        lengths = [count for *_, count in dataset.segments(index)]
        if len(lengths) > 1 and min(lengths[:2]) > 4:
            return index, lengths[0]
    raise AssertionError("no such row")


def check_isolation(dataset, logits):
    """Other tokens in the first document of a row leave the logits of all others as they are."""
    index, end = mixed_row(dataset)
    row = {name: values.copy() for name, values in dataset[index : index + 1].items()}
    before = np.asarray(logits(row))
    row["input_ids"][0, : end - 1] = (row["input_ids"][0, : end - 1] + 1) % dataset.vocabulary
    after = np.asarray(logits(row))
    assert np.abs(before[0, end:] - after[0, end:]).max() < 1e-5 < np.abs(before[0, :end] - after[0, :end]).max()


def tensors(row):
    import torch

    return {name: torch.from_numpy(values) for name, values in row.items()}


def run(example, *arguments):
    done = subprocess.run([sys.executable, EXAMPLES / example, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return [float(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("step ")]


class TestPyTorch:
    @pytest.fixture(autouse=True)
    def example(self):
        pytest.importorskip("torch")
        import pytorch

        self.example = pytorch

    @pytest.mark.parametrize("workers", [0, 2])
    def test_rows(self, order, workers):
        steps, loader = self.example.batches(order, workers=workers)
        whole = PackedDataset(order, self.example.COLUMNS)
        for step, rows in enumerate(loader):
            for name, values in whole[8 * step : 8 * step + 8].items():
                assert (rows[name].numpy() == values).all()
        assert step == len(steps) - 1

    @pytest.mark.parametrize("workers", [0, 2])
    def test_map_style(self, order, workers):
        from torch.utils.data import DataLoader, default_collate

        from weir_feed import collate

        dataset = PackedDataset(order)
        for collator in (collate, default_collate):
            loader = DataLoader(dataset, batch_size=5, num_workers=workers, collate_fn=collator)
            assert np.concatenate([rows["labels"].numpy() for rows in loader]).tolist() == dataset[:]["labels"].tolist()

    @pytest.mark.parametrize("world", [1, 2, 4])
    def test_ranks(self, order, world, tmp_path):
        import torch.multiprocessing as multiprocessing

        multiprocessing.spawn(gather, (world, order, str(tmp_path / "store")), nprocs=world)

    def test_losses_do_not_depend_on_ranks(self, order):
        alone = run("pytorch.py", order, "--steps", 4, "--workers", 0)
        launched = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", EXAMPLES / "pytorch.py", order, "--steps", "4"]
        done = subprocess.run(launched, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        losses = [float(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("step ")]
        assert len(alone) == 4 and np.allclose(alone, losses, atol=2e-3) and alone[0] > alone[-1]

    def test_resuming(self, order, tmp_path):
        whole = run("pytorch.py", order, "--steps", 6, "--workers", 0)
        first = run("pytorch.py", order, "--steps", 3, "--workers", 0, "--save", tmp_path / "run.pt")
        assert whole == first + run("pytorch.py", order, "--steps", 6, "--workers", 2, "--resume", tmp_path / "run.pt")

    def test_isolation(self, order):
        import torch

        dataset = PackedDataset(order, ["input_ids", "position_ids", "document_ids"])
        model = self.example.Model(dataset.vocabulary, dataset.sequence)
        with torch.no_grad():
            check_isolation(dataset, lambda row: model(**tensors(row)))

    def test_flex_attention(self, order):
        import torch
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention

        ids = torch.from_numpy(PackedDataset(order, ["document_ids"])[:2]["document_ids"])
        size = ids.shape[1]
        q, k, v = torch.randn(3, 2, 2, size, 16)
        mask = create_block_mask(lambda b, h, i, j: (i >= j) & (ids[b, i] == ids[b, j]), 2, None, size, size, device="cpu")
        dense = (ids[:, None, :, None] == ids[:, None, None, :]).tril()
        expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=dense)
        assert torch.allclose(flex_attention(q, k, v, block_mask=mask), expected, atol=1e-5)


class TestStatefulDataLoader:
    """torchdata's loader: its sampler knows what was read, and the dataset begins where it did."""

    @pytest.fixture(autouse=True)
    def loader(self):
        pytest.importorskip("torchdata")
        from torchdata.stateful_dataloader import StatefulDataLoader

        self.loader = StatefulDataLoader

    def rows(self, batches):
        return [rows["labels"].tolist() for rows in batches]

    @pytest.mark.parametrize("workers", [0, 2])
    @pytest.mark.parametrize("start", [None, 16])
    def test_resuming(self, order, workers, start):
        from weir_feed import collate

        def open_loader():
            return self.loader(PackedDataset(order, start=start, rows=80), batch_size=8, num_workers=workers, collate_fn=collate)

        whole = self.rows(open_loader())
        assert len(whole) == (80 - (start or 0)) // 8
        interrupted = open_loader()
        first = self.rows(rows for _, rows in zip(range(3), interrupted))
        state = pickle.loads(pickle.dumps(interrupted.state_dict()))
        resumed = open_loader()
        resumed.load_state_dict(state)
        assert first + self.rows(resumed) == whole

    def test_steps_of_ranks(self, order):
        """A step is a batch already; other ranks and batch sizes go on with the state of the dataset instead."""
        from weir_feed import StepDataset, collate

        def open_loader(rank):
            return self.loader(StepDataset(PackedDataset(order, rows=80), rank, 2, 8), batch_size=None, collate_fn=collate)

        for rank in range(2):
            whole = self.rows(open_loader(rank))
            interrupted = open_loader(rank)
            first = self.rows(rows for _, rows in zip(range(4), interrupted))
            resumed = open_loader(rank)
            resumed.load_state_dict(interrupted.state_dict())
            assert first + self.rows(resumed) == whole and len(whole) == 10


def gather(rank, world, order, store):
    """In a process per rank: the rows of all ranks together are those of the dataset."""
    import pytorch
    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    whole = PackedDataset(order)
    for step, rows in zip(range(5), pytorch.batches(order, rank, world)[1]):
        parts = [torch.empty_like(rows["input_ids"]) for _ in range(world)]
        dist.all_gather(parts, rows["input_ids"])
        assert (torch.stack(parts, 1).flatten(0, 1).numpy() == whole[8 * step : 8 * step + 8]["input_ids"]).all()
    dist.destroy_process_group()


class TestHuggingFaceTrainer:
    @pytest.fixture(autouse=True)
    def example(self):
        pytest.importorskip("transformers")
        import huggingface_trainer

        self.example = huggingface_trainer

    def seen(self, dataset, trainer):
        """The rows that reach the model."""
        rows, forward = [], trainer.model.forward

        def record(*arguments, **batch):
            rows.extend(batch["input_ids"].reshape(-1, dataset.sequence).tolist())
            return forward(*arguments, **batch)

        trainer.model.forward = record
        return rows

    @pytest.mark.parametrize("workers", [0, 2])
    @pytest.mark.parametrize("older", [False, True])
    def test_rows(self, order, tmp_path, workers, older, monkeypatch):
        if older:
            monkeypatch.setattr(self.example, "inspect", Older())
        dataset = PackedDataset(order, self.example.COLUMNS)
        trainer = self.example.trainer(dataset, self.example.tiny_model(dataset), tmp_path, 5, workers=workers)
        assert isinstance(trainer, self.example.SequentialTrainer) == older
        rows = self.seen(dataset, trainer)
        trainer.train()
        assert rows == dataset[:40]["input_ids"].tolist()

    def test_resuming(self, order, tmp_path):
        dataset = PackedDataset(order, self.example.COLUMNS)
        trainer = self.example.trainer(dataset, self.example.tiny_model(dataset), tmp_path, 3)
        trainer.train()
        trainer = self.example.trainer(dataset, self.example.tiny_model(dataset), tmp_path, 5)
        rows = self.seen(dataset, trainer)
        trainer.train(resume_from_checkpoint=True)
        assert rows == dataset[24:40]["input_ids"].tolist()

    @pytest.mark.parametrize("workers", [0, 2])
    def test_interruption(self, order, tmp_path, workers):
        """A run that fails after its last checkpoint and is resumed sees the rows of one that is left alone, with the same losses."""
        import torch

        def run(output, fails=False, resumes=False):
            torch.manual_seed(1)
            dataset = PackedDataset(order, self.example.COLUMNS, rows=64)
            trainer = self.example.trainer(dataset, self.example.tiny_model(dataset), output, 8, workers=workers)
            trainer.args.save_steps, trainer.args.logging_steps = 3, 1
            rows, step = self.seen(dataset, trainer), trainer.training_step

            def fail(*arguments):
                if len(rows) >= 40:
                    raise KeyboardInterrupt
                return step(*arguments)

            if fails:
                trainer.training_step = fail
                with pytest.raises(KeyboardInterrupt):
                    trainer.train()
            else:
                trainer.train(resume_from_checkpoint=resumes)
            return rows, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]

        whole, losses = run(tmp_path / "whole")
        first, _ = run(tmp_path / "interrupted", fails=True)
        second, resumed = run(tmp_path / "interrupted", resumes=True)
        # The checkpoint is that of step 3.
        assert first == whole[:40] and second == whole[24:] and whole == PackedDataset(order, rows=64)[:]["input_ids"].tolist()
        assert resumed == losses and len(losses) == 8

    def test_joined_rows(self, order):
        """What flash attention takes: one row per batch, with the boundaries of its segments. Losses are those of separate rows."""
        import torch

        from weir_feed import collate

        dataset = PackedDataset(order, self.example.FLASH)
        batch = collate(dataset.__getitems__([3, 1, 2]))
        assert batch["input_ids"].shape == (1, 3 * dataset.sequence) and batch["cu_seq_lens_q"][-1] == 3 * dataset.sequence
        starts = torch.nonzero(batch["position_ids"][0] == 0)[:, 0]
        assert batch["cu_seq_lens_q"].tolist() == [*starts.tolist(), 3 * dataset.sequence]
        again = collate(list(dataset.__getitems__([3, 1, 2])))
        assert all(np.array_equal(again[name], values) for name, values in batch.items())
        model = self.example.tiny_model(dataset)
        with torch.no_grad():
            joined = model(**{name: batch[name] for name in self.example.COLUMNS}).loss
            separate = model(**collate(PackedDataset(order, self.example.COLUMNS).__getitems__([3, 1, 2]))).loss
        assert torch.allclose(joined, separate, atol=1e-5)

    def test_isolation(self, order):
        import torch

        dataset = PackedDataset(order, ["input_ids", "position_ids"])
        model = self.example.tiny_model(dataset).eval()
        with torch.no_grad():
            check_isolation(dataset, lambda row: model(**tensors(row)).logits)


class Older:
    """`inspect` of a version of transformers without the argument."""

    @staticmethod
    def signature(_):
        return type("Signature", (), {"parameters": {}})


class TestAccelerate:
    @pytest.fixture(autouse=True)
    def example(self):
        pytest.importorskip("accelerate")
        pytest.importorskip("transformers")
        import accelerate_loop

        self.example = accelerate_loop

    def test_losses_and_state(self, order):
        whole, parts = [], []
        state = self.example.train(order, 4, log=whole.append)
        assert state == PackedDataset(order).state_dict(32)
        assert self.example.train(order, 2, state={**state, "position": 16}, log=parts.append) == state

    def test_ranks(self, order):
        alone = run("accelerate_loop.py", order, "--steps", 3)
        launched = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", EXAMPLES / "accelerate_loop.py"]
        done = subprocess.run([*launched, order, "--steps", "3"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        assert len(alone) == len([line for line in done.stdout.splitlines() if line.startswith("step ")]) == 3

    def test_isolation(self, order):
        import torch

        dataset = PackedDataset(order, ["input_ids", "position_ids"])
        model = self.example.Accelerator().prepare(self.example.tiny_model(dataset)).eval()
        with torch.no_grad():
            check_isolation(dataset, lambda row: model(**tensors(row)).logits.cpu())


class TestLightning:
    @pytest.fixture(autouse=True)
    def example(self):
        pytest.importorskip("lightning")
        pytest.importorskip("transformers")
        import lightning_module

        self.example = lightning_module

    def trainer(self, steps, output):
        return self.example.trainer(steps, output, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)

    def test_rows_and_resuming(self, order, tmp_path):
        data = self.example.Data(order)
        rows = []

        class Recorder(self.example.Model):
            def training_step(self, batch):
                rows.extend(batch["input_ids"].tolist())
                return super().training_step(batch)

        trainer = self.trainer(3, tmp_path)
        trainer.fit(Recorder(data.dataset), data)
        trainer.save_checkpoint(tmp_path / "run.ckpt")
        assert rows == data.dataset[:24]["input_ids"].tolist()
        rows.clear()
        again = self.example.Data(order)
        self.trainer(5, tmp_path).fit(Recorder(again.dataset), again, ckpt_path=tmp_path / "run.ckpt")
        assert again.dataset.start == 24 and rows == data.dataset[24:40]["input_ids"].tolist()

    def test_isolation(self, order):
        import torch

        dataset = PackedDataset(order, ["input_ids", "position_ids"])
        model = self.example.Model(dataset).eval()
        with torch.no_grad():
            check_isolation(dataset, lambda row: model.model(**tensors(row)).logits)


class TestJAX:
    @pytest.fixture(autouse=True)
    def example(self):
        pytest.importorskip("jax")
        pytest.importorskip("grain")
        import jax_grain

        self.example = jax_grain

    def test_rows_and_state(self, order):
        dataset = PackedDataset(order, self.example.COLUMNS, dtype=np.int32)
        iterator = self.example.batches(dataset)
        for step in range(4):
            rows = next(iterator)
            for name, values in dataset[8 * step : 8 * step + 8].items():
                assert (rows[name] == values).all() and rows[name].dtype == np.int32
        state, expected = iterator.get_state(), next(iterator)
        other = self.example.batches(dataset)
        other.set_state(state)
        assert (next(other)["input_ids"] == expected["input_ids"]).all()

    def test_training(self, order):
        losses = run("jax_grain.py", order, "--steps", 4)
        assert len(losses) == 4 and losses[-1] < losses[0]

    def test_isolation(self, order):
        dataset = PackedDataset(order, ["input_ids", "position_ids", "segment_ids"], dtype=np.int32)
        model = self.example.tiny_model(dataset)
        check_isolation(dataset, lambda row: self.example.logits(model, **row))
