# Every target sets up its own virtual environment first; nothing needs to be installed but Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test check faults bench format

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'gapsweep needs Python 3.11 or later; set PYTHON=... to one')"
	@echo "installing into $(VENV): torch is large, allow some minutes"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

# The main job on the embedded data set, ending with the path of its report.
demo: setup
	@path=$$($(BIN)/sweep run quickstart --json | $(BIN)/python -c "import json, sys; print(json.load(sys.stdin)['path'])") \
		&& $(BIN)/sweep report "$$path"

test: setup
	$(BIN)/python -m pytest -m "not slow"

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_import_directions.py tests/test_readme.py -k "not example"

# Real kills and damaged files, a line each; the slow ones run only here.
faults: setup
	$(BIN)/python -m pytest tests/faults tests/store tests/tuning -vv

# Small: minutes, on the embedded data set. `python -m benchmarks.NAME --help` says how to make each one large.
bench: setup
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -m benchmarks.precision
	$(BIN)/python -m benchmarks.overhead --trials 50 --epochs 50 --pairs 1
	$(BIN)/python -m benchmarks.load --stock-trials 50 --trials 1000 --pairs 1
	$(BIN)/python -m benchmarks.memory --data digits --pairs 1
	$(BIN)/python -m benchmarks.scale --sizes 100
	$(BIN)/python -m benchmarks.shards

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
