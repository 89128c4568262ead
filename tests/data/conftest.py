import pytest

from harness.data.dataset import Image, make_dataset


@pytest.fixture
def tiny(tmp_path, jpeg):
    """Four training images and two test images, each a file of one colour."""
    images = []
    for number in range(6):
        jpeg(tmp_path / "images" / f"{number}.jpg", colour=40 * number)
        images.append(Image(f"images/{number}.jpg", number // 2, number % 2))
    return make_dataset("tiny", tmp_path, images[:4], images[4:5], images[5:])


@pytest.fixture
def place(jpeg):
    """Write JPEG files, given as names by folder, below a root."""

    def write(root, folders):
        for folder, names in folders.items():
            for name in names:
                jpeg(root / folder / name)
        return root

    return write
