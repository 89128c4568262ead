"""Checks of a loss by itself, on random outputs of two small networks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial

import torch
from torch import Tensor

from harness.core.seeding import seeded_rng
from harness.models import as_float32
from harness.testing.checks import CheckResult, run_checks
from methods import create, options
from methods.base import Method, Outputs, Paper, Widths

SMALL = Widths(maps=(4, 8, 16, 32), embedding=32, identities=5)  # of the student
LARGE = Widths(maps=(16, 32, 64, 128), embedding=128, identities=5)  # of the teacher
EQUAL_SIZES = ((16, 8), (8, 4), (4, 2), (4, 2))  # height and width of each stage's maps
OTHER_SIZES = ((8, 8), (4, 4), (2, 2), (1, 2))
BATCH = 8
LABELS = torch.arange(BATCH) % 5  # identities of the batch


def assert_loss_conforms(kind: type[Method], variant: str | None = None) -> None:
    """Check the loss of a method.

    Args:
        kind: The method's class.
        variant: One of its variants; by default all are checked.

    Raises:
        AssertionError: Some checks failed; the message lists them.
    """
    problems = [
        f"{name}: {result.check}: {result.problem}"
        for name in ([variant] if variant else kind.variants)
        for result in check_loss(kind, name)
        if result.problem
    ]
    if problems:
        raise AssertionError("\n".join([f"{kind.__name__} does not conform.", *problems]))


def check_loss(kind: type[Method], variant: str) -> Iterator[CheckResult]:
    """Make all checks of one variant of a method's loss and yield their results."""
    checks = {
        "name, label, paper and options": _check_description,
        "the loss is a finite scalar": _check_scalar,
        "gradient reaches the student and every trainable parameter": _check_gradients,
        "no gradient reaches the teacher": _check_teacher,
        "inputs are left as they were": _check_inputs,
        "the order of the batch matters as declared": _check_order,
        "maps of other sizes and widths": _check_other_sizes,
        "outputs of a network in half precision, under autocast": _check_half_precision,
        "finite where student and teacher agree": _check_agreement,
        "finite with dead (all-zero) rows": _check_dead_rows,
        "finite with duplicated images": _check_duplicates,
        "its state can be saved and restored": _check_state,
    }
    return run_checks({name: partial(check, kind, variant) for name, check in checks.items()})


def random_outputs(
    widths: Widths,
    *,
    seed: int = 0,
    grad: bool = False,
    sizes: tuple[tuple[int, int], ...] = EQUAL_SIZES,
    change: Callable[[Tensor], Tensor] = lambda tensor: tensor,
) -> Outputs:
    """Return random float32 outputs of a four-stage network for a batch of 8 images.

    They are related as those of a real network: maps are the ReLU of earlier values, `pooled` is
    the mean of the last maps.

    Args:
        widths: Channels of the outputs.
        seed: Of the random numbers.
        grad: Whether the outputs require gradients, which are then kept in all of them.
        sizes: Height and width of each stage's maps.
        change: Applied to every random tensor.
    """
    random = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return change(torch.randn(BATCH, *shape, generator=random)).requires_grad_(grad)

    raw = [draw(width, *size) for width, size in zip(widths.maps, sizes, strict=True)]
    maps = tuple(each.relu() for each in raw)
    outputs = Outputs(
        maps=maps,
        pre_relu=raw[-1],
        pooled=maps[-1].mean((2, 3)),
        embedding=draw(widths.embedding),
        logits=draw(widths.identities),
    )
    if grad:
        for tensor in _tensors(outputs):
            tensor.retain_grad()
    return outputs


def _tensors(outputs: Outputs) -> list[Tensor]:
    others = (getattr(outputs, field.name) for field in fields(outputs)[1:])
    return [*outputs.maps, *others]


def _build(
    kind: type[Method], variant: str, student: Widths = SMALL, teacher: Widths = LARGE
) -> Method:
    """Return the method with its adapters, prepared on random outputs of the teacher."""
    values: dict[str, object] = {"variant": variant}
    if "steps" in options(kind):  # a long stage before training can be cut short by this option
        values["steps"] = 2
    with seeded_rng("conformance"):
        method = create(kind, student, teacher, values)
        batches = [random_outputs(teacher, seed=seed) for seed in range(20, 36)]
        method.prepare(lambda: iter(batches), torch.Generator().manual_seed(0))
    return method


def _check_description(kind: type[Method], variant: str) -> str:
    if not kind.label or not kind.name.replace("-", "").replace("_", "").isalnum():
        return (
            f"name {kind.name!r} must consist of letters, digits, - and _, and label "
            f"{kind.label!r} must not be empty"
        )
    if kind.paper is not None and not isinstance(kind.paper, Paper):
        return "paper must be a Paper or None"
    method = _build(kind, variant)
    return "" if method.variant == variant else "`__init__` does not pass `variant` on to `Method`"


def _check_scalar(kind: type[Method], variant: str) -> str:
    loss = _build(kind, variant)(random_outputs(SMALL), random_outputs(LARGE, seed=1), LABELS)
    if loss.shape != () or not bool(loss.isfinite()):
        return f"the loss is {loss.detach()}, of shape {tuple(loss.shape)}"
    return ""


def _check_gradients(kind: type[Method], variant: str) -> str:
    method, student = _build(kind, variant), random_outputs(SMALL, grad=True)
    torch.autograd.backward(method(student, random_outputs(LARGE, seed=1), LABELS))
    reached = [tensor.grad for tensor in _tensors(student) if tensor.grad is not None]
    if not any(bool(gradient.count_nonzero()) for gradient in reached):
        return "no tensor of the student has a gradient"
    for name, parameter in method.named_parameters():
        if parameter.requires_grad and parameter.grad is None:
            return f"the parameter {name} has no gradient: freeze it or use it"
        if not parameter.requires_grad and parameter.grad is not None:
            return f"the frozen parameter {name} has a gradient"
    return ""


def _check_teacher(kind: type[Method], variant: str) -> str:
    teacher = random_outputs(LARGE, seed=1, grad=True)
    torch.autograd.backward(
        _build(kind, variant)(random_outputs(SMALL, grad=True), teacher, LABELS)
    )
    if any(tensor.grad is not None for tensor in _tensors(teacher)):
        return "a gradient reaches the teacher: call .detach() on its tensors"
    return ""


def _check_inputs(kind: type[Method], variant: str) -> str:
    student, teacher = random_outputs(SMALL), random_outputs(LARGE, seed=1)
    before = copy.deepcopy(_tensors(student) + _tensors(teacher))
    _build(kind, variant)(student, teacher, LABELS)
    after = _tensors(student) + _tensors(teacher)
    same = all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    return "" if same else "an input tensor is changed in place"


def _check_order(kind: type[Method], variant: str) -> str:
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    method = _build(kind, variant).double()
    student, teacher = (_cast(random_outputs(w, seed=s)) for w, s in ((SMALL, 0), (LARGE, 1)))
    loss = method(student, teacher, LABELS)
    again = method(_reordered(student, order), _reordered(teacher, order), LABELS[order])
    same = bool(torch.isclose(loss, again, rtol=1e-8))
    if same == method.permutation_invariant:
        return ""
    words = ("changes", "True") if method.permutation_invariant else ("does not change", "False")
    return f"reordering the batch {words[0]} the loss, but permutation_invariant is {words[1]}"


def _check_other_sizes(kind: type[Method], variant: str) -> str:
    for student, teacher in ((SMALL, LARGE), (SMALL, SMALL)):
        outputs = (
            random_outputs(student, grad=True),
            random_outputs(teacher, seed=1, sizes=OTHER_SIZES),
        )
        problem = _describe_non_finite(_build(kind, variant, student, teacher), *outputs)
        if problem:
            return f"widths {student.maps} and {teacher.maps}: {problem}"
    return ""


def _check_half_precision(kind: type[Method], variant: str) -> str:
    """Compute as the training does: the network under autocast, the loss in float32 outside."""
    raw = random_outputs(SMALL, grad=True, change=lambda tensor: tensor.bfloat16())
    teacher = as_float32(random_outputs(LARGE, seed=1, change=lambda tensor: tensor.bfloat16()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        student = as_float32(raw)
        with torch.autocast("cpu", enabled=False):
            loss = _build(kind, variant)(student, teacher, LABELS)
    if loss.dtype != torch.float32 or not bool(loss.isfinite()):
        return f"the loss is {loss.item()} in {loss.dtype}"
    torch.autograd.backward(loss)
    gradients = [tensor.grad for tensor in _tensors(raw) if tensor.grad is not None]
    if not gradients or not all(bool(gradient.isfinite().all()) for gradient in gradients):
        return "a gradient that reaches the network is not finite, or none does"
    return ""


def _check_agreement(kind: type[Method], variant: str) -> str:
    method = _build(kind, variant, SMALL, SMALL)
    return _describe_non_finite(method, random_outputs(SMALL, grad=True), random_outputs(SMALL))


def _check_dead_rows(kind: type[Method], variant: str) -> str:
    def kill(tensor: Tensor) -> Tensor:
        return torch.cat([-tensor[:2].abs(), tensor[2:]])

    method = _build(kind, variant)
    student = random_outputs(SMALL, grad=True, change=kill)
    return _describe_non_finite(method, student, random_outputs(LARGE, seed=1, change=kill))


def _check_duplicates(kind: type[Method], variant: str) -> str:
    def repeat(tensor: Tensor) -> Tensor:
        return tensor[[0, 0, 0, 1, 2, 3, 4, 5]]

    student = random_outputs(SMALL, grad=True, change=repeat)
    return _describe_non_finite(_build(kind, variant), student, random_outputs(LARGE, seed=1))


def _check_state(kind: type[Method], variant: str) -> str:
    method, other = _build(kind, variant).double(), _build(kind, variant).double()
    for value in other.parameters():
        torch.nn.init.zeros_(value)
    other.load_state_dict(method.state_dict())
    student, teacher = (_cast(random_outputs(w, seed=s)) for w, s in ((SMALL, 0), (LARGE, 1)))
    losses = [each(student, teacher, LABELS) for each in (method, other)]
    same = torch.equal(*losses)
    return "" if same else "the loss depends on something that state_dict does not contain"


def _describe_non_finite(method: Method, student: Outputs, teacher: Outputs) -> str:
    """Return "" if the loss and all its gradients are finite."""
    loss = method(student, teacher, LABELS)
    if not bool(loss.isfinite()):
        return f"the loss is {loss.item()}"
    torch.autograd.backward(loss)
    parts = [*_tensors(student), *method.parameters()]
    gradients = [part.grad for part in parts if part.grad is not None]
    if not all(bool(gradient.isfinite().all()) for gradient in gradients):
        return "a gradient is not finite"
    return ""


def _cast(outputs: Outputs) -> Outputs:
    return _map_tensors(outputs, lambda tensor: tensor.double())


def _reordered(outputs: Outputs, order: Tensor) -> Outputs:
    return _map_tensors(outputs, lambda tensor: tensor[order])


def _map_tensors(outputs: Outputs, change: Callable[[Tensor], Tensor]) -> Outputs:
    *maps, pre_relu, pooled, embedding, logits = map(change, _tensors(outputs))
    return Outputs(tuple(maps), pre_relu, pooled, embedding, logits)
