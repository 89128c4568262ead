# Everything runs from a virtual environment that is made when it is missing.
PYTHON ?= python3
VENV ?= .venv
RUNS ?= runs/demo
BIN := $(VENV)/bin

.PHONY: demo test lint check clean

demo: $(VENV)/ready
	$(BIN)/python -m harness.run --study demo --runs $(RUNS)

test: $(VENV)/ready
	$(BIN)/pytest

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
