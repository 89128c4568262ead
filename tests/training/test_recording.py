"""Contents of a record besides scores, against values put together by hand."""

from pathlib import Path

import pytest
import torch

from harness.data.dataset import Dataset, Image, QueryGallerySplit
from harness.runs.layout import RECORD
from harness.runs.spec import Recipe, RunSpec
from harness.training.failures import DivergedError
from harness.training.recording import (
    effective_options,
    image_counts,
    record_statistics,
    score_and_record,
)
from tests.support import tiny_grid
from tests.support.training_runs import training_run

TRAIN = tuple(Image(f"{number}.jpg", number // 2, 1) for number in range(5))
TEST = tuple(Image(f"t{number}.jpg", number, 1) for number in range(6))
SPLITS = {
    "test800": (QueryGallerySplit((0, 1), (2,)), QueryGallerySplit((2, 1), (0,))),
    "test1600": (QueryGallerySplit((0, 1, 2), (3, 4, 5)),),
}
DATASET = Dataset("d", Path(), TRAIN, TEST, SPLITS)


def test_images_are_those_of_the_first_split():
    assert image_counts(DATASET) == {
        "train_images": 5,
        "train_identities": 3,
        "queries": {"test800": 2, "test1600": 3},
        "gallery": {"test800": 1, "test1600": 3},
    }


def test_parameters_are_counted_for_the_network_and_the_adapters(tmp_path):
    plain = record_statistics(training_run(tmp_path), DATASET)
    distilled = record_statistics(training_run(tmp_path, "fitnet"), DATASET)
    assert plain["parameters"]["network"] == distilled["parameters"]["network"] > 7e5
    assert plain["parameters"]["adapters"] == 0 < distilled["parameters"]["adapters"]
    assert plain["operations"] == distilled["operations"]
    assert plain["operations"]["macs_with_rest"] > plain["operations"]["macs"] > 1e6
    assert plain["options"] == {} and distilled["options"]["variant"] == "original"


def test_weights_that_are_not_finite_are_no_result(tmp_path):
    run = training_run(tmp_path)
    with torch.no_grad():
        next(run.network.parameters()).fill_(torch.inf)
    with pytest.raises(DivergedError, match="weights are not finite"):
        score_and_record(run, None, None, {}, 1)
    assert not (run.folder / RECORD).exists()


def test_the_curve_on_disk_has_a_column_for_every_loss(shared_runs):
    plan = tiny_grid.grid(shared_runs, "kd")
    header = (shared_runs / plan.cohorts[-1][-1].key / "curve.csv").read_text().splitlines()[0]
    assert header == "step,lr,loss,cross_entropy,triplet,distillation"


def run(method, *teachers, **options):
    given = tuple(sorted(options.items()))
    return RunSpec("d", method, "cnn5", teachers, 0, Recipe(), given, "bnneck", "0", "none", "s")


def test_effective_options_are_the_given_ones_and_the_variants_defaults():
    teacher = run("none")
    assert effective_options(teacher) == {}
    options = effective_options(run("pdrd", teacher, activation="relu"))
    assert options == {"variant": "original", "weight": 2.0, "activation": "relu"}
    assert effective_options(run("pkt", teacher, variant="pdrd"))["weight"] == 3e5
