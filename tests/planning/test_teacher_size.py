"""Methods and a teacher whose images have another size than its students'."""

from contextlib import nullcontext as does_not_raise
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from harness.core.errors import UsageError
from harness.planning.overrides import resolve_settings
from harness.planning.request import ResolvedMethod, ResolvedRequest
from harness.planning.teacher_size import require_methods_for_sizes
from methods import EXTRA_METHODS, METHODS, Method, create
from methods.description import describe_class
from methods.relations import match_sizes
from tests.support import outputs


class EqualMaps(Method):
    """Compares the means of maps pixel by pixel."""

    name = label = "equal-maps"
    paper = None

    def forward(self, student, teacher, labels):
        return F.mse_loss(student.maps[-1].mean(1), teacher.maps[-1].detach().mean(1))


class AnyMaps(Method):
    """Brings the maps to one size first."""

    name = label = "any-maps"
    paper = None

    def forward(self, student, teacher, labels):
        ours, theirs = match_sizes(student.maps[-1], teacher.maps[-1].detach())
        return F.mse_loss(ours.mean(1), theirs.mean(1))


class Broken(Method):
    """Never computes anything."""

    name = label = "broken"
    paper = None

    def forward(self, student, teacher, labels):
        raise RuntimeError("broken")


def problems_of(*kinds, teacher="resnet18", student="resnet18", size=(64, 32), **recipe):
    methods = tuple(
        ResolvedMethod(f"mine:{kind.__name__}", describe_class(kind), "") for kind in kinds
    )
    request = ResolvedRequest(
        dataset="d",
        methods=methods,
        teachers=(teacher,),
        student=student,
        head="bnneck",
        seeds=(0,),
    )
    overrides = ["recipe.height=32", "recipe.width=16"]
    overrides += [f"teacher_recipe.height={size[0]}", f"teacher_recipe.width={size[1]}"]
    overrides += [f"teacher_recipe.{name}={value}" for name, value in recipe.items()]
    settings = resolve_settings([], overrides)
    try:
        require_methods_for_sizes(request, settings)
    except UsageError as error:
        return error.problems
    return []


def test_a_method_that_compares_equal_maps_is_refused():
    (problem,) = problems_of(EqualMaps, AnyMaps)
    assert problem.startswith(
        "mine:EqualMaps: this method compares maps of equal size, but the teacher's images are "
        "64x32 and the students' 32x16."
    )
    assert "AnyMaps" not in problem


def test_it_is_not_refused_where_the_maps_are_equal():
    assert problems_of(EqualMaps, size=(32, 16)) == []
    twice = (64, 32)
    assert problems_of(EqualMaps, last_stride=2, size=twice) == []  # twice the stride, too


def test_an_error_that_has_another_cause_is_left_to_the_training():
    assert problems_of(Broken) == []


@pytest.mark.parametrize("name", [*METHODS, *(n for n in EXTRA_METHODS if n != "none")])
def test_every_built_in_method_compares_networks_of_any_two_sizes(name):
    kind = (METHODS | EXTRA_METHODS)[name]
    for variant in kind.variants:
        method = create(kind, outputs.SMALL, outputs.LARGE, {"variant": variant}).float()
        for sizes in (((32, 16), (16, 8), (8, 4), (8, 4)), ((24, 9), (12, 5), (6, 3), (6, 3))):
            student = outputs.fake(outputs.SMALL, dtype=torch.float32, grad=True)
            teacher = outputs.fake(outputs.LARGE, seed=1, sizes=sizes, dtype=torch.float32)
            method.prepare(lambda teacher=teacher: [teacher], torch.Generator())
            loss = method(student, teacher, outputs.LABELS)
            loss.backward()
            assert loss.isfinite()


def test_a_request_with_unknown_names_is_left_to_their_message():
    request = ResolvedRequest(dataset="d", methods=(), teachers=(), student="", head="", seeds=(0,))
    settings = resolve_settings([], ["teacher_recipe.height=64"])
    with does_not_raise():
        require_methods_for_sizes(replace(request, student="resnet18"), settings)
