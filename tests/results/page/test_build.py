import json
import re
from html.parser import HTMLParser
from pathlib import Path

from results.page.build import SCRIPTS, render_page
from results.page.figures import MAX_EMBEDDED, EmbeddedFigure
from results.page.report_origin import ReportOrigin
from results.report import write_report
from results.statistics.letter_display import Mark
from results.tables.cells import Cell
from results.tables.table import Table
from tests.support.dataset_records import FOUR
from tests.support.records import PAPER, done, spec, study

NO_PROVENANCE = {"texts": [], "runs": [], "commands": {}}
METHODS = [
    "at",
    "cckd",
    "csd",
    "fitnet",
    "ft",
    "kdpe",
    "pkt",
    "rkd",
    "sp",
    "vid",
    "vrkd",
]  # and PDRD
FOLDER = Path(__file__).parents[3] / "results" / "page"


class Elements(HTMLParser):
    """All elements of a page with their attributes; every element must be closed."""

    EMPTY = ("meta", "link", "input", "img")

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("li", "p"):
            assert self.open[-1] == tag
        self.open.pop()

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def table(*rows, name="t", columns=("Method", "A & B"), caption=(), footnotes=()):
    return Table(name, "Title <b>", columns, tuple(rows), caption, footnotes)


def test_cells_carry_their_values_and_runs():
    rows = [
        (Cell("x"), Cell("1.50", ("d/a", "d/b"), Mark("best"), "more \"'<", 1.5)),
        (Cell("y"), Cell("1.00", ("d/b",), Mark("second", is_tied=True), value=float("nan"))),
        (Cell("z"), Cell("-")),
    ]
    text = render_page([table(*rows)], {"d/a": 0, "d/b": 1}, NO_PROVENANCE)
    elements = Elements(text)
    cells = elements.of("td")
    assert [cell.get("data-value") for cell in cells] == ["1.5", None, None]
    buttons = [one for one in elements.of("button") if one.get("class") == "cell"]
    assert [one["data-runs"] for one in buttons] == ["0 1", "1"]
    assert buttons[0]["data-detail"] == "more \"'<" and "data-detail" not in buttons[1]
    assert "<strong>1.50</strong>" in text and '<u>1.00</u><span class="tied">†' in text
    assert [row["data-datasets"] for row in elements.of("tr")[1:]] == ["d", "d", ""]


def test_tables_are_tables():
    made = table((Cell("x"), Cell("-")), caption=("A <caption>.",), footnotes=("A <note>.",))
    text = render_page([made], {}, NO_PROVENANCE)
    elements = Elements(text)
    scopes = [heading["scope"] for heading in elements.of("th")]
    assert scopes == ["col", "col", "row"]
    assert [th.get("aria-sort") for th in elements.of("th")] == ["none", "none", None]
    assert "Title &lt;b&gt;" in text and "A &lt;note&gt;." in text and "A &amp; B" in text
    assert "A &lt;caption&gt;." in text
    assert elements.of("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))


def picture(name, content, *, has_csv=False, has_pdf=False, is_stale=False):
    image = f"data:image/png;base64,{content}"
    return EmbeddedFigure(name, image, has_csv=has_csv, has_pdf=has_pdf, is_stale=is_stale)


def test_leaderboards_and_forest_plots_come_first():
    tables = [table(name=name) for name in ("summary-a", "summary-b", "comparison-d")]
    figures = [picture("gains", "AA"), picture("gainsay", "BB"), picture("gains-d", "CC")]
    text = render_page(tables, {}, NO_PROVENANCE, figures)
    order = ['id="summary-a"', 'id="summary-b"', "AA", "CC", 'id="comparison-d"', "BB"]
    assert [text.index(one) for one in order] == sorted(text.index(one) for one in order)
    without = render_page(tables[2:], {}, NO_PROVENANCE, figures)
    assert without.index("CC") < without.index('id="comparison-d"')


def test_every_note_is_printed_once():
    tables = [
        table(name="a", caption=("Caption.",), footnotes=("Of all.", "Of a.", "Caption.")),
        table(name="b", footnotes=("Of all.", "Of b and c.")),
        table(name="c", footnotes=("Of all.", "Of b and c.", "Of all.")),
    ]
    text = render_page(tables, {}, NO_PROVENANCE)
    counts = [text.count(f"<li>{one}</li>") for one in ("Of all.", "Of a.", "Of b and c.")]
    assert counts == [1, 1, 1] and text.count("Caption.") == 1
    assert text.index("Of a.") < text.index('id="b"') < text.index('id="notes"')
    shared = text[text.index('id="notes"') :]
    assert "<summary>All tables</summary>" in shared and "Of b and c." in shared
    assert 'id="notes"' not in render_page(tables[:1], {}, NO_PROVENANCE)


def test_figures_ranked_lists_and_problems_have_their_sections():
    figures = [
        picture("a-b", "AA", has_csv=True, has_pdf=True, is_stale=True),
        picture("ranked-c", "BB", is_stale=True),
        EmbeddedFigure("large", "", has_csv=False, has_pdf=True),
    ]
    text = render_page([], {}, NO_PROVENANCE, figures, ["x/record.json: ignored <it>."])
    assert text.index('id="figures"') < text.index("AA") < text.index('id="ranked-lists"')
    assert text.index('id="ranked-lists"') < text.index("BB") < text.index("ignored &lt;it&gt;.")
    assert 'href="figures/a-b.pdf"' in text and "figures/ranked-c.pdf" not in text
    assert 'href="figures/a-b.csv"' in text and "figures/ranked-c.csv" not in text
    assert 'href="figures/large.png"' in text and "figures/a-b.png" not in text
    assert text.count("from an earlier report") == 1  # not of ranked lists, which name their runs
    bare = render_page([], {}, NO_PROVENANCE)
    assert not any(f'id="{name}"' in bare for name in ("figures", "ranked-lists", "problems"))


def test_texts_cannot_end_the_script():
    bad = "</script><script>alert(1)</script>"
    provenance = {"texts": [bad], "runs": [[bad, bad, []]], "commands": {}}
    elements = Elements(render_page([table((Cell(bad), Cell(bad)))], {}, provenance))
    assert len(elements.of("script")) == 2
    text = render_page([], {}, provenance)
    (data,) = re.findall(r'<script type="application/json" id="provenance">(.*?)</script>', text)
    assert json.loads(data) == provenance


def test_the_page_refers_to_nothing_that_a_browser_would_load():
    figures = [picture("a", "AA", has_pdf=True), EmbeddedFigure("b", "", False, False)]
    elements = Elements(render_page([table((Cell("x"), Cell("y")))], {}, NO_PROVENANCE, figures))
    for tag, attributes in elements.found:
        if tag != "a":  # links are followed on a click only
            for name in ("src", "href", "srcset"):
                assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    style = (FOLDER / "style.css").read_text()
    assert "url(" not in style and "@import" not in style


def test_every_part_of_the_script_is_used_and_short():
    parts = {path.name: path.read_text() for path in FOLDER.glob("*.js")}
    assert parts.keys() == set(SCRIPTS)
    assert all(text.count("\n") < 200 for text in parts.values())


def test_the_page_names_its_time_code_and_command():
    origin = ReportOrigin(
        "2026-11-26 18:38 UTC", "commit 4f5e", "kdreid report <x>", "--runs 'a b'"
    )
    elements = Elements(text := render_page([], {}, NO_PROVENANCE, origin=origin))
    assert "<time>2026-11-26 18:38 UTC</time>" in text and "(commit 4f5e)" in text
    assert "<code>kdreid report &lt;x&gt;</code>" in text
    assert elements.of("dialog")[0]["data-runs-option"] == "--runs 'a b'"


def test_twelve_methods_on_four_datasets_are_a_small_page(tmp_path):
    """Its figures have less than a megabyte, see `MAX_EMBEDDED`."""
    for dataset in FOUR:
        teacher = study(tmp_path, dataset=dataset)
        for number, method in enumerate(METHODS):
            for seed in range(3):
                made = spec(method, seed, [teacher], dataset=dataset)
                done(tmp_path, made, 0.3 + 0.01 * (number + seed), paper=PAPER)
    command = "kdreid run --set recipe.name=value " * 12
    made = write_report(tmp_path, reproduce=lambda group: ([f"{group[0].key} {command}"], []))
    (path,) = [path for path in made.files if path.name == "index.html"]
    text = path.read_text()
    assert text.count('<section class="table"') == len(made.tables) >= 5
    assert path.stat().st_size < 600_000
    assert path.stat().st_size + 4 / 3 * MAX_EMBEDDED < 2_000_000
    Elements(text)
    write_report(tmp_path, reproduce=lambda group: ([f"{group[0].key} {command}"], []))
    assert without_time(path.read_text()) == without_time(text)


def without_time(text):
    return re.sub("<time>[^<]*</time>", "", text)
