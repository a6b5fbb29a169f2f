# `make help` lists the targets. Each sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup dataset test check lint types layers docs quality soak bench lock wheel clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then echo $$p; break; fi; done)
UV := $(shell command -v uv 2>/dev/null)

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: $(READY) ## make .venv with copydesk, its tests' and its checks' packages

$(READY): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "copydesk needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
ifneq ($(UV),)
	test -x $(BIN)/python || UV_PYTHON_DOWNLOADS=never $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --constraint requirements.lock --editable '.[dev]'
else
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
endif
	@touch $(READY)

dataset: $(READY) ## build the dataset dist/samples from seeds/ through the Prefect flow
	$(BIN)/copydesk ingest

test: $(READY) ## run the tests, on up to four cores
	$(BIN)/pytest -m "not soak" --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: CHECK := --check
check: test lint types layers docs quality ## the tests and all else that must hold

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

docs: $(READY) ## renew the generated pages (make docs CHECK=--check only compares)
	$(BIN)/python docs/generate.py $(CHECK)

quality: $(READY) ## score the labelling and hold it against quality.json
	$(BIN)/python benchmarks/quality.py

soak: $(READY) ## the long tests, and new examples for the promises
	$(BIN)/pytest -m "soak or hypothesis" --hypothesis-profile searching

lock: ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-annotate --no-header --upgrade pyproject.toml -o requirements.lock

wheel: $(READY) ## build the wheel
	$(BIN)/python -m build --wheel --outdir build/wheel .

clean: ## remove what was built, but not dist/
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
