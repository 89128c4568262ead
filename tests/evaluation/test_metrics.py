from contextlib import contextmanager
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.evaluation import distances, metrics
from harness.evaluation.metrics import METRICS, TIES, evaluate, rank_distances
from harness.evaluation.retrieval_scores import Embeddings

GOLDEN = Path(__file__).parent / "golden"
CASES = [
    "g01_tiny_20x50",
    "g02_plain_60x400",
    "g05_junk_and_distractors_100x1000",
    "g07_no_valid_match_90x600",
    "g08_vehicleid_style_480x120",
]
STORED = {"cosine": "dist_cosine", "euclidean": "dist_euclidean_sq"}


def labels(identities, cameras, features=None):
    count = len(identities)
    features = torch.zeros(count, 1) if features is None else torch.as_tensor(features)
    return Embeddings(features.float(), torch.as_tensor(identities), torch.as_tensor(cameras))


def load(case):
    data = dict(np.load(GOLDEN / f"{case}.npz"))
    sets = [
        labels(data[f"{s}_pids"], data[f"{s}_camids"], data.get(f"{s}_features"))
        for s in ("query", "gallery")
    ]
    return data, *sets


def drawn(seed, queries, rows, identities=4, cameras=3, values=3, width=2):
    random = torch.Generator().manual_seed(seed)
    return [
        labels(
            torch.randint(identities, (count,), generator=random),
            torch.randint(cameras, (count,), generator=random),
            torch.randint(values, (count, width), generator=random),
        )
        for count in (queries, rows)
    ]


@contextmanager
def threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def brute_force(distances, query, gallery):
    """AP, INP and first rank of one query in every order that sorting may give its ties."""
    kept = [
        (float(distance), identity == query[0])
        for distance, identity, camera in zip(distances, *gallery, strict=True)
        if (identity, camera) != query
    ]
    kept.sort(key=lambda item: item[0])
    groups = [
        set(permutations([hit for distance, hit in kept if distance == value]))
        for value in sorted({distance for distance, _ in kept})
    ]
    for order in product(*groups):
        hits = [hit for group in order for hit in group]
        ranks = [rank for rank, hit in enumerate(hits, 1) if hit]
        if ranks:
            precision = sum(k / rank for k, rank in enumerate(ranks, 1)) / len(ranks)
            yield precision, len(ranks) / ranks[-1], ranks[0]


def test_three_queries_by_hand():
    """Rows of the query's identity and camera do not count."""
    gallery = labels([1, 2, 1, 2, 3, 1], [1, 1, 2, 2, 2, 1])
    query = labels([1, 2, 3], [1, 2, 2])
    distances = torch.tensor(
        [
            [0.0, 0.1, 0.2, 0.3, 0.4, 0.05],  # own camera: rows 0, 5; match: row 2, at rank 2
            [0.1, 0.5, 0.2, 0.0, 0.4, 0.3],  # own camera: row 3; match: row 1, at rank 5
            [0.1, 0.5, 0.2, 0.0, 0.4, 0.3],  # own camera: row 4; no match
        ]
    )
    before = distances.clone()
    ranking = rank_distances(distances, query, gallery)
    assert ranking.first_rank.tolist() == [2, 5, -1]
    assert ranking.average_precision[:2].tolist() == [1 / 2, 1 / 5]
    assert ranking.average_precision.dtype == torch.float64
    assert ranking.average_precision[2].isnan() and ranking.inverse_negative_penalty[2].isnan()
    assert ranking.mAP == pytest.approx(0.35) == ranking.mINP
    assert [ranking.cmc(k) for k in (1, 2, 4, 5, 100)] == [0, 0.5, 0.5, 1, 1]
    assert ranking.nearest[0].tolist() == [1, 2, 3, 4] + 6 * [-1]
    assert ranking.nearest[1].tolist() == [0, 2, 5, 4, 1] + 5 * [-1]
    assert torch.equal(distances, before)
    with pytest.raises(ValueError, match="k is 0; it must be 1 or more"):
        ranking.cmc(0)


def test_several_positives_by_hand():
    ranking = rank_distances(
        torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5]]),
        labels([7], [0]),
        labels([7, 0, 7, 0, 7], [1, 1, 1, 1, 1]),
    )
    assert ranking.mAP == pytest.approx((1 + 2 / 3 + 3 / 5) / 3, abs=1e-15)
    assert ranking.mINP == pytest.approx(3 / 5, abs=1e-15)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("metric", STORED)
@pytest.mark.parametrize("case", CASES)
def test_golden(case, metric, ties):
    data, query, gallery = load(case)
    stored = rank_distances(torch.tensor(data[STORED[metric]]), query, gallery, ties=ties)
    computed = evaluate(query, gallery, metric=metric, ties=ties)
    names = {"AP": "average_precision", "INP": "inverse_negative_penalty"}
    for ranking, tolerance in ((stored, 1e-12), (computed, 1e-6)):
        for short, name in names.items():
            expected = data[f"ref_{metric}_{ties}_{short}"]
            np.testing.assert_allclose(getattr(ranking, name), expected, rtol=0, atol=tolerance)
        assert ranking.mAP == pytest.approx(float(data[f"ref_{metric}_{ties}_mAP"]), abs=tolerance)
        curve = [ranking.cmc(k) for k in (1, 5, 10)]
        np.testing.assert_allclose(curve, data[f"ref_{metric}_{ties}_cmc1_5_10"], atol=tolerance)
    np.testing.assert_array_equal(stored.first_rank, data[f"ref_{metric}_{ties}_first_rank"])


def test_queries_without_a_match_do_not_count():
    data, query, gallery = load("g07_no_valid_match_90x600")
    ranking = evaluate(query, gallery)
    valid = torch.tensor(data["valid_query"])
    assert int((~valid).sum()) == 17
    assert torch.equal(ranking.first_rank > 0, valid)
    assert torch.equal(ranking.average_precision.isnan(), ~valid)
    peer = data["fastreid_py_cosine_AP_valid_queries"]
    np.testing.assert_allclose(ranking.average_precision[valid], peer, atol=1e-12)
    assert ranking.mAP == pytest.approx(float(peer.mean()), abs=1e-12)


def test_one_query_in_a_short_gallery():
    data, query, gallery = load("g12_stale_cmc_1x12")
    ranking = rank_distances(torch.tensor(data["dist_cosine"]), query, gallery)
    assert [ranking.cmc(k) for k in range(1, 13)] == data["correct_cmc"].tolist()
    assert ranking.average_precision.tolist() == data["correct_AP"].tolist()
    assert ranking.inverse_negative_penalty.tolist() == data["correct_INP"].tolist()


@pytest.mark.parametrize("seed", range(25))
def test_ties_are_the_best_and_the_worst_of_all_orders(seed):
    query, gallery = drawn(seed, queries=6, rows=7)
    rows = list(zip(query.identities.tolist(), query.cameras.tolist(), strict=True))
    columns = gallery.identities.tolist(), gallery.cameras.tolist()
    distances = torch.cdist(query.features, gallery.features).square().round()
    computed = {t: evaluate(query, gallery, metric="euclidean", ties=t) for t in TIES}
    given = {t: rank_distances(distances, query, gallery, ties=t) for t in TIES}
    for index, row in enumerate(rows):
        outcomes = list(brute_force(distances[index], row, columns))
        for rankings in (computed, given):
            for ties, worst in (("pessimistic", True), ("optimistic", False)):
                ranking = rankings[ties]
                if not outcomes:
                    assert ranking.first_rank[index] == -1
                    continue
                precision, penalty, first = zip(*outcomes, strict=True)
                pick = min if worst else max
                assert float(ranking.average_precision[index]) == pytest.approx(pick(precision))
                assert float(ranking.inverse_negative_penalty[index]) == pytest.approx(
                    pick(penalty)
                )
                assert int(ranking.first_rank[index]) == (max if worst else min)(first)


@pytest.mark.parametrize("seed", range(5))
def test_nearest_prefers_lower_rows_and_skips_the_own_camera(seed):
    query, gallery = drawn(seed, queries=9, rows=60, identities=3)
    ranking = evaluate(query, gallery, metric="euclidean")
    distances = torch.cdist(query.features, gallery.features).square().round()
    for index, row in enumerate(distances.tolist()):
        own = gallery.identities == query.identities[index]
        own &= gallery.cameras == query.cameras[index]
        kept = [(value, column) for column, value in enumerate(row) if not own[column]]
        assert ranking.nearest[index].tolist() == [column for _, column in sorted(kept)[:10]]


@pytest.mark.parametrize("chunk", [1, 7, 60, 10_000])
def test_chunk_changes_no_bit(chunk):
    """Integer features, so that no matrix product rounds; and real ones, whose products may."""
    query, gallery = drawn(3, queries=50, rows=300, identities=12, values=20)
    whole = evaluate(query, gallery, metric="euclidean")
    parts = evaluate(query, gallery, metric="euclidean", chunk=chunk)
    for name in ("average_precision", "inverse_negative_penalty", "first_rank", "nearest"):
        given, expected = (getattr(ranking, name).nan_to_num(2) for ranking in (parts, whole))
        assert torch.equal(given, expected)
    _, query, gallery = load("g02_plain_60x400")
    assert evaluate(query, gallery, chunk=chunk).mAP == pytest.approx(
        evaluate(query, gallery).mAP, abs=1e-9
    )


def test_same_input_same_bits():
    _, query, gallery = load("g05_junk_and_distractors_100x1000")
    first, second = evaluate(query, gallery), evaluate(query, gallery)
    assert torch.equal(first.average_precision, second.average_precision)


@pytest.mark.parametrize("metric", STORED)
def test_a_collapsed_network_scores_nothing(metric):
    _, query, gallery = load("g05_junk_and_distractors_100x1000")
    point = torch.full((1, 64), 0.3)
    query = labels(query.identities, query.cameras, point.expand(100, -1))
    gallery = labels(gallery.identities, gallery.cameras, point.expand(1000, -1))
    bound = rank_distances(torch.zeros(100, 1000), query, gallery).mAP
    assert bound < 0.03
    assert evaluate(query, gallery, metric=metric).mAP == pytest.approx(bound, abs=1e-3)
    assert evaluate(query, gallery, metric=metric, ties="optimistic").mAP == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_pessimistic_scores_contain_the_optimistic_ones(seed):
    query, gallery = drawn(seed, queries=30, rows=80)
    both = [evaluate(query, gallery, metric="euclidean", ties=ties) for ties in TIES]
    assert both[0].mAP < both[1].mAP
    for name in ("average_precision", "inverse_negative_penalty", "first_rank", "nearest"):
        expected = getattr(both[1], name).nan_to_num(2)
        for ranking in both:
            assert torch.equal(getattr(ranking.optimistic, name).nan_to_num(2), expected)


def test_a_gallery_too_large_to_be_normalised_at_once_scores_the_same(monkeypatch):
    _, query, gallery = load("g02_plain_60x400")
    whole = evaluate(query, gallery, chunk=16)
    monkeypatch.setattr(distances, "MAX_NORMALISED_BYTES", gallery.features.nbytes - 1)
    pieces = evaluate(query, gallery, chunk=16)
    torch.testing.assert_close(pieces.average_precision, whole.average_precision)
    assert torch.equal(pieces.nearest, whole.nearest)


def test_distances_of_all_queries_never_exist_at_once():
    """No tensor that any operation returns has queries x rows entries."""
    query, gallery = drawn(0, queries=200, rows=500, identities=100, values=50, width=8)
    largest = 0

    class Spy(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            nonlocal largest
            result = operation(*args, **(kwargs or {}))
            made = result if isinstance(result, tuple | list) else [result]
            sizes = [tensor.numel() for tensor in made if isinstance(tensor, torch.Tensor)]
            largest = max(largest, *sizes, 0)
            return result

    with threads(1), Spy():  # the mode is not active in other threads
        evaluate(query, gallery, chunk=16)
    assert 16 * 500 <= largest < 200 * 500 / 4


@pytest.mark.parametrize("metric", METRICS)
def test_the_number_of_workers_changes_nothing(metric):
    query, gallery = drawn(3, queries=70, rows=300, identities=30, values=50, width=8)
    rankings = []
    for count in (1, 2, 7):
        with threads(count):
            rankings.append(evaluate(query, gallery, metric=metric, chunk=16))
            assert torch.get_num_threads() == count
    for name in ("average_precision", "first_rank", "nearest", "optimistic_ap"):
        values = [getattr(ranking, name).nan_to_num(2) for ranking in rankings]
        assert torch.equal(values[0], values[1]) and torch.equal(values[0], values[2])


def test_an_error_of_one_worker_is_raised(monkeypatch):
    query, gallery = drawn(3, queries=70, rows=300, identities=30, values=50, width=8)
    monkeypatch.setattr(metrics, "_score_ranks", None)
    with threads(2), pytest.raises(TypeError):
        evaluate(query, gallery, chunk=16)


def test_lower_precision_for_training_does_not_reach_the_distances(monkeypatch):
    _, query, gallery = load("g02_plain_60x400")
    expected = evaluate(query, gallery).average_precision
    matmul, multiply, modes = torch.backends.cuda.matmul, torch.addmm, []

    def spy(*tensors, **options):
        modes.append((matmul.fp32_precision, torch.is_autocast_enabled("cpu")))
        return multiply(*tensors, **options)

    monkeypatch.setattr(torch, "addmm", spy)
    before = matmul.fp32_precision
    matmul.fp32_precision = "tf32"
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = evaluate(query, gallery)
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = before
    assert modes == [("ieee", False)]
    assert torch.equal(inside.average_precision, expected)


def test_distractors_are_ordinary_negatives():
    """A row of identity 0 stands before the match and costs it a rank."""
    query = labels([5], [0], [[1.0, 0.0]])
    features = [[1.0, 0.1], [1.0, 0.5]]
    assert evaluate(query, labels([0, 5], [0, 1], features)).mAP == 0.5


def test_norms_count_only_for_euclidean():
    query = labels([5], [0], [[1.0, 0.0]])
    gallery = labels([5, 6], [1, 1], [[9.0, 0.1], [1.0, 0.5]])
    assert evaluate(query, gallery).mAP == 1
    assert evaluate(query, gallery, metric="euclidean").mAP == 0.5


@pytest.mark.parametrize(
    ("query", "gallery", "options", "message"),
    [
        (labels([1], [0]), labels([2], [1]), {}, "None of the 1 queries has a match"),
        (labels([1], [0]), labels([1], [0]), {}, "None of the 1 queries has a match"),
        (labels([], []), labels([2], [1]), {}, "The query set is empty"),
        (labels([1], [0]), labels([], []), {}, "The gallery set is empty"),
        (labels([1], [0, 0]), labels([1], [1]), {}, "1 features, 1 identities and 2 cameras"),
        (
            labels([1], [0]),
            labels([1], [1], [[0.0, 1]]),
            {},
            "width 1 and gallery features width 2",
        ),
        (
            labels([1], [0]),
            labels([1, 1, 2], [1, 1, 1], [[torch.nan], [0], [torch.inf]]),
            {},
            "2 of 3 gallery features are not finite",
        ),
        (labels([1], [0], [[1e30]]), labels([1], [1]), {}, "1 of 1 query features"),
        (labels([1], [0]), labels([1], [1]), {"ties": "random"}, "pessimistic or optimistic"),
        (
            labels([1], [0]),
            labels([1], [1]),
            {"metric": "dot"},
            "metric is 'dot'; it must be cosine or euclidean",
        ),
        (labels([1], [0]), labels([1], [1]), {"chunk": 0}, "chunk is 0; it must be 1 or more"),
    ],
)
def test_refuses(query, gallery, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(query, gallery, **options)


@pytest.mark.gpu
@pytest.mark.parametrize("ties", TIES)
def test_golden_on_a_gpu(ties):
    data, query, gallery = load("g07_no_valid_match_90x600")
    moved = [
        labels(s.identities.cuda(), s.cameras.cuda(), s.features.cuda()) for s in (query, gallery)
    ]
    ranking = evaluate(*moved, ties=ties)
    expected = data[f"ref_cosine_{ties}_AP"]
    np.testing.assert_allclose(ranking.average_precision.cpu(), expected, rtol=0, atol=1e-6)
    assert torch.equal(ranking.nearest.cpu(), evaluate(query, gallery, ties=ties).nearest)
