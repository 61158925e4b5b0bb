"""Recurrent layers: a state that each step of a sequence changes.

A cell is a formula, ``new state = cell(what the input says, state, …)``; a layer applies one along
time, perhaps backwards too, perhaps several upon each other.  What the inputs say is computed for
all steps in one product; the loop does what depends on the state.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn import functional as F
from deepdive.nn import init as initializers
from deepdive.nn.arguments import probability, sizes
from deepdive.nn.module import Module
from deepdive.nn.packing import PackedSequence, lengths_of, pack_padded_sequence
from deepdive.nn.packing import pad_packed_sequence as unpacked
from deepdive.nn.parameter import Parameter
from deepdive.ops import creation
from deepdive.ops.elementwise import Where
from deepdive.ops.shape import Cat, Stack

State = tuple[Any, ...]


# --- the formulas: said (B, gates · H) from the input, heard from the state ---------------------
def tanh_cell(said: Any, state: State, w: Any, b: Any) -> State:
    """``h' = tanh(W_i x + b_i + W_h h + b_h)`` (Elman 1990)."""
    return (F.tanh(said + F.linear(state[0], w, b)),)


def relu_cell(said: Any, state: State, w: Any, b: Any) -> State:
    """``h' = max(0, W_i x + b_i + W_h h + b_h)``."""
    return (F.relu(said + F.linear(state[0], w, b)),)


def lstm_cell(said: Any, state: State, w: Any, b: Any) -> State:
    """``c' = f c + i g``, ``h' = o tanh(c')`` (Hochreiter & Schmidhuber 1997, Gers et al. 2000)."""
    h, c = state
    i, f, g, o = (said + F.linear(h, w, b)).chunk(4, -1)
    kept = F.sigmoid(f) * c  # type: ignore[operator]
    c = kept + F.sigmoid(i) * F.tanh(g)
    return F.sigmoid(o) * F.tanh(c), c


def gru_cell(said: Any, state: State, w: Any, b: Any) -> State:
    """``n = tanh(x_n + r h_n)``, ``h' = (1 - z) n + z h`` (Cho et al. 2014)."""
    (h,) = state
    x_r, x_z, x_n = said.chunk(3, -1)
    h_r, h_z, h_n = F.linear(h, w, b).chunk(3, -1)
    r, z = F.sigmoid(x_r + h_r), F.sigmoid(x_z + h_z)
    n = F.tanh(x_n + r * h_n)
    return (n + z * (h - n),)


def scan(
    cell: Any, said: list[Any], state: State, weights: Any, seen: Any, backwards: bool
) -> tuple[list[Any], State]:
    """The cell along time: all first parts of the states, and the last state.

    Where `seen` (T, B, 1) is False the sequence is over (or has not begun): the state stays.
    """
    w, b, projection = weights
    outputs: list[Any] = [None] * len(said)
    order = range(len(said))
    for t in reversed(order) if backwards else order:
        new = cell(said[t], state, w, b)
        if projection is not None:
            new = (F.linear(new[0], projection), *new[1:])
        if seen is not None:
            pairs = zip(new, state, strict=True)
            new = tuple(Where()(seen[t], after, before) for after, before in pairs)
        outputs[t] = new[0]
        state = new
    return outputs, state


def within(lengths: Any, x: Any) -> Any:
    """Whether step t is before the end of sequence b, (T, B, 1) for x (T, B, …)."""
    times: Any = creation.arange(x.shape[0], device=x.device)
    ends: Any = creation.as_tensor(lengths, device=x.device)
    return times.reshape(-1, 1, 1) < ends.reshape(1, -1, 1)


def steps_of(x: Any) -> list[Any]:
    """The T parts of (T, …).  By halves: so the gradients are added in T log T, not in T²."""
    T = x.shape[0]
    if T <= 1:
        return [x[0]] if T else []
    return steps_of(x[: T // 2]) + steps_of(x[T // 2 :])


class _Cell(Module):
    """What the cells share; all weights start uniform in ``±1/√hidden_size``.

    Args:
        bias: whether there are the biases b_i and b_h.
    """

    gates: ClassVar[int]
    parts: ClassVar[int] = 1  # of the state
    formula: Any

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        sizes(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(creation.empty(rows, input_size))
        self.weight_hh = Parameter(creation.empty(rows, hidden_size))
        self.bias_ih = Parameter(creation.empty(rows)) if bias else None
        self.bias_hh = Parameter(creation.empty(rows)) if bias else None
        start(self, hidden_size)

    def forward(self, input: Any, hx: Any = None) -> Any:
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: the input is {tuple(input.shape)}",
                expected=f"(B, {self.input_size}) or ({self.input_size},)",
            )
        if hx is None:
            shape = (*input.shape[:-1], self.hidden_size)
            zeros = creation.zeros(*shape, dtype=input.dtype, device=input.device)
            state: State = (zeros,) * self.parts
        else:
            state = tuple(hx) if self.parts > 1 else (hx,)
        said = F.linear(input, self.weight_ih, self.bias_ih)
        state = self.formula(said, state, self.weight_hh, self.bias_hh)
        return state if self.parts > 1 else state[0]

    def extra_repr(self) -> str:
        bias = "" if self.bias_ih is not None else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{bias}"


class RNNCell(_Cell):
    """One step of :class:`RNN`: x (B, I), h (B, H) → h' (B, H)."""

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        self.nonlinearity = nonlinearity
        self.formula = by_nonlinearity(self, nonlinearity)
        super().__init__(input_size, hidden_size, bias)

    def extra_repr(self) -> str:
        usual = self.nonlinearity == "tanh"
        return super().extra_repr() + ("" if usual else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of :class:`LSTM`: x (B, I), (h, c) → (h', c'), each (B, H)."""

    gates, parts, formula = 4, 2, staticmethod(lstm_cell)


class GRUCell(_Cell):
    """One step of :class:`GRU`: x (B, I), h (B, H) → h' (B, H)."""

    gates, formula = 3, staticmethod(gru_cell)


def by_nonlinearity(layer: Any, name: str) -> Any:
    """The formula of a plain recurrent cell.

    Raises:
        ArgumentError: for another name than ``"tanh"`` and ``"relu"``.
    """
    formulas = {"tanh": tanh_cell, "relu": relu_cell}
    if name not in formulas:
        raise ArgumentError(
            f"{type(layer).__name__}: unknown nonlinearity {name!r}", expected="'tanh' or 'relu'"
        )
    return formulas[name]


def start(layer: Any, hidden_size: int) -> None:
    """PyTorch's first values: uniform in ``±1/√hidden_size``."""
    bound = 1 / math.sqrt(hidden_size)
    for parameter in layer.parameters():
        initializers.uniform_(parameter, -bound, bound)


# --- layers ------------------------------------------------------------------------------------
class _Recurrent(Module):
    """What RNN, LSTM and GRU share.

    Input (T, B, I), or (B, T, I) if `batch_first`, or (T, I), or a PackedSequence.  Gives the
    outputs of the last layer at all steps, (T, B, D·H) with D directions, and the last state of
    every layer and direction, (layers·D, B, H).

    Args:
        num_layers: each but the first reads the outputs of the one before.
        bias: whether there are the biases b_i and b_h.
        batch_first: the batch is the first axis of inputs and outputs (not of states).
        dropout: of the outputs of each layer but the last, while training.
        bidirectional: a second state runs from the end to the beginning.
        proj_size: LSTM only: h is ``W_hr h``, of this size (Sak et al. 2014); 0 means none.

    Raises:
        ArgumentError: for arguments out of their domain.
    """

    gates: ClassVar[int]
    parts: ClassVar[int] = 1
    formula: Any

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
    ) -> None:
        sizes(self, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        sizes(self, 0, proj_size=proj_size)
        probability(self, dropout=dropout)
        if proj_size >= hidden_size or (proj_size and self.parts == 1):
            raise ArgumentError(
                f"{type(self).__name__}: proj_size is for LSTM, and less than hidden_size",
                got=proj_size,
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        self.size = proj_size or hidden_size  # of h
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                self._make_weights(suffix)
        start(self, hidden_size)

    def _suffixes(self, layer: int) -> list[str]:
        """``_l0``, ``_l0_reverse``: what the names of a layer's weights end in."""
        ways = ("", "_reverse") if self.bidirectional else ("",)
        return [f"_l{layer}{way}" for way in ways]

    def _make_weights(self, suffix: str) -> None:
        rows = self.gates * self.hidden_size
        below = self.size * (2 if self.bidirectional else 1)
        width = self.input_size if suffix.startswith("_l0") else below
        shapes = {"weight_ih": (rows, width), "weight_hh": (rows, self.size)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}  # type: ignore[dict-item]
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(creation.empty(*shape)))

    def forward(self, input: Any, hx: Any = None) -> Any:
        packed = input if isinstance(input, PackedSequence) else None
        x, lengths = input, None
        if packed is not None:
            x, lengths = unpacked(packed)[0], lengths_of(packed)
        elif self.batch_first and input.ndim == 3:
            x = input.transpose(0, 1)
        single = packed is None and input.ndim == 2
        x = x.unsqueeze(1) if single else x
        self._check_input(input if packed is None else x, x)
        out, last = self._run(x, self._first_state(x, hx, single), lengths)
        if single:
            out, last = out.squeeze(1), tuple(part.squeeze(1) for part in last)
        elif packed is not None:
            again = pack_padded_sequence(out, lengths, enforce_sorted=False)
            out = PackedSequence(again.data, *packed[1:])
        elif self.batch_first:
            out = out.transpose(0, 1)
        return out, last if self.parts > 1 else last[0]

    def _run(self, x: Any, first: State, lengths: Any) -> tuple[Any, State]:
        """(T, B, I) through all layers, in both directions."""
        seen = None if lengths is None else within(lengths, x)
        last: list[State] = []
        for layer in range(self.num_layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            directions = []
            for suffix in self._suffixes(layer):
                state = tuple(part[len(last)] for part in first)
                out, state = self._along(x, suffix, state, seen)
                directions.append(out)
                last.append(state)
            x = directions[0] if len(directions) == 1 else Cat(2)(*directions)
        x = x if seen is None else x * seen
        return x, tuple(Stack(0)(*part) for part in zip(*last, strict=True))

    def _along(self, x: Any, suffix: str, state: State, seen: Any) -> tuple[Any, State]:
        """(T, B, I) through one layer in one direction."""
        names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh", "weight_hr")
        w, b, *weights = (self._weight(name, suffix) for name in names)
        said = steps_of(F.linear(x, w, b))
        backwards = suffix.endswith("_reverse")
        parts, last = scan(self.formula, said, state, weights, seen, backwards)
        return Stack(0)(*parts), last

    def _weight(self, kind: str, suffix: str) -> Any:
        absent = kind.startswith("bias") and not self.bias
        absent = absent or (kind == "weight_hr" and not self.proj_size)
        return None if absent else getattr(self, kind + suffix)

    def _first_state(self, x: Any, hx: Any, single: bool) -> State:
        """The state before the first step, each part (layers·D, B, size)."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        shapes = [(count, x.shape[1], self.size), (count, x.shape[1], self.hidden_size)]
        if hx is None:
            zeros = (creation.zeros(*shape, dtype=x.dtype, device=x.device) for shape in shapes)
            return tuple(zeros)[: self.parts]
        state = tuple(hx) if self.parts > 1 else (hx,)
        if single:
            state = tuple(part.unsqueeze(1) for part in state)
        for part, shape in zip(state, shapes, strict=False):
            if tuple(part.shape) != shape:
                raise ShapeError(
                    f"{type(self).__name__}: the state is {tuple(part.shape)}",
                    expected=f"{shape}: layers × directions, batch, size",
                )
        return state

    def _check_input(self, input: Any, x: Any) -> None:
        if x.ndim != 3 or x.shape[2] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: the input is {tuple(input.shape)}",
                expected=f"(T, B, {self.input_size}), batch first or not, or without B",
            )

    def extra_repr(self) -> str:
        usual = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        parts = [f"{self.input_size}, {self.hidden_size}"]
        for name, value in usual.items():
            if getattr(self, name) != value:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts)


class RNN(_Recurrent):
    """``h' = tanh(W_i x + b_i + W_h h + b_h)`` along time; `nonlinearity` may be ``"relu"``.

    >>> import deepdive as dd
    >>> out, h = RNN(3, 4)(dd.zeros(5, 2, 3))
    >>> out.shape, h.shape
    ((5, 2, 4), (1, 2, 4))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        self.nonlinearity = nonlinearity
        self.formula = by_nonlinearity(self, nonlinearity)
        way = (bias, batch_first, dropout, bidirectional)
        super().__init__(input_size, hidden_size, num_layers, *way)


class LSTM(_Recurrent):
    """Long short-term memory: the state is (h, c); c is changed only through gates."""

    gates, parts, formula = 4, 2, staticmethod(lstm_cell)


class GRU(_Recurrent):
    """Gated recurrent units: one gate forgets, one decides how much is new."""

    gates, formula = 3, staticmethod(gru_cell)
