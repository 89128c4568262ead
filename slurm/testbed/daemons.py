"""Daemons: how munge's and Slurm's own are started, and how to wait for one."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.core.errors import SlurmError
from slurm.testbed.layout import Layout
from slurm.testbed.processes import spawn

START_LIMIT = 90.0  # seconds a daemon may take; a busy machine is slow


@dataclass(frozen=True, slots=True)
class Daemon:
    """One that this process started."""

    layout: Layout
    name: str
    process: int

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until it does its work.

        Raises:
            SlurmError: it ended, or the time is over; the message holds its log's last lines.
        """
        limit = time.monotonic() + START_LIMIT
        while not _holds(condition):
            ended = os.waitpid(self.process, os.WNOHANG)[0] != 0
            if ended or time.monotonic() > limit:
                log = self.layout.log(self.name)
                last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                says = "ended" if ended else "does not answer"
                raise SlurmError(f"{self.name} {says}; {log} ends with:\n{last}")
            time.sleep(0.1)


def launch(
    layout: Layout, name: str, command: Sequence[str], extra: Mapping[str, str] | None = None
) -> Daemon:
    """Start a daemon that stays in the foreground, with `extra` variables in its environment."""
    return Daemon(layout, name, spawn(layout, name, command, extra))


def start_munged(layout: Layout) -> Daemon:
    """Start munge, by which the daemons know each other, with a key and a socket of its own."""
    if not layout.munge_key.exists():
        layout.munge_key.touch(mode=0o600)
        layout.munge_key.write_bytes(secrets.token_bytes(128))
    run = layout.folder / "run"
    command = [
        "munged",
        "--foreground",
        "--force",  # it runs as the cluster's user, below folders that others may write
        f"--key-file={layout.munge_key}",
        f"--socket={layout.munge_socket}",
        f"--pid-file={run / 'munged.pid'}",
        f"--seed-file={run / 'munged.seed'}",
        f"--log-file={layout.log('munged')}",
        "--num-threads=2",
    ]
    return launch(layout, "munged", command)


def start_slurmctld(layout: Layout) -> Daemon:
    """Start the controller."""
    return launch(layout, "slurmctld", ["slurmctld", "-D", "-f", str(layout.slurm_conf)])


def start_slurmd(layout: Layout, node: str) -> Daemon:
    """Start the daemon of one node."""
    (layout.folder / "spool" / node).mkdir(exist_ok=True)
    command = ["slurmd", "-D", "-N", node, "-f", str(layout.slurm_conf)]
    return launch(layout, node, command)


def _holds(condition: Callable[[], bool]) -> bool:
    """The condition, False while the daemon it asks does not answer."""
    try:
        return condition()
    except SlurmError:
        return False
