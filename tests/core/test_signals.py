"""Signals that set a flag, in this process and in a worker of its own."""

import os
import signal
import subprocess
import sys

import pytest

from harness.core.errors import RunInterrupted
from harness.core.signals import StopRequest, handle_signals
from tests.support import tiny_grid

WORKER = """
import os, signal
numbers = (signal.SIGUSR2, signal.SIGTERM)
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
os.kill(os.getpid(), {early})
from harness.core.signals import install_worker_signals
stop = install_worker_signals()
for number in {late}:
    os.kill(os.getpid(), number)
print(stop.requested, stop.requeue)
"""


def test_a_request_is_raised_between_two_pieces_of_work():
    stop = StopRequest()
    stop.raise_if_requested()
    stop.requested = True
    with pytest.raises(RunInterrupted, match="Run the same command again to continue"):
        stop.raise_if_requested()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_sets_the_flag_and_the_second_ends_the_process(number):
    before = signal.getsignal(number)
    with handle_signals() as stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        assert stop.requested and not stop.requeue
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_handlers_are_restored_after_an_error():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), handle_signals():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("early", "late", "printed"),
    [
        (signal.SIGUSR2, [], "True True"),  # sent before the handlers were there
        (signal.SIGTERM, [], "True False"),
        (signal.SIGTERM, [signal.SIGUSR2, signal.SIGUSR2], "True True"),
        (signal.SIGUSR2, [signal.SIGTERM, signal.SIGINT, signal.SIGTERM], "True True"),
    ],
)
def test_a_worker_keeps_running_whatever_it_is_sent(early, late, printed):
    code = WORKER.format(early=int(early), late=[int(number) for number in late])
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=tiny_grid.ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, printed)
