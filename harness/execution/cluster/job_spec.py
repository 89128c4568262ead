"""The job file: the runs of one job and where a worker finds their inputs.

What could change a result, the device and its threads, data and weights, is in each run's own
`spec.json` as well, and the worker compares it with that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from harness.core.errors import DamagedFileError, SetupError
from harness.core.files import read_json, write_json


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The runs of one job, which train side by side, and their inputs."""

    runs: tuple[str, ...]  # keys
    dataset: str
    data_root: str
    weights: dict[str, str]  # files by network
    device: str
    threads: int  # of a run on the CPU, otherwise 0
    workers: int = 2
    checkpoint_every: float = 300.0  # seconds
    allow_partial: bool = False
    cache: bool = True
    retry: bool = False  # whether diverged runs are trained again
    again: bool = False  # whether finished runs are that other code made

    def write(self, path: Path) -> None:
        """Write the job file."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> JobSpec:
        """Read a job file.

        Raises:
            SetupError: The file is missing or is not a job file.
        """
        try:
            content: dict[str, Any] | None = read_json(path)
        except DamagedFileError as error:
            message = f"{path} is not a valid job file ({error.reason}). Submit the runs again."
            raise DamagedFileError(path, message, error.reason) from error
        known = {field.name for field in fields(cls)}
        if content is None or not content.keys() <= known:
            raise SetupError(f"{path} is not a valid job file. Submit the runs again.")
        try:
            return cls(**content | {"runs": tuple(content["runs"])})
        except (KeyError, TypeError) as error:
            raise SetupError(
                f"{path} is not a complete job file ({error}). Submit the runs again."
            ) from error
