# make run    sets everything up and runs the flagship on generated listings
# make test   sets everything up and passes the tests (PYTHON=python3.12 chooses the interpreter)
#             test-unit: those alone that start no process. test-long: those that take long, and every property test
#             with other examples each time. test-torch: models of PyTorch, XGBoost and
#             CatBoost, in an environment of its own.
.PHONY: run test test-unit test-long test-torch lint lock lock-torch
ready := .venv/.ready
SHELL := bash
export PYTHON MAKECMDGOALS
# Tests start many processes: without compiled files each of them would compile relet again.
unexport PYTHONDONTWRITEBYTECODE

run: $(ready)
	.venv/bin/relet run nyc_rentals

test: $(ready) lint
	.venv/bin/pytest -n 2 -q

test-unit: $(ready)
	.venv/bin/pytest -n 2 -q tests/unit

test-long: $(ready)
	.venv/bin/pytest -n 2 --dist worksteal -q -m "long or hypothesis" --hypothesis-profile random --timeout 900

test-torch: $(ready)
	@.ci/torch

lint: $(ready)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# Writes the lock anew and keeps the versions that still fit; `make lock UPGRADE=--upgrade` takes the newest ones.
lock: $(ready)
	.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --extra dev $(UPGRADE) --quiet --output-file requirements.lock pyproject.toml

# The same for PyTorch, and for XGBoost and CatBoost, with the versions that the other lock holds.
lock-torch: $(ready)
	. .ci/indexes && for name in torch boosting; do \
	  .venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --constraint requirements.lock $(UPGRADE) --quiet \
	  --output-file locks/$$name.lock locks/$$name.in || exit 1; done

$(ready): requirements.lock pyproject.toml
	@.ci/setup
