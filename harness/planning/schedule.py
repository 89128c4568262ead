"""Fit the times of a learning-rate schedule to a number of epochs that was changed later.

A dataset's file states warm-up and decay for its own number of epochs. Where fewer epochs are
requested and these times no longer fit, they are scaled in proportion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from harness.runs.spec import Recipe

WARMUP, HOLD = "warmup_epochs", "hold_until"
TIMES = (WARMUP, HOLD, "milestones")


def merge_recipe(layers: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], str]:
    """Merge the values of a recipe, scaling times that its number of epochs leaves no room for.

    Times are scaled by the number of epochs over the number that the layers up to their own
    state, so a time given together with the epochs is never changed. If the times fit, or cannot
    be made to fit, they are returned as given.

    Args:
        layers: Values by field, weakest first, each of its field's type.

    Returns:
        The merged values, and a sentence about what was scaled or should be; "" if nothing.
    """
    defaults: dict[str, Any] = {field.name: field.default for field in fields(Recipe)}
    merged: dict[str, Any] = {}
    stated_for = dict.fromkeys(TIMES, defaults["epochs"])
    for layer in layers:
        merged |= layer
        epochs = merged.get("epochs", defaults["epochs"])
        stated_for |= {name: epochs for name in TIMES if name in layer}
    recipe = defaults | merged
    factors = {  # where the epochs became fewer after a time was stated
        name: recipe["epochs"] / epochs
        for name, epochs in stated_for.items()
        if 0 < recipe["epochs"] < epochs
    }
    if recipe["schedule"] != "cosine":
        return merged, _describe_late_milestones(recipe, factors)
    times = {name: recipe[name] for name in (WARMUP, HOLD)}
    if _fit(times, recipe["epochs"]):
        return merged, ""
    for is_rounded in (True, False):
        scaled = {
            name: _scale(value, factors[name], is_rounded=is_rounded) if name in factors else value
            for name, value in times.items()
        }
        if _fit(scaled, recipe["epochs"]):
            changes = {name: value for name, value in scaled.items() if value != times[name]}
            return merged | changes, _describe(changes, times, recipe["epochs"])
    return merged, ""


def _fit(times: Mapping[str, float], epochs: int) -> bool:
    return times[WARMUP] <= times[HOLD] < epochs


def _scale(time: float, factor: float, *, is_rounded: bool) -> float:
    """Scale a time; of whole epochs to whole epochs, but never to none."""
    exact = float(f"{time * factor:.3g}")
    if is_rounded and float(time).is_integer():
        return float(round(exact)) or exact
    return exact


def _describe(changes: Mapping[str, float], times: Mapping[str, float], epochs: int) -> str:
    parts = [f"{name} {new:g} (was {times[name]:g})" for name, new in changes.items()]
    return f"schedule scaled to {_count(epochs)}: {', '.join(parts)}"


def _describe_late_milestones(recipe: Mapping[str, Any], factors: Mapping[str, float]) -> str:
    """Propose milestones in place of those that are not reached any more.

    They are not replaced: such a training was possible before there was any scaling, and its key
    must stay.
    """
    milestones, epochs = recipe["milestones"], recipe["epochs"]
    late = [time for time in milestones if time >= epochs]
    if not late or "milestones" not in factors:
        return ""
    scaled = [_scale(time, factors["milestones"], is_rounded=True) for time in milestones]
    return (
        f"milestones {_join(late)} are not reached in {_count(epochs)}; to scale them, give "
        f"milestones={_join(scaled)}"
    )


def _count(epochs: int) -> str:
    return f"{epochs} epoch" if epochs == 1 else f"{epochs} epochs"


def _join(times: Sequence[float]) -> str:
    return ",".join(f"{time:g}" for time in times)
