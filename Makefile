# Every target sets up .venv by itself when pyproject.toml or constraints.txt changed.

.PHONY: demo test check run bench bench-api faults pictures web wheel clean FORCE
.DEFAULT_GOAL := test

BIN := .venv/bin
STAMP := .venv/stamp

# The font cache is built at set-up, so that the first chart does not pay for it.
export MPLCONFIGDIR := $(CURDIR)/.venv/matplotlib

# A .venv whose Python went away, or that was copied here with another checkout, is set up anew.
STALE := $(shell test -x $(BIN)/python && test "$$(cat $(STAMP) 2>/dev/null)" = "$$(pwd -P)" || echo FORCE)

demo: $(STAMP) web
	@mkdir -p build
	@GAMMABELL_STORE__URL=sqlite+aiosqlite:///build/demo.db $(BIN)/gammabell run --source sim

# One recipe: what a contributor runs (check) is what CI runs (test).
test check: $(STAMP) web
	@$(BIN)/ruff format --check --quiet || { echo "not formatted: run $(BIN)/ruff format"; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest -q -n auto

run: $(STAMP) web
	@test -e config.toml || { cp config.example.toml config.toml && \
		echo "config.toml made from config.example.toml; edit it to change venues or chats"; }
	@$(BIN)/gammabell run --config config.toml

bench: $(STAMP)
	@mkdir -p build
	@$(BIN)/python -m benchmarks

# Our HTTP API beside the usual one, some eight minutes; wants a machine with nothing else to do.
bench-api: $(STAMP)
	@$(BIN)/python -c 'import fastapi, uvicorn' 2>/dev/null || \
		$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@$(BIN)/python -m benchmarks.api

# Every fault at every venue, some ten minutes: writes docs/faults.md, fails on a broken promise.
faults: $(STAMP)
	@$(BIN)/python -m tests.faults

# What people see in both chats, into docs/pictures/; needs a chromium of the system's.
pictures: $(STAMP) web
	@$(BIN)/python -c 'import playwright' 2>/dev/null || \
		$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[pictures]'
	@$(BIN)/python -m tests.pictures

# What the browser takes from the npm registry; without it the server's own pictures serve.
web: $(STAMP)
	@$(BIN)/python -c '$(LOCKED)' sh -c "$$FETCH"

# Into dist/, by way of the sdist, so that both are complete.
wheel: $(STAMP) web
	@test -e bot/web/vendor/lightweight-charts.js || { echo "a wheel needs what npm fetches"; exit 1; }
	@rm -rf dist
	@$(BIN)/python -m build

# Leaves config.toml and live databases alone.
clean:
	@rm -rf .venv build dist *.egg-info web/node_modules bot/web/vendor bot/web/vendor.new
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt $(STALE)
	@for python in $${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do \
		$$python -c '$(IS_RECENT)' 2>/dev/null || continue; \
		$$python -c 'import ensurepip, venv' 2>/dev/null || { bare=$$python; continue; }; \
		exec $$python -c '$(LOCKED)' sh -c "$$SETUP" setup $$python; \
	done; \
	if test "$$bare"; then \
		echo "$$bare cannot make environments: install its venv module (Debian, Ubuntu: apt install python3-venv)"; \
	else \
		echo "gammabell needs Python 3.11 or later: install it, or name it: make PYTHON=/path/to/python3"; \
	fi; \
	exit 1

IS_RECENT := import sys; sys.exit(sys.version_info < (3, 11))

# A lock on this very file: two makes at once take turns, and a killed one leaves nothing behind.
# Python takes it because macOS has no flock command.
LOCKED := import fcntl, subprocess, sys; lock = open("Makefile"); \
	fcntl.flock(lock, fcntl.LOCK_EX); sys.exit(subprocess.call(sys.argv[1:]))

define SETUP
here=$$(pwd -P)
made=no
test -x $(BIN)/python && test "$$(cat $(STAMP) 2>/dev/null)" = "$$here" && made=yes
if test $$made = yes && test $(STAMP) -nt pyproject.toml && test $(STAMP) -nt constraints.txt; then
	exit 0  # another make was first
fi
echo "setting up .venv (once, about a minute)"
log=$$(mktemp)
trap 'rm -f "$$log"' EXIT
install() {
	test $$made = yes || "$$1" -m venv --clear .venv || return
	rm -f $(STAMP)  # an interrupted set-up is no set-up
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]' || return
	$(BIN)/python -c 'import matplotlib.font_manager'
}
install "$$1" >"$$log" 2>&1 || { cat "$$log"; exit 1; }
echo "$$here" >$(STAMP)
endef
export SETUP

# What was fetched is told by a sum: a new checkout of the same lock file is no reason to fetch again.
define FETCH
wanted=$$(cat web/package-lock.json web/vendor.py | cksum)
laid=web/node_modules/.laid
test -d bot/web/vendor && test "$$(cat $$laid 2>/dev/null)" = "$$wanted" && exit 0
command -v npm >/dev/null || { echo "no npm here: the server's own pictures serve"; exit 0; }
fetch() {
	(cd web && npm ci) || return
	$(BIN)/python web/vendor.py && echo "$$wanted" >$$laid
}
mkdir -p build
fetch >build/web.log 2>&1 || echo "npm did not fetch (build/web.log): the server's own pictures serve"
endef
export FETCH
