"""The rules of :func:`deepdive.check`: each looks at one pass and yields what is wrong.

Much of it is what people tell each other to try first (A. Karpathy, "A Recipe for Training Neural
Networks", 2019); the rest are questions that are asked again and again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from deepdive import config, dtypes
from deepdive.core.autograd import grad
from deepdive.core.host_values import as_array
from deepdive.core.tensor import Tensor
from deepdive.host import np
from deepdive.nn.modes import evaluating

Found = Iterator["Finding"]

LARGE = 25.0  # inputs beyond: bytes, prices, years; weights are made for numbers about 1
SATURATED = 0.99  # of what a tanh or sigmoid can reach
MANY = 0.9  # share of a layer's numbers


class Finding(NamedTuple):
    """One fault: which rule found it, what it is, and what helps."""

    rule: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}\n  fix: {self.fix}"


def numbers(look: Any) -> Found:
    """NaN and Inf: in the input, the parameters, the first layer that makes one, a gradient."""
    if not _finite(look.x):
        yield Finding("numbers", "the input holds NaN or Inf", "look at the data: np.isfinite")
        return
    for path, p in look.parameters.items():
        if not _finite(p):
            fix = "start anew, or load a save from before"
            yield Finding("numbers", f"parameter {path} holds NaN or Inf", fix)
            return
    for path, module, output in look.outputs:
        if not _finite(output):
            what = f"{_named(path, module)} makes NaN or Inf from finite numbers"
            yield Finding("numbers", what, "look at its input; autograd.detect_anomaly() says more")
            return
    for path, slope in look.gradients.items():
        if slope is not None and not _finite(slope):
            fix = "clip gradients, or find the operator: autograd.detect_anomaly()"
            yield Finding("numbers", f"the gradient of {path} holds NaN or Inf", fix)
            return


def inputs(look: Any) -> Found:
    """Numbers much larger than those that weights are made for."""
    if look.x.dtype.kind in "iu" and look.x.dtype.itemsize > 1:
        return  # whole numbers: rows of an embedding
    values = as_array(look.x)
    largest = float(abs(values.astype("float64")).max()) if values.size else 0.0
    if LARGE < largest < math.inf:
        what = f"inputs reach {largest:.4g}; weights start for numbers of about 1"
        yield Finding("inputs", what, "datautils.Scale(1 / 255) for bytes, Standardize for others")


def mode(look: Any) -> Found:
    """A model that was left in evaluation mode."""
    if not look.model.training:
        what = "the model is in evaluation mode: dropout is off, batch norms do not learn"
        yield Finding("mode", what, "model.train()")


def probabilities(look: Any) -> Found:
    """A softmax or sigmoid before a loss that has its own; raw numbers where it has none."""
    loss = _loss_node(look.loss)
    before = next((p for p in loss.parents if p is not None), None) if loss else None
    if before is None:
        return
    twice = {"SoftmaxPickedMean": ("Softmax",), "LogitsBinaryCrossEntropy": ("Sigmoid", "Softmax")}
    if before.name in twice.get(loss.name, ()):
        kind = before.name.lower()
        what = f"the loss applies a {_own(loss.name)} to what a {kind} has made"
        yield Finding("probabilities", what, f"give the loss the numbers before the {kind}")
    if loss.name == "PickedMean" and not _log_probabilities(as_array(look.output)):
        what = "nll_loss takes log-probabilities, and the output is none"
        yield Finding("probabilities", what, "use cross_entropy, or end the model with LogSoftmax")


def _own(name: str) -> str:
    return "softmax" if name.startswith("Softmax") else "sigmoid"


def _loss_node(loss: Tensor) -> Any:
    """The node of the loss itself, beneath a mean or a sum."""
    node = loss._skeleton or loss._node
    while node is not None and node.name in ("Mean", "Sum", "Mul", "Neg", "Div"):
        node = next((parent for parent in node.parents if parent is not None), None)
    return node


def _log_probabilities(output: Any) -> bool:
    """Whether ``exp(output)`` adds up to 1 along the classes, axis 1 or the only one."""
    if output.max() > 1e-3:
        return False
    total = np.exp(output.astype("float64")).sum(axis=min(1, output.ndim - 1))
    return bool((abs(total - 1) < 1e-2).all())


def first_loss(look: Any) -> Found:
    """A first cross-entropy far above that of a guess, ln(classes)."""
    node = _loss_node(look.loss)
    if node is None or node.name != "SoftmaxPickedMean" or look.output.ndim < 2:
        return
    guess, loss = math.log(max(look.output.shape[1], 2)), look.loss.item()
    if loss > 3 * guess:
        what = (
            f"the loss is {loss:.3g}; guessing would cost ln({look.output.shape[1]}) = {guess:.3g}"
        )
        fix = "if the model is untrained: smaller weights in the last layer, or smaller inputs"
        yield Finding("first loss", what, fix)


def unused(look: Any) -> Found:
    """Parameters that the loss does not depend on."""
    wanted = [path for path, p in look.parameters.items() if p.requires_grad]
    idle = [path for path in wanted if look.gradients[path] is None]
    if idle:
        what = f"no gradient reaches {_listed(idle)}"
        yield Finding("unused", what, "use them in forward or leave them out; is there a detach()?")


def dead(look: Any) -> Found:
    """Rectifiers whose units are 0 for the whole batch; gradients that are 0 throughout."""
    for path, module, output in look.outputs:
        if type(module).__name__ in ("ReLU", "ReLU6") and output.ndim > 1:
            silent = (as_array(output) == 0).reshape(output.shape[0], -1).all(axis=0)
            share = float(silent.astype("float64").mean()) if silent.size else 0.0
            if share > MANY:
                what = f"{share:.0%} of the units of {_named(path, module)} are 0 for every sample"
                yield Finding("dead", what, "a smaller learning rate, kaiming_normal_ or LeakyReLU")
    still = [
        path
        for path, slope in look.gradients.items()
        if slope is not None and not (as_array(slope) != 0).any()
    ]
    if still and len(still) < len(look.gradients):
        what = f"the gradient is 0 throughout for {_listed(still)}"
        yield Finding("dead", what, "look at the layer after it")


def saturated(look: Any) -> Found:
    """Tanh and sigmoid layers at the ends of their range, where they pass no gradient."""
    for path, module, output in look.outputs:
        kind = type(module).__name__
        if kind not in ("Tanh", "Sigmoid"):
            continue
        values = as_array(output)
        spread = abs(values) if kind == "Tanh" else abs(2 * values - 1)
        share = float((spread > SATURATED).astype("float64").mean()) if values.size else 0.0
        if share > MANY:
            what = f"{share:.0%} of {_named(path, module)} is at the ends of its range"
            yield Finding("saturated", what, "smaller weights or inputs, or a norm before it")


def alike(look: Any) -> Found:
    """Weights whose rows are all the same: every unit would learn the same."""
    for path, p in look.parameters.items():
        if not path.endswith("weight") or p.ndim < 2 or p.shape[0] < 2 or 0 in p.shape:
            continue
        weight = as_array(p)
        if (weight == weight[:1]).all():
            what = f"all rows of {path} are equal, so all its units learn the same"
            yield Finding("alike", what, "start with random weights: nn.init.kaiming_uniform_")


def useless_bias(look: Any) -> Found:
    """A bias just before a batch norm, which subtracts it again."""
    for path, module in look.model.named_modules():
        if type(module).__name__ != "Sequential":
            continue
        for (name, layer), (_, following) in pairwise(module.named_children()):
            normed = type(following).__name__.startswith("BatchNorm")
            if normed and getattr(layer, "bias", None) is not None and hasattr(layer, "weight"):
                where = f"{path}.{name}" if path else name
                what = (
                    f"the bias of {_named(where, layer)} is subtracted by the batch norm after it"
                )
                yield Finding("bias", what, f"{type(layer).__name__}(…, bias=False)")


def mixed_samples(look: Any) -> Found:
    """An output that depends on other samples of the batch (in evaluation mode)."""
    x = look.x
    if not dtypes.is_floating(x.dtype) or x.ndim < 2 or x.shape[0] < 2:
        return
    if look.output.ndim < 1 or look.output.shape[0] != x.shape[0]:
        return
    probe = Tensor(x.detach().clone()._data, requires_grad=True)
    with evaluating(look.model), config.enable_grad():
        (slope,) = grad(look.model(probe)[0].sum(), [probe], allow_unused=True)
    if slope is not None and (as_array(slope)[1:] != 0).any():
        what = "the output for sample 0 depends on other samples of the batch"
        yield Finding("mixed samples", what, "look for a reshape or a sum over the first axis")


def held(look: Any) -> Found:
    """What the optimizer holds, against what the model has."""
    if look.optimizer is None:
        return
    groups = look.optimizer.param_groups
    has = {id(p) for group in groups for p in group["params"]}
    wanted = [path for path, p in look.parameters.items() if p.requires_grad]
    missing = [path for path in wanted if id(look.parameters[path]) not in has]
    if missing:
        what = f"the optimizer does not hold {_listed(missing)}"
        fix = "make the optimizer after the model is whole: Adam(model.parameters())"
        yield Finding("optimizer", what, fix)
    ours = {id(p) for p in look.parameters.values()}
    if has - ours:
        what = f"the optimizer holds {len(has - ours)} tensors that are not of this model"
        yield Finding("optimizer", what, "was the model made anew after the optimizer?")
    if any(not group["lr"] > 0 for group in groups):
        yield Finding("optimizer", "a learning rate is 0: nothing moves", "lr=1e-3, say")


def leftovers(look: Any) -> Found:
    """Gradients from before, to which the next backward would add."""
    if look.leftovers:
        what = f"{_listed(look.leftovers)} had a gradient already; backward() adds to it"
        yield Finding("leftovers", what, "optimizer.zero_grad() before each backward()")


def _finite(tensor: Any) -> bool:
    return not dtypes.is_floating(tensor.dtype) or bool(np.isfinite(as_array(tensor)).all())


def _named(path: str, module: Any) -> str:
    return f"{path or 'the model'} ({type(module).__name__})"


def _listed(paths: list[str], most: int = 4) -> str:
    more = len(paths) - most
    return ", ".join(paths[:most]) + (f" and {more} more" if more > 0 else "")
