"""Files of initial weights that the user names: used, or refused before anything is trained."""

from pathlib import Path

import pytest
import torch
from torchvision import models

from harness.core.errors import ErrorCollector, SetupError, UsageError
from harness.planning.overrides import resolve_settings
from harness.planning.request import ResolvedMethod, ResolvedRequest
from harness.planning.weights import InitialWeights, require_used_weights
from harness.runs.spec import Recipe, RunSpec
from methods import METHODS

KD = ResolvedMethod("kd", METHODS.describe("sp"), "")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(models.get_model("resnet18", weights=None).state_dict(), path)
    return path


def found(given, *, teacher="resnet18-hap", student="cnn5", overrides=(), **request):
    resolved = ResolvedRequest(
        dataset="d",
        methods=(KD,),
        teachers=(teacher,),
        student=student,
        head="bnneck",
        seeds=(0,),
        **request,
    )
    weights, errors = InitialWeights(given), ErrorCollector()
    weights.add(resolved, resolve_settings([], overrides))
    weights.check(errors)
    errors.raise_if_any()
    return weights


@pytest.mark.parametrize("name", ["resnet18-hap", "resnet18"])
def test_a_file_is_used_under_the_networks_own_and_its_published_name(file, name):
    assert found({name: file}).files == {"resnet18-hap": file}


def test_the_networks_own_name_comes_first(file, tmp_path):
    other = tmp_path / "other.pth"
    torch.save(models.get_model("resnet18", weights=None).state_dict(), other)
    given = {"resnet18": other, "resnet18-hap": file}
    assert found(given, student="resnet18").files == {"resnet18-hap": file, "resnet18": other}


@pytest.mark.parametrize("name", ["resnet18-hap", "resnet18"])
def test_a_file_that_is_not_there_is_refused(name):
    with pytest.raises(SetupError, match=f"given for {name}, /does/not/exist.pth, do not exist"):
        found({name: Path("/does/not/exist.pth")})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet50", "no run of this plan starts from the weights of resnet50; those that start"),
        ("cnn5", "no weights are published for cnn5, which starts from random ones"),
        ("resnet18-vap", "no run of this plan starts from the weights of resnet18-vap"),
    ],
)
def test_a_file_that_no_run_starts_from_is_refused(file, name, message):
    with pytest.raises(UsageError, match=message):
        found({name: file, "resnet18": file})


def test_a_file_beside_random_weights_is_refused(file):
    with pytest.raises(UsageError, match="resnet18-hap starts from random weights here"):
        found({"resnet18-hap": file}, overrides=["recipe.pretrained=none"])


def test_a_teacher_that_is_trained_already_needs_no_file(file):
    teacher = RunSpec("d", "none", "resnet18-hap", (), 0, Recipe())
    with pytest.raises(UsageError, match="no run of this plan starts"):
        found({"resnet18-hap": file}, teacher_runs=(teacher,))


def test_a_file_that_does_not_fit_is_refused(file):
    with pytest.raises(SetupError, match="resnet18.pth does not fit resnet34"):
        found({"resnet34": file}, teacher="resnet34")


def test_a_retry_uses_every_file_or_refuses_it(file):
    run = RunSpec("d", "none", "resnet18-hap", (), 0, Recipe(), weights="ab")
    require_used_weights({"resnet18": file}, [run])
    with pytest.raises(UsageError, match="starts from the weights of resnet50"):
        require_used_weights({"resnet50": file}, [run])
