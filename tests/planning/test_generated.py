"""Generated images say that they are generated, and are all there or refused."""

import json
import shutil
from dataclasses import replace

import pytest
from PIL import Image

from harness.core.errors import DamagedFileError, SetupError
from harness.core.session import RunContext
from harness.data.synthetic.layouts import LAYOUTS
from harness.planning.datasets import find_dataset, generated_folders, open_dataset
from harness.planning.schema import load_dataset
from tests.support.command_line import call
from tests.support.generated_copies import SETTINGS, write_copy
from tests.support.reporters import CollectingReporter

SMALL = replace(SETTINGS, height=32, width=16)


@pytest.fixture(name="context")
def a_context(tmp_path):
    return RunContext(runs=tmp_path / "runs", reporter=CollectingReporter())


def use(root, context):
    return open_dataset("synthetic", load_dataset("synthetic"), SMALL, root, context)


@pytest.fixture
def copy(tmp_path):
    """Return a folder of generated images in Market-1501's layout, with their statement."""
    return write_copy(tmp_path / "copy", "market1501", SMALL)


def an_image(folder, number=0):
    return sorted(folder.glob("bounding_box_train/*.jpg"))[number]


@pytest.mark.parametrize("content", [None, "", "{", "{}", "[]", '{"author": "somebody"}'])
def test_images_without_their_statement_are_no_generated_images(copy, context, content):
    """Photographs would be reported under the title of generated images."""
    (copy / "digests.json").unlink()
    (copy / "synthetic.json").unlink()
    if content is not None:
        (copy / "synthetic.json").write_text(content)
    for root in (copy, copy.parent):
        with pytest.raises(SetupError, match=r"does not state in synthetic\.json that its images"):
            use(root, context)


def test_the_command_refuses_them_with_3(copy):
    (copy / "synthetic.json").unlink()
    done = call(
        *("kdreid", "run", "--dataset", "synthetic", "--data-root", copy, "--dry-run"),
        *("--runs", copy.parent / "runs"),
    )
    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert "--dataset market1501" in done.stderr


def remove(folder):
    an_image(folder).unlink()


def change_a_bit(folder):
    content = bytearray(an_image(folder).read_bytes())
    content[-10] ^= 1
    an_image(folder).write_bytes(content)


def exchange(folder):
    first, second = an_image(folder), an_image(folder, 1)
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def add(folder):
    shutil.copy(an_image(folder), an_image(folder).with_name("0001_c3s1_999999_01.jpg"))


def lose_junk(folder):
    next(folder.glob("bounding_box_test/-1_*.jpg")).unlink()


def lose_a_subset(folder):
    shutil.rmtree(folder / "query")


CHANGES = [remove, change_a_bit, exchange, add, lose_junk]


@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_that_is_not_as_drawn_is_refused(copy, context, change):
    first = use(copy, context).fingerprint
    assert first
    change(copy)
    with pytest.raises(SetupError, match=r"\.jpg.* lost or damaged\. Remove .* draw it again"):
        use(copy, context)


@pytest.mark.parametrize("change", [*CHANGES[:3], lose_junk, lose_a_subset])
def test_images_of_the_runs_folder_are_drawn_again(context, change):
    first = use(None, context)
    change(first.root)
    again = use(None, context)
    assert again.fingerprint == first.fingerprint
    (line,) = [line for line in context.reporter.lines if "lost or damaged" in line]
    assert str(first.root) in line and "drawing" in line


def test_images_that_were_added_to_the_runs_folder_are_refused(context):
    add(use(None, context).root)
    with pytest.raises(SetupError, match=r"999999_01\.jpg, a generated file"):
        use(None, context)


@pytest.mark.parametrize("content", [None, "{", '{"generator_version": 0}'])
def test_a_lost_statement_in_the_runs_folder_is_named(context, content):
    root = use(None, context).root
    (root / "synthetic.json").unlink()
    if content is not None:
        (root / "synthetic.json").write_text(content)
    with pytest.raises(SetupError, match=rf"{root} is not as it was drawn: its synthetic\.json"):
        use(None, context)
    assert generated_folders(context.runs) == [root]


def test_a_folder_of_version_0_2_0_is_accepted_if_its_number_of_images_is_right(copy, context):
    (copy / "digests.json").unlink()
    settings = json.loads((copy / "synthetic.json").read_text())["settings"]
    assert use(copy, context).fingerprint and settings["junk"] == 1
    remove(copy)
    number = SMALL.images
    words = rf"holds {number - 1} images where {number} were drawn\. Remove it and draw it again"
    with pytest.raises(SetupError, match=words):
        use(copy, context)


def test_damaged_digests_are_named(copy, context):
    (copy / "digests.json").write_text("{")
    with pytest.raises(DamagedFileError, match=r"digests\.json is damaged"):
        use(copy, context)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_copy_in_a_real_layout_notes_what_is_not_as_drawn(tmp_path, layout):
    """Damage is tried on such copies: they are read as real ones are, and marked."""
    home = write_copy(tmp_path, layout, SMALL)
    config = load_dataset(layout)
    plain = find_dataset(layout, config, tmp_path)
    assert not any("as drawn" in note for note in plain.notes)
    fingerprint = plain.fingerprint
    for image in (plain.train[0], plain.test[0]):
        Image.new("RGB", (8, 8)).save(home / image.file)
    changed = find_dataset(layout, config, tmp_path)
    assert changed.notes[-1].endswith("and 1 more are not as drawn.")
    assert changed.fingerprint != fingerprint


@pytest.mark.parametrize("kind", ["folder", "dangling link"])
def test_whatever_has_the_name_of_the_statement_marks_a_copy(copy, kind):
    """A copy whose statement is damaged is not taken for the real dataset."""
    (copy / "synthetic.json").unlink()
    if kind == "folder":
        (copy / "synthetic.json").mkdir()
    else:
        (copy / "synthetic.json").symlink_to("/gone")
    (copy / "digests.json").unlink()
    dataset = find_dataset("market1501", load_dataset("market1501"), copy)
    assert dataset.data_flags == ("generated",)


@pytest.mark.parametrize("kind", ["a file", "a dangling link"])
def test_a_data_root_is_a_folder(tmp_path, kind):
    root = tmp_path / "root"
    if kind == "a file":
        root.touch()
    else:
        root.symlink_to("/gone")
    with pytest.raises(SetupError, match=rf"the data root {root} is not a folder"):
        find_dataset("market1501", load_dataset("market1501"), root)
