"""The state of one run with its details, as `kdreid status` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.runs.lookup import short_id
from harness.runs.states import RunState
from slurm.job import SlurmJob

_JSON_FIELDS = (
    "number",
    "id",
    "key",
    "state",
    "detail",
    "step",
    "steps",
    "seconds_left",
    "until",
    "group",
    "job",
    "cluster",
)


@dataclass(frozen=True, slots=True)
class RunStatus:
    """State of one run, and what is known about its progress and its job."""

    number: int  # row of the run in `kdreid status`, from 1
    key: str
    state: RunState
    detail: str = ""
    step: int | None = None  # reached by the last attempt
    steps: int | None = None
    seconds_left: float | None = None
    until: float | None = None  # Unix time before which a requeued job does not start
    group: str | None = None  # the last submission
    job: str | None = None  # Slurm's id or `local-<process>`
    cluster: str | None = None  # profile
    slurm: SlurmJob | None = None
    failure: Mapping[str, Any] = field(default_factory=dict)  # of failure.json, if it is current

    @property
    def id(self) -> str:
        """Short name of the run."""
        return short_id(self.key)

    @property
    def reached_step(self) -> str:
        """`step 5/10`; empty before the first step."""
        return f"step {self.step}/{self.steps}" if self.step else ""

    def as_json(self) -> dict[str, Any]:
        """Return the fields for `--json`; of Slurm's job only its state and node."""
        return {name: getattr(self, name) for name in _JSON_FIELDS} | {
            "slurm": self.slurm.state if self.slurm else None,
            "node": self.slurm.node if self.slurm else None,
        }
