"""Records of VehicleID: three tests of ten draws each."""

from tests.support.records import draw, queries_of, record, write, write_per_query

TESTS = ("test800", "test1600", "test2400")
OFFSETS = (0.02, -0.02, 0.01, -0.01, 0, 0, 0, 0, 0, 0)  # of ten draws, from their mean


def scored(runs, made, accuracy, **fields):
    """A record whose three tests have mAP `accuracy`, 5 points less and 10 less; R1 is 10 lower."""
    evaluations = {
        name: [draw(mean + shift, mean - 0.1 + 2 * shift) for shift in OFFSETS]
        for name, mean in zip(TESTS, (accuracy, accuracy - 0.05, accuracy - 0.1), strict=True)
    }
    result = {"steps": 60, "model": "ab", "evaluations": evaluations}
    folder = write(runs, record(made, result=result, **fields))
    by_query = {
        name: [queries(one, number) for number, one in enumerate(draws)]
        for name, draws in evaluations.items()
    }
    write_per_query(folder, by_query)
    return made


def queries(scores, number):
    """One draw of ten vehicles with 150 images, of which a third is in the gallery."""
    names = [f"image/{image}.jpg" for image in range(1500) if image % 3 != number % 3]
    return queries_of(scores, names=names)
