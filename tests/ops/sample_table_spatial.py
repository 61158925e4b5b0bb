"""Sample calls of the operators over pictures: convolutions, pools, padding, resampling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]


def apart(draw: Draw, *shape: int) -> Any:
    """Numbers of which no two are close: the largest stays the largest."""
    count = int(np.prod(shape))
    return (draw.random.permutation(count).reshape(shape) - count / 2) * 0.3


# --- convolutions --------------------------------------------------------------------------------
@samples_for("conv_transpose1d")
def _conv_transpose1d(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 4), draw(3, 2, 3), draw(2)))
    more: dict[str, Any] = {"stride": 3, "padding": 1, "output_padding": 2, "dilation": 2}
    yield Sample((draw(2, 4, 3), draw(4, 1, 2)), {**more, "groups": 2})
    yield Sample((draw(3, 4), draw(3, 2, 3), draw(2), 2))
    yield Sample((draw(1, 1, 3), draw(1, 1, 2), None, 1, 0, 2), {"dilation": 3})


@samples_for("conv_transpose2d")
def _conv_transpose2d(draw: Draw) -> Samples:
    yield Sample((draw(2, 2, 3, 2), draw(2, 3, 2, 3), draw(3)))
    yield Sample((draw(1, 2, 2, 3), draw(2, 1, 3, 2), draw(2), (2, 1), (1, 0), (1, 0), 2, (1, 2)))
    yield Sample((draw(2, 3, 2), draw(2, 1, 2, 2)))


@samples_for("conv_transpose3d")
def _conv_transpose3d(draw: Draw) -> Samples:
    yield Sample((draw(1, 2, 2, 2, 2), draw(2, 1, 2, 1, 2), draw(1), 2, 1, 1))


# --- pools ---------------------------------------------------------------------------------------
@samples_for("max_pool1d_with_indices")
def _max_pool1d_places(draw: Draw) -> Samples:
    yield Sample((apart(draw, 2, 3, 7), 3), {"return_indices": True})
    way: dict[str, Any] = {"stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}
    yield Sample((apart(draw, 1, 2, 8), 3), {**way, "return_indices": True})


@samples_for("max_pool2d_with_indices")
def _max_pool2d_places(draw: Draw) -> Samples:
    yield Sample((apart(draw, 2, 2, 4, 5), 2))
    yield Sample((apart(draw, 1, 2, 5, 6), (3, 2), (2, 1), (1, 1), (1, 2), True))
    yield Sample((apart(draw, 2, 4, 4), 2))


@samples_for("max_pool3d_with_indices")
def _max_pool3d_places(draw: Draw) -> Samples:
    yield Sample((apart(draw, 1, 2, 4, 3, 4), (2, 3, 2), (2, 1, 1), (1, 1, 0)))


@samples_for("max_pool3d")
def _max_pool3d(draw: Draw) -> Samples:
    yield Sample((apart(draw, 1, 2, 4, 3, 4), 2))
    yield Sample((apart(draw, 1, 1, 4, 3, 5), (2, 3, 2), 2, 1, 1, True))
    yield Sample((apart(draw, 1, 3, 3, 3), 2, 1), {"return_indices": True})


@samples_for("avg_pool3d")
def _avg_pool3d(draw: Draw) -> Samples:
    yield Sample((draw(1, 2, 4, 3, 4), 2))
    yield Sample((draw(1, 1, 4, 3, 5), (2, 3, 2), 2, 1, True, False))
    yield Sample((draw(1, 1, 4, 4, 4), 2), {"divisor_override": 3})


@samples_for("adaptive_max_pool1d")
def _adaptive_max_pool1d(draw: Draw) -> Samples:
    yield Sample((apart(draw, 2, 3, 7), 3))
    yield Sample((apart(draw, 3, 5), 5, True))


@samples_for("adaptive_max_pool2d")
def _adaptive_max_pool2d(draw: Draw) -> Samples:
    yield Sample((apart(draw, 2, 2, 5, 7), (2, 3)))
    yield Sample((apart(draw, 2, 5, 4), (None, 3)), {"return_indices": True})
    yield Sample((apart(draw, 1, 1, 4, 4), 1))


@samples_for("adaptive_max_pool3d")
def _adaptive_max_pool3d(draw: Draw) -> Samples:
    yield Sample((apart(draw, 1, 2, 3, 4, 5), (2, 3, 2), True))


@samples_for("adaptive_avg_pool3d")
def _adaptive_avg_pool3d(draw: Draw) -> Samples:
    yield Sample((draw(1, 2, 3, 4, 5), (2, 3, 2)))
    yield Sample((draw(1, 1, 4, 4, 4), 2))


@samples_for("lp_pool1d")
def _lp_pool1d(draw: Draw) -> Samples:
    yield Sample((draw.positive(2, 3, 7), 3.0, 2))
    yield Sample((draw.positive(2, 3, 7), 2.0, 3, 1, True))


@samples_for("lp_pool2d")
def _lp_pool2d(draw: Draw) -> Samples:
    yield Sample((draw.positive(2, 2, 4, 5), 2.0, (2, 3), 1))
    yield Sample((draw(1, 1, 4, 4), 2.0, 2))


@samples_for("lp_pool3d")
def _lp_pool3d(draw: Draw) -> Samples:
    yield Sample((draw.positive(1, 1, 4, 3, 4), 2.0, 2))


@samples_for("max_unpool1d")
def _max_unpool1d(draw: Draw) -> Samples:
    yield Sample((draw(2, 1, 3), np.array([[[0, 2, 5]], [[1, 3, 4]]]), 2))


@samples_for("max_unpool2d")
def _max_unpool2d(draw: Draw) -> Samples:
    places = np.array([[[[0, 3], [9, 14]]]])
    yield Sample((draw(1, 1, 2, 2), places, 2))
    yield Sample((draw(1, 1, 2, 2), places, 2), {"stride": 2, "output_size": (5, 4)})


@samples_for("max_unpool3d")
def _max_unpool3d(draw: Draw) -> Samples:
    yield Sample((draw(1, 1, 1, 2, 1), np.array([[[[[1], [4]]]]]), 2))


# --- padding -------------------------------------------------------------------------------------
@samples_for("pad")
def _pad(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), (1, 2)))
    yield Sample((draw(2, 3), (1, 0, 2, 1), "constant", 3.0))
    yield Sample((draw(4, 5), (-1, 2, 1, -2)))
    for mode in ("reflect", "replicate", "circular"):
        yield Sample((draw(1, 2, 5), (2, 1), mode))
        yield Sample((draw(2, 4, 5), (2, 0, 1, 3), mode))
        yield Sample((draw(1, 1, 3, 4, 3), (1, 2, 1, 1, 0, 2), mode))
        yield Sample((draw(1, 2, 5), (-1, 2), mode))


# --- blocks --------------------------------------------------------------------------------------
@samples_for("im2col")
def _im2col(draw: Draw) -> Samples:
    yield Sample((draw(2, 2, 4, 5), (2, 3)))
    yield Sample((draw(1, 2, 5, 5), 2, 2, 1, 2))
    yield Sample((draw(2, 3, 3), 2))


@samples_for("fold")
def _fold(draw: Draw) -> Samples:
    yield Sample((draw(2, 12, 9), (4, 4), 2))
    yield Sample((draw(1, 8, 9), (5, 5), 2, 2, 1, 2))
    yield Sample((draw(4, 4), (3, 3), 2))


@samples_for("pixel_shuffle")
def _pixel_shuffle(draw: Draw) -> Samples:
    yield Sample((draw(2, 8, 2, 3), 2))
    yield Sample((draw(9, 1, 2), 3))


@samples_for("pixel_unshuffle")
def _pixel_unshuffle(draw: Draw) -> Samples:
    yield Sample((draw(2, 2, 4, 6), 2))
    yield Sample((draw(1, 3, 6), 3))


@samples_for("channel_shuffle")
def _channel_shuffle(draw: Draw) -> Samples:
    yield Sample((draw(2, 6, 2, 2), 3))
    yield Sample((draw(1, 4, 2, 2), 2))


@samples_for("local_response_norm")
def _local_response_norm(draw: Draw) -> Samples:
    yield Sample((draw(2, 5, 3), 3, 0.5))
    yield Sample((draw(1, 4, 2, 3), 2), {"alpha": 0.3, "beta": 0.5, "k": 2.0})


# --- resampling ----------------------------------------------------------------------------------
@samples_for("interpolate")
def _interpolate(draw: Draw) -> Samples:
    line, picture, volume = draw(2, 2, 5), draw(1, 2, 3, 4), draw(1, 1, 2, 3, 2)
    for mode in ("nearest", "nearest-exact", "area"):
        yield Sample((line, 7), {"mode": mode})
        yield Sample((picture, (6, 3)), {"mode": mode})
        yield Sample((volume,), {"scale_factor": 2, "mode": mode})
        yield Sample((picture,), {"scale_factor": (1.5, 0.7), "mode": mode})
    yield Sample((line,), {"scale_factor": 3})
    for align in (None, False, True):
        for mode, x in (("linear", line), ("bilinear", picture), ("trilinear", volume)):
            yield Sample((x,), {"scale_factor": 2.0, "mode": mode, "align_corners": align})
            yield Sample((x,), {"scale_factor": 1.7, "mode": mode, "align_corners": align})
        yield Sample((picture, (5, 2), None, "bicubic", align))
        yield Sample((picture, (2, 9), None, "bilinear", align))
    again = {"scale_factor": 1.7, "mode": "bicubic", "recompute_scale_factor": True}
    yield Sample((picture,), again)
    wide = draw(1, 1, 7, 8)
    for mode in ("bilinear", "bicubic"):
        yield Sample((wide, (3, 3)), {"mode": mode, "antialias": True})
        yield Sample((wide, (9, 5)), {"mode": mode, "antialias": True, "align_corners": True})


@samples_for("upsample")
def _upsample(draw: Draw) -> Samples:
    yield Sample((draw(1, 2, 2, 3),), {"scale_factor": 2})
    yield Sample((draw(1, 2, 2, 3), (4, 5), None, "bilinear", True))


@samples_for("upsample_nearest", "upsample_bilinear")
def _upsample_more(draw: Draw) -> Samples:
    yield Sample((draw(1, 2, 2, 3), (4, 5)))
    yield Sample((draw(1, 2, 2, 3),), {"scale_factor": 2})


@samples_for("grid_sample")
def _grid_sample(draw: Draw) -> Samples:
    picture = draw(2, 2, 4, 5)
    grid = draw(2, 3, 2, 2, domain=(-1.4, 1.4))
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (True, False):
                yield Sample((picture, grid, mode, padding, align))
    volume, places = draw(1, 2, 3, 3, 2), draw(1, 2, 2, 1, 3, domain=(-1.3, 1.3))
    yield Sample((volume, places), {"align_corners": True})
    yield Sample((volume, places, "nearest", "border", False))
    yield Sample((volume, places, "bilinear", "reflection", False))


@samples_for("affine_grid")
def _affine_grid(draw: Draw) -> Samples:
    for align in (True, False):
        yield Sample((draw(2, 2, 3), (2, 1, 3, 4), align))
    yield Sample((draw(1, 3, 4), (1, 1, 2, 1, 3), False))
