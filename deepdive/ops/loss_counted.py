"""Cross-entropy where some targets may not count, in one operator.

Whether some do is a question about values; on a device that one would have to wait for, it is not
asked, and this operator is right either way.
"""

from __future__ import annotations

from deepdive.core.operator import Operator


class SoftmaxPickedCounted(Operator):
    """``-Σ_i c_i log_softmax(x)[i, target_i] / Σ c_i`` with c_i = 0 where target_i is ignored.

    x (B, C) are logits, target (B,) class numbers.
    """

    ignore_index: int = -100

    def forward(self, xp, x, target):
        rows = xp.arange(x.shape[0])
        counts = target != self.ignore_index  # (B,)
        safe = xp.where(counts, target, 0)
        ones = xp.astype(counts, x.dtype)
        portions = ones / xp.sum(ones)
        top = xp.max(x, axis=1, keepdims=True)
        shifted = x - top  # (B, C)
        share = xp.exp(shifted)
        total = xp.sum(share, axis=1, keepdims=True)
        share /= total
        self.keep(share=share, rows=rows, safe=safe, portions=portions)
        chosen = xp.getitem(shifted, (rows, safe))
        normal = xp.log(total)[:, 0]
        losses = normal - chosen
        return xp.sum(losses * portions)

    def backward(self, xp, grad, share, rows, safe, portions):
        place = (rows, safe)
        chosen = xp.getitem(share, place)
        dx = xp.setitem(share, place, chosen - 1)
        slope = grad * portions
        return dx * slope[:, None]
