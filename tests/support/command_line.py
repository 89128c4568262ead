"""The two commands: in processes of their own, or quicker in this one."""

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from unittest import mock

from harness.cli.app import main
from tests.support import forks

COMMANDS = {
    "run": ["-m", "harness.run"],
    "kdreid": ["-c", "from harness.cli.app import main; main()"],
}
WIDTH = {"COLUMNS": "100"}  # of the terminal


def call(kind, *arguments):
    return forks.call([*COMMANDS[kind], *arguments], env=WIDTH)


def invoke(*arguments, entry=main):
    """Run `kdreid` in this process, which saves the import of torch; return what `call` does."""
    argv = ["kdreid", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict(os.environ, WIDTH),
        redirect_stdout(StringIO()) as output,
        redirect_stderr(StringIO()) as errors,
    ):
        code = 0
        try:
            entry()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(argv, code, output.getvalue(), errors.getvalue())
