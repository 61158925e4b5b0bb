"""Linear algebra where PyTorch and LAPACK leave a choice, at the edges, and its errors."""

import itertools
import math

import numpy as np
import pytest

import deepdive as dd
from deepdive.errors import ArgumentError, DeepDiveError, GraphError

torch = pytest.importorskip("torch")
draw = np.random.default_rng(3)
SHAPES = [(5, 3), (3, 3), (3, 5), (2, 4, 3)]


def both(x):
    """The same numbers here and there, tracked."""
    return dd.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)


def agree(ours, theirs, tolerance=1e-9):
    np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), tolerance, tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_svd_up_to_signs(shape):
    """A function of U, S and V that no sign changes: its value, gradient and second gradient."""
    x = draw.normal(size=shape)
    weights = draw.normal(size=(*shape[:-2], min(shape[-2:]), 1))
    ours, theirs = both(x)

    def loss(U, S, Vh, w):
        low = U[..., :, :1] @ Vh[..., :1, :]
        return (low**3).sum() + (S.unsqueeze(-1) * w).sum() + ((U**2).mT @ (U**2)).sum()

    mine = loss(*dd.linalg.svd(ours, full_matrices=False), dd.tensor(weights))
    other = loss(*torch.linalg.svd(theirs, full_matrices=False), torch.tensor(weights))
    agree(mine, other)
    [g] = dd.grad(mine, [ours], create_graph=True)
    [h] = torch.autograd.grad(other, [theirs], create_graph=True)
    agree(g, h)
    (g * g).sum().backward()
    (h * h).sum().backward()
    agree(ours.grad, theirs.grad, 1e-7)


@pytest.mark.parametrize("UPLO", ["L", "U"])
def test_eigh_up_to_signs(UPLO):
    """Values and gradient are PyTorch's, of any matrix: only one triangle is read."""
    x = draw.normal(size=(2, 4, 4))
    ours, theirs = both(x)
    results = []
    for tensor, eigh in ((ours, dd.linalg.eigh), (theirs, torch.linalg.eigh)):
        w, v = eigh(tensor, UPLO)
        projector = v[..., :, :2] @ v[..., :, :2].mT
        loss = (projector**3).sum() + (w**2).sum()
        loss.backward()
        results.append((w, projector, tensor.grad))
    for mine, other in zip(*results, strict=True):
        agree(mine, other)


@pytest.mark.parametrize("device", ["cpu", "native"])
@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3)])
def test_what_is_taken_apart_fits_together(shape, device):
    x = dd.tensor(draw.normal(size=shape), device=device)
    for full in (True, False):
        U, S, Vh = dd.linalg.svd(x, full)
        k = min(shape)
        agree((U[:, :k] * S) @ Vh[:k], torch.tensor(x.numpy()))
        for basis in (U, Vh.mT):
            eye = basis.mT @ basis
            np.testing.assert_allclose(eye.numpy(), np.eye(eye.shape[0]), atol=1e-12)
        largest = np.abs(U.numpy()[:, :k]).argmax(0)
        assert (U.numpy()[largest, range(k)] > 0).all()
    for mode in ("reduced", "complete"):
        Q, R = dd.linalg.qr(x, mode)
        agree(Q @ R, torch.tensor(x.numpy()))
        theirs = torch.linalg.qr(torch.tensor(x.numpy()), mode)
        agree(Q, theirs.Q)
        agree(R, theirs.R)


def test_equal_singular_values():
    """Where directions are no more told apart, what does not depend on them has its gradient."""
    x = dd.tensor(np.eye(3), requires_grad=True)
    dd.linalg.norm(x, "nuc").backward()
    agree(x.grad, torch.eye(3))
    x.grad = None
    dd.linalg.svd(x, False).S.sum().backward()
    agree(x.grad, torch.eye(3))
    dd.linalg.eigh(x).eigenvalues.sum().backward()


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_the_gradient_of_the_determinant_of_singular_matrices(rank):
    """It is the matrix of cofactors, whatever the rank."""
    x = draw.normal(size=(3, rank)) @ draw.normal(size=(rank, 3))
    cofactors = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            minor = np.delete(np.delete(x, i, 0), j, 1)
            cofactors[i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    ours = dd.tensor(x, requires_grad=True)
    dd.linalg.det(ours).backward()
    np.testing.assert_allclose(ours.grad.numpy(), cofactors, atol=1e-12)


def test_the_hessian_of_the_determinant_at_the_identity():
    ours, theirs = both(np.eye(3))
    [g] = dd.grad(dd.det(ours), [ours], create_graph=True)
    [h] = torch.autograd.grad(torch.det(theirs), [theirs], create_graph=True)
    weights = draw.normal(size=(3, 3))
    (g * dd.tensor(weights)).sum().backward()
    (h * torch.tensor(weights)).sum().backward()
    agree(ours.grad, theirs.grad)


def test_float32_and_precision():
    x = draw.normal(size=(40, 40)).astype("float32")
    for name in ("inv", "det", "svdvals", "pinv", "matrix_rank"):
        found = getattr(dd.linalg, name)(dd.tensor(x))
        expected = getattr(torch.linalg, name)(torch.tensor(x))
        assert str(found.dtype) == str(expected.dtype).removeprefix("torch.")
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=5e-3, atol=5e-3)


def test_many_distances_by_a_product():
    x, y = draw.normal(size=(40, 5)), draw.normal(size=(30, 5))
    ours, theirs = both(x)
    found = dd.cdist(ours, dd.tensor(y))
    expected = torch.cdist(theirs, torch.tensor(y))
    agree(found, expected)
    (found**2).sum().backward()
    (expected**2).sum().backward()
    agree(ours.grad, theirs.grad)
    same = dd.tensor(x, requires_grad=True)
    dd.cdist(same, same, compute_mode="donot_use_mm_for_euclid_dist").sum().backward()
    assert np.isfinite(same.grad.numpy()).all()


def test_the_chain_takes_the_cheapest_order():
    from deepdive.ops.products import _cuts

    class Sized:
        def __init__(self, *shape):
            self.shape = shape

    sizes = [30, 35, 15, 5, 10, 20, 25]  # Cormen's example
    chain = [Sized(n, m) for n, m in itertools.pairwise(sizes)]
    cuts = _cuts(chain)
    assert cuts[0, 5] == 2 and cuts[0, 2] == 0 and cuts[3, 5] == 4


def test_products_take_whole_numbers():
    x, y = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    ours, theirs = (dd.tensor(x), dd.tensor(y)), (torch.tensor(x), torch.tensor(y))
    for equation in ("ij,jk->ik", "ij,jk->k", "ij,jk->jik"):
        found, expected = dd.einsum(equation, *ours), torch.einsum(equation, *theirs)
        assert found.tolist() == expected.tolist() and str(found.dtype) == "int64"
    assert dd.kron(*ours).tolist() == torch.kron(*theirs).tolist()
    square = dd.tensor(x[:, :2])
    expected = torch.tensor(x[:, :2])
    assert dd.matrix_power(square, 3).tolist() == torch.matrix_power(expected, 3).tolist()
    nothing = dd.tensor([[math.nan] * 4] * 2)
    product = dd.addmm(nothing, ours[0].float(), ours[1].float(), beta=0)
    assert product.tolist() == (theirs[0] @ theirs[1]).tolist()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: dd.linalg.inv(x), "solve: the matrix is singular"),
        (lambda x: dd.linalg.cholesky(-dd.eye(2)), "cholesky: the matrix is not positive"),
        (lambda x: dd.linalg.det(x[:1]), "det.*a has shape|det: .*"),
        (lambda x: dd.linalg.qr(x, "full"), "qr: mode"),
        (lambda x: dd.linalg.eigh(x, "X"), "eigh: UPLO"),
        (lambda x: dd.linalg.solve(x, dd.ones(3, 1)), "2 != 3"),
        (lambda x: dd.linalg.svd(dd.tensor([[1, 2]])), "svd: got int64"),
        (lambda x: dd.linalg.multi_dot([x]), "multi_dot: at least two"),
        (lambda x: dd.einsum("ij,jk", x), "is for 2 tensors"),
        (lambda x: dd.einsum("i", x), "does not fit a tensor of 2 axes"),
        (lambda x: dd.einsum("ij->ik", x), "names axes twice"),
        (lambda x: dd.einsum("ij,ij", x, dd.ones(2, 3)), "two extents"),
        (lambda x: dd.tensordot(x, dd.ones(3, 2)), "the axes differ"),
        (lambda x: dd.cdist(x, dd.ones(2, 3)), "rows of equal length"),
        (lambda x: dd.linalg.norm(x, "max"), "matrix_norm: ord"),
        (lambda x: dd.cross(x, x), "no axis has extent 3"),
        (lambda x: dd.linalg.lstsq(x, x, driver="qr"), "lstsq: driver"),
        (lambda x: dd.matrix_power(x[:1], 2), "matrix_power: square"),
    ],
)
def test_errors(call, message):
    with pytest.raises(DeepDiveError, match=message):
        call(dd.tensor([[1.0, 2.0], [2.0, 4.0]]))


def test_errors_have_their_kinds():
    with pytest.raises(ArgumentError) as caught:
        dd.linalg.solve(dd.zeros(2, 2), dd.ones(2))
    assert "lstsq" in caught.value.fix
    x = dd.tensor(draw.normal(size=(3, 2)), requires_grad=True)
    with pytest.raises(GraphError, match="complete the basis"):
        dd.linalg.svd(x).U.sum().backward()


def test_compiled():
    """The words of linear algebra run inside a compiled function as they are."""
    x = dd.tensor(draw.normal(size=(4, 3)))

    def f(x):
        return dd.linalg.svdvals(x).sum() + dd.einsum("ij,ij->", x, x) + dd.linalg.pinv(x).sum()

    assert abs(dd.compile(f)(x).item() - f(x).item()) < 1e-9
