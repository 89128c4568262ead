import pytest

from methods import EXTRA_METHODS, METHODS
from results.published import load_published

ORDER = ["fitnet", "at", "ft", "cckd", "sp", "vid", "rkd", "pkt", "kdpe", "csd", "pdrd"]


TESTS = ("veri776", "vehicleid test800", "vehicleid test1600", "vehicleid test2400")


def source(name):
    (paper,) = [source for source in load_published().papers if source.name == name]
    return paper


@pytest.fixture(scope="module")
def tables():
    return {table.number: table for table in source("pdrd").tables}


@pytest.fixture(scope="module")
def networks():
    return {table.number: table for table in source("vrkd").networks}


def network_row(table, **fields):
    (paper,) = [
        row
        for row in table.rows
        if all(getattr(row, name) == value for name, value in fields.items())
    ]
    return paper


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


def test_the_recipes_are_the_papers():
    protocols = source("pdrd").protocols
    person, vehicle = protocols["market1501"].recipe, protocols["veri776"].recipe
    assert (person["height"], person["width"], person["epochs"]) == (256, 128, 150)
    assert (vehicle["height"], vehicle["width"], vehicle["epochs"]) == (256, 256, 120)
    assert person["identities"] * person["images_each"] == 96
    assert person["last_stride"] == vehicle["last_stride"] == 1
    assert protocols["msmt17"].recipe == protocols["dukemtmc"].recipe == person
    steps = source("vrkd").protocols["vehicleid"].recipe
    assert (steps["milestones"], steps["batch"], steps["epochs"]) == ((60, 90, 110), 256, 120)


def test_what_the_papers_do_not_state_is_null():
    for paper in load_published().papers:
        assert paper.seeds is None
        for protocol in paper.protocols.values():
            assert (protocol.version, protocol.reranking, protocol.checkpoint) == (None,) * 3
            assert protocol.metric == "cosine"


def test_the_data_of_the_papers():
    assert source("pdrd").protocols["msmt17"].queries == {"test": 11659}
    assert source("pdrd").protocols["market1501"].train_images == 12936
    vehicles = source("vrkd").protocols["vehicleid"]
    assert vehicles.draws == {"test800": 10, "test1600": 10, "test2400": 10}
    assert sum(vehicles.queries.values()) == 6532 + 11395 + 17638
    for name in ("pdrd", "vrkd"):  # all copies have 32 images more than the papers print
        data = source(name).protocols["veri776"]
        assert (data.train_images, data.misprints) == (37746, {"train_images": 37778})


def test_every_row_is_of_a_known_method_or_cited():
    known = {*METHODS, *EXTRA_METHODS, "none", "teacher"}
    for paper in load_published().papers:
        for table in (*paper.tables, *paper.networks):
            for row in table.rows:
                assert row.cited == (row.method not in known), row


def test_recipes_have_fields_of_the_harness():
    from dataclasses import fields

    from harness.runs.spec import Recipe

    known = {field.name for field in fields(Recipe)}
    for paper in load_published().papers:
        for protocol in paper.protocols.values():
            Recipe(**protocol.recipe | {"images_each": 6, "identities": 16})
            assert set(protocol.recipe) <= known


def test_networks_are_in_the_catalogue():
    from harness.models import ENSEMBLES, NETWORKS

    for paper in load_published().papers:
        for table in paper.networks:
            assert table.teacher in (ENSEMBLES["resnet18-directional"], ())
            assert {row.network for row in table.rows} <= {None, *NETWORKS}


@pytest.mark.parametrize(
    ("number", "fields", "scores"),
    [
        (1, {"label": "XGAN"}, [(24.65, 60.20), (None, 52.89)]),
        (1, {"label": "VAMI"}, [(50.13, 77.03), (None, 63.12), (None, 52.87), (None, 47.34)]),
        (
            1,
            {"model": "1 SDC-CNN", "label_smoothing": False},
            [(69.59, 93.44), (83.77, 76.89), (80.08, 73.40), (76.64, 69.75)],
        ),
        (
            1,
            {"network": "resnet18", "size": 256, "last_stride": 1},
            [(76.12, 95.65), (87.68, 81.77), (83.52, 77.23), (81.13, 74.73)],
        ),
        (1, {"label": "PartReg", "size": 512}, [(74.3, 94.3)]),
        (
            2,
            {"network": "resnet50"},
            [(73.98, 95.05), (87.36, 81.31), (83.50, 77.27), (80.94, 74.35)],
        ),
        (
            3,
            {"network": "densenet121", "method": "vrkd"},
            [(65.22, 90.11), (84.67, 78.00), (80.67, 74.19), (78.03, 71.94)],
        ),
    ],
)
def test_printed_numbers_of_networks(networks, number, fields, scores):
    row = network_row(networks[number], **fields)
    assert [row.scores[name] for name in TESTS if name in row.scores] == scores


def test_every_network_row_is_there(networks):
    assert {number: len(table.rows) for number, table in networks.items()} == {1: 21, 2: 3, 3: 10}
    assert sum(row.method == "vrkd" for row in networks[1].rows) == 9
    own = [row for table in networks.values() for row in table.rows if not row.cited]
    assert all(tuple(row.scores) == TESTS for row in own)
    assert all(None not in pair for row in own for pair in row.scores.values())


def test_each_size_of_a_network_is_listed_once(networks):
    rows = load_published().network_sizes()
    sizes = {(row.network, row.size, row.last_stride) for row in rows}
    assert len(rows) == len(sizes) == 6
    assert sizes == {
        (row.network, row.size, row.last_stride) for row in networks[1].rows if not row.cited
    }


def test_differences_the_text_of_vrkd_states(networks):
    """Sections 3.3.1 and 3.4.1 give these in words: they check the digits of both rows."""
    compared, role = networks[1], networks[3]
    plain = {"label_smoothing": False}
    cnn, sdc = (
        network_row(compared, network=n, **plain) for n in ("cnn5", "sdc-cnn-reconstructed")
    )
    resnet = network_row(compared, network="resnet18", size=256, **plain)
    cited = {row.label: row for row in compared.rows if row.cited and row.size != 512}

    def veri(row, place=0):
        return row.scores["veri776"][place]

    assert veri(cnn, 1) - veri(cited["VAMI"], 1) == pytest.approx(6.16)
    assert veri(sdc) - veri(cited["JQD3Ns"]) == pytest.approx(8.29)
    assert 1 - sdc.operations / cited["JQD3Ns"].operations == pytest.approx(0.750, abs=5e-4)
    assert 1 - sdc.parameters / cited["JQD3Ns"].parameters == pytest.approx(0.755, abs=5e-4)
    assert veri(resnet) - veri(cited["PartReg"]) == pytest.approx(4.20)
    assert 1 - resnet.parameters / cited["PartReg"].parameters == pytest.approx(0.6033, abs=2e-4)
    assert 1 - resnet.operations / cited["PartReg"].operations == pytest.approx(0.511, abs=5e-4)
    for network, gains in (("cnn5", (10.04, 4.24)), ("densenet121", (10.96, 4.47))):
        pair = [network_row(role, network=network, method=m) for m in ("vrkd", "none")]
        assert [veri(pair[0], i) - veri(pair[1], i) for i in (0, 1)] == pytest.approx(gains)


def test_tables_of_vrkd_repeat_each_other(networks):
    for row in networks[2].rows:
        assert network_row(networks[3], network=row.network, method="none").scores == row.scores
    for network in ("cnn5", "sdc-cnn-reconstructed"):
        first = network_row(networks[1], network=network, label_smoothing=True)
        assert network_row(networks[3], network=network, method="vrkd").scores == first.scores
    first = network_row(
        networks[1], network="resnet18", size=256, last_stride=2, label_smoothing=True
    )
    third = network_row(networks[3], network="resnet18", method="vrkd")
    assert (first.scores["veri776"][0], third.scores["veri776"][0]) == (74.48, 74.67)
    for number in (1, 3):  # the one row that does not, which has a note
        assert any("74.67" in note and "74.48" in note for note in networks[number].notes)


def test_vehicleid_maps_lie_above_its_r1(networks):
    """With one gallery image per vehicle mAP exceeds R1; on VeRi-776 it is far below."""
    for table in networks.values():
        for row in table.rows:
            pairs = [(n, pair) for n, pair in row.scores.items() if None not in pair]
            assert all((accuracy > first) == (n != "veri776") for n, (accuracy, first) in pairs)


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
  networks:
  - number: 2
    kind: models
    title: T
    teacher: [c]
    rows:
    - {method: vrkd, label: V, model: M, network: n, size: 64, last_stride: null,
       label_smoothing: true, triplet: false, scores: {veri776: [50, null]}}
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
        ("network: n,", "", "V: a row either is cited or has a network"),
        ("last_stride: null", "last_stride: 3", r"networks\[0\].rows\[0\].last_stride"),
        ("{veri776: [50, null]}", "{veri: [50, null]}", "networks.*veri"),
        ("size: 64", "size: 64, sice: 64", "sice"),
        ("protocols: {}", "protocols: {market1501: {recipe: {}}}", "market1501.reranking"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ValueError, match=message) as caught:
        load_published(path)
    assert str(path) in str(caught.value)
