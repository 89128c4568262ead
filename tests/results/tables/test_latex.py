"""Any text of a user compiles, and looks as it was given where LaTeX's fonts have it."""

import pytest

from results.report import write_report
from results.tables.latex import escape_latex, escape_numbers, unprintable_in_latex
from tests.support.labels import LABELS
from tests.support.latex import compiled, needs_latex
from tests.support.random_values import generators
from tests.support.records import done, spec, teacher_spec

RANGES = (
    *((0x20, 0x7F), (0xA0, 0x180), (0x2B0, 0x400), (0x400, 0x460), (0x1E00, 0x1F80)),
    *((0x2010, 0x2028), (0x2030, 0x2060), (0x2070, 0x20A0), (0x2100, 0x2240), (0x3040, 0x3060)),
)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("PDRD (ours), a=1/2", "PDRD (ours), a=1/2"),
        ("αΩΛσς", r"$\alpha$$\Omega$$\Lambda$$\sigma$$\varsigma$"),
        (
            "\N{GREEK CAPITAL LETTER ALPHA}\N{GREEK CAPITAL LETTER OMICRON}",
            r"$\mathrm{A}$$\mathrm{O}$",
        ),
        ("Größe, naïve, Škoda", r"Gr\"{o}\ss{}e, na\"{i}ve, \v{S}koda"),
        ("e\u0301 \u0301", r"\'{e}\'{ }"),
        ("±≠≤∞²₃°µ", r"$\pm$$\neq$$\leq$$\infty$$^2$$_3$${}^\circ$$\mu$"),
        ("a--b ``c''", r"a-{}-b `{}`c'{}'"),
        ("中", r"{[}U+4E2D{]}"),
        ("\u200d", "{}"),
    ],
)
def test_text_is_literal(text, escaped):
    assert escape_latex(text) == escaped


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("-0.50 [-1.00, 0.00]*", "$-$0.50 {[}$-$1.00, 0.00{]}{*}"),
        ("weight=-2", "weight=$-$2"),
        ("ResNet-18, seeds 0-2, 1e-05, -", "ResNet-18, seeds 0-2, 1e-05, -"),
    ],
)
def test_a_hyphen_before_a_number_is_a_minus_sign(text, escaped):
    assert escape_numbers(text) == escaped


def test_what_has_no_form_is_named():
    assert unprintable_in_latex("PDRD β é") == ""
    assert unprintable_in_latex("a中b中Ж") == "中Ж"


@needs_latex
def test_whole_ranges_of_unicode_compile(tmp_path):
    characters = [chr(code) for first, last in RANGES for code in range(first, last)]
    source = [f"{escape_latex(one)} x{escape_latex(one)}{escape_latex(one)}" for one in characters]
    for random in generators(60):
        source.append(escape_latex("".join(random.choices(characters, k=12))))
    body = "\n\n".join(source)
    (tmp_path / "all.tex").write_text(
        f"\\documentclass{{article}}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    assert "Output written on all.pdf" in compiled(tmp_path, "all.tex")


@needs_latex
def test_reports_with_any_labels_compile(tmp_path):
    """Of methods, notes, references and titles of evaluations."""
    teacher = done(tmp_path, teacher_spec(), 0.6, label="Teacher")
    for number, label in enumerate(LABELS):
        made = spec(f"mine:M{number}", 0, [teacher], options={"weight": 2.0})
        paper = {"year": 2020, "venue": label}
        done(tmp_path, made, 0.5, label=label, notes=[label * 3], paper=paper)
    assert write_report(tmp_path).refused == ()
    compiled(tmp_path / "report", "tables.tex")
