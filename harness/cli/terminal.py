"""Print text on the terminal, of which a part may come from files."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from harness.core.errors import UnwritableFileError
from harness.core.text import printable, printable_lines


def echo(text: object = "", *, err: bool = False) -> None:
    """Print text; control characters other than line breaks and tabs are shown escaped.

    Args:
        text: Anything; what is not text is converted by `str`.
        err: Print on standard error.
    """
    with _explain_full_disk(err=err):
        typer.echo(printable_lines(text), err=err)


def echo_line(text: object, *, err: bool = False) -> None:
    """Print one line; line breaks within it are shown escaped, too."""
    with _explain_full_disk(err=err):
        typer.echo(printable(text), err=err)


def echo_raw(text: object) -> None:
    """Print text as it is, whatever it does to the terminal: for `kdreid logs --raw`."""
    with _explain_full_disk():
        typer.echo(text)


def echo_table(table: Table) -> None:
    """Print a table as wide as the terminal."""
    with _explain_full_disk():
        Console(highlight=False).print(table)


def drop_unwritten_output() -> None:
    """Drop what the disk of an output did not take, for which Python would end with code 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError, ValueError), Path(os.devnull).open("w") as nothing:
                os.dup2(nothing.fileno(), stream.fileno())


@contextmanager
def _explain_full_disk(*, err: bool = False) -> Iterator[None]:
    """Name the output that cannot be written; that of a closed pipe is left to click.

    Raises:
        UnwritableFileError: It cannot.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        name, path = ("error", "stderr") if err else ("output", "stdout")
        message = (
            f"Standard {name} cannot be written ({error.strerror}): free space on its disk or "
            "choose another file, then repeat the command."
        )
        raise UnwritableFileError(Path(f"/dev/{path}"), message, error) from None
