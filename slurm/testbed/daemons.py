"""Slurm's own daemons and munge: how each is started, and when it works."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from slurm.errors import SlurmError
from slurm.testbed.layout import Layout
from slurm.testbed.processes import daemons, spawn

START_LIMIT = 90.0  # seconds a daemon may take; a busy machine is slow


def start_munged(layout: Layout) -> None:
    """Start munge, by which the daemons know each other, with a key and a socket of its own."""
    if not layout.munge_key.exists():
        layout.munge_key.touch(mode=0o600)
        layout.munge_key.write_bytes(secrets.token_bytes(128))
    run = layout.folder / "run"
    command = [
        "munged", "--foreground",
        "--force",  # it runs as the cluster's user, below folders that others may write
        f"--key-file={layout.munge_key}", f"--socket={layout.munge_socket}",
        f"--pid-file={run / 'munged.pid'}", f"--seed-file={run / 'munged.seed'}",
        f"--log-file={layout.log('munged')}", "--num-threads=2",
    ]  # fmt: skip
    spawn(layout, "munged", command)
    wait_for(layout, "munged", layout.munge_socket.is_socket)


def start_slurmctld(layout: Layout) -> None:
    """Start the controller."""
    spawn(layout, "slurmctld", ["slurmctld", "-D", "-f", str(layout.slurm_conf)])


def start_slurmd(layout: Layout, node: str) -> None:
    """Start the daemon of one node."""
    (layout.folder / "spool" / node).mkdir(exist_ok=True)
    command = ["slurmd", "-D", "-N", node, "-f", str(layout.slurm_conf)]
    spawn(layout, node, command)


def wait_for(layout: Layout, name: str, condition: Callable[[], bool]) -> None:
    """Wait until a daemon does its work.

    Raises:
        SlurmError: it ended, or the time is over; the message holds its log's last lines.
    """
    limit = time.monotonic() + START_LIMIT
    while not _holds(condition):
        dead = not daemons(layout, name)
        if dead or time.monotonic() > limit:
            lines = layout.log(name).read_text(errors="replace").splitlines()[-8:]
            raise SlurmError(
                f"{name} {'ended' if dead else 'does not answer'}; {layout.log(name)} ends with:\n"
                + "\n".join(lines)
            )
        time.sleep(0.1)


def _holds(condition: Callable[[], bool]) -> bool:
    """The condition, False while the daemon it asks does not answer."""
    try:
        return condition()
    except SlurmError:
        return False
