"""Datasets by name: where they are searched, and what opening one imports."""

import subprocess
import sys
from dataclasses import replace

import pytest

from harness.core.errors import SetupError, UsageError
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.data.images import FileImages
from harness.data.pixel_cache import CachedImages, DiskTooSmallError
from harness.data.synthetic.generator import generate
from harness.planning import images
from harness.planning.datasets import (
    DATA_ROOT_VARIABLE,
    dataset_root,
    find_dataset,
    generated_folders,
    open_dataset,
)
from harness.planning.images import open_images
from harness.planning.schema import load_dataset
from harness.runs.spec import Recipe
from tests.support.generated_copies import FEWEST_IMAGES


@pytest.fixture(name="context")
def a_context(tmp_path):
    return RunContext(runs=tmp_path / "runs", reporter=Reporter(quiet=True))


def test_opening_a_dataset_imports_no_training(tmp_path):
    """Nor methods, networks and scores: checking data must be quick."""
    root = generate(tmp_path / "images", FEWEST_IMAGES)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from harness.core.session import RunContext\n"
        "from harness.planning.datasets import open_dataset\n"
        "from harness.planning.schema import load_dataset\n"
        "config, settings = load_dataset('synthetic'), None\n"
        f"open_dataset('synthetic', config, settings, Path({str(root)!r}), RunContext())\n"
        "print(*sorted(name for name in sys.modules\n"
        "      if name.partition('.')[0] in ('harness', 'methods', 'results', 'slurm')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    packages = {name.split(".")[1] for name in modules if name.startswith("harness.")}
    assert packages == {"core", "data", "planning", "runs"}
    assert not {name.partition(".")[0] for name in modules} - {"harness"}
    assert len(modules) <= 80  # 97 before the training loop was left out of it


def test_generated_images_are_drawn_once(context):
    config = load_dataset("synthetic")
    first = open_dataset("synthetic", config, FEWEST_IMAGES, None, context)
    assert generated_folders(context.runs) == [first.root]
    again = open_dataset("synthetic", config, FEWEST_IMAGES, None, context)
    assert (again.root, again.fingerprint) == (first.root, first.fingerprint)
    assert dataset_root(config, None, first) == first.root.absolute()
    other = open_dataset("synthetic", config, replace(FEWEST_IMAGES, seed=1), None, context)
    assert generated_folders(context.runs) == sorted([first.root, other.root])


def test_a_real_dataset_that_is_nowhere(monkeypatch, tmp_path):
    monkeypatch.delenv(DATA_ROOT_VARIABLE, raising=False)
    config = load_dataset("dukemtmc")
    with pytest.raises(SetupError, match="dukemtmc: the data root is not given.*KDREID_DATA. Its"):
        find_dataset("dukemtmc", config, None)
    monkeypatch.setenv(DATA_ROOT_VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(SetupError, match="the data root .*absent does not exist. Its authors"):
        find_dataset("dukemtmc", config, None)


def test_an_unknown_loader(context, tmp_path):
    config = load_dataset("market1501").model_copy(update={"loader": "market"})
    with pytest.raises(UsageError, match="mine: no loader is called 'market'. Did you mean 'mark"):
        open_dataset("mine", config, FEWEST_IMAGES, tmp_path, context)


def test_images_with_and_without_the_cache(context, monkeypatch):
    dataset = open_dataset("synthetic", load_dataset("synthetic"), FEWEST_IMAGES, None, context)
    recipe = Recipe(height=16, width=8)
    cached = open_images(dataset, recipe, context)
    plain = open_images(dataset, recipe, context, cache=False)
    assert isinstance(cached.train, CachedImages) and isinstance(plain.train, FileImages)
    everything = range(len(dataset.test))
    assert cached.test[everything].equal(plain.test[everything])

    def refuse(*_, **__):
        raise DiskTooSmallError("too small")

    monkeypatch.setattr(images, "open_cache", refuse)
    assert isinstance(open_images(dataset, recipe, context).test, FileImages)
