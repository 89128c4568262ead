"""The demo's images are a task: what a network learns from them is not in colours or pixels."""

import json

import pytest
import torch

from harness.core.progress import Reporter
from harness.evaluation.metrics import evaluate
from harness.evaluation.retrieval_scores import Embeddings
from harness.planning.plan import make_plan
from harness.planning.request import RunRequest
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The demo's plain student, trained as the demo trains it, on the demo's images."""
    runs = tmp_path_factory.mktemp("task")
    asked = RunRequest(methods=("none",), study="demo", runs=runs)
    plan = make_plan(asked, Reporter(quiet=True))
    assert not tiny_grid.launch(plan).failed
    (spec,) = plan.specs
    record = json.loads((runs / spec.key / "record.json").read_text())
    data = plan.open_data(spec)
    return data, record["result"]["evaluations"]["test"][0]["mAP"]


def histograms(pixels):
    """Joint colour histogram of 8 x 8 x 8 bins: (N, 3, H, W) -> (N, 512)."""
    bins = (pixels // 32).long()
    code = (bins[:, 0] * 64 + bins[:, 1] * 8 + bins[:, 2]).flatten(1)
    return torch.zeros(len(pixels), 512).scatter_add_(1, code, torch.ones(code.shape))


def flat(pixels):
    return pixels.flatten(1).float()


@pytest.mark.parametrize("feature", [histograms, flat])
def test_colours_and_pixels_stay_below_half_of_a_trained_network(trained, feature):
    data, trained_mean = trained
    features = feature(data.test[range(len(data.test))])
    identities = torch.tensor([image.identity for image in data.dataset.test])
    cameras = torch.tensor([image.camera for image in data.dataset.test])
    (draw,) = data.dataset.test_splits["test"]
    query, gallery = (
        Embeddings(features[list(part)], identities[list(part)], cameras[list(part)])
        for part in (draw.query, draw.gallery)
    )
    assert trained_mean > 0.25
    assert evaluate(query, gallery).mAP < trained_mean / 2
