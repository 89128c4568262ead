"""The tools of a table in a real browser: columns, copies, links to rows, notes; and phones."""

import csv
import io

import pytest

from tests.support.latex import compiled, needs_latex
from tests.support.report_page import HOSTILE, PHONE, cell, column

pytestmark = pytest.mark.chromium
TABLE = "#comparison-msmt17"
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
NO_COPY_AT_ALL = NO_CLIPBOARD + "document.execCommand = () => false;"


def shown_headings(page, table=TABLE):
    return page.locator(f"{table} thead th:not([hidden])").all_inner_texts()


def copied(page, name, table=TABLE):
    """What a button of a table writes to the clipboard."""
    page.locator(table).get_by_role("button", name=name).click()
    page.locator(f"{table} .copied").get_by_text("Copied").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def show(page, *names, table=TABLE):
    page.locator(f"{table} .column-menu summary").click()
    for name in names:
        page.locator(table).get_by_role("checkbox", name=name, exact=True).click()
    page.keyboard.press("Escape")


def test_further_scores_and_costs_are_hidden_until_they_are_chosen(visit):
    page = visit()
    first = shown_headings(page)
    assert first[:3] == ["Method", "mAP", "R1"] and "R5" not in first
    show(page, "R5", "mINP", "Parameters (M)", "MACs (G)", "Training hours")
    assert shown_headings(page)[len(first) :] == [
        "R5",
        "mINP",
        "Parameters (M)",
        "MACs (G)",
        "Training hours",
    ]
    assert cell(page, "SP", "mINP").inner_text() == "23.00 ± 0.50"
    assert cell(page, "SP", "Parameters (M)").inner_text() == "11.18"
    assert cell(page, "SP", "MACs (G)").inner_text() == "2.40"
    assert cell(page, "SP", "Training hours").inner_text() == "1.5"
    assert "R5" not in shown_headings(page, "#comparison-market1501")  # another table
    page.reload()
    assert shown_headings(page) == first


def test_the_menu_of_columns_works_with_the_keyboard(visit):
    page = visit()
    first = shown_headings(page)
    summary = page.locator(f"{TABLE} .column-menu summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # Teacher, the first column that can be hidden
    assert page.evaluate("document.activeElement.checked") is True
    assert shown_headings(page) == ["Method", "Teacher", *first[1:]]
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert shown_headings(page) == ["Method", "Teacher", *first[2:]]
    page.locator(TABLE).get_by_role("button", name="As at first").press("Enter")
    assert shown_headings(page) == first
    page.keyboard.press("Escape")
    assert page.locator(f"{TABLE} .column-menu > div").is_hidden()
    assert summary.evaluate("one => one === document.activeElement")


def test_arrow_keys_and_filters_skip_hidden_columns(visit):
    page = visit()
    show(page, "R1")
    cell(page, "PDRD", "mAP").focus()
    page.keyboard.press("ArrowRight")
    assert cell(page, "PDRD", "Gain in mAP").evaluate("one => one === document.activeElement")
    page.get_by_label("Filter rows").fill("resnet101")  # a folded column
    assert "PDRD" in column(page, "Method")


def test_columns_with_one_text_are_a_line_below_the_title(visit):
    page = visit()
    line = page.locator(f"{TABLE} .constants").inner_text()
    assert line == "Teacher: resnet101 · Student: resnet18"
    assert not {"Teacher", "Student"} & set(shown_headings(page))


def test_csv_of_what_is_seen(visit):
    page = visit(**CLIPBOARD)
    show(page, "R1", "R10")
    page.get_by_label("Filter rows").fill("±")
    rows = list(csv.reader(io.StringIO(copied(page, "Copy as CSV"))))
    assert rows[0] == shown_headings(page) and "R1" not in rows[0] and "R10" in rows[0]
    assert [row[0] for row in rows[1:]] == column(page, "Method")
    assert [row[0] for row in rows[1:]] == ["Student", "PDRD", "SP"]
    assert [row[1] for row in rows[1:]] == [text.rstrip("†") for text in column(page, "mAP")]
    count = f"Copied: {len(rows) - 1} rows, {len(rows[0])} columns"
    assert page.locator(f"{TABLE} .copied").inner_text() == count
    page.get_by_label("Filter rows").fill("img")
    assert (
        next(csv.reader(io.StringIO(copied(page, "Copy as CSV").partition("\n")[2])))[0] == HOSTILE
    )


def test_latex_of_what_is_seen_has_the_marks(visit, tmp_path):
    page = visit(**CLIPBOARD)
    page.evaluate(
        """() => {
            const cells = document.querySelectorAll("#comparison-msmt17 tbody tr");
            const button = (row, n) => cells[row].cells[n].querySelector("button");
            button(1, 3).innerHTML = "<strong>1.50 ± 0.10</strong>";
            button(2, 3).innerHTML = '<u>1.40 ± 0.10</u><span class="tied">†</span>';
        }"""
    )
    text = copied(page, "Copy as LaTeX")
    assert r"& \textbf{1.50 $\pm$ 0.10} &" in text
    assert r"& \underline{1.40 $\pm$ 0.10}$^\dagger$ &" in text
    assert "& $-$0.11 in" in text  # a minus sign and not a hyphen
    assert text.startswith("% Distillation methods on MSMT17; Teacher: resnet101")
    columns = len(shown_headings(page))
    assert all(
        line.count(" & ") == columns - 1 for line in text.splitlines() if line.endswith(r"\\")
    )


@needs_latex
def test_latex_of_every_table_compiles(visit, tmp_path):
    page = visit(**CLIPBOARD)
    tables = [
        f"#{name}" for name in page.locator("section.table").evaluate_all("a => a.map(b => b.id)")
    ]
    parts = []
    for table in tables:
        page.locator(f"{table} .column-menu summary").click()
        page.locator(f"{table} .all-columns").click()
        page.keyboard.press("Escape")
        parts.append(copied(page, "Copy as LaTeX", table))
    assert len(parts) >= 3 and any("img src" in part for part in parts)
    body = "\n\n".join(parts)
    (tmp_path / "copied.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\tiny\n"
        f"{body}\\end{{document}}\n"
    )
    compiled(tmp_path, "copied.tex")


def test_copies_without_the_clipboards_interface(visit):
    page = visit(script=NO_CLIPBOARD)
    page.locator(TABLE).get_by_role("button", name="Copy as CSV").click()
    page.locator(f"{TABLE} .copied").get_by_text("Copied").wait_for()
    page.get_by_label("Filter rows").focus()
    page.keyboard.press("Control+V")
    assert page.get_by_label("Filter rows").input_value().startswith("Method,mAP,R1")


def test_a_browser_that_forbids_copies_shows_the_text(visit):
    page = visit(script=NO_COPY_AT_ALL)
    page.locator(TABLE).get_by_role("button", name="Copy as LaTeX").click()
    area = page.get_by_role("dialog").get_by_label("The table as LaTeX")
    assert area.input_value().startswith("% Distillation methods on MSMT17")
    selected = area.evaluate("one => one.selectionEnd - one.selectionStart === one.value.length")
    assert selected and page.locator(f"{TABLE} .copied").inner_text() == ""


def test_a_link_shows_and_highlights_its_row(visit):
    page = visit("#comparison-msmt17--pdrd", viewport={"width": 1000, "height": 500})
    row = page.locator(f"{TABLE}--pdrd")
    box = row.bounding_box()
    assert 150 < box["y"] < 350  # not at the edge
    colours = "one => getComputedStyle(one.cells[1]).backgroundColor"
    plain = page.locator(f"{TABLE}--sp").evaluate(colours)
    assert row.evaluate(colours) != plain
    page.get_by_label("Filter rows").fill("student")
    assert row.is_hidden()
    page.evaluate("location.hash = '#comparison-msmt17--sp'")
    page.locator(f"{TABLE}--sp").wait_for()  # the filter would hide it
    assert page.get_by_label("Filter rows").input_value() == ""
    assert 150 < page.locator(f"{TABLE}--sp").bounding_box()["y"] < 350


def test_a_row_offers_its_link(visit):
    page = visit()
    row = page.locator(f"{TABLE}--pdrd")
    row.hover()
    row.get_by_title("Link to this row").click()
    assert page.url.endswith("#comparison-msmt17--pdrd")
    cell(page, "SP", "mAP").click()  # the keyboard's way: Enter on a number
    page.get_by_role("dialog").get_by_role("link", name="Link to this row").click()
    assert page.url.endswith("#comparison-msmt17--sp")
    assert page.get_by_role("dialog").is_hidden()


def test_captions_are_open_and_notes_are_folded_and_printed_once(visit):
    page = visit()
    assert page.locator(f"{TABLE} .caption").is_visible()
    notes = page.locator(".notes")
    assert notes.count() >= 3
    assert not any(notes.nth(number).get_attribute("open") for number in range(notes.count()))
    texts = page.locator(".notes li, .caption li").all_inner_texts()
    folded = page.locator(".notes li").all_text_contents()
    assert len(folded) == len(set(folded)) > 5 and not set(folded) & set(
        page.locator(".caption li").all_text_contents()
    )
    assert len(texts) > len(folded)
    notes.first.locator("summary").click()
    assert notes.first.locator("li").first.is_visible()


def test_the_page_says_when_and_how_it_was_made(visit):
    page = visit()
    words = page.locator("#origin").inner_text()
    assert "UTC by kdreid report --runs " in words
    assert "commit " in words or "not from a checkout" in words


def test_a_phone_shows_the_score_next_to_the_method(visit):
    page = visit(**PHONE)
    for table, heading in (("comparison-msmt17", "mAP"), ("summary", "Mean gain in mAP")):
        box = page.locator(f"#{table} tbody tr td:visible").first.bounding_box()
        assert shown_headings(page, f"#{table}")[1] == heading
        assert box["x"] + box["width"] <= 390, heading
    page.locator(f"{TABLE} .column-menu summary").tap()
    menu = page.locator(f"{TABLE} .column-menu > div").bounding_box()
    assert menu["x"] >= 0 and menu["x"] + menu["width"] <= 390
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) == 0
