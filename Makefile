# make demo     the whole chain on synthesised corpora, offline; prints the path of the report
# make test     every test
# make check    what CI runs: format, lint, imports, types, tests
# make bench    every measurement of bench/, or PART=prepare for one
# make rehearse prepare a corpus at full size, synthesised from a list of its file names:
#               CORPUS=esd MANIFEST=esd.csv [ALSO="further files"] [OPTIONS="--datasets my.yaml"]

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   ?= demo
# Two test processes of one thread each: with more threads than processors, torch's threads wait for each other.
TESTS  := HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

PART   ?= $(filter-out rehearse,$(basename $(notdir $(wildcard bench/*.py))))

.PHONY: demo test check format lint imports types bench rehearse clean

demo: $(VENV)/installed
	$(BIN)/emokit demo --out $(DEMO) --force

test: $(VENV)/installed
	$(TESTS)

check: lint imports types test

format: $(VENV)/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

imports: $(VENV)/installed
	$(BIN)/lint-imports

types: $(VENV)/installed
	$(BIN)/mypy
	$(BIN)/mypy bench/*.py

bench: $(VENV)/installed
	for part in $(PART); do OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python bench/$$part.py || exit 1; done

rehearse: $(VENV)/installed
	$(BIN)/python bench/rehearse.py $(CORPUS) $(MANIFEST) $(ALSO) $(OPTIONS)

clean:
	rm -rf $(VENV) demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable ".[dev]"
	touch $@
