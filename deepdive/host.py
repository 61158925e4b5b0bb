"""The arrays of the host: NumPy where it is installed, else the native array under the same names.

Files, data sets and random numbers need arrays before any device is named.  They say
``from deepdive.host import np`` and keep to the words of the Python array API standard
(https://data-apis.org/array-api/latest), which NumPy's main namespace follows since version 2, and
which ``backend/native/standard.py`` follows too.  Without NumPy the namespace is empty here but for
dtypes; the native room fills it when it is imported.
"""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from deepdive.errors import MissingExtraError

__all__ = ["NUMPY", "DType", "import_late", "missing_numpy", "np", "promote_types"]

BITS = {"b": (8,), "u": (8, 16, 32, 64), "i": (8, 16, 32, 64), "f": (16, 32, 64)}
WORDS = {"b": "bool", "u": "uint", "i": "int", "f": "float"}


class DType:
    """A dtype where NumPy's are not there: as much of ``numpy.dtype`` as the library asks for.

    There is one object for each type; it equals its name too.

    >>> DType("<f4"), DType("float32") is DType("f4"), DType("float32") == "float32"
    (dtype('float32'), True, True)
    """

    __slots__ = ("itemsize", "kind", "name")

    known: dict[Any, DType] = {}
    name: str
    kind: str  # b, u, i or f
    itemsize: int

    def __new__(cls, spec: Any) -> DType:
        key = getattr(spec, "name", spec)
        found = spec if isinstance(spec, DType) else cls.known.get(key)
        if found is None:
            raise TypeError(f"data type {spec!r} not understood")
        return found

    @classmethod
    def make(cls, kind: str, bits: int) -> None:
        """The object for a type, entered under all its names."""
        self = object.__new__(cls)
        self.kind, self.itemsize = kind, bits // 8
        self.name = WORDS[kind] + ("" if kind == "b" else str(bits))
        code = f"{kind}{bits // 8}"
        cls.known.update(dict.fromkeys((self.name, code, f"<{code}", f"={code}"), self))

    def __eq__(self, other: object) -> bool:
        try:
            return DType(other) is self
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"dtype('{self.name}')"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        return (DType, (self.name,))


for _kind, _widths in BITS.items():
    for _bits in _widths:
        DType.make(_kind, _bits)
DType.known.update({"?": DType("bool"), bool: DType("bool")})
DType.known.update({int: DType("int64"), float: DType("float64")})


def promote_types(a: DType, b: DType) -> DType:
    """The type that holds all whole numbers of both; floats stay as wide as they are.

    >>> promote_types(DType("uint8"), DType("int8")), promote_types(DType("int8"), DType("bool"))
    (dtype('int16'), dtype('int8'))
    """
    low, high = sorted((a, b), key=lambda dtype: ("buif".index(dtype.kind), dtype.itemsize))
    if low.kind == high.kind or low.kind == "b" or high.kind == "f":
        return high
    size = max(high.itemsize, 2 * low.itemsize)
    return DType(f"i{size}") if size <= 8 else DType("float64")


class Nothing:
    """What no object is an instance of: NumPy's scalars, where there are none."""


if TYPE_CHECKING:
    import numpy as np

    NUMPY = True
else:
    try:
        import numpy as np

        NUMPY = True
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise  # NumPy is there, and broken: its own words say how
        NUMPY = False
        np = SimpleNamespace(dtype=DType, generic=Nothing, floating=Nothing)
        np.promote_types = promote_types


def missing_numpy(what: str) -> MissingExtraError:
    """The error for what only NumPy can do."""
    return MissingExtraError(f"{what} needs the package 'numpy'", fix="pip install numpy")


def import_late(module: str) -> Any:
    """A module of the library, imported now.

    Raises:
        MissingExtraError: for one that needs NumPy, where it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise missing_numpy(module) from None
