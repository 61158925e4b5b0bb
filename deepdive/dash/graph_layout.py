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

from deepdive.dash.graph_columns import Columns, Links, Rows, mean

Edge = tuple[int, int]
Point = tuple[float, float]
MAX_STAND_INS = 20_000  # above that, long edges simply run straight


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
        centres: list[Point],
        layers: list[int],
        routes: list[list[Point]],
        size: Point,
    ) -> None:
        self.centres = centres
        self.layers = layers
        self.routes = routes
        self.width, self.height = size


def layout(
    sizes: Sequence[Point],
    edges: Sequence[Edge],
    *,
    groups: Sequence[str | None] | None = None,
    gap: Point = (24.0, 34.0),
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
    count = len(sizes)
    widths = [width for width, _ in sizes]
    widths += [2.0] * (len(layer_of) - count)
    below, above = _neighbours([hop for chain in chains for hop in pairwise(chain)])
    rows = _order(layer_of, below, above, groups or [])
    x = Columns(rows, widths, below, above, count, gap[0]).settle()
    return _assemble(sizes, edges, layer_of, chains, x, gap[1])


def _neighbours(edges: Sequence[Edge]) -> tuple[Links, Links]:
    """For each vertex those its edges lead to, and those they come from; loops left out."""
    below: Links = defaultdict(list)
    above: Links = defaultdict(list)
    for a, b in edges:
        if a != b:
            below[a].append(b)
            above[b].append(a)
    return below, above


def _without_cycles(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """The edges with those reversed that lead back (depth-first search without recursion)."""
    below, _ = _neighbours(edges)
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
    return [edge[::-1] if edge in back else edge for edge in edges]


def _layers(count: int, edges: list[Edge]) -> list[int]:
    """The longest path from a source; what hangs on one reader only moves down next to it."""
    below, above = _neighbours(edges)
    waiting = [len(above[node]) for node in range(count)]
    ready = [node for node in range(count) if not waiting[node]]
    layer = [0] * count
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


def _stand_ins(layer_of: list[int], edges: list[Edge]) -> tuple[Rows, list[int]]:
    """Each edge as a chain of vertices one layer apart, with new vertices in between."""
    layer_of = list(layer_of)
    spans = sum(max(layer_of[b] - layer_of[a] - 1, 0) for a, b in edges)
    chains = []
    for a, b in edges:
        first = len(layer_of)
        if spans <= MAX_STAND_INS:
            layer_of.extend(range(layer_of[a] + 1, layer_of[b]))
        chains.append([a, *range(first, len(layer_of)), b])
    return chains, layer_of


def _order(
    layer_of: list[int],
    below: Links,
    above: Links,
    groups: Sequence[str | None],
) -> Rows:
    """The vertices of each layer from left to right, the best of several barycentre sweeps."""
    rows: Rows = [[] for _ in range(max(layer_of) + 1)]
    for vertex in _depth_first(len(layer_of), below, above):
        rows[layer_of[vertex]].append(vertex)
    sweeps = 10 if len(layer_of) <= 4_000 else 3
    forced = 2 if any(groups) else 0  # one sweep each way brings the groups together
    best = [list(row) for row in rows]
    fewest = crossings(rows, below)
    for sweep in range(sweeps):
        if not fewest and sweep >= forced:
            break
        downward = sweep % 2 == 0
        walk = rows[1:] if downward else rows[-2::-1]
        _sweep(walk, rows, above if downward else below, groups)
        found = crossings(rows, below)
        if found < fewest or sweep < forced:
            best = [list(row) for row in rows]
            fewest = found
    return best


def _depth_first(count: int, below: Links, above: Links) -> list[int]:
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
    walk: Rows,
    rows: Rows,
    fixed: Links,
    groups: Sequence[str | None],
) -> None:
    """Sorts each row by the mean place of its neighbours in the row before."""
    place = {vertex: float(i) for row in rows for i, vertex in enumerate(row)}
    for row in walk:
        centre = {}
        for v in row:
            centre[v] = mean([place[n] for n in fixed[v]], place[v])
        if any(groups):
            centre = _side_by_side(row, centre, groups)
        row.sort(key=centre.__getitem__)
        place.update((vertex, float(i)) for i, vertex in enumerate(row))


def _side_by_side(
    row: list[int], centre: dict[int, float], groups: Sequence[str | None]
) -> dict[int, float]:
    """Ranks of the row's vertices such that the members of one group follow one another."""
    name = {}
    for v in row:
        group = groups[v] if v < len(groups) else None
        name[v] = group or f" {v}"  # those without a group stand for themselves
    members: dict[str, list[float]] = defaultdict(list)
    for v in row:
        members[name[v]].append(centre[v])

    def rank(v: int) -> tuple[float, str, float]:
        return mean(members[name[v]]), name[v], centre[v]

    return {v: float(i) for i, v in enumerate(sorted(row, key=rank))}


def crossings(rows: Rows, below: Links) -> int:
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


def _assemble(
    sizes: Sequence[Point],
    edges: Sequence[Edge],
    layer_of: list[int],
    chains: Rows,
    x: list[float],
    gap: float,
) -> Layout:
    """Moves everything to (0, 0) and gives each edge its way."""
    count = len(sizes)
    heights = [0.0] * (max(layer_of) + 1)
    for (_, height), layer in zip(sizes, layer_of, strict=False):
        heights[layer] = max(heights[layer], height)
    middle, top = [], 0.0
    for height in heights:
        middle.append(top + height / 2)
        top += height + gap
    halves = [width / 2 for width, _ in sizes] + [0.0] * (len(x) - count)
    left = min(at - half for at, half in zip(x, halves, strict=True))
    right = max(at + half for at, half in zip(x, halves, strict=True))
    centres = [(at - left, middle[layer]) for at, layer in zip(x, layer_of, strict=True)]
    routes = []
    for (a, _), chain in zip(edges, chains, strict=True):
        route = [centres[chain[0]]]
        for v in chain[1:-1]:  # straight down through the layer, between its boxes
            at, y = centres[v]
            half = heights[layer_of[v]] / 2
            route += [(at, y - half), (at, y + half)]
        route.append(centres[chain[-1]])
        routes.append(route if chain[0] == a else route[::-1])
    size = right - left, top - gap
    return Layout(centres[:count], layer_of[:count], routes, size)
