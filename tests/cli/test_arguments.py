"""Words that no command can take are refused by every command, with exit code 2."""

from contextlib import nullcontext as does_not_raise

import pytest

from harness.cli.arguments import MAX_LENGTH, require_plain_words
from harness.core.errors import UsageError
from tests.support.command_line import invoke


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--seeds", ""], "The value of '--seeds' is empty: given ''."),
        (["run", "--teacher="], "The value of '--teacher' is empty"),
        (["run", "--runs", "  "], "The value of '--runs' is empty"),
        (["status", ""], "A word of the command line is empty"),
        (["run", "--study", "a\nb"], r"contains a control character: 'a\nb'"),
        (["run", "--student", "\x1b[2J"], r"contains a control character: '\x1b[2J'"),
        (["diff", "a\0", "b"], r"contains a control character: 'a\x00'"),
        (["report", "--runs", "\udcff"], r"is not valid UTF-8: '\udcff'"),
        (["run", "--pack", "\u0663"], "'--pack' is a number in digits other than 0 to 9"),
        (["run", "--seeds=0,\u0661"], "'--seeds' is a number in digits other than 0 to 9"),
        (["run", "--set", "recipe.epochs=\uff11"], "is a number in digits other than 0 to 9"),
        (["status", "x" * (MAX_LENGTH + 1)], "has 20,001 characters"),
    ],
)
def test_refused_words(words, message):
    done = invoke(*words)
    assert done.returncode == 2 and message in done.stderr
    assert "Traceback" not in done.stderr and "\x1b" not in done.stderr


def test_words_that_are_taken():
    words = ("--runs", "Läufe/中文", "--set", "kd.weight=-1.5e3", "-n", "--study=a=b", "é=")
    with does_not_raise():
        require_plain_words(("run", *words))


def test_every_problem_is_named():
    with pytest.raises(UsageError, match="2 problems"):
        require_plain_words(["--seeds", "", "--runs", "\t"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--dataset", "market1501", "--json"], "--json prints a plan: add --dry-run"),
        (["run", "--cluster", "local", "--json"], "--json prints a plan: add --dry-run"),
        (["run", "--checkpoint-every", "nan"], "checkpoint-every"),
        (["run", "--checkpoint-every", "inf"], "--checkpoint-every takes seconds"),
        (["run", "--pack", "9" * 5000], "'--pack'"),
    ],
)
def test_options_of_run(words, message, tmp_path):
    done = invoke(*words, "--runs", tmp_path / "runs")
    assert done.returncode == 2 and message in done.stderr
    assert not (tmp_path / "runs").exists()
