"""A small GPT in the words of DeepDive or of PyTorch, which differ in nothing here."""

from __future__ import annotations

WIDTH = 128
HEADS = 4
LAYERS = 4
SCALE = (WIDTH // HEADS) ** -0.5


def make_block(n, tril):
    """Causal self-attention, then two layers, each added to what comes in."""

    class Block(n.Module):
        def __init__(self):
            super().__init__()
            self.ln1 = n.LayerNorm(WIDTH)
            self.ln2 = n.LayerNorm(WIDTH)
            self.qkv = n.Linear(WIDTH, 3 * WIDTH)
            self.proj = n.Linear(WIDTH, WIDTH)
            self.up = n.Linear(WIDTH, 4 * WIDTH)
            self.down = n.Linear(4 * WIDTH, WIDTH)

        def attention(self, x):
            parts = self.qkv(x).split(WIDTH, 2)
            q, k, v = map(by_head, parts)  # (B, H, T, D/H)
            scores = q @ k.transpose(-2, -1) * SCALE  # (B, H, T, T)
            scores = scores.masked_fill(tril == 0, float("-inf"))
            mixed = n.functional.softmax(scores, -1) @ v  # (B, H, T, D/H)
            joined = mixed.permute(0, 2, 1, 3).reshape(*x.shape)
            return self.proj(joined)

        def forward(self, x):
            x = x + self.attention(self.ln1(x))
            h = self.up(self.ln2(x))
            h = n.functional.gelu(h)
            return x + self.down(h)

    return Block()


def by_head(x):
    """(B, T, D) → (B, H, T, D/H)"""
    B, T, D = x.shape
    heads = x.reshape(B, T, HEADS, D // HEADS)
    return heads.permute(0, 2, 1, 3)


def make_gpt(n, places, tril, context, vocabulary):
    """Indices (B, T) → logits (B·T, vocabulary)."""

    class GPT(n.Module):
        def __init__(self):
            super().__init__()
            self.token = n.Embedding(vocabulary, WIDTH)
            self.place = n.Embedding(context, WIDTH)
            blocks = [make_block(n, tril) for _ in range(LAYERS)]
            self.blocks = n.ModuleList(blocks)
            self.norm = n.LayerNorm(WIDTH)
            self.head = n.Linear(WIDTH, vocabulary, bias=False)

        def forward(self, index):
            x = self.token(index) + self.place(places)
            for block in self.blocks:
                x = block(x)
            logits = self.head(self.norm(x))
            return logits.reshape(-1, vocabulary)

    return GPT()
