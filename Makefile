# make course runs the whole series, make test proves it; both set up what they need in .venv first.
# Another Python: make course PYTHON=/path/to/python3.11 (3.10 and 3.11 run both halves, 3.12 and 3.13 PyTorch's)
VENV := .venv
BIN := $(VENV)/bin

# The arrays are small, so a second thread costs more than it does. MXNet's two tables can be updated side by side.
export OMP_NUM_THREADS ?= 1
export MXNET_CPU_WORKER_NTHREADS ?= 2
# glibc keeps freed memory instead of giving it back: step 5 in PyTorch then takes a third less time.
export MALLOC_MMAP_THRESHOLD_ ?= 1000000000
export MALLOC_TRIM_THRESHOLD_ ?= 1000000000
# The environment's Python needs neither; a person's may stop it, or bring other modules of the same names.
unexport PYTHONHOME PYTHONPATH

.PHONY: help setup course lint test test-all lab notebooks book bench study clean

help:
	@echo "make course   run all notebooks on real text, into runs/ (ARGS='-p num_epochs 2' for parameters)"
	@echo "make lab      open the series in JupyterLab"
	@echo "make setup    make .venv and say what it holds"
	@echo "make test     run the tests that belong to every change (STEP=03 for one step)"
	@echo "make test-all run the others: what takes long, or needs a browser, root or another Python"
	@echo "make lint     look for faults in code and notebooks, in seconds"
	@echo "make book     make a site of the notebooks as they are, into book/_build/html"
	@echo "make bench    measure the speed, into benchmarks/ (long; ARGS=--quick only shows that it runs)"
	@echo "make study    train with several settings and seeds, into benchmarks/ (long)"
	@echo "make notebooks  run all notebooks and save their outputs in place, as they are committed"

setup: $(VENV)/course-ready
	@$(BIN)/python -m helpers.tools.environment

course: $(VENV)/course-ready
	$(BIN)/python -m helpers.tools.course $(ARGS)

lab: $(VENV)/course-ready
	@[ "$$(id -u)" != 0 ] || [ -n "$(ARGS)" ] || echo "JupyterLab does not run as root by itself. If nobody else uses this machine: make lab ARGS=--allow-root"
	$(BIN)/python -m jupyterlab --LabApp.default_url=/lab/tree/notebooks $(ARGS)

notebooks: $(VENV)/course-ready
	$(BIN)/python -m helpers.tools.twins run

book: $(VENV)/test-ready
	$(BIN)/python -m book

bench: $(VENV)/course-ready
	$(BIN)/python -m benchmarks $(ARGS)

study: $(VENV)/course-ready
	$(BIN)/python -m benchmarks.study $(ARGS)
	$(BIN)/python -m benchmarks.resampling
	$(BIN)/python -m benchmarks.evaluation
	$(BIN)/python -m benchmarks.subwords
	$(BIN)/python -m benchmarks.family
	$(BIN)/python -m benchmarks.staleness
	$(BIN)/python -m benchmarks.sweep

lint: $(VENV)/test-ready
	$(BIN)/python -m ruff check
	$(BIN)/python -m helpers.tools.twins check

# Two workers. A notebook is one group, so that its cells share a kernel; groups in their order, since those with few tests are the longest.
PYTEST := $(BIN)/python -m pytest -n 2 --no-loadscope-reorder
STEPS := $(wildcard notebooks/*/0[1-4]_*.ipynb)
test: $(VENV)/test-ready lint
	$(PYTEST) --dist loadscope $(if $(STEP),-k $(STEP) tests $(wildcard notebooks/*/$(STEP)_*.ipynb),$(STEPS) tests) $(ARGS)

# PYTHONS: later ones, on which the PyTorch half is tested too; each is another 6 GB and some minutes. Chromium, ip and tc are the system's.
PYTHONS ?= 3.13
test-all: $(VENV)/test-ready $(PYTHONS:%=.venv-%/ready)
	$(PYTEST) --dist loadscope $(filter-out $(STEPS),$(wildcard notebooks/*/*.ipynb notebooks/solutions/*/*.ipynb))
	PYTHONS="$(PYTHONS)" $(PYTEST) --dist loadgroup -m slow tests -rP $(ARGS)

# Whatever Python is here runs helpers/tools/install.py, which finds one that fits, and makes the environment or mends it. It looks
# each time, in a moment: a list may have changed, the folder may have been renamed or copied, a set-up may have been interrupted.
define install
@for python in python3 python python3.11 python3.10 python3.13 python3.12 python3.15 python3.14 python3.9 python3.8 "$(PYTHON)" "$(BIN)/python"; do \
	if "$$python" -c "import argparse, json, subprocess, sys; sys.exit(sys.version_info < (3, 6))" 2>/dev/null; then \
		exec "$$python" -I helpers/tools/install.py $(1); fi; done; \
echo "Here is no Python; the series needs 3.10 to 3.13 (MXNet 3.10 or 3.11): make course PYTHON=/path/to/python3.11" >&2; exit 1
endef

$(VENV)/course-ready: FORCE
	$(call install,$(VENV) --python="$(PYTHON)")

$(VENV)/test-ready: FORCE
	$(call install,$(VENV) --python="$(PYTHON)" --tests)

.venv-3.%/ready: FORCE
	$(call install,.venv-3.$* --only 3.$* --tests)

FORCE:

clean:
	rm -rf $(VENV) .venv-3.12 .venv-3.13 .uv .venv*.lock .uv.lock runs book/_build
