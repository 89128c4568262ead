"""Numbers, words and YAML at random: refused in sentences, or settings that make a valid spec."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import ErrorCollector, FileError, UsageError
from harness.core.yaml import load_yaml
from harness.execution.cluster.profile import Profile
from harness.planning.names import resolve_request
from harness.planning.overrides import resolve_settings
from harness.planning.request import RunRequest
from harness.planning.schema import DatasetFile, StudyFile
from harness.runs.spec import RunSpec
from harness.runs.stored_spec import check_spec
from tests.support.random_values import NUMBERS, TEXTS

NAMES = (
    "recipe.lr",
    "recipe.epochs",
    "recipe.milestones",
    "recipe.pad",
    "recipe.schedule",
    "teacher_recipe.height",
    "data.seed",
    "data.cameras",
    "data.difficulty",
    "kd.weight",
    "kd.temperature",
    "ft.steps",
    "cckd.dimension",
    "cckd.variant",
    "csd.neighbours",
)
DIGITS = "\u0663\uff11\u0967\u00b2\u2460"
number_texts = (
    st.integers(-(10**30), 10**30).map(str)
    | st.floats().map(str)
    | st.sampled_from([str(number) for number in NUMBERS])
    | st.text(alphabet=f"0123456789.eE+-_,x{DIGITS}", max_size=30)
    | st.integers(1, 6000).map(lambda length: "7" * length)
)
words = number_texts | st.sampled_from(TEXTS) | st.text(max_size=50)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = (
    "dataset",
    "methods",
    "seeds",
    "pack",
    "recipe",
    "options",
    "sweep",
    "data",
    "loader",
    "root",
    "expected",
    "time",
    "gpus",
    "memory",
    "flags",
    "setup",
    "kind",
    "description",
)


def require_sentences(error):
    """Each problem is one printable line."""
    for problem in error.problems:
        assert problem and "\n" not in problem and len(problem) < 4000


@given(name=st.sampled_from(NAMES), value=words)
def test_settings(name, value):
    try:
        settings = resolve_settings([], [f"{name}={value}"])
    except UsageError as error:
        require_sentences(error)
        return
    options = [tuple(sorted(values.items())) for values in settings.options.values()]
    spec = RunSpec("d", "kd", "cnn5", (), 0, settings.recipe, *options[:1])
    content = json.loads(json.dumps(spec.as_json(), allow_nan=False))
    check_spec(content, spec.key)
    assert all(
        math.isfinite(value) for value in content["recipe"].values() if isinstance(value, float)
    )


@given(seeds=words, teacher_seed=words)
def test_seeds(seeds, teacher_seed):
    errors = ErrorCollector()
    request = RunRequest(methods=("kd",), seeds=seeds, teacher_seed=teacher_seed)
    resolved = resolve_request(request, StudyFile(), errors)
    try:
        errors.raise_if_any()
    except UsageError as error:
        require_sentences(error)
    else:
        assert all(0 <= seed < 2**63 for seed in (*resolved.seeds, resolved.teacher_seed or 0))


@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text(alphabet="ab:-[]{}&*!#|>'\"%@`,?\n \t019.~", max_size=120).map(str.encode)
    | st.dictionaries(st.sampled_from(KEYS), plain, max_size=5).map(
        lambda content: json.dumps(content).encode()
    ),
    model=st.sampled_from([StudyFile, DatasetFile, Profile]),
)
def test_yaml(tmp_path_factory, content, model):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    try:
        loaded = load_yaml(path, model)
    except (UsageError, FileError) as error:
        assert "any.yaml" in str(error)
    else:
        json.dumps(loaded.model_dump(mode="json"), allow_nan=False)
