"""The last step of the layout: how far to the right each vertex of a layered graph stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

Links = dict[int, list[int]]  # from a vertex to its neighbours
Rows = list[list[int]]  # the vertices of each layer, from left to right

TURNS = 24
STRAIGHT = 8.0  # how much more a stand-in wants to keep its place than a box does
FAINT = 1e-6  # how much a leaf pulls: more, and a long net would drift sideways


class Columns:
    """Places that pull neighbours above each other and keep the order of each row.

    Args:
        rows: the vertices of each layer.
        widths: of all vertices.
        below, above: their neighbours.
        boxes: how many of them are boxes; the others stand in for edges.
        gap: the least space between two.
    """

    def __init__(
        self,
        rows: Rows,
        widths: Sequence[float],
        below: Links,
        above: Links,
        boxes: int,
        gap: float,
    ) -> None:
        self.rows = rows
        self.widths = widths
        self.below = below
        self.above = above
        self.boxes = boxes
        self.gap = gap
        degree = [len(above[v]) + len(below[v]) for v in range(len(widths))]
        self.pull = [FAINT if count < 2 else 1.0 for count in degree]
        self.x = [0.0] * len(widths)

    def settle(self) -> list[float]:
        """The x of every vertex after some turns downwards and upwards."""
        chain_of = self._chains()
        for row in self.rows:
            self._place(row, [0.0] * len(row))
        for turn in range(TURNS):
            downward = turn % 2 == 0
            middle = self._middles(chain_of) if turn > 8 else {}  # at last, straighten chains
            for row in self.rows if downward else reversed(self.rows):
                wishes = []
                for v in row:
                    wish = self._wish(v, turn, downward)
                    wishes.append(middle.get(chain_of[v], wish))
                self._place(row, wishes)
        return self.x

    def _wish(self, v: int, turn: int, downward: bool) -> float:
        """Where its neighbours want a vertex: those already placed, at last those on both sides."""
        near = self.above[v] if downward else self.below[v]
        if turn >= 6:
            near = self.above[v] + self.below[v]
        total = sum(self.pull[n] for n in near)
        return sum(self.pull[n] * self.x[n] for n in near) / total if near else self.x[v]

    def _place(self, row: list[int], wishes: list[float]) -> None:
        weights = []
        for v in row:
            degree = len(self.above[v]) + len(self.below[v])
            weights.append(STRAIGHT if v >= self.boxes else self.pull[v] * degree + FAINT)
        widths = [self.widths[v] for v in row]
        found = spread(wishes, weights, widths, self.gap)
        for v, place in zip(row, found, strict=True):
            self.x[v] = place

    def _chains(self) -> dict[int, int]:
        """For each vertex the first one of the unbranched chain it lies in; leaves do not count."""
        first: dict[int, int] = {}
        for row in self.rows:
            for v in row:
                parents = self._strong(self.above[v])
                alone = len(parents) == 1 and len(self._strong(self.below[parents[0]])) < 2
                first[v] = first[parents[0]] if alone else v
        return first

    def _strong(self, vertices: list[int]) -> list[int]:
        return [v for v in vertices if self.pull[v] > FAINT]

    def _middles(self, chain_of: dict[int, int]) -> dict[int, float]:
        """The middle between the ends of what each chain of two or more spans from side to side."""
        members: dict[int, list[float]] = defaultdict(list)
        for v, first in chain_of.items():
            members[first].append(self.x[v])
        middles = {}
        for v, places in members.items():
            if len(places) > 1:
                middles[v] = (min(places) + max(places)) / 2
        return middles


def spread(
    wishes: list[float],
    weights: list[float],
    widths: list[float],
    gap: float,
) -> list[float]:
    """The places nearest to `wishes` in the given order without overlap.

    Minimises ``Σ weightᵢ (xᵢ - wishᵢ)²`` subject to ``xᵢ₊₁ - xᵢ ≥ (widthᵢ + widthᵢ₊₁)/2 + gap``:
    with the needed space taken off it is a monotone regression, solved by pooling neighbours.

    >>> spread([0.0, 0.0], [1.0, 1.0], [2.0, 2.0], 4.0)
    [-3.0, 3.0]
    """
    needed = [0.0]
    for left, right in zip(widths, widths[1:]):  # noqa: B905, RUF007 - one gap less than boxes
        needed.append(needed[-1] + (left + right) / 2 + gap)
    pools: list[Pool] = []
    for wish, weight, space in zip(wishes, weights, needed, strict=True):
        pool = Pool(wish - space, weight)
        while pools and pools[-1].place > pool.place:
            pool.join(pools.pop())
        pools.append(pool)
    flat = [pool.place for pool in pools for _ in range(pool.count)]
    return [place + space for place, space in zip(flat, needed, strict=True)]


class Pool:
    """Neighbours that have to share one place."""

    def __init__(self, place: float, weight: float) -> None:
        self.place = place
        self.weight = weight
        self.count = 1

    def join(self, other: Pool) -> None:
        """Takes the other's members in; the common place is the weighted mean."""
        moment = self.place * self.weight + other.place * other.weight
        self.weight += other.weight
        self.place = moment / self.weight
        self.count += other.count


def mean(values: Sequence[float], otherwise: float = 0.0) -> float:
    """The mean, or `otherwise` where there is nothing."""
    return sum(values) / len(values) if values else otherwise
