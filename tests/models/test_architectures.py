"""Changes of networks: those of what they compute become part of keys, others do not."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch

from harness.models import HEADS, NETWORKS, architectures, build_network
from harness.models.architectures import TABLE, architecture_digest, source_digest
from harness.models.reference import IDENTITIES, as_record, describe_network, differences
from harness.models.registry import NetworkEntry
from harness.models.reid import ReIDNetwork
from tests.support.tiny_grid import ROOT

RECORDED = json.loads(TABLE.read_text())


@pytest.mark.parametrize("network", NETWORKS)
def test_the_table_is_that_of_the_present_code(network):
    """If this fails, run `python -m harness.models.architectures --write` and read its output."""
    sources = {e["source"] for form, e in RECORDED.items() if form.split()[0] == network}
    assert sources == {source_digest(network)}


def test_the_code_of_a_network_is_ours_alone():
    """Not Python's own, which differs between its versions."""
    parts = (*architectures.SHARED_CODE, *architectures._code(NETWORKS["resnet18-dap"]))
    files = {architectures._file_of(part)[1] for part in parts}
    assert {str(file.relative_to(ROOT)) for file in files} == {
        "harness/core/seeding.py",
        "harness/models/building.py",
        "harness/models/directional.py",
        "harness/models/reid.py",
        "harness/models/resnet.py",
    }


def test_the_table_holds_every_form_and_nothing_else():
    assert [*RECORDED] == [architectures._name(form) for form in architectures._forms()]


@pytest.mark.parametrize("form", [*RECORDED])
def test_keys_of_built_in_networks_are_those_of_the_first_version(form):
    network, head, last_stride, stem = form.split()
    assert architecture_digest(network, head, int(last_stride), stem) == ""


@pytest.mark.parametrize(
    "form",
    [
        *(("cnn5", head, 1, "3x3") for head in HEADS),
        ("resnet18", "bnneck", 2, "2x2"),
        ("resnet50", "bnneck", 1, "3x3"),
        ("densenet121", "bnneck", 1, "2x2"),
        ("resnet18-dap", "own", 1, "3x3"),
    ],
)
def test_the_table_is_what_the_networks_compute(form):
    described = architectures._describe(form)
    assert differences(described, RECORDED[architectures._name(form)]) == []


def describe(change=None, head="bnneck"):
    network = build_network("cnn5", head, IDENTITIES)
    if change:
        change(network)
    return describe_network(network, 64)


def recorded(head="bnneck"):
    return RECORDED[f"cnn5 {head} 1 3x3"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda net: torch.nn.init.normal_(net.head.classifier.weight, std=0.01), "initial"),
        (lambda net: net.head.neck.bias.requires_grad_(True), "tensors"),
        (lambda net: setattr(net.head.neck, "momentum", 0.2), None),  # seen after a step only
        (lambda net: setattr(net.head.neck, "eps", 0.1), "outputs"),
        (lambda net: setattr(net.backbone.stages[4][1], "padding", 0), "outputs"),
        (lambda net: net.head.register_buffer("more", torch.ones(1)), "tensors"),
        (lambda net: setattr(net.head, "neck", torch.nn.LayerNorm(256)), "tensors"),
        (lambda net: net.head.classifier.register_forward_pre_hook(drop), "outputs"),
    ],
)
def test_every_kind_of_change_is_seen(change, expected):
    found = {name.partition(".")[0] for name in differences(describe(change), recorded())}
    assert expected in found if expected else not found


def drop(module, inputs):
    """Dropout, which acts in training mode only."""
    return torch.nn.functional.dropout(inputs[0], training=module.training)


def test_rounding_is_no_change():
    described = describe()
    for sums in (described["outputs"], described["initial"]):
        for name, (total, size) in sums.items():
            sums[name] = (total + 1e-7 * size, size)
    assert differences(described, recorded()) == []
    assert as_record(described).keys() == recorded().keys() - {"identity", "source"}


def test_pooling_by_the_maximum_is_another_network(monkeypatch):
    def forward(self, images):
        maps, pre_relu = self.backbone(images)
        pooled = maps[-1].amax((2, 3))
        return type_of_outputs(maps, pre_relu, pooled, *self.head(pooled, maps[-1]))

    from methods import Outputs as type_of_outputs  # noqa: N813

    monkeypatch.setattr(ReIDNetwork, "forward", forward)
    found = differences(describe(), recorded())
    assert "outputs.evaluation.pooled" in found and "tensors" not in found


def test_a_network_that_the_table_does_not_know_is_its_code(monkeypatch):
    entry = NETWORKS["cnn5"]
    monkeypatch.setitem(NETWORKS, "mine", NetworkEntry(entry.backbone, None))
    assert architecture_digest("mine", "bnneck", 1, "3x3") == source_digest("mine")


KEY = """
from harness.planning.grid import architecture_of
from harness.runs.spec import Recipe, RunSpec
recipe = Recipe()
architecture = architecture_of("cnn5", "bnneck", recipe)
print(RunSpec("d", "none", "cnn5", (), 0, recipe, architecture=architecture).key)
"""


def key_with(folder, file, old, new):
    """The key of a run of cnn5 with a copy of the code in which one line differs."""
    for name in ("harness", "methods", "configs"):
        if not (folder / name).exists():
            shutil.copytree(ROOT / name, folder / name)
    path, original = folder / file, (ROOT / file).read_text()
    assert old in original
    path.write_text(original.replace(old, new, 1))
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", KEY],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        check=True,
    )
    path.write_text(original)
    return done.stdout.strip()


def test_keys_of_code_that_is_edited(tmp_path):
    reid, mean = "harness/models/reid.py", "pooled = maps[-1].mean((2, 3))"
    usual = key_with(tmp_path, reid, mean, mean)
    assert usual == key_with(tmp_path, reid, mean, f"{mean}  # over all pixels")
    assert usual == key_with(tmp_path, reid, mean, "pooled = maps[-1].flatten(2).mean(dim=2)")
    assert usual != key_with(tmp_path, reid, mean, "pooled = maps[-1].amax((2, 3))")
    start = "nn.init.normal_(self.classifier.weight, std=0.001)"
    assert usual != key_with(tmp_path, reid, start, start.replace("0.001", "0.002"))


def test_renewing_the_table_keeps_the_keys_of_a_changed_network(tmp_path, monkeypatch):
    """What was a key of edited code stays one, and does not become that of the first version."""
    form = ("cnn5", "bnneck", 1, "3x3")
    name = architectures._name(form)
    changed = dict(RECORDED[name], source="", outputs={})
    monkeypatch.setattr(architectures, "_read_table", lambda: {name: changed, "gone": changed})
    monkeypatch.setattr(architectures, "_forms", lambda: iter([form]))
    table, problems = architectures.compare_all()
    assert table[name]["identity"] == table[name]["source"] == source_digest("cnn5")
    assert "outputs.training.pooled" in problems[0] and "gone: not a network" in problems[1]
    monkeypatch.setattr(architectures, "_read_table", lambda: table)
    assert architectures.compare_all() == (table, [])
    assert architecture_digest.__wrapped__(*form) == source_digest("cnn5")
