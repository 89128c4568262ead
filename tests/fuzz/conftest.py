"""A runs folder with files of every kind, and how many cases are drawn.

`make fuzz` draws ten times as many, and other ones each time: its profile of hypothesis is `fuzz`.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harness.core.errors import RunInterrupted
from harness.core.files import write_json
from harness.core.lease import LEASE
from harness.runs.layout import LOGS
from harness.runs.record import create_run_folder, write_failure
from harness.runs.states import FailureKind
from tests.support import run_folders, tiny_grid
from tests.support.command_line import invoke
from tests.support.stopping import StopAfter

COMMON = {
    "deadline": None,  # no test depends on the speed of a machine
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("ci", max_examples=200, derandomize=True, **COMMON)
settings.register_profile("fuzz", max_examples=2000, **COMMON)


def pytest_configure(config):
    """Draw the same cases each time unless --hypothesis-profile names another profile."""
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile("ci")


@pytest.fixture(scope="session")
def cases():
    """How often a slow case is repeated, in proportion to the profile's examples."""
    return settings().max_examples


@pytest.fixture(scope="session")
def seed():
    """Seed of the cases: always 0, or another each time with the profile `fuzz`."""
    return 0 if settings().derandomize else time.time_ns()


@dataclass
class MixedRuns:
    """A runs folder with runs in every state."""

    folder: Path
    done: list[str]  # keys
    interrupted: str
    failed: str
    submission: Path

    def study(self, *methods):
        """The command line of these runs, without a verb."""
        names = ",".join(methods)
        options = ("--methods", names, "--teacher", "cnn5", "--seeds", "0", "--device", "cpu")
        return ("--study", tiny_grid.STUDY, *options, "--runs", self.folder, "--num-workers", 0)


@pytest.fixture(scope="session")
def mixed_runs(tmp_path_factory):
    """Runs in every state; tests that change a file put it back."""
    runs = tmp_path_factory.mktemp("mixed")
    plan, outcome = tiny_grid.run(runs, "kd", "kdpe", teacher="cnn5")
    assert not outcome.failed
    done = [spec.key for spec in plan.specs]
    half = tiny_grid.grid(runs, "sp", teacher="cnn5")
    with pytest.raises(RunInterrupted):
        tiny_grid.launch(half, stop=StopAfter(6))
    interrupted = half.specs[-1].key
    broken = tiny_grid.grid(runs, "pkt", teacher="cnn5").specs[-1]
    create_run_folder(runs, broken)
    write_failure(runs, broken, FailureKind.ERROR, "It broke.", "Traceback\nIt broke.")
    write_json(runs / broken.key / LEASE, {"token": "t", "machine": "m", "host": "n", "process": 4})
    jobs = [("local-1", [interrupted]), ("local-2", [broken.key])]
    folder = run_folders.submitted(runs, jobs, kind="local")
    (folder / LOGS / "local-1_0_log.err").write_text("the end\n")
    assert invoke("export-embeddings", done[1], "--runs", runs, "--device", "cpu").returncode == 0
    assert invoke("measure-consistency", done[2], "--runs", runs, "--device", "cpu").returncode == 0
    return MixedRuns(runs, done, interrupted, broken.key, folder)
