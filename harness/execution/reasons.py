"""Reasons for which a run is not trained, in the same words wherever the plan is executed."""

from __future__ import annotations

DIVERGED = "diverged before and would diverge again; --retry-diverged trains it anyway"


def blocked_by(teacher: str, reason: str = "failed") -> str:
    """Return the reason for a student whose teacher has failed or cannot be trained.

    Args:
        teacher: The teacher's key.
        reason: Why, as the end of a sentence about the teacher.
    """
    return f"blocked: its teacher {teacher} {reason}"
