"""Saying words to a batch: the speaker of Batched arrays, and where its rules are entered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.backend.vocabulary import VOCABULARY
from deepdive.core.tensor import Tensor, data_of
from deepdive.core.transforms.batched import Batched, Frame, definition
from deepdive.errors import GraphError, did_you_mean

Rule = Callable[..., Any]  # rule(vmap, word, *arguments) → the array of all samples

BY_WORD: dict[str, Rule] = {}  # word → how it is said to a batch
BY_SHAPE_RULE: dict[Any, Rule] = {}  # the same for all words with one shape rule
OF_SHARED: dict[str, Rule] = {}  # words that mind the vmap though no operand is batched


# --- saying a word -------------------------------------------------------------------------------
def say(name: str, *args: Any, **kwargs: Any) -> Any:
    """One word, said to all samples."""
    word = VOCABULARY[name]
    given = {key: _opened(item) for key, item in word.bind(args, kwargs).items()}
    frames = list(_frames(given.values()))
    if not frames:
        return _said_to_what_is_shared(name, given)
    lane = frames[0]
    for frame in frames[1:]:
        lane = frame if frame.deeper_than(lane) else lane
    rule = BY_WORD.get(name) or BY_SHAPE_RULE.get(word.shape_rule)
    if rule is None:
        found = definition(name)
        if found is not None:
            return found(speaker, *given.values())
        rule = one_by_one
    return _closed(rule(lane, name, *given.values()), lane)


def _said_to_what_is_shared(name: str, given: dict[str, Any]) -> Any:
    frame = config.tracing.get()
    lane = frame if isinstance(frame, Frame) else Frame(1, "same")
    rule = OF_SHARED.get(name)
    if rule is not None:
        return rule(lane, name, *given.values())
    return _closed(said(lane, name, given), None)


def said(lane: Frame, name: str, given: dict[str, Any]) -> Any:
    """The word with its axis and what follows by keyword: Tensors mean something else by
    ``max(x, 1)``.
    """
    keys = list(given)
    count = keys.index("axis") if "axis" in given else len(keys)
    positional = [given[key] for key in keys[:count]]
    return lane.call(name, *positional, **{key: given[key] for key in keys[count:]})


def _opened(item: Any) -> Any:
    """An argument without the boxes around what all samples share."""
    if type(item) is Batched:
        return item.array if item.frame is None else item
    if isinstance(item, (tuple, list)):
        return type(item)(_opened(part) for part in item)
    return item


def _closed(out: Any, frame: Frame | None) -> Any:
    if isinstance(out, tuple):
        return tuple(Batched(each, frame) for each in out)
    return out if type(out) is Batched and out.frame is frame else Batched(out, frame)


def _frames(items: Any) -> Iterator[Frame]:
    for item in items:
        if type(item) is Batched:
            yield item.frame  # type: ignore[misc]
        elif isinstance(item, (tuple, list)):
            yield from _frames(item)


def one_by_one(lane: Frame, name: str, *args: Any) -> Any:
    """A word without a rule: said to one sample after the other."""
    given = VOCABULARY[name].bind(args, {})
    outs = []
    for i in range(lane.size):
        sample = {key: _sample(lane, item, i) for key, item in given.items()}
        outs.append(said(lane, name, sample))
    if outs and isinstance(outs[0], tuple):
        return tuple(lane.call("stack", list(parts)) for parts in zip(*outs, strict=True))
    return lane.call("stack", outs)


def _sample(lane: Frame, item: Any, i: int) -> Any:
    if lane.over(item):
        return lane.call("getitem", item.array, i)
    if isinstance(item, (tuple, list)):
        return type(item)(_sample(lane, part, i) for part in item)
    return item


# --- the speaker ---------------------------------------------------------------------------------
class BatchSpeaker:
    """The speaker of Batched arrays: every word of the vocabulary, said to all samples."""

    ARRAY_TYPE = Batched

    @property
    def DEVICE(self) -> str:
        return config.defaults.device

    def __getattr__(self, name: str) -> Any:
        if name not in VOCABULARY:
            near = did_you_mean(name, VOCABULARY)
            raise AttributeError(
                f"no word {name!r} in the vocabulary" + (f": {near}" if near else "")
            )
        word = partial(say, name)
        setattr(self, name, word)
        return word

    def asarray(self, x: Any, dtype: Any = None) -> Batched:
        """`x` as a Batched array; what is none yet is shared by all samples."""
        if type(x) is not Batched:
            return say("asarray", x, dtype)  # type: ignore[no-any-return]
        return x if dtype is None or x.dtype == dtype else say("astype", x, dtype)

    as_zero_d = asarray

    def adopt(self, tensor: Tensor) -> Any:
        """The array of a Tensor, as the vmap at work sees it."""
        frame = config.tracing.get()
        if isinstance(frame, Frame):
            return frame.adopt(tensor)
        array = data_of(tensor)
        return array if type(array) is Batched else Batched(array, None, lent=True)

    def write(self, target: Batched, values: Any) -> None:
        """From now on `target` is `values`; what was made inside may become each sample's own.

        Raises:
            GraphError: if every sample would write into memory that all share.
        """
        values = self.asarray(values)
        values = say("broadcast_to", say("astype", values, target.dtype), target.shape)
        if target.lent and values.frame is None:
            held = target.array
            speakers.BY_TYPE[type(held)].write(held, values.array)
        elif target.frame is None and not target.lent:
            target.array, target.frame = values.array, values.frame
        elif target.frame is None or _is_inside(values.frame, target.frame):
            raise GraphError(
                "vmap: every sample would write into an array that all share",
                got=f"an array of shape {target.shape}",
                fix="compute a new tensor, or write into one that was made inside",
            )
        else:
            target.array = target.frame.spread(_opened(values))

    def owner(self, x: Batched) -> Any:
        if x.frame is not None:
            return x
        return speakers.BY_TYPE[type(x.array)].owner(x.array)

    def to_numpy(self, x: Batched) -> Any:
        held = x._one()
        return speakers.BY_TYPE[type(held)].to_numpy(held)

    def readable(self, x: Batched) -> Any:
        held = x._one()
        return speakers.BY_TYPE[type(held)].readable(held)

    def printed(self, x: Batched) -> Any:
        """The numbers of all samples, to be printed."""
        if type(x.array) is Batched:
            return self.printed(x.array)
        return speakers.BY_TYPE[type(x.array)].readable(x.array)

    def parents(self, nodes: Any) -> Any:
        """The nodes a Tensor's operators have as parents, as the vmap at work sees them."""
        frame = config.tracing.get()
        return frame.parents(nodes) if isinstance(frame, Frame) else nodes

    def targets(self, nodes: list[Any], roots: list[Any]) -> list[Any]:
        """The nodes to differentiate by, as a walk from `roots` meets them."""
        frame = config.tracing.get()
        inside = isinstance(frame, Frame) and any(root.index >= frame.start for root in roots)
        return frame.parents(nodes) if inside else nodes

    def expose(self, x: Batched) -> Any:
        held = x._one()
        return speakers.BY_TYPE[type(held)].expose(held)


speaker = BatchSpeaker()
speakers.BY_TYPE[Batched] = speaker


def _is_inside(one: Frame | None, other: Frame) -> bool:
    return one is not None and one is not other and one.deeper_than(other)


def says(*names: str) -> Callable[[Rule], Rule]:
    """Enter the rule of some words."""

    def enter(rule: Rule) -> Rule:
        BY_WORD.update(dict.fromkeys(names, rule))
        return rule

    return enter


def says_all(*shape_rules: Any) -> Callable[[Rule], Rule]:
    """Enter the rule of all words whose results have a shape by these rules."""

    def enter(rule: Rule) -> Rule:
        BY_SHAPE_RULE.update(dict.fromkeys(shape_rules, rule))
        return rule

    return enter


# --- Python's operators --------------------------------------------------------------------------
PAIRS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
SINGLE = {"neg": "negative", "abs": "abs", "invert": "bitwise_invert"}


def _method(name: str, function: Any) -> None:
    setattr(Batched, name, function)


def _reflected(name: str) -> Any:
    return lambda array, other: say(name, other, array)


def _said(name: str) -> Any:
    return lambda array, *others: say(name, array, *others)


def _transposed(array: Batched) -> Any:
    return say("permute_dims", array, tuple(range(array.ndim))[::-1])


def _reshaped(array: Batched, *shape: Any) -> Any:
    return say("reshape", array, shape[0] if isinstance(shape[0], tuple) else shape)


def _set(array: Batched, index: Any, values: Any) -> None:
    speaker.write(array, say("setitem", array, index, values))


for _name, _word in PAIRS.items():
    _method(f"__{_name}__", _said(_word))
    _method(f"__r{_name}__", _reflected(_word))
for _name, _word in {**COMPARISONS, **SINGLE, "getitem": "getitem"}.items():
    _method(f"__{_name}__", _said(_word))
_method("__setitem__", _set)
_method("T", property(_transposed))
_method("reshape", _reshaped)
_method("copy", _said("copy"))
_method("astype", lambda array, dtype, copy=True: say("astype", array, dtype))
