"""What is read of a method's file is what its class says."""

import subprocess
import sys
from pathlib import Path

import pytest

import methods
from methods import EXTRA_METHODS, METHODS, defaults, description, options
from methods.description import describe_class, describe_file
from methods.registry import Registry

ALL = METHODS | EXTRA_METHODS


@pytest.mark.parametrize("name", ALL)
def test_the_file_says_what_the_class_says(name):
    read, kind = ALL.describe(name), ALL[name]
    assert read == describe_class(kind)
    assert list(read.options) == list(options(kind))
    assert read.load() is kind
    assert read.name == name and read.module == kind.__module__


@pytest.mark.parametrize("name", ALL)
def test_the_defaults_of_every_variant_are_those_of_the_class(name):
    for variant in ALL[name].variants:
        assert ALL.describe(name).defaults(variant) == defaults(ALL[name], variant)
    with pytest.raises(ValueError, match=f"{name} has no variant 'odd'. Offered: "):
        ALL.describe(name).defaults("odd")


def test_no_built_in_method_is_imported_to_describe_it():
    code = (
        "import sys; from methods import EXTRA_METHODS, METHODS; "
        "labels = [one.label for one in (METHODS | EXTRA_METHODS).descriptions().values()]; "
        "print(len(labels), 'torch' in sys.modules, METHODS['sp'].label, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(ALL)), "False", "SP", "True"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "none"', 'name = "no" + "ne"'),
        ("(Method)", "(Method, dict)"),
        ("(Method)", "(torch.nn.Module)"),
        ("weight: float = 0.0", "weight: Number = 3000.0"),
        ("weight: float = 0.0", "weight: float = 0 + 0.0"),
    ],
)
def test_a_class_of_other_than_plain_values_is_imported(monkeypatch, tmp_path, old, new):
    for name in ("base", "none"):
        text = Path(methods.__file__).with_name(f"{name}.py").read_text()
        assert name == "base" or old in text
        (tmp_path / f"{name}.py").write_text(text if name == "base" else text.replace(old, new, 1))
    imported = []
    monkeypatch.setattr(description, "__file__", str(tmp_path / "description.py"))
    monkeypatch.setattr(
        description, "describe_class", lambda kind: imported.append(kind) or describe_class(kind)
    )
    monkeypatch.setattr(description, "_parse", description._parse.__wrapped__)
    described = describe_file.__wrapped__("none", "NoDistillation")
    assert imported == [EXTRA_METHODS["none"]]
    assert described == describe_class(EXTRA_METHODS["none"])


def test_a_registry_takes_classes_too():
    registry = Registry({"sp": "SP"})
    registry["other"] = METHODS["pkt"]
    assert [*registry] == ["sp", "other"] and len(registry) == 2 and "pkt" not in registry
    assert registry["sp"] is METHODS["sp"]
    assert registry.describe("other").label == "PKT"
    del registry["other"]
    assert [*(registry | Registry({"ft": "FT"}))] == ["sp", "ft"]
    with pytest.raises(KeyError):
        registry.describe("ft")
