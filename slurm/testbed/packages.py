"""Which programs a cluster needs, and the Debian packages that bring them."""

from __future__ import annotations

import os
import shutil

from harness.core.errors import SlurmError

PROGRAMS = {
    "slurmctld": "slurm-wlm",
    "slurmd": "slurm-wlm",
    "sbatch": "slurm-wlm",
    "munged": "munge",
}
ACCOUNTING = {
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
}
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))


def program(name: str) -> str:
    """Where a program lies; the sbin folders count although few users have them on PATH.

    Raises:
        SlurmError: it is not installed.
    """
    found = shutil.which(name, path=PATH)
    if found is None:
        raise SlurmError(_sentence([name]))
    return found


def missing(*, accounting: bool) -> str | None:
    """A sentence that names the packages to install; None if every program is there."""
    needed = PROGRAMS | ACCOUNTING if accounting else PROGRAMS
    absent = [name for name in needed if shutil.which(name, path=PATH) is None]
    return _sentence(absent) if absent else None


def _sentence(absent: list[str]) -> str:
    needed = PROGRAMS | ACCOUNTING
    packages = " ".join(dict.fromkeys(needed[name] for name in absent))
    return (
        f"A SLURM cluster on this machine needs {', '.join(absent)}: "
        f"as root, apt-get install {packages}"
    )
