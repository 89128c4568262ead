"""The device and the threads of plans, with torch where only torch knows them."""

import pytest
import torch

from harness.core.errors import SetupError, UsageError
from harness.planning import device_choice
from harness.planning.device_choice import choose_device, choose_threads, has_gpu_driver


@pytest.fixture
def driver(monkeypatch, tmp_path):
    """Say whether there is a driver of NVIDIA or AMD."""

    def have(nvidia, amd):
        (tmp_path / "kfd").write_text("") if amd else None
        monkeypatch.setattr(device_choice, "AMD_DEVICE", tmp_path / "kfd")
        monkeypatch.setattr(device_choice, "NVIDIA_LIBRARY", "libm.so.6" if nvidia else "libno.so")

    return have


@pytest.mark.parametrize(
    ("nvidia", "amd", "expected"),
    [(True, False, True), (False, True, True), (True, True, True), (False, False, False)],
)
def test_a_driver_is_nvidias_or_amds(driver, nvidia, amd, expected):
    driver(nvidia, amd)
    assert has_gpu_driver() is expected


@pytest.mark.parametrize(("is_there", "expected"), [(True, "cuda"), (False, "cpu")])
def test_where_there_is_a_driver_torch_decides(driver, monkeypatch, is_there, expected):
    driver(nvidia=True, amd=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: is_there)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto") == expected
    if is_there:
        assert choose_device("cuda:1") == "cuda:1"


def test_without_a_driver_torch_is_not_asked(driver, monkeypatch):
    driver(nvidia=False, amd=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("torch was asked"))
    assert choose_device("auto") == choose_device("cpu") == "cpu"


def test_no_machine_without_a_driver_has_a_gpu():
    assert has_gpu_driver() or not torch.cuda.is_available()


def test_a_device_that_is_not_there_is_refused(driver, monkeypatch):
    driver(nvidia=False, amd=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SetupError, match="torch finds none here"):
        choose_device("cuda")
    with pytest.raises(UsageError, match="No device is called 'gpu'"):
        choose_device("gpu")


def test_a_preview_leaves_torchs_threads_alone():
    before = torch.get_num_threads()
    try:
        assert choose_threads(before + 1, is_preview=True) == before + 1
        assert choose_threads(None, is_preview=True) == torch.get_num_threads() == before
        assert choose_threads(before + 1, is_preview=False) == torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
