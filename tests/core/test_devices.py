import pytest
import torch

from harness.core import devices
from harness.core.devices import device_name, find_device, set_threads
from harness.core.errors import SetupError, UsageError


@pytest.fixture
def _no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("_no_gpu")
def test_without_a_gpu():
    assert find_device("auto") == find_device("cpu") == torch.device("cpu")
    with pytest.raises(SetupError, match="--device cuda:1 needs a GPU, but torch finds none here"):
        find_device("cuda:1")


@pytest.fixture
def _two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("_two_gpus")
def test_with_gpus():
    assert find_device("auto") == find_device("cuda") == torch.device("cuda")
    assert find_device("cuda:1") == torch.device("cuda", 1)


@pytest.mark.usefixtures("_two_gpus")
@pytest.mark.parametrize("index", ["2", "7", "256", "9" * 20])  # torch takes 256 for 0
def test_a_gpu_that_is_not_there(index):
    message = f"no --device cuda:{index}: torch finds 2 GPUs here: cuda:0, cuda:1"
    with pytest.raises(SetupError, match=message):
        find_device(f"cuda:{index}")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "mps", "", "cpu,cuda"])
def test_unknown_names(name):
    with pytest.raises(UsageError, match=f"No device is called '{name}'..*Known: auto, cpu, cuda"):
        find_device(name)


def test_threads():
    before = torch.get_num_threads()
    try:
        assert set_threads(None) == before
        assert set_threads(1) == torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_the_name_of_the_processor(monkeypatch, tmp_path):
    assert device_name(torch.device("cpu")).endswith(" cores)")
    monkeypatch.setattr(devices, "Path", lambda _: tmp_path / "absent")
    assert isinstance(device_name(torch.device("cpu")), str)
