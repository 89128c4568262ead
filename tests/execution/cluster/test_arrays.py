"""Arrays never hold more jobs than allowed, nor do more jobs run than asked for."""

import pytest

from harness.execution.cluster.arrays import group_into_arrays
from harness.execution.cluster.group import ClusterJob
from slurm.resources import Resources

SMALL, LARGE = Resources(minutes=10), Resources(minutes=90)


def jobs(*what):
    return [
        ClusterJob(number, (f"run{number}",), resources, tuple(after))
        for number, (resources, after) in enumerate(what, 1)
    ]


def numbers(bundles):
    return [[job.number for job in part.jobs] for part in bundles]


def test_teachers_come_first_and_students_go_with_those_that_wait_for_the_same():
    plan = jobs((SMALL, []), (SMALL, [1]), (SMALL, [1]), (SMALL, []), (SMALL, [4]), (LARGE, [4]))
    bundles = group_into_arrays(plan, 100)
    assert numbers(bundles) == [[1, 4], [2, 3], [5], [6]]
    assert [part.level for part in bundles] == [0, 1, 1, 1]
    assert [part.parallel for part in bundles] == [2, 2, 1, 1]
    assert all(part.after_array is None and not part.after_level for part in bundles)


def test_a_job_behind_another_submissions_job_is_of_the_first_level():
    plan = jobs((SMALL, ["77"]), (SMALL, []))
    assert [part.level for part in group_into_arrays(plan, 9)] == [0, 0]
    assert numbers(group_into_arrays(plan, 9)) == [[1], [2]]


@pytest.mark.parametrize("largest", [1, 2, 6, 1001])
@pytest.mark.parametrize("most", [None, 1, 2, 3, 50])
def test_no_limit_is_ever_exceeded(largest, most):
    plan = jobs(*[(SMALL, [])] * 3, (LARGE, []), *[(SMALL, [1])] * 7, *[(LARGE, [4])] * 5)
    bundles = group_into_arrays(plan, largest, most)
    assert sorted(number for part in numbers(bundles) for number in part) == list(range(1, 17))
    assert max(len(part.jobs) for part in bundles) <= largest
    assert all(1 <= part.parallel <= len(part.jobs) for part in bundles)
    for place, part in enumerate(bundles):
        assert part.after_array is None or bundles[part.after_array].level == part.level
        assert part.after_array is None or part.after_array < place
        assert part.after_level == (most is not None and most < 16 and part.level == 1)
    if most is not None:
        for level in (0, 1):
            # Those that follow another run in its place, so the heads of the chains count.
            chains: dict[int, int] = {}
            head = {}
            for place, part in enumerate(bundles):
                if part.level == level:
                    head[place] = place if part.after_array is None else head[part.after_array]
                    chains[head[place]] = max(chains.get(head[place], 0), part.parallel)
            assert sum(chains.values()) <= most
