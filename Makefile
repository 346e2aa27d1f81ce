# make demo    install what gridgen needs, then the README's tour: pictures, counts, a training, a search
# make test    install what its tests need too, then everything in tests/ and all docstring examples
# make check   the same, then ruff and mypy
# make bench   the same, then the benchmarks
# make wheel   write dist/gridgen-*.whl, which needs nothing of this folder
# make schema  rewrite the JSON Schemas in specs/ and studies/, and docs/fields.md
# make gallery rewrite docs/gallery.md and the pictures in docs/

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
TOOLS := $(VENV)/tools
DEMO := runs/demo
PIP := $(BIN)/pip --disable-pip-version-check -q

.PHONY: demo test check bench wheel schema gallery clean

# The nuclei image travels in the wheel of stardist, which needs nothing else to be read.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "installing (pinned in constraints.txt)"
	$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e .
	$(PIP) install -c constraints.txt --no-deps stardist
	@touch $(READY)

$(TOOLS): $(READY)
	@echo "installing what tests and checks need"
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $(TOOLS)

demo: $(READY)
	@echo "everything is written into $(DEMO), the program into $(VENV)"
	@rm -rf $(DEMO)
	$(BIN)/gridgen render specs/gridnet.yaml -o $(DEMO)/gridnet.svg
	$(BIN)/gridgen render specs/gridnet.yaml --as unet -o $(DEMO)/unet.svg
	$(BIN)/gridgen count specs/gridnet.yaml --as unet --size 400x400
	$(BIN)/gridgen build specs/gridnet.yaml --as unet -o $(DEMO)/unet.safetensors
	$(BIN)/gridgen train specs/nuclei.yaml --data nuclei -o $(DEMO)/nuclei
	$(BIN)/gridgen evaluate $(DEMO)/nuclei --data nuclei
	$(BIN)/gridgen search studies/nuclei.yaml --trials 3 -o $(DEMO)/search
	$(BIN)/gridgen study $(DEMO)/search best --weights $(DEMO)/best.safetensors
	$(BIN)/gridgen predict $(DEMO)/best.safetensors images/nuclei.png -o $(DEMO)/best
	@echo
	@echo "pictures to look at:"
	@ls $(DEMO)/*.svg $(DEMO)/nuclei/*.png $(DEMO)/best/*.png
	@echo "the answer of the search, a page for a browser:"
	@ls $(DEMO)/search/report.html

# One thread each: two workers with two threads would wait for each other on two cores.
test: $(TOOLS)
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

check: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(TOOLS)
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.counting
	$(BIN)/python -m benchmarks.scaling
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.feasible
	$(BIN)/python -m benchmarks.module
	$(BIN)/python -m benchmarks.variants
	$(BIN)/python -m benchmarks.architectures
	$(BIN)/python -m benchmarks.denoising
	$(BIN)/python -m benchmarks.loader
	$(BIN)/python -m benchmarks.step
	$(BIN)/python -m benchmarks.nothing_lost

wheel: $(READY)
	$(PIP) wheel --no-deps -w dist .

schema: $(READY)
	$(BIN)/gridgen schema spec > specs/schema.json
	$(BIN)/gridgen schema study > studies/schema.json
	$(BIN)/python docs/fields.py

gallery: $(TOOLS)
	$(BIN)/python docs/gallery.py
	$(BIN)/python -m docs.counting

clean:
	rm -rf $(VENV) runs out
