"""`kdreid score`: finished networks by other rules than the tables', which stay as they are.

Other rules are another distance, the other way of counting ties, a flip test and re-ranking. A
run's data is known by its fingerprint: other images, even of the same name, are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from harness.core.errors import SetupError, UsageError, did_you_mean
from harness.core.session import RunContext
from harness.data.dataset import QueryGallerySplit
from harness.data.images import OpenedDataset
from harness.evaluation.metrics import (
    METRICS,
    TIES,
    Embeddings,
    RetrievalScores,
    concatenate,
    evaluate,
    rank_distances,
)
from harness.evaluation.reranking import RerankingOptions, memory_available, memory_required, rerank
from harness.evaluation.scoring import extract_features, summarise, take, with_labels
from harness.planning.reopen import open_own
from harness.runs.lookup import resolve_specs
from harness.runs.record import read_record
from harness.runs.spec import RunSpec
from harness.training.networks import load_network

GIGA = 1e9  # bytes


@dataclass(frozen=True, slots=True)
class ScoringOptions:
    """How to score; the defaults are the tables' rules.

    Raises:
        UsageError: a word is unknown.
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
        words = [self.metric, f"{self.ties} ties"]
        if self.flip:
            words.append("flip test")
        if self.reranking:
            settings = self.reranking
            words.append(
                f"re-ranked (k1 {settings.k1}, k2 {settings.k2}, lambda {settings.lambda_})"
            )
        return ", ".join(words)


def rescore_runs(
    handles: Sequence[str], rules: ScoringOptions, context: RunContext, data_root: Path | None
) -> list[dict[str, Any]]:
    """Score finished runs by `rules` and change no file.

    Args:
        handles: Names of the runs, as `harness.runs.lookup` resolves them.
        rules: Rules of scoring.
        context: Runs folder, device and reporter.
        data_root: Folder that contains the dataset; None: where it was in training.

    Returns:
        For each run and evaluation `key`, `evaluation`, `rules` as text, and `scores` and
        `recorded`: the new scores of each draw and those in the run's record.

    Raises:
        UsageError: A handle names no run, or several.
        SetupError: A run is not done, its files or data are missing, or memory is short.
    """
    rows = []
    for spec in resolve_specs(handles, context.runs):
        if context.device.type == "cpu" and spec.threads:
            torch.set_num_threads(spec.threads)  # as when it was scored: the same last bits
        data = open_own(spec, data_root, context)
        recorded = read_record(context.runs, spec)["result"]["evaluations"]
        for name, scores in _score(spec, data, rules, context).items():
            row = {"key": spec.key, "evaluation": name, "rules": str(rules), "scores": scores}
            rows.append(row | {"recorded": recorded[name]})
    return rows


def _score(
    spec: RunSpec, data: OpenedDataset, rules: ScoringOptions, context: RunContext
) -> dict[str, list[dict[str, Any]]]:
    """All scores by evaluation and draw."""
    network = load_network(spec, data, context)
    dataset = data.dataset
    if rules.reranking:
        draws = [draw for several in dataset.test_splits.values() for draw in several]
        _require_memory(draws, network.widths.embedding, rules.reranking, context)
    with context.reporter.task(f"scoring {spec.name}"):
        features = extract_features(network, data.test, context.device, flip=rules.flip)
        everything = with_labels(features, dataset)
        return {
            name: [
                summarise(
                    rank_with(take(everything, draw.query), take(everything, draw.gallery), rules)
                )
                for draw in draws
            ]
            for name, draws in dataset.test_splits.items()
        }


def _require_memory(
    draws: Sequence[QueryGallerySplit], width: int, settings: RerankingOptions, context: RunContext
) -> None:
    """Announce what re-ranking the largest draw takes.

    Raises:
        SetupError: that is more than there is.
    """
    sizes = {(len(draw.query), len(draw.gallery)) for draw in draws}
    needed, (queries, rows) = max((memory_required(*size, width, settings), size) for size in sizes)
    text = f"Re-ranking of {queries:,} x {rows:,} needs up to {needed / GIGA:.1f} GB"
    free = memory_available(context.device)
    if free is not None and needed > free:
        raise SetupError(
            f"{text}, but only {free / GIGA:.1f} GB are free on {context.device}. "
            "Free some, use a smaller --k1, or score without --rerank."
        )
    context.reporter.info(f"{text}." if free is None else f"{text}; {free / GIGA:.1f} GB are free.")


def rank_with(query: Embeddings, gallery: Embeddings, rules: ScoringOptions) -> RetrievalScores:
    """Rank the gallery for every query by `rules`; the features are what a flip test made of them.

    Re-ranking takes unit features for the metric `cosine`, as its authors do.
    """
    if rules.reranking is None:
        return evaluate(query, gallery, metric=rules.metric, ties=rules.ties)
    sets = [query.features.float(), gallery.features.float()]
    if rules.metric == "cosine":
        sets = [F.normalize(features, dim=1) for features in sets]
    first, parts = 0, []
    for block in rerank(sets[0], sets[1], rules.reranking):
        part = slice(first, first + len(block))
        some = Embeddings(query.features[part], query.identities[part], query.cameras[part])
        parts.append(rank_distances(block, some, gallery, ties=rules.ties))
        first += len(block)
    return concatenate(parts)
