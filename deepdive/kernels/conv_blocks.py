"""The compiled half of ``conv.py``: register blocks that sweep over a buffered image.

Here `s` is a ``conv.Shape``; what is not a size is an address.  ``…_task`` does one piece of the
work on the calling thread; the parallel functions share the pieces out.
"""

from __future__ import annotations

from numba import carray, prange

from deepdive.kernels.gemm import ONE, ZERO, pack
from deepdive.kernels.jit import kernel
from deepdive.kernels.reductions import part
from deepdive.kernels.vector import CHANNELS, FLOAT, PIXELS, WIDTH, copy_rows, dots, pointer, tile
from deepdive.kernels.vector_math import activate

BLOCK = PIXELS * WIDTH  # pixels of a register block
TAPS = 3  # columns of a block of dot products

block = tile(CHANNELS, PIXELS, table=True)
half_block = tile(CHANNELS // 2, PIXELS, table=True)
thin_block = tile(CHANNELS, 1, table=True)
dot_block = dots(CHANNELS, TAPS)
DOTS = -(-CHANNELS * TAPS // WIDTH) * WIDTH  # floats that a block of dot products is stored in


@kernel
def lay_out(s, x, first_row, buffer):
    """Copy the strip of image `x` that output rows from `first_row` on need into the buffer."""
    to = carray(pointer(buffer), (s.size,))
    to[:] = ZERO
    for c in range(s.C):
        image = x + FLOAT * c * s.H * s.W
        if s.sw == 1 and s.sh == 1 and s.up_h == 1 and s.up_w == 1:
            plane = buffer + FLOAT * c * s.height * s.width
            top = max(0, s.top - first_row)
            left = max(0, s.left)
            skip = max(0, -s.left)
            source = first_row + top - s.top
            count = min(s.H - source, s.height - top)
            n = min(s.W - skip, s.width - left)
            corner = plane + FLOAT * (top * s.width + left)
            copy_rows(image + FLOAT * (source * s.W + skip), s.W, corner, s.width, count, n)
        elif s.up_h == 1 and s.up_w == 1:
            for a in range(s.sh * s.sw):
                plane = buffer + FLOAT * (c * s.sh * s.sw + a) * s.height * s.width
                thin_out(s, image, first_row, a // s.sw - s.top, a % s.sw - s.left, plane)
        else:
            spread(s, image, first_row, buffer + FLOAT * c * s.height * s.width)


@kernel
def thin_out(s, image, first_row, row_shift, column_shift, plane):
    """Copy every s-th pixel of every s-th row of a channel, from the shifts on, into its plane."""
    source = pointer(image)
    out = pointer(plane)
    first = max(0, (s.sw - 1 - column_shift) // s.sw)
    end = min(s.width, (s.W - 1 - column_shift) // s.sw + 1)
    for i in range(s.height):
        row = (first_row + i) * s.sh + row_shift
        if row >= 0 and row < s.H:
            for j in range(first, end):
                out[i * s.width + j] = source[row * s.W + j * s.sw + column_shift]


@kernel
def spread(s, image, first_row, plane):
    """Copy a channel into its plane, its pixels `up_h` rows and `up_w` columns apart."""
    source = pointer(image)
    out = pointer(plane)
    for row in range(s.H):
        i = row * s.up_h + s.top - first_row
        if i >= 0 and i < s.height:
            for column in range(s.W):
                j = column * s.up_w + s.left
                if j >= 0 and j < s.width:
                    out[i * s.width + j] = source[row * s.W + column]


@kernel
def correlate_strip(
    s,
    buffer,
    weight,
    table,
    planes,
    channels,
    pixels,
):
    """Up to CHANNELS flat output planes of one strip."""
    m, step = CHANNELS, s.plane
    for p in range(0, pixels, BLOCK):
        right = buffer + FLOAT * p
        out = planes + FLOAT * p
        if pixels - p <= WIDTH:
            thin_block(weight, right, out, s.K, 1, m, table, step, m, WIDTH, ONE, ZERO)
        elif channels <= CHANNELS // 2:
            half_block(weight, right, out, s.K, 1, m, table, step, m, BLOCK, ONE, ZERO)
        else:
            block(weight, right, out, s.K, 1, m, table, step, m, BLOCK, ONE, ZERO)


@kernel
def finish_plane(
    s,
    plane,
    bias,
    activation,
    y,
    rows,
    pixels,
):
    """Add one number, apply the activation, and copy a flat plane, without its dropped columns."""
    if bias != ZERO or activation != 0:
        row = carray(pointer(plane), (pixels,))
        for p in range(pixels):
            row[p] += bias
        activate(row, activation)
    copy_rows(plane, s.width, y, s.OW, rows, s.OW)


@kernel
def correlate_task(
    s,
    task,
    x,
    weight,
    table,
    y,
    bias,
    activation,
    work,
):
    """One strip of one group of one image."""
    first_row = task % s.strips * s.rows
    image = task // s.strips
    g = image % s.groups
    rows = min(s.rows, s.OH - first_row)
    pixels = (rows - 1) * s.width + s.OW
    planes = work + FLOAT * s.size
    lay_out(s, x + FLOAT * image * s.C * s.H * s.W, first_row, work)
    for o in range(0, s.O, CHANNELS):
        channels = min(CHANNELS, s.O - o)
        left = weight + FLOAT * (g * s.padded + o) * s.K
        correlate_strip(s, work, left, table, planes, channels, pixels)
        for i in range(o, o + channels):
            plane = planes + FLOAT * (i - o) * s.plane
            row = (image * s.O + i) * s.OH + first_row
            added = pointer(bias)[g * s.O + i] if bias != 0 else ZERO
            finish_plane(s, plane, added, activation, y + FLOAT * row * s.OW, rows, pixels)


@kernel(parallel=True)
def correlate(
    s,
    x,
    weight,
    table,
    y,
    bias,
    activation,
    work,
    threads,
):
    """``y[n, o] = activation(sum over k of weight[o, k] * x[n, table[k] + ...] + bias[o])``."""
    tasks = s.B * s.groups * s.strips
    if threads == 1:
        for task in range(tasks):
            correlate_task(s, task, x, weight, table, y, bias, activation, work)
    else:
        for worker in prange(threads):
            own = work + FLOAT * worker * (s.size + CHANNELS * s.plane)
            first, last = part(worker, threads, tasks)
            for task in range(first, last):
                correlate_task(s, task, x, weight, table, y, bias, activation, own)


@kernel
def pack_weight(s, weight, out):
    """(groups, O, K) into panels: ``out[group][o // CHANNELS][k][o % CHANNELS]``."""
    for g in range(s.groups):
        rows = weight + FLOAT * g * s.O * s.K
        pack(rows, s.K, 1, s.O, s.K, CHANNELS, out + FLOAT * g * s.padded * s.K)


@kernel
def spread_rows(s, dy, rows, plane):
    """Copy rows of an output plane to where the buffer has them, with zeros in what is dropped."""
    to = carray(pointer(plane), (s.plane,))
    copy_rows(dy, s.OW, plane, s.width, rows, s.OW)
    # Rows have spilled zeros up to a whole vector, except for the last ones, which spill nothing.
    enough = s.width - s.OW <= -s.OW % WIDTH
    first = max(0, rows - 1 - WIDTH // s.width) if enough else 0
    for i in range(first, rows):
        for j in range(i * s.width + s.OW, (i + 1) * s.width):
            to[j] = ZERO
    to[rows * s.width :] = ZERO


@kernel
def reduce_task(
    s,
    task,
    images,
    x,
    dy,
    table,
    dw,
    work,
):
    """Add what one strip of some images, one group, has to say about the weight."""
    first_row = task % s.strips * s.rows
    g = task // s.strips % s.groups
    first = task // s.strips // s.groups * images
    count = min(images, s.B - first)
    rows = min(s.rows, s.OH - first_row)
    pixels = (rows - 1) * s.width + s.OW
    grads = work + FLOAT * images * s.size
    step = s.padded * s.plane
    for n in range(count):
        image = (first + n) * s.groups + g
        lay_out(s, x + FLOAT * image * s.C * s.H * s.W, first_row, work + FLOAT * n * s.size)
        for o in range(s.O):
            source = dy + FLOAT * ((image * s.O + o) * s.OH + first_row) * s.OW
            spread_rows(s, source, rows, grads + FLOAT * (n * step + o * s.plane))
    for o in range(0, s.O, CHANNELS):  # these rows of `dy` stay in the first cache
        left = grads + FLOAT * o * s.plane
        blocks = (g * s.padded + o) // CHANNELS * s.blocks
        for k in range(s.blocks):
            out = dw + FLOAT * DOTS * (blocks + k)
            shifts = table + 8 * TAPS * k
            dot_block(left, work, shifts, out, pixels, s.plane, count, step, s.size)


@kernel(parallel=True)
def reduce_images(
    s,
    images,
    x,
    dy,
    table,
    dw,
    work,
    threads,
):
    """``dw[o, k] = sum over n, p of dy[n, o, p] * x[n, table[k] + p]``, one `dw` a thread.

    `dw` is (thread, group, o // CHANNELS, k // TAPS, DOTS).
    """
    tasks = (s.B + images - 1) // images * s.groups * s.strips
    if threads == 1:
        for task in range(tasks):
            reduce_task(s, task, images, x, dy, table, dw, work)
    else:
        for worker in prange(threads):
            own = work + FLOAT * worker * images * (s.size + s.padded * s.plane)
            mine = dw + FLOAT * DOTS * worker * s.groups * (s.padded // CHANNELS) * s.blocks
            first, last = part(worker, threads, tasks)
            for task in range(first, last):
                reduce_task(s, task, images, x, dy, table, mine, own)
