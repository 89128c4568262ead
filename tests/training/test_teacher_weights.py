"""A record says which weights taught a student."""

import json

from harness.runs.layout import RECORD
from tests.support import tiny_grid


def test_a_student_records_the_weights_that_taught_it(shared_runs):
    """Those of its teacher's record when it began, whatever lies there when it ends."""
    (teacher,), students = tiny_grid.grid(shared_runs, "kd").cohorts
    own = json.loads((shared_runs / teacher.key / RECORD).read_text())["result"]["model"]
    for spec in students:
        record = json.loads((shared_runs / spec.key / RECORD).read_text())
        assert record["teachers"] == ([own] if spec.teachers else [])
