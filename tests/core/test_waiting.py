"""Lines about what is waited for."""

import time

import pytest

from harness.core import waiting
from harness.core.waiting import WaitNotice, waiting_for


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(waiting, "NOTICE_S", 0.05)


def test_a_short_wait_is_not_reported():
    lines = []
    WaitNotice(lines.append).update(lambda: pytest.fail("nobody asked"))
    with waiting_for("squeue to answer", lines.append):
        pass
    time.sleep(0.1)
    assert not lines


def test_a_long_wait_is_reported_once_for_each_thing(capsys):
    lines, notice = [], WaitNotice()
    time.sleep(0.06)
    for text in ("one", "one", "another", "another"):
        notice.update(lambda text=text: text)
    assert capsys.readouterr().err == "one\nanother\n"
    with waiting_for("squeue to answer", lines.append):
        time.sleep(0.2)
    assert lines == ["waiting for squeue to answer"]
