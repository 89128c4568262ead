"""Start the accounting: slurmdbd with its own MariaDB, which is reached by a socket only."""

from __future__ import annotations

import os
import shutil
import subprocess

from harness.core.errors import SlurmError
from slurm.testbed.config import current_user
from slurm.testbed.daemons import Daemon, start_daemon
from slurm.testbed.layout import Layout
from slurm.testbed.packages import find_program
from slurm.testbed.processes import cluster_environment, daemon_variables

INSTALLER = "mariadb-install-db"


def create_database(layout: Layout) -> None:
    """Create MariaDB's tables, unless they exist; the current user becomes their administrator.

    Raises:
        SlurmError: MariaDB is not installed or fails.
    """
    if layout.database.exists():
        return
    unfinished = layout.database.with_name("database.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [
        find_program(INSTALLER),
        "--no-defaults",
        f"--datadir={unfinished}",
        "--auth-root-authentication-method=socket",
        f"--auth-root-socket-user={current_user()}",
        "--skip-test-db",
        *_user_option(),
    ]
    variables = daemon_variables(layout, INSTALLER)
    with layout.log(INSTALLER).open("wb") as log:
        result = subprocess.run(
            command,
            env=cluster_environment(layout) | variables,
            stdout=log,
            stderr=log,
            check=False,
        )
    if result.returncode != 0:
        raise SlurmError(f"{INSTALLER} failed; see {log.name}.")
    unfinished.rename(layout.database)


def start_database(layout: Layout) -> Daemon:
    """Start MariaDB without a TCP port.

    Raises:
        SlurmError: MariaDB is not installed.
    """
    command = [
        "mariadbd",
        "--no-defaults",
        f"--datadir={layout.database}",
        f"--socket={layout.database_socket}",
        "--skip-networking",
        f"--pid-file={layout.folder / 'run' / 'mariadbd.pid'}",
        "--innodb-flush-log-at-trx-commit=0",  # a test's accounts need not survive a power cut
        *_user_option(),
    ]
    return start_daemon(layout, "mariadbd", command)


def start_slurmdbd(layout: Layout) -> Daemon:
    """Start slurmdbd, which creates its tables when they are missing.

    It reads slurmdbd.conf from the folder of slurm.conf. It has no option for MariaDB's socket, but
    the client library that it uses reads the path from this variable.

    Raises:
        SlurmError: slurmdbd is not installed.
    """
    socket = {"MYSQL_UNIX_PORT": str(layout.database_socket)}
    return start_daemon(layout, "slurmdbd", ["slurmdbd", "-D"], socket)


def _user_option() -> list[str]:
    """Return the option without which MariaDB refuses to run as root."""
    return [f"--user={current_user()}"] if os.geteuid() == 0 else []
