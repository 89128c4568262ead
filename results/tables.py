"""The tables of the report: PDRD's ablation (its Table 1) and comparisons (Tables 2 to 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from results import footnotes
from results.cells import (
    NO_RUN,
    Line,
    expected_seeds,
    gain,
    lines,
    score,
    seeds,
    teacher_lines,
    undistilled,
)
from results.published import Published, PublishedTable, Row, Source
from results.settings import Setting, settings

DATASETS = {
    "market1501": "Market-1501",
    "dukemtmc": "DukeMTMC-reID",
    "msmt17": "MSMT17",
    "veri776": "VeRi-776",
    "vehicleid": "VehicleID",
    "synthetic": "generated images",
}
SHORT = {"dukemtmc": "Duke", "veri776": "VeRi"}  # the datasets of the ablation
# in the order of the papers' tables, by year
COMPARED = {
    "fitnet": "FitNet",
    "at": "AT",
    "ft": "FT",
    "cckd": "CCKD",
    "sp": "SP",
    "vid": "VID",
    "rkd": "RKD",
    "pkt": "PKT",
    "kdpe": "KDPE",
    "csd": "CSD",
    "vrkd": "VRKD",
    "pdrd": "PDRD",
}
EXTRAS = ("pairwise", "pdrk", "kd")
ABLATED = {
    "pairwise": "Student + L_pairwise",
    "pdrk": "Student + L_pdrk",
    "pdrd": "Student + L_npdrk",
}
Printed = list[tuple[Source, PublishedTable]]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; an empty cell is one to which its column does not apply."""

    name: str  # of its files
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    footnotes: tuple[str, ...]


def comparison(frame: pd.DataFrame, dataset: str, published: Published) -> list[Table]:
    """All methods on one dataset (PDRD, Tables 2 to 5), one table per setting, largest first.

    `frame` is that of `gather`. Methods that did not run have rows too, and say so.
    """
    found = settings(frame, dataset)
    return [_comparison(setting, published, several=len(found) > 1) for setting in found]


def _comparison(setting: Setting, published: Published, *, several: bool) -> Table:
    printed = _of_same_networks(setting, published.tables("comparison", setting.dataset))
    names = [""] if len(printed) == 1 else [f" ({source.name})" for source, _ in printed]
    outside = [f"Published {score}{name}" for name in names for score in ("mAP", "R1")]
    scores = [_heading(column, setting) for column in setting.scored]
    gained = f"Gain in {scores[0]}"
    columns = ("Method", "Teacher", "Student", *scores, gained, "Seeds")
    rows = list(_rows(setting, printed))
    title = f"Distillation methods on {DATASETS.get(setting.dataset, setting.dataset)}"
    return Table(
        name=f"comparison-{setting.dataset}{f'-{setting.digest}' if several else ''}",
        title=_titled(title, setting),
        columns=(*columns, *outside[: 2 * len(printed)], "Reference"),
        rows=tuple(rows),
        footnotes=(
            *footnotes.collect([setting], printed, rows),
            footnotes.GAIN.format(gain=gained),
        ),
    )


def _rows(setting: Setting, printed: Printed) -> Iterator[tuple[str, ...]]:
    """Teachers, the plain student, compared methods, others that ran, others that are printed."""
    empty = ("", "") * len(printed)
    for line, network in teacher_lines(setting):
        yield (line.label, "", network, *_scores(line, setting), "", seeds(line, 1), *empty, "")
    expected, plain = expected_seeds(setting), undistilled(setting)
    for line in lines(setting, "none", "Student"):
        numbers = (*_scores(line, setting), "", seeds(line, expected))
        yield (line.label, "", setting.network, *numbers, *empty, "")
    ran = set(setting.students["method"]) - {"none"}
    others = sorted(ran - set(COMPARED), key=lambda name: (name not in EXTRAS, name))
    for method in (*COMPARED, *others):
        rows = [(source, table.row(method)) for source, table in printed]
        outside = [cell for _, row in rows for cell in _printed(row, setting.dataset)]
        for line in lines(setting, method, COMPARED.get(method, "")):
            names = (line.label, setting.teacher, setting.network)
            numbers = (*_scores(line, setting), gain(line, plain), seeds(line, expected))
            yield (*names, *numbers, *outside, _reference(line, rows))
    yield from _only_printed(setting, printed, {"none", "teacher", *COMPARED, *others})


def _only_printed(setting: Setting, printed: Printed, known: set[str]) -> Iterator[tuple[str, ...]]:
    """Rows of the papers that are no entry of this comparison."""
    for place, (source, table) in enumerate(printed):
        for row in table.rows:
            if row.method not in known:
                outside = ["", ""] * len(printed)
                outside[2 * place : 2 * place + 2] = _printed(row, setting.dataset)
                networks = (
                    _either(row.teacher, table.teacher),
                    _either(row.student, table.student),
                )
                cells = (row.label, *networks, *(len(setting.scored) + 2) * (NO_RUN,))
                yield (*cells, *outside, _printed_reference(row, source))


def ablation(frame: pd.DataFrame, published: Published) -> list[Table]:
    """What the parts of PDRD's loss add (PDRD, Table 1), where one of them has run.

    The datasets stand side by side if each has one setting and their networks agree; otherwise
    every setting has a table of its own.
    """
    found = {name: [s for s in settings(frame, name) if _is_ablation(s)] for name in SHORT}
    sections = [setting for group in found.values() for setting in group]
    networks = {(setting.teacher, setting.network) for setting in sections}
    if not sections:
        return []
    if len(networks) == 1 and all(len(group) <= 1 for group in found.values()):
        return [_ablation("ablation", sections, published)]
    return [
        _ablation(f"ablation-{setting.dataset}-{setting.digest}", [setting], published)
        for setting in sections
    ]


def _is_ablation(setting: Setting) -> bool:
    runs = setting.students
    return bool((runs["method"].isin(list(ABLATED)) & (runs["status"] == "done")).any())


def _ablation(name: str, sections: Sequence[Setting], published: Published) -> Table:
    headings: list[str] = []
    blocks: list[dict[tuple[str, str], tuple[str, ...]]] = []
    printed: Printed = []
    for setting in sections:
        tables = _of_same_networks(setting, published.tables("ablation", setting.dataset))[:1]
        printed += [pair for pair in tables if pair not in printed]
        blocks.append(dict(_section(setting, tables[0][1] if tables else None)))
        outside = ("published mAP", "published R1") if tables else ()
        own = (*(_heading(column, setting) for column in setting.scored), "seeds")
        headings += [f"{SHORT[setting.dataset]} {part}" for part in (*own, *outside)]
    first = sections[0]
    networks = {"teacher": ("", first.teacher), "none": ("", first.network)}
    rows = []
    for method in ("teacher", "none", *ABLATED):
        for place in dict.fromkeys(place for block in blocks for place in block):
            if place[0] == method:
                parts = [block.get(place, _absent(block)) for block in blocks]
                pair = networks.get(method, (first.teacher, first.network))
                rows.append((place[1], *pair, *(cell for part in parts for cell in part)))
    title = "What the parts of PDRD's loss add"
    marked = [f"{SHORT[s.dataset]}: {s.marks} data" for s in sections if s.marks]
    if len(sections) > 1 and marked:
        title = f"{title} ({'; '.join(marked)})"
    if len(sections) == 1:
        title = _titled(f"{title} on {DATASETS[first.dataset]}", first)
    return Table(
        name=name,
        title=title,
        columns=("Method", "Teacher", "Student", *headings),
        rows=tuple(rows),
        footnotes=footnotes.collect(sections, printed, rows),
    )


def _section(
    setting: Setting, printed: PublishedTable | None
) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """The cells of one dataset by (method, row label)."""

    def cells(line: Line, method: str, expected: int) -> tuple[str, ...]:
        outside = _printed(printed.row(method), setting.dataset) if printed else ()
        return (*_scores(line, setting), seeds(line, expected), *outside)

    for line, _ in teacher_lines(setting):
        yield ("teacher", line.label), cells(line, "teacher", 1)
    expected = expected_seeds(setting)
    for method, label in {"none": "Student", **ABLATED}.items():
        for line in lines(setting, method, label):
            yield (method, line.label), cells(line, method, expected)


def _absent(block: dict[tuple[str, str], tuple[str, ...]]) -> tuple[str, ...]:
    """The cells of a row that only another dataset has."""
    width = len(next(iter(block.values())))
    return (*3 * (NO_RUN,), *(width - 3) * ("",))


def _scores(line: Line, setting: Setting) -> tuple[str, ...]:
    return tuple(score(line, column) for column in setting.scored)


def _heading(column: str, setting: Setting) -> str:
    """`test800 mAP` as Test800 mAP; beside the number, too, it is said what data is not whole."""
    heading = column[0].upper() + column[1:] if setting.evaluations else column
    return f"{heading} ({setting.marks})" if setting.marks else heading


def _printed(row: Row | None, dataset: str) -> tuple[str, ...]:
    """The paper's mAP and R1, empty where it has none."""
    scores = row.scores.get(dataset) if row else None
    return tuple(f"{value:.2f}" for value in scores) if scores else ("", "")


def _of_same_networks(setting: Setting, tables: Iterator[tuple[Source, PublishedTable]]) -> Printed:
    """Published numbers of other networks are no measure of these."""
    mine = (setting.teacher, setting.network)
    return [pair for pair in tables if (pair[1].teacher, pair[1].student) == mine]


def _reference(line: Line, rows: list[tuple[Source, Row | None]]) -> str:
    """The reference from the line's records, else as a paper prints it."""
    recorded = [reference for reference in line.done["reference"] if reference]
    printed = [_printed_reference(row, source) for source, row in rows if row]
    return next(iter([*recorded, *printed]), "")


def _printed_reference(row: Row, source: Source) -> str:
    own = row.reference == "Ours"
    return f"{source.paper.year} {source.paper.venue}" if own else row.reference


def _either(own: str | None, common: str) -> str:
    return common if own is None else own


def _titled(title: str, setting: Setting) -> str:
    said = [*([f"{setting.marks} data"] if setting.marks else []), *setting.differs]
    return f"{title} ({'; '.join(said)})" if said else title
