# What can be done here; `make` alone lists it. Everything but Python, make and git is set up when first needed.
MOTCUA := .venv/bin/motcua
READY := .venv/.ready
SHELL := /bin/sh
# Where this is set, every process compiles all that it imports anew: 3,000 files, half of its start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up down status logs clean test check prove bench verify-log audit docs format lock

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## Set everything up and lead dossiers through every ending, then prove it (DOSSIERS=500)
	@$(MOTCUA) demo

up: $(READY) ## Start the whole stack and print its links
	@$(MOTCUA) up

down: ## Stop everything; data stays
	@if [ -x $(MOTCUA) ]; then $(MOTCUA) down; else echo "Nothing was running."; fi

status: $(READY) ## Show every process: address, health, uptime, memory, restarts
	@$(MOTCUA) status || true

logs: $(READY) ## Show the logs (NAME=intake for one process, FOLLOW=1 to go on)
	@$(MOTCUA) logs $(NAME) $(if $(FOLLOW),--follow)

clean: ## Stop everything and delete .run with all its data
	@if [ -x $(MOTCUA) ]; then $(MOTCUA) clean; else rm -rf .run; fi

test: $(READY) ## Check, then run all tests on private servers (also when a check failed)
	@$(MOTCUA) packages --tests
	@$(MAKE) --no-print-directory check; checked=$$?; .venv/bin/pytest && exit $$checked

check: $(READY) ## Format, lint, types, import contracts, dependencies, generated documents
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/pyrefly check --summary=none
	@.venv/bin/lint-imports
	@.venv/bin/deptry .
	@$(MOTCUA) docs --check

prove: $(READY) ## Run the proofs at full size (million-case calendar, 100,000 scans, …; minutes each)
	@$(MOTCUA) packages --tests
	@.venv/bin/pytest -m large -n 0

bench: $(READY) ## Measure its speed, each figure beside a ceiling of the same run
	@$(MOTCUA) bench

verify-log: $(READY) ## Verify the transaction log of the local stack, offline
	@$(MOTCUA) log verify

audit: $(READY) ## Check locks, licences and known holes of libraries; write a bill of materials (STRICT=1: fail when unknown)
	@$(MOTCUA) audit $(if $(STRICT),--strict)

docs: $(READY) ## Generate the documents that are written from the code
	@$(MOTCUA) docs

format: $(READY) ## Format the code and mend what can be mended
	@.venv/bin/ruff check --quiet --fix .
	@.venv/bin/ruff format --quiet .

lock: $(READY) ## Resolve the lock files anew from pyproject.toml
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml -o requirements/runtime.lock
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements/dev.lock

$(READY): requirements/dev.lock pyproject.toml deploy/local/bootstrap.sh
	@sh deploy/local/bootstrap.sh
