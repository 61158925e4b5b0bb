"""Step 18: a network of our own reads handwritten digits.

Everything is there: tensors that remember, a walk that brings gradients home, modules, a loss that
is stable, an optimizer.  Nothing new is needed; the loop is step 6's, with *mini-batches*: the
gradient of 50 images is nearly as good as that of all 1,437, and 29 times as cheap.

One rule above all: judge by images the network has not been trained on.  What it says about the
others may be memory.

The images are 8×8 numbers from 0 to 16 and travel with the library: this is where the tour first
opens its door.  In the library: `deepdive demo` does the same, and `examples/mnist.py`.
"""

import numpy as np

from deepdive.datautils import Digits
from step13_laws import Tensor
from step15_modules import Linear, ReLU, Sequential
from step16_cross_entropy import cross_entropy, one_hot
from step17_optimizers import Adam
from verdict import conclude, expect


def load(train):
    """Pixels as numbers around 0, (N, 64), and labels, (N,)."""
    images, labels = Digits(train).arrays
    return images.reshape(-1, 64) / 8.0 - 1.0, labels


def train(model, pixels, labels, draw, epochs=8, batch=50):
    """The loop; yields the mean loss of each epoch (once through all images)."""
    optimizer = Adam(model.parameters(), lr=0.003)
    for _ in range(epochs):
        order = draw.permutation(len(pixels))
        losses = []
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            logits = model(Tensor(pixels[some]))  # (batch, 10)
            loss = cross_entropy(logits, one_hot(labels[some], 10))
            loss.backward()
            optimizer.step()
            losses.append(float(loss.data))
        yield np.mean(losses)


def predict(model, pixels):
    """The class with the largest logit, (N,)."""
    return model(Tensor(pixels)).data.argmax(-1)


def drawn(pixels):
    """An image as eight lines of text."""
    for row in pixels.reshape(8, 8):
        yield "".join(2 * " .:-=+*#%@"[int((x + 1) * 4.99)] for x in row)


def show_mistakes(pixels, said, truth, most=4):
    """Some images side by side that were read wrongly."""
    wrong = np.flatnonzero(said != truth)[:most]
    print("   ".join(f"{f'a {truth[i]}, read as {said[i]}':16}" for i in wrong))
    images = [drawn(pixels[i]) for i in wrong]
    for line in zip(*images, strict=True):
        print("   ".join(line))


def main():
    draw = np.random.default_rng(0)
    pixels, labels = load(train=True)
    unseen, truth = load(train=False)
    model = Sequential(
        Linear(64, 64, draw),
        ReLU(),
        Linear(64, 10, draw),
    )
    print(f"{len(pixels):,} images to learn from, {len(unseen)} to be judged by\n")
    for epoch, loss in enumerate(train(model, pixels, labels, draw)):
        right = (predict(model, unseen) == truth).mean()
        bar = "#" * round(40 * right)
        print(f"  epoch {epoch + 1}   loss {loss:.3f}   accuracy {right:6.1%}  {bar}")
    print("\nsome of the mistakes; would you have known?\n")
    show_mistakes(unseen, predict(model, unseen), truth)


# --- exercise ------------------------------------------------------------------------------------
def exercise(said, truth):
    """The confusion matrix: how often a digit `truth` was read as `said`, as an array (10, 10).

    Row: the true digit, column: what was said.  Both arguments are arrays of digits, (N,).
    """
    raise NotImplementedError


def check_exercise(solution):
    """Three digits by hand, then a thousand guesses."""
    table = solution(np.array([3, 8, 8]), np.array([3, 3, 8]))
    expect(np.shape(table), (10, 10), "the shape of the table")
    expect(table[3, 8], 1, "how often a 3 was read as an 8 – row 3, column 8")
    expect(table[8, 3], 0, "how often an 8 was read as a 3 – row 8, column 3")
    said, truth = np.random.default_rng(0).integers(0, 10, (2, 1000))
    table = solution(said, truth)
    expect(np.sum(table), 1000, "all entries together, for 1,000 guesses")
    right = (said == truth).sum()
    expect(np.trace(table), right, "the right ones, on the diagonal")
    came = np.bincount(truth)
    expect(np.sum(table, 1), came, "how often each digit came")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
