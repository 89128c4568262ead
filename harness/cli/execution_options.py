"""Options of `kdreid run` for where and how, and checks that they go together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.planning.request import RunRequest


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """Options of `kdreid run` for where and how a plan is carried out."""

    cluster: str | None = None  # a profile; None: in this process
    max_parallel: int | None = None
    watch: bool = False
    dry_run: bool = False
    retry_diverged: bool = False
    checkpoint_every: float = 300.0  # seconds
    as_json: bool = False


def require_possible_options(execution: ExecutionOptions) -> None:
    """Check the options for where and how, before anything is planned.

    Raises:
        UsageError: They do not go together.
    """
    problems = []
    if execution.cluster is None and (execution.max_parallel is not None or execution.watch):
        problems.append("--max-parallel and --watch need --cluster NAME, such as --cluster local.")
    if execution.as_json and not execution.dry_run:
        problems.append(
            "--json prints a plan: add --dry-run. Results as JSON: kdreid status --json and the "
            "records in the runs folder."
        )
    if not math.isfinite(execution.checkpoint_every):
        problems.append(
            f"--checkpoint-every takes seconds such as 300, given {execution.checkpoint_every}."
        )
    if problems:
        raise UsageError(*problems)


def require_device_of_profile(request: RunRequest) -> None:
    """Check that the command line leaves device and threads to the profile.

    Raises:
        UsageError: It does not.
    """
    problems = []
    if request.device != "auto":
        problems.append(
            "With --cluster the profile sets the device. Replace --device by --set cluster.gpus=N; "
            "0 is the CPU."
        )
    if request.threads is not None:
        problems.append(
            "With --cluster the profile sets the threads. Replace --threads by --set "
            "cluster.cpus=N."
        )
    if problems:
        raise UsageError(*problems)
