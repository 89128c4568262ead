"""Wrong and partial copies: each is one clear sentence, never a traceback, never a hang."""

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from harness.cli.data_making import draw
from harness.core.errors import SetupError
from harness.core.progress import Reporter
from harness.data.synthetic.layouts import LAYOUTS
from harness.planning.datasets import open_dataset, open_images
from harness.planning.overrides import resolve_settings
from harness.planning.schema import load_dataset
from tests.support import tiny_grid
from tests.support.unprivileged import as_nobody

SMALL = [
    "train_identities=3",
    "train_images=1",
    "test_identities=3",
    "queries=1",
    "gallery_images=1",
    "distractors=1",
    "junk=1",
    "cameras=2",
    "height=32",
    "width=16",
]
MARKET, MSMT, VERI, VEHICLE = (
    LAYOUTS[name][0] for name in ("market1501", "msmt17", "veri776", "vehicleid")
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    for like in ("market1501", "msmt17", "veri776", "vehicleid"):
        draw(folder / like, SMALL, 1, like)
    return folder


def use(name, root, runs, *, allow_partial=True):
    """All that a run does with data before it trains."""
    file, reporter = load_dataset(name), Reporter(quiet=True)
    dataset = open_dataset(
        name,
        file,
        resolve_settings([file], []).data,
        root,
        runs,
        1,
        reporter,
        allow_partial=allow_partial,
    )
    recipe = resolve_settings([file], ["recipe.height=16", "recipe.width=8"]).recipe
    open_images(dataset, recipe, runs, 1, reporter)
    return dataset


def first(folder, pattern="*.jpg"):
    return sorted(folder.rglob(pattern))[0]


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def as_png(path):
    Image.new("RGB", (16, 32)).save(path, format="PNG")


def append(path, line):
    path.write_text(path.read_text() + line + "\n")


def strangers(home):
    """Gallery images of people whom no query shows."""
    for path in sorted((home / "bounding_box_test").glob("*.jpg")):
        path.rename(path.with_name("77" + path.name[2:]) if path.name[0] != "-" else path)


FAULTS = {
    "missing folder": (
        "market1501",
        lambda home: shutil.rmtree(home / "query"),
        r"market1501: query not found\. Looked in: .*Expected layout: .*Point --data-root at",
    ),
    "empty folder": (
        "market1501",
        lambda home: [path.unlink() for path in (home / "query").iterdir()],
        r"query holds no JPEG file; the copy is empty or incomplete",
    ),
    "file in place of a folder": (
        "market1501",
        lambda home: (shutil.rmtree(home / "query"), (home / "query").write_text("")),
        r"query cannot be read \(Not a directory\)",
    ),
    "strange name": (
        "market1501",
        lambda home: first(home / "query").rename(home / "query" / "holiday.jpg"),
        r"holiday\.jpg is not named as expected",
    ),
    "no match": (
        "market1501",
        strangers,
        r"none of the 3 queries of 'test' in .* has a match .* nothing could be scored",
    ),
    "truncated JPEG": (
        "market1501",
        lambda home: cut(first(home / "query")),
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
        r"msmt17: list_gallery\.txt not found\. Looked in: .* the dataset's owner hands them out",
    ),
    "MSMT17 without images": (
        "msmt17",
        lambda home: shutil.rmtree(home / "train"),
        r"holds the lists but neither train/ and test/ \(V1\) nor mask_train_v2/",
    ),
    "list with a wrong line": (
        "msmt17",
        lambda home: append(home / "list_query.txt", "0000/0000_000_01_a.jpg"),
        r"list_query\.txt:\d+: '0000/0000_000_01_a\.jpg' is not `image identity`",
    ),
    "list with a strange name": (
        "msmt17",
        lambda home: append(home / "list_query.txt", "0000/holiday.jpg 0"),
        r"list_query\.txt:\d+: 0000/holiday\.jpg is not named as expected",
    ),
    "empty list": (
        "vehicleid",
        lambda home: (home / "train_test_split/test_list_800.txt").write_text("\n\n"),
        r"test_list_800\.txt names no image",
    ),
    "list without numbers": (
        "vehicleid",
        lambda home: append(home / "train_test_split/train_list.txt", "a.jpg 3"),
        r"train_list\.txt:\d+: 'a\.jpg' is no number",
    ),
    "index files of other data": (
        "veri776",
        lambda home: (home / "gt_index.txt").write_text("1 2\n3\n"),
        r"gt_index\.txt:1 lists other images for .* remove them to go without",
    ),
    "index files of something else": (
        "veri776",
        lambda home: (home / "name_test.txt").write_text("holiday.jpg\n"),
        r"holds a line that is no image name",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence(made, tmp_path, fault):
    name, damage, sentence = FAULTS[fault]
    shutil.copytree(made / name, tmp_path / "root")
    damage(tmp_path / "root" / LAYOUTS[name][0])
    with pytest.raises(SetupError, match=sentence):
        use(name, tmp_path / "root", tmp_path / "runs")


def test_what_differs_between_whole_copies_is_no_fault(made, tmp_path):
    """Upper-case endings, blank lines, and parent folders that look like labels."""
    for name in ("market1501", "msmt17", "vehicleid"):
        plain = use(name, made / name, tmp_path / "runs")
        root = tmp_path / "user9_c5" / name
        shutil.copytree(made / name, root)
        for path in sorted(root.rglob("*.jpg")):
            path.rename(path.with_suffix(".JPG"))
        for path in root.rglob("list_*.txt"):
            path.write_text("\n" + path.read_text().replace("\n", "\r\n\n") + "\n")
        dataset = use(name, root, tmp_path / "runs")
        for ours, theirs in ((dataset.train, plain.train), (dataset.test, plain.test)):
            assert [(i.file[:-4], i.identity, i.camera) for i in ours] == [
                (i.file[:-4], i.identity, i.camera) for i in theirs
            ]


def test_one_identity_missing_is_told_and_refused(made, tmp_path):
    shutil.copytree(made / "market1501", tmp_path / "root")
    folder = tmp_path / "root" / MARKET / "bounding_box_train"
    gone = first(folder).name[:4]
    for path in folder.glob(f"{gone}_*"):
        path.unlink()
    with pytest.raises(
        SetupError,
        match=r"is not the whole dataset: train has 4 images where 12,936 are expected; train has "
        r"2 identities where 751 are expected; .*or go on with --allow-partial",
    ):
        use("market1501", tmp_path / "root", tmp_path / "runs", allow_partial=False)


@pytest.mark.parametrize(("name", "folder"), [("msmt17", "train"), ("vehicleid", "image")])
def test_a_list_that_names_a_missing_image_is_partial_data(made, tmp_path, name, folder):
    shutil.copytree(made / name, tmp_path / "root")
    first(tmp_path / "root" / LAYOUTS[name][0] / folder).unlink()
    sentence = rf"1 listed images are absent \(\S+\.txt:1: {folder}/\S+\.jpg\)"
    with pytest.raises(SetupError, match=rf"not the whole dataset: .*{sentence}.*--allow-partial"):
        use(name, tmp_path / "root", tmp_path / "runs", allow_partial=False)
    assert re.search(sentence, use(name, tmp_path / "root", tmp_path / "runs").notes[-1])


@pytest.fixture
def open_place():
    """A folder that everybody may look into; pytest's own may not."""
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
def test_what_may_not_be_read_is_named(made, open_place, name, closed, sentence):
    shutil.copytree(made / name, open_place / "root")
    home = open_place / "root" / LAYOUTS[name][0]
    victim = sorted(home.glob(closed))[0] if "*" in closed else home / closed
    victim.chmod(0)
    try:
        with as_nobody(), pytest.raises(SetupError, match=sentence):
            use(name, open_place / "root", open_place / "runs")
    finally:
        victim.chmod(0o755)


def test_the_main_command_says_it_and_exits_with_3(made, tmp_path):
    shutil.copytree(made / "market1501", tmp_path / "root")
    cut(first(tmp_path / "root" / MARKET / "query"))
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
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 3
    assert "1 unreadable images" in told and "Traceback" not in told
