import re
from dataclasses import replace

import pytest

from results.statistics.letter_display import Mark
from results.tables.cells import Cell
from results.tables.formats import notes_document, to_csv, to_latex, to_markdown, to_terminal
from results.tables.latex import escape_latex
from results.tables.table import Table
from tests.support.latex import compiled, needs_latex

TABLE = Table(
    name="comparison-x",
    title="100 % of L_pdrk & others",
    columns=("Method", "mAP", "Gain in mAP"),
    rows=(
        (Cell("FT (steps=4)"), Cell("47.50 ± 0.71", mark=Mark("best")), Cell("+6.50")),
        (Cell("L_pdrk & a|b"), Cell("failed: diverged"), Cell("-")),
        (Cell("SP"), Cell("46.1 | 2", mark=Mark("second", is_tied=True)), Cell("")),
    ),
    caption=("A short note with 5 % and under_score.", "Long " * 40 + "end."),
    footnotes=("What the tests are.",),
)


def test_markdown():
    lines = to_markdown(TABLE).splitlines()
    assert lines[0] == "## 100 % of L_pdrk & others"
    assert lines[2].split() == ["|", "Method", "|", "mAP", "|", "Gain", "in", "mAP", "|"]
    assert set(lines[3]) <= set("|:-")
    assert " **47.50 ± 0.71** |" in lines[4] and "+6.50" in lines[4]
    assert r"a\|b" in lines[5]
    assert r" <ins>46.1 \| 2</ins>† |" in lines[6]  # GitHub strips <u>
    assert lines[8].startswith("- A short note")
    assert "What the tests are" not in to_markdown(TABLE)


def test_numbers_are_left_as_they_are():
    assert "+6.50" in to_terminal(TABLE) and "47.50 ± 0.71" in to_terminal(TABLE)


def test_letters_are_plain_in_the_terminal_and_in_csv():
    for text in (to_terminal(TABLE), to_csv(TABLE)):
        assert "47.50 ± 0.71" in text and "46.1 | 2" in text
        assert "*47" not in text and "<ins>" not in text and "textbf" not in text
    assert "46.1 | 2†" in to_terminal(TABLE) and "†" not in to_csv(TABLE)


def test_notes_stand_once_with_the_tables_that_they_are_of():
    second = replace(TABLE, name="comparison-y", footnotes=("What the tests are.", "Of y alone."))
    third = replace(TABLE, name="ablation", footnotes=("What the tests are.",))
    assert notes_document([TABLE, second, third]) == (
        "# Notes\n\n## All tables\n\n- What the tests are.\n\n## comparison-y\n\n- Of y alone.\n"
    )


def test_terminal():
    lines = to_terminal(TABLE).splitlines()
    assert lines[0] == TABLE.title
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("* A short note") for line in lines)


def test_latex():
    text = to_latex(TABLE)
    assert text.startswith("\\begin{table}") and text.endswith("\\end{table}\n")
    assert "\\toprule" in text and "\\bottomrule" in text and "\\begin{tabular}{lrr}" in text
    assert r"\caption{100 \% of L\_pdrk \& others}" in text
    assert r"L\_pdrk \& a\textbar{}b & failed: diverged & - \\" in text
    assert r"FT (steps=4) & \textbf{47.50 $\pm$ 0.71} & +6.50 \\" in text
    assert r"SP & \underline{46.1 \textbar{} 2}\dag{} &  \\" in text
    assert r"5 \% and under\_score." in text
    assert "±" not in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("a_b", r"a\_b"),
        ("5 %", r"5 \%"),
        ("A & B", r"A \& B"),
        ("1 ± 2", r"1 $\pm$ 2"),
        ("$#{}", r"\$\#\{\}"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("\\n", r"\textbackslash{}n"),
        ("<>|", r"\textless{}\textgreater{}\textbar{}"),
        ("[a]*", "{[}a{]}{*}"),
    ],
)
def test_escape(plain, escaped):
    assert escape_latex(plain) == escaped


WIDE = replace(
    TABLE,
    columns=("Method", *(f"Test{n} {score}" for n in range(8) for score in ("mAP", "R1"))),
    rows=(
        *((Cell(f"row {n}"), *[Cell("47.50 ± 0.71", mark=Mark("best"))] * 16) for n in range(40)),
        (Cell("last"), *[Cell("-12.75 out ≠11")] * 16),
    ),
    caption=tuple(f"Note {n}: {'of some length ' * 12}" for n in range(12)),
)


def test_wide_tables_are_cut_in_the_terminal():
    lines = to_terminal(WIDE).splitlines()
    assert max(map(len, lines)) <= 180
    assert sum(line.startswith("last ") for line in lines) > 1
    assert to_terminal(WIDE).count("-12.75 out ≠11") == 16


def test_wide_tables_are_numbered_once_in_latex():
    text = to_latex(WIDE)
    count = text.count("\\begin{table}")
    assert count > 1 and text.count(", continued}") == count - 1
    assert text.count("\\addtocounter{table}{-1}") == count - 1
    assert text.count("\\label{") == 1 and text.count("Note 3:") == 1
    assert text.count(r"$-$12.75 out $\neq$11") == 16


@needs_latex
@pytest.mark.parametrize("table", [TABLE, WIDE], ids=["small", "wide"])
def test_latex_compiles_and_stays_on_its_pages(tmp_path, table):
    source = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (tmp_path / "t.tex").write_text(f"{source}{to_latex(table)}\\end{{document}}\n")
    printed = compiled(tmp_path, "t.tex")
    assert "too large for page" not in printed
    assert not re.findall(r"Overfull \\hbox \(\d\d", printed)  # ten points or more
