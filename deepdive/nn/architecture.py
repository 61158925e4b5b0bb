"""Layers as text and back: the lines of ``model.arc`` (:mod:`deepdive.io.arc` has the format).

A layer is written as its class and the arguments it was made with.  What its constructor makes
by itself needs no line; layers that were handed to it do, below its own.  Reading makes only
classes this process knows already: a file can name a layer, it cannot import or run anything.
"""

from __future__ import annotations

from typing import Any

from deepdive.errors import ArgumentError, CheckpointError, DeepDiveError, did_you_mean
from deepdive.io.arc import Line, parse, render
from deepdive.utils.budget import spend

LAYERS: dict[str, type] = {}  # the names that may stand in an arc file
OWN = "deepdive.nn."

FIX = "pass numbers or strings, or save(..., save_arc=False) and build the model before load()"


# What a layer was made with


class Unwritable:
    """Stands in a recipe for an argument that text cannot hold, without keeping it alive."""

    def __init__(self, value: Any) -> None:
        self.kind = type(value).__name__


class Recipe:
    """The arguments a layer was made with."""

    __slots__ = ("args", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        spend(0)
        self.args = tuple(map(_remembered, args))
        self.kwargs = {name: _remembered(value) for name, value in kwargs.items()}


def _remembered(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)) or is_layer(value):
        return value
    if type(value) in (tuple, list):
        return type(value)(map(_remembered, value))
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()  # one of NumPy's numbers
    return Unwritable(value)


def is_layer(value: Any) -> bool:
    """Whether `value` is a module (this file is below them and cannot ask for the class)."""
    return isinstance(getattr(value, "_recipe", None), Recipe)


# Which class a name means


def know(cls: type) -> None:
    """Enter a class under its own name; the library's own layers are never replaced."""
    if "original_class" in vars(cls):  # made for one parametrised module
        return
    held = LAYERS.get(cls.__name__)
    if held is None or not held.__module__.startswith(OWN):
        LAYERS[cls.__name__] = cls


def register_layer(*args: Any) -> Any:
    """Choose the name a layer has in ``model.arc``: ``@register_layer("Block")``.

    Every subclass of Module is known under its class name already; this is for a second class of
    the same name, and for the look of it.  ``@register_layer`` and ``register_layer(name, cls)``
    do, too.

    Raises:
        ArgumentError: if the library has a layer of that name.
    """
    if len(args) == 1 and isinstance(args[0], str):
        return lambda cls: register_layer(args[0], cls)
    cls = args[-1]
    name = args[0] if len(args) == 2 else cls.__name__
    held = LAYERS.get(name)
    if held is not None and held is not cls and held.__module__.startswith(OWN):
        raise ArgumentError(
            f"register_layer: the library itself has a layer {name!r}",
            fix=f"choose another name, e.g. @nn.register_layer('My{name}')",
        )
    cls.arc_name = name
    LAYERS[name] = cls
    return cls


def _name_of(module: Any) -> str:
    cls = type(module)
    if "original_class" in vars(cls):
        raise CheckpointError(
            f"save: a parameter of {cls.original_class.__name__} is computed from others, "
            "and model.arc cannot say so",
            got=", ".join(cls.computed),
            fix="nn.utils.parametrize.remove_parametrizations(…), or save_arc=False",
        )
    name: str = cls.__dict__.get("arc_name", cls.__name__)
    held = LAYERS.get(name)
    if held is None or (held.__module__, held.__qualname__) != (cls.__module__, cls.__qualname__):
        raise CheckpointError(
            f"save: two layers are called {name!r}, so a file could not tell them apart",
            got=f"{cls.__module__}.{cls.__qualname__}",
            fix=f"give yours a name: @nn.register_layer('My{name}')",
        )
    return name


def _class_of(line: Line) -> Any:
    if line.name in LAYERS:
        return LAYERS[line.name]
    near = did_you_mean(line.name, LAYERS)
    fix = "import the module that defines the class first; files never import anything"
    raise CheckpointError(
        f"model.arc: no layer {line.name[:100]!r} is known", fix=f"{near} Or {fix}" if near else fix
    )


# From module to text


def to_arc(module: Any) -> str:
    """The text of ``model.arc`` for a module.

    Raises:
        CheckpointError: an argument that text cannot hold (which, of which layer), or a
            parameter that two layers share, since rebuilt layers would not.
    """
    return render(_line(module, None, {}))


def _line(module: Any, label: str | None, seen: dict[int, str]) -> Line:
    name = _name_of(module)
    line = Line(name, label=label)
    if module.children_are_arguments:
        for i, (key, child) in enumerate(module.own_modules()):
            line.children.append(_line(child, None if key == str(i) else key, seen))
        return line
    _check_unshared(module, name, seen)
    for place, value in [*enumerate(module._recipe.args), *module._recipe.kwargs.items()]:
        if is_layer(value):
            plain = place == len(line.children)
            line.children.append(_line(value, None if plain else str(place), seen))
            continue
        if not _writable(value):
            raise CheckpointError(
                f"save: {name} was made with something that model.arc cannot hold",
                got=f"argument {place if isinstance(place, str) else place + 1}: {_kind(value)}",
                fix=FIX,
            )
        if isinstance(place, str):
            line.kwargs[place] = value
        else:
            line.args += (value,)
    return line


def _writable(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_writable, value))
    return not isinstance(value, Unwritable) and not is_layer(value)


def _kind(value: Any) -> str:
    return value.kind if isinstance(value, Unwritable) else f"a {type(value).__name__} of layers"


def _check_unshared(module: Any, name: str, seen: dict[int, str]) -> None:
    given = (*module._recipe.args, *module._recipe.kwargs.values())
    below = {id(p) for layer in given if is_layer(layer) for p in layer.parameters()}
    for path, parameter in module.named_parameters():
        if id(parameter) in seen:
            raise CheckpointError(
                f"save: {name}.{path} is shared with {seen[id(parameter)]}, "
                "and model.arc cannot say so",
                fix="share inside the constructor of one class of your own, or save_arc=False",
            )
        if id(parameter) not in below:
            seen[id(parameter)] = f"{name}.{path}"


# From text to module


def from_arc(text: str) -> Any:
    """The module that the text of a ``model.arc`` describes; several lines make a Sequential.

    Raises:
        CheckpointError: an unknown layer, arguments it does not take, or a text that is no arc.
    """
    lines = parse(text)
    if not lines:
        raise CheckpointError("model.arc: there is no layer in it", fix="save the model again")
    return _build(lines[0] if len(lines) == 1 else Line("Sequential", children=lines))


def _build(line: Line) -> Any:
    cls = _class_of(line)
    children = [(child.label, _build(child)) for child in line.children]
    try:
        if cls.children_are_arguments:
            return cls.from_children(children, *line.args, **line.kwargs)
        args, kwargs = _arguments(line, children)
        return cls(*args, **kwargs)
    except CheckpointError:
        raise
    except Exception as error:
        own = Line(line.name, line.args, line.kwargs)
        what = error.what if isinstance(error, DeepDiveError) else error
        shown = f"{own!r}"[:200], f"{what}"[:500]
        raise CheckpointError("model.arc: {} cannot be made: {}".format(*shown)) from error


def _arguments(line: Line, children: list[tuple[str | None, Any]]) -> Any:
    """Layers at the places their labels say, the other arguments around them."""
    kwargs = dict(line.kwargs)
    places: dict[int, Any] = {}
    for i, (label, child) in enumerate(children):
        if label is None or label.isdecimal():
            places[i if label is None else int(label)] = child
        else:
            kwargs[label] = child
    others = iter(line.args)
    count = len(line.args) + len(places)
    args = [places[i] if i in places else next(others, None) for i in range(count)]
    return args, kwargs
