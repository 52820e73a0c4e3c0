# make demo: the whole way once, on a real engine. make test: everything that CI checks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENGINE ?= camunda-7.24.0
STAMP := $(VENV)/.installed

.PHONY: demo test lint types layers pytest engines battery bench docs screenshots completions clean

demo: $(STAMP)
	$(BIN)/python -m demo --engine $(ENGINE)

test: lint types layers pytest

lint: $(STAMP)
	$(BIN)/ruff format --check cli core tests demo docs completions benchmarks
	$(BIN)/ruff check cli core tests demo docs completions benchmarks

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

pytest: $(STAMP)
	$(BIN)/pytest -m "not family"

# Every release of the family; before an issue is resolved.
engines: $(STAMP)
	$(BIN)/pytest -m "family or engine"

# Fuller doses of the property tests and of the batteries; `make battery SEED=...` repeats what one has printed.
battery: SEED := $(or $(SEED),$(shell date +%s))
battery: $(STAMP)
	TELEMETRY_BATTERY_DOSE=20 $(BIN)/pytest -q tests/core -k "counting or lives or year" --hypothesis-seed=$(SEED)
	TELEMETRY_BATTERY_DOSE=20 TELEMETRY_BATTERY_SEED=$(SEED) $(BIN)/pytest -q tests/batteries

# Ratios, minutes long; each benchmark says what it found and fails where a target is missed.
bench: $(STAMP)
	$(BIN)/python -m benchmarks.meter_rows
	$(BIN)/python -m benchmarks.harm
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.collector

# What is generated: the reference in docs/.
docs: $(STAMP)
	$(BIN)/python -m docs.generate

# Pictures of the administration page, with a real engine and the system's Chromium; look at them.
screenshots: $(STAMP)
	$(BIN)/python -m docs.screenshots

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make virtual environments. On Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $(STAMP)

completions: $(STAMP)
	$(BIN)/python -m completions.generate

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/engines/build
