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

from harness.core.files import write_atomically
from harness.core.lease import waiting
from harness.core.seeding import generator, seeded
from harness.runs.spec import RunSpec
from methods import Method, Outputs, Widths


def prepare(
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
    path = teacher_folder / "prepared" / f"{spec.method_folder}-{digest}.pt"
    if not path.exists():
        with waiting(path.with_suffix(".making")):
            if not path.exists():
                made = _make(method, spec, batches)
                write_atomically(path, lambda file: torch.save(made, file))
    made = torch.load(path, map_location="cpu", weights_only=True)
    method.load_state_dict(made, strict=False)
    return frozenset(made)


def _make(
    method: Method, spec: RunSpec, batches: Callable[[], Iterable[Outputs]]
) -> dict[str, Tensor]:
    """Entries of the method's state that `prepare` changed and that training will not change."""
    before = {name: value.clone() for name, value in method.state_dict().items()}
    with seeded("prepare", spec.seed, spec.method):
        method.prepare(batches, generator("prepare", spec.seed, spec.method))
    trained = {name for name, value in method.named_parameters() if value.requires_grad}
    return {
        name: value.cpu()
        for name, value in method.state_dict().items()
        if name not in trained and not torch.equal(value, before[name])
    }
