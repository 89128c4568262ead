"""What has to be said beside a table's numbers, so that nobody reads too much into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from results.comparable import SCORES, ComparisonGroup
from results.lines import table_rows
from results.tables import published_values as against
from results.tables.cells import NO_RUN, Cell

ONE_SEED = (
    "A row of one seed does not cover the noise between seeds: another seed could turn its "
    "difference from other rows around."
)
SPREAD = "± is the standard deviation over seeds (n - 1 in the denominator)."
GAIN = (
    "{gain}: points above the undistilled student of the same seed, mean over the seeds that both "
    "have."
)
SYNTHETIC = (
    "Generated images and a small budget. Such runs can show that the pipeline works and that "
    "trained networks rise far above raw pixels. They cannot rank methods, and letters and bold "
    "speak of these runs alone: differences under about 3 mAP are noise, no method's weight was "
    "tuned, and the teacher is undertrained, so that a student above its teacher is a sign of that "
    "and not a finding."
)


def table_footnotes(
    sections: Sequence[ComparisonGroup],
    printed: against.PrintedTables,
    rows: Sequence[Sequence[Cell]],
) -> tuple[str, ...]:
    """All footnotes of a table over `sections`, each once, the most general first."""
    found = [note for setting in sections for note in _of_setting(setting)]
    if any("±" in cell.text for row in rows for cell in row):
        found.append(SPREAD)
    if any(cell.text == NO_RUN for row in rows for cell in row):
        found.append(f"{NO_RUN}: there is no run to take the number from.")
    if printed:
        found.append(against.DIFFERENCE)
    for setting in sections:
        found += _of_printed(setting, printed)
    found += [note for setting in sections for note in recorded_notes(setting)]
    return tuple(dict.fromkeys(found))


def _of_setting(setting: ComparisonGroup) -> Iterator[str]:
    if setting.dataset == "synthetic":
        yield SYNTHETIC
    yield f"Setting of {setting.dataset}: {setting.describe()}."
    for key, _ in setting.teachers:
        yield f"Teacher of every distilled student: {key}."
    done = setting.students[setting.students["status"] == "done"]
    if done.groupby(["method", "options", "version"])["seed"].nunique().eq(1).any():
        yield ONE_SEED
    if len(table_rows(setting, "none")) > 1:
        yield (
            "There are undistilled students of different code or options, so no gain is given; "
            "run them again with this version."
        )
    protocols = sorted(set(setting.done["scoring"]))
    if len(protocols) > 1:
        yield (
            f"These scores are of different scoring protocols ({', '.join(protocols)}); "
            "score again before comparing them."
        )
    yield from draw_notes(setting)


def draw_notes(setting: ComparisonGroup) -> Iterator[str]:
    """How many draws every score is the mean of, and how much they differ at most."""
    draws = setting.done["draws"].max()
    if draws <= 1:
        return
    names = setting.evaluations or (setting.done["evaluation"].iloc[0],)
    spreads = [max(100 * run[score] for run in setting.done["spreads"]) for score in SCORES]
    yield (
        f"Scores are of the evaluation{'s' * (len(names) > 1)} {', '.join(names)}, each the mean "
        f"of {int(draws)} draws; standard deviation over draws up to {spreads[0]:.2f} in mAP and "
        f"{spreads[1]:.2f} in R1."
    )


def _of_printed(setting: ComparisonGroup, printed: against.PrintedTables) -> Iterator[str]:
    for source, table in printed:
        yield from against.published_notes(setting, source, table.number)
        yield from table.notes.get(setting.dataset, ())


def recorded_notes(setting: ComparisonGroup) -> Iterator[str]:
    """What the records themselves want said."""
    for notes in pd.concat([setting.teacher_runs, setting.students])["notes"]:
        yield from notes
