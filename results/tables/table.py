"""A table of cells, with the parts that several tables share."""

from __future__ import annotations

from dataclasses import dataclass

from results.comparable import ComparisonGroup
from results.lines import BASELINE, TableRow, table_rows
from results.tables.cells import Cell, plain, score_cell

DATASET_NAMES = {
    "market1501": "Market-1501",
    "dukemtmc": "DukeMTMC-reID",
    "msmt17": "MSMT17",
    "veri776": "VeRi-776",
    "vehicleid": "VehicleID",
    "synthetic": "generated images",
}


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


BLANK = plain("")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; an empty cell is one to which its column does not apply."""

    name: str  # of its files
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footnotes: tuple[str, ...]


def rows_by_method(setting: ComparisonGroup) -> dict[str, list[TableRow]]:
    """The lines by method: the plain student, the compared methods, all others that ran."""
    ran = set(setting.students["method"]) - {"none"}
    others = sorted(ran - set(COMPARED), key=lambda name: (name not in EXTRAS, name))
    labels = {**dict([BASELINE]), **COMPARED, **dict.fromkeys(others, "")}
    return {method: table_rows(setting, method, label) for method, label in labels.items()}


def score_cells(line: TableRow, setting: ComparisonGroup) -> tuple[Cell, ...]:
    """The cells of every score that the setting's tables show."""
    return tuple(score_cell(line, column) for column in setting.scored)


def score_heading(column: str, setting: ComparisonGroup) -> str:
    """`test800 mAP` as Test800 mAP; beside the number, too, it is said what data is not whole."""
    heading = column[0].upper() + column[1:] if setting.evaluations else column
    return f"{heading} ({setting.data_flags})" if setting.data_flags else heading


def qualify_title(title: str, setting: ComparisonGroup) -> str:
    """The title, and what sets this table apart from others of the kind."""
    said = [
        *([f"{setting.data_flags} data"] if setting.data_flags else []),
        *setting.distinguishing_fields,
    ]
    return f"{title} ({'; '.join(said)})" if said else title
