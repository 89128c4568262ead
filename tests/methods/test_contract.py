"""Properties of all methods in every variant; a new method is covered by being listed."""

import copy
import math

import pytest
import torch

from methods import EXTRA_METHODS, METHODS, Outputs, Widths, create
from tests.support.outputs import (
    LABELS,
    LARGE,
    SIZES,
    SMALL,
    cast,
    fake,
    from_raw,
    reordered,
    tensors,
)

EVERY = [
    f"{n}:{variant}" for n, kind in (METHODS | EXTRA_METHODS).items() for variant in kind.variants
]
LEARNING = [case for case in EVERY if not case.startswith("none")]
SMALLEST_BATCH = {"rkd:original": 3, "rkd:pdrd": 3, "csd:pdrd": 2} | {
    f"{name}:{variant}": 2
    for name in ("cckd", "sp", "pkt", "pdrd", "pairwise", "pdrk")
    for variant in (METHODS | EXTRA_METHODS)[name].variants
}


@pytest.fixture(autouse=True)
def _one_thread():
    """On maps this small threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make(case, student, teacher):
    """A method by its name alone or with its variant, as `sp:pdrd`."""
    name, _, variant = case.partition(":")
    given = {"variant": variant} if variant else {}
    return create(name, student, teacher, given | ({"steps": 2} if name == "ft" else {}))


def build(name, student=SMALL, teacher=LARGE, *, dtype=torch.float64):
    """A prepared method."""
    torch.manual_seed(0)
    method = make(name, student, teacher)
    prepared = [fake(teacher, 50, seed=seed, dtype=torch.float32) for seed in (7, 8)]
    method.prepare(lambda: prepared, torch.Generator().manual_seed(0))
    return method.to(dtype)


@pytest.fixture(params=LEARNING)
def name(request):
    return request.param


@pytest.mark.parametrize("name", EVERY)
def test_loss_is_a_finite_scalar(name):
    loss = build(name)(fake(SMALL, grad=True), fake(LARGE, seed=1), LABELS)
    assert loss.shape == () and torch.isfinite(loss)


def test_gradient_reaches_the_student_and_every_trainable_parameter(name):
    method, student, teacher = build(name), fake(SMALL, grad=True), fake(LARGE, seed=1, grad=True)
    method(student, teacher, LABELS).backward()
    reached = [t.grad for t in tensors(student) if t.grad is not None]
    assert any(gradient.abs().sum() > 0 for gradient in reached)
    for key, parameter in method.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, key
            assert torch.isfinite(parameter.grad).all(), key
        else:
            assert parameter.grad is None, key


@pytest.mark.parametrize("name", EVERY)
def test_no_gradient_reaches_the_teacher(name):
    student, teacher = fake(SMALL, grad=True), fake(LARGE, seed=1, grad=True)
    loss = build(name)(student, teacher, LABELS)
    if loss.requires_grad:
        loss.backward()
    assert all(tensor.grad is None for tensor in tensors(teacher))


def test_the_gradient_is_that_of_finite_differences(name):
    """Uphill in all of the student's tensors at once, every entry at a random pace."""
    method, teacher = build(name), fake(LARGE, seed=1)
    leaves = [tensor.detach().requires_grad_() for tensor in tensors(fake(SMALL))]

    def loss(*moved):
        return method(Outputs(moved[:4], *moved[4:]), teacher, LABELS)

    loss(*leaves).backward()
    slopes = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
    torch.manual_seed(5)
    ways = [slope * torch.rand_like(slope) for slope in slopes]
    length = 1e-6 / sum(way.square().sum() for way in ways).sqrt()
    with torch.no_grad():
        ahead, behind = (
            loss(*(leaf + sign * length * way for leaf, way in zip(leaves, ways, strict=True)))
            for sign in (1, -1)
        )
    slope = sum((a * b).sum() for a, b in zip(slopes, ways, strict=True))
    assert torch.isclose(slope, (ahead - behind) / (2 * length), rtol=1e-4)


def test_inputs_are_left_as_they_were(name):
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    before = copy.deepcopy(tensors(student) + tensors(teacher))
    build(name)(student, teacher, LABELS)
    after = tensors(student) + tensors(teacher)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_order_of_the_batch_matters_only_where_it_is_said_to(name):
    method, student, teacher = build(name), fake(SMALL), fake(LARGE, seed=1)
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    loss = method(student, teacher, LABELS)
    again = method(reordered(student, order), reordered(teacher, order), LABELS[order])
    assert torch.isclose(loss, again, rtol=1e-10) == method.permutation_invariant


@pytest.mark.parametrize(("small", "large"), [(SMALL, LARGE), (SMALL, SMALL)])
@pytest.mark.parametrize(
    "sizes", [((8, 16), (4, 8), (2, 4), (1, 3)), ((32, 16), (16, 8), (8, 4), (8, 4))]
)
def test_maps_of_other_sizes(name, small, large, sizes):
    student, teacher = fake(small, grad=True), fake(large, seed=1, sizes=sizes)
    loss = build(name, small, large)(student, teacher, LABELS)
    loss.backward()
    assert torch.isfinite(loss)


def test_state_round_trips(name):
    method, student, teacher = build(name), fake(SMALL), fake(LARGE, seed=1)
    torch.manual_seed(99)
    other = make(name, SMALL, LARGE).double()
    other.load_state_dict(method.state_dict())
    assert torch.equal(method(student, teacher, LABELS), other(student, teacher, LABELS))


def assert_finite_gradients(name, student, teacher):
    method = build(name, SMALL, SMALL, dtype=torch.float32)
    loss = method(student, teacher, LABELS)
    loss.backward()
    gradients = [t.grad for t in (*tensors(student), *method.parameters()) if t.grad is not None]
    assert torch.isfinite(loss)
    assert gradients and all(torch.isfinite(gradient).all() for gradient in gradients)


def raw(seed=0):
    torch.manual_seed(seed)
    maps = [torch.randn(8, c, *size) for c, size in zip(SMALL.maps, SIZES, strict=True)]
    return maps, torch.randn(8, 32), torch.randn(8, 5)


def test_finite_where_student_and_teacher_agree(name):
    assert_finite_gradients(name, from_raw(*raw(), grad=True), from_raw(*raw()))


@pytest.mark.parametrize("dead", [[2], [0, 5], list(range(8))], ids=["one", "two", "all"])
@pytest.mark.parametrize("who", ["student", "teacher", "both"])
def test_finite_with_dead_rows(name, dead, who):
    ours, theirs = raw(0), raw(1)
    for network in {"student": [ours], "teacher": [theirs], "both": [ours, theirs]}[who]:
        for maps in network[0]:
            maps[dead] = -1.0
    assert_finite_gradients(name, from_raw(*ours, grad=True), from_raw(*theirs))


@pytest.mark.parametrize("who", ["student", "teacher", "both"])
def test_finite_with_duplicated_images(name, who):
    ours, theirs = raw(0), raw(1)
    for network in {"student": [ours], "teacher": [theirs], "both": [ours, theirs]}[who]:
        for tensor in (*network[0], network[1], network[2]):
            tensor[4:] = tensor[:4]
    assert_finite_gradients(name, from_raw(*ours, grad=True), from_raw(*theirs))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_computes_in_the_dtype_it_is_given(name, dtype):
    student, teacher = fake(SMALL, dtype=dtype), fake(LARGE, seed=1, dtype=dtype)
    assert build(name, dtype=dtype)(student, teacher, LABELS).dtype == dtype


def test_single_precision_is_precise_enough(name):
    student, teacher = fake(SMALL, seed=3), fake(LARGE, seed=4)
    single, double = (
        build(name, dtype=dtype)(cast(student, dtype), cast(teacher, dtype), LABELS).item()
        for dtype in (torch.float32, torch.float64)
    )
    assert math.isclose(single, double, rel_tol=1e-3 if "pkt" in name else 1e-4)


@pytest.mark.parametrize("name", SMALLEST_BATCH)
def test_too_small_a_batch_is_refused_with_both_numbers(name):
    least = SMALLEST_BATCH[name]
    method = build(name)
    assert torch.isfinite(method(fake(SMALL, least), fake(LARGE, least, seed=1), LABELS[:least]))
    few = least - 1
    with pytest.raises(
        ValueError, match=rf"{name.partition(':')[0]} .*at least {least} images.*given {few}"
    ):
        method(fake(SMALL, few), fake(LARGE, few, seed=1), LABELS[:few])


def test_deterministic_for_a_seed(name):
    first, second = build(name), build(name)
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    assert torch.equal(first(student, teacher, LABELS), second(student, teacher, LABELS))


def test_a_step_changes_every_trainable_parameter(name):
    method = build(name)
    before = {key: value.clone() for key, value in method.named_parameters()}
    trainable = [p for p in method.parameters() if p.requires_grad]
    method(fake(SMALL, grad=True), fake(LARGE, seed=1), LABELS).backward()
    if trainable:
        torch.optim.SGD(trainable, lr=1.0).step()
    for key, value in method.named_parameters():
        # a bias just before BatchNorm has no effect on the loss, so its gradient is rounding error
        if value.requires_grad and key not in ("regressor.0.bias", "projector.0.bias"):
            assert not torch.equal(value, before[key]), key
        if not value.requires_grad:
            assert torch.equal(value, before[key]), key


def test_an_unknown_variant_is_refused(name):
    name = name.partition(":")[0]
    with pytest.raises(ValueError, match=rf"{name} has no variant 'other'.*Offered"):
        create(name, SMALL, LARGE, {"variant": "other"})


@pytest.mark.parametrize("name", ["csd:original"])
def test_what_waits_for_prepare_says_so(name):
    with pytest.raises(ValueError, match="`prepare` has not run"):
        make(name, SMALL, LARGE).double()(fake(SMALL), fake(LARGE), LABELS)


@pytest.mark.parametrize("name", EVERY)
def test_a_teacher_of_logits_alone_is_refused_by_whoever_needs_more(name):
    joined = Widths(maps=(), embedding=0, identities=5)
    if not (METHODS | EXTRA_METHODS)[name.partition(":")[0]].needs_features:
        assert make(name, SMALL, joined)
    else:
        with pytest.raises(ValueError, match="needs the teacher's maps or features.*vrkd, kd"):
            make(name, SMALL, joined)
