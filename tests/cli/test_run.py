"""`kdreid run`, and `python -m harness.run`."""

import json
import sys

import pytest

from harness.cli.run import main
from tests.support import tiny_grid
from tests.support.command_line import call


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


def test_an_unreadable_image_fails_cleanly_before_training(with_teacher):
    (file, *_) = sorted(with_teacher.glob("data/*/bounding_box_train/*.jpg"))
    file.write_bytes(b"broken")
    done = call("run", "--study", tiny_grid.STUDY, "--runs", with_teacher, "--methods", "sp")
    assert done.returncode == 3
    assert f"1 unreadable images: {file}" in done.stderr
    assert not list(with_teacher.glob("**/checkpoint.pt"))


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
    done = call(
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
    assert done.returncode == 3
    assert "is not a complete copy: train has 32 images where 12,936" in done.stderr
    done = call(
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
        "--allow-partial",
    )
    assert done.returncode == 0, done.stderr
    assert "Partial data: train has 32 images" in done.stdout
    (path,) = tmp_path.glob("market1501/none/cnn5/*/record.json")
    record = json.loads(path.read_text())
    assert "junk" in record["notes"][0] and record["data_flags"] == ["partial"]


