"""``check(model, batch)``: the faults that train without an error and learn nothing.

The model runs forward and backward once; then each rule of :data:`RULES` looks at what happened.
A rule is a function of the :class:`Look` that yields findings, so a new one is a function more.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from deepdive import config
from deepdive.core import random
from deepdive.core.tensor import Tensor
from deepdive.dash import check_rules
from deepdive.dash.check_rules import Finding
from deepdive.errors import ArgumentError
from deepdive.nn import functional as F

Loss = Callable[[Tensor, Any], Tensor]

RULES = (
    check_rules.numbers,
    check_rules.inputs,
    check_rules.mode,
    check_rules.probabilities,
    check_rules.first_loss,
    check_rules.unused,
    check_rules.dead,
    check_rules.saturated,
    check_rules.alike,
    check_rules.useless_bias,
    check_rules.mixed_samples,
    check_rules.held,
    check_rules.leftovers,
)


class Report:
    """What was found; true when nothing was.

    Attributes:
        findings: one :class:`Finding` each, the gravest first.
        loss: the loss of the batch.
    """

    def __init__(self, findings: list[Finding], loss: float) -> None:
        self.findings = findings
        self.loss = loss

    def __bool__(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        if not self.findings:
            return f"nothing found; the loss of the batch is {self.loss:.4g}"
        return "\n".join(map(str, self.findings))

    def __repr__(self) -> str:
        return str(self)


class Look:
    """One forward and backward pass, kept for the rules to look at.

    Attributes:
        model, x, y, optimizer: what was given.
        output, loss: Tensors with their history.
        outputs: ``(path, module, output)`` of every module that gave one Tensor.
        gradients: parameter path → its gradient, None where none came.
        leftovers: paths of parameters that had a gradient before.
    """

    def __init__(self, model: Any, x: Any, y: Any, loss: Loss | None, optimizer: Any) -> None:
        self.model, self.x, self.y, self.optimizer = model, x, y, optimizer
        self.parameters = dict(model.named_parameters())
        self.leftovers = [path for path, p in self.parameters.items() if p.grad is not None]
        self.outputs: list[tuple[str, Any, Tensor]] = []
        with _undisturbed(model), config.enable_grad(), self._watched(), _unwarned():
            self.output = model(x)
            self.loss = (loss or _guess(y))(self.output, y)
            if self.loss.requires_grad:
                self.loss.backward(retain_graph=True)
            self.gradients = {path: p.grad for path, p in self.parameters.items()}

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        def note(path: str, module: Any) -> Any:
            def hook(module: Any, inputs: Any, output: Any) -> None:
                if isinstance(output, Tensor):
                    self.outputs.append((path, module, output))

            return module.register_forward_hook(hook)

        handles = [note(path, module) for path, module in self.model.named_modules()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def check(model: Any, batch: Any, loss: Loss | None = None, optimizer: Any = None) -> Report:
    """Looks for faults that raise no error: one pass over a batch, and what it shows.

    The model, its gradients and the random state are left as they were.

    Args:
        model: a Module.
        batch: ``(x, y)``, or x alone.
        loss: ``loss(output, y)``; by default the cross-entropy for whole numbers y, the mean
            squared error for others, and the output's mean without y.
        optimizer: the one that shall train the model (optional).

    Raises:
        ArgumentError: if there is nothing to learn.

    >>> import deepdive as dd
    >>> from deepdive import nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=-1))
    >>> print(check(net, (dd.ones(2, 4), dd.tensor([0, 2]))))
    probabilities: the loss applies a softmax to what a softmax has made
      fix: give the loss the numbers before the softmax
    """
    x, y = batch if isinstance(batch, (tuple, list)) and len(batch) == 2 else (batch, None)
    if not any(p.requires_grad for p in model.parameters()):
        raise ArgumentError(
            "check: no parameter of this model requires a gradient, so nothing can be learned",
            got=type(model).__name__,
            fix="model.requires_grad_()",
        )
    look = Look(model, _as_tensor(x), None if y is None else _as_tensor(y), loss, optimizer)
    with _unwarned():
        findings = [finding for rule in RULES for finding in rule(look)]
    return Report(findings, float(look.loss.item()))


def _as_tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(value, requires_grad=False)


def _guess(y: Any) -> Loss:
    if y is None:
        return lambda output, y: output.mean()
    return F.cross_entropy if y.dtype.kind in "iu" else F.mse_loss


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    """NaN and Inf are what is looked for: no warning beside the finding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


@contextlib.contextmanager
def _undisturbed(model: Any) -> Iterator[None]:
    """Gradients, buffers and random state afterwards as before."""
    state = random.get_rng_state()
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    grads = [(p, p.grad) for p in model.parameters()]
    for p, _ in grads:
        p.grad = None
    try:
        yield
    finally:
        random.set_rng_state(state)
        for p, grad in grads:
            p.grad = grad
        with config.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
