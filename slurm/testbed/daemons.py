"""Start munged and Slurm's daemons, and wait until they work."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.core.errors import SlurmError
from slurm.testbed.layout import Layout
from slurm.testbed.processes import spawn

START_TIMEOUT_SECONDS = 90.0  # a busy machine is slow
POLL_SECONDS = 0.1
QUOTED_LINES = 8  # of the log of a daemon that fails


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that this process started."""

    layout: Layout
    name: str
    process: int

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the daemon works.

        Args:
            condition: Whether it does. A `SlurmError` counts as False.

        Raises:
            SlurmError: It ended or takes too long; the message contains its log's last lines.
        """
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not _is_met(condition):
            has_ended = os.waitpid(self.process, os.WNOHANG)[0] != 0
            if has_ended or time.monotonic() > deadline:
                log = self.layout.log(self.name)
                lines = log.read_text(errors="replace").splitlines()[-QUOTED_LINES:]
                problem = "ended" if has_ended else "does not answer"
                tail = "\n".join(lines)
                raise SlurmError(f"{self.name} {problem}; {log} ends with:\n{tail}")
            time.sleep(POLL_SECONDS)


def start_daemon(
    layout: Layout, name: str, command: Sequence[str], extra: Mapping[str, str] | None = None
) -> Daemon:
    """Start a daemon that stays in the foreground, with `extra` variables in its environment.

    Raises:
        SlurmError: Its program is not installed.
    """
    return Daemon(layout, name, spawn(layout, name, command, extra))


def start_munged(layout: Layout) -> Daemon:
    """Start munged, by which the daemons authenticate each other, with its own key and socket.

    Raises:
        SlurmError: munge is not installed.
    """
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
    return start_daemon(layout, "munged", command)


def start_slurmctld(layout: Layout) -> Daemon:
    """Start the controller.

    Raises:
        SlurmError: Slurm is not installed.
    """
    return start_daemon(layout, "slurmctld", ["slurmctld", "-D", "-f", str(layout.slurm_conf)])


def start_slurmd(layout: Layout, node: str) -> Daemon:
    """Start the daemon of one node.

    Raises:
        SlurmError: Slurm is not installed.
    """
    (layout.folder / "spool" / node).mkdir(exist_ok=True)
    command = ["slurmd", "-D", "-N", node, "-f", str(layout.slurm_conf)]
    return start_daemon(layout, node, command)


def _is_met(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except SlurmError:
        return False
