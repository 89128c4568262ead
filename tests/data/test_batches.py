import pytest
import torch

from harness.data.batches import BatchStream
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def stream(shared_runs):
    plan = tiny_grid.grid(shared_runs, "kd")
    spec = plan.cohorts[1][0]
    data = plan.open_data(spec)
    return BatchStream(data.dataset, data.train, spec.recipe, spec.seed)


def content(steps):
    return [
        (step, raw.pixels, raw.labels, raw.augmentation.flip, raw.augmentation.erase_box)
        for step, raw in steps
    ]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers_change_nothing(stream, workers):
    for alone, ahead in zip(
        content(stream.iterate(0, 0)), content(stream.iterate(0, workers)), strict=True
    ):
        assert alone[0] == ahead[0]
        assert all(torch.equal(a, b) for a, b in zip(alone[1:], ahead[1:], strict=True))


def test_a_late_start_sees_the_same_batches(stream):
    late = content(stream.iterate(5, 2))
    assert [step for step, *_ in late] == list(range(5, stream.steps))
    for expected, found in zip(content(stream.iterate(0, 0))[5:], late, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(expected[1:], found[1:], strict=True))


def test_batches_differ_from_step_to_step(stream):
    assert not torch.equal(stream.batch_at(0).pixels, stream.batch_at(1).pixels)
    assert stream.steps == 2 * stream.steps_per_epoch


def test_labels_are_positions_of_sorted_identities(stream):
    labels = torch.cat([raw.labels for _, raw in stream.iterate(0, 0)])
    assert set(labels.tolist()) == set(range(8))


def test_a_stream_of_another_purpose_draws_other_batches(shared_runs, stream):
    plan = tiny_grid.grid(shared_runs, "kd")
    spec = plan.cohorts[1][0]
    data = plan.open_data(spec)
    other = BatchStream(data.dataset, data.train, spec.recipe, spec.seed, "distillation")
    assert other.steps == stream.steps
    assert not torch.equal(other.batch_at(0).pixels, stream.batch_at(0).pixels)
