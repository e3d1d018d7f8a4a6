# make tour: everything on one page.   make test: is it true?   The others: make help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOUR ?= pellucid-tour
CORE := .[photos,segment,atlas]

.DEFAULT_GOAL := help
.NOTPARALLEL:  # two installers at once would break each other's .venv
.PHONY: help setup tour test lint docs bench web package package-test clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.dev  ## .venv with everything that users and developers need

tour: $(VENV)/.core  ## the main job: one page that shows what a real network sees
	$(BIN)/pellucid tour --out $(TOUR)

test: $(VENV)/.dev lint  ## types, format and all tests
	@command -v chromium >/dev/null || echo "Tests in a real browser are left out: apt-get install chromium"
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev  ## types and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy

docs: $(VENV)/.docs  ## the manual, with generated help and pictures, in site/
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

bench: $(VENV)/.dev  ## the README's figures, measured here
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

web: $(VENV)/.dev  ## the lab: everything on a page, for this machine only
	$(BIN)/pellucid lab

package: $(VENV)/.dev  ## dist/: the source, and the wheel that is made from it
	rm -rf dist build/source && mkdir -p build/source
	$(BIN)/python -m hatchling build -t sdist -d dist
	tar -xzf dist/*.tar.gz -C build/source --strip-components=1
	cd build/source && $(abspath $(BIN))/python -m hatchling build -t wheel -d $(CURDIR)/dist

package-test: package  ## that wheel, with the newest of all it needs, in an empty environment
	rm -rf build/empty && mkdir -p build/empty/here
	@if command -v uv >/dev/null 2>&1; then \
	    uv venv --quiet --python $(PYTHON) build/empty/env && \
	    uv pip install --quiet --python build/empty/env/bin/python --compile-bytecode dist/*.whl; \
	else \
	    $(PYTHON) -m venv build/empty/env && \
	    build/empty/env/bin/python -m pip install --quiet --disable-pip-version-check --compile dist/*.whl; \
	fi
	cd build/empty/here && ../env/bin/pellucid doctor && ../env/bin/pellucid tour --quick

clean:  ## forget everything that was made
	rm -rf $(VENV) $(TOUR) site build dist docs/methods docs/coming-from docs/gallery.md docs/comparison.md docs/zh/methods docs/zh/coming-from docs/zh/gallery.md docs/zh/comparison.md .mypy_cache .ruff_cache .pytest_cache

# Bytecode is compiled at install: importing torchvision takes half as long with it.
define install
	@if command -v uv >/dev/null 2>&1; then \
	    { test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV); } && \
	    uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt $(1); \
	else \
	    { test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV); } && \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --compile -c constraints.txt $(1); \
	fi
endef

$(VENV)/.core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pellucid needs Python 3.11 or newer")'
	@echo "Setting up $(VENV) (once; torch is large)"
	$(call install,-e '$(CORE)')
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(call install,-e '.[dev]')
	@touch $@

$(VENV)/.docs: $(VENV)/.core
	$(call install,-e '.[docs]')
	@touch $@
