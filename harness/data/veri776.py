"""VeRi-776 (Liu et al., ECCV 2016): `0002_c002_00030600_0.jpg` is vehicle 2 seen by camera 2.

The query images lie in the gallery too; the same-identity-same-camera rule removes them there.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.data.dataset import Dataset, assemble
from harness.data.layout import listing, locate, parse

FOLDERS = ("VeRi", "veri", "veri776", "veri-776")
SUBSETS = ("image_train", "image_query", "image_test")
NAME = re.compile(r"(\d{4})_c(\d{3})_\d+_\d+\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Read the dataset below `root`, under its own name or the usual toolboxes' name."""
    home = locate(root, "veri776", FOLDERS, SUBSETS)
    train, query, gallery = (
        list(parse(listing(home / subset, "veri776"), home, NAME, "veri776")) for subset in SUBSETS
    )
    return assemble("veri776", home, train, query, gallery)
