"""Write the stubs that show editors and type checkers what registration hides.

    python tools/make_stub.py           write them
    python tools/make_stub.py --check   exit code 1 when a committed one is stale

Two files are made from the imported library, sorted by name, so that a change is a readable diff:

- ``deepdive/core/registered.pyi``: class ``Registered``, a base of Tensor for type checkers alone,
  with every method that operators and the engine attach to Tensor;
- ``deepdive/__init__.pyi``: the names of the package, its operators as functions.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

from report import ROOT, Violation, report

HEAD = '''"""{title}

Made by ``make stubs`` (tools/make_stub.py); do not edit.
"""

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

{imports}
Operand = Any  # a Tensor, an array, a number or nested lists of numbers
'''
# Parameter names that have NumPy's word as an alias.
ALIASES = {"dim": "axis", "keepdim": "keepdims"}
BUILTINS = {"bool", "dict", "float", "int", "list", "object", "str", "tuple", "type"}
PLAIN_NAMES = BUILTINS | {"Any", "Callable", "Iterator", "Mapping", "None", "Sequence", "Tensor"}
INDENT = "    "
NAME = r"[A-Za-z_][\w.]*"
REQUIRED = inspect.Parameter.empty


class Signature:
    """The text of a ``def`` line, gathered parameter by parameter."""

    def __init__(self, returns: str = "Tensor") -> None:
        self.positional: list[str] = []
        self.keyword: list[str] = []
        self.returns = returns

    def add(self, name: str, annotation: str, default: object = REQUIRED) -> None:
        """An ordinary parameter, with its alias where it has one."""
        value = "" if default is REQUIRED else f" = {show_default(default)}"
        self.positional.append(f"{name}: {annotation}{value}")
        if name in ALIASES:
            self.keyword.append(f"{ALIASES[name]}: {annotation} = ...")

    def text(self, name: str, *, method: bool) -> str:
        """The whole definition; a method's first parameter becomes ``self``."""
        positional = self.positional
        if method:
            first = positional[0] if positional else ""
            positional = ["self", *(positional if first.startswith("*") else positional[1:])]
        names = [p for p in self.keyword if not p.startswith("**")]
        star = ["*"] if names and not any(p.startswith("*") for p in positional) else []
        return wrap(f"def {name}", [*positional, *star, *self.keyword], f"-> {self.returns}: ...")


def wrap(head: str, parameters: list[str], tail: str) -> str:
    """A definition on one line if it fits in 100 columns, else a parameter a line."""
    line = f"{head}({', '.join(parameters)}) {tail}"
    if len(line) <= 96:
        return line
    return f"{head}(\n" + "".join(f"{INDENT}{p},\n" for p in parameters) + f") {tail}"


def qualify(text: str, names: set[str]) -> str:
    """``builtins.float`` for ``float`` in annotations where `names` give it another meaning.

    >>> qualify("def half(self, x: float) -> int: ...", {"float", "half"})
    'def half(self, x: builtins.float) -> int: ...'
    """
    for name in sorted(names & BUILTINS):
        places = rf"(?<=[:>|] ){name}\b|(?<=\[){name}\b|(?<=, ){name}\b(?!:)"
        text = re.sub(places, f"builtins.{name}", text)
    return text


def show_default(value: object) -> str:
    """A default as source text where that is short and exact, else ``...``."""
    simple = value is None or isinstance(value, bool | int | float | str | tuple)
    text = repr(value)
    return text if simple and len(text) < 30 and "inf" not in text else "..."


def show_annotation(annotation: object, namespace: dict[str, Any]) -> str:
    """An annotation in names the stub knows; aliases are spelled out, the rest is Any."""
    if annotation is REQUIRED:
        return "Any"
    text = annotation if isinstance(annotation, str) else _repr(annotation)
    for name in set(re.findall(NAME, text)) - PLAIN_NAMES:
        meaning = _repr(namespace[name]) if name in namespace else "?"
        text = meaning.join(re.split(rf"\b{re.escape(name)}\b", text))
    names = set(re.findall(NAME, text))
    return text if names <= PLAIN_NAMES and "?" not in text else "Any"


def _repr(annotation: object) -> str:
    text = annotation.__name__ if type(annotation) is type else str(annotation)
    text = re.sub(r"typing\.Union\[(.*)\]$", lambda m: m[1].replace(", ", " | "), text)
    text = re.sub(r"typing\.Optional\[(.*)\]$", r"\1 | None", text)
    text = text.replace("NoneType", "None")
    return re.sub(r"\b(?:typing|collections\.abc|deepdive\.core\.tensor)\.", "", text)


def signature_of(function: Any, name: str = "") -> Signature:
    """From the contract of the operator behind a function, else from the function itself."""
    operator = getattr(function, "operator", None)
    named = getattr(operator, "named_form", None)
    if named is not None and not name.startswith("__"):  # arguments that are not the operator's own
        return _from_function(named)
    if hasattr(operator, "contract"):
        return _from_contract(operator)
    return _from_function(function)


def _from_contract(operator: Any) -> Signature:
    contract, namespace = operator.contract, vars(sys.modules[operator.__module__])
    several = getattr(operator, "outputs", None)
    found = Signature(f"tuple[{', '.join(['Tensor'] * len(several))}]" if several else "Tensor")
    annotations = {k: v for c in reversed(operator.__mro__) for k, v in _annotations(c).items()}
    last = contract.order[-1]
    for name in contract.order:
        if name in contract.fields:
            annotation = show_annotation(annotations.get(name, REQUIRED), namespace)
            if name == last and getattr(operator, "gathers", False):
                found.positional.append(f"*{name}: Any")  # one tuple, or its items
            else:
                found.add(name, annotation, getattr(operator, name, REQUIRED))
        elif contract.variadic:
            found.add(name, "Sequence[Operand]")
        else:
            optional = contract.inputs.index(name) >= contract.required
            found.add(name, "Operand", None if optional else REQUIRED)
    return _defaults_last(found)


def _defaults_last(found: Signature) -> Signature:
    """A parameter after an optional one is optional in the text, whatever it is in truth."""
    optional = False
    for i, parameter in enumerate(found.positional):
        optional = optional or " = " in parameter
        if optional and " = " not in parameter and not parameter.startswith("*"):
            found.positional[i] = f"{parameter} = ..."
    return found


def _annotations(cls: type) -> dict[str, Any]:
    return dict(cls.__dict__.get("__annotations__", {}))


def _from_function(function: Callable[..., Any]) -> Signature:
    target: Any = inspect.unwrap(function)
    namespace = getattr(target, "__globals__", {})
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        found = Signature("Any")
        found.positional += ["*args: Any", "**kwargs: Any"]
        return found
    found = Signature(show_annotation(signature.return_annotation, namespace))
    for name, parameter in signature.parameters.items():
        annotation = show_annotation(parameter.annotation, namespace)
        if parameter.kind is parameter.VAR_POSITIONAL:
            found.positional.append(f"*{name}: {annotation}")
        elif parameter.kind is parameter.VAR_KEYWORD:
            found.keyword.append(f"**{name}: {annotation}")
        elif parameter.kind is parameter.KEYWORD_ONLY:
            value = "" if parameter.default is REQUIRED else f" = {show_default(parameter.default)}"
            found.keyword.append(f"{name}: {annotation}{value}")
        else:
            found.positional.append(_parameter(name, annotation, parameter.default))
    if hasattr(function, "__wrapped__"):  # the door knows NumPy's names
        for name in sorted(ALIASES.keys() & signature.parameters.keys()):
            if ALIASES[name] not in signature.parameters:
                annotation = show_annotation(signature.parameters[name].annotation, namespace)
                found.keyword.append(f"{ALIASES[name]}: {annotation} = ...")
    found.keyword.sort(key=lambda text: text.startswith("**"))
    return found


def _parameter(name: str, annotation: str, default: object) -> str:
    value = "" if default is REQUIRED else f" = {show_default(default)}"
    return f"{name}: {annotation}{value}"


def summary(thing: object) -> str:
    """The first sentence of a docstring, as the docstring of the stub."""
    text = (inspect.getdoc(thing) or "").strip().partition("\n")[0]
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    return f'{INDENT}r"""{text}"""\n'.replace('r"""', '"""') if text else ""


def define(name: str, function: Any, taken: set[str], *, method: bool) -> str:
    """A function or method of the stub, with its first sentence; `taken` names stand beside it."""
    text = qualify(signature_of(function, name).text(name, method=method), taken)
    words = summary(function)
    unlike = name in ("__eq__", "__ne__") and "-> Tensor" in text  # a type checker expects a bool
    ignore = "  # type: ignore[override]" if unlike else ""
    return f"{text.removesuffix(' ...')}{ignore}\n{words}" if words else f"{text}{ignore}\n"


def tensor_stub() -> str:
    """The text of ``registered.pyi``."""
    from deepdive.core import tensor as module

    own = _own_names(module)
    imports = "from deepdive.core.tensor import Tensor\n"
    parts = [HEAD.format(title="What registration adds to Tensor.", imports=imports)]
    parts.append("\nclass Registered:\n")
    members = vars(module.Tensor)
    for name, member in sorted(members.items()):
        if name not in own:
            text = _member(name, member, set(members))
            parts.append("".join(f"{INDENT}{line}\n" for line in text.splitlines()))
    return "".join(parts)


def _own_names(module: ModuleType) -> set[str]:
    """What the class body of Tensor defines itself, and what Python adds to every class."""
    import ast

    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    [body] = [n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Tensor"]
    own = set(vars(type("Empty", (), {"__slots__": ("__weakref__",)})))
    for node in body:
        if isinstance(node, ast.FunctionDef):
            own.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            own |= {t.id for t in targets if isinstance(t, ast.Name)}
    return own | set(module.Tensor.__slots__) | {"__annotations__"}


def _member(name: str, member: Any, taken: set[str]) -> str:
    if isinstance(member, property):
        returns = _from_function(member.fget).returns if member.fget else "Any"
        words = summary(member) or f"{INDENT}...\n"
        return qualify(f"@property\ndef {name}(self) -> {returns}:\n", taken) + words
    if isinstance(member, classmethod | staticmethod):
        return f"@{type(member).__name__}\n{define(name, member.__func__, taken, method=False)}"
    if callable(member):
        return define(name, member, taken, method=True)
    return f"{name}: Any"


def package_stub() -> str:
    """The text of ``__init__.pyi``."""
    import deepdive
    from deepdive.core.operator import REGISTRY

    names = {name for name in dir(deepdive) if not name.startswith("_")}
    parts = [_package_name(n, getattr(deepdive, n), n in REGISTRY, names) for n in sorted(names)]
    imports = "".join(sorted(part for part in parts if part.startswith("from ")))
    others = [part for part in parts if not part.startswith("from ")]
    title = "DeepDive's table of contents, for editors and type checkers."
    head = HEAD.format(title=title, imports=imports)
    return "".join([head, "\n__version__: str\n", *others])


def _package_name(name: str, thing: Any, registered: bool, taken: set[str]) -> str:
    """One name of the package: an import from where it lives, a function, or its type."""
    home = getattr(thing, "__module__", None) or ""
    original = getattr(thing, "__name__", name)
    if isinstance(thing, ModuleType) and "__call__" not in vars(type(thing)):
        parent, _, last = original.rpartition(".")
        return f"from {parent} import {last} as {name}\n" if parent.startswith("deepdive") else ""
    if isinstance(thing, ModuleType):  # deepdive.tensor(...) is a function to its users
        return define(name, thing.__call__, taken, method=False)
    if registered or (home == "deepdive" and callable(thing)):
        return define(name, thing, taken, method=False)
    if home.startswith("deepdive.") and _holds(home, original, thing):
        return f"from {home} import {original} as {name}\n"
    foreign = home in ("__future__", "typing") or inspect.isroutine(thing) or inspect.isclass(thing)
    return "" if foreign else f"{name}: {show_annotation(type(thing), {})}\n"


def _holds(home: str, name: str, thing: object) -> bool:
    return getattr(sys.modules.get(home), name, None) is thing


STUBS: dict[str, Callable[[], str]] = {
    "deepdive/core/registered.pyi": tensor_stub,
    "deepdive/__init__.pyi": package_stub,
}


def check(root: Path) -> list[Violation]:
    """The stubs that are missing or differ from what the library says now."""
    found = []
    for name, make in STUBS.items():
        path = root / name
        old, new = path.read_text(encoding="utf-8") if path.exists() else "", make()
        if old != new:
            pairs = zip_longest(old.splitlines(), new.splitlines())
            same = next((i for i, (a, b) in enumerate(pairs, 1) if a != b), 1)
            found.append(Violation(name, same, "the stub is stale", "make stubs, and commit it"))
    return found


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args(argv)
    sys.path.insert(0, str(ROOT))
    if options.check:
        return report("stubs", check(options.root))
    for name, make in STUBS.items():
        (options.root / name).parent.mkdir(parents=True, exist_ok=True)
        (options.root / name).write_text(make(), encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
