"""Checks of what every distillation method must do, public like `numpy.testing`.

A test of a method of your own needs one line:

    from harness.testing import assert_loss_conforms

    def test_my_method():
        assert_loss_conforms(MyMethod)

`kdreid check-method` makes these checks, and those of `harness.testing.training_checks`, which
trains with the method.
"""

from harness.testing.checks import CheckResult, run_checks
from harness.testing.loss_checks import (
    LABELS,
    LARGE,
    SMALL,
    assert_loss_conforms,
    check_loss,
    random_outputs,
)

__all__ = [
    "LABELS",
    "LARGE",
    "SMALL",
    "CheckResult",
    "assert_loss_conforms",
    "check_loss",
    "random_outputs",
    "run_checks",
]
