import pytest

from results.published import load_published

ORDER = ["fitnet", "at", "ft", "cckd", "sp", "vid", "rkd", "pkt", "kdpe", "csd", "pdrd"]


@pytest.fixture(scope="module")
def tables():
    (source,) = load_published().sources
    return {table.number: table for table in source.tables}


@pytest.mark.parametrize(
    ("number", "dataset", "method", "accuracy", "first"),
    [
        (1, "dukemtmc", "teacher", 78.45, 88.82),
        (1, "dukemtmc", "none", 68.88, 82.94),
        (1, "veri776", "none", 73.84, 94.40),
        (1, "veri776", "pdrk", 76.88, 95.19),
        (1, "dukemtmc", "pdrd", 74.85, 86.22),
        (2, "market1501", "fitnet", 79.18, 92.10),
        (2, "market1501", "sp", 82.09, 92.73),
        (2, "market1501", "pdrd", 84.76, 93.62),
        (3, "dukemtmc", "at", 73.91, 86.27),
        (3, "dukemtmc", "pdrd", 75.63, 87.52),
        (4, "msmt17", "kdpe", 39.12, 66.87),
        (4, "msmt17", "pkt", 46.73, 72.17),
        (4, "msmt17", "pdrd", 47.99, 72.25),
        (5, "veri776", "umts", 75.9, 95.8),
        (5, "veri776", "cckd", 74.48, 95.23),
        (5, "veri776", "csd", 75.23, 95.17),
    ],
)
def test_printed_numbers(tables, number, dataset, method, accuracy, first):
    assert tables[number].row(method).scores[dataset] == (accuracy, first)


def test_every_row_is_there(tables):
    rows = {number: [row.method for row in table.rows] for number, table in tables.items()}
    assert rows == {
        1: ["teacher", "none", "pairwise", "pdrk", "pdrd"],
        2: ORDER,
        3: ORDER,
        4: ORDER,
        5: ["umts", *ORDER],
    }
    assert all(set(row.scores) == {"dukemtmc", "veri776"} for row in tables[1].rows)


def test_differences_the_text_of_the_paper_states(tables):
    """Section 4.4 gives these gaps in words: they check the digits of both rows."""

    def gap(number, dataset, first, second):
        pairs = (tables[number].row(name).scores[dataset] for name in (first, second))
        return tuple(round(a - b, 2) for a, b in zip(*pairs, strict=True))

    assert gap(1, "dukemtmc", "pdrk", "pairwise") == (2.13, 1.21)
    assert gap(1, "dukemtmc", "pdrd", "pdrk") == (0.52, 0.40)
    assert gap(1, "veri776", "pdrk", "pairwise") == (1.61, 0.67)
    assert gap(2, "market1501", "pdrd", "rkd") == (2.64, 1.19)
    assert gap(2, "market1501", "pdrd", "sp") == (2.67, 0.89)
    assert gap(3, "dukemtmc", "pdrd", "at") == (1.72, 1.25)
    assert gap(3, "dukemtmc", "pdrd", "pkt") == (3.19, 2.15)
    assert gap(4, "msmt17", "pdrd", "kdpe") == (8.87, 5.38)
    assert gap(4, "msmt17", "pdrd", "csd") == (3.93, 1.46)
    assert gap(5, "veri776", "pdrd", "sp") == (2.33, 0.71)


def test_sp_is_printed_twice(tables):
    for number, dataset in ((3, "dukemtmc"), (5, "veri776")):
        again = tables[1].row("pairwise").scores[dataset]
        assert tables[number].row("sp").scores[dataset] == again
        assert any("SP row equals" in note for note in tables[number].notes[dataset])


def test_references_and_networks(tables):
    assert [row.reference for row in tables[2].rows][:2] == ["2015 ICLR", "2017 ICLR"]
    assert tables[2].row("pkt").reference == "2021 IEEE TNNLS"
    assert tables[2].row("pdrd").reference == "Ours"
    assert tables[5].row("umts").student == "resnet50"
    assert (tables[5].teacher, tables[5].student) == ("resnet101", "resnet18")


def test_protocol():
    (source,) = load_published().sources
    assert source.seeds is None
    person, vehicle = source.protocols["market1501"], source.protocols["veri776"]
    assert (person["height"], person["width"], person["epochs"]) == (256, 128, 150)
    assert (vehicle["height"], vehicle["width"], vehicle["epochs"]) == (256, 256, 120)
    assert person["identities"] * person["images_each"] == 96
    assert source.protocols["msmt17"] == source.protocols["dukemtmc"] == person


GOOD = """
- name: x
  paper: {authors: A, title: T, venue: V, year: 2000, url: u}
  seeds: 3
  protocols: {}
  tables:
  - number: 1
    kind: comparison
    title: T
    teacher: a
    student: b
    rows:
    - {method: sp, label: SP, scores: {market1501: [50, 60]}}
"""


def test_another_paper_can_be_added(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(GOOD)
    published = load_published(path)
    assert [source.name for source, _ in published.tables("comparison", "market1501")] == ["x"]
    assert list(published.tables("comparison", "msmt17")) == []
    assert list(published.tables("ablation", "market1501")) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[50, 60]", "[50, 160]", r"\[0\].tables\[0\].rows\[0\].scores.market1501\[1\]"),
        ("[50, 60]", "[50]", "market1501"),
        ("seeds: 3", "seed: 3", "seed"),
        ("title: T\n", "titel: T\n", "titel"),
        ("kind: comparison", "kind: other", "kind"),
        ("    rows:", "    rows:\n    - {method: sp, label: S, scores: {}}", "sp more than once"),
        ("- name", "- [name", "is not YAML"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ValueError, match=message) as caught:
        load_published(path)
    assert str(path) in str(caught.value)
