"""Rows of packed documents for training, in the order that Weir compiled: the same on any batch size, number of ranks and workers.

    from weir_feed import PackedDataset, collate

    dataset = PackedDataset("order.json", columns=["input_ids", "labels", "position_ids"])
    loader = torch.utils.data.DataLoader(dataset, batch_size=8, num_workers=2, collate_fn=collate)
"""

from .checksum import FeedError
from .collate import collate
from .columns import PER_BATCH, PER_POSITION, PER_ROW
from .dataset import PackedDataset, Rows, StepDataset

COLUMNS = PER_POSITION + PER_ROW + PER_BATCH
__all__ = ["COLUMNS", "FeedError", "PackedDataset", "Rows", "StepDataset", "collate"]
