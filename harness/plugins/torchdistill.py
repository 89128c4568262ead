"""torchdistill's losses as methods here, and the methods here as losses of torchdistill.

A small YAML file in `configs/torchdistill/`, or a file given by its path, declares a method: one of
torchdistill's losses, its arguments and its weight. The loss gets the outputs of our networks under
the module paths `maps.0` ... `maps.3`, `pre_relu`, `pooled`, `embedding` and `logits`.

`import harness.plugins.torchdistill` registers every method here with torchdistill as a
middle-level loss: KDReIDPDRD and so on, see `KDReIDLoss` and `configs/torchdistill/example/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torchdistill.losses.registry import MIDDLE_LEVEL_LOSS_DICT, register_mid_level_loss

from harness.core.errors import UsageError, did_you_mean
from harness.core.yaml import CONFIGS, StrictModel, load_yaml
from harness.runs.spec import Option
from methods import EXTRA_METHODS, METHODS, Method, Outputs, Paper, Widths, create

DECLARATIONS = CONFIGS / "torchdistill"
STAGES = 4
TENSORS = ("pre_relu", "pooled", "embedding", "logits")  # taps besides the maps
TAPS = (*(f"maps.{number}" for number in range(STAGES)), *TENSORS)
FEATURES = ("maps.", "pre_relu", "pooled", "embedding")  # not offered by an ensemble's logits


class TorchdistillMethod(StrictModel):
    """The declaration of one of torchdistill's losses as a method: the content of its file."""

    loss: str = Field(description="Name of torchdistill's middle-level loss.")
    label: str = Field(description="Label in tables.")
    weight: float = Field(default=1.0, description="Factor of the loss.")
    kwargs: dict[str, Any] = Field(default_factory=dict, description="Arguments of the loss.")
    authors: str = Field(default="", description="Authors of the paper.")
    title: str = Field(default="", description="Title of the paper.")
    venue: str = Field(default="", description="Conference or journal.")
    year: int = Field(default=0, description="Year of publication.")
    url: str = Field(default="", description="Address of the paper.")


def load_torchdistill_method(name: str) -> type[Method]:
    """Return the method class that a file declares.

    Args:
        name: Name of a file of `configs/torchdistill/` without its suffix, or the path of a file
            that ends in .yaml or .yml.

    Raises:
        UsageError: There is no such file, its content is wrong, or torchdistill has no such loss.
    """
    is_path = name.endswith((".yaml", ".yml"))
    path = Path(name) if is_path else DECLARATIONS / f"{name}.yaml"
    if not path.is_file():
        declared = sorted(file.stem for file in DECLARATIONS.glob("*.yaml"))
        raise UsageError(
            f"No torchdistill loss is declared as {name!r}.{did_you_mean(name, declared)} To add "
            f"one, write {path} like DISTLoss.yaml in {DECLARATIONS}."
        )
    declaration = load_yaml(path, TorchdistillMethod)
    if declaration.loss not in MIDDLE_LEVEL_LOSS_DICT:
        hint = did_you_mean(declaration.loss, MIDDLE_LEVEL_LOSS_DICT)
        raise UsageError(f"{path}: torchdistill has no loss {declaration.loss!r}.{hint}")
    return _make_class(path.stem, declaration)


class TorchdistillLoss(Method):
    """Base of the methods that files declare: a loss of torchdistill behind our interface.

    Args:
        student: Channels of the student's outputs.
        teacher: Channels of the teacher's outputs.
        weight: Factor of the loss; by default the declared one.
        variant: Always `original`.

    Raises:
        ValueError: The loss does not accept the declared arguments.
    """

    declaration: ClassVar[TorchdistillMethod]

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float | None = None,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        name = self.declaration.loss
        try:
            self.loss = MIDDLE_LEVEL_LOSS_DICT[name](**self.declaration.kwargs)
        except TypeError as error:
            raise ValueError(f"torchdistill's {name}: {error}.") from error

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        student_io = {path: as_module_io(tensor) for path, tensor in tap_outputs(student).items()}
        teacher_io = {
            path: as_module_io(tensor.detach()) for path, tensor in tap_outputs(teacher).items()
        }
        loss: Tensor = self.loss(student_io, teacher_io, labels)
        return loss


def tap_outputs(outputs: Outputs) -> dict[str, Tensor]:
    """Return every tensor of `outputs` by the module path under which torchdistill finds it."""
    maps = {f"maps.{number}": tensor for number, tensor in enumerate(outputs.maps)}
    return maps | {name: getattr(outputs, name) for name in TENSORS}


def as_module_io(tensor: Tensor) -> dict[str, Tensor]:
    """Return a tensor as both input and output of a module: a loss may be declared with either."""
    return {"input": tensor, "output": tensor}


def _make_class(name: str, declaration: TorchdistillMethod) -> type[Method]:
    paper = None
    if declaration.title:
        paper = Paper(
            declaration.authors,
            declaration.title,
            declaration.venue,
            declaration.year,
            declaration.url,
        )
    content = {
        "__module__": __name__,
        "__doc__": f"torchdistill's {declaration.loss}.\n\nArgs:\n    weight: Factor of the loss.",
        "name": f"torchdistill-{name}",
        "label": declaration.label,
        "paper": paper,
        "declaration": declaration,
        "needs_features": any(
            str(value).startswith(FEATURES) for value in declaration.kwargs.values()
        ),
        "variants": {"original": {"weight": declaration.weight}},
        # hashed into the keys of its runs
        "definition": f"torchdistill {version('torchdistill')} {declaration.model_dump_json()}",
    }
    return type(name, (TorchdistillLoss,), content)


class KDReIDLoss(nn.Module):
    """A method of this project as a loss of torchdistill.

    torchdistill trains models, not losses: call `train_adapters` on its box for methods with
    adapters (FitNet, FT, CCKD, VID, KDPE, CSD). Stages before training (`Method.prepare`) are to be
    run by the caller, on `distillation`.

    Args:
        student_taps: Module paths of the student by tap; taps that the method does not use may be
            omitted.
        teacher_taps: The same of the teacher.
        student_widths: `maps`, `embedding` and `identities` of the student, for methods that need
            its widths.
        teacher_widths: The same of the teacher.
        options: Options of the method.

    Raises:
        ValueError: An option or a tap is unknown.
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
        for tap in (*student_taps, *teacher_taps):
            if tap not in TAPS:
                raise ValueError(f"No tap is called {tap!r}. Known: {', '.join(TAPS)}.")
        self.distillation = create(
            self.method, _to_widths(student_widths), _to_widths(teacher_widths), dict(options or {})
        )

    def forward(
        self, student_io_dict: Any, teacher_io_dict: Any, targets: Tensor | None = None, *_: Any
    ) -> Tensor:
        """Compute the loss of a batch, without its weight.

        Args:
            student_io_dict: Inputs and outputs of the student's hooked modules, by path.
            teacher_io_dict: The same of the teacher.
            targets: (B,), labels of the images, if the method needs them.

        Returns:
            A scalar.
        """
        student = _to_outputs(student_io_dict, self.taps[0])
        teacher = _to_outputs(teacher_io_dict, self.taps[1])
        labels = torch.empty(0) if targets is None else targets
        with torch.autocast(labels.device.type, enabled=False):
            loss: Tensor = self.distillation(student, teacher, labels)
        return loss


def train_adapters(box: Any) -> None:
    """Move the adapters of our losses to the device of a torchdistill box, and train them with it.

    Args:
        box: A training or distillation box of torchdistill, with a model, losses and an optimiser.
    """
    for criterion, _ in box.criterion.term_dict.values():
        if isinstance(criterion, KDReIDLoss):
            criterion.to(box.device)
            adapters = [p for p in criterion.parameters() if p.requires_grad]
            if adapters:
                box.optimizer.add_param_group({"params": adapters})


def _to_widths(sizes: Mapping[str, Any] | None) -> Widths:
    sizes = sizes or {}
    maps = tuple(sizes.get("maps", (1,) * STAGES))
    return Widths(maps, sizes.get("embedding", maps[-1]), sizes.get("identities", 1))


def _to_outputs(io: Mapping[str, Mapping[str, Any]], taps: Mapping[str, str]) -> Outputs:
    """Return `Outputs` in float32 in which only the given taps are not empty."""
    tensors = {tap: io[path]["output"].float() for tap, path in taps.items()}
    empty = torch.empty(0)
    maps = tuple(tensors.get(f"maps.{number}", empty) for number in range(STAGES))
    pooled = tensors["pooled"].flatten(1) if "pooled" in tensors else empty
    if "pooled" not in tensors and f"maps.{STAGES - 1}" in tensors:
        pooled = maps[-1].mean((2, 3))
    return Outputs(
        maps=maps,
        pre_relu=tensors.get("pre_relu", empty),
        pooled=pooled,
        embedding=tensors.get("embedding", empty),
        logits=tensors.get("logits", empty),
    )


def _register() -> None:
    """Register every method with torchdistill, as KDReID and the name of its class."""
    for name, kind in (METHODS | EXTRA_METHODS).items():
        if name != "none":
            loss = type(
                f"KDReID{kind.__name__}", (KDReIDLoss,), {"method": name, "__module__": __name__}
            )
            register_mid_level_loss(loss)


_register()
