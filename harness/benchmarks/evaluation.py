"""Benchmark of scoring against the bare matrix product of the same features: time and memory.

No scoring that considers every distance can be faster than the product that computes them. How
close it comes depends on how well the features retrieve: the worse, the more negatives are ranked
above a positive. Features of two kinds are measured, like those of a trained and of a nearly random
network. Each measurement runs in a process of its own, in which scoring and product take turns.
"""

from __future__ import annotations

import math
import multiprocessing
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.core.memory import peak_host_memory
from harness.data.synthetic.counts import REAL_COUNTS
from harness.evaluation.metrics import CHUNK, evaluate
from harness.evaluation.retrieval_scores import Embeddings

LARGE_PRODUCT = 10**11  # multiplications; smaller products are repeated more often,
MAX_EXTRA_REPEATS = 5  # at most this many times as often
SAMPLING_CHUNK = 4096  # images sampled at a time, so that sampling needs little memory


@dataclass(frozen=True, slots=True)
class TestSetSize:
    """Size of a test set, and the separations of features with given scores.

    The mean cosine of two images of one identity is `separation` standard deviations of the cosine
    of two images of different identities.

    Attributes:
        queries: Number of queries.
        rows: Number of gallery images.
        identities: Number of identities.
        cameras: Number of cameras.
        separations: Separations for an mAP of about 0.6 and of about 0.06.
    """

    queries: int
    rows: int
    identities: int
    cameras: int
    separations: tuple[float, ...]


def _real_size(dataset: str, separations: tuple[float, ...]) -> TestSetSize:
    """Return the size of a real test set, junk included; all distractors are one identity."""
    counts = REAL_COUNTS[dataset]
    rows = counts.images - counts.train.images - counts.queries
    identities = sum(test.identities for test in counts.tests) + bool(counts.distractors.images)
    return TestSetSize(counts.queries, rows, identities, counts.cameras, separations)


TEST_SET_SIZES = {
    "market1501": _real_size("market1501", (3.45, 1.78)),
    "msmt17": _real_size("msmt17", (3.83, 2.18)),
}


@dataclass(frozen=True, slots=True)
class EvaluationTiming:
    """Cost of scoring and of the product, in turns.

    Attributes:
        mean_average_precision: mAP of the features, as a fraction of 1.
        seconds: Median time of scoring.
        product_seconds: Median time of the product.
        ratio: Median of scoring time divided by product time of the same turn.
        least_ratio: Least of these ratios.
        greatest_ratio: Greatest of these ratios.
        megabytes: Peak memory of scoring above that of the features.
    """

    mean_average_precision: float
    seconds: float
    product_seconds: float
    ratio: float
    least_ratio: float
    greatest_ratio: float
    megabytes: float


def time_evaluation(
    size: TestSetSize, width: int, separation: float, repeats: int, threads: int
) -> EvaluationTiming:
    """Measure `evaluate` on random features.

    Args:
        size: Size of the test set.
        width: D, the width of the features.
        separation: Separation of the identities, see `TestSetSize`.
        repeats: Number of turns; more for small products.
        threads: CPU threads of torch.
    """
    extra = round(LARGE_PRODUCT / (size.queries * size.rows * width))
    repeats *= min(max(1, extra), MAX_EXTRA_REPEATS)
    context = multiprocessing.get_context("spawn")  # a fork would inherit the parent's peak memory
    with context.Pool(1) as pool:
        return pool.apply(_measure, (size, width, separation, repeats, threads))


def sample_features(
    size: TestSetSize, width: int, separation: float
) -> tuple[Embeddings, Embeddings]:
    """Sample features of queries (Q, D) and gallery (G, D): identity centres with normal noise.

    Args:
        size: Size of the test set.
        width: D.
        separation: Separation of the identities, see `TestSetSize`.
    """
    random = torch.Generator().manual_seed(0)
    centres = torch.randn(size.identities, width, generator=random)
    # With noise of variance v the mean cosine within an identity is 1 / (1 + v), and the standard
    # deviation of the cosine between identities is 1 / sqrt(width).
    noise = math.sqrt(max(0.0, math.sqrt(width) / separation - 1))

    def sample(count: int) -> Embeddings:
        identities = torch.randint(size.identities, (count,), generator=random)
        features = torch.empty(count, width)
        for chunk, chunk_identities in zip(
            torch.split(features, SAMPLING_CHUNK),
            torch.split(identities, SAMPLING_CHUNK),
            strict=True,
        ):
            chunk.normal_(generator=random).mul_(noise).add_(centres[chunk_identities])
        cameras = torch.randint(size.cameras, (count,), generator=random)
        return Embeddings(features, identities, cameras)

    return sample(size.queries), sample(size.rows)


def compute_products(query: Tensor, gallery: Tensor, buffer: Tensor) -> None:
    """Compute the product of all features block by block, the baseline.

    Args:
        query: (Q, D).
        gallery: (G, D).
        buffer: (CHUNK, G), overwritten by every block.
    """
    for rows in torch.split(query, CHUNK):
        torch.mm(rows, gallery.T, out=buffer[: len(rows)])


def _measure(
    size: TestSetSize, width: int, separation: float, repeats: int, threads: int
) -> EvaluationTiming:
    torch.set_num_threads(threads)
    small = TestSetSize(8, 16, 2, 2, ())
    evaluate(*sample_features(small, width, separation))  # libraries are loaded on first use
    query, gallery = sample_features(size, width, separation)
    before = peak_host_memory() or 0
    scores = evaluate(query, gallery)
    growth = (peak_host_memory() or 0) - before  # bytes
    buffer = torch.empty(CHUNK, size.rows)
    scoring_seconds, product_seconds = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        compute_products(query.features, gallery.features, buffer)
        middle = time.perf_counter()
        evaluate(query, gallery)
        end = time.perf_counter()
        product_seconds.append(middle - start)
        scoring_seconds.append(end - middle)
    ratios = [a / b for a, b in zip(scoring_seconds, product_seconds, strict=True)]
    return EvaluationTiming(
        mean_average_precision=scores.mAP,
        seconds=statistics.median(scoring_seconds),
        product_seconds=statistics.median(product_seconds),
        ratio=statistics.median(ratios),
        least_ratio=min(ratios),
        greatest_ratio=max(ratios),
        megabytes=growth / 1e6,
    )
