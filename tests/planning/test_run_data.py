"""The data of a run are found again by their fingerprint, wherever they are."""

import shutil
from dataclasses import replace

import pytest

from harness.core.errors import SetupError, UsageError
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.planning.datasets import DATA_ROOT_VARIABLE
from harness.planning.run_data import (
    candidate_roots,
    dataset_of_run,
    find_fingerprint,
    is_generated,
    open_run_data,
)
from tests.support import tiny_grid


@pytest.fixture(scope="module", name="planned")
def two_plans_on_different_images(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    first = tiny_grid.grid(runs, "kd")
    second = tiny_grid.grid(runs, "kd", overrides=["data.seed=9"])
    return runs, first, second


@pytest.fixture(name="context")
def a_context(planned):
    return RunContext(runs=planned[0], reporter=Reporter(quiet=True))


def test_each_run_gets_its_own_images(planned, context):
    runs, *plans = planned
    for plan in plans:
        spec, expected = plan.specs[-1], plan.datasets["synthetic"]
        dataset, root = dataset_of_run(spec, candidate_roots("synthetic", runs), context)
        assert (dataset.root, root) == (expected.root, expected.root.absolute())
        data = open_run_data(spec, None, context)
        assert data.dataset.fingerprint == spec.fingerprint
        assert data.train[[0]].shape == (1, 3, spec.recipe.height, spec.recipe.width)


def test_images_that_were_moved_or_changed(planned, context, tmp_path):
    _, plan, other = planned
    spec, root = plan.specs[-1], plan.datasets["synthetic"].root
    moved = shutil.copytree(root, tmp_path / "moved")
    assert open_run_data(spec, moved, context).dataset.root == moved
    image = next(moved.glob("query/*.jpg"))
    image.write_bytes(image.read_bytes() + b"\0")
    changed = rf"^{spec.key}: The images of synthetic with the fingerprint {spec.fingerprint} were"
    found = rf"{image}, a generated file, was lost or damaged\. Remove {moved}"
    with pytest.raises(SetupError, match=rf"{changed} not found. {found}"):
        open_run_data(spec, moved, context)
    with pytest.raises(SetupError, match=rf"{changed}.*absent.*--data-root DIR, or plan the run"):
        open_run_data(spec, tmp_path / "absent", context)
    theirs = other.datasets["synthetic"].root
    with pytest.raises(SetupError, match=rf"{moved} and draw it again.* {theirs} holds other im"):
        dataset_of_run(spec, [moved, theirs], context)


def test_runs_of_version_0_2_0_find_their_images_by_its_fingerprint(planned, tmp_path):
    """They are measured as before, and trained only under new keys."""
    lines = []
    reporter = Reporter(quiet=True)
    reporter.info = lines.append
    context = RunContext(runs=planned[0], reporter=reporter)
    spec, dataset = planned[1].specs[-1], planned[1].datasets["synthetic"]
    former = replace(spec, fingerprint=dataset.sample_fingerprint)
    assert open_run_data(former, dataset.root, context).dataset.root == dataset.root
    assert any("fingerprint of version 0.2.0, which covers a sample of" in line for line in lines)
    with pytest.raises(
        SetupError, match=r"holds images that agree only by the fingerprint of vers"
    ):
        dataset_of_run(former, [dataset.root], context)


def test_nothing_was_generated(context):
    with pytest.raises(SetupError, match="None were generated in this runs folder"):
        find_fingerprint("synthetic", "0" * 16, [], context)


def test_where_data_are_searched(planned, tmp_path):
    runs, first, second = planned
    generated = sorted(plan.datasets["synthetic"].root for plan in (first, second))
    assert candidate_roots("synthetic", runs) == generated
    assert candidate_roots("synthetic", runs, [generated[1]]) == generated[::-1]
    assert candidate_roots("synthetic", runs, [generated[1]], tmp_path) == [tmp_path]
    assert candidate_roots("msmt17", runs, [tmp_path]) == [tmp_path, None]
    assert is_generated("synthetic") and not is_generated("msmt17")
    with pytest.raises(UsageError, match="No dataset is called 'msmt18'"):
        candidate_roots("msmt18", runs)


def test_a_real_dataset_where_the_environment_says(planned, context, tmp_path, monkeypatch):
    """A generated copy in Market-1501's layout stands for it, incomplete as it is."""
    root = planned[1].datasets["synthetic"].root
    shutil.copytree(root, tmp_path / "data" / "Market-1501-v15.09.15")
    monkeypatch.setenv(DATA_ROOT_VARIABLE, str(tmp_path / "data"))
    fingerprint = planned[1].datasets["synthetic"].fingerprint
    dataset, _ = find_fingerprint("market1501", fingerprint, [None], context)
    assert dataset.root == tmp_path / "data" / "Market-1501-v15.09.15"
    assert set(dataset.data_flags) == {"generated", "partial"}
    with pytest.raises(SetupError, match="train has 32 images where 12,936 are expected"):
        find_fingerprint("market1501", fingerprint, [None], context, allow_partial=False)
