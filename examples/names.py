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
from string import ascii_lowercase

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
    strange = [name for name in names if set(name) - set(ascii_lowercase)]
    if strange or len(names) < 20:
        what = f"{strange[0]!r} in it" if strange else f"only {len(names)} names in it"
        sys.exit(f"names.py: {path} has {what}; wanted: many names of letters a to z, one a line")
    order = np.random.default_rng(1)
    return order.permutation(names).tolist()


def encode(names, T):
    """Inputs and targets, both (N, T): ``.emma`` and ``emma.``."""
    x = np.zeros((len(names), T), np.int64)
    y = np.full_like(x, NOTHING)
    for row, name in enumerate(names):
        letters = [1 + ascii_lowercase.index(letter) for letter in name]
        end = len(letters)
        x[row, 1 : end + 1] = letters
        y[row, :end] = letters
        y[row, end] = 0
    return x, y


# --- models ------------------------------------------------------------------------------------
class Bigram(nn.Module):
    """A table: the next letter depends on this one alone."""

    def __init__(self, T):
        self.logits = nn.Embedding(LETTERS, LETTERS, init="zeros")

    def forward(self, x):
        return self.logits(x)  # (B, T, 27)


class MLP(nn.Module):
    """The letters so far, as vectors one behind the other, through two layers (Bengio 2003)."""

    def __init__(self, T, width=32, hidden=128, memory=8):
        self.memory = memory
        self.letter = nn.Embedding(LETTERS + 1, width)  # 27 stands before the beginning
        self.inner = nn.Linear(memory * width, hidden)
        self.head = nn.Linear(hidden, LETTERS)

    def forward(self, x):
        past = F.pad(x, (self.memory - 1, 0), value=LETTERS)
        places = np.arange(x.shape[1])[:, None] + np.arange(self.memory)  # (T, memory)
        vectors = self.letter(past[:, places])  # (B, T, memory, D)
        inner = self.inner(vectors.flatten(2))
        return self.head(inner.tanh())  # (B, T, 27)


class Recurrent(nn.Module):
    """A memory that each letter changes (Cho et al. 2014)."""

    def __init__(self, T, width=64, hidden=128):
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
        split = self.qkv(x).reshape(B, T, 3, self.heads, -1)
        q, k, v = split.permute(2, 0, 3, 1, 4)  # each (B, H, T, D/H)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        joined = seen.transpose(1, 2).reshape(B, T, D)
        return self.out(joined)


class Block(nn.Module):
    """Attention, then two layers at each place; each is added to what came in."""

    def __init__(self, width, heads, dropout):
        self.before = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.between = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        seen = self.attention(self.before(x))
        x = x + self.dropout(seen)
        inner = F.gelu(self.up(self.between(x)), "tanh")
        return x + self.dropout(self.down(inner))


class Transformer(nn.Module):
    """Blocks over letters and places (Vaswani et al. 2017; Radford et al. 2019)."""

    def __init__(self, T, width=64, heads=4, depth=4, dropout=0.1):
        self.letter = nn.Embedding(LETTERS, width)
        self.place = nn.Parameter(0.02 * dd.randn(T, width))
        self.dropout = nn.Dropout(dropout)
        blocks = [Block(width, heads, dropout) for _ in range(depth)]
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, LETTERS, bias=False)
        for name, parameter in self.named_parameters():
            if name.endswith("weight") and parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, x):
        x = self.dropout(self.letter(x) + self.place)  # (B, T, D)
        x = self.norm(self.blocks(x))
        return self.head(x)  # (B, T, 27)


# name → (the model of names of at most T - 1 letters, learning rate, weight decay, steps)
MODELS = {
    "bigram": (Bigram, 3e-2, 0.0, 1500),
    "mlp": (MLP, 2e-3, 0.1, 6000),
    "gru": (Recurrent, 3e-3, 0.1, 6000),
    "transformer": (Transformer, 3e-3, 0.1, 15000),
}


# --- training ----------------------------------------------------------------------------------
def loss_of(model, x, y):
    """The mean cross-entropy of the letters that are there, in nats."""
    logits = model(x).reshape(-1, LETTERS)
    return F.cross_entropy(logits, y.reshape(-1), ignore_index=NOTHING)


def evaluated(model, x, y):
    """The loss on all of x (N, T), y (N, T)."""
    model.eval()
    total = 0.0
    with dd.no_grad():
        for start in range(0, len(x), 500):
            rows = slice(start, start + 500)
            loss = loss_of(model, dd.tensor(x[rows]), dd.tensor(y[rows]))
            count = np.sum(y[rows] != NOTHING)
            total += loss.item() * count
    model.train()
    return total / np.sum(y != NOTHING)


def rate_at(step, steps, peak):
    """Up over the first 200 steps, then down to 0 along a cosine."""
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return peak * (step + 1) / warm
    share = (step - warm) / max(steps - warm, 1)
    return peak * (1 + math.cos(math.pi * share)) / 2


def train(model, data, held_out, options, peak, decay, steps):
    """AdamW on random batches; the step is one compiled program."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    optimizer = dd.optim.AdamW(groups, peak, betas=(0.9, 0.99), weight_decay=decay)

    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model, x, y)
        loss.backward()
        optimizer.step()
        return loss

    step = step if options.eager else dd.compile(step)
    x, y = data
    draw = np.random.default_rng(options.seed)
    started = time.perf_counter()
    for i in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(i, steps, peak)
        rows = draw.integers(0, len(x), options.batch)
        loss = step(dd.tensor(x[rows]), dd.tensor(y[rows]))
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
            logits = model(dd.tensor(x))[:, t].double()  # (N, 27)
            for row, chances in enumerate(logits.softmax(-1).numpy()):
                x[row, t + 1] = draw.choice(LETTERS, p=chances)
    names = []
    for row in x:
        letters = (("." + ascii_lowercase)[number] for number in row[1:])
        names.append("".join(letters).split(".")[0])
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="data/names", help="the folder of names.txt")
    parser.add_argument("--model", choices=MODELS, default="transformer")
    parser.add_argument("--steps", type=int, help="how long to learn; each model has its own")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eager", action="store_true", help="do not compile the training step")
    parser.add_argument("--save", help="the folder for the weights")
    options = parser.parse_args()
    dd.manual_seed(options.seed)

    names = read_names(options.data)
    T = max(map(len, names)) + 1
    apart = min(1000, len(names) // 10)
    held_out = encode(names[:apart], T)
    data = encode(names[apart:], T)
    make, peak, decay, steps = MODELS[options.model]
    model = make(T)
    count = sum(p.numel() for p in model.parameters())
    print(f"{options.model}: {count:,} parameters; {len(names) - apart} names, {apart} held out")
    train(model, data, held_out, options, peak, decay, options.steps or steps)

    known = set(names)
    for name in invented(model, T, 10, options.seed):
        print(f"  {name}{'' if name not in known else '   (exists)'}")
    if options.save:
        model.save(options.save, save_arc=False)
    print(f"held out {evaluated(model, *held_out):.4f} nats per letter")


if __name__ == "__main__":
    main()
