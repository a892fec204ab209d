# Two commands matter: `make demo` and `make test`. Both make their own virtual environment in .venv.
# Everything comes from package registries by their ordinary clients; constraints.txt pins the versions.

# The first that runs: a version manager leaves commands on the path for versions that are not switched on.
PYTHON ?= $(firstword $(foreach name,python3.12 python3.11 python3.13 python3,$(shell $(name) -c '' 2>/dev/null && command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test unit faults bench lint format models schemas clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.demo ## run the whole engine on this machine: embedded Kafka broker and Triton, generated traffic
	@$(BIN)/sekisho demo $(ARGS)

test: $(VENV)/.dev ## lint, types and all tests with coverage
	@deploy/setup/run_tests.sh $(BIN)

unit: $(VENV)/.dev ## unit and property tests only
	@$(BIN)/python -m pytest tests/unit -q $(ARGS)

faults: $(VENV)/.dev ## break a running engine on three Kafka brokers at random for an hour and prove that nothing was lost
	@$(BIN)/python -m tests.faults $(ARGS)

bench: $(VENV)/.bench ## measure everything side by side for some hours (ARGS="--list", ARGS="--only rules"), write docs/results/benchmarks.md
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(VENV)/.dev ## ruff (with its security rules), format check, mypy, known vulnerabilities of the pinned packages
	@deploy/setup/lint.sh $(BIN)

format: $(VENV)/.dev ## rewrite the files as the formatter wants them
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

models: $(VENV)/.dev ## train the shipped models anew and export them to triton_repo (about 10 minutes on 2 cores)
	@$(BIN)/python -m models.ship --out triton_repo $(ARGS)

schemas: $(VENV)/.dev ## write docs/schemas and docs/asyncapi.yaml from the types
	@$(BIN)/python -m streams.schemas docs

clean: ## remove the virtual environment and what the servers left
	rm -rf $(VENV) .sekisho .coverage .coverage.*

# The demo's environment has no torch. Standard output belongs to the demo (--json), so the set-up speaks on stderr.
$(VENV)/.demo: pyproject.toml constraints.txt deploy/setup/venv.sh
	@deploy/setup/venv.sh "$(PYTHON)" $(VENV) demo >&2
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@deploy/setup/venv.sh "$(PYTHON)" $(VENV) dev >&2
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@deploy/setup/venv.sh "$(PYTHON)" $(VENV) bench >&2
	@touch $@
