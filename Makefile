# `make help` lists what there is. Everything below needs git, make and Python 3.11 or later.
.DEFAULT_GOAL := help
.PHONY: help demo lab test test-fast docs bench bench-registry bench-verify scale soak clean
SHELL := /bin/bash
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
LINK := playbooks/collections/ansible_collections/fleet/certs_d
BENCH := PYTHONPATH=playbooks/collections .venv/bin/python -m ansible_collections.fleet.certs_d.tests.bench

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name what; do printf '%-14s %s\n' "$$name" "$$what"; done

demo: .venv/run lab $(LINK)  ## a fleet in containers, deployed and verified; run it again for changed=0
	@echo "+ .venv/bin/ansible-playbook playbooks/site.yml -i inventories/lab"
	@.venv/bin/ansible-playbook playbooks/site.yml -i inventories/lab

lab: .python  ## only the hosts: systemd and sshd in containers, inventories/lab/hosts.yml
	@$(PYTHON) -m lab up inventories/lab

test: .venv/test  ## every gate, as CI runs them
	@.venv/bin/python tests/gates.py

test-fast: .venv/test  ## the gates that need neither hosts nor minutes
	@.venv/bin/python tests/gates.py --fast

docs: .venv/test  ## the documentation as a site, .cache/site/index.html
	@.venv/bin/python tests/gates.py site

# `make bench OPTIONS=--quick` is a sanity run, `make bench OPTIONS='--into docs/performance.md'` refreshes that page.
bench: .venv/run $(LINK)  ## what layout costs beside ping, copy, unarchive and rsync; twenty nodes, some minutes
	@$(PYTHON) -c 'from lab.system import need; need("rsync", packages=["rsync"])'
	@$(PYTHON) -m lab up inventories/bench --parts bench
	@$(BENCH) $(OPTIONS)

bench-registry: .venv/run lab $(LINK)  ## what the registry serves per second beside plain Apache; some minutes
	@$(BENCH).registry $(OPTIONS)

bench-verify: .venv/run $(LINK)  ## what verifying a node costs beside ping
	@$(BENCH).verify $(OPTIONS)

scale: .venv/run $(LINK)  ## what site costs the controller over 25 to 200 hosts; half an hour
	@$(PYTHON) -m lab up inventories/bench --parts bench
	@$(BENCH).scale $(OPTIONS)

soak: .venv/test  ## host directories under fire: readers during 2,000 swaps, a kill at every system call
	@.venv/bin/python tests/gates.py soak

clean: .python  ## take everything away that the targets above made
	@for inventory in {.cache/collections/ansible_collections/fleet/certs_d/,}inventories/{bench,engines,lab,rhel}; do \
		$(PYTHON) -m lab down $$inventory --all || exit; done
	@rm -rf .venv .cache playbooks/collections inventories/*/{.lab,hosts.yml}

.PHONY: .python
.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install python3" >&2; exit 2; }

.venv/bin/python: | .python
	@tests/tools/make-venv $(PYTHON) .venv

.venv/run: requirements-run.txt | .venv/bin/python
	@echo "venv: installing ansible-core and cryptography …"
	@.venv/bin/python -m pip install --quiet --requirement $<
	@touch $@

.venv/test: requirements.txt requirements-run.txt | .venv/bin/python
	@echo "venv: installing the tools that requirements.txt pins …"
	@.venv/bin/python -m pip install --quiet --requirement $<
	@$(PYTHON) -c 'from lab.system import need; need("shellcheck", "busybox", "openssl", packages=["shellcheck", "busybox-static", "openssl"])'
	@touch .venv/run $@

# The playbooks find the collection beside them, from the checkout and from inside playbooks/.
$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@
