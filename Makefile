# Everything happens in .venv; git, make and Python >= 3.11 are all a machine needs.
#   make demo        set up, then watch a network learn handwritten digits
#   make test        lint, the house rules, the tests         (up to 15 minutes)
#   make test-all    the same with the slow tests
#   make lint        ruff and mypy alone
#   make bench       the benchmarks, side by side with PyTorch
#   make docs        the documentation as HTML, in docs/_build/html; a warning is an error
#   make clean       remove what building and testing left; `make clean-all` removes .venv too
# PYTHON=python3.13 chooses the interpreter .venv is made with.

VENV ?= .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
CANDIDATES := $(or $(PYTHON),python3 python python3.13 python3.12 python3.11)
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
TORCH := 2.13.0
TORCH_CPU := https://download.pytorch.org/whl/cpu
PYTEST := $(PY) -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint format rules stubs bench docs clean clean-all

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.stamp-core
	@$(PY) -m deepdive demo

test: lint rules
	@$(PYTEST)

test-all: lint rules
	@$(PYTEST) -m ""

lint: $(VENV)/.stamp-test
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy

format: $(VENV)/.stamp-test
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

rules: $(VENV)/.stamp-test
	@$(PY) tools/check_budgets.py
	@$(PY) tools/check_imports.py
	@$(PY) tools/make_stub.py --check

stubs: $(VENV)/.stamp-core
	@$(PY) tools/make_stub.py

bench: $(VENV)/.stamp-test
	@set -e; for script in benchmarks/bench_*.py; do echo "== $$script"; $(PY) $$script; done

# All pages are read anew each time: docstrings are written in files Sphinx does not look at.
docs: $(VENV)/.stamp-docs
	@$(PY) -m sphinx -q -E -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:
	@rm -rf build dist docs/_build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

clean-all: clean
	@rm -rf $(VENV)

# A stamp is older than pyproject.toml when dependencies may have changed.
$(VENV)/.stamp-core: pyproject.toml | $(VENV)/.stamp-venv
	@echo "installing deepdive and NumPy into $(VENV) ..."
	@$(PIP) install --editable .
	@touch $@

# An ordinary `pip install torch` fetches gigabytes of CUDA libraries on Linux: the CPU index first.
$(VENV)/.stamp-test: pyproject.toml | $(VENV)/.stamp-venv
	@echo "installing deepdive and what the tests need into $(VENV) ..."
	@$(PY) -c 'import torch; assert torch.__version__.startswith("$(TORCH)")' 2>/dev/null || \
	  $(PIP) install --timeout 5 --retries 0 --index-url $(TORCH_CPU) torch==$(TORCH) 2>/dev/null || \
	  $(PIP) install torch==$(TORCH)
	@$(PIP) install --editable '.[test]'
	@touch $@ $(VENV)/.stamp-core

$(VENV)/.stamp-docs: pyproject.toml | $(VENV)/.stamp-venv
	@$(PY) -c 'import deepdive, myst_parser, sphinx' 2>/dev/null || \
	  { echo "installing deepdive and what the documentation needs into $(VENV) ..."; \
	    $(PIP) install --editable '.[docs]'; }
	@touch $@

# An environment that is there and works is kept, whoever made it.
$(VENV)/.stamp-venv:
	@if $(PY) $(NEW_ENOUGH) 2>/dev/null && $(PY) -m pip --version >/dev/null 2>&1; then \
	  touch $@; exit 0; \
	fi; \
	for python in $(CANDIDATES); do \
	  $$python $(NEW_ENOUGH) 2>/dev/null || continue; \
	  echo "making $(VENV) with $$($$python --version) ..."; \
	  $$python -m venv --clear $(VENV) && touch $@ && exit 0; \
	  echo "$$python -m venv failed: on Debian and Ubuntu, 'apt install python3-venv'" >&2; exit 1; \
	done; \
	echo "no Python >= 3.11 among: $(CANDIDATES)" >&2; \
	echo "fix: install one from https://www.python.org, or say make PYTHON=/path/to/python3" >&2; \
	exit 1
