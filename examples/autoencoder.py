"""A network that squeezes digits through two numbers, and draws them again.

    python examples/autoencoder.py             the 8x8 digits that come with the library

Every digit becomes a point of the plane; the map at the end shows where which of them lie, and
what the decoder draws between them.
"""

import argparse

import numpy as np

import deepdive as dd
from deepdive import nn
from deepdive.dash import Progress
from deepdive.datautils import DataLoader, Digits
from deepdive.nn import functional as F
from deepdive.optim import Adam

SHADES = " .:-=+*#%@"


class Autoencoder(nn.Module):
    """Images (B, 64) → points (B, code) → images (B, 64), all numbers in 0…1."""

    def __init__(self, code=2, width=128):
        self.encoder = nn.Sequential(
            nn.Linear(64, width),
            nn.Tanh(),
            nn.Linear(width, width),
            nn.Tanh(),
            nn.Linear(width, code),
        )
        self.decoder = nn.Sequential(
            nn.Linear(code, width),
            nn.Tanh(),
            nn.Linear(width, width),
            nn.Tanh(),
            nn.Linear(width, 64),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def pixels(images):
    """Bytes (N, 8, 8) from 0 to 16 → numbers (N, 64) from 0 to 1."""
    flat = images.reshape(len(images), 64)
    return (flat / 16).astype(np.float32)


def train(model, images, epochs):
    """The mean squared error of each epoch."""
    optimizer = Adam(model, lr=2e-3)

    @dd.compile
    def step(x):
        loss = F.mse_loss(model(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    errors = []
    bar = Progress(range(epochs), desc="training")
    for _ in bar:
        batches = DataLoader(images, 64, shuffle=True, drop_last=True)
        losses = [step(x).item() for x in batches]
        errors.append(float(np.mean(losses)))
        bar.set(error=errors[-1])
    return errors


def drawn(image):
    """An image (64,) as eight lines of characters."""
    levels = np.clip(image * len(SHADES), 0, len(SHADES) - 1)
    rows = levels.astype(int).reshape(8, 8)
    return ["".join(SHADES[level] * 2 for level in row) for row in rows]


def beside(images):
    """Several images next to each other."""
    columns = [drawn(image) for image in images]
    return "\n".join("   ".join(lines) for lines in zip(*columns, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--code", type=int, default=2, help="numbers that stand for an image")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    dd.manual_seed(options.seed)
    x, held_out = pixels(Digits().images), pixels(Digits(train=False).images)
    model = Autoencoder(options.code)
    train(model, x, options.epochs)
    with dd.no_grad():
        again = model(held_out).numpy()
        codes = model.encoder(held_out).numpy()
    error = np.mean((again - held_out) ** 2)
    flat = np.mean((x.mean(0) - held_out) ** 2)
    print(f"held-out error {error:.4f}; drawing the mean digit each time: {flat:.4f}")
    print(f"digits, and what came back\n{beside(held_out[:5])}\n{beside(again[:5])}")

    path = np.linspace(codes[0], codes[1], 5, dtype=np.float32)  # (5, code)
    with dd.no_grad():
        between = model.decoder(path).numpy()
    print(f"from the first digit to the second\n{beside(between)}")


if __name__ == "__main__":
    main()
