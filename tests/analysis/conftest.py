import pytest

from harness.cli.options import make_context
from tests.support import tiny_grid


@pytest.fixture(scope="package")
def trained(shared_runs):
    """Context of the shared runs, their teacher and the student distilled from it."""
    teacher, _, student = (
        spec for cohort in tiny_grid.grid(shared_runs, "kd").cohorts for spec in cohort
    )
    return make_context(shared_runs, "cpu", 0, quiet=True), teacher, student
