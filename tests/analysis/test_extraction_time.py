import json

import pytest
import torch

from harness.analysis.extraction_time import (
    build_untrained,
    measure_extraction_time,
    save_extraction_times,
)
from harness.core.errors import UsageError
from harness.core.progress import Reporter
from harness.runs.layout import EXTRACTION_TIME, REPORT
from results.figures.chart import Chart
from results.figures.extraction_time import extraction_charts

DEVICE = torch.device("cpu")


def test_an_ensemble_is_all_its_members():
    assert len(build_untrained("resnet18-directional", "fc256")) == 4
    with pytest.raises(UsageError, match="'resnet19'. Did you mean 'resnet1"):
        build_untrained("resnet19", "fc256")


def test_the_report_draws_what_was_measured(tmp_path):
    size = (64, 64)
    rows = measure_extraction_time(
        ["cnn5", "resnet18"],
        [1, 2],
        size,
        "fc256",
        repeats=2,
        device=DEVICE,
        reporter=Reporter(quiet=True),
    )
    assert [(row["network"], row["batch"]) for row in rows] == [
        ("cnn5", 1),
        ("resnet18", 1),
        ("cnn5", 2),
        ("resnet18", 2),
    ]
    assert all(0 < row["least"] <= row["seconds"] <= row["most"] for row in rows)
    path = save_extraction_times(tmp_path, rows, size, "fc256", DEVICE)
    assert path == tmp_path / REPORT / EXTRACTION_TIME
    assert json.loads(path.read_text())["rows"] == rows
    (chart,) = extraction_charts(tmp_path / REPORT)
    assert isinstance(chart, Chart) and len(chart.data) == 4
