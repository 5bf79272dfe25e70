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
	$(BIN)/python -m jupyter lab --LabApp.default_url=/lab/tree/notebooks

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

# The first Python that is 3.10 to 3.13 and can make environments (a name alone proves nothing: pyenv's shims); first those that
# MXNet has packages for. .venv is kept when it has such a Python, else made again. `helpers` is installed in place.
fits = import sys, ensurepip, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
left_out = from helpers.tools.environment import mxnet_left_out as reason; print('The MXNet half is left out: ' + reason() if reason() else 'Both halves')
ANY := python3.11 python3.10 python3.13 python3.12 python3 python
find = found=; for python in $(1); do if "$$python" -c "$(fits)" 2>/dev/null; then found="$$python"; break; fi; done

# Where none is: uv, installed with whatever Python there is, brings one into .uv. The versions that it tries are the argument.
UV := UV_PYTHON_INSTALL_DIR="$(CURDIR)/.uv/pythons" .uv/bin/uv python
bring = { .uv/bin/uv --version >/dev/null 2>&1 || for python in python3 python python3.15 python3.14 python3.9 python3.8; do \
	if "$$python" -c "import ensurepip, venv" 2>/dev/null; then \
		echo "No fitting Python is here: uv brings one into .uv, the first that can be had of $(1)"; \
		"$$python" -m venv --clear .uv && .uv/bin/python -m pip install --disable-pip-version-check -q uv==0.13.9; break; fi; done; \
	for version in $(1); do $(UV) install --no-bin $$version && found="$$($(UV) find --managed-python $$version)" && break; done; }

# An environment that was not made to its end has no pip, and is made again.
kept = "$(BIN)/python" -c "$(fits)" 2>/dev/null && "$(BIN)/python" -m pip --version >/dev/null 2>&1
define install
@$(call find,$(if $(PYTHON),"$(PYTHON)",$(ANY))); \
if [ -z "$$found$(PYTHON)" ]; then { $(kept); } || $(call bring,3.11 3.13); fi; \
if [ -z "$$found" ] && { [ -n "$(PYTHON)" ] || ! { $(kept); }; }; then \
	echo "The series needs Python 3.10 to 3.13 (MXNet 3.10 or 3.11): make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
	exit 1; fi; \
{ $(kept); } || "$$found" -m venv --clear $(VENV)
@$(BIN)/python -c "$(left_out)"
$(BIN)/python -m pip install --disable-pip-version-check -r $(1)
$(BIN)/python -m pip install --disable-pip-version-check --no-deps d2l==1.0.3
$(BIN)/python -m pip install --disable-pip-version-check --no-deps -e .
endef

# Other Pythons, for the PyTorch half: one that is here, or pyenv's, or the one that uv brings. Plain make, since $(MAKE) would run under make -n too.
.venv-3.%/ready: requirements-dev.txt requirements.txt
	@$(call find,python3.$* ~/.pyenv/versions/3.$*.*/bin/python); [ -n "$$found" ] || $(call bring,3.$*); \
	make .venv-3.$*/test-ready VENV=.venv-3.$* PYTHON="$$found"
	@touch $@

$(VENV)/course-ready: requirements.txt
	$(call install,requirements.txt)
	@touch $@

$(VENV)/test-ready: requirements-dev.txt requirements.txt
	$(call install,requirements-dev.txt)
	@touch $(VENV)/course-ready $@

clean:
	rm -rf $(VENV) .venv-3.12 .venv-3.13 .uv runs book/_build
