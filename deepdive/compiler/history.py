"""Compiled models in an ordinary training loop: a forward program, and a backward one.

One trace records both passes, for gradients that are not known yet.  Then it is cut: the forward
program also gives the values that the backward pass reads, and the backward program takes them::

    forward    inputs, parameters           →  outputs, values to keep
    backward   gradients of the outputs,
               values kept, parameters      →  gradients of parameters and arguments

So dropout draws once, and batch statistics are counted once, as in eager mode.  The results carry
first derivatives only; what is kept is copied, so a compiled step, which keeps nothing, is faster.
"""

from __future__ import annotations

import functools
import itertools
import time
from typing import Any

from deepdive import config
from deepdive.compiler.compiled import LOCK, Compiled, Program, generated, signature
from deepdive.compiler.explain import facts_of
from deepdive.compiler.expressions import VIRTUAL
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Graph, Value, replaced
from deepdive.compiler.lazyarray import LazyArray
from deepdive.compiler.settle import VIEWS
from deepdive.compiler.store import remember
from deepdive.compiler.trace import TENSOR, Source, leaves, rebuilt, structure
from deepdive.core.autograd import grad
from deepdive.core.function import Context, Function
from deepdive.core.tensor import Tensor, wrap

SEED = "seed"  # the kind of a source: the gradient of an output


class CompiledModel(Compiled):
    """A module and the programs made of it; otherwise it is like the module itself.

    Results have a history wherever the module's would have one.
    """

    def __init__(self, module: Any, dialect: str, keep_grads: bool) -> None:
        super().__init__(module, dialect, keep_grads)
        self.pairs: dict[Any, list[Pair]] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "function":  # not there yet
            raise AttributeError(name)
        return getattr(self.function, name)

    def train(self, mode: bool = True) -> CompiledModel:
        """Set the module's mode; the program of that mode runs from now on."""
        module: Any = self.function
        module.train(mode)
        return self

    def eval(self) -> CompiledModel:
        """Set evaluation mode."""
        return self.train(False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if config.tracing.get() is not None:  # inside another compiled function
            return self.function(*args, **kwargs)
        if config.watch is not None and hasattr(config.watch, "eager"):  # it wants to see all
            return self.function(*args, **kwargs)
        flat = leaves((args, kwargs))
        tracked = [isinstance(leaf, Tensor) and leaf.requires_grad for leaf in flat]
        module: Any = self.function
        parameters = module.parameters()
        has_history = any(tracked) or any(p.requires_grad for p in parameters)
        if not config.grad_mode.get() or not has_history:
            return super().__call__(*args, **kwargs)
        form = structure((args, kwargs))
        key = (form, *tracked, *map(signature, flat))
        for pair in self.pairs.setdefault(key, []):
            with pair.lock:
                pair.flat = flat
                if pair.holds():
                    return self._ran(pair)
        with LOCK:
            pair = Pair(self, args, kwargs, flat, form)
        self.pairs[key].insert(0, pair)
        with pair.lock:
            pair.flat = flat
            pair.holds()
            return self._ran(pair)

    def _ran(self, pair: Pair) -> Any:
        self.latest = pair
        return pair.run()


class Pair(Program):
    """A forward program whose results remember how to run the backward one."""

    def __init__(self, owner: Compiled, args: Any, kwargs: Any, flat: list[Any], form: Any) -> None:
        super().__init__(owner, args, kwargs, flat, form)
        for source in self.backward.sources:
            remember(source, self._backward_facts)

    def _backward_facts(self) -> dict[str, str]:
        """What is kept beside the backward program."""
        facts = facts_of(self)
        return {**facts, "what": f"backward of {facts['what']}"}

    def _is_tracked(self, leaf: Any) -> bool:
        return isinstance(leaf, Tensor) and leaf.requires_grad

    def _trace(self, owner: Compiled, args: Any, kwargs: Any) -> Any:
        """Both passes: the results, then the gradients of all targets that have one."""
        tracer = self.tracer

        def both(*args: Any, **kwargs: Any) -> Any:
            out = owner.function(*args, **kwargs)
            tracked = [leaf for leaf in leaves(out) if _has_history(leaf)]
            seeds = [self._seed(tensor) for tensor in tracked]
            kept = [known.tensor for known in tracer.adopted.values()]
            self.states = [t for t in kept if t.requires_grad and t.is_leaf]
            inside = [tensor for _, tensor in tracer.tracked]
            targets = [*self.states, *inside]
            grads = grad(tracked, targets, seeds, allow_unused=True) if tracked else ()
            self.tracked = list(map(_has_history, leaves(out)))
            self.wanted = [g is not None for g in grads]
            found = [g for g in grads if g is not None]
            return out, found

        self.seeds: list[Value] = []
        (tree, _), graph = tracer.run(both, *self._recorded(args, kwargs))
        tracer.sources = [source for source in tracer.sources if source.kind != SEED]
        return tree, graph

    def _seed(self, tensor: Tensor) -> Tensor:
        """What stands for the gradient of a result."""
        value = Value(INPUT, {}, tensor.shape, tensor.dtype, origin=SEED)
        self.tracer.sources.append(Source(value, lambda: None, SEED))
        self.seeds.append(value)
        box = LazyArray(value)
        box.tracer = self.tracer
        return wrap(box)

    def _generate(self, dialect: str) -> Any:
        """Cut the graph in two, and make a program of each part."""
        graph = self.graph
        count = sum(self.wanted)
        self.results = len(graph.outputs) - count
        outputs = graph.outputs[: self.results]
        cut = Cut(graph, graph.outputs[self.results :], self.seeds)
        inputs = [value for value in graph.inputs if value not in self.seeds]
        forward = Graph(inputs, [*outputs, *cut.kept], graph.writes)
        self.given = [inputs.index(value) for value in cut.given]
        self.graph = forward
        home = self.tracer.home
        self.backward, lost = generated(cut.graph, dialect, home, captures=False)
        code, also_lost = generated(forward, dialect, home, captures=False)
        return code, also_lost or lost

    def run(self) -> Any:
        """One call of the forward program, with the arguments in ``flat``."""
        started = time.perf_counter()
        for effect in self.tracer.effects:
            effect()
        inputs = [*self.state, *(read() for read in self.reads)]
        outputs = self.code.run(inputs)
        self._count(time.perf_counter() - started)
        arguments = [self.flat[i] for i, _ in self.tracer.tracked]
        targets = [*self.states, *arguments]
        wanted = list(itertools.compress(targets, self.wanted))
        given = [inputs[i] for i in self.given]
        replay = Replay(self, [*given, *outputs[self.results :]])
        arrays = enumerate(outputs[: self.results])
        flags = iter(self.tracked)
        self.flat = []

        def result(leaf: Any) -> Any:
            has_history = next(flags)
            if leaf is not TENSOR:
                return leaf
            place, array = next(arrays)
            if not has_history:
                return wrap(array)
            number = sum(self.tracked[:place])
            return Replayed.apply(*wanted, replay=replay, number=number, array=array)

        return rebuilt(self.tree, result)

    def explain(self) -> str:
        """The story of the forward program, and what the backward one gets from it."""
        kept = self.code.graph.outputs[self.results :]
        nbytes = sum(value.nbytes for value in kept) / 1e6
        values = len(self.backward.graph.values())
        return (
            f"{super().explain()}\nbackward: a program of {values} values; {len(kept)} of the "
            f"forward pass are kept for it, {nbytes:,.3f} MB"
        )


class Replay:
    """What one forward call left for its backward pass."""

    def __init__(self, pair: Pair, kept: list[Any]) -> None:
        self.pair = pair
        self.kept = kept

    def gradients(self, number: int, grad: Any) -> tuple[Any, ...]:
        """The gradients of all targets, from that of one result."""
        xp = self.pair.tracer.home
        seeds = [xp.zeros(seed.shape, seed.dtype) for seed in self.pair.seeds]
        seeds[number] = xp.contiguous(grad)
        with self.pair.lock:
            return tuple(self.pair.backward.run([*seeds, *self.kept]))


class Replayed(Function):
    """A result of a compiled model: its backward pass is a compiled program."""

    @staticmethod
    def forward(ctx: Context, *targets: Any, replay: Any, number: int, array: Any) -> Any:
        """The result, which is there already."""
        ctx.gradients = functools.partial(replay.gradients, number)  # type: ignore[attr-defined]
        return array

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        """The gradients of parameters and arguments."""
        return ctx.gradients(grad_output)


class Cut:
    """The backward part of a graph.

    Attributes:
        graph: from seeds, inputs of the whole and kept values to the gradients.
        given: inputs of the whole that it reads as they are.
        kept: values of the forward part that it reads.
    """

    def __init__(self, whole: Graph, grads: list[Value], seeds: list[Value]) -> None:
        self.written = {target for target, _ in whole.writes}
        self.late = set(seeds)  # what depends on the seeds
        for value in whole.values():
            if any(operand in self.late for operand in value.operands()):
                self.late.add(value)
        self.given: list[Value] = []
        self.kept: list[Value] = []
        new: dict[Value, Value] = {seed: seed for seed in seeds}
        needed = self._needed(grads)
        for value in whole.values():
            if value in needed and value not in new:
                new[value] = self._renewed(value, new)
        inputs = [*seeds, *self.given, *(new[value] for value in self.kept)]
        self.graph = Graph(inputs, [new[value] for value in grads], [])

    def _needed(self, grads: list[Value]) -> set[Value]:
        """Everything the backward program has to know or to compute."""
        needed: set[Value] = set()
        todo = list(grads)
        while todo:
            value = todo.pop()
            if value not in needed:
                needed.add(value)
                todo += value.operands() if self._is_computed(value) else []
        return needed

    def _is_computed(self, value: Value) -> bool:
        """Whether the backward program computes a value anew: it has to, or it costs nothing."""
        cheap = value.word in VIEWS or value.word in VIRTUAL or value.dtype is NUMBER
        return value in self.late or (cheap and value.word != INPUT)

    def _renewed(self, value: Value, new: dict[Value, Value]) -> Value:
        """A value of the backward program in place of one of the whole."""
        if value.word == CONSTANT:
            return value
        if value.word == INPUT and value not in self.written:
            self.given.append(value)
            return value
        if not self._is_computed(value):
            self.kept.append(value)
            return Value(INPUT, {}, value.shape, value.dtype, origin=value.word)
        arguments = replaced(value.arguments, lambda operand: new[operand])
        kind = (value.shape, value.dtype, value.array, value.origin)
        return Value(value.word, arguments, *kind)


def _has_history(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.requires_grad
