"""Programs that a cluster needs, and the Debian packages that contain them."""

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
ACCOUNTING_PROGRAMS = {
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
}
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))


def find_program(name: str) -> str:
    """Return the path of a program, also if it is in an sbin folder that is not on PATH.

    Raises:
        SlurmError: It is not installed.
    """
    path = shutil.which(name, path=PATH)
    if path is None:
        raise SlurmError(_describe([name]))
    return path


def describe_missing_programs(*, accounting: bool) -> str | None:
    """Return a sentence with the packages to install; None if every program is there.

    Args:
        accounting: Whether the cluster is to have accounting.
    """
    needed = PROGRAMS | ACCOUNTING_PROGRAMS if accounting else PROGRAMS
    missing = [name for name in needed if shutil.which(name, path=PATH) is None]
    return _describe(missing) if missing else None


def _describe(missing: list[str]) -> str:
    programs = PROGRAMS | ACCOUNTING_PROGRAMS
    packages = " ".join(dict.fromkeys(programs[name] for name in missing))
    return (
        f"A Slurm cluster on this machine needs {', '.join(missing)}: "
        f"as root, apt-get install {packages}"
    )
