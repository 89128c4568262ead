"""Reasons for which a run is not trained, in the same words wherever the plan is executed."""

from __future__ import annotations

DIVERGED = "diverged before and would diverge again; --retry trains it anyway"


def blocked_by(teacher: str, reason: str = "failed") -> str:
    """Return the reason for a student whose teacher has none or cannot get its weights.

    Args:
        teacher: The teacher's key.
        reason: The teacher's own reason.
    """
    return f"blocked: its teacher {teacher} {reason}"
