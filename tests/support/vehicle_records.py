"""Runs as VRKD's tables want them, with numbers of the test's choice."""

from results.published import load_published
from tests.support.records import draw, record, spec, write

VRKD = load_published().papers[1]
KINDS = ("hap", "vap", "dap", "aap")
OWN = {"sampling": "images", "triplet_weight": 0, "pretrained": "imagenet", "label_smoothing": 0.1}
QUERIES = {"test800": 5693, "test1600": 11777, "test2400": 17377}  # of the released lists


def fields(dataset="veri776", size=256, last_stride=2, **recipe):
    """The fields that all runs of one setting share; by default the paper's recipe."""
    stated = VRKD.protocols["veri776"].recipe | OWN
    shape = {"height": size, "width": size, "last_stride": last_stride}
    lists = {name: list(v) if isinstance(v, tuple) else v for name, v in stated.items()}
    return {"dataset": dataset, "head": "fc256", "recipe": lists | shape | recipe}


def put(runs, made, *scores, counts=(11_460_000, 3_990_000_000), **more):
    """One finished run: mAP and R1 on VeRi-776, or mAP on each of VehicleID's tests."""
    if made["dataset"] == "vehicleid":
        evaluations = {
            name: [draw(accuracy, accuracy - 0.1) | {"queries": QUERIES[name]}] * 10
            for name, accuracy in zip(QUERIES, scores, strict=True)
        }
    else:
        evaluations = {"test": [draw(*scores) | {"queries": 1678}]}
    result = {"steps": 60, "model": "ab", "evaluations": evaluations}
    operations = dict(zip(("parameters", "macs_with_rest"), counts, strict=True)) if counts else {}
    write(runs, record(made, result=result, operations=operations, **more))
    return made


def teachers(runs, **shared):
    scores = (0.9, 0.88, 0.86) if shared["dataset"] == "vehicleid" else (0.8, 0.9)
    return [put(runs, spec(network=f"resnet18-{kind}", **shared), *scores) for kind in KINDS]


NEAR = ((0.744, 0.945), (0.748, 0.947), (0.746, 0.946))  # of 74.67 and 94.52


def pair(runs, seeds=3, network="resnet18", **options):
    """Put VRKD's students and undistilled ones of the same seeds, 6 points of mAP below them."""
    shared = fields(**options)
    taught = teachers(runs, **fields(**options | {"last_stride": 1}))
    for seed, (accuracy, first) in enumerate(NEAR[:seeds]):
        put(runs, spec(seed=seed, network=network, **shared), accuracy - 0.06, first - 0.02)
        put(runs, spec("vrkd", seed, taught, network=network, **shared), accuracy, first)
