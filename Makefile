# The words of this project: setup run demo test check bench proof.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: setup run demo test check bench proof lock vendor clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "NorthStar needs Python 3.11 or newer; try: make PYTHON=python3.12 " + "setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@$(MAKE) --no-print-directory vendor
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

vendor:
	@sh ops/vendor.sh

run: .venv/ready
	@$(BIN)/northstar sources > /dev/null; case $$? in \
	  0) exec $(BIN)/northstar run ;; \
	  3) exec $(BIN)/northstar demo ;; \
	  *) exit 1 ;; esac

demo: .venv/ready
	@exec $(BIN)/northstar demo

test: .venv/ready-dev
	$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST)

check: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit -q -c pyproject.toml -r .

bench: .venv/ready-dev
	$(BIN)/python -m bench

PROOFS = tests/faults $(addprefix tests/pipeline/test_,books.py crash_points.py exactly_once.py)

proof: .venv/ready-dev
	PROOF=1 $(BIN)/python -m pytest $(PROOFS) $(PYTEST)

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv build *.egg-info assets/vendor
