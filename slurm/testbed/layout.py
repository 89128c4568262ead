"""Paths of a cluster, all below one folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from harness.core.errors import SlurmError

MAX_SOCKET_BYTES = 107  # of a Unix socket's path, by sys/un.h


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below a cluster's folder."""

    folder: Path

    @property
    def slurm_conf(self) -> Path:
        """Configuration of the controller and of Slurm's commands."""
        return self.folder / "etc" / "slurm.conf"

    @property
    def gres_conf(self) -> Path:
        """Configuration of the GPUs."""
        return self.folder / "etc" / "gres.conf"

    @property
    def slurmdbd_conf(self) -> Path:
        """Configuration of the accounting; exists only if there is accounting."""
        return self.folder / "etc" / "slurmdbd.conf"

    @property
    def munge_key(self) -> Path:
        """Key by which the daemons authenticate each other."""
        return self.folder / "etc" / "munge.key"

    @property
    def munge_socket(self) -> Path:
        """Socket of munged."""
        return self.folder / "run" / "munge"

    @property
    def database_socket(self) -> Path:
        """Socket of MariaDB."""
        return self.folder / "run" / "mariadb"

    @property
    def database(self) -> Path:
        """Data folder of MariaDB."""
        return self.folder / "database"

    @property
    def started_marker(self) -> Path:
        """File that exists while the cluster is completely started."""
        return self.folder / "run" / "started"

    def log(self, name: str) -> Path:
        """Return the log of the daemon of this name."""
        return self.folder / "log" / f"{name}.log"

    def gpu(self, index: int) -> Path:
        """Return the file in place of a GPU's device."""
        return self.folder / "gpu" / str(index)

    def validate(self) -> None:
        """Check that Slurm's files and socket addresses can contain the folder's path.

        Raises:
            SlurmError: It is too long, or has characters that slurm.conf has no quotes for.
        """
        longest = len(bytes(self.database_socket))
        if longest > MAX_SOCKET_BYTES:
            raise SlurmError(
                f"The folder {self.folder} is too deep: a socket's path below it has {longest} "
                f"bytes, {MAX_SOCKET_BYTES} are allowed. Choose a shorter one with --folder DIR."
            )
        if re.fullmatch(r"[A-Za-z0-9/._+-]+", str(self.folder)) is None:
            raise SlurmError(
                f"The folder {str(self.folder)!r} has a character that slurm.conf cannot contain; "
                f"letters, digits and . _ + - are allowed. Choose another with --folder DIR."
            )

    def create(self) -> None:
        """Create the folders."""
        for name in ("etc", "run", "log", "gpu", "state", "spool"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the right to start or stop the cluster of this folder.

        The operating system releases the lock when its holder ends, even if it is killed.

        Raises:
            SlurmError: Another process has it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError as error:
                raise SlurmError(
                    f"Another process is starting or stopping the cluster in {self.folder}."
                ) from error
            yield
