"""The compiled half of ``conv.py``: register blocks that sweep over a buffered image.

Here `s` is a ``conv.Shape``; what is not a size is an address.  ``…_task`` does one piece of the
work on the calling thread; the parallel functions share the pieces out.
"""

from __future__ import annotations

from numba import carray, prange

from deepdive.kernels.gemm import ONE, ZERO, pack
from deepdive.kernels.jit import kernel
from deepdive.kernels.vector import (
    CHANNELS,
    FLOAT,
    PIXELS,
    WIDTH,
    copy_rows,
    dots,
    pointer,
    tile,
)
from deepdive.kernels.vector_math import activate

BLOCK = PIXELS * WIDTH  # pixels of a register block
TAPS = 3  # columns of a block of dot products

block = tile(CHANNELS, PIXELS, table=True)
half_block = tile(CHANNELS // 2, PIXELS, table=True)
thin_block = tile(CHANNELS, 1, table=True)
dot_block = dots(CHANNELS, TAPS)
DOTS = -(-CHANNELS * TAPS // WIDTH) * WIDTH  # floats that a block of dot products is stored in


@kernel
def lay_out(s, x, first_row, buffer, size):
    """Copy the strip of image `x` that output rows from `first_row` on need into the buffer."""
    to = carray(pointer(buffer), (size,))
    to[:] = ZERO
    for c in range(s.C):
        image = x + FLOAT * c * s.H * s.W
        if s.sw == 1 and s.sh == 1 and s.up_h == 1 and s.up_w == 1:
            plane = buffer + FLOAT * c * s.height * s.width
            top, left, skip = max(0, s.top - first_row), max(0, s.left), max(0, -s.left)
            source = first_row + top - s.top
            count, n = min(s.H - source, s.height - top), min(s.W - skip, s.width - left)
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
    source, out = pointer(image), pointer(plane)
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
    source, out = pointer(image), pointer(plane)
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
    y,
    first_row,
    rows,
    bias,
    activation,
    planes,
    plane,
):
    """Output rows of all channels of one group; `planes` is room for CHANNELS flat planes."""
    K, m = s.C * s.kh * s.kw, CHANNELS
    pixels = (rows - 1) * s.width + s.OW
    for o in range(0, s.O, CHANNELS):
        channels = min(CHANNELS, s.O - o)
        left = weight + FLOAT * o * K
        for p in range(0, pixels, BLOCK):
            right, out = buffer + FLOAT * p, planes + FLOAT * p
            if pixels - p <= WIDTH:
                thin_block(
                    left,
                    right,
                    out,
                    K,
                    1,
                    m,
                    table,
                    plane,
                    m,
                    WIDTH,
                    ONE,
                    ZERO,
                )
            elif channels <= CHANNELS // 2:
                half_block(
                    left,
                    right,
                    out,
                    K,
                    1,
                    m,
                    table,
                    plane,
                    m,
                    BLOCK,
                    ONE,
                    ZERO,
                )
            else:
                block(
                    left,
                    right,
                    out,
                    K,
                    1,
                    m,
                    table,
                    plane,
                    m,
                    BLOCK,
                    ONE,
                    ZERO,
                )
        for i in range(channels):
            result = planes + FLOAT * i * plane
            if bias != 0 or activation != 0:
                row = carray(pointer(result), (pixels,))
                if bias != 0:
                    added = pointer(bias)[o + i]
                    for p in range(pixels):
                        row[p] += added
                activate(row, activation)
            target = y + FLOAT * ((o + i) * s.OH + first_row) * s.OW
            copy_rows(result, s.width, target, s.OW, rows, s.OW)


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
    size,
    plane,
):
    """One strip of one group of one image."""
    strips = (s.OH + s.rows - 1) // s.rows
    first_row = task % strips * s.rows
    n, g = task // strips // s.groups, task // strips % s.groups
    padded = (s.O + CHANNELS - 1) // CHANNELS * CHANNELS
    lay_out(s, x + FLOAT * (n * s.groups + g) * s.C * s.H * s.W, first_row, work, size)
    correlate_strip(
        s,
        work,
        weight + FLOAT * g * padded * s.C * s.kh * s.kw,
        table,
        y + FLOAT * (n * s.groups + g) * s.O * s.OH * s.OW,
        first_row,
        min(s.rows, s.OH - first_row),
        bias + FLOAT * g * s.O if bias != 0 else 0,
        activation,
        work + FLOAT * size,
        plane,
    )


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
    size,
    plane,
    threads,
):
    """``y[n, o] = activation(sum over k of weight[o, k] * x[n, table[k] + ...] + bias[o])``."""
    tasks = s.B * s.groups * ((s.OH + s.rows - 1) // s.rows)
    if threads == 1:
        for task in range(tasks):
            correlate_task(
                s,
                task,
                x,
                weight,
                table,
                y,
                bias,
                activation,
                work,
                size,
                plane,
            )
    else:
        for worker in prange(threads):
            own = work + FLOAT * worker * (size + CHANNELS * plane)
            for task in range(worker * tasks // threads, (worker + 1) * tasks // threads):
                correlate_task(
                    s,
                    task,
                    x,
                    weight,
                    table,
                    y,
                    bias,
                    activation,
                    own,
                    size,
                    plane,
                )


@kernel
def pack_weight(weight, O, K, groups, out):  # noqa: E741
    """(groups, O, K) into panels: ``out[group][o // CHANNELS][k][o % CHANNELS]``."""
    padded = (O + CHANNELS - 1) // CHANNELS * CHANNELS
    for g in range(groups):
        pack(weight + FLOAT * g * O * K, K, 1, O, K, CHANNELS, out + FLOAT * g * padded * K)


@kernel
def reduce_task(
    s,
    task,
    images,
    x,
    dy,
    table,
    dw,
    pitch,
    work,
    size,
    plane,
):
    """Add what one strip of some images, one group, has to say about the weight."""
    strips = (s.OH + s.rows - 1) // s.rows
    first_row, g = task % strips * s.rows, task // strips % s.groups
    first = task // strips // s.groups * images
    count, rows = min(images, s.B - first), min(s.rows, s.OH - first_row)
    grads, K = work + FLOAT * images * size, s.C * s.kh * s.kw
    padded = (s.O + CHANNELS - 1) // CHANNELS * CHANNELS
    for n in range(count):
        image = (first + n) * s.groups + g
        lay_out(s, x + FLOAT * image * s.C * s.H * s.W, first_row, work + FLOAT * n * size, size)
        to = carray(pointer(grads + FLOAT * n * padded * plane), (padded * plane,))
        to[:] = ZERO  # dropped columns of the last rows must count for nothing
        for o in range(s.O):
            source = dy + FLOAT * ((image * s.O + o) * s.OH + first_row) * s.OW
            target = grads + FLOAT * (n * padded + o) * plane
            copy_rows(source, s.OW, target, s.width, rows, s.OW)
            if s.width > s.OW:  # clear what the rows have spilled
                out = pointer(target)
                for i in range(rows):
                    for j in range(i * s.width + s.OW, (i + 1) * s.width):
                        out[j] = ZERO
    pixels = (rows - 1) * s.width + s.OW
    for o in range(0, s.O, CHANNELS):  # these rows of `dy` stay in the first cache
        for k in range(0, K, TAPS):
            target = dw + FLOAT * ((g * padded + o) // CHANNELS * pitch + k // TAPS * DOTS)
            dot_block(
                grads + FLOAT * o * plane,
                work,
                table + 8 * k,
                target,
                pixels,
                plane,
                count,
                padded * plane,
                size,
            )


@kernel(parallel=True)
def reduce_images(
    s,
    images,
    x,
    dy,
    table,
    dw,
    pitch,
    work,
    size,
    plane,
    threads,
):
    """``dw[o, k] = sum over n, p of dy[n, o, p] * x[n, table[k] + p]``, one `dw` a thread.

    `dw` is (thread, group, o // CHANNELS, k // TAPS, DOTS); `pitch` floats are a row of blocks.
    """
    padded = (s.O + CHANNELS - 1) // CHANNELS * CHANNELS
    tasks = (s.B + images - 1) // images * s.groups * ((s.OH + s.rows - 1) // s.rows)
    if threads == 1:
        for task in range(tasks):
            reduce_task(
                s,
                task,
                images,
                x,
                dy,
                table,
                dw,
                pitch,
                work,
                size,
                plane,
            )
    else:
        for worker in prange(threads):
            own = work + FLOAT * worker * images * (size + padded * plane)
            mine = dw + FLOAT * worker * s.groups * (padded // CHANNELS) * pitch
            for task in range(worker * tasks // threads, (worker + 1) * tasks // threads):
                reduce_task(
                    s,
                    task,
                    images,
                    x,
                    dy,
                    table,
                    mine,
                    pitch,
                    own,
                    size,
                    plane,
                )
