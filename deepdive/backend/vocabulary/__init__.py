"""The vocabulary: which words a speaker knows, what they mean, and what their results look like.

``VOCABULARY`` is the list (:mod:`.words`), ``Spec`` and ``SpecSpeaker`` run its rules without
computing, and ``explain`` puts a speaker's refusal into words (:mod:`.spec`).
"""

from deepdive.backend.vocabulary.spec import Spec, SpecSpeaker, explain, speaker, spec_of
from deepdive.backend.vocabulary.word import Word
from deepdive.backend.vocabulary.words import VOCABULARY

__all__ = [
    "VOCABULARY",
    "Spec",
    "SpecSpeaker",
    "Word",
    "explain",
    "speaker",
    "spec_of",
]
