"""What happens to a sample on its way into a batch: to its features, or to its label.

``t(x)`` takes one sample, ``t.batch(x)`` a whole batch with a first axis B; any function of one
sample is a transform as well, only slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from deepdive import dtypes
from deepdive.datautils.collate import as_tensor, default_collate, is_tensor
from deepdive.datautils.seeds import each_sample, sample_generator
from deepdive.errors import ArgumentError, DataError, ShapeError
from deepdive.host import np


class Transform:
    """A function of one sample; ``batch`` may be overridden by something faster."""

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__")

    def batch(self, x: Any) -> Any:
        """The transform of every sample of `x` (B, …)."""
        return default_collate([self(sample) for sample in each_sample(x)])

    def __repr__(self) -> str:
        shown = [f"{k}={_brief(v)}" for k, v in vars(self).items() if not k.startswith("_")]
        return f"{type(self).__name__}({', '.join(shown)})"


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return str(value.tolist()) if value.size <= 4 else f"array{list(value.shape)}"
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    return getattr(value, "__name__", repr(value))


def transform_batch(transform: Callable[[Any], Any] | None, batch: Any) -> Any:
    """`batch` (B, …) transformed: at once by a :class:`Transform`, else sample by sample."""
    if transform is None:
        return batch
    if isinstance(transform, Transform):
        out = transform.batch(batch)
    else:
        out = default_collate([transform(sample) for sample in each_sample(batch)])
    return as_tensor(out) if is_tensor(batch) and not is_tensor(out) else out


class Compose(Transform):
    """One transform after the other.

    >>> Compose(Scale(1 / 255), Flatten())(np.full((2, 2), 255)).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, *transforms: Any) -> None:
        if len(transforms) == 1 and isinstance(transforms[0], (list, tuple)):
            transforms = tuple(transforms[0])  # torchvision's way to call it
        self.transforms = transforms

    def __call__(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform(x)
        return x

    def batch(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform_batch(transform, x)
        return x

    def __repr__(self) -> str:
        return f"Compose({', '.join(map(_brief, self.transforms))})"


class Lambda(Transform):
    """Any function; `batched` promises that it takes a whole batch as it takes one sample."""

    def __init__(self, function: Callable[[Any], Any], batched: bool = False) -> None:
        self.function = function
        self.batched = batched

    def __call__(self, x: Any) -> Any:
        return self.function(x)

    def batch(self, x: Any) -> Any:
        return self.function(x) if self.batched else super().batch(x)


def _float(x: Any) -> Any:
    return np.asarray(x).astype(dtypes.default_float(), copy=False)


class ToFloat(Transform):
    """Numbers in the default floating type; see :class:`Scale` to bring bytes to [0, 1]."""

    def __call__(self, x: Any) -> Any:
        return _float(x)

    batch = __call__


class Scale(Transform):
    """``factor * x``, floating: ``Scale(1 / 255)`` for images of bytes."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: Any) -> Any:
        return _float(x) * np.asarray(self.factor, dtype=dtypes.default_float())

    batch = __call__


class Normalize(Transform):
    """``(x - mean) / std``: numbers, or one for each channel of images (C, H, W).

    Raises:
        ArgumentError: for a `std` that is not positive.

    >>> Normalize(2.0, 4.0)(np.array([2.0, 6.0])).tolist()
    [0.0, 1.0]
    """

    def __init__(self, mean: Any, std: Any) -> None:
        if not np.all(np.asarray(std) > 0):
            raise ArgumentError("Normalize: std must be positive", got=std)
        self.mean = mean
        self.std = std

    def __call__(self, x: Any) -> Any:
        x = _float(x)
        return (x - self._like(self.mean, x.ndim)) / self._like(self.std, x.ndim)

    def batch(self, x: Any) -> Any:
        x = _float(x)
        return (x - self._like(self.mean, x.ndim - 1)) / self._like(self.std, x.ndim - 1)

    @staticmethod
    def _like(value: Any, ndim: int) -> Any:
        array = _float(value)
        if array.ndim == 1 and array.size > 1 and ndim == 3:
            return array.reshape(-1, 1, 1)  # one number per channel
        return array


class Standardize(Transform):
    """Mean 0 and deviation 1 for each feature, as measured on the data given to :meth:`fit`.

    A feature that never changes is only centred.

    Raises:
        DataError: when used before :meth:`fit`.

    >>> Standardize().fit(np.array([[1.0, 5.0], [3.0, 5.0]]))(np.array([3.0, 5.0])).tolist()
    [1.0, 0.0]
    """

    def __init__(self) -> None:
        self._mean: Any = None
        self._std: Any = None

    def fit(self, data: Any) -> Standardize:
        """Measure `data` (N, …), along its first axis; returns the transform."""
        array = np.asarray(data)
        if not array.ndim or not len(array):
            raise DataError("Standardize.fit: no samples to measure", got=f"shape {array.shape}")
        array = array.astype("float64", copy=False)
        self._mean = array.mean(0)
        std = np.std(array, axis=0)
        self._std = np.where(std > 0, std, 1.0)
        return self

    def __call__(self, x: Any) -> Any:
        if self._mean is None:
            raise DataError("Standardize: not fitted", fix="Standardize().fit(train_data)")
        return (_float(x) - _float(self._mean)) / _float(self._std)

    batch = __call__

    def __repr__(self) -> str:
        state = "not fitted" if self._mean is None else f"{self._mean.size} features"
        return f"Standardize({state})"


class Flatten(Transform):
    """All axes of a sample become one: (C, H, W) → (C * H * W,)."""

    def __call__(self, x: Any) -> Any:
        return np.asarray(x).reshape(-1)

    def batch(self, x: Any) -> Any:
        array = np.asarray(x)
        return array.reshape(len(array), math.prod(array.shape[1:]))


class OneHot(Transform):
    """Class number → a row of `n` numbers, 1 at the class and 0 elsewhere: () → (n,).

    Raises:
        DataError: for a label that is no whole number in 0 … n-1.

    >>> OneHot(3)(1).tolist()
    [0.0, 1.0, 0.0]
    """

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, x: Any) -> Any:
        labels = np.asarray(x)
        wrong = labels.dtype.kind not in "iu" or ((labels < 0) | (labels >= self.n)).any()
        if wrong:
            raise DataError(
                f"OneHot: labels are whole numbers from 0 to {self.n - 1}",
                got=f"{labels.dtype} from {labels.min()} to {labels.max()}",
            )
        return np.eye(self.n, dtype=dtypes.default_float())[labels]

    batch = __call__


class RandomCrop(Transform):
    """A window of `size` at a random place of an image (…, H, W), padded with zeros before.

    In a loader the place depends on (seed, epoch, index of the sample) alone.

    Raises:
        ShapeError: if the padded image is smaller than `size`.
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 0) -> None:
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.padding = padding

    def __call__(self, x: Any) -> Any:
        return _random_window(_padded(x, self.padding), self.size)

    def batch(self, x: Any) -> Any:
        images = each_sample(_padded(x, self.padding))
        return np.stack([_random_window(image, self.size) for image in images])


class RandomShift(Transform):
    """An image (…, H, W) moved by up to `pixels` each way; zeros come in from the edge."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels

    def _crop(self, x: Any) -> RandomCrop:
        height, width = x.shape[-2:]
        return RandomCrop((height, width), self.pixels)

    def __call__(self, x: Any) -> Any:
        return self._crop(x)(x)

    def batch(self, x: Any) -> Any:
        return self._crop(x).batch(x)


def _padded(images: Any, padding: int) -> Any:
    images = np.asarray(images)
    around = [(0, 0)] * (images.ndim - 2) + [(padding, padding)] * 2
    return np.pad(images, around) if padding else images


def _random_window(image: Any, size: tuple[int, ...]) -> Any:
    rows, columns = (have - want + 1 for have, want in zip(image.shape[-2:], size, strict=True))
    if min(rows, columns) < 1:
        raise ShapeError(
            "RandomCrop: the image is smaller than the window",
            got=f"image {image.shape[-2:]}, padding included",
            expected=f"at least {size}",
        )
    place = int(sample_generator().integers(0, rows * columns))
    top, left = divmod(place, columns)
    return image[..., top : top + size[0], left : left + size[1]]
