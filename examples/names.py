"""Names invented letter by letter: a bigram table, an MLP, a GRU and a transformer, after makemore.

python examples/names.py --data DIR --model transformer     DIR holds names.txt, one name a line

Each model reads a name as numbers (B, T), 0 being both the beginning and the end, 1 … 26 letters,
and gives logits (B, T, 27) for the letter after each.  The loss is in nats per letter, on names
held out; makemore (https://github.com/karpathy/makemore) publishes 1.92 for its transformer.
"""

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np

import deepdive as dd
from deepdive import nn
from deepdive.nn import functional as F

LETTERS = 27  # "." for beginning and end, then a … z
NOTHING = -1  # the target behind the end of a name: does not count


# --- data --------------------------------------------------------------------------------------
def read_names(folder):
    """The names in folder/names.txt, in an order that is random but always the same.

    Some stand there more than once; as in makemore, they may be among both parts.
    """
    path = Path(folder) / "names.txt"
    if not path.is_file():
        sys.exit(f"names.py: there is no {path}; --data names the folder with names.txt in it")
    names = path.read_text().split()
    strange = [name for name in names if not (name.isascii() and name.isalpha() and name.islower())]
    if strange or len(names) < 20:
        what = f"{strange[0]!r} in it" if strange else f"only {len(names)} names in it"
        sys.exit(f"names.py: {path} has {what}; wanted: many names of letters a to z, one a line")
    return [names[i] for i in np.random.default_rng(1).permutation(len(names))]


def encode(names, T):
    """Inputs and targets, both (N, T): ``.emma`` and ``emma.``."""
    x = np.zeros((len(names), T), np.int64)
    y = np.full((len(names), T), NOTHING, np.int64)
    for row, name in enumerate(names):
        letters = [ord(letter) - ord("a") + 1 for letter in name]
        x[row, 1 : len(name) + 1] = letters
        y[row, : len(name) + 1] = [*letters, 0]
    return x, y


# --- models ------------------------------------------------------------------------------------
class Bigram(nn.Module):
    """A table: the next letter depends on this one alone."""

    def __init__(self):
        self.logits = nn.Embedding(LETTERS, LETTERS, init="zeros")

    def forward(self, x):
        return self.logits(x)  # (B, T, 27)


class MLP(nn.Module):
    """The letters so far, as vectors one behind the other, through two layers (Bengio 2003)."""

    def __init__(self, T, width, hidden):
        self.T = T
        self.letter = nn.Embedding(LETTERS + 1, width)  # 27 stands before the beginning
        self.layers = nn.Sequential(
            nn.Linear(T * width, hidden), nn.Tanh(), nn.Linear(hidden, LETTERS)
        )

    def forward(self, x):
        shifted = [x]  # x as it was 0, 1, … T - 1 letters ago
        for _ in range(self.T - 1):
            shifted.append(F.pad(shifted[-1][:, :-1], (1, 0), value=LETTERS))
        vectors = [self.letter(past) for past in shifted]  # T × (B, T, D)
        return self.layers(dd.cat(vectors, -1))  # (B, T, 27)


class Recurrent(nn.Module):
    """A memory that each letter changes (Cho et al. 2014)."""

    def __init__(self, width, hidden):
        self.letter = nn.Embedding(LETTERS, width)
        self.memory = nn.GRU(width, hidden, batch_first=True)
        self.head = nn.Linear(hidden, LETTERS)

    def forward(self, x):
        states, _ = self.memory(self.letter(x))  # (B, T, H)
        return self.head(states)  # (B, T, 27)


class Attention(nn.Module):
    """Each place looks back at the places before it."""

    def __init__(self, width, heads):
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        B, T, D = x.shape
        split = self.qkv(x).reshape(B, T, 3, self.heads, D // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)  # each (B, H, T, D/H)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(seen.transpose(1, 2).reshape(B, T, D))


class Block(nn.Module):
    """Attention, then two layers at each place; each is added to what came in."""

    def __init__(self, width, heads, dropout):
        self.before = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.between = nn.LayerNorm(width)
        self.layers = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = x + self.dropout(self.attention(self.before(x)))
        return x + self.dropout(self.layers(self.between(x)))


class Transformer(nn.Module):
    """Blocks over letters and places (Vaswani et al. 2017; Radford et al. 2019)."""

    def __init__(self, T, width, heads, depth, dropout):
        self.letter = nn.Embedding(LETTERS, width)
        self.place = nn.Parameter(0.02 * dd.randn(T, width))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.Sequential(*(Block(width, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, LETTERS, bias=False)
        for name, parameter in self.named_parameters():
            if name.endswith("weight") and parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02 if "layers.2" not in name else 0.01)

    def forward(self, x):
        x = self.dropout(self.letter(x) + self.place[: x.shape[1]])  # (B, T, D)
        return self.head(self.norm(self.blocks(x)))  # (B, T, 27)


MODELS = {  # name → (model of names with at most T - 1 letters, learning rate, steps)
    "bigram": (lambda T: Bigram(), 3e-2, 1500),
    "mlp": (lambda T: MLP(T, width=32, hidden=128), 2e-3, 6000),
    "gru": (lambda T: Recurrent(width=64, hidden=128), 3e-3, 6000),
    "transformer": (lambda T: Transformer(T, 64, heads=4, depth=4, dropout=0.1), 2e-3, 12000),
}


# --- training ----------------------------------------------------------------------------------
def loss_of(model, x, y):
    """The mean cross-entropy of the letters that are there, in nats."""
    return F.cross_entropy(model(x).reshape(-1, LETTERS), y.reshape(-1), ignore_index=NOTHING)


def evaluated(model, x, y):
    """The loss on all of x (N, T), y (N, T)."""
    model.eval()
    with dd.no_grad():
        total = 0.0
        for i in range(0, len(x), 500):
            part = slice(i, i + 500)
            count = (y[part] != NOTHING).sum()
            total += loss_of(model, dd.tensor(x[part]), dd.tensor(y[part])).item() * count
    model.train()
    return total / (y != NOTHING).sum()


def rate_at(step, steps, peak):
    """Up over the first 200 steps, then down to 0 along a cosine."""
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))


def train(model, data, held_out, options, peak, steps):
    """AdamW on random batches; the step is one compiled program."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    optimizer = dd.optim.AdamW(groups, lr=peak, betas=(0.9, 0.99), weight_decay=options.decay)

    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model, x, y)
        loss.backward()
        optimizer.step()
        return loss

    step = step if options.eager else dd.compile(step)
    draw = np.random.default_rng(options.seed)
    started = time.perf_counter()
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(i, steps, peak)
        rows = draw.integers(0, len(data[0]), options.batch)
        loss = step(dd.tensor(data[0][rows]), dd.tensor(data[1][rows]))
        if (i + 1) % max(steps // 10, 1) == 0:
            mine, theirs = loss.item(), evaluated(model, *held_out)
            seconds = time.perf_counter() - started
            print(
                f"step {i + 1:6}: this batch {mine:.3f}, held out {theirs:.4f}, {seconds:.0f} s",
                flush=True,
            )


def invented(model, T, count, seed):
    """New names, drawn letter by letter."""
    model.eval()
    draw = np.random.default_rng(seed)
    x = np.zeros((count, T), np.int64)
    with dd.no_grad():
        for t in range(T - 1):
            chances = F.softmax(model(dd.tensor(x))[:, t], -1).numpy().astype(float)  # (N, 27)
            x[:, t + 1] = [draw.choice(LETTERS, p=row / row.sum()) for row in chances]
    names = ["".join(chr(ord("a") - 1 + letter) if letter else "." for letter in row) for row in x]
    return [name[1:].split(".")[0] for name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="data/names", help="the folder of names.txt")
    parser.add_argument("--model", choices=MODELS, default="transformer")
    parser.add_argument("--steps", type=int, help="how long to learn; each model has its own")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--decay", type=float, default=0.1, help="AdamW's weight decay")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eager", action="store_true", help="do not compile the training step")
    parser.add_argument("--save", help="the folder for the weights")
    options = parser.parse_args()
    dd.manual_seed(options.seed)

    names = read_names(options.data)
    T = max(map(len, names)) + 1
    apart = min(1000, len(names) // 10)
    held_out, data = encode(names[:apart], T), encode(names[apart:], T)
    make, peak, steps = MODELS[options.model]
    model = make(T)
    count = sum(p.numel() for p in model.parameters())
    print(f"{options.model}: {count:,} parameters; {len(names) - apart} names, {apart} held out")
    train(model, data, held_out, options, peak, options.steps or steps)

    known = set(names)
    for name in invented(model, T, 10, options.seed):
        print(f"  {name}{'' if name not in known else '   (exists)'}")
    if options.save:
        model.save(options.save, save_arc=False)
    print(f"held out {evaluated(model, *held_out):.4f} nats per letter")


if __name__ == "__main__":
    main()
