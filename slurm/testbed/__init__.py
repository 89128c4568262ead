"""A real SLURM cluster on this machine, for tests: two nodes with two GPUs each that are not real.

    eval "$(python -m slurm.testbed start --accounting)"    # sets SLURM_CONF in this shell
    sinfo; sbatch --gpus-per-node=1 job.sh; sacct
    python -m slurm.testbed stop-node n1                    # a node failure
    python -m slurm.testbed start-node n1
    python -m slurm.testbed stop

Partitions: `gpu` (default), `short` (at most two minutes) and `urgent`, which preempts both: the
jobs there get their `--signal`, twenty seconds later the kill, and are requeued. A requeued job
waits ten seconds, not Slurm's usual two minutes.

Needs the Debian packages slurm-wlm and munge, for accounting slurmdbd and mariadb-server too.
Everything runs as the user who starts it, root or not, in the foreground, without systemd, and
lies below one folder; no system-wide Slurm, munge or MariaDB is read or touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slurm.testbed.cluster import Cluster, start, stop
from slurm.testbed.config import Settings

__all__ = ["Cluster", "Settings", "temporary_cluster"]


@contextmanager
def temporary_cluster(
    folder: Path, *, accounting: bool = False, settings: Settings | None = None
) -> Iterator[Cluster]:
    """A cluster in `folder` for the length of a `with`; its `environment` turns commands to it.

    Raises:
        SlurmError: a package is missing, a cluster runs there already, or a daemon fails.
    """
    cluster = start(folder, accounting=accounting, settings=settings)
    try:
        yield cluster
    finally:
        stop(folder)
