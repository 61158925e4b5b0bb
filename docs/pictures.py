"""What the pages show is made by the library itself when the pages are built."""

import deepdive as dd
from deepdive import dash, datautils, nn, optim, train


def draw(folder: str) -> None:
    """Writes the pictures and pages that the documentation refers to into `folder`."""
    graph(f"{folder}/graph.svg")
    program(f"{folder}/step.svg")
    steps(f"{folder}/backward.html")
    report(f"{folder}/report.html")


def graph(path: str) -> None:
    """The graph of the first example of ten_minutes.md."""
    a, b = dd.Tensor(2.0), dd.Tensor(1.0)
    e = (a + b) * (b + 1)
    e.backward()
    e.draw_graph({"a": a, "b": b, "e": e}, path)


def program(path: str) -> None:
    """The step of speed.md."""
    w = dd.tensor([[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    def step(x):
        optimizer.zero_grad()
        loss = (x @ w).relu().square().mean()
        loss.backward()
        optimizer.step()
        return loss

    fast = dd.compile(step)
    fast(dd.ones(8, 3))
    fast.draw(path)


def steps(path: str) -> None:
    """The backward pass of training.md, operator by operator."""
    w = dd.tensor([2.0, 3.0], requires_grad=True)
    loss = (w * w).sum()
    dash.Stepper(loss, {"w": w, "loss": loss}).save(path)


def report(path: str) -> None:
    """The page at the end of a short training."""
    dd.manual_seed(0)
    prepare = datautils.Compose([datautils.Scale(1 / 16), datautils.Flatten()])
    digits = [datautils.Digits(train=part, transform=prepare) for part in (True, False)]
    learn = datautils.DataLoader(digits[0], batch_size=64, shuffle=True)
    held_out = datautils.DataLoader(digits[1], batch_size=180)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    page = dash.Report(path, held_out, title="Digits, 8 epochs")
    trainer = train.Trainer(
        model,
        optim.Adam(model.parameters(), lr=3e-3),
        nn.functional.cross_entropy,
        metrics={"accuracy": train.Accuracy()},
        events=[page],
    )
    trainer.fit(learn, 8, held_out)
