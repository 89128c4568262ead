"""`kdreid list`, `list networks`, `fetch-weights` and `doctor`."""

import json
import re

import pytest

from harness.models import ENSEMBLES, NETWORKS, pretrained
from methods import EXTRA_METHODS, METHODS
from results.published import load_published
from tests.support.command_line import invoke


def test_names():
    text = invoke("list").stdout
    for word in ("pdrd", "msmt17", "resnet101", "bnneck", "demo"):
        assert re.search(rf"\b{word}\b", text)
    names = json.loads(invoke("list", "--json").stdout)
    assert names["methods"] == list(METHODS) and names["networks"] == list(NETWORKS)
    assert names["further methods (not in `all`)"] == list(EXTRA_METHODS)
    assert names["teachers of several networks"] == list(ENSEMBLES)


def test_networks_next_to_the_published_sizes():
    done = invoke("list", "networks", "--identities", "10")
    assert done.returncode == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines[1 : 1 + len(NETWORKS)]] == list(NETWORKS)
    published = [line for line in lines if line[-1:] == ["G"] and len(line) == 14]
    sizes = [
        (r.network, f"{r.parameters}", f"{r.operations}") for r in load_published().network_sizes()
    ]
    assert [(line[0], line[-4], line[-2]) for line in published] == sizes
    assert "For 10 identities." in done.stdout
    assert invoke("networks", "--identities", "10").stdout == done.stdout


def test_weights_are_fetched_once_each(monkeypatch, tmp_path):
    fetched = []

    def download(name):
        fetched.append(name)
        return tmp_path / name

    monkeypatch.setattr(pretrained, "download_weights", download)
    done = invoke("fetch-weights", "resnet18,resnet50", "resnet18")
    assert done.stdout.split() == [str(tmp_path / name) for name in fetched]
    assert fetched == ["resnet18", "resnet50"]
    assert len(invoke("fetch-weights").stdout.split()) == len(
        {network.pretrained for network in NETWORKS.values() if network.pretrained}
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [("cnn5", "cnn5 has no ImageNet weights"), ("resnet19", "Did you mean 'resnet18'?")],
)
def test_weights_that_do_not_exist(name, words):
    done = invoke("fetch-weights", name)
    assert done.returncode == 2 and words in done.stderr


def test_doctor_of_this_machine(tmp_path):
    profile = tmp_path / "here.yaml"
    profile.write_text("kind: local\ncpus: 1\n")
    done = invoke("doctor", "--cluster", profile, "--runs", tmp_path / "runs", "--json")
    results = {row["what"]: row["good"] for row in json.loads(done.stdout)}
    assert done.returncode == (3 if False in results.values() else 0)
    assert results["torch"] and results["python"]
