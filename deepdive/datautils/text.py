"""Text as data: an alphabet of characters, windows of a long text, the lines of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from deepdive.datautils.dataset import Dataset
from deepdive.errors import ArgumentError, DataError
from deepdive.host import np
from deepdive.io.files import read_text

MAX_TEXT = 1_000_000_000  # bytes: a longer file is read in parts, by a data set of one's own


class Vocabulary:
    """Characters ↔ numbers: character `i` of the sorted alphabet is number `i`.

    Args:
        text: whose characters make the alphabet; any iterable of strings.

    Raises:
        ArgumentError: for a text without characters.

    >>> letters = Vocabulary("hello")
    >>> letters.encode("hole").tolist(), letters.decode([1, 0, 2, 3])
    ([1, 3, 2, 0], 'helo')
    """

    def __init__(self, text: str | Iterable[str]) -> None:
        self.characters = "".join(sorted(set("".join(text))))
        if not self.characters:
            raise ArgumentError("Vocabulary: the text has no characters")
        self._codes = _code_points(self.characters)  # (V,), sorted

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Any:
        """Text of N characters → int64 (N,).

        Raises:
            DataError: for a character that is not in the alphabet.
        """
        codes = _code_points(text)
        numbers = np.searchsorted(self._codes, codes)
        unknown = self._codes[np.minimum(numbers, len(self) - 1)] != codes
        if unknown.any():
            place = int(unknown.argmax())
            raise DataError(
                f"Vocabulary: character {text[place]!r} at {place} is not in the alphabet",
                expected=f"one of {self.characters!r}",
            )
        return numbers.astype(np.int64)

    def decode(self, numbers: Any) -> str:
        """Whole numbers (N,) → text of N characters."""
        return "".join(self.characters[int(number)] for number in numbers)

    def __repr__(self) -> str:
        return f"Vocabulary({self.characters!r})"


def _code_points(text: str) -> Any:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


class CharDataset(Dataset):
    """Windows of a text: sample `i` is ``(text[i : i+T], text[i+1 : i+T+1])`` as numbers.

    So at each place the label is the next character.  int64 (T,) both.

    Args:
        text: the text, or numbers (N,) made of it before.
        context: T, the characters of a window.
        vocabulary: the alphabet; by default that of `text`.
        stride: how far apart windows begin; `context` makes them touch without overlap.

    Raises:
        ArgumentError: for a text too short for one window.

    >>> data = CharDataset("hello", context=3)
    >>> x, y = data[1]
    >>> data.vocabulary.decode(x), data.vocabulary.decode(y), len(data)
    ('ell', 'llo', 2)
    """

    def __init__(
        self,
        text: Any,
        context: int,
        vocabulary: Vocabulary | None = None,
        stride: int = 1,
    ) -> None:
        if isinstance(text, str):
            vocabulary = vocabulary or Vocabulary(text)
            text = vocabulary.encode(text)
        self.numbers = np.asarray(text)
        if context < 1 or stride < 1 or len(self.numbers) <= context:
            raise ArgumentError(
                "CharDataset: a window is `context` characters and the one that follows",
                got=f"context={context}, stride={stride}, {len(self.numbers)} characters",
                expected="context and stride of at least 1, and a longer text",
            )
        self.context, self.stride = context, stride
        self.vocabulary = vocabulary

    def __len__(self) -> int:
        return (len(self.numbers) - self.context - 1) // self.stride + 1

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        x, y = self.__getitems__([index % len(self)])
        return x[0], y[0]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        begin = np.asarray(indices, np.int64)[:, None] * self.stride
        windows = self.numbers[begin + np.arange(self.context + 1)]  # (B, T+1)
        return windows[:, :-1], windows[:, 1:]

    def __repr__(self) -> str:
        return f"CharDataset({len(self.numbers)} characters, context={self.context})"


class TextLines(Dataset):
    """The lines of a UTF-8 file, without their ends; empty ones are left out.

    Args:
        source: the file's path, or the lines themselves.
        transform: applied to a line when it is fetched.

    Raises:
        DataError: for a file that is missing or is not UTF-8.

    >>> lines = TextLines(["emma", "", "olivia"], transform=str.upper)
    >>> lines[1], len(lines)
    ('OLIVIA', 2)
    """

    def __init__(self, source: Any, transform: Callable[[str], Any] | None = None) -> None:
        given = isinstance(source, (list, tuple))
        found = source if given else read_text(source, MAX_TEXT, DataError).splitlines()
        self.lines = [line for line in found if line]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> Any:
        line = self.lines[index]
        return line if self.transform is None else self.transform(line)

    def __repr__(self) -> str:
        return f"TextLines({len(self)} lines)"
