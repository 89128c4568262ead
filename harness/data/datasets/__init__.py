"""Loaders of the real datasets, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.data.dataset import Dataset
from harness.data.datasets import dukemtmc, market1501, msmt17, vehicleid, veri776

__all__ = ["LOADERS", "Dataset"]

LOADERS: dict[str, Callable[[Path], Dataset]] = {
    "market1501": market1501.load,
    "dukemtmc": dukemtmc.load,
    "msmt17": msmt17.load,
    "msmt17-train": msmt17.load_train,
    "veri776": veri776.load,
    "vehicleid": vehicleid.load,
}
