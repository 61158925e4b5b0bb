"""Step 16: from scores to probabilities, and how wrong they are.

A classifier's last layer gives one score per class, the *logits*.  Softmax makes probabilities of
them, exp(x) / sum(exp(x)); the loss is how surprised we are by the truth: -log of the probability
of the right class.  Together that is the *cross-entropy*, and it simplifies:

    loss = logsumexp(logits) - logit of the right class

*Why not compute softmax first?*  exp(1000) is infinite and log(0) is, too.  Taking the largest
logit out of the sum changes nothing and cures both: no exponent is above 0.  *And why this loss?*
Look at its gradient: softmax - truth, the plain difference between what was said and what is so.

In the library: `deepdive/ops/loss.py`, and `deepdive.check` warns who puts a softmax before it.
"""

import numpy as np

from step11_contract import Operator, Tensor
from step12_operators import register
from verdict import Wrong, conclude, expect, nudge_all


@register("logsumexp")
class LogSumExp(Operator):
    """log(sum(exp(x))) along the last axis, (B, C) to (B, 1): a smooth maximum."""

    def forward(self, xp, x):
        largest = xp.max(x, axis=-1, keepdims=True)
        powers = xp.exp(x - largest)
        return largest + xp.log(xp.sum(powers, axis=-1, keepdims=True))

    def backward(self, xp, grad, x, out):
        return grad * xp.exp(x - out)  # the softmax, for free


def one_hot(labels, classes):
    """Class numbers (B,) as rows of 0 with a single 1, (B, C)."""
    return np.eye(classes)[labels]


def cross_entropy(logits, truth):
    """The mean surprise; logits and one-hot truth are (B, C)."""
    right = (logits * truth).sum(axis=1)
    return (logits.logsumexp() - right).mean()


def naive_cross_entropy(logits, truth):
    """The formula of the textbook, in NumPy."""
    powers = np.exp(logits)
    softmax = powers / powers.sum(-1, keepdims=True)
    return -(np.log(softmax) * truth).sum(-1).mean()


def main():
    truth = one_hot([2], 3)
    print("logits                 naive     stable    (the right class is the last)")
    rows = [
        [1.0, 2.0, 3.0],
        [3.0, 2.0, 1.0],
        [0.0, 0.0, 1000.0],
        [1000.0, 0.0, 0.0],
    ]
    for row in rows:
        logits = np.array([row])
        with np.errstate(all="ignore"):
            naive = naive_cross_entropy(logits, truth)
        stable = cross_entropy(Tensor(logits), truth).data
        print(f"{logits[0].tolist()!s:20} {naive:8.4f} {stable:10.4f}")

    logits = Tensor([[2.0, 0.5, -1.0, 0.0]])
    cross_entropy(logits, one_hot([1], 4)).backward()
    print("\nthe gradient says: class 1 was right, raise it, and lower the others\n")
    for i, slope in enumerate(logits.grad[0]):
        logit = logits.data[0, i]
        bar = "#" * round(30 * abs(slope))
        left, right = (bar, "") if slope < 0 else ("", bar)
        print(f"  class {i}: logit {logit:4.1f}   gradient {slope:6.3f} {left:>30}|{right}")


# --- exercise ------------------------------------------------------------------------------------
def exercise(x, truth):
    """The same for two classes and one logit x: the mean of -log(p) where truth is 1 and of
    -log(1 - p) where it is 0, with p = 1 / (1 + exp(-x)).  Two arrays in, one number out.

    It must be right for x = ±1000.  np.logaddexp(0, x) is log(1 + exp(x)), computed safely.
    """
    raise NotImplementedError


def check_exercise(solution):
    """Against the textbook where that works, and far away, where it does not."""
    x = np.array([-2.0, 0.3, 1.5, 0.0])
    truth = np.array([0.0, 1.0, 0.0, 1.0])
    p = 1 / (1 + np.exp(-x))
    surprise = truth * np.log(p) + (1 - truth) * np.log(1 - p)
    textbook = -surprise.mean()
    expect(solution(x, truth), textbook, f"the loss for x = {x.tolist()}")
    [slopes] = nudge_all(lambda x: solution(x, truth), x)
    expect(slopes, (p - truth) / 4, "its gradient, by nudging,", tolerance=1e-5)
    far = np.array([1000.0, -1000.0])
    sides = np.array([1.0, 0.0])
    with np.errstate(all="raise", under="ignore"):
        try:
            answers = solution(far, sides), solution(far, 1 - sides)
        except FloatingPointError as error:
            raise Wrong(f"at x = ±1000: {error}") from None
    expect(answers, (0.0, 1000.0), "the losses at x = ±1000, all right and all wrong,")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
