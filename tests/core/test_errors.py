"""Errors as commands print them, their exit codes, and suggestions for unknown words."""

from enum import StrEnum

import pytest

from harness.core.errors import (
    ErrorCollector,
    ExitCode,
    KDReIDError,
    RunInterrupted,
    SetupError,
    SlurmError,
    UsageError,
    did_you_mean,
    suggest,
)
from harness.core.lease import LeaseLostError

METHODS = ("pdrd", "pkt", "kd")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KDReIDError, 1),
        (UsageError, 2),
        (SetupError, 3),
        (SlurmError, 3),
        (RunInterrupted, 130),
        (LeaseLostError, 1),
    ],
)
def test_every_error_has_the_exit_code_of_its_documentation(error, code):
    assert issubclass(error, KDReIDError)
    assert error.exit_code == code


def test_exit_codes_are_the_documented_numbers():
    assert dict(ExitCode.__members__) == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "ENVIRONMENT": 3,
        "INCOMPLETE": 4,
        "REQUEUE": 75,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize("word", ["pdrk", "PDRD", "prdd"])
def test_a_similar_word_is_suggested_whatever_its_case(word):
    assert suggest(word, METHODS) == " Did you mean 'pdrd'?"
    assert did_you_mean(word, METHODS) == " Did you mean 'pdrd'? Known: pdrd, pkt, kd."


def test_nothing_is_suggested_for_a_word_like_no_other():
    assert suggest("zzz", METHODS) == ""
    assert did_you_mean("zzz", METHODS) == " Known: pdrd, pkt, kd."


def test_several_suggestions_are_listed_from_the_most_similar():
    names = ["FT (steps=4)", "FT (steps=8)", "at"]
    assert suggest("FT (steps=5)", names, count=3).count("FT (steps=") == 2
    assert suggest("f", ["fig", "ft"], count=2, similarity=0.4) == " Did you mean 'ft' or 'fig'?"


def test_of_words_that_differ_in_case_only_the_first_is_suggested():
    assert suggest("Ft", ["FT", "ft"]) == " Did you mean 'FT'?"


def test_one_problem_is_a_sentence_and_several_are_a_list():
    assert str(UsageError("One.")) == "One."
    assert str(SetupError("One.", "Two.")) == "2 problems:\n- One.\n- Two."
    assert str(KDReIDError()) == ""


def test_errors_are_collected_and_raised_together_each_once():
    errors = ErrorCollector()
    errors.raise_if_any()
    for error in (SetupError("Three."), UsageError("One.", "Two."), UsageError("One.")):
        with errors.collect():
            raise error
    assert not errors.is_empty
    with pytest.raises(UsageError) as raised:
        errors.raise_if_any()
    assert raised.value.problems == ("One.", "Two.", "Three.")


def test_collected_errors_are_of_the_setup_only_if_the_request_is_right():
    errors = ErrorCollector()
    with errors.collect():
        raise SetupError("No data.")
    with pytest.raises(SetupError, match=r"^No data\.$"):
        errors.raise_if_any()


def test_other_errors_are_not_collected():
    errors = ErrorCollector()
    with pytest.raises(SlurmError), errors.collect():
        raise SlurmError("squeue does not answer")
    assert errors.is_empty


def test_members_of_an_enum_are_suggested_by_their_values():
    class Colour(StrEnum):
        RED = "red"

    assert did_you_mean("rd", Colour) == " Did you mean 'red'? Known: red."
