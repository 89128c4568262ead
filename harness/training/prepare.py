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
from pathlib import Path

import torch
from torch import Tensor

from harness.core.files import atomic_write
from harness.core.lease import acquire_blocking
from harness.core.seeding import make_generator, seeded_rng
from harness.runs.layout import PREPARED
from harness.runs.spec import RunSpec
from methods import Method, Outputs, Widths


def prepare_method(
    method: Method,
    spec: RunSpec,
    widths: tuple[Widths, Widths],
    teacher_folder: Path,
    batches: Callable[[], Iterable[Outputs]],
) -> frozenset[str]:
    """Run `method.prepare`, or load the state that it computed earlier.

    Args:
        method: The method, changed in place.
        spec: The run that it belongs to.
        widths: Widths of the student's and the teacher's outputs.
        teacher_folder: Folder of the teacher's run.
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
    path = teacher_folder / PREPARED / f"{spec.method_folder}-{digest}.pt"
    if not path.exists():
        with acquire_blocking(path.with_suffix(".making")):
            if not path.exists():  # another process may have stored it while this one waited
                state = _compute_state(method, spec, batches)
                atomic_write(path, lambda file: torch.save(state, file))
    # Loaded even if it was computed just now, so that a first and a later run do the same.
    state = torch.load(path, map_location="cpu", weights_only=True)
    method.load_state_dict(state, strict=False)
    return frozenset(state)


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
