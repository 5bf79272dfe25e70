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

.PHONY: help setup course check test test-system lab notebooks book bench study clean

help:
	@echo "make course   run all notebooks on real text, into runs/ (ARGS='-p num_epochs 2' for parameters)"
	@echo "make check    look for faults in code and notebooks, in seconds"
	@echo "make test     run the tests"
	@echo "make test-system  run the tests that take long or need other programs, and install those"
	@echo "make lab      open the series in JupyterLab"
	@echo "make book     make a site of the notebooks as they are, into book/_build/html"
	@echo "make setup    make .venv and say what it holds"
	@echo "make bench    measure the speed, into benchmarks/ (long; ARGS=--quick only shows that it runs)"
	@echo "make study    train with several settings and seeds, into benchmarks/ (long)"
	@echo "make notebooks  run all notebooks and save their outputs in place, as they are committed"

setup: $(VENV)/course-ready
	@$(BIN)/python -m helpers.tools.environment

course: $(VENV)/course-ready
	$(BIN)/python -m helpers.tools.course $(ARGS)

lab: $(VENV)/course-ready
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks

notebooks: $(VENV)/course-ready
	$(BIN)/python -m helpers.tools.twins run

book: $(VENV)/book-ready
	$(BIN)/python -m book

bench: $(VENV)/course-ready
	$(BIN)/python -m benchmarks $(ARGS)

study: $(VENV)/course-ready
	$(BIN)/python -m benchmarks.study $(ARGS)
	$(BIN)/python -m benchmarks.resampling
	$(BIN)/python -m benchmarks.evaluation
	$(BIN)/python -m benchmarks.sweep

check: $(VENV)/test-ready
	$(BIN)/python -m ruff check
	$(BIN)/python -m helpers.tools.twins check

# Two workers. A notebook is one group, so that its cells share a kernel; groups in their order, since those with few tests are the longest.
test: $(VENV)/test-ready
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

# PYTHONS: later ones, on which the PyTorch half is tested too; 3.12 is another 6 GB and some minutes.
PYTHONS ?= 3.13
# The book's tests are one group, since each worker would build it anew.
test-system: $(VENV)/system-ready .venv-spacy/ready $(PYTHONS:%=.venv-%/ready)
	@command -v ip >/dev/null && command -v tc >/dev/null || { apt-get update && apt-get install -y iproute2; }
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { apt-get update && apt-get install -y chromium; }
	PYTHONS="$(PYTHONS)" SPACY_PYTHON=.venv-spacy/bin/python $(BIN)/python -m pytest -m system tests/slow -n 2 --dist loadgroup -rP $(ARGS)

.venv-spacy/ready: requirements-spacy.txt | $(VENV)/test-ready
	$(BIN)/python -m venv --clear .venv-spacy
	.venv-spacy/bin/python -m pip install --disable-pip-version-check -r requirements-spacy.txt
	@touch $@

# Other Pythons, for the PyTorch half: one that is here, or pyenv's, or the one that uv downloads (which is untested).
# Plain make, since $(MAKE) would run under make -n too.
.venv-3.%/ready: requirements-test.txt requirements.txt requirements-no-deps.txt
	@$(call find,python3.$* ~/.pyenv/versions/3.$*.*/bin/python); \
	if [ -z "$$found" ]; then $(call find,$(ANY)); \
		"$$found" -m venv --clear .venv-uv && .venv-uv/bin/python -m pip install --disable-pip-version-check uv==0.13.9 && \
		.venv-uv/bin/uv python install 3.$* && found=$$(.venv-uv/bin/uv python find --managed-python 3.$*) || exit 1; fi; \
	make .venv-3.$*/test-ready VENV=.venv-3.$* PYTHON="$$found"
	@touch $@

# The first Python that is 3.10 to 3.13 and can make environments (a name alone proves nothing: pyenv's shims); first those that
# MXNet has packages for. .venv is kept when it has such a Python, else made again. The .pth file puts `helpers` on its path.
fits = import sys, ensurepip, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
left_out = from helpers.tools.environment import mxnet_left_out as reason; print('The MXNet half is left out: ' + reason() if reason() else 'Both halves')
ANY := python3.11 python3.10 python3.13 python3.12 python3 python
find = found=; for python in $(1); do if "$$python" -c "$(fits)" 2>/dev/null; then found="$$python"; break; fi; done
define install
@$(call find,$(if $(PYTHON),"$(PYTHON)",$(ANY))); \
if [ -z "$$found" ]; then \
	echo "The series needs Python 3.10 to 3.13 (MXNet 3.10 or 3.11): make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
	exit 1; fi; \
"$(BIN)/python" -c "$(fits)" 2>/dev/null || "$$found" -m venv --clear $(VENV)
@$(BIN)/python -c "$(left_out)"
$(BIN)/python -m pip install --disable-pip-version-check -r $(1)
$(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements-no-deps.txt
@$(BIN)/python -c "import os, sysconfig; open(sysconfig.get_path('purelib') + '/word2vec-series.pth', 'w').write(os.getcwd() + '\n')"
endef

$(VENV)/course-ready: requirements.txt requirements-no-deps.txt
	$(call install,requirements.txt)
	@touch $@

$(VENV)/book-ready: requirements-book.txt requirements.txt requirements-no-deps.txt
	$(call install,requirements-book.txt)
	@touch $(VENV)/course-ready $@

$(VENV)/test-ready: requirements-test.txt requirements.txt requirements-no-deps.txt
	$(call install,requirements-test.txt)
	@touch $(VENV)/course-ready $@

$(VENV)/system-ready: requirements-system.txt requirements-test.txt requirements-book.txt requirements.txt requirements-no-deps.txt
	$(call install,requirements-system.txt)
	@touch $(VENV)/course-ready $(VENV)/test-ready $@

clean:
	rm -rf $(VENV) .venv-spacy .venv-3.12 .venv-3.13 .venv-uv runs book/_build
