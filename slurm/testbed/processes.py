"""Find the processes of a cluster in the process table, without pid files that could be stale.

Every daemon is started with two variables in its environment, the cluster's folder and its own
name, which its children inherit. This also finds the processes that a killed start left behind.
A job's processes have the environment of their submitter, and Slurm's own variables.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from harness.core.errors import SlurmError
from slurm.testbed.config import CLUSTER_NAME
from slurm.testbed.layout import Layout
from slurm.testbed.packages import find_program

FOLDER_VARIABLE, DAEMON_VARIABLE = "SLURM_TESTBED_FOLDER", "SLURM_TESTBED_DAEMON"
# An outer cluster's settings must not reach this one, as when the tests themselves run in a job.
HIDDEN_VARIABLES = (
    "SLURM",
    "SBATCH_",
    "SRUN_",
    "SALLOC_",
    "SINFO_",
    "SQUEUE_",
    "SACCT_",
    "SCANCEL_",
)
TERMINATION_SECONDS = 10.0  # between SIGTERM and SIGKILL


def cluster_environment(layout: Layout) -> dict[str, str]:
    """Return this process's environment, directed to the cluster and without any other's."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(HIDDEN_VARIABLES)
    }
    return own | {"SLURM_CONF": str(layout.slurm_conf)}


def daemon_variables(layout: Layout, name: str) -> dict[str, str]:
    """Return the variables that identify the processes of a daemon."""
    return {FOLDER_VARIABLE: str(layout.folder), DAEMON_VARIABLE: name}


def spawn(
    layout: Layout, name: str, command: Sequence[str], extra: Mapping[str, str] | None = None
) -> int:
    """Start a daemon in its own session, with its output in its log.

    Args:
        layout: The cluster.
        name: The daemon.
        command: The program and its arguments.
        extra: Further variables of its environment.

    Returns:
        The process id.

    Raises:
        SlurmError: The program is not installed.
    """
    path, log = find_program(command[0]), os.fspath(layout.log(name))
    return os.posix_spawn(
        path,
        [path, *command[1:]],
        cluster_environment(layout) | dict(extra or {}) | daemon_variables(layout, name),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def find_daemons(layout: Layout, name: str | None = None) -> set[int]:
    """Return the processes of one of a cluster's daemons; None: of all."""
    variables = {FOLDER_VARIABLE: str(layout.folder)}
    return _find_processes(variables if name is None else daemon_variables(layout, name))


def find_job_processes(layout: Layout, node: str | None = None) -> set[int]:
    """Return the processes of a cluster's jobs on one node; None: on all."""
    variables = {"SLURM_CONF": str(layout.slurm_conf), "SLURM_CLUSTER_NAME": CLUSTER_NAME}
    return _find_processes(variables | ({} if node is None else {"SLURMD_NODENAME": node}))


def send_signal(processes: Iterable[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to processes; one that has ended is not an error."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def terminate(find: Callable[[], set[int]]) -> None:
    """End processes by SIGTERM, and after ten seconds by SIGKILL.

    Args:
        find: Returns the processes that are left.

    Raises:
        SlurmError: They outlive SIGKILL.
    """
    processes = find()
    send_signal(processes, signal.SIGTERM)
    if not _wait_until_gone(find):
        send_signal(find())
        if not _wait_until_gone(find):
            raise SlurmError(f"The processes {sorted(find())} do not end, even by SIGKILL.")
    for process in processes:
        with suppress(ChildProcessError):  # only this process's own children leave a status
            os.waitpid(process, 0)


def _wait_until_gone(find: Callable[[], set[int]]) -> bool:
    """Wait until `find` returns none twice: a process that execs shows no variables."""
    deadline = time.monotonic() + TERMINATION_SECONDS
    empty = 0
    while empty < 2:
        empty = 0 if find() else empty + 1
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _find_processes(variables: Mapping[str, str]) -> set[int]:
    """Return the living processes with all these variables; those of a zombie are empty."""
    entries = {f"{name}={value}".encode() for name, value in variables.items()}
    processes = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended, or is another user's
            if entries <= set((folder / "environ").read_bytes().split(b"\0")):
                processes.add(int(folder.name))
    return processes - {os.getpid()}
