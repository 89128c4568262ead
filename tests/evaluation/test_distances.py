import pytest

from harness.evaluation.distances import split_work


def lengths(count, size, workers):
    return [part.stop - part.start for part in split_work(count, size, workers)]


def test_the_first_part_of_each_worker_differs():
    assert lengths(40, 10, 2) == [5, 10, 10, 10, 5]
    assert lengths(40, 10, 4) == [2, 5, 7, 10, 10, 6]
    assert lengths(25, 10, 1) == [10, 10, 5]


@pytest.mark.parametrize("count", [1, 2, 5, 12, 13])
@pytest.mark.parametrize("size", [1, 2, 3, 20])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_parts_follow_each_other_from_the_first_to_the_last(count, size, workers):
    parts = list(split_work(count, size, workers))
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(count))
    assert all(0 < part.stop - part.start <= size for part in parts)
