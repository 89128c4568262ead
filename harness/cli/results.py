"""`kdreid diff A B`: where two runs differ, and whether their mAP differs by more than noise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from harness.core.errors import SetupError, UsageError
from harness.runs.lookup import resolve_runs
from harness.runs.reader import StoredRun, load_run
from results.compare_runs import CurveComparison, RunDiff, ScoreDifference, diff_runs

ABSENT = {"config": "not set", "teacher": "none", "result": "none"}  # else: not recorded
WIDEST = 46  # of one value
SEEDS = (
    "Two single runs say nothing of the noise between seeds: another seed could turn such a "
    "difference around. Tables of several seeds test that, too."
)


def show_diff(
    words: tuple[str, str],
    runs: Path,
    other: Path | None,
    say: Callable[[str], None],
    *,
    as_json: bool,
) -> None:
    """Print how two runs differ; the second may lie in another runs folder.

    Raises:
        UsageError: a word names no run, or several.
        SetupError: a folder is not there, or does not tell of its run.
    """
    second_home = runs if other is None else other
    pair = one_run(words[0], runs), one_run(words[1], second_home)
    if pair[0].folder.resolve() == pair[1].folder.resolve():
        raise UsageError(f"Both are {pair[0].key}. Name two runs: kdreid diff A B --runs {runs}")
    found = diff_runs(*pair)
    if as_json:
        say(json.dumps(_plain(found), indent=1))
        return
    for line in _lines(found):
        say(line)


def one_run(word: str, runs: Path) -> StoredRun:
    """The run that a word names.

    Raises:
        UsageError: it names none, or several.
        SetupError: its folder does not tell of it.
    """
    keys = resolve_runs([word], runs)
    if len(keys) != 1:
        raise UsageError(f"{word!r} names {len(keys)} runs; name one, as kdreid status shows them.")
    try:
        return load_run(runs, keys[0])
    except ValueError as error:
        raise SetupError(f"{error}.") from error


def _plain(found: RunDiff) -> dict[str, object]:
    plain = asdict(found)
    for verdict, told in zip(found.verdicts, plain["verdicts"], strict=True):
        told["more_than_noise"] = verdict.is_significant
    return plain


def _lines(found: RunDiff) -> Iterator[str]:
    yield f"A  {found.first}"
    yield f"B  {found.second}"
    for section, fields in found.sections.items():
        if not fields:
            yield f"{section}: the same"
            continue
        yield section
        absent = ABSENT.get(section, "not recorded")
        rows = [
            (one.name, *(_short(value, absent) for value in (one.first, one.second)))
            for one in fields
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        for name, first, second in rows:
            yield f"  {name:<{widths[0]}}  {first:<{widths[1]}}  {second}"
    yield "training"
    yield from (f"  {line}" for line in _told(found.courses))
    for verdict in found.verdicts:
        yield _judged(verdict)
    if found.verdicts:
        yield SEEDS
    else:
        yield "No evaluation was scored in both runs, so nothing can be said of their mAP."


def _told(courses: CurveComparison) -> Iterator[str]:
    if courses.problem:
        yield f"not compared: {courses.problem}"
    elif not courses.partings:
        yield f"equal at all {courses.steps} steps that both curves tell of"
    for number, part in enumerate(courses.partings):
        since = (
            ""
            if number or courses.last_equal is None
            else (
                f" (equal up to step {courses.last_equal}; the curves share {courses.steps} steps)"
            )
        )
        values = f"{part.first:.6g}, {part.second:.6g}"
        yield f"{part.column} differs from step {part.step}: {values}{since}"


def _judged(verdict: ScoreDifference) -> str:
    size, side = abs(verdict.mean), "above" if verdict.mean > 0 else "below"
    said = f"{verdict.evaluation}: the mAP of A is "
    said += f"{size:.2f} points {side} B's" if verdict.mean else "that of B"
    if verdict.interval is None:
        return f"{said}; not tested: {verdict.problem}."
    low, high = verdict.interval
    return (
        f"{said}, 95 % interval {low:+.2f} to {high:+.2f} (paired, {verdict.queries:,} queries of "
        f"{verdict.identities:,} identities): "
        f"{'more than' if verdict.is_significant else 'within'} the noise between queries."
    )


def _short(value: object, absent: str) -> str:
    if value is None:
        return absent
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."
