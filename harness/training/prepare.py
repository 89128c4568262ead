"""What a method computes from the frozen teacher before its student trains.

It is kept beside the teacher, addressed by the method's source, options, widths and seed, so that a
resumed or re-grouped run loads the same bits instead of computing them again.
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
    """Run `method.prepare` or load what it made earlier; return the names of the state it made."""
    if type(method).prepare is Method.prepare:
        return frozenset()
    content = [spec.source, spec.options, spec.seed, [asdict(width) for width in widths]]
    digest = hashlib.sha256(json.dumps(content, default=list).encode()).hexdigest()[:16]
    path = teacher_folder / PREPARED / f"{spec.method_folder}-{digest}.pt"
    if not path.exists():
        with acquire_blocking(path.with_suffix(".making")):
            if not path.exists():
                made = _compute_state(method, spec, batches)
                atomic_write(path, lambda file: torch.save(made, file))
    made = torch.load(path, map_location="cpu", weights_only=True)
    method.load_state_dict(made, strict=False)
    return frozenset(made)


def _compute_state(
    method: Method, spec: RunSpec, batches: Callable[[], Iterable[Outputs]]
) -> dict[str, Tensor]:
    """Return the names of the method's state that `prepare` changed and that training will not."""
    before = {name: value.clone() for name, value in method.state_dict().items()}
    with seeded_rng("prepare", spec.seed, spec.method):
        method.prepare(batches, make_generator("prepare", spec.seed, spec.method))
    trained = {name for name, value in method.named_parameters() if value.requires_grad}
    return {
        name: value.cpu()
        for name, value in method.state_dict().items()
        if name not in trained and not torch.equal(value, before[name])
    }
