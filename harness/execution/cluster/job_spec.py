"""What a worker is told: its runs and where their inputs are. Nothing in it can change a number.

What can is in each run's own `spec.json`; the worker compares its inputs with that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from harness.core.errors import SetupError
from harness.core.files import read_json, write_json


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The runs of one job, which train side by side, and their inputs."""

    runs: tuple[str, ...]  # keys
    dataset: str
    data_root: str
    weights: dict[str, str]  # files by network
    device: str
    threads: int  # of a CPU run; 0 elsewhere
    workers: int = 2
    checkpoint_every: float = 300.0  # seconds
    allow_partial: bool = False
    cache: bool = True
    retry: bool = False  # diverged runs, too

    def write(self, path: Path) -> None:
        """Put the order where its worker will read it."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> JobSpec:
        """The order in a file.

        Raises:
            SetupError: the file is absent or holds something else.
        """
        content: dict[str, Any] | None = read_json(path)
        known = {field.name for field in fields(cls)}
        if content is None or not content.keys() <= known:
            raise SetupError(f"{path} is no order for a worker. Submit the runs again.")
        try:
            return cls(**content | {"runs": tuple(content["runs"])})
        except (KeyError, TypeError) as error:
            raise SetupError(
                f"{path} is no whole order ({error}). Submit the runs again."
            ) from error
