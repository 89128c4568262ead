import json
import re
from html.parser import HTMLParser
from pathlib import Path

from results.page.build import render_page
from results.page.figures import EmbeddedFigure
from results.report import write_report
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


def table(*rows, name="t", footnotes=()):
    return Table(name, "Title <b>", ("Method", "A & B"), tuple(rows), footnotes)


def test_cells_carry_their_values_and_runs():
    rows = [
        (Cell("x"), Cell("1.50", ("d/a", "d/b"), "best", "more \"'<", 1.5)),
        (Cell("y"), Cell("1.00", ("d/b",), "second", value=float("nan"))),
        (Cell("z"), Cell("-")),
    ]
    text = render_page([table(*rows)], {"d/a": 0, "d/b": 1}, NO_PROVENANCE)
    elements = Elements(text)
    cells = elements.of("td")
    assert [cell.get("data-value") for cell in cells] == ["1.5", None, None]
    buttons = [one for one in elements.of("button") if one.get("class") == "cell"]
    assert [one["data-runs"] for one in buttons] == ["0 1", "1"]
    assert buttons[0]["data-detail"] == "more \"'<" and "data-detail" not in buttons[1]
    assert "<strong>1.50</strong>" in text and "<u>1.00</u>" in text
    assert [row["data-datasets"] for row in elements.of("tr")[1:]] == ["d", "d", ""]


def test_tables_are_tables():
    text = render_page([table((Cell("x"), Cell("-")), footnotes=("A <note>.",))], {}, NO_PROVENANCE)
    elements = Elements(text)
    scopes = [heading["scope"] for heading in elements.of("th")]
    assert scopes == ["col", "col", "row"]
    assert [th.get("aria-sort") for th in elements.of("th")] == ["none", "none", None]
    assert "Title &lt;b&gt;" in text and "A &lt;note&gt;." in text and "A &amp; B" in text
    assert elements.of("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_figures_ranked_lists_and_problems_have_their_sections():
    figures = [
        EmbeddedFigure(
            "a-b", "data:image/png;base64,AA", "data:text/csv;base64,AA", True, is_stale=True
        ),
        EmbeddedFigure("ranked-c", "data:image/png;base64,BB", "", has_pdf=False, is_stale=True),
    ]
    text = render_page([], {}, NO_PROVENANCE, figures, ["x/record.json: ignored <it>."])
    assert text.index('id="figures"') < text.index("AA") < text.index('id="ranked-lists"')
    assert text.index('id="ranked-lists"') < text.index("BB") < text.index("ignored &lt;it&gt;.")
    assert 'href="figures/a-b.pdf"' in text and "figures/ranked-c.pdf" not in text
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
    picture = EmbeddedFigure("a", "data:image/png;base64,AA", "", has_pdf=True)
    elements = Elements(render_page([table((Cell("x"), Cell("y")))], {}, NO_PROVENANCE, [picture]))
    for tag, attributes in elements.found:
        if tag != "a":  # links are followed on a click only
            for name in ("src", "href", "srcset"):
                assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    style = (FOLDER / "style.css").read_text()
    assert "url(" not in style and "@import" not in style


def test_the_script_is_at_most_300_lines():
    assert (FOLDER / "page.js").read_text().count("\n") < 300


def test_twelve_methods_on_four_datasets_are_a_small_page(tmp_path):
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
    assert path.stat().st_size < 1_500_000
    Elements(text)
    write_report(tmp_path, reproduce=lambda group: ([f"{group[0].key} {command}"], []))
    assert path.read_text() == text
