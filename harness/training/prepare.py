"""Run a method's `prepare`, which computes state from the frozen teacher before training.

The state is stored next to the teacher under a digest of the method's source, options, widths and
seed. A run that is resumed or trained in another cohort loads the same bits instead of computing
them again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial

import torch
from torch import Tensor, nn

from harness.core.seeding import make_generator, seeded_rng
from harness.runs.spec import RunSpec
from harness.training.prepared_folder import PreparedFolder
from methods import Method, Outputs, Widths


def prepare_method(
    method: Method,
    spec: RunSpec,
    widths: tuple[Widths, Widths],
    folder: PreparedFolder,
    batches: Callable[[], Iterable[Outputs]],
) -> frozenset[str]:
    """Run `method.prepare`, or load the state that it computed earlier.

    Args:
        method: The method, changed in place.
        spec: The run that it belongs to.
        widths: Widths of the student's and the teacher's outputs.
        folder: Where the results on this teacher are stored.
        batches: Returns the teacher's outputs for the training images, in order.

    Returns:
        Names of the entries of the method's state that `prepare` computed.
    """
    if type(method).prepare is Method.prepare:
        return frozenset()
    content = [spec.source, spec.options, spec.seed, [asdict(width) for width in widths]]
    if spec.teacher_size is not None:  # 0.2.0 prepared such a method on images of another size
        content.append(spec.teacher_size)
    digest = hashlib.sha256(json.dumps(content, default=list).encode()).hexdigest()[:16]
    state = folder.load_or_compute(
        f"{spec.method_folder}-{digest}.pt",
        f"prepares {spec.method} on the teacher",
        partial(_compute_state, method, spec, batches),
        _expected_shapes(method),
    )
    method.load_state_dict(state, strict=False)
    return frozenset(state)


def _expected_shapes(method: Method) -> dict[str, torch.Size | None]:
    """Return the shape of every entry of a method's state; None if the method accepts any.

    It does if it loads its own entries, as one whose bank is empty before `prepare`.
    """
    shapes: dict[str, torch.Size | None] = {}
    for name, value in method.state_dict().items():
        owner = type(method.get_submodule(name.rpartition(".")[0]))
        loads_itself = owner._load_from_state_dict is not nn.Module._load_from_state_dict
        shapes[name] = None if loads_itself else value.shape
    return shapes


def _compute_state(
    method: Method, spec: RunSpec, batches: Callable[[], Iterable[Outputs]]
) -> dict[str, Tensor]:
    """Run `prepare` and return the entries of the state that it changed and training will not."""
    before = {name: value.clone() for name, value in method.state_dict().items()}
    with seeded_rng("prepare", spec.seed, spec.method):
        method.prepare(batches, make_generator("prepare", spec.seed, spec.method))
    trained = {name for name, value in method.named_parameters() if value.requires_grad}
    return {
        name: value.cpu()
        for name, value in method.state_dict().items()
        if name not in trained and not torch.equal(value, before[name])
    }
