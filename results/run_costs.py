"""When and where a run was trained, and what that took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.core.text import printable

COST_COLUMNS = (
    "commit",
    "date",
    "host",
    "device_name",
    "train_seconds",
    "host_memory_bytes",
    "gpu_memory_bytes",
)


def run_costs(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `COST_COLUMNS` of a record; what was not recorded is empty or None.

    Returns:
        `commit`: of the code. `date`: when the run was finished, in UTC. `host`, `device_name`:
        the machine. `train_seconds`: time in the run's own training steps. `host_memory_bytes`,
        `gpu_memory_bytes`: peaks of the cohort that it was trained in.
    """
    environment, timings, memory = (
        _as_object(content.get(name)) for name in ("environment", "timings", "memory")
    )
    return {
        "commit": _text(environment.get("commit")),
        "date": _text(environment.get("finished")),
        "host": _text(environment.get("host")),
        "device_name": _text(environment.get("device_name")),
        "train_seconds": _number(timings.get("training")),
        "host_memory_bytes": _number(memory.get("host")),
        "gpu_memory_bytes": _number(memory.get("gpu")),
    }


def _as_object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return "" if value is None else printable(value)


def _number(value: object) -> float | None:
    """Return a number that is one, whatever a file holds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]
