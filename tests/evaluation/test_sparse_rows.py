import pytest
import torch

from harness.evaluation.sparse_rows import SparseRows, stack_rows, sum_minima, transpose_gallery


def sparse(matrix):
    """A matrix by its entries that are not zero."""
    row, column = matrix.nonzero(as_tuple=True)
    counts = torch.bincount(row, minlength=len(matrix))
    return stack_rows([(counts, column.int(), matrix[row, column])])


def dense(rows, width):
    matrix = torch.zeros(len(rows.offsets) - 1, width)
    positions, owner = rows.entries(torch.arange(len(matrix)))
    matrix[owner, rows.columns[positions].long()] = rows.values[positions]
    return matrix


@pytest.fixture
def matrix():
    """Nine images by nine, two thirds of the entries zero, one row empty."""
    random = torch.Generator().manual_seed(0)
    matrix = torch.rand(9, 9, generator=random)
    matrix[torch.rand(9, 9, generator=random) < 2 / 3] = 0
    matrix[4] = 0
    return matrix


def test_entries_are_those_of_the_given_rows_in_order():
    rows = SparseRows(
        offsets=torch.tensor([0, 2, 2, 5]),
        columns=torch.tensor([1, 4, 0, 2, 3], dtype=torch.int32),
        values=torch.arange(5.0),
    )
    positions, owner = rows.entries(torch.tensor([2, 1, 0]))
    assert positions.tolist() == [2, 3, 4, 0, 1]
    assert owner.tolist() == [0, 0, 0, 2, 2]


def test_rows_are_stacked_in_order(matrix):
    parts = []
    for part in torch.split(matrix, 4):
        row, column = part.nonzero(as_tuple=True)
        counts = torch.bincount(row, minlength=len(part))
        parts.append((counts, column.int(), part[row, column]))
    assert torch.equal(dense(stack_rows(parts), 9), matrix)


def test_the_gallerys_rows_are_transposed(matrix):
    assert torch.equal(dense(transpose_gallery(sparse(matrix), 3), 6), matrix[3:].T)


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_minima_are_summed_for_queries_and_gallery(matrix, limit):
    weights = sparse(matrix)
    columns = transpose_gallery(weights, 3)
    sums = sum_minima(weights, columns, torch.arange(3), torch.zeros(3, 6), limit=limit)
    expected = torch.minimum(matrix[:3, None], matrix[None, 3:]).sum(dim=2)
    torch.testing.assert_close(sums, expected)
