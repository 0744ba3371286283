# The verbs of the project: `make help` lists them. Every verb does its own set-up in .venv, once.
SHELL = /bin/sh
PYTHON ?= python3
# What is tested here; the package itself takes a wide range (pyproject.toml).
TORCH ?= torch==2.14.1 torchvision==0.29.1

VENV = .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
DOCS = .venv-docs
CODE = src tests benchmarks examples tools distributions
BENCHMARKS = inference train_step memory data cold_start ops runtimes
RESULTS = benchmarks/results

.PHONY: help demo test fmt lint one golden docs bench check clean

help:  ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: $(READY)  ## swap, mix and edit with the models in the box; writes demo/overview.png
	$(BIN)/python -m swapae demo --force

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest

fmt: $(READY)  ## put the code into its one format
	$(BIN)/python -m ruff format $(CODE)
	$(BIN)/python -m ruff check --fix $(CODE)

lint: $(READY)  ## format, style, types, import floors
	$(BIN)/python -m ruff format --check $(CODE)
	$(BIN)/python -m ruff check $(CODE)
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

one: $(READY)  ## one test: make one T=tests/test_config.py::name
	$(BIN)/python -m pytest -x $(T)

golden: $(READY)  ## only the tests against the golden files
	$(BIN)/python -m pytest -k golden

docs: $(DOCS)/.ready  ## build the documentation into site/: open site/index.html, or serve the folder
	$(DOCS)/bin/python -m tools.site

bench: $(READY)  ## race the package against the published operations, about an hour; writes docs/benchmarks.md
	mkdir -p $(RESULTS)
	for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name --json || exit 1; done > $(RESULTS)/new.jsonl
	mv $(RESULTS)/new.jsonl $(RESULTS)/latest.jsonl
	$(BIN)/python -m benchmarks.table $(RESULTS)/latest.jsonl

check: lint  ## all that is checked besides the tests

clean:  ## remove the environment, caches and build outputs
	rm -rf $(VENV) $(DOCS) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist site
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# Pages need no torch: of pyproject.toml only what the extra `docs` lists.
$(DOCS)/.ready: pyproject.toml
	test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' > $(DOCS)/needs.txt
	$(DOCS)/bin/python -m pip install -r $(DOCS)/needs.txt
	touch $(DOCS)/.ready

$(READY): pyproject.toml Makefile hatch_build.py $(wildcard src/swapae/native/source/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "swapae needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(TORCH)
	$(BIN)/python -m pip install -e '.[dev]'
	touch $(READY)
