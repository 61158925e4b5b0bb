"""PyTorch's call forms of shape, index and linear algebra (the names: call_forms.py)."""

from tests.ops.call_forms import exceptions, forms

# --- shape ---------------------------------------------------------------------------------------
forms(
    broadcast_to="f(c, (3, 4)); f(v, size=(3, 4))",
    cat="f((x, y)); f([x, y], 1); f([x, y], dim=-1)",
    chunk="f(x, 2); f(x, 2, 1); f(x, chunks=3, dim=1)",
    clone="f(x)",
    column_stack="f((v, v)); f([x, c])",
    diag="f(x); f(v, 1); f(x, diagonal=-1)",
    diag_embed="f(x); f(x, 1, 0, 2); f(x, offset=-1, dim1=-2, dim2=-1)",
    diagonal="f(x); f(w, 1, 0, 2); f(w, offset=-1, dim1=1, dim2=2)",
    diff="f(x); f(x, 2); f(x, 1, 0); f(x, n=1, dim=1, prepend=c, append=c)",
    dstack="f((x, y))",
    expand_as="x.expand_as(w); x.expand_as(other=w)",
    flatten="f(w); f(w, 1); f(w, start_dim=0, end_dim=1)",
    flip="f(x, (0,)); f(x, dims=(0, 1))",
    fliplr="f(x)",
    flipud="f(x)",
    gather="f(x, 1, t.tensor([[0, 1], [2, 2]])); f(x, dim=0, index=t.tensor([[0, 1, 2, 0]]))",
    hstack="f((x, y)); f([v, v])",
    index_add="f(x, 0, t.tensor([2, 0]), y[:2]);"
    "f(x, dim=0, index=t.tensor([1]), source=y[:1], alpha=2)",
    index_copy="f(x, 0, t.tensor([2, 0]), y[:2]); f(x, dim=1, index=t.tensor([1]), source=c)",
    index_fill="f(x, 0, t.tensor([2, 0]), 2.0); f(x, dim=1, index=t.tensor([1]), value=s)",
    index_select="f(x, 0, t.tensor([2, 0])); f(x, dim=1, index=n)",
    kron="f(x, v); f(x, other=c)",
    masked_fill="f(x, b, 2.0); f(x, mask=k, value=-1.0)",
    masked_scatter="f(x, b, y); f(x, mask=b, source=y)",
    masked_select="f(x, b); f(x, mask=k)",
    movedim="f(w, 0, 2); f(w, (0, 1), (1, 2)); f(w, source=-1, destination=0)",
    narrow="f(x, 0, 1, 2); f(x, dim=1, start=0, length=3)",
    permute="f(w, (2, 0, 1)); f(w, dims=(0, 2, 1))",
    put="f(x, t.tensor([0, 5]), v[:2]); f(x, t.tensor([1, 1]), v[:2], True);"
    "x.put(index=t.tensor([1, 1]), source=v[:2], accumulate=True)",
    ravel="f(w)",
    repeat="x.repeat(2, 1); x.repeat((2, 1, 3))",
    repeat_interleave="f(x, 2); f(x, 2, 1); f(x, n, 1); f(x, repeats=n, dim=1, output_size=None)",
    reshape="f(x, (4, 3)); f(x, shape=(2, -1))",
    roll="f(x, 1); f(x, (1, 2), (0, 1)); f(x, shifts=1, dims=0)",
    rot90="f(x); f(x, 2); f(x, k=1, dims=(1, 0))",
    scatter="f(x, 0, t.tensor([[0, 1, 2, 0]]), y); f(x, 1, t.tensor([[0], [1]]), 2.0);"
    "f(x, dim=0, index=t.tensor([[0, 1, 2, 0]]), src=y);"
    "f(x, dim=0, index=t.tensor([[0, 1, 2, 0]]), value=1.0);"
    "f(i, 1, t.tensor([[0], [1]]), 2, reduce='add')",
    scatter_add="f(x, 0, t.tensor([[0, 1, 2, 0]]), y[:1]);"
    "f(x, dim=0, index=t.tensor([[0, 1, 2, 0]]), src=y[:1])",
    scatter_reduce="f(x, 0, t.tensor([[0, 1, 2, 0]]), y[:1], 'sum');"
    "f(x, dim=0, index=t.tensor([[0, 1, 2, 0]]), src=y[:1], reduce='amax', include_self=False)",
    select="f(x, 0, 1); f(x, dim=1, index=-1)",
    split="f(x, 2); f(x, 2, 1); f(x, [1, 3], dim=1)",
    squeeze="f(c); f(c, 1); f(c, (0, 1)); f(c, dim=-1)",
    stack="f((x, y)); f([x, y], 2); f([x, y], dim=-1)",
    swapaxes="f(w, 0, 2); f(w, axis0=0, axis1=1)",
    t="f(x); f(v)",
    take="f(x, t.tensor([0, 5])); f(x, index=t.tensor([[1], [-1]]))",
    take_along_dim="f(x, t.tensor([[0, 1, 2, 0]]), 0); f(x, indices=t.tensor([3, 3]), dim=None)",
    tensor_split="f(x, 2); f(x, (1, 3), 1); f(x, 3, dim=1)",
    tile="f(x, (2,)); f(x, dims=(2, 1, 2))",
    transpose="f(w, 0, 2); f(w, dim0=1, dim1=0)",
    tril="f(x); f(x, 1); f(x, diagonal=-1)",
    triu="f(x); f(x, 1); f(x, diagonal=-1)",
    unbind="f(x); f(x, 1); f(x, dim=-1)",
    unflatten="f(x, 1, (2, 2)); f(x, dim=-1, sizes=(2, -1))",
    unsqueeze="f(x, 0); f(x, dim=-1)",
    vstack="f((x, v)); f([x, y])",
)

# --- linear algebra ------------------------------------------------------------------------------
forms(
    addbmm="f(x.T @ y, w.mT, w); f(s, w.mT, w, beta=0.5, alpha=2)",
    addmm="f(m, x.T, y); f(v, x.T, y, beta=0.5, alpha=2)",
    addmv="f(c[:, 0], x, v); f(s, x, v, beta=0.5, alpha=2)",
    addr="f(x, c[:, 0], v); f(s, c[:, 0], v, beta=0.5, alpha=2)",
    baddbmm="f(w.mT @ w, w.mT, w); f(s, w.mT, w, beta=0.5, alpha=2)",
    bmm="f(w.mT, w); f(w.mT, mat2=w)",
    cross="f(x[:, :3], y[:, :3]); f(x, y, 0); f(x, other=y, dim=0)",
    dot="f(v, v); f(v, tensor=e[:4])",
    inner="f(x, y); f(x, other=v)",
    logdet="f(m.T @ m + 2 * t.eye(4, dtype=m.dtype))",
    matmul="f(x, v); f(w.mT, x); f(w, other=m)",
    mm="f(x, m); f(x, mat2=m)",
    mv="f(x, v); f(x, vec=v)",
    outer="f(v, e); f(v, vec2=e)",
    vdot="f(v, e[:4]); f(v, other=v)",
    einsum="f('ij,kj->ik', x, y); f('...j,j', x, v)",
    tensordot="f(x, y.T, 1); f(w, x, dims=([1, 2], [0, 1]))",
    det="f(m); f(m @ m)",
    slogdet="f(m)",
    inverse="f(m)",
    matrix_power="f(m, 3); f(m, n=-1)",
    pinverse="f(x); f(x, rcond=1e-10)",
)

for _name in "addmm addmv addbmm baddbmm".split():
    exceptions(_name, integers="there beta and alpha are cut to whole numbers")
for _name in "addmm baddbmm bmm mm".split():
    exceptions(_name, out_dtype="of half precision, on GPUs")
exceptions("clone", memory_format="memory is in row order")
exceptions("gather", sparse_grad="there are no sparse tensors")
exceptions("slogdet", edges="the sign of the determinant of a matrix with NaN")
exceptions("tensordot", dims_other="the second half of dims, inside PyTorch")
exceptions("addmv", empty="PyTorch gives a number of the shape of the input")
