"""The wheel: small, complete, and usable where nothing but NumPy is installed."""

import os
import shutil
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "runs")


def call(*command, **options):
    """Run a program; its output, or an error that shows what it said."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built offline from a copy, so that no build folder is left or reused."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=NOT_SOURCE)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    call(*build, folder / "source")
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of a new environment: NumPy, the wheel, and not even pip."""
    folder = tmp_path_factory.mktemp("fresh")
    call(sys.executable, "-m", "venv", "--without-pip", folder)
    interpreter = folder / "bin" / "python"
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(call(interpreter, "-c", show).strip())
    for part in Path(np.__file__).parent.parent.glob("numpy*"):
        (packages / part.name).symlink_to(part)
    # without --no-deps: pip itself confirms that NumPy is all that is needed
    pip = [sys.executable, "-m", "pip", "--python", interpreter, "install", "--no-index"]
    call(*pip, "--quiet", "--compile", wheel)
    return interpreter


@pytest.fixture
def elsewhere(tmp_path):
    """Options for a process that cannot see the repository."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return {"cwd": tmp_path, "env": env}


def names_in(wheel):
    return zipfile.ZipFile(wheel).namelist()


def test_wheel_is_small(wheel):
    assert wheel.stat().st_size < 1_000_000


def test_wheel_holds_the_whole_package_and_nothing_else(wheel):
    files = [p for p in (ROOT / "deepdive").rglob("*") if p.is_file()]
    source = {p.relative_to(ROOT).as_posix() for p in files if p.suffix != ".pyc"}
    packed = {name for name in names_in(wheel) if ".dist-info/" not in name}
    assert packed == source


def test_wheel_holds_data_types_and_licence(wheel):
    names = names_in(wheel)
    assert "deepdive/py.typed" in names
    assert any(name.endswith(".pyi") for name in names)
    assert any(name.startswith("deepdive/datautils/data/") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_version_is_the_same_in_file_name_and_module(wheel, python, elsewhere):
    version = call(python, "-c", "import deepdive; print(deepdive.__version__)", **elsewhere)
    assert wheel.name.split("-")[:2] == ["deepdive_ml", version.strip()]


def test_nothing_but_numpy_is_needed(python, elsewhere):
    show = "import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))"
    assert call(python, "-c", show, **elsewhere).strip() == "['deepdive-ml', 'numpy']"
    place = call(python, "-c", "import deepdive; print(deepdive.__file__)", **elsewhere)
    assert not place.startswith(str(ROOT))


def test_first_example_of_the_readme(python, elsewhere):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = readme.split("```python\n")[1].split("```")[0]
    call(python, "-W", "error", "-c", example, **elsewhere)


def test_console_script(python, elsewhere):
    assert "numpy" in call(python.parent / "deepdive", "info", **elsewhere).lower()


def test_importing_writes_nothing_and_is_quiet(python, elsewhere):
    assert call(python, "-W", "error", "-c", "import deepdive", **elsewhere) == ""
    assert list(elsewhere["cwd"].iterdir()) == []


def seconds(python, package, options):
    """How long one import takes in a new process."""
    program = (
        "import time; start = time.perf_counter()\n"
        f"import {package}\n"
        "print(time.perf_counter() - start)"
    )
    return float(call(python, "-c", program, **options))


def test_import_takes_less_than_twice_numpys(python, elsewhere):
    ratios = []
    for _ in range(4):  # a busy machine may spoil a round, not four
        pairs = [
            (seconds(python, "deepdive", elsewhere), seconds(python, "numpy", elsewhere))
            for _ in range(7)
        ]
        ours, numpys = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratios.append(ours / numpys)
        if ratios[-1] < 2:
            break
    print(f"import deepdive / import numpy = {min(ratios):.2f}")
    assert min(ratios) < 2, ratios
