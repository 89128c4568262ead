"""Files of generated images that were lost or damaged: found by their digests and drawn again."""

import os
import random

import pytest

from harness.core.errors import DamagedFileError
from harness.data.synthetic.digests import DIGESTS, find_lost, read_digests
from harness.data.synthetic.generator import find_lost_files, generate
from tests.support import run_folders
from tests.support.generated_copies import FEWEST_IMAGES


@pytest.fixture
def root(tmp_path):
    return generate(tmp_path / "images", FEWEST_IMAGES)


def files(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_every_file_has_a_digest(root):
    assert read_digests(root).keys() == files(root).keys() - {DIGESTS}
    assert find_lost_files(root, FEWEST_IMAGES) == find_lost(root) == []


def test_lost_and_damaged_files_are_drawn_again_with_the_same_bytes(root):
    whole, draw = files(root), random.Random(4)
    for number in range(20):
        name = draw.choice(sorted(whole.keys() - {DIGESTS, "synthetic.json"}))
        if number % 3 == 0:
            (root / name).unlink()
        elif number % 3 == 1:
            os.truncate(root / name, 100)
        else:
            content = bytearray(whole[name])
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            (root / name).write_bytes(content)
        lines = []
        generate(root, FEWEST_IMAGES, report=lines.append)
        assert lines == [f"{root / name}, a generated file, was lost or damaged; drawing it again."]
        assert files(root) == whole
    assert [path.name for path in root.parent.iterdir()] == [root.name]


def test_a_folder_as_0_2_0_drew_it_gets_its_lost_files_and_digests(root):
    whole = files(root)
    (root / DIGESTS).unlink()
    assert find_lost_files(root, FEWEST_IMAGES) == [] == find_lost(root)
    name = next(name for name in whole if name.startswith("query/"))
    (root / name).unlink()
    generate(root, FEWEST_IMAGES)
    assert files(root) == whole


def test_damaged_digests_vouch_for_nothing(root):
    whole = files(root)
    for content in ("{", "[]", '{"query/x.jpg": 1}', '{"query/x.jpg": ["a", "b"]}'):
        (root / DIGESTS).write_text(content)
        with pytest.raises(DamagedFileError, match=r"digests\.json is damaged"):
            find_lost(root)
    for content in ("{", '{"../../x.jpg": [1, "b"]}'):
        (root / DIGESTS).write_text(content)
        generate(root, FEWEST_IMAGES)
        assert files(root) == whole


def test_bytes_that_other_versions_drew_are_not_replaced(root, monkeypatch):
    name = next(name for name in files(root) if name.startswith("query/"))
    (root / name).unlink()
    before = run_folders.everything(root)
    monkeypatch.setattr(
        "harness.data.synthetic.writer.digest_file", lambda path: (1, "of another version")
    )
    with pytest.raises(DamagedFileError, match="another version drew it; remove the whole folder"):
        generate(root, FEWEST_IMAGES)
    assert run_folders.everything(root) == before


def test_sizes_alone_show_files_of_another_size(root):
    name = next(name for name in files(root) if name.startswith("query/"))
    os.truncate(root / name, 10)
    assert find_lost(root) == [name]
