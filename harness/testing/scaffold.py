"""Write the files of a new method: a working example to start from, and its test."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from harness.core.errors import UnwritableFileError, UsageError
from harness.core.files import atomic_write
from methods import EXTRA_METHODS, METHODS

METHOD = Template('''"""$label: one sentence on what the student learns from the teacher.

With x the pooled features, (B, C), divided by their L2 norm,

    L = mean_ij (<x_i, x_j>_teacher - <x_i, x_j>_student)^2
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import cosines, require_batch


class $label(Method):
    """Match the cosines of all pairs of images in a batch.

    Args:
        student: Channels of the student's outputs.
        teacher: Channels of the teacher's outputs.
        weight: Factor of the loss.
        variant: A key of `variants`.
    """

    name = "$name"
    label = "$label"
    paper = Paper(
        authors="You",
        title="The title of your paper",
        venue="arXiv",
        year=2026,
        url="https://arxiv.org/",
    )
    permutation_invariant = True  # False if the order of the batch matters

    def __init__(
        self, student: Widths, teacher: Widths, *, weight: float = 1.0, variant: str = "original"
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        # Adapters go here, as nn.Modules: whatever requires gradients is trained with the student.

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        require_batch(student.pooled, 2, self.name)
        return F.mse_loss(cosines(student.pooled), cosines(teacher.pooled.detach()))
''')
TEST = Template('''"""Tests of $label: its formula in plain loops, and every method's checks."""

import pytest
import torch
from $module import $label

from harness.testing import LABELS, LARGE, SMALL, assert_loss_conforms, random_outputs


def formula(students, teachers):
    """Return the mean squared difference of cosines, computed entry by entry."""

    def cosine(x, y):
        product = sum(a * b for a, b in zip(x, y, strict=True))
        return product / (sum(a * a for a in x) * sum(b * b for b in y)) ** 0.5

    pairs = [(i, j) for i in range(len(students)) for j in range(len(students))]
    gaps = [cosine(students[i], students[j]) - cosine(teachers[i], teachers[j]) for i, j in pairs]
    return sum(gap**2 for gap in gaps) / len(pairs)


def test_agrees_with_the_formula_in_loops():
    student, teacher = random_outputs(SMALL), random_outputs(LARGE, seed=1)
    expected = formula(student.pooled.double().tolist(), teacher.pooled.double().tolist())
    loss = $label(SMALL, LARGE)(student, teacher, LABELS)
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_zero_where_student_and_teacher_agree():
    outputs = random_outputs(SMALL)
    assert torch.allclose($label(SMALL, SMALL)(outputs, outputs, LABELS), torch.zeros(()))


def test_passes_the_checks_of_every_method():
    assert_loss_conforms($label)
''')


def write_method(name: str, folder: Path) -> tuple[Path, Path]:
    """Write the module of a new method and its test.

    Args:
        name: Name of the method and its module: small letters, digits and _.
        folder: Folder to write `NAME.py` and `test_NAME.py` to; it is created if needed.

    Returns:
        The paths of the two files.

    Raises:
        UsageError: The name is taken or impossible, or one of the files exists.
        UnwritableFileError: The files cannot be written; neither is left behind.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(
            f"{name!r} cannot name a method: use small letters, digits and _, as in my_method."
        )
    if name in METHODS | EXTRA_METHODS:
        raise UsageError(f"There is a method called {name!r} already. Choose another name.")
    paths = folder / f"{name}.py", folder / f"test_{name}.py"
    for path in paths:
        if path.exists():
            raise UsageError(f"{path} exists already. Choose another name or --folder.")
    label = "".join(part.capitalize() for part in name.split("_"))
    try:
        for path, template in zip(paths, (METHOD, TEST), strict=True):
            text = template.substitute(name=name, label=label, module=name)
            atomic_write(path, text.encode())
    except UnwritableFileError:
        for path in paths:  # neither existed before
            path.unlink(missing_ok=True)
        raise
    return paths
