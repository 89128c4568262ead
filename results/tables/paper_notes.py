"""Title, notes and problems of a paper's table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from results.lines import BASELINE, complete_seeds
from results.statistics.paired_test import LEVEL
from results.tables.cells import Cell
from results.tables.paper_choice import GAIN, PaperChoice
from results.tables.paper_parts import DatasetPart
from results.tables.significance import DAGGER, STAR

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
Lacking = Mapping[str, str]  # what a dataset lacks, by method


def paper_title(parts: Sequence[DatasetPart], paper: PaperChoice) -> str:
    """Return "Distillation from ResNet-101 to ResNet-18: mAP and R1 (%), mean of three seeds"."""
    group = next((part.group for part in parts if part.group), None)
    scores = [name for name in paper.columns if name != GAIN]
    if GAIN in paper.columns:
        scores.append(f"gain in mAP over {_reference(parts)}")
    *first, last = scores
    listed = f"{', '.join(first)} and {last}" if first else last
    teacher, student = (group.teacher, group.network) if group else ("", "")
    networks = f" from {network_name(teacher)} to {network_name(student)}" if teacher else ""
    return f"Distillation{networks}: {listed} (%), {_describe_seeds(parts, paper)}"


def paper_notes(
    parts: Sequence[DatasetPart],
    rows: Sequence[Sequence[Cell]],
    lacking: Mapping[str, Lacking],
    labels: Mapping[str, str],
) -> Iterator[str]:
    """Yield the sentence about the marks of a table, and one about rows with fewer seeds.

    Args:
        parts: The datasets.
        rows: The table's cells.
        lacking: By dataset what is missing there.
        labels: Labels of the rows by method.
    """
    cells = [cell for row in rows for cell in row]
    marks = []
    if any(cell.mark.place for cell in cells):
        marks += ["bold: best", "underlined: second"]
    if any(cell.mark.is_tied for cell in cells):
        marks.append(f"{DAGGER}: not significantly below the best")
    if any(cell.text.endswith(STAR) for cell in cells):
        marks.append(f"{STAR}: significant difference from {_reference(parts)}")
    if marks:
        text = ", ".join(marks)
        tested = DAGGER in text or STAR in text
        level = f" (paired tests, Holm's method, {100 * LEVEL:.0f} %)" if tested else ""
        yield f"{text[0].upper()}{text[1:]}{level}."
    if any(part.group and part.dataset == "synthetic" for part in parts):
        yield "Generated images rank no method."
    fewer: dict[str, list[str]] = {}
    for part in parts:
        for method, lack in lacking[part.dataset].items():
            if lack.endswith("seeds"):
                fewer.setdefault(lack, []).append(f"{labels[method]} on {part.name}")
    for lack, where in fewer.items():
        yield f"{lack[0].upper()}{lack[1:]}: {', '.join(where)}."


def describe_missing(
    part: DatasetPart,
    lacks: Lacking,
    parts: Sequence[DatasetPart],
    labels: Mapping[str, str],
    runs: Path,
) -> str:
    """Return what a dataset lacks and the command that makes it.

    Args:
        part: The dataset.
        lacks: What is missing, by method.
        parts: All datasets of the table.
        labels: Labels of the rows by method.
        runs: The runs folder.
    """
    groups = [one.group for one in (part, *parts) if one.group]
    seeds = sorted(complete_seeds(groups[0])) if groups else [0, 1, 2]
    command = ["kdreid", "run", "--runs", str(runs), "--dataset", part.dataset]
    methods = [name for name in lacks if name != BASELINE[0]]
    command += ["--methods", ",".join(methods or lacks)]
    if groups:
        teachers = [network for _, network in groups[0].teachers]
        command += ["--teacher", teachers[0]] if len(set(teachers)) == 1 else []
        command += ["--student", groups[0].network]
    command += ["--seeds", ",".join(map(str, seeds))]
    listed = ", ".join(f"{labels[name]} ({lack})" for name, lack in lacks.items())
    return f"{part.name} lacks {listed}; with the settings of the other rows: {shlex.join(command)}"


def network_name(name: str) -> str:
    """Return a network as papers write it: "ResNet-101" for "resnet101"."""
    text = re.sub(r"^resnet(?=\d)", "ResNet-", name)
    return re.sub(r"^densenet(?=\d)", "DenseNet-", text)


def _reference(parts: Sequence[DatasetPart]) -> str:
    """Return the label of the row that gains are measured from."""
    rows = (part.rows.get(part.choice.against) for part in parts)
    label = next((row.label for row in rows if row), "")
    return "the student" if label in ("", BASELINE[1]) else label


def _describe_seeds(parts: Sequence[DatasetPart], paper: PaperChoice) -> str:
    """Return "mean of three seeds", with the standard deviation if it is shown."""
    rows = [row for part in parts for row in part.rows.values() if not row.done.empty]
    most = max((row.done["seed"].nunique() for row in rows), default=1)
    if most == 1:
        return "one seed"
    count = NUMBERS[most] if most < len(NUMBERS) else str(most)
    spread = " ± standard deviation" if paper.with_spread else ""
    return f"mean{spread} of {count} seeds"
