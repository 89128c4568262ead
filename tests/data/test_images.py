import numpy as np
import pytest
import torch

from harness.core.errors import SetupError
from harness.data.decoding import read_image
from harness.data.images import FileImages


def test_images_are_read_by_index_in_any_order(tiny):
    images = FileImages(tiny.root, tiny.train, (8, 4))
    assert len(images) == 4
    batch = images[[2, 0, 2]]
    assert (batch.shape, batch.dtype) == ((3, 3, 8, 4), torch.uint8)
    for position, index in enumerate((2, 0, 2)):
        expected = read_image(tiny.root / tiny.train[index].file, (8, 4))
        assert np.array_equal(batch[position].numpy(), expected)


def test_an_unreadable_file_is_an_error_that_names_it(tiny):
    (tiny.root / tiny.train[1].file).write_bytes(b"")
    images = FileImages(tiny.root, tiny.train, (8, 4))
    assert len(images[[0]]) == 1
    with pytest.raises(SetupError, match=r"1\.jpg is unreadable \(the file is empty\)\. Restore"):
        images[[0, 1]]
