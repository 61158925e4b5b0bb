"""An optimizer is its formula; everything around the formula is here.

A subclass writes ``update(self, xp, w, g, *slots, …) -> (w, *slots)``: pure, without branching on
numbers.  This class hands it arrays, copies what it returns into the buffers that exist, counts
steps, and keeps groups and state.  A subclass may also override ``step``, as one does in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.core import mutation
from deepdive.core.tensor import Tensor
from deepdive.errors import OperatorError
from deepdive.optim import groups, state

BLOCK = 16_384  # elements: the temporaries of one block stay in the cache (64 KiB of float32)

EVERY = {"weight_decay": 0.0, "l1": 0.0, "maximize": False}  # what every optimizer can do


class Optimizer:
    """Base of all optimizers.

    An own optimizer is its formula; what ``update`` names after ``*`` are its hyper-parameters::

        class SignSGD(Optimizer):
            elementwise = True

            def update(self, xp, w, g, *, lr=1e-3):
                return (w - lr * xp.sign(g),)

    ``update`` may also ask for ``t``, the number of this step (from 1, counted per parameter).
    L2 (``weight_decay``) and L1 (``l1``) regularisation and ``maximize`` change ``g`` before
    ``update`` sees it, unless ``update`` asks for them by name: then they are its own business.

    Args:
        params: Tensors, (name, Tensor) pairs, dicts of groups, or a Module.
        defaults: hyper-parameters, as in PyTorch; keyword arguments do the same.

    Raises:
        ArgumentError: for parameters or hyper-parameters that make no sense.
        OperatorError: if the class has neither ``update`` nor a ``step`` of its own.

    >>> import deepdive as dd
    >>> class SignSGD(Optimizer):
    ...     def update(self, xp, w, g, *, lr=0.5):
    ...         return (w - lr * xp.sign(g),)
    >>> w = dd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SignSGD([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    slots: tuple[str, ...] = ()  # arrays kept per parameter, of its shape
    optional: tuple[str, ...] = ()  # hyper-parameters that reach `update` as None while they are 0
    elementwise = False  # True: each element's update needs nothing of the others

    update: Callable[..., tuple[Any, ...]]

    def __init__(
        self, params: Any, defaults: Mapping[str, Any] | None = None, **hyper: Any
    ) -> None:
        formula = getattr(type(self), "update", None)
        if formula is None and type(self).step is Optimizer.step:
            raise OperatorError(
                f"{type(self).__name__}: an optimizer is its formula, and this one has none",
                fix="define update(self, xp, w, g, *, lr) -> (w - lr * g,), or override step()",
            )
        own = (formula and formula.__kwdefaults__) or {}
        self.defaults = {**EVERY, **own, **(defaults or {}), **hyper}
        self._asked = _keywords(formula) if formula else ()
        groups.check_known(self.defaults, [*self._asked, *(defaults or ()), *EVERY], self._title)
        self.param_groups: list[dict[str, Any]] = []
        self._states: list[list[dict[str, Any]]] = []
        for group in groups.listed(params, self._title):
            self.add_param_group(group)

    # --- what a formula may refine -------------------------------------------------------------
    def slots_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The slots that parameters of `group` need, where that depends on its options."""
        return self.slots

    def start(self, xp: Any, slot: str, w: Any, group: Mapping[str, Any]) -> Any:
        """The first value of a slot."""
        return xp.zeros_like(w)

    def check(self, group: Mapping[str, Any]) -> None:
        """Refuse options that contradict each other, with an ArgumentError."""

    # --- the engine ----------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; frozen ones (grad None) are skipped.

        Args:
            closure: computes and returns the loss, after filling the gradients (optional).
        """
        loss = None
        if closure is not None:
            with config.enable_grad():
                loss = closure()
        for group, states in zip(self.param_groups, self._states, strict=True):
            hyper = {name: self._value(group, name) for name in self._asked if name != "t"}
            terms = _Terms(group, self._asked)
            slots = self.slots_of(group)
            for p, kept in zip(group["params"], states, strict=True):
                if p._grad is not None:
                    for slot in slots:
                        if slot not in kept:
                            xp = speakers.BY_TYPE[type(p._data)]
                            kept[slot] = self.start(xp, slot, p._data, group)
                    self._advance(p, kept, slots, hyper, terms)
        return loss

    def _value(self, group: Mapping[str, Any], name: str) -> Any:
        value = group[name]
        if name in self.optional and not value:
            return None
        # a NumPy scalar would widen float32 arrays, a Tensor would record
        return value.item() if hasattr(value, "item") else value

    def _advance(
        self, p: Tensor, kept: dict[str, Any], slots: tuple[str, ...], hyper: Any, terms: Any
    ) -> None:
        """One parameter's step, in blocks where it is large."""
        w, g = p._data, p._grad
        if isinstance(g, Tensor):
            g = g._data
        xp = speakers.BY_TYPE[type(w)]
        kept["t"] += 1
        if "t" in self._asked:
            hyper["t"] = kept["t"]
        arrays = (w, *[kept[slot] for slot in slots])
        if self.elementwise and w.size > BLOCK:
            rows = max(1, BLOCK * w.shape[0] // w.size)
            for i in range(0, w.shape[0], rows):
                block = slice(i, i + rows)
                self._write(xp, [a[block] for a in arrays], g[block], slots, hyper, terms)
        else:
            self._write(xp, arrays, g, slots, hyper, terms)
        mutation.stamp(w)

    def _write(self, xp: Any, arrays: Any, g: Any, slots: Any, hyper: Any, terms: Any) -> None:
        w = arrays[0]
        if terms.any:
            g = terms.apply(xp, w, g)
        for slot, array in zip(slots, arrays[1:], strict=True):
            hyper[slot] = array
        for array, values in zip(arrays, self.update(xp, w, g, **hyper), strict=True):
            xp.write(array, values)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                elif p._grad is not None:
                    p.grad = speakers.BY_TYPE[type(p._data)].zeros_like(p._data)

    # --- groups and state ----------------------------------------------------------------------
    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own: ``{"params": …, "lr": …}``.

        Raises:
            ArgumentError: for options outside their domain, and parameters given twice.
        """
        made = groups.made(group, self.defaults, self._title)
        groups.check_new(made, self.param_groups, self._title)
        self.check(made)
        self.param_groups.append(made)
        self._states.append([{"t": 0} for _ in made["params"]])

    @property
    def state(self) -> list[dict[str, Any]]:
        """``{"t": steps, slot: array, …}`` per parameter, in the order of the groups."""
        return [kept for states in self._states for kept in states]

    def state_dict(self) -> dict[str, Any]:
        """Options and a copy of the state, as plain data and arrays.

        ``{"state": {name: {"t": 3, "m": array, …}}, "param_groups": [{"lr": …, "params":
        [name, …]}]}``, with positions ``"0"``, ``"1"`` … for parameters whose names are not known.
        """
        return state.saved(self.param_groups, self._states)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where :meth:`state_dict` was taken; nothing changes if it does not fit.

        Raises:
            CheckpointError: with a list of everything that does not fit.
        """
        state.load(self, state_dict)

    @property
    def _title(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        lines = [f"{self._title} ("]
        for i, group in enumerate(self.param_groups):
            lines += [f"  group {i}: {len(group['params'])} parameters"]
            options = [f"{k}={v!r}" for k, v in group.items() if not k.startswith("param")]
            lines += ["    " + ", ".join(options)]
        return "\n".join([*lines, ")"])


class _Terms:
    """What a group adds to the gradient before the formula: ``±g + l2 w + l1 sign(w)``."""

    __slots__ = ("any", "l1", "l2", "maximize")

    def __init__(self, group: Mapping[str, Any], asked: Iterable[str]) -> None:
        self.maximize = bool(group["maximize"]) and "maximize" not in asked
        self.l2 = 0.0 if "weight_decay" in asked else float(group["weight_decay"])
        self.l1 = 0.0 if "l1" in asked else float(group["l1"])
        self.any = bool(self.maximize or self.l2 or self.l1)

    def apply(self, xp: Any, w: Any, g: Any) -> Any:
        if self.maximize:
            g = -g
        if self.l2:
            g = g + self.l2 * w
        if self.l1:
            g = g + self.l1 * xp.sign(w)
        return g


def _keywords(formula: Any) -> tuple[str, ...]:
    """The names after ``*`` in a function's signature."""
    code = formula.__code__
    return code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
