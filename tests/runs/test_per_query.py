"""Scores of every query as files contain them, and their sums by identity."""

import os
import time

import numpy as np
import pytest

from harness.runs.per_query import (
    load_identity_sums,
    load_query_scores,
    load_scores,
    sum_by_identity,
)
from tests.support.records import done, per_query, spec, write_per_query

NAN = float("nan")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "per_query.npz"


def test_reads_names_identities_and_precisions_by_draw(tmp_path, path):
    first = per_query([0.5, NAN], [7, 8], ["a.jpg", "b.jpg"])
    second = per_query([1.0], [7], ["c.jpg"])
    write_per_query(tmp_path, {"test": [first, second], "test800": [second]})
    found = load_query_scores(path)
    assert list(found) == ["test", "test800"] and len(found["test"]) == 2
    draw = found["test"][0]
    assert draw.query.tolist() == ["a.jpg", "b.jpg"] and draw.identity.tolist() == [7, 8]
    assert draw.average_precision[0] == 0.5 and np.isnan(draw.average_precision[1])
    assert found["test"][1].query.tolist() == ["c.jpg"]


def test_eleven_draws_are_in_the_order_of_their_numbers(tmp_path, path):
    write_per_query(tmp_path, {"test": [per_query([k / 10], [1]) for k in range(11)]})
    assert [draw.average_precision[0] for draw in load_query_scores(path)["test"]] == [
        k / 10 for k in range(11)
    ]


def test_the_sums_by_identity_are_the_mean_over_queries_with_a_match(tmp_path, path):
    columns = per_query([0.2, 0.4, 0.9, NAN], [5, 5, 3, 3]) | {
        "first_rank": np.array([1, 2, 1, -1])
    }
    write_per_query(tmp_path, {"test": [columns]})
    sums = load_identity_sums(path)["test"]
    assert sums.parts["mAP"] == pytest.approx([0.9 / 3, 0.6 / 3])  # identity 3, then 5
    assert sums.parts["R1"] == pytest.approx([1 / 3, 1 / 3])
    assert sums.weights == pytest.approx([1 / 3, 2 / 3])
    assert sums.count == 3


def test_draws_weigh_the_same_and_meet_by_identity(tmp_path, path):
    """mAP is the mean over draws of (0.2 + 0.4) / 2 and 0.9: 0.6."""
    draws = [per_query([0.2, 0.4], [5, 3]), per_query([0.9], [5])]
    write_per_query(tmp_path, {"test": draws})
    sums = load_identity_sums(path)["test"]
    assert sums.parts["mAP"].sum() == pytest.approx(0.6)
    assert sums.weights.sum() == pytest.approx(1)
    assert sums.parts["mAP"] == pytest.approx([0.4 / 4, 0.2 / 4 + 0.9 / 2])
    assert sums.parts["R1"] == pytest.approx([0, 1 / 2])
    assert sums.weights == pytest.approx([1 / 4, 3 / 4])


def asked(folder, *columns):
    write_per_query(folder, {"test": [per_query(*columns)]})
    return sum_by_identity(load_query_scores(folder / "per_query.npz")["test"]).queries


def test_the_same_queries_in_another_order_are_the_same(tmp_path):
    first = asked(tmp_path, [0.2, 0.4, NAN], [5, 3, 3], ["a", "b", "c"])
    assert asked(tmp_path, [NAN, 0.1, 0.3], [3, 5, 3], ["c", "a", "b"]) == first
    assert asked(tmp_path, [0.2, 0.4, NAN], [5, 3, 3], ["a", "b", "cc"]) != first
    assert asked(tmp_path, [0.2, 0.4, NAN], [5, 3, 4], ["a", "b", "c"]) != first
    assert asked(tmp_path, [0.2, 0.4, 0.1], [5, 3, 3], ["a", "b", "c"]) != first
    assert asked(tmp_path, [0.2, 0.4], [5, 3], ["a", "b"]) != first


def test_scores_of_each_draw(tmp_path, path):
    first = per_query([0.2, 0.4, NAN], [5, 3, 3]) | {"first_rank": np.array([6, 1, -1])}
    second = per_query([0.9], [5]) | {"first_rank": np.array([21])}
    write_per_query(tmp_path, {"test": [first, second]})
    one, two = load_scores(path)["test"]
    assert one == pytest.approx(
        {"mAP": 0.3, "mINP": 0.15, "R1": 0.5, "R5": 0.5, "R10": 1, "R20": 1}
    )
    assert two == pytest.approx({"mAP": 0.9, "mINP": 0.45, "R1": 0, "R5": 0, "R10": 0, "R20": 0})


def test_a_missing_file_is_named(path):
    for reader in (load_query_scores, load_identity_sums):
        with pytest.raises(ValueError, match=r"^per_query.npz is missing$"):
            reader(path)


@pytest.mark.parametrize("cut", [0, 10, 300, -40])
def test_a_damaged_file_is_named(tmp_path, path, cut):
    write_per_query(tmp_path, {"test": [per_query(np.full(50, 0.5), np.arange(50))]})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"^per_query.npz is damaged$"):
        load_query_scores(path)


def test_a_flipped_byte_is_seen(tmp_path, path):
    write_per_query(tmp_path, {"test": [per_query(np.full(50, 0.5), np.arange(50))]})
    content = bytearray(path.read_bytes())
    place = content.index(np.full(3, 0.5).tobytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        load_query_scores(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"identity": np.arange(3)}, "columns of test.0 differ in length"),
        ({"average_precision": np.array([0.5, 1.5])}, "not between 0 and 1"),
        ({"average_precision": np.array(["x", "y"])}, "whole numbers and fractions"),
        ({"first_rank": np.array([1.5, 2.5])}, "whole numbers and fractions"),
        ({"query": np.arange(2)}, "are not text"),
    ],
)
def test_wrong_columns_are_named(tmp_path, path, changes, message):
    write_per_query(tmp_path, {"test": [per_query([0.5, 0.5], [1, 2]) | changes]})
    with pytest.raises(ValueError, match=f"does not have the form of a run's: .*{message}"):
        load_query_scores(path)


def test_other_archives_are_not_taken_for_scores(tmp_path, path):
    np.savez(path, other=np.arange(3))
    with pytest.raises(ValueError, match="contains no queries"):
        load_query_scores(path)
    np.savez(path, **{"test.x.query": np.array(["a"])})
    with pytest.raises(ValueError, match="does not have the form"):
        load_query_scores(path)
    np.savez(path, **{"test.0.query": np.array(["a"]), "test.0.identity": np.array([1])})
    with pytest.raises(ValueError, match=r"test\.0\.average_precision"):
        load_query_scores(path)
    path.write_bytes(b"")
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match="cannot be read .it is not a plain file"):
        load_query_scores(path)


def test_a_draw_without_a_match_has_no_mean(tmp_path, path):
    write_per_query(tmp_path, {"test": [per_query([NAN], [1])]})
    with pytest.raises(ValueError, match="no query has a match"):
        load_identity_sums(path)


def test_a_replaced_file_is_read_again(tmp_path, path):
    write_per_query(tmp_path, {"test": [per_query([0.5], [1])]})
    assert load_identity_sums(path)["test"].parts["mAP"] == pytest.approx([0.5])
    write_per_query(tmp_path, {"test": [per_query([0.25], [1])]})
    os.utime(path, ns=(1, 1))
    assert load_identity_sums(path)["test"].parts["mAP"] == pytest.approx([0.25])


def test_made_records_agree_with_their_queries(tmp_path):
    made = done(tmp_path, spec(), 0.4)
    sums = load_identity_sums(tmp_path / made["key"] / "per_query.npz")["test"]
    assert sums.parts["mAP"].sum() == pytest.approx(0.4)
    assert sums.parts["R1"].sum() == pytest.approx(0.6)


def test_a_large_table_is_read_in_seconds(tmp_path, path):
    """MSMT17 asks 11,659 queries of 3,060 identities; 12 methods x 10 seeds are 120 such files."""
    names = [
        f"bounding_box_test/{number:04d}_c1s1_000151_{number:05d}.jpg" for number in range(11659)
    ]
    write_per_query(
        tmp_path, {"test": [per_query(np.linspace(0, 1, 11659), np.arange(11659) % 3060, names)]}
    )
    load_identity_sums(path)
    started = time.perf_counter()
    for changed in range(12):
        os.utime(path, ns=(changed, changed))
        load_identity_sums(path)
    assert time.perf_counter() - started < 2  # a tenth of the table
