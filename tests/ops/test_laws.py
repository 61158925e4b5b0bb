"""Every registered operator obeys the laws: an operator is tested by being registered."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

from deepdive.testing import check_operator
from deepdive.testing.samples import registered_functions

for _part in sorted(Path(__file__).parent.glob("sample_table*.py")):  # running fills the table
    runpy.run_path(str(_part))


FUNCTIONS = [pytest.param(function, id=name) for name, function in registered_functions()]


def check(function, seed):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = check_operator(function, seed=seed, raise_exception=False)
    assert report, str(report)
    return report


@pytest.mark.parametrize("function", FUNCTIONS)
def test_laws(function):
    """One seed; where PyTorch has the name, at least one call was really compared with it."""
    report = check(function, seed=0)
    torch = pytest.importorskip("torch")
    if hasattr(torch, report.name) or hasattr(torch.nn.functional, report.name):
        assert report.counts.get("like_torch"), str(report)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("function", FUNCTIONS)
def test_laws_with_other_numbers(function, seed):
    check(function, seed)
