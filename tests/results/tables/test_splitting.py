import pytest

from results.tables.cells import Cell
from results.tables.splitting import count_lines, paginate, split_columns
from results.tables.table import Table

COLUMNS = ("Method", "Seeds", "Published mAP", "Published R1", "Note")


def made(*rows):
    return Table("t", "T", COLUMNS, tuple(tuple(map(Cell, row)) for row in rows), ("n",), ("m",))


TABLE = made(("PDRD", "3", "84.76", "93.62", "a long remark"), ("SP", "3", "82.09", "92.73", ""))


def test_a_table_that_fits_is_left_whole():
    assert split_columns(TABLE, 6 + 5 + 13 + 12 + 13 + 4, 1) == [TABLE]


def test_a_wide_table_repeats_its_first_column():
    parts = split_columns(TABLE, 6 + 5 + 13 + 12 + 13 + 3, 1)
    assert [part.columns for part in parts] == [COLUMNS[:4], ("Method", "Note")]
    assert [cell.text for cell in parts[1].rows[0]] == ["PDRD", "a long remark"]
    assert all((part.name, part.caption, part.footnotes) == ("t", ("n",), ("m",)) for part in parts)


def test_an_r1_stays_with_its_map():
    parts = split_columns(TABLE, 6 + 5 + 13 + 4, 1)
    assert [part.columns for part in parts] == [
        ("Method", "Seeds"),
        ("Method", "Published mAP", "Published R1"),
        ("Method", "Note"),
    ]


def test_nothing_is_lost_however_narrow():
    parts = split_columns(TABLE, 1, 1)
    assert [name for part in parts for name in part.columns[1:]] == list(COLUMNS[1:])


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([4.0, 4.0, 2.0], [range(3)]),
        ([4.0, 4.0, 3.0], [range(2), range(2, 3)]),
        ([20.0, 1.0, 20.0], [range(1), range(1, 2), range(2, 3)]),
        ([20.0], [range(1)]),
    ],
)
def test_pages_hold_what_fits(heights, expected):
    assert list(paginate(heights, 10.0)) == expected


def test_lines():
    assert [count_lines("a" * count, 10) for count in (0, 10, 11)] == [1, 1, 2]
