"""Stopping at a step boundary: a signal only raises a flag, the loop saves and leaves."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.core.errors import RunInterrupted


class StopRequest:
    """Whether somebody asked this process to stop."""

    requested = False
    requeue = False  # whether the job is to be continued by itself: its time or its place is over

    def raise_if_requested(self) -> None:
        """Leave now, between two pieces of work.

        Raises:
            InterruptedRunError: a stop was requested.
        """
        if self.requested:
            raise RunInterrupted("Stopped as asked. Run the same command again to go on from here.")


@contextmanager
def handle_signals() -> Iterator[StopRequest]:
    """Within the block the first SIGINT or SIGTERM sets the flag; a second one ends the process."""
    stop = StopRequest()

    def request(_number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    earlier = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def install_worker_signals() -> StopRequest:
    """For a worker, before anything slow is imported: the flag for SIGUSR2, SIGTERM and SIGINT.

    Slurm may send a signal to several processes that pass it on, so a second one means nothing.
    Whoever starts a worker may block the first two until here, so that none is lost.
    """
    stop = StopRequest()

    def request(number: int, _frame: FrameType | None) -> None:
        stop.requested = True
        stop.requeue = stop.requeue or number == signal.SIGUSR2

    asking = (signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)
    for number in asking:
        signal.signal(number, request)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, asking)
    return stop
