"""Variants, a second stream of batches and ensemble teachers, in training."""

import json
import shutil

import pytest
import torch

from harness.core.errors import RunInterrupted, UsageError
from harness.core.signals import StopRequest
from harness.training import loop
from methods import METHODS
from tests.support import tiny_grid

SEPARATE = "recipe.distillation_batches=separate"


def digests(plan):
    """By method, the digest of the trained weights."""
    records = {
        spec.method: json.loads((plan.runs / spec.key / "record.json").read_text())
        for spec in plan.cohorts[-1]
    }
    return {method: record["result"]["model"] for method, record in records.items()}


def test_a_separate_stream_reaches_the_methods_and_nothing_else(with_teacher):
    teacher = ["teacher_recipe.distillation_batches=shared"]
    shared, outcome = tiny_grid.run(with_teacher, "pdrd")
    separate, other = tiny_grid.run(with_teacher, "pdrd", overrides=[SEPARATE, *teacher])
    assert not outcome.failed and not other.failed
    assert separate.cohorts[0] == shared.cohorts[0]
    before, after = digests(shared), digests(separate)
    assert before["none"] == after["none"] and before["pdrd"] != after["pdrd"]


def test_with_a_separate_stream_student_and_teacher_are_compared_on_one_batch(
    with_teacher, monkeypatch
):
    images_of, compared = {}, []
    compute_outputs, forward = loop.compute_outputs, METHODS["pdrd"].forward

    def remember(network, images, context):
        outputs = compute_outputs(network, images, context)
        images_of[id(outputs)] = (outputs, images)
        return outputs

    def compare(self, student, teacher, labels):
        compared.append((images_of[id(student)][1], images_of[id(teacher)][1]))
        return forward(self, student, teacher, labels)

    monkeypatch.setattr(loop, "compute_outputs", remember)
    monkeypatch.setattr(METHODS["pdrd"], "forward", compare)
    teacher = "teacher_recipe.distillation_batches=shared"
    _, outcome = tiny_grid.run(with_teacher, "pdrd", overrides=[SEPARATE, teacher], pack=1)
    assert not outcome.failed and compared
    assert all(torch.equal(ours, theirs) for ours, theirs in compared)


def test_a_separate_stream_resumes_where_it_was(with_teacher):
    class After(StopRequest):
        reads = 0

        @property
        def requested(self):
            After.reads += 1
            return After.reads > 7

    options = {"overrides": [SEPARATE, "teacher_recipe.distillation_batches=shared"]}
    plan, _ = tiny_grid.run(with_teacher, "pdrd", **options)
    spec = plan.cohorts[-1][-1]
    whole = tiny_grid.result_of(with_teacher, spec.key)
    shutil.rmtree(with_teacher / spec.key)
    with pytest.raises(RunInterrupted):
        tiny_grid.launch(plan, stop=After())
    assert (with_teacher / spec.key / "checkpoint.pt").exists()
    assert not tiny_grid.launch(plan).failed
    tiny_grid.assert_same_bits(whole, tiny_grid.result_of(with_teacher, spec.key))


def test_the_bank_is_made_once_and_stays_out_of_checkpoints_and_students(with_teacher):
    plan, outcome = tiny_grid.run(
        with_teacher, "csd", overrides=["csd.variant=original", "csd.neighbours=5"], interval=0
    )
    assert not outcome.failed
    teacher, spec = plan.cohorts[0][0], plan.cohorts[-1][-1]
    (made,) = (with_teacher / teacher.key / "prepared").glob("csd-*.pt")
    bank = torch.load(made, weights_only=True)["state"]["bank"]
    images = len(plan.datasets["synthetic"].train)
    assert bank.shape == (images, 512)  # as wide as the teacher
    assert not any("bank" in key for key in torch.load(with_teacher / spec.key / "model.pt"))
    record = json.loads((with_teacher / spec.key / "record.json").read_text())
    assert record["spec"]["options"] == {"neighbours": 5, "variant": "original"}


def test_variants_are_runs_of_their_own(with_teacher):
    keys = set()
    for variant in ("original", "pdrd"):
        plan = tiny_grid.grid(with_teacher, "sp", overrides=[f"sp.variant={variant}"])
        keys.add(plan.cohorts[-1][-1].key)
    assert len(keys) == 2


SQUARE = ["recipe.height=128", "recipe.width=128", "recipe.sampling=images", "recipe.batch=8"]
SQUARE += ["recipe.triplet_weight=0", "recipe.pad=0", "recipe.schedule=steps"]
SQUARE += ["recipe.milestones=0.5", "recipe.epochs=1", "recipe.warmup_epochs=0"]


def test_four_directional_branches_teach_as_one(with_teacher):
    options = {"teacher": "resnet18-directional", "head": "fc256", "overrides": SQUARE}
    plan, outcome = tiny_grid.run(with_teacher, "vrkd", "kd", **options)
    assert not outcome.failed
    branches, students = plan.cohorts[0], plan.cohorts[-1]
    assert len(branches) == 4 and {spec.method for spec in branches} == {"none"}
    spec = students[-1]
    record = json.loads((with_teacher / spec.key / "record.json").read_text())
    weights = [
        json.loads((with_teacher / branch.key / "record.json").read_text())["result"]["model"]
        for branch in branches
    ]
    assert record["teachers"] == weights and len(set(weights)) == 4
    with pytest.raises(UsageError, match="resnet18-directional .* are needed by fitnet"):
        tiny_grid.grid(with_teacher, "fitnet", **options)


def test_branches_on_images_that_are_not_square_are_refused(with_teacher):
    plan, outcome = tiny_grid.run(
        with_teacher, "vrkd", teacher="resnet18-directional", head="fc256"
    )
    assert len(outcome.failed) >= 4
    assert any("8x8, 16x16 and 32x32" in reason for reason in outcome.failed.values())
