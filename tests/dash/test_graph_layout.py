"""The layered layout: no overlaps, edges run down, few crossings, fast, the same each time."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdive.dash.graph_columns import spread
from deepdive.dash.graph_layout import crossings, layout


def overlaps(plan, sizes):
    boxes = sorted(range(len(sizes)), key=lambda i: plan.layers[i])
    found = []
    for n, i in enumerate(boxes):
        for j in boxes[n + 1 :]:
            (xi, yi), (xj, yj) = plan.centres[i], plan.centres[j]
            close = abs(xi - xj) * 2 < sizes[i][0] + sizes[j][0] - 1e-6
            if close and abs(yi - yj) * 2 < sizes[i][1] + sizes[j][1] - 1e-6:
                found.append((i, j))
    return found


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    node = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(node, node), max_size=25))
    sizes = draw(st.lists(st.tuples(st.integers(1, 80), st.integers(1, 30)),
                          min_size=count, max_size=count))  # fmt: skip
    return sizes, pairs


@settings(deadline=None)
@given(graphs())
def test_any_graph_fits_its_frame_without_overlaps(graph):
    sizes, edges = graph  # with cycles and loops, too
    plan = layout(sizes, edges)
    assert not overlaps(plan, sizes)
    for (x, y), (width, height) in zip(plan.centres, sizes, strict=True):
        assert x - width / 2 >= -1e-6 and x + width / 2 <= plan.width + 1e-6
        assert y - height / 2 >= -1e-6 and y + height / 2 <= plan.height + 1e-6
    for (a, b), route in zip(edges, plan.routes, strict=True):
        assert route[0] == plan.centres[a] and route[-1] == plan.centres[b]
    assert layout(sizes, edges).centres == plan.centres


@settings(deadline=None)
@given(graphs())
def test_without_cycles_every_edge_runs_down(graph):
    sizes, pairs = graph
    edges = [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]
    plan = layout(sizes, edges)
    for a, b in edges:
        assert plan.layers[a] < plan.layers[b]
        assert plan.centres[a][1] < plan.centres[b][1]
    for route in plan.routes:
        heights = [y for _, y in route]
        assert heights == sorted(heights)


def test_crossings_are_counted():
    rows = [[0, 1, 2], [3, 4, 5]]
    assert crossings(rows, {0: [5], 1: [4], 2: [3]}) == 3
    assert crossings(rows, {0: [3, 4], 1: [4], 2: [5]}) == 0


def test_a_tree_is_drawn_without_crossings():
    rng = random.Random(3)
    order = list(range(1, 63))
    rng.shuffle(order)
    label = [0, *order]
    edges = [(label[i], label[(i - 1) // 2]) for i in range(1, 63)]  # leaves on top
    plan = layout([(10, 10)] * 63, edges)
    below = {a: [b] for a, b in edges}
    rows = {}
    for node in sorted(range(63), key=lambda n: plan.centres[n]):
        rows.setdefault(plan.layers[node], []).append(node)
    assert crossings([rows[i] for i in sorted(rows)], below) == 0


def test_a_chain_is_straight_although_weights_hang_on_it():
    edges = []
    for i in range(30):
        edges += [(2 * i, 2 * i + 2), (2 * i + 1, 2 * i + 2)]
    plan = layout([(60, 20)] * 61, edges)
    spine = [plan.centres[2 * i][0] for i in range(1, 31)]
    assert max(spine) - min(spine) < 1.0


def test_long_edges_go_around_the_boxes_between():
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    plan = layout([(40, 20)] * 4, edges)
    for x, y in plan.routes[3][1:-1]:
        for cx, cy in plan.centres[1:3]:
            assert abs(x - cx) > 20 or abs(y - cy) > 10


def test_members_of_a_group_stand_side_by_side():
    edges = [(i, 6) for i in range(6)]
    groups = ["a", "b", "a", "b", "a", "b", None]
    plan = layout([(10, 10)] * 7, edges, groups=groups)
    row = sorted(range(6), key=lambda i: plan.centres[i])
    assert [groups[i] for i in row] in (list("aaabbb"), list("bbbaaa"))


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 5), st.floats(1, 20)),
                min_size=1, max_size=8))  # fmt: skip
def test_spread_is_the_least_squares_answer(items):
    wishes, weights, widths = (list(column) for column in zip(*items, strict=True))
    found = spread(wishes, weights, widths, 3.0)

    def cost(places):
        return sum(w * (x - g) ** 2 for x, g, w in zip(places, wishes, weights, strict=True))

    for i in range(len(found) - 1):
        least = (widths[i] + widths[i + 1]) / 2 + 3.0
        assert found[i + 1] - found[i] >= least - 1e-6
    for i in range(len(found)):  # a convex problem: no small allowed move may help
        for step in (0.01, -0.01):
            for end in range(i, len(found)):
                moved = [x + step * (i <= j <= end) for j, x in enumerate(found)]
                gaps = (moved[j + 1] - moved[j] - (widths[j] + widths[j + 1]) / 2 - 3.0
                        for j in range(len(found) - 1))  # fmt: skip
                if all(gap >= -1e-9 for gap in gaps):
                    assert cost(moved) >= cost(found) - 1e-6


def test_two_thousand_nodes_take_less_than_three_seconds():
    rng = random.Random(0)
    edges = [(rng.randint(max(0, i - 30), i - 1), i) for i in range(1, 2000) for _ in range(2)]
    start = time.process_time()
    plan = layout([(60, 30)] * 2000, edges)
    assert time.process_time() - start < 3.0
    assert len(plan.centres) == 2000


def test_a_deep_graph_needs_no_recursion():
    plan = layout([(10, 10)] * 30_000, [(i, i + 1) for i in range(29_999)])
    assert plan.layers[-1] == 29_999


@pytest.mark.parametrize("edges", [[], [(0, 0)]])
def test_a_single_node_fills_the_plan(edges):
    plan = layout([(30, 20)], edges)
    assert (plan.centres, plan.width, plan.height) == ([(15.0, 10.0)], 30.0, 20.0)


def test_nothing_is_laid_out_as_nothing():
    assert layout([], []).width == 0
