r"""The learning rate over a training: linear warm-up, hold, cosine (PDRD, section 4.2).

With t the time in epochs, w the end of the warm-up, h the end of the hold and E the last epoch,

    t < w:       lr * (f + (1 - f) * t / w)          # f = warmup_factor, 0.1 in the paper
    w <= t < h:  lr
    h <= t <= E: final_lr + (lr - final_lr) * (1 + cos(pi * (t - h) / (E - h))) / 2

With `schedule: steps`, as VRKD trains, the warm-up is followed by lr * decay^m, m being the number
of milestones that have passed.
"""

from __future__ import annotations

import math

from harness.runs.spec import Recipe


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Rate of the update that follows `step` earlier ones; it moves at every step."""
    epoch = step / steps_per_epoch
    if epoch < recipe.warmup_epochs:
        start = recipe.warmup_factor
        return recipe.lr * (start + (1 - start) * epoch / recipe.warmup_epochs)
    if recipe.schedule == "steps":
        return recipe.lr * recipe.decay ** sum(epoch >= passed for passed in recipe.milestones)
    if epoch < recipe.hold_until:
        return recipe.lr
    done = (epoch - recipe.hold_until) / (recipe.epochs - recipe.hold_until)
    return recipe.final_lr + (recipe.lr - recipe.final_lr) * (1 + math.cos(math.pi * done)) / 2
