"""The folder that reports of a runs folder are written to, and names of files in it.

A runs folder may come from others. Its report must replace files of a report and no others: neither
by a name with a path in it nor through a link.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path

from harness.core.errors import SetupError, UnwritableFileError
from harness.runs.layout import FIGURES, REPORT

_FILE_NAME = re.compile(r"\w[\w.+-]{0,199}")


def report_folder(runs: Path, target: Path | None = None) -> Path:
    """Return the folder of a report.

    Args:
        runs: The runs folder.
        target: A folder that the user named; by default `<runs>/report`.

    Raises:
        UnwritableFileError: The folder, or that of its figures, is a link, so that the report would
            replace files somewhere else.
    """
    folder = runs / REPORT if target is None else target
    if target is None:
        _require_no_link(folder)
    _require_no_link(folder / FIGURES)
    return folder


def report_file(folder: Path, name: str) -> Path:
    """Return the path of a report's file, whose name may contain names from records.

    Raises:
        SetupError: The name is not that of a file in the folder.
        UnwritableFileError: The folder is a link.
    """
    if _FILE_NAME.fullmatch(name) is None:
        raise SetupError(
            f"No file of a report can be called {name!r}: rename the method or option that it is "
            "named after."
        )
    if folder.name == FIGURES:
        _require_no_link(folder)
    return folder / name


def _require_no_link(folder: Path) -> None:
    if folder.is_symlink():
        reason = f"it is a link to {folder.readlink()}, where a report would replace files"
        message = f"{folder} cannot be written ({reason}): remove the link."
        raise UnwritableFileError(folder, message, OSError(errno.ELOOP, reason), reason)
