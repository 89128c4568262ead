"""Footnotes that put a table's numbers into context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from harness.runs.data_flags import NOTE_PREFIXES
from results.comparable import SCORES, ComparisonGroup
from results.lines import BASELINE, NO_RUN, table_rows
from results.tables import published_values
from results.tables.cells import Cell
from results.tables.method_notes import method_notes
from results.tables.origin_notes import origin_notes
from results.teacher_weights import other_teacher_notes

SPREAD = "± is the standard deviation over seeds (n - 1 in the denominator)."
GAIN = (
    "Gain: points of mAP above {reference} under the same seed, mean over the seeds that both rows "
    "have."
)
SYNTHETIC_CAPTION = (
    "Generated images and a small training budget: these numbers show that everything works, and "
    "rank no method."
)
SYNTHETIC = (
    "Generated images and a small training budget. Such runs show that the pipeline works and that "
    "trained networks score far above raw pixels. They cannot rank methods, and letters and bold "
    "apply to these runs only: differences under about 3 points of mAP are noise, no method's "
    "weight was tuned, and the teacher is undertrained, so a student above its teacher is a sign "
    "of that and not a finding."
)


def table_footnotes(
    groups: Sequence[ComparisonGroup], published: published_values.PublishedTables
) -> tuple[str, ...]:
    """Return the footnotes of a table, each once, the most general first.

    What `caption_sentences` says is not among them.

    Args:
        groups: Groups of runs in the table.
        published: Published tables with numbers next to theirs.
    """
    notes = [note for group in groups for note in _group_notes(group)]
    if published:
        notes.append(published_values.DIFFERENCE_NOTE)
    for group in groups:
        for paper, table in published:
            notes += published_values.published_notes(group, paper, table.number)
            notes += table.notes.get(group.dataset, ())
    notes += [note for group in groups for note in recorded_notes(group)]
    return tuple(dict.fromkeys(notes))


def caption_sentences(
    groups: Sequence[ComparisonGroup], rows: Sequence[Sequence[Cell]]
) -> tuple[str, ...]:
    """Return what has to stand below a table: what its numbers are, and what limits them.

    Args:
        groups: Groups of runs in the table.
        rows: The table's rows.
    """
    sentences: list[str] = []
    for group in groups:
        place = f"on {group.dataset}" if len(groups) > 1 else ""
        sentences += origin_notes(group.done, rows, place)
    if any(group.dataset == "synthetic" for group in groups):
        sentences.append(SYNTHETIC_CAPTION)
    prefixes = tuple(NOTE_PREFIXES.values())
    notes = (note for group in groups for note in recorded_notes(group))
    sentences += [note for note in notes if note.startswith(prefixes)]
    sentences += [note for group in groups for note in method_notes(group.done, rows)]
    if any("±" in cell.text for row in rows for cell in row):
        sentences.append(SPREAD)
    if any(cell.text == NO_RUN for row in rows for cell in row):
        sentences.append(f"{NO_RUN}: no run provides this number.")
    return tuple(dict.fromkeys(sentences))


def draw_notes(group: ComparisonGroup) -> Iterator[str]:
    """Yield the number of draws behind every score and their largest standard deviation."""
    draws = group.done["draws"].max()
    if draws <= 1:
        return
    names = group.evaluations
    spreads = [max(100 * run[score] for run in group.done["spreads"]) for score in SCORES]
    yield (
        f"Scores of the evaluation{'s' * (len(names) > 1)} {', '.join(names)} are each the mean of "
        f"{int(draws)} draws; the standard deviation over draws is at most {spreads[0]:.2f} points "
        f"of mAP and {spreads[1]:.2f} points of R1."
    )


def recorded_notes(group: ComparisonGroup) -> Iterator[str]:
    """Yield the notes in the records of the group's runs."""
    for notes in pd.concat([group.teacher_runs, group.students])["notes"]:
        yield from notes


def _group_notes(group: ComparisonGroup) -> Iterator[str]:
    """Yield the settings of a group, and what limits the comparison of its rows."""
    if group.dataset == "synthetic":
        yield SYNTHETIC
    yield f"Settings on {group.dataset}: {group.describe()}."
    yield from _teacher_notes(group)
    done = group.students[group.students["status"] == "done"]
    yield from other_teacher_notes(done)
    if len(table_rows(group, *BASELINE)) > 1:
        yield (
            "The undistilled students were run with different code or options; gains are measured "
            "from the row in the table."
        )
    protocols = sorted(set(group.done["scoring"]))
    if len(protocols) > 1:
        yield (
            f"The scores were made by different scoring protocols ({', '.join(protocols)}); score "
            "the runs again before comparing them."
        )
    yield from draw_notes(group)


def _teacher_notes(group: ComparisonGroup) -> Iterator[str]:
    """Yield who teaches, and whether the numbers cover the noise of its training."""
    if group.has_own_teachers:
        yield (
            "Every seed has a teacher of its own, trained with that seed: means, standard "
            "deviations and tests cover the noise of the teacher's training, too."
        )
    elif group.teachers:
        keys = " and ".join(key for key, _ in group.teachers)
        yield (
            f"Teacher of every distilled student: {keys}. Whatever is found holds for students of "
            "this checkpoint; --teacher-seed same trains a teacher for each seed."
        )
