"""Training augmentation of a whole batch: sampled on the CPU, applied on the images' device.

In order: horizontal flip, padding with black and a random crop, normalisation with the mean and
standard deviation of ImageNet, and random erasing (Zhong et al., AAAI 2020) with the mean colour or
with another one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.runs.spec import Recipe

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB, for pixels in 0..1
# Defaults of torchvision.transforms.RandomErasing: share of the image's area, height / width.
ERASED_AREA, ERASED_RATIO, ERASE_ATTEMPTS = (0.02, 0.33), (0.3, 3.3), 10
# Of an erased box after normalisation, RGB: 0 is the mean colour. The other is ImageNet's mean as
# pixels in 0..1, put where normalised values belong.
ERASE_VALUES = {"zero": (0.0, 0.0, 0.0), "imagenet-mean": MEAN}


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Parameters for a batch of B images; positions in pixels."""

    flip: Tensor  # (B,) bool
    shift: Tensor  # (B, 2) int64: the crop's top-left corner (row, column), in -pad..pad
    erase_box: Tensor  # (B, 4) int64: top, left, bottom, right; all 0 where nothing is erased
    erase_value: tuple[float, float, float] = ERASE_VALUES["zero"]


def sample_augmentation(count: int, recipe: Recipe, random: torch.Generator) -> Augmentation:
    """Sample the augmentation of `count` images.

    The generator is always used in the same order, so equal states give equal augmentations.
    """
    flip = torch.rand(count, generator=random) < recipe.flip
    shift = torch.randint(-recipe.pad, recipe.pad + 1, (count, 2), generator=random)
    boxes = _sample_erase_boxes(count, recipe, random)
    return Augmentation(flip, shift, boxes, ERASE_VALUES[recipe.erase_value])


def _sample_erase_boxes(count: int, recipe: Recipe, random: torch.Generator) -> Tensor:
    """Sample the boxes to erase: (count, 4) int64, all 0 where nothing is erased.

    As in torchvision, the first of ten sampled boxes that fits into the image is used.
    """
    chosen = torch.rand(count, generator=random) < recipe.erase
    uniform = torch.rand(count, ERASE_ATTEMPTS, 4, generator=random, dtype=torch.float64)
    area = uniform[..., 0] * (ERASED_AREA[1] - ERASED_AREA[0]) + ERASED_AREA[0]
    area = area * recipe.height * recipe.width
    low, high = (math.log(bound) for bound in ERASED_RATIO)
    ratio = (uniform[..., 1] * (high - low) + low).exp()
    height, width = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    fits = (height < recipe.height) & (width < recipe.width)
    first = fits.int().argmax(dim=1, keepdim=True)
    height, width = height.gather(1, first), width.gather(1, first)
    top = (uniform[..., 2].gather(1, first) * (recipe.height - height + 1)).floor()
    left = (uniform[..., 3].gather(1, first) * (recipe.width - width + 1)).floor()
    boxes = torch.cat((top, left, top + height, left + width), dim=1).long()
    return boxes * (chosen & fits.any(dim=1))[:, None]


def rescale_augmentation(
    augmentation: Augmentation, size: tuple[int, int], other: tuple[int, int]
) -> Augmentation:
    """Return the same flips, crops and boxes for the same images at another size.

    Positions are rounded to whole pixels, so they are exact if `other` is a multiple of `size`.

    Args:
        augmentation: Parameters of images of `size`.
        size: Height and width in pixels.
        other: Height and width of the other images.
    """
    factors = torch.tensor([other[0] / size[0], other[1] / size[1]], dtype=torch.float64)
    return Augmentation(
        augmentation.flip,
        (augmentation.shift * factors).round().long(),
        (augmentation.erase_box * factors.repeat(2)).round().long(),
        augmentation.erase_value,
    )


def apply_augmentation(images: Tensor, augmentation: Augmentation) -> Tensor:
    """Augment and normalise a batch.

    Args:
        images: Pixels, (B, 3, H, W) uint8 on any device; not changed.
        augmentation: The parameters of the same B images.

    Returns:
        Network input, (B, 3, H, W) float32 on the device of `images`.
    """
    _, _, height, width = images.shape
    moved = torch.zeros_like(images)
    flips, shifts = augmentation.flip.tolist(), augmentation.shift.tolist()
    # Image by image: copying the box of one image is many times faster than gathering all pixels.
    for source, target, flip, (down, right) in zip(images, moved, flips, shifts, strict=True):
        image = source.flip(-1) if flip else source
        (top, bottom), (left, end) = _visible_range(height, down), _visible_range(width, right)
        target[:, top:bottom, left:end] = image[
            :, top + down : bottom + down, left + right : end + right
        ]
    result = normalise_pixels(moved)
    boxes = augmentation.erase_box.tolist()
    value = torch.tensor(augmentation.erase_value, device=images.device)[:, None, None]
    for image, (top, left, bottom, end) in zip(result, boxes, strict=True):
        image[:, top:bottom, left:end] = value
    return result


def normalise_pixels(images: Tensor) -> Tensor:
    """Normalise pixels with the statistics of ImageNet: (B, 3, H, W) uint8 -> float32."""
    mean = torch.tensor(MEAN, device=images.device)[:, None, None]
    std = torch.tensor(STD, device=images.device)[:, None, None]
    result = images.to(torch.float32, memory_format=torch.contiguous_format, copy=True)
    # One image at a time stays in a processor's cache; an accelerator takes the batch at once.
    parts = result if result.device.type == "cpu" else (result,)
    for part in parts:
        part.div_(255).sub_(mean).div_(std)
    return result


def _visible_range(length: int, shift: int) -> tuple[int, int]:
    """Return where a crop that starts at `shift` shows the image, in the crop's own pixels."""
    return min(length, max(0, -shift)), max(0, min(length, length - shift))
