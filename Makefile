# Etebar's one door. Everything is installed into .venv; nothing else on this machine is touched.
.DEFAULT_GOAL := help
PYTHON ?=
CHAOS ?= tests/chaos
VENV := .venv
PY := $(VENV)/bin/python
PYPROJECTS := $(wildcard */pyproject.toml */*/pyproject.toml)
TESTED := apps/core libs operators quickstart bench observability tests
# runs of the benchmarks, short as they are
MEASURING := $(patsubst %,bench/etebar_bench/tests/test_%.py,bench capacity observability)
# a platform each, broken on purpose or set up to be looked into, whole demos, the seed's commands: minutes that make test leaves out
FAULTS := $(patsubst %,tests/integration/test_%.py,collector_away crash_points database_restart decided_outcomes dispatcher_processes metrics recovery seed_commands settlement_faults tracing) quickstart/tests/test_demo.py
# what is made up for every operation of the OpenAPI documents: minutes, too
FUZZED := $(patsubst %,tests/contract/test_%_openapi.py,core core_internal settlement) tests/integration/test_stateful_api.py
PACKAGES := core payments settlement etebar_common etebar_quickstart etebar_bench etebar_deploy onboarding etebar_observability etebar_verify etebar_client

# A virtual environment does not survive a move of the repository or the loss of its Python.
ifneq ($(shell cat $(VENV)/.repository 2>/dev/null && $(PY) -c '' 2>&1),$(CURDIR))
$(shell rm -f $(VENV)/.installed-*)
endif

.PHONY: help demo demo-once up env test test-faults test-fuzz test-browser test-load chaos chaos-kind soak e2e e2e-full bench images kind-up kind-observability kind-down lint format lock sbom audit generate clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-runtime ## start everything, tell a merchant's story over HTTP, leave it running until Ctrl-C
	@$(PY) -m etebar_quickstart demo

demo-once: $(VENV)/.installed-runtime ## the same, ending by itself: code 0 when everything held
	@$(PY) -m etebar_quickstart demo --once

up: $(VENV)/.installed-runtime ## start everything without the story
	@$(PY) -m etebar_quickstart up

env: $(VENV)/.installed-runtime ## exports for a shell beside a running demo, to be evaluated by it
	@$(PY) -m etebar_quickstart env

test: $(VENV)/.installed-dev ## every test but the long ones below, on PostgreSQL and Redis of their own
	$(PY) -m pytest -n 2 --dist loadfile $(patsubst %,--ignore %,tests/load tests/e2e tests/chaos tests/browser $(MEASURING) $(FAULTS) $(FUZZED))

test-faults: $(VENV)/.installed-dev ## the platform with processes killed, databases restarted and restored, a settlement that lies; its metrics and traces; whole demos; the commands of the seed
	$(PY) -m pytest -n 2 --dist loadfile $(FAULTS)

test-fuzz: $(VENV)/.installed-dev ## whatever the API's documents let one send
	$(PY) -m pytest -n 2 --dist loadfile $(FUZZED)

test-browser: $(VENV)/.installed-dev ## the staff console in Chromium, which must be there: apt-get install chromium chromium-driver; SCREENSHOTS=1 writes docs/pictures
	$(PY) -m pytest tests/browser --timeout 200

test-load: $(VENV)/.installed-dev ## locust's users against the whole platform, and the benchmarks: what needs the machine to itself
	$(PY) -m pytest tests/load $(MEASURING)

chaos: $(VENV)/.installed-dev ## everything that can go wrong on one machine, under load; writes docs/reliability.md's tables
	$(PY) -m pytest $(CHAOS) -s --timeout 300

chaos-kind: $(VENV)/.installed-dev ## what goes wrong on a cluster: crash points, partitions, killed containers; on a kind cluster of its own
	$(PY) -m pytest tests/e2e/full/test_92_chaos.py -s --timeout 1500

soak: $(VENV)/.installed-dev ## SOAK_MINUTES=10 of steady load on a kind cluster of its own: memory, connections, tables
	$(PY) -m pytest tests/e2e/full/test_93_soak.py -s --timeout 10000

e2e: $(VENV)/.installed-dev ## on a kind cluster of its own: installed, upgraded, drained and broken under load
	$(PY) -m pytest tests/e2e --ignore tests/e2e/full --timeout 1500 -x --durations 20

e2e-full: $(VENV)/.installed-dev ## the same and what takes longer: another PgBouncer mode, an operator and pods killed at random, databases elsewhere over TLS, alerts of real faults
	$(PY) -m pytest $(sort $(wildcard tests/e2e/test_*.py)) tests/e2e/full --ignore tests/e2e/full/test_92_chaos.py --ignore tests/e2e/full/test_93_soak.py --timeout 1500 -x

bench: $(VENV)/.installed-runtime ## withdrawals per second, beside the database's own floor; ARGS="--rounds 1" and so on
	@$(PY) -m etebar_bench $(ARGS)

images: $(VENV)/.installed-runtime ## the container images of this tree, tagged by its commit; ARGS="core redis" for some
	@$(PY) -m etebar_deploy images $(ARGS)

kind-up: $(VENV)/.installed-runtime ## a kind cluster with everything installed; again: brings it up to date
	@$(PY) -m etebar_deploy kind-up

kind-observability: $(VENV)/.installed-runtime ## Prometheus, Grafana and traces beside it; ARGS="--set grafana.enabled=false" and so on
	@$(PY) -m etebar_deploy kind-observability $(ARGS)

kind-down: $(VENV)/.installed-runtime ## delete that cluster
	@$(PY) -m etebar_deploy kind-down

lint: $(VENV)/.installed-dev ## style, types, layers, migrations, generated files
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m etebar_quickstart run $(PY) -m mypy $(PACKAGES:%=-p %)
	$(VENV)/bin/lint-imports
	$(PY) -m etebar_quickstart run $(PY) -W ignore::RuntimeWarning apps/core/manage.py makemigrations --check --dry-run
	$(PY) -m etebar_quickstart generate --check
	$(PY) -m etebar_deploy generate --check
	$(PY) -m etebar_observability generate --check

format: $(VENV)/.installed-dev ## put the code in shape
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock: $(VENV)/.installed-dev ## resolve the dependencies again after a pyproject.toml changed
	locks/update

sbom: $(VENV)/.installed-dev ## bills of materials (CycloneDX), into sbom/: of the locks; of images with Debian's packages, IMAGES="etebar-core:TAG ..."
	$(PY) locks/sbom.py sbom $(IMAGES)

audit: $(VENV)/.installed-dev ## is anything known against what the locks pin? recorded in docs/security/audit.json
	$(PY) locks/audit.py

generate: $(VENV)/.installed-dev ## write the generated documents anew
	$(PY) -m etebar_quickstart generate
	$(PY) -m etebar_deploy generate
	$(PY) -m etebar_observability generate

clean: ## remove what make made: .venv, .state (the demo's data), caches
	@if [ -x $(PY) ]; then $(PY) -m etebar_quickstart clean; fi
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis

$(VENV)/.installed-%: locks/%.txt locks/build.txt locks/helm.txt locks/install pyproject.toml $(PYPROJECTS)
	@PYTHON="$(PYTHON)" locks/install $*
