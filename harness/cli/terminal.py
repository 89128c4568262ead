"""Print text on the terminal, of which a part may come from files."""

from __future__ import annotations

import typer

from harness.core.text import printable, printable_lines


def echo(text: object = "", *, err: bool = False) -> None:
    """Print text; control characters other than line breaks and tabs are shown escaped.

    Args:
        text: Anything; what is not text is converted by `str`.
        err: Print on standard error.
    """
    typer.echo(printable_lines(text), err=err)


def echo_line(text: object, *, err: bool = False) -> None:
    """Print one line; line breaks within it are shown escaped, too."""
    typer.echo(printable(text), err=err)


def echo_raw(text: object) -> None:
    """Print text as it is, whatever it does to the terminal: for `kdreid logs --raw`."""
    typer.echo(text)
