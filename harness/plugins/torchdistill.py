"""torchdistill both ways: its losses as rows of a comparison, our methods as losses for its users.

A row is a small YAML in `configs/torchdistill/`, or a file given by path, that names one of
torchdistill's losses, its arguments and its weight. The loss reads what our networks put out under
the module paths `maps.0` ... `maps.3`, `pre_relu`, `pooled`, `embedding` and `logits`.

`import harness.plugins.torchdistill` registers every method here with torchdistill as a
middle-level loss, KDReIDPDRD and so on: see `KDReIDLoss` below and `configs/torchdistill/example/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torchdistill.losses.registry import MIDDLE_LEVEL_LOSS_DICT, register_mid_level_loss

from harness.core.errors import UsageError, did_you_mean
from harness.core.yaml import CONFIGS, load_yaml
from harness.runs.spec import Option
from methods import EXTRA_METHODS, METHODS, Method, Outputs, Paper, Widths, create

ROWS = CONFIGS / "torchdistill"
FEATURES = ("maps.", "pre_relu", "pooled", "embedding")  # taps that logits alone do not offer


class TorchdistillMethod(BaseModel):
    """One of torchdistill's losses as a method: the YAML's content."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    loss: str
    label: str
    weight: float = 1.0
    kwargs: dict[str, Any] = Field(default_factory=dict)
    authors: str = ""
    title: str = ""
    venue: str = ""
    year: int = 0
    url: str = ""


def load_torchdistill_method(name: str) -> type[Method]:
    """The method class that wraps the loss declared in `configs/torchdistill/NAME.yaml` or a file.

    Raises:
        UsageError: there is no such file, or torchdistill has no such loss.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else ROWS / f"{name}.yaml"
    if not path.is_file():
        declared = sorted(file.stem for file in ROWS.glob("*.yaml"))
        raise UsageError(
            f"No torchdistill row is called {name!r}.{did_you_mean(name, declared)} To add one, "
            f"write {path} after the example of DISTLoss.yaml."
        )
    declared_row = load_yaml(path, TorchdistillMethod)
    if declared_row.loss not in MIDDLE_LEVEL_LOSS_DICT:
        known = list(MIDDLE_LEVEL_LOSS_DICT)
        raise UsageError(
            f"{path}: torchdistill has no loss {declared_row.loss!r}."
            f"{did_you_mean(declared_row.loss, known)}"
        )
    return _wrap(path.stem, declared_row)


class TorchdistillLoss(Method):
    """Base of all rows: a torchdistill loss behind our contract."""

    row: ClassVar[TorchdistillMethod]

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float | None = None,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        loss = MIDDLE_LEVEL_LOSS_DICT[self.row.loss]
        try:
            self.loss = loss(**self.row.kwargs)
        except TypeError as error:
            raise ValueError(f"torchdistill's {self.row.loss}: {error}.") from error

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        taught = {
            path: as_module_io(tensor.detach()) for path, tensor in tap_outputs(teacher).items()
        }
        seen = {path: as_module_io(tensor) for path, tensor in tap_outputs(student).items()}
        loss: Tensor = self.loss(seen, taught, labels)
        return loss


def tap_outputs(outputs: Outputs) -> dict[str, Tensor]:
    """Every tensor of `outputs` by the path under which torchdistill finds it."""
    maps = {f"maps.{number}": tensor for number, tensor in enumerate(outputs.maps)}
    others = ("pre_relu", "pooled", "embedding", "logits")
    return maps | {name: getattr(outputs, name) for name in others}


def as_module_io(tensor: Tensor) -> dict[str, Tensor]:
    """Torchdistill lets a loss ask for a module's input or output; a tap is the same as either."""
    return {"input": tensor, "output": tensor}


def _wrap(name: str, declared: TorchdistillMethod) -> type[Method]:
    paper = None
    if declared.title:
        paper = Paper(declared.authors, declared.title, declared.venue, declared.year, declared.url)
    content = {
        "__module__": __name__,
        "__doc__": f"torchdistill's {declared.loss}.",
        "name": f"torchdistill-{name}",
        "label": declared.label,
        "paper": paper,
        "row": declared,
        "needs_features": any(
            str(value).startswith(FEATURES) for value in declared.kwargs.values()
        ),
        "variants": {"original": {"weight": declared.weight}},
        "definition": f"torchdistill {version('torchdistill')} {declared.model_dump_json()}",
    }
    return type(name, (TorchdistillLoss,), content)


class KDReIDLoss(nn.Module):
    """One of our methods as a torchdistill loss.

    Its tensors are named by module paths, as torchdistill's own losses name them; taps that the
    method does not use are left out. `student_widths` and `teacher_widths` are needed by methods
    with adapters (FitNet, FT, CCKD, VID, KDPE, CSD); torchdistill trains models, not losses, so
    call `train_adapters` on its box. Stages before training (`prepare`) are the caller's to run,
    on `distillation`.

    Raises:
        ValueError: an option or a tap is unknown.
    """

    method: ClassVar[str]

    def __init__(
        self,
        student_taps: Mapping[str, str],
        teacher_taps: Mapping[str, str],
        student_widths: Mapping[str, Any] | None = None,
        teacher_widths: Mapping[str, Any] | None = None,
        options: Mapping[str, Option] | None = None,
    ) -> None:
        super().__init__()
        self.taps = dict(student_taps), dict(teacher_taps)
        known = (*(f"maps.{n}" for n in range(4)), "pre_relu", "pooled", "embedding", "logits")
        for tap in (*student_taps, *teacher_taps):
            if tap not in known:
                raise ValueError(f"No tap is called {tap!r}. Known: {', '.join(known)}.")
        self.distillation = create(
            self.method, _widths(student_widths), _widths(teacher_widths), dict(options or {})
        )

    def forward(
        self, student_io_dict: Any, teacher_io_dict: Any, targets: Tensor | None = None, *_: Any
    ) -> Tensor:
        """Torchdistill's dictionaries of what the hooked modules put out -> the unweighted loss."""
        student = _outputs(student_io_dict, self.taps[0])
        teacher = _outputs(teacher_io_dict, self.taps[1])
        labels = torch.empty(0) if targets is None else targets
        with torch.autocast(labels.device.type, enabled=False):
            loss: Tensor = self.distillation(student, teacher, labels)
        return loss


def train_adapters(box: Any) -> None:
    """Give the adapters of our losses in a torchdistill box to its device and its optimiser."""
    for criterion, _ in box.criterion.term_dict.values():
        if isinstance(criterion, KDReIDLoss):
            criterion.to(box.device)
            adapters = [p for p in criterion.parameters() if p.requires_grad]
            if adapters:
                box.optimizer.add_param_group({"params": adapters})


def _widths(given: Mapping[str, Any] | None) -> Widths:
    given = given or {}
    maps = tuple(given.get("maps", (1, 1, 1, 1)))
    return Widths(maps, given.get("embedding", maps[-1]), given.get("identities", 1))


def _outputs(io: Mapping[str, Mapping[str, Any]], taps: Mapping[str, str]) -> Outputs:
    """`Outputs` of which only the given taps hold anything, in float32."""
    found = {tap: io[path]["output"].float() for tap, path in taps.items()}
    nothing = torch.empty(0)
    maps = tuple(found.get(f"maps.{number}", nothing) for number in range(4))
    pooled = found["pooled"].flatten(1) if "pooled" in found else nothing
    if "pooled" not in found and "maps.3" in found:
        pooled = maps[3].mean((2, 3))
    rest = (found.get(name, nothing) for name in ("embedding", "logits"))
    return Outputs(maps, found.get("pre_relu", nothing), pooled, *rest)


def _register() -> None:
    for name, kind in (METHODS | EXTRA_METHODS).items():
        if name != "none":
            loss = type(
                f"KDReID{kind.__name__}", (KDReIDLoss,), {"method": name, "__module__": __name__}
            )
            register_mid_level_loss(loss)


_register()
