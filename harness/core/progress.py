"""How long work shows that it goes on: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

ProgressCallback = Callable[[int, int, str], None]  # done, total, a note

PLAIN_LINE_EVERY = 10.0  # seconds


class Reporter:
    """Writes to standard error, so that tables on standard output can be piped."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = sys.stderr.isatty() and not quiet

    def info(self, text: str) -> None:
        """One line, unless quiet."""
        if not self._quiet:
            self._console.print(text, markup=False)

    @contextmanager
    def task(self, title: str) -> Iterator[ProgressCallback]:
        """A piece of work; call what this yields with (done, total, note) as it goes on."""
        if self._bars:
            with Bars(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=self._console,
            ) as bars:
                bar = bars.add_task(title, total=None, note="")
                yield lambda done, total, note: bars.update(
                    bar, completed=done, total=total, note=note
                )
        else:
            yield self._plain(title)

    def _plain(self, title: str) -> ProgressCallback:
        began = time.monotonic()
        last = began

        def show(done: int, total: int, note: str) -> None:
            nonlocal last
            now = time.monotonic()
            if done == total or now - last >= PLAIN_LINE_EVERY:
                last = now
                left = (now - began) / max(done, 1) * (total - done)
                times = (
                    f"{now - began:.0f} s, {left:.0f} s left" if left else f"{now - began:.0f} s"
                )
                self.info("  ".join(filter(None, (f"{title}: {done}/{total}", times, note))))

        return show
