r"""Learning-rate schedule: linear warm-up, constant rate, cosine (PDRD, section 4.2).

With the time t in epochs, the end of the warm-up w, of the constant rate h and of the training E,

    t < w:       lr * (f + (1 - f) * t / w)          # f = warmup_factor, 0.1 in the paper
    w <= t < h:  lr
    h <= t <= E: final_lr + (lr - final_lr) * (1 + cos(pi * (t - h) / (E - h))) / 2

With `schedule: steps`, as in VRKD, the warm-up is followed by lr * decay^m, where m is the number
of milestones that have passed.
"""

from __future__ import annotations

import math

from harness.runs.spec import Recipe


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of an update.

    Args:
        recipe: Schedule, rates and times.
        step: Number of updates before this one.
        steps_per_epoch: Number of updates in an epoch.
    """
    epoch = step / steps_per_epoch
    if epoch < recipe.warmup_epochs:
        start = recipe.warmup_factor
        return recipe.lr * (start + (1 - start) * epoch / recipe.warmup_epochs)
    if recipe.schedule == "steps":
        return recipe.lr * recipe.decay ** sum(
            epoch >= milestone for milestone in recipe.milestones
        )
    if epoch < recipe.hold_until:
        return recipe.lr
    done = (epoch - recipe.hold_until) / (recipe.epochs - recipe.hold_until)
    return recipe.final_lr + (recipe.lr - recipe.final_lr) * (1 + math.cos(math.pi * done)) / 2
