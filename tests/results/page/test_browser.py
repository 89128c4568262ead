"""The page in a real browser: what readers do with it, and that it loads nothing else."""

import re
import shlex
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.support.command_line import invoke
from tests.support.report_page import HOSTILE, PHONE, cell, column, press_heading

pytestmark = pytest.mark.chromium


def test_a_heading_sorts_by_value_and_rows_without_one_come_last(visit):
    page = visit()
    before = column(page, "mAP")
    assert "failed: diverged" in before

    def means():
        return [float(text.split()[0]) for text in column(page, "mAP") if text[0].isdigit()]

    assert press_heading(page, "mAP") == "descending"
    assert means() == sorted(means(), reverse=True) != means()[::-1]
    assert not any(text[0].isdigit() for text in column(page, "mAP")[len(means()) :])
    assert press_heading(page, "mAP") == "ascending"
    assert means() == sorted(means())
    assert not any(text[0].isdigit() for text in column(page, "mAP")[len(means()) :])
    assert press_heading(page, "mAP") == "none"
    assert column(page, "mAP") == before


def test_a_text_column_is_sorted_alphabetically(visit):
    page = visit()
    press_heading(page, "mAP")
    assert press_heading(page, "Method") == "ascending"
    names = column(page, "Method")
    assert names == sorted(names, key=str.lower) and names[:2] == [HOSTILE, "PDRD"]
    assert page.locator("#comparison-msmt17 th[aria-sort=descending]").count() == 0
    assert column(page, "Method", "comparison-market1501")[0] == "Teacher"  # another table


def test_words_filter_the_rows_of_all_tables(visit):
    page = visit()
    page.get_by_label("Filter rows").fill("pdrd 2019")
    assert column(page, "Method") == ["PDRD"]
    assert column(page, "Method", "comparison-market1501") == ["PDRD"]
    assert page.locator("#summary").is_hidden()
    count = page.locator("#row-count").inner_text()
    assert re.fullmatch(r"2 of \d+ rows", count)
    page.get_by_label("Filter rows").fill("")
    assert len(column(page, "Method")) == 6 and page.locator("#row-count").inner_text() == ""


def test_the_dataset_filters_tables(visit):
    page = visit()
    page.get_by_role("combobox", name="Dataset").select_option("Market-1501")
    assert page.locator("#comparison-msmt17").is_hidden()
    assert page.locator("#comparison-market1501").is_visible()
    assert page.locator("#summary").is_visible()  # of both
    assert page.locator("nav a[href='#comparison-msmt17']").is_hidden()
    page.get_by_role("combobox", name="Dataset").select_option("all")
    assert page.locator("#comparison-msmt17").is_visible()


def test_hover_and_focus_show_the_tooltip(visit):
    page = visit()
    tooltip, button = page.locator("#tooltip"), cell(page, "PDRD", "mAP")
    button.hover()
    assert "seed 1: 51.00" in tooltip.inner_text() and "3 runs" in tooltip.inner_text()
    page.locator("h1").hover()
    assert tooltip.is_hidden()
    button.focus()
    assert tooltip.is_visible() and button.get_attribute("aria-describedby") == "tooltip"
    page.keyboard.press("ArrowRight")
    assert cell(page, "PDRD", "R1").evaluate("one => one === document.activeElement")
    assert tooltip.is_visible() and "seed 1: 71.00" in tooltip.inner_text()
    page.locator("h1").hover()  # the focus remains where it is
    cell(page, "SP", "mAP").hover()
    assert "seed 1: 46.00" in tooltip.inner_text()
    page.evaluate("document.dispatchEvent(new Event('scroll'))")
    assert "seed 1: 46.00" in tooltip.inner_text()
    page.locator("h1").hover()
    assert "seed 1: 71.00" in tooltip.inner_text()
    page.keyboard.press("Escape")
    assert tooltip.is_hidden()


def test_a_table_is_one_stop_of_the_tab_key(visit):
    page = visit()
    stops = page.locator("#comparison-msmt17 tbody button[tabindex='0']")
    assert stops.count() == 1
    cell(page, "PDRD", "mAP").focus()
    assert stops.count() == 1 and stops.inner_text() == cell(page, "PDRD", "mAP").inner_text()
    page.get_by_label("Filter rows").fill("student")
    assert stops.count() == 1 and stops.is_visible()


def test_a_click_shows_runs_and_commands(visit):
    page = visit()
    button = cell(page, "PDRD", "mAP")
    button.click()
    dialog = page.get_by_role("dialog")
    words = dialog.inner_text()
    assert "PDRD, mAP: 52.00" in words and "seed 1: 51.00" in words and "3 runs" in words
    assert len(re.findall(r"msmt17/pdrd/resnet101-resnet18/seed\d-[0-9a-f]{8}", words)) == 3
    assert "kdreid run --seeds 3" in words and "Check out its commit first." in words
    dialog.locator("summary").first.click()
    (common,) = dialog.locator("> dl").all_inner_texts()  # facts that all runs share
    assert re.search(r"Commit\s+ab\b", common) and re.search(r"Fingerprint.*\s+9f12", common)
    assert re.search(r"Teacher\s+msmt17/none/resnet101/seed0", common)
    page.keyboard.press("Escape")
    assert dialog.is_hidden()
    assert button.evaluate("one => one === document.activeElement")


def test_a_failed_run_is_described(visit):
    page = visit()
    cell(page, "RKD", "mAP").click()
    assert "Seed 0 · diverged" in page.get_by_role("dialog").inner_text()
    page.get_by_role("button", name="Close").click()
    assert page.get_by_role("dialog").is_hidden()


def test_html_in_labels_and_notes_is_text(visit):
    page = visit()
    assert HOSTILE in column(page, "Method")
    assert page.locator("main img").count() == 2  # the figures
    notes = page.locator("#comparison-msmt17 .notes")
    notes.locator("summary").click()
    assert f"Note {HOSTILE}</script>" in notes.inner_text()
    cell(page, HOSTILE, "mAP").click()
    words = page.get_by_role("dialog").inner_text()
    assert f"Note {HOSTILE}</script>" in words and f"{HOSTILE}, mAP: 45.00" in words


def test_the_printed_command_runs_as_it_is(visit):
    page = visit()
    extra_column = page.locator("#comparison-msmt17 .all-columns")
    page.locator("#comparison-msmt17 .column-menu summary").click()
    extra_column.click()
    places = [("PDRD", "mAP"), (HOSTILE, "mAP"), ("SP", "Method"), ("SP", "MACs (G)")]
    for row, heading in places:
        cell(page, row, heading).click()
        command = page.get_by_role("dialog").locator("pre").last.inner_text()
        page.keyboard.press("Escape")
        program, *arguments = shlex.split(command)
        assert (program, arguments[0], arguments[2]) == ("kdreid", "trace", "--runs")
        done = invoke(*arguments)
        assert done.returncode == 0 and f"{row}" in done.stdout, (command, done.stderr)
    assert "comparison-msmt17: " in done.stdout and "MACs" not in done.stdout  # the row's runs


def test_figures_are_embedded_and_their_numbers_are_files(visit, address):
    page = visit()
    image = page.get_by_alt_text("Learning curves: msmt17")
    assert image.evaluate("one => one.complete && one.naturalWidth") == 1
    link = page.locator("#figure-learning-msmt17").get_by_text("data (CSV)")
    file = Path(unquote(urlsplit(urljoin(address, link.get_attribute("href"))).path))
    assert file.read_text() == "step,loss\n1,2\n"


def test_the_forest_plot_follows_the_leaderboard(visit):
    page = visit()
    ids = page.locator("main > section").evaluate_all("all => all.map(one => one.id)")
    assert ids[:2] == ["summary", "gains"] and "figures" in ids[3:]
    assert page.locator("#gains img").count() == 1 and page.locator("#figures img").count() == 1


def brightness(page):
    """Brightness of the page's background, 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return max(map(int, re.findall(r"\d+", colour)))


def test_dark_and_light_theme(visit):
    assert brightness(visit(color_scheme="dark")) < 60
    page = visit(color_scheme="light")
    assert brightness(page) > 240
    page.get_by_role("button", name="Use dark theme").click()  # named for what it does
    assert brightness(page) < 60
    page.reload()
    assert brightness(page) < 60
    page.get_by_role("button", name="Use light theme").click()
    assert brightness(page) > 240
    assert page.get_by_role("button", name="Use dark theme").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(visit, scheme):
    page = visit(color_scheme=scheme)
    colours = page.evaluate(
        """selectors => selectors.map(selector => {
            const style = getComputedStyle(document.querySelector(selector));
            return [style.color, getComputedStyle(document.body).backgroundColor];
        })""",
        ["td .cell", "header p", ".caption li", ".constants", "nav a", "thead button"],
    )
    for pair in colours:
        lighter, darker = sorted((luminance(colour) for colour in pair), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) > 4.5  # WCAG 2.1, level AA


def luminance(colour):
    """Relative luminance as WCAG 2.1 defines it."""
    values = [int(digits) / 255 for digits in re.findall(r"\d+", colour)[:3]]
    parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def test_a_phone_scrolls_tables_and_not_the_page(visit):
    page = visit(**PHONE)
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) == 0
    box = page.locator("#comparison-msmt17 .scroll")
    assert box.evaluate("one => one.scrollWidth - one.clientWidth") > 100
    name = page.locator("#comparison-msmt17 tbody th").first
    left = name.bounding_box()["x"]
    box.evaluate("one => one.scrollBy(200, 0)")
    assert name.bounding_box()["x"] == left
    cell(page, "PDRD", "mAP").tap()
    dialog = page.get_by_role("dialog")
    assert "seed 1: 51.00" in dialog.inner_text()
    assert dialog.evaluate("one => one.scrollWidth - one.clientWidth") == 0
    assert page.evaluate(overflow) == 0


def test_scripts_may_not_load_anything(chromium, address):
    """The page's content security policy forbids it, whatever a record contains."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(address)
    code = "fetch('http://127.0.0.1:9/x').then(() => 'sent', error => error.message)"
    policies = []
    page.on("console", lambda message: policies.append(message.text))
    assert page.evaluate(code) == "Failed to fetch"
    assert any("Content Security Policy" in text for text in policies)
    context.close()
