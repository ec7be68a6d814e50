# Everything runs from .venv, made with whatever Python 3.11 or newer is there.
PYTHON ?= python3
BIN := .venv/bin
# One more than there are cores: tests of servers wait for these half of their time.
TESTERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

# What one process of tests compiles, the others and all servers read.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install install-test run lint check test test-stores audit packages lock screenshots bench conformance clients

# A Python without its venv package leaves half an environment, which must not count.
.DELETE_ON_ERROR:

install: .venv/.installed

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is %d.%d. Name another: make run PYTHON=/path/to/python3.11" % sys.version_info[:2])'
	@echo "Making .venv with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv .venv

.venv/.installed: requirements.lock .venv/bin/python
	@echo "Installing $$(grep -c '^[a-z]' $<) packages into .venv; this may take a minute or two."
	@$(BIN)/python -m pip install --progress-bar off --disable-pip-version-check --require-hashes -r $<
	@echo "Installed. The next start takes seconds."
	@touch $@

install-test: .venv/.installed-test

# It installs in 7 s of work what pip does in 47, and holds it to the same hashes.
.venv/bin/uv: requirements-test.lock .venv/bin/python
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-test.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r .venv/uv.lock
	@touch $@

# Nothing is compiled ahead: of ten thousand modules most are never imported. Where uv
# finds no way out, pip may know one: a mirror or a certificate of its own settings.
.venv/.installed-test: requirements-test.lock tests/e2e/runagents-sdk.lock .venv/bin/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-test.lock || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-test.lock
	rm -rf .venv/runagents-sdk
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --target .venv/runagents-sdk -r tests/e2e/runagents-sdk.lock
	touch $@ .venv/.installed

run: install
	@$(BIN)/python manage.py serve

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0

# What must be green before every commit: no servers, no browser.
check: lint
	$(BIN)/python -m pytest -q -n auto -m "not slow"

test: install-test
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder --durations=10

# Those of database and limits once more, on a PostgreSQL and a Redis.
test-stores: install-test
	$(BIN)/python -m tests.stores -n $(TESTERS) --dist loadfile --no-loadscope-reorder

.venv-build/.installed: requirements-build.lock
	@$(MAKE) --no-print-directory .venv/bin/uv
	@$(PYTHON) -m venv --without-pip .venv-build
	@$(BIN)/uv pip install --quiet --python .venv-build/bin/python --require-hashes -r $< || $(BIN)/python -m pip --python .venv-build/bin/python install --quiet --disable-pip-version-check --no-compile --require-hashes -r $<
	@touch $@

# Wheel, source, and the list of the packages that they need.
packages: .venv-build/.installed
	.venv-build/bin/python -m hatchling build -t wheel -t sdist -d dist
	.venv-build/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-file dist/sbom.cdx.json requirements.lock

# Known faults of the locked packages, and the list of them for whoever installs this.
audit: .venv-build/.installed
	.venv-build/bin/pip-audit --disable-pip --require-hashes -r requirements.lock
	@mkdir -p dist
	.venv-build/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-file dist/sbom.cdx.json requirements.lock

screenshots: install-test
	$(BIN)/python -m tests.screenshots

# What a call costs beside the floor (and peers): make bench ARGUMENTS="--quick".
bench: install-test
	$(BIN)/python -m tests.benchmarks $(ARGUMENTS)

# Hold the translation to its promises again and write docs/conformance.md.
conformance: install-test
	$(BIN)/python -m tests.conformance

# Let every client talk to every provider and write its table there.
clients: install-test
	$(BIN)/python -m tests.clients

# Resolve the dependencies again and write the locks.
lock: install-test
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra test pyproject.toml -o requirements-test.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra otel pyproject.toml -o requirements-otel.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --group build -o requirements-build.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header tests/clients/python/requirements.in -o tests/clients/python/requirements.lock
