# Everything runs on a machine with Python 3.11, pip and make; nothing else is assumed.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test check bench rules mutation clean

setup: .venv/.ready

.venv/.ready: uv.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv sync --frozen --inexact --quiet --compile-bytecode
	touch .venv/.ready

demo: setup
	$(BIN)/python -m bot demo $(DEMO)

test: setup
	$(BIN)/python -m pytest -n 2

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

bench: setup
	$(BIN)/uv sync --frozen --inexact --quiet --group bench
	$(BIN)/python -m benchmarks $(BENCH)

rules: setup
	$(BIN)/python -c "from handlers.rules_page import page; from handlers.menu import protocols; print(page(protocols()), end='')" > docs/rules.md
	$(BIN)/python -c "from reminders.page import page; print(page(), end='')" > docs/timetable.md

mutation: setup
	$(BIN)/python -m tests.mutation $(MODULES)

clean:
	rm -rf .venv demo-data .mypy_cache .ruff_cache .import_linter_cache .hypothesis
