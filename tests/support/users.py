"""Two users of one group, in whose names commands are run; only root can make them."""

import os
import shlex
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tests.support import forks
from tests.support.command_line import COMMANDS, WIDTH

GROUP = "kdreid-testers"


@dataclass(frozen=True)
class User:
    """A user of the group."""

    name: str
    home: str = "/"
    server: forks.ForkServer | None = None

    def start(self, *arguments, umask="002", kind="kdreid", hide_processes=False):
        """Start `kdreid`, or Python with another `kind`, as this user."""
        words = [*COMMANDS.get(kind, []), *map(str, arguments)]
        environment = _environment() | {"HOME": self.home}
        if not hide_processes:
            return self.server.start(words, cwd=forks.ROOT, env=environment, umask=umask)
        return subprocess.Popen(
            _as_user(self.name, umask, [sys.executable, *words], hide_processes=True),
            cwd=forks.ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def call(self, *arguments, **options):
        """Run `kdreid` as this user to its end."""
        process = self.start(*arguments, **options)
        output, errors = process.communicate(timeout=250)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


@contextmanager
def two_users():
    """Make two users of one group for the block."""
    users = [User("kdreid-one"), User("kdreid-two")]
    _remove(users)  # of tests that were killed
    _manage("groupadd", GROUP)
    try:
        for user in users:
            _manage("useradd", "--no-create-home", "--no-user-group", "--gid", GROUP, user.name)
        with tempfile.TemporaryDirectory(prefix="kdreid-home-") as home, ExitStack() as servers:
            Path(home).chmod(0o777)
            yield [
                replace(user, home=home, server=servers.enter_context(closing(_server(user, home))))
                for user in users
            ]
    finally:
        _remove(users)


def _remove(users):
    for command in (*(("userdel", user.name) for user in users), ("groupdel", GROUP)):
        subprocess.run(command, check=False, capture_output=True)


def _manage(*command):
    subprocess.run(command, check=True, capture_output=True)


def _server(user, home):
    """Return a server whose forks are this user's processes."""
    command = partial(_as_user, user.name, "002", hide_processes=False)
    return forks.ForkServer(command, _environment() | {"HOME": home})


def _environment():
    """Return the environment without what coverage adds: its data belong to root."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return kept | WIDTH | {"PYTHONPATH": str(forks.ROOT), "OMP_NUM_THREADS": "1"}


def _as_user(name, umask, command, *, hide_processes):
    """Return a command that runs another one as a user, who may not see processes of others.

    Python may lie in a folder that only root enters, such as /root. In a mount namespace of the
    command's own, an open folder takes its place that contains what Python needs and nothing else.
    """
    needed = {Path(path).resolve() for path in (sys.base_prefix, sys.prefix, forks.ROOT)}
    lines = ["set -e"]
    for closed in sorted({_closed_folder(path) for path in needed} - {None}):
        lines += [f"mount --bind {closed} /mnt", f"mount -t tmpfs -o mode=755 tmpfs {closed}"]
        for path in sorted(path for path in needed if path.is_relative_to(closed)):
            lines += [f"mkdir -p {path}", f"mount --bind /mnt/{path.relative_to(closed)} {path}"]
    if hide_processes:
        lines.append("mount -t proc -o hidepid=2 proc /proc")
    lines += [
        f"umask {umask}",
        f"exec setpriv --reuid {name} --regid {GROUP} --init-groups {shlex.join(command)}",
    ]
    return ["unshare", "--mount", "bash", "-c", "\n".join(lines)]


def _closed_folder(path):
    """Return the topmost folder above a path that other users may not enter."""
    folders = [*reversed(path.parents), path]
    return next((folder for folder in folders if not folder.stat().st_mode & 0o001), None)
