"""Accounting: a MariaDB of the cluster's own behind slurmdbd, reached by a socket only."""

from __future__ import annotations

import os
import shutil
import subprocess

from harness.core.errors import SlurmError
from slurm.testbed.config import user
from slurm.testbed.daemons import Daemon, launch
from slurm.testbed.layout import Layout
from slurm.testbed.packages import program
from slurm.testbed.processes import DAEMON, FOLDER, environment


def make_database(layout: Layout) -> None:
    """Create MariaDB's tables once; their administrator is who starts the cluster.

    Raises:
        SlurmError: MariaDB could not.
    """
    if layout.database.exists():
        return
    unfinished = layout.database.with_name("database.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [
        program("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={unfinished}",
        "--auth-root-authentication-method=socket",
        f"--auth-root-socket-user={user()}",
        "--skip-test-db",
        *_as_root(),
    ]
    marks = {FOLDER: str(layout.folder), DAEMON: "mariadb-install-db"}
    with layout.log("mariadb-install-db").open("wb") as log:
        result = subprocess.run(
            command, env=environment(layout) | marks, stdout=log, stderr=log, check=False
        )
    if result.returncode != 0:
        raise SlurmError(f"mariadb-install-db failed; see {log.name}.")
    unfinished.rename(layout.database)


def start_database(layout: Layout) -> Daemon:
    """Start MariaDB without a TCP port."""
    command = [
        "mariadbd",
        "--no-defaults",
        f"--datadir={layout.database}",
        f"--socket={layout.database_socket}",
        "--skip-networking",
        f"--pid-file={layout.folder / 'run' / 'mariadbd.pid'}",
        "--innodb-flush-log-at-trx-commit=0",  # a test's accounts need not survive a power cut
        *_as_root(),
    ]
    return launch(layout, "mariadbd", command)


def start_slurmdbd(layout: Layout) -> Daemon:
    """Start slurmdbd, which creates its tables when they are missing.

    It finds slurmdbd.conf beside slurm.conf. It has no option for MariaDB's socket, but the
    client library it uses reads this variable.
    """
    socket = {"MYSQL_UNIX_PORT": str(layout.database_socket)}
    return launch(layout, "slurmdbd", ["slurmdbd", "-D"], socket)


def _as_root() -> list[str]:
    """MariaDB refuses to run as root unless told so."""
    return [f"--user={user()}"] if os.geteuid() == 0 else []
