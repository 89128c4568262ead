"""Counts of images against a dataset put together by hand."""

from pathlib import Path

from harness.data.dataset import Dataset, Image, QueryGallerySplit
from harness.runs.spec import Recipe, RunSpec
from harness.training.recording import effective_options, image_counts


def test_images_are_those_of_one_draw():
    train = tuple(Image(f"{number}.jpg", number // 2, 1) for number in range(5))
    test = tuple(Image(f"t{number}.jpg", number, 1) for number in range(6))
    draws = {
        "test800": (QueryGallerySplit((0, 1), (2,)), QueryGallerySplit((2, 1), (0,))),
        "test1600": (QueryGallerySplit((0, 1, 2), (3, 4, 5)),),
    }
    assert image_counts(Dataset("d", Path(), train, test, draws)) == {
        "train_images": 5,
        "train_identities": 3,
        "queries": {"test800": 2, "test1600": 3},
        "gallery": {"test800": 1, "test1600": 3},
    }


def run(method, *teachers, **options):
    given = tuple(sorted(options.items()))
    return RunSpec("d", method, "cnn5", teachers, 0, Recipe(), given, "bnneck", "0", "none", "s")


def test_options_in_force_are_given_ones_over_the_variants_own():
    teacher = run("none")
    assert effective_options(teacher) == {}
    found = effective_options(run("pdrd", teacher, activation="relu"))
    assert found == {"variant": "original", "weight": 2.0, "activation": "relu"}
    assert effective_options(run("pkt", teacher, variant="pdrd"))["weight"] == 3e5
