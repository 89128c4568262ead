"""`kdreid data`."""

import json

import pytest

from harness.cli.data import cache_data, check_data, draw_images
from harness.core.errors import UsageError
from harness.data import file_digests
from harness.data.synthetic.layouts import LAYOUTS
from tests.support.command_line import call, invoke
from tests.support.generated_copies import write_copy

SMALL = ["height=32", "width=16", "seed=7"]


def test_images_and_their_contact_sheet(tmp_path):
    made = call(
        "kdreid",
        "data",
        "make",
        tmp_path / "cars",
        "--set",
        "kind=vehicles",
        "--set",
        "train_identities=3",
        "--set",
        "test_identities=3",
    )
    assert made.returncode == 0, made.stderr
    sheet = call("kdreid", "data", "sheet", tmp_path / "cars", tmp_path / "cars.png")
    assert sheet.returncode == 0, sheet.stderr
    assert (tmp_path / "cars.png").read_bytes().startswith(b"\x89PNG")


def test_a_copy_in_a_real_layout_with_as_many_images_as_asked(tmp_path):
    made = call(
        "kdreid",
        "data",
        "make",
        tmp_path,
        "--like",
        "veri776",
        "--images",
        "30",
        "--set",
        "height=32",
        "--set",
        "width=32",
        "--workers",
        "1",
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == str(tmp_path / "VeRi")
    assert "drawing images: 30/30" in made.stderr
    told = call("kdreid", "data", "check", "--dataset", "veri776", "--data-root", tmp_path)
    assert told.returncode == 3
    assert "37,778  <- differs" in told.stdout and "Generated data: " in told.stdout
    refused = call("kdreid", "data", "make", tmp_path / "x", "--images", "full")
    assert refused.returncode == 2 and "name it with --like" in refused.stderr


@pytest.fixture
def copy(tmp_path):
    """Fifteen training images, twelve queries and twenty gallery images."""
    return write_copy(tmp_path, "market1501")


def test_a_check_compares_every_subset_and_returns_3(copy, capsys):
    path = sorted((copy / "query").glob("*.jpg"))[0]
    path.write_bytes(path.read_bytes()[:100])
    assert check_data("market1501", copy, deep=True, workers=2) == 3
    output = capsys.readouterr().out
    assert "15              12,936  <- differs" in output
    assert f"unreadable: query/{path.name}" in output and "1 unreadable images" in output
    assert "fingerprint" in output and "incomplete" in output
    assert "Generated data: drawn images" in output


def test_a_deep_check_names_what_decodes_nevertheless(copy, capsys):
    path = sorted((copy / "query").glob("*.jpg"))[0]
    content = path.read_bytes()
    path.write_bytes(content[:-400] + bytes(398) + content[-2:])
    assert check_data("market1501", copy, deep=True, workers=1) == 3
    output = capsys.readouterr().out
    assert f"suspicious: query/{path.name}: its coded data" in output
    assert "0 unreadable images" in output and "1 suspicious images" in output
    assert "with damaged images" in output and "1 suspicious" in output
    assert "EXIF" not in output


def test_a_deep_check_names_images_that_changed_without_a_trace(copy, tmp_path, monkeypatch):
    monkeypatch.setattr(file_digests, "RECENT_NS", -60_000_000_000)
    runs = tmp_path / "runs"
    runs.mkdir()
    words = ["data", "check", "--dataset", "market1501", "--data-root", copy, "--runs", runs]
    plain = invoke(*words)
    (kept,) = (runs / "cache").glob("digests-*.txt")
    digests = file_digests._decode(kept.read_bytes(), kept)
    file = next(name for name in digests if name.startswith("query/"))
    digests[file] = "0" * 64, digests[file][1]
    kept.write_bytes(file_digests._encode(digests))
    deep = invoke(*words, "--deep")
    assert deep.returncode == 3
    assert f"changed: {file}: its content is another" in deep.stdout
    assert "1 images changed without a trace: check the disk" in deep.stdout
    line = next(line for line in plain.stdout.splitlines() if "fingerprint" in line)
    assert line in deep.stdout
    assert "changed" not in invoke(*words, "--deep").stdout


def test_a_check_writes_nothing_where_no_runs_are(copy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    invoke("data", "check", "--dataset", "market1501", "--data-root", copy)
    assert not (tmp_path / "runs").exists()


def test_the_generated_dataset_needs_no_check():
    with pytest.raises(UsageError, match="copies need no check"):
        check_data("synthetic", None, deep=False, workers=1)


def test_images_are_decoded_ahead(copy, tmp_path, capsys):
    for _ in range(2):
        cache_data("synthetic", copy, tmp_path / "runs", "16x8", 1, allow_partial=False)
    output = capsys.readouterr().out.splitlines()
    assert output[0] == output[1]
    assert "15 training and 32 test images at 16x8, 0.00 GB in " in output[0]
    assert len(list((tmp_path / "runs" / "cache").glob("*/ready.json"))) == 1


def test_a_contact_sheet_needs_images(tmp_path):
    done = invoke("data", "sheet", tmp_path, tmp_path / "sheet.png")
    assert done.returncode == 2
    assert done.stderr.startswith(f"kdreid: {tmp_path} contains no images in bounding_box_train.")


@pytest.mark.parametrize("size", ["16", "0x8", "16x8x3", "x"])
def test_a_size_is_two_numbers(tmp_path, size):
    with pytest.raises(UsageError, match="--size is HEIGHTxWIDTH in pixels"):
        cache_data("synthetic", None, tmp_path, size, 1, allow_partial=False)


@pytest.mark.parametrize("like", LAYOUTS)
def test_the_manifest_of_a_copy_in_proportion_states_its_origin(tmp_path, like):
    home = draw_images(tmp_path, SMALL, 1, like, "20")
    assert home == tmp_path / LAYOUTS[like][0]
    manifest = json.loads((home / "synthetic.json").read_text())
    assert (manifest["like"], manifest["studio"]["seed"]) == (like, 7)
    kind = "vehicles" if like in ("veri776", "vehicleid") else "people"
    assert manifest["studio"]["kind"] == kind
    assert manifest["census"]["train"]["identities"] >= 2


@pytest.mark.parametrize(
    ("like", "images", "assignments", "words"),
    [
        ("veri", None, [], "No layout is called 'veri'. Did you mean 'veri776'"),
        (None, "full", [], "name it with --like"),
        ("veri776", "some", [], "--images takes a number or full, given 'some'"),
        ("veri776", "-3", [], "--images takes a number or full, given '-3'"),
        ("veri776", "11", [], "The number of images is 11; it must be 12 to 49,357"),
        ("veri776", "20", ["cameras=3"], r"decides cameras\. .*--set takes only kind, seed"),
    ],
)
def test_impossible_copies_are_refused(tmp_path, like, images, assignments, words):
    with pytest.raises(UsageError, match=words):
        draw_images(tmp_path / "copy", assignments, 1, like, images)
    assert not list(tmp_path.iterdir())


def test_an_existing_copy_is_not_overwritten(copy):
    with pytest.raises(UsageError, match=f"{copy.name} exists already"):
        draw_images(copy.parent, [], 1, "market1501")
