import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from harness.analysis import consistency
from harness.analysis.consistency import StudentConsistency, measure_consistency
from harness.analysis.embeddings import export_embeddings
from harness.cli.options import make_context
from harness.core.errors import DamagedFileError, SetupError


def test_l_rank_is_equation_2_of_the_exported_features(trained):
    """The definition of the paper, with every pair of gallery images."""
    context, teacher, student = trained
    (result,) = measure_consistency([student.key], context, None)
    content = json.loads((context.runs / student.key / "consistency.json").read_text())
    per_query = np.load(context.runs / student.key / "per_query.npz")
    cosines = []
    for path in export_embeddings([teacher.key, student.key], context, None):
        arrays = np.load(path)
        unit = F.normalize(torch.tensor(arrays["features"]), dim=1)
        is_query = np.isin(arrays["image"], per_query["test.0.query"])
        cosines.append(unit[is_query] @ unit[~is_query].T)
    terms = []
    for teacher_row, student_row in zip(*cosines, strict=True):
        above = [(row[:, None] - row[None, :] >= 0).int() for row in (teacher_row, student_row)]
        terms.append(float((above[0] - above[1]).square().sum().sqrt()))
    assert result.l_rank == content["l_rank"] == pytest.approx(sum(terms) / len(terms), rel=1e-3)
    queries, gallery = cosines[0].shape
    assert result.share == pytest.approx(result.l_rank / (gallery * (gallery - 1)) ** 0.5)
    assert (content["queries"], content["gallery"]) == (queries, gallery)
    assert content["teacher"] == teacher.key


def test_a_measurement_is_kept_until_the_weights_change(trained):
    context, _, student = trained
    path = context.runs / student.key / "consistency.json"
    measure_consistency([student.key], context, None)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"l_rank": 7.0}))
    assert measure_consistency([student.key], context, None)[0].l_rank == 7.0
    path.write_text(json.dumps(content | {"l_rank": 7.0, "model": "other"}))
    (repeated,) = measure_consistency([student.key], context, None)
    assert repeated == StudentConsistency(student.key, content["l_rank"], content["share"])
    assert json.loads(path.read_text()) == content


def test_the_plain_student_is_measured_with_the_teacher_of_the_others(trained):
    context, teacher, student = trained
    results = {one.key: one for one in measure_consistency([], context, None)}
    assert student.key in results and teacher.key not in results
    (plain,) = (key for key in results if key.startswith("synthetic/none/cnn5/"))
    path = context.runs / plain / "consistency.json"
    whole = path.read_text()
    content = json.loads(whole)
    (measured,) = content["by_teacher"].values()
    assert measured["teacher"] == teacher.key
    assert results[plain].l_rank == measured["l_rank"] > 0
    try:
        measured["l_rank"] = 7.0
        path.write_text(json.dumps(content))
        assert measure_consistency([plain], context, None)[0].l_rank == 7.0
        for damage, name in (([1], "by_teacher"), ({teacher.key: [1]}, "l_rank")):
            path.write_text(json.dumps(content | {"by_teacher": damage}))
            with pytest.raises(DamagedFileError, match=rf"it has no valid {name}"):
                measure_consistency([plain], context, None)
    finally:
        path.write_text(whole)


@pytest.mark.parametrize(
    "damage", [{"l_rank": None}, {"share": "x"}, {"l_rank": True}, {"share": math.nan}]
)
def test_a_measurement_of_another_form_is_named(trained, damage):
    context, _, student = trained
    path = context.runs / student.key / "consistency.json"
    measure_consistency([], context, None)
    whole = path.read_text()
    try:
        path.write_text(json.dumps(json.loads(whole) | damage))
        (name,) = damage
        with pytest.raises(DamagedFileError, match=rf"is damaged \(it has no valid {name}\)"):
            measure_consistency([], context, None)
        path.write_text(json.dumps({"model": json.loads(whole)["model"]}))
        with pytest.raises(DamagedFileError, match="it has no valid l_rank"):
            measure_consistency([], context, None)
    finally:
        path.write_text(whole)


def test_students_of_an_ensemble_are_skipped_with_the_reason(trained, monkeypatch):
    context, teacher, student = trained
    of_ensemble = replace(student, teachers=(teacher, teacher))
    monkeypatch.setattr(consistency, "finished_runs", lambda runs: [of_ensemble])
    (result,) = measure_consistency([], context, None)
    assert result.key == of_ensemble.key and math.isnan(result.l_rank)
    assert "ensemble" in result.skip_reason


def test_without_students_there_is_an_error(trained, tmp_path):
    context, teacher, _ = trained
    with pytest.raises(SetupError, match="no finished student with a teacher .*kdreid run"):
        measure_consistency([teacher.key], context, None)
    with pytest.raises(SetupError, match="There is no runs folder .*absent"):
        measure_consistency([], make_context(tmp_path / "absent", "cpu", 0, quiet=True), None)
