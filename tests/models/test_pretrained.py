import sys

import pytest
import torch
from torchvision import models

from harness.core.errors import SetupError
from harness.models import (
    NETWORKS,
    check_pretrained,
    download_weights,
    find_weights,
    pretrained,
    read_weights,
    torchvision_cache_path,
    weights_digest,
)
from harness.models.pretrained import check_weights
from harness.models.reid import Backbone


class Dense(Backbone):
    """A linear layer whose published weights begin with `body.`."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))

    def rename_published(self, state):
        return {name.replace("body.", "layer."): value for name, value in state.items()}


def published():
    return {name.replace("layer.", "body."): value for name, value in Dense().state_dict().items()}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Torchvision's cache in a folder of the test's own."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tmp_path / "checkpoints"


def test_weights_in_torchvisions_cache_are_found(cache):
    cache.mkdir()
    file = cache / "resnet18-f37072fd.pth"
    torch.save(models.get_model("resnet18", weights=None).state_dict(), file)
    assert find_weights("resnet18", {}) == torchvision_cache_path("resnet18") == file


def test_a_given_file_takes_precedence_over_the_cache(cache, tmp_path):
    cache.mkdir()
    for path in (torchvision_cache_path("resnet18"), tmp_path / "mine.pth"):
        path.touch()
    assert find_weights("resnet18", {"resnet18": tmp_path / "mine.pth"}) == tmp_path / "mine.pth"


def test_missing_weights_list_the_remedies(cache, tmp_path):
    remedies = r"kdreid fetch-weights resnet101.*--weights resnet101=FILE.*recipe.pretrained=none"
    with pytest.raises(SetupError, match=remedies):
        find_weights("resnet101", {})
    with pytest.raises(SetupError, match=r"nowhere.pth, do not exist.*recipe.pretrained=none"):
        find_weights("resnet101", {"resnet101": tmp_path / "nowhere.pth"})


def test_a_download_goes_to_the_cache_once(cache, monkeypatch):
    urls = []

    def download(url, path, hash_prefix, progress):
        urls.append((url, hash_prefix))
        torch.save({}, path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    path = download_weights("resnet18")
    assert path == download_weights("resnet18") == cache / "resnet18-f37072fd.pth"
    assert urls == [("https://download.pytorch.org/models/resnet18-f37072fd.pth", "f37072fd")]


def test_a_failed_download_lists_the_remedies(cache, monkeypatch):
    def fail(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(SetupError, match=r"no route to host.*--weights resnet18=FILE"):
        download_weights("resnet18")


def test_the_digest_is_that_of_the_content(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"abc")
    assert weights_digest(tmp_path / "a.pth") == "ba7816bf8f01cfea"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {"state_dict": state}, "optimizer": {}},
        lambda state: {f"module.{name}": value for name, value in state.items()},
        lambda state: {
            "model_state_dict": {f"module.{name}": value for name, value in state.items()}
        },
        lambda state: {n: v for n, v in state.items() if "num_batches_tracked" not in n},
    ],
)
def test_wrapped_weights_are_the_same_weights(tmp_path, wrap):
    state, path = published(), tmp_path / "w.pth"
    torch.save(wrap(state), path)
    loaded = Dense()
    loaded.load_pretrained(check_weights(path, "dense", Dense()))
    assert all(torch.equal(v, state[f"body.{n[6:]}"]) for n, v in loaded.state_dict().items())


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_no_code_of_a_file_is_run(tmp_path):
    torch.save({"state_dict": Evil(tmp_path / "ran")}, tmp_path / "evil.pth")
    with pytest.raises(SetupError, match="no code of a file is executed"):
        read_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("\n<!DOCTYPE html>\n<html>"), "is a web page"),
        (lambda path: path.write_text("<HTML><title>404</title>"), "is a web page"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "Git LFS"),
        (lambda path: path.write_bytes(b"RIFF" * 100), "is not a weights file of torch"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: torch.save(torch.nn.Linear(2, 2), path), "such as a whole model"),
        (lambda path: torch.save([1, 2], path), "holds a list, not a state dictionary"),
        (lambda path: torch.save({}, path), "it holds nothing"),
        (lambda path: torch.save({"epoch": 3}, path), r"entries that are no tensors \(epoch\)"),
        (lambda path: torch.save({"model": 3}, path), r"entries that are no tensors \(model\)"),
    ],
)
def test_files_that_hold_no_weights_are_described(tmp_path, write, message):
    write(tmp_path / "w.pth")
    with pytest.raises(SetupError, match=f"w.pth.*{message}") as error:
        check_weights(tmp_path / "w.pth", "dense", Dense())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_part_of_a_file_is_incomplete(tmp_path, legacy, share):
    path = tmp_path / "w.pth"
    torch.save(published(), path, _use_new_zipfile_serialization=not legacy)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SetupError, match="w.pth is incomplete or damaged"):
        read_weights(path)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*")
def test_a_compiled_model_is_no_state_dictionary(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "w.pth")
    with pytest.raises(SetupError, match="such as a whole model"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda state: state.pop("body.0.weight"),
            r"1 of 7 tensors are missing \(layer.0.weight\)",
        ),
        (
            lambda state: state.update({"body.0.weight": torch.zeros(5, 3)}),
            r"1 have another shape \(layer.0.weight\)",
        ),
        (lambda state: state.update({"a": torch.ones(1), "b": torch.ones(1)}), r"2 .*\(a, ...\)"),
        (lambda state: state["body.1.bias"].fill_(torch.nan), "layer.1.bias that are not finite"),
        (lambda state: state["body.0.bias"].fill_(-torch.inf), "layer.0.bias that are not finite"),
    ],
)
def test_weights_that_no_training_can_start_from_are_refused(tmp_path, change, message):
    state, path = published(), tmp_path / "w.pth"
    change(state)
    torch.save(state, path)
    with pytest.raises(SetupError, match=message):
        check_weights(path, "dense", Dense())


def test_weights_of_another_network_of_torchvision(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(models.get_model("resnet34", weights=None).state_dict(), path)
    check_pretrained("resnet34", path)
    with pytest.raises(SetupError, match="does not fit resnet18: 0 of 120 tensors are missing"):
        check_pretrained("resnet18", path)
    with pytest.raises(SetupError, match="does not fit densenet121"):
        check_pretrained("densenet121", path)


def test_the_files_are_torchvisions():
    from torchvision.models import get_model_weights

    urls = {name: get_model_weights(name)["IMAGENET1K_V1"].url for name in pretrained.FILES}
    assert urls == {name: pretrained.SERVER + file for name, file in pretrained.FILES.items()}
    assert {entry.pretrained for entry in NETWORKS.values()} - {None} == set(pretrained.FILES)


@pytest.mark.parametrize(
    "variables",
    [{}, {"XDG_CACHE_HOME": "/cache"}, {"TORCH_HOME": "~/torch", "XDG_CACHE_HOME": "/cache"}],
)
def test_the_cache_is_torchs_with_and_without_torch(monkeypatch, variables):
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with_torch = torchvision_cache_path("resnet18")
    monkeypatch.delitem(sys.modules, "torch")
    assert torchvision_cache_path("resnet18") == with_torch


def test_published_content_is_known_by_its_digest(monkeypatch, tmp_path):
    (tmp_path / "mine.pth").write_bytes(b"weights")
    digest = weights_digest(tmp_path / "mine.pth")
    assert not pretrained.is_published(tmp_path / "mine.pth", "resnet18")
    monkeypatch.setitem(pretrained.FILES, "resnet18", f"resnet18-{digest[:8]}.pth")
    assert pretrained.is_published(tmp_path / "mine.pth", "resnet18")
