"""Report the progress of long work: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from harness.core.text import printable, printable_lines

PLAIN_LINE_EVERY = 10.0  # seconds


class ProgressCallback(Protocol):
    """Function that long work calls as it proceeds."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report that `done` of `total` units are complete; `note` is printed next to them."""


def ignore_progress(done: int, total: int, note: str = "") -> None:
    """Report nothing: the `ProgressCallback` for work that nobody watches."""


class Reporter:
    """Messages and progress on standard error, so that tables on standard output can be piped.

    Args:
        quiet: Print nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._has_bars = sys.stderr.isatty() and not quiet

    def info(self, text: str) -> None:
        """Print one line, unless quiet."""
        if not self._quiet:
            self._console.print(printable_lines(text), markup=False)

    def result(self, text: str) -> None:
        """Print the outcome of a command, even if quiet."""
        self._console.print(printable_lines(text), markup=False)

    @contextmanager
    def task(self, title: str) -> Iterator[ProgressCallback]:
        """Show the progress of the block, which calls the yielded function."""
        if self._has_bars:
            with Bars(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                console=self._console,
            ) as bars:
                bar = bars.add_task(printable(title), total=None, note="")

                def update(done: int, total: int, note: str = "") -> None:
                    bars.update(bar, completed=done, total=total, note=printable(note))

                yield update
        else:
            yield self._plain_lines(title)

    def _plain_lines(self, title: str) -> ProgressCallback:
        """Return a callback that prints a line at the end and every few seconds before it."""
        start = time.monotonic()
        last_line = start

        def update(done: int, total: int, note: str = "") -> None:
            nonlocal last_line
            now = time.monotonic()
            if done < total and now - last_line < PLAIN_LINE_EVERY:
                return
            last_line = now
            elapsed = f"{now - start:.0f} s"
            remaining = (now - start) / max(done, 1) * (total - done)
            times = f"{elapsed}, {remaining:.0f} s left" if remaining else elapsed
            self.info("  ".join(filter(None, (f"{title}: {done}/{total}", times, note))))

        return update
