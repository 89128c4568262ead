"""DukeMTMC-reID (Zheng et al., ICCV 2017): `0001_c2_f0046182.jpg`, in Market-1501's three folders.

The dataset was withdrawn by its authors in 2019; there is no legal download.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.data.dataset import Dataset
from harness.data.datasets.market1501 import load_folders

FOLDERS = ("DukeMTMC-reID", "dukemtmc", "dukemtmc-reid", "dukemtmc-reid/DukeMTMC-reID")
NAME = re.compile(r"(\d{4})_c(\d)_f\d+\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Read the dataset below `root`, under its own name or the usual toolboxes' name."""
    return load_folders("dukemtmc", root, FOLDERS, NAME)
