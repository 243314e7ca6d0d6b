# Every step that people and CI take is a target here; `make` alone lists them.
# Each target does its own set-up: on a fresh machine `make run` and `make test` need nothing before.

PYTHON ?= python3
BIN := .venv/bin
MODELS_BIN := .venv-models/bin
PROTOS_BIN := .venv-protos/bin

.DEFAULT_GOAL := help
.PHONY: help setup run models test unit serving-test lint format protos protos-check bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

run: setup models ## bring up a server that recognises people, on 127.0.0.1:50051
	$(BIN)/facewire-server run

test: lint protos-check unit serving-test ## everything that must hold (what CI runs)

setup: .venv/.done ## make the virtual environment of server, SDK and tools

models: .venv-models/.done ## build the two SavedModels, once
	@$(MODELS_BIN)/python -m facewire_serving.export --out models

unit: setup models ## unit, contract and integration tests
	$(BIN)/python -m pytest

serving-test: models ## tests of the exporter and the servables, in TensorFlow
	$(MODELS_BIN)/python -m pytest tests/serving

lint: setup ## format check, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy server/facewire_server clients/python/facewire

format: setup ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

protos: .venv-protos/.done ## regenerate the stubs
	tools/generate_stubs.sh $(PROTOS_BIN)/python .

protos-check: .venv-protos/.done ## the contract is clean, compatible, and its stubs are current
	tools/check_protos.sh $(PROTOS_BIN)

bench: setup models ## measure; see bench/README.md for one command each
	$(BIN)/python -m bench

clean: ## remove what was built; keep data/ (the gallery)
	rm -rf .venv .venv-models .venv-protos models build

.venv/.done: requirements/dev.txt server/pyproject.toml clients/python/pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e clients/python -e server
	@touch $@

.venv-models/.done: serving/requirements.txt serving/pyproject.toml
	$(PYTHON) -m venv .venv-models
	$(MODELS_BIN)/pip install --quiet -r serving/requirements.txt
	$(MODELS_BIN)/pip install --quiet --no-deps --no-build-isolation -e serving
	@touch $@

.venv-protos/.done: requirements/protos.txt
	$(PYTHON) -m venv .venv-protos
	$(PROTOS_BIN)/pip install --quiet -r requirements/protos.txt
	@touch $@
