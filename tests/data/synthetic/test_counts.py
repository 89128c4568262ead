"""Plans with the counts of the real datasets, made without drawing; and smaller ones."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from harness.data.datasets import dukemtmc, market1501, msmt17, veri776
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

NAMED = {  # the subsets' folders, and how a name there is read
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
    if like in NAMED:
        folders, pattern = NAMED[like]
        found = defaultdict(list)
        for file in (*plan.images, *plan.copies):
            folder, _, name = file.partition("/")
            match = pattern.match(name)
            found[folder].append((int(match[1]), int(match[2])))
        train, query, gallery = (found[folder] for folder in folders)
        gallery = [who for who in gallery if who[0] != -1]
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
    found = {}
    for part in ("train_list", "test_list_800", "test_list_1600", "test_list_2400"):
        lines = [line.split() for line in plan.texts[f"train_test_split/{part}.txt"].splitlines()]
        assert all(f"image/{number}.jpg" in plan.images for number, _ in lines)
        who, name = [(int(vehicle), int(number)) for number, vehicle in lines], part.split("_")
        if part == "train_list":
            found["train"] = who
        else:  # one image of every vehicle is drawn for the gallery
            first = {vehicle: (vehicle, number) for vehicle, number in reversed(who)}
            found[f"test{name[-1]} gallery"] = list(first.values())
            found[f"test{name[-1]} query"] = sorted(set(who) - set(first.values()))
    return found


def test_the_full_plan_counts_as_the_datasets_file_expects(full):
    like, shots = full
    found = subsets(like, LAYOUTS[like][1](shots))
    found["all"] = [who for part in found.values() for who in part]
    expected = load_dataset(like).expected
    assert len(expected) >= 4
    for subset, wanted in expected.items():
        counted = {
            "images": len(found[subset]),
            "identities": len({identity for identity, _ in found[subset]}),
            "cameras": len({camera for _, camera in found[subset]}),
        }
        for what, number in counted.items():
            allowed = getattr(wanted, what)
            allowed = allowed if isinstance(allowed, list) else [allowed]
            assert allowed[0] in (None, number), (subset, what)


def test_numbers_that_no_file_states():
    gallery = Counter(shot.role for shot in plan_from_counts(REAL_COUNTS["market1501"], SEED))
    assert (gallery["distractor"], gallery["junk"]) == (2798, 3819)
    plan = LAYOUTS["msmt17"][1](plan_from_counts(REAL_COUNTS["msmt17"], SEED))
    lengths = {n: plan.texts[f"list_{n}.txt"].count("\n") for n in ("train", "val")}
    assert lengths == {"train": 30_248, "val": 2373}


def test_no_image_is_drawn_twice_and_every_one_is_laid(full):
    like, shots = full
    assert len({(s.role, s.subject, s.camera, s.index) for s in shots}) == len(shots)
    laid = LAYOUTS[like][1](shots).images
    unlaid = {"junk"} if like != "market1501" else set()
    assert len(laid) == sum(shot.role not in unlaid for shot in shots)
    assert REAL_COUNTS[like].images == len(shots)
    assert REAL_COUNTS[like].subjects == len({shot.subject for shot in shots})


def test_every_query_has_a_match_by_another_camera(full):
    like, shots = full
    where = defaultdict(set)
    for shot in shots:
        if shot.role == "gallery":
            where[shot.subject].add(shot.camera)
    queries = [shot for shot in shots if shot.role == "query"]
    assert bool(queries) == (like != "vehicleid")
    assert all(where[query.subject] - {query.camera} for query in queries)
    assert len({(query.subject, query.camera) for query in queries}) == len(queries)


def test_images_spread_unevenly_over_identities_and_cameras(full):
    _, shots = full
    each = Counter(shot.subject for shot in shots if shot.role in ("train", "validation"))
    assert min(each.values()) >= 2
    assert max(each.values()) > 3 * np.mean(list(each.values()))
    pairs = Counter((s.subject, s.camera) for s in shots if s.role == "gallery")
    assert len(set(pairs.values())) > 3


def test_the_same_seed_gives_the_same_plan_and_another_one_another():
    census = scale_counts(REAL_COUNTS["veri776"], 200)
    assert plan_from_counts(census, 1) == plan_from_counts(census, 1)
    assert plan_from_counts(census, 1) != plan_from_counts(census, 2)


@pytest.mark.parametrize("like", LAYOUTS)
@pytest.mark.parametrize("images", [MIN_IMAGES, 20, 77, 1000, 20_000])
def test_smaller_copies_have_as_many_images_as_asked(like, images):
    census = scale_counts(REAL_COUNTS[like], images)
    shots = plan_from_counts(census, SEED)
    assert len(shots) == census.images
    assert census.images == images or (images < 20 and census.images <= images + 2)
    found = subsets(like, LAYOUTS[like][1](shots))
    assert all(found.values())
    assert all(len({identity for identity, _ in who}) >= 2 for who in found.values())
    shown = {role: {s.subject for s in shots if s.role == role} for role in ("query", "gallery")}
    assert shown["query"] <= shown["gallery"]


def test_proportions_are_kept():
    census = scale_counts(REAL_COUNTS["market1501"], 3604)
    assert census.train.identities == census.tests[0].identities == 75
    assert (census.queries, census.junk, census.distractors.images) == (337, 382, 280)
    assert census.tests[0].images == 1312


@pytest.mark.parametrize("like", LAYOUTS)
def test_all_images_are_the_whole_dataset(like):
    assert scale_counts(REAL_COUNTS[like], REAL_COUNTS[like].images) == REAL_COUNTS[like]


@pytest.mark.parametrize("images", [0, 11, 36_037])
def test_impossible_numbers_are_refused(images):
    words = re.escape(f"The number of images is {images:,}; it must be 12 to 36,036.")
    with pytest.raises(ValueError, match=words):
        scale_counts(REAL_COUNTS["market1501"], images)


@pytest.mark.parametrize(("total", "count", "least", "most"), [(7, 3, 2, 3), (60, 20, 1, 4)])
def test_uneven_shares_add_up_within_their_bounds(total, count, least, most):
    shares = random_partition(total, count, least, np.random.default_rng(0), most=most)
    assert (len(shares), sum(shares)) == (count, total)
    assert least <= min(shares) <= max(shares) <= most


@pytest.mark.parametrize(("total", "most"), [(5, None), (13, 4)])
def test_shares_that_cannot_be_are_refused(total, most):
    with pytest.raises(ValueError, match=f"{total} is not a sum of 3 numbers from 2 to"):
        random_partition(total, 3, 2, np.random.default_rng(0), most=most)


def test_a_census_of_one_part_counts_itself():
    census = DatasetCounts(2, SubsetCounts(3, 9), (SubsetCounts(2, 4),), queries=2, junk=1)
    assert (census.images, census.subjects) == (16, 5)
