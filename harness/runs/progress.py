"""Estimate and format the time that a run still takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def estimate_remaining(progress: Mapping[str, Any], now: float) -> float | None:
    """How long until the last step at the pace so far; None before a pace is known."""
    try:
        done = float(progress["step"]) - float(progress["from_step"])
        spent = float(progress["time"]) - float(progress["since"])
        left = float(progress["steps"]) - float(progress["step"])
        waited = max(0.0, now - float(progress["time"]))
    except (KeyError, TypeError, ValueError):
        return None
    if done <= 0 or spent <= 0:
        return None
    return max(0.0, left * spent / done - waited)


def format_duration(seconds: float) -> str:
    """A length of time as people say it: 40 s, 12 min, 3 h 05 min, 2 d 4 h."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
