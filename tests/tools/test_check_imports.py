"""Each rule of the import law is broken in a made-up package, and kept."""

import subprocess
import sys
from pathlib import Path

import check_imports
import pytest

TOOL = Path(check_imports.__file__)


@pytest.fixture
def law(tmp_path):
    """Writes a package, given as file name → text, and returns what the check finds."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / "deepdive" / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        return check_imports.check_tree(tmp_path)

    return write


def test_downward_imports_are_free(law):
    found = law(
        errors="import difflib\n",
        backend__numpy_cpu="import numpy as np\nfrom deepdive import errors\n",
        core__tensor="from deepdive.backend import numpy_cpu\nimport deepdive.errors\n",
        nn__module="def f():\n    from deepdive.io import arc\n    import torch\n",
        io__arc="",
    )
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import deepdive.core.tensor",
        "from deepdive.core import tensor",
        "from deepdive.core.tensor import Tensor",
        "from ..core import tensor",
        "from ..core.tensor import Tensor as T",
        "def f():\n    from deepdive.core.tensor import Tensor",
        "def f():\n    import importlib\n    importlib.import_module('deepdive.core.tensor')",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from deepdive.core import tensor",
    ],
)
def test_upward_import(law, line):
    [found] = law(core__tensor="", backend__numpy_cpu=line + "\n")
    assert found.path == "deepdive/backend/numpy_cpu.py"
    assert found.line == line.count("\n") + 1
    assert "deepdive.backend.numpy_cpu imports deepdive.core.tensor" in found.what
    assert "room deepdive.core is below room deepdive.backend" in found.what
    assert found.fix.startswith("move what both need up to deepdive.backend or above")


def test_siblings_go_by_the_listed_order(law):
    assert law(nn__module="from deepdive.optim import sgd\n", optim__sgd="") == []
    [found] = law(nn__module="", optim__sgd="from deepdive.nn.module import Module\n")
    assert "room deepdive.nn is below room deepdive.optim" in found.what


def test_the_table_of_contents_is_below_all(law):
    [found] = law(__init__="", nn__module="import deepdive as dd\n")
    assert "room deepdive is below room deepdive.nn" in found.what


def test_the_vocabulary_does_not_know_its_speakers(law):
    assert law(backend__a="from deepdive.backend.vocabulary import words\n") == []
    [found] = law(backend__a="", backend__vocabulary__words="from deepdive.backend import a\n")
    assert "room deepdive.backend is below room deepdive.backend.vocabulary" in found.what


def test_a_module_needs_a_room(law):
    [found] = law(misc="")
    assert found.what == "deepdive.misc is in no room"
    assert "ORDER in tools/check_imports.py" in found.fix


def test_an_import_of_nothing_known(law):
    [found] = law(nn__module="import deepdive.layers\n")
    assert found.what == "deepdive.nn.module imports deepdive.layers, which is in no room"


def test_optional_packages_stay_inside_functions(law):
    assert law(dash__chart="def f():\n    import rich\n") == []
    [found] = law(dash__chart="try:\n    import rich.table\nexcept ImportError:\n    rich = None\n")
    assert found.line == 2
    assert "imports the optional package rich at module level" in found.what


def test_cycle_within_a_room(law):
    [found] = law(
        core__a="from deepdive.core import b\n",
        core__b="def f():\n    from . import c\n",
        core__c="from deepdive.core.a import x\n",
        core__d="from deepdive.core import a\n",  # leads into the knot, is no part of it
    )
    path = "deepdive.core.a -> deepdive.core.b -> deepdive.core.c -> deepdive.core.a"
    assert found.what == f"import cycle: {path}"
    assert found.path == "deepdive/core/a.py"


def test_two_cycles_are_two_violations(law):
    found = law(
        core__a="from deepdive.core import b\n",
        core__b="from deepdive.core import a\n",
        core__c="from deepdive.core import d\n",
        core__d="from deepdive.core import c\n",
    )
    assert len(found) == 2


def test_imports_for_types_alone_close_no_cycle(law):
    found = law(
        core__a="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import b\n",
        core__b="from deepdive.core import a\n",
    )
    assert found == []


def test_exit_code_of_the_command(tmp_path, law):
    law(errors="from deepdive import core\n", core__tensor="")
    command = [sys.executable, TOOL, "--root", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith("deepdive/errors.py:1: deepdive.errors imports deepdive.core")
    assert done.stdout.endswith("import law: 1 violation\n")


def test_a_room_on_demand_may_import_its_optional_packages(law):
    text = "import numba\nfrom llvmlite import ir\n"
    late = "def f():\n    from deepdive.kernels import gemm\n"
    assert law(kernels__gemm=text, compiler__compile=late) == []
    [found] = law(kernels__gemm=text + "import cupy\n")
    assert "imports the optional package cupy at module level" in found.what


def test_a_room_on_demand_is_imported_inside_functions(law):
    [found] = law(kernels__gemm="", compiler__compile="from deepdive.kernels import gemm\n")
    assert found.path == "deepdive/compiler/compile.py"
    assert "deepdive.kernels is loaded on demand" in found.what
    assert found.fix == "import it inside the function that needs it"


@pytest.mark.parametrize(
    ("step", "line", "kept"),
    [
        ("step03_c", "from step02_b import x", True),
        ("step03_c", "import math", True),
        ("step03_c", "from verdict import conclude", True),
        ("step03_c", "from step03_c import x", False),
        ("step02_b", "from step03_c import x", False),
        ("step02_b", "def f():\n    import step03_c", False),
        ("step07_g", "import numpy as np", False),
        ("step08_h", "import numpy as np", True),
        ("step17_q", "import deepdive as dd", False),
        ("step18_r", "from deepdive import nn", True),
        ("step18_r", "import torch", False),
        ("step03_c", "import solutions", False),
    ],
)
def test_no_step_of_the_tour_looks_ahead(tmp_path, step, line, kept):
    (tmp_path / "tour").mkdir()
    for name in ("step02_b", "step03_c", step):
        (tmp_path / "tour" / f"{name}.py").touch()
    (tmp_path / "tour" / f"{step}.py").write_text(line + "\n")
    found = check_imports.check_tree(tmp_path)
    assert [violation.path for violation in found] == ([] if kept else [f"tour/{step}.py"])
