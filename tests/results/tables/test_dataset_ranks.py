"""The datasets that count, and the ranks on them."""

import numpy as np
import pytest

from results.collect import collect_runs
from results.statistics.critical_difference import critical_difference
from results.tables.dataset_ranks import rank_across_datasets
from tests.support.dataset_records import FOUR, dataset_of
from tests.support.records import done, spec


def pairs(runs):
    labels = {"at": "AT", "sp": "SP", "pdrd": "PDRD"}  # also the order of the methods
    return rank_across_datasets(collect_runs(runs, labels)[0])


def only(rankings):
    (one,) = rankings
    return one


def test_ranks_by_hand(tmp_path):
    dataset_of(tmp_path, "market1501", {"sp": 0.1, "at": 0.2, "pdrd": 0.3})
    dataset_of(tmp_path, "veri776", {"sp": 0.3, "at": 0.1, "pdrd": 0.2})
    ranking = only(pairs(tmp_path))
    assert (ranking.teacher, ranking.network, ranking.excluded) == ("resnet101", "resnet18", ())
    market, veri = ranking.rankings
    assert (market.name, veri.name) == ("Market-1501", "VeRi-776")
    assert market.ranks == {("at", "AT"): 2, ("sp", "SP"): 3, ("pdrd", "PDRD"): 1}
    assert veri.ranks == {("at", "AT"): 3, ("sp", "SP"): 1, ("pdrd", "PDRD"): 2}
    assert ranking.common == (("at", "AT"), ("sp", "SP"), ("pdrd", "PDRD"))
    assert ranking.diagram.mean_ranks == (2.5, 2, 1.5)
    means = np.array([[0.6, 0.5, 0.7], [0.5, 0.7, 0.6]])
    assert ranking.diagram.difference == critical_difference(means).difference
    assert "2 datasets are few" in ranking.diagram.warning


def test_only_complete_methods_are_ranked(tmp_path):
    dataset_of(tmp_path, "market1501", {"sp": 0.1, "at": 0.2, "pdrd": 0.3})
    teacher = dataset_of(tmp_path, "veri776", {"sp": 0.3, "at": 0.1})
    done(tmp_path, spec("pdrd", 0, [teacher], dataset="veri776"), 0.9)
    ranking = only(pairs(tmp_path))
    assert ("pdrd", "PDRD") not in ranking.rankings[1].ranks
    assert ranking.rankings[1].ranks["sp", "SP"] == 1
    assert ranking.common == (("at", "AT"), ("sp", "SP"))


def test_one_dataset_is_no_summary(tmp_path):
    dataset_of(tmp_path, "market1501", {"sp": 0.1, "at": 0.2})
    assert pairs(tmp_path) == []
    dataset_of(tmp_path, "veri776", {"sp": 0.1})  # nothing to be ranked among
    assert pairs(tmp_path) == []


def test_datasets_without_ranks_are_named(tmp_path):
    for dataset in FOUR[:2]:
        dataset_of(tmp_path, dataset, {"sp": 0.1, "at": 0.2})
    dataset_of(tmp_path, "veri776", {"sp": 0.1})
    partial = ["Partial data: train has 12 images where 30,248 are expected."]
    dataset_of(tmp_path, "msmt17", {"sp": 0.1, "at": 0.2}, notes=partial)
    ranking = only(pairs(tmp_path))
    assert [of_dataset.group.dataset for of_dataset in ranking.rankings] == [
        "dukemtmc",
        "market1501",
    ]
    assert ranking.excluded == ("MSMT17", "VeRi-776")


def test_other_networks_are_another_summary(tmp_path):
    for dataset in FOUR[:2]:
        dataset_of(tmp_path, dataset, {"sp": 0.1, "at": 0.2})
        dataset_of(tmp_path, dataset, {"sp": 0.2, "at": 0.1}, big="resnet50")
    rankings = {ranking.teacher: ranking for ranking in pairs(tmp_path)}
    assert set(rankings) == {"resnet101", "resnet50"}
    assert rankings["resnet50"].rankings[0].ranks["sp", "SP"] == 1


def test_generated_data_never_joins_real_data(tmp_path):
    notes = ["Generated data: drawn images in this dataset's layout, no photographs."]
    dataset_of(tmp_path, "market1501", {"sp": 0.1, "at": 0.2})
    dataset_of(tmp_path, "veri776", {"sp": 0.1, "at": 0.2}, notes=notes)
    assert pairs(tmp_path) == []


def test_the_largest_setting_of_a_dataset_counts(tmp_path):
    for dataset in FOUR[:2]:
        dataset_of(tmp_path, dataset, {"sp": 0.1, "at": 0.2})
    dataset_of(tmp_path, "veri776", {"sp": 0.2, "at": 0.1}, seeds=(0,))
    dataset_of(tmp_path, "market1501", {"sp": 0.2, "at": 0.1}, seeds=(0,), recipe={"epochs": 9})
    market = next(c for c in only(pairs(tmp_path)).rankings if c.name == "Market-1501")
    assert market.ranks["at", "AT"] == 1 and market.tests.seed_counts == (3,)


def test_first_evaluation_of_several_is_the_one(tmp_path):
    from tests.support.vehicleid_records import scored

    for dataset in ("vehicleid", "vehicleid2"):
        teacher = scored(tmp_path, spec(network="resnet101", dataset=dataset), 0.8)
        for method, accuracy in {"sp": 0.7, "at": 0.6}.items():
            scored(tmp_path, spec(method, 0, [teacher], dataset=dataset), accuracy)
    of_dataset = only(pairs(tmp_path)).rankings[0]
    assert of_dataset.tests.evaluation == "test800"
    assert of_dataset.scores["sp", "SP"] == pytest.approx(0.7)
