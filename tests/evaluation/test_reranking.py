import math

import numpy as np
import pytest
import torch

from harness.evaluation import reranking
from harness.evaluation.metrics import evaluate, rank_distances
from harness.evaluation.reranking import RerankingOptions, memory_required, rerank
from harness.evaluation.retrieval_scores import Embeddings, concatenate


def drawn(queries, rows, width=6, identities=5, seed=0):
    """Clustered unit features, their identities and cameras."""
    random = torch.Generator().manual_seed(seed)
    centres = torch.randn(identities, width, generator=random)
    sets = []
    for count in (queries, rows):
        labels = torch.randint(identities, (count,), generator=random)
        features = centres[labels] + 0.7 * torch.randn(count, width, generator=random)
        cameras = torch.randint(3, (count,), generator=random)
        sets.append(Embeddings(features / features.norm(dim=1, keepdim=True), labels, cameras))
    return sets


def distances(query, gallery, options):
    """All blocks; each is overwritten by the next."""
    blocks = rerank(query.features, gallery.features, options)
    return torch.cat([block.clone() for block in blocks])


def by_loops(query, gallery, k1, k2, share):
    """The paper and its authors' choices as loops over images in float64."""
    images = torch.cat([query, gallery]).double().tolist()
    count = len(images)
    distance = [
        [sum((a - b) ** 2 for a, b in zip(p, g, strict=True)) for g in images] for p in images
    ]
    distance = [[value / max(row) for value in row] for row in distance]
    order = [sorted(range(count), key=row.__getitem__) for row in distance]

    def reciprocal(p, k):
        return {g for g in order[p][: k + 1] if p in order[g][: k + 1]}

    weights = []
    for p in range(count):
        first = reciprocal(p, k1)
        members = set(first)
        for q in first:
            half = reciprocal(q, int(np.around(k1 / 2)))
            if len(half & first) > 2 / 3 * len(half):
                members |= half
        row = [math.exp(-distance[p][g]) if g in members else 0.0 for g in range(count)]
        weights.append([value / sum(row) for value in row])
    if k2 > 1:
        weights = [
            [sum(weights[g][j] for g in order[p][:k2]) / k2 for j in range(count)]
            for p in range(count)
        ]
    result = []
    for p in range(len(query)):
        row = []
        for g in range(len(query), count):
            shared = sum(map(min, weights[p], weights[g]))
            jaccard = 1 - shared / (2 - shared)
            row.append((1 - share) * jaccard + share * distance[p][g])
        result.append(row)
    return torch.tensor(result, dtype=torch.float64)


@pytest.mark.parametrize("chunk", [256, 7])
@pytest.mark.parametrize(
    ("k1", "k2", "share"),
    [(20, 6, 0.3), (20, 1, 0.3), (5, 3, 0.3), (3, 2, 0.0), (7, 1, 0.0), (1, 2, 0.5), (10, 11, 0.3)],
)
def test_equals_plain_loops(monkeypatch, chunk, k1, k2, share):
    monkeypatch.setattr(reranking, "CHUNK", chunk)
    query, gallery = drawn(9, 41, seed=k1)
    result = distances(query, gallery, RerankingOptions(k1, k2, share))
    expected = by_loops(query.features, gallery.features, k1, k2, share)
    torch.testing.assert_close(result.cpu().double(), expected, rtol=0, atol=2e-6)


def test_fewer_images_than_neighbours():
    query, gallery = drawn(2, 5)
    (block,) = rerank(query.features, gallery.features, RerankingOptions())
    assert block.shape == (2, 5) and bool(block.isfinite().all())


def scores(query, gallery, options):
    blocks = rerank(query.features, gallery.features, options)
    first, parts = 0, []
    for block in blocks:
        part = slice(first, first + len(block))
        first += len(block)
        some = Embeddings(query.features[part], query.identities[part], query.cameras[part])
        parts.append(rank_distances(block, some, gallery))
    return concatenate(parts)


def test_with_the_original_distance_alone_nothing_changes():
    query, gallery = drawn(60, 300)
    plain = evaluate(query, gallery)
    reranked = scores(query, gallery, RerankingOptions(lambda_=1.0))
    torch.testing.assert_close(reranked.average_precision, plain.average_precision, equal_nan=True)
    assert torch.equal(reranked.first_rank, plain.first_rank)


def test_clear_clusters_score_higher():
    query, gallery = drawn(60, 300, width=12, identities=12)
    assert scores(query, gallery, RerankingOptions()).mAP > evaluate(query, gallery).mAP + 0.02


def test_one_point_for_all_images_gives_one_distance_to_all():
    point = torch.ones(1, 4) / 2
    (block,) = rerank(point.expand(3, -1), point.expand(30, -1), RerankingOptions())
    assert bool(block.isfinite().all())


@pytest.mark.parametrize("wrong", [(0, 1, 0.3), (20, 0, 0.3), (20, 22, 0.3), (20, 6, 1.1)])
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="k2 between 1 and k1 . 1"):
        RerankingOptions(*wrong)


def test_the_required_memory_is_an_upper_bound(monkeypatch):
    """All tensors that live at once, counted at every operation."""
    monkeypatch.setattr(reranking, "CHUNK", 64)
    monkeypatch.setattr(reranking, "PAIR_BYTES", 2**16)
    query, gallery = drawn(100, 1900, width=16, identities=80)
    alive, peak = {}, 0

    class Spy(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            nonlocal peak
            result = operation(*args, **(kwargs or {}))
            for tensor in result if isinstance(result, tuple | list) else [result]:
                if isinstance(tensor, torch.Tensor):
                    storage = tensor.untyped_storage()
                    alive[storage.data_ptr()] = (
                        torch.multiprocessing.reductions.StorageWeakRef(storage),
                        storage.nbytes(),
                    )
            for pointer in [p for p, (held, _) in alive.items() if held.expired()]:
                del alive[pointer]
            peak = max(peak, sum(size for _, size in alive.values()))
            return result

    with Spy():
        for _ in rerank(query.features, gallery.features, RerankingOptions()):
            pass
    limit = memory_required(100, 1900, 16, RerankingOptions())
    assert limit / 30 < peak < limit


@pytest.mark.gpu
def test_a_gpu_gives_the_same():
    query, gallery = drawn(60, 300)
    moved = [Embeddings(s.features.cuda(), s.identities, s.cameras) for s in (query, gallery)]
    here, there = (
        distances(query, gallery, RerankingOptions()),
        distances(*moved, RerankingOptions()),
    )
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-5)
