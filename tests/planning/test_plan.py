"""From a request to a plan: everything wrong is reported at once, missing weights are noted."""

import json
from dataclasses import replace

import pytest
import torch
from torchvision import models
from typer.testing import CliRunner

from harness.cli.app import app
from harness.core.errors import SetupError, UsageError
from harness.core.progress import Reporter
from harness.planning import images
from harness.planning.datasets import DATA_ROOT_VARIABLE
from harness.planning.plan import is_provisional, make_plan
from harness.planning.request import RunRequest
from harness.planning.weights import MISSING_DIGEST, parse_pretrained
from tests.support import tiny_grid

QUIET = Reporter(quiet=True)


@pytest.fixture(autouse=True)
def _no_data_and_no_weights(monkeypatch, tmp_path):
    monkeypatch.delenv(DATA_ROOT_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def refusal(error, **request):
    with pytest.raises(error) as raised:
        make_plan(RunRequest(**request), QUIET)
    return raised.value


def test_everything_that_is_wrong_is_reported_at_once(tmp_path):
    error = refusal(
        UsageError,
        methods=["prdd,sp,ftt"],
        exclude=["nobody"],
        datasets=["market,dukemtmc", "veri776"],
        student="resnet81",
        teacher="resnet18-direct",
        head="bneck",
        seeds="0,one",
        teacher_seed="first",
        overrides=["recipe.epoch=3", "sp.wieght=1"],
        pretrained=["resnet18", "resnet17=x"],
        device="gpu",
        runs=tmp_path / "runs",
    )
    expected = [
        "No dataset is called 'market'. Did you mean 'market1501'?",
        "No method is called 'nobody'.",
        "No method is called 'prdd'. Did you mean 'pdrd'?",
        "No method is called 'ftt'. Did you mean 'ft'?",
        "No network is called 'resnet18-direct'. Did you mean 'resnet18-directional'?",
        "No network is called 'resnet81'. Did you mean 'resnet18'?",
        "No head is called 'bneck'. Did you mean 'bnneck'?",
        "--seeds takes whole numbers such as 0,1,2; given '0,one'.",
        "--teacher-seed takes a whole number or `same`; given 'first'.",
        "No device is called 'gpu'.",
        "--weights takes NETWORK=FILE, given 'resnet18'.",
        "No network is called 'resnet17'.",
        "recipe has no 'epoch'. Did you mean 'epochs'?",
        "sp has no option 'wieght'. Did you mean 'weight'?",
        # what is missing comes last
        "dukemtmc: the data root is not given.",
        "veri776: the data root is not given.",
    ]
    assert len(error.problems) == len(expected), error
    for problem, beginning in zip(error.problems, expected, strict=True):
        assert problem.startswith(beginning)
    assert str(error).startswith(f"{len(expected)} problems:\n- No dataset is called 'market'")
    assert not (tmp_path / "runs").exists()


def test_missing_data_and_weights_are_reported_together(tmp_path):
    error = refusal(SetupError, methods=["kd"], datasets=["market1501"], runs=tmp_path)
    weights, student, data = sorted(error.problems)[0], sorted(error.problems)[1], error.problems[0]
    assert weights.startswith("No ImageNet weights for resnet101: ")
    assert student.startswith("No ImageNet weights for resnet18: ")
    assert data.startswith("market1501: the data root is not given.")
    assert error.exit_code == 3


def test_one_problem_is_one_sentence(tmp_path):
    error = refusal(UsageError, methods=["prdd"], datasets=["synthetic"], runs=tmp_path)
    assert str(error).startswith("No method is called 'prdd'. Did you mean 'pdrd'?")
    assert not any(tmp_path.iterdir())  # no images are drawn for a request that is refused


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "No dataset is given: use --dataset NAME"),
        ({"study": "pdrd-tables"}, "No dataset is given"),
        ({"study": "pdrd-table"}, "No study is called 'pdrd-table'"),
        (
            {"datasets": ["synthetic"], "methods": ["sp"], "teacher": "resnet18-directional"},
            "of the teacher are needed by sp. Methods for such a teacher: vrkd, kd",
        ),
        ({"datasets": ["synthetic"], "precision": "fp8"}, "recipe.precision is fp8; it must be"),
        (
            {"datasets": ["synthetic"], "overrides": ["recipe.identities=65"]},
            "recipe.identities is 65",
        ),
    ],
)
def test_what_else_is_refused(tmp_path, request_, message):
    error = refusal(UsageError, runs=tmp_path, **request_)
    (problem,) = error.problems
    assert message in problem


def test_a_sweep_point_that_is_impossible(tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text("dataset: synthetic\nsweep: {pdrd.activation: [relu, tanh, cosh]}\n")
    error = refusal(UsageError, study=str(study), runs=tmp_path / "runs")
    assert ["tanh" in problem for problem in error.problems] == [True, False]


def from_imagenet(runs, *, allow, **given):
    request = RunRequest(
        methods=["kd"],
        study=str(tiny_grid.STUDY),
        runs=runs,
        student="resnet18",
        teacher="resnet34",
        overrides=["recipe.pretrained=imagenet"],
        **given,
    )
    return make_plan(request, QUIET, is_preview=allow)


def test_without_weights_a_plan_can_be_printed_and_says_what_is_provisional(tmp_path):
    with pytest.raises(SetupError, match="2 problems:\n- No ImageNet weights for resnet18"):
        from_imagenet(tmp_path, allow=False)
    plan = from_imagenet(tmp_path, allow=True)
    assert all(is_provisional(spec) for spec in plan.specs)
    first, second = [note for note in plan.notes if "the teacher takes" not in note]
    assert first.startswith("keys that depend on resnet18 are provisional until its weights are")
    assert "No ImageNet weights for resnet34" in second
    assert plan.context.pretrained_files == {}


def test_the_printed_plan_marks_provisional_keys(tmp_path):
    words = ["plan", "--study", str(tiny_grid.STUDY), "--runs", str(tmp_path), "--methods", "kd"]
    words += ["--student", "resnet18", "--set", "recipe.pretrained=imagenet"]
    printed = CliRunner().invoke(app, [*words, "--set", "teacher_recipe.pretrained=none"])
    assert printed.exit_code == 0
    assert "note: keys that depend on resnet18 are provisional" in printed.stderr
    assert printed.stdout.count("(provisional key)") == 2  # the teacher starts from random weights
    rows = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert [row["provisional"] for row in rows] == [True] * 3
    assert CliRunner().invoke(app, ["run", *words[1:]]).exit_code == 1  # an error ends it


@pytest.fixture(scope="module")
def resnet18_file(tmp_path_factory):
    """A file with weights of torchvision's ResNet-18."""
    file = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(models.get_model("resnet18", weights=None).state_dict(), file)
    return file


def test_only_what_depends_on_missing_weights_is_provisional(tmp_path, resnet18_file):
    file = resnet18_file
    plan = from_imagenet(tmp_path, allow=True, pretrained=[f"resnet18={file}"])
    provisional = {(spec.method, spec.network) for spec in plan.specs if is_provisional(spec)}
    assert provisional == {("none", "resnet34"), ("kd", "resnet18")}  # its teacher is
    (note,) = [note for note in plan.notes if "the teacher takes" not in note]
    assert "resnet34" in note
    assert plan.context.pretrained_files == {"resnet18": file}
    (teacher,) = plan.cohorts[0]
    assert teacher.weights == MISSING_DIGEST


def test_a_network_that_starts_from_imagenet_only_as_teacher_has_its_weights(
    tmp_path, resnet18_file
):
    """The same network as student and teacher: one of the two starts from random weights."""
    file = resnet18_file
    request = RunRequest(
        methods=["kd"],
        study=str(tiny_grid.STUDY),
        runs=tmp_path,
        student="resnet18",
        teacher="resnet18",
        overrides=["recipe.pretrained=none", "teacher_recipe.pretrained=imagenet"],
        pretrained=[f"resnet18={file}"],
    )
    plan = make_plan(request, QUIET)
    weights = {(spec.method, bool(spec.teachers)): spec.weights for spec in plan.specs[1:]}
    assert plan.specs[0].weights not in ("none", MISSING_DIGEST)
    assert set(weights.values()) == {"none"}


def test_weights_that_are_parsed_together():
    with pytest.raises(UsageError) as error:
        parse_pretrained(["resnet18", "resnet17=a", "resnet18=b", "resnet18=c", "resnet34="])
    assert len(error.value.problems) == 4
    assert "two files for resnet18: b and c" in str(error.value)
    assert [str(path) for path in parse_pretrained(["resnet18=a=b"]).values()] == ["a=b"]


def test_a_policy_gives_each_dataset_its_device(tmp_path):
    request = RunRequest(methods=["kd"], study=str(tiny_grid.STUDY), runs=tmp_path)
    plan = make_plan(request, QUIET, lambda dataset: ("cuda", 0))
    assert {(spec.device, spec.threads) for spec in plan.specs} == {("cuda", 0)}
    assert plan.context.device == torch.device("cuda")
    assert {spec.key for spec in plan.specs}.isdisjoint(
        spec.key for spec in make_plan(request, QUIET).specs
    )


def test_names_are_looked_up_once(tmp_path, monkeypatch):
    """Planning two datasets and a sweep resolves each method a single time."""
    from harness.planning import names

    looked_up = []
    original = names.describe_method
    monkeypatch.setattr(
        names, "describe_method", lambda name: looked_up.append(name) or original(name)
    )
    study = tmp_path / "study.yaml"
    text = tiny_grid.STUDY.read_text() + "sweep: {kd.weight: [1, 2, 3]}\n"
    study.write_text(text)
    make_plan(RunRequest(methods=["kd", "sp"], study=str(study), runs=tmp_path), QUIET)
    assert looked_up == ["kd", "sp"]


def test_images_are_opened_once_for_each_size(tmp_path, monkeypatch):
    plan = tiny_grid.grid(tmp_path, "kd")
    opened = []
    opening = lambda *a, **k: opened.append(a[1]) or object()  # noqa: E731
    monkeypatch.setattr(images, "open_run_images", opening)
    first, *_, last = plan.specs
    larger = replace(last, recipe=replace(last.recipe, height=64))  # than its teacher's
    plain = replace(larger, teachers=())
    assert plan.open_data(first) is plan.open_data(last) is not plan.open_data(larger)
    assert plan.open_data(plain) is not plan.open_data(larger)
    assert len(opened) == 3
