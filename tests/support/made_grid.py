"""A finished grid of made records: methods, datasets and seeds with effects that a paper prints.

The mean of a row is the mAP that PDRD prints (2024, Tables 2 to 5; its undistilled student from
Table 1); seeds, and queries under every seed of a row, have noise of a known size.
"""

from functools import cache

import numpy as np

from harness.runs.layout import PER_QUERY
from results.published import load_published
from tests.support.records import per_query, record, spec, summary, write, write_per_query

# By dataset the identities and queries of its test set.
SIZES = {
    "market1501": (750, 3368),
    "dukemtmc": (702, 2228),
    "msmt17": (3060, 11659),
    "veri776": (200, 1678),
}
# Undistilled student and teacher where PDRD's Table 1 has none: mAP and R1.
STUDENT = {"market1501": (78.5, 91.5), "msmt17": (39.9, 67.4)}
TEACHER = {"market1501": (86.8, 94.5), "msmt17": (59.0, 81.0)}
SEED_SD = 0.45  # points of mAP, between seeds of a row
QUERY_SD = 0.08  # of a query's precision, between rows
METHODS = ["fitnet", "at", "ft", "cckd", "sp", "vid", "rkd", "pkt", "kdpe", "csd", "vrkd", "pdrd"]
LABELS = {name: name.upper() for name in METHODS} | {"fitnet": "FitNet", "none": "Student"}
RECIPE = {"height": 256, "width": 128, "epochs": 150, "identities": 16}


@cache
def printed(dataset):
    """The mAP and R1 of each method that PDRD prints on a dataset, in percent."""
    values = {"none": STUDENT.get(dataset), "teacher": TEACHER.get(dataset)}
    for paper in load_published().papers:
        for table in paper.tables:
            for row in table.rows:
                if paper.name == "pdrd" and dataset in row.scores:
                    values[row.method] = row.scores[dataset]
    known = [value for name, value in values.items() if name in METHODS and value]
    usual = tuple(np.mean(known, axis=0))
    return {name: values.get(name) or usual for name in ("none", "teacher", *METHODS)}


def run(runs, made, scores, random, base, **fields):
    """One finished run with this mAP and R1 in percent; `base` orders its queries, (Q,)."""
    identities, queries = SIZES[made["dataset"]]
    precision = np.clip(base + random.normal(0, 0.02, queries), 0, 1)
    for _ in range(20):  # clipping moves the mean
        precision = np.clip(precision + scores[0] / 100 - precision.mean(), 0, 1)
    columns = per_query(precision, np.arange(queries) * identities // queries)
    order = np.argsort(-precision - random.normal(0, 0.02, queries))
    columns["first_rank"] = np.full(queries, 11)
    columns["first_rank"][order[: round(scores[1] / 100 * queries)]] = 1
    folder = write(runs, record(made, summary(columns), **fields))
    write_per_query(folder, {"test": [columns]})
    return made


def write_grid(runs, datasets=tuple(SIZES), seeds=(0, 1, 2), methods=METHODS, seed=0):
    """Write the grid; return the specs by dataset, method and seed."""
    made = {}
    for dataset in datasets:
        random = np.random.default_rng([seed, *dataset.encode()])
        identities, queries = SIZES[dataset]
        place = np.arange(queries) * identities // queries
        level = random.normal(0, 0.25, identities)[place] + random.normal(0, 0.1, queries)
        recipe = RECIPE | ({"height": 256, "width": 256} if dataset == "veri776" else {})
        teacher = spec(network="resnet101", dataset=dataset, recipe=recipe)
        run(runs, teacher, printed(dataset)["teacher"], random, level)
        for method in ("none", *methods):
            of_row = random.normal(0, QUERY_SD, queries)
            shift = 100 * of_row.mean()
            for number in seeds:
                teachers = [] if method == "none" else [teacher]
                one = spec(method, number, teachers, dataset=dataset, recipe=recipe)
                noise = shift + random.normal(0, SEED_SD)
                scores = (printed(dataset)[method][0] + noise, printed(dataset)[method][1] + noise)
                run(runs, one, scores, random, level + of_row, label=LABELS[method])
                made[dataset, method, number] = one
    return made


def drop(runs, made):
    """Remove the result of a run."""
    for name in ("record.json", PER_QUERY):
        (runs / made["key"] / name).unlink()
