"""Letters and groups against what they are for: who shares one with whom."""

import re
from itertools import combinations

import numpy as np
import pytest

from results.statistics.letter_display import Mark, compact_letter_display, mark_rows


def shared(letters):
    """The pairs that have a letter in common."""
    sets = [set(re.findall(r"[a-z]\d*", text)) for text in letters]
    return {(i, j) for i, j in combinations(range(len(sets)), 2) if sets[i] & sets[j]}


@pytest.mark.parametrize(
    ("means", "distinct", "expected"),
    [
        ([], [], []),
        ([0.5], [], ["a"]),
        ([0.5, 0.6], [], ["a", "a"]),
        ([0.5, 0.6], [(0, 1)], ["b", "a"]),
        # the middle one does not differ from either end
        ([0.5, 0.6, 0.7], [(0, 2)], ["b", "ab", "a"]),
        ([0.9, 0.8, 0.7], [(0, 1), (0, 2)], ["a", "b", "b"]),
        ([0.9, 0.8, 0.7], [(0, 1), (0, 2), (1, 2)], ["a", "b", "c"]),
        # Piepho's kind of case: 0 ~ 1 ~ 2 ~ 3, and nobody else
        ([4, 3, 2, 1], [(0, 2), (0, 3), (1, 3)], ["a", "ab", "bc", "c"]),
    ],
)
def test_letters_by_hand(means, distinct, expected):
    assert compact_letter_display(means, distinct) == expected
    assert compact_letter_display(means, [(j, i) for i, j in distinct]) == expected


def test_two_share_a_letter_if_and_only_if_they_are_not_told_apart():
    random = np.random.default_rng(2)
    for _ in range(100):
        count = int(random.integers(2, 9))
        pairs = list(combinations(range(count), 2))
        distinct = [pair for pair in pairs if random.random() < 0.5]
        letters = compact_letter_display(list(random.random(count)), distinct)
        assert shared(letters) == set(pairs) - set(distinct)
        assert all(letters)


def test_a_is_the_letter_of_the_best():
    random = np.random.default_rng(3)
    for _ in range(50):
        means = list(random.random(6))
        distinct = [pair for pair in combinations(range(6), 2) if random.random() < 0.6]
        assert compact_letter_display(means, distinct)[int(np.argmax(means))].startswith("a")


def test_more_groups_than_letters():
    means = list(range(30, 0, -1))
    letters = compact_letter_display(means, list(combinations(range(30), 2)))
    assert letters[0] == "a" and letters[25] == "z" and letters[26] == "a1"
    assert len(set(letters)) == 30


BEST, SECOND, TIED = Mark("best"), Mark("second"), Mark(is_tied=True)


@pytest.mark.parametrize(
    ("means", "distinct", "expected"),
    [
        ([0.5], [], [Mark()]),
        ([], [], []),
        ([0.5, 0.6], [], [Mark("second", is_tied=True), BEST]),
        ([0.5, 0.6], [(0, 1)], [SECOND, BEST]),
        # the third differs from the second alone: it cannot be told from the best
        ([0.9, 0.8, 0.7], [(1, 2), (0, 1)], [BEST, SECOND, TIED]),
        ([0.9, 0.8, 0.7, 0.1], [(0, 1), (0, 2), (0, 3)], [BEST, SECOND, Mark(), Mark()]),
        ([0.9, 0.9, 0.7], [(0, 2), (1, 2)], [BEST, BEST, Mark()]),
    ],
)
def test_marks_by_hand(means, distinct, expected):
    assert mark_rows(means, distinct) == expected
