"""Re-ID datasets: their images and labels, loaders, completeness, decoding and batches.

A dataset is opened by its name:

    from harness.data import LOADERS

    dataset = LOADERS["market1501"](Path("/data"))
    dataset.train, dataset.test, dataset.test_splits
"""

from harness.data.dataset import Dataset, Image, QueryGallerySplit, make_dataset
from harness.data.datasets import LOADERS

__all__ = ["LOADERS", "Dataset", "Image", "QueryGallerySplit", "make_dataset"]
