"""Random network outputs, the golden arrays, and how close a loss and a gradient must come."""

from pathlib import Path

import numpy as np
import torch

from methods import Outputs, Widths

SMALL = Widths(maps=(4, 8, 16, 32), embedding=32, identities=5)
LARGE = Widths(maps=(16, 32, 64, 128), embedding=128, identities=5)
SIZES = ((16, 8), (8, 4), (4, 2), (4, 2))
LABELS = torch.arange(8) % 5


def fake(widths, batch=8, *, sizes=SIZES, seed=0, dtype=torch.float64, grad=False):
    """Random outputs of a four-stage network; gradients of all its tensors are kept."""
    torch.manual_seed(seed)
    raw = [
        torch.randn(batch, channels, *size, dtype=dtype)
        for channels, size in zip(widths.maps, sizes, strict=True)
    ]
    embedding = torch.randn(batch, widths.embedding, dtype=dtype)
    logits = torch.randn(batch, widths.identities, dtype=dtype)
    return from_raw(raw, embedding, logits, grad=grad)


def from_raw(raw, embedding, logits, *, grad=False):
    """Outputs whose maps are the ReLU of `raw`, pooled as every network pools."""
    leaves = [tensor.clone().requires_grad_(grad) for tensor in (*raw, embedding, logits)]
    maps = tuple(leaf.relu() for leaf in leaves[:-2])
    outputs = Outputs(
        maps=maps,
        pre_relu=leaves[-3],
        pooled=maps[-1].mean((2, 3)),
        embedding=leaves[-2],
        logits=leaves[-1],
    )
    if grad:
        for tensor in tensors(outputs):
            tensor.retain_grad()
    return outputs


def tensors(outputs):
    """Every tensor of `outputs`."""
    return (
        *outputs.maps,
        outputs.pre_relu,
        outputs.pooled,
        outputs.embedding,
        outputs.logits,
    )


def changed(outputs, change):
    """Outputs whose every tensor went through `change`."""
    maps, others = tensors(outputs)[: len(outputs.maps)], tensors(outputs)[len(outputs.maps) :]
    return Outputs(tuple(change(tensor) for tensor in maps), *(change(tensor) for tensor in others))


def reordered(outputs, order):
    """The same images in another order."""
    return changed(outputs, lambda tensor: tensor[order])


def cast(outputs, dtype):
    """The same images in another precision."""
    return changed(outputs, lambda tensor: tensor.to(dtype))


def only(**taps):
    """Outputs of which a method may touch nothing but the given taps."""
    unused = dict.fromkeys(("maps", "pre_relu", "pooled", "embedding", "logits"))
    return Outputs(**(unused | taps))


def widths(*channels, identities=5):
    """Widths of a network with these channels per stage."""
    return Widths(maps=channels, embedding=channels[-1], identities=identities)


def golden(name) -> dict[str, torch.Tensor]:
    """The arrays of one golden file; single numbers come as floats."""
    with np.load(Path(__file__).parents[1] / "methods" / "golden" / f"{name}.npz") as arrays:
        return {
            key: array.item() if array.shape == () else torch.from_numpy(array)
            for key, array in arrays.items()
        }


def assert_loss(loss, expected, tolerance=2e-5):
    """The loss is within a relative tolerance of a number."""
    assert loss.shape == ()
    given = loss.item()
    assert abs(given - expected) <= tolerance * abs(expected), (given, expected)


def assert_gradient(tensor, expected, tolerance=1e-4):
    """The gradient is within a relative Frobenius distance of an array."""
    assert tensor.grad is not None
    gap = (tensor.grad.double() - expected.double()).norm()
    assert gap <= tolerance * expected.double().norm(), float(gap / expected.double().norm())


def leaf(array, dtype=torch.float32):
    """A student's tensor that collects its gradient."""
    return array.to(dtype).clone().requires_grad_()


def rotation(size, seed=0):
    """A random orthogonal matrix in float64."""
    torch.manual_seed(seed)
    return torch.linalg.qr(torch.randn(size, size, dtype=torch.float64)).Q


def rows(batch, size, seed=0):
    """Random non-negative features, as after a ReLU, in float64."""
    torch.manual_seed(seed)
    return torch.randn(batch, size, dtype=torch.float64).relu()


def cosine(x, y):
    """The cosine of two lists of numbers, as a formula in loops needs it."""
    product = sum(a * b for a, b in zip(x, y, strict=True))
    return product / (sum(a * a for a in x) * sum(b * b for b in y)) ** 0.5


def pooled_loss(method, student, teacher):
    """The loss of a method that sees pooled features alone."""
    return method(only(pooled=student), only(pooled=teacher), LABELS[: len(student)])


def assert_zero_and_flat(loss_of, features):
    """The loss of a student that equals its teacher is 0, and so is the gradient."""
    student = features.clone().requires_grad_()
    loss = loss_of(student, features)
    loss.backward()
    assert loss == 0 and student.grad.abs().sum() == 0


def assert_cosines_alone_count(loss_of, student, teacher):
    """Neither a rotation of the student's features nor a scale for each image changes the loss."""
    loss, (images, size) = loss_of(student, teacher).item(), student.shape
    scales = torch.linspace(0.5, 2, images).double()[:, None]
    assert_loss(loss_of(student @ rotation(size), teacher), loss, 1e-9)
    assert_loss(loss_of(student * scales, teacher), loss, 1e-9)


def slope(function, tensor, index, step=1e-6):
    """Central difference of a scalar function with respect to one entry of a tensor."""
    values = []
    for move in (step, -step):
        moved = tensor.detach().clone()
        moved[index] += move
        values.append(float(function(moved)))
    return (values[0] - values[1]) / (2 * step)
