"""Checks of a loss by itself, on made-up outputs of two networks."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import fields
from functools import partial

import torch
from torch import Tensor

from harness.core.seeding import seeded_rng
from harness.models import as_float32
from methods import Method, Outputs, Widths, create, options
from methods.base import Paper

SMALL = Widths(maps=(4, 8, 16, 32), embedding=32, identities=5)
LARGE = Widths(maps=(16, 32, 64, 128), embedding=128, identities=5)
EQUAL_SIZES = ((16, 8), (8, 4), (4, 2), (4, 2))
OTHER_SIZES = ((8, 8), (4, 4), (2, 2), (1, 2))
BATCH = 8
LABELS = torch.arange(BATCH) % 5


def checks(kind: type[Method], variant: str) -> dict[str, Callable[[], str]]:
    """The checks of one variant of a method, by what they check."""
    found = {
        "name, label, paper and options": _described,
        "the loss is a finite scalar": _finite_scalar,
        "gradient reaches the student and every trainable parameter": _gradient,
        "no gradient reaches the teacher": _teacher_is_constant,
        "inputs are left as they were": _inputs_untouched,
        "the order of the batch matters as declared": _order,
        "maps of other sizes and widths": _mixed,
        "outputs of a network in half precision, under autocast": _half,
        "finite where student and teacher agree": _agreeing,
        "finite with dead (all-zero) rows": _dead,
        "finite with duplicated images": _duplicated,
        "its state can be saved and restored": _state,
    }
    return {name: partial(check, kind, variant) for name, check in found.items()}


def random_outputs(
    widths: Widths,
    *,
    seed: int = 0,
    grad: bool = False,
    sizes: tuple[tuple[int, int], ...] = EQUAL_SIZES,
    change: Callable[[Tensor], Tensor] = lambda tensor: tensor,
) -> Outputs:
    """Random outputs of a four-stage network, in float32, shaped and related as real ones are."""
    random = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return change(torch.randn(BATCH, *shape, generator=random)).requires_grad_(grad)

    raw = [draw(width, *size) for width, size in zip(widths.maps, sizes, strict=True)]
    maps = tuple(each.relu() for each in raw)
    outputs = Outputs(
        maps, raw[-1], maps[-1].mean((2, 3)), draw(widths.embedding), draw(widths.identities)
    )
    if grad:
        for tensor in tensors(outputs):
            tensor.retain_grad()
    return outputs


def tensors(outputs: Outputs) -> list[Tensor]:
    """Every tensor of `outputs`."""
    others = (getattr(outputs, field.name) for field in fields(outputs)[1:])
    return [*outputs.maps, *others]


def build(
    kind: type[Method], variant: str, student: Widths = SMALL, teacher: Widths = LARGE
) -> Method:
    """The method with its adapters, prepared on made-up outputs of the teacher."""
    given: dict[str, object] = {"variant": variant}
    if "steps" in options(kind):  # a long stage before training can be cut short so
        given["steps"] = 2
    with seeded_rng("conformance"):
        method = create(kind, student, teacher, given)
        batches = [random_outputs(teacher, seed=seed) for seed in range(20, 36)]
        method.prepare(lambda: iter(batches), torch.Generator().manual_seed(0))
    return method


def _described(kind: type[Method], variant: str) -> str:
    if not (kind.name and kind.label and kind.name.replace("-", "").replace("_", "").isalnum()):
        return f"name {kind.name!r} and label {kind.label!r} must both say something"
    if kind.paper is not None and not isinstance(kind.paper, Paper):
        return "paper must be a Paper or None"
    method = build(kind, variant)
    return "" if method.variant == variant else "the variant asked for is not passed to `Method`"


def _finite_scalar(kind: type[Method], variant: str) -> str:
    loss = build(kind, variant)(random_outputs(SMALL), random_outputs(LARGE, seed=1), LABELS)
    if loss.shape != () or not bool(loss.isfinite()):
        return f"the loss is {loss.detach()}, of shape {tuple(loss.shape)}"
    return ""


def _gradient(kind: type[Method], variant: str) -> str:
    method, student = build(kind, variant), random_outputs(SMALL, grad=True)
    torch.autograd.backward(method(student, random_outputs(LARGE, seed=1), LABELS))
    reached = [tensor.grad for tensor in tensors(student) if tensor.grad is not None]
    if not any(bool(gradient.count_nonzero()) for gradient in reached):
        return "no tensor of the student has a gradient"
    for name, parameter in method.named_parameters():
        if parameter.requires_grad and parameter.grad is None:
            return f"the parameter {name} has no gradient: freeze it or use it"
        if not parameter.requires_grad and parameter.grad is not None:
            return f"the frozen parameter {name} has a gradient"
    return ""


def _teacher_is_constant(kind: type[Method], variant: str) -> str:
    teacher = random_outputs(LARGE, seed=1, grad=True)
    torch.autograd.backward(build(kind, variant)(random_outputs(SMALL, grad=True), teacher, LABELS))
    if any(tensor.grad is not None for tensor in tensors(teacher)):
        return "a gradient reaches the teacher: call .detach() on its tensors"
    return ""


def _inputs_untouched(kind: type[Method], variant: str) -> str:
    student, teacher = random_outputs(SMALL), random_outputs(LARGE, seed=1)
    before = copy.deepcopy(tensors(student) + tensors(teacher))
    build(kind, variant)(student, teacher, LABELS)
    after = tensors(student) + tensors(teacher)
    same = all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    return "" if same else "an input tensor is changed in place"


def _order(kind: type[Method], variant: str) -> str:
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    method = build(kind, variant).double()
    student, teacher = (_cast(random_outputs(w, seed=s)) for w, s in ((SMALL, 0), (LARGE, 1)))
    loss = method(student, teacher, LABELS)
    again = method(_reordered(student, order), _reordered(teacher, order), LABELS[order])
    same = bool(torch.isclose(loss, again, rtol=1e-8))
    if same == method.permutation_invariant:
        return ""
    words = ("changes", "True") if method.permutation_invariant else ("does not change", "False")
    return f"reordering the batch {words[0]} the loss, but permutation_invariant is {words[1]}"


def _mixed(kind: type[Method], variant: str) -> str:
    for student, teacher in ((SMALL, LARGE), (SMALL, SMALL)):
        outputs = (
            random_outputs(student, grad=True),
            random_outputs(teacher, seed=1, sizes=OTHER_SIZES),
        )
        problem = _finite(build(kind, variant, student, teacher), *outputs)
        if problem:
            return f"widths {student.maps} and {teacher.maps}: {problem}"
    return ""


def _half(kind: type[Method], variant: str) -> str:
    """As the loop does it: a network under autocast, the loss in float32 outside."""
    raw = random_outputs(SMALL, grad=True, change=lambda tensor: tensor.bfloat16())
    teacher = as_float32(random_outputs(LARGE, seed=1, change=lambda tensor: tensor.bfloat16()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        student = as_float32(raw)
        with torch.autocast("cpu", enabled=False):
            loss = build(kind, variant)(student, teacher, LABELS)
    if loss.dtype != torch.float32 or not bool(loss.isfinite()):
        return f"the loss is {loss.item()} in {loss.dtype}"
    torch.autograd.backward(loss)
    gradients = [tensor.grad for tensor in tensors(raw) if tensor.grad is not None]
    if not gradients or not all(bool(gradient.isfinite().all()) for gradient in gradients):
        return "a gradient that reaches the network is not finite, or none does"
    return ""


def _agreeing(kind: type[Method], variant: str) -> str:
    method = build(kind, variant, SMALL, SMALL)
    return _finite(method, random_outputs(SMALL, grad=True), random_outputs(SMALL))


def _dead(kind: type[Method], variant: str) -> str:
    def kill(tensor: Tensor) -> Tensor:
        return torch.cat([-tensor[:2].abs(), tensor[2:]])

    method = build(kind, variant)
    student = random_outputs(SMALL, grad=True, change=kill)
    return _finite(method, student, random_outputs(LARGE, seed=1, change=kill))


def _duplicated(kind: type[Method], variant: str) -> str:
    def repeat(tensor: Tensor) -> Tensor:
        return tensor[[0, 0, 0, 1, 2, 3, 4, 5]]

    student = random_outputs(SMALL, grad=True, change=repeat)
    return _finite(build(kind, variant), student, random_outputs(LARGE, seed=1))


def _state(kind: type[Method], variant: str) -> str:
    method, other = build(kind, variant).double(), build(kind, variant).double()
    for value in other.parameters():
        torch.nn.init.zeros_(value)
    other.load_state_dict(method.state_dict())
    student, teacher = (_cast(random_outputs(w, seed=s)) for w, s in ((SMALL, 0), (LARGE, 1)))
    losses = [each(student, teacher, LABELS) for each in (method, other)]
    same = torch.equal(*losses)
    return "" if same else "state_dict leaves out something that the loss depends on"


def _finite(method: Method, student: Outputs, teacher: Outputs) -> str:
    loss = method(student, teacher, LABELS)
    if not bool(loss.isfinite()):
        return f"the loss is {loss.item()}"
    torch.autograd.backward(loss)
    parts = [*tensors(student), *method.parameters()]
    gradients = [part.grad for part in parts if part.grad is not None]
    if not all(bool(gradient.isfinite().all()) for gradient in gradients):
        return "a gradient is not finite"
    return ""


def _cast(outputs: Outputs) -> Outputs:
    return _each(outputs, lambda tensor: tensor.double())


def _reordered(outputs: Outputs, order: Tensor) -> Outputs:
    return _each(outputs, lambda tensor: tensor[order])


def _each(outputs: Outputs, change: Callable[[Tensor], Tensor]) -> Outputs:
    *maps, pre_relu, pooled, embedding, logits = map(change, tensors(outputs))
    return Outputs(tuple(maps), pre_relu, pooled, embedding, logits)
