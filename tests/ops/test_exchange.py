"""DLPack, both ways, with NumPy and PyTorch on the other side: the memory is one."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive.errors import DeviceError, DTypeError, ExchangeError
from deepdive.utils.dlpack import from_dlpack, to_dlpack

KINDS = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_every_kind_of_numbers_in_every_shape(kind, shape):
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(kind)
    ours = dd.tensor(values)
    for theirs in (np.from_dlpack(ours), torch.from_dlpack(ours)):
        assert tuple(theirs.shape) == shape
        assert str(theirs.dtype).removeprefix("torch.") == kind
        np.testing.assert_array_equal(np.asarray(theirs), values)
        back = dd.from_dlpack(theirs)
        assert (back.dtype, back.shape, back.device) == (values.dtype, shape, "cpu")
        np.testing.assert_array_equal(back.numpy(), values)
        assert not back.requires_grad


@pytest.mark.parametrize("library", [np, torch])
def test_written_there_and_seen_here(library):
    ours = dd.zeros(2, 3)
    theirs = library.from_dlpack(ours)
    theirs[1, 2] = 7
    assert ours.tolist() == [[0, 0, 0], [0, 0, 7]]
    ours.fill_(2.0)
    assert theirs[0, 0] == 2


def test_written_here_and_seen_there():
    for theirs in (torch.zeros(2, 3), np.zeros((2, 3), np.float32)):
        ours = dd.from_dlpack(theirs)
        ours[0, 1] = 5.0
        assert float(theirs[0, 1]) == 5
        theirs[1, 0] = -1
        assert ours[1, 0].item() == -1


@pytest.mark.parametrize("library", [np, torch])
def test_views_with_steps_and_turned_axes(library):
    whole = dd.arange(24).reshape(4, 6)
    view = whole.t()[1:4, ::2]
    theirs = library.from_dlpack(view)
    assert theirs.tolist() == view.tolist()
    theirs[0, 0] = 100
    assert whole[0, 1].item() == 100
    back = dd.from_dlpack(theirs)
    back[1, 1] = 200
    assert whole[2, 2].item() == 200


def test_native_arrays_share_their_buffer():
    ours = dd.tensor([[1.0, 2.0]], device="native")
    assert ours.__dlpack_device__() == (1, 0)
    for library in (np, torch):
        ours.fill_(1.0)
        library.from_dlpack(ours)[0, 1] = 7
        assert ours.tolist() == [[1, 7]]
    moved = dd.from_dlpack(np.ones(2), device="native")
    assert moved.device == "native"
    assert moved.tolist() == [1, 1]
    with pytest.raises(ExchangeError, match="other memory"):
        dd.from_dlpack(np.ones(2), device="native", copy=False)


@pytest.mark.parametrize("tracked", [lambda x: x, lambda x: x * 2], ids=["leaf", "computed"])
@pytest.mark.parametrize("take", [np.from_dlpack, torch.from_dlpack, dd.from_dlpack, to_dlpack])
def test_tracked_tensors_refuse_and_name_the_fix(tracked, take):
    x = tracked(dd.ones(2, requires_grad=True))
    with pytest.raises(BufferError, match="detach"):
        take(x)
    assert np.from_dlpack(x.detach()).base is not None


def test_memory_only_to_be_read():
    values = np.arange(3.0)
    values.flags.writeable = False
    ours = dd.from_dlpack(values)
    assert not ours.numpy().flags.writeable
    assert not np.from_dlpack(ours).flags.writeable  # said by newer capsules
    with pytest.raises(ExchangeError, match=r"(?s)read-?only.*clone"):
        ours.__dlpack__()  # which older ones cannot say
    own = dd.from_dlpack(values, copy=True)
    own[0] = 9.0
    assert values[0] == 0
    assert np.from_dlpack(dd.tensor([1.0]).expand(3)).tolist() == [1, 1, 1]


def test_copy_and_device():
    values = np.zeros(2)
    assert dd.from_dlpack(values, device="cpu", copy=False).numpy().base is not None
    dd.from_dlpack(values, copy=True).fill_(1.0)
    np.from_dlpack(dd.from_dlpack(values), copy=True)[0] = 3
    assert values.tolist() == [0, 0]
    ours = dd.zeros(2)
    again = dd.from_dlpack(ours)
    again[0] = 4.0
    assert ours[0].item() == 4


def test_capsules_are_taken_once():
    ours = dd.zeros(2)
    torch.from_dlpack(to_dlpack(ours))[0] = 3
    assert ours[0].item() == 3
    capsule = torch.utils.dlpack.to_dlpack(torch.arange(3))
    assert from_dlpack(capsule).tolist() == [0, 1, 2]
    with pytest.raises(ExchangeError):
        from_dlpack(capsule)
    assert dd.utils.dlpack.from_dlpack is dd.from_dlpack


def test_the_memory_lives_as_long_as_anybody_holds_it():
    theirs = np.from_dlpack(dd.full((1000,), 3.0))
    ours = dd.from_dlpack(torch.full((1000,), 4.0))
    dd.zeros(1000), torch.zeros(1000)
    assert theirs.sum() == 3000
    assert ours.sum().item() == 4000


class Elsewhere:
    def __init__(self, kind):
        self.kind = kind

    def __dlpack_device__(self):
        return (self.kind, 0)

    def __dlpack__(self, **options):
        raise AssertionError("not asked for")


def test_what_cannot_be_taken_is_explained():
    for thing in ([1, 2], 3, None):
        with pytest.raises(ExchangeError, match="cannot be shared"):
            dd.from_dlpack(thing)
    with pytest.raises(ExchangeError, match="bfloat16 with"):
        dd.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(DTypeError, match="kind of numbers"):
        dd.from_dlpack(np.ones(2, complex))
    with pytest.raises(ExchangeError, match="device type 8"):
        dd.from_dlpack(Elsewhere(8))  # Metal
    with pytest.raises((ExchangeError, RuntimeError, BufferError), match="grad"):
        dd.from_dlpack(torch.ones(2, requires_grad=True))
    if not dd.CUPY_AVAILABLE:
        with pytest.raises(DeviceError, match="CUDA"):
            dd.from_dlpack(Elsewhere(2))
    with pytest.raises(BufferError):
        dd.ones(2).__dlpack__(dl_device=(2, 0))


def test_recorded_values_are_computed_when_they_are_handed_out():
    with dd.lazy():
        x = dd.ones(3) + 1
        assert np.from_dlpack(x).tolist() == [2, 2, 2]
