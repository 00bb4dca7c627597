# make run    sets everything up and runs the flagship on generated listings
# make test   sets everything up and passes the tests (PYTHON=python3.12 chooses the interpreter)
.PHONY: run test test-long lint lock
ready := .venv/.ready
export PYTHON MAKECMDGOALS

run: $(ready)
	.venv/bin/relet run nyc_rentals

test: $(ready) lint
	.venv/bin/pytest -n 2 -q

test-long: $(ready)
	.venv/bin/pytest -n 2 --dist worksteal -q -m long --timeout 900

lint: $(ready)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# Writes the lock anew and keeps the versions that still fit; `make lock UPGRADE=--upgrade` takes the newest ones.
lock: $(ready)
	.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --extra dev $(UPGRADE) --quiet --output-file requirements.lock pyproject.toml

$(ready): requirements.lock pyproject.toml
	@.ci/setup
