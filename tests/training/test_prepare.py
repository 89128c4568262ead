"""State that a method computes from its teacher: computed once, loaded ever after."""

import pytest
import torch

from harness.runs.spec import RunSpec
from harness.training.prepare import prepare_method
from harness.training.prepared_folder import PreparedFolder
from methods import METHODS, Method, Widths, create
from tests.support import outputs
from tests.support.training_runs import spec


class Centre(Method):
    """Keeps the mean of the teacher's features, with noise, and trains a projection."""

    name = label = "centre"
    paper = None

    def __init__(self, student, teacher, *, weight: float = 1.0, variant: str = "original"):
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.register_buffer("mean", torch.zeros(teacher.embedding))
        self.register_buffer("untouched", torch.ones(2))
        self.projection = torch.nn.Linear(teacher.embedding, 1)

    def prepare(self, batches, generator):
        features = torch.cat([batch.embedding for batch in batches()])
        self.mean.copy_(features.float().mean(dim=0) + torch.rand(1, generator=generator))
        with torch.no_grad():
            self.projection.bias += torch.rand(1)  # from the global generator

    def forward(self, student, teacher, labels):
        return student.embedding.mean()


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(METHODS, "centre", Centre)


WIDTHS = (outputs.SMALL, outputs.SMALL)


def make(run):
    torch.manual_seed(0)
    return create(METHODS[run.method], *WIDTHS, {})


def prepare(run, folder, batches, widths=WIDTHS):
    method = make(run)
    return method, prepare_method(method, run, widths, PreparedFolder(folder), batches)


def teacher_batches(calls):
    def batches():
        calls.append(1)
        return [outputs.fake(outputs.SMALL, seed=seed) for seed in (0, 1)]

    return batches


def test_the_state_is_computed_once_and_loaded_with_the_same_bits(tmp_path):
    run, calls = spec("centre"), []
    first, names = prepare(run, tmp_path, teacher_batches(calls))
    again, same_names = prepare(run, tmp_path, teacher_batches(calls))
    assert calls == [1]
    assert names == same_names == {"mean"}
    assert torch.equal(first.mean, again.mean) and first.mean.abs().sum() > 0
    assert len(list(tmp_path.glob("centre-*.pt"))) == 1


def test_trained_parameters_are_not_part_of_the_state(tmp_path):
    """Otherwise a resumed run would begin with the adapters of another one."""
    _, names = prepare(spec("centre"), tmp_path, teacher_batches([]))
    assert not any("projection" in name for name in names)


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"source": "other"}, {"options": (("weight", 2.0),)}],
)
def test_another_run_computes_its_own(tmp_path, change):
    run, calls = spec("centre"), []
    fields = {name: getattr(run, name) for name in RunSpec.__slots__}
    prepare(run, tmp_path, teacher_batches(calls))
    prepare(RunSpec(**fields | change), tmp_path, teacher_batches(calls))
    assert calls == [1, 1]


def test_other_widths_compute_their_own(tmp_path):
    calls = []
    other = Widths(maps=(1, 2, 3, 4), embedding=4, identities=5)
    prepare(spec("centre"), tmp_path, teacher_batches(calls))
    prepare(spec("centre"), tmp_path, teacher_batches(calls), (other, outputs.SMALL))
    assert calls == [1, 1]


def test_global_generators_are_left_alone(tmp_path):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    method = make(spec("centre"))
    torch.set_rng_state(state)
    prepare_method(method, spec("centre"), WIDTHS, PreparedFolder(tmp_path), teacher_batches([]))
    assert torch.equal(torch.rand(1), expected)


def test_a_method_without_preparation_stores_nothing(tmp_path):
    _, names = prepare(spec("sp"), tmp_path, lambda: pytest.fail("the teacher ran"))
    assert names == frozenset()
    assert not list(tmp_path.iterdir())
