# Everything runs from .venv, made from the lock, so that each machine gets what was tested.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
AIRFLOW := build/airflow/.installed
QUICK  ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test test-long test-airflow lint types layers check real notebooks lock clean bench-demo bench-world bench-explain bench-features bench-exploration bench-lifecycle bench-maturity bench-leaks bench-monitor bench-promise bench-quality bench-score bench-serve bench-train

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "leadlight needs Python 3.11 to 3.13; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP)  ## Create .venv from the lock

demo: install  ## Generate a demo world and run the main job on it, end to end
	$(BIN)/leadlight demo

# A file stays with one worker, whose fixtures it shares.
test: install  ## Run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-long: install  ## The tests that take a minute or more
	$(BIN)/python -m pytest -m long

# Airflow's pins collide with ours.
$(AIRFLOW): tests/airflow.lock $(STAMP)
	$(BIN)/uv venv --quiet --clear --no-python-downloads --python $(BIN)/python $(@D)
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python --require-hashes -r tests/airflow.lock
	@touch $@

test-airflow: $(AIRFLOW)  ## Read and run the example DAG by the real Airflow, in its own environment
	LEADLIGHT_AIRFLOW=$(<D)/bin/python $(BIN)/python -m pytest -m airflow tests/test_airflow_example.py

lint: install  ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# mypy reads the packages under their import name through these git-ignored links.
build/types:
	@mkdir -p build/types/leadlight
	@for room in features models pipelines; do ln -sfn ../../../$$room build/types/leadlight/$$room; done

types: install build/types  ## mypy, strict
	$(BIN)/mypy

layers: install  ## pipelines > models > features
	$(BIN)/lint-imports

check: lint types layers test  ## All of the above

real: install  ## Train, score and report the four public data sets; print the README's table
	$(BIN)/python benchmarks/real.py

notebooks: install  ## Execute the notebooks and keep their pictures
	$(BIN)/python notebooks/refresh.py

bench-demo: install  ## Time and memory of each stage of the main job (QUICK=--quick)
	$(BIN)/python benchmarks/demo.py $(QUICK)

bench-world: install  ## Events a second of the demo world's generator (QUICK=--quick)
	$(BIN)/python benchmarks/world.py $(QUICK)

bench-explain: install  ## Exact reasons a second, beside SHAP, LightGBM, XGBoost and EBM (QUICK=--quick)
	$(BIN)/python benchmarks/explain.py $(QUICK)

bench-features: install  ## Features of 1, 10 and 50 million events beside other tools (QUICK=--quick)
	$(BIN)/python benchmarks/features.py $(QUICK)

bench-exploration: install  ## What training learns where only followed leads can be won (QUICK=--quick)
	$(BIN)/python benchmarks/exploration.py $(QUICK)

bench-lifecycle: install  ## 90 nights of states: who flaps, how fast leads move (QUICK=--quick)
	$(BIN)/python benchmarks/lifecycle.py $(QUICK)

bench-maturity: install  ## Young snapshots dropped or weighted, against the true probabilities (QUICK=--quick)
	$(BIN)/python benchmarks/maturity.py $(QUICK)

bench-leaks: install  ## Leaks found and false alarms, in made-up worlds and public data (QUICK=--quick)
	$(BIN)/python benchmarks/leaks.py $(QUICK)

bench-monitor: install  ## Faults named and false alarms of the monitor, on demo worlds (QUICK=--quick)
	$(BIN)/python benchmarks/monitor.py $(QUICK)

bench-promise: install  ## Promised precision and capacity against the true probabilities (QUICK=--quick)
	$(BIN)/python benchmarks/promise.py $(QUICK)

bench-quality: install  ## leadlight beside plain models and AutoML on identical splits (QUICK=--quick)
	$(BIN)/python benchmarks/quality.py $(QUICK)

bench-score: install  ## The nightly job on a million leads, stage by stage (QUICK=--quick)
	$(BIN)/python benchmarks/score.py $(QUICK)

bench-serve: install  ## One lead over HTTP, as a caller waits for it (QUICK=--quick)
	$(BIN)/python benchmarks/serve.py $(QUICK)

bench-train: install  ## Time and memory of training, beside one plain fit (QUICK=--quick)
	$(BIN)/python benchmarks/train.py $(QUICK)

lock: install  ## Resolve the lock anew (versions and hashes only)
	$(BIN)/uv pip compile pyproject.toml --group dev --extra hubspot --extra postgres --extra s3 --extra salesforce --extra serve --extra spark --extra xlsx --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --upgrade -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra hubspot --extra postgres --extra s3 --extra salesforce --extra serve --extra xlsx --universal --python-version 3.11 \
	  --constraint requirements.lock --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements-run.lock
	echo apache-airflow | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --upgrade -o tests/airflow.lock

clean:  ## Remove what can be made anew
	rm -rf build dist demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
