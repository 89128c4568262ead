from pathlib import Path

import pytest

import methods
from methods import EXTRA_METHODS, METHODS, Method, Paper, create, defaults, find, options
from methods.weights import WEIGHT_SOURCES
from tests.support.outputs import LARGE, SMALL

SUPPORT = {"__init__", "base", "description", "options", "preparation", "registry"}
SUPPORT |= {"relations", "weights"}
# Of the methods that published numbers depend on; a new method needs no entry.
DEFAULT_WEIGHTS = {
    "fitnet": 100.0,
    "at": 1000.0,
    "ft": 4000.0,
    "cckd": 10.0,
    "sp": 3000.0,
    "vid": 1.0,
    "rkd": 1.0,
    "pkt": 3e4,
    "kdpe": 3.0,
    "csd": 1.0,
    "vrkd": 1.0,
    "pdrd": 2.0,
    "none": 0.0,
    "pairwise": 2.0,
    "pdrk": 2.0,
    "kd": 1.0,
}


def test_every_file_is_listed():
    files = {path.stem for path in Path(methods.__file__).parent.glob("*.py")}
    assert files - SUPPORT == set(METHODS | EXTRA_METHODS)


def test_every_file_has_a_test():
    tests = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert {f"test_{name}" for name in METHODS | EXTRA_METHODS} <= tests


def test_methods_are_in_the_order_of_tables_and_have_labels_of_their_own():
    known = [name for name in METHODS | EXTRA_METHODS if name in DEFAULT_WEIGHTS]
    assert known == list(DEFAULT_WEIGHTS)
    labels = [method.label for method in (METHODS | EXTRA_METHODS).values()]
    assert len(set(labels)) == len(labels)
    assert {"FitNet", "PDRD", "Student", "L_pdrk"} <= set(labels)


@pytest.mark.parametrize("name", METHODS | EXTRA_METHODS)
def test_each_names_its_paper_and_module(name):
    method = find(name)
    assert method.name == name and method.__module__ == f"methods.{name}"
    if name == "none":
        assert method.paper is None
    else:
        assert isinstance(method.paper, Paper)
        assert method.paper.url.startswith("https://") and method.paper.year >= 2015


@pytest.mark.parametrize("name", METHODS | EXTRA_METHODS)
def test_defaults(name):
    found, method = options(find(name)), create(name, SMALL, LARGE, {})
    assert found["weight"].type is float
    assert method.weight == DEFAULT_WEIGHTS.get(name, method.weight)
    assert found["variant"].default == method.variant == next(iter(method.variants))
    usual = defaults(find(name), method.variant)
    assert set(usual) | {"variant"} == set(found)
    assert all(type(value) is found[option].type for option, value in usual.items())


VARIANTS = {  # the default weight of each, of methods with other variants than `original` alone
    "fitnet": {"original": 100.0, "pdrd": 10.0},
    "cckd": {"original": 10.0, "pdrd": 10.0},
    "sp": {"original": 3000.0, "pdrd": 1000.0},
    "rkd": {"original": 1.0, "pdrd": 1.0},
    "pkt": {"original": 3e4, "pdrd": 3e5},
    "csd": {"pdrd": 1.0, "original": 1.0},
}


def test_every_default_weight_has_its_source():
    kinds = METHODS | EXTRA_METHODS
    weights = {
        name: {
            variant: defaults(kinds[name], variant)["weight"] for variant in kinds[name].variants
        }
        for name in DEFAULT_WEIGHTS
    }
    sources = {
        name: {variant: source.weight for variant, source in variants.items()}
        for name, variants in WEIGHT_SOURCES.items()
    }
    assert sources == weights
    for variants in WEIGHT_SOURCES.values():
        assert all(source.whose and source.printed for source in variants.values())
    assert "20" in WEIGHT_SOURCES["kdpe"]["original"].printed
    for name in ("fitnet", "pkt", "vid"):
        assert WEIGHT_SOURCES[name]["original"].whose == "RepDistiller"


@pytest.mark.parametrize("name", DEFAULT_WEIGHTS)
def test_variants_and_their_weights(name):
    offered = {
        variant: create(name, SMALL, LARGE, {"variant": variant}).weight
        for variant in find(name).variants
    }
    if name in DEFAULT_WEIGHTS:
        assert offered == VARIANTS.get(name, {"original": DEFAULT_WEIGHTS[name]})
    for variant in offered:
        assert create(name, SMALL, LARGE, {"variant": variant, "weight": 7.0}).weight == 7.0


def test_options_that_are_part_of_the_contract():
    def usual(name, variant="original"):
        return {k: v for k, v in defaults(find(name), variant).items() if k != "weight"}

    assert usual("ft") == {"ratio": 0.5, "epochs": 5, "steps": 0, "rate": 0.1}
    kernel = {"dimension": 128, "gamma": 0.4, "order": 2}
    assert usual("cckd") == kernel | {"teacher_embedding": "none"}
    assert usual("cckd", "pdrd") == kernel | {"teacher_embedding": "trained"}
    assert usual("rkd") == {"distance_weight": 1.0, "angle_weight": 2.0}
    assert usual("rkd", "pdrd") == {"distance_weight": 25.0, "angle_weight": 50.0}
    assert usual("kdpe") == {"temperature": 0.1, "power": 3}
    assert usual("csd", "pdrd") == {"neighbours": 0, "tau_q": 1.0, "tau_g": 0.01}
    assert usual("csd") == {"neighbours": 96, "tau_q": 1.0, "tau_g": 0.01}
    assert (usual("fitnet"), usual("fitnet", "pdrd")) == ({"stage": 1}, {"stage": -1})
    assert usual("kd") == usual("vrkd") == {"temperature": 2.0, "t2_scale": True}
    assert usual("pdrd") == {"activation": "mish"}
    assert usual("vid") == {"initial_variance": 5.0}
    assert usual("sp") == usual("at") == usual("pkt") == {}


def test_find_returns_the_class():
    assert find("pdrd") is METHODS["pdrd"]
    assert find("none") is EXTRA_METHODS["none"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [("spp", "sp"), ("kdep", "kdpe"), ("PDRD", "pdrd"), ("pairwize", "pairwise")],
)
def test_find_suggests_the_nearest_and_lists_all(given, meant):
    with pytest.raises(ValueError, match=f"{given}'. Did you mean '{meant}'.*fitnet, .*, kd"):
        find(given)


def test_find_suggests_nothing_far_away():
    with pytest.raises(ValueError, match=r"No method is called 'xyzzy'. Known: fitnet"):
        find("xyzzy")


def test_create_passes_options_on():
    method = create("pdrd", SMALL, LARGE, {"weight": 3, "activation": "relu"})
    assert (method.weight, method.activation) == (3.0, "relu")
    assert type(method.weight) is float


def test_create_takes_a_class():
    assert isinstance(create(METHODS["sp"], SMALL, LARGE, {}), METHODS["sp"])


def test_an_unknown_option_is_refused_with_the_nearest():
    message = "kd has no option 'temprature'. Did you mean 'temperature'.*weight, temperature, t2"
    with pytest.raises(ValueError, match=message):
        create("kd", SMALL, LARGE, {"temprature": 2.0})


@pytest.mark.parametrize(
    ("name", "option", "value", "kind"),
    [
        ("kd", "temperature", "2", "float"),
        ("kd", "t2_scale", 1, "bool"),
        ("ft", "epochs", 2.5, "int"),
        ("ft", "epochs", True, "int"),
        ("pdrd", "activation", 3, "str"),
    ],
)
def test_an_option_of_another_type_is_refused(name, option, value, kind):
    with pytest.raises(ValueError, match=f"'{option}' of {name} must be of type {kind}"):
        create(name, SMALL, LARGE, {option: value})


def test_options_need_a_default_and_a_plain_type():
    class Nameless(Method):
        name = "nameless"

        def __init__(self, student, teacher, *, size: int) -> None:
            super().__init__(student, teacher)

    class Odd(Method):
        name = "odd"

        def __init__(self, student, teacher, *, sizes: tuple[int, ...] = ()) -> None:
            super().__init__(student, teacher)

    with pytest.raises(ValueError, match="'size' of nameless has no default"):
        options(Nameless)
    with pytest.raises(ValueError, match="'sizes' of odd must be annotated as float, int"):
        options(Odd)


def test_a_method_without_options_of_its_own_has_those_of_the_base():
    class Plain(Method):
        name = "plain"

    assert list(options(Plain)) == ["weight", "variant"]
    assert create(Plain, SMALL, LARGE, {"weight": 2.0}).weight == 2.0


def test_the_package_exports_what_it_says():
    assert all(hasattr(methods, name) for name in methods.__all__)
    assert methods.__all__ == sorted(methods.__all__, key=lambda name: (not name.isupper(), name))
