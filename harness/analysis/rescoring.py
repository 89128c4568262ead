"""`kdreid score`: finished networks by other rules than the tables', which stay as they are.

Other rules are another distance, the other way of counting ties, a flip test and re-ranking. A
run's data is known by its fingerprint: other images, even of the same name, are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
import typer
from torch.nn import functional as F

from harness.core.errors import SetupError, UsageError, nearest
from harness.core.files import read_json
from harness.data.dataset import Draw
from harness.data.datasets import Dataset, market1501
from harness.evaluation.metrics import (
    METRICS,
    TIES,
    Embeddings,
    Ranking,
    evaluate,
    join,
    rank_block,
)
from harness.evaluation.reranking import Reranking, available, memory, rerank
from harness.evaluation.scoring import RANKS, embed, label, select, summary, tie_notes
from harness.planning.datasets import GENERATED, find_dataset, open_data
from harness.planning.schema import load_dataset
from harness.runs.record import RECORD, folders
from harness.runs.spec import RunSpec
from harness.training.cohort import Data, Session, load_network

GIGA = 1e9  # bytes


@dataclass(frozen=True, slots=True)
class Rules:
    """How to score; the defaults are the tables' rules.

    Raises:
        UsageError: a word is unknown.
    """

    metric: str = "cosine"
    ties: str = "pessimistic"
    flip: bool = False
    reranking: Reranking | None = None

    def __post_init__(self) -> None:
        for option, word, known in (("metric", self.metric, METRICS), ("ties", self.ties, TIES)):
            if word not in known:
                raise UsageError(f"--{option} is {word!r}.{nearest(word, known)}")

    def __str__(self) -> str:
        words = [self.metric, f"{self.ties} ties"]
        if self.flip:
            words.append("flip test")
        if self.reranking:
            settings = self.reranking
            words.append(
                f"re-ranked (k1 {settings.k1}, k2 {settings.k2}, lambda {settings.original})"
            )
        return ", ".join(words)


def score_runs(
    words: Sequence[str], rules: Rules, session: Session, root: Path | None, *, as_json: bool
) -> None:
    """Score the named runs by `rules`, print the numbers and change nothing.

    Raises:
        UsageError: a word names no run or several.
        SetupError: a run is not done, its files or its data are not there, or memory is short.
    """
    specs = list(dict.fromkeys(find_run(session.runs, word) for word in words))
    rows = []
    for spec in specs:
        if session.device.type == "cpu" and spec.threads:
            torch.set_num_threads(spec.threads)  # as when it was scored: the same last bits
        data = open_own(spec, root, session)
        recorded = (read_json(session.runs / spec.key / RECORD) or {})["result"]["evaluations"]
        for name, draws in _score(spec, data, rules, session).items():
            rows.append(
                {
                    "key": spec.key,
                    "evaluation": name,
                    "rules": str(rules),
                    "scores": draws,
                    "recorded": recorded[name],
                }
            )
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        _print(rows, rules)


def find_run(runs: Path, word: str) -> RunSpec:
    """The finished run whose key, or a part of whose digest, is `word`.

    Raises:
        UsageError: there is none, or there are several.
        SetupError: it is not done, or another version of this program made it.
    """
    if not runs.is_dir():
        raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")
    keys = [folder.relative_to(runs).as_posix() for folder in folders(runs)]
    word = word.rstrip("/")
    found = [key for key in keys if key == word]
    found = found or [key for key in keys if word and word in key.rpartition("-")[2]]
    if not found:
        raise UsageError(
            f"No run in {runs} has the key {word!r} or a digest with it."
            f"{nearest(word, keys) if keys else ' There are no runs.'}"
        )
    if len(found) > 1:
        raise UsageError(f"{word!r} may be any of {', '.join(found)}. Give more of its digest.")
    record = read_json(runs / found[0] / RECORD)
    if record is None:
        raise SetupError(
            f"{found[0]} is not done. Run it first; kdreid status tells how it stands."
        )
    try:
        spec = RunSpec.from_json(record["spec"])
    except (KeyError, ValueError) as error:
        raise SetupError(
            f"{found[0]} was made by another version of this program: {error}. "
            "Score it with that version, or run it again."
        ) from error
    return spec


def open_own(spec: RunSpec, root: Path | None, session: Session) -> Data:
    """The run's own data: from `root`, or where its dataset's file or the environment says.

    Raises:
        SetupError: it is not there, or is not the data of the run.
    """
    file = load_dataset(spec.dataset)
    if file.loader == GENERATED:
        found = list(_generated(spec.dataset, root, session.runs / "data"))
    else:
        found = [find_dataset(spec.dataset, file, root)]
    for dataset in found:
        if dataset.fingerprint == spec.fingerprint:
            return open_data(dataset, spec.recipe, session.runs, session.workers, session.reporter)
    where = ", ".join(f"{d.root} ({d.fingerprint})" for d in found) or "nothing"
    raise SetupError(
        f"The data of {spec.key} has the fingerprint {spec.fingerprint}; found {where}. "
        "Say where its data is with --data-root DIR."
    )


def _generated(name: str, root: Path | None, drawn: Path) -> Iterator[Dataset]:
    """The images in `root`; without it, all that were ever drawn for this runs folder."""
    for place in [root] if root else sorted(drawn.glob(f"{GENERATED}-*")):
        with suppress(SetupError):  # not, or only half, drawn
            yield market1501.load_folders(name, place, market1501.FOLDERS, market1501.NAME)


def _score(
    spec: RunSpec, data: Data, rules: Rules, session: Session
) -> dict[str, list[dict[str, Any]]]:
    """All scores by evaluation and draw."""
    network = load_network(spec, data, session)
    dataset = data.dataset
    if rules.reranking:
        draws = [draw for several in dataset.evaluations.values() for draw in several]
        _require_memory(draws, network.widths.embedding, rules.reranking, session)
    with session.reporter.task(f"scoring {spec.name}"):
        features = embed(network, data.test, session.device, flip=rules.flip)
        everything = label(features, dataset)
        return {
            name: [
                summary(
                    rank(select(everything, draw.query), select(everything, draw.gallery), rules)
                )
                for draw in draws
            ]
            for name, draws in dataset.evaluations.items()
        }


def _require_memory(
    draws: Sequence[Draw], width: int, settings: Reranking, session: Session
) -> None:
    """Announce what re-ranking the largest draw takes.

    Raises:
        SetupError: that is more than there is.
    """
    sizes = {(len(draw.query), len(draw.gallery)) for draw in draws}
    needed, (queries, rows) = max((memory(*size, width, settings), size) for size in sizes)
    text = f"Re-ranking of {queries:,} x {rows:,} needs up to {needed / GIGA:.1f} GB"
    free = available(session.device)
    if free is not None and needed > free:
        raise SetupError(
            f"{text}, but only {free / GIGA:.1f} GB are free on {session.device}. "
            "Free some, use a smaller --k1, or score without --rerank."
        )
    session.reporter.say(f"{text}." if free is None else f"{text}; {free / GIGA:.1f} GB are free.")


def rank(query: Embeddings, gallery: Embeddings, rules: Rules) -> Ranking:
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
        parts.append(rank_block(block, some, gallery, ties=rules.ties))
        first += len(block)
    return join(parts)


def _print(rows: Sequence[dict[str, Any]], rules: Rules) -> None:
    """Every run's scores, what its record has beneath, each the mean over the draws."""
    typer.echo(f"Outside the tables, no record changes: {rules}.")
    names = ["mAP", *(f"R{rank}" for rank in RANKS), "mINP"]
    for row in rows:
        count = len(row["scores"])
        draws = f", mean of {count} draws" if count > 1 else ""
        typer.echo(f"{row['key']} ({row['evaluation']}{draws})")
        typer.echo(f"  {'':<16}" + "".join(f"{name:>8}" for name in names))
        for title, several in (("so scored", row["scores"]), ("in its record", row["recorded"])):
            means = [fmean(_numbers(draw)[name] for draw in several) for name in names]
            typer.echo(f"  {title:<16}" + "".join(f"{100 * mean:>8.2f}" for mean in means))
        for note in tie_notes(row["key"], {row["evaluation"]: row["scores"]}):
            typer.echo(f"  {note}")


def _numbers(draw: dict[str, Any]) -> dict[str, float]:
    ranks = {f"R{rank}": draw["cmc"][str(rank)] for rank in RANKS}
    return {"mAP": draw["mAP"], **ranks, "mINP": draw["mINP"]}
