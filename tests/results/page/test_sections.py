import pytest

from results.page.sections import constant_columns, page_section, row_anchors
from results.tables.cells import Cell
from results.tables.table import Table

COLUMNS = ("Method", "Teacher", "Student", "mAP", "Seeds")


def table(*rows, columns=COLUMNS):
    cells = tuple(tuple(Cell(text) for text in row) for row in rows)
    return Table("t", "T", columns, cells, (), ())


TEACHER = ("Teacher", "", "resnet101", "60", "1")
STUDENT = ("Student", "", "resnet18", "50", "3")


def test_networks_that_all_rows_share_are_no_columns():
    made = table(TEACHER, STUDENT, ("SP", "resnet101", "resnet18", "51", "3"))
    assert constant_columns(made) == {"Teacher": "resnet101", "Student": "resnet18"}
    section = page_section(made, {})
    assert section.constants == ("Teacher: resnet101", "Student: resnet18")
    assert [one.is_shown for one in section.columns] == [True, False, False, True, True]


@pytest.mark.parametrize(
    ("rows", "constant"),
    [
        ([TEACHER, STUDENT], {}),  # nowhere else is the teacher's network
        ([STUDENT], {"Student": "resnet18"}),
        ([STUDENT, ("SP", "", "resnet34", "51", "3")], {"Seeds": "3"}),
        (
            [STUDENT, ("Student b", "", "resnet18", "51", "3")],
            {"Student": "resnet18", "Seeds": "3"},
        ),
    ],
)
def test_columns_with_different_texts_stay(rows, constant):
    assert constant_columns(table(*rows)) == constant


def test_rows_have_different_names_in_links():
    rows = [("PDRD (weight=2.5)",), ("pdrd weight=2.5",), ("Déjà",), ("中",), ("<b>",)]
    assert row_anchors(table(*rows, columns=("Method",))) == [
        "t--pdrd-weight=2.5",
        "t--pdrd-weight=2.5-2",
        "t--deja",
        "t--row",
        "t--b",
    ]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("47.76 ± 0.61", ""),
        ("+7.82 [6.96, 8.69]*", ""),
        ("a_b", r"a\_b"),
        ("5 %", r"5 \%"),
        ("-0.23 in ≠2", r"-0.23 in $\neq$2"),
    ],
)
def test_texts_that_the_script_cannot_make_latex_of_have_their_latex(text, latex):
    (row,) = page_section(table(("x", "", "", text, "")), {}).rows
    assert row.cells[3].latex == latex
