# The two commands of the README, and what they need. Each sets up .venv once; a second run reinstalls nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: matrix test lint gate baseline site benchmark live-local live-litellm live-gateway clients clean

matrix: $(READY)
	@$(BIN)/wirecheck matrix --against reports/data

test: $(READY)
	$(BIN)/python -m pytest -n auto -q tests

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/wirecheck fixtures build --check
	$(BIN)/wirecheck scan fixtures
	$(BIN)/wirecheck docs --check

gate: $(READY)
	$(BIN)/wirecheck gate build/matrix/results.jsonl --against reports/data --expected reports/expected.toml

baseline: matrix
	$(BIN)/wirecheck baseline build/matrix/results.jsonl --to reports/data

site: $(READY) build/matrix/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict   # with --quiet it would pass over broken links
	@echo $(CURDIR)/site/index.html

build/matrix/index.html: | $(READY)
	@$(BIN)/wirecheck matrix || test $$? -eq 1   # 1: a check failed, which the matrix shows

clients: $(READY)
	@$(BIN)/wirecheck clients

live-local: $(READY)
	@.ci/live-local/run

live-litellm: $(READY)
	@.ci/live-litellm/run

live-gateway: $(READY)
	$(BIN)/wirecheck subject install litellm-proxy
	@$(BIN)/wirecheck run --subject litellm-proxy --results build/live-gateway/results.jsonl || test $$? -eq 1

benchmark:
	@$(PYTHON) benchmarks/run.py

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "wirecheck needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	@touch $(READY)

clean:
	rm -rf $(VENV) build site
