from dataclasses import replace

import pytest
import torch

from harness.core.errors import UsageError
from harness.data.augmentation import apply_augmentation, normalise_pixels, rescale_augmentation
from harness.data.batches import BatchStream, make_sampler, unaugmented_batches
from harness.data.images import FileImages
from harness.data.sampling import PKSampler, ShuffleSampler
from harness.runs.spec import Recipe
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
def test_the_number_of_workers_changes_nothing(stream, workers):
    for alone, ahead in zip(
        content(stream.iterate(0, 0)), content(stream.iterate(0, workers)), strict=True
    ):
        assert alone[0] == ahead[0]
        assert all(torch.equal(a, b) for a, b in zip(alone[1:], ahead[1:], strict=True))


def test_a_late_start_sees_the_same_batches(stream):
    late = content(stream.iterate(5, 2))
    assert [step for step, *_ in late] == list(range(5, stream.steps))
    for expected, batch in zip(content(stream.iterate(0, 0))[5:], late, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(expected[1:], batch[1:], strict=True))


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


def test_the_recipe_chooses_the_sampler(tiny):
    identities = Recipe(sampling="identities", identities=2, images_each=2)
    assert isinstance(make_sampler(tiny, identities, "s"), PKSampler)
    images = Recipe(sampling="images", batch=2, triplet_weight=0)
    assert isinstance(make_sampler(tiny, images, "s"), ShuffleSampler)
    with pytest.raises(UsageError, match="recipe.batch is 5"):
        make_sampler(tiny, replace(images, batch=5), "s")


@pytest.mark.parametrize("size", [1, 3, 4, 10])
def test_unaugmented_batches_are_all_images_in_order(tiny, size):
    images = FileImages(tiny.root, tiny.train, (8, 4))
    batches = list(unaugmented_batches(images, torch.device("cpu"), size))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert torch.equal(torch.cat(batches), normalise_pixels(images[range(4)]))


def test_a_teacher_sees_the_same_images_at_its_own_size(tiny):
    recipe = Recipe(height=8, width=4, pad=2, identities=2, images_each=2)
    small, large = (FileImages(tiny.root, tiny.train, size) for size in ((8, 4), (24, 10)))
    alone = BatchStream(tiny, small, recipe, 0).batch_at(0)
    taught = BatchStream(tiny, small, recipe, 0, teacher_pixels=large).batch_at(0)
    cpu = torch.device("cpu")
    assert alone.teacher_images(cpu) is None
    assert torch.equal(alone.to(cpu)[0], taught.to(cpu)[0])
    order = [
        next(n for n in range(len(small)) if torch.equal(small[[n]][0], pixels))
        for pixels in taught.pixels
    ]
    assert torch.equal(taught.teacher_pixels, large[order])
    drawn = rescale_augmentation(taught.augmentation, (8, 4), (24, 10))
    expected = apply_augmentation(large[order], drawn)
    assert torch.equal(taught.teacher_images(cpu), expected)
