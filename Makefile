# Every target sets up what it needs. You need a clone, Python 3.11+, pip and make.
.DEFAULT_GOAL := help
.PHONY: help setup demo test soak check fix build docs bench lock

BIN := .venv/bin
SAM := AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-eu-west-1} SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam
PIP_INSTALL := -m pip install -qq --disable-pip-version-check --no-deps
BUILD_DOCS := .venv-docs/bin/sphinx-build --quiet --fresh-env --write-all --fail-on-warning --keep-going docs build/docs
LOCK := uv pip compile --quiet --generate-hashes --no-header
LOCK_LAMBDA := $(LOCK) --python-version 3.13 --python-platform aarch64-manylinux_2_28 --constraint requirements/dev.txt

# A version manager's shim on PATH may not run, so each Python is tried by running it.
define FIND_PYTHON
for python in python3.13 python3.12 python3.11 python3; do \
	if "$$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; python=; \
done; \
test -n "$$python" || { echo "Tidegate needs Python 3.11 or newer on PATH; none was found." >&2; exit 1; }
endef

define FIND_PYTHON39
for python in python3.9 "$$HOME"/.pyenv/versions/3.9.*/bin/python3.9; do \
	if "$$python" -c 'import venv' 2>/dev/null; then break; fi; python=; \
done
endef

# Debian's Python has no ensurepip without python3-venv; its pip can still fill the environment.
define MAKE_VENV
$(@D)/bin/python -m pip --version >/dev/null 2>&1 \
	|| "$$python" -m venv --clear $(@D) >/dev/null 2>&1 \
	|| { "$$python" -m venv --clear --without-pip $(@D) && "$$python" -m pip --python $(@D)/bin/python install -qq pip; } \
	|| { echo "$$python cannot make a virtual environment; install its venv module (Debian: python3-venv)." >&2; exit 1; }
endef

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready .venv-glue/.ready .venv-sam/.ready .venv-docs/.ready  ## set up the environments of the other targets

demo: .venv/.ready .venv-glue/.ready  ## land real DMS files on the local stack and watch the table follow
	@$(BIN)/python -m demo.run

test: .venv/.ready .venv-glue/.ready  ## run the tests
	@$(BIN)/python -m pytest -n 6 --dist loadscope --no-loadscope-reorder

soak: .venv/.ready .venv-glue/.ready  ## search for histories and faults that break a guarantee; takes hours
	@TIDEGATE_EXAMPLES=$${TIDEGATE_EXAMPLES:-5000} TIDEGATE_ALL_FAULTS=1 $(BIN)/python -m pytest -n 4 --dist loadscope --no-loadscope-reorder tests/property tests/e2e/faults

check: .venv/.ready .venv-sam/.ready .venv-docs/.ready  ## check style, types, imports, template, contracts and docs; changes nothing
	@echo "code: style (ruff)"
	@$(BIN)/ruff check --quiet
	@echo "code: layout (ruff format)"
	@$(BIN)/ruff format --check --quiet
	@echo "code: types (mypy --strict)"
	@$(BIN)/mypy
	@echo "code: imports (import-linter)"
	@$(BIN)/lint-imports --no-cache --no-logo
	@echo "glue_jobs: nothing newer than Python 3.9"
	@$(BIN)/python -c 'import ast, sys; [ast.parse(open(path).read(), path, feature_version=(3, 9)) for path in sys.argv[1:]]' glue_jobs/*.py
	@echo "statemachines: valid JSON"
	@for file in statemachines/*.json; do $(BIN)/python -m json.tool "$$file" /dev/null || exit 1; done
	@echo "template.yaml: cfn-lint"
	@$(BIN)/cfn-lint template.yaml
	@echo "template.yaml: sam validate --lint"
	@$(SAM) validate --lint
	@echo "tables: contracts"
	@$(BIN)/tidegate check tables
	@echo "docs: no dead link (sphinx)"
	@$(BUILD_DOCS)

fix: .venv/.ready  ## correct style and layout
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

build: .venv/.ready .venv-sam/.ready  ## build the app for sam deploy, in .aws-sam/build
	@$(BIN)/tidegate check tables
	@find functions -name __pycache__ -prune -exec rm -rf {} +
	@$(SAM) build

docs: .venv-docs/.ready  ## build the documentation site, in build/docs
	@$(BUILD_DOCS)
	@echo "open build/docs/index.html"

bench: .venv/.ready .venv-glue/.ready .venv-dlt/.ready  ## compare Tidegate with plain DuckDB and dlt at the same merge; measure 10,000 tables
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.contracts

lock:  ## update requirements/*.txt from pyproject.toml (needs uv)
	$(LOCK) --universal --python-version 3.11 --extra local --extra dev pyproject.toml -o requirements/dev.txt
	$(LOCK) --universal --python-version 3.11 --group sam -o requirements/sam.txt
	$(LOCK) --universal --python-version 3.9 --group glue -o requirements/glue.txt
	$(LOCK) --universal --python-version 3.11 --group docs -o requirements/docs.txt
	$(LOCK) --universal --python-version 3.11 --group dlt -o requirements/dlt.txt
	$(LOCK_LAMBDA) --group package-layer -o requirements/package-layer.txt
	$(LOCK_LAMBDA) --group duckdb-layer -o requirements/duckdb-layer.txt

.venv/.ready: requirements/dev.txt pyproject.toml
	@$(FIND_PYTHON); echo "Setting up $(@D) with $$("$$python" --version) (once, about a minute)"; $(MAKE_VENV)
	@$(@D)/bin/python $(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@$(@D)/bin/python $(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

.venv-sam/.ready: requirements/sam.txt
	@$(FIND_PYTHON); echo "Setting up $(@D) for the AWS SAM CLI (once, about half a minute)"; $(MAKE_VENV)
	@$(@D)/bin/python $(PIP_INSTALL) --require-hashes -r requirements/sam.txt
	@touch $@

.venv-docs/.ready: requirements/docs.txt
	@$(FIND_PYTHON); echo "Setting up $(@D) for the documentation (once, about ten seconds)"; $(MAKE_VENV)
	@$(@D)/bin/python $(PIP_INSTALL) --require-hashes -r requirements/docs.txt
	@touch $@

.venv-dlt/.ready: requirements/dlt.txt
	@$(FIND_PYTHON); echo "Setting up $(@D) for dlt, the peer in the benchmark (once, about half a minute)"; $(MAKE_VENV)
	@$(@D)/bin/python $(PIP_INSTALL) --require-hashes -r requirements/dlt.txt
	@touch $@

.venv-glue/.ready: requirements/glue.txt
	@$(FIND_PYTHON39); mkdir -p $(@D); \
	if test -z "$$python"; then \
		echo "No Python 3.9 was found, so the local Glue job will run under the Python of .venv"; \
	else \
		echo "Setting up $(@D) with $$("$$python" --version), the version that Glue runs"; \
		( $(MAKE_VENV); $(@D)/bin/python $(PIP_INSTALL) --require-hashes -r requirements/glue.txt ) \
			|| { rm -rf $(@D); mkdir $(@D); echo "That failed, so the local Glue job will run under the Python of .venv"; }; \
	fi
	@touch $@
