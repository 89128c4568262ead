"""Runs folders as the harness leaves them, with numbers of the test's choice."""

import json
from contextlib import suppress
from functools import cache

import numpy as np

from harness.runs.per_query import CMC_RANKS
from harness.runs.stored_spec import recorded_keys

RECIPE = {
    "epochs": 3,
    "warmup_epochs": 0,
    "hold_until": 2,
    "height": 64,
    "width": 32,
    "identities": 16,
    "precision": "fp32",
}
QUERIES = 1000  # of a run: R1 has three decimals
PAPER = {"authors": "A", "title": "T", "venue": "ICCV", "year": 2019, "url": "https://x.org"}


def spec(method="none", seed=0, teachers=(), recipe=None, options=None, **fields):
    made = {
        "dataset": "synthetic",
        "method": method,
        "network": "resnet18",
        "head": "bnneck",
        "seed": seed,
        "teachers": list(teachers),
        "recipe": RECIPE | (recipe or {}),
        "options": options or {},
        "fingerprint": "9f12",
        "weights": "none",
        "device": "cpu",
        "threads": 2,
        "source": f"code of {method}",
        "training_version": 1,
        **fields,
    }
    return {**made, "key": recorded_keys(made)[0]}


def draw(accuracy, first=None):
    first = round(min(1, accuracy + 0.2), 3) if first is None else first
    cmc = {"1": first, "5": first, "10": first, "20": 1.0}
    return {"mAP": accuracy, "mINP": accuracy / 2, "cmc": cmc, "queries": 100, "scored": 100}


def record(made, *draws, label=None, paper=None, notes=(), **fields):
    return {
        "format": 1,
        "key": made["key"],
        "spec": made,
        "label": label or made["method"].upper(),
        "result": {"steps": 60, "model": "ab", "evaluations": {"test": list(draws)}},
        "scoring_version": 1,
        "environment": {"commit": "ab"},
        "timings": {"train": 3.0},
        "paper": paper,
        "notes": list(notes),
        **fields,
    }


def write(runs, content, name="record.json"):
    """Write a file of a run; a record with queries that have its scores, if they can be had."""
    folder = runs / content["key"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content, sort_keys=True))  # as the harness does
    if name == "record.json":
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            write_scores(folder, content["result"]["evaluations"])
    return folder


def done(runs, made, accuracy, first=None, **fields):
    """A finished run; all its queries, 100 of each of ten identities, have the same precision."""
    scores = draw(accuracy, first)
    write(runs, record(made, scores, **fields))
    return made


def done_with_facts(runs, seconds, **environment):
    """A finished run with a teacher, a note and facts about its machine; its spec."""
    made = spec("pdrd", 1, [teacher_spec()])
    facts = {"commit": "abc", "dirty": True, "patch": "77", "torch": "2.15.0", "host": "node1"}
    content = record(
        made,
        draw(0.5),
        environment=facts | environment,
        teachers=["fe"],
        notes=["One."],
        timings={"training": seconds},
    )
    write(runs, content)
    return made


def done_by_query(runs, made, precision, identity, **fields):
    """A finished run of one evaluation with these precisions: (Q,), (Q,)."""
    columns = per_query(precision, identity)
    folder = write(runs, record(made, summary(columns), **fields))
    write_per_query(folder, {"test": [columns]})
    return made


@cache
def _query_names(count):
    return np.array([f"query/{number:05d}.jpg" for number in range(count)])


def queries_of(scores, count=QUERIES, names=None):
    """The columns of queries of ten identities that have the scores of `draw`."""
    identity = np.arange(count) * 10 // count
    return per_query(np.full(count, scores["mAP"]), identity, names, scores["cmc"]["1"])


def write_scores(folder, evaluations):
    """`per_query.npz` with queries that have these scores, draw by draw."""
    by_query = {name: [queries_of(one) for one in draws] for name, draws in evaluations.items()}
    write_per_query(folder, by_query)


def summary(columns):
    """The scores of one draw as the harness records them, from its columns."""
    ranks, matched = columns["first_rank"], ~np.isnan(columns["average_precision"])
    return {
        "mAP": float(columns["average_precision"][matched].mean()),
        "mINP": float(columns["inverse_negative_penalty"][matched].mean()),
        "cmc": {str(rank): float((ranks[matched] <= rank).mean()) for rank in CMC_RANKS},
        "queries": len(ranks),
        "scored": int(matched.sum()),
    }


def per_query(precision, identity, names=None, first=None):
    """The columns of one draw as a run writes them: (Q,), (Q,) -> arrays by column.

    The fraction `first` of the queries has a match at rank 1; without it, those whose precision is
    above one half. The first match of the others is at rank 11.
    """
    count = len(precision)
    hits = np.asarray(precision) > 0.5 if first is None else np.arange(count) < round(first * count)
    return {
        "query": np.array(names) if names else _query_names(count),
        "identity": np.asarray(identity),
        "camera": np.ones(count, dtype=np.int64),
        "average_precision": np.asarray(precision, dtype=np.float64),
        "inverse_negative_penalty": np.asarray(precision, dtype=np.float64) / 2,
        "first_rank": np.where(hits, 1, 11),
        "nearest": np.zeros((count, 10), dtype=np.int8),
    }


def write_per_query(folder, evaluations):
    """`per_query.npz` of draws by evaluation."""
    arrays = {
        f"{name}.{number}.{column}": values
        for name, draws in evaluations.items()
        for number, columns in enumerate(draws)
        for column, values in columns.items()
    }
    np.savez(folder / "per_query.npz", **arrays)


def failed(runs, made, kind="diverged", message="The loss is not finite."):
    content = {"key": made["key"], "spec": made, "kind": kind, "message": message, "attempt": 1}
    write(runs, content, "failure.json")
    return made


def teacher_spec(**fields):
    return spec(network="resnet101", **fields)


def study(runs, seeds=(0, 1, 2), dataset="synthetic", **fields):
    """Teacher at 60 % mAP; plain students at 40, 42, 44; PDRD at 50, 51, 55."""
    teacher = done(runs, teacher_spec(dataset=dataset, **fields), 0.60, 0.8)
    for seed in seeds:
        done(runs, spec(seed=seed, dataset=dataset, **fields), 0.40 + 0.02 * seed, label="Student")
        accuracy = (0.50, 0.51, 0.55)[seed]
        distilled = spec("pdrd", seed, [teacher], dataset=dataset, **fields)
        done(runs, distilled, accuracy, label="PDRD", paper=PAPER)
    return teacher


def texts(row):
    """A row as its format shows it: the text of each cell."""
    return tuple(cell.text for cell in row)


def cells(table, label):
    """The row called `label` as a mapping from column to the text of its cell."""
    return {column: cell.text for column, cell in whole_cells(table, label).items()}


def whole_cells(table, label):
    """The row called `label` as a mapping from column to cell."""
    (row,) = [row for row in table.rows if row[0].text == label]
    return dict(zip(table.columns, row, strict=True))
