"""Score finished runs by other rules than those of the tables (`kdreid score`).

The rules are the distance, the order of ties, a flip test and re-ranking. Records do not change. A
run's data is recognised by its fingerprint: other images, even of the same name, are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from harness.core.errors import SetupError, UsageError, did_you_mean
from harness.core.memory import memory_available
from harness.core.session import RunContext
from harness.data.dataset import QueryGallerySplit
from harness.data.images import OpenedDataset
from harness.evaluation.metrics import METRICS, TIES, evaluate, rank_distances
from harness.evaluation.reranking import RerankingOptions, memory_required, rerank
from harness.evaluation.retrieval_scores import Embeddings, RetrievalScores, concatenate
from harness.evaluation.scoring import extract_features, summarise, take, with_labels
from harness.planning.run_data import open_run_data
from harness.runs.layout import PER_QUERY, RECORD
from harness.runs.lookup import resolve_specs
from harness.runs.per_query import CMC_RANKS
from harness.runs.record import read_record
from harness.runs.scan import describe_error
from harness.runs.score_check import check_scores
from harness.runs.spec import RunSpec
from harness.training.networks import load_network

GIGABYTE = 1e9  # bytes


@dataclass(frozen=True, slots=True)
class ScoringOptions:
    """Rules of scoring; the defaults are those of the tables.

    Attributes:
        metric: Distance of features, "cosine" or "euclidean".
        ties: Order of gallery images at equal distance, "pessimistic" or "optimistic".
        flip: Whether to average the features of each image and its mirror image.
        reranking: Options of k-reciprocal re-ranking; None to rank by distance.

    Raises:
        UsageError: A metric or an order of ties is unknown.
    """

    metric: str = "cosine"
    ties: str = "pessimistic"
    flip: bool = False
    reranking: RerankingOptions | None = None

    def __post_init__(self) -> None:
        for option, word, known in (("metric", self.metric, METRICS), ("ties", self.ties, TIES)):
            if word not in known:
                raise UsageError(f"--{option} is {word!r}.{did_you_mean(word, known)}")

    def __str__(self) -> str:
        parts = [self.metric, f"{self.ties} ties"]
        if self.flip:
            parts.append("flip test")
        if self.reranking:
            k1, k2, lambda_ = self.reranking.k1, self.reranking.k2, self.reranking.lambda_
            parts.append(f"re-ranked (k1 {k1}, k2 {k2}, lambda {lambda_})")
        return ", ".join(parts)


def rescore_runs(
    handles: Sequence[str], options: ScoringOptions, context: RunContext, data_root: Path | None
) -> list[dict[str, Any]]:
    """Score finished runs; no record changes.

    Args:
        handles: Names of the runs, as `harness.runs.lookup` resolves them.
        options: Rules of scoring.
        context: The runs folder, the device and the reporter.
        data_root: Folder that contains the datasets; None to find them as in training.

    Returns:
        One row per run and evaluation: its `key`, `evaluation`, `rules` as text, and lists with the
        new `scores` of each split and the `recorded` ones.

    Raises:
        UsageError: A handle names no run, or several.
        SetupError: A run is not done, the scores in its record are not those of its queries, its
            weights or images are not found, or re-ranking needs more memory than is free.
    """
    rows = []
    for spec in resolve_specs(handles, context.runs):
        if context.device.type == "cpu" and spec.threads:
            torch.set_num_threads(spec.threads)  # the last bits depend on it
        data = open_run_data(spec, data_root, context)
        recorded = _recorded_scores(spec, data.dataset.test_splits, context.runs)
        for evaluation, scores in _score_run(spec, data, options, context).items():
            rows.append(
                {
                    "key": spec.key,
                    "evaluation": evaluation,
                    "rules": str(options),
                    "scores": scores,
                    "recorded": recorded[evaluation],
                }
            )
    return rows


def _recorded_scores(
    spec: RunSpec, evaluations: Iterable[str], runs: Path
) -> dict[str, list[dict[str, Any]]]:
    """Return the scores in a run's record by evaluation, which are those of its queries.

    Raises:
        SetupError: They are not, or a score or an evaluation is missing.
    """
    recorded: dict[str, list[dict[str, Any]]]
    recorded = read_record(runs, spec)["result"]["evaluations"]
    try:
        check_scores(runs / spec.key, recorded)
        for draw in (draw for name in evaluations for draw in recorded[name]):
            for rank in CMC_RANKS:  # a record may lack those that no table has
                float(draw["cmc"][str(rank)])
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise SetupError(
            f"{spec.key} cannot be compared with its record: {describe_error(error)}. Restore its "
            f"{RECORD} and {PER_QUERY} from a copy, or train it again."
        ) from error
    return recorded


def _score_run(
    spec: RunSpec, data: OpenedDataset, options: ScoringOptions, context: RunContext
) -> dict[str, list[dict[str, Any]]]:
    """Return the scores of every split by evaluation."""
    network = load_network(spec, data, context)
    dataset = data.dataset
    if options.reranking:
        all_splits = [split for splits in dataset.test_splits.values() for split in splits]
        _require_memory(all_splits, network.widths.embedding, options.reranking, context)
    with context.reporter.task(f"scoring {spec.name}"):
        features = extract_features(network, data.test, context.device, flip=options.flip)
        embeddings = with_labels(features, dataset)
        return {
            evaluation: [
                summarise(
                    rank_with(
                        take(embeddings, split.query), take(embeddings, split.gallery), options
                    )
                )
                for split in splits
            ]
            for evaluation, splits in dataset.test_splits.items()
        }


def _require_memory(
    splits: Sequence[QueryGallerySplit], width: int, options: RerankingOptions, context: RunContext
) -> None:
    """Report the memory that re-ranking the largest split needs.

    Raises:
        SetupError: Less memory is free.
    """
    sizes = {(len(split.query), len(split.gallery)) for split in splits}
    needed, (queries, rows) = max((memory_required(*size, width, options), size) for size in sizes)
    text = f"Re-ranking of {queries:,} x {rows:,} needs up to {needed / GIGABYTE:.1f} GB"
    free = memory_available(context.device)
    if free is None:
        context.reporter.info(f"{text}.")
        return
    if needed > free:
        raise SetupError(
            f"{text}, but only {free / GIGABYTE:.1f} GB are free on {context.device}. "
            "Free some memory, use a smaller --k1, or score without --rerank."
        )
    context.reporter.info(f"{text}; {free / GIGABYTE:.1f} GB are free.")


def rank_with(query: Embeddings, gallery: Embeddings, options: ScoringOptions) -> RetrievalScores:
    """Rank the gallery for every query.

    Re-ranking with the metric "cosine" takes unit features, as its authors do.

    Args:
        query: Embeddings of the queries, (Q, D), after the flip test if there is one.
        gallery: Those of the gallery, (G, D).
        options: Metric, order of ties and re-ranking.
    """
    if options.reranking is None:
        return evaluate(query, gallery, metric=options.metric, ties=options.ties)
    query_features, gallery_features = query.features.float(), gallery.features.float()
    if options.metric == "cosine":
        query_features = F.normalize(query_features, dim=1)
        gallery_features = F.normalize(gallery_features, dim=1)
    parts, start = [], 0
    for distances in rerank(query_features, gallery_features, options.reranking):
        rows = slice(start, start + len(distances))
        block = Embeddings(query.features[rows], query.identities[rows], query.cameras[rows])
        parts.append(rank_distances(distances, block, gallery, ties=options.ties))
        start += len(distances)
    return concatenate(parts)
