"""A convolutional network learns MNIST; its graph is drawn at the first step, as graph.png.

python examples/mnist_cnn.py --data DIR    DIR holds train-images-idx3-ubyte[.gz] and so on
"""

import argparse

from deepdive import nn, no_grad
from deepdive.dash import Dash
from deepdive.datautils import MNIST, DataLoader, Scale, Subset

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--data", help="the folder of MNIST's files; without it they are downloaded")
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--limit", type=int, help="use so many images only")
parser.add_argument("--device", default="cpu", help="where to compute: cpu, cuda or native")
parser.add_argument("--save", default="runs/mnist_cnn", help="the folder for the model")
options = parser.parse_args()


def batches(train):
    """Images as numbers 0…1 (B, 28, 28), and labels (B,)."""
    mnist = MNIST(options.data, train, transform=Scale(1 / 255), download=not options.data)
    some = Subset(mnist, range(min(options.limit or len(mnist), len(mnist))))
    return DataLoader(some, batch_size=32, shuffle=train, device=options.device)


model = nn.Sequential(
    nn.ReShape((1, 28, 28)),  # one channel
    nn.Conv2d(1, 4, 3),  # (B, 4, 26, 26)
    nn.ReLU(),
    nn.Conv2d(4, 8, 3),  # (B, 8, 24, 24)
    nn.ReLU(),
    nn.ReShape(8 * 24 * 24),
    nn.Linear(8 * 24 * 24, 1024),
    nn.ReLU(),
    nn.Linear(1024, 10),
    nn.LogSoftmax(),
)
model.to(options.device)
loss_of = nn.NLLLoss()
dash = Dash(2, names=["loss", "accuracy"])

train, test = batches(train=True), batches(train=False)
for epoch in range(options.epochs):
    for step, (x, y) in enumerate(train):
        log_p = model(x)  # (B, 10)
        loss = loss_of(log_p, y)
        loss.backward()
        if epoch == step == 0:
            loss.draw_graph(locals())
        model.step(lr=0.1, optimizer=nn.SGD, weight_decay=1e-4)
        dash.update(loss, (log_p.argmax(1) == y).float().mean())
        dash.plot()

with no_grad():
    right = sum(int((model(x).argmax(1) == y).sum()) for x, y in test)
model.save(options.save)
print(f"test accuracy {right / len(test.dataset):.2%}, saved to {options.save}")
