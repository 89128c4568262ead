"""Groups of runs that may share a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from harness.runs.data_flags import DataFlag
from harness.runs.origin import join_names
from results.weight_names import describe_weights

SCORES = ("mAP", "R1")  # shown in tables
DESCRIBED_FIELDS = (
    "network",
    "head",
    "weights",
    "epochs",
    "height",
    "width",
    "identities",
    "images_each",
    "precision",
    "device",
    "threads",
)


@dataclass(frozen=True, eq=False)
class ComparisonGroup:
    """Students that differ in method, options and seed only, and the teachers that they share."""

    dataset: str
    digest: str
    network: str
    fields: dict[str, Any]  # the settings that all students share
    teachers: tuple[tuple[str, str], ...]  # key and network of each that teaches a student
    students: pd.DataFrame  # rows of `collect_runs`, the undistilled students among them
    teacher_runs: pd.DataFrame  # rows of `collect_runs`; missing runs have none
    # Settings in which not all groups of the dataset agree: "epochs 3".
    distinguishing_fields: tuple[str, ...] = ()
    # With teachers of their own seed (`--teacher-seed same`), by seed; `teachers` is the first.
    teachers_by_seed: tuple[tuple[int, tuple[tuple[str, str], ...]], ...] = ()

    @property
    def has_own_teachers(self) -> bool:
        """Whether every seed has teachers that were trained with it."""
        return bool(self.teachers_by_seed)

    @property
    def teacher(self) -> str:
        """Networks of the teachers, each once."""
        return " + ".join(dict.fromkeys(network for _, network in self.teachers))

    @cached_property
    def done(self) -> pd.DataFrame:
        """Rows of the runs that have scores, teachers included."""
        runs = pd.concat([self.students, self.teacher_runs])
        return runs[runs["status"] == "done"]

    @cached_property
    def data_flags(self) -> tuple[DataFlag, ...]:
        """Flags of the data of any finished run."""
        return merge_data_flags(self.done)

    @cached_property
    def data_note(self) -> str:
        """Flags as tables print them: "partial", "generated, partial"; empty without flags."""
        return ", ".join(self.data_flags)

    @cached_property
    def evaluations(self) -> tuple[str, ...]:
        """Names of the evaluations that finished runs have scores of."""
        return tuple(dict.fromkeys(name for names in self.done["evaluations"] for name in names))

    @cached_property
    def score_columns(self) -> tuple[str, ...]:
        """Columns of the frame that tables show, such as "mAP" or "test800 mAP"."""
        if len(self.evaluations) < 2:
            return SCORES
        return tuple(f"{name} {score}" for name in self.evaluations for score in SCORES)

    @property
    def named_fields(self) -> dict[str, Any]:
        """The shared settings, with the name of the initial weights where it is known."""
        weights = self.fields.get("weights")
        return {**self.fields, **({"weights": describe_weights(str(weights))} if weights else {})}

    def describe(self) -> str:
        """Return the most important settings as one line."""
        names = (name for name in DESCRIBED_FIELDS if name in self.fields)
        return ", ".join(f"{name} {self.named_fields[name]}" for name in names)


def merge_data_flags(runs: pd.DataFrame) -> tuple[DataFlag, ...]:
    """Return the flags that any of these rows of `collect_runs` has, in the order of `DataFlag`."""
    flags = {flag for row_flags in runs["data_flags"] for flag in row_flags}
    return tuple(flag for flag in DataFlag if flag in flags)


def different_origins(origins: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the values of everything in which origins of runs differ, as far as they are known.

    Args:
        origins: Values of the column `origin` of `collect_runs`.
    """
    known = list(origins)
    names = dict.fromkeys(name for origin in known for name in origin)
    values = {name: sorted({origin[name] for origin in known if name in origin}) for name in names}
    return {name: several for name, several in values.items() if len(several) > 1}


def describe_different_origins(runs: pd.DataFrame) -> str:
    """Return in what the origins of these rows of `collect_runs` differ: "torch differs"."""
    names = tuple(different_origins(runs["origin"]))
    return f"{join_names(names)} {'differs' if len(names) == 1 else 'differ'}" if names else ""


def comparison_groups(frame: pd.DataFrame, dataset: str) -> list[ComparisonGroup]:
    """Return the groups of one dataset in which at least one run is done, the largest first.

    Args:
        frame: All rows of `collect_runs`.
        dataset: Name of the dataset.
    """
    groups = [group for group in _all_groups(frame, dataset) if not group.done.empty]
    groups.sort(key=lambda group: (-len(group.students), group.digest))
    return _with_distinguishing_fields(groups)


def _all_groups(frame: pd.DataFrame, dataset: str) -> Iterator[ComparisonGroup]:
    """Yield every group, finished or not.

    An undistilled student belongs to the groups of all teachers. Runs that only serve as teachers
    are not a group of students.
    """
    runs = frame[frame["dataset"] == dataset]
    distilled, undistilled = runs[runs["teacher_key"] != ""], runs[runs["teacher_key"] == ""]
    for _, candidates in distilled.groupby(["student_setting", "teacher_setting"], sort=True):
        own = _with_own_teachers(candidates)
        if not own.empty:
            yield _group(frame, _with_baselines(own, undistilled), own.iloc[0], own)
        for _, students in candidates.groupby("setting", sort=True):
            if not students["key"].isin(own["key"]).all():
                yield _group(frame, _with_baselines(students, undistilled), students.iloc[0])
    serving = {key for teachers in frame["teachers"] for key, _ in teachers}
    alone = undistilled[~undistilled["student_setting"].isin(distilled["student_setting"])]
    for _, students in alone.groupby("setting", sort=True):
        if not students["key"].isin(list(serving)).all():
            yield _group(frame, students, students.iloc[0])


def _with_own_teachers(students: pd.DataFrame) -> pd.DataFrame:
    """Return the students whose teachers have their seed; none unless the teachers differ.

    Args:
        students: Distilled students that agree in all settings of theirs and their teachers', but
            for the seeds.
    """
    own = students[students["own_teachers"].astype(bool)]
    count = len(own) if own["teacher_key"].nunique() > 1 else 0
    return pd.DataFrame(own.iloc[:count])


def _with_baselines(students: pd.DataFrame, undistilled: pd.DataFrame) -> pd.DataFrame:
    """Return distilled students after the undistilled ones of their settings."""
    is_baseline = undistilled["student_setting"].isin(students["student_setting"])
    return pd.concat([undistilled[is_baseline], students])


def _group(
    frame: pd.DataFrame,
    students: pd.DataFrame,
    example: pd.Series,
    own: pd.DataFrame | None = None,
) -> ComparisonGroup:
    """Return the group of these students.

    Args:
        frame: All rows of `collect_runs`.
        students: Rows of the students.
        example: One of them that has the group's teachers.
        own: Those with teachers of their own seed, if all distilled ones have.
    """
    by_seed: dict[int, tuple[tuple[str, str], ...]] = {}
    if own is not None:
        own = own.sort_values("seed")
        example = own.iloc[0]
        by_seed = dict(zip(map(int, own["seed"]), own["teachers"], strict=True))
    teachers = [*by_seed.values()] or [example["teachers"]]
    keys = [key for several in teachers for key, _ in several]
    return ComparisonGroup(
        dataset=example["dataset"],
        digest=example["teacher_setting"] if by_seed else example["setting"],
        network=example["network"],
        fields=json.loads(example["fields"]),
        teachers=example["teachers"],
        students=students,
        teacher_runs=frame[frame["key"].isin(keys)],
        teachers_by_seed=tuple(by_seed.items()),
    )


def _with_distinguishing_fields(groups: list[ComparisonGroup]) -> list[ComparisonGroup]:
    """Return the groups with every setting, and the teacher, in which not all of them agree."""
    settings = [{**group.named_fields, "teacher": _teacher_name(group, groups)} for group in groups]
    names = dict.fromkeys(name for fields in settings for name in fields)
    different = [name for name in names if _has_several_values(settings, name)]
    return [
        replace(
            group,
            distinguishing_fields=tuple(
                f"{'data' if name == 'fingerprint' else name} {fields.get(name, 'unset')}"
                for name in different
            ),
        )
        for group, fields in zip(groups, settings, strict=True)
    ]


def _has_several_values(settings: Iterable[dict[str, Any]], name: str) -> bool:
    return len({json.dumps(fields.get(name)) for fields in settings}) > 1


def _teacher_name(group: ComparisonGroup, groups: list[ComparisonGroup]) -> str:
    """Return the teacher's network, with its run if another group's teacher has that network."""
    if not group.teachers:
        return "none"
    if group.has_own_teachers:
        return f"{group.teacher} of each seed"
    same_network = {other.teachers for other in groups if other.teacher == group.teacher}
    if len(same_network) == 1:
        return group.teacher
    runs = ", ".join(key.rpartition("/")[2] for key, _ in group.teachers)
    return f"{group.teacher} {runs}"
