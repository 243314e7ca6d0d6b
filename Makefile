# Every step that people and CI take is a target here; `make` alone lists them.
# Each target does its own set-up: on a fresh machine `make run` and `make test` need nothing before.

PYTHON ?= python3
BIN := .venv/bin
MODELS_BIN := .venv-models/bin
SDK_MIN_BIN := .venv-sdk-min/bin
PROTOS_BIN := .venv-protos/bin
DOCS_BIN := .venv-docs/bin
ENVIRONMENTS := .venv/.tools .venv-models/.done .venv-sdk-min/.done .venv-protos/.done .venv-docs/.done
PIP_INSTALL := pip install --quiet --disable-pip-version-check
COMPOSE ?= docker compose
PROFILE ?= cpu
MODEL_FAULTS := tests/integration/test_served_faults.py tests/integration/test_failing_replicas.py
COMMANDS := $(wildcard $(addprefix tests/integration/test_,cli.py cli_*.py mqtt.py frigate.py rtsp.py proxies*.py grpcurl.py demo.py examples.py evaluate.py token_command.py))
TEST_JOBS ?= 3 # suites wait more than they compute

# Python keeps what it has compiled, also where a base image turns that off (PYTHONDONTWRITEBYTECODE=1): else each of the
# hundreds of processes that the tests start compiles all that it imports, which is 1.1 s of a processor for a server.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup environments run run-server demo serving models graphs test unit integration commands console-test model-faults coverage serving-test sdk-compat cpp firmware lint format protos protos-check descriptors pins docs bench images up down images-test clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

run: models ## bring up a server that recognizes people, on 127.0.0.1:50051, and a page on http://127.0.0.1:5000
	@$(BIN)/python -m tools.run

run-server: models ## bring up the server alone
	$(BIN)/facewire-server run

demo: models ## the whole system on a film of one picture; or FOLDER=people/ CLIP=film.mp4
	$(BIN)/python -m tools.demo "$(FOLDER)" "$(CLIP)"

test: environments ## everything that must hold (what CI runs), three suites at a time
	@$(MAKE) --no-print-directory --jobs=$(TEST_JOBS) --output-sync=line \
	  integration commands unit console-test model-faults sdk-compat serving-test firmware lint protos-check docs coverage

setup: .venv/.tools ## make the virtual environment of server, SDK and tools

environments: ## make all virtual environments, at the same time
	@$(MAKE) --no-print-directory --jobs=$(words $(ENVIRONMENTS)) --output-sync=target $(ENVIRONMENTS)

serving: models .venv-models/.done ## stand-ins for TensorFlow Serving: embedding on :8500, mtcnn on :8501
	@$(MODELS_BIN)/python -m facewire_serving.model_server \
	  --port=8501 --model_name=mtcnn --model_base_path=models/mtcnn & \
	trap "kill $$!" EXIT; \
	$(MODELS_BIN)/python -m facewire_serving.model_server \
	  --port=8500 --model_name=embedding --model_base_path=models/embedding

models: .venv/.done ## build the two SavedModels, once
	@$(BIN)/facewire-models --out models

graphs: .venv-models/.done ## write the graphs of the servables again, in TensorFlow
	$(MODELS_BIN)/python -m facewire_serving.export

unit: setup models .venv-models/.done ## tests of units, ports and architecture
	$(BIN)/python -m coverage run --parallel-mode -m pytest tests/unit tests/ports tests/architecture

integration: setup models .venv-models/.done ## tests of real servers and clients
	$(BIN)/python -m coverage run --parallel-mode -m pytest tests/integration $(addprefix --ignore=,$(MODEL_FAULTS) $(COMMANDS))

commands: setup models .venv-models/.done ## tests of commands, brokers, cameras and proxies beside real servers, apart so that `test` runs them beside others
	$(BIN)/python -m coverage run --parallel-mode -m pytest $(COMMANDS)

console-test: setup models .venv-models/.done ## tests of the console, its other doors, and its page in a real browser
	$(BIN)/python -m coverage run --parallel-mode -m pytest tests/console tests/compreface tests/browser

model-faults: setup models .venv-models/.done ## tests of model servers that fail, apart so that `test` runs them beside others
	$(BIN)/python -m coverage run --parallel-mode -m pytest $(MODEL_FAULTS)

coverage: unit integration commands model-faults console-test ## which lines these ran, with a floor
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

serving-test: models .venv-models/.done ## tests of the exporter and the servables, in TensorFlow
	$(MODELS_BIN)/python -m pytest tests/serving

sdk-compat: setup models .venv-sdk-min/.done ## the client's tests beside the oldest grpcio, protobuf, ... that it takes
	$(BIN)/python -m tools.sdk_compat $(SDK_MIN_BIN)/python -q

cpp: setup ## build the C++ client and its program camera in build/cpp; root gets Debian's packages for it
	tools/debian_packages.sh
	$(BIN)/python -m harness.cpp_build

firmware: setup models ## tests of the firmware clients, which are skipped, by name, without a compiler and gRPC's headers
	$(BIN)/python -m pytest tests/firmware

lint: setup ## format check, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy server/facewire_server clients/python/facewire clients/python/examples clients/console/facewire_console serving/facewire_serving tools harness bench tests

format: setup ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

protos: .venv-protos/.done ## regenerate the stubs
	tools/generate_stubs.sh $(PROTOS_BIN)/python .

protos-check: .venv-protos/.done ## the contract is clean, compatible, and its stubs are current
	tools/check_protos.sh $(PROTOS_BIN)

descriptors: .venv/.done ## write the contract as build/facewire.binpb, which Envoy needs for JSON
	$(BIN)/python tools/descriptor_set.py build/facewire.binpb

pins: ## write the hashes of all pinned packages again, after a version was changed
	tools/pin_hashes.sh

docs: .venv-docs/.done ## build the site into build/site; a warning fails it
	NO_MKDOCS_2_WARNING=1 $(DOCS_BIN)/mkdocs --quiet build --strict

bench: setup models .venv-models/.done ## measure; see bench/README.md for one command each
	$(BIN)/python -m bench

images: ## PROFILE=cpu or gpu: build the container images of compose.yaml
	$(COMPOSE) --profile $(PROFILE) build

up: $(if $(filter cpu,$(PROFILE)),models) ## PROFILE=cpu or gpu: server and both models in containers
	$(COMPOSE) --profile $(PROFILE) up --build --detach --wait

down: ## take the containers down; keep the gallery
	$(COMPOSE) --profile cpu --profile gpu --profile console down

images-test: setup ## build and run the containers for real; root, podman, minutes: see the script
	tools/images_test.sh .venv

clean: ## remove what was built; keep data/ (the gallery)
	rm -rf .venv .venv-models .venv-sdk-min .venv-protos .venv-docs models build .coverage .coverage.*

# What runs. Not compiled: Python compiles what is imported when it is imported first.
.venv/.done: requirements/run.txt server/pyproject.toml clients/python/pyproject.toml clients/console/pyproject.toml serving/pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/$(PIP_INSTALL) --no-deps --no-compile --require-hashes -r requirements/run.txt
	$(BIN)/$(PIP_INSTALL) --no-deps --no-build-isolation -e clients/python -e clients/console -e server -e serving
	@touch $@

# What tests, on top of it.
.venv/.tools: .venv/.done requirements/dev.txt requirements/compreface.txt
	$(BIN)/$(PIP_INSTALL) --no-deps --require-hashes -r requirements/dev.txt -r requirements/compreface.txt
	@touch $@

.venv-models/.done: serving/requirements.txt serving/requirements-tests.txt serving/pyproject.toml
	$(PYTHON) -m venv .venv-models
	$(MODELS_BIN)/$(PIP_INSTALL) --no-deps --require-hashes -r serving/requirements.txt -r serving/requirements-tests.txt
	$(MODELS_BIN)/$(PIP_INSTALL) --no-deps --no-build-isolation -e serving
	@touch $@

.venv-sdk-min/.done: requirements/sdk-min.txt
	$(PYTHON) -m venv .venv-sdk-min
	$(SDK_MIN_BIN)/$(PIP_INSTALL) --no-deps --require-hashes -r requirements/sdk-min.txt
	@touch $@

.venv-protos/.done: requirements/protos.txt
	$(PYTHON) -m venv .venv-protos
	$(PROTOS_BIN)/$(PIP_INSTALL) --no-deps --require-hashes -r requirements/protos.txt
	@touch $@

.venv-docs/.done: requirements/docs.txt
	$(PYTHON) -m venv .venv-docs
	$(DOCS_BIN)/$(PIP_INSTALL) --no-deps --require-hashes -r requirements/docs.txt
	@touch $@
