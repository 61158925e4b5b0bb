"""Step 15: modules – where parameters live, and what they are called.

A layer is a function with parameters; a *module* holds both.  Modules contain modules: a network is
a tree of them.  Nobody keeps a list of parameters: we walk the tree.  A parameter's path in it,
`layers.0.weight`, is its name, in files and in errors.

Why are the first weights random?  Equal neurons would get equal gradients and stay equal for ever.
Why so small?  A sum of n random numbers grows like the root of n; 1/√n keeps the signal in size.

In the library: `deepdive/nn/module.py`, `linear.py`, `containers.py`.
"""

import numpy as np

from step11_contract import Operator
from step12_operators import register
from step13_laws import Tensor
from verdict import conclude, expect


@register("relu")
class Relu(Operator):
    def forward(self, xp, x):
        return xp.maximum(x, 0.0)  # cheaper than tanh, and never flat on the right

    def backward(self, xp, grad, x):
        return grad * (x > 0.0)


class Parameter(Tensor):
    """A tensor that training may change."""


class Module:
    def __call__(self, x):
        return self.forward(x)

    def children(self):
        """(name, parameter or module), in the order they were made."""
        for name, value in vars(self).items():
            items = enumerate(value) if isinstance(value, list) else [("", value)]
            for index, item in items:
                if isinstance(item, Parameter | Module):
                    yield f"{name}.{index}".rstrip("."), item

    def named_parameters(self, path=""):
        for name, child in self.children():
            if isinstance(child, Parameter):
                yield path + name, child
            else:
                yield from child.named_parameters(f"{path}{name}.")

    def parameters(self):
        return [parameter for _, parameter in self.named_parameters()]


class Linear(Module):  # (B, inputs) to (B, outputs)
    def __init__(self, inputs, outputs, draw):
        bound = inputs**-0.5
        self.weight = Parameter(draw.uniform(-bound, bound, (outputs, inputs)))
        self.bias = Parameter(np.zeros(outputs))

    def forward(self, x):
        return x @ self.weight.T + self.bias


class ReLU(Module):
    def forward(self, x):
        return x.relu()


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def main():
    draw = np.random.default_rng(0)
    model = Sequential(Linear(64, 32, draw), ReLU(), Linear(32, 10, draw))
    x = Tensor(draw.normal(size=(100, 64)))
    y = model(x)
    (y * y).mean().backward()
    for name, parameter in model.named_parameters():
        spread = f"std {parameter.data.std():.3f}, of the gradient {parameter.grad.std():.1e}"
        print(f"  {name:16} {parameter.shape!s:9} {spread}")
    print(f"  {sum(p.data.size for p in model.parameters()):,} numbers to learn")


# --- exercise ------------------------------------------------------------------------------------
def exercise(module, arrays):
    """Load `arrays`, {name: array}, into the parameters.  Returns two lists of names: missing (not
    in `arrays`) and unexpected (not in the module).  An array of a wrong shape is a ValueError, and
    then *nothing* has been changed."""
    raise NotImplementedError


def check_exercise(solution):
    """A full load, a partial one, and one that must leave everything as it was."""
    model = Sequential(Linear(3, 2, np.random.default_rng(1)))
    new = {"layers.0.weight": np.ones((2, 3)), "layers.0.bias": np.ones(2)}
    expect(solution(model, new), ([], []), "missing and unexpected, when all is there")
    expect([p.data for p in model.parameters()], list(new.values()), "the loaded parameters")
    partial = {"layers.0.bias": np.zeros(2), "layers.7.bias": np.ones(3)}
    expect(solution(model, partial), (["layers.0.weight"], ["layers.7.bias"]), "a partial load")
    try:
        solution(model, {"layers.0.weight": np.zeros((2, 3)), "layers.0.bias": np.zeros(5)})
        expect("no error", "a ValueError", "an array of shape (5,) for a bias of shape (2,)")
    except ValueError:
        kept = [np.ones((2, 3)), np.zeros(2)]
        expect([p.data for p in model.parameters()], kept, "parameters after a refused load")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
