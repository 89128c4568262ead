import json

import numpy as np
import pytest

from harness.analysis.embeddings import export_embeddings
from harness.core.errors import UsageError


def test_embeddings_are_written_with_what_is_known_of_the_images(trained):
    context, teacher, student = trained
    paths = export_embeddings([teacher.key, student.key], context, None)
    assert paths == [context.runs / spec.key / "embeddings.npz" for spec in (teacher, student)]
    of_teacher, of_student = (dict(np.load(path)) for path in paths)
    record = json.loads((context.runs / student.key / "record.json").read_text())
    assert str(of_student["model"]) == record["result"]["model"]
    assert len(of_student["features"]) == len(of_student["identity"]) == len(of_student["camera"])
    assert list(of_student["image"]) == list(of_teacher["image"])
    assert "query" in of_student["image"][0]
    assert of_student["features"].shape[1] != of_teacher["features"].shape[1]


def test_unknown_runs_are_refused(trained):
    context, _, _ = trained
    with pytest.raises(UsageError, match="No run is called 'x'"):
        export_embeddings(["x"], context, None)
