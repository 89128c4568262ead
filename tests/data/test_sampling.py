import pytest

from harness.core.errors import UsageError
from harness.data.sampling import PKSampler, ShuffleSampler

LABELS = [
    label for label, count in enumerate([9, 4, 13, 3, 1, 8, 6, 7, 5, 4]) for _ in range(count)
]


def batches(sampler, epoch=0):
    return [sampler.batch_indices(epoch, number) for number in range(sampler.batches_per_epoch)]


@pytest.mark.parametrize(("identities", "images_each"), [(4, 2), (3, 4), (10, 3), (2, 6), (7, 1)])
def test_every_batch_has_p_distinct_identities_and_k_images_of_each(identities, images_each):
    sampler = PKSampler(LABELS, identities, images_each, "s")
    for batch in batches(sampler):
        labels = [LABELS[index] for index in batch]
        assert len(batch) == identities * images_each
        counts = {label: labels.count(label) for label in labels}
        assert len(counts) == identities
        assert set(counts.values()) == {images_each}


def test_an_epoch_repeats_no_image_unless_an_identity_has_too_few():
    drawn = [index for batch in batches(PKSampler(LABELS, 3, 4, "s")) for index in batch]
    rich = [index for index in drawn if LABELS.count(LABELS[index]) >= 4]
    assert len(rich) == len(set(rich))


def test_the_epoch_is_as_long_as_distinct_identities_allow():
    """20 identities of 4 groups each fill 10 batches of 8 exactly; one giant identity adds none."""
    even = [label for label in range(20) for _ in range(8)]
    assert PKSampler(even, 8, 2, "s").batches_per_epoch == 10
    assert PKSampler(even + [20] * 1000, 8, 2, "s").batches_per_epoch <= 11


def test_an_epoch_is_a_function_of_stream_and_number():
    first, again = PKSampler(LABELS, 4, 2, "s"), PKSampler(LABELS, 4, 2, "s")
    again.batch_indices(5, 0)  # looking elsewhere first changes nothing
    assert batches(first, 1) == batches(again, 1)
    assert batches(first, 1) != batches(first, 2)
    assert batches(first, 1) != batches(PKSampler(LABELS, 4, 2, "t"), 1)


def test_over_epochs_every_image_is_used():
    sampler = PKSampler(LABELS, 4, 2, "s")
    seen = {index for epoch in range(30) for batch in batches(sampler, epoch) for index in batch}
    assert seen == set(range(len(LABELS)))


def test_too_few_identities_is_refused_with_the_way_out():
    with pytest.raises(UsageError, match=r"recipe.identities is 11 .* has 10\..*identities=10"):
        PKSampler(LABELS, 11, 2, "s")


def test_shuffled_batches_cut_every_epoch_anew_and_repeat_nothing():
    sampler = ShuffleSampler(23, 5, "s")
    first, second = (batches(sampler, epoch) for epoch in (0, 1))
    assert sampler.batches_per_epoch == 4 and first != second
    assert len({index for batch in first for index in batch}) == 20
    assert first == batches(ShuffleSampler(23, 5, "s"))


def test_too_few_images_is_refused_with_the_way_out():
    with pytest.raises(UsageError, match=r"recipe.batch is 24 .* has 23 images.*batch=23"):
        ShuffleSampler(23, 24, "s")
