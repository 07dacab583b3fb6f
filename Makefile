# `make run`: the demo hospital on http://127.0.0.1:8000. `make test`: every test. `make check`: everything else too.
# PORT and VAR (the data folder) may be set for `make run`; docs/settings.md lists the rest.

PORT ?= 8000
VAR ?= var
DEMO ?= 1
PYTEST ?= -q
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MACHINE := $(VENV)/.machine
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
PRODUCTION := DEMO=0 DATABASE_URL=postgresql://check@localhost/check ALLOWED_HOSTS=example.org \
	SECRET_KEY=only-for-the-deployment-check-nothing-is-started-with-it-0123456789

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check screenshots messages clean

run: $(STAMP)
	@PORT="$(PORT)" VAR="$(VAR)" DEMO="$(DEMO)" exec $(BIN)/python -m maira_web.run

test: $(STAMP) $(MACHINE)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	DEMO=1 VAR=var/tests $(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(MAKE) test

screenshots: $(STAMP) $(MACHINE)
	$(BIN)/python -m tests.ops.screenshots docs/screenshots

messages: $(STAMP)
	$(BIN)/python manage.py makemessages --locale ja --no-obsolete --no-location
	$(BIN)/python -m maira_web.messages

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var/tests

# The virtual environment: made when missing, brought up to date when a requirement changed.
$(STAMP): requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install python3.11 and python3.11-venv."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is too old: Python 3.11 or later is needed."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

# What the tests use beyond Python. Where it may not be installed, the tests say what they miss.
$(MACHINE): .ci/system
	@.ci/system
	@touch $@
