"""Arrays never contain more jobs than allowed, nor do more jobs run than allowed."""

import pytest

from harness.execution.cluster.arrays import group_into_arrays
from harness.execution.cluster.submission import ClusterJob
from slurm.resources import Resources

SMALL, LARGE = Resources(minutes=10), Resources(minutes=90)


def jobs(*requests):
    return [
        ClusterJob(number, (f"run{number}",), resources, tuple(after))
        for number, (resources, after) in enumerate(requests, 1)
    ]


def numbers(arrays):
    return [[job.number for job in array.jobs] for array in arrays]


def test_teachers_come_first_and_students_go_with_those_that_wait_for_the_same():
    plan = jobs((SMALL, []), (SMALL, [1]), (SMALL, [1]), (SMALL, []), (SMALL, [4]), (LARGE, [4]))
    arrays = group_into_arrays(plan, 100)
    assert numbers(arrays) == [[1, 4], [2, 3], [5], [6]]
    assert [array.level for array in arrays] == [0, 1, 1, 1]
    assert [array.max_parallel for array in arrays] == [2, 2, 1, 1]
    assert all(array.after_array is None and not array.after_level for array in arrays)


def test_a_job_behind_another_submissions_job_is_of_the_first_level():
    plan = jobs((SMALL, ["77"]), (SMALL, []))
    assert [array.level for array in group_into_arrays(plan, 9)] == [0, 0]
    assert numbers(group_into_arrays(plan, 9)) == [[1], [2]]


@pytest.mark.parametrize("max_size", [1, 2, 6, 1001])
@pytest.mark.parametrize("max_parallel", [None, 1, 2, 3, 50])
def test_no_limit_is_ever_exceeded(max_size, max_parallel):
    plan = jobs(*[(SMALL, [])] * 3, (LARGE, []), *[(SMALL, [1])] * 7, *[(LARGE, [4])] * 5)
    arrays = group_into_arrays(plan, max_size, max_parallel)
    assert sorted(number for array in numbers(arrays) for number in array) == list(range(1, 17))
    assert max(len(array.jobs) for array in arrays) <= max_size
    assert all(1 <= array.max_parallel <= len(array.jobs) for array in arrays)
    for position, array in enumerate(arrays):
        assert array.after_array is None or arrays[array.after_array].level == array.level
        assert array.after_array is None or array.after_array < position
        assert array.after_level == (
            max_parallel is not None and max_parallel < 16 and array.level == 1
        )
    if max_parallel is not None:
        for level in (0, 1):
            # An array that follows another runs in its place: only the widest of a chain counts.
            chains: dict[int, int] = {}
            head = {}
            for position, array in enumerate(arrays):
                if array.level == level:
                    head[position] = (
                        position if array.after_array is None else head[array.after_array]
                    )
                    chains[head[position]] = max(chains.get(head[position], 0), array.max_parallel)
            assert sum(chains.values()) <= max_parallel
