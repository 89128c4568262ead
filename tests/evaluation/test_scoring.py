import numpy as np
import pytest
import torch

from harness.data.dataset import Dataset, Image, QueryGallerySplit
from harness.evaluation.metrics import evaluate
from harness.evaluation.retrieval_scores import Embeddings
from harness.evaluation.scoring import (
    evaluate_network,
    extract_features,
    summarise,
    take,
    tie_warnings,
    with_labels,
)
from methods import Outputs

IMAGES = tuple(Image(f"{n}.jpg", identity=n % 10, camera=n % 3) for n in range(120))
DRAW = QueryGallerySplit(query=tuple(range(30)), gallery=tuple(range(30, 120)))
DATASET = Dataset("made", None, (), IMAGES, {"easy": (DRAW,), "hard": (DRAW, DRAW)})


class Pixels:
    """Random images in memory."""

    def __init__(self, count):
        self.images = torch.randint(256, (count, 3, 8, 4), generator=torch.manual_seed(0)).byte()

    def __getitem__(self, indices):
        return self.images[list(indices)]

    def __len__(self):
        return len(self.images)


class Flat(torch.nn.Module):
    """An image's pixels are its feature; or, collapsed, everybody's feature is the same."""

    def __init__(self, *, collapsed=False):
        super().__init__()
        self.collapsed = collapsed

    def forward(self, images):
        flat = images.flatten(start_dim=1)
        nothing = torch.empty(0)
        return Outputs((), nothing, nothing, flat * 0 + 0.5 if self.collapsed else flat, nothing)


def scored(tmp_path, **network):
    return evaluate_network(
        Flat(**network), DATASET, Pixels(120), torch.device("cpu"), tmp_path / "per_query.npz"
    )


def test_a_collapsed_network_scores_nothing_is_flagged_and_named(tmp_path):
    scores = scored(tmp_path, collapsed=True)
    draw = scores["easy"][0]
    assert draw["mAP"] < 0.15 and draw["cmc"]["1"] == 0
    assert draw["ties"] == {"optimistic": {"mAP": 1.0, "R1": 1.0}, "flagged": True}
    (note,) = tie_warnings("made/none/flat/seed0-12345678", scores)
    assert note.startswith(
        "Ties decide the scores of made/none/flat/seed0-12345678 (easy): with the worst order"
    )
    assert "R1 0.00; with the best order they are 100.00 and 100.00. The features may have" in note


def test_ordinary_scores_are_not_flagged(tmp_path):
    scores = scored(tmp_path)
    for draw in (draw for several in scores.values() for draw in several):
        assert draw["ties"]["optimistic"] == {"mAP": draw["mAP"], "R1": draw["cmc"]["1"]}
        assert not draw["ties"]["flagged"]
    assert tie_warnings("made", scores) == []


def test_one_tie_in_very_many_queries_is_not_flagged():
    """The bound is 1e-4 of the mean: one query of 20,000 that loses half its precision."""
    labels = torch.zeros(20_000, dtype=torch.int64)
    features = torch.tensor([[1.0, 0.0]]).repeat(20_000, 1)
    gallery = Embeddings(
        torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), torch.tensor([0, 1, 2]), torch.ones(3)
    )
    for others, flagged in ((1, False), (5, True)):
        identities = labels.clone()
        identities[:others] = 1
        features[:others] = torch.tensor([0.0, 1.0])  # as far from its match as from a negative
        scores = summarise(evaluate(Embeddings(features, identities, labels), gallery))
        assert scores["ties"]["flagged"] is flagged
        assert scores["ties"]["optimistic"]["mAP"] == 1
        assert scores["mAP"] < 1


def test_a_flip_test_averages_unit_features_of_an_image_and_its_mirror_image():
    pixels = Pixels(7)
    plain = extract_features(Flat(), pixels, torch.device("cpu"))
    both = extract_features(Flat(), pixels, torch.device("cpu"), flip=True)
    images = plain.view(7, 3, 8, 4)
    for index in range(7):
        here, there = images[index].flatten(), images[index].flip(2).flatten()
        expected = (here / here.norm() + there / there.norm()) / 2
        torch.testing.assert_close(both[index], expected)
    assert not torch.allclose(both, torch.nn.functional.normalize(plain, dim=1))


def test_labels_are_those_of_the_test_images():
    features = torch.rand(7, 3)
    embeddings = with_labels(features, Dataset("m", None, (), IMAGES[:7], {}))
    assert embeddings.features is features
    assert embeddings.identities.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert embeddings.cameras.tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_embeddings_are_taken_by_index():
    embeddings = with_labels(torch.rand(7, 3), Dataset("m", None, (), IMAGES[:7], {}))
    some = take(embeddings, (5, 0, 5))
    assert some.identities.tolist() == [5, 0, 5] and some.cameras.tolist() == [2, 0, 2]
    assert torch.equal(some.features, embeddings.features[[5, 0, 5]])


def test_the_scores_of_every_query_are_written(tmp_path):
    scores = scored(tmp_path)
    stored = np.load(tmp_path / "per_query.npz")
    assert {name.rpartition(".")[0] for name in stored} == {"easy.0", "hard.0", "hard.1"}
    assert stored["easy.0.query"].tolist() == [image.file for image in IMAGES[:30]]
    assert stored["hard.1.camera"].tolist() == [image.camera for image in IMAGES[:30]]
    assert stored["easy.0.nearest"].shape == (30, 10)
    for name, split in (("easy", 0), ("hard", 1)):
        precision = stored[f"{name}.{split}.average_precision"]
        assert np.nanmean(precision) == pytest.approx(scores[name][split]["mAP"])
        assert (
            int((stored[f"{name}.{split}.first_rank"] > 0).sum()) == scores[name][split]["scored"]
        )
