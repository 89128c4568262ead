import json

import pytest
import torch

from harness.analysis.extraction_time import FILE, extraction_time, keep, networks
from harness.core.errors import UsageError
from harness.core.progress import Reporter
from results.figures.chart import Chart
from results.figures.extraction_time import charts

DEVICE = torch.device("cpu")


def test_a_team_is_all_its_members():
    assert len(networks("resnet18-directional", "fc256")) == 4
    with pytest.raises(UsageError, match="'resnet19'. Did you mean 'resnet1"):
        networks("resnet19", "fc256")


def test_what_is_measured_is_what_the_report_draws(tmp_path):
    size = (64, 64)
    rows = extraction_time(
        ["cnn5", "resnet18"], [1, 2], size, "fc256", 2, DEVICE, Reporter(quiet=True)
    )
    assert [(row["network"], row["batch"]) for row in rows] == [
        ("cnn5", 1),
        ("resnet18", 1),
        ("cnn5", 2),
        ("resnet18", 2),
    ]
    assert all(0 < row["least"] <= row["seconds"] <= row["most"] for row in rows)
    assert keep(tmp_path, rows, size, "fc256", DEVICE) == tmp_path / FILE
    assert json.loads((tmp_path / FILE).read_text())["rows"] == rows
    (chart,) = charts(tmp_path / "report")
    assert isinstance(chart, Chart) and len(chart.data) == 4
