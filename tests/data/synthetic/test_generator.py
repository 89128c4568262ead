"""The generated dataset on disk: layout, counts, determinism, safety, and difficulty."""

import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.data.datasets import market1501
from harness.data.synthetic.generator import (
    GENERATOR_VERSION,
    SyntheticSettings,
    generate,
    manifest,
    plan_from_settings,
)

TINY = SyntheticSettings(
    train_identities=4,
    train_images=2,
    test_identities=3,
    queries=2,
    gallery_images=2,
    distractors=4,
    junk=3,
    cameras=3,
    height=64,
    width=32,
)
FOLDERS = ("bounding_box_train", "bounding_box_test", "query")
NAME = re.compile(r"^(-1|\d{4})_c(\d)s(\d)_(\d{6})_(\d{2})\.jpg$")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("generated") / "tiny", TINY)


def contents(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def labels(root, folder):
    """(identity, camera) of every file, as text and number."""
    matches = [NAME.match(path.name) for path in (root / folder).iterdir()]
    assert all(matches)
    return [(match[1], int(match[2])) for match in matches]


def test_the_same_settings_give_the_same_bytes(root, tmp_path):
    assert contents(generate(tmp_path / "again", TINY)) == contents(root)


@pytest.mark.parametrize(
    ("kind", "means"),
    [
        (
            "people",
            [
                [121.3, 116.2, 123.5],
                [156.9, 141.2, 157.8],
                [85.9, 106.3, 102.9],
                [93.0, 93.5, 85.2],
                [89.6, 95.8, 101.0],
                [98.9, 96.5, 102.6],
            ],
        ),
        (
            "vehicles",
            [
                [115.4, 116.2, 116.8],
                [122.4, 136.2, 147.9],
                [130.1, 127.4, 134.5],
                [124.5, 145.9, 122.1],
                [159.8, 157.8, 133.2],
                [156.2, 146.0, 163.9],
            ],
        ),
    ],
)
def test_images_never_change(tmp_path, kind, means):
    """Mean colours, because the bytes of files depend on the versions of numpy and Pillow."""
    root = generate(tmp_path / kind, replace(TINY, kind=kind))
    files = [file for folder in FOLDERS for file in sorted((root / folder).iterdir())[:2]]
    colours = [np.asarray(Image.open(file), float).mean(axis=(0, 1)) for file in files]
    np.testing.assert_allclose(colours, means, atol=0.3)


def test_another_seed_gives_other_images_under_names_of_the_same_form(root, tmp_path):
    first, second = contents(root), contents(generate(tmp_path / "other", replace(TINY, seed=1)))
    shared = [name for name in first if name.endswith(".jpg") and name in second]
    assert shared
    assert all(first[name] != second[name] for name in shared)


def test_workers_do_not_change_a_byte(root, tmp_path):
    assert contents(generate(tmp_path / "shared_out", TINY, workers=2)) == contents(root)


def test_an_image_does_not_depend_on_how_many_others_there_are(root, tmp_path):
    more = generate(tmp_path / "more", replace(TINY, train_images=3, junk=5, distractors=6))

    def first_of_each(root):
        files = sorted((root / "bounding_box_train").iterdir(), reverse=True)
        return {path.name[:7]: path.read_bytes() for path in files}

    assert first_of_each(more) == first_of_each(root)


def test_the_counts_are_as_asked(root):
    train = Counter(labels(root, "bounding_box_train"))
    assert len(train) == 4 * 3
    assert set(train.values()) == {2}
    gallery = Counter(labels(root, "bounding_box_test"))
    junk = sum(count for (identity, _), count in gallery.items() if identity == "-1")
    distractors = sum(count for (identity, _), count in gallery.items() if identity == "0000")
    assert (junk, distractors, gallery.total()) == (3, 4, 3 * 3 * 2 + 4 + 3)
    assert len(labels(root, "query")) == 3 * 2
    assert sum(len(labels(root, folder)) for folder in FOLDERS) == TINY.images


def test_names_are_unique_and_boxes_mark_queries(root):
    names = [path.name for folder in FOLDERS for path in (root / folder).iterdir()]
    assert len(set(names)) == len(names)
    boxes = {folder: {p.name[-6:-4] for p in (root / folder).iterdir()} for folder in FOLDERS}
    assert boxes == {"query": {"00"}, "bounding_box_train": {"01"}, "bounding_box_test": {"01"}}


def test_train_and_test_share_no_identity(root):
    train, gallery, query = (
        {identity for identity, _ in labels(root, folder)} for folder in FOLDERS
    )
    assert not train & (gallery | query)
    assert query == gallery - {"-1", "0000"}


def test_each_query_has_matches_in_its_own_and_in_other_cameras(root):
    gallery, queries = labels(root, "bounding_box_test"), labels(root, "query")
    for identity, camera in queries:
        cameras = {where for who, where in gallery if who == identity}
        assert camera in cameras
        assert cameras - {camera}
    assert len(set(queries)) == len(queries)


def test_images_are_rgb_jpegs_of_the_stated_size(root):
    for folder in FOLDERS:
        for path in (root / folder).iterdir():
            with Image.open(path) as picture:
                assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (32, 64))


def test_the_market_loader_reads_it(root):
    dataset = market1501.load(root)
    assert (len(dataset.train), len(dataset.identities)) == (24, 4)
    assert len(dataset.test) == 6 + 18 + 4


def test_the_folder_states_its_settings_and_version(root):
    stated = json.loads((root / "synthetic.json").read_text())
    assert stated["generator_version"] == GENERATOR_VERSION
    assert SyntheticSettings(**stated["settings"]) == TINY


def test_the_plan_has_as_many_images_as_the_settings_give():
    for settings in (TINY, SyntheticSettings(), SyntheticSettings(kind="vehicles", queries=6)):
        specs = plan_from_settings(settings)
        assert len(specs) == settings.images
        assert [spec.frame for spec in specs] == list(range(1, settings.images + 1))
        subjects = {spec.subject for spec in specs}
        assert subjects == set(range(settings.render_settings.subjects))


def test_the_manifest_is_what_the_folder_contains(root):
    assert json.loads((root / "synthetic.json").read_text()) == manifest(TINY)


def test_progress_reaches_the_total(tmp_path):
    reports = []
    generate(tmp_path / "x", TINY, progress=lambda done, total: reports.append((done, total)))
    assert reports[-1] == (TINY.images, TINY.images)
    assert reports == sorted(reports)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interruption_leaves_nothing_behind(tmp_path, workers):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "data", TINY, workers=workers, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_copy_is_kept(root):
    def refuse(done, total):
        raise AssertionError("drawn again")

    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert generate(root, TINY, progress=refuse) == root
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_an_empty_folder_may_be_filled(tmp_path):
    assert (generate(tmp_path, TINY) / "synthetic.json").exists()


def test_a_copy_with_other_settings_is_refused(root):
    with pytest.raises(ValueError, match="other settings"):
        generate(root, replace(TINY, seed=5))


def test_a_folder_or_file_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    for place in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(ValueError, match="something other than generated images"):
            generate(place, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("kind", "boats", "people or vehicles"),
        ("seed", -1, "must be 0 to"),
        ("cameras", 1, "2 to 9"),
        ("cameras", 10, "2 to 9"),
        ("train_identities", 0, "1 to 9999"),
        ("test_identities", 0, "1 to 9999"),
        ("test_identities", 9999, "at most 9999"),
        ("train_images", 0, "1 to"),
        ("gallery_images", 0, "1 to"),
        ("queries", 0, "1 to"),
        ("queries", 4, "1 to 3"),
        ("distractors", -1, "0 to"),
        ("junk", -1, "0 to"),
        ("height", 8, "16 to 1024"),
        ("width", 2000, "16 to 1024"),
        ("difficulty", 1.5, "0.0 to 1.0"),
        ("difficulty", -0.1, "0.0 to 1.0"),
        ("difficulty", float("nan"), "0.0 to 1.0"),
    ],
)
def test_impossible_settings_are_refused_by_name(field, value, allowed):
    with pytest.raises(ValueError, match=field) as raised:
        replace(TINY, **{field: value})
    assert allowed in str(raised.value)


def test_too_many_images_for_their_names_are_refused():
    with pytest.raises(ValueError, match="at most 999999"):
        SyntheticSettings(train_identities=5000, train_images=100)


def test_no_workers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="workers is 0"):
        generate(tmp_path / "x", TINY, workers=0)


def test_each_kind_has_a_size_of_its_own():
    people, vehicles = SyntheticSettings(), SyntheticSettings(kind="vehicles")
    assert (people.height, people.width) == (128, 64)
    assert (vehicles.height, vehicles.width) == (80, 112)


def test_vehicles_are_generated_too(root, tmp_path):
    vehicles = generate(tmp_path / "vehicles", replace(TINY, kind="vehicles", width=64))
    assert len(market1501.load(vehicles).train) == 24
    assert len(contents(vehicles)) == len(contents(root)) == TINY.images + 2


def features(root, folder, kind):
    """Identities, cameras and unit features of a folder's images, junk left out."""
    rows = []
    for path in sorted((root / folder).iterdir()):
        match = NAME.match(path.name)
        if match[1] == "-1":
            continue
        picture = Image.open(io.BytesIO(path.read_bytes())).resize((32, 64))
        pixels = np.asarray(picture, np.float64)
        if kind == "histogram":
            code = (pixels // 32).astype(int) @ np.array([64, 8, 1])
            vector = np.bincount(code.ravel(), minlength=512).astype(float)
        else:
            vector = pixels.ravel()
        rows.append((int(match[1]), int(match[2]), vector / np.linalg.norm(vector)))
    identities, cameras, vectors = zip(*rows, strict=True)
    return np.array(identities), np.array(cameras), np.stack(vectors)


def mean_average_precision(root, kind):
    who, where, gallery = features(root, "bounding_box_test", kind)
    precisions = []
    for identity, camera, vector in zip(*features(root, "query", kind), strict=True):
        kept = ~((who == identity) & (where == camera))
        order = np.argsort(-(gallery[kept] @ vector), kind="stable")
        ranks = np.flatnonzero((who[kept] == identity)[order]) + 1
        precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return float(np.mean(precisions))


@pytest.mark.parametrize(("kind", "width"), [("people", 32), ("vehicles", 64)])
def test_neither_colours_nor_pixels_solve_the_task(tmp_path, kind, width):
    settings = SyntheticSettings(
        kind=kind, train_identities=1, train_images=1, test_identities=15, height=64, width=width
    )
    root = generate(tmp_path / kind, settings)
    assert mean_average_precision(root, "histogram") < 0.12
    assert mean_average_precision(root, "pixels") < 0.25


def test_a_killed_process_leaves_no_worker_behind(tmp_path):
    """Its workers hold its output open: reading to the end returns only once they are gone."""
    code = """
import sys
from pathlib import Path
from harness.data.synthetic.generator import SyntheticSettings, generate
if __name__ == "__main__":
    settings = SyntheticSettings(train_identities=500)
    generate(Path(sys.argv[1]), settings, workers=2, progress=lambda *_: print("on", flush=True))
"""
    (tmp_path / "drawing.py").write_text(code)
    command = [sys.executable, str(tmp_path / "drawing.py"), str(tmp_path / "images")]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"on\n"
    process.kill()
    process.communicate(timeout=60)
    assert not (tmp_path / "images").exists()


@pytest.mark.parametrize("module", ["harness.data.synthetic.writer", "harness.data.image_check"])
def test_processes_that_draw_or_check_images_do_not_wait_for_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
