# Archivist: every command of the project. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)/.peers
export HF_HUB_OFFLINE := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format types imports fast faults leaks mutants bench eval tune samples system-packages clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(READY) ## Make the virtual environment with pinned dependencies

$(READY): pyproject.toml deploy/constraints.txt
	@$(PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 11)' 2>/dev/null || { echo "Archivist needs Python 3.11 (set PYTHON=/path/to/python3.11)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint deploy/constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY) ## Start everything, ingest the sample company and ask it questions (DEMO_EXIT=1: check the output and exit)
	@$(BIN)/archivist demo $(if $(DEMO_EXIT),--exit)

test: $(READY) system-packages ## Run the whole test suite
	$(BIN)/python -m tests.side_by_side $(PYTEST_ARGS)

check: $(READY) lint types imports fast ## Lint, types, import contracts and the fast tests

lint: $(READY) ## Check format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(READY) ## Check types
	$(BIN)/mypy

imports: $(READY) ## Check who may import whom
	$(BIN)/lint-imports

fast: $(READY) ## Run the fast tests
	$(BIN)/pytest -q -m "not slow and not e2e and not models and not postgres"

faults: $(READY) ## Kill the ingestion at 50 random moments and the API at 20 (KILLS_INGESTION, KILLS_API)
	ARCHIVIST_TEST_KILLS=$(or $(KILLS_INGESTION),50) $(BIN)/pytest -q tests/pipelines/dagster/test_kills.py
	ARCHIVIST_TEST_KILLS=$(or $(KILLS_API),20) $(BIN)/pytest -q tests/e2e/test_killed_api.py

leaks: $(READY) ## Prove permissions: 100,000 trials, races, pairs of worlds (LEAK_TRIALS, LEAK_SEED); writes reports/leaks.json
	$(BIN)/python -m tests.permissions.leaks

mutants: $(READY) ## Break each guard and see a test catch it; writes reports/mutants.json
	$(BIN)/python -m tests.permissions.mutants

bench: $(READY) ## Measure latency, ingestion and memory; writes reports/bench.json
	$(BIN)/python -m tests.benchmarks.run

eval: $(PEERS) ## Measure ranking on judged collections, beside its peers; writes reports/eval.json and reports/eval.html
	$(BIN)/python -m retrieval.evaluation.run
	$(BIN)/python -m retrieval.evaluation.answers.run

tune: $(READY) ## Show what was tuned on what, and the fusion's weight on tuning queries
	$(BIN)/python -m retrieval.evaluation.tune

$(PEERS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint deploy/constraints.txt --editable '.[dev,peers]'
	@touch $(PEERS)

samples: $(READY) ## Make the sample company's binary files again (needs LibreOffice)
	$(BIN)/python data/build_samples.py

system-packages: ## Install the Debian packages that tests use, where that is possible
	@deploy/system-packages

clean: ## Remove the virtual environment and everything Archivist keeps here
	rm -rf $(VENV) .archivist .cache reports
