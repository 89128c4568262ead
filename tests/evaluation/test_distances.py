import pytest
import torch

from harness.evaluation import distances
from harness.evaluation.distances import Distances, map_blocks, split_work


def prepare(metric, queries=30, rows=50):
    random = torch.Generator().manual_seed(0)
    query, gallery = (torch.randn(n, 8, generator=random) for n in (queries, rows))
    norms = torch.linalg.vector_norm(gallery, dim=1)
    return query, gallery, Distances.create(metric, query, gallery, norms)


def test_euclidean_values_are_squared_distances_without_the_queries_norm():
    query, gallery, prepared = prepare("euclidean")
    block = prepared.distance_block(slice(3, 9), torch.empty(10, 50))
    expected = torch.cdist(query[3:9], gallery).square() - query[3:9].square().sum(1, keepdim=True)
    torch.testing.assert_close(block, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("limit", [0, 2**30])
def test_cosine_values_are_cosines_times_minus_two(monkeypatch, limit):
    monkeypatch.setattr(distances, "MAX_NORMALISED_BYTES", limit)
    query, gallery, prepared = prepare("cosine")
    assert (prepared.inverse_norms is None) == (limit > 0)
    block = prepared.distance_block(slice(0, 30), torch.empty(30, 50))
    expected = -2 * torch.nn.functional.cosine_similarity(query[:, None], gallery[None], dim=2)
    torch.testing.assert_close(block, expected)


def test_a_zero_feature_has_a_finite_cosine():
    query = gallery = torch.zeros(1, 4)
    prepared = Distances.create("cosine", query, gallery, torch.zeros(1))
    assert prepared.distance_block(slice(0, 1), torch.empty(1, 1)).item() == 0


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunk", [1, 4, 7, 100])
def test_blocks_cover_all_queries_once_and_in_order(threads, chunk):
    query, gallery, prepared = prepare("euclidean")
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    sizes = []

    def collect(part, block):
        sizes.append(len(block))
        result = part, block.clone()
        block.fill_(torch.nan)  # the block may be changed
        return result

    try:
        results = map_blocks(prepared, chunk, collect)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    rows = [row for part, _ in results for row in range(part.start, part.stop)]
    assert rows == list(range(30))
    assert max(sizes) <= chunk
    expected = torch.cdist(query, gallery).square() - query.square().sum(1, keepdim=True)
    values = torch.cat([block for _, block in results])
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-4)


def lengths(count, size, workers):
    return [part.stop - part.start for part in split_work(count, size, workers)]


def test_the_first_part_of_each_worker_differs():
    assert lengths(40, 10, 2) == [5, 10, 10, 10, 5]
    assert lengths(40, 10, 4) == [2, 5, 7, 10, 10, 6]
    assert lengths(25, 10, 1) == [10, 10, 5]


@pytest.mark.parametrize("count", [1, 2, 5, 12, 13])
@pytest.mark.parametrize("size", [1, 2, 3, 20])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_parts_follow_each_other_from_the_first_to_the_last(count, size, workers):
    parts = list(split_work(count, size, workers))
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(count))
    assert all(0 < part.stop - part.start <= size for part in parts)
