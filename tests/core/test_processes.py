"""Names of machines and starts of processes."""

import os
import subprocess

from harness.core.processes import machine_name, start_time


def test_a_machine_has_one_name():
    assert machine_name() == machine_name()
    assert os.uname().nodename in machine_name()


def test_a_process_has_a_start_until_it_ends():
    assert start_time(os.getpid()) == start_time(os.getpid()) is not None
    process = subprocess.Popen(["sleep", "60"])
    assert int(start_time(process.pid)) >= int(start_time(os.getpid()))
    process.kill()
    while start_time(process.pid) is not None:  # ended, although nobody has collected it
        pass
    process.wait()
    assert start_time(process.pid) is None
