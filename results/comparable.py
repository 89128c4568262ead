"""Which runs may stand in one table, and what sets one table apart from the next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

TITLE_FIELDS = (
    "network",
    "head",
    "weights",
    "epochs",
    "height",
    "width",
    "identities",
    "images_each",
)
DESCRIBED_FIELDS = (*TITLE_FIELDS, "precision", "device", "threads")
SCORES = ("mAP", "R1")
MARKS = {"Generated data:": "generated", "Partial data:": "partial"}  # how such notes begin


@dataclass(frozen=True, slots=True)
class ComparisonGroup:
    """Students that differ in method, options and seed only, and the teachers they share."""

    dataset: str
    digest: str
    network: str
    fields: dict[str, Any]  # all that the students agree in
    teachers: tuple[tuple[str, str], ...]  # key and network of each
    students: pd.DataFrame  # rows of `gather`, the undistilled student's among them
    teacher_runs: pd.DataFrame  # rows of `gather`, those that exist
    distinguishing_fields: tuple[
        str, ...
    ] = ()  # "epochs 3": what other settings of this dataset do otherwise

    @property
    def teacher(self) -> str:
        """The teachers' networks, each once."""
        return " + ".join(dict.fromkeys(network for _, network in self.teachers))

    @property
    def done(self) -> pd.DataFrame:
        """The runs that have scores, teachers among them."""
        runs = pd.concat([self.students, self.teacher_runs])
        return runs[runs["status"] == "done"]

    @property
    def data_flags(self) -> str:
        """What tables must call this data: "partial", "generated" or both; empty if it is whole."""
        notes = [note for notes in self.done["notes"] for note in notes]
        return ", ".join(
            word for start, word in MARKS.items() if any(note.startswith(start) for note in notes)
        )

    @property
    def evaluations(self) -> tuple[str, ...]:
        """Names of what is scored, if that is more than one thing."""
        names = dict.fromkeys(name for names in self.done["evaluations"] for name in names)
        return tuple(names) if len(names) > 1 else ()

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of what is scored, the one or the several."""
        return self.evaluations or tuple(self.done["evaluation"].head(1))

    @property
    def scored(self) -> tuple[str, ...]:
        """The columns of the frame that tables show."""
        several = (f"{name} {score}" for name in self.evaluations for score in SCORES)
        return tuple(several) or SCORES

    def describe(self) -> str:
        """The fields a reader asks for first, as one line."""
        return ", ".join(
            f"{name} {self.fields[name]}" for name in DESCRIBED_FIELDS if name in self.fields
        )


def comparison_groups(frame: pd.DataFrame, dataset: str) -> list[ComparisonGroup]:
    """The settings of one dataset in which at least one run is done, the largest first."""
    found = [
        setting
        for setting in _all(frame, dataset)
        if (setting.students["status"] == "done").any()
        or (setting.teacher_runs["status"] == "done").any()
    ]
    found.sort(key=lambda setting: (-len(setting.students), setting.digest))
    return _tell_apart(found)


def _all(frame: pd.DataFrame, dataset: str) -> Iterator[ComparisonGroup]:
    """Every set of comparable students; a run that only serves as teacher makes no set."""
    runs = frame[frame["dataset"] == dataset]
    taught, plain = runs[runs["teacher_key"] != ""], runs[runs["teacher_key"] == ""]
    for _, group in taught.groupby("setting", sort=True):
        peers = plain[plain["student_setting"] == group["student_setting"].iloc[0]]
        yield _setting(frame, pd.concat([peers, group]), group.iloc[0])
    serving = {key for teachers in frame["teachers"] for key, _ in teachers}
    alone = plain[~plain["student_setting"].isin(taught["student_setting"])]
    for _, group in alone.groupby("setting", sort=True):
        if not group["key"].isin(list(serving)).all():
            yield _setting(frame, group, group.iloc[0])


def _setting(frame: pd.DataFrame, students: pd.DataFrame, example: pd.Series) -> ComparisonGroup:
    keys = [key for key, _ in example["teachers"]]
    return ComparisonGroup(
        dataset=example["dataset"],
        digest=example["setting"],
        network=example["network"],
        fields=json.loads(example["fields"]),
        teachers=example["teachers"],
        students=students,
        teacher_runs=frame[frame["key"].isin(keys)],
    )


def _tell_apart(found: list[ComparisonGroup]) -> list[ComparisonGroup]:
    """Fill in `differs`: every field, and the teacher, in which not all settings agree."""
    everything = [{**setting.fields, "teacher": _teacher(setting, found)} for setting in found]
    names = [name for fields in everything for name in fields]
    unequal = [
        name
        for name in dict.fromkeys(names)
        if len({json.dumps(fields.get(name)) for fields in everything}) > 1
    ]
    return [
        replace(
            setting,
            distinguishing_fields=tuple(
                f"{_word(name)} {fields.get(name, 'unset')}" for name in unequal
            ),
        )
        for setting, fields in zip(found, everything, strict=True)
    ]


def _teacher(setting: ComparisonGroup, found: list[ComparisonGroup]) -> str:
    """The teacher's network; with its run where another setting's teacher has the same network."""
    if not setting.teachers:
        return "none"
    rivals = {other.teachers for other in found if other.teacher == setting.teacher}
    if len(rivals) == 1:
        return setting.teacher
    runs = ", ".join(key.rpartition("/")[2] for key, _ in setting.teachers)
    return f"{setting.teacher} {runs}"


def _word(name: str) -> str:
    return "data" if name == "fingerprint" else name
