"""The words that take more than one ONNX operator: name → the function that writes it."""

from __future__ import annotations

from collections.abc import Callable

Special = Callable[..., str]
SPECIAL: dict[str, Special] = {}


def said(*names: str) -> Callable[[Special], Special]:
    """Enter a function for some words."""

    def enter(function: Special) -> Special:
        SPECIAL.update(dict.fromkeys(names, function))
        return function

    return enter
