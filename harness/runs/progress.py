"""Estimate and format the time that a run still takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def estimate_remaining(progress: Mapping[str, Any], now: float) -> float | None:
    """Return the seconds until the last step at the speed so far; None before a speed is known.

    Args:
        progress: Content of a `progress.json`: `step` of `steps` was reached at `time` by a process
            that began with `from_step` at `since` (Unix times).
        now: Unix time.
    """
    try:
        done = float(progress["step"]) - float(progress["from_step"])
        elapsed = float(progress["time"]) - float(progress["since"])
        steps_left = float(progress["steps"]) - float(progress["step"])
        since_report = max(0.0, now - float(progress["time"]))
    except (KeyError, TypeError, ValueError):
        return None
    if done <= 0 or elapsed <= 0:
        return None
    return max(0.0, steps_left * elapsed / done - since_report)


def format_duration(seconds: float) -> str:
    """Return a duration in two units at most: 40 s, 12 min, 3 h 05 min, 2 d 4 h."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
