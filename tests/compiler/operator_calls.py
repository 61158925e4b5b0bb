"""Every registered operator with its sample calls, ready to be run in another way than eagerly."""

import runpy
import warnings
from pathlib import Path

import numpy as np

import deepdive as dd
from deepdive.errors import DeepDiveError
from deepdive.testing.case import Case
from deepdive.testing.samples import samples_of

for _part in sorted((Path(__file__).parents[1] / "ops").glob("sample_table*.py")):
    runpy.run_path(str(_part))  # running them fills the table of samples


class Call:
    """One sample call in one dtype: its outputs, its gradients, and theirs where there are any."""

    def __init__(self, case, dtype):
        self.case = case
        self.tensors = [dd.tensor(array) for array in case.cast(dtype)]
        for order in (2, 1):
            self.order = order
            try:
                self.expected = [_copied(t) for t in self.run(self.tensors)]
                return
            except DeepDiveError:  # no second derivative
                if order == 1:
                    raise

    def run(self, tensors):
        """Outputs, gradients and their gradients, computed from these tensors."""
        case = self.case
        inputs, outputs = case.tracked([tensor.detach() for tensor in tensors])
        found = list(outputs)
        total = case.weighted(outputs)
        if total is None:
            return found
        grads = dd.grad(total, inputs, allow_unused=True, create_graph=self.order > 1)
        slope = None
        for grad, direction in zip(grads, case.directions, strict=True):
            if grad is not None and grad.requires_grad:
                part = (grad * dd.tensor(direction, dtype=grad.dtype)).sum()
                slope = part if slope is None else slope + part
        found += grads
        if slope is not None and slope.requires_grad:
            found += dd.grad(slope, inputs, allow_unused=True)
        return found

    def compare(self, found, tolerance):
        """Whether what another way gave is what eager mode gives: values, shapes and dtypes."""
        for got, expected in zip(found, self.expected, strict=True):
            if expected is None:
                assert got is None
                continue
            assert got.shape == expected.shape
            assert got.dtype == expected.dtype
            size = float(np.abs(np.nan_to_num(expected)).max(initial=0.0))
            np.testing.assert_allclose(
                got.numpy(), expected, tolerance, tolerance * (1 + size), err_msg=str(self)
            )

    def __str__(self):
        return str(self.case.sample)


def _copied(tensor):
    return None if tensor is None else tensor.numpy().copy()


def calls(function, dtype):
    """The sample calls of a function that eager mode accepts."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in samples_of(function):
            try:
                yield Call(Case(function, sample, 0), dtype)
            except DeepDiveError:
                assert sample.optional or dtype != "float64", f"refused: {sample}"
