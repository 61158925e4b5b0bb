"""A stroke font: every letter is a few pen strokes on a grid, so that it is sharp at any size.

A glyph is a width and its strokes.  A stroke is a row of points, two hexadecimal digits each, x
then y downwards: capitals span y = 0…c, small letters 4…c, descenders reach f.  A ``~`` in front
makes the stroke a curve: the points become the control points of a quadratic spline, which
starts at the first, ends at the last, and touches the middle of every side in between.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

UNIT = 0.06  # one grid step in ems: capitals are 12 steps, 0.72 em
SPACING = 3  # grid steps between letters

GLYPHS = """
! 0 0008 0b0c
" 3 0003 3033
# 7 301c 604c 0474 0878
$ 8 ~72600006868c1c0a 404c
% 9 ~200004444020 ~78585c9c9878 810b
& 8 8c23 ~2310605406 ~060c6c87
' 0 0003
( 3 ~30040a3e
) 3 ~00343a0e
* 6 3137 0266 0662
+ 6 353b 0868
, 1 1b0e
- 4 0848
. 0 0b0c
/ 5 500d
0 6 ~30000c6c6030
1 6 13404c
2 6 ~030060660c 0c6c
3 6 ~0210606626 ~26666c1c0a
4 6 4c400868
5 6 601006 ~0614646c1c0a
6 6 ~61500008 ~35050c6c6535
7 6 00602c
8 6 ~300006666030 ~36060c6c6636
9 6 ~370700606737 ~646c1c0b
: 0 0506 0b0c
; 1 1516 1b0e
< 6 64086c
= 6 0666 0a6a
> 6 04680c
? 6 ~021060653638 3b3c
@ a ~553539797555 ~757aaaa0000c8c9b
A 8 0c408c 1979
B 8 000c ~00404070764606 ~064646868c4c0c
C 8 ~8370000c7c89
D 8 000c 0030 ~30808c3c 3c0c
E 7 70000c7c 0666
F 7 70000c 0666
G 8 ~8370000c8c87 8757
H 8 000c 808c 0686
I 4 0040 202c 0c4c
J 6 ~60696c0c09
K 8 000c 7008 358c
L 7 000c7c
M a 0c0058a0ac
N 8 0c008c80
O 8 ~40000c8c8040
P 8 000c ~00404080874707
Q 8 ~40000c8c8040 598d
R 8 000c ~00404080874707 478c
S 8 ~72600006868c1c0a
T 8 0080 404c
U 8 ~00080c8c8880
V 8 004c80
W c 003c629cc0
X 8 008c 800c
Y 8 004680 464c
Z 8 00800c8c
[ 3 30000e3e
\\ 5 005d
] 3 00303e0e
^ 6 033063
_ 7 0e7e
` 2 0023
a 6 ~05146467 676c ~68070c5c69
b 6 000c ~34040c6c6434
c 6 ~6554040c5c6b
d 6 606c ~34040c6c6434
e 6 0868 ~6864040c5c6a
f 4 ~4010141c 0434
g 6 ~34040c6c6434 ~646c6f0f0e
h 6 000c ~071464686c
i 0 040c 0001
j 2 ~242c2f0f 2021
k 6 000c 5409 276c
l 2 ~00080c2c
m a 040c ~071454585c ~5764a4a8ac
n 6 040c ~071464686c
o 6 ~34040c6c6434
p 6 040f ~34040c6c6434
q 6 646f ~34040c6c6434
r 4 040c ~071444
s 6 ~65540408686c1c0b
t 4 ~11191c4c 0444
u 6 ~04080c5c69 646c
v 6 043c64
w a 043c557ca4
x 6 046c 640c
y 6 043c 642f
z 6 04640c6c
{ 4 ~40202707 ~07272e4e
| 0 000e
} 4 ~00202747 ~47272e0e
~ 7 ~09166a77
× 5 055b 550b
· 1 0607
→ 9 0898 65986b
– 6 0868
… 8 0b0c 4b4c 8b8c
"""
UNKNOWN = "6 00606c0c00"  # an empty box


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    rows = GLYPHS.strip().replace("\\\\", "\\").split("\n")
    return {" ": "3"} | {row[0]: row[2:] for row in rows}


@lru_cache(maxsize=512)
def strokes(char: str) -> tuple[int, list[np.ndarray]]:
    """The width of a letter in grid steps and its strokes, each a row of points ``x + iy``."""
    width, *codes = _table().get(char, UNKNOWN).split(" ")
    return int(width, 16), [_points(code) for code in codes]


def _points(code: str) -> np.ndarray:
    digits = np.array([int(digit, 16) for digit in code.lstrip("~")])
    points = digits[0::2] + 1j * digits[1::2]
    return quadratic_spline(points) if code[0] == "~" else points


def quadratic_spline(control: np.ndarray, steps: int = 6) -> np.ndarray:
    """Points on the quadratic spline with these control points, ``(1-t)² a + 2t(1-t) b + t² c``.

    Args:
        control: n ≥ 3 points ``x + iy``; the curve touches the middle of every inner side.
        steps: how many straight pieces stand for one arc.
    """
    middles = (control[1:-2] + control[2:-1]) / 2
    a = np.append(control[0], middles)  # (n - 2,): where each arc starts,
    b = control[1:-1]  # is drawn to,
    c = np.append(middles, control[-1])  # and ends
    t = np.linspace(0, 1, steps + 1)[1:, None]
    arcs = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c  # (steps, n - 2)
    return np.append(control[0], arcs.T)


def text_width(text: str, size: float) -> float:
    """How wide a line of text is, in the units of `size` (its em).

    >>> round(text_width("loss", 100))
    174
    """
    steps = sum(strokes(char)[0] + SPACING for char in text)
    return max(steps - SPACING, 0) * UNIT * size
