"""The page in a real browser: what readers do with it, and that it loads nothing else."""

import re

import pytest

from results.report import write_report
from tests.support.records import PAPER, done, failed, spec, study, teacher_spec

pytestmark = pytest.mark.chromium
HOSTILE = "<img src=x onerror=alert(1)>'\"&"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A report on two datasets, with a label and a note that contain HTML."""
    runs = tmp_path_factory.mktemp("runs")
    for dataset in ("market1501", "msmt17"):
        teacher = study(runs, dataset=dataset)
        for seed in range(3):
            made = spec("sp", seed, [teacher], dataset=dataset)
            done(runs, made, 0.45 + 0.01 * seed, label="SP", paper=PAPER)
    made = spec("mine", 0, [teacher], dataset="msmt17")
    done(runs, made, 0.45, label=HOSTILE, notes=[f"Note {HOSTILE}</script>"])
    failed(runs, spec("rkd", 0, [teacher_spec(dataset="msmt17")], dataset="msmt17"), "diverged")
    figures = runs / "report" / "figures"
    figures.mkdir(parents=True)
    (figures / "learning-msmt17.png").write_bytes(one_pixel())
    (figures / "learning-msmt17.csv").write_text("step,loss\n1,2\n")

    def reproduce(group):
        return [f"kdreid run --seeds {len(group)}"], ["Check out its commit first."]

    write_report(runs, reproduce=reproduce, labels={"rkd": "RKD"})
    return (runs / "report" / "index.html").as_uri()


def one_pixel():
    """A PNG of one pixel."""
    import struct
    import zlib

    def chunk(kind, content):
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0\xff"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.fixture
def visit(chromium, address):
    """Function that opens the page; afterwards, no message was logged and nothing was loaded."""
    contexts, messages, urls = [], [], []

    def opened(**options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("dialog", lambda box: (messages.append(box.message), box.dismiss()))
        page.on("request", lambda request: urls.append(request.url))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert messages == []
    assert {url for url in urls if not url.startswith("data:")} == {address}


def column(page, heading, table="comparison-msmt17"):
    """Texts of a column from top to bottom, visible rows only."""
    section = page.locator(f"#{table}")
    headings = [text.strip() for text in section.locator("thead th").all_inner_texts()]
    cells = section.locator(f"tbody tr:not([hidden]) > :nth-child({headings.index(heading) + 1})")
    return [text.strip() for text in cells.all_inner_texts()]


def press_heading(page, heading, table="comparison-msmt17"):
    button = page.locator(f"#{table} thead button").get_by_text(heading, exact=True)
    button.click()
    return button.locator("xpath=..").get_attribute("aria-sort")


def cell(page, row, heading, table="comparison-msmt17"):
    """The button in a cell."""
    number = column(page, "Method", table).index(row)
    headings = page.locator(f"#{table} thead th").all_inner_texts()
    place = [text.strip() for text in headings].index(heading) + 1
    rows = page.locator(f"#{table} tbody tr:not([hidden])")
    return rows.nth(number).locator(f"> :nth-child({place}) button")


def test_a_heading_sorts_by_value_and_rows_without_one_come_last(visit):
    page = visit()
    before = column(page, "mAP")
    assert "-" in before and "failed: diverged" in before

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
    assert names == sorted(names, key=str.lower) and names[:2] == [HOSTILE, "AT"]
    assert page.locator("#comparison-msmt17 th[aria-sort=descending]").count() == 0
    assert column(page, "Method", "comparison-market1501")[0] == "Teacher"  # another table


def test_words_filter_the_rows_of_all_tables(visit):
    page = visit()
    page.get_by_label("Filter rows").fill("pdrd 2019")
    assert column(page, "Method") == ["PDRD"]
    assert column(page, "Method", "comparison-market1501") == ["PDRD"]
    assert page.locator("#summary").is_hidden()
    count = page.locator("#row-count").inner_text()
    assert re.fullmatch(r"2 of \d\d rows", count)
    page.get_by_label("Filter rows").fill("")
    assert len(column(page, "Method")) > 10 and page.locator("#row-count").inner_text() == ""


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
    assert "kdreid trace 'comparison-msmt17:PDRD:mAP'" in words
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
    assert page.locator("main img").count() == 1  # the figure
    assert f"Note {HOSTILE}</script>" in page.locator("#comparison-msmt17 .notes").inner_text()
    cell(page, HOSTILE, "mAP").click()
    words = page.get_by_role("dialog").inner_text()
    assert f"Note {HOSTILE}</script>" in words and f"{HOSTILE}, mAP: 45.00" in words
    quoted = HOSTILE.replace("'", "'\\''")
    assert f"kdreid trace 'comparison-msmt17:{quoted}:mAP'" in words


def test_figures_are_embedded(visit):
    page = visit()
    image = page.get_by_alt_text("Learning curves: msmt17")
    assert image.evaluate("one => one.complete && one.naturalWidth") == 1
    with page.expect_download() as waiting:
        page.get_by_text("data (CSV)").click()
    assert waiting.value.suggested_filename == "learning-msmt17.csv"
    assert waiting.value.path().read_text() == "step,loss\n1,2\n"


def brightness(page):
    """Brightness of the page's background, 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return max(map(int, re.findall(r"\d+", colour)))


def test_dark_and_light_theme(visit):
    assert brightness(visit(color_scheme="dark")) < 60
    page = visit(color_scheme="light")
    assert brightness(page) > 240
    switch = page.get_by_role("button", name="Dark theme")
    assert switch.get_attribute("aria-pressed") == "false"
    switch.click()
    assert brightness(page) < 60 and switch.get_attribute("aria-pressed") == "true"
    page.reload()
    assert brightness(page) < 60
    switch.click()
    assert brightness(page) > 240


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(visit, scheme):
    page = visit(color_scheme=scheme)
    colours = page.evaluate(
        """() => ["td .cell", "header p", ".notes li", "nav a", "thead button"].map(selector => {
            const style = getComputedStyle(document.querySelector(selector));
            return [style.color, getComputedStyle(document.body).backgroundColor];
        })"""
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
