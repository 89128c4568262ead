"""Benchmark of the scoring: against the bare product of the same features, in time and in memory.

No scoring that looks at every distance can be quicker than computing the distances. How near it
gets depends on how well the features retrieve: the worse, the more negatives lie before a positive.
Two kinds are measured, of a trained and of a nearly random network. Each measurement is made in a
process of its own, in which scoring and the bare product take turns.
"""

from __future__ import annotations

import math
import multiprocessing
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.benchmarks.memory import peak
from harness.evaluation.metrics import CHUNK, Embeddings, evaluate

LARGE = 10**11  # multiplications; smaller products are measured more often
MORE_OFTEN = 5  # times, at most
PIECE = 4096  # images that are drawn at a time, so that drawing needs no memory to speak of


@dataclass(frozen=True, slots=True)
class EvaluationSize:
    """A test set's counts, and how far features of one identity stand out to reach a given mAP.

    The mean cosine of two images of one identity is `separation` standard deviations of the cosines
    of strangers.
    """

    queries: int
    rows: int
    identities: int
    cameras: int
    separations: tuple[float, ...]  # for an mAP of about 0.6 and of about 0.06


SIZES = {
    "market1501": EvaluationSize(3368, 19732, 751, 6, (3.45, 1.78)),
    "msmt17": EvaluationSize(11659, 82161, 3060, 15, (3.83, 2.18)),
}


@dataclass(frozen=True, slots=True)
class EvaluationTiming:
    """Medians of several turns, each of the product and then of scoring."""

    mean_average_precision: float
    seconds: float
    product_seconds: float
    ratio: float  # of a turn's two times
    least_ratio: float
    greatest_ratio: float
    megabytes: float  # above the features, at most


def evaluation(
    size: EvaluationSize, width: int, separation: float, repeats: int, threads: int
) -> EvaluationTiming:
    """Measure `evaluate` on made-up features."""
    smaller = round(LARGE / (size.queries * size.rows * width))
    repeats *= min(max(1, smaller), MORE_OFTEN)
    context = multiprocessing.get_context("spawn")  # a fork would inherit the parent's peak
    with context.Pool(1) as pool:
        return pool.apply(_measure, (size, width, separation, repeats, threads))


def draw(size: EvaluationSize, width: int, separation: float) -> tuple[Embeddings, Embeddings]:
    """Query and gallery: an identity's centre with noise, both normal, in `width` dimensions."""
    random = torch.Generator().manual_seed(0)
    centres = torch.randn(size.identities, width, generator=random)
    # with noise of variance v the cosine within an identity is 1 / (1 + v) on average, and that of
    # strangers spreads by 1 / sqrt(width)
    noise = math.sqrt(max(0.0, math.sqrt(width) / separation - 1))

    def images(count: int) -> Embeddings:
        identities = torch.randint(size.identities, (count,), generator=random)
        features = torch.empty(count, width)
        for part, whose in zip(
            torch.split(features, PIECE), torch.split(identities, PIECE), strict=True
        ):
            part.normal_(generator=random).mul_(noise).add_(centres[whose])
        cameras = torch.randint(size.cameras, (count,), generator=random)
        return Embeddings(features, identities, cameras)

    return images(size.queries), images(size.rows)


def product(query: Tensor, gallery: Tensor, buffer: Tensor) -> None:
    """Every distance's product, into a buffer: (Q, D), (G, D), (CHUNK, G)."""
    for rows in torch.split(query, CHUNK):
        torch.mm(rows, gallery.T, out=buffer[: len(rows)])


def _measure(
    size: EvaluationSize, width: int, separation: float, repeats: int, threads: int
) -> EvaluationTiming:
    torch.set_num_threads(threads)
    small = EvaluationSize(8, 16, 2, 2, ())
    evaluate(*draw(small, width, separation))  # loads what is loaded once
    query, gallery = draw(size, width, separation)
    before = peak()
    ranking = evaluate(query, gallery)
    kilobytes = peak() - before
    buffer = torch.empty(CHUNK, size.rows)
    ours, bare = [], []
    for _ in range(repeats):
        began = time.perf_counter()
        product(query.features, gallery.features, buffer)
        middle = time.perf_counter()
        evaluate(query, gallery)
        bare.append(middle - began)
        ours.append(time.perf_counter() - middle)
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    return EvaluationTiming(
        mean_average_precision=ranking.mAP,
        seconds=statistics.median(ours),
        product_seconds=statistics.median(bare),
        ratio=statistics.median(ratios),
        least_ratio=min(ratios),
        greatest_ratio=max(ratios),
        megabytes=kilobytes * 1024 / 1e6,
    )
