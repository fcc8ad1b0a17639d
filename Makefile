# make run: install what is missing, train, start everything, and say where to click. Ctrl-C stops it.
run: setup
	@.venv/bin/careline run

# make test: install what tests need and run all of them.
test: setup-dev
	@.venv/bin/python scripts/test.py

# make setup: both environments, from their lock files, inside this folder.
setup:
	@python3 scripts/setup.py

setup-dev:
	@python3 scripts/setup.py --dev

# make train: train the assistant if its files changed.
train: setup
	@rasa_server/.venv/bin/python -m rasa_server.train

# make evaluate KIND=red-flags FILE=cases.yml: measure on a case file.
evaluate: setup
	@.venv/bin/careline evaluate $(KIND) $(FILE)

# make bench: speed and its growth, each beside a peer.
bench:
	@python3 scripts/setup.py --bench
	@.venv/bin/careline bench

# make lint: style, imports between rooms, types.
lint: setup-dev
	@.venv/bin/ruff check . && .venv/bin/lint-imports

.PHONY: run test setup setup-dev train evaluate bench lint
