"""Where the time of a training step goes: calls, time and bytes per operator."""

from __future__ import annotations

from time import perf_counter
from types import TracebackType
from typing import Any

from deepdive import config
from deepdive.dash.table import byte_count, seconds, table


class Row:
    """What one operator cost.

    Attributes:
        name: of the operator.
        forward_calls, backward_calls: how often it ran.
        forward_time, backward_time: in seconds, of its own code only.
        output_bytes: size of all the arrays its forward made.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.forward_calls = self.backward_calls = 0
        self.forward_time = self.backward_time = 0.0
        self.output_bytes = 0

    @property
    def time(self) -> float:
        """Forward and backward time together."""
        return self.forward_time + self.backward_time


class profile:  # small, for it is read as a word: `with profile() as p`
    """Measures every operator that runs inside a ``with`` block.

    An operator that runs others inside itself is charged for its own part only.  Several blocks
    may be nested: each sees what runs inside it.

    >>> import deepdive as dd
    >>> with dd.profile() as p:
    ...     dd.Tensor([1.0, 2.0]).exp().sum().backward()
    >>> sorted((row.name, row.forward_calls, row.backward_calls) for row in p.rows)
    [('Exp', 1, 1), ('Sum', 1, 1)]
    """

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._inner = [0.0]  # per running operator, the time spent in operators inside it
        self._outer: Any = None
        self.wall_time = 0.0

    def __enter__(self) -> profile:
        self._outer, config.watch = config.watch, self
        self._start = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wall_time += perf_counter() - self._start
        config.watch = self._outer

    def forward(self, operator: Any, run: Any, args: Any) -> Any:
        """Called by the core in place of ``run(*args)``."""
        row = self._row(operator)
        row.forward_calls += 1
        out, spent = self._timed("forward", operator, run, args)
        row.forward_time += spent
        row.output_bytes += sum(getattr(part, "nbytes", 0) for part in _parts(out))
        return out

    def backward(self, operator: Any, run: Any, args: Any) -> Any:
        """Called by the core in place of ``run(*args)``."""
        row = self._row(operator)
        row.backward_calls += 1
        grads, spent = self._timed("backward", operator, run, args)
        row.backward_time += spent
        return grads

    def _timed(self, way: str, operator: Any, run: Any, args: Any) -> tuple[Any, float]:
        """The result, and the time it took without that of operators inside."""
        self._inner.append(0.0)
        start = perf_counter()
        try:
            if self._outer is None:
                out = run(*args)
            else:
                out = getattr(self._outer, way)(operator, run, args)
        finally:
            spent = perf_counter() - start
            inside = self._inner.pop()
            self._inner[-1] += spent
        return out, spent - inside

    def _row(self, operator: Any) -> Row:
        name = str(getattr(operator, "name", None) or type(operator).__name__)
        return self._rows.setdefault(name, Row(name))

    @property
    def rows(self) -> list[Row]:
        """One per operator, the most expensive first."""
        return sorted(self._rows.values(), key=lambda row: (-row.time, row.name))

    def __str__(self) -> str:
        total = sum(row.time for row in self.rows)
        lines = [
            [
                row.name,
                str(row.forward_calls),
                seconds(row.forward_time),
                str(row.backward_calls),
                seconds(row.backward_time),
                byte_count(row.output_bytes),
                f"{100 * row.time / (total or 1):.1f} %",
            ]
            for row in self.rows
        ]
        heading = ["operator", "forward", "time", "backward", "time", "output", "share"]
        outside = max(self.wall_time - total, 0.0)
        footer = f"operators {seconds(total)}, everything else {seconds(outside)}"
        return f"{table(heading, lines)}\n{footer}"


def _parts(out: Any) -> tuple[Any, ...]:
    return out if isinstance(out, tuple) else (out,)
