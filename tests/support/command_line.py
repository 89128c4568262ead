"""The two commands, each in a process of its own."""

import os
import subprocess
import sys

from tests.support import tiny_grid

COMMANDS = {
    "run": ["-m", "harness.run"],
    "kdreid": ["-c", "from harness.cli.app import main; main()"],
}


def call(kind, *arguments):
    return subprocess.run(
        [sys.executable, *COMMANDS[kind], *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=250,
        cwd=tiny_grid.ROOT,
        check=False,
        env=os.environ | {"COLUMNS": "100"},
    )
