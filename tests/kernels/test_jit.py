"""The cache of compiled kernels, threads and forks, each in real processes."""

import os
import subprocess
import sys

import pytest

PRODUCT = """
import logging, time
logging.basicConfig(format="%(levelname)s %(message)s")
import numpy as np
from deepdive.kernels import reductions
began = time.perf_counter()
x = np.ones((3, 4), "f")
assert (reductions.softmax(x) == 0.25).all()
print(time.perf_counter() - began)
print(sum(reductions.softmax_all.stats.cache_hits.values()))
"""


def python(code, **env):
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result


def test_a_second_process_starts_warm_and_a_damaged_cache_still_works(tmp_path):
    cold = python(PRODUCT, DEEPDIVE_CACHE=str(tmp_path)).stdout.split()
    warm = python(PRODUCT, DEEPDIVE_CACHE=str(tmp_path)).stdout.split()
    assert (cold[1], warm[1]) == ("0", "1")
    assert float(warm[0]) < float(cold[0])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        path.write_bytes(b"not what was kept here")
    result = python(PRODUCT, DEEPDIVE_CACHE=str(tmp_path))
    assert result.stdout.split()[1] == "0"
    assert "WARNING a compiled kernel could not be read" in result.stderr


def test_without_a_folder_kernels_still_run_and_say_so_once(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = python(PRODUCT, DEEPDIVE_CACHE=str(blocked))
    assert result.stderr.count("no cache folder for compiled kernels") == 1


PROGRAMS = """
import logging
logging.basicConfig(format="%(levelname)s %(message)s")
import deepdive as dd
x = dd.ones(40, 40)
for factor in (2.0, 3.0):
    f = dd.compile(lambda x: ((x @ x) * factor).sum(), dialect="numba")
    print(f(x).item() == 64000 * factor)
"""


def test_programs_run_without_a_folder_and_say_so_once(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = python(PROGRAMS, DEEPDIVE_CACHE=str(blocked))
    assert result.stdout.split() == ["True", "True"]
    assert result.stderr.count("WARNING") == 1
    assert "programs cannot be kept" in result.stderr
    assert blocked.read_text() == ""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_programs_run_with_a_folder_that_is_read_only(tmp_path):
    tmp_path.chmod(0o555)
    result = python(PROGRAMS, DEEPDIVE_CACHE=str(tmp_path))
    assert result.stdout.split() == ["True", "True"]
    assert result.stderr.count("WARNING") == 1


@pytest.mark.slow
def test_a_program_whose_machine_code_is_damaged_is_compiled_anew(tmp_path):
    python(PROGRAMS, DEEPDIVE_CACHE=str(tmp_path))
    for path in tmp_path.rglob("deepdive_program_*"):
        path.write_bytes(b"damaged")
    result = python(PROGRAMS, DEEPDIVE_CACHE=str(tmp_path))
    assert result.stdout.split() == ["True", "True"]
    assert result.stderr.count("WARNING") == 1
    assert python(PROGRAMS, DEEPDIVE_CACHE=str(tmp_path)).stderr == ""  # mended


FORK = """
import os, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from deepdive.kernels import jit, reductions
x = np.random.default_rng(0).random((1000, 1000), "f")
want = reductions.softmax(x)  # starts the threads
child = os.fork()
if not child:
    os._exit(0 if np.array_equal(reductions.softmax(x), want) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("layer", ["workqueue", "omp"])
def test_a_forked_child_can_use_kernels(layer):
    env = {**os.environ, "NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    result = subprocess.run([sys.executable, "-c", FORK], env=env, capture_output=True, text=True)
    if "No threading layer could be loaded" in result.stderr:
        pytest.skip(f"no {layer} threads here")
    assert result.returncode == 0, result.stderr


def test_several_python_threads_enter_the_workqueue():
    code = """
import threading
import numpy as np
from deepdive.kernels import reductions
x = np.random.default_rng(0).random((1000, 1000), "f")
want, wrong = reductions.softmax(x), []
def work():
    for _ in range(10):
        wrong.extend([1] * (not np.array_equal(reductions.softmax(x), want)))
threads = [threading.Thread(target=work) for _ in range(3)]
[t.start() for t in threads], [t.join() for t in threads]
print(len(wrong))
"""
    env = {"NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "2"}
    assert python(code, **env).stdout.split() == ["0"]


def test_importing_the_library_does_not_import_numba():
    code = "import sys, deepdive; print('numba' in sys.modules)"
    assert python(code).stdout.split() == ["False"]


def test_a_missing_numba_is_named():
    code = """
import sys
sys.modules["numba"] = None
try:
    import deepdive.kernels
except ImportError as error:
    print(type(error).__name__, error)
"""
    words = python(code).stdout
    assert "MissingExtraError" in words and "pip install 'deepdive-ml[jit]'" in words


def test_an_unknown_kind_of_vector():
    code = "import deepdive.kernels.vector"
    env = {**os.environ, "DEEPDIVE_SIMD": "mmx"}
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "ArgumentError: DEEPDIVE_SIMD\n  got: mmx\n  expected: avx512" in result.stderr
