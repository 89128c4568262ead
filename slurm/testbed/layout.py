"""Where everything of one cluster lies: all below one folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from harness.core.errors import SlurmError

SOCKET_LIMIT = 107  # bytes of a Unix socket's path, by sys/un.h


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below a cluster's folder."""

    folder: Path

    @property
    def slurm_conf(self) -> Path:
        return self.folder / "etc" / "slurm.conf"

    @property
    def gres_conf(self) -> Path:
        return self.folder / "etc" / "gres.conf"

    @property
    def slurmdbd_conf(self) -> Path:
        return self.folder / "etc" / "slurmdbd.conf"

    @property
    def munge_key(self) -> Path:
        return self.folder / "etc" / "munge.key"

    @property
    def munge_socket(self) -> Path:
        return self.folder / "run" / "munge"

    @property
    def database_socket(self) -> Path:
        return self.folder / "run" / "mariadb"

    @property
    def database(self) -> Path:
        return self.folder / "database"

    def log(self, name: str) -> Path:
        """What the daemon of this name says."""
        return self.folder / "log" / f"{name}.log"

    def gpu(self, index: int) -> Path:
        """The file that stands for a GPU's device."""
        return self.folder / "gpu" / str(index)

    def check(self) -> None:
        """Make sure that the folder's path can stand in Slurm's files and socket addresses.

        Raises:
            SlurmError: it is too long, or has characters that slurm.conf has no quotes for.
        """
        longest = len(bytes(self.database_socket))
        if longest > SOCKET_LIMIT:
            raise SlurmError(
                f"The folder {self.folder} is too deep: a socket's path below it has {longest} "
                f"bytes, {SOCKET_LIMIT} are allowed. Choose a shorter one with --folder DIR."
            )
        if re.fullmatch(r"[A-Za-z0-9/._+-]+", str(self.folder)) is None:
            raise SlurmError(
                f"The folder {str(self.folder)!r} has a character that slurm.conf cannot hold; "
                f"letters, digits and . _ + - are allowed. Choose another with --folder DIR."
            )

    def make(self) -> None:
        """Create the folders."""
        for name in ("etc", "run", "log", "gpu", "state", "spool"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Only one process starts or stops the cluster of this folder at a time.

        The system drops this lock with its holder, even one that was killed.

        Raises:
            SlurmError: another process has it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError as error:
                raise SlurmError(
                    f"Another process starts or stops the cluster in {self.folder} just now."
                ) from error
            yield
