import re

import pytest

from harness.core.errors import UsageError
from harness.core.yaml import config_names, load_yaml
from harness.planning.schema import StudyFile, load_dataset, load_study


def refusal(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        load_yaml(path, StudyFile)
    return str(error.value)


def test_every_shipped_file_is_valid():
    for name in config_names("dataset"):
        load_dataset(name)
    for name in config_names("study"):
        load_study(name)
    assert {"market1501", "dukemtmc", "msmt17", "veri776", "synthetic"} <= set(
        config_names("dataset")
    )


def test_yaml_1_2_numbers():
    assert load_dataset("msmt17").section("recipe")["lr"] == 0.02


def test_a_misspelt_key_is_named_with_file_line_and_nearest(tmp_path):
    message = refusal(tmp_path, "dataset: synthetic\nrecipe:\n  epochs: 3\n  labelsmoothing: 0.1\n")
    assert "study.yaml:4: unknown key 'recipe.labelsmoothing'" in message
    assert "Did you mean 'label_smoothing'?" in message
    assert "study.yaml:1: unknown key 'datset'" in refusal(tmp_path, "datset: synthetic\n")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("seeds: [0, one]\n", r"study\.yaml:1: seeds\.1: .*integer.*given 'one'"),
        ("pack: 4\nrecipe: {epochs: many}\n", r"study\.yaml:2: recipe\.epochs: .*given 'many'"),
        ("pack: 10001\n", r"study\.yaml:1: pack: .*less than or equal to 10000, given 10001"),
        ("methods: [sp\nseeds: 3", r"study\.yaml:\d+: not YAML"),
        ("sweep: {pdrd: [1]}\n", r"study\.yaml:1: sweep: .*pdrd is not METHOD\.OPTION"),
        ("pack: 4\nsweep: {data.seed: [1]}\n", r"study\.yaml:2: sweep: .*data\.seed is not"),
        ("sweep: {pdrd.weight: []}\n", r"pdrd\.weight is not METHOD\.OPTION .* with values"),
        ("just words\n", r"study\.yaml:1: expected `key: value` lines"),
        ("dataset: a\ndataset: b\n", r"study\.yaml:2: not YAML: found duplicate key"),
    ],
)
def test_bad_values_are_named_with_file_and_line(tmp_path, text, pattern):
    assert re.search(pattern, refusal(tmp_path, text))


def test_an_absent_file_and_unknown_names(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.yaml cannot be read"):
        load_study(str(tmp_path / "gone.yaml"))
    with pytest.raises(UsageError, match="No study is called 'dem'. Did you mean 'demo'"):
        load_study("dem")
    with pytest.raises(
        UsageError, match="No dataset is called 'market'. Did you mean 'market1501'"
    ):
        load_dataset("market")


def test_an_empty_file_states_nothing(tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    assert load_yaml(tmp_path / "empty.yaml", StudyFile) == StudyFile()
