"""``from_dlpack`` and ``to_dlpack`` where PyTorch's users look for them."""

from deepdive.ops.exchange import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
