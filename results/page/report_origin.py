"""When, with which code and by which command a report was made."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.core.installation import DISTRIBUTION
from harness.core.text import printable
from harness.runs.code_version import git_state

PROGRAM = "kdreid"
COMMIT_LENGTH = 12  # printed hexadecimal digits


@dataclass(frozen=True, slots=True)
class ReportOrigin:
    """What made a report.

    Attributes:
        time: When, in UTC, such as "2026-11-26 18:38 UTC".
        code: The commit, or that it was an installation.
        command: The command line.
        runs_option: The option that names the runs folder, for other commands on it.
    """

    time: str
    code: str
    command: str
    runs_option: str


def report_origin(runs: Path, target: Path | None = None) -> ReportOrigin:
    """Return the origin of a report that is made now.

    Args:
        runs: The runs folder.
        target: Folder of the report, if it is not the one in the runs folder.
    """
    state = git_state()
    if state.commit:
        edited = ", with uncommitted changes" if state.dirty else ""
        code = f"commit {state.commit[:COMMIT_LENGTH]}{edited}"
    else:
        code = f"{DISTRIBUTION}, not from a checkout"
    option = shlex.join(["--runs", str(runs)])
    if Path(sys.argv[0]).name == PROGRAM:
        command = shlex.join([PROGRAM, *sys.argv[1:]])
    else:  # called from Python
        out = "" if target is None else f" {shlex.join(['--out', str(target)])}"
        command = f"{PROGRAM} report {option}{out}"
    time = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return ReportOrigin(time, code, printable(command), printable(option))
