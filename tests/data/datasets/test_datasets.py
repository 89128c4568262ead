"""Properties of all loaders."""

import re

import pytest

from harness.core.errors import SetupError
from harness.data.datasets import LOADERS


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_folder_is_an_error_with_the_expected_layout(tmp_path, name):
    words = rf"{name}: .* not found\. Folders searched: {re.escape(str(tmp_path))}, .*"
    with pytest.raises(SetupError, match=words + r"Expected layout: .*\. Set --data-root to"):
        LOADERS[name](tmp_path)
