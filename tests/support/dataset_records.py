"""Records of the same methods on several datasets, with gains of the test's choice."""

from tests.support.records import done, spec

JITTER = (0.0, 0.002, -0.001)  # of a run in mAP, other for each method
FOUR = ("market1501", "dukemtmc", "msmt17", "veri776")


def dataset_of(runs, dataset, gains, seeds=(0, 1, 2), notes=(), big="resnet101", **fields):
    """Plain students at 40 % mAP and methods above them by these gains."""
    teacher = done(runs, spec(network=big, dataset=dataset, **fields), 0.9, notes=notes)
    for number, (method, gain) in enumerate({"none": 0.0, **gains}.items()):
        teachers = [] if method == "none" else [teacher]
        for seed in seeds:
            accuracy = 0.4 + gain + JITTER[(seed + number) % 3]
            made = spec(method, seed, teachers, dataset=dataset, **fields)
            done(runs, made, accuracy, notes=notes)
    return teacher
