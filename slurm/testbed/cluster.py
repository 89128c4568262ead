"""Starting, stopping and disturbing a cluster."""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.core.errors import SlurmError
from slurm.testbed.accounting import make_database, start_database, start_slurmdbd
from slurm.testbed.config import Ports, Settings, user, write
from slurm.testbed.daemons import start_munged, start_slurmctld, start_slurmd
from slurm.testbed.layout import Layout
from slurm.testbed.packages import missing
from slurm.testbed.ports import free
from slurm.testbed.processes import PATIENCE, daemons, end, environment, job_processes, kill

STOPPED_BY_US = "stopped by the testbed"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster."""

    layout: Layout
    seconds: float = 0.0  # that the start took

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        return self.layout.folder

    @property
    def accounting(self) -> bool:
        """Whether `sacct` works."""
        return self.layout.slurmdbd_conf.exists()

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes' names."""
        return tuple(re.findall(r"^NodeName=(\S+)", self.layout.slurm_conf.read_text(), re.M))

    @property
    def environment(self) -> dict[str, str]:
        """For `subprocess`: what turns sbatch, squeue and the others to this cluster."""
        return environment(self.layout)

    def call(self, *command: str, limit: float = 60.0) -> str:
        """Run a command against this cluster; what it printed, without the last line's end.

        Raises:
            SlurmError: it failed, which is quoted, or took more than `limit` seconds.
        """
        try:
            result = subprocess.run(
                command,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=limit,
            )
        except subprocess.TimeoutExpired as error:
            raise SlurmError(f"{' '.join(command)} took more than {limit:.0f} s.") from error
        if result.returncode != 0:
            said = result.stderr.strip() or result.stdout.strip()
            raise SlurmError(f"{' '.join(command)} ended with {result.returncode}: {said}")
        return result.stdout.rstrip("\n")

    def answers(self, *command: str) -> bool:
        """Whether a command succeeds."""
        try:
            self.call(*command)
        except SlurmError:
            return False
        return True

    def states(self) -> dict[str, str]:
        """Each node's state in sinfo's words: idle, mixed, allocated, down and so on."""
        lines = self.call("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines()
        # A node stands in every partition's list, so several times here.
        return {name: state for name, _, state in (line.partition(" ") for line in lines)}

    def takes_jobs(self, node: str) -> bool:
        """Whether a node is up; a state as `idle*` belongs to one that does not answer yet."""
        return self.states().get(node) in ("idle", "mixed", "allocated")

    def stop_node(self, name: str) -> None:
        """Let a node fail: its daemon and its jobs are killed, and the controller told at once.

        Otherwise the controller would wait for `Settings.node_timeout`. Jobs are requeued.

        Raises:
            SlurmError: there is no such node.
        """
        self._require(name)
        kill(daemons(self.layout, name))
        kill(job_processes(self.layout, name))
        self.call("scontrol", "update", f"nodename={name}", "state=down", f"reason={STOPPED_BY_US}")

    def start_node(self, name: str) -> None:
        """Bring a stopped node back and wait until it takes jobs.

        Raises:
            SlurmError: there is no such node, it runs, or it does not come up.
        """
        self._require(name)
        if daemons(self.layout, name):
            raise SlurmError(f"Node {name} runs already.")
        start_slurmd(self.layout, name).wait_for(partial(self.takes_jobs, name))

    def _require(self, name: str) -> None:
        if name not in self.nodes:
            raise SlurmError(f"No node is called {name!r}; there are {', '.join(self.nodes)}.")


def start(folder: Path, *, accounting: bool = False, settings: Settings | None = None) -> Cluster:
    """Start a cluster in `folder`, which may be one's from before, and wait for idle nodes.

    Raises:
        SlurmError: a package is missing, a cluster runs there already, or a daemon fails.
    """
    begin = time.monotonic()
    settings, layout = settings or Settings(), Layout(folder.resolve())
    if (sentence := missing(accounting=accounting)) is not None:
        raise SlurmError(sentence)
    layout.check()
    with layout.exclusive():
        if running(layout):
            raise SlurmError(
                f"A cluster runs in {folder} already; "
                f"first python -m slurm.testbed stop --folder {folder}"
            )
        _end_all(layout)  # what a killed start left
        layout.make()
        try:
            _start_daemons(layout, settings, accounting=accounting)
        except BaseException:
            _end_all(layout)
            raise
        _mark(layout).touch()
    return Cluster(layout, time.monotonic() - begin)


def stop(folder: Path) -> bool:
    """Cancel all jobs and end every process of the cluster in `folder`; False if none ran.

    Raises:
        SlurmError: another process starts or stops it just now, or a process does not end.
    """
    layout = Layout(folder.resolve())
    if not layout.slurm_conf.exists():
        return False
    with layout.exclusive():
        found = daemons(layout) | job_processes(layout)
        if running(layout):
            with suppress(SlurmError):  # a controller that does not answer is ended all the same
                _cancel_jobs(Cluster(layout))
        _end_all(layout)
    return bool(found)


def running(layout: Layout) -> bool:
    """Whether a cluster was started here and its controller lives."""
    return _mark(layout).exists() and bool(daemons(layout, "slurmctld"))


def _start_daemons(layout: Layout, settings: Settings, *, accounting: bool) -> None:
    """Start everything, each daemon when what it needs answers."""
    controller, database, *nodes = free(2 + settings.nodes)
    chosen = Ports(controller, database, tuple(nodes))
    write(layout, settings, chosen, accounting=accounting)
    cluster = Cluster(layout)
    start_munged(layout).wait_for(layout.munge_socket.is_socket)
    if accounting:
        make_database(layout)
        start_database(layout).wait_for(layout.database_socket.is_socket)
        start_slurmdbd(layout).wait_for(partial(cluster.answers, "sacctmgr", "show", "cluster"))
    slurmctld = start_slurmctld(layout)
    slurmds = [start_slurmd(layout, name) for name in settings.names]
    slurmctld.wait_for(partial(cluster.answers, "scontrol", "ping"))
    for slurmd in slurmds:
        slurmd.wait_for(partial(cluster.takes_jobs, slurmd.name))


def _mark(layout: Layout) -> Path:
    """The file that says that a start came to its end."""
    return layout.folder / "run" / "started"


def _cancel_jobs(cluster: Cluster) -> None:
    """Empty the queue, so that a restart in the same folder begins with none."""
    cluster.call("scancel", f"--user={user()}", limit=PATIENCE)
    limit = time.monotonic() + PATIENCE
    states = "--states=pending,running,completing,suspended,requeued"
    while cluster.call("squeue", "--noheader", states, limit=PATIENCE) and time.monotonic() < limit:
        kill(job_processes(cluster.layout))
        time.sleep(0.2)


def _end_all(layout: Layout) -> None:
    """End every process, those first that depend on others."""
    _mark(layout).unlink(missing_ok=True)
    kill(job_processes(layout))
    for name in ("slurmctld", "slurmdbd", "mariadbd", None):
        end(partial(daemons, layout, name))
    end(partial(job_processes, layout))
    for path in (layout.munge_socket, layout.database_socket):
        path.unlink(missing_ok=True)
