"""`kdreid run`, and `python -m harness.run`."""

import inspect
import json
import shutil
import sys
from dataclasses import fields

import pytest

from harness.cli import run as cli
from harness.cli.run import ExecutionOptions, main
from harness.execution.cluster import retry
from harness.planning.request import RunRequest
from tests.support import tiny_grid
from tests.support.command_line import call, invoke


@pytest.fixture
def study(shared_runs):
    return ("--study", tiny_grid.STUDY, "--runs", shared_runs, "--methods", "kd")


def test_the_main_command_and_its_twin_show_one_plan(study):
    first = call("run", *study, "--dry-run")
    second = call("kdreid", "plan", *study)
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    assert "cohort 2: 2 runs, one data stream, 32x16, 2 epochs, fp32, on cpu" in first.stdout
    assert "an epoch is 4 batches of 4 identities x 2 images: 32 of 32 training" in first.stdout
    assert "3 runs: 3 done. Nothing was started." in first.stdout


def test_a_finished_grid_prints_its_table_and_where_it_lies(study):
    done = call("kdreid", "run", *study)
    assert done.returncode == 0, done.stderr
    assert "0 runs done now, 3 were done before, 0 failed" in done.stderr
    assert "resnet18" in done.stdout
    assert "KD" in done.stdout
    assert "report" in done.stdout


BAD = [
    (2, ["--dataset", "synthetic", "--methods", "pdrdd"], "Did you mean 'pdrd'?"),
    (2, ["--dataset", "market", "--methods", "all"], "No dataset is called 'market'"),
    (2, ["--dataset", "synthetic", "--student", "resnet19"], "No network is called 'resnet19'"),
    (2, ["--dataset", "synthetic", "--head", "neck"], "No head is called 'neck'"),
    (2, ["--dataset", "synthetic", "--set", "recipe.epoch=3"], "Did you mean 'epochs'?"),
    (2, ["--dataset", "synthetic", "--seeds", "x"], "--seeds takes whole numbers"),
    (2, ["--dataset", "synthetic", "--precision", "fp8"], "fp32 or bf16 or fp16"),
    (2, ["--dataset", "synthetic", "--device", "tpu"], "No device is called 'tpu'"),
    (2, ["--methods", "all"], "--dataset NAME"),
    (2, ["--methodz", "all"], "No such option"),
    (2, ["--study", "nowhere.yaml"], "nowhere.yaml cannot be read"),
    (3, ["--dataset", "market1501", "--set", "recipe.pretrained=none"], "--data-root DIR"),
    (3, ["--dataset", "market1501"], "No ImageNet weights for resnet"),
]


@pytest.mark.parametrize(("code", "arguments", "words"), BAD, ids=[" ".join(a) for _, a, _ in BAD])
def test_bad_input_is_one_sentence_and_a_code(
    tmp_path, monkeypatch, capsys, code, arguments, words
):
    """In this process, since each would import torch again."""
    runs = tmp_path / "runs"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(sys, "argv", ["harness.run", *arguments, "--runs", str(runs)])
    with pytest.raises(SystemExit) as ended:
        main()
    errors = capsys.readouterr().err
    assert ended.value.code == code
    assert words in " ".join(errors.replace("│", " ").split())
    assert "Traceback" not in errors
    assert not list(runs.glob("*/*/*/*/spec.json"))


def test_a_wrong_name_in_a_process_of_its_own(tmp_path):
    done = call("run", "--dataset", "synthetic", "--methods", "pdrdd", "--runs", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("kdreid: No method is called 'pdrdd'. Did you mean 'pdrd'?")


def test_an_unwritable_runs_folder(tmp_path):
    (tmp_path / "file").write_text("")
    done = call("run", "--study", tiny_grid.STUDY, "--runs", tmp_path / "file" / "runs")
    assert done.returncode == 3
    assert "is not writable" in done.stderr


def test_more_identities_than_there_are(shared_runs):
    done = call(
        "run",
        "--study",
        tiny_grid.STUDY,
        "--runs",
        shared_runs,
        "--methods",
        "none",
        "--set",
        "recipe.identities=9",
    )
    assert done.returncode == 2
    assert "the training set has 8" in done.stderr


def test_a_damaged_generated_image_is_drawn_again(with_teacher):
    (file, *_) = sorted(with_teacher.glob("data/*/bounding_box_train/*.jpg"))
    whole = file.read_bytes()
    file.write_bytes(b"broken")
    done = call("run", "--study", tiny_grid.STUDY, "--runs", with_teacher, "--methods", "kd")
    assert done.returncode == 0
    assert f"{file}, a generated file, was lost or damaged; drawing it again." in done.stderr
    assert file.read_bytes() == whole


def test_an_unreadable_image_fails_cleanly_before_training(tmp_path, shared_runs):
    (root,) = [p for p in (shared_runs / "data").iterdir() if (p / "query").is_dir()]
    images, runs = shutil.copytree(root, tmp_path / "images"), tmp_path / "runs"
    (file, *_) = sorted(images.glob("bounding_box_train/*.jpg"))
    file.write_bytes(b"broken")
    words = ("--study", tiny_grid.STUDY, "--runs", runs, "--methods", "none", "--allow-partial")
    words += ("--dataset", "market1501", "--data-root", images, "--set", "recipe.pretrained=none")
    done = call("run", *words)
    assert done.returncode == 3
    assert f"1 unreadable images: {file}" in done.stderr
    assert not list(runs.glob("**/checkpoint.pt"))


def test_a_diverging_run_exits_1_with_its_reason(with_teacher):
    done = call(
        "run",
        "--study",
        tiny_grid.STUDY,
        "--runs",
        with_teacher,
        "--methods",
        "sp",
        "--set",
        "sp.weight=1e38",
    )
    assert done.returncode == 1
    assert "failed: synthetic/sp/" in done.stderr
    assert "diverged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_generated_copy_through_the_market_loader(tmp_path, shared_runs):
    (root,) = [p for p in (shared_runs / "data").iterdir() if (p / "query").is_dir()]
    words = (
        "run",
        "--study",
        tiny_grid.STUDY,
        "--dataset",
        "market1501",
        "--data-root",
        root,
        "--runs",
        tmp_path,
        "--methods",
        "none",
        "--set",
        "recipe.pretrained=none",
    )
    done = call(*words)
    assert done.returncode == 3
    assert "is not a complete copy: train has 32 images where 12,936" in done.stderr
    done = call(*words, "--allow-partial")
    assert done.returncode == 0, done.stderr
    assert "Partial data: train has 32 images" in done.stdout
    (path,) = tmp_path.glob("market1501/none/cnn5/*/record.json")
    record = json.loads(path.read_text())
    assert "junk" in record["notes"][0] and record["data_flags"] == ["generated", "partial"]


@pytest.fixture
def executed(monkeypatch):
    """Run the command line without planning; return the request and the execution options."""
    calls = []

    def execute(request, execution, reporter):
        calls.append((request, execution))
        return 0

    monkeypatch.setattr(cli, "_execute", execute)

    def run(*words):
        done = invoke(*words)
        assert done.returncode == 0, done.stderr
        return calls.pop()

    return run


def test_every_option_is_a_field_of_one_record():
    parameters = inspect.signature(cli.run).parameters.keys() - {"context", "quiet", "no_cache"}
    records = [[field.name for field in fields(kind)] for kind in (RunRequest, ExecutionOptions)]
    assert sorted([*records[0], *records[1]]) == sorted({*parameters, "cache"})


def test_defaults_of_the_options_are_those_of_the_records(executed):
    request, execution = executed("run")
    assert request == RunRequest() and execution == ExecutionOptions()


def test_options_reach_the_records(executed):
    words = (
        "run --methods sp,pkt -x vid --dataset synthetic --set recipe.epochs=2 --set sp.weight=1"
    )
    words += " --no-cache --workers 3 --watch --cluster local --max-parallel 4 --checkpoint-every 9"
    request, execution = executed(*words.split())
    assert (request.methods, request.exclude) == (["sp,pkt"], ["vid"])
    assert request.datasets == ["synthetic"] and request.overrides == [
        "recipe.epochs=2",
        "sp.weight=1",
    ]
    assert (request.cache, request.workers) == (False, 3)
    assert execution == ExecutionOptions("local", 4, watch=True, checkpoint_every=9.0)


def test_plan_is_run_with_dry_run(executed):
    assert executed("plan", "--methods", "sp") == executed("run", "--methods", "sp", "--dry-run")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["--pack", "3"], ["--cohort-size", "3"]),
        (["--workers", "5"], ["--num-workers", "5"]),
        (["--weights", "resnet18=w.pth"], ["--pretrained", "resnet18=w.pth"]),
        (["--retry"], ["--retry-diverged"]),
        (["--dataset", "a,b"], ["--datasets", "a,b"]),
    ],
)
def test_old_and_new_spellings_of_an_option(executed, old, new):
    assert executed("run", *old) == executed("run", *new) != executed("run")


def test_retry_takes_all_settings_by_set(monkeypatch, tmp_path):
    requests = []
    monkeypatch.setattr(retry, "retry_runs", lambda _, request, __: requests.append(request) or 0)
    changes = ["recipe.images_each=4", "sp.weight=2"]
    old = ["--set", "cluster.time=60", *(word for c in changes for word in ("--with", c))]
    new = [word for c in ("cluster.time=60", *changes) for word in ("--set", c)]
    aliases = [["--pack", "3"], ["--cohort-size", "3"]]
    for words in (old, new, *aliases):
        invoke("retry", *words, "--runs", tmp_path)
    assert requests[0] == requests[1]
    assert requests[0].overrides == changes and requests[0].cluster_overrides == ["cluster.time=60"]
    assert requests[2] == requests[3] and requests[2].cohort_size == 3


def test_help_groups_the_options_and_shows_their_defaults():
    text = invoke("run", "--help").stdout
    titles = ("What to run", "Data", "Training", "Where and how", "Output")
    places = [text.index(f"╭─ {title} ─") for title in titles]
    assert places == sorted(places)
    entries = [" ".join(entry.replace("│", " ").split()) for entry in text.split("\n│ --")]
    defaults = {
        entry.partition(" ")[0]: entry.partition("[default: ")[2].partition("]")[0]
        for entry in entries[1:]
    }
    assert defaults["methods"] == "(from the study, else all)"
    assert defaults["teacher"] == "(from the study, else resnet101)"
    assert defaults["cohort-size,--pack"] == "(from the study, else 16)"
    assert defaults["checkpoint-every"] == "300.0" and defaults["runs"] == "runs"
    flags = {"again", "allow-partial", "no-cache", "watch", "dry-run", "json", "quiet", "help"}
    optional = flags | {"retry-diverged,--retry", "exclude", "study", "set", "teacher-run"}
    assert {name for name, default in defaults.items() if not default} == optional


def test_quiet_keeps_the_tables_and_the_last_line(study):
    done = call("run", *study, "--quiet")
    assert done.returncode == 0 and "KD" in done.stdout
    runs = study[study.index("--runs") + 1]
    assert done.stderr == (
        f"0 runs done now, 3 were done before, 0 failed. Report: {runs / 'report'}\n"
    )


def test_problems_of_a_command_line_are_reported_together(tmp_path):
    words = "--methods pdrdd --dataset synthetic --student resnet19 --seeds x --set recipe.epoch=3"
    done = invoke("run", *words.split(), "--runs", tmp_path)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[0] == "kdreid: 4 problems:"
    for word in ("'pdrdd'", "'resnet19'", "--seeds", "'epochs'"):
        assert sum(word in line for line in lines[1:]) == 1, word


def test_device_and_threads_are_refused_together_with_a_cluster(tmp_path):
    words = ["--cluster", "local", "--device", "cpu", "--threads", "2", "--dataset", "synthetic"]
    done = invoke("run", *words, "--runs", tmp_path)
    assert done.returncode == 2
    assert "--set cluster.gpus=N" in done.stderr and "--set cluster.cpus=N" in done.stderr


@pytest.mark.parametrize("words", [["--watch"], ["--max-parallel", "2"]])
def test_options_of_a_cluster_need_one(words, tmp_path):
    done = invoke("run", "--dataset", "synthetic", *words, "--runs", tmp_path)
    assert done.returncode == 2 and "need --cluster NAME" in done.stderr
