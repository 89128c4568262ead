import numpy as np
import pytest
from PIL import Image

from harness.core.errors import UnwritableFileError
from harness.data.synthetic.drawing.contact_sheet import write_contact_sheet
from harness.data.synthetic.generator import SyntheticSettings, generate
from tests.support.small_disks import fill, needs_root, small_disk

SETTINGS = SyntheticSettings(
    train_identities=4,
    train_images=2,
    test_identities=1,
    queries=1,
    gallery_images=1,
    distractors=0,
    junk=0,
    cameras=3,
    height=64,
    width=32,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("sheet") / "images", SETTINGS)


def test_a_contact_sheet_shows_identities_as_rows(root, tmp_path):
    target = tmp_path / "new" / "sheet.png"
    write_contact_sheet(root, target, identities=3, images=5)
    with Image.open(target) as sheet:
        assert (sheet.format, sheet.size) == ("PNG", (5 * 34 + 2, 3 * 66 + 2))
        cells = np.asarray(sheet)
    assert cells[2 + 66 : 66 + 64, 2 + 34 : 34 + 32].mean() > 10
    write_contact_sheet(root, target)
    with Image.open(target) as sheet:
        assert sheet.size == (12 * 34 + 2, 4 * 66 + 2)


def test_a_contact_sheet_needs_images(tmp_path):
    with pytest.raises(ValueError, match="no images in bounding_box_train"):
        write_contact_sheet(tmp_path, tmp_path / "sheet.png")


@needs_root
def test_no_part_of_a_sheet_is_left_on_a_full_disk(root, tmp_path):
    with small_disk(tmp_path / "disk", size="64k") as disk:
        fill(disk, leave=4096)
        with pytest.raises(UnwritableFileError, match=r"sheet\.png cannot be written \(No space"):
            write_contact_sheet(root, disk / "sheet.png")
        assert [path.name for path in disk.iterdir()] == ["filler"]
