"""Start, stop and disturb a cluster."""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.core.errors import SlurmError
from slurm.testbed.accounting import create_database, start_database, start_slurmdbd
from slurm.testbed.config import ClusterSettings, Ports, current_user, write_config
from slurm.testbed.daemons import start_munged, start_slurmctld, start_slurmd
from slurm.testbed.layout import Layout
from slurm.testbed.packages import describe_missing_programs
from slurm.testbed.ports import find_free_ports
from slurm.testbed.processes import (
    TERMINATION_SECONDS,
    cluster_environment,
    find_daemons,
    find_job_processes,
    send_signal,
    terminate,
)

STOP_REASON = "stopped by the testbed"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster."""

    layout: Layout
    seconds: float = 0.0  # that the start took

    @property
    def folder(self) -> Path:
        """Folder of everything that belongs to the cluster."""
        return self.layout.folder

    @property
    def accounting(self) -> bool:
        """True if `sacct` works."""
        return self.layout.slurmdbd_conf.exists()

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes."""
        return tuple(re.findall(r"^NodeName=(\S+)", self.layout.slurm_conf.read_text(), re.M))

    @property
    def environment(self) -> dict[str, str]:
        """Environment for `subprocess` that directs sbatch, squeue and so on to this cluster."""
        return cluster_environment(self.layout)

    def call(self, *command: str, timeout_seconds: float = 60.0) -> str:
        """Run a command against this cluster; return its output without the last line's end.

        Raises:
            SlurmError: The command failed; the message contains its own. Or it took too long.
        """
        try:
            result = subprocess.run(
                command,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout_seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise SlurmError(
                f"{' '.join(command)} took more than {timeout_seconds:.0f} s."
            ) from error
        if result.returncode != 0:
            message = result.stderr.strip() or result.stdout.strip()
            raise SlurmError(f"{' '.join(command)} ended with {result.returncode}: {message}")
        return result.stdout.rstrip("\n")

    def succeeds(self, *command: str) -> bool:
        """Return whether a command succeeds."""
        try:
            self.call(*command)
        except SlurmError:
            return False
        return True

    def node_states(self) -> dict[str, str]:
        """Return each node's state in sinfo's words: idle, mixed, allocated, down and so on.

        Raises:
            SlurmError: The controller does not answer.
        """
        lines = self.call("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines()
        # A node is listed once for each of its partitions.
        return {name: state for name, _, state in (line.partition(" ") for line in lines)}

    def accepts_jobs(self, node: str) -> bool:
        """Return whether a node is up; the state of one that does not answer yet ends with `*`.

        Raises:
            SlurmError: The controller does not answer.
        """
        return self.node_states().get(node) in ("idle", "mixed", "allocated")

    def stop_node(self, name: str) -> None:
        """Simulate a node failure: kill its daemon and its jobs, and set it down at once.

        Otherwise the controller would wait for `ClusterSettings.node_timeout`. Jobs are requeued.

        Raises:
            SlurmError: The node does not exist.
        """
        self._require_node(name)
        send_signal(find_daemons(self.layout, name))
        send_signal(find_job_processes(self.layout, name))
        self.call("scontrol", "update", f"nodename={name}", "state=down", f"reason={STOP_REASON}")

    def start_node(self, name: str) -> None:
        """Start a stopped node again and wait until it accepts jobs.

        Raises:
            SlurmError: The node does not exist, is running, or does not come up.
        """
        self._require_node(name)
        if find_daemons(self.layout, name):
            raise SlurmError(f"Node {name} is already running.")
        start_slurmd(self.layout, name).wait_for(partial(self.accepts_jobs, name))

    def _require_node(self, name: str) -> None:
        if name not in self.nodes:
            raise SlurmError(
                f"No node is called {name!r}; the cluster has {', '.join(self.nodes)}."
            )


def start_cluster(
    folder: Path, *, accounting: bool = False, settings: ClusterSettings | None = None
) -> Cluster:
    """Start a cluster and wait until its nodes are idle.

    Args:
        folder: Folder of everything that belongs to it; it may be that of an earlier cluster.
        accounting: Whether `sacct` works.
        settings: Size and times; None: the defaults.

    Raises:
        SlurmError: A package is missing, a cluster runs there already, or a daemon fails.
    """
    begin = time.monotonic()
    settings, layout = settings or ClusterSettings(), Layout(folder.resolve())
    if (message := describe_missing_programs(accounting=accounting)) is not None:
        raise SlurmError(message)
    layout.validate()
    with layout.exclusive():
        if is_running(layout):
            raise SlurmError(
                f"A cluster runs in {folder} already; "
                f"first python -m slurm.testbed stop --folder {folder}"
            )
        _end_all(layout)  # what a killed start left behind
        layout.create()
        try:
            _start_daemons(layout, settings, accounting=accounting)
        except BaseException:
            _end_all(layout)
            raise
        layout.started_marker.touch()
    return Cluster(layout, time.monotonic() - begin)


def stop_cluster(folder: Path) -> bool:
    """Cancel all jobs and end every process of a cluster; return whether any was running.

    Raises:
        SlurmError: Another process is starting or stopping it, or a process does not end.
    """
    layout = Layout(folder.resolve())
    if not layout.slurm_conf.exists():
        return False
    with layout.exclusive():
        processes = find_daemons(layout) | find_job_processes(layout)
        if is_running(layout):
            with suppress(SlurmError):  # a controller that does not answer is ended anyway
                _cancel_jobs(Cluster(layout))
        _end_all(layout)
    return bool(processes)


def is_running(layout: Layout) -> bool:
    """Return whether a cluster was started here and its controller is alive."""
    return layout.started_marker.exists() and bool(find_daemons(layout, "slurmctld"))


def _start_daemons(layout: Layout, settings: ClusterSettings, *, accounting: bool) -> None:
    """Start each daemon as soon as those that it needs answer."""
    controller, database, *nodes = find_free_ports(2 + settings.nodes)
    ports = Ports(controller, database, tuple(nodes))
    write_config(layout, settings, ports, accounting=accounting)
    cluster = Cluster(layout)
    start_munged(layout).wait_for(layout.munge_socket.is_socket)
    if accounting:
        create_database(layout)
        start_database(layout).wait_for(layout.database_socket.is_socket)
        start_slurmdbd(layout).wait_for(partial(cluster.succeeds, "sacctmgr", "show", "cluster"))
    slurmctld = start_slurmctld(layout)
    slurmds = [start_slurmd(layout, name) for name in settings.node_names]
    slurmctld.wait_for(partial(cluster.succeeds, "scontrol", "ping"))
    for slurmd in slurmds:
        slurmd.wait_for(partial(cluster.accepts_jobs, slurmd.name))


def _cancel_jobs(cluster: Cluster) -> None:
    """Empty the queue, so that a restart in the same folder begins with none.

    Raises:
        SlurmError: The controller does not answer.
    """
    limit = TERMINATION_SECONDS
    cluster.call("scancel", f"--user={current_user()}", timeout_seconds=limit)
    deadline = time.monotonic() + limit
    squeue = (
        "squeue",
        "--noheader",
        "--states=pending,running,completing,suspended,requeued",
    )
    while cluster.call(*squeue, timeout_seconds=limit) and time.monotonic() < deadline:
        send_signal(find_job_processes(cluster.layout))
        time.sleep(0.2)


def _end_all(layout: Layout) -> None:
    """End every process, those first that depend on others."""
    layout.started_marker.unlink(missing_ok=True)
    send_signal(find_job_processes(layout))
    for name in ("slurmctld", "slurmdbd", "mariadbd", None):
        terminate(partial(find_daemons, layout, name))
    terminate(partial(find_job_processes, layout))
    for path in (layout.munge_socket, layout.database_socket):
        path.unlink(missing_ok=True)
