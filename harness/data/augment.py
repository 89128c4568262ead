"""Augmentation of a whole batch: parameters drawn per image on the CPU, applied on the device.

In order: horizontal flip, padding with black and a random crop, z-score normalisation with
ImageNet's statistics, random erasing (Zhong et al. 2020) to the mean colour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.spec import Recipe

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
ERASED_AREA, ERASED_RATIO, ATTEMPTS = (0.02, 0.33), (0.3, 3.3), 10  # torchvision's defaults


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What happens to each of B images; lengths and positions in pixels."""

    flip: Tensor  # (B,) bool
    shift: Tensor  # (B, 2) int64, top-left corner of the crop relative to the image: [-pad, pad]
    erased: Tensor  # (B, 4) int64: top, left, bottom, right; an empty box where nothing is erased


def draw(count: int, recipe: Recipe, random: torch.Generator) -> Augmentation:
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


def apply(images: Tensor, augmentation: Augmentation) -> Tensor:
    """Pixels to network input: (B, 3, H, W) uint8 -> the same shape in float32, same device."""
    count, _, height, width = images.shape
    device = images.device
    shift = augmentation.shift.to(device)
    rows = torch.arange(height, device=device) + shift[:, :1]  # (B, H), outside [0, H) is padding
    columns = torch.arange(width, device=device) + shift[:, 1:]
    inside = _within(rows, height)[:, :, None] & _within(columns, width)[:, None, :]
    columns = torch.where(augmentation.flip.to(device)[:, None], width - 1 - columns, columns)
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    number = torch.arange(count, device=device)
    moved = images.permute(0, 2, 3, 1)[  # (B, H, W, 3)
        number[:, None, None], rows[:, :, None], columns[:, None, :]
    ]
    moved = (moved * inside[..., None]).permute(0, 3, 1, 2)
    return _erase(normalise(moved), augmentation.erased.to(device))


def normalise(images: Tensor) -> Tensor:
    """Un-augmented input: (B, 3, H, W) uint8 -> float32 with ImageNet's mean 0 and deviation 1."""
    mean = torch.tensor(MEAN, device=images.device)[:, None, None]
    std = torch.tensor(STD, device=images.device)[:, None, None]
    return ((images.float() / 255 - mean) / std).contiguous()


def _within(positions: Tensor, length: int) -> Tensor:
    return (positions >= 0) & (positions < length)


def _erase(images: Tensor, boxes: Tensor) -> Tensor:
    _, _, height, width = images.shape
    top, left, bottom, right = boxes[:, :, None].unbind(dim=1)  # (B, 1) each
    rows, columns = (torch.arange(n, device=images.device) for n in (height, width))
    tall, wide = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    return images.masked_fill((tall[:, :, None] & wide[:, None, :])[:, None], 0.0)
