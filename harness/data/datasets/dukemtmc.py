"""DukeMTMC-reID (Zheng et al., ICCV 2017): `0001_c2_f0046182.jpg` in Market-1501's three folders.

The authors withdrew the dataset in 2019; there is no legal download.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.data.dataset import Dataset
from harness.data.datasets.market1501 import load_folders

FOLDER_NAMES = ("DukeMTMC-reID", "dukemtmc", "dukemtmc-reid", "dukemtmc-reid/DukeMTMC-reID")
FILENAME_PATTERN = re.compile(r"(\d{4})_c(\d)_f\d+\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Load DukeMTMC-reID from `root` or one of the usual folders below it.

    Raises:
        SetupError: The folder is missing or cannot be read, or a file name is not understood.
    """
    return load_folders("dukemtmc", root, FOLDER_NAMES, FILENAME_PATTERN)
