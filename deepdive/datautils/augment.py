"""Images changed at random, so that a network sees no picture twice.

Images are (H, W) or (C, H, W) arrays; colours are bytes 0…255 or floats 0…1, and stay what they
are.  In a loader what happens to a sample depends on (seed, epoch, index of the sample) alone.
Names, arguments and ranges are torchvision's.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive.datautils.sampling import Moves, Window, cut, resized, warped
from deepdive.datautils.seeds import sample_generator
from deepdive.datautils.transforms import Transform
from deepdive.errors import ArgumentError, ShapeError
from deepdive.host import np

GRAY = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)


def _uniform(low: float = 0.0, high: float = 1.0) -> float:
    """One number of the sample's own generator."""
    return float(sample_generator().uniform((), low, high, dtype=np.float64)) if high > low else low


def _chance(name: str, p: float) -> float:
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p must be a probability", got=p, expected="0 <= p <= 1")
    return p


def _pair(value: Any) -> tuple[Any, Any]:
    """`value` twice, or the two it holds."""
    return (value, value) if isinstance(value, (int, float)) else (value[0], value[1])


def _span(name: str, value: Any) -> tuple[float, float]:
    """``v`` means from -v to v; a pair is taken as it is."""
    low, high = (-value, value) if isinstance(value, (int, float)) else (value[0], value[1])
    if not low <= high:
        raise ArgumentError(f"{name}: a range goes from low to high", got=value)
    return float(low), float(high)


class RandomHorizontalFlip(Transform):
    """Left and right change places with probability `p`.

    >>> RandomHorizontalFlip(p=1.0)(np.array([[1, 2, 3]])).tolist()
    [[3, 2, 1]]
    """

    axis = -1

    def __init__(self, p: float = 0.5) -> None:
        self.p = _chance(type(self).__name__, p)

    def __call__(self, x: Any) -> Any:
        return np.flip(x, self.axis) if _uniform() < self.p else np.asarray(x)


class RandomVerticalFlip(RandomHorizontalFlip):
    """Top and bottom change places with probability `p`."""

    axis = -2


class RandomApply(Transform):
    """`transform` with probability `p`, else nothing."""

    def __init__(self, transform: Any, p: float = 0.5) -> None:
        self.transform = transform
        self.p = _chance("RandomApply", p)

    def __call__(self, x: Any) -> Any:
        return self.transform(x) if _uniform() < self.p else x


class CenterCrop(Transform):
    """The window of `size` in the middle of an image (…, H, W).

    Raises:
        ShapeError: if the image is smaller.
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = _pair(size)

    def __call__(self, x: Any) -> Any:
        image = np.asarray(x)
        high, wide = self.size
        rows = image.shape[-2] - high
        columns = image.shape[-1] - wide
        if min(rows, columns) < 0:
            raise ShapeError(
                "CenterCrop: the image is smaller than the window",
                got=f"image {image.shape[-2:]}",
                expected=f"at least {self.size}",
            )
        return cut(image, Window(rows // 2, columns // 2, high, wide))

    batch = __call__


class Resize(Transform):
    """An image (…, H, W) at another size, bilinear without smoothing before.

    Args:
        size: (height, width), or the shorter side's length.
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = size

    def __call__(self, x: Any) -> Any:
        height, width = np.shape(x)[-2:]
        size = self.size
        if isinstance(size, int):
            scale = size / min(height, width)
            size = (round(height * scale), round(width * scale))
        return resized(np.asarray(x), size)

    batch = __call__


class RandomResizedCrop(Transform):
    """A window of random area and shape, brought to `size` (Szegedy et al. 2015, section 6).

    Args:
        size: (height, width) of the result, or both.
        scale: the share of the area the window takes, from and to.
        ratio: width ÷ height of the window, from and to; drawn evenly by logarithm.
    """

    def __init__(
        self,
        size: int | tuple[int, int],
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
    ) -> None:
        self.size = _pair(size)
        self.scale = _span("RandomResizedCrop", scale)
        self.ratio = _span("RandomResizedCrop", ratio)

    def __call__(self, x: Any) -> Any:
        image = np.asarray(x)
        window = _window(image.shape, self.scale, self.ratio)
        return resized(cut(image, window), self.size)


def _window(shape: Any, scale: Any, ratio: Any) -> Window:
    """A window inside an image (…, H, W); the whole image where ten tries fail."""
    rows, columns = shape[-2:]
    narrow, broad = map(math.log, ratio)
    for _ in range(10):
        area = _uniform(*scale) * rows * columns
        aspect = math.exp(_uniform(narrow, broad))
        height = round(math.sqrt(area / aspect))
        width = round(math.sqrt(area * aspect))
        if 0 < height <= rows and 0 < width <= columns:
            top = int(_uniform(0, rows - height + 1))
            left = int(_uniform(0, columns - width + 1))
            return Window(top, left, height, width)
    return Window(0, 0, rows, columns)


class RandomAffine(Transform):
    """An image turned, moved, scaled and sheared about its middle; sampled bilinearly.

    Args:
        degrees: the range of the angle, counter-clockwise: v for -v to v, or (from, to).
        translate: how far it moves at most, as shares of width and height.
        scale: the range of the factor.
        shear: the range of the angle by which verticals lean, in degrees.
        fill: what comes in from outside.
    """

    def __init__(
        self,
        degrees: float | tuple[float, float],
        translate: tuple[float, float] = (0.0, 0.0),
        scale: tuple[float, float] = (1.0, 1.0),
        shear: float | tuple[float, float] = 0.0,
        fill: float = 0.0,
    ) -> None:
        self.degrees = _span("RandomAffine", degrees)
        self.shear = _span("RandomAffine", shear)
        self.scale = _span("RandomAffine", scale)
        self.translate = _pair(translate)
        self.fill = fill

    def __call__(self, x: Any) -> Any:
        image = np.asarray(x)
        far_right, far_down = self.translate
        moves = Moves(
            turn=math.radians(_uniform(*self.degrees)),
            lean=math.radians(_uniform(*self.shear)),
            factor=_uniform(*self.scale),
            right=_uniform(-far_right, far_right) * image.shape[-1],
            down=_uniform(-far_down, far_down) * image.shape[-2],
        )
        return warped(image, moves, self.fill)


class RandomRotation(RandomAffine):
    """An image turned about its middle by an angle in `degrees`, counter-clockwise."""

    def __init__(self, degrees: float | tuple[float, float], fill: float = 0.0) -> None:
        super().__init__(degrees, fill=fill)


class RandomErasing(Transform):
    """A window of the image filled with `value`, with probability `p` (Zhong et al. 2017).

    Args:
        scale: the share of the area the window takes, from and to.
        ratio: width ÷ height of the window, from and to.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        value: float = 0.0,
    ) -> None:
        self.p = _chance("RandomErasing", p)
        self.scale = _span("RandomErasing", scale)
        self.ratio = _span("RandomErasing", ratio)
        self.value = value

    def __call__(self, x: Any) -> Any:
        if _uniform() >= self.p:
            return x
        image = np.array(x)
        cut(image, _window(image.shape, self.scale, self.ratio))[...] = self.value
        return image


class Grayscale(Transform):
    """(3, H, W) → (channels, H, W): ``0.299 red + 0.587 green + 0.114 blue``, ITU-R BT.601."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def __call__(self, x: Any) -> Any:
        gray = _gray("Grayscale", np.asarray(x))
        return np.repeat(_like(gray, x), self.num_output_channels, axis=-3)


class ColorJitter(Transform):
    """Brightness, contrast and saturation of an image (3, H, W), each times a random factor.

    Args:
        brightness: b for factors from max(0, 1-b) to 1+b, or (from, to); likewise the others.
        contrast: how far from its mean grey the image goes.
        saturation: how far from its own grey each pixel goes; greyscale images ignore it.
    """

    def __init__(self, brightness: Any = 0.0, contrast: Any = 0.0, saturation: Any = 0.0) -> None:
        self.brightness = _factors(brightness)
        self.contrast = _factors(contrast)
        self.saturation = _factors(saturation)

    def __call__(self, x: Any) -> Any:
        image = np.asarray(x)
        colour = image.ndim == 3 and image.shape[0] == 3
        out = image * _uniform(*self.brightness)
        mean = (_gray("ColorJitter", out) if colour else out).mean()
        out = mean + (out - mean) * _uniform(*self.contrast)
        saturation = _uniform(*self.saturation)
        if colour:
            gray = _gray("ColorJitter", out)
            out = gray + (out - gray) * saturation
        return _like(out, image)


def _factors(value: Any) -> tuple[float, float]:
    if isinstance(value, (int, float)):
        return _span("ColorJitter", (max(0.0, 1.0 - value), 1.0 + value))
    return _span("ColorJitter", value)


def _gray(name: str, image: Any) -> Any:
    """(3, H, W) → (1, H, W)"""
    if image.ndim < 3 or image.shape[-3] != 3:
        raise ShapeError(f"{name}: takes colour images", got=image.shape, expected="(3, H, W)")
    return np.tensordot(np.asarray(GRAY), image, (0, image.ndim - 3))[None]


def _like(values: Any, image: Any) -> Any:
    """`values` in the dtype of `image`, within what its colours can be."""
    dtype = np.asarray(image).dtype
    if dtype == np.uint8:
        return np.clip(np.rint(values), 0, 255).astype(dtype)
    return np.clip(values, 0, 1).astype(dtype)


class MixUp:
    """Batches of pairs: ``λ x + (1-λ) x'``, the labels alike (Zhang et al. 2018).

    ``MixUp(classes)(x, y)`` takes the batch (B, …), labels (B,), and gives labels (B, classes);
    λ is drawn from Beta(alpha, alpha) once a batch.

    Args:
        generator: where the random numbers come from (the default generator).

    >>> x, y = MixUp(2, alpha=1.0)(np.ones((4, 3)), np.array([0, 1, 0, 1]))
    >>> x.shape, y.sum(1).tolist()
    ((4, 3), [1.0, 1.0, 1.0, 1.0])
    """

    def __init__(self, classes: int, alpha: float = 0.2, generator: Any = None) -> None:
        if alpha <= 0 or classes < 1:
            raise ArgumentError(
                "MixUp: classes are counted from 1, alpha is positive", got=f"{classes=}, {alpha=}"
            )
        self.classes, self.alpha, self.generator = classes, alpha, generator

    def __call__(self, x: Any, y: Any) -> tuple[Any, Any]:
        random = self.generator or sample_generator()
        share = _beta(random, self.alpha)
        images = np.asarray(x)
        soft = np.eye(self.classes, dtype=np.float32)[np.asarray(y)]
        other = random.permutation(len(images))
        return _mixed(images, other, share), _mixed(soft, other, share)


def _mixed(values: Any, other: Any, share: float) -> Any:
    part = np.asarray(share, values.dtype)
    return part * values + (1 - part) * values[other]


def _beta(random: Any, alpha: float) -> float:
    """A number of Beta(alpha, alpha), by rejection (Jöhnk 1964): good for small alpha."""
    while True:
        u, v = random.uniform((2,), dtype=np.float64).tolist()
        u **= 1 / alpha
        v **= 1 / alpha
        if 0 < u + v <= 1:
            return u / (u + v)
