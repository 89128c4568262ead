"""Lists of names as users type them."""

import pytest

from harness.core.name_lists import split_names


@pytest.mark.parametrize(
    ("texts", "names"),
    [([], []), (["a,b c"], ["a", "b", "c"]), (["a, b", ",c"], ["a", "b", "c"]), (["", ","], [])],
)
def test_commas_and_spaces_separate(texts, names):
    assert split_names(texts) == names
