"""Submitting through submitit: jobs that ask for the same go together, as one array."""

from __future__ import annotations

import os
import shlex
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from submitit import SlurmExecutor
from submitit.core.utils import FailedJobError, FailedSubmissionError

from harness.core.errors import SlurmError
from slurm.commands import run_command
from slurm.resources import Resources
from slurm.worker_job import WorkerJob

# A job's own variables must not reach a job that it submits, and SBATCH_ ones outrank the script.
FOREIGN = ("SLURM_", "SLURMD_", "SRUN_", "SBATCH_", "SUBMITIT_")
KEPT = ("SLURM_CONF",)  # which cluster it is
ENDS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class JobArray:
    """Jobs that ask for the same, `parallel` of them at a time at most.

    `succeeded` and `ended` are ids of jobs or arrays that these jobs wait for: to end well, or at
    all. When one of the first fails, Slurm cancels these.
    """

    name: str
    resources: Resources
    logs: Path
    code: Path  # what the jobs run
    size: int
    parallel: int
    succeeded: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()

    @property
    def dependency(self) -> str | None:
        """Slurm's words for what these jobs wait for."""
        words = [
            f"{kind}:{':'.join(ids)}"
            for kind, ids in (("afterok", self.succeeded), ("afterany", self.ended))
            if ids
        ]
        return ",".join(words) or None


def submission_script(array: JobArray) -> str:
    """The file that sbatch is given, with every #SBATCH line.

    Raises:
        SlurmError: there is no Slurm here.
    """
    executor = _executor(array)
    if array.size > 1:
        executor.parameters["map_count"] = array.size
    return executor._make_submission_file_text(executor._submitit_command_str, "")


def check_submission(array: JobArray) -> str:
    """What `sbatch --test-only` says of one of these jobs: when and where it could start.

    Raises:
        SlurmError: the cluster would refuse it.
    """
    alone = JobArray(array.name, array.resources, array.logs, array.code, 1, 1)
    with (
        tempfile.NamedTemporaryFile("w", prefix="kdreid-", suffix=".sh") as file,
        clean_slurm_environment(),
    ):
        file.write(submission_script(alone))
        file.flush()
        answer = run_command("sbatch", "--test-only", file.name)
    said = answer.message.removeprefix("sbatch: ")
    if answer.code != 0:
        asked = "; ".join(
            line.removeprefix("#SBATCH ")
            for line in submission_script(alone).splitlines()
            if line.startswith("#SBATCH") and not line.startswith(_OWN_LINES)
        )
        raise SlurmError(
            f"The cluster would not take a job of this profile: {said}. It asks for {asked}. "
            "See `sinfo` for what there is; change the profile, or --set cluster.NAME=VALUE."
        )
    return said


def submit(array: JobArray, jobs: Sequence[WorkerJob]) -> list[str]:
    """Submit the jobs as one array; their ids in order, as `12_0` or, of one job, `12`.

    Between sbatch and the files that a job reads at its start nothing may interrupt.

    Raises:
        SlurmError: the cluster refused; nothing of this array was submitted.
    """
    executor = _executor(array)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        with clean_slurm_environment(), executor.batch():
            submitted = [executor.submit(job) for job in jobs]
        return [str(job.job_id) for job in submitted]
    except (FailedJobError, FailedSubmissionError, OSError) as error:
        _sweep(array.logs)
        raise SlurmError(f"sbatch refused: {' '.join(str(error).split())}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def clean_slurm_environment() -> Iterator[None]:
    """Without what an outer job or the user's own sbatch settings would add to a submission."""
    hidden = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith(FOREIGN) and name not in KEPT
    }
    try:
        yield
    finally:
        os.environ.update(hidden)


_OWN_LINES = tuple(
    f"#SBATCH --{name}"
    for name in (
        "output",
        "error",
        "open-mode",
        "job-name",
        "signal",
        "nodes",
        "requeue",
        "kill-on",
    )
)


def _executor(array: JobArray) -> SlurmExecutor:
    wanted = array.resources
    try:
        executor = SlurmExecutor(folder=array.logs, python=wanted.command)
    except RuntimeError as error:
        raise SlurmError(
            "There is no `srun` here, so no SLURM to submit to. Go to a login node of the "
            "cluster, or use --cluster local."
        ) from error
    home = shlex.quote(str(array.code))
    words: dict[str, Any] = {
        "job_name": array.name,
        "time": wanted.minutes,
        "ntasks_per_node": 1,
        "cpus_per_task": wanted.cpus,
        "gpus_per_node": wanted.gpus or None,
        "gres": wanted.gres,
        "mem": wanted.memory,
        "partition": wanted.partition,
        "account": wanted.account,
        "qos": wanted.qos,
        "constraint": wanted.constraint,
        "exclude": wanted.exclude,
        "dependency": array.dependency,
        "signal_delay_s": wanted.stop_ahead,
        "array_parallelism": array.parallel,
        "setup": [f"export PYTHONPATH={home}", f"cd {home}", *wanted.setup],
        # since 22.05 srun does not take the number over from sbatch
        "srun_args": [f"--cpus-per-task={wanted.cpus}"],
        "wckey": None,  # which clusters that check them would refuse
        "additional_parameters": {
            "signal": f"USR2@{wanted.stop_ahead}",
            "requeue": True,
            "kill-on-invalid-dep": "yes",
            **{name.replace("_", "-"): value for name, value in wanted.flags},
        },
    }
    executor.update_parameters(**words)
    return executor


def _sweep(logs: Path) -> None:
    """Remove what submitit wrote for jobs that never came to be."""
    for pattern in ("[0-9a-f]" * 32 + ".pkl", ".submission_file_*.sh"):
        for path in logs.glob(pattern):
            path.unlink(missing_ok=True)
