"""Stop at a step boundary: a signal only sets a flag, which the training loop reads."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.core.errors import RunInterrupted


class StopRequest:
    """Request to stop, set by a signal and read between two pieces of work.

    Attributes:
        requested: Whether this process is to save its work and end.
        requeue: Whether its job is to continue later, because its time or its node is over.
    """

    requested = False
    requeue = False

    def raise_if_requested(self) -> None:
        """End the present work if a stop was requested.

        Raises:
            RunInterrupted: A stop was requested.
        """
        if self.requested:
            raise RunInterrupted("Stopped as requested. Run the same command again to continue.")


@contextmanager
def handle_signals() -> Iterator[StopRequest]:
    """Within the block the first SIGINT or SIGTERM sets the flag; a second one ends the process."""
    stop = StopRequest()

    def request(_number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    numbers = (signal.SIGINT, signal.SIGTERM)
    earlier = {number: signal.signal(number, request) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def install_worker_signals() -> StopRequest:
    """Install a worker's handlers of SIGUSR2 (stop, continue later), SIGTERM and SIGINT (stop).

    Call it before slow imports. A second signal changes nothing, because Slurm may send one to
    several processes that pass it on. The process that starts a worker may block the signals until
    here, so that none is lost.
    """
    stop = StopRequest()

    def request(number: int, _frame: FrameType | None) -> None:
        stop.requested = True
        stop.requeue = stop.requeue or number == signal.SIGUSR2

    numbers = (signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        signal.signal(number, request)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    return stop
