import pytest
import torch
from torchvision import models

from harness.core.errors import SetupError
from harness.models import (
    download_weights,
    find_weights,
    read_weights,
    torchvision_cache_path,
    weights_digest,
)


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


def test_files_without_a_state_dictionary_are_refused_and_no_code_in_them_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save(Evil(), tmp_path / "evil.pth")
    with pytest.raises(SetupError, match="is not a weights file"):
        read_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(SetupError, match="holds a list, not a state dictionary"):
        read_weights(tmp_path / "list.pth")
