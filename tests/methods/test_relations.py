import pytest
import torch

from methods.relations import cosines, divergence, lengths, match_sizes, normalise
from tests.support.outputs import rows


def test_rows_get_unit_length_and_dead_ones_stay_dead():
    features = rows(4, 5)
    features[2] = 0
    unit = normalise(features)
    torch.testing.assert_close(unit.norm(dim=1), torch.tensor([1, 1, 0, 1]).double())


def test_cosines_agree_with_loops():
    features = rows(4, 5)
    for i, x in enumerate(features):
        for j, y in enumerate(features):
            expected = (x @ y) / (x.norm() * y.norm())
            torch.testing.assert_close(cosines(features)[i, j], expected)


def test_lengths_have_no_gradient_at_zero():
    zero = torch.zeros(2, 3, requires_grad=True)
    lengths(zero, dim=1).sum().backward()
    assert torch.equal(zero.grad, torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("first", "second"), [((8, 4), (8, 4)), ((8, 4), (4, 2)), ((4, 8), (8, 4)), ((3, 2), (7, 5))]
)
def test_both_maps_get_the_smaller_height_and_width(first, second):
    ours, theirs = torch.rand(2, 3, *first), torch.rand(2, 5, *second)
    expected = (min(first[0], second[0]), min(first[1], second[1]))
    matched = match_sizes(ours, theirs)
    assert [tuple(maps.shape) for maps in matched] == [(2, 3, *expected), (2, 5, *expected)]
    if first == expected:
        assert matched[0] is ours
    if second == expected:
        assert matched[1] is theirs


def test_pooling_averages():
    maps = torch.arange(8.0).view(1, 1, 4, 2)
    pooled, _ = match_sizes(maps, torch.rand(1, 1, 2, 2))
    assert torch.equal(pooled, torch.tensor([[[[1.0, 2.0], [5.0, 6.0]]]]))


def test_divergence_is_from_the_teacher_to_the_student():
    student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 0.0]]).log_softmax(1)
    p = teacher.exp()[0]
    expected = sum(value * (value.log() - torch.tensor(0.5).log()) for value in p)
    torch.testing.assert_close(divergence(student, teacher), expected)
