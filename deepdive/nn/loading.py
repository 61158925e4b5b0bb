"""Putting saved arrays into the tensors of a model: all of them or none, with a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepdive import dtypes
from deepdive.backend import speakers
from deepdive.core import mutation
from deepdive.core.tensor import Tensor, array_of
from deepdive.errors import CheckpointError, DeepDiveError, did_you_mean

MOST_SHOWN = 10  # names of each kind


class LoadReport:
    """What became of the names in a state and in a model.

    Attributes:
        loaded: names whose values were taken over.
        missing: the model has them, the state has not (PyTorch: ``missing_keys``).
        unexpected: the state has them, the model has not (``unexpected_keys``).
        mismatched: both have them, but they do not fit: name → why.
    """

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.mismatched: dict[str, str] = {}

    @property
    def missing_keys(self) -> list[str]:
        return self.missing

    @property
    def unexpected_keys(self) -> list[str]:
        return self.unexpected

    @property
    def complete(self) -> bool:
        """Whether every name found its like."""
        return not (self.missing or self.unexpected or self.mismatched)

    def __repr__(self) -> str:
        if self.complete:
            return f"<All keys matched successfully: {len(self.loaded)} loaded>"
        lines = [f"{len(self.loaded)} loaded"]
        for kind in ("missing", "unexpected"):
            names = getattr(self, kind)
            lines += _shown(kind, [repr(name) + self._hint(kind, name) for name in names])
        lines += _shown("mismatched", [f"{n!r}: {why}" for n, why in self.mismatched.items()])
        return "\n".join(lines)

    def _hint(self, kind: str, name: str) -> str:
        others = self.unexpected if kind == "missing" else self.missing
        if len(others) > 1000:  # looking for near names takes the square of their number
            return ""
        near = did_you_mean(name, others)
        return f"  ({near})" if near and kind == "unexpected" else ""


def _shown(kind: str, entries: list[str]) -> list[str]:
    if not entries:
        return []
    left = len(entries) - MOST_SHOWN
    more = [f"  … and {left} more"] if left > 0 else []
    return [f"{len(entries)} {kind}:", *(f"  {entry}" for entry in entries[:MOST_SHOWN]), *more]


def load(
    targets: Mapping[str, Tensor], state: Mapping[str, Any], strict: bool, assign: bool
) -> LoadReport:
    """Copies the arrays of `state` into the tensors of the same names.

    Args:
        strict: refuse unless all names match; otherwise what fits is loaded.
        assign: put the arrays themselves in place of the tensors' memory, with their dtype.

    Raises:
        CheckpointError: if strict and something does not fit; then nothing was loaded.
    """
    if not isinstance(state, Mapping):
        raise CheckpointError(
            "load_state_dict: a state maps names to arrays",
            got=f"{type(state).__name__} {state!r:.60}",
            expected="a dict, as state_dict() gives it",
            fix="model.load(folder) reads what model.save(folder) wrote",
        )
    report = LoadReport()
    arrays = {}
    absent = []
    for name, target in targets.items():
        if name not in state:
            absent.append(name)
            continue
        try:
            arrays[name] = _fitting(target, state[name])
            report.loaded.append(name)
        except DeepDiveError as error:
            report.mismatched[name] = error.what
    report.unexpected += [name for name in state if name not in targets]
    given = set() if report.unexpected else {id(targets[name]) for name in arrays}
    for name in absent:  # a tensor with two names is often saved once
        (report.loaded if id(targets[name]) in given else report.missing).append(name)
    if strict and not report.complete:
        report.loaded.clear()
        raise CheckpointError(
            f"load_state_dict: the state does not fit, nothing was loaded\n{report!r}",
            fix=_prefix_fix(report) or "strict=False loads what fits",
        )
    for name, array in arrays.items():
        if assign:
            replace(targets[name], array)
        else:
            speakers.BY_TYPE[type(array)].write(targets[name]._data, array)
            mutation.stamp(targets[name]._data, "load_state_dict")
    return report


def _fitting(target: Tensor, value: Any) -> Any:
    """`value` as an array for `target`."""
    speaker = speakers.BY_TYPE[type(target._data)]
    if isinstance(value, Tensor) and value.device != target.device:
        value = speakers.to_host(value._data)  # a state may come from another device
    array = array_of(value, speaker)
    if tuple(array.shape) != tuple(target.shape):
        raise CheckpointError(f"shape {tuple(array.shape)}, the model has {tuple(target.shape)}")
    if dtypes.is_floating(array.dtype) != dtypes.is_floating(target.dtype):
        raise CheckpointError(f"dtype {array.dtype}, the model has {target.dtype}")
    return array


def _prefix_fix(report: LoadReport) -> str | None:
    """Names that all lack, or all have, the same beginning (``module.``, ``_orig_mod.``)."""
    if not report.missing or len(report.missing) != len(report.unexpected):
        return None
    ours, theirs = report.missing[0], report.unexpected[0]
    if theirs.endswith("." + ours):
        prefix = theirs[: -len(ours)]
        if [prefix + name for name in report.missing] == report.unexpected:
            return f"{{name.removeprefix({prefix!r}): x for name, x in state.items()}}"
    return None


def replace(tensor: Tensor, array: Any) -> None:
    """Give `tensor` another array, perhaps of another dtype; it stays the same object."""
    if array is tensor._data:
        return
    hooks = None if tensor._node is None else tensor._node.hooks
    tensor._data = array
    if tensor._node is not None:
        tensor._node.disown()
        tensor._become_leaf()
        tensor._node.hooks = hooks
