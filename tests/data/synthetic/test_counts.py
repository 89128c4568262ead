"""Plans with the counts of the real datasets, made without drawing; and smaller ones."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from harness.core.yaml import config_names
from harness.data.datasets import LOADERS, dukemtmc, market1501, msmt17, veri776
from harness.data.synthetic.counts import (
    MIN_IMAGES,
    REAL_COUNTS,
    DatasetCounts,
    SubsetCounts,
    plan_from_counts,
    random_partition,
    scale_counts,
)
from harness.data.synthetic.layouts import LAYOUTS
from harness.planning.schema import load_dataset

NAMED_LAYOUTS = {  # folders of the subsets, and pattern of file names
    "market1501": (market1501.SUBSET_FOLDERS, market1501.FILENAME_PATTERN),
    "dukemtmc": (market1501.SUBSET_FOLDERS, dukemtmc.FILENAME_PATTERN),
    "veri776": (veri776.SUBSET_FOLDERS, veri776.FILENAME_PATTERN),
}
SEED = 3


@pytest.fixture(scope="module", params=list(LAYOUTS))
def full(request):
    """A dataset's name and the whole plan of its copy."""
    return request.param, plan_from_counts(REAL_COUNTS[request.param], SEED)


def subsets(like, plan):
    """(identity, camera) of all images by subset, read from names and lists as the loader does."""
    if like in NAMED_LAYOUTS:
        folders, pattern = NAMED_LAYOUTS[like]
        labels = defaultdict(list)
        for file in (*plan.images, *plan.copies):
            folder, _, name = file.partition("/")
            match = pattern.match(name)
            labels[folder].append((int(match[1]), int(match[2])))
        train, query, gallery = (labels[folder] for folder in folders)
        gallery = [label for label in gallery if label[0] != -1]
        return {"train": train, "query": query, "gallery": gallery}
    if like == "msmt17":
        lists = {}
        for part in ("train", "val", "query", "gallery"):
            for line in plan.texts[f"list_{part}.txt"].splitlines():
                file, identity = line.split()
                assert f"{'train' if part in ('train', 'val') else 'test'}/{file}" in plan.images
                camera = msmt17.FILENAME_PATTERN.match(file.partition("/")[2])[1]
                lists.setdefault(part, []).append((int(identity), int(camera)))
        lists["train"] += lists.pop("val")
        return lists
    labels = {}
    for part in ("train_list", "test_list_800", "test_list_1600", "test_list_2400"):
        lines = [line.split() for line in plan.texts[f"train_test_split/{part}.txt"].splitlines()]
        assert all(f"image/{number}.jpg" in plan.images for number, _ in lines)
        pairs, name = [(int(vehicle), int(number)) for number, vehicle in lines], part.split("_")
        if part == "train_list":
            labels["train"] = pairs
        else:  # one image of every vehicle is in the gallery
            first = {vehicle: (vehicle, number) for vehicle, number in reversed(pairs)}
            labels[f"test{name[-1]} gallery"] = list(first.values())
            labels[f"test{name[-1]} query"] = sorted(set(pairs) - set(first.values()))
    return labels


def test_the_full_plan_has_the_counts_that_the_datasets_file_expects(full):
    like, specs = full
    labels = subsets(like, LAYOUTS[like][1](specs))
    labels["all"] = [label for part in labels.values() for label in part]
    expected = load_dataset(like).expected
    assert len(expected) >= 4
    for subset, published in expected.items():
        counted = {
            "images": len(labels[subset]),
            "identities": len({identity for identity, _ in labels[subset]}),
            "cameras": len({camera for _, camera in labels[subset]}),
        }
        for unit, number in counted.items():
            allowed = getattr(published, unit)
            allowed = allowed if isinstance(allowed, list) else [allowed]
            assert allowed[0] in (None, number), (subset, unit)


def test_msmt17_without_validation_has_the_counts_that_its_file_expects():
    counts = REAL_COUNTS["msmt17"]
    expected = load_dataset("msmt17-train").expected
    assert expected["train"].images == counts.train.images - counts.validation
    assert expected["train"].identities == counts.train.identities
    both = load_dataset("msmt17").expected
    assert {name: expected[name] for name in ("query", "gallery", "all")} == {
        name: both[name] for name in ("query", "gallery", "all")
    }


def test_every_layout_has_counts_a_loader_and_a_dataset_file():
    assert set(REAL_COUNTS) == set(LAYOUTS)
    assert set(LOADERS) == {*LAYOUTS, "msmt17-train"}
    assert set(config_names("dataset")) == {*LOADERS, "synthetic"}


def test_numbers_that_no_file_states():
    gallery = Counter(spec.role for spec in plan_from_counts(REAL_COUNTS["market1501"], SEED))
    assert (gallery["distractor"], gallery["junk"]) == (2798, 3819)
    plan = LAYOUTS["msmt17"][1](plan_from_counts(REAL_COUNTS["msmt17"], SEED))
    lengths = {n: plan.texts[f"list_{n}.txt"].count("\n") for n in ("train", "val")}
    assert lengths == {"train": 30_248, "val": 2373}


def test_no_image_is_planned_twice_and_every_one_is_arranged(full):
    like, specs = full
    assert len({(s.role, s.subject, s.camera, s.index) for s in specs}) == len(specs)
    laid = LAYOUTS[like][1](specs).images
    unlaid = {"junk"} if like != "market1501" else set()
    assert len(laid) == sum(spec.role not in unlaid for spec in specs)
    assert REAL_COUNTS[like].images == len(specs)
    assert REAL_COUNTS[like].subjects == len({spec.subject for spec in specs})


def test_every_query_has_a_match_by_another_camera(full):
    like, specs = full
    where = defaultdict(set)
    for spec in specs:
        if spec.role == "gallery":
            where[spec.subject].add(spec.camera)
    queries = [spec for spec in specs if spec.role == "query"]
    assert bool(queries) == (like != "vehicleid")
    assert all(where[query.subject] - {query.camera} for query in queries)
    assert len({(query.subject, query.camera) for query in queries}) == len(queries)


def test_images_spread_unevenly_over_identities_and_cameras(full):
    _, specs = full
    each = Counter(spec.subject for spec in specs if spec.role in ("train", "validation"))
    assert min(each.values()) >= 2
    assert max(each.values()) > 3 * np.mean(list(each.values()))
    pairs = Counter((s.subject, s.camera) for s in specs if s.role == "gallery")
    assert len(set(pairs.values())) > 3


def test_the_same_seed_gives_the_same_plan_and_another_one_another():
    counts = scale_counts(REAL_COUNTS["veri776"], 200)
    assert plan_from_counts(counts, 1) == plan_from_counts(counts, 1)
    assert plan_from_counts(counts, 1) != plan_from_counts(counts, 2)


@pytest.mark.parametrize("like", LAYOUTS)
@pytest.mark.parametrize("images", [MIN_IMAGES, 20, 77, 1000, 20_000])
def test_smaller_copies_have_as_many_images_as_asked(like, images):
    counts = scale_counts(REAL_COUNTS[like], images)
    specs = plan_from_counts(counts, SEED)
    assert len(specs) == counts.images
    assert counts.images == images or (images < 20 and counts.images <= images + 2)
    labels = subsets(like, LAYOUTS[like][1](specs))
    assert all(labels.values())
    assert all(len({identity for identity, _ in label}) >= 2 for label in labels.values())
    shown = {role: {s.subject for s in specs if s.role == role} for role in ("query", "gallery")}
    assert shown["query"] <= shown["gallery"]


def test_proportions_are_kept():
    counts = scale_counts(REAL_COUNTS["market1501"], 3604)
    assert counts.train.identities == counts.tests[0].identities == 75
    assert (counts.queries, counts.junk, counts.distractors.images) == (337, 382, 280)
    assert counts.tests[0].images == 1312


@pytest.mark.parametrize("like", LAYOUTS)
def test_all_images_are_the_whole_dataset(like):
    assert scale_counts(REAL_COUNTS[like], REAL_COUNTS[like].images) == REAL_COUNTS[like]


@pytest.mark.parametrize("images", [0, 11, 36_037])
def test_impossible_numbers_are_refused(images):
    words = re.escape(f"The number of images is {images:,}; it must be 12 to 36,036.")
    with pytest.raises(ValueError, match=words):
        scale_counts(REAL_COUNTS["market1501"], images)


@pytest.mark.parametrize(("total", "count", "least", "most"), [(7, 3, 2, 3), (60, 20, 1, 4)])
def test_random_parts_add_up_within_their_bounds(total, count, least, most):
    shares = random_partition(total, count, least, np.random.default_rng(0), most=most)
    assert (len(shares), sum(shares)) == (count, total)
    assert least <= min(shares) <= max(shares) <= most


@pytest.mark.parametrize(("total", "most"), [(5, None), (13, 4)])
def test_impossible_parts_are_refused(total, most):
    with pytest.raises(ValueError, match=f"{total} is not a sum of 3 numbers from 2 to"):
        random_partition(total, 3, 2, np.random.default_rng(0), most=most)


def test_totals_are_sums_of_all_subsets():
    counts = DatasetCounts(2, SubsetCounts(3, 9), (SubsetCounts(2, 4),), queries=2, junk=1)
    assert (counts.images, counts.subjects) == (16, 5)
