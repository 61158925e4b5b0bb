"""Linear algebra in core words, for speakers that have nothing better.

Batched, and without a look at a value: what depends on values is chosen by ``where``, and what
converges runs a fixed number of sweeps, more than enough for matrices one would give it.
"""

from __future__ import annotations

from typing import Any

Pairs = list[tuple[int, int]]


def transposed(
    xp: Any,
    x: Any,
) -> Any:
    """The last two axes exchanged."""
    n = len(x.shape)
    order = [*range(n)]
    order[-2:] = order[-1], order[-2]
    return xp.permute_dims(x, tuple(order))


def _columns(
    x: Any,
    start: int,
    end: int | None,
) -> Any:
    """Columns `start` to `end`."""
    return x[..., slice(start, end)]


def _rows(
    x: Any,
    start: int,
    end: int | None,
) -> Any:
    """Rows `start` to `end`."""
    return x[..., slice(start, end), :]


def _inverted(
    xp: Any,
    x: Any,
) -> Any:
    """``1 / x``, 0 where x is 0."""
    zero = xp.equal(x, 0)
    safe = xp.where(zero, 1.0, x)
    return xp.where(zero, 0.0, 1.0 / safe)


def _total(
    xp: Any,
    x: Any,
) -> Any:
    """The sums of columns, as a row."""
    return xp.sum(x, axis=-2, keepdims=True)


def _taken(
    xp: Any,
    x: Any,
    order: Any,
    axis: int,
) -> Any:
    """The rows (axis -2) or columns (axis -1) of `x` in another order."""
    wide = xp.broadcast_to(order, x.shape)
    return xp.take_along_axis(x, wide, axis=axis)


# --- elimination -------------------------------------------------------------------------------
def _eliminated(
    xp: Any,
    rows: Any,
    n: int,
) -> tuple[Any, Any]:
    """`rows` (…, n, n + k) with the first n columns made upper triangular by Gauss's elimination,
    rows exchanged so that each pivot is the largest; and the sign of the exchanges (…)."""
    sign = xp.ones(rows.shape[:-2], rows.dtype)
    count = xp.arange(n)
    for j in range(n - 1):
        size = xp.abs(rows[..., j:, j])
        place = j + xp.argmax(size, axis=-1, keepdims=True)  # (…, 1)
        order = xp.where(xp.equal(count, place), j, count)
        order = xp.where(xp.equal(count, j), place, order)
        rows = _taken(xp, rows, xp.expand_dims(order, -1), -2)
        stays = xp.equal(place[..., 0], j)
        sign = xp.where(stays, sign, -sign)
        above = _rows(rows, 0, j + 1)
        below = _rows(rows, j + 1, None)
        pivot = _rows(rows, j, j + 1)
        share = _inverted(xp, _columns(pivot, j, j + 1))
        factors = _columns(below, j, j + 1) * share
        rows = xp.concat([above, below - factors * pivot], axis=-2)
    return rows, sign


def solve(
    xp: Any,
    a: Any,
    b: Any,
) -> Any:
    """x with ``a x = b``: elimination, then substitution from the last row up."""
    n, k = b.shape[-2:]
    lead = b.shape[:-2]
    if len(a.shape) > len(b.shape) or a.shape[:-2] != lead:
        both = xp.matmul(xp.zeros_like(a), xp.zeros_like(b))
        lead = both.shape[:-2]
        a = xp.broadcast_to(a, (*lead, n, n))
        b = xp.broadcast_to(b, (*lead, n, k))
    beside = xp.concat([a, b], axis=-1)
    rows, _ = _eliminated(xp, beside, n)
    if n == 0:
        return b
    out = _solved(rows, n, n - 1, 0.0)
    for j in reversed(range(n - 1)):
        known = xp.matmul(rows[..., j : j + 1, j + 1 : n], out)
        found = _solved(rows, n, j, known)
        out = xp.concat([found, out], axis=-2)
    return out


def _solved(
    rows: Any,
    n: int,
    j: int,
    known: Any,
) -> Any:
    """Row j of the solution, from what the rows below contribute."""
    row = _rows(rows, j, j + 1)
    rest = _columns(row, n, None) - known
    return rest / _columns(row, j, j + 1)


def slogdet_rows(
    xp: Any,
    x: Any,
) -> Any:
    """The sign of the determinant, and the logarithm of its size: from the pivots."""
    n = x.shape[-1]
    rows, sign = _eliminated(xp, x, n)
    count = xp.arange(n)
    pivots = rows[..., count, count]
    sign = sign * xp.prod(xp.sign(pivots), axis=-1)
    sizes = xp.log(xp.abs(pivots))
    return xp.stack([sign, xp.sum(sizes, axis=-1)], axis=0)


def cholesky(
    xp: Any,
    x: Any,
) -> Any:
    """L with ``L Lᵀ = x``, column by column; NaN where x is not positive definite."""
    n = x.shape[-1]
    lower = xp.zeros_like(x)[..., :0]
    for j in range(n):
        row = _rows(lower, j, j + 1)
        known = xp.matmul(lower, transposed(xp, row))
        column = _columns(x, j, j + 1) - known
        root = xp.sqrt(_rows(column, j, j + 1))
        below = xp.greater_equal(xp.arange(n), j)
        below = xp.expand_dims(below, -1)
        column = xp.where(below, column / root, 0.0)
        lower = xp.concat([lower, column], axis=-1)
    return lower


# --- reflections -------------------------------------------------------------------------------
def qr_rows(
    xp: Any,
    x: Any,
) -> Any:
    """Q above Rᵀ: Householder's reflections, their signs as in LAPACK."""
    m, n = x.shape[-2:]
    mirrors = []
    r = x
    for j in range(min(n, m - 1)):
        column = _columns(_rows(r, j, None), j, j + 1)  # (…, m - j, 1)
        first = _rows(column, 0, 1)
        rest = _rows(column, 1, None)
        length = xp.sqrt(_total(xp, column * column))
        target = xp.where(xp.less(first, 0), length, -length)
        mirror = xp.concat([first - target, rest], axis=-2)
        done = xp.equal(_total(xp, rest * rest), 0)
        mirror = xp.where(done, 0.0, mirror)
        scale = 2.0 * _inverted(xp, _total(xp, mirror * mirror))
        mirrors.append((mirror, scale))
        r = _reflected(xp, r, mirror, scale, j)
    q = xp.broadcast_to(xp.eye(m, n, 0, x.dtype), x.shape)
    for j in reversed(range(len(mirrors))):
        q = _reflected(xp, q, *mirrors[j], j)
    triangle = xp.triu(_rows(r, 0, n), 0)
    return xp.concat([q, transposed(xp, triangle)], axis=-2)


def _reflected(
    xp: Any,
    x: Any,
    mirror: Any,
    scale: Any,
    start: int,
) -> Any:
    """The rows of `x` from `start` on, reflected at the plane that `mirror` stands upright on."""
    block = _rows(x, start, None)
    inside = xp.matmul(transposed(xp, mirror), block)
    block = block - mirror * scale * inside
    above = _rows(x, 0, start)
    return xp.concat([above, block], axis=-2)


# --- rotations ---------------------------------------------------------------------------------
def _rounds(n: int) -> list[Pairs]:
    """All pairs of n columns, in rounds of disjoint ones, as in a tournament."""
    players = [*range(n + n % 2)]
    rounds = []
    for _ in range(len(players) - 1):
        half = len(players) // 2
        meetings = zip(players[:half], reversed(players[half:]), strict=True)
        rounds.append([(min(pair), max(pair)) for pair in meetings if max(pair) < n])
        players = [players[0], players[-1], *players[1:-1]]
    return [pairs for pairs in rounds if pairs]


def _split(pairs: Pairs) -> tuple[list[int], list[int]]:
    """The first numbers of all pairs, and the second ones."""
    return [p for p, _ in pairs], [q for _, q in pairs]


def _turned(
    xp: Any,
    x: Any,
    pairs: Pairs,
    c: Any,
    s: Any,
) -> Any:
    """The columns of `x` turned, pair by pair: ``c p - s q`` and ``s p + c q``."""
    first, second = _split(pairs)
    rest = [i for i in range(x.shape[-1]) if i not in (*first, *second)]
    p = x[..., first]
    q = x[..., second]
    parts = [c * p - s * q, s * p + c * q]
    if rest:
        parts.append(x[..., rest])
    order = [*first, *second, *rest]
    back = sorted(range(len(order)), key=order.__getitem__)
    return xp.concat(parts, axis=-1)[..., back]


def _angle(
    xp: Any,
    alpha: Any,
    beta: Any,
    gamma: Any,
) -> tuple[Any, Any]:
    """Cosine and sine of the turn that makes [[alpha, gamma], [gamma, beta]] diagonal."""
    slope = (beta - alpha) * _inverted(xp, 2.0 * gamma)
    size = xp.abs(slope) + xp.sqrt(1.0 + slope * slope)
    tangent = xp.where(xp.less(slope, 0), -1.0 / size, 1.0 / size)
    tangent = xp.where(xp.equal(gamma, 0), 0.0, tangent)
    cosine = 1.0 / xp.sqrt(1.0 + tangent * tangent)
    return cosine, cosine * tangent


def _sweeps(n: int) -> int:
    """Jacobi's method converges quadratically: a few sweeps, a few more for large matrices."""
    return 6 + n.bit_length()


def _signs(xp: Any, u: Any) -> Any:
    """1 or -1 for each column: the sign of its largest number, of equal ones the first."""
    m = u.shape[-2]
    fair = 1.0 - xp.astype(xp.arange(m), u.dtype) * (1e-3 / m)
    size = xp.abs(u) * xp.expand_dims(fair, -1)
    place = xp.argmax(size, axis=-2, keepdims=True)
    found = xp.take_along_axis(u, place, axis=-2)
    sign = xp.where(xp.less(found, 0), -1.0, 1.0)
    return xp.astype(sign, u.dtype)


def eigh_rows(xp: Any, x: Any) -> Any:
    """V above w, by Jacobi's rotations of all disjoint pairs at once."""
    n = x.shape[-1]
    below = xp.tril(x, -1)
    a = xp.tril(x, 0) + transposed(xp, below)
    v = xp.broadcast_to(xp.eye(n, None, 0, x.dtype), x.shape)
    for pairs in _rounds(n) * _sweeps(n):
        p, q = _split(pairs)
        alpha = a[..., p, p]
        beta = a[..., q, q]
        c, s = _angle(xp, alpha, beta, a[..., p, q])
        c = xp.expand_dims(c, -2)
        s = xp.expand_dims(s, -2)
        a = _turned(xp, a, pairs, c, s)
        a = _turned(xp, transposed(xp, a), pairs, c, s)
        v = _turned(xp, v, pairs, c, s)
    places = xp.arange(n)
    w = xp.expand_dims(a[..., places, places], -2)
    order = xp.argsort(w, axis=-1)
    v = _taken(xp, v, order, -1)
    w = _taken(xp, w, order, -1)
    return xp.concat([v * _signs(xp, v), w], axis=-2) if n else w


def svd_rows(xp: Any, x: Any) -> Any:
    """U above s above V: columns made orthogonal by Hestenes' one-sided rotations.

    U is the Q of what they end as, so that it is orthonormal also where s is 0.
    """
    m, n = x.shape[-2:]
    if m < n:
        rows = svd_rows(xp, transposed(xp, x))
        v = _rows(rows, 0, n)
        s = _rows(rows, n, n + 1)
        u = _rows(rows, n + 1, None)
    else:
        u, s, v = _one_sided(xp, x)
    if not m or not n:
        return xp.concat([u, s, v], axis=-2)
    sign = _signs(xp, u)
    return xp.concat([u * sign, s, v * sign], axis=-2)


def _one_sided(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    m, n = x.shape[-2:]
    a = x
    v = xp.broadcast_to(xp.eye(n, None, 0, x.dtype), (*x.shape[:-2], n, n))
    for pairs in _rounds(n) * _sweeps(n):
        p, q = _split(pairs)
        first = a[..., p]
        second = a[..., q]
        alpha = _total(xp, first * first)
        beta = _total(xp, second * second)
        c, s = _angle(xp, alpha, beta, _total(xp, first * second))
        a = _turned(xp, a, pairs, c, s)
        v = _turned(xp, v, pairs, c, s)
    size = xp.sqrt(_total(xp, a * a))
    order = xp.argsort(size, axis=-1, descending=True)
    size = _taken(xp, size, order, -1)
    a = _taken(xp, a, order, -1)
    v = _taken(xp, v, order, -1)
    rows = qr_rows(xp, a)
    places = xp.arange(n)
    r = _rows(rows, m, None)
    turned = r[..., places, places]  # ±size
    sign = xp.astype(xp.where(xp.less(turned, 0), -1.0, 1.0), r.dtype)
    u = _rows(rows, 0, m) * xp.expand_dims(sign, -2)
    return u, size, v
