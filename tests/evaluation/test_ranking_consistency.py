import itertools
import math

import numpy as np
import pytest
import torch

from harness.evaluation.ranking_consistency import (
    count_discordant_pairs,
    count_tied_pairs,
    ranking_inconsistency,
    ranking_inconsistency_from_features,
)
from tests.support.outputs import golden


def brute_force(teacher, student):
    """Eq. 2 of PDRD in a triple loop."""
    total = 0.0
    for t, s in zip(teacher, student, strict=True):
        pairs = itertools.product(range(len(t)), repeat=2)
        total += math.sqrt(sum(((t[j] > t[k]) - (s[j] > s[k])) ** 2 for j, k in pairs))
    return total / len(teacher)


def similarities(queries, gallery, levels, seed):
    """Random scores; few levels give many ties."""
    random = np.random.default_rng(seed)
    return torch.tensor(random.integers(0, levels, (queries, gallery)) / levels)


@pytest.mark.parametrize("levels", [1, 2, 3, 7, 10**6])
@pytest.mark.parametrize("gallery", [1, 2, 5, 17])
def test_equals_the_triple_loop_with_and_without_ties(levels, gallery):
    teacher, student = (similarities(4, gallery, levels, seed) for seed in (0, 1))
    expected = brute_force(teacher.tolist(), student.tolist())
    assert ranking_inconsistency(teacher, student).mean().item() == pytest.approx(
        expected, abs=1e-12
    )


def test_tied_pairs_are_pairs_of_equal_entries_or_columns():
    assert count_tied_pairs(np.array([1, 2, 1, 1, 2])) == 3 + 1
    assert count_tied_pairs(np.array([[1, 2, 1, 1, 2], [0, 0, 0, 5, 1]])) == 1


def test_one_network_that_ties_everything():
    teacher, student = torch.zeros(1, 9), similarities(1, 9, 10**6, 0)
    expected = brute_force(teacher.tolist(), student.tolist())
    assert ranking_inconsistency(teacher, student).item() == pytest.approx(expected)
    assert ranking_inconsistency(teacher, teacher).item() == 0


def test_agrees_with_the_golden_loops():
    arrays = golden("pdrd")
    square = ranking_inconsistency(arrays["cos_t64"], arrays["cos_s64"]).mean().item()
    assert square == pytest.approx(arrays["loss64__bf_rank"], rel=1e-12)
    tall = ranking_inconsistency(arrays["rank_rect_cos_t"], arrays["rank_rect_cos_s"]).mean().item()
    assert tall == pytest.approx(arrays["loss64__bf_rank_rect_q5_g9_with_ties"], rel=1e-12)


def test_zero_for_any_increasing_map_of_the_scores():
    teacher = similarities(3, 50, 10**6, 0)
    assert (ranking_inconsistency(teacher, (5 * teacher).exp()) == 0).all()
    reversed_all = ranking_inconsistency(teacher, -teacher)
    assert torch.allclose(reversed_all, torch.full((3,), math.sqrt(50 * 49)).double())


def test_counts_stay_exact_in_a_large_gallery():
    """A few swaps of neighbours among 20,000: each changes two ordered pairs."""
    teacher = np.arange(20_000, dtype=np.float64)
    student = teacher.copy()
    for place in (0, 77, 9_000, 19_998):
        student[[place, place + 1]] = student[[place + 1, place]]
    assert count_discordant_pairs(teacher, student) == 8


def test_from_features_in_chunks_of_any_size():
    torch.manual_seed(0)
    teacher, student = ((torch.randn(7, d), torch.randn(30, d)) for d in (16, 8))
    cosines = [
        torch.nn.functional.normalize(q) @ torch.nn.functional.normalize(g).T
        for q, g in (teacher, student)
    ]
    whole = ranking_inconsistency_from_features(teacher, student)
    torch.testing.assert_close(whole, ranking_inconsistency(*cosines))
    torch.testing.assert_close(
        ranking_inconsistency_from_features(teacher, student, chunk=2), whole
    )


@pytest.mark.parametrize(
    ("teacher", "student", "words"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 4), r"given \(2, 3\) and \(2, 4\)"),
        (torch.full((1, 2), math.nan), torch.zeros(1, 2), "not finite"),
    ],
)
def test_what_cannot_be_ranked_is_refused(teacher, student, words):
    with pytest.raises(ValueError, match=words):
        ranking_inconsistency(teacher, student)
