"""Report waits that take long: no command waits for another process without a message."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NOTICE_S = 10.0  # a wait that takes longer is reported


class WaitNotice:
    """Report of one wait, which becomes a line once it has taken `NOTICE_S` seconds.

    Args:
        report: Called with the line; by default it is written to standard error.
    """

    def __init__(self, report: Callable[[str], object] | None = None) -> None:
        self._report = report or _write_to_stderr
        self._since = time.monotonic()
        self._reported = ""

    def update(self, describe: Callable[[], str]) -> None:
        """Report what is waited for, if it is time and it was not reported yet.

        Args:
            describe: Returns the line, without the time; it is called only when it is time.
        """
        if time.monotonic() - self._since < NOTICE_S:
            return
        text = describe()
        if text != self._reported:
            self._reported = text
            self._report(text)


@contextmanager
def waiting_for(what: str, report: Callable[[str], object] | None = None) -> Iterator[None]:
    """Report what is waited for, once the block has taken `NOTICE_S` seconds.

    Args:
        what: What is waited for: "squeue to answer".
        report: Called with the line, in another thread; by default it goes to standard error.
    """
    timer = threading.Timer(NOTICE_S, report or _write_to_stderr, [f"waiting for {what}"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _write_to_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
