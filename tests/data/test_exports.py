import subprocess
import sys

import harness.data
from tests.support import tiny_grid

LIST_MODULES = """
import importlib, pkgutil, sys
import harness.data
for module in pkgutil.walk_packages(harness.data.__path__, "harness.data."):
    importlib.import_module(module.name)
print(*sorted(name for name in sys.modules if name.startswith("harness.")))
"""

OPEN = """
import sys
from pathlib import Path
from harness.data import LOADERS
from harness.data.images import OpenedDataset
from harness.data.pixel_cache import open_cache
dataset = LOADERS["market1501"](Path(sys.argv[1]))
OpenedDataset(dataset, *open_cache(dataset, (16, 8), Path(sys.argv[1], "cache")))
print(*sorted(sys.modules))
"""


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tiny_grid.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_all_names_are_exported():
    assert set(harness.data.__all__) == {
        "LOADERS",
        "Dataset",
        "Image",
        "QueryGallerySplit",
        "make_dataset",
    }
    assert all(hasattr(harness.data, name) for name in harness.data.__all__)


def test_datasets_need_neither_training_nor_planning():
    packages = {name.split(".")[1] for name in run(LIST_MODULES)}
    assert packages == {"core", "data", "runs"}


def test_opening_a_dataset_does_not_load_the_training_loop(tmp_path, place):
    place(
        tmp_path,
        {
            "bounding_box_train": ["0002_c1s1_000451_03.jpg"],
            "query": ["0001_c1s1_001051_00.jpg"],
            "bounding_box_test": ["0001_c4s2_001051_03.jpg"],
        },
    )
    modules = run(OPEN, str(tmp_path))
    assert "harness.data.pixel_cache" in modules
    assert not [name for name in modules if name.startswith(("harness.training", "methods"))]
    assert "torchvision" not in modules
