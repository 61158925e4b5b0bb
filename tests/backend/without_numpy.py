"""Run by test_without_numpy.py in an interpreter that has no NumPy: what a user does with the
library there.  Prints what it finds as one line of JSON.

    python without_numpy.py FOLDER [EPOCHS]
"""

import copy
import json
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import deepdive as dd
from deepdive import nn, optim
from deepdive.backend.native import NDArray
from deepdive.datautils import Compose, DataLoader, Digits, Flatten, Scale, random_split
from deepdive.errors import MissingExtraError
from deepdive.io import safetensors


def random_numbers():
    dd.manual_seed(7)
    generator = dd.Generator(3).fork(2, 5)
    return {
        "rand": dd.rand(5).tolist(),
        "double": dd.rand(3, dtype="float64").tolist(),
        "randn": dd.randn(2, 3).tolist(),
        "uniform": generator.uniform((4,), -2.0, 3.0).tolist(),
        "randint": dd.randint(-5, 10, (6,)).tolist(),
        "wide": generator.integers(-(1 << 63), (1 << 63) - 1, (4,)).tolist(),
        "randperm": dd.randperm(9).tolist(),
        "bernoulli": generator.bernoulli(0.3, (8,)).tolist(),
        "dropped": dd.dropout(dd.ones(8), 0.5).tolist(),
        "split": [list(part.indices) for part in random_split(range(6), [0.5, 0.5])],
        "linear": nn.Linear(3, 2).weight.tolist(),
    }


def refused():
    """What needs NumPy says so."""
    said = []
    x = dd.ones(2)
    for run in (x.numpy, x.cpu, lambda: x.to("cpu"), lambda: dd.compile, lambda: dd.dash):
        try:
            run()
        except MissingExtraError as error:
            said.append(str(error))
    return said


def gradients():
    x = dd.tensor([1.0, 2.0], requires_grad=True)
    [first] = dd.grad((x**3).sum(), [x], create_graph=True)
    [second] = dd.grad(first.sum(), [x])
    with dd.no_grad():
        untracked = (x * 2).requires_grad
    return [first.tolist(), second.tolist(), untracked]


def modules_that_need_numpy():
    """Which rooms cannot be imported here: none that a training needs."""
    root = Path(dd.__file__).parent
    rooms = set()
    for path in sorted(root.rglob("*.py")):
        module = ".".join(("deepdive", *path.relative_to(root).with_suffix("").parts))
        try:
            if path.name != "__main__.py":
                import_module(module.removesuffix(".__init__"))
        except ImportError:
            rooms.add(module.split(".")[1])
    return sorted(rooms)


def two_layers():
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def train(make_optimizer, epochs):
    """Epochs on the digits; the model, its losses and the optimizer."""
    dd.manual_seed(0)
    prepared = Compose(Scale(1 / 16), Flatten())
    loader = DataLoader(Digits(train=True, transform=prepared), batch_size=32, shuffle=True)
    model = two_layers()
    optimizer = make_optimizer(model.parameters())
    losses = []
    for _ in range(epochs):
        for x, y in loader:
            assert type(x) is type(y) is NDArray
            loss = nn.functional.cross_entropy(model(x), dd.tensor(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses, optimizer


def predictions(model):
    test = DataLoader(Digits(train=False, transform=Compose(Scale(1 / 16), Flatten())), 120)
    with dd.no_grad():
        return [number for x, _ in test for number in model(x).argmax(1).tolist()]


def with_others():
    """What is for other libraries and notebooks: what works, works; the rest says what it needs."""
    x = dd.tensor([[1.0, 2.0]])
    xp = x.__array_namespace__()
    assert xp.sum(x, axis=1).tolist() == [3.0]
    assert x._repr_html_() is None and nn.Linear(1, 1)._repr_html_() is None
    for take in (x.__dlpack__, lambda: dd.from_dlpack(x)):
        try:
            take()
        except MissingExtraError as error:
            assert "numpy" in str(error)
        else:
            raise AssertionError("DLPack without NumPy")


def main(folder, epochs):
    assert find_spec("numpy") is None
    found = {"device": dd.zeros(1).device, "printed": repr(dd.tensor([[1.0, 2.5], [3.0, 4.0]]))}
    found["rooms"] = modules_that_need_numpy()
    assert not dd.cuda.is_available()
    found["random"] = random_numbers()
    with_others()
    found["refused"] = refused()
    found["gradients"] = gradients()
    began = time.perf_counter()
    model, losses, adam = train(lambda parameters: optim.Adam(parameters, lr=0.01), epochs)
    found["seconds"] = time.perf_counter() - began
    found["losses"] = losses[:10]
    guessed, labels = predictions(model), Digits(train=False).labels.tolist()
    found["accuracy"] = sum(a == b for a, b in zip(guessed, labels, strict=True)) / len(labels)
    model.save(folder)
    assert predictions(nn.load_from_arc(folder)) == guessed
    assert predictions(two_layers().load(folder)) == guessed
    again = optim.Adam(model.parameters())
    again.load_state_dict(copy.deepcopy(adam.state_dict()))
    safetensors.save(f"{folder}/x.safetensors", {"x": dd.arange(4)._data, "y": dd.ones(2, 1)._data})
    loaded = safetensors.load(f"{folder}/x.safetensors")
    found["loaded"] = {name: [x.dtype.name, x.tolist()] for name, x in loaded.items()}
    found["sgd"] = train(lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9), 1)[1][:10]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
