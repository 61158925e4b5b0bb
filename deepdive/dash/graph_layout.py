"""Where the boxes of a picture of a graph go: layers from top to bottom, few crossings.

The four steps of Sugiyama, Tagawa and Toda (1981): layers by longest path; invisible stand-ins
where an edge passes a layer; an order inside each layer by the barycentre of the neighbours;
coordinates that pull neighbours above each other.  All loops are iterative and deterministic.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

Edge = tuple[int, int]
MAX_STAND_INS = 20_000  # above that, long edges simply run straight
STRAIGHT = 8.0  # how much more a stand-in wants to be above its neighbour than a box does


class Layout:
    """Centres of the nodes, the way of every edge, and the size of the whole.

    Attributes:
        centres: ``(x, y)`` per node.
        layers: the layer of each node, 0 on top.
        routes: per edge the points it passes, from centre to centre.
        width, height: the box around all nodes, which starts at (0, 0).
    """

    def __init__(
        self,
        centres: list[tuple[float, float]],
        layers: list[int],
        routes: list[list[tuple[float, float]]],
        size: tuple[float, float],
    ) -> None:
        self.centres = centres
        self.layers = layers
        self.routes = routes
        self.width, self.height = size


def layout(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    *,
    groups: Sequence[str | None] | None = None,
    gap: tuple[float, float] = (24.0, 34.0),
) -> Layout:
    """Lays out nodes of the given sizes; edges run downwards, also where there are cycles.

    Args:
        sizes: width and height of each node.
        edges: pairs (from, to) of node numbers.
        groups: a name per node; nodes of one group stay side by side within a layer.
        gap: the least space between nodes of a layer, and between layers.

    >>> plan = layout([(10, 10)] * 3, [(0, 2), (1, 2)], gap=(4, 6))
    >>> plan.centres, plan.width
    ([(5.0, 5.0), (19.0, 5.0), (12.0, 21.0)], 24.0)
    """
    if not sizes:
        return Layout([], [], [], (0.0, 0.0))
    downward = _without_cycles(len(sizes), edges)
    layer_of = _layers(len(sizes), downward)
    chains, layer_of = _stand_ins(layer_of, downward)
    widths = [width for width, _ in sizes] + [2.0] * (len(layer_of) - len(sizes))
    hops = [hop for chain in chains for hop in pairwise(chain) if hop[0] != hop[1]]
    below, above = _neighbours(hops), _neighbours([(b, a) for a, b in hops])
    rows = _order(layer_of, below, above, groups or [])
    x = _columns(rows, widths, below, above, len(sizes), gap[0])
    return _assemble(sizes, edges, layer_of, chains, rows, x, gap[1])


def _neighbours(edges: list[Edge]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for a, b in edges:
        found[a].append(b)
    return found


def _without_cycles(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """The edges with those reversed that lead back (depth-first search without recursion)."""
    below = _neighbours(list(edges))
    state = [0] * count  # 0 = not seen, 1 = on the way here, 2 = done
    back: set[Edge] = set()
    for root in range(count):
        todo = [] if state[root] else [(root, iter(below[root]))]
        state[root] = state[root] or 1
        while todo:
            node, children = todo[-1]
            child = next(children, None)
            if child is None:
                state[node] = 2
                todo.pop()
            elif state[child] == 0:
                state[child] = 1
                todo.append((child, iter(below[child])))
            elif state[child] == 1:
                back.add((node, child))
    return [(b, a) if (a, b) in back else (a, b) for a, b in edges]


def _layers(count: int, edges: list[Edge]) -> list[int]:
    """The longest path from a source; what hangs on one reader only moves down next to it."""
    edges = [(a, b) for a, b in edges if a != b]
    below, above = _neighbours(edges), _neighbours([(b, a) for a, b in edges])
    waiting = [len(above[node]) for node in range(count)]
    layer, ready = [0] * count, [node for node in range(count) if not waiting[node]]
    loose = [True] * count  # a source, or made from sources that nothing else reads
    for node in ready:  # grows while it is walked: Kahn's topological order
        for child in below[node]:
            layer[child] = max(layer[child], layer[node] + 1)
            loose[child] &= loose[node] and len(below[node]) == 1
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    for node in reversed(ready):
        if loose[node] and below[node]:
            layer[node] = min(layer[child] for child in below[node]) - 1
    return layer


def _stand_ins(layer_of: list[int], edges: list[Edge]) -> tuple[list[list[int]], list[int]]:
    """Each edge as a chain of vertices one layer apart, with new vertices in between."""
    layer_of = list(layer_of)
    spans = sum(max(layer_of[b] - layer_of[a] - 1, 0) for a, b in edges)
    chains = []
    for a, b in edges:
        passed = range(layer_of[a] + 1, layer_of[b]) if spans <= MAX_STAND_INS else range(0)
        chains.append([a, *range(len(layer_of), len(layer_of) + len(passed)), b])
        layer_of.extend(passed)
    return chains, layer_of


def _order(
    layer_of: list[int],
    below: dict[int, list[int]],
    above: dict[int, list[int]],
    groups: Sequence[str | None],
) -> list[list[int]]:
    """The vertices of each layer from left to right, the best of several barycentre sweeps."""
    rows: list[list[int]] = [[] for _ in range(max(layer_of) + 1)]
    for vertex in _depth_first(len(layer_of), below, above):
        rows[layer_of[vertex]].append(vertex)
    sweeps = 10 if len(layer_of) <= 4_000 else 3
    forced = 2 if any(groups) else 0  # one sweep each way brings the groups together
    best, fewest = [list(row) for row in rows], crossings(rows, below)
    for sweep in range(sweeps):
        if not fewest and sweep >= forced:
            break
        downward = sweep % 2 == 0
        walk = rows[1:] if downward else rows[-2::-1]
        _sweep(walk, rows, above if downward else below, groups)
        found = crossings(rows, below)
        if found < fewest or sweep < forced:
            best, fewest = [list(row) for row in rows], found
    return best


def _depth_first(count: int, below: dict[int, list[int]], above: dict[int, list[int]]) -> list[int]:
    """All vertices, relatives near each other: a good order to start from."""
    seen, order = [False] * count, []
    for root in range(count):
        todo = [root]
        while todo:
            vertex = todo.pop()
            if not seen[vertex]:
                seen[vertex] = True
                order.append(vertex)
                todo += reversed(above[vertex] + below[vertex])
    return order


def _sweep(
    walk: list[list[int]],
    rows: list[list[int]],
    fixed: dict[int, list[int]],
    groups: Sequence[str | None],
) -> None:
    """Sorts each row by the mean place of its neighbours in the row before."""
    place = {vertex: float(i) for row in rows for i, vertex in enumerate(row)}
    for row in walk:
        centre = {v: _mean([place[n] for n in fixed[v]], place[v]) for v in row}
        if any(groups):
            centre = _side_by_side(row, centre, groups)
        row.sort(key=centre.__getitem__)
        place.update((vertex, float(i)) for i, vertex in enumerate(row))


def _side_by_side(
    row: list[int], centre: dict[int, float], groups: Sequence[str | None]
) -> dict[int, float]:
    """Ranks of the row's vertices such that the members of one group follow one another."""
    name = {v: (groups[v] if v < len(groups) else None) or f" {v}" for v in row}
    members: dict[str, list[float]] = defaultdict(list)
    for v in row:
        members[name[v]].append(centre[v])
    middle = {group: _mean(found, 0.0) for group, found in members.items()}
    ranked = sorted(row, key=lambda v: (middle[name[v]], name[v], centre[v]))
    return {v: float(i) for i, v in enumerate(ranked)}


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def crossings(rows: list[list[int]], below: dict[int, list[int]]) -> int:
    """How many pairs of edges cross between neighbouring layers.

    >>> crossings([[0, 1], [2, 3]], {0: [3], 1: [2]})
    1
    """
    total = 0
    for upper, lower in pairwise(rows):
        place = {vertex: i for i, vertex in enumerate(lower)}
        ends: list[int] = []  # sorted lower ends of the edges seen so far, from the left
        for vertex in upper:
            mine = [place[n] for n in below.get(vertex, ()) if n in place]
            total += sum(len(ends) - bisect_right(ends, end) for end in mine)
            for end in mine:
                insort(ends, end)
    return total


def _columns(
    rows: list[list[int]],
    widths: list[float],
    below: dict[int, list[int]],
    above: dict[int, list[int]],
    boxes: int,
    gap: float,
) -> list[float]:
    """The x of every vertex: as near to its neighbours as the row's order allows."""
    x = [0.0] * len(widths)
    for row in rows:
        left = 0.0
        for vertex in row:
            x[vertex] = left + widths[vertex] / 2
            left += widths[vertex] + gap
    pull = [1e-6 if len(above[v]) + len(below[v]) < 2 else 1.0 for v in range(len(widths))]
    chain_of = _chains(rows, below, above, pull)
    for turn in range(14):
        near = below if turn % 2 else above
        middle = _means(x, chain_of) if turn > 8 else {}  # at last, straighten the chains
        for row in rows if turn % 2 == 0 else rows[::-1]:
            pulled = (
                _pulled(x, pull, near[v] if turn < 6 else above[v] + below[v], v) for v in row
            )
            wishes = [middle.get(chain_of[v], at) for v, at in zip(row, pulled, strict=True)]
            weights = [STRAIGHT if v >= boxes else pull[v] * (1 + len(near[v])) for v in row]
            found = spread(wishes, weights, [widths[v] for v in row], gap)
            for v, value in zip(row, found, strict=True):
                x[v] = value
    return x


def _pulled(x: list[float], pull: list[float], near: list[int], vertex: int) -> float:
    """Where the neighbours want a vertex; a leaf pulls little, or a long net drifts sideways."""
    total = sum(pull[n] for n in near)
    return sum(pull[n] * x[n] for n in near) / total if near else x[vertex]


def _chains(
    rows: list[list[int]],
    below: dict[int, list[int]],
    above: dict[int, list[int]],
    pull: list[float],
) -> dict[int, int]:
    """For each vertex the first one of the unbranched chain it lies in (leaves do not count)."""
    first: dict[int, int] = {}
    for row in rows:
        for v in row:
            parents = [p for p in above[v] if pull[p] == 1.0]
            alone = len(parents) == 1 and sum(pull[c] == 1.0 for c in below[parents[0]]) <= 1
            first[v] = first[parents[0]] if alone else v
    return first


def _means(x: list[float], chain_of: dict[int, int]) -> dict[int, float]:
    """The mean place of every chain of two or more."""
    members: dict[int, list[float]] = defaultdict(list)
    for v, first in chain_of.items():
        members[first].append(x[v])
    return {first: sum(at) / len(at) for first, at in members.items() if len(at) > 1}


def spread(
    wishes: list[float], weights: list[float], widths: list[float], gap: float
) -> list[float]:
    """The places nearest to `wishes` in the given order without overlap.

    Minimises ``Σ weightᵢ (xᵢ - wishᵢ)²`` subject to ``xᵢ₊₁ - xᵢ ≥ (widthᵢ + widthᵢ₊₁)/2 + gap``:
    with the needed space taken off it is a monotone regression, solved by pooling neighbours.

    >>> spread([0.0, 0.0], [1.0, 1.0], [2.0, 2.0], 4.0)
    [-3.0, 3.0]
    """
    needed, offset = [], 0.0
    for i, width in enumerate(widths):
        offset += (widths[i - 1] + width) / 2 + gap if i else 0.0
        needed.append(offset)
    pools: list[list[float]] = []  # mean, weight, count
    for wish, weight, space in zip(wishes, weights, needed, strict=True):
        pools.append([wish - space, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, weight_b, count = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * weight_b) / (last[1] + weight_b)
            last[1] += weight_b
            last[2] += count
    flat = [mean for mean, _, count in pools for _ in range(int(count))]
    return [mean + space for mean, space in zip(flat, needed, strict=True)]


def _assemble(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    layer_of: list[int],
    chains: list[list[int]],
    rows: list[list[int]],
    x: list[float],
    gap: float,
) -> Layout:
    boxes = len(sizes)
    heights = [max([sizes[v][1] for v in row if v < boxes], default=0.0) for row in rows]
    middle, top = [], 0.0
    for height in heights:
        middle.append(top + height / 2)
        top += height + gap
    left = min(x[v] - sizes[v][0] / 2 for v in range(boxes))
    left = min([left, *x[boxes:]])
    right = max([x[v] + sizes[v][0] / 2 for v in range(boxes)] + x[boxes:])
    place = [(x[v] - left, middle[layer_of[v]]) for v in range(len(x))]
    routes = []
    for (a, _), chain in zip(edges, chains, strict=True):
        route = [place[chain[0]]]
        for v in chain[1:-1]:  # straight down through the layer, between its boxes
            half = heights[layer_of[v]] / 2
            route += [(place[v][0], place[v][1] - half), (place[v][0], place[v][1] + half)]
        route.append(place[chain[-1]])
        routes.append(route if chain[0] == a else route[::-1])
    return Layout(place[:boxes], layer_of[:boxes], routes, (right - left, top - gap))
