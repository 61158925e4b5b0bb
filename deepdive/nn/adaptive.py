"""A softmax over very many classes that spends little on the rare ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from deepdive.core.operator import REGISTRY
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError
from deepdive.nn.arguments import sizes
from deepdive.nn.containers import ModuleList, Sequential
from deepdive.nn.linear import Linear
from deepdive.nn.module import Module
from deepdive.ops import creation
from deepdive.ops.embedding import indices
from deepdive.ops.shape import Cat

log_softmax = REGISTRY["log_softmax"]


class ASMoutput(NamedTuple):
    """What :class:`AdaptiveLogSoftmaxWithLoss` gives: log-probabilities and loss."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Frequent classes at once, rare ones in clusters (Grave et al. 2017).

    ``log p(c) = log p(cluster of c) + log p(c | cluster)``; a cluster is computed only for the
    samples whose class is in it.

    Args:
        n_classes: how many there are, the most frequent first.
        cutoffs: where the clusters begin, ascending, each below `n_classes`.
        div_value: how much narrower each cluster's inner layer is than the one before's.
        head_bias: whether the layer of the frequent classes has a bias.

    Raises:
        ArgumentError: for cutoffs that are not ascending numbers from 1 to n_classes - 1.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
    ) -> None:
        sizes(self, in_features=in_features, n_classes=n_classes)
        edges = list(cutoffs)
        if not edges or edges != sorted(set(edges)) or edges[0] < 1 or edges[-1] >= n_classes:
            raise ArgumentError(
                "AdaptiveLogSoftmaxWithLoss: cutoffs are ascending numbers",
                got=edges,
                expected=f"1 to {n_classes - 1}",
            )
        self.in_features, self.n_classes = in_features, n_classes
        self.div_value, self.head_bias = div_value, head_bias
        self.cutoffs = [*edges, n_classes]
        self.shortlist_size, self.n_clusters = edges[0], len(edges)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            inner = int(in_features // div_value ** (i + 1))
            count = self.cutoffs[i + 1] - self.cutoffs[i]
            narrow = Linear(in_features, inner, bias=False)
            self.tail.append(Sequential(narrow, Linear(inner, count, bias=False)))

    def forward(self, input: Any, target: Any) -> ASMoutput:
        """The log-probabilities of the targets, and the loss, for input (B, D), or (D,)."""
        single = input.ndim == 1
        x = input.unsqueeze(0) if single else input
        classes: Any = creation.as_tensor(target).reshape(-1)  # type: ignore[attr-defined]
        indices("AdaptiveLogSoftmaxWithLoss", classes, self.n_classes, "classes")
        head: Any = log_softmax(self.head(x), 1)  # (B, shortlist + clusters)
        numbers = classes.tolist()
        pieces, order = [], []
        for cluster, (low, high) in enumerate(self._ranges()):
            rows = [i for i, number in enumerate(numbers) if low <= number < high]
            if rows:
                at = creation.as_tensor(rows, device=x.device)
                pieces.append(self._within(cluster, x[at], head[at], classes[at] - low))
                order += rows
        back = sorted(range(len(order)), key=order.__getitem__)
        out: Any = Cat(0)(*pieces)
        out = out[creation.as_tensor(back, device=x.device)]
        return ASMoutput(out[0] if single else out, -out.mean())

    def _ranges(self) -> list[tuple[int, int]]:
        """First class and the one behind the last, of the frequent ones and of each cluster."""
        return list(zip([0, *self.cutoffs], self.cutoffs, strict=False))

    def _within(self, cluster: int, x: Any, head: Any, classes: Any) -> Any:
        """Log-probabilities of classes that are all in one cluster (0: the frequent ones)."""
        column = classes.unsqueeze(1)
        if not cluster:
            return head.gather(1, column).squeeze(1)
        inner: Any = log_softmax(self.tail[cluster - 1](x), 1)
        place = self.shortlist_size + cluster - 1
        return head[:, place] + inner.gather(1, column).squeeze(1)

    def log_prob(self, input: Any) -> Tensor:
        """The log-probabilities of all classes, (B, n_classes)."""
        head: Any = log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            place = self.shortlist_size + i
            inner: Any = log_softmax(tail(input), 1)
            parts.append(inner + head[:, place : place + 1])
        return Cat(1)(*parts)

    def predict(self, input: Any) -> Tensor:
        """The likeliest class of each sample, (B,)."""
        return self.log_prob(input).argmax(1)  # type: ignore[attr-defined,no-any-return]
