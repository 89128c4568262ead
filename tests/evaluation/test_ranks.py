import numpy as np
import pytest
import torch

from harness.evaluation.ranks import (
    MIN_SHARED_COLUMNS,
    _count_all_rows,
    _count_by_row,
    count_ranks,
    nearest_neighbours,
)


def drawn(seed, rows, columns, values):
    random = torch.Generator().manual_seed(seed)
    distances = torch.randint(values, (rows, columns), generator=random).float()
    marks = torch.randint(values, (rows, 6), generator=random).float().sort(dim=1).values
    return distances, marks, torch.randint(7, (rows,), generator=random)


@pytest.mark.parametrize(
    ("columns", "values"), [(7, 3), (60, 5), (300, 10**6), (300, 1), (300, 40)]
)
def test_both_ways_count_and_order_as_plain_loops_do(columns, values):
    distances, marks, count = drawn(columns, 9, columns, values)
    size = min(10, columns)
    for found in (
        _count_by_row(distances, marks, count, size),
        _count_all_rows(distances, marks, size),
    ):
        for index, row in enumerate(distances.tolist()):
            order = sorted(range(columns), key=lambda column: (row[column], column))
            assert found[0][index].tolist() == order[:size]
            for place, mark in enumerate(marks[index, : count[index]].tolist()):
                assert found[1][index, place] == sum(value <= mark for value in row)
                assert found[2][index, place] == sum(value < mark for value in row)


def test_zeros_of_either_sign_are_equal_and_neighbours_are_not():
    after = np.nextafter(np.float32(1), np.float32(2))
    distances = torch.tensor([[0.0, -0.0, 1.0, float(after), torch.inf]])
    marks, count = torch.tensor([[-0.0, 0.0, 1.0, float(after)]]), torch.tensor([4])
    for found in (_count_by_row(distances, marks, count, 2), _count_all_rows(distances, marks, 2)):
        assert found[0].tolist() == [[0, 1]]
        assert found[1].tolist() == [[2, 2, 3, 4]]
        assert found[2].tolist() == [[0, 0, 2, 3]]


def test_a_removed_entry_comes_last():
    distances = torch.tensor([[torch.inf, 2.0, torch.inf, 1.0]])
    assert nearest_neighbours(distances, 3).tolist() == [[3, 1, 0]]
    assert nearest_neighbours(distances, 10).tolist() == [[3, 1, 0, 2]]


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_long_rows_are_shared_among_threads_and_come_back_in_order(rows):
    distances, marks, count = drawn(rows, rows, MIN_SHARED_COLUMNS, 10**6)
    shared, alone = (
        count_ranks(distances, marks, count, 10),
        _count_by_row(distances, marks, count, 10),
    )
    assert all(torch.equal(a, b) for a, b in zip(shared, alone, strict=True))
