# Everything runs from a virtual environment that is made when it is missing. Tests run in TESTERS
# processes of one thread each, a file's tests in one of them; PYTEST_OPTIONS are added as they are.
PYTHON ?= python3
VENV ?= .venv
RUNS ?= runs/demo
TESTERS ?= 2
PYTEST_OPTIONS ?=
BIN := $(VENV)/bin

.PHONY: demo test fuzz lint check docs clean

demo: $(VENV)/ready
	$(BIN)/python -m harness.run --study demo --runs $(RUNS)

test: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS)

# Ten times as many damaged files, settings and command lines as `make test` draws, others each time.
fuzz: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(TESTERS) tests/fuzz --hypothesis-profile=fuzz --timeout=36000 -rP $(PYTEST_OPTIONS)

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

check: lint test

docs: $(VENV)/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "The documentation: site/index.html"

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) --version prints: $$($(PYTHON) --version 2>&1)." \
	"Name another one, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,docs]'
	touch $@

clean:
	rm -rf $(VENV) site .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
