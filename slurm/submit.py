"""Submit jobs through submitit; jobs with the same resources go together, as one array."""

from __future__ import annotations

import os
import shlex
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from submitit import SlurmExecutor
from submitit.core.utils import FailedJobError, FailedSubmissionError

from harness.core.errors import SlurmError
from harness.core.files import atomic_write
from harness.core.text import require_single_lines
from slurm.commands import check_command, run_command
from slurm.resources import Resources
from slurm.worker_job import WorkerJob

# A job's own variables must not reach a job that it submits, and SBATCH_ ones outrank the script.
HIDDEN_VARIABLES = ("SLURM_", "SLURMD_", "SRUN_", "SBATCH_", "SUBMITIT_")
KEPT_VARIABLES = ("SLURM_CONF",)  # it selects the cluster
BLOCKED_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class JobArray:
    """Jobs with the same resources, submitted together.

    The jobs start when those of `after_success` have succeeded and those of `after_end` have ended
    in any way. If one of `after_success` fails, Slurm cancels them.
    """

    name: str
    resources: Resources
    logs: Path
    code: Path  # folder of the code that the jobs run
    size: int = 1
    max_parallel: int = 1  # jobs that may run at the same time
    after_success: tuple[str, ...] = ()  # ids of jobs or arrays
    after_end: tuple[str, ...] = ()  # ids of jobs or arrays

    @property
    def dependency(self) -> str | None:
        """Value of sbatch's `--dependency`."""
        conditions = [
            f"{kind}:{':'.join(ids)}"
            for kind, ids in (("afterok", self.after_success), ("afterany", self.after_end))
            if ids
        ]
        return ",".join(conditions) or None


def submission_script(array: JobArray) -> str:
    """Return the script that sbatch is given, with every #SBATCH line.

    Raises:
        SlurmError: Slurm is not installed here.
    """
    executor = _make_executor(array)
    if array.size > 1:
        executor.parameters["map_count"] = array.size
    return executor._make_submission_file_text(executor._submitit_command_str, "")


def check_submission(array: JobArray) -> str:
    """Return what `sbatch --test-only` prints for one of these jobs: when and where it could start.

    Raises:
        SlurmError: The cluster would refuse the job, or did not answer; the message contains the
            job's #SBATCH options.
    """
    script = submission_script(
        replace(array, size=1, max_parallel=1, after_success=(), after_end=())
    )
    with _script_file(script) as path, clean_slurm_environment():
        result = run_command("sbatch", "--test-only", path)
    message = result.message.removeprefix("sbatch: ")
    if result.returncode != 0:
        options = "; ".join(
            line.removeprefix("#SBATCH ")
            for line in script.splitlines()
            if line.startswith("#SBATCH") and not line.startswith(_FIXED_LINES)
        )
        raise SlurmError(
            f"sbatch --test-only does not accept a job of this profile: {message}. It requests "
            f"{options}. If no controller answered, try again on a login node; otherwise see "
            "`sinfo` for what the cluster has and change the profile, or use --set "
            "cluster.NAME=VALUE."
        )
    return message


def submit(array: JobArray, jobs: Sequence[WorkerJob]) -> list[str]:
    """Submit the jobs as one array; return their ids in order, as `12_0` or, for one job, `12`.

    Raises:
        SlurmError: The cluster refused the array; none of its jobs was submitted.
    """
    executor = _make_executor(array)
    # An interrupt between sbatch and the files that a job reads at its start would leave jobs that
    # cannot start, so signals wait until both are there.
    earlier_mask = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED_SIGNALS)
    try:
        with clean_slurm_environment(), executor.batch():
            submitted = [executor.submit(job) for job in jobs]
        return [str(job.job_id) for job in submitted]
    except (FailedJobError, FailedSubmissionError, OSError) as error:
        _remove_unsubmitted_files(array.logs)
        raise SlurmError(f"sbatch refused: {' '.join(str(error).split())}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier_mask)


def submit_script(script: str) -> str:
    """Submit a script with sbatch; return the job's id.

    Raises:
        SlurmError: The cluster refused the job.
    """
    with _script_file(script) as path, clean_slurm_environment():
        return check_command("sbatch", "--parsable", path).strip().partition(";")[0]


@contextmanager
def clean_slurm_environment() -> Iterator[None]:
    """Hide the variables with which an outer job or the user would change a submission."""
    hidden = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith(HIDDEN_VARIABLES) and name not in KEPT_VARIABLES
    }
    try:
        yield
    finally:
        os.environ.update(hidden)


# Options that every job has, which are never the reason why a cluster refuses one.
_FIXED_LINES = tuple(
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


@contextmanager
def _script_file(script: str) -> Iterator[str]:
    """Write a script to a file that exists within the block; yield its path.

    Raises:
        SlurmError: This machine has no folder for temporary files.
        UnwritableFileError: Its disk is full.
    """
    try:
        temporary = tempfile.TemporaryDirectory(prefix="kdreid-")
    except OSError as error:
        raise SlurmError(
            f"The script of a job cannot be written to a temporary file ({error.strerror}): free "
            "space there, or name another folder with the variable TMPDIR."
        ) from error
    with temporary as folder:
        path = Path(folder) / "kdreid.sh"
        atomic_write(path, script.encode())
        yield str(path)


def _make_executor(array: JobArray) -> SlurmExecutor:
    """Translate an array into submitit's terms.

    Raises:
        SlurmError: Slurm is not installed here, or a value would begin another line of the script.
    """
    resources = array.resources
    _require_lines(array)
    try:
        executor = SlurmExecutor(folder=array.logs, python=resources.python_command)
    except RuntimeError as error:
        raise SlurmError(
            "`srun` is not installed here, so jobs cannot be submitted. Go to a login node of the "
            "cluster, or use --cluster local."
        ) from error
    code = shlex.quote(str(array.code))
    parameters: dict[str, Any] = {
        "job_name": array.name,
        "time": resources.minutes,  # a number: submitit cannot requeue a job with a time like 1:00
        "ntasks_per_node": 1,
        "cpus_per_task": resources.cpus,
        "gpus_per_node": resources.gpus or None,
        "gres": resources.gres,
        "mem": resources.memory,
        "partition": resources.partition,
        "account": resources.account,
        "qos": resources.qos,
        "constraint": resources.constraint,
        "exclude": resources.exclude,
        "dependency": array.dependency,
        "signal_delay_s": resources.stop_ahead,
        "array_parallelism": array.max_parallel,
        "setup": [f"export PYTHONPATH={code}", f"cd {code}", *resources.setup],
        # since 22.05 srun does not inherit the number from sbatch
        "srun_args": [f"--cpus-per-task={resources.cpus}"],
        "wckey": None,  # clusters that check wckeys refuse submitit's default
        "additional_parameters": {
            "signal": f"USR2@{resources.stop_ahead}",
            "requeue": True,
            # without it, jobs that depend on a failed one stay in the queue for ever
            "kill-on-invalid-dep": "yes",
            **{name.replace("_", "-"): value for name, value in resources.flags},
        },
    }
    executor.update_parameters(**parameters)
    return executor


def _require_lines(array: JobArray) -> None:
    """Check that each value that goes into a script stays on its line.

    Raises:
        SlurmError: A value contains a line break or another control character.
    """
    values = {
        **{field.name: getattr(array.resources, field.name) for field in fields(array.resources)},
        "job name": array.name,
        "folder of logs": str(array.logs),
        "folder of code": str(array.code),
    }
    for name, value in values.items():
        try:
            require_single_lines(value)
        except ValueError as error:
            raise SlurmError(
                f"The {name} of a job cannot be in its script: {error}. Change it in the profile, "
                "or with --set cluster.NAME=VALUE."
            ) from error


def _remove_unsubmitted_files(logs: Path) -> None:
    """Remove what submitit wrote for jobs that the cluster refused."""
    for pattern in ("[0-9a-f]" * 32 + ".pkl", ".submission_file_*.sh"):
        for path in logs.glob(pattern):
            path.unlink(missing_ok=True)
