"""A character GPT learns to write like Shakespeare: the small configuration of nanoGPT.

    python examples/gpt.py --data FILE         FILE is tinyshakespeare's input.txt, or any text

Four blocks of width 128 with four heads read 64 characters and guess the next.  2,000 steps take
a minute or two on two CPU cores; nanoGPT publishes a validation loss of 1.88 for them.
"""

import argparse
import math

import numpy as np

import deepdive as dd
from deepdive import nn
from deepdive.dash import Progress
from deepdive.datautils import CharDataset, DataLoader, RandomSampler, Vocabulary
from deepdive.io.files import read_text
from deepdive.nn import functional as F
from deepdive.optim import AdamW, clip_grad_norm_


class Attention(nn.Module):
    """Every place gathers from itself and the places before it (Vaswani et al. 2017)."""

    def __init__(self, width, heads):
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)

    def forward(self, x, mask):
        parts = self.qkv(x).split(x.shape[-1], dim=2)
        q, k, v = map(self.by_head, parts)  # (B, H, T, D/H)
        scale = q.shape[-1] ** -0.5
        scores = q @ k.transpose(-2, -1) * scale  # (B, H, T, T)
        scores = scores.masked_fill(mask == 0, float("-inf"))
        mixed = F.softmax(scores, dim=-1) @ v  # (B, H, T, D/H)
        joined = mixed.permute(0, 2, 1, 3).reshape(x.shape)
        return self.proj(joined)

    def by_head(self, x):
        """(B, T, D) → (B, H, T, D/H)"""
        B, T, D = x.shape
        heads = x.reshape(B, T, self.heads, D // self.heads)
        return heads.permute(0, 2, 1, 3)


class Block(nn.Module):
    """Attention, then two layers for each place, both added to what comes in."""

    def __init__(self, width, heads):
        self.ln1 = nn.LayerNorm(width, bias=False)
        self.attention = Attention(width, heads)
        self.ln2 = nn.LayerNorm(width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.proj = nn.Linear(4 * width, width, bias=False)

    def forward(self, x, mask):
        x = x + self.attention(self.ln1(x), mask)
        h = self.up(self.ln2(x))
        return x + self.proj(F.gelu(h))


class GPT(nn.Module):
    """Characters (B, T) → logits of the next one at each place (B, T, V)."""

    def __init__(self, vocabulary, context=64, width=128, heads=4, layers=4):
        self.token = nn.Embedding(vocabulary, width)
        self.place = nn.Embedding(context, width)
        blocks = [Block(width, heads) for _ in range(layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, vocabulary, bias=False)
        mask = dd.tril(dd.ones(context, context))
        self.register_buffer("mask", mask, persistent=False)
        self.start(layers)

    def start(self, layers):
        """Small weights; what is added 2 x layers times starts smaller still (GPT-2)."""
        for name, weight in self.named_parameters():
            added = name.endswith("proj.weight")
            std = 0.02 / math.sqrt(2 * layers) if added else 0.02
            if weight.ndim == 2:
                nn.init.normal_(weight, 0.0, std)

    def forward(self, index):
        T = index.shape[1]
        x = self.token(index) + self.place(dd.arange(T))  # (B, T, D)
        for block in self.blocks:
            x = block(x, self.mask[:T, :T])
        return self.head(self.norm(x))

    def write(self, index, count, generator, top_k=40):
        """`index` (1, T) and `count` characters more, each drawn from the model's guess."""
        context = len(self.mask)
        for _ in range(count):
            with dd.no_grad():
                logits = self(index[:, -context:])[0, -1].numpy()  # (V,)
            unlikely = np.argsort(logits)[:-top_k]
            logits[unlikely] = -np.inf
            p = np.exp(logits - logits.max())
            chance = generator.uniform(()) * p.sum()
            drawn = np.searchsorted(np.cumsum(p), chance)
            index = np.append(index, [[drawn]], axis=1)
        return index


def optimizer_for(model, lr=1e-3, decay=0.1):
    """AdamW that pulls matrices towards zero, and leaves the norms' weights alone."""
    matrices, vectors = [], []
    for name, weight in model.named_parameters():
        chosen = matrices if weight.ndim == 2 else vectors
        chosen.append((name, weight))
    groups = [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=lr, betas=(0.9, 0.99))


def rate(step, steps, high=1e-3, low=1e-4, warmup=100):
    """Linear up to `high`, then half a cosine down to `low`."""
    if step < warmup:
        return high * (step + 1) / (warmup + 1)
    share = (step - warmup) / (steps - warmup)
    return low + (high - low) * 0.5 * (1 + math.cos(math.pi * share))


def loss_of(model, x, y):
    """Nats per character, the mean over all places of the batch."""
    logits = model(x)  # (B, T, V)
    return F.cross_entropy(logits.flatten(0, 1), y.reshape(-1))


def mean_loss(model, data):
    """Nats per character over all of `data`."""
    total = 0.0
    with dd.no_grad():
        for x, y in DataLoader(data, batch_size=64):
            total += loss_of(model, x, y).item() * len(x)
    return total / len(data)


def train(model, data, options):
    """`options.steps` steps on windows drawn at random; the losses of all steps."""
    optimizer = optimizer_for(model)

    def step(x, y):
        loss = loss_of(model, x, y)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    if not options.eager:
        step = dd.compile(step)
    count = options.steps * options.batch
    draws = RandomSampler(data, replacement=True, num_samples=count)
    loader = DataLoader(data, options.batch, sampler=draws)
    losses = []
    for x, y in Progress(loader, desc="training"):
        for group in optimizer.param_groups:
            group["lr"] = rate(len(losses), options.steps)
        losses.append(step(x, y).item())
    return losses


def parsed():
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", required=True, help="a text, such as tinyshakespeare's input.txt")
    add("--steps", type=int, default=2000)
    add("--batch", type=int, default=12, help="windows a step")
    add("--context", type=int, default=64, help="characters a window")
    add("--seed", type=int, default=1337)
    add("--write", type=int, default=500, help="characters to write at the end")
    add("--eager", action="store_true", help="without the compiler")
    add("--save", default="runs/gpt", help="the folder for the weights")
    return parser.parse_args()


def main():
    options = parsed()
    dd.manual_seed(options.seed)
    text = read_text(options.data)
    letters = Vocabulary(text)
    numbers = letters.encode(text)
    cut = int(0.9 * len(numbers))
    T = options.context
    model = GPT(len(letters), T)
    weights = sum(weight.numel() for weight in model.parameters())
    print(f"{len(text):,} characters, {len(letters)} different ones; {weights:,} weights")

    losses = train(model, CharDataset(numbers[:cut], T), options)
    model.eval()
    held_out = CharDataset(numbers[cut:], T, stride=T)
    print(f"training loss {np.mean(losses[-100:]):.3f}", end=", ")
    print(f"validation loss {mean_loss(model, held_out):.3f} nats per character")

    model.save(options.save, save_arc=False)
    first = numbers[:1][None]  # (1, 1)
    written = model.write(first, options.write, dd.Generator(options.seed))
    print(letters.decode(written[0]))


if __name__ == "__main__":
    main()
