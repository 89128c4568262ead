"""A real Slurm cluster on this machine, for tests: two nodes with two simulated GPUs each.

    eval "$(python -m slurm.testbed start --accounting)"    # sets SLURM_CONF in this shell
    sinfo; sbatch --gpus-per-node=1 job.sh; sacct
    python -m slurm.testbed stop-node n1                    # a node failure
    python -m slurm.testbed start-node n1
    python -m slurm.testbed stop

Partitions: `gpu` (default), `short` (at most two minutes) and `urgent`, which preempts both: the
jobs there get their `--signal`, twenty seconds later SIGKILL, and are requeued. A requeued job
waits ten seconds, not Slurm's usual two minutes.

Needs the Debian packages slurm-wlm and munge, and for accounting slurmdbd and mariadb-server.
Everything runs as the user who starts it, root or not, in the foreground, without systemd, and
below one folder; no system-wide Slurm, munge or MariaDB is read or touched.

Only tests import this package: it is not part of the wheel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slurm.testbed.cluster import Cluster, start_cluster, stop_cluster
from slurm.testbed.config import ClusterSettings

__all__ = ["Cluster", "ClusterSettings", "temporary_cluster"]


@contextmanager
def temporary_cluster(
    folder: Path, *, accounting: bool = False, settings: ClusterSettings | None = None
) -> Iterator[Cluster]:
    """Run a cluster in `folder` within the block.

    Args:
        folder: Folder of everything that belongs to the cluster.
        accounting: Whether `sacct` works.
        settings: Size and times; None: the defaults.

    Yields:
        The cluster, whose `environment` directs Slurm's commands to it.

    Raises:
        SlurmError: A package is missing, a cluster runs there already, or a daemon fails.
    """
    cluster = start_cluster(folder, accounting=accounting, settings=settings)
    try:
        yield cluster
    finally:
        stop_cluster(folder)
