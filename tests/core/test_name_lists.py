"""Lists of names as users type them and as messages name them."""

import pytest

from harness.core.name_lists import name_some, split_names


@pytest.mark.parametrize(
    ("texts", "names"),
    [([], []), (["a,b c"], ["a", "b", "c"]), (["a, b", ",c"], ["a", "b", "c"]), (["", ","], [])],
)
def test_commas_and_spaces_separate(texts, names):
    assert split_names(texts) == names


@pytest.mark.parametrize(
    ("count", "named"),
    [(0, ""), (1, "a"), (2, "a; b"), (3, "a; b and 1 more"), (2_000, "a; b and 1,998 more")],
)
def test_long_lists_are_shortened(count, named):
    assert name_some(["a", "b", *["c"] * 1_998][:count], 2, "; ") == named
