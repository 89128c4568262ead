import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from harness.analysis.consistency import measure_consistency
from harness.analysis.embeddings import export_embeddings
from harness.cli.printing import session
from harness.core.errors import SetupError, UsageError
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def trained(shared_runs):
    """The shared runs' session, teacher and student."""
    teacher, _, student = (
        spec for cohort in tiny_grid.grid(shared_runs, "kd").cohorts for spec in cohort
    )
    return session(shared_runs, "cpu", 0, quiet=True), teacher, student


def exported(run, spec):
    (path,) = export_embeddings([spec.key], run, None)
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_embeddings_stand_beside_what_is_known_of_the_images(trained):
    run, teacher, student = trained
    theirs, ours = exported(run, teacher), exported(run, student)
    record = json.loads((run.runs / student.key / "record.json").read_text())
    assert str(ours["model"]) == record["result"]["model"]
    assert len(ours["features"]) == len(ours["identity"]) == len(ours["camera"])
    assert list(ours["image"]) == list(theirs["image"]) and "query" in ours["image"][0]
    assert ours["features"].shape[1] != theirs["features"].shape[1]


def test_l_rank_is_equation_2_of_the_exported_features(trained):
    """The cost as the paper writes it down, every pair of gallery images."""
    run, teacher, student = trained
    ((_, line),) = measure_consistency([student.key], run, None)
    found = json.loads((run.runs / student.key / "consistency.json").read_text())
    per_query = np.load(run.runs / student.key / "per_query.npz")
    terms, cosines = [], []
    for spec in (teacher, student):
        arrays = exported(run, spec)
        unit = F.normalize(torch.tensor(arrays["features"]), dim=1)
        asked = np.isin(arrays["image"], per_query["test.0.query"])
        cosines.append(unit[asked] @ unit[~asked].T)
    for theirs, ours in zip(*cosines, strict=True):
        above = [(row[:, None] - row[None, :] >= 0).int() for row in (theirs, ours)]
        terms.append(float((above[0] - above[1]).square().sum().sqrt()))
    assert found["l_rank"] == pytest.approx(sum(terms) / len(terms), rel=1e-3)
    gallery = cosines[0].shape[1]
    assert found["share"] == pytest.approx(found["l_rank"] / (gallery * (gallery - 1)) ** 0.5)
    assert (found["queries"], found["gallery"], found["teacher"]) == (
        *cosines[0].shape,
        teacher.key,
    )
    assert f"L_rank {found['l_rank']:.1f}" in line


def test_what_was_measured_is_kept_until_the_weights_change(trained):
    run, _, student = trained
    path = run.runs / student.key / "consistency.json"
    measure_consistency([], run, None)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"l_rank": 7.0}))
    ((_, kept),) = measure_consistency([], run, None)
    assert kept.startswith("L_rank 7.0,")
    path.write_text(json.dumps(content | {"l_rank": 7.0, "model": "other"}))
    ((_, anew),) = measure_consistency([], run, None)
    assert (
        anew == f"L_rank {content['l_rank']:.1f}, {content['share']:.3f} of the most there could be"
    )
    assert json.loads(path.read_text()) == content


def test_teachers_and_strangers_are_refused(trained, tmp_path):
    run, teacher, _ = trained
    with pytest.raises(SetupError, match="no finished student with a teacher .*kdreid run"):
        measure_consistency([teacher.key], run, None)
    with pytest.raises(UsageError, match="No run in .* has the key 'x'"):
        export_embeddings(["x"], run, None)
    with pytest.raises(SetupError, match="There is no runs folder .*absent"):
        measure_consistency([], session(tmp_path / "absent", "cpu", 0, quiet=True), None)
