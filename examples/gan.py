"""Two networks play against each other: one forges digits, one tells them from real ones.

    python examples/gan.py                     the 8x8 digits that come with the library

Goodfellow et al. 2014, with the generator's loss of section 3, "-log D(G(z))".
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
NOISE = 16


def generator(width=128):
    """Noise (B, 16) → images (B, 64) with numbers in -1…1."""
    return nn.Sequential(
        nn.Linear(NOISE, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, 64),
        nn.Tanh(),
    )


def critic(width=128):
    """Images (B, 64) → how real they look (B, 1), as logits."""
    return nn.Sequential(
        nn.Linear(64, width),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.3),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.3),
        nn.Linear(width, 1),
    )


def game(forger, judge, lr):
    """One round as a compiled function: real images (B, 64) → both players' losses."""
    forging = Adam(forger, lr=lr, betas=(0.5, 0.999))
    judging = Adam(judge, lr=lr, betas=(0.5, 0.999))

    def verdict(images, real):
        logits = judge(images)
        wanted = dd.ones_like(logits) if real else dd.zeros_like(logits)
        return F.binary_cross_entropy_with_logits(logits, wanted)

    @dd.compile
    def play(x):
        fake = forger(dd.randn(x.shape[0], NOISE))
        loss_judge = verdict(x * 0.9, True) + verdict(fake.detach(), False)
        judging.zero_grad()
        loss_judge.backward()
        judging.step()

        loss_forger = verdict(fake, True)
        forging.zero_grad()
        loss_forger.backward()
        forging.step()
        return loss_judge, loss_forger

    return play


def train(forger, judge, images, epochs, lr=4e-4):
    """Play `epochs` times through the images; the losses of the last."""
    play = game(forger, judge, lr)
    bar = Progress(range(epochs), desc="training")
    for _ in bar:
        batches = DataLoader(images, 64, shuffle=True, drop_last=True)
        losses = [[loss.item() for loss in play(x)] for x in batches]
        judged, forged = np.mean(losses, axis=0)
        bar.set(judge=float(judged), forger=float(forged))
    return float(judged), float(forged)


def beside(images):
    """Several images (64,) as characters, next to each other."""
    levels = np.clip((images + 1) / 2 * len(SHADES), 0, len(SHADES) - 1)
    rows = levels.astype(int).reshape(-1, 8, 8)
    lines = []
    for y in range(8):
        parts = ["".join(SHADES[level] * 2 for level in row) for row in rows[:, y]]
        lines.append("   ".join(parts))
    return "\n".join(lines)


def distance(images, others):
    """How far apart the two sets' mean and spread of each pixel are."""
    means = np.abs(images.mean(0) - others.mean(0)).mean()
    spreads = np.abs(images.std(0) - others.std(0)).mean()
    return means + spreads


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    dd.manual_seed(options.seed)
    raw = Digits().images
    x = (raw.reshape(len(raw), 64) / 8 - 1).astype(np.float32)
    forger, judge = generator(), critic()

    def forged(count):
        with dd.no_grad():
            return forger(dd.randn(count, NOISE)).numpy()

    before = distance(forged(1000), x)
    judged, fooled = train(forger, judge, x, options.epochs)
    fakes = forged(1000)
    print(f"losses: judge {judged:.3f}, forger {fooled:.3f}")
    print(f"distance of forged from real digits: {before:.3f} before, {distance(fakes, x):.3f} now")
    print(beside(fakes[:5]))


if __name__ == "__main__":
    main()
