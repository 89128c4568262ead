"""Labels in figures are text, whatever matplotlib could read in them."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.text import Text

from harness.core.text import printable
from harness.runs.layout import FIGURES, REPORT
from results.collect import collect_runs
from results.figures.all import draw_all
from results.figures.chart import Chart, make_panels, save_chart
from results.figures.literal_text import literal_names, literal_powers
from tests.support.labels import LABELS
from tests.support.records import done, spec, study, teacher_spec

ROOT = Path(__file__).parents[3]


def sweeps(runs, *labels):
    """Methods with these labels and two values of an option each, so that figures name them."""
    teacher = done(runs, teacher_spec(), 0.6)
    for number, label in enumerate(labels):
        for weight in (1.0, 100.0):
            made = spec(f"mine:M{number}", 0, [teacher], options={"weight": weight})
            done(runs, made, 0.5, label=label, options={"weight": weight})
    done(runs, spec(), 0.4, label="Student")


def test_any_label_is_drawn(tmp_path):
    def draw(data):
        figure, (ax,) = make_panels(1, 9, 9)
        for name in data["name"]:
            ax.plot([1, 2], label=name)
        ax.set(title="\n".join(data["name"]), xlabel=data["name"][0])
        ax.set_yticks(range(len(data)), data["name"])
        figure.legend()
        return figure

    labels = [printable(label)[:60] for label in LABELS]
    chart = Chart("labels", pd.DataFrame({"name": labels}), draw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # boxes, and little room
        assert len(save_chart(chart, tmp_path)) == 3


def test_labels_of_runs_reach_figures(tmp_path):
    sweeps(tmp_path, "_$x_1^2$ {", "中文")
    drawn = draw_all(collect_runs(tmp_path)[0], tmp_path / REPORT)
    assert {"mine-M0-weight.pdf", "mine-M1-weight.pdf"} <= {path.name for path in drawn.files}
    assert not [line for line in drawn.missing if "cannot be drawn" in line]
    boxes = {line.split(":")[0] for line in drawn.missing if "boxes are drawn" in line}
    shown = {"gains-synthetic", "scores-synthetic", "mine-M1-weight"}  # the figures of that label
    assert boxes == {f"figure {name}" for name in shown}


def test_labels_are_shown_as_they_are():
    texts = []

    def draw(data):
        figure, (ax,) = make_panels(1)
        for name in data["name"]:
            ax.plot([1, 2], label=name)
        texts.extend(ax.legend().get_texts())
        return figure

    names = ["$x^2$", "_mine", "a$b"]
    with mpl.rc_context({"text.parse_math": False}):
        draw(literal_names(pd.DataFrame({"name": names, "value": [1, 2, 3]})))
    assert [text.get_text() for text in texts] == ["$x^2$", " _mine", "a$b"]
    assert not any(text.get_parse_math() for text in texts)


def test_powers_on_logarithmic_axes_are_text():
    with mpl.rc_context({"text.parse_math": False}):
        figure, (ax,) = make_panels(1)
        ax.set(xscale="log", yscale="log")
        ax.plot([0.01, 1000], [2, 5])
        literal_powers(figure)
        figure.draw_without_rendering()
    shown = {text.get_text() for text in ax.findobj(Text)}
    assert {"10⁻²", "10³", "2\N{MULTIPLICATION SIGN}10⁰"} <= shown
    assert not any("$" in text for text in shown)


def test_settings_of_a_user_do_not_change_figures(tmp_path):
    def draw(data):
        figure, (ax,) = make_panels(1)
        ax.plot(data["x"], data["x"])
        ax.set(title="$a_1$ 10 %", yscale="log")
        return figure

    chart = Chart("one", pd.DataFrame({"x": [1.0, 20.0]}), draw)
    usual = [path.read_bytes() for path in save_chart(chart, tmp_path / "a")]
    changes = {"text.usetex": True, "axes.prop_cycle": mpl.cycler(color="r"), "lines.linewidth": 9}
    with mpl.rc_context(changes):
        assert [path.read_bytes() for path in save_chart(chart, tmp_path / "b")] == usual
        assert mpl.rcParams["text.usetex"] is True


@pytest.mark.parametrize(
    "backend", ["module://matplotlib_inline.backend_inline", "TkAgg", "module://nowhere", "no"]
)
def test_a_backend_that_a_notebook_left_behind(tmp_path, backend):
    sweeps(tmp_path, "Mine")
    code = (
        "import sys; from pathlib import Path; from results.report import write_report\n"
        "made = write_report(Path(sys.argv[1]), figures=True)\n"
        "assert made.figures and not [line for line in made.absent if 'drawn (' in line]"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"MPLBACKEND": backend, "DISPLAY": ""},
        check=True,
    )
    assert list((tmp_path / REPORT / FIGURES).glob("*.png"))


def test_a_figure_that_fails_is_a_line(tmp_path, monkeypatch):
    study(tmp_path)
    frame, _ = collect_runs(tmp_path)

    def broken(_):
        yield Chart("first", pd.DataFrame({"x": [1]}), lambda _: 1 / 0)
        yield Chart("second", pd.DataFrame({"x": [1]}), lambda _: make_panels(1)[0])
        raise KeyError("third")

    monkeypatch.setattr("results.figures.all.CHARTS_OF_COMPARISONS", ())
    monkeypatch.setattr("results.figures.all.CHARTS_OF_RUNS", (broken,))
    drawn = draw_all(frame, tmp_path / REPORT)
    assert [path.name for path in drawn.files] == ["second.csv", "second.png", "second.pdf"]
    assert (
        "figure first: it cannot be drawn (ZeroDivisionError: division by zero)." in drawn.missing
    )
    assert "some figures: it cannot be drawn (KeyError: 'third')." in drawn.missing
