"""Damaged and partial copies: each is one clear error, never a traceback, never a hang."""

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from harness.core.errors import SetupError
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.data.synthetic.layouts import LAYOUTS
from harness.planning.datasets import open_dataset
from harness.planning.images import open_images
from harness.planning.overrides import resolve_settings
from harness.planning.schema import load_dataset
from tests.support import tiny_grid
from tests.support.generated_copies import SETTINGS, write_copy
from tests.support.unprivileged import as_nobody

SMALL = replace(
    SETTINGS,
    train_identities=3,
    test_identities=3,
    queries=1,
    distractors=1,
    cameras=2,
    height=32,
    width=16,
)
MARKET = LAYOUTS["market1501"][0]


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies")
    for layout in ("market1501", "msmt17", "veri776", "vehicleid"):
        write_copy(folder / layout, layout, SMALL)
    return folder


def use(name, root, runs, *, allow_partial=True):
    """Do all that a run does with data before it trains."""
    config, context = load_dataset(name), RunContext(runs=runs, reporter=Reporter(quiet=True))
    settings = resolve_settings([config], ["recipe.height=16", "recipe.width=8"])
    dataset = open_dataset(name, config, settings.data, root, context, allow_partial=allow_partial)
    open_images(dataset, settings.recipe, context)
    return dataset


def first(folder):
    return sorted(folder.rglob("*.jpg"))[0]


def truncate(path):
    path.write_bytes(path.read_bytes()[:-200])


def as_png(path):
    Image.new("RGB", (16, 32)).save(path, format="PNG")


def append(path, line):
    path.write_text(path.read_text() + line + "\n")


def remove_matches(home):
    """Rename gallery images to identities that no query has."""
    for path in sorted((home / "bounding_box_test").glob("*.jpg")):
        path.rename(path.with_name("77" + path.name[2:]) if path.name[0] != "-" else path)


DAMAGES = {
    "missing folder": (
        "market1501",
        lambda home: shutil.rmtree(home / "query"),
        r"market1501: query not found\. Folders searched: .*Expected layout: .*Set --data-root to",
    ),
    "empty folder": (
        "market1501",
        lambda home: [path.unlink() for path in (home / "query").iterdir()],
        r"query contains no JPEG files; the copy is empty or incomplete",
    ),
    "file in place of a folder": (
        "market1501",
        lambda home: (shutil.rmtree(home / "query"), (home / "query").write_text("")),
        r"query cannot be read \(Not a directory\)",
    ),
    "strange name": (
        "market1501",
        lambda home: first(home / "query").rename(home / "query" / "holiday.jpg"),
        r"file name of .*holiday\.jpg does not have the expected form",
    ),
    "no match": (
        "market1501",
        remove_matches,
        r"none of the 3 queries of 'test' in .* has a match .* nothing to score",
    ),
    "truncated JPEG": (
        "market1501",
        lambda home: truncate(first(home / "query")),
        r"1 unreadable images: .*query/.*\.jpg \(.*truncated.*\)\. Restore them",
    ),
    "PNG called .jpg": (
        "market1501",
        lambda home: as_png(first(home / "bounding_box_train")),
        r"1 unreadable images: .*\(it is a PNG file, not JPEG\)",
    ),
    "zero-byte file": (
        "market1501",
        lambda home: first(home / "query").write_bytes(b""),
        r"1 unreadable images: .*\(the file is empty\)",
    ),
    "MSMT17 without lists": (
        "msmt17",
        lambda home: (home / "list_gallery.txt").unlink(),
        r"msmt17: list_gallery\.txt not found\. Folders searched: .* from the dataset's owner",
    ),
    "MSMT17 without images": (
        "msmt17",
        lambda home: shutil.rmtree(home / "train"),
        r"contains the lists but neither train/ and test/ \(V1\) nor mask_train_v2/",
    ),
    "list with a wrong line": (
        "msmt17",
        lambda home: append(home / "list_query.txt", "0000/0000_000_01_a.jpg"),
        r"list_query\.txt:\d+: '0000/0000_000_01_a\.jpg' does not have the form `image identity`",
    ),
    "list with a strange name": (
        "msmt17",
        lambda home: append(home / "list_query.txt", "0000/holiday.jpg 0"),
        r"list_query\.txt:\d+: the file name 0000/holiday\.jpg does not have the expected form",
    ),
    "empty list": (
        "vehicleid",
        lambda home: (home / "train_test_split/test_list_800.txt").write_text("\n\n"),
        r"test_list_800\.txt lists no images",
    ),
    "list without numbers": (
        "vehicleid",
        lambda home: append(home / "train_test_split/train_list.txt", "a.jpg 3"),
        r"train_list\.txt:\d+: 'a\.jpg' is not an image number",
    ),
    "index files of other data": (
        "veri776",
        lambda home: (home / "gt_index.txt").write_text("1 2\n3\n"),
        r"gt_index\.txt:1 lists other images for .* remove them to skip this check",
    ),
    "index files of something else": (
        "veri776",
        lambda home: (home / "name_test.txt").write_text("holiday.jpg\n"),
        r"contains a line that is not an image name",
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_damage_is_one_clear_error(copies, tmp_path, case):
    name, damage, sentence = DAMAGES[case]
    shutil.copytree(copies / name, tmp_path / "root")
    damage(tmp_path / "root" / LAYOUTS[name][0])
    with pytest.raises(SetupError, match=sentence):
        use(name, tmp_path / "root", tmp_path / "runs")


def test_differences_between_complete_copies_are_accepted(copies, tmp_path):
    """Upper-case endings, blank lines, and parent folders that look like labels."""
    for name in ("market1501", "msmt17", "vehicleid"):
        plain = use(name, copies / name, tmp_path / "runs")
        root = tmp_path / "user9_c5" / name
        shutil.copytree(copies / name, root)
        for path in sorted(root.rglob("*.jpg")):
            path.rename(path.with_suffix(".JPG"))
        for path in root.rglob("list_*.txt"):
            path.write_text("\n" + path.read_text().replace("\n", "\r\n\n") + "\n")
        dataset = use(name, root, tmp_path / "runs")
        for ours, theirs in ((dataset.train, plain.train), (dataset.test, plain.test)):
            assert [(i.file[:-4], i.identity, i.camera) for i in ours] == [
                (i.file[:-4], i.identity, i.camera) for i in theirs
            ]


def test_one_missing_identity_is_reported_and_refused(copies, tmp_path):
    shutil.copytree(copies / "market1501", tmp_path / "root")
    folder = tmp_path / "root" / MARKET / "bounding_box_train"
    identity = first(folder).name[:4]
    for path in folder.glob(f"{identity}_*"):
        path.unlink()
    with pytest.raises(
        SetupError,
        match=r"is not a complete copy: train has 4 images where 12,936 are expected; train has "
        r"2 identities where 751 are expected; .*as it is with --allow-partial",
    ):
        use("market1501", tmp_path / "root", tmp_path / "runs", allow_partial=False)


@pytest.mark.parametrize(("name", "folder"), [("msmt17", "train"), ("vehicleid", "image")])
def test_a_missing_listed_image_is_partial_data(copies, tmp_path, name, folder):
    shutil.copytree(copies / name, tmp_path / "root")
    first(tmp_path / "root" / LAYOUTS[name][0] / folder).unlink()
    sentence = rf"1 listed images are missing \(\S+\.txt:1: {folder}/\S+\.jpg\)"
    with pytest.raises(SetupError, match=rf"not a complete copy: .*{sentence}.*--allow-partial"):
        use(name, tmp_path / "root", tmp_path / "runs", allow_partial=False)
    assert re.search(sentence, use(name, tmp_path / "root", tmp_path / "runs").notes[-1])


@pytest.fixture
def readable_folder():
    """A folder that every user may read, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("name", "closed", "sentence"),
    [
        ("market1501", "", r"Market-1501-v15.09.15 cannot be read \(Permission denied\)"),
        ("market1501", "query", r"query cannot be read \(Permission denied\)"),
        ("market1501", "query/*", r"query/.*jpg cannot be read \(Permission denied\)"),
        ("msmt17", "train/0001", r"train/0001 cannot be read \(Permission denied\)"),
        ("msmt17", "list_val.txt", r"list_val.txt cannot be read \(Permission denied\)"),
    ],
)
def test_an_unreadable_path_is_named(copies, readable_folder, name, closed, sentence):
    shutil.copytree(copies / name, readable_folder / "root")
    home = readable_folder / "root" / LAYOUTS[name][0]
    path = sorted(home.glob(closed))[0] if "*" in closed else home / closed
    path.chmod(0)
    try:
        with as_nobody(), pytest.raises(SetupError, match=sentence):
            use(name, readable_folder / "root", readable_folder / "runs")
    finally:
        path.chmod(0o755)


def test_the_main_command_reports_it_and_exits_with_3(copies, tmp_path):
    shutil.copytree(copies / "market1501", tmp_path / "root")
    truncate(first(tmp_path / "root" / MARKET / "query"))
    process = tiny_grid.start(
        tmp_path / "runs",
        "sp",
        arguments=[
            "--dataset",
            "market1501",
            "--data-root",
            str(tmp_path / "root"),
            "--allow-partial",
            "--set",
            "recipe.pretrained=none",
            "--set",
            "recipe.identities=3",
        ],
    )
    stderr = process.communicate(timeout=120)[1]
    assert process.returncode == 3
    assert "1 unreadable images" in stderr and "Traceback" not in stderr
