"""Level 6, export: a model as an ONNX file, which other runtimes read (needs ``[onnx]``).

The model is recorded as the compiler records it, word by word; what depends on weights alone is
computed now, and each word that is left has its ONNX operators in :mod:`deepdive.onnx.words`.
"""

from deepdive.onnx.exporting import export

__all__ = ["export"]
