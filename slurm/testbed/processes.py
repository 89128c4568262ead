"""The processes of a cluster, found in the process table: no pid file that could be stale.

Every daemon is started with two variables in its environment, the cluster's folder and its own
name, which its children inherit. So whatever a killed start left behind is found as well. A job's
processes have the environment of who submitted it, and carry Slurm's own variables.
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
from slurm.testbed.packages import program

FOLDER, DAEMON = "SLURM_TESTBED_FOLDER", "SLURM_TESTBED_DAEMON"
# An outer cluster's settings must not reach this one, as when the tests themselves run in a job.
FOREIGN = ("SLURM", "SBATCH_", "SRUN_", "SALLOC_", "SINFO_", "SQUEUE_", "SACCT_", "SCANCEL_")
PATIENCE = 10.0  # seconds between SIGTERM and SIGKILL


def environment(layout: Layout) -> dict[str, str]:
    """This process's environment, turned to the cluster and free of any other."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return own | {"SLURM_CONF": str(layout.slurm_conf)}


def spawn(
    layout: Layout, name: str, command: Sequence[str], extra: Mapping[str, str] | None = None
) -> int:
    """Start a daemon in a session of its own, its output in its log; its process id.

    Raises:
        SlurmError: its program is not installed.
    """
    marks = {FOLDER: str(layout.folder), DAEMON: name}
    path, log = program(command[0]), os.fspath(layout.log(name))
    return os.posix_spawn(
        path,
        [path, *command[1:]],
        environment(layout) | dict(extra or {}) | marks,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def daemons(layout: Layout, name: str | None = None) -> set[int]:
    """The processes started for this cluster, or for one of its daemons."""
    marks = {FOLDER: str(layout.folder)} | ({} if name is None else {DAEMON: name})
    return _carrying(marks)


def job_processes(layout: Layout, node: str | None = None) -> set[int]:
    """The processes of this cluster's jobs, on one node or on all."""
    marks = {"SLURM_CONF": str(layout.slurm_conf), "SLURM_CLUSTER_NAME": CLUSTER_NAME}
    return _carrying(marks | ({} if node is None else {"SLURMD_NODENAME": node}))


def kill(processes: Iterable[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal; one that is gone is no error."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def end(find: Callable[[], set[int]]) -> None:
    """Ask the processes to end, and after ten seconds make them.

    Raises:
        SlurmError: they outlive SIGKILL.
    """
    found = find()
    kill(found, signal.SIGTERM)
    if not _gone(find):
        kill(find())
        if not _gone(find):
            raise SlurmError(f"The processes {sorted(find())} do not end, even by SIGKILL.")
    for process in found:
        with suppress(ChildProcessError):  # only our own children leave us an exit status
            os.waitpid(process, 0)


def _gone(find: Callable[[], set[int]]) -> bool:
    """Wait until none is found, twice: for a moment of its exec a process shows no variables."""
    limit = time.monotonic() + PATIENCE
    unseen = 0
    while unseen < 2:
        unseen = 0 if find() else unseen + 1
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def _carrying(marks: Mapping[str, str]) -> set[int]:
    """Living processes that were started with all these variables; a dead one's are empty."""
    wanted = {f"{name}={value}".encode() for name, value in marks.items()}
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended a moment ago, or is another user's
            if wanted <= set((folder / "environ").read_bytes().split(b"\0")):
                found.add(int(folder.name))
    return found - {os.getpid()}
