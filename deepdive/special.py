"""Special functions under the names of ``torch.special`` (``deepdive.special``).

>>> import deepdive as dd
>>> dd.special.expit(dd.tensor([0.0]))
tensor([0.5000])
"""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import REGISTRY

# name here → name in the registry, where they differ
RENAMED = {"expit": "sigmoid", "gammaln": "lgamma", "multigammaln": "mvlgamma", "psi": "digamma"}
SAME = """
    digamma entr erf erfc erfcx erfinv exp2 expm1 i0 i0e i1 i1e log1p log_ndtr log_softmax logit
    logsumexp ndtr ndtri polygamma round sinc softmax xlog1py xlogy
"""
NAMES = {**RENAMED, **{name: name for name in SAME.split()}}


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module 'deepdive.special' has no attribute {name!r}")
    return REGISTRY[NAMES[name]]


def __dir__() -> list[str]:
    return sorted(NAMES)
