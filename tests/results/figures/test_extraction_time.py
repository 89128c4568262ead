import json
import os

import pytest

from results.figures.chart import MissingFigure, save_chart
from results.figures.extraction_time import extraction_charts

ROWS = [
    {"network": network, "batch": batch, "seconds": seconds, "least": seconds, "most": seconds}
    for batch in (1, 128)
    for network, seconds in (("resnet18", 0.001), ("resnet101", 0.004), ("cnn5", 0.0005))
]
ENVIRONMENT = {"device_name": "A device", "threads": 2}


def write_measurement(folder, rows):
    (folder / "measured").mkdir(exist_ok=True)
    content = {"environment": ENVIRONMENT, "size": [256, 128], "head": "fc256", "rows": rows}
    (folder / "measured" / "extraction.json").write_text(json.dumps(content))


def test_shares_are_compared_with_the_published_ones(tmp_path):
    write_measurement(tmp_path, ROWS)
    (chart,) = extraction_charts(tmp_path)
    rows = chart.data.set_index(["network", "batch"])
    assert rows.loc[("resnet101", 128), "share_of_first"] == pytest.approx(0.25)
    assert rows.loc[("resnet101", 128), "printed_share"] == 0.21
    assert rows["printed_share"].notna().sum() == 1
    assert rows.loc[("cnn5", 1), "milliseconds"] == pytest.approx(0.5)
    figure = chart.draw(chart.data)
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["resnet101", "cnn5"]
    assert "A device, 256x128" in figure.get_supxlabel()
    assert len(save_chart(chart, tmp_path)) == 3


def test_one_network_has_no_shares(tmp_path):
    write_measurement(tmp_path, ROWS[:1])
    (chart,) = extraction_charts(tmp_path)
    assert len(chart.draw(chart.data).axes) == 1


@pytest.mark.parametrize("content", [None, "{", "{}", '{"rows": []}'])
def test_a_missing_or_damaged_measurement_names_the_command(tmp_path, content):
    if content is not None:
        write_measurement(tmp_path, [])
        (tmp_path / "measured" / "extraction.json").write_text(content)
    (missing,) = extraction_charts(tmp_path)
    assert isinstance(missing, MissingFigure) and "Run kdreid bench extract" in str(missing)


def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    (tmp_path / "measured").mkdir()
    os.mkfifo(tmp_path / "measured" / "extraction.json")
    (missing,) = extraction_charts(tmp_path)
    assert "extraction.json is a pipe, not a file: move it away" in str(missing)
