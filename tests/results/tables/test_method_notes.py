"""Footnotes about methods: whose weights they have, and VRKD with one teacher."""

import pytest

from results.collect import collect_runs
from results.published import load_published
from results.tables.cells import Cell
from results.tables.comparison import comparison_tables
from results.tables.method_notes import DEFAULT_WEIGHTS, SOME_DEFAULT_WEIGHTS, method_notes
from results.tables.summary import summary_tables
from tests.support.records import done, failed, spec, teacher_spec


def notes_of(runs):
    (table,) = comparison_tables(collect_runs(runs)[0], "synthetic", load_published())
    return table.caption


@pytest.mark.parametrize(
    ("options", "is_default"),
    [
        ({}, True),
        ({"variant": "pdrd"}, True),
        ({"distance_weight": 2.0}, True),
        ({"weight": 2.0}, False),
    ],
)
def test_default_weights_are_said_to_be_untuned(tmp_path, options, is_default):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("none", 0), 0.4)
    done(tmp_path, spec("sp", 0, [teacher]), 0.5)
    done(tmp_path, spec("rkd", 0, [teacher], options=options), 0.5)
    assert (DEFAULT_WEIGHTS in notes_of(tmp_path)) == is_default


def test_methods_that_have_their_default_weights_beside_a_given_one_are_named(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("sp", 0, [teacher]), 0.5)
    done(tmp_path, spec("at", 0, [teacher]), 0.5)
    done(tmp_path, spec("rkd", 0, [teacher], options={"weight": 2.0}), 0.5)
    assert SOME_DEFAULT_WEIGHTS.format(labels="AT, SP") in notes_of(tmp_path)


def test_a_table_without_methods_says_nothing_of_weights(tmp_path):
    done(tmp_path, spec("none", 0), 0.4)
    assert DEFAULT_WEIGHTS not in notes_of(tmp_path)


def vrkd_notes(notes):
    return [note for note in notes if "an ensemble of four" in note]


def test_vrkd_of_one_teacher_is_called_what_it_is(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    for seed in (0, 1):
        done(tmp_path, spec("vrkd", seed, [teacher]), 0.5)
    assert vrkd_notes(notes_of(tmp_path)) == [
        "VRKD: logit distillation (T = 2) by the same single teacher; the VRKD paper's teacher is "
        "an ensemble of four."
    ]


def test_another_temperature_is_not_called_2(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("vrkd", 0, [teacher], options={"temperature": 4.0}), 0.5)
    (note,) = vrkd_notes(notes_of(tmp_path))
    assert note.startswith("VRKD: logit distillation by the same single teacher")


def test_vrkd_of_four_teachers_and_a_run_without_scores_have_no_note(tmp_path):
    four = [done(tmp_path, teacher_spec() | {}, 0.6)]
    four += [done(tmp_path, spec(network="resnet101", seed=seed), 0.6) for seed in (1, 2, 3)]
    done(tmp_path, spec("vrkd", 0, four), 0.5)
    assert not vrkd_notes(notes_of(tmp_path))
    done(tmp_path, spec("sp", 0, four[:1]), 0.5)
    failed(tmp_path, spec("vrkd", 0, four[:1]))
    runs = collect_runs(tmp_path)[0]
    everything = [(Cell("all", tuple(runs["key"])),)]
    assert not vrkd_notes(method_notes(runs, everything))


def test_runs_that_a_table_does_not_show_do_not_count(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    shown = done(tmp_path, spec("sp", 0, [teacher]), 0.5)
    done(tmp_path, spec("vrkd", 0, [teacher], options={"weight": 2.0}), 0.5)
    runs = collect_runs(tmp_path)[0]
    assert list(method_notes(runs, [(Cell("SP", (shown["key"],)),)])) == [DEFAULT_WEIGHTS]


def test_summaries_over_datasets_have_the_notes_too(tmp_path):
    for dataset in ("market1501", "dukemtmc"):
        teacher = spec(network="resnet101", dataset=dataset)
        done(tmp_path, teacher, 0.6)
        done(tmp_path, spec("none", 0, dataset=dataset), 0.4)
        for method in ("vrkd", "sp"):
            done(tmp_path, spec(method, 0, [teacher], dataset=dataset), 0.5)
    (table,) = summary_tables(collect_runs(tmp_path)[0])
    assert DEFAULT_WEIGHTS in table.caption
    assert len(vrkd_notes(table.caption)) == 1
