"""Running a command line: a known error becomes one sentence and its exit code."""

from __future__ import annotations

import sys

import typer

from harness.core.errors import ExitCode, KDReIDError


def serve(application: typer.Typer) -> None:
    """Run `application` on the process's arguments and end the process."""
    try:
        application()
    except KDReIDError as error:
        sys.stderr.write(f"kdreid: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
