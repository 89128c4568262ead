"""Augmentation of a whole batch: parameters drawn per image on the CPU, applied on the device.

In order: horizontal flip, padding with black and a random crop, z-score normalisation with
ImageNet's statistics, random erasing (Zhong et al. 2020) to the mean colour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.runs.spec import Recipe

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
ERASED_AREA, ERASED_RATIO, ATTEMPTS = (0.02, 0.33), (0.3, 3.3), 10  # torchvision's defaults


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What happens to each of B images; lengths and positions in pixels."""

    flip: Tensor  # (B,) bool
    shift: Tensor  # (B, 2) int64, top-left corner of the crop relative to the image: [-pad, pad]
    erase_box: (
        Tensor  # (B, 4) int64: top, left, bottom, right; an empty box where nothing is erased
    )


def sample_augmentation(count: int, recipe: Recipe, random: torch.Generator) -> Augmentation:
    """Parameters for `count` images, all taken from `random` in a fixed order."""
    flip = torch.rand(count, generator=random) < recipe.flip
    shift = torch.randint(-recipe.pad, recipe.pad + 1, (count, 2), generator=random)
    return Augmentation(flip, shift, _boxes(count, recipe, random))


def _boxes(count: int, recipe: Recipe, random: torch.Generator) -> Tensor:
    """The first of ten attempted boxes that fits into the image, as torchvision chooses it."""
    chosen = torch.rand(count, generator=random) < recipe.erase
    uniform = torch.rand(count, ATTEMPTS, 4, generator=random, dtype=torch.float64)
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


def apply_augmentation(images: Tensor, augmentation: Augmentation) -> Tensor:
    """Pixels to network input: (B, 3, H, W) uint8 -> the same shape in float32, same device.

    Image by image, because a box of one image is copied many times faster than gathered.
    """
    _, _, height, width = images.shape
    moved = torch.zeros_like(images)
    flips, shifts = augmentation.flip.tolist(), augmentation.shift.tolist()
    for source, target, flip, (down, right) in zip(images, moved, flips, shifts, strict=True):
        seen = source.flip(-1) if flip else source
        (top, bottom), (left, end) = _overlap(height, down), _overlap(width, right)
        target[:, top:bottom, left:end] = seen[
            :, top + down : bottom + down, left + right : end + right
        ]
    result = normalise_pixels(moved)
    for image, (top, left, bottom, end) in zip(
        result, augmentation.erase_box.tolist(), strict=True
    ):
        image[:, top:bottom, left:end] = 0.0
    return result


def normalise_pixels(images: Tensor) -> Tensor:
    """Un-augmented input: (B, 3, H, W) uint8 -> float32 with ImageNet's mean 0 and deviation 1."""
    mean = torch.tensor(MEAN, device=images.device)[:, None, None]
    std = torch.tensor(STD, device=images.device)[:, None, None]
    result = images.to(torch.float32, memory_format=torch.contiguous_format, copy=True)
    # one image at a time stays in a processor's cache; an accelerator takes all at once
    parts = result if result.device.type == "cpu" else (result,)
    for part in parts:
        part.div_(255).sub_(mean).div_(std)
    return result


def _overlap(length: int, shift: int) -> tuple[int, int]:
    """Where a crop that starts at `shift` still shows the image, in the crop's own pixels."""
    return min(length, max(0, -shift)), max(0, min(length, length - shift))
