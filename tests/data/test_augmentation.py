from dataclasses import replace

import pytest
import torch
from torchvision import transforms
from torchvision.transforms import functional as F

from harness.core.seeding import make_generator
from harness.data.augmentation import (
    MEAN,
    STD,
    Augmentation,
    apply_augmentation,
    normalise_pixels,
    rescale_augmentation,
    sample_augmentation,
)
from harness.runs.spec import Recipe

RECIPE = Recipe(height=24, width=12, pad=3)


def images(count):
    return torch.randint(
        0, 256, (count, 3, 24, 12), generator=make_generator("i"), dtype=torch.uint8
    )


def one_by_one(image, flip, shift, box, pad, value=(0.0,)):
    """torchvision's operators on a single image, with given parameters."""
    if flip:
        image = F.hflip(image)
    image = F.pad(image, [pad] * 4)
    top, left = shift[0] + pad, shift[1] + pad
    image = F.crop(image, top, left, 24, 12)
    image = F.normalize(F.convert_image_dtype(image, torch.float32), list(MEAN), list(STD))
    top, left, bottom, right = box
    return F.erase(image, top, left, bottom - top, right - left, torch.tensor(value)[:, None, None])


@pytest.mark.parametrize(
    ("pad", "erase_value", "value"),
    [
        (3, "zero", (0.0,)),
        (0, "zero", (0.0,)),
        (30, "zero", (0.0,)),  # some crops miss the image altogether
        (3, "imagenet-mean", (0.485, 0.456, 0.406)),
    ],
)
def test_a_batch_equals_torchvision_image_by_image(pad, erase_value, value):
    pixels = images(64)
    recipe = replace(RECIPE, pad=pad, erase_value=erase_value)
    drawn = sample_augmentation(64, recipe, make_generator("a"))
    result = apply_augmentation(pixels, drawn)
    assert drawn.flip.any() and not drawn.flip.all()
    assert (drawn.erase_box[:, 2] > 0).any() and not (drawn.erase_box[:, 2] > 0).all()
    for number in range(64):
        expected = one_by_one(
            pixels[number],
            bool(drawn.flip[number]),
            drawn.shift[number].tolist(),
            drawn.erase_box[number].tolist(),
            pad,
            value,
        )
        torch.testing.assert_close(result[number], expected)


def test_boxes_are_distributed_as_torchvisions():
    """Mean area and the share of images that are erased, over many draws."""
    count = 4000
    recipe = Recipe(height=48, width=24)
    boxes = sample_augmentation(count, recipe, make_generator("b")).erase_box
    torch.manual_seed(0)
    image = torch.zeros(3, 48, 24)
    theirs = [
        transforms.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0.0])
        for _ in range(2000)
    ]
    their_area = sum(h * w for _, _, h, w, _ in theirs) / len(theirs)
    erased = boxes[boxes[:, 2] > 0]
    area = ((erased[:, 2] - erased[:, 0]) * (erased[:, 3] - erased[:, 1])).double().mean()
    assert abs(len(erased) / count - 0.5) < 0.03
    assert abs(float(area) / their_area - 1) < 0.05
    assert (erased[:, 2] <= 48).all() and (erased[:, 3] <= 24).all()


def test_nothing_drawn_is_only_normalised():
    still = Augmentation(
        torch.zeros(5, dtype=torch.bool), torch.zeros(5, 2).long(), torch.zeros(5, 4).long()
    )
    assert torch.equal(apply_augmentation(images(5), still), normalise_pixels(images(5)))


def test_switched_off_augmentations_change_nothing():
    recipe = Recipe(height=24, width=12, pad=0, flip=0, erase=0)
    assert torch.equal(
        apply_augmentation(images(9), sample_augmentation(9, recipe, make_generator("c"))),
        normalise_pixels(images(9)),
    )


def enlarge(pixels, times):
    """Every pixel as a square of pixels."""
    return pixels.repeat_interleave(times, dim=2).repeat_interleave(times, dim=3)


@pytest.mark.parametrize(("times", "erase_value"), [(2, "imagenet-mean"), (3, "zero")])
def test_the_same_crops_flips_and_boxes_at_a_multiple_of_the_size(times, erase_value):
    pixels = images(64)
    drawn = sample_augmentation(64, replace(RECIPE, erase_value=erase_value), make_generator("r"))
    larger = rescale_augmentation(drawn, (24, 12), (24 * times, 12 * times))
    assert torch.equal(
        apply_augmentation(enlarge(pixels, times), larger),
        enlarge(apply_augmentation(pixels, drawn), times),
    )


@pytest.mark.parametrize("other", [(36, 18), (30, 31), (12, 6)])
def test_at_any_other_size_positions_are_within_half_a_pixel(other):
    drawn = sample_augmentation(64, RECIPE, make_generator("o"))
    scaled = rescale_augmentation(drawn, (24, 12), other)
    factors = torch.tensor([other[0] / 24, other[1] / 12])
    assert torch.equal(scaled.flip, drawn.flip)
    assert ((scaled.shift - drawn.shift * factors).abs() <= 0.5001).all()
    assert ((scaled.erase_box - drawn.erase_box * factors.repeat(2)).abs() <= 0.5001).all()
    assert (scaled.erase_box[:, 2:] <= torch.tensor(other)).all()


def test_at_its_own_size_nothing_changes():
    drawn = sample_augmentation(64, RECIPE, make_generator("s"))
    same = rescale_augmentation(drawn, (24, 12), (24, 12))
    assert torch.equal(same.shift, drawn.shift) and torch.equal(same.erase_box, drawn.erase_box)
