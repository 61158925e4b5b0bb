"""``nn.functional`` has PyTorch's names, and its functions are the library's own."""

import inspect

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import deepdive as dd
from deepdive.nn import functional


def public():
    return {n: f for n, f in vars(functional).items() if callable(f) and not n.startswith("_")}


def test_every_name_is_one_of_pytorchs():
    ours = set(public()) - {"softmax_loss", "Tensor", "Any"}  # softmax_loss is system D's
    assert len(ours) > 40
    assert {name for name in ours if not hasattr(F, name)} == set()


def test_they_are_the_operators():
    for name, function in public().items():
        if name in dd.REGISTRY and name != "unfold":  # Tensor.unfold is another function
            assert inspect.unwrap(function) is inspect.unwrap(dd.REGISTRY[name]), name


def test_parameters_come_in_pytorchs_order():
    gone = {"size_average", "reduce", "return_indices", "inplace", "_stacklevel", "dtype"}
    for name, function in public().items():
        if (
            not inspect.isfunction(function)
            or name not in dd.REGISTRY
            or hasattr(function, "operator")
        ):
            continue
        try:
            theirs = list(inspect.signature(getattr(F, name)).parameters)
        except (TypeError, ValueError, AttributeError):
            continue
        ours = list(inspect.signature(function).parameters)
        shared = [p for p in theirs if p in ours and p not in gone]
        assert [p for p in ours if p in shared] == shared, name


# Calls as people write them for PyTorch: by position, by name, old arguments and new ones.
FORMS = """
F.relu(x.clone(), inplace=True)
F.relu(x.clone(), True)
F.relu6(x.clone(), inplace=True)
F.leaky_relu(x.clone(), 0.1, True)
F.elu(x.clone(), 1.0, True)
F.silu(x.clone(), inplace=True)
F.hardtanh(x.clone(), -1., 1., True)
F.dropout(x.clone(), 0.0, True, True)
F.dropout(x.clone(), p=0.5, training=False, inplace=True)
F.dropout2d(x.clone().reshape(1,3,4,1), 0.0, True, True)
F.softmax(x, dim=-1, dtype=f64)
F.softmax(x, -1, 3, f64)
F.log_softmax(x, 1, dtype=f64)
F.softmin(x, 1)
F.gelu(x, approximate='tanh')
F.normalize(x, 2, 1, 1e-12)
F.normalize(input=x, dim=0)
F.cross_entropy(input=x, target=i)
F.cross_entropy(x, i, None, None, 1)
F.cross_entropy(x, i, size_average=False)
F.nll_loss(x, i, w4)
F.nll_loss(x, i, None, None, -100, None, 'sum')
F.mse_loss(x, y, reduction='sum')
F.mse_loss(x, y, None, None, 'sum')
F.mse_loss(x, y, reduce=False)
F.l1_loss(x, y, size_average=False)
F.smooth_l1_loss(x, y, None, None, 'mean', 0.5)
F.huber_loss(x, y, 'sum', 2.0)
F.kl_div(x, y.softmax(-1), None, None, 'batchmean')
F.binary_cross_entropy(x.sigmoid(), y.sigmoid(), None, None, None, 'sum')
F.binary_cross_entropy_with_logits(x, y.sigmoid(), None, None, None, 'sum')
F.linear(x, x)
F.linear(input=x, weight=x, bias=None)
F.layer_norm(x, [4])
F.layer_norm(input=x, normalized_shape=(4,), weight=w4)
F.batch_norm(x, None, None, training=True)
F.group_norm(x, 2)
F.rms_norm(x, [4])
F.one_hot(i, 4)
F.embedding(i, x)
F.prelu(x, x[0,:1])
F.glu(x, dim=1)
F.logsigmoid(x)
F.softplus(x, beta=2)
F.softplus(x, 2, 10)
F.threshold(x.clone(), 0.1, 2, True)
F.celu(x, 1.0)
F.selu(x.clone(), True)
F.rrelu(x, training=False)
F.hardshrink(x, lambd=0.3)
F.softshrink(x, 0.3)
F.cosine_similarity(x, y)
F.cosine_similarity(x1=x, x2=y, dim=0)
F.pairwise_distance(x, y, p=1)
F.pdist(x)
F.triplet_margin_loss(x, y, x*3)
F.tanh(x)
F.sigmoid(x)
F.scaled_dot_product_attention(x[None],y[None],x[None], is_causal=True)
F.feature_alpha_dropout(x, 0.5)
F.poisson_nll_loss(x, y, True, False, None, 1e-8, None, 'sum')
F.hinge_embedding_loss(x, y.sign(), 1.0, None, None, 'sum')
F.margin_ranking_loss(x, y, y.sign(), 0.1, None, None, 'sum')
F.soft_margin_loss(x, y.sign(), None, None, 'sum')
F.multilabel_soft_margin_loss(x, (y>0).double(), None, None, None, 'sum')
F.multi_margin_loss(x, i, 1, 1.0, None, None, None, 'sum')
F.cosine_embedding_loss(x, y, y[:,0].sign(), 0.1, None, None, 'sum')
"""


def evaluated(form, m, n):
    """The call's result with the module `m` of functions and the library `n` of tensors."""
    x = np.linspace(-2.0, 2.5, 12).reshape(3, 4)
    names = {"F": m, "x": n.tensor(x), "y": n.tensor(np.cos(3 * x)), "f64": n.float64}
    names |= {"i": n.tensor([0, 1, 2]), "w4": n.ones(4, dtype=n.float64)}
    return eval(form, names).numpy()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS.split("\n")[1:-1])
def test_calls_are_pytorchs(form):
    np.testing.assert_allclose(
        evaluated(form, functional, dd), evaluated(form, F, torch), rtol=1e-7, atol=1e-9
    )
