"""Images from files, made to look like those of a data set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from deepdive.cli.recipes import Images
from deepdive.datautils import read_idx
from deepdive.errors import DataError, missing_extra

INK = 0.3  # of full ink: a pixel that belongs to the digit
GAP = rb"(?:\s|#[^\n]*\n)+"
PGM = re.compile(rb"P([25])" + GAP + rb"(\d+)" + GAP + rb"(\d+)" + GAP + rb"(\d+)\s")
NAMED_SCALES = (1, 16, 255, 65535)  # the value of full ink, where no header tells it


def read_images(path: str) -> Any:
    """All images of a file as numbers 0…1, (N, H, W).

    What the file is, its first bytes tell: PGM, ``.npy``, IDX (gzipped, too); everything else is
    left to Pillow.

    Raises:
        DataError: no such file, or nothing that can be read.
        MissingExtraError: it takes Pillow, which is not installed.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    if data[:2] in (b"P2", b"P5"):
        return _pgm(data, path)
    if data.startswith(b"\x93NUMPY"):
        return _npy(path)
    if data[:2] in (b"\0\0", b"\x1f\x8b"):
        return _in_scale(read_idx(path), path)
    return _by_pillow(path)


def _pgm(data: bytes, path: str) -> Any:
    """P5: bytes, or two bytes a pixel; P2: numbers as text."""
    header = PGM.match(data)
    if header is None:
        raise DataError(f"{path}: the header is not one of a PGM image")
    kind, width, height, most = map(int, header.groups())
    if not 0 < most < 65536 or not 0 < width * height <= 100_000_000:
        raise DataError(f"{path}: no PGM image has {width} x {height} pixels up to {most}")
    body = data[header.end() :]
    try:
        if kind == 2:
            pixels = np.array(body.split()[: width * height], dtype=np.int64)
        else:
            dtype = np.dtype(">u2" if most > 255 else "u1")
            pixels = np.frombuffer(body[: width * height * dtype.itemsize], dtype)
        return (pixels.reshape(1, height, width) / most).astype(np.float32)
    except ValueError as error:
        raise DataError(
            f"{path}: truncated or damaged", expected=f"{width} x {height} pixels"
        ) from error


def _npy(path: str) -> Any:
    try:
        return _in_scale(np.load(path, allow_pickle=False), path)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path}: not a readable .npy file", got=error) from error


def _in_scale(array: Any, path: str) -> Any:
    """Numbers 0…1; full ink is 1, 16, 255 or 65535, whichever is the first not exceeded."""
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.dtype.kind not in "buif" or not array.size:
        raise DataError(
            f"{path}: not an image",
            got=f"{array.dtype} of shape {array.shape}",
            expected="grey images, (H, W) or (N, H, W)",
        )
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > NAMED_SCALES[-1]:
        raise DataError(f"{path}: pixels are from 0 up to 1, 16, 255 or 65535")
    full = next(scale for scale in NAMED_SCALES if array.max() <= scale)
    return array.astype(np.float32) / full


def _by_pillow(path: str) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise missing_extra("pillow", "hf", f"reading {path}") from None
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"), dtype=np.float32)[None] / 255
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{path}: not an image that can be read", got=error) from error


def alike(pixels: Any, images: Images) -> Any:
    """An image (H, W) of any size as one of the data set: bright on dark, centred, (size, size)."""
    around = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if np.median(around) > 0.5:
        pixels = 1 - pixels
    if pixels.shape == (images.size, images.size):
        return pixels
    pixels = _square(_cropped(pixels), images.border)
    shrink = _overlaps(len(pixels), images.size)  # (size, length)
    small = shrink @ pixels @ shrink.T  # (size, size)
    return (small / max(small.max(), 1e-6)).astype(np.float32)


def _cropped(pixels: Any) -> Any:
    """The part that has ink."""
    ink = pixels > INK * pixels.max()
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows):
        return pixels
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _square(pixels: Any, border: float) -> Any:
    """In an empty square, the centre of mass in its middle, as MNIST was made."""
    side = round(max(pixels.shape) / (1 - 2 * border))
    ink = max(pixels.sum(), 1e-6)
    around = []
    for axis, length in enumerate(pixels.shape):
        centre = pixels.sum(1 - axis) @ (np.arange(length) + 0.5) / ink
        before = min(max(round(side / 2 - centre), 0), side - length)
        around.append((before, side - length - before))
    return np.pad(pixels, around)


def _overlaps(length: int, size: int) -> Any:
    """Each of `size` equal parts of a line of `length` pixels as shares of pixels; rows sum to 1.

    >>> _overlaps(3, 2).round(2).tolist()
    [[0.67, 0.33, 0.0], [0.0, 0.33, 0.67]]
    """
    edges = np.linspace(0, length, size + 1)
    pixel = np.arange(length)
    end = np.minimum(edges[1:, None], pixel + 1)
    begin = np.maximum(edges[:-1, None], pixel)
    return np.maximum(end - begin, 0.0) * size / length
