"""An optimizer is its formula; everything around the formula is here.

A subclass writes ``update(self, xp, w, g, *slots, …) -> (w, *slots)``: pure, without branching on
numbers.  This class hands it arrays, copies what it returns into the buffers that exist, counts
steps, and keeps groups and state.  A subclass may also override ``step``, as one does in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.backend.widening import NARROW, widen
from deepdive.core import mutation
from deepdive.core.tensor import Tensor, changing
from deepdive.errors import OperatorError
from deepdive.optim import groups, recorded, state

# Elements: the temporaries of one block stay in the L2 cache.  A 4608 × 1024 step of SGD with
# weight decay takes 4.2 ms in blocks of 8,192, 2.3 of 32,768, 2.2 of 65,536, 3.5 in one piece.
BLOCK = 131_072

Options = Mapping[str, Any]

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
        defaults: hyper-parameters, as in PyTorch; keyword arguments do the same.  PyTorch's hints
            ``foreach``, ``fused``, ``capturable`` and ``differentiable`` are taken where they are
            off: there is one way a step is computed.

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
    fixed: tuple[str, ...] = ()  # those that decide how much is computed: compiled as they are
    elementwise = False  # True: each element's update needs nothing of the others

    update: Callable[..., tuple[Any, ...]]

    def __init__(self, params: Any, defaults: Options | None = None, **hyper: Any) -> None:
        formula = getattr(type(self), "update", None)
        if formula is None and type(self).step is Optimizer.step:
            raise OperatorError(
                f"{type(self).__name__}: an optimizer is its formula, and this one has none",
                fix="define update(self, xp, w, g, *, lr) -> (w - lr * g,), or override step()",
            )
        own = (formula and formula.__kwdefaults__) or {}
        hyper = groups.without_hints(hyper, self._title)
        self.defaults = {**EVERY, **own, **(defaults or {}), **hyper}
        asked = _keywords(formula) if formula else ()
        known = list(dict.fromkeys([*asked, *(defaults or ()), *EVERY]))
        groups.check_known(self.defaults, known, self._title)
        self._counts = "t" in asked
        self._asked = [name for name in asked if name != "t"]
        self._optional = [name for name in self.optional if name in asked]
        self._terms = [name for name in EVERY if name not in asked]
        self.param_groups: list[dict[str, Any]] = []
        self._states: list[list[dict[str, Any]]] = []
        for group in groups.listed(params, self._title):
            self.add_param_group(group)

    # --- what a formula may refine -------------------------------------------------------------
    def slots_of(self, group: Options) -> tuple[str, ...]:
        """The slots that parameters of `group` need, where that depends on its options."""
        return self.slots

    def start(self, xp: Any, slot: str, w: Any, group: Options) -> Any:
        """The first value of a slot."""
        return xp.zeros_like(w)

    def check(self, group: Options) -> None:
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
        tracer = config.tracing.get()
        if tracer is not None:
            recorded.record_step(self, tracer)
            return loss
        for group, states in zip(self.param_groups, self._states, strict=True):
            slots = self.slots_of(group)
            hyper = {name: _number(group[name]) for name in self._asked}
            for name in self._optional:
                hyper[name] = hyper[name] or None
            terms = {name: _number(group[name]) for name in self._terms if group[name]}
            for p, kept in zip(group["params"], states, strict=True):
                if p._grad is not None:
                    if slots:
                        self._begin(p._data, kept, slots, group)
                    self._advance(p, kept, slots, hyper, terms)
        return loss

    def _begin(self, w: Any, kept: dict[str, Any], slots: Any, group: Options) -> None:
        for slot in slots:
            if slot not in kept:
                kept[slot] = self.start(_speaker(w), slot, w, group)
            elif type(kept[slot]) is not type(w):
                kept[slot] = _beside(w, kept[slot])

    def _advance(
        self, p: Tensor, kept: dict[str, Any], slots: Any, hyper: dict[str, Any], terms: Any
    ) -> None:
        """One parameter's step, in blocks of its first axis where it is large."""
        w, g = changing(p), p._grad
        if isinstance(g, Tensor):
            g = g._data
        xp = _speaker(w)
        recorded, fused = _manners(xp)
        if recorded:
            kept.update({slot: xp.asarray(kept[slot]) for slot in slots})
        kept["t"] += 1
        if self._counts:
            hyper["t"] = kept["t"]
        whole = [w, *[kept[slot] for slot in slots]]
        if fused is not None and self.elementwise:
            if not fused.update(self, [*whole, xp.contiguous(g)], hyper, terms):
                self._apply(xp, whole, g, hyper, terms)
        elif self.elementwise and w.size > BLOCK and not recorded:
            for block in _blocks(w):
                parts = [array[block] for array in whole]
                self._apply(xp, parts, g[block], hyper, terms)
        else:
            self._apply(xp, whole, g, hyper, terms)
        mutation.stamp(w)

    def _apply(self, xp: Any, arrays: list[Any], g: Any, hyper: Options, terms: Options) -> None:
        w, *slots = arrays
        if NARROW:  # rounded once, when written
            w, g, *slots = widen(xp, [w, g, *slots])
        if terms:
            g = _regularised(xp, w, g, **terms)
        results = self.update(xp, w, g, *slots, **hyper)
        for array, values in zip(arrays, results, strict=True):
            xp.write(array, values)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        tracer = config.tracing.get()
        for group in self.param_groups:
            for p in group["params"]:
                if tracer is not None and set_to_none:
                    tracer.cleared(p)
                if set_to_none:
                    p._grad = None
                elif p._grad is not None:
                    p.grad = _speaker(p._data).zeros_like(p._data)

    # --- groups and state ----------------------------------------------------------------------
    def add_param_group(self, group: Options) -> None:
        """Add parameters with options of their own: ``{"params": …, "lr": …}``.

        Raises:
            ArgumentError: for options outside their domain, and parameters given twice.
        """
        made = groups.made(group, self.defaults, self._title)
        groups.check_new(made, self.param_groups, self._title)
        groups.check_complete(made, self._asked, self._title)
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
        return state.saved(self)

    def load_state_dict(self, state_dict: Options) -> None:
        """Continue where :meth:`state_dict` was taken; nothing changes if it does not fit.

        Raises:
            CheckpointError: with a list of everything that does not fit.
        """
        state.load(self, state_dict)

    @property
    def _title(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        lines = [f"{self._title}("]
        for group in self.param_groups:
            options = [f"{name}={group[name]!r}" for name in self.defaults]
            lines.append(f"  {len(group['params'])} parameters: {', '.join(options)}")
        return "\n".join([*lines, ")"])


def _speaker(array: Any) -> Any:
    return speakers.BY_TYPE[type(array)]


@cache
def _manners(xp: Any) -> tuple[bool, Any]:
    """Whether a speaker records, and what a GPU's has to make one launch of an update."""
    return hasattr(xp, "adopt"), getattr(xp, "fused", None)


def _beside(w: Any, array: Any) -> Any:
    """`array` on the device of `w`, which has moved since the last step; recorded ones stay."""
    here, there = _speaker(w), _speaker(array)
    if here.DEVICE == there.DEVICE:
        return array
    return here.copy(here.asarray(there.to_numpy(array)))


def _number(value: Any) -> Any:
    """A NumPy scalar would widen float32 arrays, and a Tensor would record: numbers do neither."""
    return value.item() if hasattr(value, "item") else value


def _regularised(
    xp: Any, w: Any, g: Any, weight_decay: Any = None, l1: Any = None, maximize: bool = False
) -> Any:
    """The gradient with what a group adds to it: ``±g + weight_decay w + l1 sign(w)``.

    A term that is off is not passed: its value may be known only when a compiled program runs.
    """
    if maximize:
        g = -g
    if weight_decay is not None:
        decay = weight_decay * w
        decay += g
        g = decay
    if l1 is not None:
        g = g + l1 * xp.sign(w)
    return g


def _blocks(w: Any) -> Iterator[slice]:
    """Even slices of the first axis, of about BLOCK elements."""
    count = -(-w.size // BLOCK)
    rows = -(-w.shape[0] // count)
    return (slice(i, i + rows) for i in range(0, w.shape[0], rows))


def _keywords(formula: Any) -> tuple[str, ...]:
    """The names after ``*`` in a function's signature."""
    code = formula.__code__
    return code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
