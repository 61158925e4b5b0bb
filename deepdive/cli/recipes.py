"""What ``train`` and ``demo`` know beforehand: two data sets, two models each, good settings."""

from __future__ import annotations

from typing import Any, NamedTuple

from deepdive import nn, optim
from deepdive.datautils import (
    MNIST,
    ArrayDataset,
    Compose,
    DataLoader,
    Digits,
    Lambda,
    Normalize,
    Scale,
)
from deepdive.errors import ArgumentError, DataError


class Images(NamedTuple):
    """What the pictures of a data set are like: bright ink on a dark ground, `size` × `size`."""

    size: int
    brightest: int  # the value of full ink
    mean: float  # of all training pixels, full ink being 1
    std: float
    border: float  # the share of the height that is empty around a digit

    def scaled(self) -> Any:
        """A transform of batches: pixels (N, H, W) → numbers 0…1."""
        return Scale(1 / self.brightest)

    def normalized(self) -> Any:
        """A transform of batches: numbers 0…1, (N, H, W) → what a model takes, (N, 1, H, W)."""
        return Compose(Normalize(self.mean, self.std), Lambda(lambda x: x[:, None], batched=True))


IMAGES = {
    "digits": Images(8, 16, 0.3058, 0.3762, 0.0),
    "mnist": Images(28, 255, 0.1307, 0.3081, 4 / 28),
}


class Recipe(NamedTuple):
    """Settings that lead to the promised accuracy; the rate is AdamW's."""

    epochs: int
    batch_size: int
    lr: float


RECIPES = {
    ("digits", "mlp"): Recipe(30, 32, 3e-3),
    ("digits", "cnn"): Recipe(12, 32, 3e-3),
    ("mnist", "mlp"): Recipe(5, 64, 2e-3),
    ("mnist", "cnn"): Recipe(3, 64, 3e-3),
}
RATES = {"adam": 1.0, "adamw": 1.0, "rmsprop": 0.5, "adagrad": 5.0, "sgd": 25.0}  # × the recipe's


def make_model(dataset: str, model: str) -> nn.Sequential:
    """An untrained model: images (B, 1, H, W) → scores (B, 10)."""
    if model == "mlp":
        pixels = IMAGES[dataset].size ** 2
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(pixels, 128),
            nn.LayerNorm(128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )
    return _digits_cnn() if dataset == "digits" else _mnist_cnn()


def _digits_cnn() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, 32, 4, 4)
        nn.Flatten(),
        nn.Linear(512, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def _mnist_cnn() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, 8, 14, 14)
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (B, 16, 6, 6)
        nn.Flatten(),
        nn.Linear(576, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def make_optimizer(model: Any, name: str, lr: float, **options: float | None) -> optim.Optimizer:
    """An optimizer by its name; options that are None keep their defaults.

    Raises:
        ArgumentError: for an option that this optimizer does not have.
    """
    kinds = {
        "adam": optim.Adam,
        "adamw": optim.AdamW,
        "sgd": optim.SGD,
        "rmsprop": optim.RMSprop,
        "adagrad": optim.Adagrad,
    }
    given = {key: value for key, value in options.items() if value is not None}
    if "momentum" in given and name not in ("sgd", "rmsprop"):
        raise ArgumentError(f"{name} has no momentum to set", fix="--optimizer sgd")
    if name == "sgd":
        given.setdefault("momentum", 0.9)
    return kinds[name](model.parameters(), lr=lr, **given)  # type: ignore[arg-type]


def read_data(
    name: str, train: bool, root: str | None = None, download: bool = False
) -> Digits | MNIST:
    """The images and labels of a data set.

    Raises:
        DataError: MNIST's files are not there, or damaged.
    """
    if name == "digits":
        return Digits(train=train)
    try:
        return MNIST(root, train=train, download=download)
    except DataError as error:
        if error.fix and "MNIST(" in error.fix:
            error.got, error.fix = None, "--data DIR names their folder, --download fetches them"
        raise


def make_loader(
    name: str, dataset: Any, batch_size: int, limit: int | None = None, **options: Any
) -> DataLoader:
    """Batches of (images (B, 1, H, W), labels (B,)), of the first `limit` samples."""
    images = IMAGES[name]
    return DataLoader(
        ArrayDataset(dataset.images[:limit], dataset.labels[:limit]),
        batch_size,
        transform=Compose(images.scaled(), images.normalized()),
        **options,
    )
