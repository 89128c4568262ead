import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from results.page.build import page
from results.page.figures import EmbeddedFigure
from results.report import report
from results.tables.cells import Cell, plain
from results.tables.table import COMPARED, Table
from tests.support.records import PAPER, done, spec, study

NOTHING = {"texts": [], "runs": [], "again": {}}
FOLDER = Path(__file__).parents[3] / "results" / "page"


class Elements(HTMLParser):
    """Every element of a page with its attributes, and whether all were closed."""

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


def test_cells_carry_what_they_are_sorted_by_and_made_from():
    rows = [
        (plain("x"), Cell("1.50", ("d/a", "d/b"), "best", "more \"'<", 1.5)),
        (plain("y"), Cell("1.00", ("d/b",), "second", value=float("nan"))),
        (plain("z"), plain("-")),
    ]
    text = page([table(*rows)], {"d/a": 0, "d/b": 1}, NOTHING)
    elements = Elements(text)
    cells = elements.of("td")
    assert [cell.get("data-value") for cell in cells] == ["1.5", None, None]
    buttons = [one for one in elements.of("button") if one.get("class") == "cell"]
    assert [one["data-runs"] for one in buttons] == ["0 1", "1"]
    assert buttons[0]["data-detail"] == "more \"'<" and "data-detail" not in buttons[1]
    assert "<strong>1.50</strong>" in text and "<u>1.00</u>" in text
    assert [row["data-datasets"] for row in elements.of("tr")[1:]] == ["d", "d", ""]


def test_tables_are_tables():
    text = page([table((plain("x"), plain("-")), footnotes=("A <note>.",))], {}, NOTHING)
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
            "a-b", "data:image/png;base64,AA", "data:text/csv;base64,AA", True, earlier=True
        ),
        EmbeddedFigure("ranked-c", "data:image/png;base64,BB", "", vector=False, earlier=True),
    ]
    text = page([], {}, NOTHING, figures, ["x/record.json: ignored <it>."])
    assert text.index('id="figures"') < text.index("AA") < text.index('id="ranked-lists"')
    assert text.index('id="ranked-lists"') < text.index("BB") < text.index("ignored &lt;it&gt;.")
    assert 'href="figures/a-b.pdf"' in text and "figures/ranked-c.pdf" not in text
    assert text.count("of an earlier report") == 1  # ranked lists are of two runs, by their keys
    bare = page([], {}, NOTHING)
    assert not any(f'id="{name}"' in bare for name in ("figures", "ranked-lists", "problems"))


def test_no_text_ends_the_data_or_the_script():
    bad = "</script><script>alert(1)</script>"
    told = {"texts": [bad], "runs": [[bad, bad, []]], "again": {}}
    elements = Elements(page([table((plain(bad), plain(bad)))], {}, told))
    assert len(elements.of("script")) == 2
    text = page([], {}, told)
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert json.loads(data) == told


def test_nothing_is_named_that_a_browser_would_fetch():
    picture = EmbeddedFigure("a", "data:image/png;base64,AA", "", vector=True)
    elements = Elements(page([table((plain("x"), plain("y")))], {}, NOTHING, [picture]))
    for tag, attributes in elements.found:
        if tag != "a":  # a link waits for a click
            for name in ("src", "href", "srcset"):
                assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    style = (FOLDER / "style.css").read_text()
    assert "url(" not in style and "@import" not in style


def test_the_script_is_short():
    assert (FOLDER / "page.js").read_text().count("\n") < 300


@pytest.mark.parametrize("datasets", [("market1501", "dukemtmc", "msmt17", "veri776")])
def test_twelve_methods_on_four_datasets_are_a_small_page(tmp_path, datasets):
    for dataset in datasets:
        teacher = study(tmp_path, dataset=dataset)
        for number, method in enumerate(sorted(COMPARED.keys() - {"pdrd"})):
            for seed in range(3):
                made = spec(method, seed, [teacher], dataset=dataset)
                done(tmp_path, made, 0.3 + 0.01 * (number + seed), paper=PAPER)
    command = "kdreid run --set recipe.name=value " * 12
    made = report(tmp_path, again=lambda members: ([f"{members[0].key} {command}"], []))
    (path,) = [path for path in made.files if path.name == "index.html"]
    text = path.read_text()
    assert text.count('<section class="table"') == len(made.tables) >= 5
    assert path.stat().st_size < 1_500_000
    Elements(text)
    report(tmp_path, again=lambda members: ([f"{members[0].key} {command}"], []))
    assert path.read_text() == text
