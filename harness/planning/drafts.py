"""A plan in the making: settings and data of each dataset, with all problems found on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core.errors import ErrorCollector, SetupError
from harness.core.session import RunContext
from harness.data.dataset import Dataset
from harness.data.sampling import make_sampler
from harness.planning.datasets import SYNTHETIC, dataset_root, open_dataset
from harness.planning.former_runs import describe_former_runs
from harness.planning.generated import describe_changes
from harness.planning.grid import expand_runs, pack_cohorts
from harness.planning.inherited import SettingsPoint, describe_inherited, resolve_point
from harness.planning.overrides import TEACHER_RECIPE, ResolvedSettings, resolve_settings
from harness.planning.request import ResolvedRequest, RunRequest
from harness.planning.schema import DatasetFile, StudyFile
from harness.planning.teacher_run import require_same_data
from harness.planning.tried_options import TriedOptions
from harness.planning.unused_options import describe_unread_settings
from harness.planning.weights import InitialWeights, parse_pretrained
from harness.runs.data_flags import DataFlag
from harness.runs.spec import Recipe, RunSpec


@dataclass(frozen=True)
class Draft:
    """The part of a plan on one dataset, before its keys are known."""

    request: ResolvedRequest
    points: list[SettingsPoint]  # of the sweep
    dataset: Dataset


@dataclass
class Drafts:
    """A plan in the making, dataset by dataset; problems are collected in `errors`."""

    request: RunRequest
    study: StudyFile
    context: RunContext
    errors: ErrorCollector
    weights: InitialWeights = field(default_factory=InitialWeights)
    drafts: list[Draft] = field(default_factory=list)
    roots: dict[str, Path] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)  # in order

    def __post_init__(self) -> None:
        with self.errors.collect():
            self.weights = InitialWeights(parse_pretrained(self.request.pretrained))

    def add(self, resolved: ResolvedRequest, file: DatasetFile) -> None:
        """Check the settings on a dataset, and open it."""
        points: list[SettingsPoint] = []
        for swept in self.study.sweep_points():
            with self.errors.collect():
                point = self._settings(file, swept, resolved)
                _require_methods_for_sizes(resolved, point.settings)
                points.append(point)
        for settings in (point.settings for point in points):
            self.weights.add(resolved, settings)
            unread = describe_unread_settings(self.request.overrides, resolved, settings)
            notes = (*settings.notes, *unread)
            self.notes |= dict.fromkeys(f"{resolved.dataset}: {note}" for note in notes)
        if file.loader == SYNTHETIC and not self.errors.is_empty:
            return  # images are not drawn for a request that is refused
        with self.errors.collect():
            data = points[0].settings.data if points else resolve_settings([file], []).data
            dataset = open_dataset(
                resolved.dataset,
                file,
                data,
                self.request.data_root,
                self.context,
                allow_partial=self.request.allow_partial,
            )
            require_same_data(resolved.teacher_runs, dataset)
            if resolved.teacher_runs:
                keys = ", ".join(run.key for run in resolved.teacher_runs)
                self.notes[f"{resolved.dataset}: {keys} teaches"] = None
            for recipe in _recipes(point.settings for point in points):
                make_sampler(dataset, recipe, "")  # refuses a batch larger than the dataset
            if DataFlag.GENERATED in dataset.data_flags:
                changes = describe_changes(dataset)
                self.notes |= dict.fromkeys(f"{resolved.dataset}: {one}" for one in changes)
            self.roots[resolved.dataset] = dataset_root(file, self.request.data_root, dataset)
            self.drafts.append(Draft(resolved, points, dataset))

    def _settings(
        self, file: DatasetFile, swept: list[str], resolved: ResolvedRequest
    ) -> SettingsPoint:
        precision = self.request.precision
        overrides = [*swept, *self.request.overrides]
        overrides += [f"recipe.precision={precision}"] if precision else []
        point = resolve_point(
            [file, self.study],
            overrides,
            resolved.methods,
            TriedOptions(self.request.runs).check,
        )
        if not resolved.teacher_runs:
            return point
        notes = tuple(n for n in point.settings.notes if not n.startswith(TEACHER_RECIPE))
        recipe = resolved.teacher_runs[0].recipe
        settings = replace(point.settings, teacher_recipe=recipe, notes=notes)
        return replace(point, settings=settings)

    def check_weights(self, *, allow_missing: bool) -> None:
        """Report weights that are missing, do not fit or are not used.

        Args:
            allow_missing: Whether weights that the user has not named may be missing, with a note.
        """
        self.weights.check(self.errors)
        for network, message in self.weights.missing.items():
            if allow_missing:
                note = f"keys that depend on {network} are provisional until its weights are there"
                self.notes[f"{note}. {message}"] = None
                continue
            with self.errors.collect():
                raise SetupError(message)

    def to_cohorts(self, size: int) -> list[tuple[RunSpec, ...]]:
        """Expand every draft into runs, and pack them into cohorts of at most `size` runs.

        Raises:
            SetupError: A file of a dataset cannot be read.
        """
        digests = self.weights.digests()
        cohorts: list[tuple[RunSpec, ...]] = []
        for draft in self.drafts:
            specs: list[RunSpec] = []
            fingerprint = draft.dataset.fingerprint
            if former := describe_former_runs(draft.dataset, self.context.runs):
                self.notes[former] = None
            for point in draft.points:
                specs += expand_runs(draft.request, point.settings, fingerprint, digests)
                if kept := point.with_kept_teacher():
                    planned = expand_runs(draft.request, kept, fingerprint, digests)
                    note = describe_inherited(draft.request, point, planned, self.request.runs)
                    self.notes |= {note: None} if note else {}
            cohorts += pack_cohorts(list(dict.fromkeys(specs)), size)
        return cohorts


def _require_methods_for_sizes(request: ResolvedRequest, settings: ResolvedSettings) -> None:
    """Check that every method can compare a student with a teacher of another input size.

    Raises:
        UsageError: Some methods compare maps of equal size only.
    """
    if settings.recipe.size != settings.teacher_recipe.size:
        from harness.planning.teacher_size import require_methods_for_sizes  # imports torch

        require_methods_for_sizes(request, settings)


def _recipes(points: Iterable[ResolvedSettings]) -> set[Recipe]:
    """Return the recipes of students and teachers at all points."""
    return {recipe for one in points for recipe in (one.recipe, one.teacher_recipe)}
