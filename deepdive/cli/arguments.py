"""What can be said to ``deepdive``: the commands and their options."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

DEFAULT = "default: %(default)s"
WARM = "kernels and all recipes"
DATASETS = ("digits", "mnist")
MODELS = ("mlp", "cnn")
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "adagrad")


class Parser(argparse.ArgumentParser):
    """A parser that explains a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def program() -> str:
    """How this program was called, so that hints can be copied into the same terminal."""
    name = os.path.basename(sys.argv[0])
    if name.startswith("deepdive"):
        return "deepdive"
    python = os.path.relpath(sys.executable)
    is_near = not python.startswith(os.pardir)
    return f"{python if is_near else 'python'} -m deepdive"


def make_parser() -> Parser:
    """The parser of all commands; ``options.command`` is the chosen one."""
    parser = Parser(
        prog="deepdive",
        description="A deep learning library in 100 % Python.",
        epilog="'deepdive COMMAND --help' tells what a command takes.",
    )
    parser.add_argument("--version", action="version", version=f"deepdive {version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, help: str, describe: Callable[[Any], None]) -> None:
        command = commands.add_parser(
            name,
            help=help,
            description=help,
        )
        describe(command)
        command.add_argument("--debug", action="store_true", help="show where an error comes from")

    add("demo", "watch a network learn handwritten digits, in seconds", _demo)
    add("train", "train a network on handwritten digits", _train)
    add("predict", "let a saved network read images", _predict)
    add("draw", "draw the graph of a saved network as SVG or PNG", _draw)
    add("summary", "the layers of a network: shapes, parameters, multiply-adds", _summary)
    add("inspect", "compiled programs kept on this machine: a list, or one of them", _inspect)
    add("warmup", "compile kernels and programs now, so that later processes start warm", _warmup)
    add("doctor", "is this installation sound, and how fast is it", _doctor)
    add("info", "versions, processor, BLAS, optional packages", _info)
    return parser


def _demo(command: Any) -> None:
    command.add_argument("--save", metavar="DIR", default="runs/demo", help=DEFAULT)
    command.add_argument("--seed", type=_count, default=0, help=DEFAULT)
    command.add_argument("--epochs", type=_positive, help="default: 12")


def _train(command: Any) -> None:
    command.add_argument("dataset", choices=DATASETS)
    command.add_argument("--model", choices=MODELS, default="mlp", help=DEFAULT)
    command.add_argument("--data", metavar="DIR", help="where MNIST's files are")
    command.add_argument("--download", action="store_true", help="fetch MNIST if it is not there")
    command.add_argument("--epochs", type=_positive, metavar="N", help="passes over the data")
    command.add_argument("--batch-size", type=_positive, metavar="N", help="images a step")
    command.add_argument("--optimizer", choices=OPTIMIZERS, default="adamw", help=DEFAULT)
    command.add_argument("--lr", type=_rate, help="the learning rate, which falls to 0")
    command.add_argument("--momentum", type=_rate, help="of sgd and rmsprop; sgd: 0.9")
    command.add_argument("--weight-decay", type=_rate, metavar="X", help="L2; adamw: 0.01")
    command.add_argument("--save", metavar="DIR", help="network, checkpoints and logs go here")
    command.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    command.add_argument("--compile", action="store_true", help="each step as one program")
    command.add_argument("--live", action="store_true", help="curves, norms, memory in place")
    command.add_argument("--seed", type=_count, default=0, metavar="N", help="default: 0")
    command.add_argument("--workers", type=_count, default=0, metavar="N", help="loader threads")
    command.add_argument("--limit", type=_positive, metavar="N", help="use the first N images only")


def _predict(command: Any) -> None:
    command.add_argument("folder", metavar="DIR", help="where the network was saved")
    command.add_argument("images", nargs="+", metavar="IMAGE", help=".png .jpg .pgm .npy .idx")
    command.add_argument("--top", type=_positive, default=3, metavar="N", help="guesses shown")
    command.add_argument("--limit", type=_positive, default=8, metavar="N", help="images per file")


def _draw(command: Any) -> None:
    command.add_argument("folder", metavar="DIR", help="where the network was saved")
    command.add_argument("--output", metavar="FILE", help=".svg, .png or .dot; DIR/graph.svg")
    command.add_argument("--input", type=_shape, metavar="SHAPE", help="of one sample: 1,28,28")


def _summary(command: Any) -> None:
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("folder", nargs="?", metavar="DIR", help="where a network was saved")
    which.add_argument("--model", choices=MODELS, help="one of ours, instead")
    command.add_argument("--dataset", choices=DATASETS, default="mnist", help="for --model")
    command.add_argument("--input", type=_shape, metavar="SHAPE", help="of one sample: 1,28,28")


def _inspect(command: Any) -> None:
    command.add_argument("program", nargs="?", metavar="KEY", help="its first letters; or: last")
    command.add_argument("--source", action="store_true", help="print its source alone")
    command.add_argument("--explain", action="store_true", help="print what explain() says alone")
    command.add_argument("--clear", action="store_true", help="remove it, or all, from the cache")


def _warmup(command: Any) -> None:
    command.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help=f"kernels, a recipe such as mnist/mlp, or a script .py; default: {WARM}",
    )
    command.add_argument("--args", metavar="WORDS", default="", help="for the script")
    command.add_argument(
        "--calls",
        type=_positive,
        default=20,
        metavar="N",
        help="stop a script after so many compiled calls without a new program; " + DEFAULT,
    )


def _doctor(command: Any) -> None:
    command.add_argument("--quick", action="store_true", help="ask, but measure nothing")


def _info(command: Any) -> None:
    """Takes nothing."""


def _count(text: str) -> int:
    return _number(int, text, "a whole number, 0 or more", 0)


def _positive(text: str) -> int:
    return _number(int, text, "a whole number, 1 or more", 1)


def _rate(text: str) -> float:
    return _number(float, text, "a number, 0 or more", 0)


def _number(kind: Callable[[str], Any], text: str, expected: str, least: float) -> Any:
    try:
        value = kind(text)
        if least <= value < float("inf"):
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not {expected}")


def _shape(text: str) -> tuple[int, ...]:
    sizes = text.strip("() ").split(",")
    return tuple(map(_positive, filter(str.strip, sizes)))


def version() -> str:
    """The library's, which stands in its table of contents, above this room."""
    return str(sys.modules["deepdive"].__version__)
