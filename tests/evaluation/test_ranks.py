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
    thresholds = torch.randint(values, (rows, 6), generator=random).float().sort(dim=1).values
    return distances, thresholds, torch.randint(7, (rows,), generator=random)


@pytest.mark.parametrize(
    ("columns", "values"), [(7, 3), (60, 5), (300, 10**6), (300, 1), (300, 40)]
)
def test_both_implementations_equal_plain_loops(columns, values):
    distances, thresholds, count = drawn(columns, 9, columns, values)
    size = min(10, columns)
    for result in (
        _count_by_row(distances, thresholds, count, size),
        _count_all_rows(distances, thresholds, size),
    ):
        for index, row in enumerate(distances.tolist()):
            order = sorted(range(columns), key=lambda column: (row[column], column))
            assert result[0][index].tolist() == order[:size]
            for position, threshold in enumerate(thresholds[index, : count[index]].tolist()):
                assert result[1][index, position] == sum(value <= threshold for value in row)
                assert result[2][index, position] == sum(value < threshold for value in row)


def test_zeros_of_either_sign_are_equal_and_neighbours_are_not():
    following = np.nextafter(np.float32(1), np.float32(2))
    distances = torch.tensor([[0.0, -0.0, 1.0, float(following), torch.inf]])
    thresholds, count = torch.tensor([[-0.0, 0.0, 1.0, float(following)]]), torch.tensor([4])
    for result in (
        _count_by_row(distances, thresholds, count, 2),
        _count_all_rows(distances, thresholds, 2),
    ):
        assert result[0].tolist() == [[0, 1]]
        assert result[1].tolist() == [[2, 2, 3, 4]]
        assert result[2].tolist() == [[0, 0, 2, 3]]


def test_a_removed_entry_comes_last():
    distances = torch.tensor([[torch.inf, 2.0, torch.inf, 1.0]])
    assert nearest_neighbours(distances, 3).tolist() == [[3, 1, 0]]
    assert nearest_neighbours(distances, 10).tolist() == [[3, 1, 0, 2]]


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_long_rows_are_shared_among_threads_and_come_back_in_order(rows):
    distances, thresholds, count = drawn(rows, rows, MIN_SHARED_COLUMNS, 10**6)
    shared, alone = (
        count_ranks(distances, thresholds, count, 10),
        _count_by_row(distances, thresholds, count, 10),
    )
    assert all(torch.equal(a, b) for a, b in zip(shared, alone, strict=True))
