"""`retry --with recipe.images_each=4`: a run with other settings, which is another run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from harness.core.errors import UsageError
from harness.planning.overrides import RECIPE, resolve_settings
from harness.plugins.lookup import option_sections
from harness.runs.spec import RunSpec


def override_spec(spec: RunSpec, assignments: Sequence[str]) -> RunSpec:
    """The run with these settings of its recipe and its method; what it does not have stays out.

    Raises:
        UsageError: a key is unknown, a value impossible, or it is not a student's to change.
    """
    for assignment in assignments:
        section = assignment.partition(".")[0].strip()
        if section in ("teacher_recipe", "data"):
            raise UsageError(
                f"--with {assignment!r}: a retry changes the runs themselves, not their teacher or "
                f"data. Plan such runs with kdreid run --set {assignment}"
            )
    sections = option_sections([spec.method])
    ours = next((section for section, name in sections.items() if name == spec.method), spec.method)
    recipe = [f"{RECIPE}.{name}={_text(value)}" for name, value in asdict(spec.recipe).items()]
    options = [f"{ours}.{name}={value}" for name, value in spec.options]
    settings = resolve_settings([], [*recipe, *options, *assignments], [spec.method])
    if (settings.recipe.pretrained, spec.recipe.pretrained) == ("imagenet", "none"):
        raise UsageError(
            f"{spec.key} starts from scratch, so a retry has no weights to start from. Plan it "
            "with kdreid run --set recipe.pretrained=imagenet"
        )
    return replace(
        spec,
        recipe=settings.recipe,
        options=tuple(sorted(settings.options.get(spec.method, {}).items())),
        weights="none" if settings.recipe.pretrained == "none" else spec.weights,
    )


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
