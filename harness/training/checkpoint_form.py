"""Check that what a checkpoint holds has the form of a run's state, before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

import torch
from torch import Tensor

CHECKPOINT_FIELDS = {"step", "curve", "seconds", "network", "method", "optimiser", "scaler"}
# Settings of the optimiser that training does not change.
CONSTANTS = ("momentum", "dampening", "weight_decay", "nesterov", "maximize")


def find_misfits(
    state: Mapping[str, Any],
    modules: Mapping[str, Mapping[str, Any]],
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
) -> Iterator[str]:
    """Yield the parts of a checkpoint that this run cannot go on from.

    Args:
        state: The checkpoint, with all of `CHECKPOINT_FIELDS`.
        modules: The run's state dictionaries by part: network and method.
        optimiser: The run's optimiser, of SGD's form.
        scaler: The run's gradient scaler.
    """
    for part, current in modules.items():
        if not isinstance(state[part], dict) or _shapes(state[part]) != _shapes(current):
            yield part
    if not _fits_optimiser(state["optimiser"], optimiser):
        yield "optimiser"
    if not _fits_scaler(state["scaler"], scaler.state_dict()):
        yield "scaler"
    if type(state["step"]) is not int or state["step"] < 0:
        yield "step"
    if not _is_number(state["seconds"]):
        yield "seconds"
    if not _are_objects(state["curve"]) or not all(
        _is_number(value) for row in state["curve"] for value in row.values()
    ):
        yield "curve"
    if not _are_objects(state.get("origins", [])):  # unknown in checkpoints of 0.2.0
        yield "origins"


def _fits_optimiser(saved: Any, optimiser: torch.optim.Optimizer) -> bool:
    """Return whether an optimiser's state has the groups and the shapes of this one."""
    if not isinstance(saved, dict) or not isinstance(saved.get("state"), dict):
        return False
    groups, current = saved.get("param_groups"), optimiser.state_dict()["param_groups"]
    if not _are_objects(groups) or len(groups) != len(current):
        return False
    parameters = [one for group in optimiser.param_groups for one in group["params"]]
    return all(
        group.get("params") == own["params"]
        and _is_number(group.get("lr"))
        and all(_is_number(group.get(name)) and group[name] == own[name] for name in CONSTANTS)
        for group, own in zip(groups, current, strict=True)
    ) and all(
        index in range(len(parameters)) and _fits_parameter(entry, parameters[index])
        for index, entry in saved["state"].items()
    )


def _fits_parameter(entry: Any, parameter: Tensor) -> bool:
    """Return whether what an optimiser keeps of a parameter are tensors of its shape, or None."""
    return isinstance(entry, dict) and all(
        value is None or getattr(value, "shape", None) == parameter.shape
        for value in entry.values()
    )


def _fits_scaler(saved: Any, current: Mapping[str, Any]) -> bool:
    """Return whether a scaler's state has the numbers of this one; an inactive one has none."""
    return isinstance(saved, dict) and (
        not current or (saved.keys() == current.keys() and all(map(_is_number, saved.values())))
    )


def _are_objects(value: Any) -> TypeGuard[Sequence[dict[str, Any]]]:
    return isinstance(value, list | tuple) and all(isinstance(one, dict) for one in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _shapes(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, "shape", None) for name, value in state.items()}
