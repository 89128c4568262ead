"""Fixtures of all tests."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import forks, tiny_grid
from tests.support.slurm_cluster import accounted, cluster, slurm_installed

__all__ = ["accounted", "cluster", "slurm_installed"]


def pytest_collection_modifyitems(items):
    """Order tests by the time of their files, the longest first, so that no process waits alone.

    The tests on clusters mostly wait: run first, others fill the gaps.
    """
    items.sort(
        key=lambda item: (
            item.get_closest_marker("slurm") is None,
            item.path.parent.name != "training",
        )
    )


@pytest.fixture(scope="session", autouse=True)
def fork_server():
    """End the server of forks with the last test: then its lines are counted, too."""
    yield
    forks.close()


@pytest.fixture(scope="session")
def shared_runs(tmp_path_factory):
    """A runs folder whose teacher and images every test may use; only read or add to it."""
    runs = tmp_path_factory.mktemp("shared")
    _, outcome = tiny_grid.run(runs, "kd")
    assert not outcome.failed
    return runs


@pytest.fixture
def with_teacher(shared_runs, tmp_path):
    """A runs folder of a test's own that holds a trained teacher, its data and nothing else."""
    plan = tiny_grid.grid(shared_runs, "kd")
    for name in ("data", "cache"):
        shutil.copytree(shared_runs / name, tmp_path / name)
    teacher = plan.cohorts[0][0]
    shutil.copytree(shared_runs / teacher.key, tmp_path / teacher.key)
    return tmp_path


@pytest.fixture
def public_path():
    """A folder of a test's own that other users may enter; pytest's are private."""
    with tempfile.TemporaryDirectory(prefix="kdreid-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@pytest.fixture
def jpeg():
    """Write a small JPEG of one colour to a path, making its folder."""

    def write(path, colour=120, size=(16, 32)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((size[1], size[0], 3), colour, np.uint8)).save(path, quality=95)
        return path

    return write
