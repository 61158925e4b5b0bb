"""More layers: PyTorch's text, state, first values, results and gradients, and model.arc."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn.architecture import from_arc, to_arc

# (how it is made in either library, the shapes of its inputs)
LAYERS = [
    ("BatchNorm3d(2, momentum=0.3)", [(3, 2, 2, 2, 2)]),
    ("GroupNorm(2, 6)", [(3, 6, 4)]),
    ("GroupNorm(3, 6, affine=False)", [(3, 6, 2, 2)]),
    ("InstanceNorm1d(3)", [(2, 3, 5)]),
    ("InstanceNorm1d(3, affine=True)", [(3, 5)]),
    ("InstanceNorm2d(3, affine=True, track_running_stats=True)", [(2, 3, 4, 2)]),
    ("InstanceNorm2d(3, track_running_stats=True, momentum=0.4)", [(3, 4, 2)]),
    ("InstanceNorm3d(2)", [(2, 2, 2, 3, 2)]),
    ("RMSNorm(4)", [(3, 4)]),
    ("RMSNorm((3, 4), eps=1e-6)", [(2, 3, 4)]),
    ("RMSNorm(4, elementwise_affine=False)", [(3, 4)]),
    ("CELU(0.5)", [(3, 4)]),
    ("SELU()", [(3, 4)]),
    ("Mish()", [(3, 4)]),
    ("Hardsigmoid()", [(3, 4)]),
    ("Hardswish()", [(3, 4)]),
    ("Softsign()", [(3, 4)]),
    ("Tanhshrink()", [(3, 4)]),
    ("Hardshrink(0.4)", [(3, 4)]),
    ("Softshrink(0.4)", [(3, 4)]),
    ("Threshold(0.1, 20)", [(3, 4)]),
    ("PReLU()", [(3, 4)]),
    ("PReLU(4, init=0.1)", [(3, 4, 2)]),
    ("RReLU(0.2, 0.2)", [(3, 4)]),
    ("GLU(dim=0)", [(4, 3)]),
    ("Softmax2d()", [(2, 3, 2, 2)]),
    ("Dropout3d(0.0)", [(2, 3, 2, 2, 2)]),
    ("AlphaDropout(1.0)", [(3, 4)]),
    ("FeatureAlphaDropout(0.0)", [(2, 3, 4)]),
    ("Bilinear(2, 3, 4)", [(5, 2), (5, 3)]),
    ("Bilinear(2, 3, 4, bias=False)", [(5, 2), (5, 3)]),
    ("CosineSimilarity(dim=-1)", [(5, 3), (5, 3)]),
    ("PairwiseDistance(3.0, keepdim=True)", [(5, 3), (5, 3)]),
    ("RNN(3, 4)", [(5, 2, 3)]),
    ("RNN(3, 4, 2, nonlinearity='relu', bidirectional=True)", [(5, 2, 3), (4, 2, 4)]),
    ("RNN(3, 4, bias=False, batch_first=True)", [(2, 5, 3)]),
    ("LSTM(3, 4)", [(5, 2, 3)]),
    ("LSTM(3, 4, 2, bidirectional=True, batch_first=True)", [(2, 5, 3)]),
    ("LSTM(3, 4, 2, proj_size=2, bidirectional=True)", [(5, 2, 3)]),
    ("LSTM(3, 4)", [(5, 3)]),
    ("GRU(3, 4)", [(1, 2, 3)]),
    ("GRU(3, 4, 3, bias=False, dropout=0.0)", [(5, 2, 3), (3, 2, 4)]),
    ("GRU(3, 4, bidirectional=True)", [(5, 3), (2, 4)]),
    ("RNNCell(3, 4)", [(2, 3)]),
    ("RNNCell(3, 4, nonlinearity='relu', bias=False)", [(2, 3), (2, 4)]),
    ("LSTMCell(3, 4)", [(2, 3)]),
    ("GRUCell(3, 4)", [(2, 3), (2, 4)]),
    ("GRUCell(3, 4)", [(3,)]),
    ("MultiheadAttention(8, 2)", [(5, 2, 8), (4, 2, 8), (4, 2, 8)]),
    ("MultiheadAttention(8, 4, bias=False, batch_first=True)", [(2, 5, 8), (2, 4, 8), (2, 4, 8)]),
    ("MultiheadAttention(8, 2, kdim=3, vdim=5)", [(5, 2, 8), (4, 2, 3), (4, 2, 5)]),
    ("MultiheadAttention(8, 2, add_bias_kv=True)", [(5, 2, 8), (4, 2, 8), (4, 2, 8)]),
    ("MultiheadAttention(8, 2, add_zero_attn=True)", [(5, 8), (4, 8), (4, 8)]),
    ("TransformerEncoderLayer(8, 2, 16, dropout=0.0)", [(5, 2, 8)]),
    ("TransformerEncoderLayer(8, 2, 16, 0.0, 'gelu', norm_first=True)", [(5, 2, 8)]),
    ("TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, bias=False)", [(2, 5, 8)]),
    ("TransformerDecoderLayer(8, 2, 16, 0.0)", [(5, 2, 8), (4, 2, 8)]),
    ("TransformerDecoderLayer(8, 2, 16, 0.0, norm_first=True)", [(5, 2, 8), (4, 2, 8)]),
    (
        "TransformerEncoder(TransformerEncoderLayer(8, 2, 16, 0.0), 2, LayerNorm(8), "
        "enable_nested_tensor=False)",
        [(5, 2, 8)],
    ),
    ("TransformerDecoder(TransformerDecoderLayer(8, 2, 16, 0.0), 2)", [(5, 2, 8), (4, 2, 8)]),
    ("Transformer(8, 2, 1, 2, 16, 0.0)", [(5, 2, 8), (4, 2, 8)]),
]


@pytest.fixture(autouse=True)
def _equal_numbers_every_time():
    torch.manual_seed(0)
    dd.manual_seed(0)
    np.random.seed(0)


def made(text, module):
    return eval(text, {**vars(module)})  # the same text for both libraries


def flat(out):
    """The tensors of a result, also in tuples of tuples."""
    if isinstance(out, (tuple, list)):
        return [x for part in out if part is not None for x in flat(part)]
    return [out]


def compare(ours, theirs, arrays, rtol=1e-4, atol=1e-5):
    """Outputs and gradients, of inputs and parameters, for the same inputs."""
    mine = [dd.tensor(x, requires_grad=True) for x in arrays]
    torchs = [torch.tensor(x, requires_grad=True) for x in arrays]
    got, want = flat(ours(*mine)), flat(theirs(*torchs))
    assert len(got) == len(want)
    total, wanted = 0, 0
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=rtol, atol=atol)
        weights = np.random.default_rng(i).normal(size=b.shape).astype("float32")
        total = total + (a * weights).sum()
        wanted = wanted + (b * torch.tensor(weights)).sum()
    total.backward()
    wanted.backward()
    named = dict(theirs.named_parameters())
    pairs = [(p, named[name]) for name, p in ours.named_parameters()]
    for a, b in [*zip(mine, torchs, strict=True), *pairs]:
        found = np.zeros(b.shape, "float32") if a.grad is None else a.grad.numpy()
        expected = np.zeros(b.shape, "float32") if b.grad is None else b.grad.numpy()
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=10 * atol)


@pytest.mark.parametrize(("text", "shapes"), LAYERS, ids=[text for text, _ in LAYERS])
def test_layer_is_pytorchs(text, shapes):
    ours, theirs = made(text, nn), made(text, torch.nn)
    assert [*ours.state_dict()] == [*theirs.state_dict()]
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    draw = np.random.default_rng(0)
    for mode in (True, True, False):
        ours.train(mode), theirs.train(mode)
        ours.zero_grad(), theirs.zero_grad()
        arrays = [draw.normal(size=shape).astype("float32") for shape in shapes]
        compare(ours, theirs, arrays)
    for name, value in theirs.state_dict().items():
        mine = ours.state_dict()[name].numpy()
        np.testing.assert_allclose(mine, value.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("text", [text for text, _ in LAYERS])
def test_layer_comes_back_from_text(text):
    layer = made(text, nn)
    again = from_arc(to_arc(layer))
    assert repr(again) == repr(layer)
    assert [*again.state_dict()] == [*layer.state_dict()]


@pytest.mark.parametrize(
    "text",
    [
        *("LSTM(30, 200, 2, proj_size=50)", "GRUCell(30, 200)", "RNN(30, 200)"),
        *("MultiheadAttention(64, 4, add_bias_kv=True)", "Bilinear(20, 30, 10)"),
        *("Transformer(32, 2, 1, 1, 64)", "EmbeddingBag(50, 40)"),
    ],
)
def test_first_values_are_distributed_as_pytorchs(text):
    ours, theirs = made(text, nn), made(text, torch.nn)
    for name, value in theirs.named_parameters():
        mine = ours.params[name].numpy()
        assert mine.shape == tuple(value.shape)
        spread = 4 / np.sqrt(value.numel())  # four times the error of a standard deviation
        std = value.std().item() if value.numel() > 1 else 0.0
        assert abs(mine.std() - std) <= spread * std, name
        bound = value.abs().max().item()
        assert np.abs(mine).max() <= (1.1 + spread) * bound, name


def _share_of_one_value(x):
    _, counts = np.unique(x, return_counts=True)
    return counts.max() / x.size


def test_alpha_dropout_keeps_mean_and_variance():
    x = dd.randn(200_000)
    out = nn.AlphaDropout(0.3)(x).numpy()
    assert abs(out.mean()) < 0.02 and abs(out.std() - 1) < 0.02
    assert 0.25 < _share_of_one_value(out) < 0.35
    assert np.array_equal(nn.AlphaDropout(0.3).eval()(x).numpy(), x.numpy())


def test_embedding_bag():
    text = "EmbeddingBag(10, 3, mode='{}', padding_idx=2)"
    for mode in ("sum", "mean", "max"):
        ours, theirs = made(text.format(mode), nn), made(text.format(mode), torch.nn)
        assert repr(ours) == repr(theirs) and not ours.weight.numpy()[2].any()
        ours.load_state_dict(theirs.state_dict())
        row, offsets = np.array([1, 2, 4, 5, 4, 3, 2]), np.array([0, 4, 6])
        got, want = ours(row, offsets), theirs(torch.tensor(row), torch.tensor(offsets))
        np.testing.assert_allclose(got.numpy(), want.detach().numpy(), rtol=1e-5, atol=1e-6)
        got.sum().backward()
        want.sum().backward()
        np.testing.assert_allclose(ours.weight.grad.numpy(), theirs.weight.grad.numpy(), atol=1e-5)


def test_embedding_shortens_and_counts():
    options = {"max_norm": 0.5, "scale_grad_by_freq": True}
    ours, theirs = nn.Embedding(6, 3, **options), torch.nn.Embedding(6, 3, **options)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    index = np.array([1, 1, 4, 1])
    scale = np.arange(12.0, dtype="float32").reshape(4, 3)
    (ours(index) * scale).sum().backward()
    (theirs(torch.tensor(index)) * torch.tensor(scale)).sum().backward()
    np.testing.assert_allclose(ours.weight.numpy(), theirs.weight.detach().numpy(), rtol=1e-5)
    np.testing.assert_allclose(ours.weight.grad.numpy(), theirs.weight.grad.numpy(), rtol=1e-5)
    table = np.random.randn(5, 2).astype("float32")
    layer = nn.Embedding.from_pretrained(dd.tensor(table))
    assert not layer.weight.requires_grad and np.array_equal(layer(np.arange(5)).numpy(), table)


def test_parameters_in_lists_and_by_name():
    class Net(nn.Module):
        def __init__(self):
            self.rows = nn.ParameterList([dd.zeros(2), dd.ones(3)])
            self.named = nn.ParameterDict({"a": dd.zeros(2), "b": nn.Parameter(dd.ones(1))})

    net = Net()
    assert [*net.state_dict()] == ["rows.0", "rows.1", "named.a", "named.b"]
    net.rows.append(dd.zeros(4))
    net.rows[0] = dd.ones(2)
    net.named["c"] = dd.ones(5)
    del net.named["a"]
    assert [tuple(p.shape) for p in net.rows] == [(2,), (3,), (4,)] and net.rows[-1].shape == (4,)
    assert net.rows[0].tolist() == [1, 1] and len(net.rows[1:]) == 2
    assert net.named.keys() == ["b", "c"] and "c" in net.named and len(net.named) == 2
    assert len([*net.parameters()]) == 5
    assert "(1): Parameter containing: [float32 of size 3]" in repr(net)
    for wrong in (lambda: net.rows[3], lambda: net.named["a"]):
        with pytest.raises((IndexError, KeyError)):
            wrong()
    with pytest.raises(ArgumentError, match="only parameters"):
        net.rows.append("no")


# --- sequences of different lengths ------------------------------------------------------------
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_packed_sequences(kind):
    options = {"num_layers": 2, "bidirectional": True}
    ours, theirs = getattr(nn, kind)(3, 4, **options), getattr(torch.nn, kind)(3, 4, **options)
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(6, 3, 3)).astype("float32")
    lengths = [4, 6, 1]
    pack, unpack = nn.utils.rnn.pack_padded_sequence, nn.utils.rnn.pad_packed_sequence
    pack_t = torch.nn.utils.rnn.pack_padded_sequence
    unpack_t = torch.nn.utils.rnn.pad_packed_sequence
    packed = pack(dd.tensor(x), lengths, enforce_sorted=False)
    packed_t = pack_t(torch.tensor(x), lengths, enforce_sorted=False)
    np.testing.assert_array_equal(packed.data.numpy(), packed_t.data.numpy())
    np.testing.assert_array_equal(packed.batch_sizes.numpy(), packed_t.batch_sizes.numpy())
    (out, state), (out_t, state_t) = ours(packed), theirs(packed_t)
    np.testing.assert_allclose(out.data.numpy(), out_t.data.detach().numpy(), atol=1e-6)
    for got, want in zip(flat(state), flat(state_t), strict=True):
        np.testing.assert_allclose(got.numpy(), want.detach().numpy(), atol=1e-6)
    (padded, sizes), (padded_t, _) = unpack(out), unpack_t(out_t)
    np.testing.assert_allclose(padded.numpy(), padded_t.detach().numpy(), atol=1e-6)
    assert sizes.tolist() == lengths
    out.data.sum().backward()
    out_t.data.sum().backward()
    for name, p in theirs.named_parameters():
        np.testing.assert_allclose(ours.params[name].grad.numpy(), p.grad.numpy(), atol=1e-5)


def test_padding_helpers():
    rnn, rnn_t = nn.utils.rnn, torch.nn.utils.rnn
    rows = [np.arange(n * 2.0).reshape(n, 2) for n in (2, 3, 1)]
    mine, torchs = [dd.tensor(r) for r in rows], [torch.tensor(r) for r in rows]
    for options in ({}, {"batch_first": True, "padding_value": -1.0}, {"padding_side": "left"}):
        got, want = rnn.pad_sequence(mine, **options), rnn_t.pad_sequence(torchs, **options)
        np.testing.assert_array_equal(got.numpy(), want.numpy())
    back = rnn.unpad_sequence(rnn.pad_sequence(mine), [2, 3, 1])
    assert all(np.array_equal(a.numpy(), b) for a, b in zip(back, rows, strict=True))
    packed = rnn.pack_sequence(mine, enforce_sorted=False)
    np.testing.assert_array_equal(packed.data, rnn_t.pack_sequence(torchs, False).data.numpy())
    longer, _ = rnn.pad_packed_sequence(packed, True, 7.0, total_length=5)
    want, _ = rnn_t.pad_packed_sequence(rnn_t.pack_sequence(torchs, False), True, 7.0, 5)
    np.testing.assert_array_equal(longer.numpy(), want.numpy())
    with pytest.raises(ArgumentError, match="not in descending order"):
        rnn.pack_sequence(mine)


@pytest.mark.parametrize("text", ["LSTM(3, 4)", "GRU(3, 4, bidirectional=True)", "RNN(3, 4, 2)"])
def test_recurrent_training_compiles(text):
    eager, compiled = made(text, nn), made(text, nn)
    compiled.load_state_dict(eager.state_dict())
    draw = np.random.default_rng(0)
    batches = [draw.normal(size=(5, 2, 3)).astype("float32") for _ in range(3)]
    results = []
    for model, wrap in ((eager, lambda f: f), (compiled, dd.compile)):
        optimizer = dd.optim.SGD(model.parameters(), lr=0.1)

        def step(x, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (model(x)[0] ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        step = wrap(step)
        results.append([step(dd.tensor(x)).item() for x in batches])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)
    assert results[0][0] != results[0][1]


@pytest.mark.parametrize("dropout, dialect", [(0.0, "numpy"), (0.2, "auto")])
def test_a_transformer_trains_compiled(dropout, dialect):
    results = []
    for wrap in (lambda f: f, dd.compile(dialect=dialect)):
        dd.manual_seed(0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout, "gelu", batch_first=True)
        model = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))
        optimizer = dd.optim.AdamW(model.parameters(), 1e-2)

        def step(x, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            out = model(x, is_causal=True)[..., :5]  # all 8 are of one length: no gradient
            loss = (out**2).sum(-1).sqrt().mean()
            loss.backward()
            optimizer.step()
            return loss

        step = wrap(step)
        x = dd.tensor(np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32"))
        results.append([step(x).item() for _ in range(4)])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4)


def test_sequence_layers_are_saved_and_loaded(tmp_path):
    class Last(nn.Module):
        def forward(self, x):
            return x[0]

    layer = nn.TransformerEncoderLayer(8, 2, 16)
    model = nn.Sequential(
        nn.TransformerEncoder(layer, 2, nn.LayerNorm(8)), nn.LSTM(8, 4, 2, proj_size=3), Last()
    )
    model.eval().save(tmp_path)
    again = nn.load_from_arc(tmp_path).eval()
    assert repr(again) == repr(model)
    x = dd.randn(5, 2, 8)
    assert np.array_equal(again(x).numpy(), model(x).numpy())


# --- attention and transformers with masks -----------------------------------------------------
def masks():
    """By name: the arguments of attention's forward, of 5 queries and 4 keys in 2 samples."""
    draw = np.random.default_rng(0)
    pairs = draw.random((5, 4)) < 0.4
    pairs[:, 0] = False
    padding = np.array([[False, False, True, True], [False] * 4])
    by_head = np.where(draw.random((4, 5, 4)) < 0.3, -1e4, 0.5).astype("float32")
    return {
        "pairs": {"attn_mask": pairs},
        "padding": {"key_padding_mask": padding},
        "both": {"attn_mask": pairs, "key_padding_mask": padding},
        "by head": {"attn_mask": by_head},
        "numbers": {"attn_mask": np.where(pairs, -np.inf, 0.3).astype("float32")},
    }


@pytest.mark.parametrize("kind", masks())
@pytest.mark.parametrize("options", ["", ", add_bias_kv=True, add_zero_attn=True"])
def test_attention_with_masks(kind, options):
    text = f"MultiheadAttention(8, 2, batch_first=True{options})"
    ours, theirs = made(text, nn), made(text, torch.nn)
    ours.load_state_dict(theirs.state_dict())
    given = masks()[kind]
    if kind == "both" and options:  # PyTorch adds its masks before it makes them longer
        given = {"key_padding_mask": given["key_padding_mask"]}
    tensors = {name: torch.tensor(mask) for name, mask in given.items()}
    draw = np.random.default_rng(1)
    shapes = [(2, 5, 8), (2, 4, 8), (2, 4, 8)]
    arrays = [draw.normal(size=shape).astype("float32") for shape in shapes]
    for more in ({}, {"average_attn_weights": False}, {"need_weights": False}):
        compare(
            _with(ours, {**given, **more}),
            _with(theirs, {**tensors, **more}),
            arrays,
        )


class _with:
    """A layer with some arguments given already."""

    def __init__(self, layer, options):
        self.layer, self.options = layer, options
        self.named_parameters = list

    def __call__(self, *inputs):
        return self.layer(*inputs, **self.options)


def test_transformer_with_masks():
    text = "Transformer(8, 2, 2, 1, 16, 0.0, batch_first=True)"
    ours, theirs = made(text, nn), made(text, torch.nn)
    ours.load_state_dict(theirs.state_dict())
    causal = nn.Transformer.generate_square_subsequent_mask(4)
    padding = np.array([[False, False, False, True, True], [False] * 5])
    given = {"tgt_mask": causal.numpy(), "src_key_padding_mask": padding}
    given |= {"memory_key_padding_mask": padding}
    draw = np.random.default_rng(1)
    src = draw.normal(size=(2, 5, 8)).astype("float32")
    tgt = draw.normal(size=(2, 4, 8)).astype("float32")
    tensors = {name: torch.tensor(mask) for name, mask in given.items()}
    tensors["src_key_padding_mask"] = torch.where(torch.tensor(padding), -torch.inf, 0.0)
    tensors["memory_key_padding_mask"] = tensors["src_key_padding_mask"]
    compare(_with(ours, given), _with(theirs, tensors), [src, tgt])
    same = ours(src, tgt, tgt_is_causal=True, src_key_padding_mask=padding)
    full = ours(src, tgt, tgt_mask=causal, src_key_padding_mask=padding)
    np.testing.assert_allclose(same.numpy(), full.numpy(), rtol=1e-5, atol=1e-6)


def test_what_attention_refuses():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    x = dd.zeros(2, 5, 8)
    with pytest.raises(ShapeError, match="attn_mask is"):
        layer(x, x, x, attn_mask=dd.zeros(5, 4))
    with pytest.raises(ShapeError, match="key is"):
        layer(x, dd.zeros(2, 5, 7), x)
    with pytest.raises(ArgumentError, match="num_heads divides"):
        nn.MultiheadAttention(8, 3)
    with pytest.raises(ArgumentError, match="unknown activation"):
        nn.TransformerEncoderLayer(8, 2, activation="geluu")


# --- losses ------------------------------------------------------------------------------------
LOSSES = [
    ("PoissonNLLLoss(full=True)", "counts"),
    ("PoissonNLLLoss(log_input=False, reduction='sum')", "counts"),
    ("GaussianNLLLoss(full=True)", "variance"),
    ("MarginRankingLoss(0.2)", "ranks"),
    ("HingeEmbeddingLoss(reduction='sum')", "signs"),
    ("SoftMarginLoss(reduction='none')", "signs"),
    ("CosineEmbeddingLoss(0.1)", "pairs"),
    ("MultiMarginLoss(p=2, margin=0.5)", "classes"),
    ("MultiLabelMarginLoss()", "labels"),
    ("MultiLabelSoftMarginLoss(reduction='none')", "flags"),
    ("TripletMarginLoss(swap=True)", "triplets"),
    ("TripletMarginWithDistanceLoss(margin=0.5)", "triplets"),
    ("CTCLoss(zero_infinity=True)", "alignments"),
    ("MSELoss(reduction='sum')", "regression"),
]


def inputs_of(kind):
    draw = np.random.default_rng(0)

    def numbers(*shape):
        return draw.normal(size=shape).astype("float32")

    signs = np.where(draw.random((6, 3)) < 0.5, 1, -1).astype("float32")
    x, y, positive = numbers(6, 3), numbers(6, 3), np.abs(numbers(6, 3)) + 0.1
    logs = np.log(draw.dirichlet(np.ones(5), (7, 2))).astype("float32")
    return {
        "regression": (x, y),
        "counts": (positive, np.floor(3 * positive)),
        "variance": (x, y, positive),
        "ranks": (x, y, signs),
        "signs": (x, signs),
        "pairs": (x, y, signs[:, 0]),
        "classes": (x, np.array([0, 1, 2, 2, 1, 0])),
        "labels": (x, np.array([[2, -1, 0], [0, 1, -1]] * 3)),
        "flags": (x, (signs + 1) / 2),
        "triplets": (x, y, numbers(6, 3)),
        "alignments": (logs, np.array([[1, 2], [3, 3]]), np.array([7, 5]), np.array([2, 2])),
    }[kind]


@pytest.mark.parametrize(("text", "kind"), LOSSES, ids=[text for text, _ in LOSSES])
def test_loss_is_pytorchs(text, kind):
    ours, theirs = made(text, nn), made(text, torch.nn)
    assert repr(ours) == repr(theirs)
    arrays = inputs_of(kind)
    got, want = ours(*arrays), theirs(*map(torch.tensor, arrays))
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-4)
    assert repr(from_arc(to_arc(ours))) == repr(ours)


def test_no_module_of_pytorch_is_missing_here():
    """Those of this room: spatial layers and lazy ones are others' business."""
    spatial = ("Pool", "Pad", "Conv", "Upsampl", "Shuffle", "Fold", "Unpool", "Lazy", "Parallel")
    absent = {"LocalResponseNorm", "CrossMapLRN2d", "SyncBatchNorm"}
    absent |= {"Container", "NLLLoss2d", "UninitializedParameter", "UninitializedBuffer"}
    absent |= {"ChannelShuffle", "Buffer", "RNNCellBase", "RNNBase", "Unfold"}
    absent |= {"LinearCrossEntropyLoss", "LinearCrossEntropyOptions", "PixelUnshuffle"}
    wanted = [name for name in vars(torch.nn) if name[:1].isupper()]
    wanted = [n for n in wanted if not any(word in n for word in spatial) and n not in absent]
    missing = [name for name in wanted if not hasattr(nn, name)]
    assert not missing
