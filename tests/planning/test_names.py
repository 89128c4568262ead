"""Names are resolved once, and all that are wrong are reported."""

import pytest

from harness.core.errors import ErrorCollector, UsageError
from harness.models import ENSEMBLES
from harness.planning.names import (
    BASELINE_METHOD,
    expand_names,
    resolve_methods,
    resolve_request,
    teacher_networks,
)
from harness.planning.request import RunRequest
from harness.planning.schema import StudyFile, load_study
from harness.plugins.digest import method_digest
from methods import METHODS


def resolve(study=None, **request):
    errors = ErrorCollector()
    resolved = resolve_request(RunRequest(**request), study or StudyFile(), errors)
    errors.raise_if_any()
    return resolved


def test_defaults():
    resolved = resolve()
    assert [method.name for method in resolved.methods] == [*METHODS]
    assert (resolved.teachers, resolved.student) == (("resnet101",), "resnet18")
    assert (resolved.head, resolved.seeds, resolved.teacher_seed) == ("bnneck", (0,), 0)


def test_a_study_and_what_the_command_line_changes_of_it():
    study = load_study("vrkd")
    resolved = resolve(study)
    assert [method.name for method in resolved.methods] == ["vrkd"]
    assert resolved.teachers == ENSEMBLES["resnet18-directional"]
    assert (resolved.head, resolved.seeds) == ("fc256", (0, 1, 2))
    changed = resolve(study, methods=["kd"], teacher="resnet34", seeds="4 4,5", head="bnneck")
    assert [method.name for method in changed.methods] == ["kd"]
    assert (changed.teachers, changed.seeds) == (("resnet34",), (4, 5))
    assert resolve(teacher_seed="same").teacher_seed is None
    assert resolve(teacher_seed="3").teacher_seed == 3


def test_a_method_is_its_class_its_digest_and_its_section():
    (method,) = resolve_methods(["pdrd"])
    assert (method.name, method.section) == ("pdrd", "pdrd")
    assert method.about.load() is METHODS["pdrd"]
    assert method.digest == method_digest(METHODS["pdrd"])
    assert resolve_methods(["none"])[0] == BASELINE_METHOD
    assert [m.name for m in resolve(methods=["none,kd"]).distilled] == ["kd"]


def test_every_unknown_name_is_reported():
    with pytest.raises(UsageError) as error:
        resolve_methods(["prdd", "sp", "nowhere:Mine"], ["ftt"])
    assert [problem[:29] for problem in error.value.problems] == [
        "No method is called 'ftt'. Di",
        "No method is called 'prdd'. D",
    ]
    with pytest.raises(UsageError, match="2 problems:\n- No thing is called 'x'.*\n- No thing is"):
        expand_names(["x,y"], ["a"], ["a"], "thing")
    with pytest.raises(UsageError, match="The method nowhere:Mine cannot be imported"):
        resolve_methods(["nowhere:Mine"])


def test_an_ensemble_has_no_features():
    assert teacher_networks("resnet34") == ("resnet34",)
    with pytest.raises(UsageError, match="needed by sp, csd. Methods for such a teacher: vrkd, kd"):
        resolve(teacher="resnet18-directional", methods=["sp,kd,csd,none"])
    assert resolve(teacher="resnet18-directional", methods=["kd,vrkd,none"]).teachers
