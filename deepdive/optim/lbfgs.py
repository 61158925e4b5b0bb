"""L-BFGS: Newton's method with a Hessian remembered from the last few steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.backend.widening import widen
from deepdive.core import mutation
from deepdive.errors import ArgumentError, CheckpointError, GraphError
from deepdive.optim.optimizer import Optimizer
from deepdive.optim.wolfe import Point, strong_wolfe

SCALARS = ("steps", "evaluations", "t", "scale")
ARRAYS = ("direction", "gradient")
LISTS = ("changes", "moves")


class LBFGS(Optimizer):
    """Limited-memory BFGS (Liu & Nocedal 1989), as in PyTorch; ``step`` needs the closure.

    ``step(closure)`` makes up to `max_iter` iterations; the closure clears the gradients, computes
    the loss, calls ``backward()`` and returns the loss, and is called many times.

    Args:
        lr: the length of a step, or – with the line search – the first one tried.
        max_iter, max_eval: iterations and calls of the closure per step (default: 1.25 each).
        tolerance_grad, tolerance_change: stop where nothing is left to gain.
        history_size: how many changes of the gradient are remembered.
        line_search_fn: None, or ``"strong_wolfe"``.

    Raises:
        ArgumentError: for several groups of parameters, or another line search.

    >>> import deepdive as dd
    >>> w = dd.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> bool(((w - 1).abs() < 1e-4).all())
    True
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ArgumentError(
                "LBFGS: unknown line search",
                got=repr(line_search_fn),
                expected="None or 'strong_wolfe'",
            )
        options = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, options)
        if len(self.param_groups) > 1:
            raise ArgumentError("LBFGS: one group of parameters", got=len(self.param_groups))
        self.memory: dict[str, Any] = _empty()

    # --- all parameters as one vector ----------------------------------------------------------
    @property
    def _params(self) -> list[Any]:
        return self.param_groups[0]["params"]  # type: ignore[no-any-return]

    @property
    def _xp(self) -> Any:
        return speakers.BY_TYPE[type(self._params[0]._data)]

    def _flat_gradient(self) -> Any:
        xp, parts = self._xp, []
        for p in self._params:
            grad = p.grad
            array = xp.zeros_like(p._data) if grad is None else grad._data
            parts.append(xp.reshape(widen(xp, array), (-1,)))
        return xp.concat(parts)

    def _flat_weights(self) -> Any:
        xp = self._xp
        return xp.concat([xp.reshape(widen(xp, p._data), (-1,)) for p in self._params])

    def _put(self, vector: Any) -> None:
        start = 0
        for p in self._params:
            part = vector[start : start + p.numel()]
            self._xp.write(p._data, self._xp.reshape(part, p.shape))
            mutation.stamp(p._data)
            start += p.numel()

    # --- the step ------------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to ``max_iter`` iterations; returns the loss at the beginning.

        Raises:
            ArgumentError: without a closure.
            GraphError: while a function is being compiled: it looks at the loss.
        """
        if closure is None:
            raise ArgumentError(
                "LBFGS: step(closure) needs the function that computes the loss",
                fix="closure: zero_grad(), loss.backward(), return loss",
            )
        if config.tracing.get() is not None:
            raise GraphError(
                "compile: LBFGS looks at the loss to decide how to go on",
                fix="compile the closure, and call step(closure) outside",
            )
        with config.enable_grad():
            first = closure()
        memory = self.memory
        memory["evaluations"] += 1
        loss, gradient, calls = float(first), self._flat_gradient(), 1
        group = self.param_groups[0]
        for i in range(1, group["max_iter"] + 1):
            if self._largest(gradient) <= group["tolerance_grad"]:
                break
            last = i == group["max_iter"]
            before = loss
            found = self._iterate(closure, loss, gradient, group["max_eval"] - calls, last)
            if found is None:
                break
            loss, gradient, more = found
            calls += more
            memory["evaluations"] += more
            if calls >= group["max_eval"] or self._stands_still(loss - before):
                break
        return first

    def _largest(self, vector: Any) -> float:
        return self._number(self._xp.max(self._xp.abs(vector)))

    def _dot(self, x: Any, y: Any) -> float:
        return self._number(self._xp.matmul(x, y))

    def _number(self, x: Any) -> float:
        """The number of a 0-d array of any device."""
        return float(self._xp.readable(x))

    def _stands_still(self, gain: float) -> bool:
        least = self.param_groups[0]["tolerance_change"]
        move = self._largest(self.memory["direction"] * self.memory["t"])
        return move <= least or abs(gain) < least

    def _iterate(
        self, closure: Any, loss: float, gradient: Any, calls: int, last: bool
    ) -> tuple[float, Any, int] | None:
        """One iteration: the new loss, its gradient, the calls it took; None if none goes down."""
        memory, group = self.memory, self.param_groups[0]
        memory["steps"] += 1
        direction = self._direction(gradient)
        slope = self._dot(gradient, direction)
        t = self._first_length(gradient)
        memory["direction"], memory["t"] = direction, t
        memory["gradient"] = self._xp.copy(gradient)
        if slope > -group["tolerance_change"]:
            return None
        start = self._flat_weights()

        def at(step: float) -> Point:
            self._put(start + step * direction)
            with config.enable_grad():
                value = float(closure())
            slopes = self._flat_gradient()
            return Point(step, value, slopes, self._dot(slopes, direction))

        if group["line_search_fn"]:
            here = Point(0.0, loss, gradient, slope)
            length = self._largest(direction)
            found, used = strong_wolfe(at, here, t, length, most=calls)
            memory["t"] = found.t
            self._put(start + found.t * direction)
            return found.value, found.gradient, used
        if last:  # nobody will look at the loss there
            self._put(start + t * direction)
            return loss, gradient, 0
        found = at(t)
        return found.value, found.gradient, 1

    def _first_length(self, gradient: Any) -> float:
        """The step to begin with: the first of all is scaled by the gradient's size."""
        rate = float(self.param_groups[0]["lr"])
        if self.memory["steps"] > 1:
            return rate
        total = self._number(self._xp.sum(self._xp.abs(gradient)))
        return min(1.0, 1.0 / total) * rate

    def _direction(self, gradient: Any) -> Any:
        """Minus the gradient times the remembered inverse Hessian, by two loops."""
        memory = self.memory
        if memory["steps"] == 1:
            return -gradient
        change = gradient - memory["gradient"]
        move = memory["direction"] * memory["t"]
        curvature = self._dot(change, move)
        if curvature > 1e-10:
            memory["changes"].append(change)
            memory["moves"].append(move)
            keep = self.param_groups[0]["history_size"]
            for name in LISTS:
                del memory[name][:-keep]
            memory["scale"] = curvature / self._dot(change, change)
        pairs = list(zip(memory["changes"], memory["moves"], strict=True))
        shares, q = [], -gradient
        for y, s in reversed(pairs):
            share = self._dot(s, q) / self._dot(y, s)
            shares.append(share)
            q = q - share * y
        q = q * memory["scale"]
        for (y, s), share in zip(pairs, reversed(shares), strict=True):
            back = self._dot(y, q) / self._dot(y, s)
            q = q + (share - back) * s
        return q

    # --- state ---------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Options, and what is remembered: numbers, arrays and lists of arrays."""
        xp = self._xp
        kept = {name: self.memory[name] for name in SCALARS}
        for name in ARRAYS:
            array = self.memory[name]
            kept[name] = None if array is None else xp.to_numpy(xp.copy(array))
        for name in LISTS:
            kept[name] = [xp.to_numpy(xp.copy(array)) for array in self.memory[name]]
        return {**super().state_dict(), "state": {"memory": kept}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where :meth:`state_dict` was taken.

        Raises:
            CheckpointError: if it is not an LBFGS's, or of other parameters.
        """
        kept = state_dict.get("state", {}).get("memory")
        wanted = {*SCALARS, *ARRAYS, *LISTS}
        if not isinstance(kept, Mapping) or kept.keys() != wanted:
            raise CheckpointError(
                "LBFGS.load_state_dict: this is not the state of an LBFGS",
                expected="a dict with 'state' and 'param_groups', from state_dict()",
            )
        size = sum(p.numel() for p in self._params)
        held = [kept[name] for name in ARRAYS if kept[name] is not None]
        for array in [*held, *kept["changes"], *kept["moves"]]:
            if array.shape != (size,):
                raise CheckpointError(
                    "LBFGS.load_state_dict: the state is of other parameters",
                    got=f"{array.shape[0]} numbers",
                    expected=f"{size}",
                )
        super().load_state_dict({**state_dict, "state": {}})
        xp = self._xp
        self.memory = {name: kept[name] for name in SCALARS}
        for name in ARRAYS:
            array = kept[name]
            self.memory[name] = None if array is None else xp.copy(xp.asarray(array))
        for name in LISTS:
            self.memory[name] = [xp.copy(xp.asarray(array)) for array in kept[name]]


def _empty() -> dict[str, Any]:
    numbers = {"steps": 0, "evaluations": 0, "t": 0.0, "scale": 1.0}
    return {**numbers, "direction": None, "gradient": None, "changes": [], "moves": []}
