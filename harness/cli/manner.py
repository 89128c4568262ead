"""How a plan is carried out: what the command line says besides which runs it wants."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """Where a plan is carried out, and how; most of it matters with --cluster only."""

    cluster: str | None  # a profile; None: in this process
    max_parallel: int | None
    watch: bool
    dry_run: bool
    retry: bool
    checkpoint_every: float
    as_json: bool
