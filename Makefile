# Everything runs from a virtual environment that is made when it is missing. Tests run in TESTERS
# processes of one thread each, a file's tests in one of them.
PYTHON ?= python3
VENV ?= .venv
RUNS ?= runs/demo
TESTERS ?= 2
BIN := $(VENV)/bin

.PHONY: demo test lint check clean

demo: $(VENV)/ready
	$(BIN)/python -m harness.run --study demo --runs $(RUNS)

test: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

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
